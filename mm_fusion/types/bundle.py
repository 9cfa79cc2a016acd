# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The contract of a model bundle, as its manifest states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Type and shape of one input or output of a stage.

    Attributes:
        dtype: numpy name: ``uint8`` or ``float32``.
        shape: Fixed sizes, the batch of 1 first.
    """

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One ONNX graph of the bundle.

    Attributes:
        name: ``image_encoder``, ``audio_encoder``, ``motion_encoder`` or ``fusion``.
        file: Name of the graph's file in the bundle folder.
        sha256: Of that file, in lower-case hexadecimal.
        size_bytes: Of that file.
        inputs: By name.
        outputs: By name.
    """

    name: str
    file: str
    sha256: str
    size_bytes: int
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns raw outputs into calibrated ones.

    Attributes:
        temperatures: Divisor of the logits, by task.
        siren_threshold: Probability that raises the siren flag.
        horizon_s: Times at which the covariance scales hold, increasing.
        covariance_scales: Factor on the covariance of the ego-state roll-out at those times.
    """

    temperatures: Mapping[str, float]
    siren_threshold: float
    horizon_s: tuple[float, ...]
    covariance_scales: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contract of a bundle.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        stages: By name; ``fusion`` is always there.
        audio_sample_rate_hz: Rate that the audio encoder takes.
        calibration: What turns raw outputs into calibrated ones.
        friction_coefficients: Mean and standard deviation, by friction class.
    """

    name: str
    version: str
    stages: Mapping[str, StageSpec]
    audio_sample_rate_hz: int
    calibration: Calibration
    friction_coefficients: Mapping[str, tuple[float, float]]
