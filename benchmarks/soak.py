# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Memory, losses and latencies of the fusion node at 1080p30, for long, over real DDS.

    python -m benchmarks.soak [--minutes 10] [--output FOLDER] [--transport both]
                              [--short] [--json FILE] [--check]

Raw bgr8 frames of 1920x1080 at 30 Hz, sound of 16 kHz in chunks of 20 ms, velocity at 100 Hz, GNSS
at 10 Hz, with ``config/fastdds_large_images.xml``; before that a shorter while without it, so that
one sees why it is there. Every second goes into ``soak.csv`` and ``soak.png`` in the output folder
(default: ``bench``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.processes import own_domain, running
from benchmarks.report import Outcome, Target, conclude, parser, quantiles, table
from benchmarks.soak_record import Second, fitted_growth, uncounted, write_csv, write_figure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SIZE = (1080, 1920)
CAMERA_HZ = 30.0
GROWTH_TARGET = 2.0
_DEFAULT_SECONDS = 30.0
_SHORT_SECONDS = 20.0
_NODE = ('mm_fusion.nodes.fusion_node', ('--ros-args', '-p', 'node.autostart:=true'))


def soak(seconds: float, folder: Path, *, profile: bool) -> dict[str, Any]:
    """Run the node for a while.

    Args:
        seconds: How long.
        folder: For the log.
        profile: Whether to use the transport profile for large images.

    Returns:
        ``seconds``, one record for each; ``books``, the counts at the end; ``latencies_ms``,
        median and 99 % quantile.
    """
    with own_domain(folder, profile=profile):
        from benchmarks.feed import Feed
        from benchmarks.soak_record import Books

        module, arguments = _NODE
        with running(module, arguments, folder / 'node.log') as node:
            feed = Feed(*SIZE, '/mm_fusion/road_state')
            try:
                books = Books(feed.node)
                if profile:
                    feed.wait_for(node)
                else:
                    books.wait_for_camera(feed, node)
                begin = books.read(feed)
                found: list[Second] = []

                def note(elapsed_s: float) -> None:
                    found.append(books.second(elapsed_s, feed, node.memory_mib()))

                window = feed.run(node, CAMERA_HZ, seconds, note)
                end = books.read(feed)
            finally:
                feed.close()
    counts = {name: end[name] - begin[name] for name in end}
    return {
        'seconds': [asdict(second) for second in found],
        'books': counts | {'uncounted': uncounted(counts)},
        'latencies_ms': quantiles(window.latencies_ms, 0.5, 0.99),
        'cpu_share': window.cpu_s / window.seconds,
    }


def outcome(runs: dict[str, dict[str, Any]], output: Path) -> Outcome:
    """Put the figures into words.

    Args:
        runs: What ``soak`` gave, by transport: ``profile``, ``default``.
        output: Where CSV and figure are.
    """
    names = {
        'profile': 'with `config/fastdds_large_images.xml`',
        'default': 'without it',
    }
    rows = []
    for key, run in runs.items():
        books = run['books']
        median, high = run['latencies_ms']
        lengths = run['seconds'][-1]['time_s'] if run['seconds'] else 0.0
        rows.append(
            (
                f'{names[key]}, {lengths / 60:.1f} min',
                *(
                    f'{books[name]:,}'
                    for name in ('sent', 'received', 'lost', 'dropped', 'superseded', 'uncounted')
                ),
                f'{books["outputs"]:,}',
                f'{median:.0f}, {high:.0f}',
                f'{run["cpu_share"]:.0%}',
            )
        )
    header = (
        'raw bgr8 1920×1080 at 30 Hz, all sensors',
        'frames sent',
        'received',
        'lost',
        'of those received: dropped',
        'superseded',
        'uncounted',
        'outputs',
        'stamp to publish: median, p99 [ms]',
        'CPU of the node, of one core',
    )
    lines = table(header, rows)
    targets: list[Target] = []
    if 'profile' in runs:
        seconds = [Second(**second) for second in runs['profile']['seconds']]
        growth = fitted_growth([s.time_s for s in seconds], [s.rss_mib for s in seconds])
        last = seconds[-1]
        lines.append(
            f'Resident memory of the node at the end: {last.rss_mib:.0f} MiB, '
            f'{last.anonymous_mib:.0f} MiB of which it shares with nobody. '
            f'Each second is in `{output / "soak.csv"}`, drawn in `{output / "soak.png"}`.'
        )
        targets = [
            Target('growth of resident memory by linear fit', abs(growth), GROWTH_TARGET, '%'),
            Target('camera frames unaccounted for', abs(runs['profile']['books']['uncounted']), 0),
        ]
    return Outcome('Soak', lines, runs, targets)


def without_profile(seconds: float, folder: Path) -> dict[str, Any]:
    """Run without the profile, in a process of its own: Fast DDS reads it once in a process."""
    path = folder / 'default.json'
    command = [
        sys.executable, '-m', 'benchmarks.soak', '--transport', 'default',
        '--minutes', str(seconds / 60), '--json', str(path), '--output', str(folder),
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    document = json.loads(path.read_text(encoding='utf-8'))
    found: dict[str, Any] = document['figures']['default']
    return found


def measure(arguments: argparse.Namespace, output: Path) -> dict[str, dict[str, Any]]:
    """Run what is asked for."""
    seconds = 60 * arguments.minutes
    if arguments.short:
        seconds = _SHORT_SECONDS
    runs = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.transport == 'default':
            runs['default'] = soak(seconds, folder, profile=False)
        if arguments.transport == 'both':
            runs['default'] = without_profile(min(seconds, _DEFAULT_SECONDS), folder)
        if arguments.transport != 'default':
            runs['profile'] = soak(seconds, folder, profile=True)
    kept: Sequence[dict[str, Any]] = runs.get('profile', {}).get('seconds', ())
    if kept:
        records = [Second(**second) for second in kept]
        output.mkdir(parents=True, exist_ok=True)
        write_csv(output / 'soak.csv', records)
        write_figure(output / 'soak.png', records)
    return runs


def main() -> int:
    """Run and report."""
    options = parser(__doc__)
    options.add_argument('--minutes', type=float, default=10.0, help='length of the run')
    options.add_argument('--output', type=Path, default=Path('bench'), help='for CSV and figure')
    options.add_argument('--transport', choices=('both', 'profile', 'default'), default='both')
    arguments = options.parse_args()
    on = machine.describe()
    runs = measure(arguments, arguments.output)
    return conclude(outcome(runs, arguments.output), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
