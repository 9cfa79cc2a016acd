# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which backend is chosen, and what is said of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import BundleError, SettingsError
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import InferenceSettings
from support.accepted import accepting
from support.bundles import AUDIO_SAMPLES, write_tiny_bundle
from support.fake_tensorrt import FakeTensorRt, install

if TYPE_CHECKING:
    from pathlib import Path

SOUND = {'audio': np.full((1, AUDIO_SAMPLES), 0.5, np.float32)}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTensorRt:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return install(monkeypatch)


def test_auto_takes_tensorrt_where_there_is_a_gpu(trt: FakeTensorRt, bundle: Bundle) -> None:
    backend = create_backend(bundle, InferenceSettings())
    assert backend.name == 'tensorrt'
    expected = 'auto; TensorRT 10.3.0 on Fake GPU, engines built: 4 of 4'
    assert backend.reason == expected
    assert backend.run('audio_encoder', SOUND)['audio_embedding'] == 0.5
    assert trt.torch.cuda.refusals == []
    backend.close()


def test_auto_takes_onnxruntime_where_cuda_sees_no_gpu(trt: FakeTensorRt, bundle: Bundle) -> None:
    trt.torch.cuda.available = False
    backend = create_backend(bundle, InferenceSettings())
    assert backend.name == 'onnxruntime-cpu'
    assert backend.reason == (
        'auto: TensorRT needs an NVIDIA GPU, and CUDA (torch) sees none; '
        'fp32: int8 on the CPU was never measured for this bundle'
    )
    assert trt.made == []


def test_onnxruntime_is_taken_where_it_is_asked_for(trt: FakeTensorRt, bundle: Bundle) -> None:
    backend = create_backend(bundle, InferenceSettings(backend='onnxruntime'))
    assert backend.name == 'onnxruntime-cpu'
    assert backend.reason.startswith('asked for; fp32: ')
    settings = InferenceSettings(backend='onnxruntime', precision='fp32')
    assert create_backend(bundle, settings).reason == 'asked for'
    assert trt.made == []


def test_a_node_is_served_while_engines_are_built(trt: FakeTensorRt, bundle: Bundle) -> None:
    building, go_on = threading.Event(), threading.Event()

    def during_build() -> None:
        building.set()
        assert go_on.wait(60)

    trt.during_build = during_build
    backend = create_backend(bundle, InferenceSettings(backend='tensorrt'), wait=False)
    assert building.wait(60)
    zeros = {
        name: np.zeros(spec.shape, spec.dtype)
        for name, spec in bundle.manifest.stages['fusion'].inputs.items()
    }
    backend.run('fusion', zeros)
    assert backend.name == 'onnxruntime-cpu'
    assert 'TensorRT is being prepared: image_encoder at fp32, 1 of 4' in backend.reason
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == 'prepare-backend':
            thread.join(60)
    backend.run('fusion', zeros)
    assert backend.name == 'tensorrt'
    backend.close()


def test_closing_gives_up_a_build(trt: FakeTensorRt, bundle: Bundle) -> None:
    building, closing = threading.Event(), threading.Event()

    def during_build() -> None:
        building.set()
        assert closing.wait(60)

    trt.during_build = during_build
    backend = create_backend(bundle, InferenceSettings(backend='tensorrt'), wait=False)
    assert building.wait(60)
    closer = threading.Thread(target=backend.close)
    closer.start()
    # Closing waits for the step of the build that is under way, and no longer.
    backend._closed.wait(60)  # type: ignore[attr-defined]
    closing.set()
    closer.join(60)
    assert not closer.is_alive()
    assert trt.builds == 0


def test_an_engine_that_drifts_never_serves(trt: FakeTensorRt, bundle: Bundle) -> None:
    trt.drift = 0.01
    backend = create_backend(bundle, InferenceSettings(backend='tensorrt'))
    assert backend.name == 'onnxruntime-cpu'
    assert 'image_embedding is off by 0.01 from onnxruntime-cpu' in backend.reason
    assert backend.run('audio_encoder', SOUND)['audio_embedding'] == 0.5


