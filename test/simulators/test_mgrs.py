# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Positions in the squares of MGRS: the step from one square to the next."""

from __future__ import annotations

import pytest

from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.geometry.process import SPEED, YAW_RATE
from mm_fusion.ros.simulator_profile import load_profile
from mm_fusion.settings import settings_from
from mm_fusion.types.sensors import LocalPosition, Modality, VelocitySample
from support.simulator_profiles import PROFILES

SQUARE_M = 100_000.0
NORTH_M = 42_998.25
SPEED_MPS = 10.0
STEP_NS = 50_000_000


def test_the_step_to_the_next_square_is_counted_and_moves_nothing_but_the_place() -> None:
    settings = settings_from(load_profile('awsim', PROFILES).parameters)
    ego_filter = EgoStateFilter(settings.ego_filter)
    accepted = []
    for step in range(1, 401):
        now_ns = step * STEP_NS
        ego_filter.add(VelocitySample(now_ns, now_ns, SPEED_MPS, 0.0, 0.0))
        if step % 20 == 0:
            x = (SQUARE_M - 105.0 + SPEED_MPS * step * 0.05) % SQUARE_M
            position = LocalPosition(now_ns, now_ns, 'map', x, NORTH_M, None)
            accepted.append(ego_filter.add(position))
        state = ego_filter.state_at(now_ns)
        assert state is not None
        assert state.mean[SPEED] == pytest.approx(SPEED_MPS, abs=0.05)
        assert state.mean[YAW_RATE] == pytest.approx(0.0, abs=0.005)

    # The border lies between the tenth and the eleventh position.
    assert accepted == [True] * 10 + [False] * 2 + [True] * 8
    assert ego_filter.rejected == {Modality.VELOCITY: 0, Modality.GNSS: 2}
    assert state is not None
    assert state.heading_known
    assert state.mean[:2] == pytest.approx((95.0, NORTH_M), abs=1.0)
