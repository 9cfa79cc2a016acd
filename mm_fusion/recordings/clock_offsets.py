# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the stamps of two sensors are apart, from what both of them saw of the same motion.

The motion that one sensor saw is compared with that of the vehicle's velocity, which is moved in
time until both agree best: the distance between two positions with the integral of the speed, the
change of course with that of the yaw rate, and so is the sideward motion of the image.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array: TypeAlias = NDArray[np.float64]

SPAN_S = 2.0
"""Offsets are looked for up to this."""

_STEP_S = 0.02
_WINDOWS_S = (1.0, 2.0, 4.0)
"""Positions are compared over these: long ones hide the noise, short ones keep the motion."""

_MIN_CHORD_M = 2.0
"""A course needs so much way."""

_LEVER_ARM_M = 1.5
"""Deviation of where an antenna stands, ahead of the rear axle."""

_MIN_SAMPLES = 20
_BLOCKS = 8
_MIN_CORRELATION = 0.6
_MAX_STD_S = 0.2


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """What the data say of two clocks.

    Attributes:
        sensor: Whose stamps are compared.
        reference: With whose.
        method: What of the motion was compared.
        offset_s: How much later the sensor stamps the same moment; None where it cannot be told.
        std_s: Deviation of it, from the residuals.
        correlation: Of both motions, at this offset.
        problem: Why it cannot be told; empty where it can.
    """

    sensor: str
    reference: str
    method: str
    offset_s: float | None = None
    std_s: float | None = None
    correlation: float | None = None
    problem: str = ''


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Speed and yaw rate as one sensor saw them.

    Attributes:
        times_s: float64 (n,), increasing.
        speeds_mps: float64 (n,).
        yaw_rates_rps: float64 (n,); None where the sensor has none.
    """

    times_s: Array
    speeds_mps: Array
    yaw_rates_rps: Array | None

    def speed(self, begin_s: Array, end_s: Array) -> Array:
        """Way between the ends of intervals by their length: float64 (m,), m/s.

        NaN outside of what was seen. In a turn that way is shorter than the one that is driven.
        """
        heading = _integral(self.times_s, self._yaw_rates)
        path = [
            _integral(self.times_s, self.speeds_mps * part(heading)) for part in (np.cos, np.sin)
        ]
        east_m, north_m = (self._at(end_s, way) - self._at(begin_s, way) for way in path)
        return np.asarray(np.hypot(east_m, north_m) / (end_s - begin_s))

    def turn(self, begin_s: Array, end_s: Array) -> Array:
        """Mean yaw rate over intervals: float64 (m,), NaN outside of what was seen."""
        heading = _integral(self.times_s, self._yaw_rates)
        return (self._at(end_s, heading) - self._at(begin_s, heading)) / (end_s - begin_s)

    def course_change(self, begin_s: Array, middle_s: Array, end_s: Array) -> Array:
        """Mean heading over the second intervals minus that over the first: float64 (m,)."""
        area = _integral(self.times_s, _integral(self.times_s, self._yaw_rates))
        first = (self._at(middle_s, area) - self._at(begin_s, area)) / (middle_s - begin_s)
        return (self._at(end_s, area) - self._at(middle_s, area)) / (end_s - middle_s) - first

    @property
    def _yaw_rates(self) -> Array:
        return np.zeros_like(self.times_s) if self.yaw_rates_rps is None else self.yaw_rates_rps

    def _at(self, times_s: Array, values: Array) -> Array:
        return np.interp(times_s, self.times_s, values, left=math.nan, right=math.nan)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two motions to be laid over each other.

    Attributes:
        method: What of the motion is compared.
        seen: float64 (n,), as the sensor saw it.
        expected: Gives the same as the reference has it, moved by an offset.
        bias_s: Deviation of what shifts the comparison without being a clock's.
    """

    method: str
    seen: Array
    expected: Callable[[float], Array]
    bias_s: float = 0.0


def way_comparisons(times_s: Array, places_m: Array, motion: Motion) -> list[Comparison]:
    """Compare the way between positions with a motion, over several windows.

    Args:
        times_s: float64 (n,), increasing.
        places_m: float64 (n, 2), east and north.
        motion: That of the reference.
    """
    found = []
    # Without a yaw rate nobody knows how much shorter a chord is than the way.
    windows = (
        _window_steps(times_s) if motion.yaw_rates_rps is not None else _window_steps(times_s)[:1]
    )
    for step in windows:
        begins = _runs(times_s, step)
        chords = np.linalg.norm(places_m[begins + step] - places_m[begins], axis=1)
        begin_s, end_s = times_s[begins], times_s[begins + step]
        expected = functools.partial(_moved, motion.speed, (begin_s, end_s))
        found.append(Comparison('speed', chords / (end_s - begin_s), expected))
    return found


