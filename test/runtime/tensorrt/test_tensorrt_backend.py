# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import BackendError, InferenceError
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
from mm_fusion.runtime.tensorrt.backend import TensorRtBackend, prepare
from support.bundles import AUDIO_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.runtime import Bundle
    from mm_fusion.settings import InferenceSettings
    from support.fake_tensorrt import FakeTensorRt

STAGES = ('image_encoder', 'audio_encoder', 'fusion', 'motion_encoder')


def ready(bundle: Bundle, settings: InferenceSettings) -> TensorRtBackend:
    return prepare(bundle, settings, lambda _: None, threading.Event())


def drawn(bundle: Bundle, stage: str, seed: int) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(seed)
    return {
        name: random.integers(0, 200, spec.shape).astype(spec.dtype)
        for name, spec in bundle.manifest.stages[stage].inputs.items()
    }


@pytest.mark.parametrize('cuda_graphs', [True, False])
def test_outputs_are_those_of_onnxruntime(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings, cuda_graphs: bool
) -> None:
    backend = ready(bundle, replace(settings, cuda_graphs=cuda_graphs))
    reference = OnnxRuntimeBackend(bundle, threads=1, reason='')
    replays = sum(graph.replays for graph in trt.torch.cuda.graphs)
    for seed in range(3):
        for stage in STAGES:
            inputs = drawn(bundle, stage, seed)
            expected = reference.run(stage, inputs)
            found = backend.run(stage, inputs)
            assert found.keys() == expected.keys()
            for name, value in expected.items():
                np.testing.assert_array_equal(found[name], value)
    assert trt.torch.cuda.refusals == []
    replayed = sum(graph.replays for graph in trt.torch.cuda.graphs) - replays
    assert replayed == (3 * len(STAGES) if cuda_graphs else 0)
    assert backend.name == 'tensorrt'
    assert backend.reason.startswith('TensorRT 10.3.0 on Fake GPU, engines built: 4 of 4')


def test_outputs_stay_when_the_next_run_writes_its_own(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, settings)
    loud = np.full((1, AUDIO_SAMPLES), 0.5, np.float32)
    first = backend.run('audio_encoder', {'audio': loud})['audio_embedding']
    backend.run('audio_encoder', {'audio': 0 * loud})
    assert first == 0.5
    assert trt.torch.cuda.refusals == []


def test_a_network_that_cannot_be_recorded_runs_without(
    trt: FakeTensorRt,
    bundle: Bundle,
    settings: InferenceSettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trt.torch.cuda.refuse_capture = True
    with caplog.at_level(logging.WARNING):
        backend = ready(bundle, settings)
    assert 'fusion: runs without a CUDA graph: operation not permitted' in caplog.text
    assert 'without a CUDA graph: image_encoder, audio_encoder' in backend.reason
    loud = np.full((1, AUDIO_SAMPLES), 0.5, np.float32)
    assert backend.run('audio_encoder', {'audio': loud})['audio_embedding'] == 0.5


def test_an_engine_that_drifts_is_refused(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    trt.drift = 0.01
    message = r'tensorrt: image_encoder: image_embedding is off by 0\.01 .* at most 0\.001'
    with pytest.raises(BackendError, match=message):
        ready(bundle, settings)


@pytest.mark.parametrize(
    'value',
    [
        None,
        np.zeros((1, 10), np.float32),
        np.zeros((AUDIO_SAMPLES,), np.float32),
        np.zeros((1, AUDIO_SAMPLES), np.float64),
    ],
    ids=['none', 'short', 'flat', 'double'],
)
def test_an_input_that_is_not_in_the_contract_never_reaches_the_device(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings, value: Any
) -> None:
    backend = ready(bundle, settings)
    trt.during_run = lambda: pytest.fail('it reached the device')
    with pytest.raises(InferenceError, match=r'audio: found .* expected float32 \(1, 1600\)'):
        backend.run('audio_encoder', {} if value is None else {'audio': value})


def test_a_second_thread_is_refused_before_it_reaches_the_device(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, settings)
    sound = {'audio': np.zeros((1, AUDIO_SAMPLES), np.float32)}
    caught: list[Exception] = []

    def intrude() -> None:
        try:
            backend.run('audio_encoder', sound)
        except InferenceError as error:
            caught.append(error)

    def while_computing() -> None:
        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()

    trt.during_run = while_computing
    backend.run('audio_encoder', sound)
    assert ['another thread is using the backend' in str(error) for error in caught] == [True]
    assert trt.torch.cuda.refusals == []


def test_a_run_that_the_device_refuses_is_an_inference_error(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, replace(settings, cuda_graphs=False))
    trt.refuse_runs = 1
    with pytest.raises(InferenceError, match='audio_encoder: the device refused the run'):
        backend.run('audio_encoder', drawn(bundle, 'audio_encoder', 0))
    backend.run('audio_encoder', drawn(bundle, 'audio_encoder', 0))


def test_whatever_the_device_raises_is_an_inference_error(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, settings)

    def lost() -> None:
        raise RuntimeError('CUDA error: unspecified launch failure')

    trt.during_run = lost
    with pytest.raises(InferenceError, match='tensorrt: fusion: RuntimeError: CUDA error'):
        backend.run('fusion', drawn(bundle, 'fusion', 0))


def test_a_number_that_is_not_finite_never_leaves_the_backend(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, settings)
    trt.drift = float('nan')
    with pytest.raises(InferenceError, match='audio_embedding: found a number that is not finite'):
        backend.run('audio_encoder', drawn(bundle, 'audio_encoder', 0))


def test_memory_of_the_device_is_let_go(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    backend = ready(bundle, settings)
    held = len(trt.torch.cuda.memory)
    for seed in range(5):
        backend.run('fusion', drawn(bundle, 'fusion', seed))
    assert len(trt.torch.cuda.memory) == held
    backend.close()
    trt.torch.cuda.graphs.clear()
    assert len(trt.torch.cuda.memory) == 0
