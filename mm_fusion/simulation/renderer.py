# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what the camera of the made drive sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mm_fusion.simulation import scenery
from mm_fusion.simulation.ground import noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.camera import PinholeCamera
    from mm_fusion.simulation.course import EgoTruth
    from mm_fusion.simulation.ground import GroundMap
    from mm_fusion.simulation.scenery import Quad

_NEAR_M = 0.4
_SIGHT_M = 140.0
_MIRROR_SIGHT_M = 60.0
_SKY_COLUMNS = 2048
_SKY_ROWS = 320
_DETAIL_PIXELS = 512
_DETAIL_M = 4.0
_HAZE = np.array([[226, 214, 200], [128, 126, 122], [214, 210, 206]], np.float32)
"""Colour of the far air in dry, wet and snowy weather, BGR."""
_LIGHT = np.array([1.0, 0.66, 0.92], np.float32)
_REACH_M = np.array([420.0, 130.0, 150.0], np.float32)
"""Distance over which the air takes 63 % of the contrast."""


@dataclass(frozen=True, slots=True)
class _Air:
    haze: NDArray[np.float64]
    light: float
    reach_m: float


class Renderer:
    """Draws frames of a made drive.

    Args:
        ground: The ground, and the course on it.
        camera: What looks at it.
        seed: Of the scenery and the noise of the sensor.
    """

    def __init__(
        self, ground: GroundMap, camera: PinholeCamera, seed: np.random.SeedSequence
    ) -> None:
        rng = np.random.default_rng(seed)
        self._ground = ground
        self._camera = camera
        self._houses = tuple(scenery.houses(ground, rng))
        self._trees = tuple(scenery.trees(ground, rng))
        self._walls = [house.corners for house in self._houses]
        self._feet = np.stack([tree.foot for tree in self._trees])
        self._skies = tuple(_sky(rng, weather) for weather in range(3))
        self._detail = 128 + 17 * noise(rng, (_DETAIL_PIXELS, _DETAIL_PIXELS), 2, 2)
        shape = (camera.height + 64, camera.width + 64)
        grain = np.rint(2.0 * rng.standard_normal(shape)).astype(np.int16)
        self._grain = cv2.merge([grain] * 3)
        self._rng = rng

    def frame(self, truth: EgoTruth, others: Sequence[Quad]) -> NDArray[np.uint8]:
        """Draw one frame, uint8 (height, width, 3), BGR.

        Args:
            truth: Where the vehicle is.
            others: Moving things, in the map frame.
        """
        base = _transform(truth)
        shares = self._ground.weather.shares(np.array(truth.arc_m))
        haze = (shares @ _HAZE).astype(np.float64)
        air = _Air(haze, float(shares @ _LIGHT), float(shares @ _REACH_M))
        quads = self._visible(others, base)
        top = math.ceil(self._camera.horizon_row) + 1
        sky = self._sky_strip(truth.heading_rad, shares)
        image = np.empty((self._camera.height, self._camera.width, 3), np.uint8)
        image[:top] = sky[-top:]
        mirror = np.ascontiguousarray(
            np.concatenate([sky[-top:], sky[: top - 1 - len(image) : -1]])
        )
        image[top:] = self._ground_view(base, air, quads, mirror)
        for quad, distance in quads:
            self._draw(image, quad, base, air, distance)
        row, column = (int(n) for n in self._rng.integers(0, 64, 2))
        grain = self._grain[row : row + image.shape[0], column : column + image.shape[1]]
        return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)

    def _visible(
        self, others: Sequence[Quad], base: NDArray[np.float64]
    ) -> list[tuple[Quad, float]]:
        """List what faces the camera within sight, the farthest first."""
        eye = base[:3, :3] @ self._camera.position + base[:3, 3]
        away = self._feet - eye[:2]
        near = (np.hypot(away[:, 0], away[:, 1]) < _SIGHT_M) & (away @ base[:2, 0] > _NEAR_M)
        trees = [self._trees[i].facing(eye[:2]) for i in np.flatnonzero(near)]
        quads = [*self._houses, *others, *trees]
        corners = np.stack([*self._walls, *(quad.corners for quad in quads[len(self._houses) :])])
        middle = corners.mean(axis=1)[:, :2] - eye[:2]
        distance = np.hypot(middle[:, 0], middle[:, 1])
        ahead = ((corners - eye) @ base[:3, 0]).max(axis=1) > _NEAR_M
        along = corners[:, 1, :2] - corners[:, 0, :2]
        to_eye = eye[:2] - corners[:, 0, :2]
        outside = along[:, 1] * to_eye[:, 0] - along[:, 0] * to_eye[:, 1] > 0
        order = np.argsort(-distance, kind='stable')
        seen = order[((distance < _SIGHT_M) & ahead & outside)[order]]
        return [(quads[i], float(distance[i])) for i in seen]

    def _sky_strip(self, heading: float, shares: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Cut out the sky ahead, uint8 (rows, width, 3), the horizon in the last row."""
        camera = self._camera
        across = (np.arange(camera.width) - (camera.width - 1) / 2) / camera.focal_px
        bearing = heading - np.arctan(across)
        columns = (bearing / (2 * math.pi) * _SKY_COLUMNS).astype(int) % _SKY_COLUMNS
        strip = np.zeros((_SKY_ROWS, camera.width, 3), np.float32)
        for sky, share in zip(self._skies, shares, strict=True):
            if share > 0:
                strip += share * sky.take(columns, axis=1)
        return strip.astype(np.uint8)

    def _ground_view(
        self,
        base: NDArray[np.float64],
        air: _Air,
        quads: list[tuple[Quad, float]],
        mirror: NDArray[np.uint8],
    ) -> NDArray[np.uint8]:
        """Draw all below the horizon: the map from above, seen in perspective.

        Args:
            base: base_link in the map frame, (4, 4).
            air: Light and haze.
            quads: What stands on the ground.
            mirror: The sky, and below the horizon its image in water; is drawn upon.
        """
        camera = self._camera
        top = math.ceil(camera.horizon_row) + 1
        ground_from_pixel = np.linalg.inv(camera.ground_homography())
        world = base[np.ix_((0, 1, 3), (0, 1, 3))] @ ground_from_pixel
        map_from_pixel = self._ground.map_from_world @ world
        scale = _DETAIL_PIXELS / _DETAIL_M
        detail = self._warp(
            self._detail, np.diag([scale, scale, 1.0]) @ world, top, cv2.BORDER_WRAP
        )
        below = np.arange(top, camera.height, dtype=np.float32) - np.float32(camera.horizon_row)
        distance = (camera.focal_px * camera.up_m / below)[:, None]
        clear = np.exp(-distance / np.float32(air.reach_m))
        gain = detail * (np.exp(-distance / 12) / 128)
        gain += 1 - np.exp(-distance / 12)
        colours = self._warp(self._ground.colours, map_from_pixel, top)
        lit = cv2.multiply(colours, cv2.merge([gain * np.float32(air.light)] * 3), dtype=cv2.CV_8U)
        wet = self._warp(self._ground.wetness, map_from_pixel, top)
        if wet.any():
            self._draw_mirrored(mirror, base, air, quads)
            share = wet * ((0.25 + 0.6 * (1 - np.exp(-distance / 14))) / 255)
            water = np.ascontiguousarray(mirror[top:])
            lit = cv2.blendLinear(water, lit, share, 1 - share)
        haze = np.empty_like(lit)
        haze[:] = air.haze
        clear = np.ascontiguousarray(np.broadcast_to(clear, lit.shape[:2]))
        return np.asarray(cv2.blendLinear(lit, haze, clear, 1 - clear), np.uint8)

    def _warp(
        self,
        source: NDArray[np.uint8] | NDArray[np.float32],
        source_from_pixel: NDArray[np.float64],
        top: int,
        border: int = cv2.BORDER_REPLICATE,
    ) -> Any:
        """View a flat picture in perspective, with more samples a row where it is far."""
        rows = (top, top + 25, top + 70, self._camera.height)
        bands = []
        for first, last, dense in zip(rows[:-1], rows[1:], (6, 3, 1), strict=True):
            finer = np.array([[1, 0, 0], [0, 1 / dense, first + 0.5 / dense - 0.5], [0, 0, 1.0]])
            band = cv2.warpPerspective(
                source,
                source_from_pixel @ finer,
                (self._camera.width, (last - first) * dense),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=border,
            )
            size = (self._camera.width, last - first)
            bands.append(cv2.resize(band, size, interpolation=cv2.INTER_AREA))
        return np.concatenate(bands)

    def _draw_mirrored(
        self,
        mirror: NDArray[np.uint8],
        base: NDArray[np.float64],
        air: _Air,
        quads: list[tuple[Quad, float]],
    ) -> None:
        """Draw the scene as still water shows it: everything upside down below the ground."""
        flip = np.array([1.0, 1.0, -1.0])
        for quad, distance in quads:
            if distance < _MIRROR_SIGHT_M:
                sunk = scenery.Quad(quad.corners * flip, quad.texture)
                self._draw(mirror, sunk, base, air, distance)
        cv2.blur(mirror, (3, 11), dst=mirror)

    def _draw(
        self,
        image: NDArray[np.uint8],
        quad: Quad,
        base: NDArray[np.float64],
        air: _Air,
        distance: float,
    ) -> None:
        """Draw one textured rectangle over an image."""
        camera = self._camera
        corners = camera.to_optical((quad.corners - base[:3, 3]) @ base[:3, :3])
        outline = _clipped(corners)
        if len(outline) < 3:
            return
        outline = (outline @ camera.intrinsics.T)[:, :2] / outline[:, 2:]
        size = np.array([camera.width, camera.height])
        low = np.clip(np.floor(outline.min(axis=0)), 0, size).astype(int)
        high = np.clip(np.ceil(outline.max(axis=0)) + 1, 0, size).astype(int)
        if (high - low).min() < 1:
            return
        texture = _shrunk(quad.texture, float(np.ptp(outline[:, 1])))
        plane = np.stack([corners[1] - corners[0], corners[3] - corners[0], corners[0]], axis=1)
        # The centre of the first pixel lies half a pixel inside the rectangle.
        rows, columns = texture.shape[:2]
        inner = np.array([[1 / columns, 0, 0.5 / columns], [0, 1 / rows, 0.5 / rows], [0, 0, 1.0]])
        shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
        patch = cv2.warpPerspective(
            texture,
            shift @ camera.intrinsics @ plane @ inner,
            (int(high[0] - low[0]), int(high[1] - low[1])),
            borderMode=cv2.BORDER_REPLICATE,
        )
        inside = np.zeros(patch.shape[:2], np.uint8)
        cv2.fillConvexPoly(
            inside, np.rint((outline - low) * 16).astype(np.int32), 255, cv2.LINE_AA, 4
        )
        share = cv2.multiply(
            cv2.extractChannel(patch, 3), inside, scale=1 / 255**2, dtype=cv2.CV_32F
        )
        clear = math.exp(-distance / air.reach_m)
        lit = cv2.convertScaleAbs(cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), alpha=air.light * clear)
        lit = cv2.add(lit, np.append(air.haze * (1 - clear), 0.0))
        target = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
        image[low[1] : high[1], low[0] : high[0]] = cv2.blendLinear(lit, target, share, 1 - share)


def _transform(truth: EgoTruth) -> NDArray[np.float64]:
    """Give the matrix (4, 4) that takes base_link to the map frame."""
    sin, cos = math.sin(truth.heading_rad), math.cos(truth.heading_rad)
    return np.array(
        [[cos, -sin, 0, truth.x_m], [sin, cos, 0, truth.y_m], [0, 0, 1, 0], [0, 0, 0, 1.0]]
    )


def _clipped(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut off what of a polygon (n, 3) lies behind the near plane."""
    kept = []
    for here, there in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if here[2] >= _NEAR_M:
            kept.append(here)
        if (here[2] >= _NEAR_M) != (there[2] >= _NEAR_M):
            kept.append(here + (there - here) * (_NEAR_M - here[2]) / (there[2] - here[2]))
    return np.array(kept)


def _shrunk(texture: NDArray[np.uint8], seen_rows: float) -> cv2.typing.MatLike:
    """Halve a texture until it is about as fine as it is seen."""
    halvings = int(math.log2(max(texture.shape[0] / max(seen_rows, 1.0), 1.0)))
    if halvings == 0:
        return texture
    size = (max(texture.shape[1] >> halvings, 1), max(texture.shape[0] >> halvings, 1))
    return cv2.resize(texture, size, interpolation=cv2.INTER_AREA)


def _sky(rng: np.random.Generator, weather: int) -> NDArray[np.float32]:
    """Paint the sky all around, the horizon in the last row."""
    zenith = np.array([[214, 158, 108], [112, 108, 104], [196, 192, 188]], np.float32)[weather]
    height = np.linspace(1, 0, _SKY_ROWS, dtype=np.float32)[:, None, None]
    sky = _HAZE[weather] + (zenith - _HAZE[weather]) * height**0.8
    clouds = noise(rng, (_SKY_ROWS, _SKY_COLUMNS // 2), 64, 5)
    clouds = np.concatenate([clouds, clouds[:, ::-1]], axis=1)[..., None]
    cover = np.clip(clouds * 0.5 + (0.1, 0.5, 0.5)[weather], 0, 1) * (0.85, 0.35, 0.25)[weather]
    cloud = np.array([[250, 248, 246], [158, 154, 150], [228, 226, 224]], np.float32)[weather]
    return np.asarray(sky + (cloud - sky) * cover, np.float32)
