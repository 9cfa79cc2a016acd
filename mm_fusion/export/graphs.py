# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX graphs of the stages, checked against torch."""

from __future__ import annotations

import itertools
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxscript.optimizer import optimize
from torch import nn

from mm_fusion.errors import BundleError
from mm_fusion.models.stages import ENCODER_STAGES, FUSION_OUTPUTS, FusionStage
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import FusionNetwork

OPSET = 18
_IR_VERSION = 10
"""The newest that ONNX Runtime 1.18 reads."""
_FOLDED = 1_000_000
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
            them; for the fusion, one for each set of modalities.
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


def export_stages(network: FusionNetwork) -> dict[str, Graph]:
    """Export the encoders and the fusion with batch 1 and fixed shapes.

    The network is left in evaluation mode.

    Returns:
        By stage: ``image_encoder``, ``audio_encoder``, ``motion_encoder``, ``fusion``.

    Raises:
        BundleError: torch cannot export a stage, or ONNX Runtime and torch disagree on it.
    """
    encoders = {
        stage: export_encoder(network, modality) for modality, (stage, _) in ENCODER_STAGES.items()
    }
    return {**encoders, 'fusion': export_fusion(network)}


def export_encoder(network: FusionNetwork, modality: str) -> Graph:
    """Export the encoder of a modality, as ``export_stages`` does."""
    _, name = ENCODER_STAGES[modality]
    inputs = _measurements(network.config, modality)
    cases = [{name: values} for values in (*inputs, np.zeros_like(inputs[0]))]
    return _export(network.encoders[modality], cases, (f'{name}_embedding',))


def export_fusion(network: FusionNetwork) -> Graph:
    """Export the fusion, as ``export_stages`` does."""
    stage = FusionStage(network)
    return _export(stage, _fusion_cases(network.eval()), tuple(FUSION_OUTPUTS.values()))


def _measurements(config: NetworkConfig, modality: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Make two measurements: an everyday one, and one at the end of its range."""
    random = np.random.default_rng(0)
    if modality == 'camera':
        shape = (1, config.image_size, config.image_size, 3)
        return random.integers(0, 256, shape).astype(np.uint8), np.full(shape, 255, np.uint8)
    if modality == 'microphone':
        sound = random.uniform(-0.5, 0.5, (1, config.audio_samples)).astype(np.float32)
        return sound, np.sign(sound)
    rows = (1, config.motion_steps, 3)
    driving = random.normal((8.0, 0.0, 0.0), (3.0, 0.2, 1.0), rows).astype(np.float32)
    return driving, np.full(rows, (50.0, -1.0, 8.0), np.float32)


def _fusion_cases(network: FusionNetwork) -> list[dict[str, NDArray[np.float32]]]:
    """Make the inputs of the fusion: each set of modalities, all of them first, none last.

    Embeddings are those of everyday measurements: numbers that no encoder gives may lie where a
    normalisation divides by next to nothing, and rounding is all that is left.
    """
    random = np.random.default_rng(0)
    cases = []
    with torch.no_grad():
        known = {
            modality: network.encoders[modality](
                torch.from_numpy(_measurements(network.config, modality)[0])
            ).numpy()
            for modality in network.embedding_sizes
        }
    for present in itertools.product((1.0, 0.0), repeat=len(NETWORK_MODALITIES)):
        presence = np.array([present], np.float32)
        embeddings = {
            f'{ENCODER_STAGES[modality][1]}_embedding': there * known[modality]
            for modality, there in zip(known, presence[0], strict=True)
        }
        age_s = random.uniform(0.0, 0.5, presence.shape).astype(np.float32) * presence
        cases.append({**embeddings, 'presence': presence, 'age_s': age_s})
    return cases


def _export(
    module: nn.Module, inputs: list[dict[str, NDArray[Any]]], output_names: tuple[str, ...]
) -> Graph:
    module = module.eval()
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of torch about itself; what it made is checked below
        program = torch.onnx.export(
            module,
            _tensors(inputs[0]),
            input_names=list(inputs[0]),
            output_names=list(output_names),
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise BundleError(f'{type(module).__name__}: torch exported nothing')
    # By default the gates of a GRU are put into order at run time: its weights are too large.
    optimize(program.model, input_size_limit=_FOLDED, output_size_limit=_FOLDED)
    model = _without_traces(program.model_proto)
    onnx.checker.check_model(model, full_check=True)
    cases = tuple(_case(module, values, output_names) for values in inputs)
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
