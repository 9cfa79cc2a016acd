# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from mm_fusion.errors import InferenceError
from mm_fusion.ros.conversions import (
    to_duration,
    to_modalities,
    to_path,
    to_road_state,
    to_time,
    to_trajectory,
)
from mm_fusion.types.predictions import (
    EgoMotion,
    FusionOutput,
    RoadState,
    SurfacePosterior,
    TrajectoryMode,
    TrajectoryPrediction,
)
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityReport, ModalityState

pytestmark = pytest.mark.ros

STAMP_NS = 1_700_000_000_250_000_000
FILTERED = SurfacePosterior(
    np.array([0.1, 0.6, 0.1, 0.1, 0.05, 0.05], np.float32),
    np.array([0.1, 0.1, 0.1, 0.1, 0.6], np.float32),
    np.array([0.2, 0.3, 0.5], np.float32),
    0.75,
)
UNFILTERED = SurfacePosterior(
    np.array([1, 0, 0, 0, 0, 0], np.float32),
    np.array([1, 0, 0, 0, 0], np.float32),
    np.array([1, 0, 0], np.float32),
    0.25,
)
MODE = TrajectoryMode(
    probability=1.0,
    times_s=np.array([0.5, 1.0]),
    positions=np.array([[5.0, 0.5], [10.0, 2.0]]),
    headings=np.array([0.2, math.pi / 2]),
    covariances=np.array([[[1.0, 0.1], [0.1, 2.0]], [[3.0, 0.2], [0.2, 4.0]]]),
)
REPORTS = {
    Modality.CAMERA: ModalityReport(
        ModalityState.PRESENT, 20_000_000, 30.0, 90, {DropReason.LATE: 2, DropReason.DUPLICATE: 1}
    ),
    Modality.VELOCITY: ModalityReport(ModalityState.NEVER_SEEN, None, 0.0, 0, {}),
}
OUTPUT = FusionOutput(
    stamp_ns=STAMP_NS,
    road=RoadState(FILTERED, UNFILTERED, 0.7, 0.1, True, True, False),  # noqa: FBT003
    trajectory=TrajectoryPrediction((MODE,), 'ego_filter', EgoMotion(10.0, -1.0, 0.1)),
    modalities=REPORTS,
    weights={Modality.CAMERA: 0.8, Modality.VELOCITY: 0.2},
    latencies_s={},
    epoch=0,
)


def test_every_mode_is_published_and_the_path_is_the_first() -> None:
    other = replace(MODE, probability=0.25, positions=-MODE.positions)
    prediction = TrajectoryPrediction(
        (replace(MODE, probability=0.75), other), 'network', EgoMotion(10.0, -1.0, 0.1)
    )
    output = replace(OUTPUT, trajectory=prediction)
    message = to_trajectory(output, 'base_link')
    assert message is not None
    message = deserialize_message(serialize_message(message), type(message))
    assert message.source == message.NETWORK
    assert [mode.probability for mode in message.modes] == [0.75, 0.25]
    assert [mode.positions[1].x for mode in message.modes] == [10.0, -10.0]
    path = to_path(output, 'base_link')
    assert path is not None
    assert path.poses[1].pose.position.x == 10.0


@pytest.mark.parametrize(
    ('stamp_ns', 'sec', 'nanosec'),
    [(0, 0, 0), (STAMP_NS, 1_700_000_000, 250_000_000), (-1, -1, 999_999_999)],
)
def test_time_and_duration_are_split_exactly(stamp_ns: int, sec: int, nanosec: int) -> None:
    for message in (to_time(stamp_ns), to_duration(stamp_ns)):
        assert (message.sec, message.nanosec) == (sec, nanosec)


