# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Records topics to an MCAP file: the bytes of each message, with the time it came.

Types and QoS are taken from what is published. A writer thread empties a bounded queue; what does
not fit is counted and reported. With ``--first``, the other topics are subscribed to only once
these have their publishers, so that somebody who waits for subscribers there loses none of these.

SIGINT or SIGTERM ends the recording once nothing has come for ``--drain`` seconds, so that
outputs under way are kept; a second signal ends it at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from rich.console import Console

from mm_fusion.bags import BagWriter
from mm_fusion.errors import MmFusionError
from mm_fusion.ros.inputs import message_class
from mm_fusion.ros.qos import Choice, choose, offer_of, subscription_qos

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rclpy.node import Node
    from rclpy.subscription import Subscription

_DISCOVERY_PERIOD_S = 0.1
_QUEUE = 10_000
_DEPTH = 500
_LONGEST_DRAIN_S = 20.0


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What was recorded.

    Attributes:
        written: Messages by topic, also of those that stayed silent.
        overflowed: Messages that found the queue full, by topic.
        lost: Messages that the middleware reports as lost on the way, by topic.
        before_clock: Messages that came before the first /clock: they have no time, and are left
            out.
    """

    written: Mapping[str, int]
    overflowed: Mapping[str, int]
    lost: Mapping[str, int]
    before_clock: int

    @property
    def complete(self) -> bool:
        """Whether everything that has a time was written."""
        return not self.overflowed and not self.lost


class BagRecorder:
    """Record topics through the subscriptions of a node.

    Args:
        node: Spun in another thread; its clock gives the times.
        bag: An open recording.
        topics: Names.
        first: Names of further topics, which are to have their publishers before the others
            are subscribed to.
        capacity: Messages that may wait to be written.

    Raises:
        MmFusionError: A topic has no valid name.

    Attributes:
        counts: Messages written so far, by topic.
        overflowed: Messages that found the queue full, by topic.
        before_clock: Messages that came before the first /clock.
    """

    def __init__(
        self,
        node: Node,
        bag: BagWriter,
        topics: Sequence[str],
        first: Sequence[str] = (),
        capacity: int = _QUEUE,
    ) -> None:
        self._node = node
        self._bag = bag
        self._unmatched = {_resolved(node, topic) for topic in first}
        self._waiting = self._unmatched | {_resolved(node, topic) for topic in topics}
        self._subscriptions: list[Subscription[Any]] = []
        self._queue: queue.Queue[tuple[str, str, bytes, int] | None] = queue.Queue(capacity)
        self.counts = dict.fromkeys(sorted(self._waiting), 0)
        self.overflowed: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self.before_clock = 0
        self._heard = threading.Condition()
        self._newest_s = time.monotonic()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._write, name='writer', daemon=True)
        self._thread.start()
        self._timer = node.create_timer(
            _DISCOVERY_PERIOD_S, self.discover, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self.discover()

    @property
    def failed(self) -> bool:
        """Whether a message could not be written."""
        return self._failure is not None

    def wait_for_silence(self, silence_s: float, at_once: Callable[[], bool]) -> None:
        """Wait until nothing has come for a while.

        Args:
            silence_s: How long.
            at_once: Says whether to stop waiting; looked at when a message comes or time is up.
        """
        begin = time.monotonic()
        with self._heard:
            while not at_once():
                now = time.monotonic()
                left = max(self._newest_s, begin) + silence_s - now
                if left <= 0 or now - begin > _LONGEST_DRAIN_S:
                    return
                self._heard.wait(left)

    def finish(self) -> RecordReport:
        """Stop listening, write what waits, and say what was recorded.

        Raises:
            BagError: A message could not be written.
        """
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return RecordReport(self.counts, self.overflowed, self._lost, self.before_clock)

    def discover(self) -> None:
        """Subscribe to the topics that have appeared."""
        for topic in sorted(self._waiting & self._unmatched if self._unmatched else self._waiting):
            offers = [offer_of(i) for i in self._node.get_publishers_info_by_topic(topic)]
            if offers:
                self._waiting.remove(topic)
                type_name = offers[0].type_name
                self._subscribe(topic, type_name, choose(topic, offers, [type_name], Choice()))

    def _subscribe(self, topic: str, type_name: str, choice: Choice) -> None:
        try:
            kind = message_class(type_name)
        except ImportError as error:
            self._node.get_logger().error(f'{topic}: not recorded: {error}')
            return

        def count(event: Any) -> None:
            self._lost[topic] = self._lost.get(topic, 0) + event.total_count_change

        def note(event: Any) -> None:
            if event.current_count:
                self._unmatched.discard(topic)

        self._subscriptions.append(
            self._node.create_subscription(
                kind,
                topic,
                functools.partial(self._receive, topic, type_name),
                subscription_qos(choice, _DEPTH),
                raw=True,
                event_callbacks=SubscriptionEventCallbacks(message_lost=count, matched=note),
            )
        )

    def _receive(self, topic: str, type_name: str, data: bytes) -> None:
        received_ns = self._node.get_clock().now().nanoseconds
        with self._heard:
            self._newest_s = time.monotonic()
            self._heard.notify_all()
        if received_ns == 0:
            self.before_clock += 1
            return
        try:
            self._queue.put_nowait((topic, type_name, data, received_ns))
        except queue.Full:
            self.overflowed[topic] = self.overflowed.get(topic, 0) + 1

    def _write(self) -> None:
        for topic, type_name, data, received_ns in iter(self._queue.get, None):
            if self._failure is not None:
                continue  # the queue is emptied all the same, so that finish() can end
            try:
                self._bag.write_serialized(topic, type_name, data, received_ns)
            except (MmFusionError, OSError) as error:
                self._failure = error
                self._node.get_logger().error(f'recording has failed: {error}')
            else:
                self.counts[topic] += 1


def _resolved(node: Node, topic: str) -> str:
    try:
        return str(node.resolve_topic_name(topic))
    except RuntimeError as error:  # the base of what rclpy raises for a bad name
        raise MmFusionError(f'{topic}: {error}') from error


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bag_recorder', description=__doc__.split('\n', 1)[0])
    parser.add_argument('bag', type=Path, help='folder to make')
    parser.add_argument('topics', nargs='+', help='names of topics')
    parser.add_argument(
        '--first', nargs='*', default=[], metavar='TOPIC', help='topics to be connected first'
    )
    parser.add_argument(
        '--drain', type=float, default=0.0, metavar='S', help='silence that ends it (default 0)'
    )
    parser.add_argument('--summary', type=Path, help='write what was recorded, as JSON')
    return parser.parse_args(arguments)


def main(args: list[str] | None = None) -> int:
    """Record until a signal; the exit status is 0 where nothing was lost."""
    arguments = _arguments(remove_ros_args(sys.argv if args is None else args)[1:])
    console = Console(stderr=True)
    signals = threading.Semaphore(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: signals.release())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        report = _record(arguments, signals)
    except MmFusionError as error:
        console.print(f'bag_recorder: {error}', markup=False, soft_wrap=True)
        return 2
    finally:
        rclpy.try_shutdown()
    if arguments.summary is not None:
        arguments.summary.write_text(json.dumps(dataclasses.asdict(report), indent=2) + '\n')
    console.print(f'recorded {sum(report.written.values())} messages', highlight=False)
    for name in ('overflowed', 'lost', 'before_clock'):
        if count := getattr(report, name):
            console.print(f'bag_recorder: {name}: {count}', markup=False, soft_wrap=True)
    return 0 if report.complete else 1


def _record(arguments: argparse.Namespace, signals: threading.Semaphore) -> RecordReport:
    node = rclpy.create_node('bag_recorder')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with BagWriter(arguments.bag) as bag:
        recorder = BagRecorder(node, bag, arguments.topics, arguments.first)
        spinner = threading.Thread(target=_spin, args=(executor,), daemon=True)
        spinner.start()
        signals.acquire()
        recorder.wait_for_silence(arguments.drain, lambda: signals.acquire(blocking=False))
        executor.shutdown()
        spinner.join()
        return recorder.finish()


def _spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


if __name__ == '__main__':
    sys.exit(main())
