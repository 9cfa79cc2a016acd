# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Single blows: drops on the roof, stones, joints and holes under the wheels, splashes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import AcousticScene

_REFERENCE_MPS = 14.0
_SILENT_PA = 1e-6


@dataclass(frozen=True, slots=True)
class Blow:
    """A kind of blow: what rings, how often, how hard. All of it is estimated.

    Attributes:
        frequency_hz: Of what rings.
        decay_s: Time constant of its ringing.
        peak_pa: Mean peak at 14 m/s; it grows with the speed.
        per_m: Blows by metre driven where the surface is fully of the kind.
        friction: Weights of the six classes.
        material: Weights of the five classes.
        unevenness: Weights of the three levels.
    """

    frequency_hz: float
    decay_s: float
    peak_pa: float
    per_m: float
    friction: tuple[float, ...] = (0.0,) * 6
    material: tuple[float, ...] = (0.0,) * 5
    unevenness: tuple[float, ...] = (0.0,) * 3

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of all classes: friction, material, unevenness."""
        return (*self.friction, *self.material, *self.unevenness)


ROAD_BLOWS = (
    # Holes and patches shake the body.
    Blow(62.0, 0.030, 1.6, 0.35, unevenness=(0.0, 0.25, 1.0)),
    # The edges of cobbles.
    Blow(120.0, 0.008, 0.5, 7.0, material=(0.0, 0.0, 1.0, 0.0, 0.0)),
    # Grit against the wheel arches.
    Blow(2600.0, 0.0004, 0.35, 30.0, material=(0.0, 0.0, 0.0, 1.0, 0.05)),
    # Water against the wheel arches.
    Blow(700.0, 0.0015, 0.4, 3.0, friction=(0.0, 0.06, 1.0, 0.0, 0.6, 0.0)),
    # Snow that breaks under the wheels.
    Blow(320.0, 0.002, 0.15, 12.0, friction=(0.0, 0.0, 0.0, 1.0, 0.2, 0.0)),
)

_JOINT = Blow(85.0, 0.020, 0.7, 0.0)
_SLAB_M = 5.0
_WHEELBASE_M = 2.7
_CONCRETE = 1

_DROP = Blow(1150.0, 0.0015, 0.1, 0.0)
_DROP_VOLUME_MM3 = 1.8
"""Of a drop of 1.5 mm."""

_ROOF_M2 = 0.2
"""The part of the roof on which a drop is heard as one."""

_MM_PER_S = 1 / 3600


class Ringing:
    """Blows of one kind, ringing on from block to block."""

    def __init__(self, blow: Blow, rate_hz: int) -> None:
        angle = 2 * math.pi * min(blow.frequency_hz / rate_hz, 0.45)
        fall = math.exp(-1 / (blow.decay_s * rate_hz))
        self._gain = [math.sin(angle)]
        self._feedback = [1.0, -2 * fall * math.cos(angle), fall**2]
        self._state = np.zeros(2)

    def sound(
        self, places: NDArray[np.int64], peaks: NDArray[np.float64], count: int
    ) -> NDArray[np.float64] | None:
        """Give the next samples, float64 (count,), or None for silence."""
        if not len(places) and np.abs(self._state).max() < _SILENT_PA:
            return None
        struck = np.bincount(places, peaks, minlength=count)
        rung, self._state = lfilter(self._gain, self._feedback, struck, zi=self._state)
        return np.asarray(rung)


class RoadBlows:
    """What strikes the wheels and the arches.

    Args:
        rate_hz: Samples a second.
        rng: Draws the blows, in order of time.
    """

    def __init__(self, rate_hz: int, rng: np.random.Generator) -> None:
        self._rate_hz = rate_hz
        self._rng = rng
        self._rings = [Ringing(blow, rate_hz) for blow in ROAD_BLOWS]
        self._per_m = np.array([blow.per_m * np.array(blow.weights) for blow in ROAD_BLOWS])
        self._peaks = [blow.peak_pa / _REFERENCE_MPS for blow in ROAD_BLOWS]
        self._joint = Ringing(_JOINT, rate_hz)
        self._driven_m = 0.0

    def sound(self, scene: AcousticScene, count: int) -> NDArray[np.float64]:
        """Give the next samples, Pa, float64 (count,)."""
        speed = abs(scene.speed_mps)
        way = speed * count / self._rate_hz
        total = self._joints(scene, way, count)
        shares = np.array([*scene.friction, *scene.material, *scene.unevenness])
        numbers = self._rng.poisson(way * (self._per_m @ shares))
        ends = np.cumsum(numbers)
        places = self._rng.integers(0, count, ends[-1])
        hardness = self._rng.exponential(speed, ends[-1])
        for ring, peak, number, end in zip(self._rings, self._peaks, numbers, ends):
            mine = slice(end - number, end)
            rung = ring.sound(places[mine], peak * hardness[mine], count)
            if rung is not None:
                total += rung
        return total

    def _joints(self, scene: AcousticScene, way: float, count: int) -> NDArray[np.float64]:
        """Let both axles pass the joints between slabs of concrete."""
        begin, self._driven_m = self._driven_m, self._driven_m + way
        peak = _JOINT.peak_pa * abs(scene.speed_mps) / _REFERENCE_MPS * scene.material[_CONCRETE]
        places = []
        for axle in (0.0, _WHEELBASE_M):
            joint = math.ceil((begin + axle) / _SLAB_M) * _SLAB_M - axle
            while joint < self._driven_m and peak > 0:
                places.append(min(int((joint - begin) / way * count), count - 1))
                joint += _SLAB_M
        found = np.array(places, np.int64)
        rung = self._joint.sound(found, np.full(len(found), peak), count)
        return np.zeros(count) if rung is None else rung


class RoofRain:
    """Drops on the roof around one microphone; their number follows from the rain.

    Args:
        rate_hz: Samples a second.
        rng: Draws the drops, in order of time.
    """

    def __init__(self, rate_hz: int, rng: np.random.Generator) -> None:
        self._rate_hz = rate_hz
        self._rng = rng
        self._ringing = Ringing(_DROP, rate_hz)

    def sound(self, rain_mmph: float, count: int) -> NDArray[np.float64] | None:
        """Give the next samples, Pa, float64 (count,), or None for silence."""
        volume_mm3 = rain_mmph * _MM_PER_S * _ROOF_M2 * 1e6
        number = self._rng.poisson(volume_mm3 / _DROP_VOLUME_MM3 * count / self._rate_hz)
        places = self._rng.integers(0, count, number)
        return self._ringing.sound(places, self._rng.exponential(_DROP.peak_pa, number), count)
