# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A satellite receiver whose antenna stands over base_link."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.simulation.samples import GNSS_FRAME
from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.sensors.clocks import instants
from mm_fusion.simulation.world import START_NS, Motion
from mm_fusion.types.sensors import GnssFix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

MULTIPATH_TIME_S = 20.0
"""Satellites move on: the reflections at one place change, slowly."""

MULTIPATH_DISTANCE_M = 15.0
"""Houses pass by: the reflections of one facade are not those of the next."""

HEIGHT_RATIO = 1.5
"""Deviation of the height against that of a horizontal axis: satellites stand above only."""


class GaussMarkov:
    """An error of three axes that changes slowly, with a constant deviation.

    The first-order Gauss-Markov process (Gelb, Applied Optimal Estimation, 1974): what remains of
    the error after a step is the share exp(-step), the rest is new.

    Args:
        std_m: Deviation of an axis.
        rng: Of this process alone.
    """

    def __init__(self, std_m: float, rng: np.random.Generator) -> None:
        self._std_m = std_m
        self._rng = rng
        self._error = std_m * rng.standard_normal(3)

    def after(self, step: float) -> NDArray[np.float64]:
        """Give the error, float64 (3,), after a step in units of the correlation length."""
        keep = math.exp(-step)
        new = self._std_m * math.sqrt(1.0 - keep**2) * self._rng.standard_normal(3)
        self._error = keep * self._error + new
        return self._error


def gnss_fixes(world: World) -> Iterator[GnssFix]:
    """Measure the position at the receiver's rate.

    The error is white noise and a Gauss-Markov drift, and between houses reflections, whose
    correlation ends with time and with the distance driven. There is no fix in a tunnel. The
    covariance is that of the error.

    Yields:
        Fixes with true stamps; they arrive at once. The frame ``map`` lies at the scenario's
        origin.
    """
    scenario, settings = world.scenario, world.scenario.gnss
    frame = LocalFrame(scenario.latitude_deg, scenario.longitude_deg, scenario.altitude_m)
    white = generator(scenario.seed, 'gnss', 'white')
    drift = GaussMarkov(settings.drift_std_m, generator(scenario.seed, 'gnss', 'drift'))
    multipath = GaussMarkov(
        settings.multipath_std_m if world.roads.urban else 0.0,
        generator(scenario.seed, 'gnss', 'multipath'),
    )
    variance = settings.white_std_m**2 + settings.drift_std_m**2
    if world.roads.urban:
        variance += settings.multipath_std_m**2
    last_ns = START_NS
    for stamp_ns in instants(settings.rate_hz, world.end_ns):
        state = world.state_at(world.ego, stamp_ns)
        step_s = (stamp_ns - last_ns) * 1e-9
        last_ns = stamp_ns
        passed = step_s / MULTIPATH_TIME_S + step_s * abs(state[Motion.SPEED]) / (
            MULTIPATH_DISTANCE_M
        )
        error = drift.after(step_s / settings.drift_time_s) + multipath.after(passed)
        error = error + settings.white_std_m * white.standard_normal(3)
        if world.roads.in_tunnel(state[Motion.ARC]):
            continue
        place = np.array([state[Motion.X], state[Motion.Y], 0.0])
        latitude, longitude, altitude = frame.to_geodetic(place + error * (1, 1, HEIGHT_RATIO))
        yield GnssFix(
            stamp_ns,
            stamp_ns,
            GNSS_FRAME,
            latitude,
            longitude,
            altitude,
            variance * np.eye(2) if variance else None,
        )
