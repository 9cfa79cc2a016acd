# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import yaml

from mm_fusion.fields import Change
from mm_fusion.ros.parameter_file import (
    bounds,
    parameter_file,
    parameter_table,
    record_file,
    record_specs,
)
from mm_fusion.ros.sound_options import SoundOptions
from mm_fusion.settings import Settings, flatten, parameter_specs, settings_from


def test_the_file_sets_every_parameter_to_its_default() -> None:
    values = flatten(yaml.safe_load(parameter_file())['/**']['ros__parameters'])
    assert settings_from(values) == Settings()
    assert set(values) == {spec.name for spec in parameter_specs()}


def test_a_real_parameter_is_written_as_one() -> None:
    values = flatten(yaml.safe_load(parameter_file())['/**']['ros__parameters'])
    for spec in parameter_specs():
        assert type(values[spec.name]) is spec.type, spec.name


def test_the_file_of_a_small_node_sets_its_fields() -> None:
    values = yaml.safe_load(record_file('sound node', SoundOptions()))['/**']['ros__parameters']
    assert SoundOptions(**values) == SoundOptions()
    assert list(values) == [spec.name for spec in record_specs(SoundOptions())]


def test_a_small_node_reads_its_parameters_once() -> None:
    assert {spec.change for spec in record_specs(SoundOptions())} == {Change.AT_START}


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('alignment.deadline_s', '0 to 2 s'),
        ('ego_filter.yaw_rate_std_rps', '0.0001 to 1 rad/s'),
        ('ego_filter.gate_sigmas', '1 to 100'),
        ('alignment.max_history', '10 to 1000000'),
        ('ego_filter.yaw_rate', 'one of "auto", "measured", "absent"'),
        ('inference.bundle', ''),
        ('node.autostart', ''),
    ],
)
def test_bounds_are_written_with_their_unit(name: str, expected: str) -> None:
    (spec,) = (spec for spec in parameter_specs() if spec.name == name)
    assert bounds(spec) == expected


@pytest.mark.parametrize(
    ('name', 'change'),
    [
        ('decoding.siren_threshold', 'at once'),
        ('alignment.deadline_s', 'at configure'),
        ('node.autostart', 'at start'),
    ],
)
def test_the_table_says_when_a_change_takes_effect(name: str, change: str) -> None:
    (row,) = (row for row in parameter_table().splitlines() if row.startswith(f'| `{name}`'))
    assert row.endswith(f'| {change} |')
