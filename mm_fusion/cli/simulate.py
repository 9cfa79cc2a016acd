# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion simulate``: drives of a scenario as recordings with truth."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace
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
    road: Annotated[
        Literal['town', 'rural', 'motorway'] | None,
        typer.Option(help='Kind of road of random drives; default: drawn as well.'),
    ] = None,
    motion_only: Annotated[
        bool,
        typer.Option(
            '--motion-only',
            help='Neither camera nor microphone: drives to learn paths from, in seconds.',
        ),
    ] = False,
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
    changes = _changes(shader, camera_rate, motion_only=motion_only)
    jobs = _jobs(_Choice(scenario, duration, road, changes), out, seed, hours, images)
    try:
        _run(console, jobs, workers, resume=hours is not None)
    except KeyboardInterrupt:
        console.print('interrupted: the drives that are whole are kept')
        raise typer.Exit(INTERRUPTED) from None


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is asked for of a scenario.

    Attributes:
        name: As for ``choose_scenario``, which takes the next two as well.
        duration_s: Length.
        road: Kind of road.
        changes: By sensor, fields of its settings.
    """

    name: str
    duration_s: float | None
    road: str | None
    changes: Mapping[str, Mapping[str, Any]]

    def scenario(self, seed: int | None) -> Scenario:
        from mm_fusion.simulation.scenario_choice import choose_scenario

        found = choose_scenario(self.name, seed, self.duration_s, self.road)
        sensors = {
            sensor: replace(getattr(found, sensor), **fields)
            for sensor, fields in self.changes.items()
        }
        return replace(found, **sensors)


def _changes(
    shader: str | None, camera_rate_hz: float | None, *, motion_only: bool
) -> dict[str, dict[str, Any]]:
    """Name what is asked for of camera and microphone, as fields of their settings."""
    asked = {'shader': shader, 'rate_hz': camera_rate_hz}
    camera: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if not motion_only:
        return {'camera': camera}
    return {'camera': {**camera, 'enabled': False}, 'microphone': {'enabled': False}}


def _jobs(
    choice: _Choice,
    out: Path,
    seed: int | None,
    hours: float | None,
    images: ImageTransport,
) -> list[DriveJob]:
    """List the drives to make."""
    from mm_fusion.bags.drive_batch import DriveJob
    from mm_fusion.simulation.scenario_choice import RANDOM

    first = choice.scenario(seed)
    if hours is None:
        return [DriveJob(first, out, images)]
    count = math.ceil(hours * 3600 / first.duration_s)
    drawn = choice.name == RANDOM
    stem = RANDOM if drawn else re.sub(r'[^\w-]+', '_', first.name)
    return [
        DriveJob(
            choice.scenario(seed) if drawn else replace(first, seed=seed),
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
