# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameter file of the node and the table of the README, made from the settings.

``python -m mm_fusion.ros.parameter_file > config/fusion.param.yaml`` writes the file anew, and
with ``table`` behind it the table; a test checks that both are in step. It needs nothing of ROS.
"""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING

from mm_fusion.settings import parameter_specs

if TYPE_CHECKING:
    from mm_fusion.fields import ParameterSpec, Scalar

_HEADER = """\
# Parameters of the fusion node with their defaults, for any node name and namespace.
# Made by `python -m mm_fusion.ros.parameter_file`: copy this file rather than change it.
# They are read at configure; an unknown name or a value out of its bounds fails the transition.
"""


def parameter_file() -> str:
    """Write the YAML file that sets every parameter to its default."""
    lines = [_HEADER + '/**:', '  ros__parameters:']
    for group, specs in itertools.groupby(parameter_specs(), _group):
        lines.append(f'    {group}:')
        for spec in specs:
            lines += [f'      # {text}' for text in _comment(spec)]
            lines.append(f'      {spec.name.split(".")[1]}: {_literal(spec.default)}')
    return '\n'.join(lines) + '\n'


def parameter_table() -> str:
    """Write the Markdown table of every parameter."""
    rows = ['| parameter | default | allowed | meaning |', '|---|---|---|---|']
    for spec in parameter_specs():
        allowed = bounds(spec) or spec.type.__name__
        rows.append(
            f'| `{spec.name}` | {_literal(spec.default)} | {allowed} | {spec.description} |'
        )
    return '\n'.join(rows) + '\n'


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


def _comment(spec: ParameterSpec) -> list[str]:
    allowed = bounds(spec)
    if spec.choices:
        return [f'{spec.description}:', f'  {allowed}']
    return [f'{spec.description} ({allowed})' if allowed else spec.description]


def _literal(value: Scalar) -> str:
    return json.dumps(value)


if __name__ == '__main__':
    sys.stdout.write(parameter_table() if sys.argv[1:] == ['table'] else parameter_file())
