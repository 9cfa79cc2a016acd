# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the workspace: virtual environment, ROS wheels, both packages built with colcon.

Run as ``python -m tools.setup_workspace`` from the repository root (``make setup`` does). What is
made is recorded with a hash of what it was made from, only after it is whole; a second call
compares hashes and does nothing, and what an interrupted call left behind is made again.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from typing import TYPE_CHECKING

from tools.check_machine import SetupError, check_compilers, check_imports, check_platform
from tools.graphics import PACKAGES as GRAPHICS_PACKAGES
from tools.graphics import Graphics
from tools.mend_cmake import mend
from tools.workspace_env import (
    DISTRIBUTIONS,
    PACKAGES,
    ROOT,
    Workspace,
    without_foreign_ros,
    workspace_environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_CORE = 'core'
_EXTRAS = ('test', 'train', 'fuzz')
_LOG_TAIL_LINES = 25
_PATHS_OF_VENV = """
import numpy, sysconfig
print(sysconfig.get_path('include'))
print(numpy.get_include())
"""


def hash_of(parts: Iterable[bytes]) -> str:
    """Hash a sequence of byte strings, lengths included."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, 'little'))
        digest.update(part)
    return digest.hexdigest()


def hash_of_files(root: Path, files: Iterable[Path]) -> str:
    """Hash the names, relative to ``root``, and contents of files."""
    parts: list[bytes] = []
    for path in sorted(files):
        parts += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
    return hash_of(parts)


def requirement_files(root: Path, layer: str, distribution: str) -> list[Path]:
    """List the requirement files of a layer of the virtual environment."""
    names = ['base', 'build', f'ros-{distribution}'] if layer == _CORE else [layer]
    return [root / 'requirements' / f'{name}.txt' for name in names]


class Record:
    """What has been made, by name, with the hash of what it was made from; kept in a file.

    Args:
        path: The JSON file; one that is absent or damaged is an empty record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            made = json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            made = {}
        self._made: dict[str, str] = made if isinstance(made, dict) else {}

    def names(self) -> frozenset[str]:
        """Name everything that is made."""
        return frozenset(self._made)

    def holds(self, name: str, key: str) -> bool:
        """Tell whether ``name`` was made from what ``key`` is the hash of."""
        return self._made.get(name) == key

    def forget(self) -> None:
        """Forget everything until the next :meth:`save`, so that an interruption is noticed."""
        self.path.unlink(missing_ok=True)

    def save(self, **made: str) -> None:
        """Add entries and write the file in one step."""
        self._made.update(made)
        self._write()

    def remove(self, name: str) -> None:
        """Take one entry out, before what it stands for is touched."""
        if self._made.pop(name, None) is not None:
            self._write()

    def clear(self) -> None:
        """Forget everything for good."""
        self._made = {}
        self.forget()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix('.new')
        new.write_text(json.dumps(self._made, indent=1, sort_keys=True), encoding='utf-8')
        new.replace(self.path)


class Setup:
    """Steps that make one workspace.

    Args:
        workspace: Folders of the workspace.
        environment: Environment of the caller.
    """

    def __init__(self, workspace: Workspace, environment: Mapping[str, str]) -> None:
        self.workspace = workspace
        self.environment = without_foreign_ros(environment)
        self.venv_record = Record(workspace.folder / 'venv.json')
        self.build_record = Record(workspace.folder / 'build.json')
        self.graphics_record = Record(workspace.folder / 'graphics.json')

    def make(self, extras: Iterable[str]) -> None:
        """Make what is missing or out of date; do nothing where nothing is.

        Args:
            extras: Requirement files, besides the core ones, that the environment shall hold.

        Raises:
            SetupError: It cannot be made; the message is one line.
        """
        keys = {layer: self.layer_key(layer) for layer in (_CORE, *_EXTRAS)}
        missing = [layer for layer in (_CORE, *extras) if not self._has_layer(layer, keys[layer])]
        stale = any(
            not self._has_layer(layer, keys.get(layer, '')) for layer in self.venv_record.names()
        )
        if stale or _CORE in missing:
            check_platform()
            check_compilers(self.environment)
            self._create_venv()
            missing = [_CORE, *(layer for layer in _EXTRAS if layer in extras)]
        for layer in missing:
            self._install_layer(layer, keys[layer])
        for package in reversed(PACKAGES):
            key = self.package_key(package, keys[_CORE])
            if not self.build_record.holds(package, key):
                self._build_package(package, key)
        self._provide_graphics(keys[_CORE])

    def layer_key(self, layer: str) -> str:
        """Hash what a layer of the virtual environment is made from."""
        root = self.workspace.root
        files = requirement_files(root, layer, self.workspace.distribution)
        files += [root / 'requirements' / 'constraints.txt', root / 'tools' / 'mend_cmake.py']
        identity = [os.path.realpath(sys.executable), sys.version, str(self.workspace.venv)]
        return hash_of(
            [*(part.encode() for part in identity), hash_of_files(root, files).encode()]
        )

    def package_key(self, package: str, core_key: str) -> str:
        """Hash what the installation of a package is made from.

        The modules of mm_fusion are links to the sources, so their contents do not count.
        """
        root = self.workspace.root
        if package == 'mm_fusion_msgs':
            contents = [path for path in (root / package).rglob('*') if path.is_file()]
            names: list[Path] = []
        else:
            contents = [root / name for name in ('package.xml', 'setup.py', 'setup.cfg')]
            contents.append(root / package / '__init__.py')
            folders = (root / name for name in ('launch', 'config', 'resource'))
            names = [path for folder in folders for path in folder.rglob('*') if path.is_file()]
            names = [path for path in names if '__pycache__' not in path.parts]
        listed = [path.relative_to(root).as_posix().encode() for path in sorted(names)]
        return hash_of([core_key.encode(), hash_of_files(root, contents).encode(), *listed])

    def _has_layer(self, layer: str, key: str) -> bool:
        return self.venv_record.holds(layer, key) and self.workspace.python.exists()

    def _create_venv(self) -> None:
        self._say('creating the virtual environment')
        self.venv_record.clear()
        self.build_record.clear()
        for folder in (self.workspace.venv, self.workspace.build, self.workspace.install):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            venv.create(self.workspace.venv, with_pip=True, symlinks=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetupError(f'cannot create {self.workspace.venv}: {error}') from error

    def _install_layer(self, layer: str, key: str) -> None:
        names = requirement_files(self.workspace.root, layer, self.workspace.distribution)
        self._say('installing ' + ', '.join(path.stem for path in names))
        self.venv_record.forget()
        command = [
            str(self.workspace.python),
            '-m',
            'pip',
            'install',
            '--disable-pip-version-check',
        ]
        for path in names:
            command += ['-r', str(path)]
        self._call(command, f'pip-{layer}', self.environment)
        if layer == _CORE:
            self._mend()
            check_imports(self.workspace.python, workspace_environment(self.workspace, os.environ))
        self.venv_record.save(**{layer: key})

    def _mend(self) -> None:
        command = [str(self.workspace.python), '-c', _PATHS_OF_VENV]
        paths = subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        )
        python_include, numpy_include = paths.stdout.split('\n')[:2]
        try:
            mend(self.workspace.venv, python_include, numpy_include)
        except ValueError as error:
            raise SetupError(str(error)) from error

    def _build_package(self, package: str, key: str) -> None:
        self._say(f'building {package}')
        self.build_record.remove(package)
        workspace = self.workspace
        for base in (workspace.build, workspace.install):
            shutil.rmtree(base / package, ignore_errors=True)
        environment = workspace_environment(workspace, self.environment)
        environment['AMENT_PREFIX_PATH'] = str(workspace.venv)
        environment['CMAKE_PREFIX_PATH'] = str(workspace.venv)
        environment['COLCON_HOME'] = str(workspace.folder / 'colcon')
        environment.pop('PYTHONPATH')
        command = [str(workspace.venv / 'bin' / 'colcon'), '--log-base', str(workspace.log)]
        command += ['build', '--symlink-install', '--packages-select', package]
        command += ['--base-paths', str(workspace.root), str(workspace.root / 'mm_fusion_msgs')]
        command += ['--build-base', str(workspace.build), '--install-base', str(workspace.install)]
        command += ['--event-handlers', 'console_cohesion+', '--cmake-args', '-DBUILD_TESTING=OFF']
        command += [f'-DPython3_EXECUTABLE={workspace.python}']
        self._call(command, f'colcon-{package}', environment)
        self.build_record.save(**{package: key})

    def _provide_graphics(self, core_key: str) -> None:
        key = hash_of([core_key.encode(), *(name.encode() for name in GRAPHICS_PACKAGES)])
        if not self.graphics_record.holds('graphics', key):
            root = os.geteuid() == 0
            Graphics(self.workspace, self.environment, root=root, say=self._say).provide()
            self.graphics_record.save(graphics=key)

    def _call(self, command: list[str], name: str, environment: Mapping[str, str]) -> None:
        """Run a command with its output in a log, whose end is printed when it fails."""
        self.workspace.log.mkdir(parents=True, exist_ok=True)
        log = self.workspace.log / f'{name}.log'
        with log.open('wb') as output:
            done = subprocess.run(
                command,
                env=dict(environment),
                cwd=self.workspace.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
            print('\n'.join(lines[-_LOG_TAIL_LINES:]), file=sys.stderr)
            raise SetupError(f'{name} failed with exit status {done.returncode}: see {log}')

    def _say(self, text: str) -> None:
        print(f'[{self.workspace.distribution}] {text}', flush=True)


@contextlib.contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Keep other calls for the same workspace waiting."""
    workspace.folder.mkdir(parents=True, exist_ok=True)
    with (workspace.folder / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f'[{workspace.distribution}] waiting for another make', flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Make the workspace that the arguments name."""
    parser = argparse.ArgumentParser(prog='setup_workspace', description=__doc__.split('\n')[0])
    parser.add_argument('--distribution', default=DISTRIBUTIONS[0])
    parser.add_argument('--with', dest='extras', action='append', default=[], choices=_EXTRAS)
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        if arguments.distribution not in DISTRIBUTIONS:
            known = ' or '.join(DISTRIBUTIONS)
            raise SetupError(f'ROS_WHEELS is {arguments.distribution!r}, expected {known}')
        workspace = Workspace(arguments.distribution, ROOT)
        with locked(workspace):
            Setup(workspace, os.environ).make(arguments.extras)
    except SetupError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted: the next make continues', file=sys.stderr)
        return 130
    print(f'[{workspace.distribution}] workspace ready ({time.monotonic() - start:.1f} s)')
    return 0


if __name__ == '__main__':
    sys.exit(main())
