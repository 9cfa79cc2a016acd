# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fine-tune a bundle on two new recordings by the commands of a user, and look at a third.

    python -m benchmarks.fusion_finetuning --out DIR [--from base] [--scenario fog ...]

For each scenario three drives of it are simulated, as a team records that always drives there.
``mm_fusion train --bags A --bags B --from base`` learns from one of the first two and chooses the
epoch by the other; ``export`` makes a bundle, and ``evaluate`` scores both bundles on the third.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fusion_figures import draw_finetuning
from benchmarks.fusion_tables import markdown, write_csv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIG = Path('config/training/finetune.yaml')
_SCENARIOS = ('fog', 'night', 'wet_to_snow')
_FIRST_SEED = 9001
_SURFACES = {
    'friction': 'friction-6',
    'friction_3': 'friction-3',
    'material': 'material',
    'unevenness': 'unevenness',
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A score of ``mm_fusion evaluate``.

    Attributes:
        label: For tables and the figure.
        higher: Whether more is better.
    """

    label: str
    higher: bool


FIGURES = {
    **{
        f'{table} {score}': Figure(f'{label} {score}', higher=True)
        for score in ('accuracy', 'UAR')
        for table, label in _SURFACES.items()
    },
    'coefficient': Figure('friction coefficient MAE', higher=False),
    'siren TPR': Figure('siren: share of time raised', higher=True),
    'siren FPR': Figure('siren: share of time falsely raised', higher=False),
    'ADE': Figure('ADE at 6 s / CTRA', higher=False),
    'minADE': Figure('minADE at 6 s / CTRA', higher=False),
}


def command(*words: str | Path, log: Path) -> float:
    """Run ``mm_fusion`` with its output in a file; give the seconds that it took.

    Raises:
        SystemExit: It failed.
    """
    began = time.perf_counter()
    line = [sys.executable, '-m', 'mm_fusion.cli.main', *map(str, words)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w', encoding='utf-8') as stream:
        done = subprocess.run(line, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(f'{" ".join(line)}: exit status {done.returncode}, see {log}')
    return time.perf_counter() - began


def simulate(scenario: str, folder: Path, arguments: argparse.Namespace) -> list[Path]:
    """Make three drives of a scenario; those that are there are kept."""
    drives = []
    for number in range(3):
        drive = folder / 'drives' / f'{scenario}_{number}'
        if not drive.exists():
            command(
                'simulate', scenario, '--seed', str(_FIRST_SEED + number),
                '--camera-rate', str(arguments.camera_rate), '--out', drive,
                log=folder / 'logs' / f'simulate_{number}.txt',
            )  # fmt: skip
        drives.append(drive)
    return drives


def finetune(
    drives: Sequence[Path], folder: Path, arguments: argparse.Namespace
) -> tuple[list[dict[str, Any]], float]:
    """Train on the first two, export, and evaluate both bundles on the third.

    Returns:
        Rows with ``figure``, ``before``, ``after``, and the seconds that training and export took.
    """
    run, bundle, logs = folder / 'run', folder / 'bundle', folder / 'logs'
    cache = () if arguments.cache is None else ('--cache', arguments.cache)
    took = command(
        'train', '--bags', drives[0], '--bags', drives[1], '--from', arguments.start,
        '--config', CONFIG, '--threads', str(arguments.threads), '--out', run, *cache,
        log=logs / 'train.txt',
    )  # fmt: skip
    took += command('export', run, '--out', bundle, log=logs / 'export.txt')
    found = {}
    for name, chosen in (('before', arguments.start), ('after', bundle)):
        result = folder / f'{name}.json'
        command(
            'evaluate', drives[2], '--bundle', chosen, '--json', result,
            log=logs / f'evaluate_{name}.txt',
        )  # fmt: skip
        found[name] = figures(json.loads(result.read_text(encoding='utf-8'))['total'])
    rows = [
        {'figure': name, **{which: scores[name] for which, scores in found.items()}}
        for name in FIGURES
        if all(scores[name] is not None for scores in found.values())
    ]
    return rows, took


def figures(total: Mapping[str, Any]) -> dict[str, float | None]:
    """Pick ``FIGURES`` out of the total of an evaluation; None where a drive has none."""
    truth, seen = total['road_truth'], total['road_truth']['surface_observed']
    scores: dict[str, float | None] = {}
    for table in _SURFACES:
        scores[f'{table} accuracy'] = seen[table]['accuracy']
        scores[f'{table} UAR'] = seen[table]['uar']
    path, ctra = (total['trajectory'][model]['all'] for model in ('mm_fusion', 'ctra'))
    return scores | {
        'coefficient': seen['friction_coefficient_mae'],
        'siren TPR': truth['siren']['true_positive_rate'],
        'siren FPR': truth['siren']['false_positive_rate'],
        'ADE': _ratio(path['ade_m'], ctra['ade_m']),
        'minADE': _ratio(path['min_ade_m'], ctra['ade_m']),
    }


def _ratio(mine: Mapping[str, float | None], other: Mapping[str, float | None]) -> float | None:
    """Compare displacements at 6 s; None where nothing was scored."""
    length, reference = mine['6'], other['6']
    return length / reference if length is not None and reference else None


def better(row: Mapping[str, Any]) -> str:
    """Say whether fine-tuning improved a figure."""
    change = row['after'] - row['before']
    if not FIGURES[row['figure']].higher:
        change = -change
    return 'yes' if change > 0.0 else 'as before' if change == 0.0 else 'no'


def report(rows: Sequence[Mapping[str, Any]], times: Mapping[str, float]) -> str:
    """Lay the table out as Markdown."""
    body = [
        [
            row['scenario'],
            FIGURES[row['figure']].label,
            f'{row["before"]:.3f}',
            f'{row["after"]:.3f}',
            better(row),
        ]
        for row in rows
    ]
    listed = ', '.join(f'{name} {took:.0f} s' for name, took in times.items())
    header = ['scenario', 'third drive', 'before', 'after', 'improved']
    return f'Training and export: {listed}.\n\n{markdown(header, body)}'


def main() -> int:
    """Simulate, train, export, evaluate and write."""
    parser = argparse.ArgumentParser(description='Fine-tuning on two drives, scored on a third.')
    parser.add_argument('--from', dest='start', default='base', help='bundle to go on from')
    parser.add_argument('--out', type=Path, required=True, help='folder of everything made')
    parser.add_argument('--scenario', nargs='+', default=_SCENARIOS, help='of the simulator')
    parser.add_argument('--bags', type=Path, nargs=3, help='own drives instead: two and a third')
    parser.add_argument('--camera-rate', type=float, default=4.0, help='frames a second')
    parser.add_argument('--cache', type=Path, help='folder of decoded drives')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch')
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    times: dict[str, float] = {}
    for scenario in ['own drives'] if arguments.bags else arguments.scenario:
        folder = arguments.out / scenario.replace(' ', '_')
        drives = arguments.bags or simulate(scenario, folder, arguments)
        found, times[scenario] = finetune(drives, folder, arguments)
        rows += [{'scenario': scenario, **row, 'improved': better(row)} for row in found]
        print(f'{scenario}: trained and exported in {times[scenario]:.0f} s', flush=True)
    write_csv(arguments.out / 'finetuning.csv', rows)
    text = report(rows, times)
    (arguments.out / 'finetuning.md').write_text(text, encoding='utf-8')
    labels = {name: (one.label, one.higher) for name, one in FIGURES.items()}
    draw_finetuning(arguments.out / 'finetuning.png', rows, labels, times)
    print(text)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
