# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiles of what the ground is made of and of what covers it.

Each is a height, whose slopes catch the light, and a tone in [0, 1] between the dark and the
bright colour of the material.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.simulation.rendering.noise import Tile, ramp, ranked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.noise import Field

    Relief: TypeAlias = tuple[Field, Field]
    Colour: TypeAlias = tuple[float, float, float]

_Painter: TypeAlias = 'Callable[[Tile, np.random.Generator, int], Relief]'


@dataclass(frozen=True, slots=True)
class Material:
    """How a tile is painted.

    Attributes:
        dark: Albedo at tone 0, linear RGB.
        bright: Albedo at tone 1.
        paint: Gives height (m) and tone, by level of unevenness.
        marked: How well road marks hold on it, in [0, 1].
        seams: Tone of its tar seams and patches, by level.
        holes: Depth of its potholes, in [0, 1], by level.
        spread: Change of the tone over some metres.
    """

    dark: Colour
    bright: Colour
    paint: _Painter
    marked: float = 0.0
    seams: tuple[float, float, float] = (0.0, 0.0, 0.0)
    holes: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spread: float = 0.1

    def traits(self, level: int) -> tuple[tuple[float, ...], ...]:
        """Give what the shader knows of it, three rows of four."""
        return (
            (*self.dark, self.marked),
            (*self.bright, self.spread),
            (self.seams[level], self.holes[level], float(level), 0.0),
        )


