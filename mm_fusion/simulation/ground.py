# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ground as a map from above: road, marks, kerbs, pavement, verge, and the weather on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course

METRES_PER_PIXEL = 0.08
_MARGIN_M = 24.0
_SUBPIXEL_BITS = 4

# Offsets to the left of the course, m. The vehicle drives in the middle of the right lane.
ROAD_EDGES_M = (-1.75, 5.25)
CENTRE_LINE_M = 1.75
_KERB_M = 0.18
_PAVEMENT_M = 2.2

# Colours, BGR.
_GRASS = (52, 96, 78)
_PAVEMENT = (150, 156, 160)
_KERB = (176, 180, 182)
_ASPHALT = (96, 96, 94)
_PAINT = (225, 228, 228)
_SNOW = (240, 236, 232)
_SLUSH = (168, 164, 160)


@dataclass(frozen=True, slots=True)
class Weather:
    """Where along the course the road is wet, and where snow lies on it.

    Attributes:
        wet_from_m: Arc length from which the road is wet.
        snow_from_m: Arc length from which it is covered with snow.
        blend_m: Length over which one passes into the other.
    """

    wet_from_m: float
    snow_from_m: float
    blend_m: float = 8.0

    def shares(self, arc_m: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give the shares of dry, wet and snow, float32 (..., 3), that sum to 1."""
        snow = np.clip((arc_m - self.snow_from_m) / self.blend_m + 0.5, 0, 1)
        wet = np.clip((arc_m - self.wet_from_m) / self.blend_m + 0.5, 0, 1) * (1 - snow)
        return np.stack([1 - wet - snow, wet, snow], axis=-1).astype(np.float32)


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cell: int, octaves: int = 3
) -> NDArray[np.float32]:
    """Make smooth noise of mean 0 and deviation 1, (rows, columns), with cells of some pixels."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        size = max(cell >> octave, 1)
        coarse = rng.standard_normal((shape[0] // size + 2, shape[1] // size + 2), np.float32)
        fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(fine, np.float32) / 2**octave
    return np.asarray((total - total.mean()) / total.std(), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class GroundMap:
    """The ground seen from above.

    Attributes:
        course: Where the road runs.
        weather: What lies on it.
        seed: Of its textures.
        colours: uint8 (rows, columns, 3), BGR; rows run south, columns east.
        wetness: uint8 (rows, columns), 255 where water mirrors.
        road: uint8 (rows, columns), 255 on the road, its kerbs and its pavement.
        map_from_world: float64 (3, 3), pixels of the map from map coordinates in metres.
    """

    course: Course
    weather: Weather
    seed: np.random.SeedSequence
    colours: NDArray[np.uint8] = field(init=False)
    wetness: NDArray[np.uint8] = field(init=False)
    road: NDArray[np.uint8] = field(init=False)
    map_from_world: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Paint the map."""
        track = self.course.pose_at(self.course.arcs)[:, :2]
        low, high = track.min(axis=0) - _MARGIN_M, track.max(axis=0) + _MARGIN_M
        columns, rows = (int(n) for n in np.ceil((high - low) / METRES_PER_PIXEL))
        scale = 1 / METRES_PER_PIXEL
        matrix = np.array([[scale, 0, -low[0] * scale], [0, -scale, high[1] * scale], [0, 0, 1.0]])
        object.__setattr__(self, 'map_from_world', matrix)
        rng = np.random.default_rng(self.seed)
        road = np.zeros((rows, columns), np.uint8)
        right, left = ROAD_EDGES_M
        self._strip(road, right - _PAVEMENT_M, left + _PAVEMENT_M, 255)
        object.__setattr__(self, 'road', road)
        patches = _coarse_noise(rng, (rows, columns))
        bare = self._painted(rng, patches)
        snow, wet = self._weather_masks(patches)
        ruts = self._ruts(rows, columns)
        slush = np.full_like(bare, _SLUSH)
        white = cv2.blendLinear(slush, np.full_like(bare, _SNOW), ruts, 1 - ruts)
        covered = cv2.blendLinear(white, bare, snow, 1 - snow)
        colours = cv2.multiply(covered, cv2.merge([1 - 0.5 * wet] * 3), dtype=cv2.CV_8U)
        object.__setattr__(self, 'colours', colours)
        object.__setattr__(self, 'wetness', (255 * wet).astype(np.uint8))

    def pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give map pixels (n, 2) of points (n, 2) in the map frame."""
        matrix = self.map_from_world
        return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])

    def _strip(
        self,
        image: NDArray[np.uint8],
        right_m: float,
        left_m: float,
        colour: int | tuple[int, int, int],
        arcs: NDArray[np.float64] | None = None,
    ) -> None:
        """Fill the band between two offsets from the course."""
        arcs = self.course.arcs[::10] if arcs is None else arcs
        sides = [self.pixels(self.course.beside(arcs, offset)) for offset in (right_m, left_m)]
        outline = np.concatenate([sides[0], sides[1][::-1]])
        corners = np.rint(outline * 2**_SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(image, [corners], _scalar(colour), cv2.LINE_AA, _SUBPIXEL_BITS)

    def _painted(
        self, rng: np.random.Generator, patches: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Paint the ground as it is when dry."""
        image = np.empty((*patches.shape, 3), np.uint8)
        image[:] = _GRASS
        right, left = ROAD_EDGES_M
        self._strip(image, right - _PAVEMENT_M, left + _PAVEMENT_M, _PAVEMENT)
        self._strip(image, right - _KERB_M, left + _KERB_M, _KERB)
        self._strip(image, right, left, _ASPHALT)
        for edge in (right + 0.25, left - 0.25):
            self._strip(image, edge - 0.06, edge + 0.06, _PAINT)
        for start in np.arange(self.course.start_m, self.course.end_m - 3.0, 6.0):
            dash = np.linspace(start, start + 3.0, 7)
            self._strip(image, CENTRE_LINE_M - 0.07, CENTRE_LINE_M + 0.07, _PAINT, dash)
        grain = rng.standard_normal(patches.shape, np.float32)
        grain *= np.where(self.road > 0, np.float32(0.04), np.float32(0.10))
        shade = 1 + 0.05 * patches + grain
        return np.asarray(cv2.multiply(image, cv2.merge([shade] * 3), dtype=cv2.CV_8U), np.uint8)

    def _weather_masks(
        self, patches: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give where snow lies and where water mirrors, by the nearest stretch of the course."""
        rows, columns = patches.shape
        coarse = 32
        grid_y, grid_x = np.mgrid[0 : rows // coarse + 1, 0 : columns // coarse + 1] * coarse
        arcs = self.course.arcs[::40]
        track = self.pixels(self.course.pose_at(arcs)[:, :2])
        square = (grid_x[..., None] - track[:, 0]) ** 2 + (grid_y[..., None] - track[:, 1]) ** 2
        shares = self.weather.shares(arcs[square.argmin(axis=-1)])
        wet, snow = (
            np.asarray(cv2.resize(shares[..., i], (columns, rows)), np.float32) for i in (1, 2)
        )
        cover = np.clip(snow * (1.6 + 0.12 * patches) - 0.3, 0, 1)
        puddles = 0.7 + 0.3 * np.tanh(3 * (patches - 0.4))
        water = np.where(self.road > 0, wet * puddles, 0)
        return cover.astype(np.float32), water.astype(np.float32)

    def _ruts(self, rows: int, columns: int) -> NDArray[np.float32]:
        """Give the ruts that wheels have pressed into the snow of both lanes."""
        ruts = np.zeros((rows, columns), np.uint8)
        for lane in (0.0, 2 * CENTRE_LINE_M):
            for wheel in (-0.78, 0.78):
                self._strip(ruts, lane + wheel - 0.2, lane + wheel + 0.2, 190)
        return np.asarray(cv2.GaussianBlur(ruts, (0, 0), 2.0), np.float32) / np.float32(255)


def _coarse_noise(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Make noise with cells of some metres; it is smooth enough to be made small."""
    small = noise(rng, (shape[0] // 4 + 1, shape[1] // 4 + 1), 18)
    return np.asarray(cv2.resize(small, (shape[1], shape[0])), np.float32)


def _scalar(colour: int | tuple[int, int, int]) -> tuple[int, ...]:
    return (colour,) if isinstance(colour, int) else colour
