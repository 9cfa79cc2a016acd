# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Paths decoded from roll-outs that were begun while the networks ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.decoding import TrajectoryDecoder
from mm_fusion.pipeline.beside import Begun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from mm_fusion.decoding.trajectory import RollOut
    from mm_fusion.geometry.ego_filter import EgoState
    from mm_fusion.settings import DecodingSettings
    from mm_fusion.types.bundle import Manifest
    from mm_fusion.types.predictions import TrajectoryPrediction

_MOST_BEGUN = 2
"""Roll-outs that are remembered: that of the snapshot at hand, and one to spare."""


class Paths:
    """Decode trajectories, each from a roll-out that a thread may have made before.

    ``begin`` may be called from any thread; the others from one at a time.

    Args:
        manifest: Contract of the bundle.
        settings: Horizon and step.
        thread: Makes what is begun.
    """

    def __init__(self, manifest: Manifest, settings: DecodingSettings, thread: Executor) -> None:
        self._manifest = manifest
        self._thread = thread
        self.change(settings)

    def change(self, settings: DecodingSettings) -> None:
        """Decode by other settings from now on."""
        self._decoder = TrajectoryDecoder(self._manifest, settings)
        # What was begun has other times.
        self._begun: Begun[EgoState, RollOut] = Begun(_MOST_BEGUN)

    def begin(self, state: EgoState) -> None:
        """Have the roll-out of a state made, for ``decode`` of the very same state."""
        self._begun.begin(state, self._thread, self._decoder.roll_out)

    def decode(self, state: EgoState, outputs: Mapping[str, NDArray[Any]]) -> TrajectoryPrediction:
        """Predict the path; see :meth:`mm_fusion.decoding.TrajectoryDecoder.decode`."""
        rolled = self._begun.take(state, self._decoder.roll_out)
        return self._decoder.decode(state, outputs, rolled)
