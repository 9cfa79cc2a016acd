# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Levels follow the published source model, and surfaces change them as they should."""

from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.simulation.acoustics import levels


def one(size: int, index: int) -> tuple[float, ...]:
    return tuple(float(i == index) for i in range(size))


def factor_db(friction: int = 0, material: int = 0, unevenness: int = 0) -> list[float]:
    factor = levels.surface_factor(one(6, friction), one(5, material), one(3, unevenness))
    return [float(10 * np.log10(value)) for value in factor]


def test_a_car_at_the_reference_speed_has_the_power_of_the_directive() -> None:
    power = levels.rolling(70 / 3.6, 0) / levels.REFERENCE_PA**2

    # 8 dB from power to pressure at 1 m over a hard ground.
    assert 10 * np.log10(power[4]) + 8 == pytest.approx(100.1)
    assert 10 * np.log10(power[0]) + 8 == pytest.approx(83.1)


def test_rolling_noise_grows_with_the_logarithm_of_the_speed() -> None:
    slow, fast = levels.rolling(np.array([10.0, 20.0]), np.zeros(2, np.int64))

    assert 10 * np.log10(fast[4] / slow[4]) == pytest.approx(32.5 * np.log10(2))
    assert levels.rolling(0.0, 0).sum() < 1e-6 * slow.sum()


def test_heavy_vehicles_are_louder() -> None:
    for speed in (5.0, 15.0, 25.0):
        car, truck = (levels.rolling(speed, k) + levels.propulsion(speed, k) for k in (0, 1))
        assert 10 * np.log10(truck.sum() / car.sum()) > 3


def test_surfaces_have_the_spectra_that_they_are_known_by() -> None:
    wet, water, snow = (np.array(factor_db(friction=i)) for i in (1, 2, 3))
    cobble, gravel = (np.array(factor_db(material=i)) for i in (2, 3))

    assert factor_db() == [0.0] * 8
    assert (wet[:4] == 0).all()
    assert (np.diff(wet[4:]) > 0).all()
    assert (water >= wet).all()
    assert snow[4:].max() < -10
    assert cobble[0] == cobble.max()
    assert gravel[7] > gravel[4]
    assert factor_db(unevenness=2)[0] > factor_db(unevenness=1)[0] > 0


def test_a_mixed_surface_lies_between_its_parts() -> None:
    mixed = levels.surface_factor((0.5, 0.5, 0, 0, 0, 0), one(5, 0), one(3, 0))
    wet = levels.surface_factor(one(6, 1), one(5, 0), one(3, 0))

    np.testing.assert_allclose(mixed, (1 + wet) / 2)


def test_wind_noise_has_sixty_four_times_the_power_at_twice_the_speed() -> None:
    np.testing.assert_allclose(levels.wind(20.0), 64 * levels.wind(10.0))
    assert levels.wind(0.0).sum() == 0


def test_band_densities_integrate_to_the_power_of_their_band() -> None:
    frequencies = np.arange(0.25, 20_000.0, 0.5, dtype=np.float64)

    densities = levels.band_densities(frequencies)

    np.testing.assert_allclose(densities.sum(axis=1) * 0.5, 1.0, rtol=1e-3)
    centre = (densities * frequencies).sum(axis=1) * 0.5
    np.testing.assert_allclose(centre, levels.BANDS_HZ, rtol=0.1)