def test_a_build_that_fails_is_not_tried_again(trt: FakeTensorRt, bundle: Bundle) -> None:
    trt.refuse_builds = True
    backend = create_backend(bundle, InferenceSettings(backend='tensorrt'))
    assert 'TensorRT 10.3.0 failed to build image_encoder' in backend.reason
    assert backend.run('audio_encoder', SOUND)['audio_embedding'] == 0.5


def test_a_lost_device_is_said_and_survived(trt: FakeTensorRt, bundle: Bundle) -> None:
    backend = create_backend(bundle, InferenceSettings(backend='tensorrt', cuda_graphs=False))
    trt.refuse_runs = 1
    assert backend.run('audio_encoder', SOUND)['audio_embedding'] == 0.5
    assert backend.name == 'onnxruntime-cpu'
    assert 'audio_encoder: the device refused the run' in backend.reason
    assert 'tried again after 5 s' in backend.reason


def test_other_precisions_are_named_and_bound_by_the_manifest(
    trt: FakeTensorRt, bundle: Bundle
) -> None:
    accepted = accepting(bundle, 'fp16', bound=0.05)
    settings = InferenceSettings(precision='fp16')
    served = create_backend(accepted, replace(settings, backend='onnxruntime'))
    assert served.name == 'onnxruntime-cpu-fp16'
    backend = create_backend(accepted, settings)
    assert backend.name == 'tensorrt-fp16'
    backend.close()
    trt.drift = 0.04
    assert create_backend(accepted, settings).name == 'tensorrt-fp16'
    trt.drift = 0.06
    refused = create_backend(accepted, settings)
    assert refused.name == 'onnxruntime-cpu-fp16'
    assert 'expected at most 0.05' in refused.reason


@pytest.mark.usefixtures('trt')
def test_a_precision_that_the_manifest_does_not_accept_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match='precisions: int8_cpu: found none'):
        create_backend(bundle, InferenceSettings(precision='int8'))


@pytest.mark.usefixtures('trt')
def test_each_runtime_takes_its_own_int8(bundle: Bundle) -> None:
    on_cpu = accepting(bundle, 'int8_cpu', bound=0.05)
    on_device = InferenceSettings(precision='int8')
    served = create_backend(on_cpu, replace(on_device, backend='onnxruntime'))
    assert served.name == 'onnxruntime-cpu-int8'
    with pytest.raises(BundleError, match='precisions: int8: found int8_cpu'):
        create_backend(on_cpu, on_device)
    with pytest.raises(BundleError, match='precisions: int8_cpu: found int8'):
        create_backend(accepting(bundle, 'int8', bound=0.05), on_device)
    both = create_backend(accepting(on_cpu, 'int8', bound=0.05), on_device)
    assert both.name == 'tensorrt-int8'
    both.close()


def test_auto_takes_int8_on_the_cpu_and_fp32_on_a_device(
    trt: FakeTensorRt, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cpuinfo = tmp_path / 'cpuinfo'
    cpuinfo.write_text('flags : fpu avx2\n', encoding='ascii')
    monkeypatch.setattr('mm_fusion.runtime.choice.CPUINFO', cpuinfo)
    accepted = accepting(bundle, 'int8_cpu', bound=0.05)
    backend = create_backend(accepted, InferenceSettings())
    assert backend.name == 'tensorrt'
    backend.close()
    trt.torch.cuda.available = False
    served = create_backend(accepted, InferenceSettings())
    assert served.name == 'onnxruntime-cpu-int8'
    assert served.reason.endswith(
        '; int8: accepted by the bundle, and faster on a processor with AVX2'
    )


def test_torch_has_one_precision(bundle: Bundle) -> None:
    with pytest.raises(SettingsError, match="found 'fp16', expected fp32 or auto"):
        create_backend(bundle, InferenceSettings(backend='torch', precision='fp16'))


@pytest.mark.torch
def test_torch_without_weights_is_said(bundle: Bundle) -> None:
    backend = create_backend(bundle, InferenceSettings(backend='torch'))
    assert backend.name == 'onnxruntime-cpu'
    assert 'found no weights to train from' in backend.reason
