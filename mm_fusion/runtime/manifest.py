# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The manifest of a model bundle: its contract, read from ``manifest.json`` and checked."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

from mm_fusion.errors import BundleError
from mm_fusion.runtime.document import Node
from mm_fusion.types.bundle import (
    Calibration,
    FileSpec,
    Manifest,
    PrecisionSpec,
    StageSpec,
    TensorSpec,
)
from mm_fusion.types.features import MODES, STEPS
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 2
TASKS = ('friction', 'material', 'unevenness', 'siren')
EMBEDDINGS = {
    'image_encoder': ('image', 'image_embedding'),
    'audio_encoder': ('audio', 'audio_embedding'),
    'motion_encoder': ('motion', 'motion_embedding'),
}
"""Input and output of each encoder stage."""
FUSION = 'fusion'
FUSION_OUTPUTS = {
    'friction_logits': (1, len(FRICTION_CLASSES)),
    'material_logits': (1, len(MATERIAL_CLASSES)),
    'unevenness_logits': (1, len(UNEVENNESS_CLASSES)),
    'siren_logit': (1, 1),
    'modality_weights': (1, 3),
}
"""What every fusion stage gives."""
TRAJECTORY_OUTPUTS = {'trajectory': (1, MODES, STEPS, 5), 'mode_logits': (1, MODES)}
"""What a fusion stage with a trajectory head gives as well, both or neither.

The columns of ``trajectory``: residual to the ego-state roll-out along x and y of its frame at
that step (m), logarithms of the standard deviations along both (log m), and their correlation.
"""
COEFFICIENT_OUTPUTS = {'friction_coefficient': (1, 2)}
"""What a fusion stage may give as well: mean and logarithm of the standard deviation."""
PRECISIONS = ('fp32', 'fp16', 'int8')
"""Precisions of the graphs; the bundle holds the first, the others are derived from it."""
INT8_CPU = 'int8_cpu'
"""What ``int8`` is on ONNX Runtime: another graph, with a measurement of its own."""
DERIVED = (*PRECISIONS[1:], INT8_CPU)
"""What the manifest may hold measurements of."""
SURFACE_CLASSES = {
    'friction': FRICTION_CLASSES,
    'material': MATERIAL_CLASSES,
    'unevenness': UNEVENNESS_CLASSES,
}
SURFACE_SOURCES = ('camera', 'microphone')
"""Modalities of the network that may speak to the road surface."""


def read_manifest(content: bytes, source: str) -> Manifest:
    """Read and check the content of a ``manifest.json``.

    Args:
        content: As read.
        source: Named in errors.

    Raises:
        BundleError: It is no JSON, or ``parse_manifest`` refuses it.
    """
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f'{source}: not valid JSON: {error}') from error
    return parse_manifest(document, source)


def parse_manifest(document: object, source: str) -> Manifest:
    """Check a decoded ``manifest.json`` and make a record of it.

    Args:
        document: What the JSON parser gave.
        source: Named in errors.

    Raises:
        BundleError: Something is missing, of a wrong type, or breaks the contract.
    """
    root = Node(document, source)
    schema = root.get('schema', int)
    if schema != SCHEMA:
        raise BundleError(
            f'{source}: found schema {schema}, expected {SCHEMA}: export the bundle again with '
            'this version (mm_fusion export)'
        )
    _check_classes(root.child('classes'))
    graphs = root.child('stages')
    stages = {name: _stage(name, graphs.child(name)) for name in graphs.names()}
    _check_stages(stages, source)
    outputs = stages[FUSION].outputs
    return Manifest(
        name=root.get('name', str),
        version=root.get('version', str),
        stages=stages,
        audio_sample_rate_hz=root.positive_int('audio_sample_rate_hz'),
        calibration=_calibration(
            root.child('calibration'), (*TASKS, 'modes') if 'mode_logits' in outputs else TASKS
        ),
        friction_coefficients=_friction(root.child('friction_coefficients')),
        surface_from=_surface_from(root),
        weights=_file(root.child('weights'), '.safetensors') if root.has('weights') else None,
        precisions=_precisions(root.child('precisions')) if root.has('precisions') else {},
    )


