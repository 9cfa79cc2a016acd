# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""No prediction holds what is no probability, or a number that is not finite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mm_fusion.types.predictions import SurfacePosterior, TrajectoryMode

POSTERIOR = SurfacePosterior(
    friction=np.array([0.5, 0.5, 0.0, 0.0, 0.0, 0.0], np.float32),
    material=np.array([1.0, 0.0, 0.0, 0.0, 0.0], np.float32),
    unevenness=np.array([0.2, 0.3, 0.5], np.float32),
    siren=0.5,
)
MODE = TrajectoryMode(
    probability=1.0,
    times_s=np.array([0.5, 1.0]),
    positions=np.zeros((2, 2)),
    headings=np.zeros(2),
    covariances=np.tile(np.eye(2), (2, 1, 1)),
)


@pytest.mark.parametrize(
    'values',
    [
        [0.2, 0.3, 0.4],
        [0.2, 0.3, 0.6],
        [1.2, -0.1, -0.1],
        [np.nan, 0.5, 0.5],
        [np.inf, 0.0, 0.0],
        [np.inf, -np.inf, 1.0],
        [0.5, 0.5],
    ],
)
def test_what_is_no_distribution_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match='unevenness'):
        replace(POSTERIOR, unevenness=np.array(values, np.float32))


@pytest.mark.parametrize('siren', [-0.1, 1.1, np.nan])
def test_what_is_no_probability_of_a_siren_is_refused(siren: float) -> None:
    with pytest.raises(ValueError, match='siren'):
        replace(POSTERIOR, siren=siren)


@pytest.mark.parametrize('name', ['times_s', 'positions', 'headings', 'covariances'])
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_a_path_is_finite(name: str, bad: float) -> None:
    values = getattr(MODE, name).copy()
    values.flat[-1] = bad
    with pytest.raises(ValueError, match='not finite'):
        replace(MODE, **{name: values})


@pytest.mark.parametrize('name', ['times_s', 'positions', 'headings', 'covariances'])
def test_the_parts_of_a_path_have_as_many_steps(name: str) -> None:
    with pytest.raises(ValueError, match='shapes'):
        replace(MODE, **{name: getattr(MODE, name)[:1]})
