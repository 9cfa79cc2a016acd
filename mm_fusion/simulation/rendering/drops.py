# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Drops of rain on the lens: where they lie, and what is seen through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DROPS_SIZE = (512, 288)
"""Columns and rows of the picture of the drops."""

_MOST_DROPS = 110
_REACH_PX = 16.0


@dataclass(frozen=True, slots=True)
class DropState:
    """The drops at one time.

    Attributes:
        amount: Share of them that has fallen, in [0, 1].
        shift: Of their picture, in its sizes.
        mirror: Its orientation across and upwards, 1 or -1.
    """

    amount: float
    shift: tuple[float, float]
    mirror: tuple[float, float]


class Drops:
    """A set of drops whose picture tiles.

    Args:
        rng: Source of their places and sizes.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._middles = rng.random((_MOST_DROPS, 2)) * DROPS_SIZE
        self._radii = 3.0 + 11.0 * rng.random(_MOST_DROPS) ** 3
        self._sags = rng.uniform(0.75, 1.0, _MOST_DROPS)
        self._order = (np.arange(_MOST_DROPS) + 0.5) / _MOST_DROPS

    def picture(self) -> bytes:
        """Draw them, uint8 (rows, columns, 4).

        Channels: where each point looks, across and upwards, 128 for straight ahead; how much
        it is drop; and at which amount it has fallen.
        """
        columns, rows = DROPS_SIZE
        picture = np.zeros((rows, columns, 4), np.float32)
        picture[..., :2] = 128 / 255
        picture[..., 3] = 1.0
        for middle, radius, sag, order in zip(
            self._middles, self._radii, self._sags, self._order, strict=True
        ):
            reach = int(radius / sag) + 2
            first = np.floor(middle).astype(int) - reach
            y, x = np.mgrid[0 : 2 * reach, 0 : 2 * reach] + 0.5
            right, up = x + first[0] - middle[0], y + first[1] - middle[1]
            within = 1.0 - np.hypot(right, up * sag) / radius
            inside = np.clip(within * 2.2, 0, 1)
            looks = 128 / 255 - 0.5 * np.stack([right, up], axis=-1) / _REACH_PX
            row, column = (y + first[1] - 0.5).astype(int), (x + first[0] - 0.5).astype(int)
            place = row % rows, column % columns
            # A margin around each drop, so that interpolation at its edge stays with it.
            drawn = (inside > 0) | ((within > -2.0 / radius) & (picture[place][..., 2] == 0))
            values = [looks, inside[..., None], np.full((*inside.shape, 1), order)]
            picture[place[0][drawn], place[1][drawn]] = np.concatenate(values, axis=-1)[drawn]
        return np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8).tobytes()

    def cells(self, state: DropState, cells: tuple[int, int]) -> NDArray[np.bool_]:
        """Tell in which cells of the frame drops lie, bool (rows, columns), from below."""
        fallen = self._order <= state.amount + 0.5 / 255
        size = np.array(DROPS_SIZE)
        middles = (self._middles[fallen] / size - state.shift) * state.mirror % 1.0
        columns, rows = ((np.arange(count) + 0.5) / count for count in cells)
        half = 0.5 / np.array(cells)
        reach = (self._radii[fallen] / self._sags[fallen])[:, None] / size + 1.0 / size + half
        near = [
            np.abs((axis - middles[:, k, None] + 0.5) % 1.0 - 0.5) <= reach[:, k, None]
            for k, axis in enumerate((columns, rows))
        ]
        return np.asarray((near[1][:, :, None] & near[0][:, None, :]).any(axis=0))
