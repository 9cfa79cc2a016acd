# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts messages of a drive into a pipeline as a node does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.fault_messages import TOPICS
from mm_fusion.bags.drive_messages import AUDIO, FIX, IMAGE
from mm_fusion.errors import SampleError
from mm_fusion.messages import AudioAdapter, image_sample, position_sample, velocity_sample
from mm_fusion.settings import AudioSettings

if TYPE_CHECKING:
    from mm_fusion.pipeline import FusionPipeline
    from mm_fusion.types.sensors import Sample


class Inlet:
    """Reads messages by the adapters; what those refuse is counted as a drop.

    Args:
        pipeline: Takes the samples.
    """

    def __init__(self, pipeline: FusionPipeline) -> None:
        self._pipeline = pipeline
        self._audio = AudioAdapter(AudioSettings())

    def push(self, topic: str, message: Any, received_ns: int) -> None:
        """Take in one message of one of ``TOPICS``."""
        try:
            self._pipeline.push(self._sample(topic, message, received_ns))
        except SampleError as error:
            self._pipeline.drop(TOPICS[topic], error.reason)

    def _sample(self, topic: str, message: Any, received_ns: int) -> Sample:
        if topic == AUDIO:
            return self._audio.chunk(message, received_ns)
        if topic == IMAGE:
            return image_sample(message, received_ns)
        if topic == FIX:
            return position_sample(message, received_ns)
        return velocity_sample(message, received_ns)
