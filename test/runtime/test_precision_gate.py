# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Only what the manifest accepts, for the graphs that are there, can be had."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import onnx
import pytest

from mm_fusion.errors import BundleError
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.precision import checksums, derive
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / 'tiny')


def measured(tiny: Path, **changes: Any) -> Path:
    """Write a node for fp16 that accepts it, but for what is changed; None takes a key away."""
    document = json.loads((tiny / 'manifest.json').read_text())
    sums = {name: stage['sha256'] for name, stage in document['stages'].items()}
    node = {
        'accepted': True,
        'why': 'fits',
        'bounds': {'siren_logit': 0.1},
        'measured_on': sums,
        'derived': checksums(derive(Bundle.load(tiny).graphs, 'fp16', {})),
    }
    node = {key: value for key, value in {**node, **changes}.items() if value is not None}
    document['precisions'] = {'fp16': node}
    (tiny / 'manifest.json').write_text(json.dumps(document))
    return tiny


def half_tensors(graph: bytes) -> int:
    model = onnx.load_from_string(graph)
    return sum(item.data_type == onnx.TensorProto.FLOAT16 for item in model.graph.initializer)


def test_an_accepted_precision_is_derived(tiny: Path) -> None:
    bundle = Bundle.load(measured(tiny))
    spec = bundle.manifest.precisions['fp16']
    assert spec.accepted
    assert spec.bounds == {'siren_logit': 0.1}
    graphs = bundle.graphs_at('fp16')
    assert graphs.keys() == bundle.graphs.keys()
    assert half_tensors(graphs['fusion']) > 2
    assert bundle.graphs_at('fp32') is bundle.graphs


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
def test_what_was_never_measured_is_refused_with_a_hint(tiny: Path, precision: str) -> None:
    bundle = Bundle.load(tiny)
    hint = f'{precision}: found none.*mm_fusion quantise {re.escape(str(tiny))}'
    with pytest.raises(BundleError, match=hint):
        bundle.graphs_at(precision)


def test_what_the_gate_refused_is_refused_with_its_reason(tiny: Path) -> None:
    bundle = Bundle.load(measured(tiny, accepted=False, why='material_uar by -3.20'))
    with pytest.raises(BundleError, match=r'fp16: refused: material_uar by -3\.20'):
        bundle.graphs_at('fp16')
    with pytest.raises(BundleError, match='int8: found fp16'):
        bundle.graphs_at('int8')


def test_what_was_measured_on_other_graphs_is_refused(tiny: Path) -> None:
    bundle = Bundle.load(measured(tiny, measured_on={'fusion': '0' * 64}))
    with pytest.raises(BundleError, match='measured on other graphs'):
        bundle.graphs_at('fp16')


@pytest.mark.parametrize('derived', [None, {'fusion': '0' * 64}])
def test_what_is_derived_in_another_way_than_what_was_measured_is_refused(
    tiny: Path, derived: dict[str, str] | None
) -> None:
    bundle = Bundle.load(measured(tiny, derived=derived))
    hint = f'derived in another way.*mm_fusion quantise {re.escape(str(tiny))}'
    with pytest.raises(BundleError, match=hint):
        bundle.graphs_at('fp16')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'accepted': 'yes'}, "fp16: accepted: found 'yes', expected bool"),
        ({'why': None}, 'fp16: why: found nothing'),
        ({'bounds': {'siren_logit': -1.0}}, 'bounds: siren_logit: found -1'),
        ({'bounds': None}, 'fp16: bounds: found NoneType'),
        ({'measured_on': None}, 'fp16: measured_on: found NoneType'),
        ({'measured_on': {'fusion': 3}}, 'measured_on: fusion: found 3'),
        ({'derived': {'fusion': 3}}, 'derived: fusion: found 3'),
        ({'intervals': {'stage': {'x': 1.0}}}, 'intervals: stage: x: found 1.0, expected list'),
        ({'intervals': {'stage': {'x': [0, 0]}}}, 'stage: x: found .0.0, 0.0., expected two ends'),
        ({'intervals': {'stage': {'x': [1, 2]}}}, 'stage: x: found .1.0, 2.0., expected two ends'),
        ({'intervals': {'stage': {'x': [-1]}}}, 'stage: x: found .-1.0., expected two ends'),
    ],
)
def test_a_broken_node_is_named(tiny: Path, changes: dict[str, Any], message: str) -> None:
    measured(tiny, **changes)
    with pytest.raises(BundleError, match=message):
        Bundle.load(tiny)


def test_an_unknown_precision_in_the_manifest_is_named(tiny: Path) -> None:
    document = json.loads((measured(tiny) / 'manifest.json').read_text())
    document['precisions']['fp4'] = document['precisions']['fp16']
    (tiny / 'manifest.json').write_text(json.dumps(document))
    with pytest.raises(BundleError, match=r"precisions: found \['fp4'\]"):
        Bundle.load(tiny)
