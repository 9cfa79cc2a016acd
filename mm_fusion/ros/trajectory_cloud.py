# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Predicted paths as ``sensor_msgs/PointCloud2``, which tools colour by any field.

The message is made with ``sensor_msgs_py``, a package of ROS 2 that the wheels on PyPI lack.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs.msg import PointField

from mm_fusion.ros.conversions import to_header

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sensor_msgs.msg import PointCloud2

    from mm_fusion.types.predictions import FusionOutput, TrajectoryPrediction

FIELDS = ('x', 'y', 'z', 't', 'mode', 'probability', 'sigma')
"""Position (m, z = 0), time after the stamp (s), number of the mode, the likeliest being 0, its
probability, and the deviation of the position along the longer axis of its ellipse (m)."""

_PACKAGE = 'sensor_msgs_py'
_FLOAT_BYTES = 4


def cloud_problem() -> str:
    """Say why no cloud can be made here; empty where it can."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return f'the package {_PACKAGE} is not installed'
    return ''


def trajectory_points(prediction: TrajectoryPrediction) -> NDArray[np.float32]:
    """List every step of every mode.

    Returns:
        float32 (n, 7), a column for each of ``FIELDS``.
    """
    return np.vstack(
        [
            np.column_stack(
                [
                    mode.positions,
                    np.zeros(len(mode.times_s)),
                    mode.times_s,
                    np.full(len(mode.times_s), number),
                    np.full(len(mode.times_s), mode.probability),
                    np.sqrt(np.maximum(np.linalg.eigvalsh(mode.covariances)[:, -1], 0.0)),
                ]
            )
            for number, mode in enumerate(prediction.modes)
        ]
    ).astype(np.float32)


def to_cloud(output: FusionOutput, frame_id: str) -> PointCloud2 | None:
    """Write every mode, or None where there is no trajectory.

    Raises:
        ImportError: ``sensor_msgs_py`` is not installed; see :func:`cloud_problem`.
    """
    if output.trajectory is None:
        return None
    point_cloud2: Any = importlib.import_module(f'{_PACKAGE}.point_cloud2')
    fields = [
        PointField(name=name, offset=index * _FLOAT_BYTES, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(FIELDS)
    ]
    header = to_header(output.stamp_ns, frame_id)
    return point_cloud2.create_cloud(header, fields, trajectory_points(output.trajectory))
