# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.features import Featurizer, FeaturizerShape
from mm_fusion.pipeline.frames import Frames
from mm_fusion.types.sensors import CompressedImage, DropReason, RawImage
from support.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.types.sensors import ImageSample

SHAPE = FeaturizerShape(image=(4, 6), audio_samples=None, audio_rate_hz=16_000, motion_steps=None)


class GatedFeaturizer(Featurizer):
    """Makes an image once it may, and remembers of which frame and in which thread.

    Attributes:
        made: Stamp and thread, in order.
        entered: Released each time a frame's turn has come.
        gate: Acquired for each frame.
    """

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.made: list[tuple[int, str]] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def image(self, sample: ImageSample) -> NDArray[np.uint8] | None:
        self.made.append((sample.stamp_ns, threading.current_thread().name))
        self.entered.release()
        assert self.gate.acquire(timeout=30.0)
        return super().image(sample)


@pytest.fixture
def featurizer() -> GatedFeaturizer:
    return GatedFeaturizer()


@pytest.fixture
def ahead() -> Iterator[Executor]:
    with ThreadPoolExecutor(1, 'ahead') as thread:
        yield thread


def frame(stamp_ns: int) -> RawImage:
    pixels = picture(16, 24, (200, 200, 200), stamp_ns)
    return RawImage(stamp_ns, stamp_ns, 'camera', 'rgb8', pixels)


def test_a_frame_is_made_once_and_before_it_is_asked_for(
    featurizer: GatedFeaturizer, ahead: Executor
) -> None:
    told: list[NDArray[np.uint8]] = []
    frames = Frames(featurizer, 0.0, ahead, told.append)
    one = frame(1)
    frames.offer(one)
    frames.offer(one)
    assert featurizer.entered.acquire(timeout=30.0)
    assert frames.begun(one)
    featurizer.gate.release()
    seen = frames.take(one)
    assert seen.image is not None
    np.testing.assert_array_equal(seen.image, Featurizer(SHAPE).image(one))
    assert len(told) == 1
    assert told[0] is seen.image
    assert seen.cause is None
    assert seen.duration_s > 0.0
    assert [stamp for stamp, thread in featurizer.made if thread.startswith('ahead')] == [1]
    assert len(featurizer.made) == 1
    assert not frames.begun(one)


def test_without_a_thread_a_frame_is_made_when_it_is_asked_for(
    featurizer: GatedFeaturizer,
) -> None:
    told: list[NDArray[np.uint8]] = []
    frames = Frames(featurizer, 0.0, None, told.append)
    one = frame(1)
    frames.offer(one)
    assert not frames.begun(one)
    assert featurizer.made == []
    featurizer.gate.release()
    assert frames.take(one).image is not None
    assert featurizer.made == [(1, threading.current_thread().name)]
    assert told == []


def test_a_frame_that_waits_for_the_thread_gives_way_to_a_newer_one(
    featurizer: GatedFeaturizer, ahead: Executor
) -> None:
    frames = Frames(featurizer, 0.0, ahead, None)
    first, second, third = frame(1), frame(2), frame(3)
    frames.offer(first)
    assert featurizer.entered.acquire(timeout=30.0)
    frames.offer(second)
    frames.offer(third)
    assert [frames.begun(one) for one in (first, second, third)] == [True, False, False]
    featurizer.gate.release(3)
    assert frames.take(first).image is not None
    assert frames.take(second).image is not None
    assert frames.take(third).image is not None
    here = threading.current_thread().name
    assert (1, here) not in featurizer.made
    assert (2, here) in featurizer.made
    assert sorted(stamp for stamp, _ in featurizer.made) == [1, 2, 3]


def test_behind_the_newest_is_made_once_the_last_has_been_asked_for(
    featurizer: GatedFeaturizer, ahead: Executor
) -> None:
    frames = Frames(featurizer, 0.0, ahead, None)
    featurizer.gate.release(100)
    first, second, third, fourth = (frame(stamp) for stamp in (1, 2, 3, 4))
    for one in (first, second, third):
        frames.offer(one, behind=True)
    ahead.submit(int).result()  # what was begun has ended
    assert [stamp for stamp, _ in featurizer.made] == [1]
    frames.take(first)
    ahead.submit(int).result()
    assert [stamp for stamp, _ in featurizer.made] == [1, 3]
    assert frames.begun(third)
    frames.offer(fourth, behind=False)
    ahead.submit(int).result()
    assert [stamp for stamp, _ in featurizer.made] == [1, 3, 4]
    assert all(name.startswith('ahead') for _, name in featurizer.made)


def test_behind_no_frame_is_made_that_is_older_than_what_is_asked_for(
    featurizer: GatedFeaturizer, ahead: Executor
) -> None:
    frames = Frames(featurizer, 0.0, ahead, None)
    featurizer.gate.release(100)
    first, second, third = (frame(stamp) for stamp in (1, 2, 3))
    frames.offer(first, behind=True)
    frames.offer(second, behind=True)
    # Neither the first, which nobody will ask for any more, nor the second keeps the thread.
    frames.take(third)
    ahead.submit(int).result()
    assert [stamp for stamp, _ in featurizer.made] == [1, 3]
    assert not frames.begun(first)
    fourth = frame(4)
    frames.offer(fourth, behind=True)
    ahead.submit(int).result()
    assert frames.begun(fourth)


def test_what_nobody_asks_for_is_forgotten(featurizer: GatedFeaturizer, ahead: Executor) -> None:
    frames = Frames(featurizer, 0.0, ahead, None)
    featurizer.gate.release(100)
    offered = [frame(stamp) for stamp in range(20)]
    for one in offered:
        frames.offer(one)
        assert featurizer.entered.acquire(timeout=30.0)
        assert frames.begun(one)
    assert [frames.begun(one) for one in offered] == [False] * 12 + [True] * 8
    frames.take(offered[15])
    assert [frames.begun(one) for one in offered] == [False] * 16 + [True] * 4


def test_a_frame_of_no_use_says_why_and_is_not_announced(ahead: Executor) -> None:
    told: list[NDArray[np.uint8]] = []
    frames = Frames(Featurizer(SHAPE), 0.5, ahead, told.append)
    black = RawImage(1, 1, 'camera', 'rgb8', np.zeros((16, 24, 3), np.uint8))
    broken = CompressedImage(2, 2, 'camera', 'jpeg', np.zeros(10, np.uint8))
    for one, cause in ((black, DropReason.LOW_QUALITY), (broken, DropReason.MALFORMED)):
        frames.offer(one)
        seen = frames.take(one)
        assert seen.image is None
        assert seen.cause is cause
    assert told == []
