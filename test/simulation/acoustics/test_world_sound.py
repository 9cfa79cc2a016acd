# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of a world: scenes from its states, blocks with true stamps, audible sirens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mm_fusion.simulation.acoustics import acoustic_scene, audible_siren, sound_blocks
from mm_fusion.simulation.acoustics.audibility import masking_db, siren_level_db
from mm_fusion.simulation.acoustics.scene import AcousticScene, between
from mm_fusion.simulation.scenario import MicrophoneSettings, Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS, World
from support.listening import level_db, listen, pascal
from support.worlds import small_world, standing, steady

SECOND_NS = 1_000_000_000
SCENARIO = Scenario(
    duration_s=2.0,
    seed=4,
    weather=(WeatherKey(at_s=0.0, rain_mmph=0.0), WeatherKey(at_s=2.0, rain_mmph=4.0)),
)


def with_siren(distance_m: float, speed_mps: float = 0.0, duration_s: float = 2.0) -> World:
    scenario = replace(SCENARIO, duration_s=duration_s, weather=(WeatherKey(),))
    empty = small_world(scenario, steady(speed_mps))
    x, y = empty.ego.states[0, :2]
    return replace(empty, vehicles=(standing(empty, (x + distance_m, y), 'wail'),))


def test_a_scene_holds_what_the_world_says() -> None:
    world = small_world(SCENARIO, tunnels=((15.0, 40.0),), urban=True)
    world = replace(
        world, vehicles=(standing(world, (50.0, 2.0), 'yelp'), standing(world, (9.0, 9.0)))
    )

    scene = acoustic_scene(world, START_NS + SECOND_NS)

    state = world.state_at(world.ego, START_NS + SECOND_NS)
    assert (scene.x_m, scene.y_m, scene.heading_rad) == pytest.approx(state[:3])
    assert scene.time_s == pytest.approx(1.0)
    assert scene.speed_mps == pytest.approx(10.0)
    assert scene.rain_mmph == pytest.approx(2.0)
    assert scene.friction == pytest.approx(world.roads.surface.friction_at(10.0))
    assert scene.enclosure == 'street'
    assert acoustic_scene(world, START_NS + 2 * SECOND_NS).enclosure == 'tunnel'
    # The parked car without a siren is not heard; places are the middles of the vehicles.
    (source,) = scene.sources
    assert (source.id, source.kind, source.siren) == (0, 'ambulance', 'yelp')
    assert source.siren_on
    assert source.x_m == pytest.approx(50.0 + 4.5 / 2 - 0.9)


def test_surfaces_are_read_between_the_points_of_the_profile() -> None:
    world = small_world(replace(SCENARIO, duration_s=14.0))
    for time_ns in range(0, 14 * SECOND_NS, 700_000_000):
        scene = acoustic_scene(world, START_NS + time_ns)
        arc = float(world.state_at(world.ego, START_NS + time_ns)[6])
        assert scene.friction == pytest.approx(world.roads.surface.friction_at(arc), abs=1e-6)
        assert scene.material == pytest.approx(world.roads.surface.material_at(arc), abs=1e-6)


def test_a_scene_between_two_is_linear() -> None:
    begin = AcousticScene(0.0, speed_mps=10.0)
    end = AcousticScene(1.0, speed_mps=20.0, friction=(0.0, 1.0, 0.0, 0.0, 0.0, 0.0))

    middle = between(begin, end, 0.25)

    assert (middle.time_s, middle.speed_mps) == (0.25, 12.5)
    assert middle.friction == (0.75, 0.25, 0.0, 0.0, 0.0, 0.0)


