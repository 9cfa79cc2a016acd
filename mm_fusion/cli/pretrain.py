# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion pretrain``: encoders from recordings without labels."""

from __future__ import annotations

import dataclasses
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated

import typer

from mm_fusion.cli.training import (
    data_paths,
    first_process,
    needing_torch,
    progress_bars,
    say,
    training_settings,
)


def pretrain(
    bags: Annotated[
        list[Path], typer.Option(help='Recording, or folder of recordings; may be repeated.')
    ],
    out: Annotated[
        Path, typer.Option(help='Folder of the run; goes on where it was, if it was stopped.')
    ],
    config: Annotated[
        Path | None, typer.Option(help='Settings of the training, YAML; see config/training.')
    ] = None,
    start: Annotated[
        str | None, typer.Option('--from', help='Bundle, run or checkpoint to go on from.')
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help='Folder that keeps decoded recordings; default: ~/.cache/mm_fusion.'),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help='Of everything random; default: the settings.')
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help='Default: the settings.')] = None,
    threads: Annotated[int, typer.Option(min=1, help='Threads of torch.')] = 2,
) -> None:
    """Learn what the sensors of a drive share, without any label.

    OUT gets best.safetensors, last.safetensors, curves.csv and .png, for
    ``mm_fusion train --from OUT``.
    """
    with needing_torch():
        from mm_fusion.training.checkpoint import load_start
        from mm_fusion.training.distributed import use_threads
        from mm_fusion.training.pretrain import pretrain_run
        from mm_fusion.training.sources import open_unlabelled
    from rich.console import Console

    use_threads(threads)
    begin = None if start is None else load_start(start).network
    settings = training_settings(config, seed=seed, epochs=epochs)
    if begin is not None:
        settings = dataclasses.replace(settings, network=begin.config)
    paths = data_paths(None, None, bags, (), (), cache, threads)
    console = Console()
    with progress_bars(console) as progress:
        share = open_unlabelled(paths, settings, progress)
        pretrain_run(share, settings, out, start=begin, progress=progress)
    if first_process():
        say(console, f'run: {out}; to go on from it: mm_fusion train --from {out} ...')
