# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every name of TensorRT that the package uses is one of 10.3 and of 11.4.

The lists in ``data`` hold the names of the classes of both Python bindings and of their members,
nothing else. What the package uses is read off its source.
"""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

import mm_fusion.runtime.tensorrt
from support import fake_tensorrt
from support.fake_cuda import FakeTorch

SOURCES = sorted(Path(mm_fusion.runtime.tensorrt.__file__).parent.glob('*.py'))
VERSIONS = ('10.3', '11.4')
CLASSES = {
    'builder': 'Builder',
    'config': 'IBuilderConfig',
    'context': 'IExecutionContext',
    'engine': 'ICudaEngine',
    'network': 'INetworkDefinition',
    'parser': 'OnnxParser',
    'profile': 'IOptimizationProfile',
    'runtime': 'Runtime',
    'severity': 'ILogger.Severity',
    'tensor': 'ITensor',
}
"""Class of TensorRT by the name of a variable, as the package names them throughout."""
RESULTS = {'get_error': 'ParserError', 'get_input': 'ITensor'}
"""Class of what a method gives."""
OF_PYTHON = {('ICudaEngine', 'engine')}
"""``CachedEngine.engine``, which is no name of TensorRT."""


def names_of(version: str) -> dict[str, set[str]]:
    text = Path(__file__).with_name('data').joinpath(f'api_names_{version}.json').read_text()
    names = {name: set(members or ()) for name, members in json.loads(text).items()}
    # Members of the enumeration are listed with the class that holds it.
    names['ILogger.Severity'] = names['ILogger']
    return names


def class_of(node: ast.expr) -> str | None:
    """Tell of which class of TensorRT an expression is: '' for the module itself."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, 'id', '')
    name = name.lstrip('_')
    if name == 'trt':
        return ''
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return RESULTS.get(node.func.attr)
    if isinstance(node, ast.Attribute) and class_of(node.value) == '':
        return node.attr
    return CLASSES.get(name)


def used() -> set[tuple[str, str]]:
    """Collect (class, member); the class is '' for names of the module."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                owner = class_of(node.value)
                if owner is not None:
                    found.add((owner, node.attr))
    return found - OF_PYTHON


def test_the_source_is_read() -> None:
    assert {
        ('', 'Builder'),
        ('', '__version__'),
        ('Builder', 'build_serialized_network'),
        ('BuilderFlag', 'TF32'),
        ('DataType', 'UINT8'),
        ('IBuilderConfig', 'progress_monitor'),
        ('ICudaEngine', 'get_tensor_dtype'),
        ('IExecutionContext', 'execute_async_v3'),
        ('ILogger.Severity', 'INTERNAL_ERROR'),
        ('ITensor', 'shape'),
        ('NetworkDefinitionCreationFlag', 'STRONGLY_TYPED'),
        ('ParserError', 'desc'),
        ('Runtime', 'deserialize_cuda_engine'),
    } <= used()


@pytest.mark.parametrize('version', VERSIONS)
def test_every_name_is_there(version: str) -> None:
    names = names_of(version)
    missing = {
        (owner, name)
        for owner, name in used()
        if (name not in names.get(owner, ()) if owner else name not in {*names, '__version__'})
        and (owner, name) != ('ILogger', '__init__')
        and (owner, name) != ('IProgressMonitor', '__init__')
    }
    assert missing == set()


@pytest.mark.parametrize('version', VERSIONS)
def test_the_fake_has_no_name_that_tensorrt_lacks(version: str) -> None:
    """So that whatever the package uses of it, by any variable, is there as well."""
    names = names_of(version)
    classes = {
        name: kind
        for name, kind in inspect.getmembers(fake_tensorrt, inspect.isclass)
        if kind.__module__ == fake_tensorrt.__name__ and name != 'FakeTensorRt'
    }
    assert {name for name, _ in used() if name} - {'ILogger.Severity'} <= classes.keys()
    for name, kind in classes.items():
        members = {member for member in vars(kind) if not member.startswith('_')}
        assert members - names[name] == set(), name
    offered = vars(fake_tensorrt.FakeTensorRt(FakeTorch()))
    assert {name for name in offered if name[0].isupper()} <= names.keys()


def test_a_name_of_one_version_alone_would_be_found() -> None:
    old, new = (names_of(version) for version in VERSIONS)
    assert 'FP16' in old['BuilderFlag'] - new['BuilderFlag']
    assert class_of(ast.parse('trt.BuilderFlag', mode='eval').body) == 'BuilderFlag'
