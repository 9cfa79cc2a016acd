# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Each fault of each sensor, and a sample of pairs, keeps what docs/degradation.md promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from benchmarks.fault_campaign import pairs
from benchmarks.fault_kinds import LENGTH_S, Planned, singles
from benchmarks.faulty_drives import Campaign
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.simulation.scenario import (
    SENSORS,
    CameraSettings,
    MicrophoneSettings,
    Scenario,
)
from support.bundles import AUDIO_RATE_HZ, write_tiny_bundle
from support.worlds import small_world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope='module')
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder: Path = tmp_path_factory.mktemp('bundle') / 'tiny'
    bundle = Bundle.load(write_tiny_bundle(folder, trajectory=True))
    scenario = Scenario(
        seed=3,
        duration_s=LENGTH_S,
        camera=CameraSettings(width=64, height=36),
        microphone=MicrophoneSettings(sample_rate_hz=AUDIO_RATE_HZ),
    )
    backend = create_backend(bundle, Settings().inference)
    return Campaign(bundle, backend, small_world(scenario), scenario)


@pytest.mark.parametrize('fault', singles(), ids=lambda fault: f'{fault.sensor}-{fault.kind}')
def test_a_single_fault_is_borne(campaign: Campaign, fault: Planned) -> None:
    found = campaign.run(fault)

    assert found.problems == []
    assert found.outputs > 100


# The rates of two sensors, of which one has none yet, were once mixed up.
SLOW_BESIDE_NONE = (Planned('camera', 'slow'), Planned('microphone', 'never'))


@pytest.mark.parametrize('pair', [*pairs(6), SLOW_BESIDE_NONE], ids=str)
def test_a_pair_of_faults_is_borne(campaign: Campaign, pair: tuple[Planned, ...]) -> None:
    assert campaign.run(*pair).problems == []


def test_all_pairs_are_there_once_and_two_delays_of_a_sensor_are_none() -> None:
    every = pairs(None)
    delays = sum(fault.kind.startswith('late') for fault in singles())
    of_one_sensor = delays * (delays // len(SENSORS) - 1) // 2
    assert len({frozenset(pair) for pair in every}) == len(every)
    assert len(every) == math.comb(len(singles()), 2) - of_one_sensor
    assert not any(
        one.sensor == other.sensor and {one.kind, other.kind} == {'late_1', 'late_5'}
        for one, other in every
    )
