# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Colours of the classes, one for each in their order, and of the sensors."""

from __future__ import annotations

FRICTION_COLOURS = ('#c9a35f', '#5b8fd6', '#2c5aa8', '#c8d6e5', '#9a8fc0', '#45b8c9')
MATERIAL_COLOURS = ('#66707d', '#a9b0ba', '#b3886a', '#d8ba85', '#7d5636')
UNEVENNESS_COLOURS = ('#82bf9b', '#e8b84a', '#cf5260')
MODALITY_COLOURS = ('#5b8fd6', '#b379c4', '#d99a4e', '#5aaf86')
