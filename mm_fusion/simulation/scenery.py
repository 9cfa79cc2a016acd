# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands beside the road: houses, trees, and the vehicle with the siren."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.simulation.ground import ROAD_EDGES_M, noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course
    from mm_fusion.simulation.ground import GroundMap

_PIXELS_PER_METRE = 16
_WALLS = ((120, 160, 190), (150, 165, 175), (110, 125, 165), (170, 180, 185), (95, 115, 140))
_HOUSE_DEPTH_M = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Quad:
    """A flat, textured rectangle.

    Attributes:
        corners: float64 (4, 3), map frame: top left, top right, bottom right, bottom left.
        texture: uint8 (rows, columns, 4), BGR and opacity.
    """

    corners: NDArray[np.float64]
    texture: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree: a picture that always faces the camera.

    Attributes:
        foot: float64 (2,), map frame.
        width_m: Of the crown.
        height_m: Of the whole.
        texture: uint8 (rows, columns, 4), BGR and opacity.
    """

    foot: NDArray[np.float64]
    width_m: float
    height_m: float
    texture: NDArray[np.uint8]

    def facing(self, viewer: NDArray[np.float64]) -> Quad:
        """Give it as a rectangle turned to a viewer (2,) in the map frame."""
        away = self.foot - viewer
        right = np.array([away[1], -away[0]]) / max(float(np.hypot(*away)), 1e-6)
        left_foot, right_foot = (self.foot + side * right * self.width_m / 2 for side in (-1, 1))
        return Quad(_wall(left_foot, right_foot, 0.0, self.height_m), self.texture)


def box(
    pose: NDArray[np.float64],
    size: tuple[float, float, float],
    bottom_m: float,
    textures: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> tuple[Quad, ...]:
    """Give the four walls of a box.

    Args:
        pose: x, y and heading of its middle in the map frame.
        size: Length along the heading, width and height, m.
        bottom_m: Height of its floor over the ground.
        textures: Of the two long walls, and of the front and the back.
    """
    length, width, height = size
    ahead = np.array([math.cos(pose[2]), math.sin(pose[2])])
    left = np.array([-ahead[1], ahead[0]])
    corners = [
        pose[:2] + a * ahead * length / 2 + b * left * width / 2
        for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    ]
    # Seen from outside, each wall runs from its left to its right corner.
    return tuple(
        Quad(_wall(corners[i], corners[(i + 1) % 4], bottom_m, bottom_m + height), textures[i % 2])
        for i in range(4)
    )


def _wall(
    left: NDArray[np.float64], right: NDArray[np.float64], bottom_m: float, top_m: float
) -> NDArray[np.float64]:
    return np.array(
        [[*left, top_m], [*right, top_m], [*right, bottom_m], [*left, bottom_m]], np.float64
    )


def houses(ground: GroundMap, rng: np.random.Generator) -> Iterator[Quad]:
    """Place rows of houses on both sides, leaving out those that would stand on the road."""
    for side, edge in zip((-1, 1), ROAD_EDGES_M, strict=True):
        arc = ground.course.start_m + 10.0
        while arc < ground.course.end_m - 20.0:
            width, height = float(rng.uniform(10, 17)), float(rng.uniform(5.5, 12))
            colour = _WALLS[int(rng.integers(len(_WALLS)))]
            middle = arc + width / 2
            snowy = middle > ground.weather.snow_from_m
            textures = (
                _facade(rng, width, height, colour, snowy),
                _facade(rng, _HOUSE_DEPTH_M, height, colour, snowy),
            )
            offset = edge + side * (5.5 + float(rng.uniform(0, 2.5)) + _HOUSE_DEPTH_M / 2)
            pose = ground.course.pose_at(middle)
            pose[:2] = ground.course.beside(middle, offset)
            if not _on_road(ground, pose, (width, _HOUSE_DEPTH_M)):
                yield from box(pose, (width, _HOUSE_DEPTH_M, height), 0.0, textures)
            arc += width + float(rng.uniform(2, 9))


def trees(ground: GroundMap, rng: np.random.Generator) -> Iterator[Tree]:
    """Place trees on both verges."""
    pictures = {snowy: [_tree(rng, snowy) for _ in range(4)] for snowy in (False, True)}
    for side, edge in zip((-1, 1), ROAD_EDGES_M, strict=True):
        for arc in np.arange(ground.course.start_m + 6.0, ground.course.end_m - 10.0, 11.0):
            place = arc + float(rng.uniform(-3, 3))
            foot = ground.course.beside(place, edge + side * float(rng.uniform(3.0, 4.2)))
            height = float(rng.uniform(4.0, 7.0))
            snowy = bool(place > ground.weather.snow_from_m)
            picture = pictures[snowy][int(rng.integers(4))]
            if not _on_road(ground, np.array([*foot, 0.0]), (0.8, 0.8)):
                yield Tree(foot, 0.62 * height, height, picture)


def ambulance(course: Course, arc_m: float, left_m: float, blue: bool) -> tuple[Quad, ...]:
    """Give the vehicle with the siren, coming towards the driven one."""
    pose = course.pose_at(arc_m)
    pose[:2] = course.beside(arc_m, left_m)
    pose[2] += math.pi
    return box(pose, (5.6, 2.0, 2.4), 0.25, (_van_side(blue), _van_end(blue)))


def _on_road(ground: GroundMap, pose: NDArray[np.float64], size: tuple[float, float]) -> bool:
    """Tell whether a footprint touches the road or leaves the map."""
    ahead = np.array([math.cos(pose[2]), math.sin(pose[2])])
    left = np.array([-ahead[1], ahead[0]])
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 9) * size[0], np.linspace(-0.5, 0.5, 9) * size[1])
    points = pose[:2] + u.reshape(-1, 1) * ahead + v.reshape(-1, 1) * left
    columns, rows = np.rint(ground.pixels(points)).astype(int).T
    inside = (
        (rows >= 0) & (rows < ground.road.shape[0])
        & (columns >= 0) & (columns < ground.road.shape[1])
    )  # fmt: skip
    return not inside.all() or bool(ground.road[rows, columns].any())


def _opaque(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([colours, np.full(colours.shape[:2], 255, np.uint8)])


def _facade(
    rng: np.random.Generator,
    width_m: float,
    height_m: float,
    colour: tuple[int, int, int],
    snowy: bool,
) -> NDArray[np.uint8]:
    rows, columns = int(height_m * _PIXELS_PER_METRE), int(width_m * _PIXELS_PER_METRE)
    image = np.empty((rows, columns, 3), np.uint8)
    image[:] = colour
    floors, bays = max(int(height_m / 2.8), 1), max(int(width_m / 2.6), 1)
    for floor in range(floors):
        top = int((floor + 0.28) * rows / floors)
        for bay in range(bays):
            left = int((bay + 0.28) * columns / bays)
            glass = int(rng.integers(45, 110))
            low = (left + int(0.44 * columns / bays), top + int(0.5 * rows / floors))
            cv2.rectangle(
                image, (left - 2, top - 2), (low[0] + 2, low[1] + 2), (215, 218, 220), -1
            )
            cv2.rectangle(image, (left, top), low, (glass + 25, glass + 12, glass), -1)
    eaves = (236, 234, 230) if snowy else (70, 72, 90)
    cv2.rectangle(image, (0, 0), (columns, 5), eaves, -1)
    cv2.rectangle(image, (0, rows - 7), (columns, rows), (105, 108, 110), -1)
    shade = 1 + 0.05 * noise(rng, (rows, columns), 24)
    return _opaque(np.clip(image * shade[..., None], 0, 255).astype(np.uint8))


def _tree(rng: np.random.Generator, snowy: bool) -> NDArray[np.uint8]:
    rows, columns = 192, 120
    image = np.zeros((rows, columns, 4), np.uint8)
    cv2.rectangle(image, (54, 110), (65, rows), (48, 62, 78, 255), -1)
    for _ in range(90):
        angle, reach = rng.uniform(0, 2 * math.pi), math.sqrt(rng.uniform(0, 1))
        centre = (int(60 + 42 * reach * math.cos(angle)), int(66 + 50 * reach * math.sin(angle)))
        light = float(rng.uniform(0.65, 1.1)) * (1.15 - 0.4 * centre[1] / 130)
        white = snowy and rng.uniform() < 0.6
        blue, green, red = (208, 206, 202) if white else (44, 104, 76)
        leaf = (int(blue * light), int(green * light), int(red * light), 255)
        cv2.circle(image, centre, int(rng.integers(7, 15)), leaf, -1)
    return image


def _van_side(blue: bool) -> NDArray[np.uint8]:
    image = np.empty((96, 224, 3), np.uint8)
    image[:] = (228, 232, 234)
    cv2.rectangle(image, (0, 48), (224, 62), (40, 60, 225), -1)
    cv2.rectangle(image, (140, 14), (200, 42), (70, 58, 50), -1)
    for wheel in (42, 182):
        cv2.circle(image, (wheel, 92), 15, (35, 35, 35), -1)
    cv2.rectangle(image, (90, 0), (134, 7), (255, 120, 30) if blue else (120, 70, 40), -1)
    return _opaque(image)


def _van_end(blue: bool) -> NDArray[np.uint8]:
    image = np.empty((96, 80, 3), np.uint8)
    image[:] = (232, 235, 237)
    cv2.rectangle(image, (8, 14), (72, 44), (66, 56, 50), -1)
    cv2.rectangle(image, (0, 50), (80, 60), (40, 60, 225), -1)
    cv2.rectangle(image, (6, 66), (20, 76), (235, 250, 255), -1)
    cv2.rectangle(image, (60, 66), (74, 76), (235, 250, 255), -1)
    cv2.rectangle(image, (0, 86), (80, 96), (40, 40, 40), -1)
    cv2.rectangle(image, (18, 0), (62, 7), (255, 120, 30) if blue else (120, 70, 40), -1)
    return _opaque(image)
