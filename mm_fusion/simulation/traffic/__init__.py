# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Who drives where: car following, lane keeping, traffic lights, friction, sirens."""

from mm_fusion.simulation.traffic.simulation import simulate_world

__all__ = ['simulate_world']
