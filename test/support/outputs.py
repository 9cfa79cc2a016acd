# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a fusion node, as a recording holds them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mm_fusion.types.sensors import Modality
from support import recordings
from support.drives import SPEED_MPS

T = recordings.TYPES
OUTPUT = 'mm_fusion_msgs/msg'


def status(name: str) -> Any:
    return T[f'{OUTPUT}/ModalityStatus'](
        name=name,
        state=0 if name != 'camera' else 2,
        age=T['builtin_interfaces/msg/Duration'](sec=0, nanosec=1000),
        weight=1.0 if name == 'microphone' else 0.0,
        cause='',
        quality=math.nan,
        rate=10.0,
        received=40,
        dropped=3 if name == 'gnss' else 0,
        drop_reasons=['late'] if name == 'gnss' else [],
        drop_counts=np.array([3] if name == 'gnss' else [], np.uint64),
    )


def straight(stamp_ns: int, steps: int = 12) -> Any:
    """Predict a straight path at the speed of the circle."""
    times = [0.5 * step for step in range(1, steps + 1)]
    mode = T[f'{OUTPUT}/PredictedTrajectory'](
        probability=1.0,
        time_from_start=[
            T['builtin_interfaces/msg/Duration'](sec=int(t), nanosec=round(t % 1 * 1e9))
            for t in times
        ],
        positions=[T['geometry_msgs/msg/Point'](x=SPEED_MPS * t, y=0.0, z=0.0) for t in times],
        headings=np.zeros(steps, np.float32),
        covariances=np.tile(np.eye(2, dtype=np.float32).ravel(), steps),
    )
    return T[f'{OUTPUT}/TrajectoryPrediction'](
        header=recordings.header(stamp_ns, 'base_link'),
        modes=[mode],
        source='ego_filter',
        speed=SPEED_MPS,
        acceleration=0.0,
        yaw_rate=0.0,
        modalities=[status(modality.value) for modality in Modality],
    )
