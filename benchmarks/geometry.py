# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost of the ego-state filter and of a prediction.

    python -m benchmarks.geometry [--seconds 120] [--check]

Velocity at 80 Hz and GNSS at 10 Hz, as in a car; a state and a path over 6 s at 10 Hz.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

from mm_fusion.geometry.ego_filter import EgoStateFilter, predict_path
from mm_fusion.types.sensors import GnssFix, VelocitySample

ADD_LIMIT_US = 60.0
PREDICT_LIMIT_US = 1000.0

_START_NS = 1_700_000_000_000_000_000
_TIMES = np.linspace(0.5, 6.0, 12, dtype=np.float64)
_COVARIANCE = 4.0 * np.eye(2)


def velocity(stamp_ns: int, time_s: float) -> VelocitySample:
    """Make the velocity of a car that swerves and brakes a little."""
    speed, turning = 12.0 + math.sin(0.3 * time_s), 0.1 * math.sin(0.2 * time_s)
    return VelocitySample(stamp_ns, stamp_ns, speed, 0.0, turning)


def fix(stamp_ns: int, time_s: float) -> GnssFix:
    """Make a position on its way north."""
    latitude = 48.0 + 12.0 * time_s / 111_200.0
    return GnssFix(stamp_ns, stamp_ns, 'gnss', latitude, 11.0, 500.0, _COVARIANCE)


def run(seconds: float) -> dict[str, float]:
    """Return the mean CPU time of each call, in microseconds."""
    ego = EgoStateFilter()
    spent = {'velocity': 0, 'gnss': 0, 'state': 0, 'path': 0}
    calls = dict.fromkeys(spent, 0)
    for i in range(round(seconds * 80)):
        time_s = i / 80
        stamp_ns = _START_NS + round(time_s * 1e9)
        measured = velocity(stamp_ns, time_s)
        begin = time.thread_time_ns()
        ego.add(measured)
        spent['velocity'] += time.thread_time_ns() - begin
        calls['velocity'] += 1
        if i % 8:
            continue
        position = fix(stamp_ns, time_s)
        begin = time.thread_time_ns()
        ego.add(position)
        added = time.thread_time_ns()
        state = ego.state_at(stamp_ns)
        found = time.thread_time_ns()
        if state is None:
            raise RuntimeError('the filter has velocities and knows no motion')
        predict_path(state, _TIMES)
        done = time.thread_time_ns()
        for name, duration in (
            ('gnss', added - begin),
            ('state', found - added),
            ('path', done - found),
        ):
            spent[name] += duration
            calls[name] += 1
    return {name: spent[name] / calls[name] / 1e3 for name in spent}


def main() -> int:
    """Run, print a table, and check the limits where asked to."""
    parser = argparse.ArgumentParser(description='Cost of the ego-state filter.')
    parser.add_argument('--seconds', type=float, default=120.0, help='simulated time')
    parser.add_argument('--check', action='store_true', help='exit 1 where a limit is missed')
    arguments = parser.parse_args()
    result = run(arguments.seconds)
    for name, cost_us in result.items():
        print(f'{name:10} {cost_us:10.1f} µs')
    adds = (80 * result['velocity'] + 10 * result['gnss']) / 90
    kept = adds <= ADD_LIMIT_US and result['path'] <= PREDICT_LIMIT_US
    print(f'limits: {ADD_LIMIT_US:g} µs a sample, {PREDICT_LIMIT_US:g} µs a path:', end=' ')
    print('kept' if kept else 'missed')
    return int(arguments.check and not kept)


if __name__ == '__main__':
    raise SystemExit(main())
