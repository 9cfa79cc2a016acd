# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the set-up comes to EGL and Mesa: installed, unpacked, or one line that says what lacks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tools.check_machine import SetupError
from tools.graphics import Graphics
from tools.workspace_env import Workspace, workspace_environment

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = 'libegl1 libgl1 libgl1-mesa-dri'

# A renderer that works once the packages are installed, or unpacked where it is told to look.
PYTHON = """
[ -e {folder}/installed ] && exit 0
[ -e "$LIBGL_DRIVERS_PATH/swrast_dri.so" ] && exit 0
echo 'Traceback' >&2
echo 'no OpenGL' >&2
exit 1
"""
# Of apt-get, what is called for; a file with the name of a command makes it fail.
APT = """
echo "$@" >> {folder}/calls
for word in "$@"; do
    case $word in
        update|install|download)
            if [ -e "{folder}/fail-$word" ]; then
                rm "{folder}/fail-$word"
                echo 'E: no network' >&2
                exit 100
            fi
            command=$word;;
        -s) simulated=1;;
    esac
done
case $command in
    install)
        if [ -z "$simulated" ]; then
            touch {folder}/installed
        elif [ ! -e {folder}/nothing-missing ]; then
            echo 'Reading package lists...'
            echo 'Inst libglvnd0 (1.6.0-1 Debian:12.5/stable [amd64])'
            echo 'Inst libegl1 [1.5] (1.6.0-1 Debian:12.5/stable [amd64]) []'
            echo 'Conf libegl1 (1.6.0-1 Debian:12.5/stable [amd64])'
        fi;;
    download) touch libglvnd0_1.deb libegl1_1.deb;;
esac
"""
DPKG = """
echo "$2" >> {folder}/unpacked
mkdir -p "$3/usr/lib/x86_64-linux-gnu/dri"
touch "$3/usr/lib/x86_64-linux-gnu/dri/swrast_dri.so"
"""


class Machine:
    """A machine of shell scripts.

    Args:
        folder: Where it lives.
        programs: What is on its PATH.
    """

    def __init__(self, folder: Path, programs: tuple[str, ...] = ('apt-get', 'dpkg-deb')) -> None:
        self.folder = folder
        self.workspace = Workspace('kilted', folder)
        self.said: list[str] = []
        (folder / 'bin').mkdir()
        for name in programs:
            self._write(folder / 'bin' / name, APT if name == 'apt-get' else DPKG)
        self.workspace.python.parent.mkdir(parents=True)
        self._write(self.workspace.python, PYTHON)

    def _write(self, path: Path, body: str) -> None:
        path.write_text('#!/bin/sh' + body.replace('{folder}', str(self.folder)))
        path.chmod(0o755)

    def put(self, name: str) -> Machine:
        (self.folder / name).touch()
        return self

    def provide(self, *, root: bool) -> None:
        tools = self.folder / 'tools'
        tools.mkdir()
        for name in ('mkdir', 'touch', 'rm', 'sh'):
            (tools / name).symlink_to(f'/bin/{name}')
        environment = {'PATH': f'{self.folder / "bin"}:{tools}'}
        Graphics(self.workspace, environment, root=root, say=self.said.append).provide()

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def refusal(machine: Machine, *, root: bool) -> str:
    with pytest.raises(SetupError) as error:
        machine.provide(root=root)
    line = str(error.value)
    assert '\n' not in line
    assert all(name in line for name in PACKAGES.split())
    return line


@pytest.mark.parametrize('root', [True, False])
def test_where_a_context_can_be_made_nothing_is_done(tmp_path: Path, root: bool) -> None:
    machine = Machine(tmp_path, programs=()).put('installed')

    machine.provide(root=root)

    assert machine.said == []


def test_root_installs_the_packages(tmp_path: Path) -> None:
    machine = Machine(tmp_path)

    machine.provide(root=True)

    assert machine.lines('calls') == [f'install -y --no-install-recommends {PACKAGES}']
    assert machine.said == [f'installing {PACKAGES}']
    assert not machine.workspace.graphics.exists()


