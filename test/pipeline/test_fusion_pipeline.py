# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mm_fusion.errors import InferenceError
from mm_fusion.pipeline import FusionPipeline
from mm_fusion.pipeline.frames import Frames
from mm_fusion.runtime import Backend, Bundle, create_backend
from mm_fusion.settings import DecodingSettings, Settings, settings_from
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    DropReason,
    GnssFix,
    Modality,
    RawImage,
    Sample,
    VelocitySample,
)
from mm_fusion.types.snapshot import ModalityState
from support.bundles import write_tiny_bundle
from support.pictures import noise, picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import FusionOutput

MS = 1_000_000
SECOND = 1000 * MS
START_NS = 1_700_000_000 * SECOND
RATE_HZ = 16_000
RED = (255, 0, 0)
METRES_PER_DEGREE = 111_320.0


def frame(stamp_ns: int, colour: tuple[int, int, int] = RED) -> RawImage:
    pixels = picture(24, 32, colour, stamp_ns)
    return RawImage(stamp_ns, stamp_ns + 5 * MS, 'camera', 'rgb8', pixels)


def sound(stamp_ns: int, level: float = 0.0) -> AudioChunk:
    samples = noise(RATE_HZ // 50, max(level, 1e-4), stamp_ns)
    return AudioChunk(stamp_ns, stamp_ns + 20 * MS, 'microphone', RATE_HZ, samples)


def velocity(stamp_ns: int, speed_mps: float = 10.0, yaw_rate: float = 0.0) -> VelocitySample:
    return VelocitySample(
        stamp_ns,
        stamp_ns + MS,
        speed_mps=speed_mps,
        yaw_rate_rps=yaw_rate,
        speed_variance=0.01,
        yaw_rate_variance=1e-6,
    )


def fix(stamp_ns: int, north_m: float) -> GnssFix:
    return GnssFix(
        stamp_ns, stamp_ns + 2 * MS, 'gnss', north_m / METRES_PER_DEGREE, 0.0, 0.0, np.eye(2)
    )


def drive(seconds: float, *, start_ns: int = START_NS, level: float = 0.0) -> list[Sample]:
    """North at 10 m/s, all four sensors, in order of arrival."""
    samples: list[Sample] = []
    for tick in range(round(seconds * 1000)):
        stamp_ns = start_ns + tick * MS
        if tick % 100 == 0:
            samples.append(frame(stamp_ns))
        if tick % 20 == 0:
            samples.extend([sound(stamp_ns, level), velocity(stamp_ns)])
        if tick % 200 == 0:
            samples.append(fix(stamp_ns, tick / 100))
    return sorted(samples, key=lambda sample: sample.received_ns)


def run(pipeline: FusionPipeline, samples: Iterable[Sample]) -> Iterator[FusionOutput]:
    for sample in samples:
        pipeline.push(sample)
        while (output := pipeline.step(sample.received_ns)) is not None:
            yield output
    yield from pipeline.finish()


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder: Path = tmp_path_factory.mktemp('bundle') / 'tiny'
    return Bundle.load(write_tiny_bundle(folder))


@pytest.fixture(scope='module')
def backend(bundle: Bundle) -> Backend:
    return create_backend(bundle, Settings().inference)


@pytest.fixture
def pipeline(bundle: Bundle, backend: Backend) -> FusionPipeline:
    settings = settings_from(
        {'decoding.road_time_constant_s': 0.0, 'decoding.siren_time_constant_s': 0.0}
    )
    return FusionPipeline(bundle, backend, settings)


def test_every_frame_gives_one_output_with_all_modalities(pipeline: FusionPipeline) -> None:
    outputs = list(run(pipeline, drive(3.0, level=0.5)))
    assert [output.stamp_ns for output in outputs] == [
        START_NS + 100 * MS * index for index in range(30)
    ]
    last = outputs[-1]
    assert {report.state for report in last.modalities.values()} == {ModalityState.PRESENT}
    assert last.weights[Modality.CAMERA] == last.weights[Modality.MICROPHONE] == 0.5
    assert last.road is not None
    assert last.road.surface_observed
    assert last.road.siren_observed
    assert last.road.siren
    assert last.road.filtered.friction[0] > 0.99
    assert sum(report.dropped for report in last.modalities.values()) == 0
    stages = ['track', 'preprocess', 'image_encoder', 'audio_encoder', 'fusion', 'decode']
    assert list(last.latencies_s) == stages


def test_the_path_ahead_of_a_straight_drive_is_straight(pipeline: FusionPipeline) -> None:
    last = list(run(pipeline, drive(3.0)))[-1]
    assert last.trajectory is not None
    (mode,) = last.trajectory.modes
    np.testing.assert_allclose(mode.times_s, 0.5 * np.arange(1, 13))
    np.testing.assert_allclose(mode.positions[:, 0], 10 * mode.times_s, rtol=0.02)
    np.testing.assert_allclose(mode.positions[:, 1], 0.0, atol=0.1)
    spread = np.linalg.eigvalsh(mode.covariances)
    assert (spread > 0).all()
    assert (np.diff(spread[:, 1]) > 0).all()


def test_a_trajectory_head_corrects_the_roll_out(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'whole', trajectory=True))
    backend = create_backend(bundle, Settings().inference)
    turning = [
        replace(sample, yaw_rate_rps=0.1) if isinstance(sample, VelocitySample) else sample
        for sample in drive(3.0)
        if not isinstance(sample, GnssFix)
    ]
    last = list(run(FusionPipeline(bundle, backend, Settings()), turning))[-1]
    trajectory = last.trajectory
    assert trajectory is not None
    assert trajectory.source == 'network'
    assert len(trajectory.modes) == 6
    probabilities = np.exp(np.arange(5, -1, -1.0))
    np.testing.assert_allclose(
        [mode.probability for mode in trajectory.modes],
        probabilities / probabilities.sum(),
        rtol=0.05,
    )
    # The modes of the tiny head differ by 0.02 t² sidewards, the most likely rightmost.
    apart = [
        np.linalg.norm(mode.positions - after.positions, axis=1)
        for mode, after in zip(trajectory.modes, trajectory.modes[1:], strict=False)
    ]
    expected = 0.02 * trajectory.modes[0].times_s ** 2
    np.testing.assert_allclose(apart, np.tile(expected, (5, 1)), rtol=1e-5)
    assert last.modalities[Modality.VELOCITY].state is ModalityState.PRESENT
    assert 'motion_encoder' in last.latencies_s


