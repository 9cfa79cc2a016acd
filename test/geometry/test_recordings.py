# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter's roll-out beside the named baselines on recorded drives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.bags import read_bag
from mm_fusion.errors import SampleError
from mm_fusion.geometry.baselines import baseline_motion
from mm_fusion.geometry.ego_filter import EgoStateFilter, predict_path
from mm_fusion.geometry.motion import MotionModel, roll_out
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.geometry.smoothing import smoothed_path
from mm_fusion.messages import OdometryPose
from mm_fusion.types.sensors import GnssFix, LocalPosition, VelocitySample

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.realdata

TIMES: NDArray[np.float64] = np.linspace(0.5, 6.0, 12, dtype=np.float64)
BOREAS, COMMA = 'boreas_2021_08_05_13_34', 'comma2k19_example_1'
GOOGLE, BALZER = 'google_mtv_local1', 'balzer82_2014_03_26'
MODELS: tuple[MotionModel, ...] = ('cv', 'ctrv', 'ctra')


@dataclass(frozen=True)
class Recording:
    positions: list[GnssFix | LocalPosition]
    velocities: list[VelocitySample]
    truth: ReferencePath | None


@dataclass(frozen=True)
class Errors:
    """Distances float64 (instants, 12) by model, and which instants turn."""

    distances: dict[str, NDArray[np.float64]]
    turning: NDArray[np.bool_]

    def figures(self, model: str, steps: int, *, turning: bool = False) -> tuple[float, float]:
        """Return ADE and FDE over the first steps."""
        found = self.distances[model][self.turning if turning else slice(None), :steps]
        return float(found.mean()), float(found[:, -1].mean())


@lru_cache
def recorded(folder: Path) -> Recording:
    positions: list[GnssFix | LocalPosition] = []
    velocities: list[VelocitySample] = []
    poses: list[OdometryPose] = []
    with read_bag(folder) as bag:
        for event in bag.events():
            assert not isinstance(event.content, SampleError)
            if isinstance(event.content, GnssFix | LocalPosition):
                positions.append(event.content)
            elif isinstance(event.content, VelocitySample):
                velocities.append(event.content)
            elif isinstance(event.content, OdometryPose):
                poses.append(event.content)
    if not poses:
        return Recording(positions, velocities, None)
    truth = ReferencePath(
        np.array([pose.stamp_ns for pose in poses], dtype=np.int64),
        np.array([(pose.x_m, pose.y_m) for pose in poses]),
        np.array([pose.heading_rad for pose in poses]),
        np.array([pose.speed_mps for pose in poses]),
    )
    return Recording(positions, velocities, truth)


@lru_cache
def errors(folder: Path) -> Errors:
    """Follow the protocol of ``mm_fusion.geometry.baselines``."""
    drive = recorded(folder)
    truth = drive.truth or smoothed_path(drive.positions, drive.velocities)
    samples = sorted([*drive.positions, *drive.velocities], key=lambda sample: sample.stamp_ns)
    stamps = np.array([sample.stamp_ns for sample in drive.velocities], dtype=np.int64)
    ego, fed = EgoStateFilter(), 0
    distances: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*MODELS, 'ego')}
    turning = []
    first_ns, last_ns = (int(truth.stamps_ns[i]) for i in (0, -1))
    for stamp_ns in range(first_ns + 2_000_000_000, last_ns - 6_000_000_000, 500_000_000):
        while fed < len(samples) and samples[fed].stamp_ns <= stamp_ns:
            ego.add(samples[fed])
            fed += 1
        past = int(np.searchsorted(stamps, stamp_ns, side='right'))
        motion = baseline_motion(drive.velocities[max(0, past - 200) : past + 1], stamp_ns)
        future = truth.future_in_base_link(stamp_ns, TIMES)
        if motion is None or motion.speed_mps <= 1.0 or future is None:
            continue
        for model in MODELS:
            path = roll_out(model, motion, TIMES).positions
            distances[model].append(np.linalg.norm(path - future[0], axis=1))
        state = ego.state_at(stamp_ns)
        assert state is not None
        path, _, _ = predict_path(state, TIMES)
        distances['ego'].append(np.linalg.norm(path - future[0], axis=1))
        turning.append(abs(float(future[1][-1])) > math.radians(15.0))
    return Errors({name: np.array(rows) for name, rows in distances.items()}, np.array(turning))


@pytest.mark.parametrize(
    ('drive', 'model', 'steps', 'turning', 'ade', 'fde'),
    [
        (BOREAS, 'cv', 6, False, 1.99, 4.57),
        (BOREAS, 'cv', 12, False, 6.42, 16.11),
        (BOREAS, 'ctrv', 6, False, 1.72, 4.01),
        (BOREAS, 'ctrv', 12, False, 5.96, 15.59),
        (BOREAS, 'ctra', 6, False, 1.05, 2.58),
        (BOREAS, 'ctra', 12, False, 4.47, 12.95),
        (BOREAS, 'ctra', 12, True, 5.79, 16.92),
        (COMMA, 'cv', 6, False, 0.77, 1.72),
        (COMMA, 'cv', 12, False, 2.43, 6.08),
        (COMMA, 'ctra', 6, False, 0.48, 1.13),
        (COMMA, 'ctra', 12, False, 1.93, 5.54),
    ],
)
def test_the_baselines_are_those_published(
    real_data: Path,
    drive: str,
    model: str,
    steps: int,
    turning: bool,
    ade: float,
    fde: float,
) -> None:
    found = errors(real_data / 'drives' / drive).figures(model, steps, turning=turning)
    assert found == pytest.approx((ade, fde), rel=0.01)


@pytest.mark.parametrize(
    ('drive', 'share'), [(BOREAS, 0.84), (COMMA, 0.80), (GOOGLE, 0.90), (BALZER, 0.84)]
)
def test_the_filter_predicts_better_than_ctra(real_data: Path, drive: str, share: float) -> None:
    found = errors(real_data / 'drives' / drive)
    assert found.figures('ego', 12)[0] < share * found.figures('ctra', 12)[0]
    assert found.figures('ego', 6)[0] < found.figures('ctra', 6)[0]


@pytest.mark.parametrize(('drive', 'limit_m'), [(BOREAS, 0.6), (COMMA, 0.4), (GOOGLE, 0.8)])
def test_a_smoothed_path_can_stand_for_ground_truth(
    real_data: Path, drive: str, limit_m: float
) -> None:
    """The future of the smoothed path, beside that of the odometry: the mean distance over 6 s."""
    bag = recorded(real_data / 'drives' / drive)
    assert bag.truth is not None
    path = smoothed_path(bag.positions, bag.velocities)
    distances = []
    for stamp_ns in bag.truth.stamps_ns[:: len(bag.truth.stamps_ns) // 300].tolist():
        found = path.future_in_base_link(stamp_ns, TIMES)
        expected = bag.truth.future_in_base_link(stamp_ns, TIMES)
        if found is not None and expected is not None:
            distances.append(np.linalg.norm(found[0] - expected[0], axis=1))
    assert len(distances) > 200
    assert float(np.mean(distances)) < limit_m
