# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mm_fusion.errors import SampleError
from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.geometry.process import EAST, HEADING, NORTH
from mm_fusion.geometry.smoothing import smoothed_path
from mm_fusion.types.sensors import GnssFix
from support.driven import POSITION_STD, drive, position, stamp, velocity


def position_errors(seed: int) -> tuple[float, float]:
    """Return the mean errors of the smoothed and of the filtered path, m."""
    driven = drive(seed)
    path = smoothed_path(driven.positions, driven.velocities)
    np.testing.assert_array_equal(path.stamps_ns, driven.path.stamps_ns)
    ego, filtered = EgoStateFilter(), []
    for sample in driven.samples:
        ego.add(sample)
    ego.reset()
    samples, i = driven.samples, 0
    for k, stamp_ns in enumerate(driven.path.stamps_ns.tolist()):
        while i < len(samples) and samples[i].stamp_ns <= stamp_ns:
            ego.add(samples[i])
            i += 1
        found = ego.state_at(stamp_ns)
        assert found is not None
        if k >= 100:
            filtered.append(found.mean[[EAST, NORTH]] - driven.states[k, :2])
    smoothed = path.positions - driven.states[:, :2]
    return float(np.linalg.norm(smoothed, axis=1).mean()), float(
        np.linalg.norm(filtered, axis=1).mean()
    )


def test_smoothing_beats_filtering() -> None:
    errors = np.array([position_errors(seed) for seed in range(5)])
    smoothed, filtered = errors.mean(axis=0)
    assert smoothed < 0.75 * filtered
    assert smoothed < POSITION_STD


def test_the_future_is_that_which_was_driven() -> None:
    driven = drive(2)
    path = smoothed_path(driven.positions, driven.velocities)
    for start_s in (0.0, 20.0, 50.0):
        found = path.future_in_base_link(stamp(start_s), [1.0, 6.0])
        expected = driven.path.future_in_base_link(stamp(start_s), [1.0, 6.0])
        assert found is not None
        assert expected is not None
        np.testing.assert_allclose(found[0], expected[0], atol=2.0)


def test_an_outlier_hardly_moves_the_path() -> None:
    driven = drive(4)
    clean = smoothed_path(driven.positions, driven.velocities)
    wrong = [
        replace(item, east_m=item.east_m + 200.0) if i == 30 else item
        for i, item in enumerate(driven.positions)
    ]
    found = smoothed_path(wrong, driven.velocities)
    assert np.linalg.norm(found.positions - clean.positions, axis=1).max() < 3.0


def test_velocities_alone_tell_the_way_up_to_its_heading() -> None:
    driven = drive(5)
    path = smoothed_path([], driven.velocities)
    found = path.future_in_base_link(stamp(20.0), [3.0])
    expected = driven.path.future_in_base_link(stamp(20.0), [3.0])
    assert found is not None
    assert expected is not None
    # The drive has errors of the speed's scale that positions alone would show.
    np.testing.assert_allclose(found[0], expected[0], rtol=0.06, atol=1.0)


def test_positions_alone_tell_a_way() -> None:
    frame = LocalFrame(48.0, 11.0, 500.0)
    fixes = []
    for i in range(60):
        angle = 0.05 * i
        enu = np.array([200.0 * math.sin(angle), 200.0 * (1 - math.cos(angle)), 0.0])
        latitude, longitude, altitude = frame.to_geodetic(enu)
        covariance = 0.25 * np.eye(2)
        fixes.append(
            GnssFix(stamp(i), stamp(i), 'gnss', latitude, longitude, altitude, covariance)
        )
    path = smoothed_path(fixes, [])
    np.testing.assert_allclose(path.speeds[5:-5], 10.0, atol=0.5)
    np.testing.assert_allclose(path.headings[5:-5], 0.05 * np.arange(5, 55), atol=0.05)


def test_a_silence_separates_the_path() -> None:
    driven = drive(6, duration_s=160.0)
    early, late = stamp(40.0), stamp(120.0)
    path = smoothed_path(
        [s for s in driven.positions if not early < s.stamp_ns < late],
        [s for s in driven.velocities if not early < s.stamp_ns < late],
    )
    assert path.future_in_base_link(stamp(38.0), [6.0]) is None
    for start_s in (10.0, 30.0, 121.0, 150.0):
        found = path.future_in_base_link(stamp(start_s), [6.0])
        expected = driven.path.future_in_base_link(stamp(start_s), [6.0])
        assert found is not None
        assert expected is not None
        np.testing.assert_allclose(found[0], expected[0], atol=4.0)


def test_positions_that_begin_late_tell_the_heading_from_the_start() -> None:
    driven = drive(4)
    turned = driven.states[200, HEADING] - driven.states[0, HEADING]
    assert abs(math.remainder(turned, math.tau)) > 0.5
    path = smoothed_path(driven.positions[20:], driven.velocities)
    off = path.headings - driven.path.headings
    assert np.abs(np.angle(np.exp(1j * off))).max() < 0.1
    assert np.linalg.norm(path.positions - driven.path.positions, axis=1).mean() < 6.0


def test_a_standing_vehicle_stays_where_it_is() -> None:
    path = smoothed_path(
        [position(i, 5.0, 7.0) for i in range(30)], [velocity(0.1 * i, 0.0) for i in range(300)]
    )
    np.testing.assert_allclose(path.positions, [[5.0, 7.0]] * len(path.positions), atol=0.2)


def test_nothing_makes_no_path() -> None:
    with pytest.raises(ValueError, match='no sample'):
        smoothed_path([], [])


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(SampleError, match='speed'):
        smoothed_path([], [velocity(0.0, math.nan)])