def _asphalt(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    grain = tile.band(rng, 0.022)
    coarse = tile.fractal(rng, 2.0, 0.1, 0.6)
    tone = 0.40 + (0.085, 0.10, 0.13)[level] * grain + (0.025, 0.04, 0.06)[level] * coarse
    bright = ramp(1.9, 2.6, tile.band(rng, 0.03))
    tone += 0.28 * bright
    height = 0.0007 * (1 + level) * grain
    if level:
        near, far, _ = tile.cells(rng, (3, 9)[level - 1], (9, 27)[level - 1], 1.0)
        crooked = far - near + (0.05, 0.09)[level - 1] * tile.fractal(rng, 0.4, 0.03, 0.7)
        where = ramp((0.55, -0.1)[level - 1], (1.0, 0.5)[level - 1], tile.fractal(rng, 3.0, 0.5))
        crack = ramp((0.030, 0.075)[level - 1], 0.0, np.abs(crooked)) * where
        tone -= 0.36 * crack
        height -= 0.006 * level * crack
    if level == 2:
        crumbled = ramp(1.0, 1.5, tile.fractal(rng, 1.2, 0.05, 0.6))
        tone += crumbled * (0.10 + 0.10 * tile.band(rng, 0.05))
        height -= 0.012 * crumbled * (1 + 0.3 * tile.band(rng, 0.06))
    return height, tone


def _concrete(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    rows = (np.arange(tile.pixels, dtype=np.float32)[:, None] + 0.5) / tile.pixels
    columns = rows.T
    slabs = 2
    along = np.abs((rows * slabs + 0.5) % 1 - 0.5) * tile.along_m / slabs
    across = np.abs((columns + 0.5) % 1 - 0.5) * tile.across_m
    ragged = (0.0, 0.012, 0.035)[level] * np.maximum(tile.fractal(rng, 0.5, 0.05, 0.7), 0)
    joint = np.maximum(ramp(0.030, 0.012, along - ragged), ramp(0.020, 0.006, across - ragged))
    broom = tile.band(rng, 0.03, 0.25)
    slab = (rows * slabs).astype(np.intp) * np.ones((1, tile.pixels), np.intp)
    tone = 0.70 + 0.035 * broom + 0.05 * tile.fractal(rng, 3.0, 0.05, 0.6)
    tone += rng.uniform(-0.08, 0.08, slabs).astype(np.float32)[slab]
    tone -= 0.10 * ramp(0.35, 0.0, np.minimum(along, across)) * (0.6 + 0.4 * level / 2)
    tone -= (0.03, 0.07, 0.11)[level] * ramp(0.4, 1.6, tile.fractal(rng, 1.2, 0.1, 0.5))
    height = 0.0006 * broom - 0.006 * joint
    if level:
        near, far, _ = tile.cells(rng, 2 * level, 3 * level, 1.0)
        crooked = far - near + 0.06 * tile.fractal(rng, 0.6, 0.03, 0.7)
        crack = ramp(0.016 * level, 0.0, np.abs(crooked))
        crack *= ramp(0.9 - 0.7 * level, 1.2 - 0.7 * level, tile.fractal(rng, 4.0, 1.0))
        tone -= 0.5 * crack
        height -= 0.006 * level * crack
    return height, tone * (1 - joint) + 0.12 * joint


def _cobble(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    across, along = 30, 90
    jitter = (0.12, 0.22, 0.36)[level]
    near, far, index = tile.cells(rng, across, along, jitter, 0.5)
    gap = far - near
    joint = ramp(0.20 + 0.05 * level, 0.04, gap)
    stone = rng.standard_normal(across * along).astype(np.float32)
    lift = rng.standard_normal(across * along).astype(np.float32)
    rubbed = 0.06 * tile.band(rng, 0.05) + 0.05 * tile.fractal(rng, 2.0, 0.2)
    tone = 0.52 + 0.11 * stone[index] + rubbed + 0.10 * (0.5 - near)
    dome = 0.016 * np.sqrt(np.clip(1 - (near / 0.62) ** 2, 0, 1))
    height = dome * (1 - joint) + (0.0015, 0.004, 0.009)[level] * lift[index]
    height += (0.0, 0.01, 0.03)[level] * tile.fractal(rng, 2.0, 0.4)
    return height.astype(np.float32), tone * (1 - joint) + joint * (0.10 + 0.03 * rubbed)


def _gravel(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    tone = np.full((tile.pixels, tile.pixels), 0.36, np.float32)
    tone += 0.05 * tile.fractal(rng, 2.0, 0.1) + 0.05 * tile.band(rng, 0.02)
    height = 0.002 * tile.band(rng, 0.03)
    for across, share, size in ((110, 0.75, 0.012), (60, 0.5, 0.022), (26, 0.22, 0.05)):
        near, far, index = tile.cells(rng, across, 3 * across, 0.9)
        count = 3 * across * across
        kept = rng.random(count) < share * (0.8, 1.0, 1.2)[level]
        shade = (0.46 + 0.16 * rng.standard_normal(count)).astype(np.float32)
        body = ramp(0.02, 0.25, far - near) * ramp(0.62, 0.42, near) * kept[index]
        tone = tone * (1 - 0.45 * ramp(0.0, 0.5, body) * (1 - body)) * (1 - body)
        tone += body * shade[index]
        height = np.maximum(height, body * size * (0.5 + 0.25 * level) * (1 - near))
    height += (0.0, 0.008, 0.025)[level] * tile.fractal(rng, 2.0, 0.3)
    return height.astype(np.float32), tone


def _mud(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    smeared = tile.fractal(rng, 3.0, 0.03, 0.62, stretch=4.0)
    lumps = tile.fractal(rng, 0.7, 0.02, 0.62)
    clods = ramp(0.8, 1.5, tile.band(rng, 0.10))
    amount = (0.35, 0.8, 1.3)[level]
    tone = 0.42 + 0.13 * smeared + amount * (0.07 * lumps + 0.12 * clods)
    tread = np.maximum(tile.band(rng, 0.14, 0.35), 0) * ramp(0.2, 1.0, smeared)
    height = amount * (0.012 * smeared + 0.007 * lumps + 0.012 * clods + 0.006 * tread)
    return height, tone - 0.05 * amount * tread


def _pavement(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    del level
    rows = np.arange(tile.pixels, dtype=np.float32)[:, None] + 0.5
    along = (rows / tile.pixels * 24) % 1
    across = (rows.T / tile.pixels * 8) % 1
    joint = np.maximum(
        ramp(0.04, 0.015, np.minimum(along, 1 - along)),
        ramp(0.03, 0.01, np.minimum(across, 1 - across)),
    )
    index = (rows / tile.pixels * 24).astype(int) * 8 + (rows.T / tile.pixels * 8).astype(int)
    slab = rng.standard_normal(24 * 8).astype(np.float32)[index]
    tone = 0.62 + 0.05 * slab + 0.05 * tile.band(rng, 0.03) + 0.05 * tile.fractal(rng, 2.0, 0.1)
    return -0.004 * joint, tone * (1 - 0.55 * joint)


def _grass(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    del level
    blades = tile.band(rng, 0.05)
    tufts = tile.fractal(rng, 3.0, 0.1, 0.65)
    tone = 0.42 + 0.13 * blades + 0.13 * tufts
    return 0.008 * blades + 0.02 * tufts, tone


def _snow(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    del level
    drifts = tile.fractal(rng, 2.5, 0.08, 0.5)
    crumbs = ramp(1.2, 2.2, tile.band(rng, 0.06))
    grains = tile.band(rng, 0.03)
    tone = 0.86 + 0.02 * drifts + 0.02 * grains + 0.06 * crumbs
    return 0.012 * drifts + 0.006 * crumbs + 0.0006 * grains, tone


def _slush(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    del level
    heaps = tile.fractal(rng, 1.0, 0.03, 0.66, stretch=2.0)
    crumbs = tile.band(rng, 0.07)
    return 0.012 * heaps + 0.004 * crumbs, ranked(heaps + 0.35 * crumbs)


def _ice(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    del level
    frost = ramp(0.2, 1.7, tile.fractal(rng, 2.5, 0.05, 0.6))
    near, far, _ = tile.cells(rng, 3, 8, 1.0)
    crooked = far - near + 0.05 * tile.fractal(rng, 0.8, 0.04, 0.6)
    crack = ramp(0.020, 0.0, np.abs(crooked)) * ramp(-0.2, 0.6, tile.fractal(rng, 3.0, 0.5))
    tone = 0.28 + 0.05 * tile.fractal(rng, 2.0, 0.2) + 0.55 * frost + 0.35 * crack
    return 0.004 * tile.fractal(rng, 1.5, 0.25, 0.45) + 0.0008 * frost, tone


def _ripples(tile: Tile, rng: np.random.Generator, level: int) -> Relief:
    """Rings of rain drops on water; the tone is not used."""
    del level
    near, _, index = tile.cells(rng, 26, 78, 0.8)
    age = rng.random(26 * 78).astype(np.float32)[index]
    ring = np.cos((near - 0.45 * age) * 45) * np.exp(-(((near - 0.45 * age) / 0.07) ** 2))
    height = 0.0016 * ring * (1 - age)
    return height.astype(np.float32), np.full_like(height, 0.5)


GROUNDS = {
    'asphalt': Material(
        (0.034, 0.034, 0.035),
        (0.310, 0.302, 0.288),
        _asphalt,
        marked=1.0,
        seams=(0.12, 0.5, 0.8),
        holes=(0.0, 0.15, 1.0),
        spread=0.16,
    ),
    'concrete': Material(
        (0.10, 0.095, 0.088),
        (0.50, 0.485, 0.45),
        _concrete,
        marked=0.9,
        seams=(0.0, 0.15, 0.4),
        holes=(0.0, 0.0, 0.7),
    ),
    'cobble': Material(
        (0.030, 0.027, 0.023),
        (0.36, 0.34, 0.32),
        _cobble,
        marked=0.3,
        holes=(0.0, 0.1, 0.5),
        spread=0.2,
    ),
    'gravel': Material(
        (0.075, 0.060, 0.043),
        (0.60, 0.545, 0.465),
        _gravel,
        holes=(0.1, 0.5, 1.0),
        spread=0.25,
    ),
    'mud': Material(
        (0.040, 0.026, 0.014),
        (0.225, 0.155, 0.095),
        _mud,
        holes=(0.3, 0.6, 1.0),
        spread=0.35,
    ),
}
"""By material class."""

BESIDES = {
    'pavement': Material((0.08, 0.077, 0.072), (0.36, 0.35, 0.33), _pavement),
    'grass': Material((0.010, 0.018, 0.005), (0.155, 0.175, 0.075), _grass, spread=0.3),
}
COVERS = {
    'ice': Material((0.17, 0.21, 0.245), (0.74, 0.80, 0.85), _ice),
    'snow': Material((0.30, 0.33, 0.37), (0.92, 0.93, 0.95), _snow),
    'slush': Material((0.085, 0.073, 0.058), (0.64, 0.62, 0.585), _slush),
    'ripples': Material((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), _ripples),
}
"""In the order in which the shader numbers them."""


def painted(
    material: Material, tile: Tile, rng: np.random.Generator, level: int
) -> NDArray[np.uint8]:
    """Paint a tile, uint8 (pixels, pixels, 4).

    Channels: slope across and along, 128 for level and 127 for a slope of 1; tone; height, from
    the 2nd to the 98th percentile.
    """
    height, tone = material.paint(tile, rng, level)
    low, high = np.percentile(height, (2, 98))
    relative = (height - low) / max(high - low, 1e-6)
    channels = np.concatenate(
        [128 + 127 * tile.slope(height), 255 * np.stack([tone, relative], axis=-1)], axis=-1
    )
    return np.asarray(np.clip(np.rint(channels), 0, 255), np.uint8)


def macro_tile(tile: Tile, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint what varies over metres, uint8 (pixels, pixels, 4).

    Channels: change of tone; noise that is even in [0, 1]; seams and patches, 128 where there
    are none; depth of potholes.
    """
    tone = 0.5 + 0.17 * tile.fractal(rng, 12.0, 0.1, 0.55)
    even = ranked(tile.fractal(rng, 6.0, 0.1, 0.5))
    seams = np.full(even.shape, 0.5, np.float32)
    steps = (np.arange(tile.pixels, dtype=np.float32) + 0.5) / tile.pixels
    x, y = np.meshgrid(steps * tile.across_m, steps * tile.along_m)
    for _ in range(5):
        left, front = rng.uniform(2, tile.across_m - 5), rng.uniform(3, tile.along_m - 9)
        wide, long, tone_change = rng.uniform(0.8, 2.8), rng.uniform(1.5, 6.0), rng.normal(0, 0.2)
        inside = np.maximum(
            np.abs(x - left - wide / 2) - wide / 2, np.abs(y - front - long / 2) - long / 2
        )
        seams += np.float32(tone_change) * ramp(0.05, -0.05, inside)
        seams -= 0.25 * ramp(0.09, 0.02, np.abs(inside))
    wander = 0.25 * tile.fractal(rng, 8.0, 0.3, 0.6)
    near, far, _ = tile.cells(rng, 3, 4, 1.0)
    tar = ramp(0.025, 0.008, np.abs(far - near + 0.12 * wander))
    seams -= 0.32 * tar * ramp(-0.3, 0.3, tile.fractal(rng, 10.0, 2.0))
    near, _, index = tile.cells(rng, 9, 18, 0.9)
    size = rng.uniform(-0.25, 0.34, 9 * 18).astype(np.float32)[index]
    ragged = near + 0.05 * tile.fractal(rng, 1.0, 0.1, 0.6)
    holes = ramp(0.0, 0.10, size - ragged)
    channels = np.stack([tone, even, seams, holes], axis=-1)
    return np.asarray(np.clip(np.rint(255 * channels), 0, 255), np.uint8)
