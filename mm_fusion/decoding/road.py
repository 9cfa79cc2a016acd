# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From logits to the calibrated, filtered road state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.decoding.posteriors import sigmoid, softmax
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
        self._temperatures = manifest.calibration.temperatures
        self._offsets = {
            task: np.array(manifest.calibration.offsets.get(task, [0.0] * size))
            for task, size in SURFACE_TASKS.items()
        }
        self._own_threshold = manifest.calibration.siren_threshold
        table = [manifest.friction_coefficients[name] for name in FRICTION_CLASSES]
        mean, std = np.array(table, np.float64).T
        self._moments = np.stack([mean, std**2 + mean**2])
        self._coefficient_head = manifest.gives('friction_coefficient')
        self._std_scale = manifest.calibration.friction_coefficient_std_scale
        self._memory: dict[str, NDArray[np.float64]] = {}
        self._last_ns = 0
        self.change(settings)

    def change(self, settings: DecodingSettings) -> None:
        """Filter and decide by other settings from the next call on; what is filtered stays."""
        self._threshold = settings.siren_threshold or self._own_threshold
        self._tau = dict.fromkeys((*SURFACE_TASKS, 'moments'), settings.road_time_constant_s)
        self._tau['siren'] = settings.siren_time_constant_s

    def reset(self) -> None:
        """Forget everything: the next call is the first."""
        self._memory.clear()

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
        now: dict[str, NDArray[np.float64]] = {}
        for task, size in SURFACE_TASKS.items():
            now[task] = (
                softmax(
                    outputs[f'{task}_logits'][0] + self._offsets[task], self._temperatures[task]
                )
                if surface_observed
                else np.full(size, 1.0 / size)
            )
        heard = sigmoid(float(outputs['siren_logit'][0, 0]) / self._temperatures['siren'])
        now['siren'] = np.array([heard if siren_observed else 0.0])
        now['moments'] = (
            self._predicted_moments(outputs)
            if surface_observed and self._coefficient_head
            else self._moments @ now['friction']
        )
        filtered = self._filter(now, stamp_ns)
        mean, second_moment = filtered['moments'].tolist()
        return RoadState(
            filtered=_posterior(filtered),
            unfiltered=_posterior(now),
            friction_coefficient_mean=mean,
            friction_coefficient_std=math.sqrt(max(second_moment - mean**2, 0.0)),
            siren=bool(filtered['siren'][0] >= self._threshold),
            surface_observed=surface_observed,
            siren_observed=siren_observed,
        )

    def _predicted_moments(self, outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        mean, log_std = outputs['friction_coefficient'][0].tolist()
        std = math.exp(min(log_std, _MAX_LOG_DEVIATION)) * self._std_scale
        return np.array([mean, std**2 + mean**2])

    def _filter(
        self, now: Mapping[str, NDArray[np.float64]], stamp_ns: int
    ) -> dict[str, NDArray[np.float64]]:
        elapsed_s = (stamp_ns - self._last_ns) / 1e9
        filtered = {}
        for task, value in now.items():
            before, tau = self._memory.get(task), self._tau[task]
            if before is None or tau == 0.0:
                filtered[task] = value
            else:
                filtered[task] = before - math.expm1(-elapsed_s / tau) * (value - before)
        self._memory, self._last_ns = filtered, stamp_ns
        return filtered


def _posterior(values: Mapping[str, NDArray[np.float64]]) -> SurfacePosterior:
    return SurfacePosterior(
        friction=values['friction'].astype(np.float32),
        material=values['material'].astype(np.float32),
        unevenness=values['unevenness'].astype(np.float32),
        siren=float(values['siren'][0]),
    )
