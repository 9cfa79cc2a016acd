# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From raw network outputs and the ego state to predictions."""

from mm_fusion.decoding.road import RoadDecoder
from mm_fusion.decoding.trajectory import TrajectoryDecoder

__all__ = ['RoadDecoder', 'TrajectoryDecoder']
