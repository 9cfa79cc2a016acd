# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings of a drive on a circle, for the evaluation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from mm_fusion.bags import BagWriter
from support import recordings

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

START_NS = 1_700_000_000_000_000_000
SPEED_MPS, YAW_RATE_RPS = 8.0, 0.1
INPUTS = ('image', 'audio', 'fix', 'velocity', 'odometry')


def write_circle(
    path: Path,
    *,
    inputs: Collection[str] = INPUTS,
    duration_s: float = 12.0,
    storage: Literal['mcap', 'sqlite3'] = 'mcap',
) -> Path:
    """Record a circle at constant speed: frames and sound 5 Hz, fixes 2 Hz, motion 20 Hz."""
    with BagWriter(path, storage) as bag:
        for tick in range(round(duration_s * 20)):
            stamp_ns = START_NS + tick * 50_000_000
            for topic, message in _messages(tick, stamp_ns, inputs):
                bag.write(topic, message, stamp_ns + 2_000_000)
    return path


def write_askew(path: Path, askew_rad: float) -> Path:
    """Record 12 s straight on, with odometry whose headings lie to the left of the travel."""
    with BagWriter(path) as bag:
        for tick in range(240):
            stamp_ns = START_NS + tick * 50_000_000
            for topic, message in (
                ('/velocity', recordings.twist_stamped(SPEED_MPS, 0.0, stamp_ns=stamp_ns)),
                (
                    '/odometry',
                    recordings.odometry(
                        SPEED_MPS * tick / 20, 0.0, askew_rad, SPEED_MPS, stamp_ns=stamp_ns
                    ),
                ),
            ):
                bag.write(topic, message, stamp_ns + 2_000_000)
    return path


def position(time_s: float) -> tuple[float, float, float]:
    """East, north and heading on the circle."""
    heading = YAW_RATE_RPS * time_s
    radius = SPEED_MPS / YAW_RATE_RPS
    return radius * math.sin(heading), radius * (1 - math.cos(heading)), heading


def _messages(tick: int, stamp_ns: int, inputs: Collection[str]) -> list[tuple[str, object]]:
    east, north, heading = position(tick / 20)
    found: list[tuple[str, object]] = []
    if 'velocity' in inputs:
        message = recordings.twist_stamped(SPEED_MPS, YAW_RATE_RPS, stamp_ns=stamp_ns)
        found.append(('/velocity', message))
    if 'odometry' in inputs:
        pose = recordings.odometry(east, north, heading, SPEED_MPS, stamp_ns=stamp_ns)
        found.append(('/ground_truth/odometry', pose))
    if 'fix' in inputs and tick % 10 == 0:
        latitude = 48.0 + math.degrees(north / 6_367_000)
        longitude = 11.0 + math.degrees(east / 6_388_000 / math.cos(math.radians(48.0)))
        fix = recordings.nav_sat_fix(latitude, longitude, 500.0, stamp_ns=stamp_ns)
        found.append(('/fix', fix))
    if 'image' in inputs and tick % 4 == 0:
        found.append(
            ('/image/compressed', recordings.compressed(_picture(tick), stamp_ns=stamp_ns))
        )
    if 'audio' in inputs and tick % 4 == 0:
        sound = (3000 * np.sin((np.arange(3200) + 800 * tick) * 0.3)).astype('<i2')
        begin_ns = stamp_ns - 200_000_000
        found.append(('/audio', recordings.own_audio(sound.tobytes(), stamp_ns=begin_ns)))
    return found


def _picture(tick: int) -> bytes:
    """A road that is red to the tiny bundle, which calls it dry; no frame is like another."""
    picture = np.random.default_rng(tick).normal(0.0, 12.0, (60, 96, 3))
    picture[30:, :, 2] += 180
    picture[:30] += (200, 160, 120)
    return cv2.imencode('.jpg', np.clip(picture, 0, 255).astype(np.uint8))[1].tobytes()