def test_blocks_follow_each_other_and_arrive_at_their_end() -> None:
    settings = MicrophoneSettings(channels=2, chunk_s=0.03)
    blocks = list(sound_blocks(small_world(replace(SCENARIO, microphone=settings))))

    assert len(blocks) == 66
    assert blocks[0].stamp_ns == START_NS
    assert [b.received_ns for b in blocks[:-1]] == [b.stamp_ns for b in blocks[1:]]
    for i, block in enumerate(blocks):
        assert block.stamp_ns == START_NS + i * 30_000_000
        assert block.sample_rate_hz == 16_000
        assert block.samples.shape == (480, 2)
    assert np.concatenate([block.samples for block in blocks]).std() > 30


def test_the_last_block_ends_with_the_drive() -> None:
    blocks = list(sound_blocks(small_world(replace(SCENARIO, duration_s=0.2))))

    assert len(blocks) == 10
    assert blocks[-1].received_ns == START_NS + SECOND_NS // 5


def test_stamps_do_not_drift_where_a_block_is_no_whole_number_of_nanoseconds() -> None:
    settings = MicrophoneSettings(sample_rate_hz=44_100, chunk_s=0.01)
    blocks = list(sound_blocks(small_world(replace(SCENARIO, microphone=settings))))

    assert blocks[-1].stamp_ns == START_NS + 441 * (len(blocks) - 1) * SECOND_NS // 44_100


def test_a_drive_sounds_the_same_each_time_and_another_seed_differs() -> None:
    def bytes_of(seed: int) -> bytes:
        world = small_world(replace(SCENARIO, duration_s=0.5, seed=seed))
        return b''.join(block.samples.tobytes() for block in sound_blocks(world))

    assert bytes_of(4) == bytes_of(4)
    assert bytes_of(4) != bytes_of(5)


def test_a_siren_is_audible_near_and_not_far_and_less_far_at_speed() -> None:
    def heard(distance_m: float, speed_mps: float) -> bool:
        return audible_siren(with_siren(distance_m, speed_mps), START_NS + SECOND_NS)

    assert heard(450.0, 0.0)
    assert not heard(600.0, 0.0)
    assert heard(100.0, 14.0)
    assert not heard(450.0, 14.0)
    assert not heard(200.0, 36.0)
    assert heard(100.0, 36.0)


def test_a_siren_is_audible_from_the_arrival_of_its_sound_to_the_last_of_it() -> None:
    world = with_siren(343.2, duration_s=6.0)
    on = world.vehicles[0].siren_on
    times = np.arange(len(on)) * 0.02
    on[:] = (times >= 2.0) & (times < 4.0)

    found = [audible_siren(world, START_NS + t * SECOND_NS // 10) for t in range(60)]

    assert found == [30 <= t < 50 for t in range(60)]


def test_without_a_siren_none_is_audible() -> None:
    world = with_siren(20.0)
    world.vehicles[0].siren_on[:] = False

    assert not audible_siren(world, START_NS + SECOND_NS)
    assert not audible_siren(small_world(SCENARIO), START_NS)


@pytest.mark.parametrize('band_hz', [500.0, 1000.0])
@pytest.mark.parametrize('friction', [(1.0, 0, 0, 0, 0, 0), (0, 0, 1.0, 0, 0, 0)])
def test_the_masking_noise_is_what_is_heard(band_hz: float, friction: tuple[float, ...]) -> None:
    scene = AcousticScene(0.0, speed_mps=20.0, friction=friction)
    noisy = MicrophoneSettings(self_noise_db=-40.0)
    sound = pascal(listen(lambda t: replace(scene, time_s=t), 6.0, noisy))

    heard = level_db(sound, band_hz * 2 ** (-1 / 6), band_hz * 2 ** (1 / 6))

    assert masking_db(scene, band_hz, -40.0) == pytest.approx(heard, abs=2.0)


def test_the_level_of_a_siren_falls_with_the_distance() -> None:
    # 118 dB at 3 m; its lowest partial holds most of that.
    assert siren_level_db('wail', 3.0) == pytest.approx(116.8, abs=0.2)
    assert siren_level_db('wail', 30.0) == pytest.approx(
        siren_level_db('wail', 3.0) - 20 - 27 * 0.005, abs=0.05
    )
