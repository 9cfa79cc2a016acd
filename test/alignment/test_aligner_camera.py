# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from alignment.samples import (
    MS,
    PER_MS,
    aligner,
    at,
    drive,
    drops,
    feed,
    frame,
    position,
    signal,
    sound,
    velocity,
)

from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityState


def test_a_frame_alone_is_emitted_at_once_and_complete() -> None:
    target = aligner()
    image = frame(10, received_ms=15)
    target.push(image)
    (snapshot,) = target.poll(at(15))
    assert snapshot.image is image
    assert (snapshot.stamp_ns, snapshot.emitted_ns) == (at(10), at(15))
    assert (snapshot.trigger, snapshot.completed, snapshot.epoch) == ('camera', True, 0)
    assert (snapshot.audio, snapshot.velocity) == (None, None)
    assert (snapshot.velocities, snapshot.positions) == ((), ())


def test_nothing_comes_of_nothing() -> None:
    target = aligner()
    assert target.poll(at(0)) == []
    assert target.next_deadline_ns is None
    assert target.flush() == []
    assert target.reports()[Modality.CAMERA].state is ModalityState.NEVER_SEEN
    assert target.reports()[Modality.CAMERA].age_ns is None


def test_a_snapshot_waits_for_sound_up_to_its_stamp() -> None:
    target = aligner()
    for ms in range(0, 1000, 100):
        target.push(sound(ms))
    target.push(frame(1050))
    assert target.poll(at(1051)) == []
    target.push(sound(1000, 49, received_ms=1052))
    assert target.poll(at(1052)) == []
    target.push(sound(1049, 20, received_ms=1070))
    (snapshot,) = target.poll(at(1070))
    assert snapshot.completed
    assert snapshot.audio is not None
    assert snapshot.audio.start_ns == at(550)
    np.testing.assert_array_equal(snapshot.audio.samples, signal(550 * PER_MS, 500 * PER_MS))
    assert snapshot.modalities[Modality.MICROPHONE].age_ns == 0


def test_a_snapshot_waits_for_a_velocity_at_or_after_its_stamp() -> None:
    target = aligner()
    target.push(velocity(0, speed=1.0))
    target.push(velocity(20, speed=3.0))
    target.push(frame(25))
    assert target.poll(at(26)) == []
    target.push(velocity(40, speed=7.0))
    (snapshot,) = target.poll(at(40))
    assert snapshot.completed
    assert snapshot.velocity is not None
    assert (snapshot.velocity.stamp_ns, snapshot.velocity.speed_mps) == (at(25), 4.0)
    assert [sample.speed_mps for sample in snapshot.velocities] == [1.0, 3.0]
    assert snapshot.modalities[Modality.VELOCITY].age_ns == 0


def test_gnss_is_not_waited_for() -> None:
    target = aligner()
    target.push(position(0))
    target.push(frame(900))
    (snapshot,) = target.poll(at(900))
    assert snapshot.completed
    assert len(snapshot.positions) == 1
    assert snapshot.modalities[Modality.GNSS].age_ns == 900 * MS


def test_the_deadline_decides_with_what_is_there() -> None:
    target = aligner(deadline_s=0.05)
    newest = velocity(0, speed=2.0)
    target.push(newest)
    target.push(frame(25, received_ms=30))
    assert target.next_deadline_ns == at(80)
    assert target.poll(at(80) - 1) == []
    (snapshot,) = target.poll(at(80))
    assert not snapshot.completed
    assert snapshot.velocity is newest
    assert snapshot.modalities[Modality.VELOCITY].age_ns == 25 * MS
    assert target.next_deadline_ns is None


def test_sound_that_ends_before_the_stamp_is_padded() -> None:
    target = aligner()
    for ms in range(0, 1000, 100):
        target.push(sound(ms))
    target.push(frame(1030))
    (snapshot,) = target.poll(at(1080))
    assert not snapshot.completed
    assert snapshot.audio is not None
    assert snapshot.audio.covered == pytest.approx(1 - 30 / 500)
    np.testing.assert_array_equal(snapshot.audio.samples[-30 * PER_MS :], 0)
    assert snapshot.audio.samples[-30 * PER_MS - 1] == 1000 * PER_MS
    assert snapshot.modalities[Modality.MICROPHONE].age_ns == 30 * MS


def test_a_deadline_of_zero_waits_for_nothing() -> None:
    target = aligner(deadline_s=0.0)
    target.push(velocity(0))
    target.push(frame(5))
    assert len(target.poll(at(5))) == 1


