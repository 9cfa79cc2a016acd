# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which network: names of its parts and its sizes, as they stand in a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import DatasetError
from mm_fusion.models.encoders import ENCODERS
from mm_fusion.models.fusion import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHOICES = {
    'image_encoder': tuple(ENCODERS['camera']),
    'sound_encoder': tuple(ENCODERS['microphone']),
    'motion_encoder': tuple(ENCODERS['motion']),
    'fusion': tuple(STRATEGIES),
}
_MULTIPLES = {'token_size': 8, 'image_size': 32, 'audio_samples': 1, 'motion_steps': 1}
"""What each size must be a multiple of: heads of the attention, halvings of the image."""

_FEWEST_AUDIO_SAMPLES = 4352
"""Sixteen frames of the spectrogram: one is left after the convolutions."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Names and sizes of a fusion network.

    Attributes:
        image_encoder: ``efficientnet_lite0`` or ``transformer``.
        sound_encoder: ``crnn`` or ``cnn``.
        motion_encoder: ``gru`` or ``lstm``.
        fusion: ``attention``, ``gated``, ``concat``, ``decision`` or ``structure``.
        token_size: Length of a modality's token.
        width: Multiplier of the image encoder's channels; 1 for the published network.
        image_size: Rows and columns of the image, pixels.
        audio_samples: Samples of the sound, at ``SAMPLE_RATE_HZ``; 3 s are one period of a slow
            wail.
        motion_steps: Rows of the motion history.

    Raises:
        DatasetError: A name is none of those, or a size cannot be; all problems are listed.
    """

    image_encoder: str = 'efficientnet_lite0'
    sound_encoder: str = 'crnn'
    motion_encoder: str = 'gru'
    fusion: str = 'attention'
    token_size: int = 128
    width: float = 1.0
    image_size: int = 224
    audio_samples: int = 48_000
    motion_steps: int = 40

    def __post_init__(self) -> None:
        problems = [
            f'{name} {getattr(self, name)!r} is none of {list(choices)}'
            for name, choices in _CHOICES.items()
            if getattr(self, name) not in choices
        ]
        for name, multiple in _MULTIPLES.items():
            value = getattr(self, name)
            if type(value) is not int or value < 1 or value % multiple:
                problems.append(f'{name} {value!r} is no positive multiple of {multiple}')
            elif name == 'audio_samples' and value < _FEWEST_AUDIO_SAMPLES:
                problems.append(f'{name} {value} is less than {_FEWEST_AUDIO_SAMPLES}')
        if type(self.width) not in (int, float) or not 0.0 < self.width <= 4.0:
            problems.append(f'width {self.width!r} is no number in (0, 4]')
        if problems:
            raise DatasetError(f'network: {"; ".join(problems)}')

    def to_dict(self) -> dict[str, Any]:
        """Give the fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Read what ``to_dict`` gave; a missing field has its default.

        Raises:
            DatasetError: A field is unknown, or as for the class.
        """
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in values if name not in known]:
            raise DatasetError(f'network: found {unknown}, expected only {known}')
        return cls(**values)
