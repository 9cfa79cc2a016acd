# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The modes of the path as integrals of speed and yaw rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.geometry.ego_state import EgoState
from mm_fusion.geometry.prediction import predict_path

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

pytestmark = pytest.mark.torch

TIMES_S = [0.5 * step for step in range(1, 13)]


def roll_out(
    speed: float, yaw_rate: float, acceleration: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.array([0.0, 0.0, 0.0, speed, yaw_rate, acceleration])
    ego = EgoState(0, mean, np.eye(6), position_known=True, heading_known=True, frame=None)
    positions, headings, _ = predict_path(ego, TIMES_S)
    return positions, headings


def state(
    speed: float, yaw_rate: float = 0.0, acceleration: float = 0.0, turned: float = 0.0
) -> Tensor:
    import torch

    return torch.tensor([[speed, yaw_rate, acceleration, 0.0, 0.0, turned]])


def test_the_state_tells_of_now_and_of_the_turn() -> None:
    import torch

    from mm_fusion.models.kinematics import kinematic_state

    yaw_rate = torch.tensor([0.3, 0.3, 0.0, *[0.1 * i for i in range(1, 13)]])
    motion = torch.stack([torch.full((15,), 5.0), yaw_rate, torch.full((15,), -1.0)], dim=1)
    found = kinematic_state(motion[None])[0]
    since = 0.1 * sum(range(1, 13)) * 0.1
    assert torch.allclose(found, torch.tensor([5.0, 1.2, -1.0, 0.5, 1.0, since]))
    mirrored = kinematic_state(motion[None] * torch.tensor([1.0, -1.0, 1.0]))[0]
    assert torch.allclose(mirrored, found * torch.tensor([1.0, -1.0, 1.0, -1.0, -1.0, -1.0]))


def test_a_straight_vehicle_has_turned_by_nothing_and_a_short_history_is_enough() -> None:
    import torch

    from mm_fusion.models.kinematics import kinematic_state

    motion = torch.tensor([[[4.0, 0.2, 0.0], [4.0, 0.04, 0.0]]])
    assert torch.allclose(
        kinematic_state(motion), torch.tensor([[4.0, 0.04, 0.0, -0.16, -0.16, 0.0]])
    )
    alone = kinematic_state(motion[:, :1])
    assert torch.allclose(alone, torch.tensor([[4.0, 0.2, 0.0, 0.0, 0.0, 0.02]]))


@pytest.mark.parametrize(
    ('speed', 'yaw_rate', 'acceleration'),
    [(8.0, 0.0, 0.0), (8.0, 0.4, 0.5), (6.0, -0.3, -1.0), (3.0, 0.2, -2.0), (0.0, 0.0, 0.0)],
)
def test_untrained_the_central_path_is_the_roll_out(
    speed: float, yaw_rate: float, acceleration: float
) -> None:
    from mm_fusion.models.kinematics import KinematicPaths

    residuals = KinematicPaths()(state(speed, yaw_rate, acceleration))
    assert residuals.shape == (1, 6, 12, 2)
    assert residuals[:, 0].abs().max() < 1e-4


def test_untrained_the_others_lie_around_it() -> None:
    from mm_fusion.models.kinematics import KinematicPaths

    last = KinematicPaths()(state(8.0, 0.1))[0, :, -1].detach()
    faster, slower, stopping, tighter, wider = last[1:]
    assert faster[0] > 5.0
    assert -40.0 < stopping[0] < slower[0] < -5.0
    assert tighter[1] > 2.0
    assert wider[1] < -2.0


@pytest.mark.parametrize(
    ('speed', 'yaw_rate', 'acceleration'),
    [(8.0, 0.0, 0.0), (7.0, 0.4, 0.5), (6.0, -0.3, -0.3)],
)
def test_a_known_change_is_integrated_in_the_frame_of_the_roll_out(
    speed: float, yaw_rate: float, acceleration: float
) -> None:
    """With more acceleration and yaw rate that decay alike, the path is another roll-out."""
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    paths = KinematicPaths()
    gate = 1.0 / (1.0 + np.exp(speed - 11.0))
    with torch.no_grad():
        paths.central.log_time_constants.copy_(torch.tensor([6.0, 4.0]).log())
        paths.central.acceleration[1, 0] = 0.6 / gate
        paths.central.yaw_rate[0, 0] = -0.25 / gate
        paths.others.speeds[0] = torch.tensor([-0.4, 0.0, 0.0])
        paths.others.yaw_rates[1] = torch.tensor([-0.5, 0.0])
        paths.others.speeds[1] = 0.0
    residuals = paths(state(speed, yaw_rate, acceleration))[0].detach().numpy()
    turn = -1.0 if yaw_rate < 0.0 else 1.0
    for mode, wanted in (
        (0, roll_out(speed, 0.75 * yaw_rate, acceleration + 0.6)),
        (1, roll_out(speed, 0.75 * yaw_rate, acceleration + 0.2)),
        (2, roll_out(speed, 0.75 * yaw_rate - 0.05 * turn, acceleration + 0.6)),
    ):
        positions, headings = roll_out(speed, yaw_rate, acceleration)
        frame = np.exp(1j * headings)
        found = positions @ [1, 1j] + frame * (residuals[mode] @ np.array([1, 1j]))
        assert np.abs(found - wanted[0] @ [1, 1j]).max() < 0.05, mode


def test_braking_ends_in_a_stop() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    paths = KinematicPaths()
    with torch.no_grad():
        paths.central.acceleration[1] = -3.0
    residuals = paths(state(4.0))[0].detach().numpy()
    for residual in residuals[[0, 2, 3]]:
        along = residual[:, 0] + roll_out(4.0, 0.0, 0.0)[0][:, 0]
        assert (np.diff(along) >= -1e-4).all()
        assert along[-1] == pytest.approx(along[-4], abs=1e-3)
        assert 0.5 < along[-1] < 8.0


def test_the_central_path_fades_out_on_fast_roads_and_at_a_stand() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    torch.manual_seed(0)
    paths = KinematicPaths()
    for parameter in paths.central.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 0.5)
    with torch.no_grad():
        town, motorway, still = (
            paths(state(speed, 0.1, 0.2, 0.3))[0].norm(dim=2).max(dim=1).values
            for speed in (6.0, 30.0, 0.0)
        )
    assert town[0] > 1.0
    assert motorway[0] < 1e-3
    assert still[0] == 0.0
    assert motorway[1:].min() > 1.0


