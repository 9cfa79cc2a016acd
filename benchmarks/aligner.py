# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost and memory of the aligner over an hour of simulated traffic.

    python -m benchmarks.aligner [--minutes 60] [--passes 2] [--short] [--json FILE] [--check]

Four topics: camera at 30 Hz, sound in chunks of 50 ms, GNSS at 10 Hz, velocity at 100 Hz, with
latency and jitter, each push followed by a poll, as in the node. The same hour is driven more than
once, through a fresh aligner each time: what the aligner itself costs at a message repeats, and
what the machine was doing besides does not. So the cost of a push is the least of its passes; the
longest single call of all is shown too. The garbage collector runs as in production, with what
start-up left behind frozen.
"""

from __future__ import annotations

import gc
import random
import resource
import time
from dataclasses import asdict, dataclass
from heapq import merge
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import machine
from benchmarks.report import Outcome, Target, conclude, parser, table
from mm_fusion.alignment import Aligner
from mm_fusion.settings import AlignmentSettings
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.types.sensors import Sample

MEAN_LIMIT_US = 15.0
WORST_LIMIT_US = 1000.0

_SECOND_NS = 1_000_000_000
_START_NS = 1_700_000_000 * _SECOND_NS
_PAYLOADS = np.random.default_rng(0).integers(0, 256, (7, 50_000), np.uint8)
_SOUNDS = np.random.default_rng(0).normal(0.0, 0.1, (7, 800)).astype(np.float32)
"""In turns: a sensor that repeats itself counts as frozen."""
_COVARIANCE = np.eye(2)


@dataclass(frozen=True)
class Result:
    """Figures of all passes; times by the wall clock in microseconds, memory in MiB.

    Attributes:
        minutes: Simulated time of a pass.
        passes: Number of passes.
        pushes: Messages in a pass.
        snapshots: Snapshots in a pass.
        completed: Those that all sensors covered.
        dropped: Samples lost in a pass.
        push_mean_us: Mean cost of a push.
        push_p999_us: Cost that one push of a thousand exceeds.
        push_worst_us: Cost of the most expensive push.
        push_longest_call_us: Longest push of all passes, whatever interrupted it.
        poll_mean_us: Mean cost of a poll, snapshots included.
        poll_worst_us: Cost of the most expensive poll.
        collections: Runs of the garbage collector in a pass.
        longest_collection_us: The longest of them, wherever it fell and whatever interrupted it.
        rss_growth_mib: Growth of the peak memory over the last nine tenths of the first pass.
        tracked_objects_growth: Growth of what the collector tracks over the last nine tenths.
    """

    minutes: float
    passes: int
    pushes: int
    snapshots: int
    completed: int
    dropped: int
    push_mean_us: float
    push_p999_us: float
    push_worst_us: float
    push_longest_call_us: float
    poll_mean_us: float
    poll_worst_us: float
    collections: int
    longest_collection_us: float
    rss_growth_mib: float
    tracked_objects_growth: int


def sample(topic: str, stamp_ns: int, received_ns: int) -> Sample:
    """Make a message of a topic, as the adapters would."""
    turn = stamp_ns // 1_000_000 % 7
    if topic == 'camera':
        return CompressedImage(stamp_ns, received_ns, 'camera', 'jpeg', _PAYLOADS[turn])
    if topic == 'audio':
        return AudioChunk(stamp_ns, received_ns, 'microphone', 16_000, _SOUNDS[turn])
    if topic == 'gnss':
        latitude_deg = 48.0 + 1e-9 * turn
        return GnssFix(stamp_ns, received_ns, 'gnss', latitude_deg, 11.0, 500.0, _COVARIANCE)
    return VelocitySample(stamp_ns, received_ns, 10.0, 0.0, 0.1, 0.01, 0.001)


def arrivals(
    topic: str, rate_hz: int, latency_ns: int, end_ns: int
) -> Iterator[tuple[int, int, str]]:
    """Yield (received_ns, stamp_ns, topic) in order of arrival."""
    dice = random.Random(topic)
    period_ns = _SECOND_NS // rate_hz
    received_ns = 0
    for stamp_ns in range(_START_NS, end_ns, period_ns):
        jitter_ns = int(dice.expovariate(1.0) * 500_000)
        received_ns = max(received_ns + 1, stamp_ns + latency_ns + jitter_ns)
        yield received_ns, stamp_ns, topic


def traffic(minutes: float) -> Iterator[tuple[int, int, str]]:
    """Yield the arrivals of all topics, merged."""
    end_ns = _START_NS + round(minutes * 60 * _SECOND_NS)
    return merge(
        arrivals('camera', 30, 20_000_000, end_ns),
        arrivals('audio', 20, 52_000_000, end_ns),
        arrivals('gnss', 10, 60_000_000, end_ns),
        arrivals('velocity', 100, 2_000_000, end_ns),
    )


class CollectorWatch:
    """Times each run of the garbage collector."""

    def __init__(self) -> None:
        self.collections = 0
        self.longest_ns = 0
        self._started_ns = 0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        """Take the start or the stop of a collection."""
        if phase == 'start':
            self._started_ns = time.perf_counter_ns()
            return
        self.collections += 1
        self.longest_ns = max(self.longest_ns, time.perf_counter_ns() - self._started_ns)


@dataclass
class Pass:
    """What one pass through the traffic showed; times in nanoseconds, one for each message."""

    push_ns: NDArray[np.int64]
    poll_ns: NDArray[np.int64]
    snapshots: int = 0
    completed: int = 0
    dropped: int = 0
    early: tuple[int, int] = (0, 0)
    late: tuple[int, int] = (0, 0)


def drive(minutes: float) -> Pass:
    """Drive a fresh aligner through the traffic."""
    aligner = Aligner(AlignmentSettings(), audio_window_s=1.0)
    count = sum(1 for _ in traffic(minutes))
    # Filled, so that the pages are there before memory is measured.
    found = Pass(np.full(count, -1, np.int64), np.full(count, -1, np.int64))
    push_ns, poll_ns = found.push_ns, found.poll_ns
    for i, (received_ns, stamp_ns, topic) in enumerate(traffic(minutes)):
        message = sample(topic, stamp_ns, received_ns)
        start_ns = time.perf_counter_ns()
        aligner.push(message)
        pushed_ns = time.perf_counter_ns()
        ready = aligner.poll(received_ns)
        polled_ns = time.perf_counter_ns()
        push_ns[i], poll_ns[i] = pushed_ns - start_ns, polled_ns - pushed_ns
        found.snapshots += len(ready)
        found.completed += sum(snapshot.completed for snapshot in ready)
        if i == count // 10:
            found.early = _memory()
    found.late = _memory()
    found.dropped = sum(report.dropped for report in aligner.reports().values())
    return found


def run(minutes: float, passes: int) -> Result:
    """Drive the aligner through the same traffic several times."""
    gc.collect()
    gc.freeze()
    watch = CollectorWatch()
    gc.callbacks.append(watch)
    found = [drive(minutes) for _ in range(passes)]
    gc.callbacks.remove(watch)
    gc.unfreeze()
    push_us = np.min([one.push_ns for one in found], axis=0) / 1e3
    poll_us = np.min([one.poll_ns for one in found], axis=0) / 1e3
    first, last = found[0], found[-1]
    return Result(
        minutes=minutes,
        passes=passes,
        pushes=push_us.size,
        snapshots=last.snapshots,
        completed=last.completed,
        dropped=last.dropped,
        push_mean_us=float(push_us.mean()),
        push_p999_us=float(np.quantile(push_us, 0.999)),
        push_worst_us=float(push_us.max()),
        push_longest_call_us=max(int(one.push_ns.max()) for one in found) / 1e3,
        poll_mean_us=float(poll_us.mean()),
        poll_worst_us=float(poll_us.max()),
        collections=watch.collections // passes,
        longest_collection_us=watch.longest_ns / 1e3,
        rss_growth_mib=(first.late[0] - first.early[0]) / 2**20,
        tracked_objects_growth=last.late[1] - last.early[1],
    )


def _memory() -> tuple[int, int]:
    """Peak resident bytes so far, and objects that the collector tracks now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, len(gc.get_objects())


