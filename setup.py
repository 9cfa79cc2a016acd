# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Installation of the ament_python package, read by colcon."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'mm_fusion'
DATA_FOLDERS = ('launch', 'config')
PACKAGE_DATA = (
    'py.typed',
    'bags/definitions/**/*',
    'bundles/**/*',
    'evaluation/templates/**/*',
    'simulation/rendering/shaders/*',
)


def version() -> str:
    """Read the version from the package without importing it."""
    text = Path(NAME, '__init__.py').read_text(encoding='utf-8')
    match = re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE)
    if match is None:
        raise RuntimeError(f'{NAME}/__init__.py has no line __version__ = ...')
    return match.group(1)


def data_files() -> list[tuple[str, list[str]]]:
    """List what goes to share/: ament's index, the manifest, launch and configuration files."""
    found = [
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
    ]
    folders = {
        path.parent
        for top in DATA_FOLDERS
        for path in Path(top).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    for folder in sorted(folders):
        files = sorted(str(path) for path in folder.iterdir() if path.is_file())
        found.append((f'share/{NAME}/{folder.as_posix()}', files))
    return found


setup(
    name=NAME,
    version=version(),
    description='Camera, microphone, GNSS and velocity in, road state and ego trajectories out',
    license='Apache-2.0',
    maintainer='mm_fusion contributors',
    maintainer_email='maintainers@mm-fusion.example.org',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: list(PACKAGE_DATA)},
    data_files=data_files(),
    zip_safe=False,
    python_requires='>=3.10',
    install_requires=['setuptools'],
    extras_require={'test': ['hypothesis', 'pytest']},
    entry_points={
        'console_scripts': [
            f'{NAME} = {NAME}.cli.main:main',
            f'fusion_node = {NAME}.nodes.fusion_node:main',
            f'bag_player = {NAME}.nodes.bag_player:main',
            f'bag_recorder = {NAME}.nodes.bag_recorder:main',
            f'simulator_node = {NAME}.nodes.simulator_node:main',
            f'sound_node = {NAME}.nodes.sound_node:main',
        ],
    },
)
