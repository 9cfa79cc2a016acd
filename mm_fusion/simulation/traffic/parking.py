# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles parked on the pavement of a town street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.traffic.fleet import MODELS, paints
from mm_fusion.simulation.traffic.placing import REACH_M, SIGHT_M
from mm_fusion.simulation.world import Motion, Vehicle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork
    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.world import VehicleKind

_BAY_M = 7.0
_KERB_GAP_M = 0.25
_JUNCTION_GAP_M = 12.0
_BEND_RADIUS_M = 40.0
_RENEW_STEPS = 25
_SHARES = (0.6, 0.25, 0.15)


def parked_vehicles(
    scenario: Scenario, roads: RoadNetwork, ego: NDArray[np.float64]
) -> tuple[Vehicle, ...]:
    """Park vehicles along the main road, always around the ego vehicle.

    One that is out of sight behind stands, from then on, out of sight ahead.

    Args:
        scenario: How many.
        roads: They stand in towns only, not at junctions and not in tunnels.
        ego: float64 (steps, 7), states of the ego vehicle.
    """
    if not roads.urban or not scenario.traffic.parked:
        return ()
    rng = generator(scenario.seed, 'parking')
    choices: tuple[VehicleKind, ...] = ('car', 'estate', 'van')
    kinds = [choices[int(k)] for k in rng.choice(3, scenario.traffic.parked, p=_SHARES)]
    bays = _bays(roads, rng)
    where = _occupied(bays, len(kinds), ego, rng)
    colours = paints(kinds, scenario.seed + 1)
    return tuple(
        _parked(kind, colour, bays[row], roads)
        for kind, colour, row in zip(kinds, colours, where.T, strict=True)
    )


def _bays(roads: RoadNetwork, rng: np.random.Generator) -> NDArray[np.float64]:
    """Lay out bays (n, 6): arc, side (±1), x, y and heading of the kerb, and edge of the road."""
    course = roads.main.course
    arcs = np.arange(course.start_m + _BAY_M, course.end_m - _BAY_M, _BAY_M)
    free = np.abs(course.curvature_at(arcs)) < 1 / _BEND_RADIUS_M
    for junction in roads.junctions:
        free &= np.abs(arcs - junction.arc_m) > junction.radius_m + _JUNCTION_GAP_M
    for begin, end in roads.tunnels:
        free &= (arcs < begin - _BAY_M) | (arcs > end + _BAY_M)
    rows = []
    for side, edge in zip((-1.0, 1.0), roads.main.edges_m, strict=True):
        chosen = arcs[free] + rng.uniform(-0.4, 0.4, int(free.sum()))
        pose = course.pose_at(chosen)
        pose[:, :2] = course.beside(chosen, np.full(len(chosen), edge))
        pose[:, 2] += 0.0 if side < 0 else np.pi
        count = len(chosen)
        rows.append(np.column_stack([chosen, np.full(count, side), pose, np.full(count, edge)]))
    return np.concatenate(rows)


def _occupied(
    bays: NDArray[np.float64], count: int, ego: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give the bay (steps, count) of each vehicle at each step."""
    steps = len(ego)
    away = np.hypot(bays[:, 2] - ego[0, Motion.X], bays[:, 3] - ego[0, Motion.Y])
    order = rng.permutation(len(bays))
    near = order[np.argsort(away[order] > REACH_M, kind='stable')]
    where = np.empty((steps, count), np.int64)
    now = near[:count].copy()
    for step in range(0, steps, _RENEW_STEPS):
        away = np.hypot(bays[:, 2] - ego[step, Motion.X], bays[:, 3] - ego[step, Motion.Y])
        if step:
            ahead = (bays[:, 0] > ego[step, Motion.ARC]) & (away > SIGHT_M) & (away < REACH_M)
            for one in np.flatnonzero(away[now] > REACH_M):
                free = np.setdiff1d(np.flatnonzero(ahead), now)
                if len(free):
                    now[one] = rng.choice(free)
        where[step : step + _RENEW_STEPS] = now
    return where


def _parked(
    kind: VehicleKind,
    colour: tuple[float, float, float],
    bays: NDArray[np.float64],
    roads: RoadNetwork,
) -> Vehicle:
    model = MODELS[kind]
    states = np.zeros((len(bays), len(Motion)))
    outward = model.width_m / 2 + _KERB_GAP_M
    # To the right of the way it faces, and back to its rear axle.
    heading = bays[:, 4]
    back = model.length_m / 2 - model.rear_m
    states[:, Motion.X] = bays[:, 2] + outward * np.sin(heading) - back * np.cos(heading)
    states[:, Motion.Y] = bays[:, 3] - outward * np.cos(heading) - back * np.sin(heading)
    states[:, Motion.HEADING] = heading
    states[:, Motion.ARC] = bays[:, 0]
    off = np.zeros(len(bays), bool)
    return Vehicle(
        kind,
        model.length_m,
        model.width_m,
        model.height_m,
        model.rear_m,
        colour,
        None,
        states,
        off,
        off,
        off,
    )
