# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Rates, gaps, delays and clocks of a recording that is made with known ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from mm_fusion.bags import BagWriter, read_bag
from mm_fusion.recordings.survey import survey
from support import recordings
from support.drives import START_NS

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.recordings.survey import StreamSurvey, Survey

MS = 1_000_000
DURATION_S = 60.0
VELOCITY_DELAY_S, FIX_DELAY_S, GNSS_LATE_S = 0.008, 0.06, 0.4
DRIFT = 300e-6
GAP = (20.0, 23.5)


def write_drive(path: Path) -> Path:
    """Drive north at a changing speed; the clock of GNSS is late, that of the velocity drifts."""
    with BagWriter(path) as bag:
        for tick in range(round(DURATION_S * 50)):
            time_s = tick / 50
            now_ns = START_NS + tick * 20 * MS
            stamp_ns = now_ns - round(DRIFT * time_s * 1e9)
            speed_mps = 10 + 4 * math.sin(0.5 * time_s) + 2 * math.sin(0.23 * time_s)
            twist = recordings.twist_stamped(speed_mps, 0.0, stamp_ns=stamp_ns)
            bag.write('/velocity', twist, now_ns + round(VELOCITY_DELAY_S * 1e9))
            if tick % 5 == 0 and not GAP[0] < time_s < GAP[1]:
                bag.write('/fix', fix(time_s, now_ns), now_ns + round(FIX_DELAY_S * 1e9))
            if tick % 10 == 0:
                sound = recordings.own_audio(bytes(2 * 3200), stamp_ns=now_ns - 200 * MS)
                bag.write('/audio', sound, now_ns + 5 * MS)
    return path


def fix(time_s: float, now_ns: int) -> object:
    way_m = 10 * time_s - 8 * math.cos(0.5 * time_s) - 2 / 0.23 * math.cos(0.23 * time_s)
    late_ns = now_ns + round(GNSS_LATE_S * 1e9)
    latitude = 48.0 + math.degrees(way_m / 6_367_000)
    return recordings.nav_sat_fix(latitude, 11.0, 500.0, stamp_ns=late_ns)


@pytest.fixture(scope='module')
def found(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    path = write_drive(tmp_path_factory.mktemp('drives') / 'drive')
    with read_bag(path) as bag:
        return survey(bag)


def stream(found: Survey, role: str) -> StreamSurvey:
    return next(item for item in found.streams if item.role == role)


def test_every_role_with_a_topic_is_surveyed(found: Survey) -> None:
    assert [item.role for item in found.streams] == ['audio', 'fix', 'velocity']
    assert stream(found, 'velocity').topic == '/velocity'
    assert stream(found, 'velocity').received == 3000
    assert stream(found, 'fix').rate_hz == pytest.approx(10.0)
    assert stream(found, 'velocity').rate_hz == pytest.approx(50.0, rel=1e-3)


def test_a_silence_is_found_where_it_is(found: Survey) -> None:
    item = stream(found, 'fix')
    assert item.gap_count == 1
    assert item.gaps[0].at_s == pytest.approx(GAP[0] + FIX_DELAY_S, abs=0.1)
    assert item.gaps[0].length_s == pytest.approx(GAP[1] - GAP[0], abs=0.11)
    assert stream(found, 'velocity').gap_count == 0


def test_delays_are_counted_from_the_end_of_the_measurement(found: Survey) -> None:
    audio, gnss = stream(found, 'audio').delay, stream(found, 'fix').delay
    assert audio is not None
    assert audio.median_s == pytest.approx(0.005, abs=1e-6)
    assert gnss is not None
    assert gnss.least_s == pytest.approx(FIX_DELAY_S - GNSS_LATE_S, abs=1e-6)


def test_a_clock_that_drifts_is_found(found: Survey) -> None:
    drifting, steady = stream(found, 'velocity').delay, stream(found, 'fix').delay
    assert drifting is not None
    assert drifting.drift_ppm == pytest.approx(DRIFT * 1e6, rel=0.01)
    assert steady is not None
    assert steady.drift_ppm == pytest.approx(0.0, abs=0.01)


def test_the_clock_of_gnss_is_compared_with_that_of_the_velocity(found: Survey) -> None:
    (offset,) = found.offsets  # the yaw rate is always zero, so there is nothing more to compare
    assert offset.method == 'speed'
    # On average the drift has made the velocity early by half of what it makes in the end.
    expected = GNSS_LATE_S + DRIFT * DURATION_S / 2
    assert offset.offset_s == pytest.approx(expected, abs=0.02)


def test_messages_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bad') as bag:
        for tick in range(4):
            stamp_ns = START_NS + tick * 100 * MS
            speed_mps = math.nan if tick == 2 else 5.0
            twist = recordings.twist_stamped(
                speed_mps, 0.0, stamp_ns=stamp_ns - 50 * MS * (tick == 3)
            )
            bag.write('/velocity', twist, stamp_ns)
        repeated = recordings.twist_stamped(5.0, 0.0, stamp_ns=START_NS + 250 * MS)
        bag.write('/velocity', repeated, START_NS + 400 * MS)
        earlier = recordings.twist_stamped(5.0, 0.0, stamp_ns=START_NS)
        bag.write('/velocity', earlier, START_NS + 500 * MS)
    with read_bag(tmp_path / 'bad') as recording:
        (item,) = survey(recording).streams
    assert item.received == 6
    assert item.refused == {'not_finite': 1}
    assert item.repeated == 1
    assert item.backward == 1


def test_two_messages_are_too_few_to_say_more(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'short') as bag:
        bag.write('/velocity', recordings.twist_stamped(5.0, 0.1, stamp_ns=START_NS), START_NS)
    with read_bag(tmp_path / 'short') as recording:
        found = survey(recording)
    assert found.streams[0].rate_hz == 0.0
    assert found.streams[0].delay is None
    assert found.offsets == ()
