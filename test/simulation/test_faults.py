# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.faults import (
    DUPLICATE_AFTER_NS,
    FaultCounts,
    FaultInjector,
    FaultLedger,
    Message,
)
from mm_fusion.simulation.samples import FaultKind
from mm_fusion.simulation.scenario import Fault, Scenario
from mm_fusion.simulation.world import START_NS

MS = 1_000_000
SECOND = 1000 * MS
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


def sent(count: int = 10) -> list[Message[int]]:
    """Make messages every 100 ms whose content is their number; they take 7 ms."""
    return [
        Message(at, at + 3, at + 7 * MS, index)
        for index, at in enumerate(range(START_NS, START_NS + count * 100 * MS, 100 * MS))
    ]


def through(
    *faults: Fault, seed: int = 1, sensor: str = 'gnss', count: int = 10
) -> tuple[list[Message[int]], FaultCounts]:
    ledger = FaultLedger()
    scenario = Scenario(seed=seed, faults=faults)
    injector: FaultInjector[int] = FaultInjector(scenario, sensor, ledger)
    arrived = [out for message in sent(count) for out in injector.apply(message)]
    for message in arrived:
        ledger.publish(sensor, message.faults)
    return arrived, ledger.of(sensor)


def fault(kind: str, from_s: float = 0.3, to_s: float = 0.6, **more: float) -> Fault:
    return Fault('gnss', kind, from_s, to_s, **more)


def test_nothing_changes_without_faults_and_by_those_of_other_sensors() -> None:
    for faults in ((), (Fault('camera', 'dies', 0.0, 1.0),)):
        arrived, counts = through(*faults)
        assert arrived == sent()
        assert counts == FaultCounts(10, 10, 0, {})


def test_a_dead_sensor_sends_nothing_from_the_beginning_of_the_span_to_before_its_end() -> None:
    arrived, counts = through(fault('dies'))

    assert [message.content for message in arrived] == [0, 1, 2, 6, 7, 8, 9]
    assert counts == FaultCounts(10, 7, 3, {'dies': 3})


def test_a_frozen_sensor_sends_its_last_message_as_it_was() -> None:
    arrived, counts = through(fault('freezes'))

    assert [message.content for message in arrived] == [0, 1, 2, 2, 2, 2, 6, 7, 8, 9]
    assert [message.stamp_ns for message in arrived[3:6]] == [sent()[2].stamp_ns] * 3
    assert [message.received_ns for message in arrived] == [item.received_ns for item in sent()]
    assert counts == FaultCounts(10, 10, 0, {'freezes': 3})


def test_a_stuck_sensor_sends_its_last_content_under_fresh_stamps() -> None:
    arrived, counts = through(fault('stuck'))

    assert [message.content for message in arrived] == [0, 1, 2, 2, 2, 2, 6, 7, 8, 9]
    assert [message.stamp_ns for message in arrived] == [item.stamp_ns for item in sent()]
    assert counts == FaultCounts(10, 10, 0, {'stuck': 3})


@pytest.mark.parametrize('kind', ['freezes', 'stuck'])
def test_a_sensor_that_hangs_from_the_start_repeats_its_first_message(kind: str) -> None:
    arrived, counts = through(fault(kind, 0.0, 0.3))

    assert [message.content for message in arrived][:4] == [0, 0, 0, 3]
    assert counts.hits == {kind: 2}


def test_a_delayed_message_arrives_later_under_its_own_stamp() -> None:
    arrived, counts = through(fault('delays', amount_s=0.25))
    late = [b.received_ns - a.received_ns for a, b in zip(sent(), arrived, strict=True)]

    assert late == [0] * 3 + [250 * MS] * 3 + [0] * 4
    assert [message.stamp_ns for message in arrived] == [item.stamp_ns for item in sent()]
    assert counts == FaultCounts(10, 10, 0, {'delays': 3})


def test_a_duplicate_is_the_same_message_a_little_later() -> None:
    arrived, counts = through(fault('duplicates'))

    assert [message.content for message in arrived] == [0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9]
    assert arrived[4] == dataclasses.replace(
        arrived[3],
        received_ns=arrived[3].received_ns + DUPLICATE_AFTER_NS,
        faults=('duplicates',),
    )
    assert counts == FaultCounts(10, 13, 0, {'duplicates': 3})


def test_a_corrupt_message_is_marked() -> None:
    arrived, counts = through(fault('corrupts'))

    assert [message.content for message in arrived if message.corrupt] == [3, 4, 5]
    assert counts == FaultCounts(10, 10, 0, {'corrupts': 3})


def test_a_jump_of_the_clock_shifts_the_stamps_alone() -> None:
    arrived, counts = through(fault('clock_jumps', amount_s=-2.0))
    shift = [b.stamp_ns - a.stamp_ns for a, b in zip(sent(), arrived, strict=True)]

    assert shift == [0] * 3 + [-2 * SECOND] * 3 + [0] * 4
    assert [message.received_ns for message in arrived] == [item.received_ns for item in sent()]
    assert counts == FaultCounts(10, 10, 0, {'clock_jumps': 3})


