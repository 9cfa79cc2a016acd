# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Offline evaluation against reading the recording alone, as recordings grow.

    python -m benchmarks.evaluate [--short] [--json FILE] [--check]

A generated drive (JPEG frames of 640x360 at 10 Hz, sound of 16 kHz in chunks of 20 ms, velocity at
100 Hz, GNSS and odometry at 10 Hz) is recorded for 6 s, 60 s and 600 s. The floor is rosbags
reading and deserialising every message. Each measurement has a process of its own, for its peak of
memory.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rosbags.rosbag2 import Reader

from benchmarks import machine
from benchmarks.report import Outcome, Target, conclude, parser, table
from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.bags.typestore import recorded_types
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.runtime import Bundle
from mm_fusion.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DRIVE_S = 6
LENGTHS, SHORT_LENGTHS = (1, 10, 100), (1, 5)
GROWTH_TARGET, MEMORY_TARGET = 1.2, 1.5
_SECOND_NS = 1_000_000_000
_START_NS = 1_700_000_000 * _SECOND_NS
_SIZE = (360, 640)
_SPEED_MPS, _YAW_RATE_RPS = 10.0, 0.05
_EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process, its start left out.

    Attributes:
        wall_s: Time that passed.
        cpu_s: CPU time of all threads.
        peak_mib: Highest resident memory, its start included.
        messages: Messages of the recording.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    messages: int


class Drive:
    """Messages of a drive on a circle.

    Args:
        types: Message classes by name.
    """

    def __init__(self, types: Any) -> None:
        self._types = types
        random = np.random.default_rng(0)
        noise = random.integers(0, 256, (*_SIZE, 3), np.uint8)
        self._jpeg = np.asarray(cv2.imencode('.jpg', cv2.GaussianBlur(noise, (9, 9), 3))[1])
        self._sound = random.integers(-3000, 3000, 320).astype('<i2').view(np.uint8)

    def messages(self, seconds: int) -> Iterator[tuple[str, Any, int]]:
        """Yield topic, message and log time, tick by tick of 10 ms."""
        for tick in range(100 * seconds):
            stamp_ns = _START_NS + tick * 10_000_000
            yield '/velocity', self._velocity(stamp_ns), stamp_ns
            if tick % 2 == 0:
                yield '/audio', self._audio(stamp_ns - 20_000_000), stamp_ns
            if tick % 10 == 0:
                yield '/fix', self._fix(stamp_ns), stamp_ns
                yield '/odometry', self._odometry(stamp_ns), stamp_ns
                yield '/image/compressed', self._image(stamp_ns), stamp_ns

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        sec, nanosec = divmod(stamp_ns, _SECOND_NS)
        stamp = self._types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
        return self._types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)

    def _vector(self, x: float = 0.0, z: float = 0.0) -> Any:
        return self._types['geometry_msgs/msg/Vector3'](x=x, y=0.0, z=z)

    def _twist(self) -> Any:
        return self._types['geometry_msgs/msg/Twist'](
            linear=self._vector(x=_SPEED_MPS), angular=self._vector(z=_YAW_RATE_RPS)
        )

    def _velocity(self, stamp_ns: int) -> Any:
        return self._types['geometry_msgs/msg/TwistStamped'](
            header=self._header(stamp_ns, 'base_link'), twist=self._twist()
        )

    def _audio(self, stamp_ns: int) -> Any:
        return self._types['mm_fusion_msgs/msg/AudioStamped'](
            header=self._header(stamp_ns, 'microphone'),
            sample_rate=16_000,
            channels=1,
            sample_format='S16LE',
            data=self._sound,
        )

    def _image(self, stamp_ns: int) -> Any:
        return self._types['sensor_msgs/msg/CompressedImage'](
            header=self._header(stamp_ns, 'camera'), format='jpeg', data=self._jpeg
        )

    def _fix(self, stamp_ns: int) -> Any:
        east, north, _ = place(stamp_ns)
        return self._types['sensor_msgs/msg/NavSatFix'](
            header=self._header(stamp_ns, 'gnss'),
            status=self._types['sensor_msgs/msg/NavSatStatus'](status=0, service=1),
            latitude=48.0 + math.degrees(north / _EARTH_M),
            longitude=11.0 + math.degrees(east / _EARTH_M / math.cos(math.radians(48.0))),
            altitude=500.0,
            position_covariance=(4.0 * np.eye(3)).ravel(),
            position_covariance_type=2,
        )

    def _odometry(self, stamp_ns: int) -> Any:
        east, north, heading = place(stamp_ns)
        pose = self._types['geometry_msgs/msg/Pose'](
            position=self._types['geometry_msgs/msg/Point'](x=east, y=north, z=0.0),
            orientation=self._types['geometry_msgs/msg/Quaternion'](
                x=0.0, y=0.0, z=math.sin(heading / 2), w=math.cos(heading / 2)
            ),
        )
        return self._types['nav_msgs/msg/Odometry'](
            header=self._header(stamp_ns, 'map'),
            child_frame_id='base_link',
            pose=self._types['geometry_msgs/msg/PoseWithCovariance'](pose, np.zeros(36)),
            twist=self._types['geometry_msgs/msg/TwistWithCovariance'](
                self._twist(), np.zeros(36)
            ),
        )


