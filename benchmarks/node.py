# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion node against the straightforward one, over real DDS, with all four sensors.

    python -m benchmarks.node [--rounds 2] [--short] [--json FILE] [--check]

Raw bgr8 frames of 640x360, sound of 16 kHz in chunks of 20 ms, velocity at 100 Hz, GNSS at 10 Hz.
Publisher and node are processes of their own; the nodes take turns. In each turn the camera runs
at 15 frames/s for the latencies, and then goes up a ladder of rates until the node is beyond
saturation. The straightforward node runs with torch as it comes, which takes a thread for each
core, and with one thread, which is faster where the cores are busy; the better of the two counts.
Without torch the fusion node runs alone. What is promised is that of the fusion node as it is
shipped, at the precision that it chooses for the processor; where that is int8, it runs with the
float32 networks, which the straightforward node has, as well.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.processes import own_domain, running
from benchmarks.report import Outcome, Target, conclude, parser, quantiles, table
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.choice import choose_on_cpu

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.feed import Window

SIZE = (360, 640)
LATENCY_HZ = 15.0
SUSTAINED_SHARE = 0.99
SUSTAINED_TARGET_HZ, RATIO_TARGET, TAIL_TARGET = 15.0, 2.5, 3.0
FUSION = 'fusion node'
FUSION_FP32 = 'fusion node, float32 networks'
STRAIGHTFORWARD = ('straightforward node', 'straightforward node, 1 thread of torch')

_LADDER_HZ = (
    2.5,
    5.0,
    7.5,
    10.0,
    12.5,
    15.0,
    20.0,
    25.0,
    30.0,
    40.0,
    50.0,
    60.0,
    70.0,
    80.0,
    90.0,
    100.0,
    120.0,
)
_SHORT_LADDER_HZ = (2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 105.0, 120.0)
_BEYOND_SHARE = 0.7
NODES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    **{
        name: (
            'mm_fusion.nodes.fusion_node',
            '/mm_fusion/road_state',
            ('--ros-args', '-p', 'node.autostart:=true', *more),
        )
        for name, more in ((FUSION, ()), (FUSION_FP32, ('-p', 'inference.precision:=fp32')))
    },
    **{
        name: ('benchmarks.straightforward_node', '/straightforward/road_state', arguments)
        for name, arguments in zip(STRAIGHTFORWARD, ((), ('--threads', '1')))
    },
}
"""Module, topic of the answers and arguments of each node."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a node showed.

    Attributes:
        ladder: By rate of the camera, upwards.
        steady: At ``LATENCY_HZ``.
    """

    ladder: Sequence[Window]
    steady: Window

    @property
    def sustained_hz(self) -> float:
        """Answers a second at the highest rate at which 99 % of the frames were answered."""
        kept = [one.answers_hz for one in self.ladder if one.share >= SUSTAINED_SHARE]
        return max(kept, default=0.0)

    @property
    def throughput_hz(self) -> float:
        """Most answers a second at any rate."""
        return max((one.answers_hz for one in self.ladder), default=0.0)

    @property
    def cpu_ms(self) -> float:
        """CPU time for each answer at ``LATENCY_HZ``, everything included."""
        answers = len(self.steady.latencies_ms)
        return 1e3 * self.steady.cpu_s / answers if answers else float('nan')


def climb(measure: Callable[[float], Window], rates_hz: Sequence[float]) -> list[Window]:
    """Measure at rising rates until the node is well beyond saturation."""
    found: list[Window] = []
    for rate_hz in rates_hz:
        found.append(measure(rate_hz))
        if found[-1].share < _BEYOND_SHARE:
            break
    return found


def take_turn(name: str, folder: Path, rung_s: float, steady_s: float, *, short: bool) -> Turn:
    """Start a node, measure it, end it."""
    from benchmarks.feed import Feed

    module, answers, arguments = NODES[name]
    with running(module, arguments, folder / f'{name}.log') as node:
        feed = Feed(*SIZE, answers)
        try:
            feed.wait_for(node)
            steady = feed.run(node, LATENCY_HZ, steady_s)
            rates = _SHORT_LADDER_HZ if short else _LADDER_HZ
            return Turn(climb(lambda rate: feed.run(node, rate, rung_s), rates), steady)
        finally:
            feed.close()


