# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From logits to the calibrated, filtered road state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.decoding.posteriors import sigmoid
from mm_fusion.types.predictions import (
    FRICTION_CLASSES,
    MATERIAL_CLASSES,
    UNEVENNESS_CLASSES,
    RoadState,
    SurfacePosterior,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.settings import DecodingSettings
    from mm_fusion.types.bundle import Manifest

SURFACE_TASKS = {
    'friction': len(FRICTION_CLASSES),
    'material': len(MATERIAL_CLASSES),
    'unevenness': len(UNEVENNESS_CLASSES),
}

_MAX_LOG_DEVIATION = 7.0
"""Whatever a graph gives, the deviation of the friction coefficient is finite within this."""

# All are kept in one vector: what is done to it costs what it would for a single posterior.
_SIZES = list(SURFACE_TASKS.values())
_ENDS = np.cumsum(_SIZES).tolist()
_STARTS = [0, *_ENDS[:-1]]
_PLACES = [slice(start, end) for start, end in zip(_STARTS, _ENDS, strict=True)]
_TASK_OF = np.repeat(np.arange(len(_SIZES)), _SIZES)
_UNIFORM = 1.0 / np.array(_SIZES)[_TASK_OF]
_SURFACE, _SIREN, _MOMENTS = slice(0, _ENDS[-1]), _ENDS[-1], slice(_ENDS[-1] + 1, _ENDS[-1] + 3)
"""Where the posteriors of the surface stand, the probability of a siren, and two moments of the
friction coefficient."""


class RoadDecoder:
    """Turn logits into the road state; remembers the filtered posterior between calls.

    Probabilities are softmax((logits + offsets) / temperature) (Guo et al., 2017, "On Calibration
    of Modern Neural Networks"). The temporal filter is a first-order low pass on the posterior,
    exact for any interval dt: p <- p + (1 - exp(-dt / tau)) (p_new - p). What is not observed
    counts as the uniform distribution (a siren: as no siren), so that a belief fades once its
    sensor is gone.

    The friction coefficient is that of the network where the bundle has a head for it, and else
    the mixture of the coefficients of the friction classes. Its first two moments are filtered
    like the posteriors; unobserved, it is the mixture over all classes alike.

    Args:
        manifest: Calibration and friction coefficients.
        settings: Time constants, and a siren threshold that overrides the manifest's.
    """

    def __init__(self, manifest: Manifest, settings: DecodingSettings) -> None:
        calibration = manifest.calibration
        self._offsets = np.concatenate(
            [calibration.offsets.get(task, [0.0] * size) for task, size in SURFACE_TASKS.items()]
        )
        temperatures = [calibration.temperatures[task] for task in SURFACE_TASKS]
        self._temperatures = np.array(temperatures)[_TASK_OF]
        self._siren_temperature = calibration.temperatures['siren']
        self._own_threshold = calibration.siren_threshold
        table = [manifest.friction_coefficients[name] for name in FRICTION_CLASSES]
        mean, std = np.array(table, np.float64).T
        self._moments = np.stack([mean, std**2 + mean**2])
        self._coefficient_head = manifest.gives('friction_coefficient')
        self._std_scale = calibration.friction_coefficient_std_scale
        self._memory: NDArray[np.float64] | None = None
        self._last_ns = 0
        self.change(settings)

    def change(self, settings: DecodingSettings) -> None:
        """Filter and decide by other settings from the next call on; what is filtered stays."""
        self._threshold = settings.siren_threshold or self._own_threshold
        self._road_tau_s = settings.road_time_constant_s
        self._siren_tau_s = settings.siren_time_constant_s

    def reset(self) -> None:
        """Forget everything: the next call is the first."""
        self._memory = None

    def decode(
        self,
        outputs: Mapping[str, NDArray[Any]],
        stamp_ns: int,
        *,
        surface_observed: bool,
        siren_observed: bool,
    ) -> RoadState:
        """Decode the outputs of the fusion stage.

        Args:
            outputs: ``friction_logits`` (1, 6), ``material_logits`` (1, 5),
                ``unevenness_logits`` (1, 3) and ``siren_logit`` (1, 1); where the bundle gives
                it, ``friction_coefficient`` (1, 2).
            stamp_ns: Time of the snapshot; later than that of the call before.
            surface_observed: Whether anything contributed that speaks to the surface.
            siren_observed: Whether sound contributed.
        """
        now = np.empty(_MOMENTS.stop)
        now[_SURFACE] = self._posteriors(outputs) if surface_observed else _UNIFORM
        heard = sigmoid(float(outputs['siren_logit'][0, 0]) / self._siren_temperature)
        now[_SIREN] = heard if siren_observed else 0.0
        now[_MOMENTS] = (
            self._predicted_moments(outputs)
            if surface_observed and self._coefficient_head
            else self._moments @ now[_PLACES[0]]
        )
        filtered = self._filter(now, stamp_ns)
        mean, second_moment = filtered[_MOMENTS].tolist()
        return RoadState(
            filtered=_posterior(filtered),
            unfiltered=_posterior(now),
            friction_coefficient_mean=mean,
            friction_coefficient_std=math.sqrt(max(second_moment - mean**2, 0.0)),
            siren=bool(filtered[_SIREN] >= self._threshold),
            surface_observed=surface_observed,
            siren_observed=siren_observed,
        )

    def _posteriors(self, outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Give the posteriors of the surface, one behind the other: float64 (14,)."""
        logits = np.concatenate([outputs[f'{task}_logits'][0] for task in SURFACE_TASKS])
        scaled = (logits + self._offsets) / self._temperatures
        exponentials = np.exp(scaled - np.maximum.reduceat(scaled, _STARTS)[_TASK_OF])
        return np.asarray(exponentials / np.add.reduceat(exponentials, _STARTS)[_TASK_OF])

    def _predicted_moments(self, outputs: Mapping[str, NDArray[Any]]) -> tuple[float, float]:
        mean, log_std = outputs['friction_coefficient'][0].tolist()
        std = math.exp(min(log_std, _MAX_LOG_DEVIATION)) * self._std_scale
        return mean, std**2 + mean**2

    def _filter(self, now: NDArray[np.float64], stamp_ns: int) -> NDArray[np.float64]:
        filtered = now
        if self._memory is not None:
            elapsed_s = (stamp_ns - self._last_ns) / 1e9
            shares = np.full(now.shape, _share(elapsed_s, self._road_tau_s))
            shares[_SIREN] = _share(elapsed_s, self._siren_tau_s)
            filtered = self._memory + shares * (now - self._memory)
        self._memory, self._last_ns = filtered, stamp_ns
        return filtered


def _share(elapsed_s: float, tau_s: float) -> float:
    """Give how far a low pass goes towards its input in a time."""
    return 1.0 if tau_s == 0.0 else -math.expm1(-elapsed_s / tau_s)


def _posterior(values: NDArray[np.float64]) -> SurfacePosterior:
    surface = values.astype(np.float32)
    friction, material, unevenness = (surface[place] for place in _PLACES)
    return SurfacePosterior(friction, material, unevenness, siren=float(values[_SIREN]))
