# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a snapshot to the inputs of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.features.images import network_image
from mm_fusion.features.motion import network_motion
from mm_fusion.features.sounds import network_audio
from mm_fusion.types.features import NETWORK_MODALITIES, FeatureBatch
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import EgoMotion
    from mm_fusion.types.sensors import ImageSample
    from mm_fusion.types.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class FeaturizerShape:
    """Sizes that the encoders of a bundle ask for; None where it has no such encoder.

    Attributes:
        image: Height and width in pixels.
        audio_samples: Length of the sound window in samples.
        audio_rate_hz: Sample rate of the sound window.
        motion_steps: Rows of the motion history.
    """

    image: tuple[int, int] | None
    audio_samples: int | None
    audio_rate_hz: int
    motion_steps: int | None

    @property
    def audio_window_s(self) -> float:
        """Length of the sound window in seconds; 0 where there is no audio encoder."""
        return 0.0 if self.audio_samples is None else self.audio_samples / self.audio_rate_hz


class Featurizer:
    """Make the inputs of the network, each modality on its own.

    Args:
        shape: Sizes that the encoders ask for.
    """

    def __init__(self, shape: FeaturizerShape) -> None:
        self._shape = shape

    def image(self, sample: ImageSample) -> NDArray[np.uint8] | None:
        """Scale a frame to uint8 (1, height, width, 3), RGB; None where no encoder takes it.

        Raises:
            SampleError: The frame cannot be decoded.
        """
        if self._shape.image is None:
            return None
        return network_image(sample, *self._shape.image)[np.newaxis]

    def sound(self, snapshot: Snapshot) -> NDArray[np.float32] | None:
        """Make float32 (1, samples) of the sound; None where there is none, or no encoder."""
        shape = self._shape
        if snapshot.audio is None or shape.audio_samples is None:
            return None
        return network_audio(
            snapshot.audio.samples,
            snapshot.audio.sample_rate_hz,
            shape.audio_rate_hz,
            shape.audio_samples,
        )[np.newaxis]

    def motion(self, motions: Sequence[tuple[int, EgoMotion]]) -> NDArray[np.float32] | None:
        """Make float32 (1, steps, 3) of past motions; None where there is none, or no encoder.

        Args:
            motions: Stamps (ns) and filtered motions of the last seconds, the last one at the
                stamp of the snapshot; empty where the motion is not known there.
        """
        steps = self._shape.motion_steps
        return (
            network_motion(motions, steps)[np.newaxis] if motions and steps is not None else None
        )

    def assemble(
        self,
        snapshot: Snapshot,
        image: NDArray[np.uint8] | None,
        sound: NDArray[np.float32] | None,
        motion: NDArray[np.float32] | None,
        sound_age_ns: int,
    ) -> FeatureBatch:
        """Gather the inputs of the network.

        Args:
            snapshot: Gives the ages of the others.
            image: What :meth:`image` made of its frame; None where there is none.
            sound: What :meth:`sound` made of it.
            motion: What :meth:`motion` made of those that led to it.
            sound_age_ns: Stamp of the snapshot less the end of the sound, which may be that of
                an earlier one.
        """
        inputs = {'camera': image, 'microphone': sound, 'motion': motion}
        ages_s = {
            'camera': _age_s(snapshot, Modality.CAMERA),
            'microphone': sound_age_ns / 1e9,
            # Positions alone tell the motion too, where there is no other source of velocity.
            'motion': _age_s(snapshot, Modality.VELOCITY, Modality.GNSS),
        }
        present = [inputs[name] is not None for name in NETWORK_MODALITIES]
        ages = [
            ages_s[name] if there else 0.0
            for name, there in zip(NETWORK_MODALITIES, present, strict=True)
        ]
        return FeatureBatch(
            image=image,
            audio=sound,
            motion=motion,
            presence=np.array([present], np.float32),
            age_s=np.array([ages], np.float32),
        )


def _age_s(snapshot: Snapshot, *sensors: Modality) -> float:
    ages_ns = [snapshot.modalities[sensor].age_ns for sensor in sensors]
    return min((age_ns for age_ns in ages_ns if age_ns is not None), default=0) / 1e9