def summary(turns: Sequence[Turn]) -> dict[str, float]:
    """Join the turns of one node: latencies as if of one turn, of all else the mean."""
    latencies = [value for turn in turns for value in turn.steady.latencies_ms]
    median, high = quantiles(latencies, 0.5, 0.99)
    return {
        'sustained_hz': statistics.fmean(turn.sustained_hz for turn in turns),
        'throughput_hz': statistics.fmean(turn.throughput_hz for turn in turns),
        'median_ms': median,
        'p99_ms': high,
        'answered_share': statistics.fmean(turn.steady.share for turn in turns),
        'cpu_ms': statistics.fmean(turn.cpu_ms for turn in turns),
    }


def outcome(turns: Mapping[str, Sequence[Turn]], precision: str, why: str) -> Outcome:
    """Put the figures into words.

    Args:
        turns: By name of the node, ``FUSION`` among them.
        precision: Of the fusion node as it is shipped.
        why: It was chosen.
    """
    figures = {name: summary(found) for name, found in turns.items()}
    rows = [
        (
            name,
            f'{each["sustained_hz"]:.1f}',
            f'{each["throughput_hz"]:.1f}'
            f' ({", ".join(f"{turn.throughput_hz:.1f}" for turn in turns[name])})',
            f'{each["median_ms"]:.1f}, {each["p99_ms"]:.1f}',
            f'{each["answered_share"]:.1%}',
            f'{each["cpu_ms"]:.1f}',
        )
        for name, each in figures.items()
    ]
    header = (
        'raw bgr8 640×360, all sensors',
        'sustained [frames/s]',
        'most answers a second (each turn)',
        f'stamp to publish at {LATENCY_HZ:g} frames/s: median, p99 [ms]',
        'answered there',
        'CPU for each [ms]',
    )
    own = figures[FUSION]
    targets = [
        Target('sustained', own['sustained_hz'], SUSTAINED_TARGET_HZ, 'frames/s', at_least=True),
        Target('p99 of stamp to publish by median', own['p99_ms'] / own['median_ms'], TAIL_TARGET),
    ]
    lines = [f'The fusion node chose {precision}: {why}.', '', *table(header, rows)]
    peers = [figures[name]['throughput_hz'] for name in STRAIGHTFORWARD if name in figures]
    if peers:
        ratio = own['throughput_hz'] / max(peers) if max(peers) else float('nan')
        targets.append(
            Target(
                'throughput by the better straightforward node', ratio, RATIO_TARGET, at_least=True
            )
        )
    else:
        lines.append('The straightforward node was left out: torch is not installed.')
    detail: dict[str, Any] = {
        name: [asdict(turn) for turn in found] for name, found in turns.items()
    }
    return Outcome('Node', lines, {'summary': figures, 'turns': detail}, targets)


def main() -> int:
    """Let the nodes take turns, and report."""
    options = parser(__doc__)
    options.add_argument('--rounds', type=int, default=2, help='turns of each node')
    arguments = options.parse_args()
    on = machine.describe()
    rung_s, steady_s = (2.0, 5.0) if arguments.short else (6.0, 30.0)
    names = [FUSION]
    on_cpu = choose_on_cpu(Bundle.load('base'))
    if on_cpu.precision != 'fp32':
        names.append(FUSION_FP32)
    if importlib.util.find_spec('torch') is not None:
        names.extend(STRAIGHTFORWARD)
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, own_domain(Path(folder)):
        for _ in range(arguments.rounds):
            for name in names:
                turn = take_turn(name, Path(folder), rung_s, steady_s, short=arguments.short)
                turns[name].append(turn)
    return conclude(outcome(turns, on_cpu.precision, on_cpu.why), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
