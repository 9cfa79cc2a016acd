# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion simulate``: drives of a scenario as recordings with truth."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from mm_fusion.bags.drive_batch import BatchProgress, DriveJob
    from mm_fusion.bags.drive_messages import ImageTransport
    from mm_fusion.simulation.scenario import Scenario

INTERRUPTED = 130


def simulate(
    scenario: Annotated[
        str | None,
        typer.Argument(help='Name of a scenario, path of a scenario file, or random.'),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help='What to make. X.mcap: one file; another name: a rosbag2 folder; with --hours: a '
            'folder of such folders.'
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed, of the first drive; default: the scenario's.")
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(min=0.5, max=7200, help="Length of a drive, s; default: the scenario's."),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            help='Make so many hours of drives with one seed after the other; those that are '
            'there already are kept.',
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help='Drives made at once.')] = 1,
    shader: Annotated[
        Literal['lite', 'full'] | None,
        typer.Option(help='How the camera is rendered; default: as the scenario says.'),
    ] = None,
    camera_rate: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=60.0,
            help="Frames a second; few make cheap training data; default: the scenario's.",
        ),
    ] = None,
    raw: Annotated[bool, typer.Option('--raw', help='Store rgb8 images instead of JPEG.')] = False,
    list_scenarios: Annotated[
        bool, typer.Option('--list', help='List the scenarios of the package.')
    ] = False,
) -> None:
    """Simulate drives and write them as MCAP recordings.

    The same scenario and seed give the same messages, byte for byte. A drive is written whole or
    not at all. Exit status: 0 where all is well, 2 where an input is refused.
    """
    from rich.console import Console

    console = Console()
    if list_scenarios:
        _list(console)
        return
    if scenario is None or out is None:
        raise MmFusionError('simulate: expected a scenario and --out; --list lists the scenarios')
    images: ImageTransport = 'raw' if raw else 'compressed'
    jobs = _jobs(scenario, out, seed, duration, hours, _camera(shader, camera_rate), images)
    try:
        _run(console, jobs, workers, resume=hours is not None)
    except KeyboardInterrupt:
        console.print('interrupted: the drives that are whole are kept')
        raise typer.Exit(INTERRUPTED) from None


def _camera(shader: str | None, rate_hz: float | None) -> dict[str, Any]:
    """Name what is asked for of the camera, as fields of its settings."""
    asked = {'shader': shader, 'rate_hz': rate_hz}
    return {name: value for name, value in asked.items() if value is not None}


def _jobs(
    name: str,
    out: Path,
    seed: int | None,
    duration: float | None,
    hours: float | None,
    camera: Mapping[str, Any],
    images: ImageTransport,
) -> list[DriveJob]:
    """List the drives to make."""
    from mm_fusion.bags.drive_batch import DriveJob
    from mm_fusion.simulation.scenario_choice import RANDOM, choose_scenario

    def drawn(seed: int | None) -> Scenario:
        scenario = choose_scenario(name, seed, duration)
        return replace(scenario, camera=replace(scenario.camera, **camera))

    first = drawn(seed)
    if hours is None:
        return [DriveJob(first, out, images)]
    count = math.ceil(hours * 3600 / first.duration_s)
    stem = RANDOM if name == RANDOM else re.sub(r'[^\w-]+', '_', first.name)
    return [
        DriveJob(
            drawn(seed) if name == RANDOM else replace(first, seed=seed),
            out / f'{stem}_{seed:06d}',
            images,
        )
        for seed in range(first.seed, first.seed + count)
    ]


def _list(console: Console) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from mm_fusion.simulation.scenario_choice import RANDOM
    from mm_fusion.simulation.scenario_file import load_scenario, scenario_names

    table = Table('scenario', 'length', 'what happens', box=SIMPLE_HEAD)
    for name in scenario_names():
        scenario = load_scenario(name)
        length = f'{scenario.duration_s:g} s'
        table.add_row(Text(name), Text(length), Text(scenario.description))
    table.add_row(RANDOM, '', 'drawn from the seed: road, surface, weather, traffic, sirens')
    console.print(table)


def _run(console: Console, jobs: Sequence[DriveJob], workers: int, *, resume: bool) -> None:
    """Write what is not there yet, with a progress bar, and sum up."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from mm_fusion.bags.drive_batch import BatchProgress, is_written, write_drives

    missing = [job for job in jobs if not (resume and is_written(job))]
    start = time.monotonic()
    columns = (
        TextColumn('{task.fields[drives]} of {task.fields[all]} drives'),
        BarColumn(),
        TextColumn('{task.fields[frames]} frames, {task.fields[speed]:.1f} × real time'),
        TimeRemainingColumn(),
    )
    total_s = sum(job.scenario.duration_s for job in missing)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task('', total=total_s, drives=0, all=len(missing), frames=0, speed=0.0)

        def show(progress: BatchProgress) -> None:
            bar.update(
                task,
                completed=progress.simulated_s,
                drives=progress.drives,
                frames=progress.frames,
                speed=progress.simulated_s / (time.monotonic() - start),
            )

        written = BatchProgress(0, 0, 0.0)
        if missing:
            written = write_drives(missing, workers, show)
    _summarise(console, jobs, missing, written, time.monotonic() - start)


def _summarise(
    console: Console,
    jobs: Sequence[DriveJob],
    missing: Sequence[DriveJob],
    written: BatchProgress,
    wall_s: float,
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    size = sum(_size(job.path) for job in missing)
    table = Table(title='Simulated', title_justify='left', box=SIMPLE_HEAD, show_header=False)
    kept = len(jobs) - len(missing)
    for name, value in (
        ('drives', f'{written.drives} made' + (f', {kept} kept' if kept else '')),
        ('camera frames', str(written.frames)),
        ('driven', f'{written.simulated_s / 3600:.3f} h ({written.simulated_s:.1f} s)'),
        ('size', f'{size / 1e6:.1f} MB'),
        ('wall time', f'{wall_s:.1f} s'),
        ('speed', f'{written.simulated_s / wall_s:.2f} times real time'),
    ):
        table.add_row(Text(name), Text(value))
    console.print(table)
    place = jobs[0].path if len(jobs) == 1 else jobs[0].path.parent
    console.print(f'files: {place}', soft_wrap=True, markup=False, highlight=False)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.iterdir()
    return sum(file.stat().st_size for file in files)
