# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``doctor`` says of the ROS graph: inputs, clock, sizes, running nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.cli.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.cli.doctor_machine import Transport
    from mm_fusion.ros.observation import Observation, TopicView

_MIN_RATES_HZ = {'image': 2.0, 'audio': 1.0, 'fix': 0.5, 'velocity': 2.0}
"""Below these a sensor counts as stale between two messages, with the default timeouts."""

_CLOCK_AGE_S = 5.0
_FRAMES = 4
"""So many messages should fit the shared memory at once, so that none waits for another."""


def topic_findings(observation: Observation, transport: Transport) -> Iterator[Finding]:
    """Say what of the graph is in order, and what is not."""
    yield Finding('middleware', Severity.OK, observation.middleware)
    yield from _nodes(observation)
    for role, view in observation.inputs.items():
        if role == 'audio_info' and not view.publishers:
            continue  # needed for one type of sound alone
        yield from _input(role, view, observation)
        yield from _size(role, view, transport)
        for obstacle in view.obstacles:
            advice = 'give the subscriber the QoS of the publisher, or the publisher more'
            yield Finding(role, Severity.ERROR, obstacle, advice)
    yield from _clock(observation)


def _nodes(observation: Observation) -> Iterator[Finding]:
    for name, simulated in observation.fusion_nodes.items():
        told = {True: 'true', False: 'false', None: 'not told'}[simulated]
        yield Finding('fusion node', Severity.OK, f'{name} is running, use_sim_time: {told}')
    if not observation.fusion_nodes:
        yield Finding('fusion node', Severity.OK, 'none is configured or active in this domain')


def _input(role: str, view: TopicView, observation: Observation) -> Iterator[Finding]:
    if not view.publishers:
        yield _unpublished(role, view, observation)
        return
    who = '; '.join(view.publishers)
    if view.problem:
        advice = 'publish one of these types, or set node.*_type and remap the topic'
        yield Finding(role, Severity.ERROR, view.problem, advice)
    elif not view.messages:
        yield Finding(
            role,
            Severity.WARNING,
            f'{view.topic}: nothing came in {observation.seconds:g} s from {who}',
            'see whether the driver runs and whether both sides have the same ROS_DOMAIN_ID and '
            'middleware; large images need the shared-memory profile on both sides',
        )
    else:
        yield _rate(role, view, who)


def _unpublished(role: str, view: TopicView, observation: Observation) -> Finding:
    fact = f'{view.topic}: nobody publishes'
    other = observation.elsewhere.get(role)
    if other is None:
        advice = 'start its driver, or go without it: every output says what it rests on'
        return Finding(role, Severity.WARNING, fact, advice)
    advice = f'{other} has a type that serves: start the launch file with {role}_topic:={other}'
    return Finding(role, Severity.WARNING, fact, advice)


def _rate(role: str, view: TopicView, who: str) -> Finding:
    fact = f'{view.topic}: {view.rate_hz:.3g} Hz, up to {view.largest_bytes} bytes, from {who}'
    lowest = _MIN_RATES_HZ.get(role, 0.0)
    if view.messages > 1 and view.rate_hz < lowest:
        advice = (
            f'below {lowest:g} Hz it counts as stale in between: raise its rate or its timeout'
        )
        return Finding(role, Severity.WARNING, fact, advice)
    return Finding(role, Severity.OK, fact)


def _size(role: str, view: TopicView, transport: Transport) -> Iterator[Finding]:
    if _FRAMES * view.largest_bytes > transport.segment_bytes:
        yield Finding(
            role,
            Severity.WARNING,
            f'{view.topic}: {_FRAMES} messages of {view.largest_bytes / 2**20:.2g} MiB do not fit '
            f'the shared memory of {transport.segment_bytes / 2**20:.2g} MiB ({transport.source})',
            'they go out as UDP fragments and most are lost: use '
            'config/fastdds_large_images.xml on both sides, or compressed images',
        )


def _clock(observation: Observation) -> Iterator[Finding]:
    clock = observation.clock
    simulated = [name for name, wish in observation.fusion_nodes.items() if wish]
    if clock.publishers and clock.messages:
        speed = observation.clock_speed
        told = '' if speed is None else f', {speed:.2f} times as fast as the machine'
        fact = f'/clock: {clock.rate_hz:.3g} Hz{told}, from {"; ".join(clock.publishers)}'
        real = [name for name, wish in observation.fusion_nodes.items() if wish is False]
        if real:
            advice = f'start {", ".join(real)} with use_sim_time:=true, or stop what publishes it'
            yield Finding('clock', Severity.WARNING, fact, advice)
        else:
            yield Finding('clock', Severity.OK, f'{fact}: set use_sim_time')
        return
    if simulated:
        fact = f'nothing comes on /clock, and {", ".join(simulated)} lives by it'
        advice = 'start the simulator or `ros2 bag play --clock`, or set use_sim_time:=false'
        yield Finding('clock', Severity.ERROR, fact, advice)
        return
    yield Finding('clock', Severity.OK, "the machine's: nothing comes on /clock")
    yield from _ages(observation)


def _ages(observation: Observation) -> Iterator[Finding]:
    """Stamps that are far from the machine's clock come from another one."""
    for role, view in observation.inputs.items():
        age_s = view.stamp_age_s
        if age_s is not None and abs(age_s) > _CLOCK_AGE_S:
            yield Finding(
                f'{role} clock',
                Severity.WARNING,
                f'{view.topic}: stamps are {abs(age_s):.0f} s '
                f'{"behind" if age_s > 0 else "ahead of"} the clock of this machine',
                'a recording or a simulator: publish /clock and set use_sim_time; a sensor: '
                'synchronise its clock (PTP, chrony)',
            )
