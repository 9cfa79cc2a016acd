# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion evaluate``: replay recordings, print the scores, write JSON and a page."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from mm_fusion.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mm_fusion.evaluation.records import BagResult, Totals
    from mm_fusion.evaluation.run import Job
    from mm_fusion.evaluation.tables import Table

SAMPLE_FRAMES = 4


def evaluate(
    bags: Annotated[
        list[Path], typer.Argument(help='Recordings: rosbag2 folders, .mcap or .db3 files.')
    ],
    topics: Annotated[
        Path | None,
        typer.Option(
            help='YAML of topics by role: image, audio, audio_info, fix, velocity, odometry, '
            'road_state, siren.'
        ),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help='YAML of parameters, laid out as for the node.')
    ] = None,
    bundle: Annotated[str | None, typer.Option(help='Name or folder of the model bundle.')] = None,
    report: Annotated[Path | None, typer.Option(help='Folder for the page to look at.')] = None,
    json_file: Annotated[
        Path | None, typer.Option('--json', help='File for the machine-readable results.')
    ] = None,
    timing: Annotated[
        bool, typer.Option('--timing', help='Add durations to the JSON; they vary between runs.')
    ] = False,
    recorded: Annotated[
        bool,
        typer.Option('--recorded', help='Score the outputs that a live node wrote to the bag.'),
    ] = False,
    align_truth: Annotated[
        bool,
        typer.Option(
            '--align-truth',
            help='Turn the headings of the odometry to where it travels straight on, as those of '
            'an inertial system mounted askew need.',
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help='Recordings evaluated at once.')] = 1,
    fail_above: Annotated[
        list[str] | None,
        typer.Option(
            metavar='METRIC=VALUE',
            help='Exit with 1 where a score over all recordings exceeds a value: ADE6=2.5 or '
            'FDE3=3 (m), MISS6=0.5 (share). May be repeated.',
        ),
    ] = None,
    camera_height: Annotated[
        float | None,
        typer.Option(min=0.1, help='Height of the camera, m; default: that of /tf_static.'),
    ] = None,
    camera_fov: Annotated[
        float | None,
        typer.Option(min=10, max=170, help='Field of view across; default: that of CameraInfo.'),
    ] = None,
    camera_pitch: Annotated[
        float | None,
        typer.Option(min=-45, max=60, help='Downward tilt; default: that of /tf_static.'),
    ] = None,
) -> None:
    """Score recordings offline, beside the CV, CTRV and CTRA baselines.

    Exit status: 0 where all is well, 1 where a score exceeds --fail-above, 2 where an input is
    refused.
    """
    from rich.console import Console

    from mm_fusion.drawing.ground_camera import CameraOptions
    from mm_fusion.evaluation.inputs import read_settings, read_topics
    from mm_fusion.evaluation.limits import exceeded, parse_limits
    from mm_fusion.evaluation.records import merge
    from mm_fusion.evaluation.run import Job
    from mm_fusion.runtime import Bundle

    limits = parse_limits(fail_above or [])
    parameters = read_settings(settings)
    inference = parameters.inference
    loaded = Bundle.load(
        inference.bundle if bundle is None else bundle, inference.bundle_public_key
    )
    job = Job(
        bundle=loaded.path,
        settings=parameters,
        topics=None if topics is None else read_topics(topics),
        recorded=recorded,
        frames=0 if report is None else SAMPLE_FRAMES,
        camera=CameraOptions(camera_height, camera_fov, camera_pitch),
        align_truth=align_truth,
    )
    console = Console()
    results = _run(bags, job, workers)
    _print_results(console, results)
    name = f'{loaded.manifest.name} {loaded.manifest.version}'
    if json_file is not None:
        _write_json(json_file, results, name, timing=timing)
    if report is not None:
        _write_report(console, report, results, name)
    complaints = exceeded(limits, merge(results))
    for complaint in complaints:
        console.print(complaint, style='red', markup=False)
    if complaints:
        raise typer.Exit(1)


def _run(bags: Sequence[Path], job: Job, workers: int) -> list[BagResult]:
    """Evaluate behind a progress bar, which goes to stderr and so never into a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from mm_fusion.evaluation.run import evaluate_bags

    columns = (
        BarColumn(),
        TextColumn('{task.percentage:3.0f} %'),
        TimeElapsedColumn(),
        TextColumn('{task.description}', markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task('', total=len(bags))

        def show(done: float, name: str) -> None:
            bar.update(task, completed=done, description=name)

        return evaluate_bags(bags, job, workers, show)


def _print_results(console: Console, results: Sequence[BagResult]) -> None:
    from mm_fusion.evaluation import tables
    from mm_fusion.evaluation.records import merge

    for result in results:
        truth = f'{result.truth or "none"}{tables.truth_note(result)}'
        _print_totals(console, result.name, result.totals, truth=truth)
    if len(results) > 1:
        totals = merge(results)
        _print_totals(console, f'{len(results)} recordings', totals, truth='')
        _print_table(console, 'By recording', tables.bag_table(results))


def _print_totals(console: Console, name: str, totals: Totals, *, truth: str) -> None:
    from mm_fusion.evaluation import tables

    console.rule(name.replace('[', r'\['), align='left')
    facts = [f'{tile.value} {tile.label}' for tile in tables.tiles(totals)]
    if truth:
        facts.append(f'ground truth: {truth}')
    console.print('; '.join(facts), style='dim', markup=False, highlight=False)
    _print_table(console, 'Trajectory', tables.trajectory_table(totals))
    if totals.samples:
        _print_table(console, 'Calibration of the paths', tables.coverage_table(totals))
    if totals.road.count:
        _print_table(console, 'Road state', tables.road_table(totals))
    if totals.road_truth.known:
        _print_table(console, 'Road state against the truth', tables.truth_table(totals))
        _print_table(console, 'Siren against the truth', tables.siren_table(totals))
    _print_table(console, 'Modalities and drops', tables.drop_table(totals))
    if totals.latencies:
        _print_table(console, 'Latency', tables.latency_table(totals))


def _print_table(console: Console, title: str, table: Table) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    styles = {'own': 'bold', 'part': 'dim'}
    drawn = RichTable(title=title, title_justify='left', box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(table.columns):
        # On a narrow terminal the headers of the figures wrap, and the names of the rows do not.
        drawn.add_column(
            Text(column), justify='right' if index else 'left', no_wrap=not index, overflow='fold'
        )
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row.cells), style=styles.get(row.tone, ''))
    console.print(drawn)


def _write_json(path: Path, results: Sequence[BagResult], bundle: str, *, timing: bool) -> None:
    from mm_fusion.evaluation.summary import summarise

    document = summarise(results, bundle, timing=timing)
    text = json.dumps(document, allow_nan=False, separators=(',', ':')) + '\n'
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise SettingsError([f'--json {path}: cannot be written: {error.strerror}']) from error


def _write_report(
    console: Console, folder: Path, results: Sequence[BagResult], bundle: str
) -> None:
    from mm_fusion.evaluation.report import write_report

    try:
        page = write_report(folder, results, bundle)
    except OSError as error:
        raise SettingsError([f'--report {folder}: cannot be written: {error.strerror}']) from error
    console.print(f'report: {page}', soft_wrap=True, markup=False, highlight=False)
