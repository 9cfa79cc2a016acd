# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The microphone of simulators without one: from messages to blocks, by the clock alone."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import SampleError, SettingsError
from mm_fusion.ros.sound_options import SoundOptions
from mm_fusion.ros.sound_paths import Path, State
from mm_fusion.ros.sound_source import SoundSource
from support.listening import level_db, pascal
from support.sound_messages import SECOND_NS, derived_objects, header, marker, odometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.samples import SoundBlock

START_NS = 1_700_000_000 * SECOND_NS
STEP_NS = SECOND_NS // 20
QUIET = SoundOptions(self_noise_db=-120.0, engine='electric')


class Drive:
    """Feed a source with 20 odometry messages a second."""

    def __init__(self, options: SoundOptions = QUIET, speed_mps: float = 0.0) -> None:
        self.source = SoundSource(options)
        self.speed_mps = speed_mps
        self.now_ns = START_NS
        self.blocks: list[SoundBlock] = []

    def run(
        self, duration_s: float, *objects: tuple[int, float, float], frame: str = 'map'
    ) -> None:
        for _ in range(round(duration_s * 20)):
            driven = self.speed_mps * (self.now_ns - START_NS) / SECOND_NS
            self.source.add_odometry(odometry(self.now_ns, driven, self.speed_mps))
            if objects:
                self.source.add_objects(
                    derived_objects(self.now_ns, *objects, frame=frame), self.now_ns
                )
            self.blocks += self.source.advance(self.now_ns)
            self.now_ns += STEP_NS

    @property
    def sound(self) -> NDArray[np.float64]:
        return pascal(np.concatenate([block.samples for block in self.blocks]))


def test_blocks_follow_each_other_and_end_before_the_delay() -> None:
    drive = Drive(SoundOptions(delay_s=0.1))
    drive.run(1.0)

    # The first begins once the delay has passed since the first odometry.
    assert drive.blocks[0].stamp_ns == START_NS
    for one, next_one in zip(drive.blocks, drive.blocks[1:]):
        assert next_one.stamp_ns - one.stamp_ns == 20_000_000
    for block in drive.blocks:
        assert block.stamp_ns + 20_000_000 <= block.received_ns - 100_000_000
        assert block.samples.shape == (320, 1)
    assert len(drive.blocks) == 42


def test_nothing_is_made_without_odometry() -> None:
    source = SoundSource(QUIET)
    source.add_objects(derived_objects(START_NS, (1, 10.0, 0.0)), START_NS)

    assert source.advance(START_NS) == []
    assert source.advance(START_NS + SECOND_NS) == []
    assert not source.told


def test_sound_ends_when_odometry_does_and_begins_again_with_it() -> None:
    drive = Drive()
    drive.run(0.5)
    made = len(drive.blocks)
    late = drive.now_ns + 2 * SECOND_NS

    assert drive.source.advance(late) == []
    assert len(drive.source.notices) == 1
    assert 'no odometry for 2.05 s' in drive.source.notices[0]

    drive.now_ns = late
    drive.run(0.5)
    assert len(drive.blocks) > made
    assert drive.blocks[made].stamp_ns >= late - 100_000_000


def test_time_that_goes_back_is_counted_and_everything_begins_anew() -> None:
    drive = Drive(SoundOptions(), speed_mps=10.0)
    drive.run(1.0)
    first = [block.samples.tobytes() for block in drive.blocks]
    drive.blocks.clear()
    drive.now_ns = START_NS
    assert drive.source.advance(START_NS) == []
    drive.run(1.0)

    assert drive.source.restarts == 1
    assert drive.source.notices == ['time went back by 0.950 s: begins anew (1 times until now)']
    assert drive.blocks[0].stamp_ns == START_NS
    assert [block.samples.tobytes() for block in drive.blocks] == first


def test_a_message_left_over_from_before_does_not_silence_the_new_drive() -> None:
    drive = Drive()
    drive.run(3.0)
    left_over = odometry(drive.now_ns)
    drive.now_ns = START_NS
    drive.source.advance(START_NS)
    drive.source.add_odometry(left_over)
    drive.blocks.clear()
    drive.run(1.0)

    assert len(drive.blocks) > 35


def test_a_leap_ahead_leaves_out_what_lies_between() -> None:
    drive = Drive()
    drive.run(0.5)
    made = len(drive.blocks)
    drive.now_ns += 100 * SECOND_NS
    drive.run(0.5)

    assert len(drive.blocks) < 2 * made + 10
    assert drive.blocks[-1].stamp_ns > START_NS + 100 * SECOND_NS
    assert drive.source.restarts == 0


