# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera is: carried by the vehicle, shaken by the road, dipped by the brakes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.world import START_NS, STEP_NS, Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.camera import PinholeCamera
    from mm_fusion.simulation.world import World

NEAR_M = 0.35
FAR_M = 2500.0

SHAKE_HEAVE_M = (0.0005, 0.006, 0.020)
"""Standard deviation of the height by unevenness (smooth, slight, severe) at 10 m/s."""

SHAKE_TILT_RAD = (0.0002, 0.0025, 0.010)
"""The same of pitch; of roll it is 0.8 of it."""

PITCH_PER_ACCELERATION = 0.004
"""Upward tilt under acceleration, rad/(m/s²): 1.4 degrees at 6 m/s² of braking."""

_SHAKE_SPEED_MPS = 10.0
_SHAKE_MOST = 1.6
_BODY_HZ, _AXLE_HZ = (0.9, 2.6), (7.0, 13.0)
_WAVES = 7
_AXLE_SHARE = 0.35
_SUSPENSION_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class CameraPose:
    """Where the camera is and what it maps where.

    Attributes:
        eye: float64 (3,), optical centre in the map frame, m.
        rotation: float64 (3, 3), from the map frame to the optical frame.
        projection: float64 (4, 4), from the optical frame to clip space.
    """

    eye: NDArray[np.float64]
    rotation: NDArray[np.float64]
    projection: NDArray[np.float64]

    @property
    def turn(self) -> NDArray[np.float64]:
        """Matrix (4, 4) from map axes with the eye as origin to clip space."""
        turned = np.eye(4)
        turned[:3, :3] = self.rotation
        return np.asarray(self.projection @ turned)

    @property
    def view_projection(self) -> NDArray[np.float32]:
        """Matrix float32 (4, 4) from the map frame to clip space."""
        moved = np.eye(4)
        moved[:3, 3] = -self.eye
        return np.asarray(self.turn @ moved, np.float32)


def projection_matrix(camera: PinholeCamera) -> NDArray[np.float64]:
    """Give the matrix (4, 4) from the optical frame to OpenGL's clip space.

    Its pixel centres are those of ``PinholeCamera.project``: the optical axis meets the middle of
    the image.
    """
    depth, span = FAR_M + NEAR_M, FAR_M - NEAR_M
    return np.array(
        [
            [2 * camera.focal_px / camera.width, 0, 0, 0],
            [0, -2 * camera.focal_px / camera.height, 0, 0],
            [0, 0, depth / span, -2 * FAR_M * NEAR_M / span],
            [0, 0, 1, 0],
        ]
    )


class Carriage:
    """Gives the pose of the camera of a drive at any time.

    The shake is a sum of sine waves of the natural frequencies of a car's body and of its axles
    (about 1 to 2 Hz and 10 Hz), with seeded phases, so it is a function of time alone; how large
    it is follows from the unevenness there and the speed.

    Args:
        world: The drive.
        camera: Its camera.
    """

    def __init__(self, world: World, camera: PinholeCamera) -> None:
        self._world = world
        self._camera = camera
        self._shaken = world.scenario.camera.shake
        rng = generator(world.scenario.seed, 'camera', 'shake')
        bands = np.array([_BODY_HZ, _AXLE_HZ])
        self._frequencies = rng.uniform(bands[:, :1], bands[:, 1:], (3, 2, _WAVES))
        self._phases = rng.uniform(0, 2 * math.pi, (3, 2, _WAVES))
        self._projection = projection_matrix(camera)

    def at(self, stamp_ns: int) -> CameraPose:
        """Give the pose at a time."""
        state = self._world.state_at(self._world.ego, stamp_ns)
        heave, pitch, roll = self._shake(stamp_ns, state)
        pitch -= PITCH_PER_ACCELERATION * self._felt_acceleration(stamp_ns)
        body = _rotation(float(state[Motion.HEADING]), pitch, roll)
        eye = body @ self._camera.position + (state[Motion.X], state[Motion.Y], heave)
        return CameraPose(eye, self._camera.rotation @ body.T, self._projection)

    def _shake(self, stamp_ns: int, state: NDArray[np.float64]) -> tuple[float, float, float]:
        """Give heave (m), pitch down and roll to the right (rad)."""
        if not self._shaken:
            return 0.0, 0.0, 0.0
        shares = self._world.roads.surface.unevenness_at(state[Motion.ARC])
        strength = min(abs(float(state[Motion.SPEED])) / _SHAKE_SPEED_MPS, _SHAKE_MOST)
        time_s = (stamp_ns - START_NS) * 1e-9
        waves = np.sin(2 * math.pi * self._frequencies * time_s + self._phases)
        body, axle = waves.sum(axis=2).T * math.sqrt(2 / _WAVES)
        noise = strength * (math.sqrt(1 - _AXLE_SHARE**2) * body + _AXLE_SHARE * axle)
        tilt = float(shares @ SHAKE_TILT_RAD)
        return (
            float(noise[0] * (shares @ SHAKE_HEAVE_M)),
            float(noise[1]) * tilt,
            0.8 * float(noise[2]) * tilt,
        )

    def _felt_acceleration(self, stamp_ns: int) -> float:
        """Give the acceleration as the springs pass it on: smoothed over the time before."""
        if not self._shaken:
            return 0.0
        place = (stamp_ns - START_NS) / STEP_NS
        last = min(max(place, 0.0), self._world.steps - 1.0)
        steps = last - np.arange(0.0, 4 * _SUSPENSION_S, STEP_NS * 1e-9) / (STEP_NS * 1e-9)
        weights = np.exp((steps - last) * STEP_NS * 1e-9 / _SUSPENSION_S)
        column = self._world.ego.states[:, Motion.ACCELERATION]
        index = np.maximum(steps, 0.0)
        low = np.minimum(index.astype(int), self._world.steps - 2)
        part = index - low
        felt = (1 - part) * column[low] + part * column[low + 1]
        return float(felt @ weights / weights.sum())


def _rotation(heading: float, pitch_down: float, roll: float) -> NDArray[np.float64]:
    """Give the rotation (3, 3) from base_link to the map frame, after REP-103."""
    cos, sin = math.cos(heading), math.sin(heading)
    yaw = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    cos, sin = math.cos(pitch_down), math.sin(pitch_down)
    nod = np.array([[cos, 0, sin], [0, 1.0, 0], [-sin, 0, cos]])
    cos, sin = math.cos(roll), math.sin(roll)
    bank = np.array([[1.0, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.asarray(yaw @ nod @ bank)
