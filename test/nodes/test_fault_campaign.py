# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults over real DDS: the node goes on, says so, recovers, and accounts for every message."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus

from support.ros_graph import Car, Graph, activated, to_time

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

BURST = 1000
MODALITIES = {'image': 'camera', 'audio': 'microphone', 'fix': 'gnss', 'velocity': 'velocity'}

Change: TypeAlias = Callable[[list[Any]], list[Any]]
"""Takes what a sensor has measured under its fault; gives what it sends for the last of it."""


def nothing(messages: list[Any]) -> list[Any]:
    """Die."""
    return []


def the_first_again(messages: list[Any]) -> list[Any]:
    """Freeze under fresh stamps."""
    messages[-1].data = messages[0].data
    return messages[-1:]


def not_a_number(messages: list[Any]) -> list[Any]:
    """Measure NaN and infinity in turn."""
    messages[-1].twist.linear.x = math.nan if len(messages) % 2 else math.inf
    return messages[-1:]


def moved(message: Any, by_ns: int) -> Any:
    """Copy a message under another stamp."""
    copy, stamp = deepcopy(message), message.header.stamp
    copy.header.stamp = to_time(stamp.sec * 10**9 + stamp.nanosec + by_ns)
    return copy


def five_seconds_back(messages: list[Any]) -> list[Any]:
    """Set the clock of the sensor back."""
    return [moved(messages[-1], -5 * 10**9)]


def a_thousand_more(messages: list[Any]) -> list[Any]:
    """Send a burst at first."""
    count = BURST if len(messages) == 1 else 0
    return [messages[-1], *(moved(messages[-1], step) for step in range(1, count + 1))]


@dataclass(frozen=True)
class Fault:
    """A fault of one sensor.

    Attributes:
        role: Topic of the sensor.
        change: What it does.
        cause: What the status must give as the cause; None where the sensor must go on.
        state: State that the sensor must show meanwhile.
        counts_all: Whether each message that is hit must be counted under the cause.
    """

    role: str
    change: Change
    cause: str | None = ''
    state: int = ModalityStatus.STALE
    counts_all: bool = False


FAULTS = {
    'camera dies': Fault('image', nothing),
    'camera freezes': Fault('image', the_first_again, 'frozen'),
    'velocity is NaN': Fault('velocity', not_a_number, 'not_finite', counts_all=True),
    'clock of velocity goes back': Fault('velocity', five_seconds_back, 'clock_jump'),
    'burst of frames': Fault('image', a_thousand_more, None, ModalityStatus.PRESENT),
    'burst of velocities': Fault('velocity', a_thousand_more, None, ModalityStatus.PRESENT),
}


class FaultyCar(Car):
    """A car whose sensors fail as told, and that counts what it sends.

    Attributes:
        fault: At work; None where there is none.
        sent: Messages by role.
        hit: Messages that the fault has hit.
        quiet: Whether nothing is sent any more.
    """

    def __init__(self, graph: Graph) -> None:
        self.fault: Fault | None = None
        self.sent: Counter[str] = Counter()
        self.hit: list[Any] = []
        self.quiet = False
        super().__init__(graph)

    def publish(self, role: str, message: Any) -> None:
        """Publish what becomes of a message."""
        messages = [message]
        if self.fault is not None and self.fault.role == role:
            self.hit.append(message)
            messages = self.fault.change(self.hit)
        for each in [] if self.quiet else messages:
            self.outlets[role].publish(each)
            self.sent[role] += 1

    def shows(self, fault: Fault) -> bool:
        """Tell whether the status says what it must of a fault."""
        status = self.modality(MODALITIES[fault.role])
        return (
            status is not None
            and len(self.hit) > 3
            and status.state == fault.state
            and fault.cause in (None, status.cause)
        )

    def accounts(self) -> dict[str, tuple[int, int]]:
        """Give what was sent, and what the node knows to have come or to be lost, by role."""
        found = {}
        for role, name in MODALITIES.items():
            status, diagnostic = self.modality(name), self.diagnostic(name)
            assert status is not None
            assert diagnostic is not None
            assert status.dropped == sum(status.drop_counts)
            values = {item.key: item.value for item in diagnostic.values}
            found[role] = self.sent[role], status.received + int(values['lost in transport'])
        return found


@pytest.mark.parametrize('fault', FAULTS.values(), ids=FAULTS)
def test_the_node_bears_a_fault_and_accounts_for_every_message(
    graph: Graph, bundle: Path, fault: Fault
) -> None:
    activated(graph, bundle)
    car = FaultyCar(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.status and car.status[-1].level == FusionStatus.FULL, 'FULL')

    car.fault = fault
    graph.until(lambda: car.shows(fault), 'the fault in the status')
    said, roads = len(car.status), len(car.roads)
    graph.until(lambda: len(car.roads) > roads + 2, 'road states under the fault')

    car.fault = None
    graph.until(
        lambda: len(car.status) > said and car.status[-1].level == FusionStatus.FULL, 'recovery'
    )
    roads, paths = len(car.roads), len(car.trajectories)
    graph.until(lambda: len(car.roads) > roads + 2, 'road states afterwards')
    graph.until(lambda: len(car.trajectories) > paths + 2, 'trajectories afterwards')

    car.quiet = True
    graph.holds(lambda: all(sent == known for sent, known in car.accounts().values()), 10.0)
    assert all(sent == known for sent, known in car.accounts().values()), car.accounts()
    if fault.counts_all:
        assert fault.cause
        assert car.dropped(MODALITIES[fault.role], fault.cause) == len(car.hit)
    assert_finite(car)


def assert_finite(car: Car) -> None:
    """Check every number that was published."""
    for road in car.roads:
        for shares in (
            road.friction_probabilities,
            road.material_probabilities,
            road.unevenness_probabilities,
            [road.siren_probability, road.friction_coefficient_mean],
        ):
            assert np.isfinite(shares).all()
    for trajectory in car.trajectories:
        assert math.isfinite(trajectory.speed)
        for mode in trajectory.modes:
            assert np.isfinite([*mode.covariances, *mode.headings, mode.probability]).all()
            assert np.isfinite([(point.x, point.y) for point in mode.positions]).all()
    for path in car.paths:
        for stamped in path.poses:
            assert np.isfinite([stamped.pose.position.x, stamped.pose.position.y]).all()
