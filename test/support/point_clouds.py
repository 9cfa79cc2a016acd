# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the package uses of ``sensor_msgs_py``, which the wheels on PyPI lack."""

from __future__ import annotations

import importlib.machinery
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from numpy.typing import NDArray
    from std_msgs.msg import Header


def create_cloud(
    header: Header, fields: Sequence[PointField], points: NDArray[np.float32]
) -> PointCloud2:
    """Make a cloud of float32 fields without gaps, as ``point_cloud2.create_cloud`` does."""
    count, width = points.shape
    assert points.dtype == np.float32
    assert [field.offset for field in fields] == [4 * index for index in range(width)]
    assert all(field.datatype == PointField.FLOAT32 and field.count == 1 for field in fields)
    return PointCloud2(
        header=header,
        height=1,
        width=count,
        fields=fields,
        point_step=4 * width,
        row_step=4 * width * count,
        data=points.tobytes(),
    )


def read_cloud(cloud: PointCloud2) -> dict[str, Any]:
    """Read the columns of a cloud by what its fields say, in the machine's byte order."""
    return {
        field.name: np.ndarray(
            (cloud.width,), np.float32, bytes(cloud.data), field.offset, (cloud.point_step,)
        )
        for field in cloud.fields
    }


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``sensor_msgs_py`` be importable: the real one, or else its stand-in."""
    try:
        import sensor_msgs_py.point_cloud2  # noqa: F401
    except ImportError:
        package, module = ModuleType('sensor_msgs_py'), ModuleType('sensor_msgs_py.point_cloud2')
        package.__spec__ = importlib.machinery.ModuleSpec('sensor_msgs_py', None)
        vars(package)['point_cloud2'] = module
        vars(module)['create_cloud'] = create_cloud
        monkeypatch.setitem(sys.modules, package.__name__, package)
        monkeypatch.setitem(sys.modules, module.__name__, module)
