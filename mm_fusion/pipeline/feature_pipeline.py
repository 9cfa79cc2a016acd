# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline up to the network: samples go in, the inputs of the network come out.

Inference and training run this same object, so that a network learns from what it will see.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mm_fusion.alignment import Aligner
from mm_fusion.features import Featurizer
from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.pipeline.beside import InPlace
from mm_fusion.pipeline.frames import Frames
from mm_fusion.pipeline.sounds import Sounds
from mm_fusion.pipeline.stopwatch import Stopwatch
from mm_fusion.pipeline.tracking import EgoTracker
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.alignment import AlignmentCounters
    from mm_fusion.features import FeaturizerShape
    from mm_fusion.geometry.ego_filter import EgoState
    from mm_fusion.settings import Settings
    from mm_fusion.types.features import FeatureBatch
    from mm_fusion.types.sensors import DropReason, Sample
    from mm_fusion.types.snapshot import ModalityReport, Snapshot


_TOGETHER_NS = 100_000_000
"""Of snapshots that become ready together, a live node that keeps up takes those that are less
than this older than the newest."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What is known at one instant, before any network has run.

    Attributes:
        stamp_ns: Stamp of the snapshot.
        epoch: Number of clock resets so far.
        snapshot: The aligned samples.
        batch: Inputs of the network.
        state: Ego state at the stamp; None where the motion is not known.
        modalities: The reports of the snapshot, with what failed after it counted in.
        watch: How long tracking and preprocessing took; later stages add to it.
    """

    stamp_ns: int
    epoch: int
    snapshot: Snapshot
    batch: FeatureBatch
    state: EgoState | None
    modalities: Mapping[Modality, ModalityReport]
    watch: Stopwatch


