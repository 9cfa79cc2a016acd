# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.features import Featurizer, FeaturizerShape
from mm_fusion.geometry.ego_filter import EgoState, EgoStateFilter
from mm_fusion.pipeline import FeaturePipeline, feature_pipeline
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import AudioChunk, GnssFix, RawImage, Sample, VelocitySample
from support.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from mm_fusion.pipeline import Observation
    from mm_fusion.types.sensors import ImageSample

MS = 1_000_000
SECOND = 1000 * MS
START_NS = 1_700_000_000 * SECOND
SHAPE = FeaturizerShape(image=(4, 6), audio_samples=None, audio_rate_hz=16_000, motion_steps=40)
METRES_PER_DEGREE = 111_320.0


def frames(seconds: float, start_ns: int = START_NS) -> list[Sample]:
    stamps = [start_ns + tick * 100 * MS for tick in range(round(seconds * 10))]
    return [
        RawImage(stamp, stamp + 5 * MS, 'camera', 'rgb8', picture(16, 24, (200, 200, 200), stamp))
        for stamp in stamps
    ]


def velocities(
    seconds: float, yaw_rate: float | None = 0.2, start_ns: int = START_NS
) -> list[Sample]:
    """Speed 5 + t."""
    stamps = [tick * 20 * MS for tick in range(round(seconds * 50))]
    return [
        VelocitySample(
            start_ns + stamp,
            start_ns + stamp + MS,
            speed_mps=5.0 + stamp / SECOND,
            yaw_rate_rps=yaw_rate,
            speed_variance=1e-4,
            yaw_rate_variance=1e-6,
        )
        for stamp in stamps
    ]


def fixes(seconds: float) -> list[Sample]:
    """North at 8 m/s, 5 Hz."""
    stamps = [START_NS + tick * 200 * MS for tick in range(round(seconds * 5))]
    return [
        GnssFix(
            stamp,
            stamp + MS,
            'gnss',
            8.0 * (stamp - START_NS) / SECOND / METRES_PER_DEGREE,
            0.0,
            0.0,
            1e-4 * np.eye(2),
        )
        for stamp in stamps
    ]


def sounds(seconds: float) -> list[Sample]:
    """Chunks of 100 ms."""
    stamps = [START_NS + tick * 100 * MS for tick in range(round(seconds * 10))]
    return [
        AudioChunk(
            stamp,
            stamp + 100 * MS,
            'microphone',
            16_000,
            np.full(1600, 0.1 + 1e-4 * i, np.float32),
        )
        for i, stamp in enumerate(stamps)
    ]


def observe(
    samples: Iterable[Sample],
    beside: Executor | None = None,
    seen: Callable[[NDArray[np.uint8]], None] | None = None,
    moved: Callable[[NDArray[np.float32]], None] | None = None,
) -> list[Observation]:
    pipeline = FeaturePipeline(SHAPE, Settings(), beside=beside, seen=seen, moved=moved)
    observed = []
    for sample in sorted(samples, key=lambda sample: sample.received_ns):
        pipeline.push(sample)
        while (observation := pipeline.step(sample.received_ns)) is not None:
            observed.append(observation)
    return [*observed, *pipeline.finish()]


def test_the_sound_is_told_before_the_image_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    shape = replace(SHAPE, audio_samples=16_000)
    pipeline = FeaturePipeline(shape, Settings(), heard=told.append)
    made = Featurizer.image

    def image(self: Featurizer, sample: ImageSample) -> NDArray[np.uint8] | None:
        told.append('image')
        return made(self, sample)

    monkeypatch.setattr(Featurizer, 'image', image)
    seen = []
    for sample in sorted(
        frames(3.0) + velocities(3.0) + sounds(3.0), key=lambda sample: sample.received_ns
    ):
        pipeline.push(sample)
        while (observation := pipeline.step(sample.received_ns)) is not None:
            audio = observation.batch.audio
            if audio is None:
                assert told == ['image']
            else:
                assert told[0] is audio
                assert told[1:] == ['image']
            told.clear()
            seen.append(audio is not None)
    assert seen.count(True) > 5
    assert False in seen


