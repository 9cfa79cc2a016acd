# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The four sensors of a car over DDS, and an ear for the road states that a node answers with."""

from __future__ import annotations

import array
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TwistStamped
from mm_fusion_msgs.msg import AudioStamped, RoadState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, NavSatFix, NavSatStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.processes import Measured

AUDIO_RATE_HZ = 16_000
CHUNK_NS = 20_000_000
_SECOND_NS = 1_000_000_000
_PERIODS_S = {'velocity': 0.01, 'audio': CHUNK_NS / _SECOND_NS, 'fix': 0.1}
_PICTURES = 4
_DRAIN_S = 1.0
_PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Window:
    """What happened while the sensors spoke.

    Attributes:
        rate_hz: Camera frames a second that were aimed at.
        seconds: Length.
        sent: Camera frames sent.
        latencies_ms: Of the frames that were answered: from the stamp of the frame to the moment
            at which the node handed its road state to DDS, by DDS's own stamp.
        in_time: Frames that were answered before the end; the others were waited for.
        cpu_s: CPU time of the node.
    """

    rate_hz: float
    seconds: float
    sent: int
    latencies_ms: tuple[float, ...]
    in_time: int
    cpu_s: float

    @property
    def share(self) -> float:
        """Share of the frames that were answered."""
        return len(self.latencies_ms) / self.sent if self.sent else 0.0

    @property
    def answers_hz(self) -> float:
        """Answers a second."""
        return self.in_time / self.seconds


