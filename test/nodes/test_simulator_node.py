# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulator as a node, over real DDS."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from geometry_msgs.msg import TwistStamped
from mm_fusion_msgs.msg import AudioStamped, RoadState
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image, NavSatFix
from std_srvs.srv import Trigger

from mm_fusion.bags import drive_messages as topics
from mm_fusion.bags.drive_messages import DriveMessages
from mm_fusion.errors import MmFusionError, ScenarioError, SettingsError
from mm_fusion.nodes.simulator_node import Simulator
from mm_fusion.simulation.scenario_file import scenario_to_yaml
from mm_fusion.simulation.world import START_NS
from support.fake_drive import LATENCY_NS, STEP_NS, STEPS, FakeDrive, scenario
from support.ros_graph import DEADLINE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rcl_interfaces.msg import ParameterDescriptor

    from mm_fusion.ros.simulation import SimulationReport
    from mm_fusion.simulation.scenario import Scenario
    from support.ros_graph import Graph

pytestmark = pytest.mark.ros

FAST = {'mode': 'fast'}


def drive(made: Scenario) -> FakeDrive:
    return FakeDrive(made)


class Simulated:
    """A simulator in a thread, and the test's subscriptions to it."""

    def __init__(
        self,
        graph: Graph,
        tmp_path: Path,
        parameters: dict[str, Any],
        make: Callable[[Scenario], FakeDrive] = drive,
    ) -> None:
        file = tmp_path / 'made.yaml'
        file.write_text(scenario_to_yaml(scenario()), encoding='utf-8')
        given = {'scenario': str(file), **parameters}
        self.graph = graph
        self.node = graph.add(
            Node(
                'simulator',
                context=graph.context,
                automatically_declare_parameters_from_overrides=True,
                parameter_overrides=[Parameter(name, value=v) for name, v in given.items()],
            )
        )
        self.simulator = Simulator(self.node, make)
        self.listener = graph.add(Node('listener', context=graph.context))
        self.report: SimulationReport | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def listen(self, kind: type, topic: str, **how: Any) -> list[Any]:
        heard: list[Any] = []
        before = self.node.count_subscribers(topic)
        self.listener.create_subscription(kind, topic, heard.append, 500, **how)
        self.graph.until(
            lambda: self.node.count_subscribers(topic) > before, f'the subscription to {topic}'
        )
        return heard

    def start(self) -> None:
        self._thread.start()

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def to_its_end(self) -> SimulationReport:
        if not self._thread.ident:
            self.start()
        self.graph.until(self.ended, 'the end of the drive')
        assert self.error is None, self.error
        assert self.report is not None
        return self.report

    def _run(self) -> None:
        try:
            self.report = self.simulator.run()
        except MmFusionError as error:
            self.error = error


def nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def test_what_a_recording_would_hold_is_published(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(graph, tmp_path, FAST)
    kinds = {
        topics.IMAGE: CompressedImage,
        topics.IMAGE_RAW: Image,
        topics.AUDIO: AudioStamped,
        topics.FIX: NavSatFix,
        topics.ODOMETRY: Odometry,
        topics.ROAD_STATE: RoadState,
    }
    heard = {topic: simulated.listen(kind, topic, raw=True) for topic, kind in kinds.items()}

    report = simulated.to_its_end()
    graph.until(lambda: all(len(found) == STEPS for found in heard.values()), 'all messages')

    recorded: dict[str, list[bytes]] = {topic: [] for topic in kinds}
    for message in DriveMessages(FakeDrive(), 'both'):
        if message.topic in recorded:
            recorded[message.topic].append(message.data)
    assert heard == recorded
    assert report.complete
    assert report.drives == 1
    assert not report.unacknowledged
    assert report.published[topics.PATH] == STEPS - 1
    assert report.published[topics.IMAGE] == report.published[topics.CAMERA_INFO] == STEPS


def test_the_clock_runs_on_over_several_drives_with_new_seeds(
    graph: Graph, tmp_path: Path
) -> None:
    seeds: list[int] = []

    def make(made: Scenario) -> FakeDrive:
        seeds.append(made.seed)
        return FakeDrive(made)

    simulated = Simulated(graph, tmp_path, {**FAST, 'drives': 3, 'seed': 5}, make)
    ticks = simulated.listen(Clock, '/clock')
    poses = simulated.listen(Odometry, topics.ODOMETRY)
    report = simulated.to_its_end()
    graph.until(lambda: len(poses) == 3 * STEPS, 'all poses')
    span_ns = round(report.simulated_s * 1e9)
    graph.until(
        lambda: ticks and nanoseconds(ticks[-1].clock) > START_NS + span_ns - 20_000_000,
        'the last tick',
    )

    # One drive is made for its topics, before the first one.
    assert seeds == [5, 5, 6, 7]
    times = [nanoseconds(tick.clock) for tick in ticks]
    assert times == sorted(set(times))
    assert times[0] < START_NS
    stamps = [nanoseconds(pose.header.stamp) for pose in poses]
    assert stamps == sorted(set(stamps))
    drive_ns = (STEPS - 1) * STEP_NS + LATENCY_NS
    assert stamps[STEPS] - stamps[0] == drive_ns + 10**9
    assert report.drives == 3


def test_in_real_time_the_drive_is_paced(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(graph, tmp_path, {'rate': 0.5, 'clock_rate_hz': 0.0})

    report = simulated.to_its_end()

    # Not shorter than the drive at half its speed; how much longer is up to the machine.
    assert report.wall_s >= (STEPS - 1) * STEP_NS / 1e9 / 0.5
    assert report.simulated_s == pytest.approx(((STEPS - 1) * STEP_NS + LATENCY_NS) / 1e9 + 0.3)


def test_a_drive_that_cannot_be_rendered_in_time_is_slowed_down_and_whole(
    graph: Graph, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    simulated: Simulated

    class Slow(FakeDrive):
        def deliveries(self) -> Any:
            for count, delivery in enumerate(super().deliveries()):
                # By now the drives before it, which were made ahead, are under way.
                if self.scenario.seed == 5 and count == 8:
                    simulated.simulator._simulation._stop.wait(1.0)
                yield delivery

    simulated = Simulated(graph, tmp_path, {'drives': 6, 'rate': 20.0}, Slow)
    heard = simulated.listen(CompressedImage, topics.IMAGE)

    report = simulated.to_its_end()
    graph.until(lambda: len(heard) == 6 * STEPS, 'all frames')

    assert report.late >= 1
    assert report.lost_s > 0.1
    assert report.complete
    assert 'rendering has fallen behind' in capfd.readouterr().err


def test_a_slow_start_is_no_lag(graph: Graph, tmp_path: Path) -> None:
    simulated: Simulated

    class SlowStart(FakeDrive):
        def deliveries(self) -> Any:
            simulated.simulator._simulation._stop.wait(2.0)
            yield from super().deliveries()

    simulated = Simulated(graph, tmp_path, {}, SlowStart)

    assert simulated.to_its_end().worst_lag_s < 1.4


@pytest.mark.parametrize('in_flight', [1, 3])
def test_in_lock_step_each_frame_waits_for_answers(
    graph: Graph, tmp_path: Path, in_flight: int
) -> None:
    simulated = Simulated(
        graph, tmp_path, {'mode': 'lock_step', 'wait_for': '/answers', 'in_flight': in_flight}
    )
    frames = simulated.listen(CompressedImage, topics.IMAGE)
    answers = simulated.listener.create_publisher(RoadState, '/answers', 10)
    graph.until(answers.get_subscription_count, 'the subscription to the answers')
    simulated.start()

    for count in range(in_flight, STEPS + 1):
        graph.until(lambda count=count: len(frames) == count, f'frame {count}')  # type: ignore[misc]
        # No further one comes without an answer.
        assert not graph.holds(lambda count=count: len(frames) > count, 0.05)  # type: ignore[misc]
        answers.publish(RoadState(header=frames[count - in_flight].header))
    answers.publish(RoadState(header=frames[-1].header))
    report = simulated.to_its_end()

    assert report.unanswered == 0
    assert report.published[topics.IMAGE] == STEPS


def test_in_lock_step_a_missing_answer_is_given_up_and_counted(
    graph: Graph, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    simulated = Simulated(graph, tmp_path, {'mode': 'lock_step', 'wait_timeout_s': 0.01})

    report = simulated.to_its_end()

    assert report.unanswered == STEPS
    assert report.complete
    assert '/mm_fusion/road_state: no answer to 1 frames within 0.01 s' in capfd.readouterr().err


def test_in_lock_step_no_answer_to_a_damaged_frame_is_waited_for(
    graph: Graph, tmp_path: Path
) -> None:
    def damaged(made: Scenario) -> FakeDrive:
        return FakeDrive(made, corrupt=True)

    simulated = Simulated(graph, tmp_path, {'mode': 'lock_step'}, damaged)

    report = simulated.to_its_end()

    assert report.unanswered == 0
    assert report.injected['camera'] == {
        'measured': STEPS,
        'published': STEPS,
        'suppressed': 0,
        'hits': {'corrupts': STEPS},
    }


def test_steps_let_one_frame_pass_each(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(graph, tmp_path, {'mode': 'lock_step', 'wait_for': ''})
    frames = simulated.listen(CompressedImage, topics.IMAGE)
    client = simulated.listener.create_client(Trigger, '/simulator/step')
    graph.until(client.service_is_ready, 'the service')
    simulated.start()

    for count in range(1, STEPS + 1):
        future = client.call_async(Trigger.Request())
        graph.until(future.done, 'the response')
        assert future.result().success
        graph.until(lambda count=count: len(frames) == count, f'frame {count}')  # type: ignore[misc]
    simulated.to_its_end()
    future = client.call_async(Trigger.Request())
    graph.until(future.done, 'the response after the end')

    assert not future.result().success
    assert 'has ended' in future.result().message


def test_the_summary_tells_what_was_published(graph: Graph, tmp_path: Path) -> None:
    file = tmp_path / 'summary.json'
    simulated = Simulated(graph, tmp_path, {**FAST, 'summary': str(file)})

    report = simulated.to_its_end()

    summary = json.loads(file.read_text(encoding='utf-8'))
    assert (summary['scenario'], summary['seed']) == ('made', 0)
    assert summary['published'] == dict(report.published)
    assert summary['injected']['gnss']['published'] == STEPS
    assert summary['complete'] is True


@pytest.mark.parametrize(
    ('reliability', 'expected'),
    [('reliable', ReliabilityPolicy.RELIABLE), ('best_effort', ReliabilityPolicy.BEST_EFFORT)],
)
def test_the_sensors_offer_the_reliability_asked_for_and_truth_is_reliable(
    graph: Graph, tmp_path: Path, reliability: str, expected: ReliabilityPolicy
) -> None:
    simulated = Simulated(graph, tmp_path, {**FAST, 'reliability': reliability})

    def offered(topic: str) -> Any:
        (publisher,) = simulated.node.get_publishers_info_by_topic(topic)
        return publisher.qos_profile.reliability

    assert offered(topics.IMAGE) == offered(topics.AUDIO) == expected
    assert offered(topics.ODOMETRY) == ReliabilityPolicy.RELIABLE


def test_subscribers_are_waited_for(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(
        graph, tmp_path, {**FAST, 'subscribers': 1, 'subscribers_timeout_s': 0.1}
    )
    simulated.listen(CompressedImage, topics.IMAGE)
    simulated.listen(NavSatFix, topics.FIX)

    simulated.start()
    graph.until(simulated.ended, 'the refusal')

    # One way of sending the images is enough.
    assert (
        str(simulated.error) == '/audio, /vehicle/velocity: fewer than 1 subscribers after 0.1 s'
    )


def test_the_drive_can_be_ended_early(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(graph, tmp_path, {'rate': 0.01})
    frames = simulated.listen(CompressedImage, topics.IMAGE)
    simulated.start()
    graph.until(lambda: frames, 'the first frame')

    simulated.simulator.stop()

    assert not simulated.to_its_end().complete


def test_an_error_of_the_drive_is_raised_by_the_run(graph: Graph, tmp_path: Path) -> None:
    class Broken(FakeDrive):
        def deliveries(self) -> Any:
            raise ScenarioError('no such road')

    simulated = Simulated(graph, tmp_path, FAST, Broken)
    simulated.start()
    graph.until(simulated.ended, 'the error')

    assert str(simulated.error) == 'no such road'


def test_every_refused_parameter_is_named_at_once(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        Simulated(graph, tmp_path, {'colour': 1, 'mode': 'slow', 'rate': 1000.0})

    assert error.value.problems == (
        'colour: unknown parameter',
        "mode: found 'slow', expected one of 'real_time', 'fast', 'lock_step'",
        'rate: found 1000.0, expected 0.01 to 100 1',
    )


def test_every_parameter_is_described_and_read_only(graph: Graph, tmp_path: Path) -> None:
    node = Simulated(graph, tmp_path, {**FAST, 'rate': 2}).node

    names = node.get_parameters_by_prefix('').keys() - {
        'use_sim_time',
        'start_type_description_service',
    }
    described: dict[str, ParameterDescriptor] = {n: node.describe_parameter(n) for n in names}
    assert len(described) == 15
    assert all(item.description and item.read_only for item in described.values())
    assert node.get_parameter('rate').value == 2.0
    (result,) = node.set_parameters([Parameter('rate', value=3.0)])
    assert not result.successful


def test_a_scenario_that_is_refused_is_named(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match='there is none of this name'):
        Simulated(graph, tmp_path, {'scenario': 'nowhere'})


def test_best_effort_subscribers_are_served_too(graph: Graph, tmp_path: Path) -> None:
    simulated = Simulated(graph, tmp_path, FAST)
    heard: list[Any] = []
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    simulated.listener.create_subscription(NavSatFix, topics.FIX, heard.append, qos)
    graph.until(lambda: simulated.node.count_subscribers(topics.FIX), 'the subscription')

    simulated.to_its_end()

    graph.until(lambda: heard, 'a position')


@pytest.fixture
def blind(tmp_path: Path) -> Path:
    """A real scenario without a camera, so that no renderer is needed."""
    path = tmp_path / 'blind.yaml'
    path.write_text('{name: blind, duration_s: 1, camera: {enabled: false}}', encoding='utf-8')
    return path


def process(*parameters: str) -> subprocess.Popen[str]:
    given = [word for parameter in parameters for word in ('-p', parameter)]
    return subprocess.Popen(
        [sys.executable, '-m', 'mm_fusion.nodes.simulator_node', '--ros-args', *given],
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_process_ends_with_its_drive(graph: Graph, blind: Path, tmp_path: Path) -> None:
    summary = tmp_path / 'summary.json'
    listener = graph.add(Node('listener', context=graph.context))
    heard: list[Any] = []
    for kind, topic in (
        (AudioStamped, topics.AUDIO),
        (NavSatFix, topics.FIX),
        (TwistStamped, topics.VELOCITY),
    ):
        listener.create_subscription(kind, topic, heard.append, 500)

    ran = process(f'scenario:={blind}', 'mode:=fast', 'subscribers:=1', f'summary:={summary}')
    try:
        graph.until(lambda: ran.poll() is not None, 'the end of the process')
        assert ran.stderr is not None
        logged = ran.stderr.read()
    finally:
        ran.kill()
        ran.communicate()

    assert ran.returncode == 0, logged
    found = json.loads(summary.read_text(encoding='utf-8'))
    assert found['complete'] is True
    assert found['published']['/audio'] == 50
    sensors = ('/audio', '/gnss/fix', '/vehicle/velocity')
    graph.until(
        lambda: len(heard) == sum(found['published'][topic] for topic in sensors), 'all messages'
    )


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(
    graph: Graph, blind: Path, tmp_path: Path, number: signal.Signals
) -> None:
    summary = tmp_path / 'summary.json'
    listener = graph.add(Node('listener', context=graph.context))
    heard: list[Any] = []
    listener.create_subscription(Clock, '/clock', heard.append, 10)

    ran = process(f'scenario:={blind}', 'drives:=0', f'summary:={summary}')
    try:
        graph.until(lambda: heard, 'the time')
        ran.send_signal(number)
        _, logged = ran.communicate(timeout=DEADLINE_S)
    finally:
        ran.kill()
        ran.communicate()

    assert ran.returncode == 0, logged
    assert 'Traceback' not in logged
    assert json.loads(summary.read_text(encoding='utf-8'))['complete'] is False


def test_a_refused_parameter_ends_the_process_with_one_line(tmp_path: Path) -> None:
    ran = process('colour:=1')
    _, logged = ran.communicate(timeout=DEADLINE_S)

    assert ran.returncode == 2
    assert len(logged.splitlines()) == 1
    assert 'colour: unknown parameter' in logged
