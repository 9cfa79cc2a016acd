# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the files under ``config/`` are: in the source tree, or where the package is installed."""

from __future__ import annotations

import os
from pathlib import Path

import mm_fusion
from mm_fusion.errors import MmFusionError


def config_path(name: str) -> Path:
    """Find a file or folder under ``config/``.

    Args:
        name: Relative to ``config/``.

    Raises:
        MmFusionError: The package is installed without it; the message lists the places.
    """
    package = Path(mm_fusion.__file__).resolve().parent
    prefixes = [
        Path(prefix) for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    ]
    # Of an installation that no environment names: <prefix>/lib/python3.x/site-packages/mm_fusion.
    prefixes += package.parents[3:4]
    places = [package.parent, *(prefix / 'share' / 'mm_fusion' for prefix in prefixes)]
    for place in places:
        if (place / 'config' / name).exists():
            return place / 'config' / name
    raise MmFusionError(f'config/{name}: not found in {", ".join(map(str, places))}')
