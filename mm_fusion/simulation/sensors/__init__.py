# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Satellite receiver, wheel speed and yaw rate, and the clocks of all sensors."""

from __future__ import annotations

from mm_fusion.simulation.sensors.clocks import Clock, instants
from mm_fusion.simulation.sensors.gnss import gnss_fixes
from mm_fusion.simulation.sensors.velocity import velocities

__all__ = ['Clock', 'gnss_fixes', 'instants', 'velocities']
