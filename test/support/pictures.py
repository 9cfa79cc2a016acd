# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures and sounds of one colour or level that are as little alike as those of real sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def picture(
    height: int, width: int, colour: tuple[int, ...], seed: int = 0, block: int = 4
) -> NDArray[np.uint8]:
    """Paint a chessboard of a colour and a darker shade of it, which the seed chooses.

    Args:
        height: Rows.
        width: Columns.
        colour: By channel.
        seed: Of the shade.
        block: Side of a field, pixels; larger than a pixel of the network, or nothing is seen.

    Returns:
        uint8 (height, width, channels), in the order of the channels of the colour.
    """
    shade = np.random.default_rng(seed).uniform(0.5, 0.7)
    rows, columns = np.mgrid[:height, :width] // block
    dark = ((rows + columns) % 2 == 1)[..., np.newaxis]
    return np.where(dark, np.multiply(colour, shade), colour).astype(np.uint8)


def noise(count: int, level: float, seed: int = 0) -> NDArray[np.float32]:
    """Make sound of random signs, float32 (count,), whose magnitude is the level throughout."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], count)
    return (level * signs).astype(np.float32)
