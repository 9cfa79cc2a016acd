# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.enu import LocalFrame

OFFSETS = st.floats(-20_000.0, 20_000.0)


@settings(deadline=None)
@given(
    latitude=st.floats(-89.0, 89.0),
    longitude=st.floats(-180.0, 180.0),
    enu=st.tuples(OFFSETS, OFFSETS, st.floats(-500.0, 5_000.0)),
)
def test_local_coordinates_survive_the_way_to_the_globe_and_back(
    latitude: float, longitude: float, enu: tuple[float, float, float]
) -> None:
    frame = LocalFrame(latitude, longitude, 100.0)
    local = frame.to_local(*frame.to_geodetic(np.array(enu)))
    np.testing.assert_allclose(local, enu, atol=1e-4)


def test_axes_point_east_north_and_up() -> None:
    frame = LocalFrame(48.0, 11.0, 500.0)
    metres_per_degree = 40_008_000.0 / 360.0
    east = frame.to_local(48.0, 11.001, 500.0)
    north = frame.to_local(48.001, 11.0, 500.0)
    up = frame.to_local(48.0, 11.0, 510.0)
    assert east == pytest.approx(
        [0.001 * metres_per_degree * math.cos(math.radians(48)), 0, 0], abs=0.4
    )
    assert north == pytest.approx([0, 0.001 * metres_per_degree, 0], abs=0.4)
    assert up == pytest.approx([0, 0, 10], abs=1e-6)


def test_a_missing_altitude_is_that_of_the_origin() -> None:
    frame = LocalFrame(48.0, 11.0, 500.0)
    np.testing.assert_allclose(
        frame.to_local(48.001, 11.0, math.nan), frame.to_local(48.001, 11.0, 500.0)
    )


@pytest.mark.parametrize(
    ('latitude', 'longitude'), [(math.nan, 0.0), (0.0, math.nan), (91.0, 0.0), (0.0, -181.0)]
)
def test_what_is_not_on_the_globe_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match='found latitude'):
        LocalFrame(latitude, longitude, 0.0)
    with pytest.raises(ValueError, match='found latitude'):
        LocalFrame(0.0, 0.0, 0.0).to_local(latitude, longitude, 0.0)


def test_an_origin_needs_an_altitude() -> None:
    with pytest.raises(ValueError, match='altitude'):
        LocalFrame(48.0, 11.0, math.nan)
