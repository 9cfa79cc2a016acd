# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading shaders, and giving programs their uniforms."""

from __future__ import annotations

from importlib import resources
from typing import Any

import moderngl

VERSION = '#version 330 core\n'


def read_shader(name: str) -> str:
    """Read a file of the folder ``shaders`` of this package."""
    return (resources.files(__package__) / 'shaders' / name).read_text('utf-8')


def assign(program: moderngl.Program, **uniforms: Any) -> None:
    """Set uniforms by name; those that the compiler found no use for are left out.

    Args:
        program: What they belong to.
        uniforms: A matrix is given as bytes, column by column.
    """
    for name, value in uniforms.items():
        if name not in program:
            continue
        uniform = program[name]
        if not isinstance(uniform, moderngl.Uniform):
            raise TypeError(f'{name}: found {type(uniform).__name__}, expected a uniform')
        if isinstance(value, bytes):
            uniform.write(value)
        else:
            uniform.value = value
