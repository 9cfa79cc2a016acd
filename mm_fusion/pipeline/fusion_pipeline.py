# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: samples go in, predictions come out.

The node, the bag evaluator and the tests of the simulator run this same object. It reads no
clock: ``now_ns`` is the caller's, and only durations of stages are measured.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mm_fusion.alignment import Aligner
from mm_fusion.decoding import RoadDecoder, TrajectoryDecoder
from mm_fusion.errors import SampleError
from mm_fusion.features import Featurizer
from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.pipeline.network import Network, Stopwatch, featurizer_shape
from mm_fusion.pipeline.tracking import EgoTracker
from mm_fusion.types.predictions import FusionOutput
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mm_fusion.alignment import AlignmentCounters
    from mm_fusion.geometry.ego_filter import EgoState
    from mm_fusion.runtime import Backend, Bundle
    from mm_fusion.settings import Settings
    from mm_fusion.types.features import FeatureBatch
    from mm_fusion.types.predictions import EgoMotion, RoadState, TrajectoryPrediction
    from mm_fusion.types.sensors import Sample
    from mm_fusion.types.snapshot import ModalityReport, Snapshot


class FusionPipeline:
    """Align samples, run the networks on each snapshot, decode their outputs.

    ``push`` and ``drop`` may be called from any thread; ``step`` and ``finish`` from one thread
    at a time. The lock is held for alignment only, never while a network runs.

    Args:
        bundle: A verified model bundle.
        backend: Runs the stages of that bundle.
        settings: All parameters.
    """

    def __init__(self, bundle: Bundle, backend: Backend, settings: Settings) -> None:
        shape = featurizer_shape(bundle.manifest)
        self._lock = threading.Lock()
        self._aligner = Aligner(settings.alignment, audio_window_s=shape.audio_window_s)
        self._ready: deque[Snapshot] = deque()
        self._featurizer = Featurizer(shape)
        self._network = Network(bundle.manifest, backend)
        self._ego = EgoTracker(EgoStateFilter(settings.ego_filter))
        self._road = RoadDecoder(bundle.manifest, settings.decoding)
        self._trajectory = TrajectoryDecoder(bundle.manifest.calibration, settings.decoding)
        self._epoch = 0

    def push(self, sample: Sample) -> None:
        """Take in one sample; what cannot be used is counted, never raised."""
        with self._lock:
            self._aligner.push(sample)

    def drop(self, modality: Modality, reason: DropReason) -> None:
        """Count a message that never became a sample."""
        with self._lock:
            self._aligner.drop(modality, reason)

    def step(self, now_ns: int, *, newest_only: bool = False) -> FusionOutput | None:
        """Predict from one snapshot that is complete or past its deadline.

        Args:
            now_ns: The time now, by the clock that stamped the arrival of the samples.
            newest_only: Take the newest snapshot and count the older ones as superseded, as a
                live node must; otherwise take the oldest, one a call, so that none is lost.

        Returns:
            The prediction, or None where no snapshot is ready.

        Raises:
            InferenceError: The backend failed; the snapshot is used up.
        """
        with self._lock:
            self._ready.extend(self._aligner.poll(now_ns))
            while newest_only and len(self._ready) > 1:
                self._aligner.supersede(self._ready.popleft())
        return self._predict(self._ready.popleft()) if self._ready else None

    def finish(self) -> Iterator[FusionOutput]:
        """Predict from every snapshot that still waits: nothing more will be pushed."""
        with self._lock:
            self._ready.extend(self._aligner.flush())
        while self._ready:
            yield self._predict(self._ready.popleft())

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which ``step`` has something at the latest; None where nothing waits."""
        with self._lock:
            return self._aligner.next_deadline_ns

    @property
    def counters(self) -> AlignmentCounters:
        """Snapshots opened, emitted and superseded, and clock resets."""
        with self._lock:
            return self._aligner.counters

    def reports(self, now_ns: int) -> Mapping[Modality, ModalityReport]:
        """Report on each sensor at a time, by the clock that stamped the arrivals."""
        with self._lock:
            return self._aligner.reports(now_ns=now_ns)

    def warm_up(self) -> None:
        """Run each stage once, so that the first frame is as fast as the others.

        Raises:
            InferenceError: A stage failed.
        """
        self._network.warm_up()

    def _predict(self, snapshot: Snapshot) -> FusionOutput:
        if snapshot.epoch != self._epoch:
            self._epoch = snapshot.epoch
            self._ego.reset()
            self._road.reset()
        watch = Stopwatch()
        reports = dict(snapshot.modalities)
        with watch('track'):
            state, refused = self._ego.update(snapshot)
        self._count(reports, refused)
        motion = None if state is None else state.motion
        with watch('preprocess'):
            batch, undecodable = self._features(snapshot, motion)
        if undecodable:
            self._count(reports, undecodable)
            reports[Modality.CAMERA] = replace(reports[Modality.CAMERA], state=ModalityState.STALE)
        outputs = self._network.run(batch, watch)
        with watch('decode'):
            road = self._decode_road(batch, outputs, snapshot.stamp_ns)
            trajectory = self._decode_trajectory(state)
        camera, microphone, velocity = outputs['modality_weights'][0].tolist()
        return FusionOutput(
            stamp_ns=snapshot.stamp_ns,
            road=road,
            trajectory=trajectory,
            modalities=reports,
            weights={
                Modality.CAMERA: camera,
                Modality.MICROPHONE: microphone,
                Modality.GNSS: 0.0,
                Modality.VELOCITY: velocity,
            },
            latencies_s=watch.durations_s,
            epoch=snapshot.epoch,
        )

    def _features(
        self, snapshot: Snapshot, motion: EgoMotion | None
    ) -> tuple[FeatureBatch, list[tuple[Modality, DropReason]]]:
        image, undecodable = None, []
        if snapshot.image is not None:
            try:
                image = self._featurizer.image(snapshot.image)
            except SampleError as error:
                undecodable.append((Modality.CAMERA, error.reason))
        return self._featurizer.assemble(snapshot, image, motion), undecodable

    def _decode_road(
        self, batch: FeatureBatch, outputs: Mapping[str, NDArray[Any]], stamp_ns: int
    ) -> RoadState | None:
        if batch.image is None and batch.audio is None:
            return None
        return self._road.decode(
            outputs,
            stamp_ns,
            surface_observed=batch.image is not None,
            siren_observed=batch.audio is not None,
        )

    def _decode_trajectory(self, state: EgoState | None) -> TrajectoryPrediction | None:
        return None if state is None else self._trajectory.decode(state)

    def _count(
        self,
        reports: dict[Modality, ModalityReport],
        losses: list[tuple[Modality, DropReason]],
    ) -> None:
        """Count samples that were refused after alignment, there and in the reports at hand."""
        for modality, reason in losses:
            with self._lock:
                self._aligner.drop(modality, reason, pushed=True)
            drops = dict(reports[modality].drops)
            drops[reason] = drops.get(reason, 0) + 1
            reports[modality] = replace(reports[modality], drops=drops)