def test_it_is_as_wrong_to_the_left_as_to_the_right() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    torch.manual_seed(1)
    paths = KinematicPaths()
    for parameter in paths.parameters():
        torch.nn.init.uniform_(parameter, -0.3, 0.3)
    left = torch.tensor([[6.0, 0.3, -0.5, 0.1, 0.2, 0.6]])
    right = left * torch.tensor([1.0, -1.0, 1.0, -1.0, -1.0, -1.0])
    mirrored = paths(right) * torch.tensor([1.0, -1.0])
    assert torch.allclose(paths(left), mirrored, atol=1e-4)


def test_the_situation_widens_the_other_modes_and_shifts_them() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    paths = KinematicPaths()
    ego = state(8.0, 0.2, -1.5)
    before = paths(ego)[0].detach()
    with torch.no_grad():
        paths.others.log_scales[3, 0] = 1.0
        wider = paths(ego)[0]
        assert wider[1, -1, 0] - before[1, -1, 0] > 1.0
        assert wider[2, -1, 0] - before[2, -1, 0] < -1.0
        paths.others.log_scales[3, 0] = 0.0
        paths.others.log_scales[4, 1] = 1.0
        turning = paths(ego)[0]
        assert (turning[4, -1] - before[4, -1]).norm() > 1.0
        assert torch.equal(turning[1], before[1])
        paths.others.log_scales[4, 1] = 0.0
        paths.others.speed_shifts[4, 1] = 1.0
        paths.others.yaw_rate_shifts[4, 3] = 1.0
        shifted = paths(ego)[0]
        assert shifted[2, -1, 0] - before[2, -1, 0] > 5.0
        assert (shifted[4, -1] - before[4, -1]).norm() > 1.0
        assert torch.equal(shifted[[0, 1, 3, 5]], before[[0, 1, 3, 5]])
