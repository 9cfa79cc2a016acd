# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera of the simulator: an OpenGL renderer that needs no display and no graphics card."""

from mm_fusion.simulation.rendering.context import create_context
from mm_fusion.simulation.rendering.renderer import CameraRenderer

__all__ = ['CameraRenderer', 'create_context']
