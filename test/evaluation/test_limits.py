# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.errors import SettingsError
from mm_fusion.evaluation.limits import Limit, exceeded, parse_limits
from mm_fusion.evaluation.records import no_totals

if TYPE_CHECKING:
    from mm_fusion.evaluation.records import BagResult


def test_limits_are_read() -> None:
    assert parse_limits(['ADE6=2.5', 'MISS3=0']) == (
        Limit('ADE', 6, 2.5),
        Limit('MISS', 3, 0.0),
    )


def test_every_limit_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_limits(['ADE6=2.5', 'ADE5=1', 'ade6=1', 'FDE6', 'ADE6=nan'])
    assert len(caught.value.problems) == 4


def test_only_what_is_exceeded_is_said(result: BagResult) -> None:
    limits = parse_limits(['ADE6=100', 'FDE1=0', 'MISS6=1'])
    (complaint,) = exceeded(limits, result.totals)
    assert complaint.startswith('FDE1: found 0.')


def test_a_score_that_does_not_exist_exceeds() -> None:
    (complaint,) = exceeded(parse_limits(['ADE6=100']), no_totals())
    assert 'no sample' in complaint
