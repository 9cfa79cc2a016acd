# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.simulation.acoustics import sound_blocks
from mm_fusion.simulation.drive import SimulatedDrive
from mm_fusion.simulation.scenario import (
    SENSORS,
    CameraSettings,
    Fault,
    MicrophoneSettings,
    Scenario,
    Timing,
    TrafficSettings,
    VelocitySettings,
)
from mm_fusion.simulation.sensors import gnss_fixes
from mm_fusion.simulation.truth import truth_at
from mm_fusion.simulation.world import START_NS
from support.worlds import small_world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.samples import Delivery
    from mm_fusion.simulation.world import World

MS = 1_000_000
SECOND = 1000 * MS

SHAKY = Timing(
    clock_offset_s=0.003, clock_drift_ppm=50.0, stamp_jitter_s=0.001, latency_s=0.02,
    latency_jitter_s=0.01,
)  # fmt: skip
SCENARIO = Scenario(
    seed=9,
    duration_s=2.0,
    traffic=TrafficSettings(vehicles=2, parked=1),
    camera=CameraSettings(width=64, height=36, timing=SHAKY),
    microphone=MicrophoneSettings(sample_rate_hz=8000, timing=SHAKY),
    velocity=VelocitySettings(timing=SHAKY),
)
COUNTS = {'camera': 31, 'microphone': 100, 'gnss': 11, 'velocity': 101}


