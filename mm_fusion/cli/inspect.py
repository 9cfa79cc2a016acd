# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion inspect``: what a recording holds, without ROS and without the networks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mm_fusion.errors import MmFusionError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from mm_fusion.bags.raw import RawBag
    from mm_fusion.cli.findings import Finding
    from mm_fusion.recordings.survey import StreamSurvey, Survey


def inspect(
    bag: Annotated[Path, typer.Argument(help='Recording: a rosbag2 folder, .mcap or .db3 file.')],
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
    images: Annotated[
        bool,
        typer.Option(help="Decode the camera's frames, to compare its clock with the velocity's."),
    ] = True,
    json_file: Annotated[
        Path | None, typer.Option('--json', help='File for the machine-readable results.')
    ] = None,
) -> None:
    """Show the topics of a recording, the role of each, rates, gaps, delays and clock offsets.

    Exit status: 0 where nothing is wrong or odd only, 1 where an input cannot be used, 2 where
    the recording cannot be read or a role cannot be told.
    """
    from rich.console import Console

    from mm_fusion.bags import read_bag
    from mm_fusion.bags.raw import RawBag
    from mm_fusion.cli.findings import Severity, print_findings, worst
    from mm_fusion.cli.inspect_findings import findings_of
    from mm_fusion.evaluation.inputs import read_settings, read_topics
    from mm_fusion.recordings.survey import survey

    console = Console()
    chosen = None if topics is None else read_topics(topics)
    parameters = read_settings(settings)
    with RawBag(bag) as raw:
        described = _described(raw)
    try:
        with read_bag(bag, chosen, parameters) as reader:
            roles = reader.topics.roles()
            found = survey(reader, images=images)
    except MmFusionError:
        # The list helps to choose what could not be told.
        _print_topics(console, described, {})
        raise
    findings = findings_of(found)
    _print_topics(console, described, roles)
    _print_streams(console, found.streams)
    print_findings(console, 'Findings', findings)
    if json_file is not None:
        _write_json(json_file, bag, described, found, findings)
    if worst(findings) is Severity.ERROR:
        raise typer.Exit(1)


def _described(raw: RawBag) -> dict[str, dict[str, Any]]:
    """Give type, number of messages and mean rate by topic."""
    seconds = (raw.end_ns - raw.start_ns) / 1e9
    return {
        topic: {
            'type': kind,
            'messages': raw.counts[topic],
            'mean_rate_hz': raw.counts[topic] / seconds if seconds > 0 else 0.0,
        }
        for topic, kind in sorted(raw.types.items())
    }


def _print_topics(
    console: Console,
    described: Mapping[str, Mapping[str, Any]],
    roles: Mapping[str, Sequence[str]],
) -> None:
    rows = [
        (
            topic,
            facts['type'],
            str(facts['messages']),
            f'{facts["mean_rate_hz"]:.2f}',
            ', '.join(roles.get(topic, ())) or '–',
        )
        for topic, facts in described.items()
    ]
    _print_table(console, 'Topics', ('topic', 'type', 'messages', 'mean Hz', 'role'), rows)


def _print_streams(console: Console, streams: Sequence[StreamSurvey]) -> None:
    columns = (
        'role', 'Hz', 'jitter ms', 'refused', 'gaps', 'longest s', 'least ms', 'median ms',
        '95 % ms', 'drift ppm',
    )  # fmt: skip
    rows = [(stream.role, *_figures(stream)) for stream in streams if stream.received]
    _print_table(console, 'Rates, gaps, and delays from the stamp to the log time', columns, rows)


def _figures(stream: StreamSurvey) -> tuple[str, ...]:
    delay = stream.delay
    delays: tuple[str, ...] = ('–',) * 4
    if delay is not None:
        drift = '–' if delay.drift_ppm is None else f'{delay.drift_ppm:.1f}'
        times = (delay.least_s, delay.median_s, delay.p95_s)
        delays = (*(f'{1e3 * time_s:.1f}' for time_s in times), drift)
    return (
        f'{stream.rate_hz:.2f}',
        f'{1e3 * stream.jitter_s:.1f}',
        str(sum(stream.refused.values())),
        str(stream.gap_count),
        f'{stream.gaps[0].length_s:.2f}' if stream.gaps else '–',
        *delays,
    )


def _print_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify='left', box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(Text(column), no_wrap=not index, overflow='fold')
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _write_json(
    path: Path,
    bag: Path,
    described: Mapping[str, Mapping[str, Any]],
    found: Survey,
    findings: Sequence[Finding],
) -> None:
    document = {
        'recording': bag.name,
        'topics': described,
        **asdict(found),
        'findings': [finding.document() for finding in findings],
    }
    text = json.dumps(document, allow_nan=False, indent=2) + '\n'
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise SettingsError([f'--json {path}: cannot be written: {error.strerror}']) from error
