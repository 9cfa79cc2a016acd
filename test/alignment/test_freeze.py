# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from alignment.samples import RATE_HZ, aligner, at, drops, feed, position, velocity

from mm_fusion.alignment.freeze import fingerprint
from mm_fusion.types.sensors import AudioChunk, CompressedImage, DropReason, Modality, RawImage
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from numpy.typing import NDArray


def noisy(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (90, 160, 3)).astype(np.uint8)


def frame(ms: float, seed: int) -> RawImage:
    return RawImage(at(ms), at(ms), 'camera', 'rgb8', noisy(seed))


def chunk(ms: float, samples: NDArray[np.float64]) -> AudioChunk:
    return AudioChunk(at(ms), at(ms + 100), 'microphone', RATE_HZ, samples.astype(np.float32))


def test_a_moving_camera_that_repeats_itself_is_absent_after_half_a_second() -> None:
    target = aligner()
    moving = [velocity(ms, speed=10.0) for ms in range(0, 3000, 20)]
    frames = [frame(ms, ms if ms < 1000 else 1000) for ms in range(5, 2000, 100)]
    frames += [frame(ms, ms) for ms in range(2005, 3000, 100)]
    snapshots = feed(target, [*moving, *frames])

    # The first of those alike comes at 1005 ms; half a second later they are frozen.
    assert drops(target, Modality.CAMERA)[DropReason.FROZEN] == 5
    by_timer = [s.stamp_ns for s in snapshots if s.trigger == 'timer']
    assert by_timer[0] <= at(1600)
    assert by_timer[-1] <= at(2000)
    frozen = [s for s in snapshots if s.stamp_ns in by_timer]
    assert {s.modalities[Modality.CAMERA].state for s in frozen} == {ModalityState.STALE}
    assert {s.modalities[Modality.CAMERA].cause for s in frozen} == {DropReason.FROZEN}
    back = [s for s in snapshots if s.trigger == 'camera' and s.stamp_ns >= at(2005)]
    assert back[0].stamp_ns == at(2005)
    assert back[0].modalities[Modality.CAMERA].cause is None


@pytest.mark.parametrize(('speed', 'alike', 'frozen'), [(0.0, 5000, 0), (0.0, 12_000, 20)])
def test_a_standing_camera_may_repeat_itself_for_longer(
    speed: float, alike: int, frozen: int
) -> None:
    target = aligner()
    still = [velocity(ms, speed=speed) for ms in range(0, alike, 20)]
    feed(target, [*still, *(frame(ms, 7) for ms in range(5, alike, 100))])
    assert drops(target, Modality.CAMERA).get(DropReason.FROZEN, 0) == pytest.approx(frozen, abs=1)


def test_a_standing_camera_with_noise_is_not_frozen() -> None:
    target = aligner()
    feed(target, [frame(ms, ms) for ms in range(5, 12_000, 100)])
    assert drops(target, Modality.CAMERA) == {}


@pytest.mark.parametrize('samples', [np.zeros(800), np.full(800, 0.3), np.sin(np.arange(800))])
def test_sound_that_stays_the_same_is_frozen_after_a_second(samples: NDArray[np.float64]) -> None:
    target = aligner()
    for index in range(20):
        target.push(chunk(100 * index, samples))
    assert drops(target, Modality.MICROPHONE) == {DropReason.FROZEN: 10}
    assert target.reports()[Modality.MICROPHONE].state is ModalityState.STALE
    for index in range(20, 23):
        assert target.reports()[Modality.MICROPHONE].state is ModalityState.STALE
        target.push(chunk(100 * index, np.cos(np.arange(800) + index)))
    # Half of the window was heard again.
    assert target.reports()[Modality.MICROPHONE].state is ModalityState.PRESENT


def test_sound_with_too_many_gaps_is_stale_until_half_of_the_window_is_heard() -> None:
    target = aligner()
    states = []
    for index in range(40):
        if index < 10 or index >= 30 or index % 3 == 0:
            target.push(chunk(100 * index, np.cos(np.arange(800) + index)))
        report = target.reports()[Modality.MICROPHONE]
        states.append(report.state)
        assert report.cause is (None if report.state is ModalityState.PRESENT else DropReason.GAPS)
    assert states[:12] == [ModalityState.PRESENT] * 12
    assert states[20:30] == [ModalityState.STALE] * 10
    assert states[34:] == [ModalityState.PRESENT] * 6


@pytest.mark.parametrize(('speed', 'frozen'), [(0.0, False), (1.0, False), (10.0, True)])
def test_a_position_that_stays_is_frozen_where_the_vehicle_moves(
    speed: float, frozen: bool
) -> None:
    target = aligner()
    moving = [velocity(ms, speed=speed) for ms in range(0, 5000, 20)]
    stuck = [position(ms, east=3.0 - 1e-6 * ms) for ms in range(1, 5000, 200)]
    stuck = [type(p)(p.stamp_ns, p.received_ns, 'map', 3.0, 0.0, None) for p in stuck]
    feed(target, [*moving, *stuck])
    assert (DropReason.FROZEN in drops(target, Modality.GNSS)) is frozen


def test_every_check_can_be_turned_off() -> None:
    target = aligner(camera_frozen_s=0.0, camera_frozen_standing_s=0.0, microphone_frozen_s=0.0)
    moving = [velocity(ms, speed=10.0) for ms in range(0, 12_000, 20)]
    feed(target, [*moving, *(frame(ms, 7) for ms in range(5, 12_000, 100))])
    for index in range(50):
        target.push(chunk(12_000 + 100 * index, np.zeros(800)))
    assert drops(target, Modality.CAMERA) == drops(target, Modality.MICROPHONE) == {}


def test_any_change_of_a_payload_that_moves_what_follows_is_seen() -> None:
    payload = np.random.default_rng(0).integers(0, 255, 200_000).astype(np.uint8)
    changed = np.concatenate([payload[:90_000], [1, 2], payload[90_000:]]).astype(np.uint8)
    one, other = (CompressedImage(1, 1, 'camera', 'jpeg', data) for data in (payload, changed))
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(('height', 'width'), [(360, 640), (1080, 1920), (3, 90_000), (1, 1)])
def test_frames_are_told_apart_by_a_bounded_part_of_them(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    changed = pixels.copy()
    changed[0, width // 2, 1] += 1
    one, same, other = (
        RawImage(1, 1, 'camera', 'bgr8', data) for data in (pixels, pixels.copy(), changed)
    )
    shape, kept = fingerprint(one)
    assert shape == pixels.shape
    assert len(kept) <= max(65_536, 3 * width)
    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(other)


def test_frames_of_the_same_octets_in_another_shape_differ() -> None:
    wide, high = np.zeros((2, 4, 3), np.uint8), np.zeros((4, 2, 3), np.uint8)
    assert fingerprint(RawImage(1, 1, 'camera', 'bgr8', wide)) != fingerprint(
        RawImage(1, 1, 'camera', 'bgr8', high)
    )
