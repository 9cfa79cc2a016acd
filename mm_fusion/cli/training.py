# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the commands that train and export share."""

from __future__ import annotations

import dataclasses
import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mm_fusion.documents import read_yaml
from mm_fusion.errors import DatasetError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.sources import DataPaths


@contextmanager
def needing_torch() -> Iterator[None]:
    """Say what to install where an import inside this context fails.

    Raises:
        DatasetError: A package is missing.
    """
    try:
        yield
    except ImportError as error:
        raise DatasetError(
            f'this needs {error.name}, found none; install requirements/train.txt'
        ) from error


def first_process() -> bool:
    """Tell whether this is the process of torchrun that speaks."""
    return int(os.environ.get('RANK', '0')) == 0


def processes() -> int:
    """Give the number of processes that torchrun started."""
    return int(os.environ.get('WORLD_SIZE', '1'))


def data_paths(
    roads: Path | None,
    sounds: Path | None,
    bags: Sequence[Path],
    labels: Sequence[Path],
    validation_bags: Sequence[Path],
    cache: Path | None,
    workers: int,
) -> DataPaths:
    """Resolve where the data is.

    Raises:
        DatasetError: A folder holds no recording, or a table fits none.
    """
    from mm_fusion.training.sources import DataPaths, find_bags, match_labels

    found, apart = find_bags(bags), find_bags(validation_bags)
    home = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return DataPaths(
        roads=roads,
        sounds=sounds,
        bags=found,
        labels=match_labels((*found, *apart), labels),
        validation_bags=apart,
        cache=home / 'mm_fusion' if cache is None else cache,
        workers=workers,
    )


def training_settings(
    path: Path | None, *, seed: int | None, epochs: int | None, freeze: bool = False
) -> TrainingConfig:
    """Read the settings, and put what the command line says in their place.

    Raises:
        SettingsError: The file is refused.
    """
    from mm_fusion.training.config import TrainingConfig, read_training_config

    chosen = TrainingConfig() if path is None else read_training_config(path)
    optimization = dataclasses.replace(
        chosen.optimization,
        epochs=chosen.optimization.epochs if epochs is None else epochs,
        freeze_encoders=chosen.optimization.freeze_encoders or freeze,
    )
    return dataclasses.replace(
        chosen, seed=chosen.seed if seed is None else seed, optimization=optimization
    )


def read_sources(path: Path | None) -> dict[str, Any]:
    """Read names and licences by kind of data, and the limits that the data sets.

    Returns:
        ``sources`` and ``limits``, empty without a file.

    Raises:
        DatasetError: The file is no such table.
    """
    if path is None:
        return {'sources': {}, 'limits': []}
    try:
        document: Any = read_yaml(path)
        limits = [str(limit) for limit in document.pop('limits', ())]
        sources = {
            str(kind): [{key: str(part[key]) for key in ('name', 'licence')} for part in parts]
            for kind, parts in document.items()
        }
    except (DocumentError, AttributeError, KeyError, TypeError) as error:
        raise DatasetError(
            f'{path}: cannot be read as a table of names and licences: {error!r}'
        ) from error
    return {'sources': sources, 'limits': limits}


def command_line(command: str, options: Mapping[str, object]) -> str:
    """Write a command without the folders of this machine.

    Args:
        command: Its name.
        options: By name; None and empty lists are left out, True is a flag.
    """
    words = ['mm_fusion', command]
    for name, value in options.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if item is True:
                words.append(f'--{name}')
            elif item is not None and item is not False:
                words += [f'--{name}', item.name if isinstance(item, Path) else str(item)]
    return shlex.join(words)


@contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """Show each job as a bar of its own; the first process alone shows any."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Bars(*columns, console=console, disable=not first_process()) as bars:
        yield _Reporter(bars)


class _Reporter:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, job: str, done: int, total: int) -> None:
        if job not in self._tasks:
            self._tasks[job] = self._bars.add_task(job, total=total)
        self._bars.update(self._tasks[job], completed=done)


def say(console: Console, text: str) -> None:
    """Print one line as it is."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def show_metrics(console: Console, metrics: Mapping[str, Any]) -> None:
    """Print the scores of a training."""
    from rich.table import Table

    surface = Table('data', 'sensors', 'task', 'examples', 'accuracy', 'UAR', 'ECE')
    siren = Table('data', 'sensors', 'siren: examples', 'ROC AUC', 'TPR', 'FPR')
    for kind, subsets in metrics['road_state'].items():
        for name, scores in subsets.items():
            for task, table in scores.get('surface', {}).items():
                cells = (table[key] for key in ('examples', 'accuracy', 'uar', 'ece'))
                surface.add_row(kind, name, task, *map(str, cells))
            if 'siren' in scores:
                keys = ('examples', 'roc_auc', 'true_positive_rate', 'false_positive_rate')
                siren.add_row(kind, name, *(str(scores['siren'][key]) for key in keys))
    drives = Table('drive', 'samples', 'ADE 6 s (m)', 'minADE', 'roll-out', 'ratio')
    for name, scores in metrics['trajectory'].get('drives', {}).items():
        for subset, table in scores.items():
            if table['samples']:
                network = table['network']
                drives.add_row(
                    f'{name} {subset}',
                    str(table['samples']),
                    str(network['ade_m']),
                    str(network['min_ade_m']),
                    str(table['rollout']['ade_m']),
                    str(table['ratio']['ade_m']),
                )
    for shown in (surface, siren, drives):
        if shown.row_count:
            console.print(shown)
