# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion train``: a model bundle from labelled folders and drives."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_DEFAULT_SEED, _DEFAULT_FOLDS, _DEFAULT_EPOCHS, _DEFAULT_SOUND_EPOCHS = 0, 5, 6, 10


def train(
    roads: Annotated[Path, typer.Option(help='Folder of labelled photographs.')],
    sounds: Annotated[Path, typer.Option(help='Folder of labelled clips.')],
    out: Annotated[Path, typer.Option(help='Folder of the bundle, made or overwritten.')],
    drives: Annotated[
        list[Path] | None,
        typer.Option(help='Recording to fit the trajectory covariance on; may be repeated.'),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help='Of everything random.')] = _DEFAULT_SEED,
    epochs: Annotated[
        int, typer.Option(min=1, help='Passes over the photographs.')
    ] = _DEFAULT_EPOCHS,
    sound_epochs: Annotated[
        int, typer.Option(min=1, help='Passes over the clips.')
    ] = _DEFAULT_SOUND_EPOCHS,
    folds: Annotated[int, typer.Option(min=2, help='Of the cross-validation.')] = _DEFAULT_FOLDS,
    threads: Annotated[int, typer.Option(min=1, help='Threads of torch.')] = 2,
    work: Annotated[
        Path | None,
        typer.Option(help='Folder of checkpoints to resume from; OUT with .work behind it.'),
    ] = None,
    friction_coefficients: Annotated[
        Path, typer.Option(help='Table by friction class, copied into the manifest.')
    ] = Path('config/friction_coefficients.yaml'),
    sources: Annotated[
        Path | None,
        typer.Option(help='Names, licences and limits of the data, YAML, for the card.'),
    ] = None,
) -> None:
    """Train a bundle: cross-validate, calibrate, train on everything, export.

    The held-out scores stand in the manifest and the model card. A run that was stopped goes on
    where it was.
    """
    try:
        from mm_fusion.export.bundle import write_bundle
        from mm_fusion.export.graphs import export_stages
        from mm_fusion.training.recipe import Recipe, train_networks
    except ImportError as error:
        raise DatasetError(
            f'training needs {error.name}, found none; install requirements/train.txt'
        ) from error
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    recipe = Recipe(seed=seed, folds=folds, road_epochs=epochs, sound_epochs=sound_epochs)
    console = Console()
    stated, limits = _read_sources(sources)
    with Bars(
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bars:
        trained = train_networks(
            roads,
            sounds,
            _trajectory(drives or []),
            work or out.with_name(out.name + '.work'),
            recipe,
            name=out.name,
            threads=threads,
            friction_coefficients=friction_coefficients,
            sources=stated,
            limits=limits,
            command=_command(roads, sounds, drives or [], out, recipe, sources),
            progress=_Reporter(bars),
        )
    networks = trained.networks
    graphs = export_stages(networks.road.encoder, networks.sound.encoder, networks.fusion)
    _print_scores(console, write_bundle(out, graphs, trained.manifest), out)


class _Reporter:
    """Show each job as a bar of its own."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, job: str, done: int, total: int) -> None:
        if job not in self._tasks:
            self._tasks[job] = self._bars.add_task(job, total=total)
        self._bars.update(self._tasks[job], completed=done)


def _trajectory(drives: list[Path]) -> dict[str, Any]:
    """Fit the covariance of predicted paths; without drives it stays as the filter says."""
    from mm_fusion.evaluation.calibration import fit_covariance_scales
    from mm_fusion.metrics.trajectory import STEPS_S

    if drives:
        return fit_covariance_scales(drives)
    return {
        'times_s': STEPS_S.tolist(),
        'covariance_scales': [1.0] * len(STEPS_S),
        'source': 'not fitted',
    }


def _read_sources(
    path: Path | None,
) -> tuple[dict[str, list[dict[str, str]]], tuple[str, ...]]:
    """Read names and licences by kind of data, and the limits that the data sets."""
    if path is None:
        return {}, ()
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
        limits = tuple(str(limit) for limit in document.pop('limits', ()))
        sources = {
            str(kind): [{key: str(part[key]) for key in ('name', 'licence')} for part in parts]
            for kind, parts in document.items()
        }
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise DatasetError(
            f'{path}: cannot be read as a table of names and licences: {error!r}'
        ) from error
    return sources, limits


def _command(
    roads: Path, sounds: Path, drives: list[Path], out: Path, recipe: Any, sources: Path | None
) -> str:
    """Write the command without the folders of this machine."""
    words = ['mm_fusion', 'train', '--roads', roads.name, '--sounds', sounds.name]
    for drive in drives:
        words += ['--drives', drive.name]
    words += ['--out', out.name, '--seed', str(recipe.seed), '--folds', str(recipe.folds)]
    words += ['--epochs', str(recipe.road_epochs), '--sound-epochs', str(recipe.sound_epochs)]
    if sources is not None:
        words += ['--sources', sources.name]
    return shlex.join(words)


def _print_scores(console: Any, manifest: dict[str, Any], out: Path) -> None:
    from rich.table import Table

    metrics = manifest['metrics']
    folds = manifest['training']['configuration']['folds']
    table = Table('task', 'examples', 'accuracy', 'UAR', 'ECE', title=f'{folds}-fold, held out')
    for task, scores in metrics['camera_alone'].items():
        table.add_row(task, *(str(scores[key]) for key in ('examples', 'accuracy', 'uar', 'ece')))
    console.print(table)
    siren = metrics['microphone_alone']
    console.print(
        f'siren: ROC AUC {siren["roc_auc"]}, at threshold {siren["threshold"]}: '
        f'true positive rate {siren["true_positive_rate"]}, '
        f'false positive rate {siren["false_positive_rate"]}'
    )
    console.print(f'bundle: {out}; again by: {manifest["training"]["command"]}', soft_wrap=True)