def _check_classes(node: Node) -> None:
    for task, classes in SURFACE_CLASSES.items():
        found = node.get(task, list)
        if tuple(found) != classes:
            raise BundleError(f'{node.place}: {task}: found {found}, expected {list(classes)}')


def _stage(name: str, node: Node) -> StageSpec:
    if name not in (*EMBEDDINGS, FUSION):
        expected = ', '.join((*EMBEDDINGS, FUSION))
        raise BundleError(f'{node.place}: unknown stage, expected one of {expected}')
    graph = _file(node, '.onnx')
    return StageSpec(
        file=graph.file,
        sha256=graph.sha256,
        size_bytes=graph.size_bytes,
        name=name,
        inputs=_tensors(node.child('inputs')),
        outputs=_tensors(node.child('outputs')),
    )


def _file(node: Node, suffix: str) -> FileSpec:
    file = node.get('file', str)
    if not file.endswith(suffix) or '/' in file or '\\' in file:
        raise BundleError(
            f'{node.place}: found file {file!r}, expected a name that ends in {suffix}'
        )
    return FileSpec(file, node.get('sha256', str), node.positive_int('bytes'))


def _tensors(node: Node) -> dict[str, TensorSpec]:
    specs = {}
    for name in node.names():
        tensor = node.child(name)
        shape = tensor.get('shape', list)
        if not shape or any(type(size) is not int or size <= 0 for size in shape):
            raise BundleError(f'{tensor.place}: found shape {shape}, expected positive sizes')
        dtype = tensor.get('dtype', str)
        if dtype not in ('uint8', 'float32'):
            raise BundleError(f'{tensor.place}: found dtype {dtype!r}, expected uint8 or float32')
        specs[name] = TensorSpec(dtype, tuple(shape))
    return specs


def _check_stages(stages: Mapping[str, StageSpec], source: str) -> None:
    if FUSION not in stages:
        raise BundleError(f'{source}: stages: found {list(stages)}, expected one named {FUSION}')
    expected_inputs: dict[str, TensorSpec | None] = {
        'presence': TensorSpec('float32', (1, 3)),
        'age_s': TensorSpec('float32', (1, 3)),
    }
    for name, (taken, given) in EMBEDDINGS.items():
        if name not in stages:
            continue
        stage = stages[name]
        if set(stage.inputs) != {taken} or set(stage.outputs) != {given}:
            raise BundleError(
                f'{source}: {name}: found inputs {sorted(stage.inputs)} and outputs '
                f'{sorted(stage.outputs)}, expected [{taken!r}] and [{given!r}]'
            )
        _check_input(stage.inputs[taken], taken, f'{source}: {name}')
        expected_inputs[given] = stage.outputs[given]
    fusion = stages[FUSION]
    if dict(fusion.inputs) != expected_inputs:
        raise BundleError(
            f'{source}: {FUSION}: found inputs {_short(fusion.inputs)}, '
            f'expected {_short(expected_inputs)}'
        )
    _check_outputs(fusion, f'{source}: {FUSION}')
    if 'trajectory' in fusion.outputs and 'motion_encoder' not in stages:
        raise BundleError(
            f'{source}: {FUSION}: found a trajectory and no motion_encoder, expected both: the '
            'network cannot correct a roll-out that it knows nothing of'
        )


def _check_outputs(fusion: StageSpec, place: str) -> None:
    expected: dict[str, tuple[int, ...]] = {**FUSION_OUTPUTS}
    for optional in (TRAJECTORY_OUTPUTS, COEFFICIENT_OUTPUTS):
        if set(optional) & set(fusion.outputs):
            expected |= optional
    for name, shape in expected.items():
        found = fusion.outputs.get(name)
        if found != TensorSpec('float32', shape):
            raise BundleError(f'{place}: {name}: found {found}, expected float32 of shape {shape}')


def _check_input(spec: TensorSpec, name: str, place: str) -> None:
    fits = {
        'image': spec.dtype == 'uint8' and len(spec.shape) == 4 and spec.shape[3] == 3,
        'audio': spec.dtype == 'float32' and len(spec.shape) == 2,
        'motion': spec.dtype == 'float32' and len(spec.shape) == 3 and spec.shape[2] == 3,
    }[name]
    if not fits or spec.shape[0] != 1:
        raise BundleError(f'{place}: {name}: found {spec.dtype} of shape {spec.shape}')


