# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads of a scenario, generated from its seed."""

from mm_fusion.simulation.layout.network import generate_roads

__all__ = ['generate_roads']
