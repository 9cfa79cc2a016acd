# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.cli.findings import Finding, Severity, worst
from mm_fusion.cli.inspect_findings import findings_of
from mm_fusion.recordings.clock_offsets import ClockOffset
from mm_fusion.recordings.survey import Delay, Gap, StreamSurvey, Survey
from support import recordings
from support.commands import runner
from support.drives import START_NS, write_circle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run ``mm_fusion inspect`` and return status, stdout and stderr."""
    return runner('inspect', monkeypatch, capsys, columns=200)


def test_topics_roles_rates_and_findings_are_shown(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    write_circle(tmp_path / 'circle')
    status, out, _ = run(tmp_path / 'circle', '--json', tmp_path / 'found.json')
    assert status == 0
    assert '/image/compressed' in out
    assert 'sensor_msgs/msg/CompressedImage' in out
    document = json.loads((tmp_path / 'found.json').read_text())
    assert document['recording'] == 'circle'
    assert document['topics']['/velocity']['messages'] == 240
    streams = {item['role']: item for item in document['streams']}
    assert set(streams) == {'image', 'audio', 'fix', 'velocity', 'odometry'}
    assert streams['velocity']['rate_hz'] == pytest.approx(20.0)
    assert streams['velocity']['delay']['median_s'] == pytest.approx(0.002)
    assert {item['subject'] for item in document['findings']} >= {'camera', 'gnss clock'}


def test_a_role_that_cannot_be_told_is_refused_after_the_list_of_topics(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    with BagWriter(tmp_path / 'two') as bag:
        for topic in ('/left/a', '/right/b'):
            twist = recordings.twist_stamped(1.0, 0.0, stamp_ns=START_NS)
            bag.write(topic, twist, START_NS)
    status, out, err = run(tmp_path / 'two')
    assert status == 2
    assert '/left/a' in out
    assert 'velocity: found 2 topics that may serve, choose one' in err
    chosen = tmp_path / 'topics.yaml'
    chosen.write_text('velocity: /left/a\n')
    assert run(tmp_path / 'two', '--topics', chosen)[0] == 0


def test_an_input_that_cannot_be_used_sets_the_status(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    with BagWriter(tmp_path / 'bad') as bag:
        for tick in range(3):
            stamp_ns = START_NS + tick * 10**8
            bag.write('/velocity', recordings.twist_stamped(float('nan'), 0.0), stamp_ns)
    status, out, _ = run(tmp_path / 'bad')
    assert status == 1
    assert '3 of 3 messages cannot be used: 3 not_finite' in out


def test_a_recording_that_is_not_there_is_one_line(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    status, _, err = run(tmp_path / 'none')
    assert status == 2
    assert err.count('\n') == 1


def velocity(**changes: object) -> StreamSurvey:
    values: dict[str, object] = {
        'role': 'velocity',
        'topic': '/velocity',
        'received': 100,
        'refused': {},
        'rate_hz': 20.0,
        'jitter_s': 0.0,
        'backward': 0,
        'repeated': 0,
        'gaps': (),
        'gap_count': 0,
        'delay': Delay(0.01, 0.02, 0.03, 0.04, 5.0),
    }
    return StreamSurvey(**{**values, **changes})  # type: ignore[arg-type]


def said(*streams: StreamSurvey, offsets: tuple[ClockOffset, ...] = ()) -> list[Finding]:
    found = findings_of(Survey(60.0, streams, offsets))
    return [finding for finding in found if finding.subject in ('velocity', 'gnss clock')]


def test_all_well_is_one_finding_without_advice() -> None:
    assert said(velocity()) == [Finding('velocity', Severity.OK, '/velocity, 20 Hz')]


def test_a_sensor_that_is_missing_is_named() -> None:
    (finding,) = said()
    assert finding.severity is Severity.WARNING
    assert 'no message serves as velocity' in finding.fact


@pytest.mark.parametrize(
    ('changes', 'fact', 'advice'),
    [
        ({'refused': {'no_fix': 2}}, '2 of 100 messages cannot be used', 'driver'),
        (
            {'gaps': (Gap(3.0, 2.6),), 'gap_count': 1},
            'up to 2.60 s (at 3.0 s)',
            'velocity_timeout_s',
        ),
        ({'backward': 1, 'repeated': 2}, '1 stamps go back, 2 repeat', 'reorder_window_s'),
        ({'delay': Delay(-0.3, 0, 0, 0, 0.0)}, '0.300 s ahead', 'velocity_offset_s'),
        ({'delay': Delay(0.1, 0, 0, 0, 250.0)}, 'drifts by -250 ppm', 'synchronise'),
    ],
)
def test_what_is_odd_is_said_with_advice(
    changes: dict[str, object], fact: str, advice: str
) -> None:
    (finding,) = said(velocity(**changes))
    assert finding.severity is Severity.WARNING
    assert fact in finding.fact
    assert advice in finding.advice


def test_a_silence_within_the_timeout_is_none() -> None:
    (finding,) = said(velocity(gaps=(Gap(3.0, 2.4),), gap_count=1))
    assert finding.severity is Severity.OK


@pytest.mark.parametrize(
    ('offset', 'severity', 'text'),
    [
        (
            ClockOffset('gnss', 'velocity', 'speed', 0.2, 0.01, 0.99),
            Severity.WARNING,
            '0.200 ± 0.010 s later',
        ),
        (
            ClockOffset('gnss', 'velocity', 'speed', -0.2, 0.1, 0.99),
            Severity.OK,
            'no offset is certain',
        ),
        (
            ClockOffset('gnss', 'velocity', 'speed', problem='too little'),
            Severity.OK,
            'cannot be told: too little',
        ),
    ],
)
def test_an_offset_is_advised_where_it_is_certain(
    offset: ClockOffset, severity: Severity, text: str
) -> None:
    finding = said(velocity(), offsets=(offset,))[-1]
    assert finding.severity is severity
    assert text in finding.fact
    assert ('alignment.gnss_offset_s: -0.200' in finding.advice) == (severity is Severity.WARNING)


def test_the_worst_of_nothing_is_ok() -> None:
    assert worst([]) is Severity.OK