def course_comparisons(times_s: Array, places_m: Array, motion: Motion) -> list[Comparison]:
    """Compare how the course between positions changes with a motion that has a yaw rate.

    Args:
        times_s: float64 (n,), increasing.
        places_m: float64 (n, 2), east and north.
        motion: That of the reference.
    """
    found = []
    for step in _window_steps(times_s):
        begins = _runs(times_s, 2 * step)
        before = places_m[begins + step] - places_m[begins]
        after = places_m[begins + 2 * step] - places_m[begins + step]
        ways = np.minimum(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
        far = ways >= _MIN_CHORD_M
        begins, before, after = begins[far], before[far], after[far]
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        change = np.arctan2(cross, (before * after).sum(axis=1))
        at = tuple(times_s[begins + part * step] for part in range(3))
        expected = functools.partial(_moved, motion.course_change, at)
        # An antenna ahead of the rear axle turns into a corner before the vehicle does.
        speeds = ways[far] / (at[1] - at[0])
        bias_s = _LEVER_ARM_M / float(np.median(speeds)) if speeds.size else 0.0
        found.append(Comparison('yaw rate', change, expected, bias_s))
    return found


def turn_comparison(begin_s: Array, end_s: Array, turns: Array, motion: Motion) -> Comparison:
    """Compare what is like a yaw rate, up to a factor, with that of a motion."""
    expected = functools.partial(_moved, motion.turn, (begin_s, end_s))
    return Comparison('image motion', turns, expected)


def clock_offset(
    sensor: str, reference: str, comparisons: Sequence[Comparison]
) -> ClockOffset | None:
    """Move the reference until both motions agree best; take the comparison that tells it best.

    Returns:
        The offset; without one, and with the reason, where the motion is too little or too even,
        or both do not agree. None where there is nothing to compare.
    """
    found = [_offset(sensor, reference, comparison) for comparison in comparisons]
    told = [offset for offset in found if offset.std_s is not None]
    if told:
        return min(told, key=lambda offset: offset.std_s or math.inf)
    return max(found, key=lambda offset: offset.correlation or -math.inf, default=None)


def _offset(sensor: str, reference: str, comparison: Comparison) -> ClockOffset:
    def untold(problem: str, correlation: float | None = None) -> ClockOffset:
        return ClockOffset(
            sensor, reference, comparison.method, correlation=correlation, problem=problem
        )

    taus: Array = np.arange(-SPAN_S, SPAN_S + _STEP_S / 2, _STEP_S, dtype=np.float64)
    moved = np.stack([comparison.expected(float(tau)) for tau in taus])
    common = np.isfinite(moved).all(axis=0) & np.isfinite(comparison.seen)
    if np.count_nonzero(common) < _MIN_SAMPLES:
        return untold('too little motion in common')
    seen, moved = comparison.seen[common], moved[:, common]
    if min(float(np.std(seen)), float(np.std(moved, axis=1).min())) < 1e-9:
        return untold('the motion does not change')
    tau_s, peak = _best(taus, _correlations(seen, moved))
    if tau_s is None:
        return untold(f'no best offset within {SPAN_S:g} s', peak)
    if peak < _MIN_CORRELATION:
        return untold('both do not agree', peak)
    std_s = math.hypot(_deviation(taus, seen, moved), comparison.bias_s, _STEP_S / 2)
    if std_s > _MAX_STD_S:
        return untold(f'good to {std_s:.1g} s only', peak)
    # What the sensor stamps t, the reference stamps t + tau.
    return ClockOffset(sensor, reference, comparison.method, -tau_s, std_s, peak)


def _best(taus: Array, correlations: Array) -> tuple[float | None, float]:
    """Give where the correlation is highest, and how high; None at the end of the span."""
    best = int(np.argmax(correlations))
    peak = float(correlations[best])
    if best in (0, taus.size - 1):
        return None, peak
    left, middle, right = correlations[best - 1 : best + 2].tolist()
    bend = left - 2 * middle + right
    vertex = 0.5 * (left - right) / bend if bend else 0.0
    return float(taus[best]) + _STEP_S * vertex, peak


def _correlations(seen: Array, moved: Array) -> Array:
    """Correlate each row of (k, n) with (n,): float64 (k,)."""
    centred, rows = seen - seen.mean(), moved - moved.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(rows, axis=1) * np.linalg.norm(centred)
    return np.asarray(rows @ centred / np.maximum(scale, 1e-12))


def _deviation(taus: Array, seen: Array, moved: Array) -> float:
    """Deviation of the best offset, by how it changes as one part of the samples is left out.

    Errors of positions stick together for long, which formulas for independent ones take for
    certainty. Kuensch, 1989, "The Jackknife and the Bootstrap for General Stationary
    Observations".
    """
    found = []
    for block in np.array_split(np.arange(seen.size), _BLOCKS):
        rest = np.delete(moved, block, axis=1)
        tau_s, _ = _best(taus, _correlations(np.delete(seen, block), rest))
        if tau_s is None:
            return math.inf
        found.append(tau_s)
    return math.sqrt((_BLOCKS - 1) * float(np.var(found)))


def _moved(measure: Callable[..., Array], times_s: tuple[Array, ...], tau_s: float) -> Array:
    return measure(*(times + tau_s for times in times_s))


def _window_steps(times_s: Array) -> list[int]:
    """Give the windows in samples."""
    if times_s.size < _MIN_SAMPLES:
        return []
    interval_s = float(np.median(np.diff(times_s)))
    return sorted({max(1, round(window_s / interval_s)) for window_s in _WINDOWS_S})


def _runs(times_s: Array, step: int) -> NDArray[np.intp]:
    """List where an interval of so many samples begins that has no gap."""
    begins = np.arange(max(times_s.size - step, 0))
    longest_s = 1.5 * step * float(np.median(np.diff(times_s)))
    return np.asarray(begins[times_s[begins + step] - times_s[begins] <= longest_s])


def _integral(times_s: Array, values: Array) -> Array:
    steps = np.diff(times_s) * (values[1:] + values[:-1]) / 2
    return np.concatenate([[0.0], np.cumsum(steps)])