class Feed:
    """Publish camera, sound, velocity and positions at their rates, and match the answers.

    Frames are raw bgr8 with the QoS of sensors, as camera drivers publish them; the rest is
    reliable.

    Args:
        height: Of the frames, pixels.
        width: Of the frames, pixels.
        answers: Topic of the road states.

    Attributes:
        node: Whose topics these are.
        total_sent: Camera frames sent so far.
        heard: Road states heard so far.
    """

    def __init__(self, height: int, width: int, answers: str) -> None:
        self._context = Context()
        rclpy.init(args=[], context=self._context)
        self.node = Node('sensors', context=self._context)
        create = self.node.create_publisher
        self._outlets = {
            'image': create(Image, 'image', qos_profile_sensor_data),
            'audio': create(AudioStamped, 'audio', 10),
            'velocity': create(TwistStamped, 'velocity', 10),
            'fix': create(NavSatFix, 'fix', 10),
        }
        self._messages = _messages(height, width)
        self._sent: set[int] = set()
        self._answers: dict[int, int] = {}
        self.total_sent = 0
        self.heard = 0
        self.node.create_subscription(RoadState, answers, self._hear, 100)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._ear = threading.Thread(target=self._executor.spin, daemon=True)
        self._ear.start()

    def close(self) -> None:
        """Fall silent."""
        self._executor.shutdown()
        self._ear.join()
        self.node.destroy_node()
        self._context.try_shutdown()
        self._context.destroy()

    def wait_for(self, measured: Measured) -> None:
        """Speak slowly until the node answers, so that it has found every topic.

        Raises:
            NodeFailedError: It has ended.
            TimeoutError: It says nothing.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while not self.heard:
            self.run(measured, 2.0, 2.0)
            if time.monotonic() > deadline:
                raise TimeoutError(f'the node gave no answer within {_PATIENCE_S:g} s')

    def run(
        self,
        measured: Measured,
        camera_hz: float,
        seconds: float,
        each_second: Callable[[float], None] = lambda elapsed_s: None,
    ) -> Window:
        """Speak for a while, then without the camera until the last frames are answered.

        Args:
            measured: The node that listens.
            camera_hz: Camera frames a second.
            seconds: How long.
            each_second: Called once a second with the time since the start.
        """
        self._sent, self._answers = set(), {}
        cpu_s, end_ns = measured.cpu_s(), 0
        start = time.monotonic()
        due = {role: start + period for role, period in _PERIODS_S.items()}
        due |= {'image': start, 'second': start + 1.0, 'end': start + seconds}
        periods = {**_PERIODS_S, 'image': 1.0 / camera_hz}
        while True:
            what = min(due, key=due.__getitem__)
            time.sleep(max(due[what] - time.monotonic(), 0.0))
            if what == 'end':
                if 'image' not in due:
                    break
                cpu_s, end_ns = measured.cpu_s() - cpu_s, time.time_ns()
                del due['image'], due['second']
                due['end'] += _DRAIN_S
            elif what == 'second':
                measured.check()
                each_second(time.monotonic() - start)
                due[what] += 1.0
            else:
                self._publish(what)
                # What cannot be sent in time is left out, never sent in a burst.
                due[what] = max(due[what] + periods[what], time.monotonic())
        answers = dict(self._answers)
        early = {stamp: at_ns for stamp, at_ns in answers.items() if at_ns <= end_ns}
        return Window(
            rate_hz=camera_hz,
            seconds=seconds,
            sent=len(self._sent),
            latencies_ms=latencies_ms(self._sent, answers),
            in_time=len(latencies_ms(self._sent, early)),
            cpu_s=cpu_s,
        )

    def recent_latencies_ms(self, count: int) -> tuple[float, ...]:
        """Give those of the newest answers, to be called while the sensors speak."""
        answers = list(self._answers.items())[-count:]
        return latencies_ms(self._sent, dict(answers))

    def _publish(self, role: str) -> None:
        choice = self._messages[role]
        message = choice[self.total_sent % len(choice)]
        stamp_ns = time.time_ns() - (CHUNK_NS if role == 'audio' else 0)
        message.header.stamp = Time(sec=stamp_ns // _SECOND_NS, nanosec=stamp_ns % _SECOND_NS)
        if role == 'image':
            self._sent.add(stamp_ns)
            self.total_sent += 1
        self._outlets[role].publish(message)

    def _hear(self, message: Any, info: Any) -> None:
        self.heard += 1
        stamp = message.header.stamp
        self._answers[stamp.sec * _SECOND_NS + stamp.nanosec] = info['source_timestamp']


def latencies_ms(sent: set[int], answers: dict[int, int]) -> tuple[float, ...]:
    """Match answers with frames.

    Args:
        sent: Stamps of the frames, ns.
        answers: Time of publication, ns, by the stamp that is answered; a node's timer may add
            stamps that are none of a frame.

    Returns:
        In order of answer, milliseconds.
    """
    return tuple((at_ns - stamp) / 1e6 for stamp, at_ns in answers.items() if stamp in sent)


def _messages(height: int, width: int) -> dict[str, list[Any]]:
    """Make the messages that are sent again and again, each time with another stamp."""
    random = np.random.default_rng(0)
    images = []
    for _ in range(_PICTURES):
        noise = random.integers(0, 256, (height // 4, width // 4, 3), np.uint8)
        pixels = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        images.append(
            Image(
                height=height,
                width=width,
                encoding='bgr8',
                step=3 * width,
                data=array.array('B', pixels.tobytes()),
            )
        )
    count = AUDIO_RATE_HZ * CHUNK_NS // _SECOND_NS
    sounds = [
        array.array('B', random.integers(-3000, 3000, count).astype('<i2').tobytes())
        for _ in range(_PICTURES)
    ]
    velocity = TwistStamped()
    velocity.twist.linear.x, velocity.twist.angular.z = 12.0, 0.02
    # A sensor that repeats itself to the last bit would count as frozen.
    fixes = [NavSatFix(latitude=48.0, longitude=11.0 + 1e-9 * i) for i in range(_PICTURES)]
    for fix in fixes:
        fix.status.status = NavSatStatus.STATUS_FIX
    audios = [
        AudioStamped(
            sample_rate=AUDIO_RATE_HZ, channels=1, sample_format=AudioStamped.S16LE, data=sound
        )
        for sound in sounds
    ]
    return {'image': images, 'audio': audios, 'velocity': [velocity], 'fix': fixes}
