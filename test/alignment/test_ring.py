# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from alignment.samples import MS, PER_MS, RATE_HZ, at, signal
from hypothesis import given, settings

from mm_fusion.alignment.ring import AudioRing
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.types.snapshot import AudioWindow

SECOND_NS = 1000 * MS


def ring(rate_hz: int = RATE_HZ, capacity_ms: int = 2000) -> AudioRing:
    return AudioRing(rate_hz, capacity_ms * MS, 10_000)


def add(target: AudioRing, ms: float, length_ms: float, shift_ms: float = 0) -> DropReason | None:
    """Add the piece of the reference signal at an instant, its stamp shifted."""
    return target.add(at(ms + shift_ms), signal(round(ms * PER_MS), round(length_ms * PER_MS)))


def window(target: AudioRing, ms: float, length_ms: float) -> AudioWindow:
    found = target.window(at(ms), round(length_ms * MS), 0.0)
    assert found is not None
    return found


def truth(ms: float, length_ms: float) -> NDArray[np.float32]:
    return signal(round((ms - length_ms) * PER_MS), round(length_ms * PER_MS))


@settings(deadline=None)
@given(
    rate_hz=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=60),
    back=st.integers(0, 20_000),
)
def test_windows_equal_the_reference_sample_for_sample(
    rate_hz: int, lengths: list[int], back: int
) -> None:
    target = ring(rate_hz)
    end = 0
    for length in lengths:
        assert target.add(at(0) + end * SECOND_NS // rate_hz, signal(end, length)) is None
        end += length
    stop = max(1, end - back)
    count = min(stop, 500)
    if stop - count < end - target.capacity:
        stop, count = end, 1
    # Rounded up, so that floor division yields the count again.
    span_ns = -(-count * SECOND_NS // rate_hz)
    found = target.window(at(0) + round(stop * SECOND_NS / rate_hz), span_ns, 1.0)
    assert found is not None
    np.testing.assert_array_equal(found.samples, signal(stop - count, count))
    assert found.covered == 1.0
    assert abs(found.start_ns - at(0) - (stop - count) * SECOND_NS // rate_hz) <= len(lengths) + 2


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 100))
def test_jitter_leaves_no_seam(seed: int, length_ms: int) -> None:
    dice = random.Random(seed)
    target = ring()
    end_ms = 0
    while end_ms < 3000:
        assert add(target, end_ms, length_ms, dice.uniform(-9.9, 9.9)) is None
        end_ms += length_ms
    found = window(target, end_ms - 50, 1000)
    assert found.covered == 1.0
    np.testing.assert_array_equal(np.diff(found.samples), 1.0)
    assert abs(found.samples[-1] - (end_ms - 50) * PER_MS) <= 10 * PER_MS


def test_the_mapping_follows_a_sound_card_that_is_off_by_100_ppm() -> None:
    target = ring()
    for i in range(6000):
        stamp_ns = at(0) + round(i * 100 * MS * (1 + 1e-4))
        assert target.add(stamp_ns, signal(i * 800, 800)) is None
    found = target.window(stamp_ns, 500 * MS, 1.0)
    assert found is not None
    np.testing.assert_array_equal(np.diff(found.samples[-4000:].astype(np.float64)), 1.0)
    lag_ns = (found.samples[-1] - 5999 * 800) * SECOND_NS / RATE_HZ
    assert abs(lag_ns) < 1 * MS


def test_the_window_ends_at_the_nearest_sample_boundary() -> None:
    target = ring()
    add(target, 0, 100)
    nearest = {0: 400, 62_499: 400, 62_500: 401, 125_000: 401, -62_501: 399}
    for offset_ns, last in nearest.items():
        found = target.window(at(50) + offset_ns, 10 * MS, 1.0)
        assert found is not None
        assert found.samples[-1] == last
        assert found.samples.size == 80
        assert found.start_ns == at(0) + (last - 80) * SECOND_NS // RATE_HZ


def test_a_lost_chunk_is_silence_and_counted_as_uncovered() -> None:
    target = ring()
    add(target, 0, 100)
    add(target, 200, 100)
    found = window(target, 300, 300)
    assert found.covered == pytest.approx(2 / 3)
    np.testing.assert_array_equal(found.samples[:800], signal(0, 800))
    np.testing.assert_array_equal(found.samples[800:1600], 0)
    np.testing.assert_array_equal(found.samples[1600:], signal(1600, 800))


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(0, 2**32))
def test_chunks_out_of_order_fill_the_gaps_they_left(order: list[int], seed: int) -> None:
    dice = random.Random(seed)
    target = ring()
    for i in order:
        assert add(target, 60 * i, 60, dice.uniform(-3, 3)) is None
    found = window(target, 700, 650)
    heard = found.samples > 0
    assert found.covered > 0.9
    assert np.abs(found.samples - truth(700, 650))[heard].max() <= 6 * PER_MS
    # Seams may be where chunks meet, and nowhere else.
    seams = (np.diff(found.samples) != 1) & heard[1:] & heard[:-1]
    assert np.count_nonzero(seams) <= 12


