# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math

import numpy as np

from mm_fusion.bags import RoadTruth, SirenTruth
from mm_fusion.recordings import nearest, road_track

S = 1_000_000_000
DRY, WET = 0, 1


def truth_at(second: float, friction: int = DRY) -> RoadTruth:
    return RoadTruth(round(second * S), friction, 0, 0, 0.9, siren=False)


def test_truth_further_than_half_its_period_tells_nothing() -> None:
    track = road_track([truth_at(1.0), truth_at(1.1), truth_at(1.2), truth_at(2.0, WET)], [])
    assert track is not None
    asked = np.array([round(second * S) for second in (0.94, 1.04, 1.06, 1.27, 1.96, 2.05, 9.0)])
    there = track.at(asked)
    assert there.friction.tolist() == [-1, DRY, DRY, -1, WET, WET, -1]
    assert there.told.tolist() == [False, True, True, False, True, True, False]
    assert np.isnan(there.friction_coefficient[0])


def test_truth_comes_in_any_order_and_counts_once() -> None:
    track = road_track([truth_at(2.0), truth_at(1.0), truth_at(1.0, WET)], [])
    assert track is not None
    assert track.stamps_ns.tolist() == [S, 2 * S]
    assert track.friction.tolist() == [DRY, DRY]
    assert road_track([], [SirenTruth(S, np.zeros((0, 2)))]) is None


def test_one_single_truth_holds_at_its_stamp() -> None:
    stamps = np.array([S])
    assert nearest(stamps, np.array([S - 1, S, S + 1])).tolist() == [-1, 0, -1]


def test_an_unknown_truth_tells_nothing() -> None:
    unknown = dataclasses.replace(truth_at(1.0), friction=-1, material=-1, unevenness=-1)
    track = road_track([dataclasses.replace(unknown, siren=None)], [])
    assert track is not None
    assert not track.told.any()
    assert math.isnan(track.siren_distance_m[0])
