# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from rclpy.parameter import Parameter

from mm_fusion.ros.parameters import describe, refusals
from mm_fusion.settings import parameter_specs

pytestmark = pytest.mark.ros

SPECS = {spec.name: spec for spec in parameter_specs()}


def wanted(**values: Any) -> list[Parameter[Any]]:
    return [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]


def test_what_may_change_at_once_may_do_so_while_configured() -> None:
    change = wanted(decoding__siren_threshold=0.7, node__log_level='debug', use_sim_time=True)
    assert refusals(change, configured=True) == []


def test_what_is_read_at_configure_may_change_before() -> None:
    change = wanted(alignment__deadline_s=0.2)
    assert refusals(change, configured=False) == []
    assert refusals(change, configured=True) == [
        'alignment.deadline_s: read at configure; clean up the node first'
    ]


@pytest.mark.parametrize('configured', [False, True])
def test_what_is_read_at_start_never_changes(configured: bool) -> None:
    (reason,) = refusals(wanted(node__autostart=True), configured=configured)
    assert reason.startswith('node.autostart: read at start')


def test_everything_that_speaks_against_a_change_is_listed() -> None:
    change = wanted(
        decoding__step_s=9.0,
        decoding__horizon_s='long',
        decoding__siren_threshold=0.7,
        node__log_level='loud',
        nothing__such=1,
    )
    reasons = refusals(change, configured=True)
    assert [reason.split(':')[0] for reason in reasons] == [
        'decoding.step_s',
        'decoding.horizon_s',
        'node.log_level',
        'nothing.such',
    ]
    assert 'found 9.0, expected 0.01 to 5 s' in reasons[0]


def test_an_unknown_parameter_can_be_deleted_and_a_known_one_not() -> None:
    assert refusals([Parameter('nothing.such')], configured=False) == []
    (reason,) = refusals([Parameter('decoding.step_s')], configured=False)
    assert 'found None, expected float' in reason


def test_the_description_says_unit_and_when_it_changes() -> None:
    told = describe(SPECS['decoding.step_s'])
    assert told.description == 'Time between two points of the predicted path [s]; changes at once'
    assert told.floating_point_range[0].to_value == 5.0
    assert not told.read_only
    assert describe(SPECS['node.autostart']).read_only
    assert describe(SPECS['inference.threads']).integer_range[0].to_value == 256
    assert 'one of "auto"' in describe(SPECS['node.image_type']).additional_constraints
