# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays a recording over ROS: each message as it was recorded, at the pace it was recorded.

Messages go out as the bytes of the recording. Sound whose message package is not installed
(audio_common_msgs is in no wheel) goes out as ``mm_fusion_msgs/msg/AudioStamped``; other topics
whose type is not installed are left out. Both are said at the start.

Playing begins once each input topic has the number of subscribers asked for. With ``--clock``,
time on ``/clock`` starts a moment before the first message and runs on a moment after the last
one, so that nodes on simulation time can finish what they wait for.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import remove_ros_args
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rosgraph_msgs.msg import Clock

from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import MmFusionError, SampleError
from mm_fusion.nodes.play_outlets import Outlet, Outlets
from mm_fusion.ros.listeners import Listeners, unacknowledged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rclpy.node import Node

_NS = 1_000_000_000
_LEAD_S = 0.5
"""Of the wall clock: time for the first ticks of /clock to arrive."""
_TAIL_NS = 3 * _NS // 10
"""Shorter than the camera's timeout: no snapshot is made of the silence after the end."""


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a recording is played.

    Attributes:
        rate: Speed; 1 is that of the recording.
        loops: How often it is played.
        clock_hz: Rate of /clock in the time of the recording; 0 for none.
        by_role: Publish the inputs under the names that the fusion node listens to.
        subscribers: Subscribers that each input topic is to have before the start.
        wait_s: Longest wait for them.
    """

    rate: float = 1.0
    loops: int = 1
    clock_hz: float = 0.0
    by_role: bool = False
    subscribers: int = 1
    wait_s: float = 30.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 0.01 <= self.rate <= 1000.0:
            raise MmFusionError(f'rate: found {self.rate:g}, expected 0.01 to 1000')
        if self.loops < 1:
            raise MmFusionError(f'loop: found {self.loops}, expected 1 or more')
        if not 0.0 <= self.clock_hz <= 1000.0:
            raise MmFusionError(f'clock: found {self.clock_hz:g} Hz, expected 0 to 1000')


@dataclass(frozen=True, slots=True)
class PlayReport:
    """What was played.

    Attributes:
        published: Messages by topic.
        refused: Messages that could not be converted, by recorded topic.
        notices: What was changed or left out.
        worst_lag_s: Furthest that a message was behind its time.
        unacknowledged: Topics on which a subscriber had not confirmed all messages at the end.
        complete: False where playing was interrupted.
    """

    published: Mapping[str, int]
    refused: Mapping[str, int]
    notices: tuple[str, ...]
    worst_lag_s: float
    unacknowledged: tuple[str, ...]
    complete: bool


@dataclass(slots=True)
class _Pace:
    """Tell when it is time for a stamp of the recording."""

    rate: float
    stop: threading.Event
    worst_lag_s: float = 0.0
    _bag_ns: int = 0
    _wall_s: float = field(default_factory=time.monotonic)

    def restart(self, bag_ns: int) -> None:
        """Begin at a stamp."""
        self._bag_ns, self._wall_s = bag_ns, time.monotonic()

    def wait(self, bag_ns: int) -> bool:
        """Wait for a stamp; False where playing is to end."""
        left = self._wall_s + (bag_ns - self._bag_ns) / (_NS * self.rate) - time.monotonic()
        self.worst_lag_s = max(self.worst_lag_s, -left)
        return not (self.stop.wait(left) if left > 0 else self.stop.is_set())


class BagPlayer:
    """Play one recording through the publishers of a node.

    Args:
        node: Spun in another thread.
        bag: An open recording.
        options: How to play it.

    Raises:
        BagError: None of its topics can be played.
    """

    def __init__(self, node: Node, bag: RawBag, options: PlayOptions) -> None:
        self._node = node
        self._bag = bag
        self._options = options
        self._listeners = Listeners()
        self._stop = threading.Event()
        self._pace = _Pace(options.rate, self._stop)
        self._next_tick_ns = 0
        self._outlets = Outlets(
            node, bag, by_role=options.by_role, on_matched=self._listeners.notify
        )
        self._clock = self._outlets.publisher(Clock, '/clock') if options.clock_hz > 0 else None

    @property
    def notices(self) -> tuple[str, ...]:
        """What is changed or left out, a sentence each."""
        return tuple(self._outlets.notices)

    def stop(self) -> None:
        """End playing early; may be called from any thread."""
        self._stop.set()
        self._listeners.notify()

    def play(self, progress: Callable[[float], None] = lambda share: None) -> PlayReport:
        """Wait for the subscribers, play, and wait for what was sent to be confirmed.

        Args:
            progress: Called with the share that has been played.

        Raises:
            MmFusionError: The subscribers did not come in time.
        """
        options = self._options
        self._listeners.wait(self._missing, options.subscribers, options.wait_s, self._stop.is_set)
        loops = options.loops
        done = 0
        while done < loops and self._play_once(functools.partial(_part, progress, done, loops)):
            done += 1
        outlets = self._outlets.by_topic
        sent = {o.publisher.topic_name: o.publisher for o in outlets.values() if o.publisher}
        return PlayReport(
            published={
                o.publisher.topic_name: o.published for o in outlets.values() if o.publisher
            },
            refused={topic: o.refused for topic, o in outlets.items() if o.refused},
            notices=self.notices,
            worst_lag_s=self._pace.worst_lag_s,
            unacknowledged=() if self._stop.is_set() else unacknowledged(sent),
            complete=done == loops,
        )

    def _play_once(self, progress: Callable[[float], None]) -> bool:
        """Play from the beginning to the end; False where playing is to end."""
        start = self._bag.start_ns
        span = max(self._bag.end_ns - start, 1)
        self._next_tick_ns = start - int(_LEAD_S * _NS * self._options.rate)
        self._pace.restart(self._next_tick_ns if self._clock else start)
        for topic, stamp_ns, data in self._bag.messages(self._outlets.by_topic):
            if not self._advance(stamp_ns):
                return False
            self._publish(topic, self._outlets.by_topic[topic], data, stamp_ns)
            progress((stamp_ns - start) / span)
        return self._clock is None or self._advance(self._bag.end_ns + _TAIL_NS)

    def _advance(self, until_ns: int) -> bool:
        """Let time pass up to a stamp; False where playing is to end."""
        while self._clock is not None and self._next_tick_ns <= until_ns:
            if not self._pace.wait(self._next_tick_ns):
                return False
            seconds, nanoseconds = divmod(self._next_tick_ns, _NS)
            self._clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))
            self._next_tick_ns += int(_NS / self._options.clock_hz)
        return self._pace.wait(until_ns)

    def _publish(self, topic: str, outlet: Outlet, data: bytes, stamp_ns: int) -> None:
        try:
            message = outlet.convert(data, stamp_ns)
        except SampleError as error:
            outlet.refused += 1
            self._node.get_logger().warning(f'{topic}: not played: {error}', once=True)
            return
        if outlet.publisher is not None:
            outlet.publisher.publish(message)
            outlet.published += 1

    def _missing(self) -> list[str]:
        """List the topics that have too few subscribers."""
        awaited = [o.publisher for o in self._outlets.by_topic.values() if o.awaited]
        found = [publisher for publisher in (*awaited, self._clock) if publisher is not None]
        need = self._options.subscribers
        return [p.topic_name for p in found if p.get_subscription_count() < need]


def _part(progress: Callable[[float], None], done: int, loops: int, share: float) -> None:
    progress((done + share) / loops)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bag_player', description=__doc__.split('\n', 1)[0])
    parser.add_argument('bag', type=Path, help='rosbag2 folder, or a file .mcap or .db3')
    parser.add_argument('--rate', type=float, default=1.0, help='speed (default 1)')
    parser.add_argument('--loop', type=int, default=1, help='how often (default once)')
    parser.add_argument('--clock', type=float, default=0.0, metavar='HZ', help='publish /clock')
    parser.add_argument(
        '--by-role', action='store_true', help="publish the inputs as the fusion node's topics"
    )
    parser.add_argument(
        '--subscribers', type=int, default=1, help='wait for so many on each input (default 1)'
    )
    parser.add_argument('--wait', type=float, default=30.0, help='longest wait for them, seconds')
    parser.add_argument('--summary', type=Path, help='write what was played, as JSON')
    return parser.parse_args(arguments)


def main(args: list[str] | None = None) -> int:
    """Play a recording; the exit status is 0 where it was played to its end."""
    options = _arguments(remove_ros_args(sys.argv if args is None else args)[1:])
    try:
        with contextlib.suppress(ExternalShutdownException):
            return _run(options, args)
    except MmFusionError as error:
        Console(stderr=True).print(f'bag_player: {error}', markup=False, soft_wrap=True)
        return 2
    finally:
        rclpy.try_shutdown()
    return 1


def _run(arguments: argparse.Namespace, ros_arguments: list[str] | None) -> int:
    options = PlayOptions(
        rate=arguments.rate, loops=arguments.loop, clock_hz=arguments.clock,
        by_role=arguments.by_role, subscribers=arguments.subscribers, wait_s=arguments.wait,
    )  # fmt: skip
    console = Console(stderr=True)
    with RawBag(arguments.bag) as bag:
        rclpy.init(args=ros_arguments)
        node = rclpy.create_node('bag_player')
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        player = BagPlayer(node, bag, options)
        node.context.on_shutdown(player.stop)
        spinner = threading.Thread(target=_spin, args=(executor,), daemon=True)
        spinner.start()
        for notice in player.notices:
            console.print(notice, markup=False, soft_wrap=True, highlight=False)
        columns = (TextColumn('playing'), BarColumn(), TextColumn('{task.percentage:3.0f} %'))
        with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task('', total=1.0)
            try:
                report = player.play(lambda share: progress.update(task, completed=share))
            finally:
                executor.shutdown()
                spinner.join()
                node.destroy_node()
    if arguments.summary is not None:
        arguments.summary.write_text(json.dumps(dataclasses.asdict(report), indent=2) + '\n')
    for topic in report.unacknowledged:
        text = f'{topic}: a subscriber did not confirm all messages'
        console.print(text, markup=False, soft_wrap=True, highlight=False)
    return 0 if report.complete else 1


def _spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


if __name__ == '__main__':
    sys.exit(main())
