# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The engine of the own vehicle: orders of the crankshaft, by speed, gear and load."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics.levels import pascal_squared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import AcousticScene

_IDLE_HZ = 13.5
_HZ_PER_MPS = (4.6, 2.55, 1.7, 1.25, 0.98, 0.8)
"""Turns of the crankshaft a second per m/s, by gear."""

_SHIFT_UP_HZ = (36.0, 75.0)
"""Without and with full load."""

_SHIFT_DOWN_HZ = 16.0
_INERTIA_S = 0.25
_FULL_LOAD_MPS2 = 2.5

_ORDERS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0])
_WEIGHTS_DB = np.array(
    [-14.0, -12.0, -14.0, 0.0, -16.0, -18.0, -5.0, -19.0, -9.0, -13.0, -17.0, -20.0]
)
"""A four-stroke engine with four cylinders fires twice a turn: order 2 and its multiples."""

_IDLE_DB = 66.0
_PER_DOUBLING_DB = 7.0
_LOAD_DB = 8.0


class EngineSound:
    """Sum the orders of a four-cylinder four-stroke engine, phase after phase.

    Levels at the microphone are estimates: 66 dB at idle, 7 dB more for twice the speed of the
    crankshaft, 8 dB more under full load.

    Args:
        rate_hz: Samples a second.
        rng: Draws the phases of the orders.
    """

    def __init__(self, rate_hz: int, rng: np.random.Generator) -> None:
        self._rate_hz = rate_hz
        self._phases = rng.uniform(0.0, 2 * math.pi, len(_ORDERS))
        weights = 10 ** (_WEIGHTS_DB / 20)
        self._weights = weights * math.sqrt(2 / np.sum(weights**2))
        self._turns = 0.0
        self._turning_hz: float | None = None
        self._gear = 0
        self._amplitude = 0.0

    def sound(self, begin: AcousticScene, end: AcousticScene, count: int) -> NDArray[np.float64]:
        """Give the next ``count`` samples, Pa, float64 (count,)."""
        load = min(max(end.acceleration_mps2 / _FULL_LOAD_MPS2, 0.0), 1.0)
        target = self._target(abs(end.speed_mps), load)
        before = target if self._turning_hz is None else self._turning_hz
        follow = 1 - math.exp(-count / self._rate_hz / _INERTIA_S)
        after = before + follow * (target - before)
        doublings = math.log2(after / _IDLE_HZ)
        level = _IDLE_DB + _PER_DOUBLING_DB * doublings + _LOAD_DB * load
        amplitude = math.sqrt(float(pascal_squared(level))) if end.engine_on else 0.0
        amplitude = self._amplitude + follow * (amplitude - self._amplitude)
        time = np.arange(count) / self._rate_hz
        span = count / self._rate_hz
        turns = self._turns + before * time + (after - before) / (2 * span) * time**2
        angle = (2 * math.pi * _ORDERS[:, None] * turns + self._phases[:, None]).astype(np.float32)
        ramp = self._amplitude + (amplitude - self._amplitude) * np.arange(count) / count
        # Every second turn all orders are where they were.
        self._turns = (self._turns + (before + after) / 2 * span) % 2.0
        self._turning_hz, self._amplitude = after, amplitude
        return np.asarray(ramp * (self._weights @ np.sin(angle)))

    def _target(self, speed_mps: float, load: float) -> float:
        up = _SHIFT_UP_HZ[0] + load * (_SHIFT_UP_HZ[1] - _SHIFT_UP_HZ[0])
        while self._gear < len(_HZ_PER_MPS) - 1 and speed_mps * _HZ_PER_MPS[self._gear] > up:
            self._gear += 1
        while self._gear > 0 and speed_mps * _HZ_PER_MPS[self._gear] < _SHIFT_DOWN_HZ:
            self._gear -= 1
        return max(speed_mps * _HZ_PER_MPS[self._gear], _IDLE_HZ)
