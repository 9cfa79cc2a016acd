# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost of the ego-state filter and of a prediction.

    python -m benchmarks.geometry [--seconds 120] [--short] [--json FILE] [--check]

Velocity at 80 Hz and GNSS at 10 Hz, as in a car; a state and a path over 6 s at 10 Hz.
"""

from __future__ import annotations

import math
import time

import numpy as np

from benchmarks import machine
from benchmarks.report import Outcome, Target, conclude, parser, table
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


def outcome(result: dict[str, float]) -> Outcome:
    """Put the figures into words."""
    names = {
        'velocity': 'velocity sample (80 Hz)',
        'gnss': 'GNSS sample (10 Hz)',
        'state': 'state at an instant',
        'path': 'path of 12 points with covariance',
    }
    rows = [(name, f'{result[key]:.0f} µs') for key, name in names.items()]
    adds = (80 * result['velocity'] + 10 * result['gnss']) / 90
    targets = [
        Target('mean cost of a sample', adds, ADD_LIMIT_US, 'µs'),
        Target('cost of a path', result['path'], PREDICT_LIMIT_US, 'µs'),
    ]
    return Outcome('Ego-state filter', table(('', 'CPU time'), rows), dict(result), targets)


def main() -> int:
    """Run and report."""
    options = parser(__doc__)
    options.add_argument('--seconds', type=float, help='simulated time')
    arguments = options.parse_args()
    seconds = arguments.seconds or (20.0 if arguments.short else 120.0)
    on = machine.describe()
    return conclude(outcome(run(seconds)), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
