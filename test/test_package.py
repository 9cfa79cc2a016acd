# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The two packages as colcon and rosdep see them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from catkin_pkg.package import Package, parse_package

import mm_fusion
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (ROOT, ROOT / 'mm_fusion_msgs')
MESSAGES = sorted((ROOT / 'mm_fusion_msgs' / 'msg').glob('*.msg'))
TRAINING = ('models', 'training', 'export')

# Module -> rosdep key, of what is not a ROS package.
ROSDEP_KEYS = {
    'PIL': 'python3-pil',
    'cryptography': 'python3-cryptography',
    'cv2': 'python3-opencv',
    'lz4': 'python3-lz4',
    'matplotlib': 'python3-matplotlib',
    'numpy': 'python3-numpy',
    'onnxruntime': 'python3-onnxruntime-pip',
    'pymap3d': 'python3-pymap3d',
    'rich': 'python3-rich',
    'rosbags': 'python3-rosbags-pip',
    'scipy': 'python3-scipy',
    'soundfile': 'python3-soundfile',
    'typer': 'python3-typer',
    'yaml': 'python3-yaml',
}
# No rosdep key exists for it: whoever installs with rosdep adds it with pip, as the README says.
WITHOUT_ROSDEP_KEY = {'moderngl'}
# Imported where it is asked for alone: a precision other than fp32 is derived with it.
OPTIONAL = {'onnx', 'safetensors', 'torch'}
# Module -> distribution on PyPI, where the two differ.
DISTRIBUTIONS = {'PIL': 'pillow', 'cv2': 'opencv-python-headless', 'yaml': 'pyyaml'}


def manifest(folder: Path) -> Package:
    warnings: list[str] = []
    package = parse_package(str(folder), warnings=warnings)
    assert warnings == []
    return package


def imported_modules(*, training: bool) -> set[str]:
    """Collect the top-level modules that the package imports, its own and Python's aside."""
    names: set[str] = set()
    for path in (ROOT / 'mm_fusion').rglob('*.py'):
        if (path.relative_to(ROOT / 'mm_fusion').parts[0] in TRAINING) is not training:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split('.')[0])
    return names - sys.stdlib_module_names - {'mm_fusion'}


