# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The contract of a model bundle, as its manifest states it."""

from __future__ import annotations

from dataclasses import dataclass, field
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
class FileSpec:
    """A file of the bundle.

    Attributes:
        file: Its name in the bundle folder.
        sha256: Of its content, in lower-case hexadecimal.
        size_bytes: Of its content.
    """

    file: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StageSpec(FileSpec):
    """One ONNX graph of the bundle.

    Attributes:
        name: ``image_encoder``, ``audio_encoder``, ``motion_encoder`` or ``fusion``.
        inputs: By name.
        outputs: By name.
    """

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns raw outputs into calibrated ones.

    Attributes:
        temperatures: Divisor of the logits, by task; ``modes`` among them where the bundle has
            a trajectory head.
        siren_threshold: Probability that raises the siren flag.
        horizon_s: Times at which the covariance scales hold, increasing.
        covariance_scales: Factor on the covariance of the predicted path at those times: that of
            the trajectory head, or of the ego-state roll-out where the bundle has none.
        friction_coefficient_std_scale: Factor on the deviation that the network gives with the
            friction coefficient.
        offsets: What is added to the logits before their temperature divides them, one for each
            class, by surface task; none where nothing is added.
        central_mode_share: Factor on the residuals of mode 0, 0 to 1: how far they are trusted
            beside the roll-out.
    """

    temperatures: Mapping[str, float]
    siren_threshold: float
    horizon_s: tuple[float, ...]
    covariance_scales: tuple[float, ...]
    friction_coefficient_std_scale: float = 1.0
    offsets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    central_mode_share: float = 1.0


@dataclass(frozen=True, slots=True)
class PrecisionSpec:
    """What the parity gate says of the bundle at another precision than float32.

    Attributes:
        accepted: Whether it may be used.
        why: The reason, in one sentence.
        bounds: Largest difference from float32 on any sample measured, by output; the bound of
            what a runtime may add to it.
        intervals: Lowest and highest value of each tensor that is quantised, by stage and name;
            none where nothing is.
        measured_on: sha256 of the float32 graph that it was measured on, by stage.
        derived: sha256 of the graph at the precision that was measured, by stage; empty where a
            version of the package that did not say wrote the manifest.
    """

    accepted: bool
    why: str
    bounds: Mapping[str, float]
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    measured_on: Mapping[str, str]
    derived: Mapping[str, str]


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
        surface_from: The network's modalities that speak to the road surface.
        weights: What training starts from; None where the bundle cannot be trained further.
        precisions: By name: ``fp16``, ``int8``, ``int8_cpu``; what is not there was never
            measured.
    """

    name: str
    version: str
    stages: Mapping[str, StageSpec]
    audio_sample_rate_hz: int
    calibration: Calibration
    friction_coefficients: Mapping[str, tuple[float, float]]
    surface_from: tuple[str, ...]
    weights: FileSpec | None
    precisions: Mapping[str, PrecisionSpec] = field(default_factory=dict)

    def gives(self, output: str) -> bool:
        """Tell whether the fusion stage has an output."""
        return output in self.stages['fusion'].outputs
