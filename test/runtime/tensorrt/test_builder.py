# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The builder on the fake; ``test/export/test_tensorrt_rtx.py`` builds every graph for real."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.errors import BackendError
from mm_fusion.runtime.tensorrt.builder import Cancelled, build_plan
from mm_fusion.runtime.tensorrt.device import Device
from mm_fusion.types.bundle import TensorSpec

if TYPE_CHECKING:
    from mm_fusion.runtime import Bundle
    from support.fake_tensorrt import FakeTensorRt


@pytest.fixture
def logger(trt: FakeTensorRt) -> Any:
    assert trt.made == []
    return Device.open().logger


def test_a_plan_is_of_the_graph_and_the_device(
    trt: FakeTensorRt, bundle: Bundle, logger: Any
) -> None:
    seen: list[Any] = []
    graph = bundle.graphs['fusion']
    stage = bundle.manifest.stages['fusion']
    assert build_plan(trt, logger, graph, stage, configure=seen.append) == trt.header + graph
    (config,) = seen
    assert config.builder_optimization_level == 3
    assert trt.torch.cuda.refusals == []


def test_what_is_no_graph_is_refused(trt: FakeTensorRt, bundle: Bundle, logger: Any) -> None:
    with pytest.raises(BackendError, match=r'TensorRT 10\.3\.0 cannot read fusion\.onnx: '):
        build_plan(trt, logger, b'no graph', bundle.manifest.stages['fusion'])


def test_a_graph_of_other_inputs_is_refused(
    trt: FakeTensorRt, bundle: Bundle, logger: Any
) -> None:
    stage = bundle.manifest.stages['audio_encoder']
    other = replace(stage, inputs={'audio': TensorSpec('float32', (1, 800))})
    with pytest.raises(BackendError, match=r'found inputs .*1600.* expected .*800'):
        build_plan(trt, logger, bundle.graphs['audio_encoder'], other)


def test_a_failed_build_is_an_error_and_is_logged(
    trt: FakeTensorRt, bundle: Bundle, logger: Any, caplog: pytest.LogCaptureFixture
) -> None:
    trt.refuse_builds = True
    with pytest.raises(BackendError, match='failed to build fusion; see the log'):
        build_plan(trt, logger, bundle.graphs['fusion'], bundle.manifest.stages['fusion'])
    assert 'no implementation' in caplog.text


def test_a_build_is_given_up_between_two_steps(
    trt: FakeTensorRt, bundle: Bundle, logger: Any
) -> None:
    stage = bundle.manifest.stages['fusion']
    with pytest.raises(Cancelled):
        build_plan(trt, logger, bundle.graphs['fusion'], stage, cancelled=lambda: True)
    assert trt.builds == 0
