# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny model bundle of real ONNX graphs, whose outputs can be worked out by hand.

The image embedding is the mean colour in [0, 1]; the audio embedding is the mean absolute sample.
Red speaks for dry, green for wet, blue for ice; siren logit = 10 (mean absolute sample - 0.1).

Where there is a trajectory head, the motion embedding is the last row of the history, and at time
t mode k strays from the roll-out by 0.1 v t forward and 0.02 k t² to the left. Its standard
deviations are 0.4 t along and 0.2 t across, its correlation 0.5, its logit -10 k times the yaw
rate. Where there is a head for the friction coefficient, its mean is the red in [0, 1], and its
standard deviation exp(-2).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mm_fusion.types.features import MODES, STEP_S, STEPS
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_SIZE = (8, 16)
AUDIO_SAMPLES = 1600
AUDIO_RATE_HZ = 16_000
MOTION_STEPS = 40
COLOUR_GAIN = 20.0
_DTYPES = {TensorProto.UINT8: 'uint8', TensorProto.FLOAT: 'float32'}


def write_tiny_bundle(
    folder: Path, *, trajectory: bool = False, friction_coefficient: bool = False
) -> Path:
    """Write the bundle into a folder that is made for it, and return that folder.

    Args:
        folder: Does not exist yet.
        trajectory: With a motion encoder and a trajectory head.
        friction_coefficient: With a head for the friction coefficient.
    """
    folder.mkdir(parents=True)
    graphs = {
        'image_encoder': _image_encoder(),
        'audio_encoder': _audio_encoder(),
        'fusion': _fusion(trajectory=trajectory, friction_coefficient=friction_coefficient),
    }
    if trajectory:
        graphs['motion_encoder'] = _motion_encoder()
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
    (folder / 'manifest.json').write_text(json.dumps(_manifest(stages, trajectory), indent=1))
    return folder


def _manifest(stages: dict[str, Any], trajectory: bool) -> dict[str, Any]:
    tasks = ('friction', 'material', 'unevenness', 'siren', *(('modes',) if trajectory else ()))
    return {
        'schema': 2,
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
            'temperatures': dict.fromkeys(tasks, 1.0),
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


def _motion_encoder() -> onnx.GraphProto:
    return helper.make_graph(
        [helper.make_node('Gather', ['motion', 'last'], ['motion_embedding'], axis=1)],
        'motion_encoder',
        [_value('motion', [1, MOTION_STEPS, 3])],
        [_value('motion_embedding', [1, 3])],
        [_constant('last', np.int64(MOTION_STEPS - 1))],
    )


class _Head(NamedTuple):
    """What a head adds to the fusion graph."""

    nodes: list[onnx.NodeProto]
    inputs: list[onnx.ValueInfoProto]
    outputs: list[onnx.ValueInfoProto]
    constants: list[onnx.TensorProto]


def _trajectory_head() -> _Head:
    times_s = STEP_S * np.arange(1, STEPS + 1, dtype=np.float32)
    size = MODES * STEPS * 5
    bias = np.zeros((MODES, STEPS, 5), np.float32)
    bias[..., 1] = 0.02 * np.arange(MODES)[:, None] * times_s**2
    bias[..., 2:] = np.stack([np.log(0.4 * times_s), np.log(0.2 * times_s), 0 * times_s + 0.5], 1)
    by_motion = np.zeros((3, MODES, STEPS, 5), np.float32)
    by_motion[0, ..., 0] = 0.1 * times_s
    turns = np.zeros((3, MODES), np.float32)
    turns[1] = -10.0 * np.arange(MODES)
    return _Head(
        [
            helper.make_node('MatMul', ['motion_embedding', 'w_path'], ['by_motion']),
            helper.make_node('Add', ['by_motion', 'b_path'], ['flat_path']),
            helper.make_node('Reshape', ['flat_path', 'path_shape'], ['trajectory']),
            helper.make_node('MatMul', ['motion_embedding', 'w_modes'], ['mode_logits']),
        ],
        [_value('motion_embedding', [1, 3])],
        [_value('trajectory', [1, MODES, STEPS, 5]), _value('mode_logits', [1, MODES])],
        [
            _constant('w_path', by_motion.reshape(3, size)),
            _constant('b_path', bias.reshape(1, size)),
            _constant('path_shape', np.array([1, MODES, STEPS, 5])),
            _constant('w_modes', turns),
        ],
    )


def _coefficient_head() -> _Head:
    return _Head(
        [
            helper.make_node('MatMul', ['image_embedding', 'w_mu'], ['mu']),
            helper.make_node('Add', ['mu', 'b_mu'], ['friction_coefficient']),
        ],
        [],
        [_value('friction_coefficient', [1, 2])],
        [
            _constant('w_mu', np.array([[1, 0], [0, 0], [0, 0]], np.float32)),
            _constant('b_mu', np.array([[0, -2]], np.float32)),
        ],
    )


def _fusion(*, trajectory: bool, friction_coefficient: bool) -> onnx.GraphProto:
    friction = np.zeros((3, 6), np.float32)
    friction[[0, 1, 2], [0, 1, 5]] = COLOUR_GAIN
    age_sink = np.zeros((3, 3), np.float32)
    heads = [_trajectory_head()] * trajectory + [_coefficient_head()] * friction_coefficient
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
            *(node for head in heads for node in head.nodes),
        ],
        'fusion',
        [
            _value('image_embedding', [1, 3]),
            _value('audio_embedding', [1, 1]),
            _value('presence', [1, 3]),
            _value('age_s', [1, 3]),
            *(value for head in heads for value in head.inputs),
        ],
        [
            _value('friction_logits', [1, 6]),
            _value('material_logits', [1, 5]),
            _value('unevenness_logits', [1, 3]),
            _value('siren_logit', [1, 1]),
            _value('modality_weights', [1, 3]),
            *(value for head in heads for value in head.outputs),
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
            *(constant for head in heads for constant in head.constants),
        ],
    )
