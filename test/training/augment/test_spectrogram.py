# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks on spectrograms."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


def test_whole_bands_and_spans_are_masked_with_the_mean() -> None:
    import torch

    from mm_fusion.training.augment.spectrogram import SpecAugment

    generator = torch.Generator().manual_seed(0)
    original = torch.randn(64, 2, 40, 100, generator=generator)
    kept = original.clone()
    masked = SpecAugment()(original, generator)
    assert torch.equal(original, kept)
    changed = masked != original
    assert torch.equal(changed[:, 0], changed[:, 1])
    bands, spans = changed[:, 0].all(dim=2), changed[:, 0].all(dim=1)
    # What is changed is exactly the union of whole bands and whole spans.
    assert torch.equal(changed[:, 0], bands[:, :, None] | spans[:, None, :])
    assert 0.05 < bands.float().mean() < 0.2
    assert bands.sum(dim=1).max() <= 2 * 0.15 * 40 + 2
    assert spans.sum(dim=1).max() <= 2 * 0.1 * 100 + 2
    assert len({tuple(row.tolist()) for row in bands}) > 30
    means = original.mean(dim=(1, 2, 3))[:, None, None, None].expand_as(original)
    assert torch.equal(masked[changed], means[changed])


def test_no_stripes_change_nothing_and_a_seed_repeats() -> None:
    import torch

    from mm_fusion.training.augment.spectrogram import SpecAugment

    spectrogram = torch.randn(3, 1, 10, 20)
    assert torch.equal(SpecAugment(bands=0, spans=0)(spectrogram), spectrogram)
    first, second = (
        SpecAugment()(spectrogram, torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(first, second)
