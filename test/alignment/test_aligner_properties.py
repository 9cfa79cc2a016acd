# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
from alignment.samples import (
    MS,
    PER_MS,
    aligner,
    at,
    delayed,
    drive,
    drops,
    feed,
    frame,
    position,
    signal,
    sound,
    velocity,
)
from hypothesis import given, settings

from mm_fusion.types.sensors import AudioChunk, DropReason, Modality, modality_of

if TYPE_CHECKING:
    from mm_fusion.alignment import Aligner
    from mm_fusion.types.sensors import Sample
    from mm_fusion.types.snapshot import Snapshot

MAKERS = (frame, velocity, position, lambda ms, received: sound(ms, 50, received))

# Stamps and arrivals that mostly agree, and now and then do not at all; whole numbers are polls.
scripts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(MAKERS), st.integers(-60, 40), st.integers(0, 60)),
        st.tuples(st.sampled_from(MAKERS), st.integers(-60_000, 60_000), st.integers(-900, 900)),
        st.integers(-700, 2000),
    ),
    max_size=150,
)
configurations = st.fixed_dictionaries(
    {
        'deadline_s': st.sampled_from([0.0, 0.05, 1.0]),
        'camera_timeout_s': st.sampled_from([0.05, 0.5]),
        'reorder_window_s': st.sampled_from([0.0, 0.2, 1.0]),
        'max_pending': st.sampled_from([1, 3, 64]),
        'max_history': st.sampled_from([10, 1000]),
        'future_tolerance_s': st.sampled_from([0.01, 1.0, 3600.0]),
        'camera_offset_s': st.sampled_from([0.0, -0.03]),
    }
)


def play(script: list[Any], target: Aligner) -> tuple[list[Snapshot], Counter[Modality]]:
    """Push and poll as a script says, time running on except where it says otherwise."""
    now, snapshots = 10_000, []
    pushed: Counter[Modality] = Counter()
    for step in script:
        if isinstance(step, int):
            now += step
            snapshots += target.poll(at(now))
        else:
            make, stamp, elapsed = step
            now += elapsed
            sample = make(now + stamp, now)
            pushed[modality_of(sample)] += 1
            target.push(sample)
        counters = target.counters
        assert counters.opened == (
            counters.emitted + counters.superseded + counters.discarded + counters.pending
        )
    return snapshots, pushed


@settings(max_examples=300, deadline=None)
@given(scripts, configurations)
def test_whatever_happens_the_books_balance(script: list[Any], changes: dict[str, Any]) -> None:
    target = aligner(**changes)
    snapshots, pushed = play(script, target)
    snapshots += target.flush()
    assert target.counters.pending == 0
    assert target.counters.emitted == len(snapshots)
    assert all(target.reports()[m].received == pushed[m] for m in Modality)
    frames = sum(snapshot.image is not None for snapshot in snapshots)
    assert pushed[Modality.CAMERA] == frames + sum(drops(target, Modality.CAMERA).values())
    for epoch in range(target.epoch + 1):
        stamps = [snapshot.stamp_ns for snapshot in snapshots if snapshot.epoch == epoch]
        assert all(a < b for a, b in pairwise(stamps))
    assert [s.epoch for s in snapshots] == sorted(s.epoch for s in snapshots)


@settings(max_examples=200, deadline=None)
@given(scripts, configurations)
def test_every_snapshot_keeps_its_promises(script: list[Any], changes: dict[str, Any]) -> None:
    target = aligner(**changes)
    snapshots, _ = play(script, target)
    for snapshot in snapshots:
        for held in (snapshot.velocities, snapshot.positions):
            stamps = [sample.stamp_ns for sample in held]
            assert all(a < b for a, b in pairwise(stamps))
            assert all(ns <= snapshot.stamp_ns for ns in stamps)
        if snapshot.velocity is not None:
            assert snapshot.velocity.stamp_ns <= snapshot.stamp_ns
        if snapshot.audio is not None:
            assert 0.5 <= snapshot.audio.covered <= 1.0
            assert snapshot.audio.samples.size == 500 * PER_MS
            assert np.isfinite(snapshot.audio.samples).all()
            missed = np.count_nonzero(snapshot.audio.samples == 0)
            assert missed >= round((1 - snapshot.audio.covered) * 500 * PER_MS)
        for report in snapshot.modalities.values():
            assert report.age_ns is None or report.age_ns >= 0
        assert (snapshot.trigger == 'camera') is (snapshot.image is not None)


