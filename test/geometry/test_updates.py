# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The written-out updates beside the Kalman update in matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.measurements import MeasuredPosition
from mm_fusion.geometry.updates import innovation, update_column, update_position

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.geometry.process import Mean

SEEDS = st.integers(0, 10_000)


def belief(seed: int) -> tuple[Mean, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    root = random.normal(size=(6, 6))
    a, b, c, d, e, f = random.normal(size=6).tolist()
    return (a, b, c, d, e, f), root @ root.T


def kalman(
    mean: Mean,
    covariance: NDArray[np.float64],
    rows: NDArray[np.float64],
    residual: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    innovated = rows @ covariance @ rows.T + noise
    gain = covariance @ rows.T @ np.linalg.inv(innovated)
    after = np.array(mean) + gain @ residual
    distance = float(residual @ np.linalg.inv(innovated) @ residual)
    return after, (np.eye(6) - gain @ rows) @ covariance, distance


@settings(deadline=None)
@given(seed=SEEDS, column=st.integers(0, 5), value=st.floats(-5, 5), variance=st.floats(0.01, 10))
def test_update_of_a_column(seed: int, column: int, value: float, variance: float) -> None:
    mean, covariance = belief(seed)
    rows = np.eye(6)[column : column + 1]
    residual = np.array([value - mean[column]])
    expected = kalman(mean, covariance, rows, residual, np.array([[variance]]))
    found = update_column(mean, covariance, column, value, variance)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)


@settings(deadline=None)
@given(
    seed=SEEDS,
    place=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    correlation=st.floats(-0.9, 0.9),
    factor=st.floats(1.0, 20.0),
)
def test_update_of_a_position(
    seed: int, place: tuple[float, float], correlation: float, factor: float
) -> None:
    mean, covariance = belief(seed)
    measured = MeasuredPosition(*place, 2.0, correlation, 1.0)
    noise = factor * np.array([[2.0, correlation], [correlation, 1.0]])
    residual = np.array(place) - mean[:2]
    expected = kalman(mean, covariance, np.eye(6)[:2], residual, noise)
    seen = innovation(mean, covariance, measured, factor)
    found = update_position(mean, covariance, seen)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)
    np.testing.assert_allclose(seen.squared_distance, expected[2], rtol=1e-6, atol=1e-9)
