# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 recordings (MCAP and sqlite3) to sensor samples, and back to recordings; without ROS."""

from __future__ import annotations

from mm_fusion.bags.reader import BagEvent, BagReader, Truth, read_bag
from mm_fusion.bags.topics import BagTopics, match_topics
from mm_fusion.bags.typestore import known_types
from mm_fusion.bags.writer import BagWriter
from mm_fusion.messages.truths import UNKNOWN, RoadTruth, SirenTruth

__all__ = [
    'UNKNOWN',
    'BagEvent',
    'BagReader',
    'BagTopics',
    'BagWriter',
    'RoadTruth',
    'SirenTruth',
    'Truth',
    'known_types',
    'match_topics',
    'read_bag',
]