def place(stamp_ns: int) -> tuple[float, float, float]:
    """Give east (m), north (m) and heading (rad) on the circle."""
    heading = _YAW_RATE_RPS * (stamp_ns - _START_NS) / _SECOND_NS
    radius = _SPEED_MPS / _YAW_RATE_RPS
    return radius * math.sin(heading), radius * (1.0 - math.cos(heading)), heading


def record(path: Path, seconds: int) -> Path:
    """Write a recording of a drive of some length."""
    with BagWriter(path) as bag:
        for topic, message, stamp_ns in Drive(bag.types).messages(seconds):
            bag.write(topic, message, stamp_ns)
    return path


def decode(path: Path) -> int:
    """Read and deserialise every message with rosbags, and return their number."""
    count = 0
    with Reader(path) as reader:
        store = recorded_types(reader.connections)
        for connection, _, data in reader.messages():
            store.deserialize_cdr(data, connection.msgtype)
            count += 1
    return count


def evaluate(path: Path) -> int:
    """Evaluate as ``mm_fusion evaluate`` does, and return the number of messages."""
    evaluate_bag(path, Bundle.load('base'), Settings())
    with RawBag(path) as bag:
        return sum(bag.counts.values())


WORK = {'decode': decode, 'evaluate': evaluate}


def cost(what: str, path: Path) -> Cost:
    """Do one thing in this process."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    messages = WORK[what](path)
    return Cost(
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        messages=messages,
    )


def in_process(what: str, path: Path) -> Cost:
    """Do one thing in a process of its own."""
    command = [sys.executable, '-m', 'benchmarks.evaluate', '--one', what, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Cost(**json.loads(done.stdout))


def outcome(costs: dict[int, dict[str, Cost]]) -> Outcome:
    """Put the figures into words.

    Args:
        costs: By length in drives, rising, then by what was done.
    """
    rows = []
    for length, found in costs.items():
        floor, full = found['decode'], found['evaluate']
        rows.append(
            (
                f'{length * DRIVE_S} s, {floor.messages:,} messages',
                f'{floor.cpu_s:.2f} s',
                f'{full.cpu_s:.1f} s',
                f'{full.wall_s:.1f} s',
                f'{full.cpu_s / floor.cpu_s:.0f}',
                f'{1e3 * full.cpu_s / full.messages:.2f} ms',
                f'{floor.peak_mib:.0f}, {full.peak_mib:.0f} MiB',
            )
        )
    header = (
        'recording',
        'decoding, CPU',
        'evaluation, CPU',
        'wall clock',
        'evaluation by decoding',
        'CPU a message',
        'peak memory: decoding, evaluation',
    )
    second, last = list(costs.values())[-2:]
    each = [found['evaluate'].cpu_s / found['evaluate'].messages for found in (second, last)]
    memory = last['evaluate'].peak_mib / second['evaluate'].peak_mib
    targets = [
        Target('CPU a message, longest by second longest', each[1] / each[0], GROWTH_TARGET),
        Target('peak memory, longest by second longest', memory, MEMORY_TARGET),
    ]
    figures = {
        str(length): {what: asdict(found) for what, found in by.items()}
        for length, by in costs.items()
    }
    return Outcome('Offline evaluation', table(header, rows), figures, targets)


def measure(lengths: Sequence[int]) -> dict[int, dict[str, Cost]]:
    """Record each length, and do everything with it."""
    costs = {}
    for length in lengths:
        with tempfile.TemporaryDirectory() as folder:
            path = record(Path(folder, 'drive'), length * DRIVE_S)
            costs[length] = {what: in_process(what, path) for what in WORK}
    return costs


def main() -> int:
    """Measure and report; or, in a process of its own, do one thing."""
    options = parser(__doc__)
    options.add_argument('--one', nargs=2, metavar=('WHAT', 'BAG'), help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.one is not None:
        what, path = arguments.one
        print(json.dumps(asdict(cost(what, Path(path)))))
        return 0
    on = machine.describe()
    costs = measure(SHORT_LENGTHS if arguments.short else LENGTHS)
    return conclude(outcome(costs), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