def test_a_share_of_the_messages_is_hit_by_the_seed() -> None:
    faults = fault('dies', 0.0, 200.0, share=0.3)
    _, counts = through(faults, count=2000)

    # 0.3 of 2000 within 4 deviations of the binomial distribution.
    assert abs(counts.hits['dies'] - 600) < 82
    assert through(faults, seed=1)[0] == through(faults, seed=1)[0]
    assert through(faults, seed=1)[0] != through(faults, seed=2)[0]
    assert through(fault('dies', share=0.0))[1].hits == {}


def test_the_draw_of_one_fault_does_not_depend_on_another() -> None:
    half = fault('corrupts', 0.0, 1.0, share=0.5)
    alone, _ = through(half)
    together, _ = through(half, fault('delays', 0.0, 1.0, share=0.5))

    assert [message.corrupt for message in alone] == [message.corrupt for message in together]


def test_faults_of_one_kind_draw_independently() -> None:
    half = fault('corrupts', 0.0, 10.0, share=0.5)
    once, twice = through(half, count=100)[1], through(half, half, count=100)[1]

    # A half of a half escapes both, within 4 deviations.
    assert abs(once.hits['corrupts'] - 50) < 20
    assert abs(twice.hits['corrupts'] - 75) < 18
    gnss, _ = through(half, count=100)
    camera, _ = through(dataclasses.replace(half, sensor='camera'), sensor='camera', count=100)
    assert [m.corrupt for m in gnss] != [m.corrupt for m in camera]


def test_a_sensor_that_hangs_repeats_the_damage_too() -> None:
    arrived, _ = through(fault('corrupts', 0.3, 0.4), fault('stuck', 0.4, 0.6))

    assert [message.corrupt for message in arrived] == [False] * 3 + [True] * 3 + [False] * 4


def test_a_repetition_belongs_to_the_time_at_which_it_is_sent() -> None:
    arrived, counts = through(fault('freezes'), fault('dies', 0.4, 0.5))

    assert [message.content for message in arrived] == [0, 1, 2, 2, 2, 6, 7, 8, 9]
    assert counts.hits == {'freezes': 3, 'dies': 1}


def test_faults_act_in_the_order_of_the_script() -> None:
    both = (fault('corrupts'), fault('freezes', 0.4, 0.6))
    arrived, counts = through(*both)

    assert [message.corrupt for message in arrived[3:6]] == [True] * 3
    assert counts.hits == {'corrupts': 3, 'freezes': 2}
    arrived, _ = through(*reversed(both))
    assert [message.content for message in arrived[3:6]] == [3, 3, 3]


def test_what_the_ledger_gave_does_not_change() -> None:
    ledger = FaultLedger()
    ledger.measure('gnss')
    ledger.publish('gnss', ('delays', 'corrupts'))
    before = ledger.of('gnss')
    ledger.suppress('gnss', ('dies',))

    assert before == FaultCounts(1, 1, 0, {'delays': 1, 'corrupts': 1})
    assert ledger.of('gnss') == FaultCounts(1, 1, 1, {'delays': 1, 'corrupts': 1, 'dies': 1})
    assert ledger.of('camera') == FaultCounts(0, 0, 0, {})


scripts = st.lists(
    st.builds(
        Fault,
        sensor=st.just('gnss'),
        kind=st.sampled_from(KINDS),
        from_s=st.floats(0.0, 1.0),
        to_s=st.floats(0.0, 2.0),
        amount_s=st.floats(0.01, 3.0),
        share=st.floats(0.0, 1.0),
    ),
    max_size=5,
)


@given(faults=scripts, seed=st.integers(0, 1000))
def test_every_measurement_is_accounted_for(faults: list[Fault], seed: int) -> None:
    arrived, counts = through(*faults, seed=seed, count=15)

    assert counts.measured == 15
    assert counts.measured + counts.hits.get('duplicates', 0) == (
        counts.published + counts.suppressed
    )
    assert counts.suppressed == counts.hits.get('dies', 0)
    assert counts.published == len(arrived)
    plain = sent(15)
    for message in arrived:
        index = (message.measured_ns - START_NS) // (100 * MS)
        assert message.received_ns >= plain[index].received_ns
        assert 0 <= message.content <= index
        if not message.faults:
            assert message == plain[index]


@given(faults=scripts)
def test_a_sensor_without_faults_in_the_span_is_left_alone(faults: list[Fault]) -> None:
    begin = max((f.to_s for f in faults), default=0.0)
    arrived, _ = through(*faults, count=30)
    after = [m for m in arrived if m.measured_ns >= START_NS + round(begin * 1e9)]

    assert after == [m for m in sent(30) if m.measured_ns >= START_NS + round(begin * 1e9)]
