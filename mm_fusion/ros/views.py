# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Predictions for the eye: ``~/debug_image``, ``~/markers`` and ``~/trajectory_cloud``.

They are made in a thread of their own that lives while somebody subscribes, from the newest
prediction: one that comes while the last is still being drawn takes the place of those before it.
What fails in it is counted and logged once; predictions do not wait for it and do not end with it.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from visualization_msgs.msg import MarkerArray

from mm_fusion.ros.camera_watch import CameraWatch
from mm_fusion.ros.trajectory_cloud import cloud_problem, to_cloud
from mm_fusion.types.sensors import CompressedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.lifecycle import LifecycleNode, LifecyclePublisher

    from mm_fusion.ros.debug_image import DebugImage
    from mm_fusion.ros.health import Health
    from mm_fusion.settings import Settings
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.sensors import ImageSample

DEBUG_IMAGE, MARKERS, CLOUD = 'debug_image', 'markers', 'trajectory_cloud'
_TYPES = {DEBUG_IMAGE: Image, MARKERS: MarkerArray, CLOUD: PointCloud2}
_KEPT_FRAMES, _KEPT_BYTES = 64, 100_000_000
"""A prediction comes some frames after its own; they are kept only while somebody looks."""


@dataclass(slots=True)
class ViewReport:
    """What is known of one topic.

    Attributes:
        off: Why there is no such topic; empty where there is.
        subscribers: How many look at it.
        published: Messages since configuration.
        failures: How often it could not be drawn or published.
        last_failure: The newest of them.
    """

    off: str = ''
    subscribers: int = 0
    published: int = 0
    failures: int = 0
    last_failure: str = ''


class Views:
    """Publish what is only to be looked at.

    Args:
        node: Owns the publishers.
        settings: Frame, rate and camera.

    Attributes:
        reports: What is known of each topic, by its name.
        health: The newest status, for the picture; None before the first.
    """

    def __init__(self, node: LifecycleNode, settings: Settings) -> None:
        self._node = node
        self._settings = settings
        self.reports = {name: ViewReport() for name in _TYPES}
        self.reports[CLOUD].off = cloud_problem()
        self.health: Health | None = None
        quiet = PublisherEventCallbacks(use_default_callbacks=False)
        self._publishers: dict[str, LifecyclePublisher[Any]] = {
            name: node.create_lifecycle_publisher(
                kind,
                f'~/{name}',
                QoSProfile(depth=1 if name == DEBUG_IMAGE else 10),
                event_callbacks=quiet,
            )
            for name, kind in _TYPES.items()
            if not self.reports[name].off
        }
        for name, report in self.reports.items():
            if report.off:
                node.get_logger().info(f'~/{name} is off: {report.off}')
        self._painter: Painter | None = None

    def update(self) -> None:
        """Look who looks; called now and then by the executor."""
        for name, publisher in self._publishers.items():
            self.reports[name].subscribers = publisher.get_subscription_count()
        wanted = frozenset(name for name, report in self.reports.items() if report.subscribers)
        if not wanted:
            self.stop()
            return
        try:
            if self._painter is None:
                self._painter = Painter(self._node, self._settings, self._show)
            self._painter.want(wanted)
        except Exception as error:  # noqa: BLE001 - see _show
            self._fail(min(wanted), error)

    def see(self, frame: ImageSample) -> None:
        """Keep a camera frame, where somebody looks at the picture."""
        painter = self._painter
        if painter is not None:
            painter.see(frame)

    def offer(self, output: FusionOutput) -> None:
        """Hand on a prediction, where somebody looks; called by the inference thread."""
        painter = self._painter
        if painter is not None:
            painter.offer(output, self.health)

    def stop(self) -> None:
        """End the thread; a later :meth:`update` starts it anew."""
        if self._painter is not None:
            painter, self._painter = self._painter, None
            painter.close()

    def close(self) -> None:
        """Destroy the publishers."""
        self.stop()
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)

    def _show(self, name: str, make: Callable[[], Any]) -> None:
        """Make and publish one message, whatever comes of it."""
        report = self.reports[name]
        try:
            message = make()
            if message is not None:
                self._publishers[name].publish(message)
                report.published += 1
        except Exception as error:  # noqa: BLE001 - a picture must not end what it shows
            self._fail(name, error)

    def _fail(self, name: str, error: Exception) -> None:
        report = self.reports[name]
        report.failures += 1
        report.last_failure = f'{type(error).__name__}: {error}'
        if report.failures == 1:
            self._node.get_logger().warning(
                f'~/{name} failed: {report.last_failure} (logged once; diagnostics count on)'
            )


