# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from mm_fusion_msgs.msg import FusionStatus

from mm_fusion.ros.health import Level, assess, known_now
from mm_fusion.types.predictions import FusionOutput
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityReport, ModalityState

pytestmark = pytest.mark.ros

PRESENT = ModalityReport(ModalityState.PRESENT, 0, 10.0, 100, {})
STALE = ModalityReport(ModalityState.STALE, 1_500_000_000, 0.0, 100, {})
NEVER = ModalityReport(ModalityState.NEVER_SEEN, None, 0.0, 0, {})
ROAD = {Modality.CAMERA, Modality.MICROPHONE}


def reports(**changes: ModalityReport) -> dict[Modality, ModalityReport]:
    return {modality: changes.get(modality.value, PRESENT) for modality in Modality}


def test_the_levels_are_those_of_the_message() -> None:
    assert {level.name: level.value for level in Level} == {
        name: getattr(FusionStatus, name) for name in ('FULL', 'REDUCED', 'MOTION_ONLY', 'NONE')
    }


@pytest.mark.parametrize('present', list(product([True, False], repeat=4)))
def test_every_subset_of_sensors_has_its_level(present: tuple[bool, ...]) -> None:
    there = {modality for modality, here in zip(Modality, present, strict=True) if here}
    level, reason = assess(
        {modality: PRESENT if modality in there else NEVER for modality in Modality}
    )
    expected = Level.REDUCED
    if len(there) == 4:
        expected = Level.FULL
    elif not there:
        expected = Level.NONE
    elif not there & ROAD:
        expected = Level.MOTION_ONLY
    assert level is expected
    assert (reason == '') is (level is Level.FULL)
    for modality in Modality:
        assert (f'{modality.value} never seen' in reason) is (modality not in there)


def test_the_reason_tells_how_long_and_why() -> None:
    dropping = replace(NEVER, received=7, drops={DropReason.LATE: 2, DropReason.NO_FIX: 5})
    level, reason = assess(reports(camera=STALE, gnss=dropping))
    assert level is Level.REDUCED
    assert reason == 'camera silent for 1.5 s, gnss gave nothing usable, mostly no_fix'


def test_failed_inference_and_a_silent_clock_leave_nothing() -> None:
    assert assess(reports(), failure='no device') == (Level.NONE, 'inference fails: no device')
    level, reason = assess(reports(), clock_silent=True)
    assert level is Level.NONE
    assert '/clock' in reason


def test_a_sensor_that_the_newest_output_could_not_use_is_not_present() -> None:
    undecodable = reports(camera=replace(PRESENT, state=ModalityState.STALE))
    newest = FusionOutput(0, None, None, undecodable, {}, {}, 0)
    now = known_now(reports(), newest)
    assert now[Modality.CAMERA].state is ModalityState.STALE
    assert now[Modality.VELOCITY].state is ModalityState.PRESENT
    assert known_now(reports(), None) == reports()
    assert assess(now) == (Level.REDUCED, 'camera silent for 0.0 s')