def test_the_road_state_keeps_every_number() -> None:
    message = to_road_state(OUTPUT, 'base_link')
    assert message is not None
    message = deserialize_message(serialize_message(message), type(message))
    assert message.header.stamp == to_time(STAMP_NS)
    assert message.header.frame_id == 'base_link'
    assert (message.friction, message.material, message.unevenness) == (1, 4, 2)
    np.testing.assert_array_equal(message.friction_probabilities, FILTERED.friction)
    np.testing.assert_array_equal(message.friction_probabilities_unfiltered, UNFILTERED.friction)
    np.testing.assert_array_equal(message.material_probabilities, FILTERED.material)
    np.testing.assert_array_equal(message.material_probabilities_unfiltered, UNFILTERED.material)
    np.testing.assert_array_equal(message.unevenness_probabilities, FILTERED.unevenness)
    np.testing.assert_array_equal(
        message.unevenness_probabilities_unfiltered, UNFILTERED.unevenness
    )
    assert message.friction_coefficient_mean == pytest.approx(0.7)
    assert message.friction_coefficient_stddev == pytest.approx(0.1)
    assert (message.siren, message.surface_observed, message.siren_observed) == (1, 1, 0)
    assert message.siren_probability == 0.75
    assert message.siren_probability_unfiltered == 0.25
    assert [item.name for item in message.modalities] == ['camera', 'velocity']


def test_the_trajectory_keeps_every_number() -> None:
    message = to_trajectory(OUTPUT, 'base_link')
    assert message is not None
    message = deserialize_message(serialize_message(message), type(message))
    assert message.source == message.EGO_FILTER
    assert (message.speed, message.acceleration) == (10.0, -1.0)
    assert message.yaw_rate == pytest.approx(0.1)
    (mode,) = message.modes
    assert [(t.sec, t.nanosec) for t in mode.time_from_start] == [(0, 500_000_000), (1, 0)]
    assert [(p.x, p.y, p.z) for p in mode.positions] == [(5.0, 0.5, 0.0), (10.0, 2.0, 0.0)]
    np.testing.assert_allclose(mode.headings, MODE.headings, rtol=1e-6)
    np.testing.assert_allclose(mode.covariances, MODE.covariances.ravel(), rtol=1e-6)


def test_the_path_is_stamped_pose_by_pose_in_the_frame_of_the_output() -> None:
    path = to_path(OUTPUT, 'base_link')
    assert path is not None
    assert [pose.header.stamp for pose in path.poses] == [
        to_time(STAMP_NS + 500_000_000),
        to_time(STAMP_NS + 1_000_000_000),
    ]
    last = path.poses[-1].pose
    assert (last.position.x, last.position.y) == (10.0, 2.0)
    assert (last.orientation.z, last.orientation.w) == pytest.approx((math.sqrt(0.5),) * 2)
    assert {pose.header.frame_id for pose in path.poses} == {'base_link'}


def test_a_modality_tells_its_drops_by_reason_and_weighs_nothing_when_absent() -> None:
    camera, velocity = to_modalities(REPORTS, OUTPUT.weights)
    assert (camera.state, camera.received, camera.dropped) == (camera.PRESENT, 90, 3)
    assert list(camera.drop_reasons) == ['late', 'duplicate']
    assert list(camera.drop_counts) == [2, 1]
    assert camera.age.nanosec == 20_000_000
    assert camera.weight == pytest.approx(0.8)
    assert (velocity.state, velocity.weight) == (velocity.NEVER_SEEN, 0.0)
    assert (velocity.age.sec, velocity.age.nanosec) == (0, 0)


def test_what_there_is_not_is_not_written() -> None:
    nothing = replace(OUTPUT, road=None, trajectory=None)
    assert to_road_state(nothing, 'base_link') is None
    assert to_trajectory(nothing, 'base_link') is None
    assert to_path(nothing, 'base_link') is None


def test_a_number_that_is_not_finite_is_never_written() -> None:
    assert OUTPUT.road is not None
    road = replace(OUTPUT, road=replace(OUTPUT.road, friction_coefficient_mean=math.nan))
    with pytest.raises(InferenceError, match='friction mean: found nan'):
        to_road_state(road, 'base_link')
    motion = TrajectoryPrediction((MODE,), 'ego_filter', EgoMotion(math.inf, 0.0, 0.0))
    with pytest.raises(InferenceError, match='speed: found inf'):
        to_trajectory(replace(OUTPUT, trajectory=motion), 'base_link')
    with pytest.raises(InferenceError, match='weight: found nan'):
        to_road_state(replace(OUTPUT, weights={Modality.CAMERA: math.nan}), 'base_link')
