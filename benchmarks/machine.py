# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a figure was measured on."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from pathlib import Path

_PACKAGES = ('onnxruntime', 'torch', 'numpy', 'opencv-python-headless', 'rosbags')
_CPU_NAMES = ('model name', 'Hardware', 'CPU part')


def describe() -> dict[str, str]:
    """Name cores, processor, memory, Python, packages and ROS, each where it is known."""
    found = {
        'cores': str(len(os.sched_getaffinity(0))),
        'processor': processor(Path('/proc/cpuinfo').read_text(encoding='utf-8')),
        'memory': f'{os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30:.0f} GiB',
        'python': platform.python_version(),
        'load': f'{os.getloadavg()[0]:.2f}',
    }
    found |= {package: version for package in _PACKAGES if (version := _version(package))}
    if 'ROS_DISTRO' in os.environ:
        found['ros'] = os.environ['ROS_DISTRO']
    if importlib.util.find_spec('rclpy') is not None:
        import rclpy

        found['rmw'] = rclpy.get_rmw_implementation_identifier()
    return found


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ''


def processor(cpuinfo: str) -> str:
    """Take the name of the processor from the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(':')
        if name.strip() in _CPU_NAMES and value.strip():
            return value.strip()
    return platform.machine()


def sentence(machine: dict[str, str]) -> str:
    """Say it in one line."""
    known = dict(machine)
    cores, cpu, memory, load = (known.pop(n) for n in ('cores', 'processor', 'memory', 'load'))
    versions = ', '.join(f'{name} {version}' for name, version in known.items())
    return f'{cores} cores of {cpu}, {memory}; {versions}; load {load} before'
