# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The aligner against ApproximateTimeSynchronizer of message_filters (Python).

    python -m benchmarks.synchronizer [--message-filters FOLDER] [--short] [--json FILE] [--check]

Both get the same messages in the same order of arrival: four topics (camera 30 Hz, sound 20 Hz,
GNSS 10 Hz, velocity 100 Hz), five (odometry of 50 Hz, which feeds the aligner's velocity too), and
the four as a bag that is played twice, where the stamps jump back. The synchroniser is set up as
its documentation does it, with a queue of 20 and a slop of 0.1 s, and gets ROS messages through
the method that its subscribers call. Costs are CPU time. Latency is from the stamp of the frame to
the arrival that let the set go, in simulated time.

message_filters is not part of the wheels of ROS: it is imported where it is installed, or from
FOLDER, which holds ``message_filters/__init__.py``. Else the aligner is measured alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.aligner import arrivals, sample
from benchmarks.report import Outcome, Target, conclude, parser, quantiles, table
from mm_fusion.alignment import Aligner
from mm_fusion.settings import AlignmentSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUEUE, SLOP_S = 20, 0.1
SOURCE = 'https://github.com/ros2/message_filters'
_SECOND_NS = 1_000_000_000
_START_NS = 1_700_000_000 * _SECOND_NS
_TAIL_NS, _PAUSE_NS = 200_000_000, 100_000_000
_TOPICS = {
    'camera': (30, 20_000_000),
    'audio': (20, 52_000_000),
    'gnss': (10, 60_000_000),
    'velocity': (100, 2_000_000),
    'odometry': (50, 5_000_000),
}
"""Rate (Hz) and latency (ns) of each topic."""
_FOUR, _FIVE = tuple(_TOPICS)[:4], tuple(_TOPICS)

Event = tuple[int, int, str]
"""Time of arrival (ns), stamp (ns) and topic."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one of the two made of a traffic.

    Attributes:
        messages: How many came.
        frames: Camera frames among them.
        sets: Sets that it gave, in each pass through the traffic.
        mean_us: Mean cost of a message.
        worst_us: Cost of the most expensive message.
        latency_ms: Median, from the stamp of a frame to its set.
    """

    messages: int
    frames: int
    sets: list[int]
    mean_us: float
    worst_us: float
    latency_ms: float


def traffic(topics: Sequence[str], seconds: float, passes: int = 1) -> list[list[Event]]:
    """List what arrives in each pass: the stamps of the first, after the one before.

    The camera ends before the others, so that its last frames find what belongs to them.
    """
    end_ns = _START_NS + round(seconds * _SECOND_NS)
    once = [
        event
        for event in merge(*(arrivals(topic, *_TOPICS[topic], end_ns) for topic in topics))
        if event[2] != 'camera' or event[1] < end_ns - _TAIL_NS
    ]
    length_ns = once[-1][0] - once[0][0] + _PAUSE_NS
    return [
        [
            (received_ns + index * length_ns, stamp_ns, topic)
            for received_ns, stamp_ns, topic in once
        ]
        for index in range(passes)
    ]


def measure(
    passes: Sequence[Sequence[Event]],
    prepare: Callable[[Event], Any],
    take: Callable[[Event, Any], list[int]],
) -> Result:
    """Hand over the messages one by one.

    Args:
        passes: What arrives in each.
        prepare: Makes the message; not timed.
        take: Hands it over, and returns the stamps of the frames of the sets that it let go.
    """
    costs, sets, latencies = [], [], []
    for events in passes:
        late_ns = events[0][0] - passes[0][0][0]
        sets.append(0)
        for event in events:
            message = prepare(event)
            start_ns = time.thread_time_ns()
            stamps = take(event, message)
            costs.append((time.thread_time_ns() - start_ns) / 1e3)
            sets[-1] += len(stamps)
            latencies += [(event[0] - late_ns - stamp) / 1e6 for stamp in stamps]
    return Result(
        messages=len(costs),
        frames=sum(topic == 'camera' for events in passes for _, _, topic in events),
        sets=sets,
        mean_us=statistics.fmean(costs),
        worst_us=max(costs),
        latency_ms=quantiles(latencies, 0.5)[0],
    )


def run_aligner(passes: Sequence[Sequence[Event]]) -> Result:
    """Measure the aligner, asked for snapshots after each message."""
    aligner = Aligner(AlignmentSettings(), audio_window_s=1.0)

    def take(event: Event, message: Any) -> list[int]:
        aligner.push(message)
        return [snapshot.stamp_ns for snapshot in aligner.poll(event[0])]

    return measure(passes, lambda event: sample(event[2], event[1], event[0]), take)


def run_synchronizer(
    passes: Sequence[Sequence[Event]], topics: Sequence[str], message_filters: Any
) -> Result:
    """Measure the synchroniser of message_filters."""
    from builtin_interfaces.msg import Time
    from geometry_msgs.msg import TwistStamped
    from mm_fusion_msgs.msg import AudioStamped
    from nav_msgs.msg import Odometry
    from sensor_msgs.msg import CompressedImage, NavSatFix

    types = {
        'camera': CompressedImage,
        'audio': AudioStamped,
        'gnss': NavSatFix,
        'velocity': TwistStamped,
        'odometry': Odometry,
    }
    filters = {topic: message_filters.SimpleFilter() for topic in topics}
    synchronizer = message_filters.ApproximateTimeSynchronizer(
        list(filters.values()), queue_size=QUEUE, slop=SLOP_S
    )
    found: list[int] = []

    def keep(*messages: Any) -> None:
        stamp = messages[0].header.stamp
        found.append(stamp.sec * _SECOND_NS + stamp.nanosec)

    synchronizer.registerCallback(keep)

    def prepare(event: Event) -> Any:
        message = types[event[2]]()
        message.header.stamp = Time(sec=event[1] // _SECOND_NS, nanosec=event[1] % _SECOND_NS)
        return message

    def take(event: Event, message: Any) -> list[int]:
        found.clear()
        filters[event[2]].signalMessage(message)
        return list(found)

    return measure(passes, prepare, take)


def find_message_filters(folder: Path | None) -> Any:
    """Import message_filters; None where it is not installed and no folder is named.

    Raises:
        FileNotFoundError: The folder does not hold it.
    """
    if folder is not None:
        if not (folder / 'message_filters' / '__init__.py').is_file():
            raise FileNotFoundError(f'{folder}: found no message_filters/__init__.py')
        sys.path.insert(0, str(folder))
    elif importlib.util.find_spec('message_filters') is None:
        return None
    return importlib.import_module('message_filters')


def outcome(results: dict[str, dict[str, Result]]) -> Outcome:
    """Put the figures into words.

    Args:
        results: By traffic, then by ``aligner`` and ``message_filters``.
    """
    rows = [
        (
            traffic_name,
            name,
            f'{" + ".join(f"{count:,}" for count in result.sets)} of {result.frames:,}',
            f'{result.mean_us:.1f} µs',
            f'{result.worst_us / 1e3:.2f} ms',
            f'{result.latency_ms:.0f} ms',
        )
        for traffic_name, found in results.items()
        for name, result in found.items()
    ]
    header = ('traffic', '', 'sets of frames', 'mean a message', 'worst', 'median latency')
    lines = table(header, rows)
    lines += [
        'A set of message_filters needs a message of every topic, so that it gives one for each '
        'position; the aligner gives one for each frame, with what there is of the others.',
        '',
    ]
    targets = []
    for traffic_name, found in results.items():
        own = found['aligner']
        lost = own.frames - sum(own.sets)
        targets.append(Target(f'{traffic_name}: frames without a set', lost, 0))
        if 'message_filters' in found:
            ratio = found['message_filters'].mean_us / own.mean_us
            what = f'{traffic_name}: mean cost of message_filters by the aligner'
            targets.append(Target(what, ratio, 1.0, at_least=True))
    if not any('message_filters' in found for found in results.values()):
        lines.append(
            'message_filters is not installed, so that there is nothing to compare with: '
            f'--message-filters names a folder with it. Its source: {SOURCE}.'
        )
    figures = {
        traffic_name: {name: asdict(result) for name, result in found.items()}
        for traffic_name, found in results.items()
    }
    return Outcome('Aligner against message_filters', lines, figures, targets)


def main() -> int:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument('--message-filters', type=Path, metavar='FOLDER', help='what to import')
    arguments = options.parse_args()
    on = machine.describe()
    peer = find_message_filters(arguments.message_filters)
    seconds = 20.0 if arguments.short else 120.0
    results: dict[str, dict[str, Result]] = {}
    for name, topics, length_s, loops in (
        ('four topics', _FOUR, seconds, 1),
        ('five topics', _FIVE, seconds, 1),
        ('four topics, a bag in a loop', _FOUR, 10.0, 2),
    ):
        passes = traffic(topics, length_s, loops)
        results[name] = {'aligner': run_aligner(passes)}
        if peer is not None:
            results[name]['message_filters'] = run_synchronizer(passes, topics, peer)
    return conclude(outcome(results), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
