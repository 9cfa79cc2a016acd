# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Environment of the workspace: its own ROS, whatever ROS the calling shell has sourced.

As a script (by ``tools/run``) it replaces itself with a command in that environment. It runs
before ``site`` and imports the standard library only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ('kilted', 'jazzy')
PACKAGES = ('mm_fusion', 'mm_fusion_msgs')

# What a sourced setup.bash, an active virtual environment or a parent make leaves behind.
# ROS_DOMAIN_ID, ROS_AUTOMATIC_DISCOVERY_RANGE, ROS_LOG_DIR and the like are the user's wishes.
_FOREIGN_PREFIXES = ('AMENT_', 'COLCON_')
_FOREIGN = frozenset(
    {
        'CMAKE_PREFIX_PATH',
        'MAKEFLAGS',
        'MAKELEVEL',
        'MFLAGS',
        'PIP_PREFIX',
        'PIP_TARGET',
        'PIP_USER',
        'PKG_CONFIG_PATH',
        'PYTHONHOME',
        'PYTHONPATH',
        'RMW_IMPLEMENTATION',
        'ROS_DISTRO',
        'ROS_ETC_DIR',
        'ROS_MASTER_URI',
        'ROS_PACKAGE_PATH',
        'ROS_PYTHON_VERSION',
        'ROS_ROOT',
        'ROS_VERSION',
        'VIRTUAL_ENV',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE',
    }
)
# Variables that list the prefixes of a sourced ROS; their entries are taken off the search paths.
_PREFIX_LISTS = ('AMENT_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'CMAKE_PREFIX_PATH')
_SEARCH_PATHS = ('PATH', 'LD_LIBRARY_PATH')
_ROS_HOME = '/opt/ros'


class Workspace:
    """Folders of the workspace of one ROS distribution.

    Args:
        distribution: One of ``DISTRIBUTIONS``.
        root: Repository root.
    """

    def __init__(self, distribution: str, root: Path = ROOT) -> None:
        self.distribution = distribution
        self.root = root
        self.folder = root / '.workspace' / distribution
        self.venv = self.folder / 'venv'
        self.build = self.folder / 'build'
        self.install = self.folder / 'install'
        self.log = self.folder / 'log'
        self.graphics = self.folder / 'graphics'

    @property
    def python(self) -> Path:
        """Interpreter of the virtual environment."""
        return self.venv / 'bin' / 'python'

    def site_packages(self, prefix: Path) -> Path:
        """Give the site-packages folder under a prefix, for the workspace's Python version."""
        found = sorted((self.venv / 'lib').glob('python3.*'))
        name = found[0].name if found else 'python3'
        return prefix / 'lib' / name / 'site-packages'


def without_foreign_ros(environment: Mapping[str, str]) -> dict[str, str]:
    """Take a sourced ROS, an active virtual environment and a parent make out."""
    prefixes = {_ROS_HOME}
    for name in _PREFIX_LISTS:
        prefixes.update(filter(None, environment.get(name, '').split(os.pathsep)))
    if 'VIRTUAL_ENV' in environment:
        prefixes.add(environment['VIRTUAL_ENV'])
    clean = {
        name: value
        for name, value in environment.items()
        if name not in _FOREIGN and not name.startswith(_FOREIGN_PREFIXES)
    }
    for name in _SEARCH_PATHS:
        kept = [entry for entry in clean.get(name, '').split(os.pathsep) if entry]
        kept = [entry for entry in kept if not _is_under(entry, prefixes)]
        if kept:
            clean[name] = os.pathsep.join(kept)
        else:
            clean.pop(name, None)
    return clean


def workspace_environment(workspace: Workspace, environment: Mapping[str, str]) -> dict[str, str]:
    """Make the environment in which the workspace's ROS and packages are found, and no other.

    ``LD_LIBRARY_PATH`` is complete, so the wheels' start-up hook, which would run the interpreter
    a second time with an unordered path, is told that its work is done.
    """
    clean = without_foreign_ros(environment)
    installs = [workspace.install / name for name in PACKAGES]
    bundled = sorted(workspace.site_packages(workspace.venv).glob('ros_*.libs'))
    clean['ROS_DISTRO'] = workspace.distribution
    clean['ROS_VERSION'] = '2'
    clean['ROS_WHEELS'] = workspace.distribution
    clean['VIRTUAL_ENV'] = str(workspace.venv)
    clean['_ROS_WHEELS_BOOTSTRAP_COMPLETE'] = '1'
    clean['AMENT_PREFIX_PATH'] = _joined([*installs, workspace.venv])
    # colcon installs in development mode: the modules are links in the build folder.
    modules = [workspace.site_packages(prefix) for prefix in installs]
    clean['PYTHONPATH'] = _joined([workspace.build / 'mm_fusion', *modules])
    libraries = [*(prefix / 'lib' for prefix in installs), workspace.venv / 'lib', *bundled]
    clean['LD_LIBRARY_PATH'] = _joined([*libraries, clean.get('LD_LIBRARY_PATH', '')])
    clean.update(_graphics_environment(workspace.graphics, clean))
    programs = [workspace.install / 'mm_fusion' / 'lib' / 'mm_fusion', workspace.venv / 'bin']
    clean['PATH'] = _joined([*programs, clean.get('PATH', os.defpath)])
    return clean


def _graphics_environment(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Lead to the EGL and Mesa in a folder where they were unpacked; nothing where it is not."""
    if not folder.is_dir():
        return {}
    places = sorted([*folder.glob('usr/lib/*-linux-gnu'), *folder.glob('lib/*-linux-gnu')])
    vendors = Path('share', 'glvnd', 'egl_vendor.d')
    # The system's own come after it: an NVIDIA driver may be there.
    files = [folder / 'usr' / vendors, Path('/etc/glvnd/egl_vendor.d'), Path('/usr') / vendors]
    return {
        'LD_LIBRARY_PATH': _joined([environment.get('LD_LIBRARY_PATH', ''), *places]),
        'LIBGL_DRIVERS_PATH': _joined(place / 'dri' for place in places),
        '__EGL_VENDOR_LIBRARY_DIRS': _joined(files),
    }


def _is_under(entry: str, prefixes: Iterable[str]) -> bool:
    return any(
        entry == prefix or entry.startswith(prefix.rstrip('/') + '/') for prefix in prefixes
    )


def _joined(entries: Iterable[Path | str]) -> str:
    return os.pathsep.join(str(entry) for entry in entries if str(entry))


def main(arguments: list[str]) -> int:
    """Replace this process with a command in the workspace; return only when that fails."""
    if not arguments:
        print('usage: tools/run COMMAND [ARGUMENT]...', file=sys.stderr)
        return 2
    distribution = os.environ.get('ROS_WHEELS') or DISTRIBUTIONS[0]
    if distribution not in DISTRIBUTIONS:
        known = ' or '.join(DISTRIBUTIONS)
        print(f'error: ROS_WHEELS is {distribution!r}, expected {known}', file=sys.stderr)
        return 2
    environment = workspace_environment(Workspace(distribution), os.environ)
    os.environ['PATH'] = environment['PATH']
    try:
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - the user's own command
    except OSError as error:
        print(f'error: cannot run {arguments[0]}: {error.strerror}', file=sys.stderr)
    return 127


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
