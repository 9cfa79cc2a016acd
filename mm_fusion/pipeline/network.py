# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a bundle, run for one snapshot."""

from __future__ import annotations

from concurrent.futures import wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.features import FeaturizerShape
from mm_fusion.pipeline.beside import InPlace
from mm_fusion.pipeline.stopwatch import Stopwatch
from mm_fusion.runtime.manifest import EMBEDDINGS, FUSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from mm_fusion.runtime import Backend
    from mm_fusion.types.bundle import Manifest
    from mm_fusion.types.features import FeatureBatch


AUDIO_ENCODER = 'audio_encoder'


class _Encoder:
    """One encoder of a bundle, which does not run again on the input that it ran on last.

    Inputs repeat where a camera hangs or a simulator stands still, and where a microphone is
    muted. They are told apart by what they hold: to compare costs some microseconds, to encode
    milliseconds.

    Args:
        backend: Runs it.
        stage: Its name.
    """

    def __init__(self, backend: Backend, stage: str) -> None:
        self._backend = backend
        self._stage = stage
        self._taken, self._embedding = EMBEDDINGS[stage]
        self._last: tuple[NDArray[Any], NDArray[Any]] | None = None

    def run(self, value: NDArray[Any]) -> NDArray[Any]:
        """Give the embedding of an input.

        Raises:
            InferenceError: The stage failed.
        """
        if self._last is None or not np.array_equal(self._last[0], value):
            self._last = None
            embedding = self._backend.run(self._stage, {self._taken: value})[self._embedding]
            # Copies: both buffers may be another's, who fills them anew.
            self._last = (value.copy(), embedding.copy())
        return self._last[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A sound whose encoding has begun: its embeddings are on their way."""

    audio: NDArray[Any]
    embeddings: Future[dict[str, NDArray[Any]]]
    watch: Stopwatch


class Network:
    """Run the stages of a bundle for one snapshot: the encoders of what is present, then fusion.

    Args:
        manifest: Contract of the bundle.
        backend: Runs its stages.
        beside: Runs the other encoders beside the first, where the backend allows it; None takes
            one after the other, with the same result.
    """

    def __init__(
        self, manifest: Manifest, backend: Backend, beside: Executor | None = None
    ) -> None:
        self._backend = backend
        self._stages = tuple(manifest.stages.values())
        self._encoders = {
            stage: _Encoder(backend, stage) for stage in EMBEDDINGS if stage in manifest.stages
        }
        # What stands for the embedding of an absent modality; presence tells the network so.
        self._absent = {
            stage: np.zeros(manifest.stages[stage].outputs[embedding].shape, np.float32)
            for stage, (_, embedding) in EMBEDDINGS.items()
            if stage in manifest.stages
        }
        self._beside = beside if beside is not None and backend.concurrent else InPlace()
        self._begun: _Begun | None = None

    def listen(self, audio: NDArray[Any]) -> None:
        """Begin to encode the sound of the next batch, beside what the caller does until ``run``.

        Args:
            audio: The very array that will stand in the batch; with another one it is for nothing.
        """
        if AUDIO_ENCODER in self._encoders:
            watch = Stopwatch()
            begun = self._beside.submit(self._encode, [(AUDIO_ENCODER, audio)], watch)
            self._begun = _Begun(audio, begun, watch)

    def run(self, batch: FeatureBatch, watch: Stopwatch) -> dict[str, NDArray[Any]]:
        """Run the encoders and the fusion stage.

        Raises:
            InferenceError: A stage failed.
        """
        inputs: dict[str, NDArray[Any]] = {'presence': batch.presence, 'age_s': batch.age_s}
        features = {'image': batch.image, 'audio': batch.audio, 'motion': batch.motion}
        present = []
        for stage, absent in self._absent.items():
            taken, embedding = EMBEDDINGS[stage]
            value = features[taken]
            if value is None:
                inputs[embedding] = absent
            else:
                present.append((stage, value))
        inputs |= self._embed(present, watch)
        with watch(FUSION):
            return self._backend.run(FUSION, inputs)

    def _embed(
        self, present: Sequence[tuple[str, NDArray[Any]]], watch: Stopwatch
    ) -> dict[str, NDArray[Any]]:
        begun, self._begun = self._begun, None
        if begun is not None and not any(value is begun.audio for _, value in present):
            wait([begun.embeddings])  # an encoder belongs to one thread at a time
            begun = None
        if begun is not None:
            present = [item for item in present if item[1] is not begun.audio]
        other_watch = Stopwatch()
        others = self._beside.submit(self._encode, present[1:], other_watch)
        try:
            embeddings = self._encode(present[:1], watch)
        finally:
            # The thread beside takes one after the other: with the last, all are done.
            wait([others])
        embeddings |= others.result()
        watch.durations_s |= other_watch.durations_s
        if begun is not None:
            embeddings |= begun.embeddings.result()
            watch.durations_s |= begun.watch.durations_s
        return embeddings

    def _encode(
        self, present: Sequence[tuple[str, NDArray[Any]]], watch: Stopwatch
    ) -> dict[str, NDArray[Any]]:
        """Run encoders one after another; each belongs to one thread at a time."""
        embeddings = {}
        for stage, value in present:
            with watch(stage):
                embeddings[EMBEDDINGS[stage][1]] = self._encoders[stage].run(value)
        return embeddings

    def warm_up(self) -> None:
        """Run each stage once on zeros.

        Raises:
            InferenceError: A stage failed.
        """
        for stage in self._stages:
            zeros = {name: np.zeros(spec.shape, spec.dtype) for name, spec in stage.inputs.items()}
            self._backend.run(stage.name, zeros)


def featurizer_shape(manifest: Manifest) -> FeaturizerShape:
    """Read the sizes of the network's inputs from the contract of a bundle."""

    def shape(stage: str) -> tuple[int, ...] | None:
        if stage not in manifest.stages:
            return None
        return manifest.stages[stage].inputs[EMBEDDINGS[stage][0]].shape

    image, audio, motion = shape('image_encoder'), shape('audio_encoder'), shape('motion_encoder')
    return FeaturizerShape(
        image=None if image is None else (image[1], image[2]),
        audio_samples=None if audio is None else audio[1],
        audio_rate_hz=manifest.audio_sample_rate_hz,
        motion_steps=None if motion is None else motion[1],
    )
