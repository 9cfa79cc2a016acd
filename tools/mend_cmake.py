# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Mend the paths of the build machine that the ROS wheels' CMake files contain.

The wheels were built in an image that keeps Python in ``/opt/python/cpXY-cpXY``; their exported
targets name its include folder and the numpy headers in it. CMake stops at include folders that
do not exist, so both are rewritten to those of this interpreter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IMAGE = r'/opt/python/cp3\d+-cp3\d+'
_NUMPY_INCLUDE = re.compile(
    _IMAGE + r'/lib/python3\.\d+/site-packages/numpy/_?core/include(?=[;"\s]|$)'
)
_PYTHON_INCLUDE = re.compile(_IMAGE + r'/include/python3\.\d+(?=[;"\s]|$)')


def mend_text(text: str, python_include: str, numpy_include: str) -> str:
    """Rewrite both paths in the text of one CMake file."""
    text = _NUMPY_INCLUDE.sub(lambda _: numpy_include, text)
    return _PYTHON_INCLUDE.sub(lambda _: python_include, text)


def mend(prefix: Path, python_include: str, numpy_include: str) -> list[Path]:
    """Rewrite both paths in all CMake files under ``prefix/share``.

    Args:
        prefix: Prefix that the wheels are installed to.
        python_include: Folder of ``Python.h``.
        numpy_include: Folder of ``numpy/arrayobject.h``.

    Returns:
        The files that changed; none on a second call.

    Raises:
        ValueError: A file still names the build image, in a way that is not known.
    """
    changed = []
    for path in sorted(prefix.glob('share/*/cmake/*.cmake')):
        text = path.read_text(encoding='utf-8')
        mended = mend_text(text, python_include, numpy_include)
        rest = re.search(_IMAGE + r'[^;"\s]*', mended)
        if rest is not None:
            raise ValueError(f'{path} names {rest.group()}, which is not known how to mend')
        if mended != text:
            path.write_text(mended, encoding='utf-8')
            changed.append(path)
    return changed
