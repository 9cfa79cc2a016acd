# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a bundle, run for one snapshot."""

from __future__ import annotations

import time
from concurrent.futures import wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.features import FeaturizerShape
from mm_fusion.pipeline.beside import Begun, InPlace
from mm_fusion.runtime.manifest import EMBEDDINGS, FUSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from mm_fusion.pipeline.stopwatch import Stopwatch
    from mm_fusion.runtime import Backend
    from mm_fusion.types.bundle import Manifest
    from mm_fusion.types.features import FeatureBatch


IMAGE_ENCODER, AUDIO_ENCODER, MOTION_ENCODER = 'image_encoder', 'audio_encoder', 'motion_encoder'
_MOST_BEGUN = 4
"""Inputs of an encoder that are remembered by what was begun of them."""


class _Encoder:
    """One encoder of a bundle, which does not run again on the input that it ran on last.

    Inputs repeat where a camera hangs or a simulator stands still, and where a microphone is
    muted. They are told apart by what they hold: to compare costs some microseconds, to encode
    milliseconds. Any thread may use it, where the backend allows that.

    Args:
        backend: Runs it.
        stage: Its name.
    """

    def __init__(self, backend: Backend, stage: str) -> None:
        self._backend = backend
        self._stage = stage
        self._taken, self._embedding = EMBEDDINGS[stage]
        self._last: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._begun: Begun[NDArray[Any], _Encoded] = Begun(_MOST_BEGUN)

    def begin(self, value: NDArray[Any], thread: Executor) -> None:
        """Have an input encoded that will be asked for, in the very same array."""
        self._begun.begin(value, thread, self._encode)

    def run(self, value: NDArray[Any]) -> _Encoded:
        """Give the embedding of an input; what was begun before it is forgotten.

        Raises:
            InferenceError: The stage failed.
        """
        return self._begun.take(value, self._encode)

    def later(self, value: NDArray[Any], thread: Executor) -> Future[_Encoded]:
        """Give the embedding that was begun, or have a thread make it."""
        begun = self._begun.pop(value)
        return thread.submit(self._encode, value) if begun is None else begun

    def _encode(self, value: NDArray[Any]) -> _Encoded:
        start = time.perf_counter()
        last = self._last
        if last is None or not np.array_equal(last[0], value):
            embedding = self._backend.run(self._stage, {self._taken: value})[self._embedding]
            # Copies: both buffers may be another's, who fills them anew.
            self._last = last = (value.copy(), embedding.copy())
        return _Encoded(last[1], time.perf_counter() - start)


@dataclass(frozen=True, slots=True, eq=False)
class _Encoded:
    """An embedding, and how long it took."""

    embedding: NDArray[Any]
    duration_s: float


class Network:
    """Run the stages of a bundle for one snapshot: the encoders of what is present, then fusion.

    Args:
        manifest: Contract of the bundle.
        backend: Runs its stages.
        beside: Runs the other encoders beside the first, where the backend allows it; None takes
            one after the other, with the same result.
        ahead: Encodes images as soon as ``look`` is told of them, on the same condition.
    """

    def __init__(
        self,
        manifest: Manifest,
        backend: Backend,
        beside: Executor | None = None,
        ahead: Executor | None = None,
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
        self._beside = beside if backend.concurrent else None
        self._ahead = ahead if backend.concurrent else None

    def look(self, image: NDArray[Any]) -> None:
        """Begin to encode the image of a batch to come, unless that was begun.

        Args:
            image: The very array that will stand in the batch; with another one it is for nothing.
        """
        self._begin(IMAGE_ENCODER, image, self._ahead)

    def move(self, motion: NDArray[Any]) -> None:
        """Begin to encode the motion of the next batch, as ``listen`` does sound."""
        self._begin(MOTION_ENCODER, motion, self._beside)

    def listen(self, audio: NDArray[Any]) -> None:
        """Begin to encode the sound of the next batch, beside what the caller does until ``run``.

        Args:
            audio: The very array that will stand in the batch; with another one it is for nothing.
        """
        self._begin(AUDIO_ENCODER, audio, self._beside)

    def _begin(self, stage: str, value: NDArray[Any], thread: Executor | None) -> None:
        if thread is not None and stage in self._encoders:
            self._encoders[stage].begin(value, thread)

    def run(self, batch: FeatureBatch, watch: Stopwatch) -> dict[str, NDArray[Any]]:
        """Run the encoders and the fusion stage.

        Raises:
            InferenceError: A stage failed.
        """
        inputs: dict[str, NDArray[Any]] = {'presence': batch.presence, 'age_s': batch.age_s}
        features = {'image': batch.image, 'audio': batch.audio, 'motion': batch.motion}
        present = {}
        for stage, absent in self._absent.items():
            taken, embedding = EMBEDDINGS[stage]
            value = features[taken]
            if value is None:
                inputs[embedding] = absent
            else:
                present[stage] = value
        for stage, encoded in self._embed(present).items():
            inputs[EMBEDDINGS[stage][1]] = encoded.embedding
            watch.add(stage, encoded.duration_s)
        with watch(FUSION):
            return self._backend.run(FUSION, inputs)

    def _embed(self, present: Mapping[str, NDArray[Any]]) -> dict[str, _Encoded]:
        """Run the encoders, the first here and the others beside it."""
        here = next(iter(present), None)
        beside = self._beside or InPlace()
        others = {
            stage: self._encoders[stage].later(value, beside)
            for stage, value in present.items()
            if stage != here
        }
        try:
            encoded = {} if here is None else {here: self._encoders[here].run(present[here])}
        finally:
            wait(others.values())  # a backend may be closed once this has returned
        return encoded | {stage: other.result() for stage, other in others.items()}

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