class Painter:
    """The thread that draws; made by the executor, which must own its subscriptions.

    Args:
        node: Owns the subscriptions that the picture needs.
        settings: Frame, rate and camera.
        show: Called in the thread with the name of a topic and what makes its message.
    """

    def __init__(
        self,
        node: LifecycleNode,
        settings: Settings,
        show: Callable[[str, Callable[[], Any]], None],
    ) -> None:
        self._settings = settings
        self._show = show
        self._watch = CameraWatch(node, settings)
        self._title = node.get_name()
        self._picture: DebugImage | None = None
        self._wanted: frozenset[str] = frozenset()
        self._frames: deque[ImageSample] = deque(maxlen=_KEPT_FRAMES)
        self._offered: tuple[FusionOutput, Health | None] | None = None
        self._condition = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='views', daemon=True)
        self._thread.start()

    def want(self, names: frozenset[str]) -> None:
        """Say which topics have subscribers."""
        before, self._wanted = self._wanted, names
        if DEBUG_IMAGE in names and DEBUG_IMAGE not in before:
            self._watch.open()
        elif DEBUG_IMAGE in before and DEBUG_IMAGE not in names:
            self._watch.close()
            with self._condition:
                self._frames.clear()

    def see(self, frame: ImageSample) -> None:
        """Keep a camera frame."""
        if DEBUG_IMAGE in self._wanted:
            with self._condition:
                self._frames.append(frame)
                while len(self._frames) > 1 and sum(map(_size, self._frames)) > _KEPT_BYTES:
                    self._frames.popleft()

    def offer(self, output: FusionOutput, health: Health | None) -> None:
        """Take a prediction in the place of one that has not been drawn yet."""
        with self._condition:
            self._offered = output, health
            self._condition.notify()

    def close(self) -> None:
        """End the thread after the picture that it is at."""
        self.want(frozenset())
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        next_s = 0.0
        while (taken := self._take()) is not None:
            wanted = self._wanted
            for name in (MARKERS, CLOUD):
                if name in wanted:
                    self._show(name, functools.partial(self._paint, name, *taken))
            if DEBUG_IMAGE in wanted and time.monotonic() >= next_s:
                next_s = time.monotonic() + 1 / self._settings.node.debug_image_rate_hz
                self._show(DEBUG_IMAGE, functools.partial(self._paint, DEBUG_IMAGE, *taken))

    def _paint(self, name: str, output: FusionOutput, health: Health | None) -> Any:
        """Make one message; what draws is imported here, since most vehicles never need it."""
        frame_id = self._settings.node.base_frame
        if name == MARKERS:
            from mm_fusion.ros.markers import to_markers

            return to_markers(output, frame_id)
        if name == CLOUD:
            return to_cloud(output, frame_id)
        from mm_fusion.ros.debug_image import DebugImage, to_image

        if self._picture is None:
            self._picture = DebugImage(self._title)
        frame = self._frame_of(output)
        pixels = self._picture.draw(output, frame, self._watch.camera(frame), health)
        return to_image(pixels, output.stamp_ns, frame.frame_id if frame else frame_id)

    def _take(self) -> tuple[FusionOutput, Health | None] | None:
        """Wait for a prediction; None where the thread is to end."""
        with self._condition:
            self._condition.wait_for(lambda: self._offered is not None or self._stopping)
            taken, self._offered = self._offered, None
            return None if self._stopping else taken

    def _frame_of(self, output: FusionOutput) -> ImageSample | None:
        """Find the frame that an output was predicted from, or else the newest one before it."""
        offset_ns = round(self._settings.alignment.camera_offset_s * 1e9)
        with self._condition:
            before = [f for f in self._frames if f.stamp_ns + offset_ns <= output.stamp_ns]
        return max(before, key=lambda frame: frame.stamp_ns, default=None)


def _size(frame: ImageSample) -> int:
    return (frame.payload if isinstance(frame, CompressedImage) else frame.pixels).nbytes
