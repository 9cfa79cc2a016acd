# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run benchmarks by name, or all of them: ``python -m benchmarks [aligner] [pipeline]``."""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS = ('aligner', 'geometry', 'pipeline', 'simulation_camera', 'simulation_sound')


def main() -> int:
    """Run each benchmark in a process of its own, and fail if one of them fails."""
    parser = argparse.ArgumentParser(description='Measure latency and throughput.')
    parser.add_argument('names', nargs='*', metavar='name', help=f'of {", ".join(BENCHMARKS)}')
    names = parser.parse_args().names or BENCHMARKS
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f'found {", ".join(unknown)}, expected names of {", ".join(BENCHMARKS)}')
    failures = 0
    for name in names:
        print(f'\n== {name}', flush=True)
        command = [sys.executable, '-m', f'benchmarks.{name}']
        failures += subprocess.run(command, check=False).returncode != 0
    return min(failures, 1)


if __name__ == '__main__':
    raise SystemExit(main())
