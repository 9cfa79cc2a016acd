# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mm_fusion.features import Featurizer, FeaturizerShape
from mm_fusion.types.predictions import EgoMotion
from mm_fusion.types.sensors import Modality, RawImage
from mm_fusion.types.snapshot import AudioWindow, ModalityReport, ModalityState, Snapshot

MS = 1_000_000
SHAPE = FeaturizerShape(image=(4, 6), audio_samples=160, audio_rate_hz=16_000, motion_steps=5)
MOTIONS = [(10**18, EgoMotion(10.0, 0.0, 0.0))]
REPORT = ModalityReport(ModalityState.PRESENT, 0, 10.0, 1, {})
AGES_MS = {
    Modality.CAMERA: 0,
    Modality.MICROPHONE: 30,
    Modality.GNSS: 500,
    Modality.VELOCITY: 70,
}


def snapshot(*, sound: bool = True) -> Snapshot:
    audio = AudioWindow(0, 48_000, np.zeros(480, np.float32), 1.0)
    return Snapshot(
        stamp_ns=10**18,
        emitted_ns=10**18,
        trigger='camera',
        completed=True,
        image=None,
        audio=audio if sound else None,
        velocity=None,
        velocities=(),
        positions=(),
        modalities={
            modality: replace(REPORT, age_ns=age_ms * MS) for modality, age_ms in AGES_MS.items()
        },
        epoch=0,
    )


def test_everything_there_is_has_its_shape_and_age() -> None:
    featurizer = Featurizer(SHAPE)
    frame = RawImage(1, 1, 'camera', 'rgb8', np.full((40, 60, 3), 7, np.uint8))
    there = snapshot()
    batch = featurizer.assemble(
        there,
        featurizer.image(frame),
        featurizer.sound(there),
        featurizer.motion(MOTIONS),
        40 * MS,
    )
    assert batch.image is not None
    assert batch.audio is not None
    assert batch.motion is not None
    assert batch.image.shape == (1, 4, 6, 3)
    assert batch.audio.shape == (1, 160)
    assert batch.motion.shape == (1, 5, 3)
    assert batch.presence.tolist() == [[1, 1, 1]]
    np.testing.assert_allclose(batch.age_s, [[0.0, 0.04, 0.07]])
    assert batch.presence.dtype == batch.age_s.dtype == np.float32


def test_motion_is_as_old_as_the_newest_of_what_tells_it() -> None:
    silent = replace(REPORT, age_ns=None)
    for reports, age_s in (
        ({Modality.VELOCITY: silent}, 0.5),
        ({Modality.VELOCITY: replace(REPORT, age_ns=700 * MS)}, 0.5),
        ({Modality.GNSS: silent}, 0.07),
    ):
        there = snapshot()
        there = replace(there, modalities={**there.modalities, **reports})
        batch = Featurizer(SHAPE).assemble(there, None, None, Featurizer(SHAPE).motion(MOTIONS), 0)
        assert batch.age_s[0, 2] == pytest.approx(age_s)


def test_what_is_absent_has_neither_value_nor_age() -> None:
    there = snapshot(sound=False)
    assert Featurizer(SHAPE).sound(there) is None
    batch = Featurizer(SHAPE).assemble(there, None, None, Featurizer(SHAPE).motion(()), 30 * MS)
    assert (batch.image, batch.audio, batch.motion) == (None, None, None)
    assert batch.presence.tolist() == [[0, 0, 0]]
    assert batch.age_s.tolist() == [[0, 0, 0]]


def test_what_no_encoder_takes_is_not_made() -> None:
    none = FeaturizerShape(image=None, audio_samples=None, audio_rate_hz=16_000, motion_steps=None)
    frame = RawImage(1, 1, 'camera', 'rgb8', np.zeros((4, 6, 3), np.uint8))
    assert Featurizer(none).image(frame) is None
    assert Featurizer(none).sound(snapshot()) is None
    motion = Featurizer(none).motion(MOTIONS)
    batch = Featurizer(none).assemble(snapshot(), None, None, motion, 30 * MS)
    assert batch.presence.tolist() == [[0, 0, 0]]
    assert none.audio_window_s == 0.0
    assert SHAPE.audio_window_s == pytest.approx(0.01)
