# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Check that this machine can build and run the workspace; each problem is one line."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_GLIBC = (2, 28)
_MODULES = 'cv2 matplotlib numpy onnxruntime pymap3d rclpy rosbags scipy.signal soundfile yaml'
_IMPORT = f"""
import importlib, sys
for name in {_MODULES.split()!r}:
    try:
        importlib.import_module(name)
    except (ImportError, OSError) as error:
        sys.exit(f'{{name}}: {{error}}')
"""
# Debian and Ubuntu packages of the system libraries that the wheels leave to the system.
_LIBRARY_PACKAGES = {
    'libgcc_s.so.1': 'libgcc-s1',
    'libstdc++.so.6': 'libstdc++6',
    'libz.so.1': 'zlib1g',
}


_INSTALL = 'install a C and C++ compiler (Debian, Ubuntu: apt install g++; Fedora: gcc-c++)'


class SetupError(Exception):
    """The workspace cannot be made; the message says what was found and what to do about it."""


def check_platform(
    system: str = sys.platform,
    machine: str | None = None,
    libc: tuple[str, str] | None = None,
) -> None:
    """Refuse a platform that the ROS wheels are not made for.

    Args:
        system: As ``sys.platform``.
        machine: As ``platform.machine()``.
        libc: As ``platform.libc_ver()``.

    Raises:
        SetupError: It is not Linux on x86-64 with glibc 2.28 or newer.
    """
    machine = platform.machine() if machine is None else machine
    name, version = platform.libc_ver() if libc is None else libc
    numbers = tuple(int(number) for number in re.findall(r'\d+', version)[:2])
    if system == 'linux' and machine in {'x86_64', 'AMD64'} and name == 'glibc':
        if numbers >= _GLIBC:
            return
    found = f'{system} on {machine} with {name or "an unknown C library"} {version}'.rstrip()
    raise SetupError(
        f'there are no ROS wheels for {found}: they need Linux on x86-64 with glibc 2.28 or newer;'
        ' elsewhere install ROS 2 from its own packages and build with colcon (see README.md)'
    )


def check_compilers(environment: Mapping[str, str]) -> None:
    """Compile one C file that includes ``Python.h`` and one C++ file.

    Args:
        environment: Environment of the build; ``CC`` and ``CXX`` are honoured, as by CMake.

    Raises:
        SetupError: A compiler, its library headers or the Python headers are missing.
    """
    include = sysconfig.get_path('include')
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    c_compiler = _compiler('C', environment.get('CC'), ('cc', 'gcc', 'clang'))
    cxx_compiler = _compiler('C++', environment.get('CXX'), ('c++', 'g++', 'clang++'))
    probes = (
        (c_compiler, 'probe.c', '#include <stdio.h>', f'the C compiler fails: {_INSTALL}'),
        (cxx_compiler, 'probe.cpp', '#include <string>', f'the C++ compiler fails: {_INSTALL}'),
        (
            [*c_compiler, f'-I{include}'],
            'python.c',
            '#include <Python.h>',
            f'no Python.h in {include}: install the headers of Python {version}'
            f' (Debian, Ubuntu: apt install python{version}-dev; Fedora: python3-devel)',
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        for command, name, text, problem in probes:
            if not _compiles(command, folder, name, text + '\n'):
                raise SetupError(problem)


def check_imports(python: Path, environment: Mapping[str, str]) -> None:
    """Import every compiled dependency once, to find missing system libraries.

    Args:
        python: Interpreter of the virtual environment.
        environment: Environment of the workspace.

    Raises:
        SetupError: An import failed; the line names the library and, where known, its package.
    """
    done = subprocess.run(
        [str(python), '-c', _IMPORT],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    lines = done.stderr.strip().splitlines()
    reason = lines[-1] if lines else f'exit status {done.returncode}'
    missing = re.search(r'(\S+\.so[.\d]*): cannot open shared object file', reason)
    if missing is None:
        raise SetupError(f'an installed package cannot be imported: {reason}')
    library = missing.group(1)
    package = _LIBRARY_PACKAGES.get(library)
    hint = f'Debian, Ubuntu: apt install {package}' if package else f'the package with {library}'
    raise SetupError(f'the system library {library} is missing: install it ({hint})')


def _compiler(language: str, wish: str | None, names: tuple[str, ...]) -> list[str]:
    if wish:
        command = shlex.split(wish)
        if shutil.which(command[0]) is None:
            raise SetupError(f'the {language} compiler {command[0]} is not on the PATH')
        return command
    for name in names:
        if shutil.which(name) is not None:
            return [name]
    raise SetupError(
        f'no {language} compiler, and the ROS interfaces are compiled with C and C++: {_INSTALL}'
    )


def _compiles(command: list[str], folder: str, name: str, text: str) -> bool:
    source = Path(folder, name)
    source.write_text(text, encoding='ascii')
    done = subprocess.run(
        [*command, '-c', str(source), '-o', os.devnull],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
