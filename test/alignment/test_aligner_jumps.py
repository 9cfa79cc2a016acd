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
    drops,
    feed,
    frame,
    position,
    sound,
    velocity,
    wait,
)

from mm_fusion.types.sensors import DropReason, Modality, modality_of
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from mm_fusion.alignment import Aligner
    from mm_fusion.types.sensors import Sample
    from mm_fusion.types.snapshot import Snapshot


CAMERA = Modality.CAMERA


def stamps(snapshots: list[Snapshot]) -> list[int]:
    return [snapshot.stamp_ns for snapshot in snapshots]


def end(target: Aligner, samples: list[Sample]) -> list[Snapshot]:
    """Let every deadline pass, as the pause of a player at the end of a bag does."""
    return wait(target, samples[-1].received_ns + 100 * MS)


@pytest.mark.parametrize('camera', [True, False])
@pytest.mark.parametrize('seconds', [0.8, 3.0, 12.0])
@pytest.mark.parametrize('pause_ms', [0.1, 30.0, 500.0, 5000.0])
def test_a_bag_in_a_loop_on_wall_time_gives_the_same_every_time(
    camera: bool, seconds: float, pause_ms: float
) -> None:
    bag = drive(seconds, camera=camera)
    length_ms = (bag[-1].received_ns - at(0)) / MS + pause_ms
    target = aligner(reorder_window_s=0.3)
    loops = [feed(target, delayed(bag, received_ms=i * length_ms)) for i in range(4)]
    everything = [*loops[0], *loops[1], *loops[2], *loops[3]]
    everything += wait(target, bag[-1].received_ns + round(4 * length_ms * MS))
    by_epoch = [[s for s in everything if s.epoch == epoch] for epoch in range(4)]
    assert len(by_epoch[0]) == len(stamps(by_epoch[1])) > 0 or seconds < 1
    assert stamps(by_epoch[0]) == stamps(by_epoch[1]) == stamps(by_epoch[2]) == stamps(by_epoch[3])
    assert sum(map(len, by_epoch)) == len(everything)
    assert target.counters.clock_resets == 3
    assert target.counters.discarded == 0
    for modality in Modality:
        assert drops(target, modality).keys() <= {DropReason.CLOCK_JUMP}
    if camera:
        assert len(by_epoch[0]) == sum(s.image is not None for s in by_epoch[0])
        assert drops(target, Modality.CAMERA) == {}


@pytest.mark.parametrize('camera', [True, False])
def test_a_bag_in_a_loop_on_its_own_time_gives_the_same_every_time(camera: bool) -> None:
    bag = drive(3.0, camera=camera)
    target = aligner()
    loops = [[*feed(target, bag), *end(target, bag)] for _ in range(3)]
    assert stamps(loops[0]) == stamps(loops[1]) == stamps(loops[2])
    assert [s.epoch for s in loops[1]] == [1] * len(loops[1])
    assert [s.completed for s in loops[0]] == [s.completed for s in loops[2]]
    assert target.counters.clock_resets == 2


def test_a_bag_on_simulated_time_may_start_again_before_the_clock_does() -> None:
    bag = drive(3.0)
    target = aligner()
    first = [*feed(target, bag), *end(target, bag)]
    late_ms = (bag[-1].received_ns - bag[0].received_ns) / MS
    target.push(delayed(bag[:1], received_ms=late_ms)[0])
    second = [*feed(target, bag[1:]), *end(target, bag)]
    assert stamps(first) == stamps(second)
    assert drops(target, Modality.VELOCITY).keys() == {DropReason.CLOCK_JUMP}
    # All of the second loop is held, its first sample included.
    (last,) = [s for s in second if s.stamp_ns == second[-1].stamp_ns]
    assert len(last.velocities) == len(first[-1].velocities)


def test_a_frame_that_came_before_the_clock_waits_no_longer_than_others() -> None:
    target = aligner(deadline_s=0.05)
    target.push(frame(3000))
    target.push(frame(20, received_ms=3010))
    target.push(velocity(10, received_ms=10))
    assert target.epoch == 1
    assert target.next_deadline_ns == at(60)
    (snapshot,) = target.poll(at(60))
    assert (snapshot.stamp_ns, snapshot.epoch) == (at(20), 1)


