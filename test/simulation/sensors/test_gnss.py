# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.simulation.samples import GNSS_FRAME
from mm_fusion.simulation.scenario import GnssSettings, Scenario
from mm_fusion.simulation.sensors import gnss_fixes
from mm_fusion.simulation.sensors.gnss import (
    HEIGHT_RATIO,
    MULTIPATH_DISTANCE_M,
    MULTIPATH_TIME_S,
)
from mm_fusion.simulation.world import START_NS, Motion, World
from support.worlds import small_world, steady

if TYPE_CHECKING:
    from numpy.typing import NDArray


def world(
    settings: GnssSettings,
    duration_s: float = 1200.0,
    speed_mps: float = 0.0,
    seed: int = 4,
    **more: object,
) -> World:
    scenario = Scenario(seed=seed, duration_s=duration_s, gnss=settings)
    return small_world(scenario, steady(speed_mps), **more)  # type: ignore[arg-type]


def errors(driven: World) -> NDArray[np.float64]:
    """Give the errors of the fixes, float64 (n, 3), east, north and up in m."""
    scenario = driven.scenario
    frame = LocalFrame(scenario.latitude_deg, scenario.longitude_deg, scenario.altitude_m)
    rows = []
    for fix in gnss_fixes(driven):
        x, y = driven.state_at(driven.ego, fix.stamp_ns)[:2]
        local = frame.to_local(fix.latitude_deg, fix.longitude_deg, fix.altitude_m)
        rows.append(local - (x, y, 0.0))
    return np.array(rows)


def correlation(values: NDArray[np.float64], lag: int) -> float:
    """Give the autocorrelation of the horizontal axes at a lag; the mean is known to be 0."""
    horizontal = values[:, :2]
    return float((horizontal[lag:] * horizontal[:-lag]).mean() / (horizontal**2).mean())


PERFECT = GnssSettings(rate_hz=5.0, white_std_m=0.0, drift_std_m=0.0, multipath_std_m=0.0)


def test_a_perfect_receiver_gives_the_place_on_the_globe_at_its_rate() -> None:
    driven = world(PERFECT, 20.0, 10.0)
    fixes = list(gnss_fixes(driven))

    assert [fix.stamp_ns for fix in fixes] == [START_NS + i * 200_000_000 for i in range(101)]
    assert all(fix.received_ns == fix.stamp_ns for fix in fixes)
    assert np.abs(errors(driven)).max() < 1e-6
    assert fixes[0].frame_id == GNSS_FRAME
    # Nothing to state: a covariance of zeros would claim the impossible.
    assert fixes[0].covariance is None


def test_white_errors_have_their_deviation_and_no_memory() -> None:
    found = errors(world(GnssSettings(white_std_m=0.4, drift_std_m=0.0, multipath_std_m=0.0)))

    assert found[:, :2].std(axis=0) == pytest.approx([0.4, 0.4], rel=0.04)
    assert found[:, 2].std() == pytest.approx(0.4 * HEIGHT_RATIO, rel=0.04)
    assert abs(correlation(found, 1)) < 0.04


def test_the_drift_has_its_deviation_and_its_time_constant() -> None:
    settings = GnssSettings(
        rate_hz=1.0, white_std_m=0.0, drift_std_m=0.8, drift_time_s=5.0, multipath_std_m=0.0
    )
    found = errors(world(settings, 7200.0))

    assert found[:, :2].std() == pytest.approx(0.8, rel=0.06)
    for lag in (2, 5, 10):
        assert correlation(found, lag) == pytest.approx(np.exp(-lag / 5.0), abs=0.07)


@pytest.mark.parametrize('speed_mps', [0.0, 5.0])
def test_reflections_last_as_long_as_the_vehicle_stays_among_the_same_houses(
    speed_mps: float,
) -> None:
    settings = GnssSettings(rate_hz=1.0, white_std_m=0.0, drift_std_m=0.0, multipath_std_m=2.0)
    found = errors(world(settings, 3600.0, speed_mps, urban=True))
    for lag in (1, 3):
        passed = lag / MULTIPATH_TIME_S + lag * speed_mps / MULTIPATH_DISTANCE_M
        assert correlation(found, lag) == pytest.approx(np.exp(-passed), abs=0.08)


def test_reflections_come_from_houses() -> None:
    settings = GnssSettings(white_std_m=0.0, drift_std_m=0.0, multipath_std_m=2.0)

    assert np.abs(errors(world(settings, 20.0))).max() < 1e-6
    assert np.abs(errors(world(settings, 20.0, urban=True))).max() > 0.5


@pytest.mark.parametrize('urban', [False, True])
def test_the_covariance_is_that_of_the_errors(urban: bool) -> None:
    settings = GnssSettings(rate_hz=2.0, drift_time_s=2.0)
    driven = world(settings, 3600.0, 10.0, urban=urban)
    covariance = next(iter(gnss_fixes(driven))).covariance

    assert covariance is not None
    assert covariance == pytest.approx(np.cov(errors(driven)[:, :2].T), rel=0.1, abs=0.1)
    assert covariance[0, 1] == 0


def test_there_is_no_fix_in_a_tunnel_and_the_errors_go_on_behind_it() -> None:
    driven = world(GnssSettings(), 20.0, 10.0, tunnels=((51.0, 110.5),))
    fixes = list(gnss_fixes(driven))
    arcs = [driven.state_at(driven.ego, fix.stamp_ns)[Motion.ARC] for fix in fixes]
    before = sum(arc < 51.0 for arc in arcs)

    assert before == 26
    assert min(arcs[before:]) == pytest.approx(112.0)
    assert len(fixes) == 101 - 30
    without = list(gnss_fixes(world(GnssSettings(), 20.0, 10.0)))
    assert fixes[-1].latitude_deg == without[-1].latitude_deg


def test_the_seed_decides() -> None:
    one, same, other = (
        [fix.latitude_deg for fix in gnss_fixes(world(GnssSettings(), 2.0, 10.0, seed))]
        for seed in (4, 4, 5)
    )
    assert one == same
    assert one != other
