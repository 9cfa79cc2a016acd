# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Independent random numbers for each part of a drive, from its one seed."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Make the generator of one part: what the others draw does not change what it draws.

    Args:
        seed: Of the scenario.
        names: Of the part, such as ``'gnss', 'multipath'``.
    """
    words = [zlib.crc32(name.encode()) for name in names]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
