# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A machine without a GPU, in a process of its own, with the real torch.

TensorRT is there, and ends the process as soon as anything but a logger is made, as version 11
does where there is no driver.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.bundles import write_tiny_bundle

ROOT = Path(__file__).resolve().parents[3]
DEADLY = """
import os
__version__ = '11.4.0'
class ILogger:
    class Severity:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)
class Logger(ILogger):
    pass
def __getattr__(name):
    print('touched', name, flush=True)
    os._exit(86)
"""
NODE = """
import sys
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import InferenceSettings
settings = InferenceSettings(backend=sys.argv[2], precision='fp32')
backend = create_backend(Bundle.load(sys.argv[1]), settings, wait=False)
print(backend.name, '|', backend.reason)
"""


def run(
    tmp_path: Path, *command: str, packages: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    for name, text in packages.items():
        (tmp_path / 'packages' / name).mkdir(parents=True)
        (tmp_path / 'packages' / name / '__init__.py').write_text(text)
    path = os.pathsep.join([str(tmp_path / 'packages'), str(ROOT), *sys.path])
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, 'PYTHONPATH': path, 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.torch
@pytest.mark.parametrize('asked', ['auto', 'tensorrt'])
def test_tensorrt_is_not_touched(tmp_path: Path, asked: str) -> None:
    tiny = write_tiny_bundle(tmp_path / 'tiny')
    result = run(tmp_path, '-c', NODE, str(tiny), asked, packages={'tensorrt': DEADLY})
    assert result.returncode == 0, result.stderr
    why = 'TensorRT needs an NVIDIA GPU, and CUDA (torch) sees none'
    assert result.stdout == f'onnxruntime-cpu | {asked}: {why}\n'
    warned = f'inference.backend: tensorrt is asked for: {why}' in result.stderr
    assert warned is (asked == 'tensorrt')


@pytest.mark.torch
def test_the_trap_works(tmp_path: Path) -> None:
    code = 'import tensorrt; tensorrt.Logger(); tensorrt.Runtime'
    result = run(tmp_path, '-c', code, packages={'tensorrt': DEADLY})
    assert (result.returncode, result.stdout) == (86, 'touched Runtime\n')


@pytest.mark.parametrize('text', ["raise OSError('libnvinfer.so.10: cannot open')", ''])
def test_what_is_broken_or_missing_is_named(tmp_path: Path, text: str) -> None:
    tiny = write_tiny_bundle(tmp_path / 'tiny')
    packages = {'tensorrt': DEADLY, 'torch': text} if text else {}
    result = run(tmp_path, '-c', NODE, str(tiny), 'tensorrt', packages=packages)
    said = 'the package torch cannot be imported: libnvinfer.so.10' if text else 'not installed'
    assert result.returncode == 0, result.stderr
    assert said in result.stdout


@pytest.mark.torch
@pytest.mark.parametrize(
    'command', [['-m', 'mm_fusion.cli.main', 'build-engines'], ['-m', 'tools.gpu_check']]
)
def test_the_commands_say_that_there_is_no_gpu(tmp_path: Path, command: list[str]) -> None:
    result = run(tmp_path, *command, packages={'tensorrt': DEADLY})
    assert result.returncode in (1, 2)
    output = result.stdout + result.stderr
    assert 'TensorRT needs an NVIDIA GPU, and CUDA (torch) sees none' in output
    assert 'Traceback' not in output
