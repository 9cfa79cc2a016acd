# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mm_fusion.decoding import RoadDecoder
from mm_fusion.runtime.manifest import parse_manifest
from mm_fusion.settings import DecodingSettings
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.types.bundle import Manifest

SECOND = 1_000_000_000
UNFILTERED = DecodingSettings(road_time_constant_s=0.0, siren_time_constant_s=0.0)


@pytest.fixture(scope='module')
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = write_tiny_bundle(tmp_path_factory.mktemp('bundle') / 'tiny')
    loaded: dict[str, Any] = json.loads((folder / 'manifest.json').read_text())
    return loaded


@pytest.fixture(scope='module')
def manifest(document: dict[str, Any]) -> Manifest:
    return parse_manifest(document, 'here')


def logits(
    friction: Any = (0, 0, 0, 0, 0, 0), siren: float = 0.0
) -> dict[str, NDArray[np.float32]]:
    return {
        'friction_logits': np.array([friction], np.float32),
        'material_logits': np.zeros((1, 5), np.float32),
        'unevenness_logits': np.zeros((1, 3), np.float32),
        'siren_logit': np.array([[siren]], np.float32),
    }


def test_temperature_divides_the_logits(document: dict[str, Any]) -> None:
    document = json.loads(json.dumps(document))
    document['calibration']['temperatures']['friction'] = 2.0
    decoder = RoadDecoder(parse_manifest(document, 'here'), UNFILTERED)
    outputs = logits(friction=[2 * math.log(3), 0, 0, 0, 0, 0])
    road = decoder.decode(outputs, 0, surface_observed=True, siren_observed=True)
    np.testing.assert_allclose(road.filtered.friction, [3 / 8, *[1 / 8] * 5], rtol=1e-6)


def test_offsets_are_added_before_the_temperature_divides(document: dict[str, Any]) -> None:
    document = json.loads(json.dumps(document))
    document['calibration']['temperatures']['friction'] = 2.0
    document['calibration']['offsets'] = {'friction': [0, 0, 2 * math.log(3), 0, 0, 0]}
    decoder = RoadDecoder(parse_manifest(document, 'here'), UNFILTERED)
    road = decoder.decode(logits(), 0, surface_observed=True, siren_observed=True)
    np.testing.assert_allclose(
        road.filtered.friction, [1 / 8, 1 / 8, 3 / 8, *[1 / 8] * 3], rtol=1e-6
    )
    np.testing.assert_allclose(road.filtered.material, [1 / 5] * 5, rtol=1e-6)


def test_friction_coefficient_is_that_of_the_mixture(manifest: Manifest) -> None:
    decoder = RoadDecoder(manifest, UNFILTERED)
    half = [50.0, 50.0, 0, 0, 0, 0]
    road = decoder.decode(logits(half), 0, surface_observed=True, siren_observed=True)
    assert road.friction_coefficient_mean == pytest.approx(0.75)
    assert road.friction_coefficient_std == pytest.approx(math.hypot(0.05, 0.05))


def test_the_filter_is_exact_for_any_interval(manifest: Manifest) -> None:
    settings = DecodingSettings(road_time_constant_s=2.0)
    outputs = logits([50.0, 0, 0, 0, 0, 0])
    ends = []
    for steps in (1, 7):
        decoder = RoadDecoder(manifest, settings)
        decoder.decode(logits(), 0, surface_observed=True, siren_observed=True)
        for step in range(1, steps + 1):
            road = decoder.decode(
                outputs, 3 * SECOND * step // steps, surface_observed=True, siren_observed=True
            )
        ends.append(road.filtered.friction)
        assert road.unfiltered.friction[0] == pytest.approx(1.0)
    expected = 1 / 6 + (1 - math.exp(-1.5)) * 5 / 6
    assert ends[0][0] == pytest.approx(expected)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5)


def test_what_is_not_observed_fades(manifest: Manifest) -> None:
    decoder = RoadDecoder(manifest, DecodingSettings(road_time_constant_s=0.5))
    decoder.decode(
        logits([50.0, 0, 0, 0, 0, 0], 50), 0, surface_observed=True, siren_observed=True
    )
    road = decoder.decode(
        logits([50.0, 0, 0, 0, 0, 0], 50),
        10 * SECOND,
        surface_observed=False,
        siren_observed=False,
    )
    np.testing.assert_allclose(road.filtered.friction, 1 / 6, atol=1e-6)
    assert road.filtered.siren == pytest.approx(0.0, abs=1e-6)
    assert not road.siren
    assert not road.surface_observed
    assert not road.siren_observed


