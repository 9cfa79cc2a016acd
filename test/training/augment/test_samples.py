# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Variations of whole samples stay true to their targets."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.geometry.ego_state import EgoState
from mm_fusion.geometry.prediction import predict_path
from mm_fusion.metrics.trajectory import STEPS_S
from mm_fusion.training.augment.images import ImageVariation
from mm_fusion.training.augment.samples import (
    age_modality,
    drop_modalities,
    mirror_sample,
    scale_speed,
)
from mm_fusion.training.augment.variation import BagVariation, vary_sample
from mm_fusion.training.data.drive import residual
from mm_fusion.training.data.sample import Sample, Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

CURVE = (8.0, 0.2, 0.5)
"""Speed, yaw rate and acceleration."""


def rollout(speed: float, yaw_rate: float, acceleration: float) -> NDArray[np.float64]:
    mean = np.array([0.0, 0.0, 0.0, speed, yaw_rate, acceleration])
    state = EgoState(0, mean, np.eye(6), position_known=False, heading_known=False, frame=None)
    positions, headings, _ = predict_path(state, STEPS_S)
    return np.column_stack([positions, headings])


def future() -> NDArray[np.float64]:
    """A path that leaves the roll-out to both sides."""
    path = rollout(*CURVE)
    path[:, 0] += 0.3 * STEPS_S**2
    path[:, 1] += np.sin(STEPS_S) - 0.5
    return path


def curve_sample(**changes: object) -> Sample:
    motion = np.tile(np.array(CURVE, np.float32), (40, 1))
    path = residual(rollout(*CURVE), future())
    values: dict[str, object] = {
        'image': np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
        'audio': np.full(100, 0.1, np.float32),
        'motion': motion,
        'targets': Targets(friction=1, siren=0, friction_coefficient=0.5, trajectory=path),
    }
    return Sample(**(values | changes))  # type: ignore[arg-type]


def driven(sample: Sample) -> NDArray[np.float64]:
    """Put the residuals of a sample back onto the roll-out of its own last row."""
    assert sample.motion is not None
    assert sample.targets.trajectory is not None
    speed, yaw_rate, acceleration = sample.motion[-1].tolist()
    path = rollout(speed, yaw_rate, acceleration)
    cosine, sine = np.cos(path[:, 2]), np.sin(path[:, 2])
    along, aside = sample.targets.trajectory.T
    offsets = np.stack([cosine * along - sine * aside, sine * along + cosine * aside], axis=1)
    return np.asarray(path[:, :2] + offsets)


def test_residuals_put_back_on_the_rollout_are_the_driven_path() -> None:
    assert driven(curve_sample()) == pytest.approx(future()[:, :2], abs=1e-4)


def test_residuals_are_unknown_where_either_path_is() -> None:
    unknown = np.full((12, 3), np.nan)
    assert residual(unknown, future()) is None
    assert residual(future(), unknown) is None


def test_a_mirrored_sample_drives_the_mirrored_path() -> None:
    mirrored = mirror_sample(curve_sample())
    assert driven(mirrored) == pytest.approx(future()[:, :2] * (1, -1), abs=1e-4)
    assert mirrored.image is not None
    assert np.array_equal(mirrored.image, curve_sample().image[:, ::-1])  # type: ignore[index]
    bare = mirror_sample(Sample(image=None, audio=np.ones(3, np.float32), motion=None))
    assert bare.inputs[0] is bare.inputs[2] is bare.targets.trajectory is None


def test_a_faster_sample_drives_the_same_turns_on_a_larger_scale_and_is_louder() -> None:
    faster = scale_speed(curve_sample(), 1.25)
    assert driven(faster) == pytest.approx(1.25 * future()[:, :2], abs=1e-3)
    assert faster.audio is not None
    assert faster.audio[0] / 0.1 == pytest.approx(10 ** (30 * math.log10(1.25) / 20), rel=1e-4)


def test_dropout_leaves_something_and_only_what_can_be_answered() -> None:
    random = np.random.default_rng(0)
    chances = {'camera': 0.5, 'microphone': 0.5, 'motion': 0.5}
    kinds: Counter[tuple[bool, ...]] = Counter()
    for _ in range(400):
        dropped = drop_modalities(curve_sample(), chances, random)
        camera, sound, motion = (value is not None for value in dropped.inputs)
        kinds[camera, sound, motion] += 1
        assert (dropped.targets.friction == 1) == (camera or sound)
        assert (dropped.targets.siren == 0) == sound
        assert (dropped.targets.trajectory is not None) == motion
    assert (False, False, False) not in kinds
    assert len(kinds) == 7
    assert min(kinds.values()) > 20


