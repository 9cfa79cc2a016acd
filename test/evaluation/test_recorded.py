# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import BagError
from mm_fusion.evaluation.recorded import evaluate_recorded
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import Modality
from support import recordings
from support.drives import START_NS, write_circle
from support.outputs import status, straight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = recordings.TYPES
OUTPUT = 'mm_fusion_msgs/msg'


def road(stamp_ns: int) -> Any:
    posteriors = {
        'friction': np.array([0, 0.75, 0.25, 0, 0, 0], np.float32),
        'material': np.array([1, 0, 0, 0, 0], np.float32),
        'unevenness': np.array([1, 0, 0], np.float32),
    }
    fields: dict[str, Any] = {
        f'{name}_probabilities{suffix}': values
        for name, values in posteriors.items()
        for suffix in ('', '_unfiltered')
    }
    return T[f'{OUTPUT}/RoadState'](
        header=recordings.header(stamp_ns, 'base_link'),
        **fields,
        friction=1,
        material=0,
        unevenness=0,
        friction_coefficient_mean=0.5,
        friction_coefficient_stddev=0.1,
        siren=True,
        siren_probability=0.875,
        siren_probability_unfiltered=0.5,
        surface_observed=True,
        siren_observed=True,
        modalities=[status(modality.value) for modality in Modality],
    )


@pytest.fixture(scope='module')
def live(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the circle as a recording of a live node, with outputs twice a second."""
    folder = tmp_path_factory.mktemp('live')
    source = write_circle(folder / 'source', inputs=('velocity', 'odometry', 'audio'))

    def write(name: str, outputs: dict[str, Callable[[int], Any]]) -> Path:
        with RawBag(source) as raw, BagWriter(folder / name) as bag:
            for topic, log_ns, data in raw.messages(raw.types):
                bag.write(topic, raw.deserialized(topic, data), log_ns)
            for tick in range(24):
                stamp_ns = START_NS + tick * 500_000_000
                for topic, make in outputs.items():
                    bag.write(topic, make(stamp_ns), stamp_ns + 60_000_000)
        return folder / name

    return write


def test_what_the_node_said_is_scored(live: Callable[..., Path]) -> None:
    bag = live('both', {'/fusion/trajectory_prediction': straight, '/fusion/road_state': road})
    result = evaluate_recorded(bag, Settings())
    totals = result.totals
    assert result.source == 'recorded'
    assert result.truth == 'odometry'
    assert totals.outputs == totals.trajectories == totals.road.count == 24
    assert totals.samples == 8
    own, straight_ahead = (totals.scores[model]['all'] for model in ('mm_fusion', 'cv'))
    assert own.ade_m == pytest.approx(straight_ahead.ade_m, rel=1e-5)
    assert own.with_covariance == 8
    assert totals.road.sirens == 24
    assert totals.road.friction / 24 == pytest.approx([0, 0.75, 0.25, 0, 0, 0])
    assert totals.latencies == {}
    gnss = totals.modalities[Modality.GNSS]
    assert (gnss.received, dict(gnss.drops), gnss.present) == (40, {'late': 3}, 24)
    assert totals.modalities[Modality.CAMERA].present == 0
    assert totals.modalities[Modality.MICROPHONE].weight == 24


def test_a_trajectory_alone_is_enough(live: Callable[..., Path]) -> None:
    result = evaluate_recorded(live('path', {'/path': straight}), Settings())
    assert result.totals.trajectories == 24
    assert result.totals.road.count == 0


@pytest.mark.parametrize(
    ('outputs', 'problem'),
    [
        ({}, 'holds no outputs of the node'),
        ({'/a': straight, '/b': straight}, 'outputs of several nodes, expected one: /a, /b'),
        ({'/a': lambda ns: replaced(straight(ns), modes=[])}, 'a trajectory without a mode'),
        (
            {'/a': lambda ns: replaced(road(ns), friction_probabilities=np.ones(6, np.float32))},
            'expected probabilities',
        ),
    ],
)
def test_outputs_that_cannot_be_scored_are_one_line(
    live: Callable[..., Path],
    outputs: dict[str, Callable[[int], Any]],
    problem: str,
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.id.replace('/', '')
    with pytest.raises(BagError, match=problem) as caught:
        evaluate_recorded(live(name, outputs), Settings())
    assert '\n' not in str(caught.value)


def replaced(message: Any, **fields: Any) -> Any:
    return dataclasses.replace(message, **fields)