@settings(deadline=None)
@given(scripts, configurations)
def test_the_same_input_gives_the_same_output(script: list[Any], changes: dict[str, Any]) -> None:
    def digest() -> tuple[list[object], object]:
        target = aligner(**changes)
        snapshots, _ = play(script, target)
        rows: list[object] = [
            (s.stamp_ns, s.emitted_ns, s.trigger, s.completed, s.velocity, len(s.velocities))
            + (None if s.audio is None else s.audio.samples.tobytes(),)
            for s in snapshots
        ]
        return rows, target.counters

    assert digest() == digest()


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 400))
def test_samples_shuffled_within_the_window_give_the_same_histories(
    seed: int, disorder_ms: int
) -> None:
    dice = random.Random(seed)
    in_order = [s for s in drive(2.0, camera=False) if s.received_ns < at(1950)]
    arrivals = [delayed([s], received_ms=dice.uniform(0, disorder_ms))[0] for s in in_order]
    arrivals.sort(key=lambda s: s.received_ns)

    def last(samples: list[Sample]) -> Snapshot:
        target = aligner(reorder_window_s=0.6)
        for sample in samples:
            target.push(sample)
        target.push(frame(1900, received_ms=2390))
        (snapshot,) = target.flush()
        assert all(not drops(target, modality) for modality in Modality)
        return snapshot

    expected, found = last(in_order), last(arrivals)
    assert [s.stamp_ns for s in found.velocities] == [s.stamp_ns for s in expected.velocities]
    assert [s.stamp_ns for s in found.positions] == [s.stamp_ns for s in expected.positions]
    assert found.audio is not None
    assert expected.audio is not None
    assert found.audio.covered == expected.audio.covered == 1.0
    np.testing.assert_array_equal(found.audio.samples, expected.audio.samples)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 200))
def test_sound_equals_the_reference_in_every_snapshot(seed: int, longest_ms: int) -> None:
    dice = random.Random(seed)
    samples: list[Sample] = [frame(ms, ms + 3) for ms in range(700, 3000, 77)]
    start = 0
    while start < 3200 * PER_MS:
        count = dice.randint(1, longest_ms * PER_MS)
        stamp_ns = at(0) + start * MS // PER_MS
        received_ns = stamp_ns + count * MS // PER_MS
        values = signal(start, count)
        samples.append(AudioChunk(stamp_ns, received_ns, 'microphone', 8000, values))
        start += count
    snapshots = feed(aligner(deadline_s=2.0, camera_timeout_s=5.0), samples)
    assert len(snapshots) == 30
    for snapshot in snapshots:
        ms = (snapshot.stamp_ns - at(0)) // MS
        assert snapshot.audio is not None
        assert snapshot.completed
        expected = signal((ms - 500) * PER_MS, 500 * PER_MS)
        np.testing.assert_array_equal(snapshot.audio.samples, expected)


@settings(deadline=None)
@given(st.floats(-30, 30), st.floats(-0.01, 0.01), st.integers(0, 2**32))
def test_velocity_is_exact_for_a_linear_signal(speed: float, slope: float, seed: int) -> None:
    dice = random.Random(seed)
    stamps = sorted(dice.sample(range(2000), 100))
    samples: list[Sample] = [velocity(ms, ms + 2, speed=speed + slope * ms) for ms in stamps]
    samples += [frame(ms, ms + 1) for ms in range(100, 1900, 33)]
    snapshots = feed(aligner(deadline_s=1.0), samples)
    checked = 0
    for snapshot in snapshots:
        ms = (snapshot.stamp_ns - at(0)) // MS
        if snapshot.completed and snapshot.velocity is not None:
            assert snapshot.velocity.stamp_ns == snapshot.stamp_ns
            assert abs(snapshot.velocity.speed_mps - (speed + slope * ms)) < 1e-9
            checked += 1
    assert checked > 30


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(Modality)),
    st.floats(4000, 60_000),
    st.integers(2500, 4000),
    st.integers(300, 2500),
)
def test_a_clock_set_back_costs_the_other_sensors_nothing(
    astray: Modality, back_ms: float, from_ms: int, length_ms: int
) -> None:
    """Its own samples are refused meanwhile, and taken again at once when it is right.

    Unless they catch up with what was there before: then they count as late.
    """
    good = drive(8.0)
    bad = [
        delayed([sample], stamps_ms=-back_ms)[0]
        if modality_of(sample) is astray
        and at(from_ms) <= sample.received_ns < at(from_ms + length_ms)
        else sample
        for sample in good
    ]
    clean, target = aligner(), aligner()
    expected, found = feed(clean, good), feed(target, bad)
    assert target.counters.clock_resets == 0
    for modality in set(Modality) - {astray}:
        assert drops(target, modality) == drops(clean, modality)
    lost = drops(target, astray)
    assert lost.keys() <= {DropReason.CLOCK_JUMP, DropReason.OUT_OF_ORDER, DropReason.LATE}
    refused = sum(count for reason, count in lost.items() if reason is not DropReason.LATE)
    assert refused == sum(a is not b for a, b in zip(good, bad, strict=True))
    assert found[-1].stamp_ns == expected[-1].stamp_ns
    assert found[-1].image is not None
    assert len(found[-1].velocities) >= len(expected[-1].velocities) - refused


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(list(Modality)), min_size=1), st.integers(0, 400))
def test_all_that_are_alive_going_back_is_time_going_back(
    alive: set[Modality], pause_ms: int
) -> None:
    bag = [sample for sample in drive(4.0) if modality_of(sample) in alive]
    length_ms = (bag[-1].received_ns - at(0)) / MS + 1 + pause_ms
    target = aligner()
    feed(target, [*bag, *delayed(bag, received_ms=length_ms)])
    assert target.counters.clock_resets == 1
    for modality in Modality:
        assert drops(target, modality).keys() <= {DropReason.CLOCK_JUMP}
