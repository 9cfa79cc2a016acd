# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The executors of rclpy under the messages of a car: CPU time a message, and latency.

    python -m benchmarks.executors [--rounds 8] [--short] [--json FILE] [--check]

Raw frames of 640x360 at 30 Hz, velocity at 100 Hz, sound at 50 Hz and positions at 10 Hz come from
a process of their own. The node under measurement does nothing but answer each frame, so that what
is measured is the executor and the taking of messages. The executors take turns; each figure is a
median over the rounds. 'info' asks rclpy for what the middleware knows of each message, as the
fusion node does to count losses; the events executor of rclpy 9.1.2 fails on such callbacks.
Where rclpy has no events executor (before Kilted), the others are measured alone.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.processes import own_domain, running
from benchmarks.report import Outcome, conclude, parser, quantiles, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.feed import Window

SIZE = (360, 640)
CAMERA_HZ = 30.0
MESSAGES_HZ = CAMERA_HZ + 100.0 + 50.0 + 10.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rounds with one executor showed, each a median over the rounds.

    Attributes:
        cpu_ms: CPU time of the node for each message of any kind.
        latency_ms: Median from the stamp of a frame to the publication of its answer.
        tail_ms: The same, 99th percentile.
        answered: Share of the frames that were answered.
    """

    cpu_ms: float
    latency_ms: float
    tail_ms: float
    answered: float


def figures(windows: Sequence[Window]) -> Figures:
    """Take the medians of several rounds.

    What a loaded sender leaves out, it leaves out of every topic alike.
    """
    waits = [quantiles(one.latencies_ms, 0.5, 0.99) for one in windows]
    return Figures(
        cpu_ms=statistics.median(
            1e3 * one.cpu_s / (one.sent * MESSAGES_HZ / CAMERA_HZ) for one in windows
        ),
        latency_ms=statistics.median(median for median, _ in waits),
        tail_ms=statistics.median(tail for _, tail in waits),
        answered=statistics.median(one.share for one in windows),
    )


def take_turn(executor: str, folder: Path, seconds: float) -> Window:
    """Start a node with an executor, let the sensors speak, end it."""
    from benchmarks.executor_node import ANSWERS
    from benchmarks.feed import Feed

    with running('benchmarks.executor_node', (executor,), folder / f'{executor}.log') as process:
        feed = Feed(*SIZE, ANSWERS)
        try:
            feed.wait_for(process)
            return feed.run(process, CAMERA_HZ, seconds)
        finally:
            feed.close()


def outcome(found: Mapping[str, Figures]) -> Outcome:
    """Write the table."""
    rows = [
        (
            name,
            f'{one.cpu_ms:.3f} ms',
            f'{one.latency_ms:.1f} ms',
            f'{one.tail_ms:.1f} ms',
            f'{one.answered:.1%}',
        )
        for name, one in found.items()
    ]
    header = ('executor', 'CPU a message', 'latency p50', 'p99', 'answered')
    return Outcome(
        'Executors', table(header, rows), {name: asdict(one) for name, one in found.items()}
    )


def main() -> int:
    """Let the executors take turns and print the table."""
    from benchmarks.executor_node import executor_names

    arguments = parser(__doc__)
    arguments.add_argument('--rounds', type=int, default=8, help='of each executor')
    options = arguments.parse_args()
    rounds, seconds = (2, 4.0) if options.short else (options.rounds, 15.0)
    on = machine.describe()
    windows: dict[str, list[Window]] = {name: [] for name in executor_names()}
    with tempfile.TemporaryDirectory() as name, own_domain(Path(name)):
        for _ in range(rounds):
            for executor, found in windows.items():
                found.append(take_turn(executor, Path(name), seconds))
    return conclude(outcome({name: figures(some) for name, some in windows.items()}), options, on)


if __name__ == '__main__':
    raise SystemExit(main())
