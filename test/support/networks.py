# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Small networks of every kind, and the operators that their graphs may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm_fusion.models.network import FusionNetwork

OPERATORS = {
    *('Abs', 'Add', 'Cast', 'Clip', 'Concat', 'Conv', 'Cos', 'Div', 'Erf', 'Exp', 'GRU'),
    *('Gather', 'Gemm', 'Greater', 'LSTM', 'LayerNormalization', 'Less', 'Log', 'MatMul'),
    *('MaxPool', 'Min', 'Mul', 'Neg', 'ReduceMax', 'ReduceMean', 'ReduceSum', 'Relu', 'Reshape'),
    *('Sigmoid', 'Sin', 'Slice', 'Softmax', 'Softplus', 'Split', 'Sqrt', 'Squeeze', 'Sub', 'Tanh'),
    *('Transpose', 'Unsqueeze', 'Where'),
}
"""What TensorRT takes; not among them: STFT, DFT, NonZero, TopK, Loop, If."""


def small_network(**names: str) -> FusionNetwork:
    """Build a network of the encoders and the strategy that are named, with random weights."""
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import build_network

    torch.manual_seed(0)
    sizes = {'width': 0.25, 'image_size': 32, 'token_size': 16, 'audio_samples': 8192}
    config = NetworkConfig.from_dict({**sizes, 'motion_steps': 6, **names})
    network = build_network(config, pretrained=False)
    for parameter in network.fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network
