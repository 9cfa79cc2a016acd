# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings replayed through a pipeline, and what they tell of the truth."""

from mm_fusion.recordings.replay import Replayable, replay
from mm_fusion.recordings.road_track import RoadTrack, nearest, road_track
from mm_fusion.recordings.truth import TruthRecorder, TruthSource

__all__ = [
    'Replayable',
    'RoadTrack',
    'TruthRecorder',
    'TruthSource',
    'nearest',
    'replay',
    'road_track',
]
