# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alignment.samples import (
    MS,
    aligner,
    at,
    delayed,
    drive,
    feed,
    frame,
    position,
    sound,
    velocity,
)

from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from mm_fusion.alignment import Aligner
    from mm_fusion.types.sensors import Sample
    from mm_fusion.types.snapshot import Snapshot

YEARS_MS = 1e11


def grid(snapshots: list[Snapshot]) -> list[int]:
    return [(snapshot.stamp_ns - at(0)) // MS for snapshot in snapshots]


def fed(*, until: int, step: int = 10, **changes: float) -> tuple[Aligner, list[Snapshot]]:
    target = aligner(**changes)
    return target, feed(target, [velocity(ms, ms + 1) for ms in range(0, until, step)])


def test_without_a_camera_snapshots_stand_on_a_regular_grid() -> None:
    target, snapshots = fed(until=2001, timer_rate_hz=10.0, camera_timeout_s=0.5)
    assert grid(snapshots) == list(range(500, 2001, 100))
    for snapshot in snapshots:
        assert (snapshot.trigger, snapshot.completed, snapshot.image) == ('timer', True, None)
        assert snapshot.velocity is not None
        assert snapshot.velocity.stamp_ns == snapshot.stamp_ns
        assert snapshot.modalities[Modality.CAMERA].state is ModalityState.NEVER_SEEN
        assert snapshot.modalities[Modality.CAMERA].age_ns is None
    assert target.counters.opened == target.counters.emitted == 16


def test_a_camera_that_died_is_like_one_never_heard() -> None:
    target = aligner(camera_timeout_s=0.5)
    samples = [velocity(ms, ms + 1) for ms in range(0, 3000, 10)]
    snapshots = feed(target, [*samples, frame(33), frame(66), frame(99)])
    assert [snapshot.trigger for snapshot in snapshots[:4]] == ['camera'] * 3 + ['timer']
    assert grid(snapshots[3:]) == list(range(600, 2901, 100))
    assert snapshots[3].modalities[Modality.CAMERA].state is ModalityState.STALE
    assert snapshots[3].modalities[Modality.CAMERA].age_ns == 501 * MS


def test_the_timer_stops_when_the_camera_returns() -> None:
    target = aligner(camera_timeout_s=0.5)
    samples = [velocity(ms, ms + 1) for ms in range(0, 2000, 10)]
    snapshots = feed(target, [*samples, *(frame(ms) for ms in range(1003, 2000, 33))])
    triggers = [snapshot.trigger for snapshot in snapshots]
    assert triggers == ['timer'] * 6 + ['camera'] * 30
    assert grid(snapshots) == sorted(grid(snapshots))


def test_a_camera_that_returns_with_old_stamps_is_not_outrun_for_ever() -> None:
    target = aligner(camera_timeout_s=0.5)
    samples = [velocity(ms, ms + 1) for ms in range(0, 3000, 10)]
    frames = [frame(ms - 300, received_ms=ms) for ms in range(1003, 3000, 33)]
    snapshots = feed(target, [*samples, *frames])
    assert [snapshot.trigger for snapshot in snapshots[-40:]] == ['camera'] * 40


def test_the_timer_starts_with_the_newest_point() -> None:
    target = aligner(camera_timeout_s=1.0)
    for ms in range(0, 1001, 10):
        target.push(velocity(ms))
    assert target.poll(at(1009)) == []
    target.push(velocity(1010))
    assert grid(target.poll(at(1010))) == [1000]


def test_a_pause_of_all_sensors_does_not_start_the_timer() -> None:
    target = aligner(camera_timeout_s=0.5)
    assert len(feed(target, [frame(0), velocity(5), velocity(400)])) == 1
    assert target.next_deadline_ns is None
    assert target.poll(at(1000)) == []
    target.push(velocity(1001))
    assert grid(target.poll(at(1001))) == [1000]


def test_points_wait_for_all_sensors_up_to_the_deadline() -> None:
    target = aligner(camera_timeout_s=0.5, deadline_s=0.05, microphone_timeout_s=1.0)
    samples: list[Sample] = [sound(ms) for ms in range(0, 600, 100)]
    samples += [velocity(ms) for ms in range(0, 691, 10)]
    for sample in sorted(samples, key=lambda sample: sample.received_ns):
        target.push(sample)
    # Sound ends at 600, velocity at 690; the present is 690 + 1 when the clock shows 691.
    assert grid(target.poll(at(691))) == [600]
    for ms in range(700, 741, 10):
        target.push(velocity(ms))
    assert target.next_deadline_ns == at(750)
    assert target.poll(at(749)) == []
    (snapshot,) = target.poll(at(750))
    assert grid([snapshot]) == [700]
    assert not snapshot.completed
    assert snapshot.audio is not None


def test_no_stamp_is_ahead_of_the_samples() -> None:
    target, _ = fed(until=1000)
    assert grid(target.poll(at(1050))) == []
    assert target.next_deadline_ns is None
    assert target.poll(at(1600)) == []
    target.push(velocity(1600))
    snapshots = target.poll(at(1600))
    assert max(grid(snapshots)) == 1600


def test_a_constant_between_the_clocks_changes_nothing() -> None:
    drive_ = drive(5.0, camera=False)
    here, there = aligner(), aligner()
    expected = feed(here, drive_)
    found = feed(there, delayed(drive_, received_ms=YEARS_MS))
    assert grid(found) == grid(expected)
    assert [s.completed for s in found] == [s.completed for s in expected]
    assert len(found) > 40


def test_with_nothing_alive_nothing_is_emitted() -> None:
    target, snapshots = fed(until=1000, velocity_timeout_s=0.3)
    count = len(snapshots)
    assert target.poll(at(1400)) == []
    assert target.poll(at(100_000)) == []
    target.push(velocity(100_003))
    # The grid begins anew, and the silence is not filled in.
    assert target.poll(at(100_003)) == []
    target.push(velocity(100_103))
    assert grid(target.poll(at(100_103))) == [100_100]
    assert target.counters.emitted == count + 1


def test_a_silence_of_all_sensors_is_not_filled_in_afterwards() -> None:
    target, snapshots = fed(until=1000, velocity_timeout_s=0.3)
    assert grid(snapshots)[-1] == 900
    assert target.poll(at(1400)) == []
    target.push(velocity(1503))
    target.push(velocity(1603))
    assert grid(target.poll(at(1603))) == [1600]


def test_a_superseded_point_is_counted_and_no_frame_is() -> None:
    target, snapshots = fed(until=1000)
    target.supersede(snapshots[0])
    counters = target.counters
    assert (counters.emitted, counters.superseded) == (len(snapshots) - 1, 1)
    assert target.reports()[Modality.CAMERA].drops == {}


def test_a_jump_forward_does_not_flood() -> None:
    target, _ = fed(until=1000, max_pending=8, velocity_timeout_s=1.0)
    target.push(velocity(3_600_000, received_ms=1100))
    assert len(target.poll(at(1100))) <= 8


def test_points_that_nobody_asked_for_are_bounded() -> None:
    target = aligner(max_pending=8, timer_rate_hz=100.0)
    for ms in range(0, 601, 10):
        target.push(velocity(ms))
    assert grid(target.poll(at(600))) == [600]
    for ms in range(610, 1001, 10):
        target.push(velocity(ms))
    assert grid(target.poll(at(1000))) == list(range(930, 1001, 10))


def test_the_present_is_that_of_the_sensor_with_the_least_latency() -> None:
    target = aligner(camera_timeout_s=0.5, deadline_s=0.05, microphone_timeout_s=1.0)
    samples: list[Sample] = [sound(ms, received_ms=ms + 300) for ms in range(0, 500, 100)]
    samples += [velocity(ms) for ms in range(0, 741, 10)]
    for sample in sorted(samples, key=lambda sample: sample.received_ns):
        target.push(sample)
    # Sound ends at 500 and comes 200 ms late; velocity comes at once.
    assert grid(target.poll(at(700))) == [600]
    assert target.next_deadline_ns == at(750)
    assert target.poll(at(750) - 1) == []
    assert grid(target.poll(at(750))) == [700]


def test_gnss_alone_is_enough() -> None:
    target = aligner(camera_timeout_s=0.5)
    snapshots = feed(target, [position(ms) for ms in range(0, 5000, 200)])
    assert grid(snapshots) == list(range(600, 4801, 100))
    assert snapshots[0].modalities[Modality.GNSS].age_ns == 0
    assert snapshots[1].modalities[Modality.GNSS].age_ns == 100 * MS


def test_gnss_does_not_hasten_the_points_that_wait_for_velocity() -> None:
    target = aligner(camera_timeout_s=0.5, velocity_timeout_s=2.5)
    samples: list[Sample] = [position(ms, ms + 1) for ms in range(0, 10_000, 1000)]
    samples += [velocity(ms, ms + 3, speed=ms) for ms in range(0, 10_000, 1000)]
    snapshots = feed(target, samples)
    assert grid(snapshots) == list(range(0, 9001, 100))
    for snapshot in snapshots:
        assert snapshot.completed
        assert snapshot.velocity is not None
        assert snapshot.velocity.speed_mps == pytest.approx(grid([snapshot])[0])


def test_sound_alone_is_enough() -> None:
    target = aligner(camera_timeout_s=0.5)
    snapshots = feed(target, [sound(ms) for ms in range(0, 2000, 100)])
    assert grid(snapshots) == list(range(700, 2001, 100))
    assert all(s.audio is not None and s.audio.covered == 1.0 for s in snapshots)


def test_waiting_for_the_next_deadline_never_spins() -> None:
    target = aligner(velocity_timeout_s=0.7)
    now_ns = 0
    for sample in drive(3.0, camera=False):
        while (due_ns := target.next_deadline_ns) is not None and due_ns < sample.received_ns:
            assert due_ns > now_ns
            now_ns = due_ns
            target.poll(now_ns)
        now_ns = sample.received_ns
        target.push(sample)
        target.poll(now_ns)
    for _ in range(3):
        if (due_ns := target.next_deadline_ns) is not None:
            assert due_ns > now_ns
            now_ns = due_ns
            target.poll(now_ns)
    assert target.next_deadline_ns is None


def test_flush_emits_the_points_that_are_left() -> None:
    target = aligner(camera_timeout_s=0.5)
    samples = [velocity(ms) for ms in range(0, 951, 10)]
    feed(target, [*samples, *(sound(ms) for ms in range(0, 801, 100))])
    assert grid(target.flush()) == []
    target.push(velocity(1010))
    assert grid(target.flush()) == [1000]


@pytest.mark.parametrize('every', [1, 7, 30])
def test_the_grid_does_not_depend_on_how_often_it_is_polled(every: int) -> None:
    samples = drive(4.0, camera=False)
    target = aligner()
    found = []
    for i, sample in enumerate(samples):
        target.push(sample)
        if i % every == 0:
            found += target.poll(sample.received_ns)
    found += target.poll(samples[-1].received_ns + 100 * MS)
    assert grid(found)[1:] == list(range(grid(found)[1], 4000, 100)) or grid(found)[-1] == 4000
    assert [b - a for a, b in zip(grid(found), grid(found)[1:])] == [100] * (len(found) - 1)