def outcome(result: Result) -> Outcome:
    """Put the figures into words."""
    lines = [
        f'{result.minutes:g} minutes of simulated traffic (camera 30 Hz, sound 20 Hz, GNSS 10 Hz, '
        f'velocity 100 Hz) in {result.passes} identical passes:',
        '',
        *table(
            ('', 'mean', '1 in 1000', 'worst'),
            [
                (
                    'push',
                    f'{result.push_mean_us:.1f} µs',
                    f'{result.push_p999_us:.0f} µs',
                    f'{result.push_worst_us:.0f} µs',
                ),
                ('poll', f'{result.poll_mean_us:.1f} µs', '', f'{result.poll_worst_us:.0f} µs'),
            ],
        ),
        f'{result.pushes:,} pushes gave {result.snapshots:,} snapshots, {result.completed:,} of '
        f'them complete, and dropped {result.dropped} samples; the longest single call of all '
        f'passes took {result.push_longest_call_us:.0f} µs, and resident memory grew by '
        f'{result.rss_growth_mib:.1f} MiB over the last 90 %.',
    ]
    targets = [
        Target('mean cost of a push', result.push_mean_us, MEAN_LIMIT_US, 'µs'),
        Target('most expensive push', result.push_worst_us, WORST_LIMIT_US, 'µs'),
    ]
    return Outcome('Aligner', lines, asdict(result), targets)


def main() -> int:
    """Run and report."""
    options = parser(__doc__)
    options.add_argument('--minutes', type=float, help='simulated time of a pass')
    options.add_argument('--passes', type=int, default=2, help='times that it is driven')
    arguments = options.parse_args()
    minutes = arguments.minutes or (5.0 if arguments.short else 60.0)
    on = machine.describe()
    return conclude(outcome(run(minutes, arguments.passes)), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
