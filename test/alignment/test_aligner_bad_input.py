# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from alignment.samples import (
    MS,
    RATE_HZ,
    aligner,
    at,
    drops,
    fix,
    frame,
    position,
    sound,
    velocity,
)

from mm_fusion.types.sensors import AudioChunk, DropReason, Modality, Sample, modality_of
from mm_fusion.types.snapshot import ModalityState

NAN, INF = float('nan'), float('inf')
ONE_OF_EACH: tuple[Sample, ...] = (frame(0), sound(0), position(0), fix(0), velocity(0))


def chunk(samples: object, rate_hz: int = RATE_HZ) -> AudioChunk:
    return AudioChunk(at(0), at(100), 'microphone', rate_hz, np.asarray(samples))


@pytest.mark.parametrize('sample', ONE_OF_EACH)
def test_a_stamp_of_zero_is_refused(sample: Sample) -> None:
    target = aligner(velocity_offset_s=1.0)
    target.push(dataclasses.replace(sample, stamp_ns=0))
    assert drops(target, modality_of(sample)) == {DropReason.ZERO_STAMP: 1}
    assert target.reports()[modality_of(sample)].state is ModalityState.NEVER_SEEN
    assert target.flush() == []


@pytest.mark.parametrize('sample', ONE_OF_EACH)
def test_a_stamp_in_the_future_is_refused(sample: Sample) -> None:
    target = aligner(future_tolerance_s=0.5)
    ahead = dataclasses.replace(sample, stamp_ns=sample.received_ns + 500 * MS + 1)
    target.push(ahead)
    assert drops(target, modality_of(sample)) == {DropReason.FUTURE: 1}
    target.push(dataclasses.replace(ahead, stamp_ns=ahead.stamp_ns - 1))
    assert drops(target, modality_of(sample)) == {DropReason.FUTURE: 1}
    assert target.reports()[modality_of(sample)].state is ModalityState.PRESENT


@pytest.mark.parametrize(
    'sample',
    [
        velocity(0, speed=NAN),
        velocity(0, speed=INF),
        velocity(0, lateral_mps=NAN),
        velocity(0, yaw_rate_rps=NAN),
        velocity(0, yaw_rate_rps=-INF),
        velocity(0, speed_variance=NAN),
        velocity(0, yaw_rate_variance=INF),
        fix(0, latitude=NAN),
        dataclasses.replace(fix(0), longitude_deg=INF),
        dataclasses.replace(fix(0), covariance=np.array([[NAN, 0], [0, 1]])),
        position(0, east=NAN),
        dataclasses.replace(position(0), north_m=INF),
        dataclasses.replace(position(0), covariance=np.array([[1, 0], [0, INF]])),
        chunk(np.array([0, NAN], np.float32)),
        chunk(np.array([INF, 0], np.float32)),
    ],
)
def test_a_number_that_is_not_finite_is_refused(sample: Sample) -> None:
    target = aligner()
    target.push(sample)
    assert drops(target, modality_of(sample)) == {DropReason.NOT_FINITE: 1}
    target.push(frame(1, received_ms=101))
    (snapshot,) = target.flush()
    assert (snapshot.audio, snapshot.velocity, snapshot.positions) == (None, None, ())


def test_an_unknown_altitude_is_no_fault() -> None:
    target = aligner()
    target.push(fix(0, altitude=NAN))
    assert drops(target, Modality.GNSS) == {}


@pytest.mark.parametrize(
    'bad',
    [
        chunk(np.zeros((10, 2), np.float32)),
        chunk(np.zeros(0, np.float32)),
        chunk(np.zeros(10, np.int16)),
        chunk(np.zeros(10, np.float32), rate_hz=0),
        chunk(np.zeros(10, np.float32), rate_hz=-8000),
        chunk(np.zeros(10, np.float32), rate_hz=2_000_000_000),
        chunk(np.zeros(10_000_000, np.float32)),
    ],
)
def test_sound_that_makes_no_sense_is_refused(bad: AudioChunk) -> None:
    target = aligner()
    target.push(bad)
    assert drops(target, Modality.MICROPHONE) == {DropReason.MALFORMED: 1}
    assert target.reports()[Modality.MICROPHONE].state is ModalityState.NEVER_SEEN


