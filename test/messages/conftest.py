# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Both kinds of message objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.recordings import to_rclpy

if TYPE_CHECKING:
    from collections.abc import Callable


def as_recorded(msg: Any) -> Any:
    return msg


@pytest.fixture(params=['rosbags', pytest.param('rclpy', marks=pytest.mark.ros)])
def received(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Give a message as the ``rosbags`` library or as rclpy does, with the same values."""
    return to_rclpy if request.param == 'rclpy' else as_recorded
