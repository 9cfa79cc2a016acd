# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mm_fusion.ros.parameter_file import bounds, parameter_file, parameter_table
from mm_fusion.settings import Settings, flatten, parameter_specs, settings_from

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / 'config' / 'fusion.param.yaml'


def test_the_shipped_file_is_in_step_with_the_settings() -> None:
    hint = 'run python -m mm_fusion.ros.parameter_file > config/fusion.param.yaml'
    assert SHIPPED.read_text() == parameter_file(), hint


def test_the_table_of_the_readme_is_in_step_with_the_settings() -> None:
    hint = 'run python -m mm_fusion.ros.parameter_file table'
    assert (
        f'<!-- parameters -->\n{parameter_table()}<!-- /parameters -->'
        in (ROOT / 'README.md').read_text()
    ), hint


def test_the_file_sets_every_parameter_to_its_default() -> None:
    values = flatten(yaml.safe_load(parameter_file())['/**']['ros__parameters'])
    assert settings_from(values) == Settings()
    assert set(values) == {spec.name for spec in parameter_specs()}


def test_a_real_parameter_is_written_as_one() -> None:
    values = flatten(yaml.safe_load(parameter_file())['/**']['ros__parameters'])
    for spec in parameter_specs():
        assert type(values[spec.name]) is spec.type, spec.name


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('alignment.deadline_s', '0 to 2 s'),
        ('ego_filter.yaw_rate_std_rps', '0.0001 to 1 rad/s'),
        ('ego_filter.gate_sigmas', '1 to 100'),
        ('alignment.max_history', '10 to 1000000'),
        ('inference.backend', 'one of "auto", "onnxruntime"'),
        ('inference.bundle', ''),
        ('node.autostart', ''),
    ],
)
def test_bounds_are_written_with_their_unit(name: str, expected: str) -> None:
    (spec,) = (spec for spec in parameter_specs() if spec.name == name)
    assert bounds(spec) == expected
