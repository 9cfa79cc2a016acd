# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the other vehicles did while their sound was on its way."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics.propagation import SPEED_OF_SOUND_MPS, retarded_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import AcousticScene, SourceState

REACH_M = 500.0
"""Sound from further away is not heard."""

REACH_S = REACH_M / SPEED_OF_SOUND_MPS
EAR_OVER_SOURCE_M = 1.0
"""Height of the microphones over the middle of the sources."""

_FADE_M = 50.0


class Column(enum.IntEnum):
    """What is remembered of a source."""

    X = 0
    Y = 1
    SPEED = 2
    SIREN = 3
    """1 where its siren sounds."""
    HORN = 4
    """1 where its horn sounds."""
    THERE = 5
    """1 where the source is in the scene."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """What arrives at a microphone, by source and by time of hearing.

    Attributes:
        sent_s: float64 (s, g), when it set out.
        distance_m: float64 (s, g), how far it went.
        state: float64 (s, g, 6), columns of the source when it set out.
        audible: float64 (s, g), fades from 1 to 0 before the reach.
    """

    sent_s: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    state: NDArray[np.float64]
    audible: NDArray[np.float64]


class Tracks:
    """The last moves of every source, by increasing time.

    A source that comes into the scene is taken to have moved as it does for all time before; one
    that leaves it falls silent and is forgotten once its last sound has passed.

    Attributes:
        sources: The newest state of each, in the order of the rows of ``values``.
        knots_s: float64 (k,).
        values: float64 (s, k, 6).
    """

    def __init__(self, begin: AcousticScene) -> None:
        self.sources: list[SourceState] = []
        self.knots_s = np.array([begin.time_s - REACH_S, begin.time_s])
        self.values: NDArray[np.float64] = np.zeros((0, 2, len(Column)))
        self._welcome(begin)

    @property
    def end_s(self) -> float:
        """Time of the last knot."""
        return float(self.knots_s[-1])

    def advance(self, end: AcousticScene) -> None:
        """Append the scene at a later time."""
        self._welcome(end)
        present = {source.id: source for source in end.sources}
        rows = np.zeros((len(self.sources), len(Column)))
        for i, source in enumerate(self.sources):
            found = present.get(source.id)
            if found is not None:
                self.sources[i] = found
                rows[i] = _row(found)
            else:
                rows[i, : Column.SIREN] = self.values[i, -1, : Column.SIREN]
        old = end.time_s - REACH_S
        first = max(int(np.searchsorted(self.knots_s, old, side='right')) - 1, 0)
        self.knots_s = np.append(self.knots_s[first:], end.time_s)
        self.values = np.concatenate([self.values[:, first:], rows[:, None]], axis=1)
        if len(present) < len(self.sources):
            self._forget()

    def arrival(
        self, rows: NDArray[np.int64], heard_s: NDArray[np.float64], ears: NDArray[np.float64]
    ) -> Arrival:
        """Find what arrives of some sources at a microphone at ``ears`` (g, 2) at times (g,)."""
        first = self._first_needed(rows, heard_s[0], ears[0])
        knots, values = self.knots_s[first:], self.values[rows, first:]
        places = values[:, :, : Column.SPEED]
        sent, knot = retarded_times(knots, places, heard_s, ears, EAR_OVER_SOURCE_M)
        part = (sent - knots[knot]) / (knots[knot + 1] - knots[knot])
        part = np.clip(part, 0.0, 1.0)[..., None]
        each = np.arange(len(values))[:, None]
        state = (1 - part) * values[each, knot] + part * values[each, knot + 1]
        distance = SPEED_OF_SOUND_MPS * (heard_s - sent)
        audible = np.clip((REACH_M - distance) / _FADE_M, 0.0, 1.0)
        return Arrival(sent, distance, state, audible)

    def _first_needed(
        self, rows: NDArray[np.int64], heard_s: float, ear: NDArray[np.float64]
    ) -> int:
        """Find the last knot from which the sound of all sources has been heard already."""
        away = np.abs(self.values[rows, -1, : Column.SPEED] - ear).sum(axis=1).max()
        # Nothing comes nearer than half as fast as sound: sound that left then was heard before.
        ago = 2 * (away + EAR_OVER_SOURCE_M) / SPEED_OF_SOUND_MPS
        first = int(np.searchsorted(self.knots_s, heard_s - ago, side='right')) - 1
        return min(max(first, 0), len(self.knots_s) - 2)

    def _welcome(self, scene: AcousticScene) -> None:
        """Make a past for sources that are new."""
        known = {source.id for source in self.sources}
        new = [source for source in scene.sources if source.id not in known]
        if not new:
            return
        ago = scene.time_s - self.knots_s
        pasts = np.repeat(np.array([_row(source) for source in new])[:, None], len(ago), axis=1)
        for i, source in enumerate(new):
            pasts[i, :, Column.X] -= ago * source.speed_mps * math.cos(source.heading_rad)
            pasts[i, :, Column.Y] -= ago * source.speed_mps * math.sin(source.heading_rad)
        self.sources += new
        self.values = np.concatenate([self.values, pasts])

    def _forget(self) -> None:
        kept = np.flatnonzero(self.values[:, :, Column.THERE].max(axis=1) > 0)
        if len(kept) < len(self.sources):
            self.sources = [self.sources[i] for i in kept]
            self.values = self.values[kept]


def _row(source: SourceState) -> tuple[float, ...]:
    return (
        source.x_m,
        source.y_m,
        source.speed_mps,
        float(source.siren_on and source.siren is not None),
        float(source.horn_on),
        1.0,
    )