def test_a_glitch_kept_back_does_not_outlive_the_clock() -> None:
    target = aligner(future_tolerance_s=1.0)
    target.push(velocity(50_000))
    target.push(velocity(30_000, received_ms=50_010))
    target.push(frame(10))
    assert target.epoch == 1
    assert drops(target, Modality.VELOCITY) == {DropReason.CLOCK_JUMP: 2}
    assert [s.completed for s in target.poll(at(10))] == [True]


def test_the_clock_going_backward_discards_everything() -> None:
    target = aligner(deadline_s=1.0)
    for ms in range(0, 1000, 100):
        target.push(sound(ms))
        target.push(velocity(ms))
        target.push(position(ms))
    target.push(frame(1020))
    target.push(frame(1040))
    assert target.poll(at(1041)) == []
    assert target.poll(at(200)) == []
    assert target.epoch == target.counters.clock_resets == 1
    assert drops(target, Modality.CAMERA) == {DropReason.CLOCK_JUMP: 2}
    for modality in (Modality.MICROPHONE, Modality.VELOCITY, Modality.GNSS):
        assert drops(target, modality) == {DropReason.CLOCK_JUMP: 10}
        assert target.reports()[modality].state is ModalityState.NEVER_SEEN
        assert target.reports()[modality].rate_hz == 0
    target.push(frame(210))
    (snapshot,) = target.poll(at(210))
    assert (snapshot.epoch, snapshot.completed, snapshot.velocities) == (1, True, ())
    assert snapshot.audio is None
    counters = target.counters
    assert (counters.opened, counters.emitted, counters.discarded) == (3, 1, 2)


def test_a_small_step_of_the_clock_is_no_jump() -> None:
    target = aligner()
    target.push(velocity(1000))
    target.push(velocity(600))
    assert target.poll(at(500)) == []
    assert target.counters.clock_resets == 0
    target.push(velocity(499.9))
    assert target.counters.clock_resets == 1


def test_one_old_stamp_is_a_glitch() -> None:
    target = aligner()
    samples = drive(4.0)
    clean = feed(aligner(), samples)
    glitches: list[Sample] = [
        velocity(5, received_ms=2001),
        sound(0, received_ms=2502),
        position(7, received_ms=3003),
        frame(9, received_ms=3504),
    ]
    assert stamps(feed(target, [*samples, *glitches])) == stamps(clean)
    assert target.counters.clock_resets == 0
    target.flush()
    for modality in Modality:
        assert drops(target, modality) == {DropReason.OUT_OF_ORDER: 1}


def test_a_repeated_glitch_is_still_a_glitch() -> None:
    target = aligner()
    feed(target, [velocity(ms) for ms in range(0, 3000, 10)])
    for ms in range(3000, 4000, 10):
        target.push(velocity(5, received_ms=ms))
    assert target.counters.clock_resets == 0
    target.flush()
    assert drops(target, Modality.VELOCITY) == {
        DropReason.OUT_OF_ORDER: 1,
        DropReason.DUPLICATE: 99,
    }


def test_random_old_stamps_reset_nothing() -> None:
    target = aligner()
    feed(target, [velocity(ms) for ms in range(0, 100_000, 100)])
    for i, ms in enumerate((50_000, 10_000, 70_000, 30_000)):
        target.push(velocity(ms, received_ms=100_000 + 10 * i))
    target.flush()
    assert target.counters.clock_resets == 0
    assert drops(target, Modality.VELOCITY) == {DropReason.OUT_OF_ORDER: 4}


def test_a_second_old_stamp_of_the_same_sensor_proves_the_jump() -> None:
    target = aligner()
    feed(target, [velocity(ms) for ms in range(0, 3000, 10)])
    target.push(velocity(5, received_ms=3000, speed=5.0))
    assert target.epoch == 0
    target.push(velocity(15, received_ms=3010, speed=6.0))
    assert target.epoch == 1
    target.push(frame(16, received_ms=3011))
    (snapshot,) = target.flush()
    assert [sample.speed_mps for sample in snapshot.velocities] == [5.0, 6.0]
    assert drops(target, Modality.VELOCITY) == {DropReason.CLOCK_JUMP: 300}


def test_an_old_stamp_of_another_sensor_proves_the_jump() -> None:
    target = aligner()
    feed(target, [velocity(ms) for ms in range(0, 3000, 10)])
    target.push(position(2999))
    target.push(velocity(5, received_ms=3000))
    target.push(position(15, received_ms=3010))
    assert target.epoch == 1
    target.push(frame(16, received_ms=3011))
    (snapshot,) = target.flush()
    assert len(snapshot.velocities) == len(snapshot.positions) == 1


