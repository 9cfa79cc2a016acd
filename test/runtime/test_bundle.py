# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
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
        (('schema',), 1, r'found schema 1, expected 2: export .* again .*mm_fusion export'),
        (('name',), None, 'name: found nothing, expected str'),
        (('classes', 'friction'), ['dry'], 'friction: found'),
        (('stages', 'fusion', 'file'), '../evil.onnx', r'expected a name that ends in \.onnx'),
        (('stages', 'fusion', 'bytes'), -1, 'expected a positive number'),
        (('stages', 'lidar_encoder'), {}, 'unknown stage'),
        (('stages', 'fusion', 'inputs', 'presence', 'shape'), [1, 4], 'fusion: found inputs'),
        (('calibration', 'temperatures', 'siren'), 0, 'siren: found 0'),
        (('calibration', 'siren_threshold'), 1.5, 'siren_threshold: found 1.5'),
        (('calibration', 'trajectory', 'times_s'), [2.0, 1.0], 'covariance scales'),
        (('calibration', 'friction_coefficient_std_scale'), 0, 'std_scale: found 0'),
        (
            ('calibration', 'offsets'),
            {'friction': [0.0]},
            'friction: found 1 values, expected one',
        ),
        (('calibration', 'central_mode'), {'share': 1.5}, 'share: found 1.5, expected 0 to 1'),
        (('calibration', 'offsets'), {'siren': [0.0]}, 'siren: found 1 values, expected one'),
        (('friction_coefficients', 'classes', 'ice', 'mean'), float('nan'), 'mean: found nan'),
        (('surface_from',), ['motion'], r"found \['motion'\], expected some of"),
        (('surface_from',), [], r'found \[\], expected some of'),
        (('weights',), {'file': 'graph.onnx'}, r'expected a name that ends in \.safetensors'),
        (('weights',), None, 'weights: found NoneType, expected an object'),
    ],
)
def test_a_broken_contract_is_named(
    tiny: Path, place: tuple[str, ...], value: Any, message: str
) -> None:
    edit(tiny, *place, value=value)
    with pytest.raises(BundleError, match=message):
        Bundle.load(tiny)


def test_what_a_manifest_need_not_say(tiny: Path) -> None:
    manifest = Bundle.load(tiny).manifest
    assert manifest.surface_from == ('camera',)
    assert manifest.calibration.friction_coefficient_std_scale == 1.0
    assert not manifest.gives('trajectory')
    assert not manifest.gives('friction_coefficient')
    edit(tiny, 'surface_from', value=['camera', 'microphone'])
    assert Bundle.load(tiny).manifest.surface_from == ('camera', 'microphone')


def test_a_bundle_with_every_head_runs(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / 'whole', trajectory=True, friction_coefficient=True)
    bundle = Bundle.load(folder)
    assert bundle.manifest.gives('trajectory')
    assert bundle.manifest.gives('friction_coefficient')
    assert bundle.manifest.calibration.temperatures['modes'] == 1.0
    backend = create_backend(bundle, InferenceSettings())
    inputs = {
        name: np.zeros(spec.shape, spec.dtype)
        for name, spec in bundle.manifest.stages['fusion'].inputs.items()
    }
    assert backend.run('fusion', inputs)['trajectory'].shape == (1, 6, 12, 5)


@pytest.mark.parametrize(
    ('output', 'shape', 'message'),
    [
        ('mode_logits', None, 'mode_logits: found None, expected float32'),
        ('trajectory', None, 'trajectory: found None, expected float32'),
        ('trajectory', [1, 6, 12, 2], r'expected float32 .*\(1, 6, 12, 5\)'),
        ('friction_coefficient', [1, 1], r'expected float32 .*\(1, 2\)'),
    ],
)
def test_half_a_head_is_refused(
    tmp_path: Path, output: str, shape: list[int] | None, message: str
) -> None:
    folder = write_tiny_bundle(tmp_path / 'whole', trajectory=True, friction_coefficient=True)
    document = json.loads((folder / 'manifest.json').read_text())
    outputs = document['stages']['fusion']['outputs']
    if shape is None:
        del outputs[output]
    else:
        outputs[output]['shape'] = shape
    with pytest.raises(BundleError, match=message):
        parse_manifest(document, 'here')


def test_a_trajectory_head_needs_a_temperature_and_the_motion(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / 'whole', trajectory=True)
    document = json.loads((folder / 'manifest.json').read_text())
    del document['calibration']['temperatures']['modes']
    with pytest.raises(BundleError, match='temperatures: modes: found None'):
        parse_manifest(document, 'here')
    document['calibration']['temperatures']['modes'] = 1.0
    parse_manifest(document, 'here')
    del document['stages']['motion_encoder']
    del document['stages']['fusion']['inputs']['motion_embedding']
    with pytest.raises(BundleError, match='found a trajectory and no motion_encoder'):
        parse_manifest(document, 'here')


def test_weights_are_verified_when_they_are_read(tiny: Path) -> None:
    with pytest.raises(BundleError, match='found no weights to train from'):
        Bundle.load(tiny).weights()
    content = b'sixteen bytes ok'
    entry = {'file': 'weights.safetensors', 'sha256': hashlib.sha256(content).hexdigest()}
    edit(tiny, 'weights', value={**entry, 'bytes': len(content)})
    bundle = Bundle.load(tiny)
    with pytest.raises(BundleError, match=r'weights\.safetensors: cannot be read'):
        bundle.weights()
    (tiny / 'weights.safetensors').write_bytes(content)
    assert bundle.weights() == content
    (tiny / 'weights.safetensors').write_bytes(content[:-1])
    with pytest.raises(BundleError, match='found 15 bytes, expected 16'):
        bundle.weights()
    (tiny / 'weights.safetensors').write_bytes(content[::-1])
    with pytest.raises(BundleError, match=r'found sha256 .* expected'):
        bundle.weights()


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
