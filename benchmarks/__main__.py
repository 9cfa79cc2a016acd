# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run benchmarks by name, or all of them in short, and sum up what is promised.

python -m benchmarks [--long] [aligner] [pipeline] ...
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

REPORTING = (
    'aligner',
    'synchronizer',
    'geometry',
    'pipeline',
    'node',
    'executors',
    'evaluate',
    'soak',
)
"""Those with the options of ``benchmarks.report``."""
BENCHMARKS = (*REPORTING, 'simulation_camera', 'simulation_sound')


def main() -> int:
    """Run each benchmark in a process of its own, and fail if one of them fails."""
    parser = argparse.ArgumentParser(description='Measure latency and throughput.')
    parser.add_argument('names', nargs='*', metavar='name', help=f'of {", ".join(BENCHMARKS)}')
    parser.add_argument('--long', action='store_true', help='at the length that is published')
    options = parser.parse_args()
    names = options.names or BENCHMARKS
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f'found {", ".join(unknown)}, expected names of {", ".join(BENCHMARKS)}')
    failed: list[str] = []
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f'\n== {name}', flush=True)
            path = Path(folder, f'{name}.json')
            command = [sys.executable, '-m', f'benchmarks.{name}']
            if name in REPORTING:
                command += ['--json', str(path), *([] if options.long else ['--short'])]
            if subprocess.run(command, check=False).returncode != 0:
                failed.append(name)
            elif path.exists():
                found[name] = json.loads(path.read_text(encoding='utf-8'))
    Console().print(summary(found, failed))
    return int(bool(failed))


def summary(found: dict[str, dict[str, Any]], failed: list[str]) -> Table:
    """Make a table of every target.

    Args:
        found: What each benchmark wrote as JSON, by name.
        failed: Names of those that ended with an error.
    """
    drawn = Table(title='Targets', title_justify='left')
    for name in ('benchmark', 'figure', 'found', 'promised', ''):
        drawn.add_column(name)
    for name, document in found.items():
        for target in document['targets']:
            result, promise = target['text']
            verdict = '[green]kept' if target['kept'] else '[red]missed'
            drawn.add_row(name, target['what'], result, promise, verdict)
    for name in failed:
        drawn.add_row(name, 'failed', '', '', '[red]failed')
    return drawn


if __name__ == '__main__':
    raise SystemExit(main())
