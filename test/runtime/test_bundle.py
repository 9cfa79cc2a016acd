# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fusion.errors import BundleError, InferenceError, SettingsError
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.runtime.manifest import parse_manifest
from mm_fusion.settings import InferenceSettings
from support.bundles import AUDIO_SAMPLES, write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / 'tiny')


def edit(tiny: Path, *place: str, value: Any) -> None:
    document = json.loads((tiny / 'manifest.json').read_text())
    node = document
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    (tiny / 'manifest.json').write_text(json.dumps(document))


def test_a_sound_bundle_runs(tiny: Path) -> None:
    backend = create_backend(Bundle.load(tiny), InferenceSettings())
    white = np.full((1, 8, 16, 3), 255, np.uint8)
    assert backend.run('image_encoder', {'image': white})['image_embedding'].tolist() == [[1] * 3]
    sound = np.full((1, AUDIO_SAMPLES), -0.25, np.float32)
    embedding = backend.run('audio_encoder', {'audio': sound})['audio_embedding']
    np.testing.assert_allclose(embedding, [[0.25]])
    assert backend.name == 'onnxruntime-cpu'
    assert 'auto' in backend.reason


@pytest.mark.parametrize('stage', ['image_encoder', 'audio_encoder', 'fusion'])
def test_one_changed_byte_is_found(tiny: Path, stage: str) -> None:
    path = tiny / f'{stage}.onnx'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=rf'{stage}\.onnx: found sha256 .* expected'):
        Bundle.load(tiny)


def test_a_truncated_graph_is_found(tiny: Path) -> None:
    path = tiny / 'fusion.onnx'
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match='bytes'):
        Bundle.load(tiny)


def test_a_missing_graph_is_named(tiny: Path) -> None:
    (tiny / 'audio_encoder.onnx').unlink()
    with pytest.raises(BundleError, match=r'audio_encoder\.onnx: cannot be read: No such file'):
        Bundle.load(tiny)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(BundleError, match='nowhere: found neither'):
        Bundle.load('nowhere')


def test_a_graph_that_contradicts_the_manifest_is_refused(tiny: Path) -> None:
    edit(tiny, 'stages', 'audio_encoder', 'inputs', 'audio', 'shape', value=[1, 800])
    with pytest.raises(BundleError, match=r'found inputs .*1600.* expected .*800'):
        create_backend(Bundle.load(tiny), InferenceSettings())


@pytest.mark.parametrize(
    ('place', 'value', 'message'),
    [
        (('schema',), 2, 'found schema 2, expected 1'),
        (('name',), None, 'name: found nothing, expected str'),
        (('classes', 'friction'), ['dry'], 'friction: found'),
        (('stages', 'fusion', 'file'), '../evil.onnx', 'expected the name of an .onnx file'),
        (('stages', 'fusion', 'bytes'), -1, 'expected a positive number'),
        (('stages', 'lidar_encoder'), {}, 'unknown stage'),
        (('stages', 'fusion', 'inputs', 'presence', 'shape'), [1, 4], 'fusion: found inputs'),
        (('calibration', 'temperatures', 'siren'), 0, 'siren: found 0'),
        (('calibration', 'siren_threshold'), 1.5, 'siren_threshold: found 1.5'),
        (('calibration', 'trajectory', 'times_s'), [2.0, 1.0], 'covariance scales'),
        (('friction_coefficients', 'classes', 'ice', 'mean'), float('nan'), 'mean: found nan'),
    ],
)
def test_a_broken_contract_is_named(
    tiny: Path, place: tuple[str, ...], value: Any, message: str
) -> None:
    edit(tiny, *place, value=value)
    with pytest.raises(BundleError, match=message):
        Bundle.load(tiny)


def test_a_manifest_without_fusion_is_refused(tiny: Path) -> None:
    document = json.loads((tiny / 'manifest.json').read_text())
    del document['stages']['fusion']
    with pytest.raises(BundleError, match='expected one named fusion'):
        parse_manifest(document, 'here')


@given(
    junk=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_anywhere_in_the_manifest_is_one_kind_of_error(tiny: Path, junk: Any) -> None:
    document = json.loads((tiny / 'manifest.json').read_text())
    for key in document:
        if document[key] == junk:
            continue
        try:
            parse_manifest({**document, key: junk}, 'here')
        except BundleError:
            continue
        assert key in ('name', 'version', 'audio_sample_rate_hz')


def test_text_that_is_not_json_is_refused(tiny: Path) -> None:
    (tiny / 'manifest.json').write_text('{')
    with pytest.raises(BundleError, match='not valid JSON'):
        Bundle.load(tiny)


def test_a_wrong_input_is_an_inference_error(tiny: Path) -> None:
    backend = create_backend(Bundle.load(tiny), InferenceSettings())
    with pytest.raises(InferenceError, match='onnxruntime-cpu: image_encoder'):
        backend.run('image_encoder', {'image': np.zeros((1, 2, 2, 3), np.uint8)})


def test_a_number_that_is_not_finite_never_leaves_the_backend(tiny: Path) -> None:
    backend = create_backend(Bundle.load(tiny), InferenceSettings())
    sound = np.full((1, AUDIO_SAMPLES), np.nan, np.float32)
    with pytest.raises(InferenceError, match='audio_embedding: found a number that is not finite'):
        backend.run('audio_encoder', {'audio': sound})


def test_an_unknown_backend_is_refused(tiny: Path) -> None:
    with pytest.raises(SettingsError, match='abacus'):
        create_backend(Bundle.load(tiny), InferenceSettings(backend='abacus'))
