# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound travels as physics says: absorption by air, and when it set out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.acoustics.propagation import (
    SPEED_OF_SOUND_MPS,
    air_absorption_db_per_m,
    retarded_times,
)

BANDS_HZ = [63, 125, 250, 500, 1000, 2000, 4000, 8000]


@pytest.mark.parametrize(
    ('celsius', 'humidity', 'db_per_km'),
    [
        # Table 2 of ISO 9613-2.
        (20.0, 70.0, [0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6]),
        (10.0, 70.0, [0.1, 0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117.0]),
        (15.0, 20.0, [0.3, 0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202.0]),
    ],
)
def test_the_air_absorbs_as_the_standard_tabulates(
    celsius: float, humidity: float, db_per_km: list[float]
) -> None:
    found = 1000 * air_absorption_db_per_m(BANDS_HZ, celsius + 273.15, humidity)

    np.testing.assert_allclose(found, db_per_km, rtol=0.02, atol=0.06)


coordinates = st.floats(-400.0, 400.0)
velocities = st.floats(-56.0, 56.0)


@given(
    start=st.tuples(coordinates, coordinates),
    steps=st.lists(st.tuples(velocities, velocities), min_size=1, max_size=30),
    ear=st.tuples(coordinates, coordinates),
    ear_velocity=st.tuples(velocities, velocities),
    up_m=st.floats(0.1, 3.0),
)
def test_sound_left_when_its_way_takes_as_long_as_it_was_under_way(
    start: tuple[float, float],
    steps: list[tuple[float, float]],
    ear: tuple[float, float],
    ear_velocity: tuple[float, float],
    up_m: float,
) -> None:
    knots = 0.05 * np.arange(len(steps) + 1, dtype=np.float64)
    places = np.concatenate([[start], start + 0.05 * np.cumsum(steps, axis=0)])
    heard = knots[-1] - np.array([0.02, 0.01, 0.0])
    ears = np.array(ear) + heard[:, None] * np.array(ear_velocity)

    sent, knot = retarded_times(knots, places[None], heard, ears, up_m)

    first = np.array(steps[0])
    for i in range(3):
        then = sent[0, i]
        place = np.array([np.interp(then, knots, column) for column in places.T])
        if then < 0:
            place = places[0] + then * first
        distance = np.sqrt(np.sum((ears[i] - place) ** 2) + up_m**2)
        assert heard[i] - then == pytest.approx(distance / SPEED_OF_SOUND_MPS, abs=1e-9)
        if then > 0:
            assert knots[knot[0, i]] <= then + 1e-9
            assert then <= knots[knot[0, i] + 1] + 1e-9
    assert np.all(np.diff(sent[0]) > 0)
