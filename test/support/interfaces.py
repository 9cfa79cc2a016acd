# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of simulators whose packages are not in the ROS wheels, built once and kept.

They are found only while :func:`simulator_messages` is entered, since other tests rely on their
absence.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.setup_workspace import hash_of_files
from tools.workspace_env import ROOT, Workspace, workspace_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = ROOT / 'test' / 'interfaces'
PACKAGES = ('autoware_vehicle_msgs', 'derived_object_msgs')


def built_interfaces() -> Path:
    """Build the packages where that has not been done, and return what they are installed to."""
    workspace = Workspace(os.environ['ROS_WHEELS'])
    wheels = ROOT / 'requirements' / f'ros-{workspace.distribution}.txt'
    sources = [path for path in SOURCES.rglob('*') if path.is_file()]
    key = hash_of_files(ROOT, [*sources, wheels])[:16]
    folder = workspace.folder / 'test_interfaces' / key
    folder.mkdir(parents=True, exist_ok=True)
    install, complete = folder / 'install', folder / 'complete'
    with (folder / 'lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            for left in ('build', 'install'):
                shutil.rmtree(folder / left, ignore_errors=True)
            _build(workspace, folder)
            complete.touch()
    return install


def _build(workspace: Workspace, folder: Path) -> None:
    environment = workspace_environment(workspace, os.environ)
    environment['AMENT_PREFIX_PATH'] = environment['CMAKE_PREFIX_PATH'] = str(workspace.venv)
    environment['COLCON_HOME'] = str(workspace.folder / 'colcon')
    environment.pop('PYTHONPATH')
    command = [str(workspace.venv / 'bin' / 'colcon'), '--log-base', str(folder / 'log'), 'build']
    command += ['--merge-install', '--base-paths', str(SOURCES)]
    command += ['--build-base', str(folder / 'build'), '--install-base', str(folder / 'install')]
    command += ['--cmake-args', '-DBUILD_TESTING=OFF', f'-DPython3_EXECUTABLE={workspace.python}']
    # The libraries find each other without LD_LIBRARY_PATH, which is read at the start alone.
    command += [f'-DCMAKE_INSTALL_RPATH={folder / "install" / "lib"}']
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def simulator_messages() -> Iterator[None]:
    """Put the packages on the path of this process for a while."""
    install = built_interfaces()
    # The middleware asks for these by name alone, and gets those that are loaded.
    for library in sorted((install / 'lib').glob('lib*.so')):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    site = next((install / 'lib').glob('python3*/site-packages'))
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for name in [name for name in sys.modules if name.split('.')[0] in PACKAGES]:
            del sys.modules[name]
