# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion validate``: score a bundle on a labelled folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from mm_fusion.evaluation.labelled import Scores

app = typer.Typer(
    help='Score a bundle on a folder of labelled photographs or sounds.', no_args_is_help=True
)

_Folder = Annotated[Path, typer.Argument(help='Folder with labels.csv.')]
_Bundle = Annotated[str, typer.Option(help='Name or folder of the model bundle.')]
_Json = Annotated[
    Path | None, typer.Option('--json', help='File for the machine-readable results.')
]
_Threads = Annotated[int, typer.Option(min=0, help='Threads of one network run; 0: all cores.')]

_LISTED_FILES = 10


@app.command()
def roads(
    folder: _Folder, bundle: _Bundle = 'base', json_file: _Json = None, threads: _Threads = 2
) -> None:
    """Score friction, material and unevenness on photographs."""
    from mm_fusion.evaluation.labelled import score_roads

    _run(score_roads, folder, bundle, json_file, threads, _print_surface)


@app.command()
def sounds(
    folder: _Folder, bundle: _Bundle = 'base', json_file: _Json = None, threads: _Threads = 2
) -> None:
    """Score the siren detector on clips."""
    from mm_fusion.evaluation.labelled import score_sounds

    _run(score_sounds, folder, bundle, json_file, threads, _print_siren)


def _run(
    score: Callable[..., Scores],
    folder: Path,
    bundle: str,
    json_file: Path | None,
    threads: int,
    show: Callable[[Console, dict[str, Any]], None],
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from mm_fusion.settings import InferenceSettings

    console = Console()
    with Progress(console=console, transient=True) as bars:
        task = bars.add_task(folder.name, total=None)
        result = score(
            folder,
            bundle,
            InferenceSettings(bundle=bundle, threads=threads, precision='fp32'),
            lambda done, total: bars.update(task, completed=done, total=total),
        )
    console.print(f'bundle {result.bundle}, {result.used} files of {folder}')
    show(console, result.scores)
    if result.skipped:
        console.print(f'[yellow]{len(result.skipped)} files could not be used:')
        for line in result.skipped[:_LISTED_FILES]:
            console.print(f'  {line}', markup=False, soft_wrap=True)
        if len(result.skipped) > _LISTED_FILES:
            console.print(f'  and {len(result.skipped) - _LISTED_FILES} more; --json lists all')
    if json_file is not None:
        document = {
            'bundle': result.bundle,
            'files': result.used,
            'skipped': list(result.skipped),
            'scores': result.scores,
        }
        json_file.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')


def _print_surface(console: Console, scores: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table('task', 'examples', 'accuracy', 'UAR', 'ECE')
    for name, part in scores.items():
        table.add_row(name, *(_text(part[key]) for key in ('examples', 'accuracy', 'uar', 'ece')))
    console.print(table)
    for name, part in scores.items():
        matrix = Table('true \\ predicted', *part['classes'], 'recall', title=name)
        for label, row, recall in zip(
            part['classes'], part['confusion_matrix'], part['recalls'], strict=True
        ):
            matrix.add_row(label, *map(str, row), _text(recall))
        console.print(matrix)


def _print_siren(console: Console, scores: dict[str, Any]) -> None:
    from rich.table import Table

    console.print(
        f'ROC AUC {_text(scores["roc_auc"])}; at threshold {_text(scores["threshold"])}: '
        f'true positive rate {_text(scores["true_positive_rate"])}, '
        f'false positive rate {_text(scores["false_positive_rate"])}'
    )
    table = Table('sound without a siren', 'false positive rate')
    for name, rate in scores['false_positive_rate_by_sublabel'].items():
        table.add_row(name, _text(rate))
    console.print(table)


def _text(value: float | None) -> str:
    if value is None:
        return 'none'
    return str(value) if isinstance(value, int) else f'{value:.3f}'
