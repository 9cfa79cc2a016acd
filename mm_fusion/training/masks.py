# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks on the spectrograms that the sound encoder makes inside itself, while it trains."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mm_fusion.models.encoders.sound import LogMel
from mm_fusion.training.augment.spectrogram import SpecAugment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from mm_fusion.models.network import FusionNetwork


@contextmanager
def masked_spectrograms(
    network: FusionNetwork, masks: SpecAugment | None = None
) -> Iterator[None]:
    """Mask every spectrogram as long as this context lasts.

    Args:
        network: Sound encoders that take the waveform as it is are left alone.
        masks: How much of them.
    """
    chosen = SpecAugment() if masks is None else masks

    def mask(module: nn.Module, _inputs: Any, spectrogram: Tensor) -> Tensor | None:
        return chosen(spectrogram) if module.training else None

    handles = [
        module.register_forward_hook(mask)
        for module in network.encoders['microphone'].modules()
        if isinstance(module, LogMel)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
