# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX graphs of the stages, checked against torch."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from mm_fusion.errors import BundleError
from mm_fusion.models.encoders.image import IMAGE_SIZE, ImageEncoder
from mm_fusion.models.encoders.sound import WINDOW_SAMPLES, SoundEncoder
from mm_fusion.models.heads import TASK_SIZES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.fusion.gated import GatedFusion

OPSET = 18
_IR_VERSION = 10
"""The newest that ONNX Runtime 1.18 reads."""
_RELATIVE, _ABSOLUTE = 1e-4, 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Inputs of a stage by name, and what torch gives for them."""

    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """One exported stage.

    Attributes:
        content: The ONNX file.
        cases: Example inputs by name, which carry dtype and shape, and what torch gives for
            them; all zeros are among them.
    """

    content: bytes
    cases: tuple[Case, ...]

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """Inputs of the first case."""
        return self.cases[0].inputs

    @property
    def outputs(self) -> dict[str, NDArray[np.float32]]:
        """Outputs of the first case."""
        return self.cases[0].outputs


class _FusionStage(nn.Module):
    """Give the fusion network positional inputs and outputs, as a graph has them."""

    def __init__(self, fusion: GatedFusion) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, image: Tensor, audio: Tensor, presence: Tensor, age_s: Tensor) -> Any:
        outputs = self.fusion({'camera': image, 'microphone': audio}, presence, age_s)
        return (*(outputs[task] for task in TASK_SIZES), outputs['modality_weights'])


def export_stages(
    image: ImageEncoder, audio: SoundEncoder, fusion: GatedFusion
) -> dict[str, Graph]:
    """Export the three stages with batch 1 and fixed shapes.

    Raises:
        BundleError: ONNX Runtime and torch disagree on a stage.
    """
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (1, IMAGE_SIZE, IMAGE_SIZE, 3)).astype(np.uint8)
    sound = random.uniform(-0.5, 0.5, (1, WINDOW_SAMPLES)).astype(np.float32)
    encoders = {
        'image_encoder': _export(image, {'image': pixels}, ('image_embedding',)),
        'audio_encoder': _export(audio, {'audio': sound}, ('audio_embedding',)),
    }
    fused = {
        **encoders['image_encoder'].outputs,
        **encoders['audio_encoder'].outputs,
        'presence': np.array([[1, 1, 0]], np.float32),
        'age_s': np.array([[0.02, 0.1, 0]], np.float32),
    }
    names = tuple(f'{task}_logit' + ('s' if size > 1 else '') for task, size in TASK_SIZES.items())
    stage = _export(_FusionStage(fusion), fused, (*names, 'modality_weights'))
    return {**encoders, 'fusion': stage}


def _export(
    module: nn.Module, inputs: dict[str, NDArray[Any]], output_names: tuple[str, ...]
) -> Graph:
    module = module.eval()
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of torch about itself; what it made is checked below
        program = torch.onnx.export(
            module,
            _tensors(inputs),
            input_names=list(inputs),
            output_names=list(output_names),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise BundleError(f'{type(module).__name__}: torch exported nothing')
    model = _without_traces(program.model_proto)
    onnx.checker.check_model(model, full_check=True)
    zeros = {name: np.zeros_like(value) for name, value in inputs.items()}
    cases = tuple(_case(module, values, output_names) for values in (inputs, zeros))
    graph = Graph(model.SerializeToString(deterministic=True), cases)
    check_parity(graph)
    return graph


def _tensors(inputs: dict[str, NDArray[Any]]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(value) for value in inputs.values())


@torch.no_grad()
def _case(
    module: nn.Module, inputs: dict[str, NDArray[Any]], output_names: tuple[str, ...]
) -> Case:
    results = module(*_tensors(inputs))
    results = results if isinstance(results, tuple) else (results,)
    outputs = {name: result.numpy() for name, result in zip(output_names, results, strict=True)}
    return Case(inputs, outputs)


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter says of the machine and of its own steps: paths and stack traces."""
    model.ir_version = _IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = 'mm_fusion', '', ''
    del model.metadata_props[:]
    graph = model.graph
    graph.name, graph.doc_string = 'stage', ''
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ''
        del part.metadata_props[:]
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    return model


def check_parity(graph: Graph) -> None:
    """Run a graph on its example inputs, and compare with what torch gave.

    Raises:
        BundleError: An output differs by more than rounding.
    """
    session = onnxruntime.InferenceSession(graph.content, providers=['CPUExecutionProvider'])
    for case in graph.cases:
        found = session.run(list(case.outputs), case.inputs)
        for (name, expected), value in zip(case.outputs.items(), found, strict=True):
            if not np.allclose(value, expected, rtol=_RELATIVE, atol=_ABSOLUTE):
                worst = float(np.abs(value - expected).max())
                raise BundleError(f'{name}: ONNX Runtime differs from torch by up to {worst:.2e}')