def test_the_surface_is_that_of_the_parameters_until_a_road_state_comes() -> None:
    def loudness(*, told: bool, friction: str = 'dry') -> float:
        options = SoundOptions(self_noise_db=-120.0, engine='electric', friction=friction)
        drive = Drive(options, speed_mps=14.0)
        if told:
            drive.source.add_road_state(
                SimpleNamespace(
                    friction_probabilities=[0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
                    material_probabilities=[1.0, 0.0, 0.0, 0.0, 0.0],
                    unevenness_probabilities=[1.0, 0.0, 0.0],
                )
            )
        drive.run(2.0)
        return level_db(drive.sound, 3000, 7500)

    dry, wet, told = (
        loudness(told=False),
        loudness(told=False, friction='wet'),
        loudness(told=True),
    )
    assert wet > dry + 6
    assert told == pytest.approx(wet)


def test_a_siren_by_number_is_heard_and_its_distance_matters() -> None:
    def loudness(x_m: float, siren_ids: str) -> float:
        drive = Drive(SoundOptions(self_noise_db=-120.0, engine='electric', siren_ids=siren_ids))
        drive.run(2.0, (5, x_m, 0.0))
        return level_db(drive.sound[8000:])

    assert loudness(20.0, '4') < 0
    near, far = loudness(20.0, '4, 5'), loudness(40.0, '5')
    assert near == pytest.approx(far + 6, abs=1.5)


def test_objects_in_the_frame_of_the_vehicle_are_turned_into_that_of_the_odometry() -> None:
    options = SoundOptions(
        self_noise_db=-120.0, engine='electric', siren_ids='5', channels=2, spacing_m=2.0
    )
    source = SoundSource(options)
    blocks = []
    for i in range(40):
        now_ns = START_NS + i * STEP_NS
        source.add_odometry(odometry(now_ns, 100.0, 0.0, heading_rad=math.pi / 2))
        source.add_objects(derived_objects(now_ns, (5, 0.0, 10.0), frame='base_link'), now_ns)
        blocks += source.advance(now_ns)
    samples = np.concatenate([block.samples for block in blocks])[8000:].astype(float)

    # To the left of the vehicle wherever that heads; the left microphone is 2 m nearer.
    assert samples[:, 0].std() / samples[:, 1].std() == pytest.approx(11 / 9, abs=0.03)


def test_the_own_vehicle_among_the_objects_is_not_heard() -> None:
    drive = Drive(SoundOptions(self_noise_db=-120.0, engine='electric', siren_ids='5'))
    drive.run(1.0, (5, 1.4, 0.0))

    assert not drive.sound.any()


def test_an_object_that_is_gone_falls_silent() -> None:
    drive = Drive(SoundOptions(self_noise_db=-120.0, engine='electric', siren_ids='5'))
    drive.run(1.0, (5, 20.0, 0.0))
    drive.run(1.0, (6, 400.0, 0.0))

    assert level_db(drive.sound[4000:12000]) > 60
    assert not drive.sound[-8000:].any()


def test_a_marker_that_is_not_repeated_is_heard_for_a_second() -> None:
    drive = Drive()
    drive.run(0.5)
    told_ns = drive.now_ns
    siren = marker(1, 20.0, ns='siren', header=header(told_ns, 'map'))
    drive.source.add_objects(SimpleNamespace(markers=[siren]), told_ns)
    drive.run(2.5)

    loud = [block.stamp_ns for block in drive.blocks if np.abs(block.samples).max() > 100]
    # It is known before it is told, straight back; its sound is under way for 60 ms.
    assert loud[-1] - told_ns == pytest.approx(1.06e9, abs=0.05e9)


def test_an_object_of_another_frame_is_taken_for_that_of_the_odometry_and_said_once() -> None:
    drive = Drive()
    drive.run(0.5, (5, 20.0, 0.0), frame='world')

    assert drive.source.notices == ['objects: found frame world, taken for map of odometry']


@pytest.mark.parametrize('shares', [[1.0], [1.0, 0.0, -0.5, 0.0, 0.0, 0.0], [0.0] * 6])
def test_a_road_state_without_shares_is_refused(shares: list[float]) -> None:
    message = SimpleNamespace(
        friction_probabilities=shares,
        material_probabilities=[1.0, 0.0, 0.0, 0.0, 0.0],
        unevenness_probabilities=[1.0, 0.0, 0.0],
    )
    with pytest.raises(SampleError, match='expected 6 shares'):
        SoundSource(QUIET).add_road_state(message)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match="siren_ids: found '4, five', expected whole numbers"):
        SoundSource(SoundOptions(siren_ids='4, five'))


def test_a_path_is_linear_between_its_states_and_goes_straight_on() -> None:
    path = Path()
    path.add(State(0, 0.0, 0.0, 3.0, 10.0))
    path.add(State(SECOND_NS, 10.0, 0.0, -3.0, 20.0))
    path.add(State(SECOND_NS // 2, 99.0, 99.0, 0.0, 0.0))

    middle = path.at(SECOND_NS // 4)
    assert (middle.x_m, middle.speed_mps) == (2.5, 12.5)
    # The short way round.
    assert middle.heading_rad == pytest.approx(3.0 + (2 * math.pi - 6.0) / 4)
    later = path.at(2 * SECOND_NS)
    assert later.x_m == pytest.approx(10 + 20 * math.cos(-3.0))
    assert later.y_m == pytest.approx(20 * math.sin(-3.0))
    assert path.acceleration_at(SECOND_NS // 2) == pytest.approx(10.0)
    assert path.at(-5).x_m == 0.0
