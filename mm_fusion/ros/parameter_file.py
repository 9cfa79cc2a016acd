# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files and tables of the nodes, made from the fields of their settings.

``python -m tools.generate_parameters`` writes what the repository holds of them; a test checks
that it is in step. It needs nothing of ROS.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mm_fusion.fields import Change, specs_of
from mm_fusion.settings import parameter_specs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mm_fusion.fields import ParameterSpec, Scalar

_FUSION_HEADER = """\
# yaml-language-server: $schema=fusion.param.schema.json
# Parameters of the fusion node with their defaults, for any node name and namespace.
# Made by `python -m tools.generate_parameters`: copy this file rather than change it.
# An unknown name or a value out of its bounds fails the transition to configured, and all such are
# named at once. (live): a change takes effect at once, also while the node is active.
"""
_SMALL_HEADER = """\
# Parameters of the {node} with their defaults, for any node name and namespace.
# Made by `python -m tools.generate_parameters`: copy this file rather than change it.
# They are read once, at the start; an unknown name or a value out of its bounds ends the node.
"""


def parameter_file() -> str:
    """Write the YAML file that sets every parameter of the fusion node to its default."""
    lines = [_FUSION_HEADER + '/**:', '  ros__parameters:']
    for group, specs in itertools.groupby(parameter_specs(), _group):
        lines.append(f'    {group}:')
        lines += _entries(list(specs), '      ')
    return '\n'.join(lines) + '\n'


def record_file(node: str, record: Any) -> str:
    """Write the YAML file of a small node, whose parameters are the fields of a record."""
    header = _SMALL_HEADER.format(node=node)
    return (
        '\n'.join([header + '/**:', '  ros__parameters:', *_entries(record_specs(record), '    ')])
        + '\n'
    )


def record_specs(record: Any) -> list[ParameterSpec]:
    """List the parameters of a small node, whose names stand without the dot of a group."""
    return [
        replace(spec, name=spec.name[1:], change=Change.AT_START) for spec in specs_of(record, '')
    ]


def parameter_table(specs: Sequence[ParameterSpec] | None = None) -> str:
    """Write a Markdown table of parameters; None takes every one of the fusion node."""
    rows = [
        f'| `{spec.name}` | {_literal(spec.default)} | {bounds(spec) or spec.type.__name__} '
        f'| {spec.description} | {spec.change.value} |'
        for spec in (parameter_specs() if specs is None else specs)
    ]
    head = ['| parameter | default | allowed | meaning | changes |', '|---|---|---|---|---|']
    return '\n'.join([*head, *rows]) + '\n'


def bounds(spec: ParameterSpec) -> str:
    """Say which values a parameter may have; empty where any of its type will do."""
    if spec.choices:
        return 'one of ' + ', '.join(map(_literal, spec.choices))
    if spec.lower is None or spec.upper is None:
        return ''
    unit = '' if spec.unit == '1' else f' {spec.unit}'
    return f'{spec.lower:.12g} to {spec.upper:.12g}{unit}'


def _group(spec: ParameterSpec) -> str:
    return spec.name.split('.')[0]


def _entries(specs: Sequence[ParameterSpec], indent: str) -> list[str]:
    lines = []
    for spec in specs:
        lines += [f'{indent}# {text}' for text in _comment(spec)]
        lines.append(f'{indent}{spec.name.split(".")[-1]}: {_literal(spec.default)}')
    return lines


def _comment(spec: ParameterSpec) -> list[str]:
    allowed = bounds(spec)
    live = ' (live)' if spec.change is Change.AT_ONCE else ''
    if spec.choices:
        return [f'{spec.description}{live}:', f'  {allowed}']
    return [(f'{spec.description} ({allowed})' if allowed else spec.description) + live]


def _literal(value: Scalar) -> str:
    return json.dumps(value)