@pytest.mark.parametrize('sample', ONE_OF_EACH)
def test_a_duplicate_is_refused(sample: Sample) -> None:
    target = aligner()
    target.push(sample)
    target.push(sample)
    assert drops(target, modality_of(sample)) == {DropReason.DUPLICATE: 1}
    assert target.reports()[modality_of(sample)].received == 2


def test_a_frame_that_was_emitted_is_a_duplicate() -> None:
    target = aligner()
    target.push(frame(0))
    assert len(target.poll(at(0))) == 1
    target.push(frame(0))
    assert target.poll(at(1000)) == []
    assert drops(target, Modality.CAMERA) == {DropReason.DUPLICATE: 1}


def test_a_frame_older_than_the_last_snapshot_is_late() -> None:
    target = aligner()
    target.push(frame(100))
    assert len(target.poll(at(100))) == 1
    target.push(frame(50, received_ms=110))
    assert target.poll(at(1000)) == []
    assert drops(target, Modality.CAMERA) == {DropReason.LATE: 1}


@pytest.mark.parametrize('make', [frame, sound, position, velocity])
def test_the_reordering_window_decides_what_is_too_old(make: object) -> None:
    assert callable(make)
    target = aligner(reorder_window_s=0.2, deadline_s=1.0)
    target.push(velocity(0))
    for ms in (1000, 800, 799):
        target.push(dataclasses.replace(make(ms), received_ns=at(1100)))
    modality = modality_of(make(0))
    assert drops(target, modality) == {DropReason.OUT_OF_ORDER: 1}


def test_a_burst_drops_the_oldest_frames() -> None:
    target = aligner(max_pending=4, deadline_s=1.0)
    target.push(velocity(0))
    for ms in range(10, 20):
        target.push(frame(ms))
    assert target.counters.pending == 4
    assert [s.stamp_ns for s in target.flush()] == [at(ms) for ms in range(16, 20)]
    assert drops(target, Modality.CAMERA) == {DropReason.OVERFLOW: 6}
    assert (target.counters.opened, target.counters.discarded) == (10, 6)


def test_a_full_history_drops_the_oldest_sample() -> None:
    target = aligner(max_history=10)
    for ms in range(25):
        target.push(velocity(ms))
        target.push(position(ms))
    target.push(frame(24))
    (snapshot,) = target.flush()
    assert [s.stamp_ns for s in snapshot.velocities] == [at(ms) for ms in range(15, 25)]
    assert [s.stamp_ns for s in snapshot.positions] == [at(ms) for ms in range(15, 25)]
    assert drops(target, Modality.VELOCITY) == {DropReason.OVERFLOW: 15}
    assert drops(target, Modality.GNSS) == {DropReason.OVERFLOW: 15}


def test_a_change_of_the_sample_rate_restarts_the_sound() -> None:
    target = aligner()
    for ms in range(0, 500, 100):
        target.push(sound(ms))
    for ms in range(500, 1000, 100):
        samples = np.full(1600, ms, np.float32)
        target.push(AudioChunk(at(ms), at(ms + 100), 'microphone', 16_000, samples))
    target.push(frame(1000))
    (snapshot,) = target.poll(at(1000))
    assert snapshot.audio is not None
    assert (snapshot.audio.sample_rate_hz, snapshot.audio.covered) == (16_000, 1.0)
    np.testing.assert_array_equal(snapshot.audio.samples[::1600], [500, 600, 700, 800, 900])
    assert target.counters.audio_restarts == 1


def test_a_sensor_that_repeats_itself_is_not_waited_for() -> None:
    target = aligner(velocity_timeout_s=0.5)
    for ms in range(0, 1000, 10):
        target.push(velocity(0, received_ms=ms))
    target.push(frame(1000))
    (snapshot,) = target.poll(at(1000))
    assert snapshot.completed
    assert snapshot.modalities[Modality.VELOCITY].state is ModalityState.STALE


def test_sound_of_an_absurd_length_does_not_deafen_for_long() -> None:
    target = aligner(reorder_window_s=0.2, deadline_s=0.0)
    target.push(sound(0, 1600, received_ms=100))
    for ms in range(100, 3000, 100):
        target.push(sound(ms))
    target.push(frame(3000))
    (snapshot,) = target.poll(at(3000))
    assert snapshot.audio is not None
    assert snapshot.audio.covered == 1.0