class Pictures:
    """Frames that tell their time, and a list of what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, stamp_ns: int) -> tuple[NDArray[np.uint8], None]:
        self.asked.append(stamp_ns)
        return np.full((36, 64, 3), (stamp_ns - START_NS) // (10 * MS), np.uint8), None


@pytest.fixture(scope='module')
def world() -> World:
    return small_world(SCENARIO)


def drive(world: World, *faults: Fault, **changes: Any) -> SimulatedDrive:
    scenario = dataclasses.replace(SCENARIO, faults=faults, **changes)
    return SimulatedDrive(scenario, Pictures(), world)


def in_full(deliveries: list[Delivery], sensor: str | None = None) -> list[str]:
    """Give each delivery in full, to the last bit of each array."""
    return [
        repr(
            [
                (name, value.tobytes() if isinstance(value, np.ndarray) else value)
                for name, value in (
                    (item.name, getattr(delivery.sample, item.name))
                    for item in dataclasses.fields(delivery.sample)
                )
            ]
        )
        for delivery in deliveries
        if sensor in (None, delivery.sensor)
    ]


def test_all_that_is_measured_arrives_in_order(world: World) -> None:
    made = drive(world)
    deliveries = list(made.deliveries())
    arrivals = [delivery.sample.received_ns for delivery in deliveries]

    assert arrivals == sorted(arrivals)
    assert Counter(delivery.sensor for delivery in deliveries) == COUNTS
    for sensor in SENSORS:
        stamps = [item.sample.stamp_ns for item in deliveries if item.sensor == sensor]
        assert all(a < b for a, b in pairwise(stamps))
        counts = made.injected.of(sensor)
        assert (counts.measured, counts.published, counts.suppressed) == (
            COUNTS[sensor],
            COUNTS[sensor],
            0,
        )


def test_each_sensor_carries_its_own_measurements_under_its_own_clock(world: World) -> None:
    deliveries = list(drive(world).deliveries())
    fixes = [item.sample for item in deliveries if item.sensor == 'gnss']
    truth = list(gnss_fixes(dataclasses.replace(world, scenario=SCENARIO)))

    # The scenario disturbs every clock but that of GNSS.
    assert [fix.stamp_ns for fix in fixes] == [fix.stamp_ns for fix in truth]
    assert {fix.received_ns - fix.stamp_ns for fix in fixes} == {60 * MS}
    sounds: list[Any] = [item.sample for item in deliveries if item.sensor == 'microphone']
    blocks = list(sound_blocks(world))
    assert [s.samples.tobytes() for s in sounds] == [b.samples.tobytes() for b in blocks]
    assert all(
        s.received_ns >= b.received_ns + 20 * MS for s, b in zip(sounds, blocks, strict=True)
    )
    frames: list[Any] = [item.sample for item in deliveries if item.sensor == 'camera']
    assert [frame.pixels[0, 0, 0] for frame in frames] == [i * 100 // 15 for i in range(31)]


def test_each_sensor_has_a_clock_of_its_own(world: World) -> None:
    deliveries = list(drive(world).deliveries())
    errors = {}
    for sensor, rate_hz in (('camera', 15), ('microphone', 50), ('velocity', 50)):
        stamps = [item.sample.stamp_ns for item in deliveries if item.sensor == sensor]
        errors[sensor] = np.array(
            [(stamp - START_NS) * 1e-9 - index / rate_hz for index, stamp in enumerate(stamps)]
        )
        # An offset of 3 ms, within 5 deviations of the mean of 31 stamps that jitter by 1 ms.
        assert errors[sensor].mean() == pytest.approx(0.003, abs=0.0009)
        assert errors[sensor].std() == pytest.approx(0.001, rel=0.4)
    together = np.corrcoef(errors['microphone'], errors['velocity'][:100])[0, 1]
    assert abs(together) < 0.4


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    scenario = dataclasses.replace(SCENARIO, faults=(Fault('gnss', 'dies', 0.0, 2.0, share=0.5),))
    runs = [
        in_full(list(SimulatedDrive(dataclasses.replace(scenario, seed=seed),
                                     Pictures()).deliveries()))
        for seed in (9, 9, 10)
    ]  # fmt: skip

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_drive_can_be_taken_again(world: World) -> None:
    made = drive(world, Fault('camera', 'dies', 0.5, 1.0))
    first, second = list(made.deliveries()), list(made.deliveries())

    assert in_full(first) == in_full(second)
    # The books are of the newest run alone.
    assert made.injected.of('camera').measured == 31


@pytest.mark.parametrize('sensor', SENSORS)
def test_what_one_sensor_does_changes_no_other(world: World, sensor: str) -> None:
    whole = list(drive(world).deliveries())
    without = dataclasses.replace(getattr(SCENARIO, sensor), enabled=False)
    rest = list(drive(world, **{sensor: without}).deliveries())
    hit = list(drive(world, Fault(sensor, 'delays', 0.2, 1.0, 0.5, 0.7)).deliveries())

    for other in SENSORS:
        if other == sensor:
            assert not in_full(rest, other)
            assert in_full(hit, other) != in_full(whole, other)
        else:
            assert in_full(rest, other) == in_full(whole, other)
            assert in_full(hit, other) == in_full(whole, other)


def test_what_arrives_at_the_same_time_is_in_the_order_of_the_sensors(world: World) -> None:
    at_once = {
        sensor: dataclasses.replace(getattr(SCENARIO, sensor), timing=Timing(latency_s=0.0))
        for sensor in SENSORS
    }
    deliveries = list(drive(world, **at_once).deliveries())
    keys = [(item.sample.received_ns, SENSORS.index(item.sensor)) for item in deliveries]

    assert keys == sorted(keys)
    assert len({received_ns for received_ns, _ in keys}) < len(keys) - 10


def test_delayed_messages_take_their_place_in_the_order_of_arrival(world: World) -> None:
    deliveries = list(drive(world, Fault('gnss', 'delays', 0.5, 1.3, 5.0)).deliveries())
    arrivals = [delivery.sample.received_ns for delivery in deliveries]

    assert arrivals == sorted(arrivals)
    assert len(deliveries) == sum(COUNTS.values())
    assert [item.sensor for item in deliveries[-4:]] == ['gnss'] * 4


def test_frames_that_never_arrive_are_not_rendered(world: World) -> None:
    pictures = Pictures()
    faults = (Fault('camera', 'dies', 0.5, 1.0), Fault('camera', 'freezes', 1.2, 1.5))
    made = SimulatedDrive(dataclasses.replace(SCENARIO, faults=faults), pictures, world)
    frames: list[Any] = [i.sample for i in made.deliveries() if i.sensor == 'camera']

    # 15 Hz: frames 8 to 14 die, and 18 to 22 repeat the 17th.
    assert [round((stamp - START_NS) * 15e-9) for stamp in pictures.asked] == [
        *range(8), 15, 16, 17, *range(23, 31),
    ]  # fmt: skip
    assert len(frames) == 31 - 7
    assert len({id(frame.pixels) for frame in frames}) == len(pictures.asked)
    counts = made.injected.of('camera')
    assert counts.hits == {'dies': 7, 'freezes': 5}
    assert (counts.measured, counts.published, counts.suppressed) == (31, 24, 7)


def test_frames_are_rendered_when_they_are_asked_for(world: World) -> None:
    pictures = Pictures()
    deliveries = SimulatedDrive(SCENARIO, pictures, world).deliveries()
    seen = 0
    for delivery in deliveries:
        seen += delivery.sensor == 'camera'
        assert len(pictures.asked) == seen


def test_no_more_is_held_than_what_is_on_its_way(world: World) -> None:
    made = drive(world, microphone=MicrophoneSettings(enabled=False))
    deliveries = made.deliveries()
    for delivery in deliveries:
        measured = sum(made.injected.of(sensor).measured for sensor in SENSORS)
        published = sum(made.injected.of(sensor).published for sensor in SENSORS)
        # The longest latency is of GNSS: 60 ms, in which 3 velocities and 1 frame are measured.
        assert measured - published < 16, delivery


def test_corrupt_messages_are_marked(world: World) -> None:
    deliveries = list(drive(world, Fault('velocity', 'corrupts', 1.0, 1.2)).deliveries())

    assert Counter(item.sensor for item in deliveries if item.corrupt) == {'velocity': 10}


def test_the_truth_runs_from_the_start_to_the_end(world: World) -> None:
    truths = list(drive(world).truths(rate_hz=10.0))

    assert [truth.stamp_ns for truth in truths] == [
        START_NS + index * 100 * MS for index in range(21)
    ]
    assert (truths[7].motion == truth_at(world, START_NS + 700 * MS).motion).all()


def test_the_world_is_simulated_from_the_scenario() -> None:
    scenario = dataclasses.replace(SCENARIO, duration_s=1.0)
    made = SimulatedDrive(scenario, Pictures())

    assert made.world is made.world
    assert made.world.scenario is scenario
    assert Counter(item.sensor for item in made.deliveries())['velocity'] == 51