def pinned(*names: str) -> set[str]:
    """Collect the distributions that requirement files pin."""
    texts = [(ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8') for name in names]
    return {name.lower() for text in texts for name in re.findall(r'^([\w.-]+)==', text, re.M)}


@pytest.mark.parametrize('folder', PACKAGES, ids=lambda folder: folder.name)
def test_the_manifests_are_valid_and_of_one_version(folder: Path) -> None:
    package = manifest(folder)
    assert package.package_format == 3
    assert package.version == mm_fusion.__version__
    assert package.licenses == ['Apache-2.0']


def test_rosdep_installs_everything_that_is_imported() -> None:
    declared = {dependency.name for dependency in manifest(ROOT).exec_depends}
    imported = imported_modules(training=False)
    needed = {ROSDEP_KEYS.get(name, name) for name in imported - WITHOUT_ROSDEP_KEY - OPTIONAL}
    assert needed - declared == set()


def test_what_rosdep_cannot_install_is_imported_by_the_renderer_alone() -> None:
    """The node and the evaluation run without it."""
    users = {
        path.relative_to(ROOT / 'mm_fusion').parent.as_posix()
        for path in (ROOT / 'mm_fusion').rglob('*.py')
        if re.search(r'^\s*(import|from) moderngl\b', path.read_text(encoding='utf-8'), re.M)
    }
    assert users == {'simulation/rendering'}


def test_the_requirements_pin_everything_that_is_imported() -> None:
    known = ROSDEP_KEYS.keys() | WITHOUT_ROSDEP_KEY
    names = imported_modules(training=False) & known
    assert {DISTRIBUTIONS.get(name, name) for name in names} - pinned('base') == set()
    training = {name.replace('_', '-') for name in imported_modules(training=True)}
    training = {DISTRIBUTIONS.get(name, name) for name in training}
    assert training - pinned('base', 'train') == set()


@pytest.mark.parametrize(
    'name', ['base', 'build', 'constraints', 'fuzz', 'ros-jazzy', 'ros-kilted', 'test', 'train']
)
def test_every_requirement_is_exact(name: str) -> None:
    text = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    lines = [line for line in text.splitlines() if line and not line.startswith(('#', '-c '))]
    assert lines
    assert [line for line in lines if not re.fullmatch(r'[\w.-]+==[\w.+!]+', line)] == []


def test_an_installation_is_complete(tmp_path: Path) -> None:
    """Install as ``colcon build`` does, without links, and look for every file."""
    source = tmp_path / 'source'
    ignored = shutil.ignore_patterns('__pycache__')
    for name in ('mm_fusion', 'launch', 'config', 'resource'):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ('setup.py', 'setup.cfg', 'package.xml'):
        shutil.copy(ROOT / name, source)
    prefix = tmp_path / 'prefix'
    command = [
        sys.executable,
        '-W',
        'ignore',
        'setup.py',
        '-q',
        'install',
        '--prefix',
        str(prefix),
    ]
    command += ['--single-version-externally-managed', '--record', str(tmp_path / 'record')]
    subprocess.run(command, cwd=source, check=True, capture_output=True)

    (site_packages,) = prefix.glob('lib/python3.*/site-packages')
    share = prefix / 'share' / 'mm_fusion'
    for folder, target in (('mm_fusion', site_packages), ('launch', share), ('config', share)):
        files = {
            path.relative_to(source) for path in (source / folder).rglob('*') if path.is_file()
        }
        assert files
        assert {path for path in files if not (target / path).is_file()} == set()
    for name in ('fusion_node', 'mm_fusion', 'simulator_node', 'sound_node'):
        assert (prefix / 'lib' / 'mm_fusion' / name).is_file()
    assert (prefix / 'share/ament_index/resource_index/packages/mm_fusion').is_file()
    assert (share / 'package.xml').is_file()


@pytest.mark.parametrize('path', MESSAGES, ids=lambda path: path.stem)
def test_every_message_field_says_its_unit_or_meaning(path: Path) -> None:
    lines = [line for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]
    fields = [line for line in lines if not line.startswith('#') and ' = ' not in line]
    assert lines[0].startswith('# ')
    assert fields
    assert [line for line in fields if not re.search(r'  # \S', line)] == []


@pytest.mark.parametrize(
    ('prefix', 'classes'),
    [
        ('FRICTION', FRICTION_CLASSES),
        ('MATERIAL', MATERIAL_CLASSES),
        ('UNEVENNESS', UNEVENNESS_CLASSES),
    ],
)
def test_the_message_has_the_classes_of_the_package(prefix: str, classes: tuple[str, ...]) -> None:
    text = (ROOT / 'mm_fusion_msgs' / 'msg' / 'RoadState.msg').read_text(encoding='utf-8')
    constants = re.findall(rf'^uint8 {prefix}_(\w+) = (\d+)$', text, re.M)
    assert constants == [(name.upper(), str(index)) for index, name in enumerate(classes)]
    sizes = re.findall(rf'^float32\[(\d+)\] {prefix.lower()}_probabilities', text, re.M)
    assert sizes == [str(len(classes))] * 2


def test_all_messages_are_built() -> None:
    text = (ROOT / 'mm_fusion_msgs' / 'CMakeLists.txt').read_text(encoding='utf-8')
    assert re.findall(r'msg/(\w+)\.msg', text) == [path.stem for path in MESSAGES]


def test_recordings_are_read_with_the_messages_of_the_package() -> None:
    """The evaluation runs without ROS, so it carries copies of the definitions."""
    copies = ROOT / 'mm_fusion' / 'bags' / 'definitions' / 'mm_fusion_msgs' / 'msg'
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == {
        path.name: path.read_bytes() for path in MESSAGES
    }
