# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A drive of half a second whose samples are made up: no world, no renderer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.faults import FaultLedger
from mm_fusion.simulation.samples import CameraFrame, Delivery, DriveTruth, SoundBlock
from mm_fusion.simulation.scenario import CameraSettings, MicrophoneSettings, Scenario
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import GnssFix, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STEP_NS = 50_000_000
STEPS = 10
LATENCY_NS = 7_000_000
WIDTH, HEIGHT = 64, 36
RATE_HZ = 8_000


def scenario(channels: int = 2) -> Scenario:
    """Give the scenario that the made drive claims to be of."""
    return Scenario(
        name='made',
        duration_s=STEPS * STEP_NS * 1e-9,
        camera=CameraSettings(width=WIDTH, height=HEIGHT, rate_hz=20.0),
        microphone=MicrophoneSettings(sample_rate_hz=RATE_HZ, channels=channels),
    )


def pixels(step: int) -> NDArray[np.uint8]:
    """Give the picture of a step: smooth, so that JPEG keeps it, with red, green, blue apart."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.stack([3 * column, 5 * row, np.full_like(row, 10 * step)], axis=-1)
    return picture.astype(np.uint8)


def sound(step: int, channels: int = 2) -> NDArray[np.int16]:
    """Give the sound of a step: a ramp, its negative on the right."""
    ramp = np.arange(RATE_HZ * STEP_NS // 10**9, dtype=np.int16) + 100 * np.int16(step)
    return np.stack([ramp, -ramp][:channels], axis=1)


@dataclass(frozen=True)
class FakeDrive:
    """A drive by hand.

    Attributes:
        scenario: What it claims to be made from.
        corrupt: Whether every message of a sensor is to be damaged.
        fails_at: Step at which the drive breaks off with an error.
        injected: Counts every message as hit by ``corrupts`` where they are damaged.
    """

    scenario: Scenario = field(default_factory=scenario)
    corrupt: bool = False
    fails_at: int | None = None
    injected: FaultLedger = field(default_factory=FaultLedger)

    def deliveries(self) -> Iterator[Delivery]:
        """Yield one sample of each sensor at each step."""
        for step in range(STEPS):
            if step == self.fails_at:
                raise OSError('the drive breaks off')
            stamp = START_NS + step * STEP_NS
            came = stamp + LATENCY_NS
            channels = self.scenario.microphone.channels
            block = SoundBlock(stamp - STEP_NS, came, RATE_HZ, sound(step, channels))
            fix = GnssFix(stamp, came, 'gnss_antenna', 48.0, 11.0, 520.0, 4.0 * np.eye(2))
            for sensor, sample in (
                # Without latency, so that it arrives together with the truth of its time.
                ('velocity', VelocitySample(stamp, stamp, 10.0 + step, 0.0, 0.1)),
                ('camera', CameraFrame(stamp, came, pixels(step))),
                ('microphone', block),
                ('gnss', fix),
            ):
                self.injected.measure(sensor)
                self.injected.publish(sensor, ('corrupts',) if self.corrupt else ())
                yield Delivery(sensor, sample, self.corrupt)

    def truths(self, rate_hz: float = 20.0) -> Iterator[DriveTruth]:
        """Yield the truth at each step; the last one without a future."""
        assert rate_hz == 20.0
        for step in range(STEPS):
            stamp = START_NS + step * STEP_NS
            future = np.arange(1.0, 13.0)
            path = np.stack([5 * future, future, 0.1 * future], axis=1)
            yield DriveTruth(
                stamp_ns=stamp,
                received_ns=stamp,
                motion=np.array([step, 2.0, 0.5, 10.0, 0.0, 0.1, step]),
                friction=1,
                material=2,
                unevenness=0,
                friction_coefficient=0.65,
                siren=step % 2 == 1,
                siren_places=np.array([[10.0, 3.0], [-20.0, 0.0]])[: step % 2 * 2],
                path=None if step == STEPS - 1 else path,
            )
