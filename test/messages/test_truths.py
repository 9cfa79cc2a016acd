# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.bags import BagWriter, RoadTruth, SirenTruth, match_topics, read_bag
from mm_fusion.errors import SampleError
from mm_fusion.messages.truths import UNKNOWN, road_truth, siren_truth
from mm_fusion.types.sensors import DropReason
from support import recordings
from support.truths import pose_array, road_state

if TYPE_CHECKING:
    from pathlib import Path

ROAD = 'mm_fusion_msgs/msg/RoadState'
POSES = 'geometry_msgs/msg/PoseArray'
FIX = 'sensor_msgs/msg/NavSatFix'


def test_the_output_of_a_node_is_never_the_truth() -> None:
    own = match_topics({'/mm_fusion/road_state': ROAD, '/particles': POSES, '/fix': FIX})
    assert (own.road_state, own.siren) == (None, None)

    both = match_topics(
        {'/mm_fusion/road_state': ROAD, '/ground_truth/road_state': ROAD, '/fix': FIX}
        | {'/particles': POSES, '/ground_truth/siren': POSES, '/ground_truth/vehicles': POSES}
    )
    assert (both.road_state, both.siren) == ('/ground_truth/road_state', '/ground_truth/siren')

    chosen = match_topics({'/labels': ROAD, '/fix': FIX}, {'road_state': '/labels'})
    assert chosen.road_state == '/labels'


def test_truth_is_read_beside_the_samples(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write('/ground_truth/road_state', road_state(friction=3, siren=True), 10)
        bag.write('/ground_truth/siren', pose_array([(30.0, -40.0), (3.0, 4.0)]), 20)
        bag.write('/fix', recordings.nav_sat_fix(), 30)
        bag.write('/ground_truth/road_state', road_state(friction=77), 40)

    with read_bag(tmp_path / 'bag') as bag:
        events = list(bag.events())

    road, siren, _, broken = (event.content for event in events)
    assert road == RoadTruth(recordings.STAMP_NS, 3, 0, 0, 0.5, siren=True)
    assert isinstance(siren, SirenTruth)
    assert siren.distance_m == 5.0
    assert isinstance(broken, SampleError)
    assert [event.modality is None for event in events] == [True, True, False, True]


def test_what_the_truth_does_not_observe_is_unknown() -> None:
    truth = road_truth(road_state(friction=99, surface_observed=False, siren_observed=False))

    assert (truth.friction, truth.material, truth.unevenness) == (UNKNOWN,) * 3
    assert math.isnan(truth.friction_coefficient)
    assert truth.siren is None


@pytest.mark.parametrize(
    ('read', 'message', 'reason'),
    [
        (road_truth, road_state(material=5), DropReason.MALFORMED),
        (road_truth, road_state(stamp_ns=0), DropReason.ZERO_STAMP),
        (road_truth, SimpleNamespace(), DropReason.UNSUPPORTED),
        (siren_truth, pose_array([(math.nan, 0.0)]), DropReason.NOT_FINITE),
        (siren_truth, SimpleNamespace(), DropReason.UNSUPPORTED),
        (siren_truth, SimpleNamespace(poses=()), DropReason.MALFORMED),
    ],
)
def test_truth_that_is_none_is_refused(read: Any, message: Any, reason: DropReason) -> None:
    with pytest.raises(SampleError) as error:
        read(message)
    assert error.value.reason is reason


def test_no_siren_has_no_distance() -> None:
    truth = siren_truth(pose_array([]))
    assert truth.places.shape == (0, 2)
    assert np.isnan(truth.distance_m)
