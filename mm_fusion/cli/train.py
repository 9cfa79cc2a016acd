# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion train``: a network from labelled folders and recordings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mm_fusion.cli.training import (
    command_line,
    data_paths,
    first_process,
    needing_torch,
    processes,
    progress_bars,
    read_sources,
    say,
    show_metrics,
    training_settings,
)
from mm_fusion.errors import DatasetError

DATA_PANEL = 'Data'


def train(
    out: Annotated[
        Path, typer.Option(help='Folder of the run; goes on where it was, if it was stopped.')
    ],
    roads: Annotated[
        Path | None,
        typer.Option(help='Folder of labelled photographs.', rich_help_panel=DATA_PANEL),
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option(help='Folder of labelled clips.', rich_help_panel=DATA_PANEL)
    ] = None,
    bags: Annotated[
        list[Path] | None,
        typer.Option(
            help='Recording, or folder of recordings; may be repeated.',
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            help='Table of intervals, RECORDING.labels.csv, where it does not lie beside the '
            'recording; may be repeated.',
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    validation_bags: Annotated[
        list[Path] | None,
        typer.Option(
            help='Recordings to look at instead of a share of the others; may be repeated.',
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help='Folder that keeps decoded recordings; default: ~/.cache/mm_fusion.',
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            help='Names, licences and limits of the data, YAML, for the model card.',
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help='Settings of the training, YAML; see config/training.')
    ] = None,
    start: Annotated[
        str | None,
        typer.Option('--from', help='Bundle, run or checkpoint to go on from.'),
    ] = None,
    freeze_encoders: Annotated[
        bool, typer.Option('--freeze-encoders', help='Let the fusion alone learn.')
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help='Of everything random; default: the settings.')
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help='Default: the settings.')] = None,
    folds: Annotated[
        int, typer.Option(min=0, help='Cross-validate so often first; 0: hold a share out.')
    ] = 0,
    fold_workers: Annotated[
        int, typer.Option(min=1, help='Folds trained side by side, each with one thread.')
    ] = 1,
    threads: Annotated[int, typer.Option(min=1, help='Threads of torch.')] = 2,
) -> None:
    """Train a network on photographs, sounds and recordings; any of them may be missing.

    OUT gets best.safetensors, last.safetensors, curves.csv and .png, calibration.json and
    metrics.json; ``mm_fusion export OUT`` makes a bundle of it.
    """
    if folds == 1:
        raise DatasetError('folds: found 1, expected 0 or at least 2')
    if folds and processes() > 1:
        raise DatasetError(f'folds: found {processes()} processes of torchrun, expected one')
    with needing_torch():
        from mm_fusion.training import crossval
        from mm_fusion.training.checkpoint import load_start
        from mm_fusion.training.distributed import use_threads
    from rich.console import Console

    use_threads(threads)
    options = {
        'roads': roads, 'sounds': sounds, 'bags': bags, 'labels': labels,
        'validation-bags': validation_bags, 'config': config, 'sources': sources,
        'from': None if start is None else Path(start), 'freeze-encoders': freeze_encoders,
        'seed': seed, 'epochs': epochs,
        'folds': folds or None, 'out': out,
    }  # fmt: skip
    settings = training_settings(config, seed=seed, epochs=epochs, freeze=freeze_encoders)
    if start is not None:
        settings = dataclasses.replace(settings, network=load_start(start).network.config)
    plan = crossval.Plan(
        paths=data_paths(
            roads, sounds, bags or [], labels or [], validation_bags or [], cache, threads
        ),
        config=settings,
        out=out,
        start=start,
        about={'command': command_line('train', options), **read_sources(sources)},
    )
    console = Console()
    with progress_bars(console) as progress:
        if folds:
            metrics = crossval.cross_validate(plan, folds, fold_workers, progress)
        else:
            metrics = crossval.train_once(plan, progress)
    if first_process():
        show_metrics(console, metrics)
        say(console, f'run: {out}; a bundle of it: mm_fusion export {out} --out BUNDLE')