def test_a_sensor_that_died_is_like_one_never_heard() -> None:
    with_dead = aligner(velocity_timeout_s=1.0, microphone_timeout_s=1.0)
    for ms in range(0, 100, 10):
        with_dead.push(velocity(ms))
        with_dead.push(sound(ms, 10, received_ms=ms))
    without = aligner()
    with_dead.push(frame(2000))
    without.push(frame(2000))
    (first,), (second,) = with_dead.poll(at(2000)), without.poll(at(2000))
    assert (first.completed, first.audio, first.velocity) == (True, None, None)
    assert (second.completed, second.audio, second.velocity) == (True, None, None)
    assert first.modalities[Modality.VELOCITY].state is ModalityState.STALE
    assert second.modalities[Modality.VELOCITY].state is ModalityState.NEVER_SEEN
    assert first.modalities[Modality.MICROPHONE].state is ModalityState.STALE


def test_a_late_poll_takes_no_sensor_for_dead_that_was_alive_at_the_deadline() -> None:
    target = aligner(deadline_s=0.05)
    for ms in range(0, 1000, 100):
        target.push(sound(ms))
    target.push(frame(1030))
    (snapshot,) = target.poll(at(60_000))
    assert not snapshot.completed
    assert snapshot.audio is not None
    assert snapshot.emitted_ns == at(60_000)
    assert snapshot.modalities[Modality.MICROPHONE].state is ModalityState.PRESENT


def test_what_a_silent_sensor_once_said_is_left_out() -> None:
    for arrival_ms, there in ((1500, True), (1501, False)):
        target = aligner(microphone_timeout_s=0.5, velocity_timeout_s=0.5, camera_timeout_s=60.0)
        feed(target, [sound(ms) for ms in range(0, 1000, 100)])
        target.push(velocity(1000))
        target.push(frame(1000, received_ms=arrival_ms))
        (snapshot,) = target.poll(at(arrival_ms))
        assert (snapshot.audio is not None) is there
        assert (snapshot.velocity is not None) is there
        assert len(snapshot.velocities) == 1


@pytest.mark.parametrize('sound_ms', [900, 1000])
def test_a_snapshot_waits_for_the_slowest_sensor(sound_ms: int) -> None:
    target = aligner()
    feed(target, [sound(ms) for ms in range(0, sound_ms, 100)])
    # One of them ends before the stamp, and the other after it.
    target.push(velocity(1900 - sound_ms, received_ms=1000))
    target.push(frame(950, received_ms=1000))
    assert target.poll(at(1000)) == []


def test_sound_reaches_back_for_a_frame_that_lags_behind() -> None:
    target = aligner(reorder_window_s=0.5, deadline_s=0.0, camera_timeout_s=60.0)
    feed(target, [sound(ms) for ms in range(0, 3000, 100)])
    target.push(frame(1550, received_ms=3000))
    (snapshot,) = [s for s in target.poll(at(3000)) if s.image is not None]
    assert snapshot.audio is not None
    assert snapshot.audio.covered == 1.0


def test_the_age_of_the_camera_is_that_of_its_newest_frame() -> None:
    target = aligner()
    target.push(frame(100, received_ms=110))
    target.push(frame(50, received_ms=110))
    assert target.reports(at(130))[Modality.CAMERA].age_ns == 30 * MS


def test_a_sensor_counts_as_alive_until_its_timeout() -> None:
    for silence_ms, waits in ((1000, True), (1000.001, False)):
        target = aligner(velocity_timeout_s=1.0)
        target.push(velocity(0))
        target.push(frame(silence_ms))
        assert (target.poll(at(silence_ms)) == []) is waits


def test_snapshots_leave_in_order_of_their_stamps() -> None:
    target = aligner(deadline_s=0.05)
    target.push(velocity(0))
    target.push(frame(60, received_ms=60))
    target.push(frame(30, received_ms=70))
    assert target.next_deadline_ns == at(110)
    assert target.poll(at(109)) == []
    # The newer frame is due first, and the older must go before it.
    assert [s.stamp_ns for s in target.poll(at(110))] == [at(30), at(60)]


def test_only_covered_frames_leave() -> None:
    target = aligner(deadline_s=1.0)
    target.push(velocity(0))
    for ms in (10, 20, 30):
        target.push(frame(ms))
    target.push(velocity(20, received_ms=31))
    assert [s.stamp_ns for s in target.poll(at(31))] == [at(10), at(20)]
    assert target.counters.pending == 1