def _short(specs: Mapping[str, TensorSpec | None]) -> str:
    return ', '.join(
        f'{name} {spec.dtype}{list(spec.shape)}' for name, spec in sorted(specs.items()) if spec
    )


def _calibration(node: Node, tasks: tuple[str, ...]) -> Calibration:
    temperatures = node.child('temperatures')
    trajectory = node.child('trajectory')
    times = trajectory.numbers('times_s', 1e-3, 1e3)
    scales = trajectory.numbers('covariance_scales', 1e-6, 1e6)
    increasing = all(before < after for before, after in pairwise(times))
    if len(times) != len(scales) or not times or not increasing:
        raise BundleError(
            f'{trajectory.place}: found {len(scales)} covariance scales at times {list(times)}, '
            'expected one for each of the increasing times'
        )
    return Calibration(
        temperatures={task: temperatures.number(task, 1e-3, 1e3) for task in tasks},
        siren_threshold=node.number('siren_threshold', 0.0, 1.0),
        horizon_s=times,
        covariance_scales=scales,
        friction_coefficient_std_scale=(
            node.number('friction_coefficient_std_scale', 1e-3, 1e3)
            if node.has('friction_coefficient_std_scale')
            else 1.0
        ),
        offsets=_offsets(node.child('offsets')) if node.has('offsets') else {},
        central_mode_share=(
            node.child('central_mode').number('share', 0.0, 1.0)
            if node.has('central_mode')
            else 1.0
        ),
    )


def _offsets(node: Node) -> dict[str, tuple[float, ...]]:
    offsets = {task: node.numbers(task, -1e3, 1e3) for task in node.names()}
    for task, values in offsets.items():
        if task not in SURFACE_CLASSES or len(values) != len(SURFACE_CLASSES[task]):
            raise BundleError(
                f'{node.place}: {task}: found {len(values)} values, expected one for each class '
                f'of {", ".join(SURFACE_CLASSES)}'
            )
    return offsets


def _surface_from(root: Node) -> tuple[str, ...]:
    if not root.has('surface_from'):
        return SURFACE_SOURCES[:1]
    found = root.get('surface_from', list)
    if not found or not all(name in SURFACE_SOURCES for name in found):
        raise BundleError(
            f'{root.place}: surface_from: found {found}, expected some of {list(SURFACE_SOURCES)}'
        )
    return tuple(found)


def _friction(node: Node) -> dict[str, tuple[float, float]]:
    classes = node.child('classes')
    return {
        name: (
            classes.child(name).number('mean', 0.0, 2.0),
            classes.child(name).number('std', 0.0, 2.0),
        )
        for name in FRICTION_CLASSES
    }


def _precisions(node: Node) -> dict[str, PrecisionSpec]:
    unknown = sorted(set(node.names()) - set(DERIVED))
    if unknown:
        raise BundleError(f'{node.place}: found {unknown}, expected some of {DERIVED}')
    return {name: _precision(node.child(name)) for name in node.names()}


def _precision(node: Node) -> PrecisionSpec:
    intervals = node.child('intervals') if node.has('intervals') else Node({}, node.place)
    derived = node.child('derived') if node.has('derived') else Node({}, node.place)
    return PrecisionSpec(
        accepted=node.get('accepted', bool),
        why=node.get('why', str),
        bounds=_floats(node.child('bounds'), 0.0),
        intervals={stage: _intervals(intervals.child(stage)) for stage in intervals.names()},
        measured_on=_strings(node.child('measured_on')),
        derived=_strings(derived),
    )


def _strings(node: Node) -> dict[str, str]:
    return {name: node.get(name, str) for name in node.names()}


def _floats(node: Node, lower: float) -> dict[str, float]:
    return {name: node.number(name, lower, 1e9) for name in node.names()}


def _intervals(node: Node) -> dict[str, tuple[float, float]]:
    found = {}
    for name in node.names():
        ends = node.numbers(name, -1e9, 1e9)
        if len(ends) != 2 or not ends[0] <= 0.0 <= ends[1] or ends[0] == ends[1]:
            raise BundleError(
                f'{node.place}: {name}: found {list(ends)}, expected two ends about 0'
            )
        found[name] = (ends[0], ends[1])
    return found
