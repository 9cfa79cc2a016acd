# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Provide what the camera of the simulator is rendered with: EGL and Mesa, from Debian packages.

Where a context can be made, nothing is done. Else root installs the packages; another user unpacks
them, with what they need, into the workspace, where ``tools/run`` finds them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tools.check_machine import SetupError
from tools.workspace_env import workspace_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tools.workspace_env import Workspace

PACKAGES = ('libegl1', 'libgl1', 'libgl1-mesa-dri')

_PROBE = """
import sys
from mm_fusion.errors import RenderError
from mm_fusion.simulation.rendering.context import create_context
try:
    create_context().release()
except RenderError as error:
    sys.exit(str(error))
"""
_INSTALL = f'install the packages (Debian, Ubuntu: apt install {" ".join(PACKAGES)})'


class Graphics:
    """What one workspace renders with.

    Args:
        workspace: Folders of the workspace, which is built.
        environment: Environment of the caller.
        root: Whether packages may be installed.
        say: Tells the user what is done.
    """

    def __init__(
        self,
        workspace: Workspace,
        environment: Mapping[str, str],
        *,
        root: bool,
        say: Callable[[str], None],
    ) -> None:
        self._workspace = workspace
        self._environment = {**environment, 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C'}
        self._root = root
        self._say = say
        self._failure = ''

    def provide(self) -> None:
        """Install or unpack the packages where no context can be made without.

        Raises:
            SetupError: That is not possible, or not enough; the line names the packages.
        """
        if self.problem() is None:
            return
        if self._which('apt-get') is None:
            raise SetupError(f'{self.problem()}: {_INSTALL}')
        if self._root:
            self._install()
        elif self._which('dpkg-deb') is None:
            raise SetupError(f'dpkg-deb is not on the PATH, so as root {_INSTALL}')
        else:
            self._unpack()
        problem = self.problem()
        if problem is not None:
            raise SetupError(f'{problem} (with {", ".join(PACKAGES)} in place)')

    def problem(self) -> str | None:
        """Say why no context can be made in the workspace; None where one can."""
        done = subprocess.run(
            [str(self._workspace.python), '-c', _PROBE],
            env=workspace_environment(self._workspace, self._environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return None
        # A driver that crashes says nothing.
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f'the renderer ended with status {done.returncode}'

    def _install(self) -> None:
        self._say(f'installing {" ".join(PACKAGES)}')
        command = ['apt-get', 'install', '-y', '--no-install-recommends', *PACKAGES]
        if self._run(command) is None:
            self._run(['apt-get', 'update'])
            if self._run(command) is None:
                raise SetupError(f'{" ".join(command)} failed: {_INSTALL}')

    def _unpack(self) -> None:
        """Unpack the packages that are missing, and those that they need, without being root."""
        self._say(f'unpacking {" ".join(PACKAGES)} into the workspace')
        folder = self._workspace.graphics
        parts = folder.with_name('graphics.parts')
        shutil.rmtree(parts, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        for name in ('lists/partial', 'cache/archives/partial', 'packages', 'root'):
            (parts / name).mkdir(parents=True)
        try:
            self._download(parts)
            for package in sorted((parts / 'packages').glob('*.deb')):
                self._need(['dpkg-deb', '-x', str(package), str(parts / 'root')], parts)
            (parts / 'root').rename(folder)
        finally:
            shutil.rmtree(parts, ignore_errors=True)

    def _download(self, parts: Path) -> None:
        # Lists of packages and a cache of its own: those of the system belong to root.
        apt = ['apt-get', '-o', f'Dir::State::Lists={parts / "lists"}']
        apt += ['-o', f'Dir::Cache={parts / "cache"}', '-o', 'Debug::NoLocking=1']
        self._need([*apt, 'update'], parts)
        plan = self._need([*apt, '-s', 'install', '--no-install-recommends', *PACKAGES], parts)
        names = re.findall(r'^Inst (\S+) ', plan, re.MULTILINE)
        if not names:
            raise SetupError(f'{" ".join(PACKAGES)} are installed, and yet: {self.problem()}')
        self._need([*apt, 'download', *names], parts / 'packages')

    def _need(self, command: list[str], folder: Path) -> str:
        output = self._run(command, folder)
        if output is None:
            raise SetupError(f'{command[0]} failed ({self._failure}): as root {_INSTALL}')
        return output

    def _run(self, command: list[str], folder: Path | None = None) -> str | None:
        """Run a command; give what it says, or None where it fails."""
        done = subprocess.run(
            command,
            env=self._environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stderr.strip().splitlines()
        self._failure = lines[-1] if lines else f'status {done.returncode}'
        return done.stdout if done.returncode == 0 else None

    def _which(self, program: str) -> str | None:
        return shutil.which(program, path=self._environment.get('PATH', os.defpath))
