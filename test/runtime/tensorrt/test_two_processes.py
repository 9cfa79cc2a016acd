# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Two processes, each as a node prepares its backend, on one cache of engines."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mm_fusion.runtime.tensorrt.backend import load_engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from mm_fusion.runtime import Bundle
    from mm_fusion.settings import InferenceSettings
    from support.fake_tensorrt import FakeTensorRt

STAGES = 4

PROCESS = """
import json, sys
import numpy as np
import pytest
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import InferenceSettings
from support.fake_tensorrt import install

def pause():
    trt.during_build = lambda: None
    print('building', flush=True)
    sys.stdin.readline()

trt = install(pytest.MonkeyPatch())
trt.during_build = pause
bundle = Bundle.load(sys.argv[1])
print('ready', flush=True)
sys.stdin.readline()
backend = create_backend(bundle, InferenceSettings(backend='tensorrt', engine_cache=sys.argv[2]))
outputs = {}
for stage, spec in bundle.manifest.stages.items():
    inputs = {name: np.full(each.shape, 3, each.dtype) for name, each in spec.inputs.items()}
    for name, value in backend.run(stage, inputs).items():
        outputs[f'{stage}.{name}'] = value.tolist()
print(json.dumps([backend.name, trt.builds, outputs]), flush=True)
backend.close()
"""


@contextmanager
def process(bundle: Path, cache: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that waits for a line before it prepares its backend, and in its build."""
    with subprocess.Popen(
        [sys.executable, '-c', PROCESS, str(bundle), str(cache)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            assert line(started) == 'ready'
            yield started
        finally:
            started.kill()


def line(started: subprocess.Popen[str]) -> str:
    """Read one line."""
    return cast('IO[str]', started.stdout).readline().strip()


def go_on(started: subprocess.Popen[str]) -> None:
    """Give the line that a process waits for."""
    pipe = cast('IO[str]', started.stdin)
    pipe.write('\n')
    pipe.flush()


def who_builds(*started: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until one of them is in the middle of a build, and so holds the lock."""
    with selectors.DefaultSelector() as selector:
        for each in started:
            selector.register(cast('IO[str]', each.stdout), selectors.EVENT_READ, each)
        found: subprocess.Popen[str] = selector.select(60)[0][0].data
    assert line(found) == 'building'
    return found


@contextmanager
def two_at_once(
    bundle: Path, cache: Path
) -> Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]:
    """Let two processes prepare; give the one that is in a build, and the one that waits."""
    with process(bundle, cache) as one, process(bundle, cache) as other:
        go_on(one)
        go_on(other)
        builder = who_builds(one, other)
        yield builder, other if builder is one else one


def result(started: subprocess.Popen[str]) -> tuple[str, int, dict[str, Any]]:
    """Read what a process has found."""
    while (text := line(started)) == 'building':
        pass
    name, builds, outputs = json.loads(text)
    return name, builds, outputs


def test_two_processes_share_what_either_builds(
    tmp_path: Path,
    trt: FakeTensorRt,
    bundle: Bundle,
    settings: InferenceSettings,
) -> None:
    with two_at_once(tmp_path / 'tiny', Path(settings.engine_cache)) as (builder, waiting):
        go_on(builder)
        go_on(waiting)  # which may come to build a later stage
        found = [result(builder), result(waiting)]
    assert [name for name, *_ in found] == ['tensorrt', 'tensorrt']
    assert sum(builds for _, builds, _ in found) == STAGES
    assert found[0][2] == found[1][2]
    assert_sound(trt, bundle, settings)


def test_a_process_that_is_killed_in_a_build_leaves_it_to_the_other(
    tmp_path: Path,
    trt: FakeTensorRt,
    bundle: Bundle,
    settings: InferenceSettings,
) -> None:
    with two_at_once(tmp_path / 'tiny', Path(settings.engine_cache)) as (builder, left):
        builder.kill()
        go_on(left)
        name, builds, _ = result(left)
    assert (name, builds) == ('tensorrt', STAGES)
    assert_sound(trt, bundle, settings)


def assert_sound(trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings) -> None:
    """Check that the cache holds every engine, whole, and nothing else."""
    engines = load_engines(bundle, settings, lambda _: None, threading.Event())
    assert (engines.built, trt.builds, engines.problem) == (0, 0, '')
    names = {path.name for path in Path(settings.engine_cache).iterdir()}
    keys = [key.digest for _, key in engines.stages.values()]
    assert names == {'lock', *(f'{key}.plan' for key in keys), *(f'{key}.json' for key in keys)}
