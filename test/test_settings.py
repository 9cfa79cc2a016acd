# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.errors import SettingsError
from mm_fusion.settings import Settings, flatten, parameter_specs, settings_from

if TYPE_CHECKING:
    from mm_fusion.fields import ParameterSpec

SPECS = {spec.name: spec for spec in parameter_specs()}
NUMBERS = [spec for spec in SPECS.values() if spec.lower is not None]


def test_no_values_give_the_defaults() -> None:
    assert settings_from({}) == Settings()


def test_every_parameter_is_described_and_its_default_allowed() -> None:
    for spec in SPECS.values():
        assert spec.description
        assert spec.problem(spec.default) is None
        assert (spec.lower is None) == (spec.type in (str, bool))


def test_every_parameter_reaches_its_field() -> None:
    for spec in NUMBERS:
        assert spec.lower is not None
        settings = settings_from({spec.name: spec.type(spec.lower)})
        group, name = spec.name.split('.')
        assert getattr(getattr(settings, group), name) == spec.lower
        assert dataclasses.asdict(settings)[group][name] == spec.lower


@pytest.mark.parametrize('spec', NUMBERS, ids=lambda spec: spec.name)
@pytest.mark.parametrize('side', ['lower', 'upper'])
def test_bounds_are_enforced(spec: ParameterSpec, side: str) -> None:
    bound = getattr(spec, side)
    outside = spec.type(bound + (1 if side == 'upper' else -1))
    with pytest.raises(SettingsError, match=f'{spec.name}: found {outside!r}, expected'):
        settings_from({spec.name: outside})


@given(value=st.sampled_from([float('nan'), float('inf'), -float('inf')]))
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(SettingsError, match='deadline_s'):
        settings_from({'alignment.deadline_s': value})


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(
            {
                'alignment.deadlines': 1.0,
                'alignment.deadline_s': '0.05',
                'inference.backend': 'abacus',
                'audio.channels': True,
            }
        )
    assert len(caught.value.problems) == 4
    assert 'alignment.deadlines: unknown parameter' in caught.value.problems


def test_a_whole_number_serves_as_a_real_one_but_not_the_reverse() -> None:
    assert settings_from({'alignment.deadline_s': 1}).alignment.deadline_s == 1.0
    with pytest.raises(SettingsError, match='expected int'):
        settings_from({'inference.threads': 2.0})


def test_flatten_names_groups_and_fields() -> None:
    nested: dict[str, object] = {'alignment': {'deadline_s': 0.1}, 'node.base_frame': 'base'}
    assert flatten(nested) == {'alignment.deadline_s': 0.1, 'node.base_frame': 'base'}
