# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion demo``: a drive through the real node over ROS, recorded and evaluated."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mm_fusion.cli.live_figures import LiveFigures, Stretch
    from mm_fusion.cli.live_run import LiveRun
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle

_SAMPLE_FRAMES = 4


def demo(
    bag: Annotated[
        Path | None,
        typer.Argument(help='Recording to play; without one, a drive is made.'),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help='New or empty folder for everything that is made; default: temporary.'),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help='Speed of playing.')] = 1.0,
    loop: Annotated[int, typer.Option(min=1, help='How often the recording is played.')] = 1,
    seed: Annotated[int, typer.Option(min=0, help='Seed of the made drive.')] = 0,
    duration: Annotated[
        float, typer.Option(min=1, max=20, help='Length of the made drive, s.')
    ] = 20.0,
    bundle: Annotated[str | None, typer.Option(help='Name or folder of the model bundle.')] = None,
) -> None:
    """Play a drive into the fusion node over ROS, record, evaluate, and show the figures.

    Exit status: 0 where all is well, 2 where an input is refused or a process fails.
    """
    from rich.console import Console

    from mm_fusion.cli.live_figures import live_figures
    from mm_fusion.cli.live_run import run_live
    from mm_fusion.runtime import Bundle
    from mm_fusion.settings import Settings

    console = Console()
    loaded = Bundle.load(Settings().inference.bundle if bundle is None else bundle)
    folder = _folder(out)
    if bag is None:
        bag = folder / 'drive'
        _make_drive(console, bag, seed, duration)
    run = run_live(bag, folder, bundle=loaded.path, rate=rate, loops=loop)
    figures = live_figures(run.recording)
    # Recordings are sorted by time: played twice, one pass would lie over the other.
    result = _evaluated(run.recording, loaded) if loop == 1 else None
    _show(console, run, figures, result)
    summary = {'played': run.played, 'recorded': run.recorded, 'node': dataclasses.asdict(figures)}
    (folder / 'demo.json').write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    console.print(f'files: {folder}', soft_wrap=True, markup=False, highlight=False)
    if result is None:
        console.print('not evaluated: the recording was played more than once')
    else:
        page = _report(folder / 'report', result, loaded)
        console.print(f'report: {page}', soft_wrap=True, markup=False, highlight=False)


def _folder(out: Path | None) -> Path:
    if out is None:
        return Path(tempfile.mkdtemp(prefix='mm_fusion_demo_'))
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise MmFusionError(f'{out}: expected a new or an empty folder')
    except OSError as error:
        raise MmFusionError(f'{out}: cannot be made: {error.strerror}') from error
    return out.resolve()


def _make_drive(console: Console, path: Path, seed: int, duration_s: float) -> None:
    """Make the drive behind a progress bar."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from mm_fusion.cli.drive_bag import write_drive
    from mm_fusion.simulation.short_drive import ShortDrive

    drive = ShortDrive(seed, duration_s)
    columns = (TextColumn('making a drive'), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task('', total=drive.frames)
        write_drive(drive, path, lambda frames: progress.update(task, completed=frames))


def _evaluated(recording: Path, bundle: Bundle) -> BagResult:
    from mm_fusion.evaluation.camera import NO_OPTIONS
    from mm_fusion.evaluation.run import Job, evaluate_bags
    from mm_fusion.settings import Settings

    job = Job(
        bundle=bundle.path,
        settings=Settings(),
        topics=None,
        recorded=True,
        frames=_SAMPLE_FRAMES,
        camera=NO_OPTIONS,
    )
    return evaluate_bags([recording], job)[0]


def _report(folder: Path, result: BagResult, bundle: Bundle) -> Path:
    from mm_fusion.evaluation.report import write_report

    name = f'{bundle.manifest.name} {bundle.manifest.version}'
    return write_report(folder, [result], name)


def _show(console: Console, run: LiveRun, figures: LiveFigures, result: BagResult | None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title='Live run', title_justify='left', box=SIMPLE_HEAD, show_header=False)
    for name, value in _rows(run, figures, result):
        table.add_row(Text(name), Text(value))
    console.print(table)


def _rows(
    run: LiveRun, figures: LiveFigures, result: BagResult | None
) -> Iterator[tuple[str, str]]:
    """Give the name and the value of each figure."""
    yield 'camera frames played', str(run.played['published'].get('/image', 0))
    yield 'camera frames in', str(figures.frames_received)
    outputs = f'{figures.roads} road states, {figures.trajectories} trajectories'
    yield 'outputs out', f'{outputs}, {figures.superseded} superseded'
    lost = sum(run.recorded['lost'].values()) + sum(run.recorded['overflowed'].values())
    yield 'lost by the recorder', str(lost)
    yield 'present', ', '.join(f'{name} {share:.0%}' for name, share in figures.present.items())
    for name, drops in figures.drops.items():
        if drops:
            counts = ', '.join(f'{count} {reason}' for reason, count in drops.items())
            yield f'{name} dropped', f'{counts} of {figures.received[name]}'
    if not any(figures.drops.values()):
        yield 'dropped', 'nothing'
    if figures.latency_s is not None:
        median, high = figures.latency_s
        yield 'latency, frame to output', f'median {median * 1e3:.0f} ms, p95 {high * 1e3:.0f} ms'
    yield 'friction', _timeline(figures.frictions)
    yield 'siren', _timeline(figures.sirens) or 'not heard'
    if result is not None:
        yield 'ego path, ADE at 6 s', _scores(result)


def _timeline(stretches: tuple[Stretch, ...]) -> str:
    return ', '.join(f'{s.what} {s.begin_s:.1f} to {s.end_s:.1f} s' for s in stretches)


def _scores(result: BagResult) -> str:
    scores = result.totals.scores
    own, physics = scores['mm_fusion']['all'], scores['ctra']['all']
    if own.ade_m is None or physics.ade_m is None:
        return 'no sample: the drive is too short, or nothing moved'
    return f'{own.ade_m[-1]:.2f} m, CTRA {physics.ade_m[-1]:.2f} m, {own.count} samples'
