# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Say on standard output what a running fusion node says: a line of JSON several times a second.

``/clock`` gives the time; road states on the topic of ``--truth`` are passed on as truth.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import rclpy
from mm_fusion_msgs.msg import FusionStatus, RoadState, TrajectoryPrediction
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock as ClockMessage

from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rclpy.node import Node

_PERIOD_S = 0.2
_NS = 1_000_000_000
_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


class LiveMonitor:
    """Keep the newest of each message, and print them together.

    Args:
        node: Spun by the caller.
        truth: Topic of true road states; empty where there is none.
    """

    def __init__(self, node: Node, truth: str = '') -> None:
        self._first_ns: int | None = None
        self._now_ns = 0
        self._newest: dict[str, Any] = {}
        self._outputs = 0
        for kind, topic, name in (
            (RoadState, '/mm_fusion/road_state', 'road'),
            (TrajectoryPrediction, '/mm_fusion/trajectory_prediction', 'trajectory'),
            (FusionStatus, '/mm_fusion/status', 'status'),
            *([(RoadState, truth, 'truth')] if truth else []),
        ):
            self._listen(node, kind, topic, name)
        node.create_subscription(ClockMessage, '/clock', self._tick, _QOS)
        self._timer = node.create_timer(
            _PERIOD_S, self._print, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def _listen(self, node: Node, kind: type, topic: str, name: str) -> None:
        def keep(message: Any) -> None:
            self._newest[name] = message
            self._outputs += name == 'road'

        node.create_subscription(kind, topic, keep, _QOS)

    def _tick(self, message: ClockMessage) -> None:
        self._now_ns = message.clock.sec * _NS + message.clock.nanosec
        if self._first_ns is None:
            self._first_ns = self._now_ns

    def _print(self) -> None:
        print(json.dumps(self.state()), flush=True)  # noqa: T201 - a line is what it is for

    def state(self) -> dict[str, Any]:
        """Lay out the newest of everything; what has not come yet is None."""
        begin_ns = self._now_ns if self._first_ns is None else self._first_ns
        trajectory, status = self._newest.get('trajectory'), self._newest.get('status')
        return {
            'time_s': (self._now_ns - begin_ns) / _NS,
            'outputs': self._outputs,
            'speed_mps': None if trajectory is None else trajectory.speed,
            'road': _road(self._newest.get('road')),
            'truth': _road(self._newest.get('truth')),
            'sensors': {} if status is None else {m.name: _sensor(m) for m in status.modalities},
            'latency_s': None if status is None else status.stamp_to_publish,
            'superseded': 0 if status is None else status.snapshots_superseded,
        }


def _road(message: Any | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        **{
            task: [names[index], float(getattr(message, f'{task}_probabilities')[index])]
            for task, names in (
                ('friction', FRICTION_CLASSES),
                ('material', MATERIAL_CLASSES),
                ('unevenness', UNEVENNESS_CLASSES),
            )
            for index in (getattr(message, task),)
        },
        'friction_coefficient': message.friction_coefficient_mean,
        'siren': message.siren,
        'siren_probability': message.siren_probability,
        'surface_observed': message.surface_observed,
    }


def _sensor(item: Any) -> dict[str, Any]:
    counts = zip(item.drop_reasons, item.drop_counts, strict=True)
    return {
        'state': ModalityState(item.state).name.lower(),
        'received': int(item.received),
        'drops': {str(reason): int(count) for reason, count in counts if count},
    }


def main(args: Sequence[str] | None = None) -> int:
    """Print until a signal; the exit status is 0."""
    parser = argparse.ArgumentParser(prog='live_monitor', description=__doc__.split('\n', 1)[0])
    parser.add_argument('--truth', default='', help='topic of true road states')
    arguments = parser.parse_args(remove_ros_args(list(sys.argv if args is None else args))[1:])
    # As in the fusion node: Python's own handler would raise in the middle of whatever runs.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    rclpy.init(args=None if args is None else list(args))
    node = rclpy.create_node('live_monitor')
    LiveMonitor(node, arguments.truth)
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass
    except Exception:
        # A signal shuts the context down, and whatever is under way then fails in its own way.
        if rclpy.ok():
            raise
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
