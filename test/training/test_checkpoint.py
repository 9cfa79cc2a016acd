# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what they hold, what they refuse, and where a training can start from."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import BundleError, DatasetError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch


def write(path: Path, **changes: Any) -> Path:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.checkpoint import AVERAGE, save_checkpoint
    from support.learning import NETWORK

    torch.manual_seed(0)
    state = build_network(NETWORK, pretrained=False).state_dict()
    meta = {'network': NETWORK.to_dict(), 'epoch': 3, **changes}
    save_checkpoint(path, {AVERAGE + name: value for name, value in state.items()}, meta)
    return path


def test_the_network_comes_back(tmp_path: Path) -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.checkpoint import load_network
    from support.learning import NETWORK

    network, meta = load_network(write(tmp_path / 'a.safetensors'))
    assert meta['epoch'] == 3
    assert network.config == NETWORK
    assert not network.training
    torch.manual_seed(0)
    for name, value in build_network(NETWORK, pretrained=False).state_dict().items():
        assert np.array_equal(value.numpy(), network.state_dict()[name].numpy()), name


def test_a_later_stage_replaces_the_weights_once_and_leaves_its_mark(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import is_marked, load_network, replace_best

    path = write(tmp_path / 'best.safetensors')
    network, before = load_network(path)
    assert not is_marked(path, 'polished')
    replace_best(path, network)
    network.state_dict()['fusion.queries'] += 1.0
    replace_best(path, network, 'polished')
    assert is_marked(path, 'polished')
    found, meta = load_network(path)
    assert meta == {**before, 'done': ['polished']}
    assert np.array_equal(
        found.state_dict()['fusion.queries'].numpy(),
        network.state_dict()['fusion.queries'].numpy(),
    )
    written_ns = path.stat().st_mtime_ns
    replace_best(path, network, 'polished')
    replace_best(path, network)
    assert path.stat().st_mtime_ns == written_ns


def test_changed_classes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mm_fusion import labels
    from mm_fusion.training import checkpoint

    path = write(tmp_path / 'a.safetensors')
    monkeypatch.setitem(labels.SURFACE_CLASSES, 'material', ('asphalt', 'sand'))
    with pytest.raises(
        DatasetError, match=r"found material classes \['asphalt', 'concrete'.*sand"
    ):
        checkpoint.load_network(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'cannot be read as a checkpoint'),
        (b'\x80\x04K\x01.', 'cannot be read as a checkpoint'),
        (b'\x02\x00\x00\x00\x00\x00\x00\x00{}', 'found checkpoint format None, expected 1'),
    ],
)
def test_files_of_other_kinds_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    from mm_fusion.training.checkpoint import load_network

    path = tmp_path / 'a.safetensors'
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load_network(path)
    with pytest.raises(DatasetError, match='No such file'):
        load_network(tmp_path / 'b.safetensors')


def test_a_network_of_another_form_is_refused(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import load_network
    from support.learning import NETWORK

    path = write(tmp_path / 'a.safetensors', network={**NETWORK.to_dict(), 'token_size': 32})
    with pytest.raises(DatasetError, match=r'a\.safetensors: does not fit the network: .*size'):
        load_network(path)


def test_a_run_is_a_start_with_its_calibration(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import BEST, CALIBRATION, load_start

    write(tmp_path / BEST)
    assert load_start(str(tmp_path)).calibration is None
    (tmp_path / CALIBRATION).write_text(json.dumps({'siren_threshold': 0.4}))
    for name in (tmp_path, tmp_path / BEST):
        assert load_start(str(name)).calibration == {'siren_threshold': 0.4}


def test_where_there_is_no_start_it_says_so(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import load_start

    with pytest.raises(DatasetError, match=r'found neither best\.safetensors .* nor manifest'):
        load_start(str(tmp_path))
    with pytest.raises(BundleError, match='found neither such a folder nor a bundle'):
        load_start('nowhere')


def test_the_state_of_the_code_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from mm_fusion.training import checkpoint

    state = checkpoint.git_state()
    assert len(state['commit']) == 40
    assert state['changed'] in (True, False)
    monkeypatch.setattr(shutil, 'which', lambda _: None)
    assert checkpoint.git_state() == {'commit': 'unknown', 'changed': None}
