# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is made from the parameters is in step with them, and the schema takes what they take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mm_fusion.ros.parameter_file import parameter_file, parameter_table
from mm_fusion.settings import parameter_specs
from tools.generate_parameters import ROOT, documents, schema, stale, with_table

if TYPE_CHECKING:
    from pathlib import Path

TYPES: dict[str, Any] = {
    'object': dict,
    'string': str,
    'boolean': bool,
    'integer': int,
    'number': (int, float),
}


def faults(value: Any, rule: dict[str, Any], where: str = '') -> list[str]:
    """Check a value by the keywords of JSON schema that are in use; list what is wrong."""
    if '$ref' in rule:
        target: Any = schema()
        for part in rule['$ref'].removeprefix('#/').split('/'):
            target = target[part]
        return faults(value, target, where)
    wrong_type = 'type' in rule and (
        not isinstance(value, TYPES[rule['type']])
        or (isinstance(value, bool) and rule['type'] != 'boolean')
    )
    if wrong_type:
        return [f'{where}: no {rule["type"]}']
    found = []
    if 'enum' in rule and value not in rule['enum']:
        found.append(f'{where}: not in enum')
    if 'minimum' in rule and not rule['minimum'] <= value <= rule['maximum']:
        found.append(f'{where}: out of bounds')
    found += [f'{where}: lacks {name}' for name in rule.get('required', ()) if name not in value]
    if isinstance(value, dict):
        for name, item in value.items():
            found += faults(item, rule_for(name, rule), f'{where}/{name}')
    return found


def rule_for(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    """Choose the rule of one property; one that is not allowed gets an impossible one."""
    if name in rule.get('properties', {}):
        chosen: dict[str, Any] = rule['properties'][name]
        return chosen
    if any(re.search(pattern, name) for pattern in rule.get('patternProperties', {})):
        return {}
    other = rule.get('additionalProperties', {})
    return {'enum': []} if other is False else other


def given(**parameters: Any) -> dict[str, Any]:
    return {'/**': {'ros__parameters': parameters}}


def test_everything_that_is_made_is_in_step() -> None:
    out = [str(path.relative_to(ROOT)) for path in stale(documents())]
    assert out == [], 'run python -m tools.generate_parameters'


def test_a_file_that_was_edited_or_is_missing_is_out_of_step(tmp_path: Path) -> None:
    kept, edited, missing = (tmp_path / name for name in 'abc')
    kept.write_text('1\n')
    edited.write_text('2 \n')
    assert stale({kept: '1\n', edited: '2\n', missing: '3\n'}) == [edited, missing]


def test_the_table_replaces_what_stands_between_its_marks() -> None:
    text = 'a\n<!-- parameters -->\nold\n<!-- /parameters -->\nb\n'
    assert with_table(text) == (
        f'a\n<!-- parameters -->\n{parameter_table()}<!-- /parameters -->\nb\n'
    )
    with pytest.raises(ValueError, match='around the table'):
        with_table('a\n<!-- parameters -->\nb\n')


def test_the_schema_takes_the_shipped_file() -> None:
    assert faults(yaml.safe_load(parameter_file()), schema()) == []


def test_the_schema_takes_names_with_dots_and_what_is_ros_own() -> None:
    flat = {spec.name: spec.default for spec in parameter_specs()}
    own = {'use_sim_time': True, 'qos_overrides./image.subscription.depth': 5}
    assert faults(given(**flat, **own), schema()) == []


@pytest.mark.parametrize(
    ('parameters', 'fault'),
    [
        ({'alignment': {'deadline_s': 9.0}}, '/alignment/deadline_s: out of bounds'),
        ({'alignment.deadline_s': 9.0}, '/alignment.deadline_s: out of bounds'),
        ({'alignment': {'deadlin_s': 0.1}}, '/alignment/deadlin_s: not in enum'),
        ({'decodng': {}}, '/decodng: not in enum'),
        ({'inference': {'threads': 'two'}}, '/inference/threads: no integer'),
        ({'ego_filter': {'yaw_rate': 'maybe'}}, '/ego_filter/yaw_rate: not in enum'),
    ],
)
def test_the_schema_refuses_what_the_node_refuses(parameters: Any, fault: str) -> None:
    assert faults(given(**parameters), schema()) == [f'//**/ros__parameters{fault}']


def test_the_schema_wants_the_layout_of_ros() -> None:
    assert faults({'/**': {'alignment': {}}}, schema()) == ['//**: lacks ros__parameters']
