# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Hills and woods far away, all around: they move with the camera."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.mesh import CLASS, SOLID_VERTEX, Material, Mesh, solid_strip

if TYPE_CHECKING:
    from mm_fusion.simulation.rendering.mesh import Triangles

_COUNT = 180


def make_backdrop(rng: np.random.Generator) -> Triangles:
    """Make rings of hills and of woods around the origin."""
    mesh = Mesh(SOLID_VERTEX)
    rings = (
        (1900.0, 26.0, 30.0, 3, (0.060, 0.085, 0.045)),
        (900.0, 9.0, 9.0, 9, (0.032, 0.050, 0.020)),
        (640.0, 2.0, 8.0, 17, (0.040, 0.062, 0.024)),
    )
    angles = np.linspace(0, -2 * math.pi, _COUNT + 1)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for radius, height, swing, cycles, colour in rings:
        waves = np.zeros(_COUNT + 1)
        for k in range(1, 5):
            phase = rng.uniform(0, 2 * math.pi)
            waves += np.sin(cycles * k * angles + phase) / k
        rough = rng.uniform(-0.12, 0.12, _COUNT) * swing
        top = np.maximum(height + swing * waves / 1.5 + np.append(rough, rough[0]), -1.0)
        rows = np.empty((_COUNT + 1, 2, 3))
        rows[..., :2] = radius * circle[:, None]
        rows[:, 0, 2], rows[:, 1, 2] = -3.0, top
        look = CLASS['vegetation'], Material.PLAIN, 0
        vertices, triangles = solid_strip(rows[::-1], colour, look)
        # Lit like slopes that face the middle.
        vertices['normal'][:, :2] = vertices['normal'][:, :2] * 0.6
        vertices['normal'][:, 2] = 100
        mesh.add(vertices, triangles, 0.0)
    return mesh.finish()
