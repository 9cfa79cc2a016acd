# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from alignment.samples import MS

from mm_fusion.alignment.ledger import Ledger
from mm_fusion.types.snapshot import ModalityState


def heard(*arrivals_ms: float) -> Ledger:
    ledger = Ledger(500 * MS)
    for ms in arrivals_ms:
        ledger.hear(round(ms * MS))
    return ledger


def rate(ledger: Ledger, now_ms: float) -> float:
    return ledger.report(round(now_ms * MS), None).rate_hz


def test_the_rate_is_that_of_the_mean_interval() -> None:
    assert rate(heard(0), 0) == 0
    assert rate(heard(0, 100), 100) == pytest.approx(10)
    assert rate(heard(0, 50, 200), 200) == pytest.approx(10)


def test_a_sensor_that_falls_silent_slows_down() -> None:
    ledger = heard(*range(0, 1001, 100))
    assert rate(ledger, 1050) == pytest.approx(10)
    assert rate(ledger, 1400) == pytest.approx(2.5)


def test_the_rate_begins_anew_after_a_silence() -> None:
    ledger = heard(*range(0, 1001, 100), 60_000, 60_020)
    assert rate(ledger, 60_020) == pytest.approx(50)


def test_samples_that_arrive_together_have_no_rate() -> None:
    assert rate(heard(0, 0, 0), 0) == 0


def test_an_arrival_that_is_handed_over_late_does_not_turn_time_back() -> None:
    ledger = heard(0, 100, 60)
    assert ledger.heard_ns == 100 * MS
    assert rate(ledger, 100) == pytest.approx(10)


def test_states_follow_the_timeout() -> None:
    ledger = heard(0)
    assert Ledger(500 * MS).report(0, None).state is ModalityState.NEVER_SEEN
    assert ledger.report(500 * MS, None).state is ModalityState.PRESENT
    assert ledger.report(500 * MS + 1, None).state is ModalityState.STALE
    ledger.forget()
    assert ledger.report(0, None).state is ModalityState.NEVER_SEEN
