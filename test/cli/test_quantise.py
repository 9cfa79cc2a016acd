# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion quantise`` on tiny folders: what fits is accepted, what does not is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import typer
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from mm_fusion.cli.quantise import quantise
from mm_fusion.errors import BundleError, SettingsError
from mm_fusion.runtime import Bundle, create_backend, precision_layers
from mm_fusion.settings import InferenceSettings
from support.bundles import IMAGE_SIZE, write_tiny_bundle
from support.labelled import write_roads, write_sounds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    roads, sounds = write_roads(tmp_path / 'roads', 4), write_sounds(tmp_path / 'sounds', 4)
    return ['--roads', str(roads), '--sounds', str(sounds)]


def call(*words: str) -> str:
    app = typer.Typer()
    app.command()(quantise)
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def convolved(folder: Path, outlier: float) -> Path:
    """Let the image encoder convolve the colours beside a channel of one large constant."""
    weights = np.eye(3, 4, dtype=np.float32)[..., None, None]
    constants = {
        'full': np.float32(255),
        'outlier': np.full((1, 1, *IMAGE_SIZE), outlier, np.float32),
        'weights': weights,
        'axes': np.array([2, 3]),
    }
    nodes = [
        helper.make_node('Cast', ['image'], ['float'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['float'], ['first'], perm=[0, 3, 1, 2]),
        helper.make_node('Div', ['first', 'full'], ['colours']),
        helper.make_node('Concat', ['colours', 'outlier'], ['channels'], axis=1),
        helper.make_node('Conv', ['channels', 'weights'], ['mixed']),
        helper.make_node('ReduceMean', ['mixed', 'axes'], ['image_embedding'], keepdims=0),
    ]
    path = folder / 'image_encoder.onnx'
    model = onnx.load(path)
    model.graph.ClearField('node')
    model.graph.ClearField('initializer')
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    path.write_bytes(content)
    document = manifest(folder)
    entry = {'sha256': hashlib.sha256(content).hexdigest(), 'bytes': len(content)}
    document['stages']['image_encoder'].update(entry)
    (folder / 'manifest.json').write_text(json.dumps(document))
    return folder


def manifest(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / 'manifest.json').read_text())
    return document


def test_what_fits_is_accepted_and_can_be_loaded(tmp_path: Path, data: list[str]) -> None:
    folder = convolved(write_tiny_bundle(tmp_path / 'tiny', trajectory=True), 1.0)
    before = manifest(folder)
    output = call(str(folder), *data)
    assert 'fp16: accepted' in output
    assert 'int8: accepted' in output
    assert 'int8_cpu: accepted' in output
    document = manifest(folder)
    nodes = document.pop('precisions')
    assert document == before
    ends = {'channels': [0.0, 1.0], 'mixed': [0.0, pytest.approx(14 / 15)]}
    for name in ('int8', 'int8_cpu'):
        assert nodes[name]['intervals'] == {'image_encoder': ends, 'audio_encoder': {}}
        assert nodes[name]['left_out'] == {'image_encoder': [], 'audio_encoder': []}
    assert nodes['int8']['metrics']['photographs'] == 9
    assert 0.0 < nodes['int8']['bounds']['image_embedding'] < 0.01
    assert nodes['fp16']['cpu_time_ratios'].keys() == {'all', *before['stages']}
    assert 'intervals' not in nodes['fp16']
    assert [path.name for path in folder.glob('manifest*')] == ['manifest.json']
    for precision in ('fp16', 'int8'):
        backend = create_backend(Bundle.load(folder), InferenceSettings(precision=precision))
        grey = np.full((1, *IMAGE_SIZE, 3), 153, np.uint8)
        embedding = backend.run('image_encoder', {'image': grey})['image_embedding']
        np.testing.assert_allclose(embedding, [[0.6] * 3], atol=0.01)


def test_what_int8_would_harm_stays_float32(tmp_path: Path, data: list[str]) -> None:
    folder = convolved(write_tiny_bundle(tmp_path / 'tiny'), 1e4)
    output = call(str(folder), *data, '--precision', 'int8')
    node = manifest(folder)['precisions']['int8_cpu']
    assert node['accepted'] is True
    assert node['left_out']['image_encoder'] == ['channels']
    assert 'channels' not in node['intervals']['image_encoder']
    assert 'left in float32: image_encoder: 1, the last on channels' in output


@pytest.fixture
def harmful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let int8 do what harm it does."""
    monkeypatch.setattr(precision_layers, 'SENSITIVE', np.inf)


@pytest.mark.usefixtures('harmful')
def test_what_is_lost_is_refused_and_cannot_be_loaded(tmp_path: Path, data: list[str]) -> None:
    folder = convolved(write_tiny_bundle(tmp_path / 'tiny'), 1e4)
    output = call(str(folder), *data)
    assert 'fp16: accepted' in output
    assert 'int8: refused: not within 1.0 points of fp32 on 9 photographs' in output
    bundle = Bundle.load(folder)
    assert bundle.graphs_at('fp16')
    for name in ('int8', 'int8_cpu'):
        why = rf'{name}: refused: not within .*friction_3_uar by -'
        with pytest.raises(BundleError, match=why):
            bundle.graphs_at(name)


def test_what_overflows_is_refused_by_its_error(tmp_path: Path, data: list[str]) -> None:
    folder = convolved(write_tiny_bundle(tmp_path / 'tiny'), 1e6)
    output = call(str(folder), *data, '--precision', 'fp16')
    assert 'fp16: refused' in output
    assert manifest(folder)['precisions'].keys() == {'fp16'}
    with pytest.raises(BundleError, match=r'fp16: refused: .*not finite'):
        Bundle.load(folder).graphs_at('fp16')


@pytest.mark.usefixtures('harmful')
def test_a_second_call_replaces_what_it_measures_alone(tmp_path: Path, data: list[str]) -> None:
    folder = convolved(write_tiny_bundle(tmp_path / 'tiny'), 1e4)
    call(str(folder), *data)
    first = manifest(folder)['precisions']
    convolved(folder, 1.0)
    call(str(folder), *data, '--precision', 'int8', '--limit', '3')
    second = manifest(folder)['precisions']
    assert second['fp16'] == first['fp16']
    assert second['int8']['accepted'] is True
    assert second['int8']['metrics']['photographs'] == 3
    bundle = Bundle.load(folder)
    assert bundle.graphs_at('int8')
    with pytest.raises(BundleError, match='fp16: was measured on other graphs'):
        bundle.graphs_at('fp16')


def test_an_unknown_precision_is_refused(tmp_path: Path, data: list[str]) -> None:
    folder = write_tiny_bundle(tmp_path / 'tiny')
    with pytest.raises(SettingsError, match="found 'fp8', expected fp16 or int8"):
        call(str(folder), *data, '--precision', 'fp8')
    assert 'precisions' not in manifest(folder)


def test_it_needs_no_torch() -> None:
    code = (
        'import sys; sys.modules["torch"] = None; '
        'import mm_fusion.cli.quantise, mm_fusion.evaluation.precision, '
        'mm_fusion.export.precisions'
    )
    subprocess.run([sys.executable, '-W', 'error', '-c', code], check=True)
