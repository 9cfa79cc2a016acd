# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the simulator node: declared with type, bounds and description, read once."""

from __future__ import annotations

from dataclasses import dataclass

from mm_fusion.fields import real, text, whole


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """How a drive is simulated and published."""

    scenario: str = text(
        'town', 'Name of a scenario of the package, path of a scenario file, or random'
    )
    seed: int = whole(-1, 'Seed of the drive; -1: that of the scenario', '1', -1, 2**63 - 1)
    duration_s: float = real(0.0, 'Length of the drive; 0: that of the scenario', 's', 0.0, 7200.0)
    mode: str = text(
        'real_time',
        'real_time: paced by the wall clock; fast: as fast as it is rendered; lock_step: each '
        'frame waits for an answer to the one before',
        'real_time',
        'fast',
        'lock_step',
    )
    rate: float = real(1.0, 'Speed against real time, in the mode real_time', '1', 0.01, 100.0)
    image_transport: str = text('both', 'How frames are published', 'raw', 'compressed', 'both')
    reliability: str = text(
        'reliable',
        'QoS that the sensors offer: reliable serves both kinds of subscriber and loses nothing '
        'but what a fault takes; best_effort is what many camera drivers offer',
        'reliable',
        'best_effort',
    )
    clock_rate_hz: float = real(
        100.0, 'Ticks of /clock in a second of the drive; 0: no /clock', 'Hz', 0.0, 1000.0
    )
    drives: int = whole(
        1, 'Drives, one after the other, each with the next seed; 0: without end', '1', 0, 10**6
    )
    subscribers: int = whole(
        0, 'Subscribers that each sensor topic is to have before the start', '1', 0, 100
    )
    subscribers_timeout_s: float = real(
        30.0, 'Longest wait for them, by the wall clock', 's', 0.0, 3600.0
    )
    wait_for: str = text(
        '/mm_fusion/road_state',
        'Lock-step: topic of type mm_fusion_msgs/RoadState whose stamps answer the frames; '
        'empty: each call of ~/step lets one frame pass',
    )
    wait_timeout_s: float = real(
        5.0, 'Lock-step: longest wait for an answer, by the wall clock', 's', 0.01, 3600.0
    )
    in_flight: int = whole(1, 'Lock-step: frames that may be without answer', '1', 1, 100)
    summary: str = text('', 'File for what was published and injected, as JSON; empty: none')
