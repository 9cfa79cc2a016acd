# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.ros.trajectory_cloud import FIELDS, cloud_problem, to_cloud, trajectory_points
from support import point_clouds
from support.views import output, road, two_paths

pytestmark = pytest.mark.ros


def test_every_step_of_every_mode_is_a_point() -> None:
    points = trajectory_points(two_paths())

    assert points.shape == (24, 7)
    columns = dict(zip(FIELDS, points.T, strict=True))
    assert columns['x'].tolist() == [4.0 * step for step in range(1, 13)] * 2
    assert columns['y'][[0, 11, 23]].tolist() == [0.0, 0.0, 12.0]
    assert not columns['z'].any()
    assert columns['t'].tolist() == [step / 2 for step in range(1, 13)] * 2
    assert columns['mode'].tolist() == [0.0] * 12 + [1.0] * 12
    assert columns['probability'] == pytest.approx([0.7] * 12 + [0.3] * 12)
    assert columns['sigma'].tolist() == [2.0] * 24, 'the longer axis'


def test_the_message_holds_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    point_clouds.install(monkeypatch)
    assert cloud_problem() == ''

    cloud = to_cloud(output(trajectory=two_paths()), 'base_link')

    assert cloud is not None
    assert cloud.header.frame_id == 'base_link'
    assert (cloud.header.stamp.sec, cloud.header.stamp.nanosec) == (1_700_000_000, 250_000_000)
    assert cloud.width * cloud.height == 24
    read = point_clouds.read_cloud(cloud)
    assert tuple(read) == FIELDS
    assert np.array_equal(np.stack(list(read.values()), axis=1), trajectory_points(two_paths()))


def test_without_a_trajectory_there_is_no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    point_clouds.install(monkeypatch)
    assert to_cloud(output(road()), 'base_link') is None


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    assert cloud_problem() == 'the package sensor_msgs_py is not installed'
