# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicles of a drive: what they are, who drives them, and where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.traffic.dynamics import STEP_S
from mm_fusion.simulation.traffic.idm import Driving
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.world import VehicleKind

EGO = 0
"""Index of the vehicle with the sensors."""


@dataclass(frozen=True, slots=True)
class Model:
    """Size of a kind of vehicle, m; ``rear_m`` is its overhang behind the rear axle."""

    length_m: float
    width_m: float
    height_m: float
    rear_m: float
    wheelbase_m: float
    top_mps: float
    agility: float


MODELS: dict[VehicleKind, Model] = {
    'car': Model(4.35, 1.80, 1.48, 0.85, 2.62, 60.0, 1.0),
    'estate': Model(4.75, 1.84, 1.50, 1.00, 2.80, 60.0, 1.0),
    'van': Model(5.60, 2.00, 2.45, 1.15, 3.40, 38.0, 0.85),
    'truck': Model(7.40, 2.40, 3.20, 1.95, 3.90, 24.0, 0.6),
    'bus': Model(11.80, 2.50, 3.10, 3.25, 5.90, 27.0, 0.6),
    'ambulance': Model(6.10, 2.05, 2.70, 1.50, 3.60, 60.0, 1.4),
    'police': Model(4.75, 1.84, 1.50, 1.00, 2.80, 60.0, 1.8),
    'fire_engine': Model(7.60, 2.45, 3.20, 2.10, 4.00, 45.0, 1.1),
}

_PAINTS = (
    (0.78, 0.79, 0.80),
    (0.02, 0.02, 0.025),
    (0.16, 0.17, 0.18),
    (0.42, 0.43, 0.44),
    (0.03, 0.07, 0.22),
    (0.36, 0.02, 0.02),
    (0.05, 0.12, 0.07),
    (0.30, 0.24, 0.15),
)
_PAINT_SHARES = (0.22, 0.2, 0.2, 0.14, 0.1, 0.07, 0.04, 0.03)
_LIVERY = {
    'ambulance': (0.75, 0.72, 0.55),
    'police': (0.55, 0.57, 0.60),
    'fire_engine': (0.50, 0.02, 0.01),
}
_WANDER_M = 0.11
_WANDER_S = 5.0
_LIVELINESS_MPS2 = 0.35
_LIVELINESS_S = 2.0


@dataclass(slots=True)
class Fleet:
    """All moving vehicles, as arrays (n,) that the simulation changes in place.

    Attributes:
        kinds: What they look like.
        length, width, front, rear, wheelbase: Size; front and rear from the rear axle, m.
        driving: Parameters of the IDM.
        pace: Factor on the speed that is usual on the road.
        top: Speed that the vehicle does not exceed, m/s.
        wander: float64 (steps, n), what drivers stray from the middle of their lane, m.
        liveliness: float64 (steps, n), what they vary their acceleration by, m/s².
        states: float64 (n, 7), columns as in ``Motion``.
        track: Line that is followed.
        arc: Arc length on it, m.
        left: Offset to the left of it, as driven, m.
        direction: 1 along it, -1 against it.
        home: Offset of the middle of its lane to the left of the line, as driven, m.
        goal: Offset that the driver moves to: home, or aside of it for a siren, m.
        lane: Offset that is kept now, on the way to the goal, m.
        lane_pace: Factor on the usual speed in its lane.
        calm: Factor on it while a siren is near.
        line: Way along the track, as driven, at which a side road has its stop line, m.
        end: Way at which its track ends, m.
        steering: Angle of the front wheels, rad.
        active: Whether it is on the road; others wait beyond its end.
        hurry: 1 for a vehicle with a siren, else 0.
        junction: Of a vehicle on a side road, else -1.
        crossing: Whether a vehicle from a side road is on its way across.
    """

    kinds: tuple[VehicleKind, ...]
    driving: Driving
    pace: NDArray[np.float64]
    top: NDArray[np.float64]
    wander: NDArray[np.float64]
    liveliness: NDArray[np.float64]
    hurry: NDArray[np.int64]
    length: NDArray[np.float64] = field(init=False)
    width: NDArray[np.float64] = field(init=False)
    front: NDArray[np.float64] = field(init=False)
    rear: NDArray[np.float64] = field(init=False)
    wheelbase: NDArray[np.float64] = field(init=False)
    states: NDArray[np.float64] = field(init=False)
    track: NDArray[np.int64] = field(init=False)
    arc: NDArray[np.float64] = field(init=False)
    left: NDArray[np.float64] = field(init=False)
    direction: NDArray[np.float64] = field(init=False)
    home: NDArray[np.float64] = field(init=False)
    goal: NDArray[np.float64] = field(init=False)
    lane: NDArray[np.float64] = field(init=False)
    lane_pace: NDArray[np.float64] = field(init=False)
    calm: NDArray[np.float64] = field(init=False)
    line: NDArray[np.float64] = field(init=False)
    end: NDArray[np.float64] = field(init=False)
    steering: NDArray[np.float64] = field(init=False)
    active: NDArray[np.bool_] = field(init=False)
    junction: NDArray[np.int64] = field(init=False)
    crossing: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        """Take sizes from the models; nobody is on the road yet."""
        models = [MODELS[kind] for kind in self.kinds]
        self.length = np.array([model.length_m for model in models])
        self.width = np.array([model.width_m for model in models])
        self.rear = np.array([model.rear_m for model in models])
        self.front = self.length - self.rear
        self.wheelbase = np.array([model.wheelbase_m for model in models])
        count = len(models)
        self.states = np.zeros((count, len(Motion)))
        self.track = np.zeros(count, np.int64)
        self.junction = np.full(count, -1, np.int64)
        self.active, self.crossing = np.zeros(count, bool), np.zeros(count, bool)
        self.arc, self.left, self.steering = np.zeros(count), np.zeros(count), np.zeros(count)
        self.home, self.goal, self.lane = np.zeros(count), np.zeros(count), np.zeros(count)
        self.lane_pace, self.calm, self.direction = np.ones((3, count))
        self.line, self.end = np.full((2, count), np.inf)

    def __len__(self) -> int:
        """Give the number of vehicles."""
        return len(self.kinds)

    @property
    def speed(self) -> NDArray[np.float64]:
        """Speeds, m/s."""
        return self.states[:, Motion.SPEED]


