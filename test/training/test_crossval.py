# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole trainings on tiny data: by folds in processes, and with recordings to look at."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.errors import DatasetError
from support.drives import write_circle
from support.labelled import write_roads, write_sounds

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.training.crossval import Plan

pytestmark = pytest.mark.torch

TRUST = 'average.fusion.task_trust'


def make_plan(folder: Path, out: Path, **changes: Any) -> Plan:
    from mm_fusion.training.config import training_config
    from mm_fusion.training.crossval import Plan
    from mm_fusion.training.sources import DataPaths

    config = training_config(
        {
            'network': {'width': 0.25, 'token_size': 16, 'motion_steps': 20},
            'optimization': {
                'epochs': 1, 'steps_per_epoch': 1, 'frozen_blocks': 0,
                'sound_steps': 10, 'path_steps': 10,
            },
            'data': {
                'photographs': 2, 'sounds': 2, 'bags': 2, 'motion_bags': 4, 'image_size': 32,
            },
        },
        'test',
    )  # fmt: skip
    paths: dict[str, Any] = {'roads': None, 'sounds': None, 'bags': (), 'validation_bags': ()}
    return Plan(
        paths=DataPaths(**{**paths, **changes}, labels=(), cache=folder / 'cache', workers=1),
        config=config,
        out=out,
        start=None,
        about={'command': 'mm_fusion train', 'sources': {}, 'limits': []},
    )


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('data')
    write_roads(folder / 'roads', 2)
    write_sounds(folder / 'sounds', 2)
    bare = ('velocity', 'odometry')
    whole = ('image', 'audio', *bare)
    for name, inputs in (('a', bare), ('b', bare), ('c', whole), ('d', whole)):
        write_circle(folder / name, inputs=inputs, duration_s=9.0)
    labels = 'start_s,end_s,friction\n0,9,wet\n'
    (folder / 'd.labels.csv').write_text(labels, encoding='ascii')
    return folder


@pytest.mark.slow
def test_folds_score_everything_once_and_leave_what_an_export_needs(
    data: Path, tmp_path: Path
) -> None:
    from mm_fusion.training.checkpoint import BEST, load_checkpoint
    from mm_fusion.training.crossval import PREDICTIONS, cross_validate
    from mm_fusion.training.predict import load_predictions

    plan = make_plan(
        data,
        tmp_path / 'run',
        roads=data / 'roads',
        sounds=data / 'sounds',
        bags=(data / 'a', data / 'b'),
        validation_bags=(data / 'd',),
    )
    told: list[tuple[str, int, int]] = []
    metrics = cross_validate(plan, 2, 2, lambda *step: told.append(step))
    road = metrics['road_state']
    assert road['photographs']['camera']['surface']['friction']['examples'] == 6
    assert road['sounds']['microphone']['siren']['examples'] == 4
    assert {name.split()[0] for name in metrics['trajectory']['drives']} == {'a', 'b'}
    assert json.loads((plan.out / 'metrics.json').read_text()) == metrics
    calibration = json.loads((plan.out / 'calibration.json').read_text())
    assert calibration['examples']['friction'] == 6
    assert calibration['trajectory']['coverage_held_out']
    about = json.loads((plan.out / 'run.json').read_text())
    assert [part['name'] for part in about['data']] == [
        'photographs', 'sounds', 'motion_bags', 'bags',
    ]  # fmt: skip
    assert about['data'][3]['learned_from'] == 0
    assert about['data'][0]['learned_from'] == 6
    for job in ('fold 1 of 2', 'fold 2 of 2', 'final: training'):
        assert (job, 1, 1) in told

    seen = []
    for fold in range(2):
        meta = load_checkpoint(plan.out / f'fold{fold}' / BEST)[1]
        assert int(meta['data']['photographs'].split(':')[1]) < 6
        found = load_predictions(plan.out / f'fold{fold}' / PREDICTIONS)
        seen += found['photographs']['all'].indices.tolist()
        assert len(set(found['motion_bags']['all'].groups)) == 1
        assert 'bags' not in found
        assert not load_checkpoint(plan.out / f'fold{fold}' / BEST)[0][TRUST].any()
    assert sorted(seen) == list(range(6))
    assert load_checkpoint(plan.out / BEST)[1]['data']['photographs'].endswith(':6')
    # From the recording that was only looked at.
    assert load_checkpoint(plan.out / BEST)[0][TRUST].any()

    # A run that is called again only looks at what it has.
    before = {path: path.stat().st_mtime_ns for path in plan.out.rglob('*.safetensors')}
    assert cross_validate(plan, 2, 1, lambda *_: None) == metrics
    assert before == {path: path.stat().st_mtime_ns for path in plan.out.rglob('*.safetensors')}


@pytest.mark.slow
def test_a_fold_that_fails_stops_the_run(data: Path, tmp_path: Path) -> None:
    from mm_fusion.training.crossval import cross_validate

    plan = make_plan(data, tmp_path / 'run', bags=(data / 'a', data / 'b'))
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'fold1').write_text('in the way')
    with pytest.raises(DatasetError, match='fold1'):
        cross_validate(plan, 2, 1, lambda *_: None)


def test_recordings_to_look_at_are_scored_by_every_subset(data: Path, tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import LAST, load_checkpoint
    from mm_fusion.training.crossval import train_once

    labels = data / 'c.labels.csv'
    labels.write_text('start_s,end_s,friction,friction_coefficient\n0,9,wet,0.6\n')
    plan = make_plan(data, tmp_path / 'run', bags=(data / 'a',), validation_bags=(data / 'c',))
    metrics = train_once(plan, lambda *_: None)
    subsets = metrics['road_state']['bags']
    assert set(subsets) == {
        'all', 'camera', 'microphone', 'motion', 'camera+microphone', 'camera+motion',
        'microphone+motion', 'camera+microphone+motion',
    }  # fmt: skip
    assert subsets['camera']['surface']['friction']['examples'] == 18
    assert subsets['camera']['friction_coefficient']['examples'] == 18
    assert [name.split()[0] for name in metrics['trajectory']['drives']] == ['c']
    assert metrics['trajectory']['drives'].popitem()[1]['turning']['samples'] > 0
    history = load_checkpoint(plan.out / LAST)[1]['history']
    assert 'validation loss' in history[0]

    again = dataclasses.replace(plan, out=tmp_path / 'second', start=str(plan.out))
    train_once(again, lambda *_: None)
    assert json.loads((again.out / 'run.json').read_text())['start'] == 'run'
