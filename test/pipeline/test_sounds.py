# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.features import Featurizer, FeaturizerShape
from mm_fusion.pipeline.sounds import Sounds
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import AudioWindow, ModalityReport, ModalityState, Snapshot

if TYPE_CHECKING:
    from numpy.typing import NDArray

MS = 1_000_000
SECOND = 1000 * MS
START_NS = 1_700_000_000 * SECOND
RATE_HZ = 16_000
SHAPE = FeaturizerShape(image=None, audio_samples=160, audio_rate_hz=RATE_HZ, motion_steps=None)


def snapshot(after_ms: float, age_ms: float = 0.0, *, sound: bool = True) -> Snapshot:
    """Make the snapshot of an instant, whose sound holds the time that it ended at."""
    stamp_ns = START_NS + round(after_ms * MS)
    ended_s = (stamp_ns - round(age_ms * MS) - START_NS) / SECOND
    audio = AudioWindow(stamp_ns, RATE_HZ, np.full(160, ended_s, np.float32), 1.0)
    report = ModalityReport(ModalityState.PRESENT, round(age_ms * MS), 50.0, 1, {})
    return Snapshot(
        stamp_ns=stamp_ns,
        emitted_ns=stamp_ns,
        trigger='camera',
        completed=True,
        image=None,
        audio=audio if sound else None,
        velocity=None,
        velocities=(),
        positions=(),
        modalities=dict.fromkeys(Modality, report),
        epoch=0,
    )


def taken(
    sounds: Sounds, after_ms: float, age_ms: float = 0.0
) -> tuple[NDArray[np.float32], float]:
    sound, age_ns = sounds.take(snapshot(after_ms, age_ms))
    assert sound is not None
    return sound, age_ns / MS


def test_the_snapshots_of_a_period_share_the_sound_of_the_first() -> None:
    sounds = Sounds(Featurizer(SHAPE), 10.0)
    first, age_ms = taken(sounds, 10.0, 5.0)
    assert age_ms == 5.0
    again, age_ms = taken(sounds, 99.0, 3.0)
    assert again is first
    assert age_ms == 94.0
    new, age_ms = taken(sounds, 100.0, 3.0)
    assert new is not first
    assert age_ms == 3.0
    np.testing.assert_allclose(new, 0.097)


def test_without_a_rate_each_snapshot_has_its_own() -> None:
    sounds = Sounds(Featurizer(SHAPE), 0.0)
    made = [taken(sounds, after, 2.0) for after in (0.0, 1.0, 1.0, 2.0)]
    assert len({id(sound) for sound, _ in made}) == 4
    assert [age_ms for _, age_ms in made] == [2.0] * 4


def test_a_snapshot_without_sound_shares_none_and_ends_the_sharing() -> None:
    sounds = Sounds(Featurizer(SHAPE), 10.0)
    first, _ = taken(sounds, 0.0)
    assert sounds.take(snapshot(20.0, sound=False)) == (None, 0)
    again, age_ms = taken(sounds, 40.0, 1.0)
    assert again is not first
    assert age_ms == 1.0


def test_nothing_is_shared_with_the_past() -> None:
    sounds = Sounds(Featurizer(SHAPE), 10.0)
    first, _ = taken(sounds, 50.0)
    earlier, age_ms = taken(sounds, 40.0)
    assert earlier is not first
    assert age_ms == 0.0


def test_where_no_encoder_takes_sound_there_is_none() -> None:
    deaf = replace(SHAPE, audio_samples=None)
    sounds = Sounds(Featurizer(deaf), 10.0)
    assert sounds.take(snapshot(0.0, 5.0))[0] is None
    assert sounds.take(snapshot(20.0, 5.0))[0] is None


@given(
    steps_ms=st.lists(st.integers(1, 120), min_size=1, max_size=60),
    ages_ms=st.lists(st.integers(0, 200), min_size=60, max_size=60),
    rate_hz=st.sampled_from([5.0, 10.0, 20.0, 30.0]),
)
def test_no_more_are_made_than_the_rate_and_each_says_how_old_it_is(
    steps_ms: list[int], ages_ms: list[int], rate_hz: float
) -> None:
    sounds = Sounds(Featurizer(SHAPE), rate_hz)
    after_ms, kept = 0, []
    for step_ms, age in zip(steps_ms, ages_ms, strict=False):
        after_ms += step_ms
        sound, age_ms = taken(sounds, after_ms, age)
        np.testing.assert_allclose(sound, (after_ms - age_ms) / 1000.0, atol=1e-5)
        assert age_ms < max(ages_ms) + 1000.0 / rate_hz
        kept.append(sound)
    made = len({id(sound) for sound in kept})
    assert made <= (after_ms - steps_ms[0]) * rate_hz / 1000.0 + 2.0