def test_frames_share_a_sound_that_says_how_old_it_is() -> None:
    settings = replace(Settings(), inference=replace(Settings().inference, audio_rate_hz=5.0))
    pipeline = FeaturePipeline(replace(SHAPE, audio_samples=16_000), settings)
    heard = []
    for sample in sorted(frames(3.0) + sounds(3.0), key=lambda sample: sample.received_ns):
        pipeline.push(sample)
        while (observation := pipeline.step(sample.received_ns)) is not None:
            if observation.batch.audio is not None:
                heard.append(observation)
    pairs = [pair for pair in pairwise(heard) if pair[0].batch.audio is pair[1].batch.audio]
    assert len(pairs) in {len(heard) // 2 - 1, len(heard) // 2}
    assert len(pairs) > 5
    for one, two in pairs:
        assert one.stamp_ns % (200 * MS) == 0
        assert two.batch.age_s[0, 1] - one.batch.age_s[0, 1] == pytest.approx(0.1)


@pytest.mark.parametrize('offset_s', [0.0, -0.02])
def test_each_image_is_made_once_and_before_its_snapshot(
    offset_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, str]] = []
    make = Featurizer.image

    def image(self: Featurizer, sample: ImageSample) -> NDArray[np.uint8] | None:
        made.append((sample.stamp_ns, threading.current_thread().name))
        return make(self, sample)

    monkeypatch.setattr(Featurizer, 'image', image)
    settings = replace(
        Settings(), alignment=replace(Settings().alignment, camera_offset_s=offset_s)
    )
    announced: list[NDArray[np.uint8]] = []
    seen = []
    with ThreadPoolExecutor(1, 'ahead') as ahead:
        pipeline = FeaturePipeline(SHAPE, settings, ahead=ahead, seen=announced.append)
        for sample in sorted(frames(3.0) + velocities(3.0), key=lambda sample: sample.received_ns):
            pipeline.push(sample)
            ahead.submit(int).result()  # what was begun has ended
            while (observation := pipeline.step(sample.received_ns)) is not None:
                seen.append(observation)
        seen.extend(pipeline.finish())
    with_image = [one for one in seen if one.batch.image is not None]
    assert len(with_image) == len(made) == 30
    # By the thread that made it, and again with its snapshot.
    assert len(announced) == 60
    assert all(one.batch.image is image for one, image in zip(with_image, announced[::2]))
    assert all(one is other for one, other in zip(announced[::2], announced[1::2]))
    assert [one.stamp_ns for one in with_image] == [stamp_ns for stamp_ns, _ in made]
    assert all(name.startswith('ahead') for _, name in made)


def history(observation: Observation) -> NDArray[np.float32]:
    motion = observation.batch.motion
    assert motion is not None
    rows: NDArray[np.float32] = motion[0]
    return rows


def test_the_history_is_the_filtered_motion_at_past_stamps() -> None:
    seen = observe(frames(6.0) + velocities(6.0))
    last = seen[-1]
    assert last.batch.presence.tolist() == [[1, 0, 1]]
    # The grid of 0.1 s meets the stamps of the frames.
    told = [one.state.motion for one in seen[-40:] if one.state is not None]
    expected = [[one.speed_mps, one.yaw_rate_rps, one.acceleration_mps2] for one in told]
    np.testing.assert_allclose(history(last), expected, rtol=1e-6)
    times = 5.9 - 0.1 * np.arange(39, -1, -1)
    np.testing.assert_allclose(history(last)[:, 0], 5.0 + times, atol=0.02)


def test_a_short_history_holds_its_oldest_motion() -> None:
    seen = observe(frames(1.0) + velocities(1.0))
    first = next(one for one in seen if one.state is not None)
    assert first.state is not None
    rows = history(seen[-1])
    assert rows[:30, 0] == pytest.approx(first.state.motion.speed_mps)