def test_reset_forgets(manifest: Manifest) -> None:
    decoder = RoadDecoder(manifest, DecodingSettings(siren_time_constant_s=100.0))
    decoder.decode(logits(siren=50), 0, surface_observed=True, siren_observed=True)
    decoder.reset()
    road = decoder.decode(logits(siren=-50), 1, surface_observed=True, siren_observed=True)
    assert road.filtered.siren == pytest.approx(0.0)


@pytest.mark.parametrize(('override', 'raised'), [(0.0, True), (0.9, False)])
def test_siren_threshold(manifest: Manifest, override: float, raised: bool) -> None:
    decoder = RoadDecoder(manifest, DecodingSettings(siren_threshold=override))
    road = decoder.decode(
        logits(siren=math.log(0.6 / 0.4)), 0, surface_observed=True, siren_observed=True
    )
    assert road.filtered.siren == pytest.approx(0.6)
    assert road.siren is raised


def with_head(document: dict[str, Any]) -> Manifest:
    document = json.loads(json.dumps(document))
    outputs = document['stages']['fusion']['outputs']
    outputs['friction_coefficient'] = {'dtype': 'float32', 'shape': [1, 2]}
    document['calibration']['friction_coefficient_std_scale'] = 2.0
    return parse_manifest(document, 'here')


def coefficient(mean: float, std: float) -> dict[str, NDArray[np.float32]]:
    return {'friction_coefficient': np.array([[mean, math.log(std)]], np.float32)}


def test_the_coefficient_of_the_network_goes_before_the_table(document: dict[str, Any]) -> None:
    decoder = RoadDecoder(with_head(document), UNFILTERED)
    outputs = logits([50.0, 50.0, 0, 0, 0, 0]) | coefficient(0.4, 0.1)
    road = decoder.decode(outputs, 0, surface_observed=True, siren_observed=True)
    assert road.friction_coefficient_mean == pytest.approx(0.4)
    assert road.friction_coefficient_std == pytest.approx(0.2)
    blind = decoder.decode(outputs, 1, surface_observed=False, siren_observed=True)
    assert blind.friction_coefficient_mean == pytest.approx(0.55), 'of all classes alike'


def test_the_coefficient_is_filtered_like_the_classes(document: dict[str, Any]) -> None:
    decoder = RoadDecoder(with_head(document), DecodingSettings(road_time_constant_s=2.0))
    for second, mean in ((0, 0.8), (2, 0.2)):
        outputs = logits() | coefficient(mean, 1e-6)
        road = decoder.decode(outputs, second * SECOND, surface_observed=True, siren_observed=True)
    share = 1 - math.exp(-1.0)
    assert road.friction_coefficient_mean == pytest.approx(0.8 - 0.6 * share)
    # In between, both the old and the new are held possible.
    expected = 0.6 * math.sqrt(share * (1 - share))
    assert road.friction_coefficient_std == pytest.approx(expected, rel=1e-4)


@given(
    friction=arrays(np.float32, 6, elements=st.floats(-1e4, 1e4, width=32)),
    siren=st.floats(-1e4, 1e4, width=32),
    gaps=st.lists(st.integers(1, 100 * SECOND), min_size=1, max_size=5),
)
def test_any_logits_give_posteriors(
    manifest: Manifest, friction: NDArray[np.float32], siren: float, gaps: list[int]
) -> None:
    decoder = RoadDecoder(manifest, DecodingSettings())
    stamp_ns = 0
    for gap in gaps:
        stamp_ns += gap
        road = decoder.decode(
            logits(friction, siren), stamp_ns, surface_observed=True, siren_observed=True
        )
        assert 0.3 - 1e-6 <= road.friction_coefficient_mean <= 0.8 + 1e-6
        assert 0.0 <= road.friction_coefficient_std <= 0.5


def test_a_change_of_settings_keeps_what_is_filtered(manifest: Manifest) -> None:
    decoder = RoadDecoder(manifest, DecodingSettings(siren_time_constant_s=1.0))
    decoder.decode(logits(siren=50.0), 0, surface_observed=True, siren_observed=True)
    decoder.change(DecodingSettings(siren_time_constant_s=2.0, siren_threshold=0.3))
    road = decoder.decode(
        logits(siren=-50.0), 2 * SECOND, surface_observed=True, siren_observed=True
    )
    assert road.filtered.siren == pytest.approx(math.exp(-1.0), rel=1e-6)
    assert road.siren
    decoder.change(DecodingSettings(siren_time_constant_s=0.0, siren_threshold=0.3))
    road = decoder.decode(
        logits(siren=-50.0), 3 * SECOND, surface_observed=True, siren_observed=True
    )
    assert not road.siren
