# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated driving in loops, with faults, through the node over DDS: does it stay as it was?

    python -m benchmarks.long_run [--minutes 60] [--scenario sensor_failures] [--output FOLDER]
                                  [--short] [--json FILE] [--check]

One drive after another, each with the next seed. Every second goes into ``long_run.csv`` and
``long_run.png`` in the output folder (default: ``bench``).
"""

from __future__ import annotations

import csv
import itertools
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import machine
from benchmarks.processes import own_domain, running
from benchmarks.report import Outcome, Target, conclude, parser
from benchmarks.soak_record import fitted_growth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.processes import Measured

GROWTH_TARGET = 2.0
SLOWER_TARGET = 1.5
_SHORT_MINUTES = 1.0
_LEVELS = ('full', 'reduced', 'motion only', 'none')
_PATIENCE_S = 180.0
_REMAPPINGS = (
    'image:=/camera/image/compressed', 'audio:=/audio', 'fix:=/gnss/fix',
    'velocity:=/vehicle/velocity',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Second:
    """One second, as the node last told of itself.

    Attributes:
        time_s: Since the node gave its first output.
        rss_mib: Resident memory of the node.
        anonymous_mib: The part of it that is shared with nobody.
        outputs: Predictions so far.
        opened: Snapshots so far; each ends as one of the next two, is pending or was discarded.
        emitted: Snapshots inferred.
        superseded: Snapshots given up for a newer one.
        received: Messages taken in, of all sensors.
        dropped: Of those, refused.
        level: Degradation level.
        latency_ms: Recent mean of all stages together.
    """

    time_s: float
    rss_mib: float
    anonymous_mib: float
    outputs: int
    opened: int
    emitted: int
    superseded: int
    received: int
    dropped: int
    level: int
    latency_ms: float


def drive(minutes: float, scenario: str, folder: Path) -> list[Second]:
    """Run simulator and node for a while.

    Raises:
        TimeoutError: The node says nothing.
    """
    with own_domain(folder):
        simulator = ['--ros-args', '-p', f'scenario:={scenario}', '-p', 'drives:=0']
        node = ['--ros-args', '-p', 'node.autostart:=true', '-p', 'use_sim_time:=true']
        for remapping in _REMAPPINGS:
            node += ['-r', remapping]
        with (
            running('mm_fusion.nodes.fusion_node', node, folder / 'node.log') as measured,
            running(
                'mm_fusion.nodes.simulator_node', simulator, folder / 'simulator.log'
            ) as world,
        ):
            return _record(measured, world, 60.0 * minutes)


def _record(measured: Measured, world: Measured, seconds: float) -> list[Second]:
    import rclpy
    from mm_fusion_msgs.msg import FusionStatus
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    context = Context()
    rclpy.init(args=[], context=context)
    ear = Node('long_run', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(ear)
    heard: list[Any] = []
    ear.create_subscription(FusionStatus, '/mm_fusion/status', heard.append, 10)
    found: list[Second] = []
    waited, start = time.monotonic(), None
    try:
        while start is None or time.monotonic() - start < seconds:
            executor.spin_once(timeout_sec=0.2)
            measured.check()
            world.check()
            if heard and heard[-1].outputs:
                start = start or time.monotonic()
                found.append(_second(heard[-1], time.monotonic() - start, measured))
                heard.clear()
                waited = time.monotonic()
            elif time.monotonic() - waited > _PATIENCE_S:
                raise TimeoutError(f'the node gave no output within {_PATIENCE_S:g} s')
    finally:
        executor.shutdown()
        ear.destroy_node()
        context.try_shutdown()
    return found


def _second(status: Any, time_s: float, measured: Measured) -> Second:
    resident, anonymous = measured.memory_mib()
    return Second(
        time_s=time_s,
        rss_mib=resident,
        anonymous_mib=anonymous,
        outputs=status.outputs,
        opened=status.snapshots_opened,
        emitted=status.snapshots_emitted,
        superseded=status.snapshots_superseded,
        received=sum(item.received for item in status.modalities),
        dropped=sum(item.dropped for item in status.modalities),
        level=status.level,
        latency_ms=1e3 * sum(status.stage_latencies),
    )


def outcome(seconds: Sequence[Second], output: Path) -> Outcome:
    """Put the figures into words."""
    last = seconds[-1]
    growth = fitted_growth([s.time_s for s in seconds], [s.anonymous_mib for s in seconds])
    latencies = np.array([s.latency_ms for s in seconds])
    third = max(1, len(latencies) // 3)
    slower = float(np.median(latencies[-third:]) / np.median(latencies[:third]))
    backward = sum(
        getattr(b, name) < getattr(a, name)
        for a, b in itertools.pairwise(seconds)
        for name in ('outputs', 'opened', 'emitted', 'received', 'dropped', 'superseded')
    )
    impossible = sum(s.emitted + s.superseded > s.opened for s in seconds)
    lines = [
        f'{last.time_s / 60:.1f} min: {last.received:,} messages taken in, {last.dropped:,} '
        f'refused; {last.opened:,} snapshots, {last.outputs:,} outputs, {last.superseded:,} '
        f'superseded. Memory of the node alone at the end: {last.anonymous_mib:.0f} MiB. Degraded '
        f'in {sum(s.level > 0 for s in seconds)} of {len(seconds)} reports.',
        '',
        f'Each second is in `{output / "long_run.csv"}`, drawn in `{output / "long_run.png"}`.',
        '',
    ]
    return Outcome(
        'Long run',
        lines,
        {'seconds': [asdict(second) for second in seconds]},
        [
            Target('growth of memory by linear fit', abs(growth), GROWTH_TARGET, '%'),
            Target('latency of the last third against the first', slower, SLOWER_TARGET),
            Target('counters that went back or do not add up', backward + impossible, 0),
        ],
    )


def write(output: Path, seconds: Sequence[Second]) -> None:
    """Write the CSV and draw memory, latency and level."""
    import matplotlib as mpl

    mpl.use('Agg')
    from matplotlib import pyplot as plt

    output.mkdir(parents=True, exist_ok=True)
    with (output / 'long_run.csv').open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Second)])
        writer.writeheader()
        writer.writerows(asdict(second) for second in seconds)
    figure, axes = plt.subplots(3, 1, sharex=True, figsize=(9, 8), layout='constrained')
    minutes = [second.time_s / 60 for second in seconds]
    for panel, name, label in zip(
        axes,
        ('anonymous_mib', 'latency_ms', 'level'),
        ('memory of the node alone [MiB]', 'all stages, recent mean [ms]', 'degradation level'),
        strict=True,
    ):
        values = [getattr(second, name) for second in seconds]
        panel.plot(minutes, values, lw=0.8)
        panel.set(ylabel=label, ylim=(0, 1.15 * max(*values, 1)))
        panel.grid(alpha=0.3)
    axes[-1].set(yticks=range(len(_LEVELS)), yticklabels=_LEVELS, ylim=(-0.2, 3.2))
    axes[-1].set(xlabel='time [min]')
    figure.savefig(output / 'long_run.png', dpi=120)
    plt.close(figure)


def main() -> int:
    """Run and report."""
    options = parser(__doc__)
    options.add_argument('--minutes', type=float, default=60.0, help='length of the run')
    options.add_argument('--scenario', default='sensor_failures', help='name or file')
    options.add_argument('--output', type=Path, default=Path('bench'), help='for CSV and figure')
    arguments = options.parse_args()
    on = machine.describe()
    minutes = _SHORT_MINUTES if arguments.short else arguments.minutes
    with tempfile.TemporaryDirectory() as name:
        seconds = drive(minutes, arguments.scenario, Path(name))
    write(arguments.output, seconds)
    return conclude(outcome(seconds, arguments.output), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
