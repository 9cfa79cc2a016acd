# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion doctor``: what is installed, what would run, what the topics do, and advice."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from mm_fusion.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.cli.findings import Finding


def doctor(
    settings: Annotated[
        Path | None, typer.Option(help='YAML of parameters, laid out as for the node.')
    ] = None,
    bundle: Annotated[str | None, typer.Option(help='Name or folder of the model bundle.')] = None,
    topics: Annotated[
        Path | None,
        typer.Option(help='YAML of topics by role: image, audio, audio_info, fix, velocity.'),
    ] = None,
    namespace: Annotated[str, typer.Option(help='Namespace of the fusion node.')] = '',
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60.0, help='How long to listen to the topics.')
    ] = 3.0,
    graph: Annotated[
        bool, typer.Option('--graph/--no-graph', help='Look at the ROS graph.')
    ] = True,
    json_file: Annotated[
        Path | None, typer.Option('--json', help='File for the machine-readable findings.')
    ] = None,
) -> None:
    """Look at the machine and at the ROS graph; give one line of advice for each finding.

    Exit status: 0 where nothing is in the way, 1 where something is, 2 where an input is refused.
    """
    from rich.console import Console

    from mm_fusion.cli.findings import Severity, print_findings, worst
    from mm_fusion.evaluation.inputs import read_settings, read_topics

    console = Console()
    inference = read_settings(settings).inference
    if bundle is not None:
        inference = replace(inference, bundle=bundle)
    chosen = _checked({} if topics is None else read_topics(topics))
    from mm_fusion.cli import doctor_machine as machine

    transport = machine.transport_of(os.environ)
    sections: dict[str, list[Finding]] = {
        'Installed': [*machine.package_findings(), *machine.ros_findings(os.environ)],
        'Inference': list(machine.backend_findings(inference)),
        'Transport': list(machine.transport_findings(transport, machine.free_shared_memory())),
    }
    if graph and importlib.util.find_spec('rclpy') is not None:
        from mm_fusion.cli.doctor_topics import topic_findings
        from mm_fusion.ros.observation import observe

        observation = observe(chosen, namespace=namespace, seconds=seconds)
        sections['ROS graph'] = list(topic_findings(observation, transport))
    for title, findings in sections.items():
        print_findings(console, title, findings)
    if json_file is not None:
        _write_json(json_file, sections)
    if worst([finding for part in sections.values() for finding in part]) is Severity.ERROR:
        raise typer.Exit(1)


def _checked(topics: Mapping[str, str]) -> Mapping[str, str]:
    expected = ('image', 'audio', 'audio_info', 'fix', 'velocity')
    unknown = [role for role in topics if role not in expected]
    if unknown:
        raise SettingsError(
            [
                f'topics: found the role {role!r}, expected {", ".join(expected)}'
                for role in unknown
            ]
        )
    return topics


def _write_json(path: Path, sections: Mapping[str, list[Finding]]) -> None:
    document = {
        title: [finding.document() for finding in findings] for title, findings in sections.items()
    }
    try:
        path.write_text(json.dumps(document, indent=2) + '\n', encoding='utf-8')
    except OSError as error:
        raise SettingsError([f'--json {path}: cannot be written: {error.strerror}']) from error
