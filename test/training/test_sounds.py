# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation and loading of sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from mm_fusion.errors import DatasetError
from mm_fusion.training.augment_sound import augment_batch, mix

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.mark.parametrize('ratio_db', [-5.0, 0.0, 20.0])
def test_mixing_keeps_the_ratio_of_powers(ratio_db: float) -> None:
    random = np.random.default_rng(0)
    signal = random.normal(0, 0.3, 5000).astype(np.float32)
    noise = random.normal(0, 0.01, 5000).astype(np.float32)
    added = mix(signal, noise, ratio_db) - signal
    found = 10 * np.log10(np.mean(signal**2) / np.mean(added**2))
    assert found == pytest.approx(ratio_db, abs=0.01)


def test_mixing_with_silence_changes_nothing() -> None:
    signal = np.ones(10, np.float32)
    assert np.array_equal(mix(signal, np.zeros(10, np.float32), 0.0), signal)


def test_a_batch_is_bounded_labelled_and_repeatable() -> None:
    random = np.random.default_rng(0)
    clips = [random.uniform(-1, 1, n).astype(np.float32) for n in (900, 5000, 1600)]
    clips.append(np.zeros(2000, np.float32))

    def batch() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return augment_batch(
            clips,
            np.array([0, 1]),
            np.array([2, 3, 2]),
            np.array([2, 3]),
            1600,
            np.random.default_rng(5),
        )

    audio, targets = batch()
    assert audio.shape == (5, 1600)
    assert audio.dtype == np.float32
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 1.0 + 1e-6
    assert targets.tolist() == [1, 1, 0, 0, 0]
    assert np.array_equal(audio, batch()[0])


@pytest.mark.torch
def test_clips_are_read_at_the_networks_rate(tmp_path: Path) -> None:
    from mm_fusion.labels import read_sound_labels
    from mm_fusion.training.sounds import load_sounds

    soundfile.write(tmp_path / 'a.wav', np.zeros(4000), 8000)
    (tmp_path / 'labels.csv').write_text('file,label,sublabel,group\na.wav,siren,x,g\n')
    data = load_sounds(read_sound_labels(tmp_path), lambda *_: None)
    assert [clip.size for clip in data.clips] == [8000]
    (tmp_path / 'a.wav').write_bytes(b'')
    with pytest.raises(DatasetError, match=r'a\.wav'):
        load_sounds(read_sound_labels(tmp_path), lambda *_: None)


@pytest.mark.torch
def test_training_needs_both_classes(tmp_path: Path) -> None:
    from mm_fusion.training.loop import Schedule
    from mm_fusion.training.sounds import SoundData, train_sounds

    data = SoundData((np.ones(100, np.float32),) * 2, np.array([1, 1]))
    with pytest.raises(DatasetError, match='2 clips with a siren and 0 without'):
        train_sounds(
            data,
            np.arange(2),
            Schedule(1, 1e-3, 0.0, 0.9),
            seed=0,
            checkpoint=tmp_path / 'a.safetensors',
            progress=lambda *_: None,
        )