def test_root_updates_the_lists_where_they_are_old(tmp_path: Path) -> None:
    machine = Machine(tmp_path).put('fail-install')

    machine.provide(root=True)

    calls = [line.split()[0] for line in machine.lines('calls')]
    assert calls == ['install', 'update', 'install']


def test_an_installation_that_fails_is_one_line(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / 'bin' / 'apt-get').write_text('#!/bin/sh\nexit 100\n')

    assert 'apt-get install -y' in refusal(machine, root=True)


def test_packages_that_do_not_help_are_one_line(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / 'bin' / 'apt-get').write_text('#!/bin/sh\nexit 0\n')

    assert refusal(machine, root=True).startswith('no OpenGL (with ')


def test_another_user_unpacks_them_into_the_workspace(tmp_path: Path) -> None:
    machine = Machine(tmp_path)

    machine.provide(root=False)

    unpacked = [line.rpartition('/')[2] for line in machine.lines('unpacked')]
    assert unpacked == ['libegl1_1.deb', 'libglvnd0_1.deb']
    # What is missing beside the three is asked for by name.
    assert machine.lines('calls')[-1].endswith('download libglvnd0 libegl1')
    lists = f'Dir::State::Lists={machine.workspace.folder}'
    assert all(lists in call for call in machine.lines('calls'))
    assert sorted(path.name for path in machine.workspace.folder.iterdir()) == ['graphics', 'venv']


@pytest.mark.parametrize('command', ['update', 'install', 'download'])
def test_a_download_that_fails_is_one_line_and_leaves_nothing(
    tmp_path: Path, command: str
) -> None:
    machine = Machine(tmp_path).put(f'fail-{command}')

    assert 'E: no network' in refusal(machine, root=False)
    assert [path.name for path in machine.workspace.folder.iterdir()] == ['venv']


def test_installed_packages_without_a_context_are_one_line(tmp_path: Path) -> None:
    machine = Machine(tmp_path).put('nothing-missing')

    assert 'are installed, and yet: no OpenGL' in refusal(machine, root=False)


@pytest.mark.parametrize('root', [True, False])
def test_without_apt_the_line_says_what_is_needed(tmp_path: Path, root: bool) -> None:
    assert refusal(Machine(tmp_path, programs=()), root=root).startswith('no OpenGL: install the')


def test_without_dpkg_the_line_says_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path, programs=('apt-get',))

    assert refusal(machine, root=False).startswith('dpkg-deb is not on the PATH')


def test_a_renderer_that_crashes_is_a_problem(tmp_path: Path) -> None:
    machine = Machine(tmp_path, programs=())
    machine.workspace.python.write_text('#!/bin/sh\nkill -SEGV $$\n')

    assert 'ended with status -11' in refusal(machine, root=False)


def test_what_was_unpacked_comes_after_the_workspace_and_before_the_system(
    tmp_path: Path,
) -> None:
    workspace = Workspace('kilted', tmp_path)
    libraries = workspace.graphics / 'usr' / 'lib' / 'x86_64-linux-gnu'
    (libraries / 'dri').mkdir(parents=True)

    made = workspace_environment(workspace, {'LD_LIBRARY_PATH': '/mine'})

    assert made['LD_LIBRARY_PATH'].split(':')[-2:] == ['/mine', str(libraries)]
    assert made['LIBGL_DRIVERS_PATH'] == str(libraries / 'dri')
    assert made['__EGL_VENDOR_LIBRARY_DIRS'].split(':') == [
        f'{workspace.graphics}/usr/share/glvnd/egl_vendor.d',
        '/etc/glvnd/egl_vendor.d',
        '/usr/share/glvnd/egl_vendor.d',
    ]


def test_without_an_unpacked_driver_the_environment_names_none(tmp_path: Path) -> None:
    made = workspace_environment(Workspace('kilted', tmp_path), {})

    assert 'LIBGL_DRIVERS_PATH' not in made
    assert '__EGL_VENDOR_LIBRARY_DIRS' not in made


@pytest.mark.ros
def test_this_workspace_renders() -> None:
    workspace = Workspace(os.environ['ROS_WHEELS'])

    assert Graphics(workspace, os.environ, root=False, say=print).problem() is None
