# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the profiles of the package lie."""

from __future__ import annotations

from pathlib import Path

PROFILES = Path(__file__).resolve().parents[2] / 'config' / 'simulators'
