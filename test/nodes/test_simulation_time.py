# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulation time over real DDS: /clock silent, running, and jumping back as in a looped bag."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from mm_fusion_msgs.msg import FusionStatus

from support.ros_graph import TICK_S, Car, Graph

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

START_NS = 1_600_000_000 * 10**9
TICKS = 60


def simulated(graph: Graph, bundle: Path) -> Car:
    """Give a car that lives in simulation time, and is heard by an active fusion node."""
    node = graph.fusion(
        {
            'inference.bundle': str(bundle),
            'node.status_rate_hz': 20.0,
            'use_sim_time': True,
        }
    )
    node.start()
    car = Car(graph, simulated=True)
    graph.until(car.connected, 'subscriptions')
    return car


def test_before_the_first_clock_messages_are_counted_and_the_reason_is_given(
    graph: Graph, bundle: Path
) -> None:
    car = simulated(graph, bundle)
    graph.until(lambda: car.status, 'a status')
    assert car.status[-1].level == FusionStatus.NONE
    assert car.status[-1].level_reason == (
        'use_sim_time is set and nothing is published on /clock'
    )
    car.outlets['velocity'].publish(car.message('velocity', START_NS))
    graph.until(lambda: before_clock(car) == 1, 'the count')
    assert not car.trajectories

    car.drive(START_NS)
    graph.until(lambda: car.status[-1].level == FusionStatus.FULL, 'FULL')
    graph.until(lambda: car.roads and car.trajectories, 'predictions')
    stamp = car.roads[-1].header.stamp
    assert 0 <= stamp.sec * 10**9 + stamp.nanosec - START_NS < 3600 * 10**9


def has_roads(car: Car, count: int) -> bool:
    """Tell whether so many road states have come."""
    return len(car.roads) >= count


def before_clock(car: Car) -> int:
    """Give the number of messages before /clock that diagnostics tell."""
    diagnostic = car.diagnostic('fusion')
    if diagnostic is None:
        return 0
    values = {item.key: item.value for item in diagnostic.values}
    return int(values['messages before /clock'])


def test_a_looped_bag_gives_as_much_in_the_second_loop_as_in_the_first(
    graph: Graph, bundle: Path
) -> None:
    car = simulated(graph, bundle)
    outputs = []
    for loop in range(2):
        car.now_ns = START_NS
        car.roads.clear()
        for tick in range(TICKS):
            car.tick()
            if tick:
                # The frame of the tick before is complete once this tick's messages are in.
                graph.until(partial(has_roads, car, tick), f'road state {tick} of loop {loop}')
        outputs.append(len(car.roads))
    assert outputs[0] >= TICKS - 1
    assert abs(outputs[1] - outputs[0]) <= 1
    graph.until(lambda: car.status[-1].clock_resets == 1, 'the reset in the status')


def test_time_that_stands_still_needs_no_clock_message_to_go_on(
    graph: Graph, bundle: Path
) -> None:
    car = simulated(graph, bundle)
    car.now_ns = START_NS
    for tick in range(5):
        car.tick()
        graph.until(partial(has_roads, car, tick), f'road state {tick}')
    count = len(car.status)
    graph.until(lambda: len(car.status) > count + 5, 'status while time stands still')
    roads = len(car.roads)
    car.tick()
    graph.until(lambda: len(car.roads) > roads, 'a road state when time goes on')
    stamps = [road.header.stamp.sec * 10**9 + road.header.stamp.nanosec for road in car.roads]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] - stamps[0] <= 6 * TICK_S * 1e9