class FeaturePipeline:
    """Align samples, track the ego state and make the inputs of the network.

    ``push`` and ``drop`` may be called from any thread; ``step`` and ``finish`` from one thread
    at a time. The lock is held for alignment only.

    Args:
        shape: Sizes of the network's inputs.
        settings: All parameters.
        beside: Tracks the ego state while ``seen`` has the image; None takes one after the other,
            with the same result.
        ahead: Makes the image of a frame while it waits for the other sensors, so that nothing is
            left to track the ego state beside; None makes it with the snapshot, with the same
            result.
        heard: Told the sound of a snapshot before its image is asked for, in the array that will
            stand in the batch.
        seen: Told each image of use that was made ahead, in the array that will stand in the batch
            if a snapshot comes of the frame, and that of each snapshot before its ego state is
            waited for.
        moved: Told the motion of a snapshot, in the array that will stand in the batch, by the
            thread that tracks.
    """

    def __init__(
        self,
        shape: FeaturizerShape,
        settings: Settings,
        *,
        beside: Executor | None = None,
        ahead: Executor | None = None,
        heard: Callable[[NDArray[np.float32]], None] | None = None,
        seen: Callable[[NDArray[np.uint8]], None] | None = None,
        moved: Callable[[NDArray[np.float32]], None] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._aligner = Aligner(settings.alignment, audio_window_s=shape.audio_window_s)
        self._ready: deque[Snapshot] = deque()
        self._featurizer = Featurizer(shape)
        self._frames = Frames(self._featurizer, settings.camera.min_quality, ahead, seen)
        self._sounds = Sounds(self._featurizer, settings.inference.audio_rate_hz)
        self._ego = EgoTracker(EgoStateFilter(settings.ego_filter))
        self._epoch = 0
        self._behind = False
        self._tracker = InPlace() if beside is None or ahead is not None else beside
        self._heard, self._seen, self._moved = heard, seen, moved

    def push(self, sample: Sample) -> None:
        """Take in one sample; what cannot be used is counted, never raised."""
        with self._lock:
            self._aligner.push(sample)
            frame = self._aligner.newest_frame
        if frame is not None:
            self._frames.offer(frame, behind=self._behind)

    def drop(self, modality: Modality, reason: DropReason) -> None:
        """Count a message that never became a sample."""
        with self._lock:
            self._aligner.drop(modality, reason)

    def step(self, now_ns: int, *, live: bool = False) -> Observation | None:
        """Observe one snapshot that is complete or past its deadline, the oldest first.

        Args:
            now_ns: The time now, by the clock that stamped the arrival of the samples.
            live: Count as superseded what newer ones have overtaken, as a live node must: all but
                the newest, unless they have become ready together and within 0.1 s, as the
                frames that one chunk of sound covers. Otherwise none is lost. Newest is one whose
                image is under way, where there is such a one.

        Returns:
            The observation, or None where no snapshot is ready.
        """
        with self._lock:
            fresh = self._aligner.poll(now_ns)
            # Behind from when some are overtaken until there is time to wait for others.
            if fresh:
                self._behind = live and (self._behind or bool(self._ready))
            elif not self._ready:
                self._behind = False
            self._ready.extend(fresh)
            if live and (fresh or self._behind):
                self._catch_up(0 if self._behind else _TOGETHER_NS)
        return self._observe(self._ready.popleft()) if self._ready else None

    def finish(self) -> Iterator[Observation]:
        """Observe every snapshot that still waits: nothing more will be pushed."""
        with self._lock:
            self._ready.extend(self._aligner.flush())
        while self._ready:
            yield self._observe(self._ready.popleft())

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which ``step`` has something at the latest; None where nothing waits."""
        if self._ready:
            return self._ready[0].stamp_ns
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

    def _catch_up(self, span_ns: int) -> None:
        """Give up what is ready but older than the newest by a span or more."""
        newest = next(
            (
                snapshot
                for snapshot in reversed(self._ready)
                if snapshot.image is not None and self._frames.begun(snapshot.image)
            ),
            self._ready[-1],
        )
        while self._ready[0] is not newest and not (
            0 <= newest.stamp_ns - self._ready[0].stamp_ns < span_ns
        ):
            self._aligner.supersede(self._ready.popleft())

    def _observe(self, snapshot: Snapshot) -> Observation:
        if snapshot.epoch != self._epoch:
            self._epoch = snapshot.epoch
            self._ego.reset()
        watch, making = Stopwatch(), Stopwatch()
        reports = dict(snapshot.modalities)
        with making('preprocess'):
            sound, sound_age_ns = self._sounds.take(snapshot)
            if sound is not None and self._heard is not None:
                self._heard(sound)
        image, image_s = self._image(snapshot, reports)
        # Not before: two threads of Python would take turns at the interpreter.
        tracked = self._tracker.submit(self._track, snapshot, watch)
        if image is not None and self._seen is not None:
            self._seen(image)
        state, motion, refused = tracked.result()
        with making('preprocess'):
            self._count(reports, refused)
            batch = self._featurizer.assemble(snapshot, image, sound, motion, sound_age_ns)
        watch.add('preprocess', making.durations_s['preprocess'] + image_s)
        return Observation(
            stamp_ns=snapshot.stamp_ns,
            epoch=snapshot.epoch,
            snapshot=snapshot,
            batch=batch,
            state=state,
            modalities=reports,
            watch=watch,
        )

    def _track(
        self, snapshot: Snapshot, watch: Stopwatch
    ) -> tuple[EgoState | None, NDArray[np.float32] | None, list[tuple[Modality, DropReason]]]:
        with watch('track'):
            state, refused = self._ego.update(snapshot)
            motion = None if state is None else self._featurizer.motion(self._ego.motions)
        if motion is not None and self._moved is not None:
            self._moved(motion)
        return state, motion, refused

    def _image(
        self, snapshot: Snapshot, reports: dict[Modality, ModalityReport]
    ) -> tuple[NDArray[np.uint8] | None, float]:
        """Give the image of the network, None where there is none of use, and its cost in s."""
        if snapshot.image is None:
            return None, 0.0
        seen = self._frames.take(snapshot.image)
        if seen.cause is not None:
            self._count(reports, [(Modality.CAMERA, seen.cause)])
        if seen.cause is not None or seen.quality is not None:
            camera = reports[Modality.CAMERA]
            state = camera.state if seen.cause is None else ModalityState.STALE
            reports[Modality.CAMERA] = replace(
                camera, state=state, cause=seen.cause, quality=seen.quality
            )
        return seen.image, seen.duration_s

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
