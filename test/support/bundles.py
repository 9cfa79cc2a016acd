# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny model bundle of real ONNX graphs, whose outputs can be worked out by hand.

The image embedding is the mean colour in [0, 1]; the audio embedding is the mean absolute sample.
Red speaks for dry, green for wet, blue for ice; siren logit = 10 (mean absolute sample - 0.1).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_SIZE = (8, 16)
AUDIO_SAMPLES = 1600
AUDIO_RATE_HZ = 16_000
COLOUR_GAIN = 20.0
_DTYPES = {TensorProto.UINT8: 'uint8', TensorProto.FLOAT: 'float32'}


def write_tiny_bundle(folder: Path) -> Path:
    """Write the bundle into a folder that is made for it, and return that folder."""
    folder.mkdir(parents=True)
    graphs = {
        'image_encoder': _image_encoder(),
        'audio_encoder': _audio_encoder(),
        'fusion': _fusion(),
    }
    stages = {}
    for name, graph in graphs.items():
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
        onnx.checker.check_model(model)
        content = model.SerializeToString(deterministic=True)
        (folder / f'{name}.onnx').write_bytes(content)
        stages[name] = {
            'file': f'{name}.onnx',
            'sha256': hashlib.sha256(content).hexdigest(),
            'bytes': len(content),
            'inputs': _specs(graph.input),
            'outputs': _specs(graph.output),
        }
    (folder / 'manifest.json').write_text(json.dumps(_manifest(stages), indent=1))
    return folder


def _manifest(stages: dict[str, Any]) -> dict[str, Any]:
    return {
        'schema': 1,
        'name': 'tiny',
        'version': '0.0.1',
        'stages': stages,
        'audio_sample_rate_hz': AUDIO_RATE_HZ,
        'classes': {
            'friction': list(FRICTION_CLASSES),
            'material': list(MATERIAL_CLASSES),
            'unevenness': list(UNEVENNESS_CLASSES),
        },
        'calibration': {
            'temperatures': dict.fromkeys(('friction', 'material', 'unevenness', 'siren'), 1.0),
            'siren_threshold': 0.5,
            'trajectory': {
                'times_s': [0.5 * step for step in range(1, 13)],
                'covariance_scales': [1.0] * 12,
                'source': 'not fitted',
            },
        },
        'friction_coefficients': {
            'classes': {
                name: {'mean': 0.8 - 0.1 * index, 'std': 0.05}
                for index, name in enumerate(FRICTION_CLASSES)
            },
            'source': 'made up for tests',
        },
    }


def _specs(values: Any) -> dict[str, Any]:
    return {
        value.name: {
            'dtype': _DTYPES[value.type.tensor_type.elem_type],
            'shape': [size.dim_value for size in value.type.tensor_type.shape.dim],
        }
        for value in values
    }


def _value(name: str, shape: list[int], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _constant(name: str, array: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array), name)


def _image_encoder() -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node('Cast', ['image'], ['float'], to=TensorProto.FLOAT),
            helper.make_node('ReduceMean', ['float', 'axes'], ['mean'], keepdims=0),
            helper.make_node('Div', ['mean', 'full'], ['image_embedding']),
        ],
        'image_encoder',
        [_value('image', [1, *IMAGE_SIZE, 3], TensorProto.UINT8)],
        [_value('image_embedding', [1, 3])],
        [_constant('axes', np.array([1, 2])), _constant('full', np.float32(255))],
    )


def _audio_encoder() -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node('Abs', ['audio'], ['magnitude']),
            helper.make_node('ReduceMean', ['magnitude', 'axes'], ['audio_embedding']),
        ],
        'audio_encoder',
        [_value('audio', [1, AUDIO_SAMPLES])],
        [_value('audio_embedding', [1, 1])],
        [_constant('axes', np.array([1]))],
    )


def _fusion() -> onnx.GraphProto:
    friction = np.zeros((3, 6), np.float32)
    friction[[0, 1, 2], [0, 1, 5]] = COLOUR_GAIN
    age_sink = np.zeros((3, 3), np.float32)
    return helper.make_graph(
        [
            helper.make_node('MatMul', ['image_embedding', 'w_friction'], ['friction_logits']),
            helper.make_node('MatMul', ['image_embedding', 'w_material'], ['material_logits']),
            helper.make_node('MatMul', ['image_embedding', 'w_uneven'], ['unevenness_logits']),
            helper.make_node('Sub', ['audio_embedding', 'threshold'], ['over']),
            helper.make_node('Mul', ['over', 'gain'], ['siren_logit']),
            # The age has no influence here, but the contract hands it to every fusion stage.
            helper.make_node('MatMul', ['age_s', 'age_sink'], ['age_nothing']),
            helper.make_node('Mul', ['presence', 'no_motion'], ['evidence']),
            helper.make_node('ReduceSum', ['evidence', 'axes'], ['total']),
            helper.make_node('Max', ['total', 'one'], ['divisor']),
            helper.make_node('Div', ['evidence', 'divisor'], ['shares']),
            helper.make_node('Add', ['shares', 'age_nothing'], ['modality_weights']),
        ],
        'fusion',
        [
            _value('image_embedding', [1, 3]),
            _value('audio_embedding', [1, 1]),
            _value('presence', [1, 3]),
            _value('age_s', [1, 3]),
        ],
        [
            _value('friction_logits', [1, 6]),
            _value('material_logits', [1, 5]),
            _value('unevenness_logits', [1, 3]),
            _value('siren_logit', [1, 1]),
            _value('modality_weights', [1, 3]),
        ],
        [
            _constant('w_friction', friction),
            _constant('w_material', np.eye(3, 5, dtype=np.float32)),
            _constant('w_uneven', np.eye(3, dtype=np.float32)),
            _constant('threshold', np.float32(0.1)),
            _constant('gain', np.float32(10)),
            _constant('age_sink', age_sink),
            _constant('no_motion', np.array([[1, 1, 0]], np.float32)),
            _constant('axes', np.array([1])),
            _constant('one', np.float32(1)),
        ],
    )
