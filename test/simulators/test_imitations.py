# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion node on imitations of the external simulators, by their profiles, over real DDS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus, RoadState
from rclpy.parameter import Parameter
from simulators.imitations import (
    HEIGHT,
    SPEED_MPS,
    START_NS,
    TICK_NS,
    WIDTH,
    YAW_RATE_RPS,
    Imitation,
    awsim,
    carla,
    carla_native,
    gazebo,
)

from mm_fusion.messages import camera_model_from_info
from mm_fusion.nodes.sound_node import SoundNode
from mm_fusion.ros.simulator_profile import INPUT_ROLES, SOUND_ROLES, load_profile
from mm_fusion.settings import settings_from
from support.ros_graph import Car, Graph, parameters
from support.simulator_profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mm_fusion.ros.simulator_profile import SimulatorProfile

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('foreign_messages')]

TICKS = 40


class Run:
    """The fusion node with the topics and parameters of a profile, beside an imitation.

    Args:
        graph: The graph that both live in.
        bundle: Model bundle of the node.
        simulator: What is imitated.
        profile: How the node is connected to it.
        topics: Topics by role, in place of the profile's.
        settings: Parameters, in place of the profile's.
    """

    def __init__(
        self,
        graph: Graph,
        bundle: Path,
        simulator: Imitation,
        profile: SimulatorProfile,
        *,
        topics: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.graph = graph
        self.simulator = simulator
        self.topics = {**profile.topics, **(topics or {})}
        rules = [f'{role}:={self.topics[role]}' for role in INPUT_ROLES if role in self.topics]
        rules.append(f'/clock:={self.topics["clock"]}')
        node = graph.fusion(
            {
                **parameters(bundle),
                **profile.parameters,
                **(settings or {}),
                'use_sim_time': True,
            },
            cli_args=['--ros-args', *(item for rule in rules for item in ('-r', rule))],
        )
        node.start()
        self.ear = Car(graph, sensors=())
        self.begin_ns = 0

    def drive(self, *roles: str) -> int:
        """Tick once the node listens to some roles, and await what each frame gives.

        Returns:
            Frames published, each of which has given one road state.
        """
        topics = [self.topics[role] for role in (*roles, 'clock')]
        self.graph.until(lambda: self.simulator.connected(*topics), f'listening to {topics}')
        # What comes before the first time of the clock has no time of arrival, and is left out.
        while not self.graph.holds(partial(self.has_roads, 1), 1.0):
            self.simulator.tick()
            assert self.simulator.now_ns < START_NS + 100 * TICK_NS, 'no road state'
        self.begin_ns = self.simulator.now_ns
        frames = 0
        for _ in range(TICKS):
            frames += self.topics['image'] in self.simulator.tick()
            self.graph.until(partial(self.has_roads, frames), f'road state {frames}')
        told = len(self.ear.status)
        self.graph.until(lambda: len(self.ear.status) > told + 1, 'a status of the end')
        return frames

    def has_roads(self, count: int) -> bool:
        """Tell whether so many road states have come."""
        return len(self.stamps()) >= count

    def stamps(self) -> list[int]:
        """Give the stamps of the road states since the drive began, as they came."""
        stamps = [road.header.stamp for road in self.ear.roads]
        found = [stamp.sec * 10**9 + stamp.nanosec for stamp in stamps]
        return [stamp for stamp in found if stamp > self.begin_ns]

    def states(self) -> dict[str, int]:
        """Give the state of each sensor, as the newest status has it."""
        return {item.name: item.state for item in self.ear.status[-1].modalities}

    def drops(self) -> dict[str, int]:
        """Give what has been dropped, by sensor and reason."""
        return {
            f'{item.name}: {reason}': int(count)
            for item in self.ear.status[-1].modalities
            for reason, count in zip(item.drop_reasons, item.drop_counts)
        }


INFO: dict[str, tuple[Callable[[Graph], Imitation], str, str]] = {
    'carla': (carla, '/carla/ego_vehicle/rgb_front/camera_info', ''),
    'carla_native': (
        partial(carla_native, with_odometry=True),
        '/carla/hero/rgb_front/camera_info',
        'expected positive focal lengths',
    ),
    'awsim': (awsim, '/sensing/camera/traffic_light/camera_info', ''),
    'gazebo': (gazebo, '/camera_info', 'expected the middle of 64 x 48 pixels'),
}
"""Of each simulator, the topic of its CameraInfo, and what is wrong with it."""


def profile_of(name: str, vehicle: str = '') -> SimulatorProfile:
    return load_profile(name, PROFILES, vehicle)


CASES: list[tuple[str, Callable[[Graph], Imitation]]] = [
    ('carla', carla),
    ('carla_native', partial(carla_native, with_odometry=True)),
    ('awsim', awsim),
    ('gazebo', gazebo),
]


@pytest.mark.parametrize(('name', 'imitate'), CASES, ids=[name for name, _ in CASES])
def test_every_frame_gives_an_output_with_all_that_the_simulator_has(
    graph: Graph, bundle: Path, name: str, imitate: Callable[[Graph], Imitation]
) -> None:
    run = Run(graph, bundle, imitate(graph), profile_of(name))

    frames = run.drive('image', 'fix', 'velocity')

    assert frames >= TICKS // 2
    assert run.stamps() == sorted(set(run.stamps()))
    assert len(run.stamps()) == frames
    assert run.ear.roads[-1].header.frame_id == 'base_link'
    assert run.states() == {
        'camera': ModalityStatus.PRESENT,
        'microphone': ModalityStatus.NEVER_SEEN,
        'gnss': ModalityStatus.PRESENT,
        'velocity': ModalityStatus.PRESENT,
    }
    assert run.drops() == {}
    assert run.ear.status[-1].level == FusionStatus.REDUCED
    assert 'microphone' in run.ear.status[-1].level_reason
    # The colours came in the right order, whatever the encoding: the tiny network takes red
    # for dry, green for wet and blue for ice.
    assert run.ear.roads[-1].friction == RoadState.FRICTION_DRY
    trajectory = run.ear.trajectories[-1]
    assert trajectory.speed == pytest.approx(SPEED_MPS, abs=0.3)
    assert trajectory.yaw_rate == pytest.approx(YAW_RATE_RPS, abs=0.02)


def test_without_the_pending_odometry_carla_gives_paths_from_positions(
    graph: Graph, bundle: Path
) -> None:
    simulator = carla_native(graph, with_odometry=False)
    run = Run(graph, bundle, simulator, profile_of('carla_native'))

    run.drive('image', 'fix')

    assert run.states()['velocity'] == ModalityStatus.NEVER_SEEN
    assert run.states()['gnss'] == ModalityStatus.PRESENT
    assert 'velocity' in run.ear.status[-1].level_reason
    assert run.drops() == {}
    assert run.ear.trajectories[-1].speed == pytest.approx(SPEED_MPS, abs=1.5)


def test_what_a_latched_simulator_published_before_does_no_harm(
    graph: Graph, bundle: Path
) -> None:
    simulator = carla_native(graph, with_odometry=True)
    for _ in range(30):
        simulator.tick()
    run = Run(graph, bundle, simulator, profile_of('carla_native'))

    run.drive('image', 'fix', 'velocity')

    assert run.states()['gnss'] == ModalityStatus.PRESENT
    assert run.ear.trajectories[-1].speed == pytest.approx(SPEED_MPS, abs=0.3)


def test_a_vehicle_of_another_name_is_found(graph: Graph, bundle: Path) -> None:
    run = Run(graph, bundle, carla(graph, 'hero'), profile_of('carla', 'hero'))

    run.drive('image', 'fix', 'velocity')

    assert run.states()['velocity'] == ModalityStatus.PRESENT


def test_without_its_profile_the_positions_of_carla_are_counted_as_no_fix(
    graph: Graph, bundle: Path
) -> None:
    settings = {'gnss.trust_unset_status': False}
    run = Run(graph, bundle, carla(graph), profile_of('carla'), settings=settings)

    run.drive('image', 'fix', 'velocity')

    assert set(run.drops()) == {'gnss: no_fix'}
    assert run.states()['gnss'] == ModalityStatus.NEVER_SEEN


def test_a_speed_without_header_is_stamped_from_the_clock(graph: Graph, bundle: Path) -> None:
    topics = {'velocity': '/carla/ego_vehicle/speedometer'}
    run = Run(graph, bundle, carla(graph), profile_of('carla'), topics=topics)

    run.drive('image', 'fix', 'velocity')

    assert run.states()['velocity'] == ModalityStatus.PRESENT
    velocity = run.ear.modality('velocity')
    assert velocity is not None
    assert velocity.age.sec == 0  # by the clock of the simulator, decades before the machine's
    assert run.ear.trajectories[-1].speed == pytest.approx(SPEED_MPS, abs=0.3)


@pytest.mark.parametrize('set_right', [True, False])
def test_turns_that_count_to_the_right_are_set_right(
    graph: Graph, bundle: Path, set_right: bool
) -> None:
    settings = {'velocity.clockwise_yaw_rate': set_right}
    simulator = awsim(graph, clockwise=True)
    run = Run(graph, bundle, simulator, profile_of('awsim'), settings=settings)

    run.drive('image', 'velocity')

    expected = YAW_RATE_RPS if set_right else -YAW_RATE_RPS
    assert run.ear.trajectories[-1].yaw_rate == pytest.approx(expected, abs=0.02)


def test_a_pose_without_header_is_a_position(graph: Graph, bundle: Path) -> None:
    topics = {'fix': '/sensing/gnss/bare_pose'}
    run = Run(graph, bundle, awsim(graph), profile_of('awsim'), topics=topics)

    run.drive('image', 'fix', 'velocity')

    assert run.states()['gnss'] == ModalityStatus.PRESENT
    assert run.drops() == {}


def test_a_world_that_keeps_the_clock_to_itself_is_followed(graph: Graph, bundle: Path) -> None:
    simulator = gazebo(graph, 'prius', '/world/town/clock')
    topics = {'clock': '/world/town/clock'}
    run = Run(graph, bundle, simulator, profile_of('gazebo', 'prius'), topics=topics)

    run.drive('image', 'fix', 'velocity')

    assert run.states()['velocity'] == ModalityStatus.PRESENT
    assert run.drops() == {}


@pytest.mark.parametrize(('name', 'imitate'), [CASES[0], CASES[3]], ids=['carla', 'gazebo'])
def test_with_a_synthesised_microphone_nothing_is_missing(
    graph: Graph, bundle: Path, name: str, imitate: Callable[[Graph], Imitation]
) -> None:
    profile = profile_of(name)
    assert profile.sound
    run = Run(graph, bundle, imitate(graph), profile)
    rules = [f'{role}:={topic}' for role, topic in profile.remappings(SOUND_ROLES).items()]
    sound = graph.add(
        SoundNode(
            context=graph.context,
            parameter_overrides=[Parameter('use_sim_time', value=True)],
            cli_args=['--ros-args', *(item for rule in rules for item in ('-r', rule))],
        )
    )
    topics = [run.topics[role] for role in ('image', 'fix', 'velocity', 'odometry')]
    graph.until(lambda: run.simulator.connected(*topics), f'listening to {topics}')

    def full() -> bool:
        return bool(run.ear.status) and run.ear.status[-1].level == FusionStatus.FULL

    while not graph.holds(full, 0.05):
        run.simulator.tick()
        assert run.simulator.now_ns < START_NS + 400 * TICK_NS, 'no sound'
    assert sound.refused == 0
    # Ticks did not wait for outputs, so that a frame may be late, but none is bad.
    assert {key.split(': ')[1] for key in run.drops()} <= {'superseded', 'late'}


@pytest.mark.parametrize('name', INFO)
def test_the_camera_of_each_simulator_is_known_by_its_profile(graph: Graph, name: str) -> None:
    imitate, topic, problem = INFO[name]
    profile = profile_of(name)
    assert profile.topics['camera_info'] == topic
    (stream,) = (item for item in imitate(graph).streams if item.topic == topic)
    settings = settings_from(profile.parameters)

    found = camera_model_from_info(stream.make(TICK_NS), settings.camera.horizontal_fov_deg)

    assert problem in found.problem
    assert bool(problem) == bool(found.problem)
    fov_deg = settings.camera.horizontal_fov_deg or 90.0
    assert found.horizontal_fov_deg == pytest.approx(fov_deg, abs=0.1)
    assert (found.cx_px, found.cy_px) == pytest.approx((WIDTH / 2, HEIGHT / 2), abs=0.5)
