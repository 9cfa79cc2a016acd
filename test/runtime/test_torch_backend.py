# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import InferenceError
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.runtime.torch_backend import TorchBackend
from mm_fusion.settings import InferenceSettings
from support.accepted import accepting

if TYPE_CHECKING:
    from mm_fusion.runtime import Backend

pytestmark = pytest.mark.torch

SETTINGS = InferenceSettings(backend='torch')


@pytest.fixture(scope='module')
def base() -> Bundle:
    return Bundle.load('base')


@pytest.fixture(scope='module')
def backend(base: Bundle) -> Backend:
    return create_backend(accepting(base, 'fp16', bound=0.05), SETTINGS)


def test_the_network_serves_from_the_weights(backend: Backend, base: Bundle) -> None:
    assert backend.name.startswith('torch-')
    assert backend.reason.startswith('asked for; torch ')
    for stage in base.manifest.stages.values():
        inputs = {name: np.ones(spec.shape, spec.dtype) for name, spec in stage.inputs.items()}
        outputs = backend.run(stage.name, inputs)
        found = {name: (value.dtype.name, value.shape) for name, value in outputs.items()}
        assert found == {name: (spec.dtype, spec.shape) for name, spec in stage.outputs.items()}


def test_weights_in_half_must_be_within_what_half_is_allowed(base: Bundle) -> None:
    assert TorchBackend(base).precision == 'fp16'
    strict = create_backend(accepting(base, 'fp16', bound=0.0), SETTINGS)
    assert strict.name == 'onnxruntime-cpu'
    assert 'image_embedding is off by' in strict.reason
    unmeasured = replace(base, manifest=replace(base.manifest, precisions={}))
    silent = create_backend(unmeasured, SETTINGS)
    assert 'the manifest accepts no difference at fp16' in silent.reason


def test_a_missing_input_is_named(backend: Backend, base: Bundle) -> None:
    with pytest.raises(InferenceError, match='fusion: found no image_embedding'):
        TorchBackend(base).run('fusion', {})
