# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages with the fields that the sound node reads, without ROS."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

SECOND_NS = 1_000_000_000


def header(stamp_ns: int, frame: str) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=stamp_ns // SECOND_NS, nanosec=stamp_ns % SECOND_NS)
    return SimpleNamespace(stamp=stamp, frame_id=frame)


def pose(x_m: float, y_m: float, heading_rad: float = 0.0) -> SimpleNamespace:
    turn = SimpleNamespace(x=0.0, y=0.0, z=math.sin(heading_rad / 2), w=math.cos(heading_rad / 2))
    return SimpleNamespace(position=SimpleNamespace(x=x_m, y=y_m, z=0.0), orientation=turn)


def odometry(
    stamp_ns: int, x_m: float = 0.0, speed_mps: float = 0.0, heading_rad: float = 0.0
) -> SimpleNamespace:
    twist = SimpleNamespace(linear=SimpleNamespace(x=speed_mps), angular=SimpleNamespace(z=0.0))
    return SimpleNamespace(
        header=header(stamp_ns, 'map'),
        child_frame_id='base_link',
        pose=SimpleNamespace(pose=pose(x_m, 0.0, heading_rad)),
        twist=SimpleNamespace(twist=twist),
    )


def derived_objects(
    stamp_ns: int, *objects: tuple[int, float, float], frame: str = 'map', classification: int = 6
) -> SimpleNamespace:
    """Make a ``derived_object_msgs/ObjectArray`` of (id, x, y)."""
    found = [
        SimpleNamespace(id=number, classification=classification, pose=pose(x, y))
        for number, x, y in objects
    ]
    return SimpleNamespace(header=header(stamp_ns, frame), objects=found)


def marker(number: int, x_m: float, **fields: Any) -> SimpleNamespace:
    values = {
        'header': header(SECOND_NS, 'map'),
        'ns': 'vehicles',
        'id': number,
        'type': 1,
        'action': 0,
        'text': '',
        'pose': pose(x_m, 5.0),
    }
    return SimpleNamespace(**{**values, **fields})


def predicted_object(uuid: int, label: int, x_m: float, *, tracked: bool = False) -> Any:
    placed = SimpleNamespace(pose=pose(x_m, 5.0))
    name = 'pose_with_covariance' if tracked else 'initial_pose_with_covariance'
    return SimpleNamespace(
        object_id=SimpleNamespace(uuid=[uuid] * 16),
        classification=[
            SimpleNamespace(label=7, probability=0.2),
            SimpleNamespace(label=label, probability=0.8),
        ],
        kinematics=SimpleNamespace(**{name: placed}),
    )
