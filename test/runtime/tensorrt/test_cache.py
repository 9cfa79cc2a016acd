# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.errors import BackendError
from mm_fusion.runtime.tensorrt.backend import engine_key, load_engines
from mm_fusion.runtime.tensorrt.builder import Cancelled
from mm_fusion.runtime.tensorrt.cache import EngineCache, EngineKey, user_cache
from mm_fusion.runtime.tensorrt.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fusion.runtime import Bundle
    from mm_fusion.runtime.tensorrt.cache import CachedEngine
    from mm_fusion.settings import InferenceSettings
    from support.fake_tensorrt import FakeTensorRt

KEY = EngineKey(
    stage='fusion',
    graph_sha256='ab' * 32,
    precision='fp32',
    profile=(('image', (1, 8, 16, 3)),),
    optimisation_level=3,
    tensorrt_version='10.3.0',
    cuda_version='12.6',
    gpu='Orin',
    compute_capability='8.7',
)
CHANGES: dict[str, Any] = {
    'stage': 'image_encoder',
    'graph_sha256': 'cd' * 32,
    'precision': 'fp16',
    'profile': (('image', (1, 8, 8, 3)),),
    'optimisation_level': 4,
    'tensorrt_version': '10.16.0',
    'cuda_version': '13.0',
    'gpu': 'Thor',
    'compute_capability': '11.0',
    'schema': 0,
}


class Maker:
    """Builds plans, and counts how often."""

    def __init__(self, plan: bytes = b'plan') -> None:
        self.plan = plan
        self.builds = 0
        self.refused: set[bytes] = set()

    def build(self) -> bytes:
        self.builds += 1
        return self.plan

    def load(self, plan: bytes) -> str | None:
        return None if plan in self.refused else plan.decode()


def fetch(folder: Path | None, maker: Maker, key: EngineKey = KEY) -> tuple[CachedEngine, str]:
    cache = EngineCache(folder, threading.Event())
    return cache.engine(key, maker.build, maker.load), cache.problem


def test_an_engine_is_built_once(tmp_path: Path) -> None:
    maker = Maker()
    first, problem = fetch(tmp_path / 'new' / 'cache', maker)
    second, _ = fetch(tmp_path / 'new' / 'cache', maker)
    assert maker.builds == 1
    assert (first.engine, first.built, problem) == ('plan', True, '')
    assert (second.engine, second.built) == ('plan', False)
    assert second.sha256 == first.sha256


def test_every_ingredient_is_in_the_key() -> None:
    assert CHANGES.keys() == {field.name for field in dataclasses.fields(EngineKey)}
    keys = [KEY, *(dataclasses.replace(KEY, **{name: value}) for name, value in CHANGES.items())]
    assert len({key.digest for key in keys}) == len(keys)
    assert dataclasses.replace(KEY).digest == KEY.digest


def test_the_key_is_made_of_the_device_and_the_graph(trt: FakeTensorRt, bundle: Bundle) -> None:
    stage, graph = bundle.manifest.stages['fusion'], bundle.graphs['fusion']

    def key(content: bytes = graph, precision: str = 'fp32') -> str:
        return engine_key(Device.open(), stage, content, precision).digest

    keys = [key(), key(graph + b'\0'), key(precision='fp16')]
    trt.torch.cuda.name = 'Other GPU'
    keys.append(key())
    trt.torch.cuda.capability = (9, 0)
    keys.append(key())
    trt.torch.version.cuda = '13.0'
    keys.append(key())
    trt.__version__ = '11.4.0'
    keys.append(key())
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize('damage', ['flip', 'truncate', 'no plan', 'no json', 'bad json', 'list'])
def test_what_is_damaged_is_built_again(tmp_path: Path, damage: str) -> None:
    maker = Maker()
    fetch(tmp_path, maker)
    plan, described = tmp_path / f'{KEY.digest}.plan', tmp_path / f'{KEY.digest}.json'
    actions: dict[str, Callable[[], object]] = {
        'flip': lambda: plan.write_bytes(b'plaN'),
        'truncate': lambda: plan.write_bytes(b''),
        'no plan': plan.unlink,
        'no json': described.unlink,
        'bad json': lambda: described.write_text('{'),
        'list': lambda: described.write_text('[]'),
    }
    actions[damage]()
    assert fetch(tmp_path, maker)[0].built
    assert maker.builds == 2
    assert not fetch(tmp_path, maker)[0].built


def test_what_tensorrt_does_not_load_is_built_again(tmp_path: Path) -> None:
    maker = Maker(b'old')
    fetch(tmp_path, maker)
    maker.refused.add(b'old')
    maker.plan = b'new'
    assert fetch(tmp_path, maker)[0].engine == 'new'
    assert (tmp_path / f'{KEY.digest}.plan').read_bytes() == b'new'


