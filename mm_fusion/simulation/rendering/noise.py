# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Seeded patterns that tile: what goes out at one edge comes in at the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle that repeats; rows run along, columns across.

    Attributes:
        pixels: Rows, and columns.
        across_m: Width.
        along_m: Length.
    """

    pixels: int
    across_m: float
    along_m: float

    def fractal(
        self,
        rng: np.random.Generator,
        longest_m: float,
        shortest_m: float = 0.0,
        rough: float = 0.5,
        stretch: float = 1.0,
    ) -> NDArray[np.float32]:
        """Make noise whose amplitude falls with frequency.

        Args:
            rng: Source of the randomness.
            longest_m: Longest wavelength.
            shortest_m: Shortest wavelength.
            rough: Factor of the amplitude at each doubling of the frequency.
            stretch: How much longer along than across what it shows is.

        Returns:
            float32 (pixels, pixels), mean 0, deviation 1.
        """
        frequency = self._frequencies(stretch)
        gain = np.maximum(frequency * longest_m, 0.1) ** (np.log2(rough) - 1)
        gain[(frequency * longest_m < 0.9) | (frequency * shortest_m > 1)] = 0
        return self._shaped(rng, gain)

    def band(
        self, rng: np.random.Generator, wavelength_m: float, stretch: float = 1.0
    ) -> NDArray[np.float32]:
        """Make noise around one wavelength, float32 (pixels, pixels), mean 0, deviation 1."""
        ratio = np.maximum(self._frequencies(stretch) * wavelength_m, 1e-6)
        return self._shaped(rng, np.exp(-0.5 * (np.log(ratio) / 0.4) ** 2))

    def cells(
        self, rng: np.random.Generator, across: int, along: int, jitter: float, bond: float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """Divide the tile into cells around jittered points (Worley, 1996).

        Args:
            rng: Source of the randomness.
            across: Cells across.
            along: Cells along; even where rows are shifted.
            jitter: Range of the points around the middle of their cell, in cells.
            bond: Shift of every second row, in cells.

        Returns:
            Distance to the nearest point and to the next nearest, in cells, and the index of
            the nearest; all (pixels, pixels).
        """
        shift = rng.uniform(-jitter / 2, jitter / 2, (along * across, 2)).astype(np.float32)
        steps = (np.arange(self.pixels, dtype=np.float32) + 0.5) / self.pixels
        row, column = np.meshgrid(
            steps * np.float32(along), steps * np.float32(across), indexing='ij'
        )
        own_row, own_column = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
        # Square distance rounds towards rectangles, as hewn stones are.
        power = 4 if bond else 2
        nearest = np.full(row.shape, np.inf, np.float32)
        second = nearest.copy()
        index = np.zeros(row.shape, np.intp)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                r, c = own_row + down, own_column + right
                cell = (r % along) * across + c % across
                moved = shift.take(cell, axis=0)
                y = r + (moved[..., 0] + np.float32(0.5)) - row
                x = c + (moved[..., 1] + np.float32(0.5)) - column
                if bond:
                    x += (bond * (r % 2)).astype(np.float32)
                distance = (x * x) ** (power // 2) + (y * y) ** (power // 2)
                closer = distance < nearest
                second = np.minimum(second, np.where(closer, nearest, distance))
                index[closer] = cell[closer]
                nearest = np.minimum(nearest, distance)
        root = np.float32(1 / power)
        return nearest**root, second**root, index

    def slope(self, height_m: Field) -> NDArray[np.float32]:
        """Give the slopes across and along of a height, float32 (pixels, pixels, 2)."""
        across = np.roll(height_m, -1, 1) - np.roll(height_m, 1, 1)
        along = np.roll(height_m, -1, 0) - np.roll(height_m, 1, 0)
        steps = (2 * self.across_m / self.pixels, 2 * self.along_m / self.pixels)
        return np.stack([across / steps[0], along / steps[1]], axis=-1).astype(np.float32)

    def _frequencies(self, stretch: float) -> NDArray[np.float64]:
        along = np.fft.fftfreq(self.pixels, self.along_m / self.pixels)[:, None]
        across = np.fft.rfftfreq(self.pixels, self.across_m / self.pixels)[None]
        return np.asarray(np.hypot(along * stretch, across))

    def _shaped(self, rng: np.random.Generator, gain: NDArray[np.float64]) -> NDArray[np.float32]:
        shape = (self.pixels, self.pixels)
        spectrum = np.fft.rfft2(rng.standard_normal(shape, np.float32)) * gain
        spectrum[0, 0] = 0
        field = np.fft.irfft2(spectrum, shape)
        return np.asarray(field / field.std(), np.float32)


def ranked(field: Field) -> NDArray[np.float32]:
    """Spread values evenly over [0, 1] in their order."""
    ranks = np.empty(field.size, np.float32)
    ranks[np.argsort(field, axis=None, kind='stable')] = np.arange(field.size)
    return ranks.reshape(field.shape) / np.float32(field.size - 1)


def ramp(low: float, high: float, values: Field) -> NDArray[np.float32]:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``; falls where ``low`` is the greater."""
    part = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)
