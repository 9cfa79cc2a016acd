# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives with planned faults through adapters and pipeline, and what must hold of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fault_kinds import LENGTH_S, Planned
from benchmarks.fault_listener import Finding, Listener
from benchmarks.fault_messages import TOPICS, FaultyMessages
from mm_fusion.bags.drive_messages import DriveMessages
from mm_fusion.pipeline import FusionPipeline
from mm_fusion.settings import Settings
from mm_fusion.simulation.drive import SimulatedDrive
from mm_fusion.simulation.scenario import SENSORS, CameraSettings, Fault, Scenario, TrafficSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.bags.drive_messages import DriveMessage
    from mm_fusion.runtime import Backend, Bundle
    from mm_fusion.simulation.samples import Delivery, DriveTruth
    from mm_fusion.simulation.world import World


class WithoutTruth:
    """A drive whose truth nobody asks for."""

    def __init__(self, drive: SimulatedDrive) -> None:
        self._drive = drive
        self.scenario = drive.scenario

    def deliveries(self) -> Iterator[Delivery]:
        """Give what the drive delivers."""
        return self._drive.deliveries()

    def truths(self, rate_hz: float = 20.0) -> Iterator[DriveTruth]:
        """Give nothing."""
        return iter(())


class Campaign:
    """Runs drives with faults.

    Args:
        bundle: A model bundle.
        backend: Runs its stages.
        world: To drive in; None simulates one.
        scenario: Of that world.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: Backend,
        world: World | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self._bundle, self._backend = bundle, backend
        self._scenario = scenario or Scenario(
            seed=3,
            duration_s=LENGTH_S,
            camera=CameraSettings(width=64, height=36),
            traffic=TrafficSettings(),
        )
        self._world = world or SimulatedDrive(self._scenario, scene).world
        self._drives: dict[tuple[Fault, ...], _Drive] = {}
        self._periods_ns = {
            'camera': round(1e9 / self._scenario.camera.rate_hz),
            'microphone': round(1e9 * self._scenario.microphone.chunk_s),
            'gnss': round(1e9 / self._scenario.gnss.rate_hz),
            'velocity': round(1e9 / self._scenario.velocity.rate_hz),
        }

    def run(self, *planned: Planned) -> Finding:
        """Drive with these faults, and check all that must hold."""
        drive = self._drive(tuple(fault for one in planned if (fault := one.fault()) is not None))
        messages = FaultyMessages(drive.messages, planned, self._periods_ns)
        listener = Listener(FusionPipeline(self._bundle, self._backend, Settings()), planned)
        try:
            for arrival in messages:
                listener.receive(arrival)
            listener.finish()
        except Exception as error:  # noqa: BLE001 - that it never happens is what is tested
            listener.finding.problems.append(f'crashed: {error!r}')
            return listener.finding
        sent = {
            sensor: count + messages.added[sensor] for sensor, count in drive.published.items()
        }
        listener.check(sent, messages.damaged)
        return listener.finding

    def _drive(self, faults: tuple[Fault, ...]) -> _Drive:
        """Simulate a drive; one with a single fault or none is kept for the pairs."""
        if faults in self._drives:
            return self._drives[faults]
        simulated = SimulatedDrive(replace(self._scenario, faults=faults), scene, self._world)
        messages = [
            message
            for message in DriveMessages(WithoutTruth(simulated))
            if message.topic in TOPICS
        ]
        counts = {sensor: simulated.injected.of(sensor).published for sensor in SENSORS}
        drive = _Drive(messages, counts)
        if len(faults) <= 1:
            self._drives[faults] = drive
        return drive


@dataclass(frozen=True, eq=False)
class _Drive:
    """What the sensors of a drive sent, in order of arrival, and how many each published."""

    messages: list[DriveMessage]
    published: dict[str, int]


def scene(stamp_ns: int) -> tuple[NDArray[np.uint8], None]:
    """Give a frame that no other equals, in place of a rendered one."""
    blocks = np.random.default_rng(stamp_ns).integers(60, 200, (9, 16, 3), np.uint8)
    return np.kron(blocks, np.ones((4, 4, 1), np.uint8)), None