def test_an_engine_that_is_never_loaded_is_an_error(tmp_path: Path) -> None:
    maker = Maker()
    maker.refused.add(b'plan')
    with pytest.raises(BackendError, match='fusion: TensorRT refuses the engine that it just'):
        fetch(tmp_path, maker)


def test_the_manifest_of_an_engine_says_what_it_is_made_of(tmp_path: Path) -> None:
    fetch(tmp_path, Maker())
    described = json.loads((tmp_path / f'{KEY.digest}.json').read_text())
    assert described.pop('bytes') == 4
    assert len(described.pop('sha256')) == 64
    assert described == json.loads(json.dumps(dataclasses.asdict(KEY)))


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    keys = [dataclasses.replace(KEY, gpu=name) for name in 'abcd']
    cache = EngineCache(tmp_path, threading.Event(), limit_bytes=12)
    makers = [Maker() for _ in keys]
    for index, key in enumerate(keys[:3]):
        cache.engine(key, makers[index].build, makers[index].load)
        os.utime(tmp_path / f'{key.digest}.json', (index, index))
    cache.engine(keys[0], makers[0].build, makers[0].load)
    cache.engine(keys[3], makers[3].build, makers[3].load)
    kept = {path.stem for path in tmp_path.glob('*.plan')}
    assert kept == {keys[index].digest for index in (0, 2, 3)}
    assert {path.stem for path in tmp_path.glob('*.json')} == kept


def test_what_was_left_half_written_is_cleared(tmp_path: Path) -> None:
    (tmp_path / 'left.partial').write_bytes(b'half')
    (tmp_path / 'orphan.plan').write_bytes(b'no manifest')
    fetch(tmp_path, Maker())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {'lock', f'{KEY.digest}.plan', f'{KEY.digest}.json'}


def test_a_folder_that_cannot_be_made_costs_builds_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    maker = Maker()
    for _ in range(2):
        found, problem = fetch(tmp_path / 'file' / 'cache', maker)
        assert found.engine == 'plan'
        assert 'engines are not kept: ' in problem
        assert 'Not a directory' in problem
    assert maker.builds == 2


def test_there_need_be_no_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    monkeypatch.setattr(Path, 'home', homeless)
    assert user_cache() is None
    found, problem = fetch(None, Maker())
    assert found.engine == 'plan'
    assert problem == 'engines are not kept: there is no home folder'


def test_a_folder_that_can_only_be_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker()
    fetch(tmp_path, maker)

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, 'Read-only file system')

    monkeypatch.setattr(EngineCache, '_lock_file', refuse)
    monkeypatch.setattr(os, 'utime', refuse)
    monkeypatch.setattr('tempfile.mkstemp', refuse)
    found, problem = fetch(tmp_path, maker)
    assert not found.built
    assert 'Read-only file system' in problem
    assert fetch(tmp_path, maker, dataclasses.replace(KEY, gpu='Thor'))[0].built


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    found, problem = fetch(tmp_path, Maker())
    assert found.engine == 'plan'
    assert 'No space left on device' in problem
    assert [path.name for path in tmp_path.iterdir()] == ['lock']


BUILDER = """
import sys, threading
from pathlib import Path
from mm_fusion.runtime.tensorrt.cache import EngineCache, EngineKey
def build():
    print('building', flush=True)
    sys.stdin.readline()
    return b'plan'
key = EngineKey('fusion', '', 'fp32', (), 3, '10.3.0', '12.6', 'Orin', '8.7')
cache = EngineCache(Path(sys.argv[1]), threading.Event())
print('waiting', flush=True)
print(cache.engine(key, build, bytes.decode).built, flush=True)
"""


def test_two_processes_build_once(tmp_path: Path) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, '-c', BUILDER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start() as one, start() as other:
        results = []
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == 'waiting\n'
        for process in (one, other):  # whichever of them builds
            assert process.stdin is not None
            process.stdin.write('\n')
            process.stdin.close()
        for process in (one, other):
            assert process.stdout is not None
            results.append(process.stdout.read().split())
    assert sorted(results) == [['False'], ['building', 'True']]


def test_waiting_for_another_process_can_be_given_up(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with (tmp_path / 'lock').open('a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Cancelled):
            EngineCache(tmp_path, cancelled).engine(KEY, Maker().build, Maker().load)


def test_a_second_start_builds_nothing(
    trt: FakeTensorRt, bundle: Bundle, settings: InferenceSettings
) -> None:
    said: list[str] = []
    first = load_engines(bundle, settings, said.append, threading.Event())
    second = load_engines(bundle, settings, said.append, threading.Event())
    assert (first.built, second.built, trt.builds) == (4, 0, 4)
    assert said[0] == 'image_encoder at fp32, 1 of 4'
    trt.__version__ = '10.16.0'
    assert load_engines(bundle, settings, said.append, threading.Event()).built == 4
