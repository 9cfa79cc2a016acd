# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is true at an instant of a simulated drive."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics import audible_siren
from mm_fusion.simulation.samples import PATH_STEP_S, PATH_STEPS, DriveTruth
from mm_fusion.simulation.world import FRICTION_COEFFICIENTS, Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

AHEAD_M = 20.0
"""The labels are those of the road from the vehicle's base_link to this far ahead."""

_PATH_STEP_NS = round(PATH_STEP_S * 1e9)


def truth_at(world: World, stamp_ns: int) -> DriveTruth:
    """Give everything that is true at an instant.

    The label of a surface is the class with the largest mean share of the road from 0 to 20 m
    ahead, which is what a camera on the vehicle sees and what the vehicle is about to drive on.
    The friction coefficient is the mean over the shares under base_link. The future path is the
    one that was driven, exact to the linear interpolation between the states of the world.
    """
    motion = world.state_at(world.ego, stamp_ns)
    surface = world.roads.surface
    ahead = motion[Motion.ARC] + np.linspace(0.0, AHEAD_M, 41)
    friction, material, unevenness = (
        int(shares.mean(axis=0).argmax())
        for shares in (
            surface.friction_at(ahead),
            surface.material_at(ahead),
            surface.unevenness_at(ahead),
        )
    )
    return DriveTruth(
        stamp_ns=stamp_ns,
        received_ns=stamp_ns,
        motion=motion,
        friction=friction,
        material=material,
        unevenness=unevenness,
        friction_coefficient=float(
            surface.friction_at(motion[Motion.ARC]) @ np.array(FRICTION_COEFFICIENTS)
        ),
        siren=audible_siren(world, stamp_ns),
        siren_places=_siren_places(world, stamp_ns),
        path=_path(world, stamp_ns),
    )


def _siren_places(world: World, stamp_ns: int) -> NDArray[np.float64]:
    step = world.step_at(stamp_ns)
    sounding = [vehicle for vehicle in world.vehicles if vehicle.siren_on[step]]
    states = [world.state_at(vehicle, stamp_ns)[:2] for vehicle in sounding]
    places = world.in_base_link(stamp_ns, np.array(states).reshape(-1, 2))
    return np.asarray(places[np.hypot(places[:, 0], places[:, 1]).argsort(kind='stable')])


def _path(world: World, stamp_ns: int) -> NDArray[np.float64] | None:
    stamps = [stamp_ns + step * _PATH_STEP_NS for step in range(1, PATH_STEPS + 1)]
    if stamps[-1] > world.end_ns:
        return None
    poses = np.array([world.state_at(world.ego, stamp)[:3] for stamp in stamps])
    heading = world.state_at(world.ego, stamp_ns)[Motion.HEADING]
    turned = (poses[:, 2] - heading + math.pi) % (2 * math.pi) - math.pi
    return np.column_stack([world.in_base_link(stamp_ns, poses[:, :2]), turned])
