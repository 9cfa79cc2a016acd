# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The real thing, for whoever has a GPU with TensorRT; skipped everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.runtime.manifest import PRECISIONS
from mm_fusion.runtime.tensorrt.device import Device
from mm_fusion.settings import InferenceSettings
from tools import gpu_check

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gpu


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('engines')


@pytest.mark.slow
@pytest.mark.parametrize('cuda_graphs', [True, False])
@pytest.mark.parametrize('precision', PRECISIONS)
def test_a_device_serves_every_accepted_precision(
    cache: Path, precision: str, cuda_graphs: bool
) -> None:
    Device.open()
    bundle = Bundle.load('base')
    if precision != 'fp32' and not bundle.manifest.precisions[precision].accepted:
        pytest.skip(bundle.manifest.precisions[precision].why)
    settings = InferenceSettings(
        backend='tensorrt',
        precision=precision,
        engine_cache=str(cache),
        cuda_graphs=cuda_graphs,
    )
    backend = create_backend(bundle, settings)
    assert backend.name.startswith('tensorrt'), backend.reason
    if cuda_graphs:
        assert 'without a CUDA graph' not in backend.reason
    for stage in bundle.manifest.stages.values():
        inputs = {name: np.ones(spec.shape, spec.dtype) for name, spec in stage.inputs.items()}
        first, second = backend.run(stage.name, inputs), backend.run(stage.name, inputs)
        for name, value in first.items():
            np.testing.assert_array_equal(second[name], value)
    assert backend.name.startswith('tensorrt'), backend.reason
    backend.close()


@pytest.mark.slow
def test_the_whole_check_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main(['--runs', '20']) == 0, capsys.readouterr().out