@settings(deadline=None)
@given(st.permutations(range(12)))
def test_chunks_out_of_order_without_jitter_give_the_reference(order: list[int]) -> None:
    target = ring()
    for i in order:
        assert add(target, 60 * i, 60) is None
    found = window(target, 720, 720)
    assert found.covered == 1.0
    np.testing.assert_array_equal(found.samples, truth(720, 720))
    assert target.end_ns == at(720)


def test_a_chunk_out_of_order_is_moved_onto_the_gap_it_left() -> None:
    for shift_ms in (-7, 0, 7):
        target = ring()
        add(target, 100, 100)
        add(target, 300, 100)
        assert add(target, 200, 100, shift_ms) is None
        assert add(target, 0, 100, shift_ms) is None
        found = window(target, 400, 400)
        assert found.covered == 1.0
        np.testing.assert_array_equal(found.samples, truth(400, 400))


def test_a_chunk_that_reaches_out_of_the_buffer_overwrites_nothing() -> None:
    target = ring(capacity_ms=300)
    add(target, 1000, 100)
    assert add(target, 750, 100) is None
    found = window(target, 1100, 300)
    np.testing.assert_array_equal(found.samples[1600:], truth(1100, 100))
    np.testing.assert_array_equal(found.samples[:400], truth(850, 50))
    np.testing.assert_array_equal(found.samples[400:1600], 0)
    assert found.covered == 0.5


def test_a_duplicate_is_refused() -> None:
    target = ring()
    add(target, 0, 100)
    add(target, 100, 100)
    assert add(target, 100, 100) is DropReason.DUPLICATE
    assert add(target, 0, 100) is DropReason.DUPLICATE
    assert (len(target), target.end_ns) == (2, at(200))


def test_what_overlaps_is_cut_off() -> None:
    target = ring()
    add(target, 0, 100)
    assert add(target, 60, 100) is None
    found = window(target, 160, 160)
    assert found.covered == 1.0
    np.testing.assert_array_equal(found.samples, truth(160, 160))
    assert add(target, 70, 50) is DropReason.DUPLICATE
    assert target.end_ns == at(160)


def test_a_chunk_that_lies_inside_the_newest_is_a_duplicate() -> None:
    target = ring()
    add(target, 0, 200)
    assert add(target, 50, 100) is DropReason.DUPLICATE
    assert target.end_ns == at(200)


def test_the_oldest_sound_makes_way() -> None:
    target = ring(capacity_ms=300)
    for ms in range(0, 1000, 100):
        add(target, ms, 100)
    assert window(target, 1000, 300).covered == 1.0
    assert window(target, 1000, 600).covered == 0.5
    assert target.window(at(700), 300 * MS, 0.0) is None
    assert len(target) <= 4


def test_a_chunk_older_than_the_buffer_is_late() -> None:
    target = ring(capacity_ms=300)
    add(target, 1000, 100)
    assert add(target, 799, 1) is DropReason.LATE
    assert add(target, 801, 50) is None


def test_a_long_silence_leaves_no_old_sound() -> None:
    target = ring(capacity_ms=300)
    add(target, 0, 100)
    add(target, 100_000, 100)
    found = window(target, 100_100, 200)
    assert found.covered == 0.5
    np.testing.assert_array_equal(found.samples[:800], 0)
    np.testing.assert_array_equal(found.samples[800:], signal(800_000, 800))


def test_a_gap_as_long_as_the_ring_leaves_no_old_sound() -> None:
    for gap_ms in (200, 201, 299, 300, 301):
        target = ring(capacity_ms=300)
        add(target, 0, 300)
        add(target, 300 + gap_ms, 100)
        found = window(target, 400 + gap_ms, 300)
        np.testing.assert_array_equal(found.samples[:1600], 0)
        assert found.covered == pytest.approx(1 / 3)


def test_too_little_sound_is_none() -> None:
    target = ring()
    assert target.window(at(0), 100 * MS, 0.0) is None
    assert target.end_ns is None
    add(target, 0, 49)
    assert target.window(at(100), 100 * MS, 0.5) is None
    add(target, 49, 1)
    found = target.window(at(100), 100 * MS, 0.5)
    assert found is not None
    assert found.covered == 0.5
    np.testing.assert_array_equal(found.samples[400:], 0)


def test_the_window_is_a_copy() -> None:
    target = ring()
    add(target, 0, 100)
    window(target, 100, 100).samples[:] = 9
    np.testing.assert_array_equal(window(target, 100, 100).samples, truth(100, 100))


def test_the_end_is_rounded_up_so_that_it_is_covered() -> None:
    target = ring(44_100)
    target.add(at(0), signal(0, 1))
    assert target.end_ns == at(0) + 22_676  # of 22 675.7


def test_small_lost_chunks_add_up_to_a_gap() -> None:
    target = ring()
    for ms in range(0, 1000, 10):
        if ms % 100:
            add(target, ms, 10)
    assert target.end_ns is not None
    assert abs(target.end_ns - at(1000)) <= 20 * MS
