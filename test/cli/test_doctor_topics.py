# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is said of the graph, of views of it that are made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mm_fusion.cli.doctor_machine import Transport
from mm_fusion.cli.doctor_topics import topic_findings
from mm_fusion.cli.findings import Finding, Severity
from mm_fusion.ros.observation import Observation, TopicView

pytestmark = pytest.mark.ros

LARGE = Transport('shipped', 64 * 2**20)


def image(**changes: Any) -> TopicView:
    view = TopicView(
        '/image',
        publishers=('/camera (sensor_msgs/msg/Image, reliable, volatile)',),
        messages=30,
        rate_hz=10.0,
        largest_bytes=1000,
        stamp_age_s=0.01,
    )
    return replace(view, **changes)


def observation(**changes: Any) -> Observation:
    seen = Observation(
        seconds=3.0,
        inputs={'image': image()},
        elsewhere={},
        clock=TopicView('/clock'),
        clock_speed=None,
        fusion_nodes={},
        middleware='rmw_fastrtps_cpp',
    )
    return replace(seen, **changes)


def said(subject: str, transport: Transport = LARGE, **changes: Any) -> list[Finding]:
    found = list(topic_findings(observation(**changes), transport))
    return [finding for finding in found if finding.subject == subject]


def test_a_topic_that_works_is_shown_with_rate_size_and_publisher() -> None:
    (finding,) = said('image')
    assert finding.severity is Severity.OK
    assert finding.fact == (
        '/image: 10 Hz, up to 1000 bytes, from /camera (sensor_msgs/msg/Image, reliable, volatile)'
    )


@pytest.mark.parametrize(
    ('changes', 'severity', 'fact', 'advice'),
    [
        ({'publishers': ()}, 'warning', 'nobody publishes', 'start its driver'),
        ({'messages': 0}, 'warning', 'nothing came in 3 s', 'ROS_DOMAIN_ID'),
        ({'problem': '/image: found type A'}, 'error', 'found type A', 'node.*_type'),
        ({'rate_hz': 0.5}, 'warning', '0.5 Hz', 'below 2 Hz'),
    ],
)
def test_what_is_wrong_with_a_topic_is_said_with_advice(
    changes: dict[str, Any], severity: str, fact: str, advice: str
) -> None:
    (finding,) = said('image', inputs={'image': image(**changes)})
    assert finding.severity.value == severity
    assert fact in finding.fact
    assert advice in finding.advice


def test_a_topic_elsewhere_is_offered_with_the_argument_that_takes_it() -> None:
    seen: dict[str, Any] = {
        'inputs': {'image': image(publishers=())},
        'elsewhere': {'image': '/cam/raw'},
    }
    (finding,) = said('image', **seen)
    assert 'image_topic:=/cam/raw' in finding.advice


def test_messages_too_large_for_the_shared_memory_are_named() -> None:
    large = {'image': image(largest_bytes=6_220_800)}
    (_, finding) = said('image', Transport('no profile', 512 * 1024), inputs=large)
    assert finding.severity is Severity.WARNING
    assert '5.9 MiB do not fit the shared memory of 0.5 MiB' in finding.fact
    assert len(said('image', inputs=large)) == 1


def test_an_obstacle_is_an_error() -> None:
    blocked = {'image': image(obstacles=('/image: no data flows',))}
    assert said('image', inputs=blocked)[-1].severity is Severity.ERROR


@pytest.mark.parametrize(
    ('nodes', 'messages', 'severity', 'text'),
    [
        ({}, 0, 'ok', "the machine's"),
        ({'/mm_fusion': True}, 0, 'error', '/mm_fusion lives by it'),
        ({'/mm_fusion': True}, 50, 'ok', '0.50 times as fast'),
        ({'/mm_fusion': False}, 50, 'warning', '50 Hz'),
    ],
)
def test_the_source_of_time_is_judged(
    nodes: dict[str, bool], messages: int, severity: str, text: str
) -> None:
    clock = TopicView(
        '/clock',
        publishers=('/sim (rosgraph_msgs/msg/Clock, reliable, volatile)',) if messages else (),
        messages=messages,
        rate_hz=50.0,
    )
    (finding,) = said('clock', clock=clock, clock_speed=0.5, fusion_nodes=nodes)
    assert finding.severity.value == severity
    assert text in finding.fact


@pytest.mark.parametrize(('age_s', 'count'), [(0.1, 0), (3600.0, 1), (-60.0, 1)])
def test_stamps_of_another_clock_are_named(age_s: float, count: int) -> None:
    findings = said('image clock', inputs={'image': image(stamp_age_s=age_s)})
    assert len(findings) == count
    assert all('synchronise' in finding.advice for finding in findings)


def test_the_format_of_sound_is_not_asked_for_where_nobody_needs_it() -> None:
    assert said('audio_info', inputs={'audio_info': TopicView('/audio_info')}) == []