def test_a_bundle_may_read_the_surface_from_sound(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny', friction_coefficient=True))
    backend = create_backend(bundle, Settings().inference)
    hears = replace(bundle.manifest, surface_from=('camera', 'microphone'))
    dark = [sample for sample in drive(3.0, level=0.5) if not isinstance(sample, RawImage)]
    for one, observed in ((bundle, False), (replace(bundle, manifest=hears), True)):
        last = list(run(FusionPipeline(one, backend, Settings()), dark))[-1]
        assert last.road is not None
        assert last.road.siren_observed
        assert last.road.surface_observed is observed
        # The tiny head reads the coefficient from the colour red; there is none without a frame.
        expected = 0.0 if observed else 0.55
        assert last.road.friction_coefficient_mean == pytest.approx(expected, abs=1e-6)


def test_velocity_alone_gives_a_trajectory_and_no_road_state(pipeline: FusionPipeline) -> None:
    samples: list[Sample] = [velocity(START_NS + tick * 20 * MS) for tick in range(100)]
    outputs = list(run(pipeline, samples))
    assert outputs
    assert outputs[-1].trajectory is not None
    assert outputs[-1].trajectory.source == 'ego_filter'
    assert all(output.road is None for output in outputs)
    assert outputs[-1].modalities[Modality.CAMERA].state is ModalityState.NEVER_SEEN


def test_the_camera_alone_gives_a_road_state_and_no_trajectory(pipeline: FusionPipeline) -> None:
    outputs = list(run(pipeline, [frame(START_NS + tick * 100 * MS) for tick in range(5)]))
    assert len(outputs) == 5
    assert outputs[-1].trajectory is None
    assert outputs[-1].road is not None
    assert outputs[-1].road.surface_observed
    assert not outputs[-1].road.siren_observed
    assert not outputs[-1].road.siren
    assert outputs[-1].weights[Modality.CAMERA] == 1.0


def test_a_frame_that_cannot_be_decoded_is_counted_and_the_rest_goes_on(
    pipeline: FusionPipeline,
) -> None:
    samples = drive(1.0)
    ok, payload = cv2.imencode('.png', np.zeros((8, 8, 3), np.uint8))
    assert ok
    payload[40:60] = 0
    broken = [
        CompressedImage(item.stamp_ns, item.received_ns, item.frame_id, 'png', payload)
        if isinstance(item, RawImage) and item.stamp_ns == START_NS + 500 * MS
        else item
        for item in samples
    ]
    outputs = list(run(pipeline, broken))
    assert len(outputs) == 10
    hit = outputs[5]
    assert hit.modalities[Modality.CAMERA].state is ModalityState.STALE
    assert hit.modalities[Modality.CAMERA].drops[DropReason.MALFORMED] == 1
    assert hit.weights[Modality.CAMERA] == 0.0
    assert hit.road is not None
    assert not hit.road.surface_observed
    after = outputs[-1].modalities[Modality.CAMERA]
    assert after.state is ModalityState.PRESENT
    assert after.drops[DropReason.MALFORMED] == 1
    assert after.received == 10


def test_outliers_are_counted(pipeline: FusionPipeline) -> None:
    samples = [
        velocity(item.stamp_ns, speed_mps=60.0)
        if isinstance(item, VelocitySample) and item.stamp_ns == START_NS + SECOND
        else item
        for item in drive(2.0)
    ]
    outputs = list(run(pipeline, samples))
    assert outputs[-1].modalities[Modality.VELOCITY].drops == {DropReason.OUTLIER: 1}
    assert outputs[-1].trajectory is not None
    assert outputs[-1].trajectory.motion.speed_mps == pytest.approx(10.0, abs=0.1)


def test_numbers_no_vehicle_has_are_counted(pipeline: FusionPipeline) -> None:
    samples = [
        velocity(item.stamp_ns, speed_mps=1e6)
        if isinstance(item, VelocitySample) and item.stamp_ns == START_NS + SECOND
        else item
        for item in drive(2.0)
    ]
    outputs = list(run(pipeline, samples))
    assert outputs[-1].modalities[Modality.VELOCITY].drops == {DropReason.MALFORMED: 1}


def test_each_sample_reaches_the_filter_whatever_the_order_of_arrival(
    bundle: Bundle, backend: Backend
) -> None:
    samples = drive(2.0)
    late = [
        sample.__class__(sample.stamp_ns, sample.received_ns + 300 * MS, *_rest(sample))
        if isinstance(sample, GnssFix)
        else sample
        for sample in samples
    ]
    late.sort(key=lambda sample: sample.received_ns)
    ends = [
        list(run(FusionPipeline(bundle, backend, Settings()), stream))[-1]
        for stream in (samples, late)
    ]
    for end in ends:
        assert end.trajectory is not None
    assert ends[0].trajectory is not None
    assert ends[1].trajectory is not None
    assert ends[1].trajectory.motion.speed_mps == pytest.approx(
        ends[0].trajectory.motion.speed_mps, abs=0.05
    )
    assert ends[1].modalities[Modality.GNSS].dropped == 0


def _rest(sample: GnssFix) -> tuple[Any, ...]:
    return (
        sample.frame_id,
        sample.latitude_deg,
        sample.longitude_deg,
        sample.altitude_m,
        sample.covariance,
    )


def test_a_live_node_takes_the_newest_and_counts_the_others(pipeline: FusionPipeline) -> None:
    for sample in drive(1.0):
        pipeline.push(sample)
    output = pipeline.step(START_NS + 2 * SECOND, live=True)
    assert output is not None
    assert output.stamp_ns == START_NS + 900 * MS
    assert pipeline.step(START_NS + 2 * SECOND, live=True) is None
    assert pipeline.counters.superseded == 9
    report = pipeline.reports(START_NS + SECOND)[Modality.CAMERA]
    assert report.drops == {DropReason.SUPERSEDED: 9}
    assert report.received == 10


def live_stamps(pipeline: FusionPipeline, *frames_ms: int, steps: int) -> list[int]:
    """Push frames and step a number of times; give the stamps in milliseconds, until None."""
    for stamp_ms in frames_ms:
        pipeline.push(frame(START_NS + stamp_ms * MS))
    stamps = []
    for _ in range(steps):
        output = pipeline.step(START_NS + (max(frames_ms) + 10) * MS, live=True)
        if output is None:
            break
        stamps.append((output.stamp_ns - START_NS) // MS)
    return stamps


def test_frames_that_are_ready_together_are_all_answered(pipeline: FusionPipeline) -> None:
    assert live_stamps(pipeline, 0, 40, 80, steps=2) == [0, 40]
    deadline_ns = pipeline.next_deadline_ns
    assert deadline_ns is not None
    assert deadline_ns <= START_NS + 90 * MS
    assert live_stamps(pipeline, 80, steps=9) == [80]
    assert pipeline.counters.superseded == 0


def test_a_node_that_is_behind_takes_the_newest_until_it_has_caught_up(
    pipeline: FusionPipeline,
) -> None:
    assert live_stamps(pipeline, 0, 40, 80, steps=1) == [0]
    assert live_stamps(pipeline, 120, 160, steps=1) == [160]
    assert live_stamps(pipeline, 200, 240, steps=2) == [240]
    assert pipeline.counters.superseded == 4
    assert live_stamps(pipeline, 280, 320, steps=9) == [280, 320]
    assert pipeline.counters.superseded == 4


def test_what_is_left_behind_is_overtaken_though_nothing_new_has_come(
    bundle: Bundle, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = FusionPipeline(bundle, backend, Settings(), ahead=True)
    assert live_stamps(pipeline, 0, 40, steps=1) == [0]
    begun = {80}
    monkeypatch.setattr(
        Frames, 'begun', lambda _, image: (image.stamp_ns - START_NS) // MS in begun
    )
    assert live_stamps(pipeline, 80, 120, 160, steps=1) == [80]
    assert live_stamps(pipeline, 160, steps=9) == [160]
    assert pipeline.counters.superseded == 2
    # It has had to wait, so that it keeps up.
    assert live_stamps(pipeline, 200, 240, steps=9) == [200, 240]


def test_a_node_that_is_behind_takes_the_newest_whose_image_is_under_way(
    bundle: Bundle, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = FusionPipeline(bundle, backend, Settings(), ahead=True)
    assert live_stamps(pipeline, 0, 40, steps=1) == [0]
    begun = {120}
    monkeypatch.setattr(
        Frames, 'begun', lambda _, image: (image.stamp_ns - START_NS) // MS in begun
    )
    assert live_stamps(pipeline, 80, 120, 160, steps=1) == [120]
    assert pipeline.counters.superseded == 2
    begun.clear()
    assert live_stamps(pipeline, 200, 240, steps=9) == [240]
    assert pipeline.counters.superseded == 4


def test_the_threads_end_with_the_pipeline(bundle: Bundle, backend: Backend) -> None:
    before = set(threading.enumerate())
    pipeline = FusionPipeline(bundle, backend, Settings(), ahead=True)
    list(run(pipeline, drive(0.3)))
    threads = set(threading.enumerate()) - before
    assert len(threads) == 2
    del pipeline
    for thread in threads:
        thread.join(30.0)
        assert not thread.is_alive()


def test_what_is_made_ahead_changes_no_output(bundle: Bundle, backend: Backend) -> None:
    samples = drive(3.0, level=0.5)
    ahead, plain = (
        list(run(FusionPipeline(bundle, backend, Settings(), ahead=ahead), samples))
        for ahead in (True, False)
    )
    assert len(ahead) == len(plain) > 20
    for one, other in zip(ahead, plain):
        assert one.stamp_ns == other.stamp_ns
        assert one.modalities == other.modalities
        assert one.weights == other.weights
        assert one.road is not None
        assert other.road is not None
        np.testing.assert_array_equal(one.road.unfiltered.friction, other.road.unfiltered.friction)
        assert one.latencies_s.keys() == other.latencies_s.keys()


def test_decoding_changes_between_two_snapshots(bundle: Bundle, backend: Backend) -> None:
    pipeline = FusionPipeline(bundle, backend, Settings())
    samples = drive(2.0, level=0.5)
    half = len(samples) // 2
    outputs = list(run(pipeline, samples[:half]))
    pipeline.decode_by(DecodingSettings(horizon_s=2.0, step_s=0.25, siren_threshold=1.0))
    changed = list(run(pipeline, samples[half:]))
    for output, steps, siren in ((outputs[-1], 12, True), (changed[0], 8, False)):
        assert output.trajectory is not None
        assert output.trajectory.modes[0].times_s.size == steps
        assert output.road is not None
        assert output.road.siren is siren
        assert output.road.filtered.siren > 0.7, 'what is filtered goes on'


def test_a_second_loop_starts_from_nothing_and_gives_as_much(
    bundle: Bundle, backend: Backend
) -> None:
    pipeline = FusionPipeline(bundle, backend, Settings())
    first = list(run(pipeline, drive(2.0, level=0.5)))
    slower = [
        replace(sample, speed_mps=4.0) if isinstance(sample, VelocitySample) else sample
        for sample in drive(2.0)
        if not isinstance(sample, GnssFix)
    ]
    second = list(run(pipeline, slower))
    assert len(first) == len(second) == 20
    assert {output.epoch for output in first} == {0}
    assert {output.epoch for output in second} == {1}
    assert first[-1].road is not None
    assert first[-1].road.siren
    heard = next(out.road for out in second if out.road is not None and out.road.siren_observed)
    assert heard.filtered.siren < 0.4, 'the memory of the first loop is gone'
    assert second[-1].trajectory is not None
    assert second[-1].trajectory.motion.speed_mps == pytest.approx(4.0, abs=0.1)
    assert DropReason.OUTLIER not in second[-1].modalities[Modality.VELOCITY].drops


def test_two_runs_agree_to_the_last_bit(bundle: Bundle, backend: Backend) -> None:
    runs = [list(run(FusionPipeline(bundle, backend, Settings()), drive(1.0))) for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        assert one.road is not None
        assert other.road is not None
        assert one.road.filtered.friction.tobytes() == other.road.filtered.friction.tobytes()
        assert one.trajectory is not None
        assert other.trajectory is not None
        assert (
            one.trajectory.modes[0].covariances.tobytes()
            == other.trajectory.modes[0].covariances.tobytes()
        )


def test_samples_pushed_while_networks_run_are_not_lost(pipeline: FusionPipeline) -> None:
    samples = drive(3.0)
    done = threading.Event()

    def feed() -> None:
        for sample in samples:
            pipeline.push(sample)
        done.set()

    feeder = threading.Thread(target=feed)
    feeder.start()
    outputs = []
    while True:
        finished = done.is_set()
        output = pipeline.step(START_NS + 10 * SECOND, live=True)
        if output is not None:
            outputs.append(output)
        elif finished:
            break
    feeder.join()
    frames = sum(isinstance(sample, RawImage) for sample in samples)
    assert len(outputs) + pipeline.counters.superseded == frames
    stamps = [output.stamp_ns for output in outputs]
    assert stamps == sorted(set(stamps))


class FailingOnce:
    """A backend that fails in one run of the image encoder."""

    name = 'failing'
    reason = 'test'
    concurrent = False

    def __init__(self, backend: Backend, failing_run: int) -> None:
        self._backend = backend
        self._left = failing_run

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if stage == 'image_encoder':
            self._left -= 1
            if self._left == 0:
                raise InferenceError('device lost')
        return self._backend.run(stage, inputs)

    def close(self) -> None:
        self._backend.close()


def test_a_failed_inference_is_raised_and_the_next_snapshot_works(
    bundle: Bundle, backend: Backend
) -> None:
    pipeline = FusionPipeline(bundle, FailingOnce(backend, 2), Settings())
    outputs, failures = [], []
    for sample in drive(0.5):
        pipeline.push(sample)
        try:
            output = pipeline.step(sample.received_ns)
        except InferenceError as error:
            failures.append(str(error))
        else:
            outputs.extend([output] if output is not None else [])
    assert failures == ['device lost']
    assert [output.stamp_ns for output in outputs][:2] == [START_NS, START_NS + 200 * MS]


def test_warm_up_runs_every_stage(bundle: Bundle, backend: Backend) -> None:
    with pytest.raises(InferenceError, match='device lost'):
        FusionPipeline(bundle, FailingOnce(backend, 1), Settings()).warm_up()
    FusionPipeline(bundle, backend, Settings()).warm_up()
