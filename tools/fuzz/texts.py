# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Documents and tables: manifests of bundles, parameters, scenarios, message definitions."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)

from mm_fusion.bags.typestore import recorded_types
from mm_fusion.documents import parse_yaml
from mm_fusion.errors import BundleError, DocumentError, ScenarioError, SettingsError
from mm_fusion.evaluation.inputs import settings_of
from mm_fusion.resources import config_path
from mm_fusion.runtime.bundle import MANIFEST, SHIPPED
from mm_fusion.runtime.manifest import read_manifest
from mm_fusion.settings import Settings, parameter_specs
from mm_fusion.simulation.scenario import Scenario
from mm_fusion.simulation.scenario_file import parse_scenario, scenario_to_yaml

_EXT = ConnectionExtRosbag2('cdr', [])
_READ = (
    'schema',
    'name',
    'version',
    'classes',
    'stages',
    'audio_sample_rate_hz',
    'calibration',
    'friction_coefficients',
    'surface_from',
    'weights',
)
_READ_AGAIN = 64
_SPECS = parameter_specs()


def manifest(data: bytes) -> None:
    """Read a manifest.

    Raises:
        AssertionError: What was read breaks the contract.
    """
    try:
        found = read_manifest(data, MANIFEST)
    except BundleError:
        return
    assert 'fusion' in found.stages
    for stage in found.stages.values():
        assert '/' not in stage.file
        assert stage.size_bytes > 0
    assert all(1e-3 <= value <= 1e3 for value in found.calibration.temperatures.values())
    assert 0 <= found.calibration.siren_threshold <= 1
    assert found.audio_sample_rate_hz > 0


def manifest_seeds() -> dict[str, bytes]:
    """Give the manifests of the shipped bundles, as far as they are read."""
    seeds = {}
    for path in SHIPPED.glob(f'*/{MANIFEST}'):
        document = json.loads(path.read_bytes())
        read = {name: document[name] for name in _READ if name in document}
        seeds[path.parent.name] = json.dumps(read).encode()
    return seeds


def parameters(data: bytes) -> None:
    """Read a parameter file.

    Raises:
        AssertionError: A value was taken that is not allowed.
    """
    try:
        document, _ = parse_yaml(data.decode(errors='replace'), 'parameters')
        settings = settings_of(document, 'parameters')
    except (DocumentError, SettingsError):
        return
    for spec in _SPECS:
        group, name = spec.name.split('.')
        value = getattr(getattr(settings, group), name)
        assert spec.problem(value) is None


def parameters_seeds() -> dict[str, bytes]:
    """Give each group of parameters, plain and as a node's file has it."""
    groups = dataclasses.asdict(Settings())
    seeds = {name: json.dumps({name: values}).encode() for name, values in groups.items()}
    node = {'/**': {'ros__parameters': {'audio': groups['audio'], 'node.base_frame': 'a'}}}
    return seeds | {'node': json.dumps(node).encode(), 'yaml': b'audio:\n  channels: 1 # one\n'}


def scenario(data: bytes) -> None:
    """Read a scenario, and write one that was accepted.

    Raises:
        AssertionError: It is another one when it is read again.
    """
    try:
        found = parse_scenario(data.decode(errors='replace'), 'scenario')
    except ScenarioError:
        return
    if sum(data) % _READ_AGAIN == 0:  # it takes a hundred times as long
        assert parse_scenario(scenario_to_yaml(found), 'again') == found


def scenario_seeds() -> dict[str, bytes]:
    """Give each section of the scenarios of the package, and the smallest file whole."""
    seeds: dict[str, bytes] = {}
    default = json.loads(json.dumps(dataclasses.asdict(Scenario())))
    for name, value in default.items():
        seeds[f'default-{name}'] = json.dumps({name: value}).encode()
    for path in config_path('scenarios').glob('*.yaml'):
        document: Any = parse_yaml(path.read_text(encoding='utf-8'), path.name)[0]
        for name, value in document.items():
            seeds[f'{path.stem}-{name}'] = json.dumps({name: value}).encode()
    return {name: content for name, content in seeds.items() if len(content) < 1024}


def definition(data: bytes) -> None:
    """Read the definition of a message as a recording carries it, and compile it.

    The library raises what it likes: the reader turns all of it into one line. What is looked
    for is a hang, a crash and endless memory.
    """
    style = MessageDefinitionFormat.IDL if data[:1] == b'i' else MessageDefinitionFormat.MSG
    text = data[1:].decode(errors='replace')
    connection = Connection(
        1, '/fuzz', 'a/msg/B', MessageDefinition(style, text), '', 1, _EXT, None
    )
    with contextlib.suppress(Exception):
        recorded_types([connection]).get_msgdef('a/msg/B')


def definition_seeds() -> dict[str, bytes]:
    """Give small definitions in both languages."""
    return {
        'msg': b'muint8 A=1\nfloat32[3] a\nstring<=5 b\nstd_msgs/Header h\nC[] c\n'
        b'================\nMSG: a/C\nint32 x 7\n',
        'idl': b'imodule a { module msg { struct B { sequence<double, 3> x; @key long y; '
        b'string z; }; }; };',
    }