def draw_fleet(scenario: Scenario, count: int, longest_m: float) -> Fleet:
    """Draw the ego vehicle, other vehicles and those with a siren, in this order.

    Args:
        scenario: Its seed, its share of trucks and its emergency vehicles.
        count: Other vehicles.
        longest_m: Longer vehicles do not drive here.
    """
    rng = generator(scenario.seed, 'fleet')
    heavy: list[VehicleKind] = ['van', 'truck', 'bus']
    heavy = heavy[: sum(MODELS[kind].length_m <= longest_m for kind in heavy)]
    light: list[VehicleKind] = ['car', 'estate']
    kinds: list[VehicleKind] = ['car']
    for _ in range(count):
        choices = heavy if rng.random() < scenario.traffic.truck_share else light
        kinds.append(choices[int(rng.integers(len(choices)))])
    steps = round(scenario.duration_s / STEP_S) + 1
    kinds += [cast('VehicleKind', emergency.vehicle) for emergency in scenario.emergencies]
    size = len(kinds)
    sirens = np.arange(size) > count
    agility = np.array([MODELS[kind].agility for kind in kinds])

    def drawn(mean: float, deviation: float, low: float, high: float) -> NDArray[np.float64]:
        return np.clip(rng.normal(mean, deviation, size), low, high)

    driving = Driving(
        headway_s=np.where(sirens, 0.6, drawn(1.35, 0.25, 0.9, 2.0)),
        acceleration=agility * drawn(2.0, 0.3, 1.4, 2.6),
        braking=np.where(sirens, 3.0, drawn(2.2, 0.3, 1.6, 3.0)),
        gap_m=np.where(sirens, 1.5, drawn(2.2, 0.4, 1.5, 3.2)),
    )
    calm = np.where(sirens, 0.3, 1.0)
    return Fleet(
        kinds=tuple(kinds),
        driving=driving,
        pace=np.where(sirens, 1.0, drawn(0.98, 0.09, 0.8, 1.16)),
        top=np.array([MODELS[kind].top_mps for kind in kinds]),
        wander=calm * _WANDER_M * _smooth_noise(rng, steps, size, _WANDER_S),
        liveliness=calm * _LIVELINESS_MPS2 * _smooth_noise(rng, steps, size, _LIVELINESS_S),
        hurry=sirens.astype(np.int64),
    )


def paints(kinds: Sequence[VehicleKind], seed: int) -> list[tuple[float, float, float]]:
    """Draw the colours of vehicles."""
    rng = generator(seed, 'paint')
    drawn = [
        _PAINTS[int(index)] for index in rng.choice(len(_PAINTS), len(kinds), p=_PAINT_SHARES)
    ]
    return [_LIVERY.get(kind, paint) for kind, paint in zip(kinds, drawn, strict=True)]


def _smooth_noise(
    rng: np.random.Generator, steps: int, size: int, time_s: float
) -> NDArray[np.float64]:
    """Draw float64 (steps, size) of deviation 1, limited to 2.5, by cubic blending of knots."""
    spacing = time_s / STEP_S
    knots = np.clip(rng.normal(0.0, 1.25, (int(steps / spacing) + 4, size)), -2.5, 2.5)
    place = np.arange(steps) / spacing
    index = place.astype(np.int64)
    u = (place - index)[:, None]
    # Uniform cubic B-spline: twice differentiable, within the hull of its knots.
    return np.asarray(
        (
            (1 - u) ** 3 * knots[index]
            + (3 * u**3 - 6 * u**2 + 4) * knots[index + 1]
            + (-3 * u**3 + 3 * u**2 + 3 * u + 1) * knots[index + 2]
            + u**3 * knots[index + 3]
        )
        / 6
    )
