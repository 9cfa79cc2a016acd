# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion demo``: a drive through the real node over ROS, recorded, evaluated and filmed."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mm_fusion.errors import MmFusionError, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from mm_fusion.cli.live_run import LiveRun, Source
    from mm_fusion.drawing.ground_camera import CameraOptions
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.evaluation.video import Video
    from mm_fusion.runtime import Bundle
    from mm_fusion.simulation.scenario import Scenario

_SAMPLE_FRAMES = 4
_SCENARIO = 'demo'
_VIEW_HZ = 8


def demo(
    bag: Annotated[
        Path | None,
        typer.Argument(help='Recording to play; without one, the embedded simulator drives.'),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help=f'Name or file of the scenario to simulate; default: {_SCENARIO}.'),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the drive; default: the scenario's.")
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(min=0.5, max=7200, help="Length of the drive, s; default: the scenario's."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=100, help='Speed against real time.')] = 1.0,
    loop: Annotated[int, typer.Option(min=1, help='How often a recording is played.')] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help='New or empty folder for everything that is made; default: temporary.'),
    ] = None,
    bundle: Annotated[str | None, typer.Option(help='Name or folder of the model bundle.')] = None,
    video: Annotated[
        bool, typer.Option('--video/--no-video', help='Make a video of the drive.')
    ] = True,
) -> None:
    """Drive through a simulated town, or play a recording, with the fusion node listening.

    What it says is recorded, compared with the truth, and shown in a report and a video.
    Exit status: 0 where all is well, 2 where an input is refused or a process fails.
    """
    from rich.console import Console

    from mm_fusion.cli.demo_tables import show_run
    from mm_fusion.cli.live_figures import live_figures
    from mm_fusion.runtime import Bundle
    from mm_fusion.settings import Settings

    console = Console()
    loaded = Bundle.load(Settings().inference.bundle if bundle is None else bundle)
    source, title, camera = _source(bag, scenario, seed, duration, rate, loop)
    folder = _folder(out)
    run = _run(console, source, title, folder, loaded)
    figures = live_figures(run.recording)
    # Recordings are sorted by time: played twice, one pass would lie over the other.
    result = _evaluated(run.recording, loaded, camera) if loop == 1 else None
    show_run(console, run, figures, result)
    summary = {'played': run.played, 'recorded': run.recorded, 'node': dataclasses.asdict(figures)}
    (folder / 'demo.json').write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    _say(console, f'files: {folder}')
    if result is None:
        _say(console, 'not evaluated: the recording was played more than once')
        return
    result = dataclasses.replace(result, name=title)
    made = _filmed(console, run.recording, folder, camera) if video else None
    _say(console, f'report: {_report(folder / "report", result, loaded, made)}')


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def _source(
    bag: Path | None,
    scenario: str | None,
    seed: int | None,
    duration_s: float | None,
    rate: float,
    loop: int,
) -> tuple[Source, str, CameraOptions]:
    """Choose what feeds the node, its name, and what is known of the camera."""
    from mm_fusion.cli.live_run import recording_source, simulator_source
    from mm_fusion.drawing.ground_camera import NO_OPTIONS
    from mm_fusion.simulation.scenario_choice import choose_scenario

    if bag is not None:
        given = {'--scenario': scenario, '--seed': seed, '--duration': duration_s}
        problems = [
            f'{name}: serves the simulator, and a recording is played'
            for name, value in given.items()
            if value is not None
        ]
        if problems:
            raise SettingsError(problems)
        name = bag.stem if bag.is_file() else bag.resolve().name
        return recording_source(bag, rate, loop), name, NO_OPTIONS
    if loop > 1:
        raise SettingsError(['--loop: serves a recording, and the simulator drives'])
    chosen = choose_scenario(scenario or _SCENARIO, seed, duration_s)
    title = f'{chosen.name}, seed {chosen.seed}'
    return simulator_source(scenario or _SCENARIO, chosen, rate), title, _mounting(chosen)


def _mounting(scenario: Scenario) -> CameraOptions:
    """Tell where the camera sits: tf2_msgs is not in the wheels, so no topic can."""
    from mm_fusion.drawing.ground_camera import CameraOptions

    camera = scenario.camera
    return CameraOptions(
        height_m=camera.up_m, pitch_deg=camera.pitch_down_deg, forward_m=camera.forward_m
    )


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


def _run(console: Console, source: Source, title: str, folder: Path, bundle: Bundle) -> LiveRun:
    """Run behind a view of what the node says, where there is a terminal to show it."""
    from rich.live import Live

    from mm_fusion.cli.live_run import run_live
    from mm_fusion.cli.live_view import live_view

    if not console.is_terminal:
        return run_live(source, folder, bundle=bundle.path)
    newest: dict[str, Any] = {}

    def view() -> Any:
        return live_view(newest.get('state'), title, source.duration_s)

    with Live(
        get_renderable=view, console=console, refresh_per_second=_VIEW_HZ, transient=True
    ):  # fmt: skip
        return run_live(
            source, folder, bundle=bundle.path, on_state=lambda state: newest.update(state=state)
        )


def _evaluated(recording: Path, bundle: Bundle, camera: CameraOptions) -> BagResult:
    from mm_fusion.evaluation.run import Job, evaluate_bags
    from mm_fusion.settings import Settings

    job = Job(
        bundle=bundle.path,
        settings=Settings(),
        topics=None,
        recorded=True,
        frames=_SAMPLE_FRAMES,
        camera=camera,
    )
    return evaluate_bags([recording], job)[0]


def _filmed(
    console: Console, recording: Path, folder: Path, camera: CameraOptions
) -> Video | None:
    """Make the video behind a progress bar; where it cannot be encoded, say so."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from mm_fusion.evaluation.video import write_video
    from mm_fusion.evaluation.webm import can_write
    from mm_fusion.settings import Settings

    if not can_write():
        _say(console, 'no video: this build of Pillow cannot encode AVIF')
        return None
    columns = (TextColumn('making a video'), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task('', total=1.0)
        video = write_video(
            recording, folder / 'video', Settings(), camera=camera,
            progress=lambda share: progress.update(task, completed=share),
        )  # fmt: skip
    _say(console, f'video: {video.path}')
    return video


def _report(folder: Path, result: BagResult, bundle: Bundle, video: Video | None) -> Path:
    from mm_fusion.evaluation.report import write_report

    name = f'{bundle.manifest.name} {bundle.manifest.version}'
    return write_report(folder, [dataclasses.replace(result, video=video)], name)