def test_each_snapshot_sees_only_its_past() -> None:
    target = aligner(history_s=0.5)
    snapshots = feed(target, drive(3.0))
    assert len(snapshots) == 29
    for snapshot in snapshots:
        for held in (snapshot.velocities, snapshot.positions):
            stamps = [sample.stamp_ns for sample in held]
            assert stamps == sorted(stamps)
            assert all(snapshot.stamp_ns - 500 * MS <= ns <= snapshot.stamp_ns for ns in stamps)
    assert len(snapshots[-1].velocities) == 25
    assert len(snapshots[-1].positions) == 3


def test_offsets_are_added_to_the_stamps() -> None:
    target = aligner(
        camera_offset_s=0.1,
        microphone_offset_s=-0.1,
        velocity_offset_s=0.01,
        gnss_offset_s=-0.02,
    )
    for ms in range(0, 1000, 100):
        target.push(sound(ms))
    target.push(velocity(790))
    target.push(position(800))
    target.push(frame(750, received_ms=1000))
    (snapshot,) = target.poll(at(1050))
    # 850 ms with the offset; sound of 100 ms later belongs there, velocity of 10 ms earlier.
    assert snapshot.stamp_ns == at(850)
    assert snapshot.image is not None
    assert snapshot.image.stamp_ns == at(850)
    assert snapshot.audio is not None
    assert snapshot.audio.samples[-1] == 950 * PER_MS
    assert [sample.stamp_ns for sample in snapshot.velocities] == [at(800)]
    assert [sample.stamp_ns for sample in snapshot.positions] == [at(780)]


def test_reports_name_rate_age_and_counts() -> None:
    target = aligner()
    feed(target, drive(4.0))
    report = target.reports(at(4000), now_ns=at(4000))
    assert report[Modality.VELOCITY].rate_hz == pytest.approx(50, rel=0.05)
    assert report[Modality.CAMERA].rate_hz == pytest.approx(10, rel=0.5)
    assert report[Modality.GNSS].rate_hz == pytest.approx(5, rel=0.1)
    assert report[Modality.VELOCITY].received == 200
    assert report[Modality.VELOCITY].age_ns == 20 * MS
    assert report[Modality.GNSS].age_ns == 200 * MS
    assert report[Modality.MICROPHONE].age_ns == 0
    assert report[Modality.CAMERA].age_ns == 4000 * MS - (at(3833) - at(0))
    assert all(entry.state is ModalityState.PRESENT for entry in report.values())


def test_ages_without_a_stamp_count_from_the_present_of_the_sensors() -> None:
    target = aligner()
    years_ms = 1e11
    target.push(velocity(0, received_ms=years_ms))
    target.push(position(-300, received_ms=years_ms))
    reports = target.reports(now_ns=at(years_ms + 50))
    assert reports[Modality.VELOCITY].age_ns == 50 * MS
    assert reports[Modality.GNSS].age_ns == 350 * MS


def test_reports_do_not_change_after_they_were_given() -> None:
    target = aligner()
    target.push(velocity(0, speed=float('nan')))
    before = target.reports()[Modality.VELOCITY]
    target.push(velocity(1, speed=float('nan')))
    assert before.drops == {DropReason.NOT_FINITE: 1}
    assert drops(target, Modality.VELOCITY) == {DropReason.NOT_FINITE: 2}


def test_flush_emits_what_waits() -> None:
    target = aligner()
    target.push(velocity(0))
    target.push(frame(10))
    target.push(frame(20))
    assert [s.stamp_ns for s in target.flush()] == [at(10), at(20)]
    assert target.flush() == []


def test_losses_found_elsewhere_are_counted() -> None:
    target = aligner()
    for ms in (0, 10, 20):
        target.push(frame(ms))
    target.supersede(target.poll(at(20))[0])
    target.drop(Modality.CAMERA, DropReason.SUPERSEDED)
    target.drop(Modality.CAMERA, DropReason.MALFORMED, pushed=True)
    target.drop(Modality.CAMERA, DropReason.UNSUPPORTED, 2)
    assert drops(target, Modality.CAMERA) == {
        DropReason.SUPERSEDED: 2,
        DropReason.MALFORMED: 1,
        DropReason.UNSUPPORTED: 2,
    }
    assert target.reports()[Modality.CAMERA].received == 3 + 2
    counters = target.counters
    assert (counters.opened, counters.emitted, counters.superseded) == (3, 1, 2)
