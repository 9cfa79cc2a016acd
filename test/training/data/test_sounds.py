# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips as samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from mm_fusion.errors import DatasetError
from mm_fusion.labels import read_sound, sound_windows
from mm_fusion.training.augment.sounds import SoundVariation
from mm_fusion.training.data.sounds import SoundClips
from support.labelled import write_sounds

if TYPE_CHECKING:
    from pathlib import Path

PURE = SoundVariation(mix=0.0, noise=0.0, colour_db=0.0, silence=0.0, nothing=0.0, tones=0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sounds(tmp_path / 'sounds', 2, seconds=4.0)


def test_plain_samples_are_the_windows_that_score_a_clip(folder: Path) -> None:
    source = SoundClips(folder)
    assert source.clips.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    expected = sound_windows(*read_sound(folder / 'siren0.wav'), 16_000, 48_000)
    for index in range(2):
        assert np.array_equal(source.sample(index, None).audio, expected[index])  # type: ignore[arg-type]
    assert source.targets['siren'].tolist() == [1, 1, 0, 0] * 2
    assert [source.sample(i, None).targets.siren for i in (0, 2)] == [1, 0]
    assert source.describe(3) == 'nosiren0.wav, window 1'
    assert source.groups[:3] == ('siren0', 'siren0', 'nosiren0')
    assert source.strata[:3] == ('/1', '/1', '/0')
    assert source.sublabels[2] == 'wind'
    assert (source.targets['friction'] == -1).all()


def test_clips_are_read_at_the_networks_rate(folder: Path) -> None:
    soundfile.write(folder / 'siren0.wav', np.zeros(4000), 8000)
    assert SoundClips(folder)._sounds[0].size == 8000


def test_varied_windows_differ_and_keep_within_bounds(folder: Path) -> None:
    source = SoundClips(folder)
    random = np.random.default_rng(0)
    windows = [source.sample(i % 8, random, np.arange(8)).audio for i in range(24)]
    for window in windows:
        assert window is not None
        assert window.shape == (48_000,)
        assert window.dtype == np.float32
        assert np.abs(window).max() <= 1.0 + 1e-6
    assert len({window.tobytes() for window in windows if window is not None}) == 24


def test_only_partners_without_a_siren_are_mixed_in(tmp_path: Path) -> None:
    time = np.arange(48_000) / 16_000
    tones = {'a': 500, 'b': 1500, 'c': 3000, 'd': 5000}
    rows = ['file,label,sublabel,group']
    for name, hertz in tones.items():
        soundfile.write(tmp_path / f'{name}.wav', 0.5 * np.sin(2 * np.pi * hertz * time), 16_000)
        rows.append(f'{name}.wav,{"siren" if name in "ac" else "nosiren"},x,{name}')
    (tmp_path / 'labels.csv').write_text('\n'.join(rows) + '\n')
    always = SoundVariation(1.0, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0)
    source = SoundClips(tmp_path, always)

    def heard(partners: list[int]) -> set[str]:
        found: set[str] = set()
        random = np.random.default_rng(0)
        for _ in range(8):
            audio = source.sample(0, random, np.array(partners)).audio
            assert audio is not None
            power = np.abs(np.fft.rfft(audio * np.hanning(audio.size))) ** 2
            for name, hertz in tones.items():
                band = slice(int(hertz * 0.88 * 3), int(hertz * 1.13 * 3))
                if power[band].sum() > 0.05 * power.sum():
                    found.add(name)
        return found

    assert heard([0, 1, 2]) == {'a', 'b'}
    assert heard([0, 1, 2, 3]) == {'a', 'b', 'd'}
    assert heard([0, 2]) == {'a'}


def test_tones_are_mixed_into_sirens_and_other_sounds_as_often_as_configured(
    folder: Path,
) -> None:
    plain, toned = (SoundClips(folder, replace(PURE, tones=share)) for share in (0.0, 0.5))
    for index in range(len(plain)):
        changed = 0
        for seed in range(60):
            # The same numbers are drawn up to the tones.
            one, other = (
                source.sample(index, np.random.default_rng(seed)).audio
                for source in (plain, toned)
            )
            assert one is not None
            assert other is not None
            assert np.isfinite(other).all()
            shape, other_shape = one / np.abs(one).max(), other / np.abs(other).max()
            changed += not np.allclose(shape, other_shape, atol=1e-3)
        assert 15 <= changed <= 45, plain.describe(index)


def test_sirens_are_cut_from_chosen_clips_alone(folder: Path) -> None:
    source = SoundClips(folder, PURE)
    siren = source.siren(np.array([0, 1, 2, 3]))
    window = siren(np.random.default_rng(0))
    assert window.shape == (48_000,)
    assert np.abs(window).max() == pytest.approx(0.8, abs=0.01)
    with pytest.raises(DatasetError, match='no siren'):
        source.siren(np.array([2, 3]))


def test_the_fingerprint_follows_the_files(folder: Path) -> None:
    first = SoundClips(folder).fingerprint
    assert SoundClips(folder).fingerprint == first
    soundfile.write(folder / 'siren0.wav', np.zeros(4000), 16_000)
    assert SoundClips(folder).fingerprint != first


def test_a_clip_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / 'siren1.wav').write_bytes(b'')
    with pytest.raises(DatasetError, match=r'siren1\.wav'):
        SoundClips(folder)
