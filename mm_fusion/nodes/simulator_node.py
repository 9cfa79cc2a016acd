# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulator as a node: publishes drives with all their sensors, their truth and /clock.

Stamps are on the clock of the drive, so whoever listens runs with ``use_sim_time``. The drive is
rendered ahead in a thread of its own. In the mode real_time, a drive that cannot be rendered in
time is slowed down and the node says by how much; nothing is ever left out. In the mode
lock_step, each frame waits until the topic ``wait_for`` has answered the one before it; where no
such topic is named, the service ``~/step`` (std_srvs/Trigger) lets one frame pass and returns when
the drive stands before the next one.

The node ends with its last drive.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rclpy
from mm_fusion_msgs.msg import RoadState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from std_srvs.srv import Trigger

from mm_fusion.bags.drive_messages import DriveMessages
from mm_fusion.errors import MmFusionError
from mm_fusion.ros.qos import OUTPUT_QOS
from mm_fusion.ros.record_parameters import read_record
from mm_fusion.ros.simulation import Simulation, SimulationReport
from mm_fusion.ros.simulation_feed import DriveFeed
from mm_fusion.ros.simulation_options import SimulationOptions
from mm_fusion.ros.simulation_publishers import DrivePublishers
from mm_fusion.simulation.drive import SimulatedDrive
from mm_fusion.simulation.scenario_choice import choose_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rclpy.node import Node

    from mm_fusion.bags.drive_messages import ImageTransport
    from mm_fusion.ros.simulation_feed import FaultyDrive
    from mm_fusion.simulation.scenario import Scenario

NAME = 'simulator'
_NS = 1_000_000_000


class Simulator:
    """Publish what the parameters of a node ask for.

    Args:
        node: Made with ``automatically_declare_parameters_from_overrides``; spun in another
            thread.
        make: Makes a drive.

    Raises:
        MmFusionError: A parameter or the scenario is refused.
    """

    def __init__(
        self, node: Node, make: Callable[[Scenario], FaultyDrive] = SimulatedDrive
    ) -> None:
        self.options = options = read_record(node, SimulationOptions())
        self.scenario = _scenario(options, 0)
        self._node = node
        images = cast('ImageTransport', options.image_transport)
        publishers = DrivePublishers(
            node,
            DriveMessages(make(self.scenario), images).topics,
            reliable=options.reliability == 'reliable',
            clock=options.clock_rate_hz > 0,
        )
        feed = DriveFeed(_drives(options, make), images)
        self._simulation = Simulation(node, feed, publishers, options)
        if self._simulation.answers is not None:
            node.create_subscription(RoadState, options.wait_for, self._answer, OUTPUT_QOS)
        if self._simulation.steps is not None:
            node.create_service(Trigger, '~/step', self._step)
        for notice in publishers.notices:
            node.get_logger().info(notice)

    def run(self) -> SimulationReport:
        """Publish until the last drive has ended.

        Raises:
            MmFusionError: The subscribers did not come in time, or the simulation failed.
        """
        scenario = self.scenario
        self._node.get_logger().info(
            f'scenario {scenario.name}, seed {scenario.seed}, {scenario.duration_s:g} s, '
            f'mode {self.options.mode}'
        )
        report = self._simulation.run()
        if self._node.context.ok():  # else there is nobody left to log to
            self._node.get_logger().info(
                f'published {report.simulated_s:.1f} s in {report.wall_s:.1f} s'
            )
        if self.options.summary:
            summary = {
                'scenario': scenario.name,
                'seed': scenario.seed,
                **dataclasses.asdict(report),
            }
            _write(Path(self.options.summary), json.dumps(summary, indent=2) + '\n')
        return report

    def stop(self) -> None:
        """End early; may be called from any thread."""
        self._simulation.stop()

    def _answer(self, message: RoadState) -> None:
        if self._simulation.answers is not None:
            stamp = message.header.stamp
            self._simulation.answers.answer(stamp.sec * _NS + stamp.nanosec)

    def _step(self, request: Any, response: Any) -> Any:
        if self._simulation.steps is not None:
            response.success = self._simulation.steps.step(self.options.wait_timeout_s)
            response.message = (
                'stands before the next frame, or at the end'
                if response.success
                else f'the drive has ended, or the frame is not there in '
                f'{self.options.wait_timeout_s:g} s'
            )
        return response


def _scenario(options: SimulationOptions, index: int) -> Scenario:
    """Choose the scenario of one of the drives."""
    seed = options.seed if options.seed >= 0 else None
    duration_s = options.duration_s or None
    scenario = choose_scenario(options.scenario, seed, duration_s)
    if index == 0:
        return scenario
    return choose_scenario(options.scenario, scenario.seed + index, duration_s)


def _drives(
    options: SimulationOptions, make: Callable[[Scenario], FaultyDrive]
) -> Iterator[FaultyDrive]:
    for index in itertools.count() if options.drives == 0 else range(options.drives):
        yield make(_scenario(options, index))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise MmFusionError(f'summary: {path}: cannot be written: {error.strerror}') from error


def main(args: list[str] | None = None) -> int:
    """Simulate until the last drive has ended, or until interrupted.

    Returns:
        0 at the end and after a signal, 2 where something is refused.
    """
    # As in the fusion node: Python's own handler would raise in the middle of whatever runs.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    rclpy.init(args=args)
    node = rclpy.create_node(NAME, automatically_declare_parameters_from_overrides=True)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = threading.Thread(target=_spin, args=(executor,), daemon=True)
    spinner.start()
    try:
        simulator = Simulator(node)
        node.context.on_shutdown(simulator.stop)
        simulator.run()
    except MmFusionError as error:
        node.get_logger().error(str(error))
        return 2
    finally:
        executor.shutdown()
        spinner.join()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


if __name__ == '__main__':
    sys.exit(main())