def test_what_is_alone_is_not_dropped() -> None:
    alone = Sample(image=None, audio=np.ones(3, np.float32), motion=None)
    certain = {'camera': 1.0, 'microphone': 1.0}
    assert drop_modalities(alone, certain, np.random.default_rng(0)).audio is not None


def test_an_aged_modality_is_the_earlier_one_and_says_its_age() -> None:
    earlier = curve_sample(
        image=np.zeros((4, 4, 3), np.uint8), age_s=np.array([0.1, 0.0, 0.0], np.float32)
    )
    aged = age_modality(curve_sample(), earlier, 'camera', 1.5)
    assert aged.image is earlier.image
    assert aged.age_s.tolist() == pytest.approx([1.6, 0.0, 0.0])
    assert aged.audio is not earlier.audio
    heard = age_modality(curve_sample(), earlier, 'microphone', 1.5)
    assert heard.audio is earlier.audio
    assert heard.age_s.tolist() == pytest.approx([0.0, 1.5, 0.0])


def test_a_siren_that_is_mixed_in_is_a_target() -> None:
    variation = BagVariation(siren=1.0, dropout={})
    loud = np.sin(np.arange(100) * 0.7).astype(np.float32)

    def vary(siren: int, **changes: object) -> Sample:
        return vary_sample(
            curve_sample(targets=Targets(siren=siren), **changes),
            8,
            np.random.default_rng(0),
            variation,
            lambda _: None,
            lambda _: loud,
        )

    assert vary(0).targets.siren == 1
    assert vary(-1).targets.siren == -1
    assert vary(0, audio=np.zeros(100, np.float32)).targets.siren == 0
    assert vary(0, audio=None).targets.siren == -1


def test_varied_samples_differ_repeat_and_stay_sound() -> None:
    def made(seed: int) -> list[Sample]:
        random = np.random.default_rng(seed)
        return [
            vary_sample(
                curve_sample(),
                8,
                random,
                BagVariation(ageing=0.5),
                lambda _: (curve_sample(), 0.5),
                None,
            )
            for _ in range(60)
        ]

    samples = made(0)
    for sample, again in zip(samples, made(0), strict=True):
        for value, same in zip(sample.inputs, again.inputs, strict=True):
            assert value is None if same is None else np.array_equal(value, same)  # type: ignore[arg-type]
    assert any(value is not None for sample in samples for value in sample.inputs)
    images = [sample.image for sample in samples if sample.image is not None]
    sounds = [sample.audio for sample in samples if sample.audio is not None]
    assert {image.shape for image in images} == {(8, 8, 3)}
    assert all(np.abs(sound).max() <= 1.0 and sound.dtype == np.float32 for sound in sounds)
    ages = np.stack([sample.age_s for sample in samples])
    assert 0.2 < (ages[:, 0] == 0.5).mean() < 0.7
    assert not ages[:, 2].any()
    motions = np.stack([s.motion for s in samples if s.motion is not None])
    assert {-1, 1} == set(np.sign(motions[:, -1, 1]))


def test_a_blinded_camera_is_withheld_or_shows_less_but_is_never_the_last_to_go() -> None:
    blocks = np.kron(np.random.default_rng(1).integers(0, 255, (8, 8, 1)), np.ones((8, 8, 3)))
    scene = blocks.astype(np.uint8)

    def vary(seed: int, blinding: float, *, sound: bool) -> Sample:
        plain = ImageVariation(1.0, 0.0, *[0.0] * 5)
        variation = BagVariation(plain, mirror=0.0, blinding=blinding, dropout={})
        audio = np.full(100, 0.1, np.float32) if sound else None
        sample = Sample(scene, audio, None, targets=Targets(friction=1, siren=-1))
        random = np.random.default_rng(seed)
        return vary_sample(sample, 64, random, variation, lambda _: None, None)

    clear = vary(0, 0.0, sound=True)
    assert clear.image is not None
    assert np.array_equal(clear.image, scene)
    troubled = [vary(seed, 1.0, sound=True) for seed in range(60)]
    assert any(sample.image is None for sample in troubled)
    assert not any(
        np.array_equal(sample.image, scene) for sample in troubled if sample.image is not None
    )
    assert all(sample.targets.friction == 1 for sample in troubled)  # still heard
    assert all(vary(seed, 1.0, sound=False).image is not None for seed in range(60))
