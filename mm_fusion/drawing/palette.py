# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Colours: those of the pictures, and those of the classes, one for each in their order."""

from __future__ import annotations

from typing import TypeAlias

Colour: TypeAlias = tuple[int, int, int]

PAGE: Colour = (14, 18, 25)
CARD: Colour = (23, 29, 39)
LINE: Colour = (48, 57, 72)
INK: Colour = (234, 238, 245)
MUTED: Colour = (143, 154, 171)
BLUE: Colour = (96, 156, 255)
GOOD: Colour = (82, 191, 142)
WARN: Colour = (240, 184, 72)
BAD: Colour = (243, 92, 116)
"""The dark scheme of the report."""

FRICTION_COLOURS = ('#c9a35f', '#5b8fd6', '#2c5aa8', '#c8d6e5', '#9a8fc0', '#45b8c9')
MATERIAL_COLOURS = ('#66707d', '#a9b0ba', '#b3886a', '#d8ba85', '#7d5636')
UNEVENNESS_COLOURS = ('#82bf9b', '#e8b84a', '#cf5260')
MODALITY_COLOURS = ('#5b8fd6', '#b379c4', '#d99a4e', '#5aaf86')


def colour(text: str) -> Colour:
    """Read ``#rrggbb``."""
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
