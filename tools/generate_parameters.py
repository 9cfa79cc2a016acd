# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write everything that is made from the parameters: files, schema, documentation, README table.

python -m tools.generate_parameters            # write what has changed, and name it
python -m tools.generate_parameters --check    # write nothing; exit with 1 where it would
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mm_fusion.ros.parameter_file import (
    parameter_file,
    parameter_table,
    record_file,
    record_specs,
)
from mm_fusion.ros.simulation_options import SimulationOptions
from mm_fusion.ros.sound_options import SoundOptions
from mm_fusion.settings import parameter_specs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mm_fusion.fields import ParameterSpec

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = '<!-- parameters -->\n', '<!-- /parameters -->'
_TYPES = {bool: 'boolean', int: 'integer', float: 'number', str: 'string'}
_HEAD = """\
# Parameters

Made by `python -m tools.generate_parameters` from `mm_fusion/settings.py` (fusion node),
`mm_fusion/ros/simulation_options.py` and `mm_fusion/ros/sound_options.py`; not to be edited here.
The same command writes `config/*.param.yaml`, the JSON schema `config/fusion.param.schema.json`
(editors with a YAML language server check a copy of the file by it while one types) and the table
of the README; a test fails where one of them is out of step.

## When a change takes effect

| | |
|---|---|
| at once | also while the node is active: the next prediction is made with it |
| at configure | while the node is unconfigured; later it is refused: clean the node up first |
| at start | read when the process starts, refused afterwards |

A change is checked before any of it takes effect. An unknown name, a wrong type, a value out of
its bounds or a parameter that cannot change now refuses the whole of an atomic change, and the
reason names every problem in it. `ros2 param set /mm_fusion decoding.siren_threshold 0.7` sets one
parameter, `ros2 param load /mm_fusion mine.yaml` those of a file.
"""


def documents(root: Path = ROOT) -> dict[Path, str]:
    """Give the text of every file that is made, by its path.

    Args:
        root: Of the repository; its README is read for what stands around the table.

    Raises:
        ValueError: The README has not the two marks between which the table stands.
    """
    return {
        root / 'config' / 'fusion.param.yaml': parameter_file(),
        root / 'config' / 'fusion.param.schema.json': json.dumps(schema(), indent=2) + '\n',
        root / 'config' / 'simulator.param.yaml': record_file(
            'simulator node', SimulationOptions()
        ),
        root / 'config' / 'sound.param.yaml': record_file('sound node', SoundOptions()),
        root / 'docs' / 'parameters.md': _documentation(),
        root / 'README.md': with_table((root / 'README.md').read_text(encoding='utf-8')),
    }


def with_table(readme: str) -> str:
    """Put the table between its marks.

    Raises:
        ValueError: There are no such marks.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'README.md: expected {BEGIN.strip()} and {END} around the table')
    return before + begin + parameter_table() + end + after


def schema() -> dict[str, Any]:
    """Make the JSON schema of a parameter file of the fusion node.

    Groups may be nested, or written with dots; ``use_sim_time`` and the like are ROS' own.
    """
    groups = {
        name: {
            'type': 'object',
            'additionalProperties': False,
            'properties': {spec.name.split('.')[1]: _property(spec) for spec in specs},
        }
        for name, specs in _grouped(parameter_specs()).items()
    }
    dotted = {
        spec.name: {
            '$ref': f'#/$defs/parameters/properties/{spec.name.replace(".", "/properties/")}'
        }
        for spec in parameter_specs()
    }
    own = {
        'use_sim_time': {'type': 'boolean', 'description': 'Take the time from /clock'},
        'start_type_description_service': {'type': 'boolean'},
        'qos_overrides': {'type': 'object'},
    }
    return {
        '$schema': 'https://json-schema.org/draft/2020-12/schema',
        'title': 'Parameter file of the mm_fusion node',
        'type': 'object',
        'additionalProperties': {
            'type': 'object',
            'properties': {'ros__parameters': {'$ref': '#/$defs/parameters'}},
            'required': ['ros__parameters'],
        },
        '$defs': {
            'parameters': {
                'type': 'object',
                'additionalProperties': False,
                'patternProperties': {r'^qos_overrides\.': {}},
                'properties': {**groups, **dotted, **own},
            }
        },
    }


def _property(spec: ParameterSpec) -> dict[str, Any]:
    made: dict[str, Any] = {
        'type': _TYPES[spec.type],
        'description': spec.description,
        'default': spec.default,
    }
    if spec.choices:
        made['enum'] = list(spec.choices)
    if spec.lower is not None:
        made['minimum'], made['maximum'] = spec.lower, spec.upper
    if spec.unit not in ('', '1'):
        made['x-unit'] = spec.unit
    made['x-changes'] = spec.change.value
    return made


def _grouped(specs: Sequence[ParameterSpec]) -> dict[str, list[ParameterSpec]]:
    groups = itertools.groupby(specs, lambda spec: spec.name.split('.')[0])
    return {name: list(members) for name, members in groups}


def _documentation() -> str:
    parts = [_HEAD, '## Fusion node\n']
    for name, specs in _grouped(parameter_specs()).items():
        parts.append(f'### {name}\n\n{parameter_table(specs)}')
    for title, record in (('Simulator node', SimulationOptions()), ('Sound node', SoundOptions())):
        parts.append(f'## {title}\n\n{parameter_table(record_specs(record))}')
    return '\n'.join(parts)


def stale(made: Mapping[Path, str]) -> list[Path]:
    """List the files whose text is another than the one that is made."""
    return [
        path
        for path, text in made.items()
        if not path.is_file() or path.read_text(encoding='utf-8') != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Write what is out of step, or with ``--check`` only name it."""
    made = documents()
    found = stale(made)
    check = list(arguments) == ['--check']
    for path in found:
        if not check:
            path.write_text(made[path], encoding='utf-8')
        print(f'{"out of step" if check else "written"}: {path.relative_to(ROOT)}')
    return 1 if check and found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
