# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits on the scores, by which a continuous integration passes or fails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from mm_fusion.errors import SettingsError
from mm_fusion.metrics.trajectory import HORIZONS_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mm_fusion.evaluation.records import Totals

_SYNTAX = re.compile(r'(ADE|FDE|MISS)([0-9]+)=([0-9]+(?:\.[0-9]+)?)')


@dataclass(frozen=True, slots=True)
class Limit:
    """Largest value allowed for one score of the package over all samples.

    Attributes:
        metric: ``ADE`` or ``FDE`` in metres, ``MISS`` as a share.
        horizon_s: One of ``HORIZONS_S``.
        value: The largest allowed.
    """

    metric: Literal['ADE', 'FDE', 'MISS']
    horizon_s: int
    value: float


def parse_limits(texts: Sequence[str]) -> tuple[Limit, ...]:
    """Read limits such as ``ADE6=2.5``.

    Raises:
        SettingsError: One is not of that form; all are listed.
    """
    limits, problems = [], []
    for text in texts:
        match = _SYNTAX.fullmatch(text)
        if match is None or int(match[2]) not in HORIZONS_S:
            problems.append(
                f'--fail-above: found {text!r}, expected ADE, FDE or MISS with a horizon of '
                f'{", ".join(map(str, HORIZONS_S))} s and a value, such as ADE6=2.5'
            )
            continue
        metric = cast('Literal["ADE", "FDE", "MISS"]', match[1])
        limits.append(Limit(metric, int(match[2]), float(match[3])))
    if problems:
        raise SettingsError(problems)
    return tuple(limits)


def exceeded(limits: Sequence[Limit], totals: Totals) -> list[str]:
    """Say which limits are exceeded; a score that does not exist exceeds its limit."""
    sums = totals.scores['mm_fusion']['all']
    values = {'ADE': sums.ade_m, 'FDE': sums.fde_m, 'MISS': sums.miss_rate}
    complaints = []
    for limit in limits:
        found = values[limit.metric]
        name = f'{limit.metric}{limit.horizon_s}'
        if found is None:
            complaints.append(f'{name}: no sample was scored, at most {limit.value:g} is allowed')
            continue
        value = float(found[HORIZONS_S.index(limit.horizon_s)])
        if value > limit.value:
            complaints.append(f'{name}: found {value:.4g}, at most {limit.value:g} is allowed')
    return complaints