def test_a_glitch_that_agrees_with_no_jump_is_counted_as_one() -> None:
    target = aligner()
    feed(target, [velocity(ms) for ms in range(0, 100_000, 100)])
    target.push(position(99_900))
    target.push(velocity(50_000, received_ms=100_000))
    target.push(position(10, received_ms=100_010))
    target.push(position(20, received_ms=100_020))
    assert target.epoch == 1
    assert drops(target, Modality.VELOCITY)[DropReason.OUT_OF_ORDER] == 1


def test_stamps_may_go_on_while_the_clock_steps_back() -> None:
    target = aligner()
    target.push(frame(2990))
    target.push(velocity(2990))
    target.push(velocity(3100, received_ms=2200))
    target.push(frame(3000, received_ms=2210))
    assert target.epoch == 1
    assert drops(target, Modality.CAMERA) == {DropReason.CLOCK_JUMP: 1}
    assert [s.stamp_ns for s in target.flush()] == [at(3000)]


def test_pending_frames_are_closed_when_stamps_jump() -> None:
    target = aligner(deadline_s=1.0)
    for ms in range(0, 3000, 100):
        target.push(velocity(ms, speed=2.0))
    target.push(frame(2950, received_ms=2951))
    target.push(velocity(10, received_ms=2960))
    target.push(velocity(20, received_ms=2970))
    target.push(frame(15, received_ms=2971))
    old, new = target.poll(at(2971))
    assert (old.stamp_ns, old.epoch, old.completed) == (at(2950), 0, False)
    assert old.velocity is not None
    assert old.velocity.speed_mps == 2.0
    assert (new.stamp_ns, new.epoch, new.completed) == (at(15), 1, True)


def test_jumps_without_a_poll_hold_a_bounded_number_of_snapshots() -> None:
    target = aligner(max_pending=3, deadline_s=1.0)
    for loop in range(10):
        for ms in range(0, 3000, 100):
            target.push(velocity(ms, received_ms=3000 * loop + ms))
        target.push(frame(2950, received_ms=3000 * loop + 2950))
    counters = target.counters
    assert counters.clock_resets == 9
    assert counters.pending <= 3 + 1
    assert counters.opened == counters.pending + counters.discarded == 10
    assert drops(target, Modality.CAMERA) == {DropReason.OVERFLOW: counters.discarded}


def test_messages_from_before_the_jump_do_not_confuse_what_comes_after() -> None:
    bag = drive(3.0)
    target = aligner()
    first = [*feed(target, bag), *end(target, bag)]
    again = delayed(bag, received_ms=3500)
    # Two frames of the first loop were held up in a queue and come 200 ms into the second.
    stragglers = [frame(2950, received_ms=3700), frame(2990, received_ms=3710)]
    second = [*feed(target, [*again, *stragglers]), *end(target, again)]
    assert stamps(second) == stamps(first)
    assert target.counters.clock_resets == 1
    assert drops(target, Modality.CAMERA) == {DropReason.CLOCK_JUMP: 2}


def test_a_jump_forward_of_all_stamps_goes_on() -> None:
    bag = drive(3.0)
    target = aligner()
    feed(target, bag)
    later = delayed(bag, stamps_ms=3_600_000, received_ms=3_600_000)
    snapshots = feed(target, later)
    assert len([s for s in snapshots if s.trigger == 'camera']) == 29
    assert target.counters.clock_resets == 0
    assert snapshots[-1].completed
    assert len(snapshots[0].velocities) <= 2
    assert snapshots[0].audio is None


def test_a_stamp_far_ahead_does_not_wedge_a_sensor() -> None:
    target = aligner()
    years_ms = 1e11
    bag = delayed(drive(6.0), received_ms=years_ms)
    glitch = velocity(1e7, received_ms=years_ms + 2000)
    snapshots = feed(target, [*bag, glitch])
    assert target.counters.clock_resets == 0
    assert snapshots[-1].completed
    assert len(snapshots) == len([sample for sample in bag if modality_of(sample) is CAMERA])
    assert len(snapshots[-1].velocities) > 100


def test_sensors_whose_clocks_disagree_reset_nothing() -> None:
    target = aligner()
    samples = [*drive(3.0, camera=False)]
    frames = delayed([frame(ms) for ms in range(0, 3000, 33)], stamps_ms=-1e6)
    snapshots = feed(target, [*samples, *frames])
    assert target.counters.clock_resets == 0
    assert len([s for s in snapshots if s.trigger == 'camera']) == len(frames)
