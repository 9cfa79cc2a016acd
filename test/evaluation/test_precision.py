# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The parity gate: what is drawn, measured, accepted and refused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError, InferenceError
from mm_fusion.evaluation.labelled import Reader
from mm_fusion.evaluation.precision import (
    TOLERANCES,
    Measurement,
    cpu_time_ratios,
    judge_precision,
    measure,
)
from mm_fusion.evaluation.precision_samples import (
    CALIBRATION_FILES,
    Samples,
    choose_samples,
    joint_inputs,
)
from mm_fusion.runtime import Bundle
from support.bundles import write_tiny_bundle
from support.labelled import write_roads, write_sounds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIGURES = {'friction_uar': 0.9, 'material_uar': 0.8, 'siren_roc_auc': None}


def measurement(figures: Mapping[str, float | None], shift: float = 0.0) -> Measurement:
    outputs = {'siren_logit': np.array([[0.0], [1.0 + shift]], np.float32)}
    return Measurement(figures, outputs, photographs=40, clips=30)


def write_table(folder: Path, header: str, rows: list[str]) -> Path:
    folder.mkdir()
    (folder / 'labels.csv').write_text('\n'.join([header, *rows]) + '\n')
    return folder


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Name 1000 photographs and 900 clips, three of each recording, a tenth without a label."""
    roads = [f'{index}.jpg,dry,,' for index in range(1000)]
    sounds = [
        f'{index}.wav,{"" if index % 10 == 0 else "siren"},police,group{index // 3}'
        for index in range(900)
    ]
    return (
        write_table(tmp_path / 'roads', 'file,friction,material,unevenness', roads),
        write_table(tmp_path / 'sounds', 'file,label,sublabel,group', sounds),
    )


def test_nothing_is_scored_that_was_calibrated_on(tables: tuple[Path, Path]) -> None:
    samples = choose_samples(*tables, None)
    assert len(samples.calibration_roads) == CALIBRATION_FILES
    assert sorted(samples.calibration_roads + samples.scored_roads) == list(range(1000))
    assert CALIBRATION_FILES - 3 < len(samples.calibration_sounds) <= CALIBRATION_FILES
    clips = samples.calibration_sounds + samples.scored_sounds
    assert sorted(clips) == [index for index in range(900) if index % 10]
    heard, scored = (
        {samples.sounds.groups[index] for index in part}
        for part in (samples.calibration_sounds, samples.scored_sounds)
    )
    assert not heard & scored


def test_the_draw_is_always_the_same_and_can_be_limited(tables: tuple[Path, Path]) -> None:
    def parts(samples: Samples) -> list[tuple[int, ...]]:
        values = [getattr(samples, field.name) for field in dataclasses.fields(samples)]
        return [value for value in values if isinstance(value, tuple)]

    whole, again, few = (choose_samples(*tables, limit) for limit in (None, None, 5))
    assert parts(whole) == parts(again)
    assert (len(few.scored_roads), len(few.scored_sounds)) == (5, 5)
    assert few.calibration_roads == whole.calibration_roads
    assert set(few.scored_roads) < set(whole.scored_roads)
    assert max(few.scored_roads) > 100


def test_a_folder_that_cannot_be_split_is_refused(tables: tuple[Path, Path]) -> None:
    roads = tables[0]
    one = write_table(roads.parent / 'one', 'file,label,sublabel,group', ['a.wav,siren,,a'] * 9)
    with pytest.raises(DatasetError, match=r'one: found too few files'):
        choose_samples(roads, one, None)


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
@pytest.mark.parametrize('sign', [1, -1])
def test_a_figure_beyond_its_tolerance_is_refused(precision: str, sign: int) -> None:
    allowed = TOLERANCES[precision]
    reference = measurement(FIGURES)
    inside = measurement({**FIGURES, 'material_uar': 0.8 + sign * allowed}, 0.25)
    node = judge_precision(precision, reference, inside)
    assert node['accepted'] is True
    assert node['bounds'] == {'siren_logit': 0.251}
    assert node['metrics']['difference'] == {
        'friction_uar': 0.0,
        'material_uar': pytest.approx(sign * allowed),
    }
    outside = measurement({**FIGURES, 'material_uar': 0.8 + sign * (allowed + 1e-4)})
    node = judge_precision(precision, reference, outside)
    assert node['accepted'] is False
    assert f'material_uar by {sign * (100 * allowed + 0.01):+.2f}' in node['why']
    assert 'friction' not in node['why']


def test_the_tolerances_are_those_that_are_stated() -> None:
    assert TOLERANCES == {'fp16': 0.002, 'int8': 0.01, 'int8_cpu': 0.01}


def test_what_cannot_be_run_is_refused_with_its_error() -> None:
    node = judge_precision('fp16', measurement(FIGURES), InferenceError('not finite'))
    assert (node['accepted'], node['why'], node['bounds']) == (False, 'not finite', {})


def test_every_output_is_compared_with_every_modality(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / 'tiny', trajectory=True, friction_coefficient=True)
    bundle = Bundle.load(folder)
    roads, sounds = write_roads(tmp_path / 'roads', 4), write_sounds(tmp_path / 'sounds', 4)
    samples = choose_samples(roads, sounds, None)
    done: list[tuple[int, int]] = []
    found = measure(bundle, bundle.graphs, samples, 1, lambda *part: done.append(part))
    assert done[0] == (0, 9 + len(samples.scored_sounds))
    assert done[-1] == (done[0][1], done[0][1])
    assert (found.photographs, found.clips) == (9, len(samples.scored_sounds))
    assert found.figures['friction_3_uar'] == 1.0
    assert found.figures['siren_true_positive_rate'] == 1.0
    assert {'trajectory', 'mode_logits', 'image_embedding', 'motion_embedding'} <= set(
        found.outputs
    )
    assert len(found.outputs['motion_embedding']) == 9
    speeds = found.outputs['motion_embedding'][:, 0]
    assert speeds.max() - speeds.min() > 10.0
    shift = dataclasses.replace(
        found, outputs={**found.outputs, 'trajectory': found.outputs['trajectory'] + 0.5}
    )
    bounds = judge_precision('fp16', found, shift)['bounds']
    assert bounds['trajectory'] == pytest.approx(0.5, rel=0.01)
    assert bounds['siren_logit'] == 0.0


def test_joint_snapshots_are_of_scored_files(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))
    roads, sounds = write_roads(tmp_path / 'roads', 4), write_sounds(tmp_path / 'sounds', 4)
    samples = choose_samples(roads, sounds, None)
    (roads / samples.roads.files[samples.scored_roads[0]]).unlink()
    inputs = list(joint_inputs(Reader(bundle.manifest), samples, 5))
    assert len(inputs) == 4
    for image, audio, motion in inputs:
        assert (image.shape, audio.shape, motion.shape) == ((1, 8, 16, 3), (1, 1600), (1, 40, 3))
        assert motion.dtype == np.float32


def test_the_time_of_the_same_graphs_is_the_same(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny'))
    ratios = cpu_time_ratios(bundle, bundle.graphs, 1)
    assert list(ratios) == ['all', *bundle.manifest.stages]
    assert 0.3 < ratios['all'] < 3.0
    assert all(0.1 < ratio < 10.0 for ratio in ratios.values())
