# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mm_fusion.decoding import TrajectoryDecoder
from mm_fusion.geometry.ego_filter import EgoState, predict_path
from mm_fusion.runtime import Bundle
from mm_fusion.settings import DecodingSettings
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.types.bundle import Manifest

TIMES_S = 0.5 * np.arange(1, 13, dtype=np.float64)
ALL_ALIKE = np.zeros((1, 6), np.float32)


@pytest.fixture(scope='module')
def physical(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return scaled(Bundle.load(write_tiny_bundle(tmp_path_factory.mktemp('b') / 'tiny')).manifest)


@pytest.fixture(scope='module')
def learned(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = write_tiny_bundle(tmp_path_factory.mktemp('b') / 'tiny', trajectory=True)
    return Bundle.load(folder).manifest


def scaled(manifest: Manifest) -> Manifest:
    """Scale covariances by 2 at 1 s and 4 from 3 s on."""
    calibration = dataclasses.replace(
        manifest.calibration, horizon_s=(1.0, 3.0), covariance_scales=(2.0, 4.0)
    )
    return dataclasses.replace(manifest, calibration=calibration)


def state(
    speed_mps: float = 10.0, yaw_rate_rps: float = 0.1, acceleration_mps2: float = 0.5
) -> EgoState:
    return EgoState(
        stamp_ns=1,
        mean=np.array([5.0, -3.0, 0.7, speed_mps, yaw_rate_rps, acceleration_mps2]),
        covariance=np.diag([1.0, 1.0, 0.01, 0.04, 1e-4, 0.1]),
        position_known=True,
        heading_known=True,
        frame=None,
    )


def head(
    residuals: NDArray[np.float64] | None = None, sigmas: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float32]:
    """Lay out residuals (12, 2) of mode 0; the other modes have none."""
    trajectory = np.zeros((1, 6, 12, 5), np.float32)
    trajectory[..., 2:4] = np.log(sigmas)
    if residuals is not None:
        trajectory[0, 0, :, :2] = residuals
    return trajectory


def outputs(
    trajectory: NDArray[np.float32], logits: NDArray[np.float32] = ALL_ALIKE
) -> dict[str, NDArray[np.float32]]:
    return {'trajectory': trajectory, 'mode_logits': logits}


def test_the_covariance_is_scaled_by_time_and_the_path_is_not(physical: Manifest) -> None:
    decoder = TrajectoryDecoder(physical, DecodingSettings(horizon_s=4.0, step_s=0.5))
    (mode,) = decoder.decode(state(), {}).modes
    times = 0.5 * np.arange(1, 9, dtype=np.float64)
    positions, headings, covariances = predict_path(state(), times)
    np.testing.assert_array_equal(mode.times_s, times)
    np.testing.assert_array_equal(mode.positions, positions)
    np.testing.assert_array_equal(mode.headings, headings)
    expected = [2.0, 2.0, 2.5, 3.0, 3.5, 4.0, 4.0, 4.0]
    np.testing.assert_allclose(mode.covariances[:, 0, 0] / covariances[:, 0, 0], expected)
    assert mode.probability == 1.0


def test_the_motion_it_starts_from_is_told(physical: Manifest) -> None:
    prediction = TrajectoryDecoder(physical, DecodingSettings()).decode(state(speed_mps=7.0), {})
    assert prediction.source == 'ego_filter'
    assert prediction.motion.speed_mps == 7.0
    assert prediction.motion.yaw_rate_rps == pytest.approx(0.1)
    assert len(prediction.modes[0].times_s) == 12


def test_a_horizon_shorter_than_a_step_still_gives_one_point(physical: Manifest) -> None:
    decoder = TrajectoryDecoder(physical, DecodingSettings(horizon_s=0.1, step_s=0.5))
    assert decoder.decode(state(), {}).modes[0].positions.shape == (1, 2)


@pytest.mark.parametrize('speed_mps', [10.0, -5.0, 0.0])
def test_no_residual_is_the_roll_out(learned: Manifest, speed_mps: float) -> None:
    start = state(speed_mps=speed_mps)
    prediction = TrajectoryDecoder(learned, DecodingSettings()).decode(start, outputs(head()))
    positions, headings, _ = predict_path(start, TIMES_S)
    assert prediction.source == 'network'
    assert len(prediction.modes) == 6
    for mode in prediction.modes:
        np.testing.assert_allclose(mode.positions, positions, atol=1e-12)
        np.testing.assert_allclose(mode.headings, headings, atol=1e-12)
        assert mode.probability == pytest.approx(1 / 6)


@pytest.mark.parametrize('with_head', [True, False])
def test_what_was_rolled_out_before_is_taken_as_it_is(
    learned: Manifest, physical: Manifest, *, with_head: bool
) -> None:
    decoder = TrajectoryDecoder(learned if with_head else physical, DecodingSettings())
    found = outputs(head(np.tile([0.5, 1.0], (12, 1)))) if with_head else {}
    start, other = state(), state(speed_mps=3.0)
    plain = decoder.decode(start, found).modes[0]
    rolled = decoder.decode(start, found, decoder.roll_out(start)).modes[0]
    np.testing.assert_array_equal(rolled.positions, plain.positions)
    np.testing.assert_array_equal(rolled.headings, plain.headings)
    np.testing.assert_array_equal(rolled.covariances, plain.covariances)
    elsewhere = decoder.decode(start, found, decoder.roll_out(other)).modes[0]
    assert np.abs(elsewhere.positions - plain.positions).max() > 1.0


def test_residuals_stand_in_the_frame_of_the_roll_out(learned: Manifest) -> None:
    """A residual of 1 m to the left is perpendicular to the roll-out's heading at each step."""
    left = np.tile([0.0, 1.0], (12, 1))
    decoder = TrajectoryDecoder(learned, DecodingSettings())
    mode = decoder.decode(state(), outputs(head(left))).modes[0]
    positions, headings, _ = predict_path(state(), TIMES_S)
    expected = positions + np.stack([-np.sin(headings), np.cos(headings)], axis=1)
    np.testing.assert_allclose(mode.positions, expected, atol=1e-12)


def test_covariances_turn_with_the_roll_out_and_are_scaled(learned: Manifest) -> None:
    trajectory = head(sigmas=(2.0, 0.5))
    trajectory[..., 4] = 0.5
    decoder = TrajectoryDecoder(scaled(learned), DecodingSettings())
    mode = decoder.decode(state(), outputs(trajectory)).modes[0]
    _, headings, _ = predict_path(state(), TIMES_S)
    scales = [2.0, 2.0, 2.5, 3.0, 3.5, *[4.0] * 7]
    for heading, covariance, scale in zip(headings, mode.covariances, scales, strict=True):
        cosine, sine = math.cos(heading), math.sin(heading)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        own = np.array([[4.0, 0.5], [0.5, 0.25]])
        np.testing.assert_allclose(covariance, scale * turn @ own @ turn.T, rtol=1e-6)


def test_between_the_steps_residuals_and_deviations_grow_from_zero(learned: Manifest) -> None:
    trajectory = head(np.stack([TIMES_S, 0.0 * TIMES_S], axis=1), sigmas=(2.0, 2.0))
    trajectory[..., 4] = 0.5
    straight = state(yaw_rate_rps=0.0)
    decoder = TrajectoryDecoder(learned, DecodingSettings(horizon_s=9.0, step_s=0.25))
    mode = decoder.decode(straight, outputs(trajectory)).modes[0]
    positions, _, _ = predict_path(straight, mode.times_s)
    residual = mode.positions[:, 0] - positions[:, 0]
    np.testing.assert_allclose(residual, np.minimum(mode.times_s, 6.0), rtol=1e-6)
    deviation = np.sqrt(mode.covariances[:, 1, 1])
    assert deviation[[0, 1, 10]] == pytest.approx([1.0, 2.0, 2.0])
    # Beyond the last step nothing is known of the residual, but the doubt grows on.
    assert deviation[[23, 35]] == pytest.approx([2.0, 3.0])
    # No correlation is known at the stamp for that of the first step to grow from.
    np.testing.assert_allclose(mode.covariances[:, 0, 1], 0.5 * deviation**2, rtol=1e-6)


@pytest.mark.parametrize(('log', 'deviation'), [(1e3, math.exp(7.0)), (-1e3, math.exp(-7.0))])
def test_deviations_that_no_number_holds_are_limited(
    learned: Manifest, log: float, deviation: float
) -> None:
    trajectory = head()
    trajectory[..., 2:4] = log
    decoder = TrajectoryDecoder(learned, DecodingSettings())
    covariances = decoder.decode(state(), outputs(trajectory)).modes[0].covariances
    np.testing.assert_allclose(covariances[:, 0, 0], deviation**2, rtol=1e-6)


def test_the_most_likely_mode_comes_first(learned: Manifest) -> None:
    trajectory = head()
    trajectory[0, :, :, 1] = np.arange(6)[:, None]
    logits = np.log(np.array([[0.1, 0.2, 0.05, 0.4, 0.15, 0.1]], np.float32))
    manifest = dataclasses.replace(
        learned,
        calibration=dataclasses.replace(
            learned.calibration, temperatures={**learned.calibration.temperatures, 'modes': 2.0}
        ),
    )
    modes = (
        TrajectoryDecoder(manifest, DecodingSettings())
        .decode(state(yaw_rate_rps=0.0), outputs(trajectory, logits))
        .modes
    )
    assert [round(float(mode.positions[0, 1])) for mode in modes] == [3, 1, 4, 0, 5, 2]
    expected = np.sqrt([0.4, 0.2, 0.15, 0.1, 0.1, 0.05])
    np.testing.assert_allclose(
        [mode.probability for mode in modes], expected / expected.sum(), rtol=1e-6
    )


def test_residuals_of_the_central_mode_alone_are_shrunk(learned: Manifest) -> None:
    trajectory = head()
    trajectory[0, :, :, 1] = 1.0 + np.arange(6)[:, None]
    logits = np.array([[1.0, 0.0, 3.0, 0.0, 0.0, 0.0]], np.float32)
    calibration = dataclasses.replace(learned.calibration, central_mode_share=0.25)
    manifest = dataclasses.replace(learned, calibration=calibration)
    modes = (
        TrajectoryDecoder(manifest, DecodingSettings())
        .decode(state(yaw_rate_rps=0.0), outputs(trajectory, logits))
        .modes
    )
    aside = [float(mode.positions[5, 1]) for mode in modes]
    assert aside == pytest.approx([3.0, 0.25, 2.0, 4.0, 5.0, 6.0])
    assert trajectory[0, 0, 0, 1] == 1.0  # what the backend gave is not written to


@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_headings_follow_the_path_forwards_and_in_reverse(learned: Manifest, sign: float) -> None:
    """Straight on by the roll-out, on a circle by the network."""
    speed, rate = 5.0 * sign, 0.1
    turned = rate * TIMES_S
    circle = speed / rate * np.stack([np.sin(turned), 1.0 - np.cos(turned)], axis=1)
    start = state(speed_mps=speed, yaw_rate_rps=0.0, acceleration_mps2=0.0)
    straight, _, _ = predict_path(start, TIMES_S)
    decoder = TrajectoryDecoder(learned, DecodingSettings())
    mode = decoder.decode(start, outputs(head(circle - straight))).modes[0]
    np.testing.assert_allclose(mode.positions, circle, atol=1e-5)
    np.testing.assert_allclose(mode.headings[:-1], turned[:-1], atol=1e-5)
    assert mode.headings[-1] == pytest.approx(turned[-1], abs=0.03)


def test_a_path_that_stands_does_not_spin(learned: Manifest) -> None:
    jitter = np.random.default_rng(1).normal(0.0, 0.05, (12, 2))
    decoder = TrajectoryDecoder(learned, DecodingSettings())
    standing = state(speed_mps=0.0, yaw_rate_rps=0.0, acceleration_mps2=0.0)
    mode = decoder.decode(standing, outputs(head(jitter))).modes[0]
    assert (mode.headings == 0.0).all()


@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_a_path_that_drives_on_where_the_roll_out_stops_heads_along_itself(
    learned: Manifest, sign: float
) -> None:
    braking = state(speed_mps=4.0 * sign, yaw_rate_rps=0.0, acceleration_mps2=-4.0 * sign)
    positions, _, _ = predict_path(braking, TIMES_S)
    diagonal = 4.0 * sign * TIMES_S[:, None] * np.sqrt([0.5, 0.5])
    decoder = TrajectoryDecoder(learned, DecodingSettings())
    mode = decoder.decode(braking, outputs(head(diagonal - positions))).modes[0]
    np.testing.assert_allclose(mode.headings, np.pi / 4, atol=1e-5)


@given(
    trajectory=arrays(np.float32, (1, 6, 12, 5), elements=st.floats(-100, 100, width=32)),
    logits=arrays(np.float32, (1, 6), elements=st.floats(-1e4, 1e4, width=32)),
    motion=st.tuples(st.floats(-10, 50), st.floats(-1, 1), st.floats(-5, 5)),
    step_s=st.sampled_from([0.1, 0.5, 0.7]),
)
def test_any_numbers_give_modes(
    learned: Manifest,
    trajectory: NDArray[np.float32],
    logits: NDArray[np.float32],
    motion: tuple[float, float, float],
    step_s: float,
) -> None:
    decoder = TrajectoryDecoder(learned, DecodingSettings(horizon_s=7.0, step_s=step_s))
    modes = decoder.decode(state(*motion), outputs(trajectory, logits)).modes
    probabilities = [mode.probability for mode in modes]
    assert sum(probabilities) == pytest.approx(1.0)
    assert probabilities == sorted(probabilities, reverse=True)
    for mode in modes:
        values = np.linalg.eigvalsh(mode.covariances)
        assert (values > -1e-9 * values[..., 1:]).all()
