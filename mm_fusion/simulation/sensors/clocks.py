# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The clock of a sensor, and the way of its messages to the receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from mm_fusion.simulation.scenario import Timing

_NS = 1e9


def instants(rate_hz: float, end_ns: int) -> Iterator[int]:
    """Give the times of measurements at a rate, from the start of the drive to its end, ns."""
    index = 0
    while (stamp_ns := START_NS + round(index * _NS / rate_hz)) <= end_ns:
        yield stamp_ns
        index += 1


class Clock:
    """Stamps the measurements of one sensor and says when they arrive.

    A stamp is the true time plus an offset that grows linearly, plus a Gaussian deviation; stamps
    increase strictly. A message arrives a constant latency and an exponential addition after the
    measurement is done; none overtakes another of the same sensor.

    Args:
        timing: Offset, drift, jitter and latencies.
        rng: Of this sensor alone.
    """

    def __init__(self, timing: Timing, rng: np.random.Generator) -> None:
        self._timing = timing
        self._rng = rng
        self._last_stamp_ns = 0
        self._last_arrival_ns = 0

    def time(self, true_ns: int, ready_ns: int) -> tuple[int, int]:
        """Give the stamp and the time of arrival of the next measurement, ns.

        Args:
            true_ns: Time that the stamp stands for.
            ready_ns: Time at which the measurement is done; no earlier than that before.
        """
        timing = self._timing
        offset_s = timing.clock_offset_s + timing.clock_drift_ppm * (true_ns - START_NS) * 1e-15
        jitter_s = timing.stamp_jitter_s * self._rng.standard_normal()
        latency_s = timing.latency_s + timing.latency_jitter_s * self._rng.standard_exponential()
        stamp_ns = true_ns + round((offset_s + jitter_s) * _NS)
        self._last_stamp_ns = max(stamp_ns, self._last_stamp_ns + 1)
        arrival_ns = ready_ns + round(latency_s * _NS)
        self._last_arrival_ns = max(arrival_ns, self._last_arrival_ns + 1)
        return self._last_stamp_ns, self._last_arrival_ns
