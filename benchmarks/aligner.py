# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost and memory of the aligner over an hour of simulated traffic.

    python -m benchmarks.aligner [--minutes 60] [--json FILE] [--check]

Four topics: camera at 30 Hz, sound in chunks of 50 ms, GNSS at 10 Hz, velocity at 100 Hz, with
latency and jitter, each push followed by a poll, as in the node. The garbage collector runs as in
production: what start-up left behind is frozen, and its longest pause is reported wherever it
fell. Wall time contains whatever else the machine does; the time of the thread's own CPU does not.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import time
from dataclasses import asdict, dataclass
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.alignment import Aligner
from mm_fusion.settings import AlignmentSettings
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.types.sensors import Sample

MEAN_LIMIT_US = 15.0
WORST_LIMIT_US = 1000.0

_SECOND_NS = 1_000_000_000
_START_NS = 1_700_000_000 * _SECOND_NS
_JPEG = np.zeros(50_000, np.uint8)
_SOUND = np.zeros(800, np.float32)
_COVARIANCE = np.eye(2)


@dataclass(frozen=True)
class Result:
    """Figures of one run; times in microseconds, memory in MiB."""

    minutes: float
    pushes: int
    snapshots: int
    completed: int
    dropped: int
    push_mean_us: float
    push_mean_cpu_us: float
    push_p999_us: float
    push_worst_us: float
    push_worst_cpu_us: float
    poll_mean_us: float
    poll_worst_us: float
    poll_worst_cpu_us: float
    collections: int
    longest_collection_us: float
    rss_growth_mib: float
    tracked_objects_growth: int

    @property
    def within_limits(self) -> bool:
        """Whether the limits hold that the project sets itself."""
        return self.push_mean_us <= MEAN_LIMIT_US and self.push_worst_cpu_us <= WORST_LIMIT_US


def sample(topic: str, stamp_ns: int, received_ns: int) -> Sample:
    """Make a message of a topic, as the adapters would."""
    if topic == 'camera':
        return CompressedImage(stamp_ns, received_ns, 'camera', 'jpeg', _JPEG)
    if topic == 'audio':
        return AudioChunk(stamp_ns, received_ns, 'microphone', 16_000, _SOUND)
    if topic == 'gnss':
        return GnssFix(stamp_ns, received_ns, 'gnss', 48.0, 11.0, 500.0, _COVARIANCE)
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


def run(minutes: float, *, freeze: bool) -> Result:
    """Drive the aligner through the traffic."""
    aligner = Aligner(AlignmentSettings(), audio_window_s=1.0)
    count = round(minutes * 60 * 160) + 4
    push, poll = np.zeros((2, count), np.int64), np.zeros((2, count), np.int64)
    snapshots = completed = i = 0
    gc.collect()
    if freeze:
        gc.freeze()
    watch = CollectorWatch()
    gc.callbacks.append(watch)
    memory = (0, 0)
    for received_ns, stamp_ns, topic in traffic(minutes):
        message = sample(topic, stamp_ns, received_ns)
        cpu_0, wall_0 = time.thread_time_ns(), time.perf_counter_ns()
        aligner.push(message)
        wall_1, cpu_1 = time.perf_counter_ns(), time.thread_time_ns()
        ready = aligner.poll(received_ns)
        wall_2, cpu_2 = time.perf_counter_ns(), time.thread_time_ns()
        push[0, i], push[1, i] = wall_1 - wall_0, cpu_1 - cpu_0
        poll[0, i], poll[1, i] = wall_2 - wall_1, cpu_2 - cpu_1
        snapshots += len(ready)
        completed += sum(snapshot.completed for snapshot in ready)
        i += 1
        if i == count // 10:
            memory = _memory()
    gc.callbacks.remove(watch)
    end = _memory()
    push_us, poll_us = push[:, :i] / 1e3, poll[:, :i] / 1e3
    return Result(
        minutes=minutes,
        pushes=i,
        snapshots=snapshots,
        completed=completed,
        dropped=sum(report.dropped for report in aligner.reports().values()),
        push_mean_us=float(push_us[0].mean()),
        push_mean_cpu_us=float(push_us[1].mean()),
        push_p999_us=float(np.quantile(push_us[0], 0.999)),
        push_worst_us=float(push_us[0].max()),
        push_worst_cpu_us=float(push_us[1].max()),
        poll_mean_us=float(poll_us[0].mean()),
        poll_worst_us=float(poll_us[0].max()),
        poll_worst_cpu_us=float(poll_us[1].max()),
        collections=watch.collections,
        longest_collection_us=watch.longest_ns / 1e3,
        rss_growth_mib=(end[0] - memory[0]) / 2**20,
        tracked_objects_growth=end[1] - memory[1],
    )


def _memory() -> tuple[int, int]:
    """Peak resident bytes so far, and objects that the collector tracks now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, len(gc.get_objects())


def main() -> int:
    """Run, print a table, and check the limits where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument('--minutes', type=float, default=60.0, help='simulated time')
    parser.add_argument('--no-freeze', action='store_true', help='without gc.freeze')
    parser.add_argument('--json', type=Path, help='write the figures to this file')
    parser.add_argument('--check', action='store_true', help='exit 1 where a limit is missed')
    arguments = parser.parse_args()
    result = run(arguments.minutes, freeze=not arguments.no_freeze)
    for name, value in asdict(result).items():
        print(
            f'{name:24} {value:14,.1f}' if isinstance(value, float) else f'{name:24} {value:14,}'
        )
    print(f'limits: mean {MEAN_LIMIT_US:g} µs, worst {WORST_LIMIT_US:g} µs of CPU:', end=' ')
    print('kept' if result.within_limits else 'missed')
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(asdict(result), indent=2) + '\n', encoding='utf-8')
    return int(arguments.check and not result.within_limits)


if __name__ == '__main__':
    sys.exit(main())
