# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Gets a GL context that needs neither a display nor a graphics card."""

from __future__ import annotations

from typing import Any

import moderngl

from mm_fusion.errors import RenderError

_ADVICE = 'apt install libegl1 libgl1 libgl1-mesa-dri'


def create_context() -> moderngl.Context:
    """Make an OpenGL 3.3 context through EGL, on Mesa's software driver where there is no other.

    Mesa's llvmpipe starts a thread for each core; ``LP_NUM_THREADS`` in the environment sets
    another number. The caller releases the context.

    Raises:
        RenderError: EGL, GL or a driver of version 3.3 is missing; the message is one line.
    """
    # The names of the runtime packages: those without a number come with the -dev packages only.
    settings: dict[str, Any] = {
        'backend': 'egl',
        'libgl': 'libGL.so.1',
        'libegl': 'libEGL.so.1',
    }
    try:
        return moderngl.create_context(require=330, standalone=True, **settings)
    # glcontext raises nothing narrower.
    except Exception as error:
        reason = ' '.join(str(error).split())
        raise RenderError(
            f'camera of the simulator: no OpenGL 3.3 through EGL ({reason}); on Debian and Ubuntu '
            f'{_ADVICE}'
        ) from error