def test_neither_a_gyro_nor_a_speedometer_is_needed() -> None:
    blind = history(observe(frames(5.0) + velocities(5.0, yaw_rate=None))[-1])
    assert np.isfinite(blind).all()
    assert blind[-1, 0] == pytest.approx(9.9, abs=0.05)
    last = observe(frames(6.0) + fixes(6.0))[-1]
    assert history(last)[-10:, 0] == pytest.approx(8.0, abs=0.5)
    assert last.batch.presence.tolist() == [[1, 0, 1]]
    assert last.batch.age_s[0, 2] == pytest.approx(0.1)


def test_the_future_does_not_reach_the_history() -> None:
    braked = [
        replace(sample, speed_mps=0.5)
        if isinstance(sample, VelocitySample) and sample.stamp_ns > START_NS + 3 * SECOND
        else sample
        for sample in velocities(5.0)
    ]
    for one, other in zip(
        observe(frames(5.0) + velocities(5.0))[:31],
        observe(frames(5.0) + braked)[:31],
        strict=True,
    ):
        if one.batch.motion is not None:
            np.testing.assert_array_equal(history(one), history(other))


def test_places_do_not_reach_the_history() -> None:
    north = observe(frames(4.0) + velocities(4.0) + fixes(4.0))[-1]
    moved = [
        replace(sample, latitude_deg=sample.latitude_deg + 40.0, longitude_deg=100.0)
        if isinstance(sample, GnssFix)
        else sample
        for sample in fixes(4.0)
    ]
    there = observe(frames(4.0) + velocities(4.0) + moved)[-1]
    np.testing.assert_allclose(history(north), history(there), atol=1e-2)


def test_the_history_ends_where_the_clock_is_reset() -> None:
    slow = [
        replace(sample, speed_mps=2.0) if isinstance(sample, VelocitySample) else sample
        for sample in velocities(2.0)
    ]
    pipeline = FeaturePipeline(SHAPE, Settings())
    seen = []
    for loop in (frames(4.0) + velocities(4.0), frames(2.0) + slow):
        for sample in sorted(loop, key=lambda sample: sample.received_ns):
            pipeline.push(sample)
            while (observation := pipeline.step(sample.received_ns)) is not None:
                seen.append(observation)
    seen.extend(pipeline.finish())
    assert {one.epoch for one in seen} == {0, 1}
    assert history(seen[-1])[:, 0] == pytest.approx(2.0, abs=0.01)


class Meeting(EgoStateFilter):
    """A filter that waits, when it is asked for a state, until an image is in use."""

    barrier = threading.Barrier(2, timeout=30.0)

    def state_at(self, stamp_ns: int) -> EgoState | None:
        self.barrier.wait()
        return super().state_at(stamp_ns)


def test_a_thread_beside_tracks_while_the_image_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = frames(4.0) + velocities(4.0)
    alone = observe(samples)

    def meet(_image: NDArray[np.uint8]) -> None:
        Meeting.barrier.wait()

    monkeypatch.setattr(feature_pipeline, 'EgoStateFilter', Meeting)
    moved: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(1) as beside:
        together = observe(samples, beside, seen=meet, moved=moved.append)
    assert len(together) == len(alone) > 30
    for one, other in zip(together, alone):
        np.testing.assert_array_equal(history(one), history(other))
        assert one.watch.durations_s.keys() == other.watch.durations_s.keys()
    assert all(one.batch.motion is told for one, told in zip(together, moved, strict=True))


def test_what_fails_beside_is_raised() -> None:
    class Failing(EgoStateFilter):
        def state_at(self, stamp_ns: int) -> EgoState | None:
            raise ZeroDivisionError

    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_pipeline, 'EgoStateFilter', Failing)
        for beside in (thread, None):
            with pytest.raises(ZeroDivisionError):
                observe(frames(1.0) + velocities(1.0), beside)
