# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: samples go in, predictions come out.

The node, the bag evaluator and the tests of the simulator run this same object. It reads no
clock: ``now_ns`` is the caller's, and only durations of stages are measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2

from mm_fusion.decoding import RoadDecoder, TrajectoryDecoder
from mm_fusion.pipeline.beside import InPlace, one_thread
from mm_fusion.pipeline.feature_pipeline import FeaturePipeline
from mm_fusion.pipeline.network import Network, featurizer_shape
from mm_fusion.types.features import NETWORK_MODALITIES
from mm_fusion.types.predictions import FusionOutput
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mm_fusion.alignment import AlignmentCounters
    from mm_fusion.pipeline.feature_pipeline import Observation
    from mm_fusion.runtime import Backend, Bundle
    from mm_fusion.settings import DecodingSettings, Settings
    from mm_fusion.types.features import FeatureBatch
    from mm_fusion.types.predictions import RoadState
    from mm_fusion.types.sensors import DropReason, Sample
    from mm_fusion.types.snapshot import ModalityReport


class FusionPipeline:
    """Observe aligned snapshots, run the networks on each, decode their outputs.

    ``push``, ``drop`` and ``decode_by`` may be called from any thread; ``step`` and ``finish``
    from one thread at a time. No lock is held while a network runs. The ego state is tracked, and
    sound and motion are encoded, beside the making and encoding of the image, in a thread that
    ends with this object; the outputs are the same as without it. OpenCV is told to use no
    threads of its own.

    Args:
        bundle: A verified model bundle.
        backend: Runs the stages of that bundle.
        settings: All parameters.
        ahead: Make and encode the image of a frame as soon as it comes, in another such thread,
            while it waits for the sound that covers it, as a live node does.
    """

    def __init__(
        self, bundle: Bundle, backend: Backend, settings: Settings, *, ahead: bool = False
    ) -> None:
        # For the whole process. Threads of its own gain nothing on so small images, and each call
        # would wait until one of them is given a core, which the encoders have.
        cv2.setNumThreads(0)
        self._beside = beside = one_thread('beside')
        before = one_thread('ahead') if ahead else None
        self._network = Network(bundle.manifest, backend, beside, before or InPlace())
        self._features = FeaturePipeline(
            featurizer_shape(bundle.manifest),
            settings,
            beside=beside,
            ahead=before,
            heard=self._network.listen,
            seen=self._network.look,
            moved=self._network.move,
        )
        self._manifest = bundle.manifest
        self._decoding = self._wanted = settings.decoding
        self._road = RoadDecoder(bundle.manifest, settings.decoding)
        self._trajectory = TrajectoryDecoder(bundle.manifest, settings.decoding)
        self._surface_from = [
            NETWORK_MODALITIES.index(name) for name in bundle.manifest.surface_from
        ]
        self._epoch = 0

    def push(self, sample: Sample) -> None:
        """Take in one sample; what cannot be used is counted, never raised."""
        self._features.push(sample)

    def drop(self, modality: Modality, reason: DropReason) -> None:
        """Count a message that never became a sample."""
        self._features.drop(modality, reason)

    def decode_by(self, decoding: DecodingSettings) -> None:
        """Decode by other settings from the next snapshot on; what is filtered goes on."""
        self._wanted = decoding

    def step(self, now_ns: int, *, live: bool = False) -> FusionOutput | None:
        """Predict from one snapshot that is complete or past its deadline, the oldest first.

        Args:
            now_ns: The time now, by the clock that stamped the arrival of the samples.
            live: Count as superseded what newer ones have overtaken, as a live node must: all but
                the newest, unless they have become ready together and within 0.1 s, as the
                frames that one chunk of sound covers. Otherwise none is lost.

        Returns:
            The prediction, or None where no snapshot is ready.

        Raises:
            InferenceError: The backend failed; the snapshot is used up.
        """
        observation = self._features.step(now_ns, live=live)
        return None if observation is None else self._predict(observation)

    def finish(self) -> Iterator[FusionOutput]:
        """Predict from every snapshot that still waits: nothing more will be pushed."""
        return map(self._predict, self._features.finish())

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which ``step`` has something at the latest; None where nothing waits."""
        return self._features.next_deadline_ns

    @property
    def counters(self) -> AlignmentCounters:
        """Snapshots opened, emitted and superseded, and clock resets."""
        return self._features.counters

    def reports(self, now_ns: int) -> Mapping[Modality, ModalityReport]:
        """Report on each sensor at a time, by the clock that stamped the arrivals."""
        return self._features.reports(now_ns)

    def warm_up(self) -> None:
        """Run each stage once, so that the first frame is as fast as the others.

        Raises:
            InferenceError: A stage failed.
        """
        self._network.warm_up()

    def _predict(self, observation: Observation) -> FusionOutput:
        if observation.epoch != self._epoch:
            self._epoch = observation.epoch
            self._road.reset()
        self._take_up_decoding()
        watch, state = observation.watch, observation.state
        # Behind the sound in that thread, beside the image: there nothing waits for it.
        rolled = None if state is None else self._beside.submit(self._trajectory.roll_out, state)
        outputs = self._network.run(observation.batch, watch)
        with watch('decode'):
            road = self._decode_road(observation.batch, outputs, observation.stamp_ns)
            trajectory = None
            if state is not None and rolled is not None:
                trajectory = self._trajectory.decode(state, outputs, rolled.result())
        camera, microphone, velocity = outputs['modality_weights'][0].tolist()
        image = observation.snapshot.image
        return FusionOutput(
            stamp_ns=observation.stamp_ns,
            road=road,
            trajectory=trajectory,
            modalities=observation.modalities,
            weights={
                Modality.CAMERA: camera,
                Modality.MICROPHONE: microphone,
                Modality.GNSS: 0.0,
                Modality.VELOCITY: velocity,
            },
            latencies_s=watch.durations_s,
            epoch=observation.epoch,
            received_ns=None if image is None else image.received_ns,
        )

    def _take_up_decoding(self) -> None:
        wanted = self._wanted
        if wanted is not self._decoding:
            self._decoding = wanted
            self._road.change(wanted)
            self._trajectory = TrajectoryDecoder(self._manifest, wanted)

    def _decode_road(
        self, batch: FeatureBatch, outputs: Mapping[str, NDArray[Any]], stamp_ns: int
    ) -> RoadState | None:
        if batch.image is None and batch.audio is None:
            return None
        return self._road.decode(
            outputs,
            stamp_ns,
            surface_observed=bool(batch.presence[0, self._surface_from].any()),
            siren_observed=batch.audio is not None,
        )
