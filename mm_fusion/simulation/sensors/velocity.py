# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Speed from the wheels and yaw rate from a gyroscope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.sensors.clocks import instants
from mm_fusion.simulation.world import Motion
from mm_fusion.types.sensors import VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.simulation.world import World


STANDSTILL_MPS = 0.05
"""Below this speed a wheel encoder counts no teeth."""


def velocities(world: World) -> Iterator[VelocitySample]:
    """Measure speed and yaw rate at the sensor's rate.

    The speed is scaled, disturbed and then rounded to its step, as a wheel encoder's is on the
    bus; a wheel that stands measures exactly 0. The variances are those of noise and
    rounding; the scale error and the bias are not known to the sensor. base_link is at the rear
    axle, which does not slide.

    Yields:
        Samples with true stamps; they arrive at once.
    """
    settings = world.scenario.velocity
    rng = generator(world.scenario.seed, 'velocity')
    step_mps = settings.quantisation_mps
    speed_variance = settings.speed_std_mps**2 + step_mps**2 / 12
    for stamp_ns in instants(settings.rate_hz, world.end_ns):
        state = world.state_at(world.ego, stamp_ns)
        speed_noise, yaw_noise = rng.standard_normal(2)
        speed = 0.0
        if abs(state[Motion.SPEED]) >= STANDSTILL_MPS:
            speed = (
                state[Motion.SPEED] * (1 + settings.scale_error)
                + settings.speed_std_mps * speed_noise
            )
        if step_mps:
            speed = round(speed / step_mps) * step_mps
        yaw_rate = state[Motion.YAW_RATE] + settings.yaw_rate_bias_rps
        yield VelocitySample(
            stamp_ns,
            stamp_ns,
            speed_mps=float(speed),
            yaw_rate_rps=float(yaw_rate + settings.yaw_rate_std_rps * yaw_noise),
            speed_variance=speed_variance or None,
            yaw_rate_variance=settings.yaw_rate_std_rps**2 or None,
        )
