# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fuzz the targets one after the other, and keep count; ``make fuzz`` does.

The corpus, the log and the findings of each target lie in a folder, so that the next call goes on
where this one ended. A finding ends the campaign of its target.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from tools.fuzz.targets import TARGETS, Target

_FOLDER = Path('.workspace/fuzz')
_HANG_S = 120  # by the clock: a machine that is busy with other things is no finding
_MEMORY_MB = 2048


def campaign(name: str, target: Target, folder: Path, runs: int, seconds: int) -> tuple[int, bool]:
    """Fuzz one target.

    Args:
        name: Of the target.
        target: The same.
        folder: Holds ``corpus/``, ``log.txt`` and the findings.
        runs: Executions; it may be some more.
        seconds: Time limit.

    Returns:
        Executions, and whether all of them went well.
    """
    corpus = folder / 'corpus'
    corpus.mkdir(parents=True, exist_ok=True)
    for seed, content in target.seeds().items():
        (corpus / f'seed-{seed}').write_bytes(content)
    command = [sys.executable, '-m', 'tools.fuzz.run_one', name, f'-runs={runs}']
    command += [f'-max_total_time={seconds}', f'-max_len={target.max_bytes}']
    command += [f'-timeout={_HANG_S}', f'-rss_limit_mb={_MEMORY_MB}', '-print_final_stats=1']
    command += [f'-artifact_prefix={folder}/', str(corpus)]
    log = folder / 'log.txt'
    with log.open('wb') as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    return executions(log.read_text(encoding='utf-8', errors='replace')), done.returncode == 0


def executions(log: str) -> int:
    """Read from libFuzzer's output how often it ran the target."""
    final = re.findall(r'stat::number_of_executed_units:\s*(\d+)', log)
    counted = final or re.findall(r'^#(\d+)\s', log, re.M)
    return int(counted[-1]) if counted else 0


def main() -> int:
    """Fuzz the targets that the arguments name."""
    parser = argparse.ArgumentParser(prog='fuzz', description=__doc__.split('\n')[0])
    parser.add_argument('targets', nargs='*', help=f'of {", ".join(TARGETS)}; default: all')
    parser.add_argument('--runs', type=int, default=100_000, help='executions of each')
    parser.add_argument('--seconds', type=int, default=600, help='time limit of each')
    parser.add_argument('--folder', type=Path, default=_FOLDER, help='corpora and findings')
    arguments = parser.parse_args()
    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        parser.error(f'found {", ".join(unknown)}, expected of {", ".join(TARGETS)}')
    counts_file = arguments.folder / 'executions.json'
    counts = json.loads(counts_file.read_text()) if counts_file.is_file() else {}
    good = True
    for name in arguments.targets or TARGETS:
        folder = arguments.folder / name
        ran, well = campaign(name, TARGETS[name], folder, arguments.runs, arguments.seconds)
        counts[name] = counts.get(name, 0) + ran
        counts_file.write_text(json.dumps(counts, indent=1))
        verdict = 'nothing found' if well else f'FINDING: see {folder}'
        print(f'{name}: {ran} executions, {counts[name]} so far; {verdict}', flush=True)
        good = good and well
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
