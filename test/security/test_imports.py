# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""No pickle, no shell, no evaluated text and no network: read from the source of the package."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for folder in ('mm_fusion', 'launch') for path in sorted((ROOT / folder).rglob('*.py'))
]

MODULES = {
    'asyncio',
    'code',
    'codeop',
    'dill',
    'ftplib',
    'http',
    'httpx',
    'joblib',
    'marshal',
    'pickle',
    'requests',
    'shelve',
    'smtplib',
    'socket',
    'socketserver',
    'ssl',
    'telnetlib',
    'urllib',
    'urllib3',
    'xml',
    'xmlrpc',
}
"""What reads pickles, runs text or opens connections; and the standard XML, which unfolds."""

CALLS = {
    'eval',
    'exec',
    'compile',
    '__import__',
    'os.system',
    'os.popen',
    'pty.spawn',
    'subprocess.getoutput',
    'subprocess.getstatusoutput',
    'torch.save',
    'torch.jit.load',
    'torch.hub.load',
    'yaml.load',
    'yaml.load_all',
    'yaml.safe_load',
    'yaml.unsafe_load',
    'yaml.full_load',
    'tempfile.mktemp',
}
"""By the name under which they are called. YAML is read by ``mm_fusion.documents`` alone.

``torch.load`` with ``weights_only=True`` unpickles tensors and nothing else; it reads the ImageNet
weights of a pinned package, in training.
"""


def problems(source: str) -> Iterator[str]:
    """Name everything in a module that it must not have."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        yield from (f'import {name}' for name in names if name.partition('.')[0] in MODULES)
        if isinstance(node, ast.ImportFrom):
            full = (f'{node.module}.{alias.name}' for alias in node.names)
            yield from (f'import {name}' for name in full if name in CALLS)
        if isinstance(node, ast.Call):
            yield from call_problems(node)


def call_problems(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    if name in CALLS:
        yield name
    keywords = {item.arg: ast.unparse(item.value) for item in node.keywords}
    if keywords.get('shell', 'False') != 'False':
        yield f'{name} with a shell'
    if keywords.get('allow_pickle', 'False') != 'False':
        yield f'{name} with pickles'
    if name == 'torch.load' and keywords.get('weights_only') != 'True':
        yield f'{name} without weights_only=True'
    if name in ('np.load', 'numpy.load') and 'allow_pickle' not in keywords:
        yield f'{name} without allow_pickle=False'


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_none_of_it(path: Path) -> None:
    assert list(problems(path.read_text(encoding='utf-8'))) == []


@pytest.mark.parametrize(
    'source',
    [
        'import pickle',
        'import urllib.request',
        'from socket import create_connection',
        'from os import system',
        'def f():\n    import requests',
        'eval(text)',
        'os.system("ls")',
        'subprocess.run("ls", shell=True)',
        'subprocess.run("ls", shell=wanted)',
        'np.load(path)',
        'np.load(path, allow_pickle=True)',
        'torch.load(path)',
        'torch.load(path, weights_only=False)',
        'yaml.safe_load(text)',
    ],
)
def test_each_of_them_would_be_found(source: str) -> None:
    assert list(problems(source))


def test_what_is_allowed_is_not_found() -> None:
    source = (
        'import json\nsubprocess.run(["ls"], shell=False)\nnp.load(path, allow_pickle=False)\n'
    )
    source += 'torch.load(path, weights_only=True)'
    assert list(problems(source)) == []
    assert len(SOURCES) > 200
