# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is only to be looked at, over DDS: it comes to those who look, and costs no one else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sensor_msgs.msg import Image, PointCloud2
from visualization_msgs.msg import MarkerArray

from mm_fusion.ros import debug_image, markers, views
from support import point_clouds
from support.ros_graph import Car, Graph, activated, log_lines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros


def drawing() -> bool:
    """Tell whether the thread that draws is there."""
    return any(thread.name == 'views' for thread in threading.enumerate())


def driving(graph: Graph, bundle: Path) -> Car:
    """Start a node and a car that drives; its camera soon counts as frozen."""
    activated(graph, bundle)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    return car


def listen(car: Car, kind: type, topic: str) -> tuple[list[Any], Any]:
    """Subscribe to a view; give what comes and the subscription."""
    seen: list[Any] = []
    return seen, car.create_subscription(kind, f'/mm_fusion/{topic}', seen.append, 10)


def test_nothing_is_drawn_until_somebody_looks(
    graph: Graph, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    real = debug_image.DebugImage.draw

    def draw(*arguments: Any) -> Any:
        drawn.append('picture')
        return real(*arguments)

    monkeypatch.setattr(debug_image.DebugImage, 'draw', draw)
    monkeypatch.setattr(markers, 'to_markers', lambda *a: drawn.append('markers'))
    monkeypatch.setattr(views, 'to_cloud', lambda *a: drawn.append('cloud'))
    car = driving(graph, bundle)
    graph.until(lambda: len(car.trajectories) > 10, 'predictions')
    assert not drawn
    assert not drawing()

    images, subscription = listen(car, Image, 'debug_image')
    graph.until(lambda: len(images) > 2, 'pictures')
    assert set(drawn) == {'picture'}, 'and nothing that nobody looks at'

    car.destroy_subscription(subscription)
    graph.until(lambda: not drawing(), 'the end of the drawing')
    count, seen = len(drawn), len(car.trajectories)
    graph.until(lambda: len(car.trajectories) > seen + 5, 'more predictions')
    assert len(drawn) == count


def test_the_picture_shows_the_frame_that_was_predicted_from(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph)
    images, _ = listen(car, Image, 'debug_image')
    graph.until(lambda: car.connected() and drawing(), 'a node that listens and draws')
    car.drive()

    def red() -> list[Image]:
        """Give the pictures with the camera frame, which is red."""
        found = []
        for image in images:
            pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
            red, green, blue = pixels[100:200, 200:300].mean(axis=(0, 1))
            if red > 120 > 40 > max(green, blue):
                found.append(image)
        return found

    graph.until(red, 'pictures')
    stamp = red()[0].header.stamp
    graph.until(
        lambda: any(road.header.stamp == stamp for road in car.roads),
        'the road state with the stamp of the picture',
    )


def test_markers_and_cloud_come_with_the_stamp_of_the_prediction(
    graph: Graph, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_clouds.install(monkeypatch)
    car = driving(graph, bundle)
    arrays, _ = listen(car, MarkerArray, 'markers')
    clouds, _ = listen(car, PointCloud2, 'trajectory_cloud')
    graph.until(lambda: len(arrays) > 2 and len(clouds) > 2, 'markers and clouds')

    stamps = {(item.header.stamp.sec, item.header.stamp.nanosec) for item in car.trajectories}
    for header in (arrays[-2].markers[0].header, clouds[-2].header):
        assert header.frame_id == 'base_link'
        assert (header.stamp.sec, header.stamp.nanosec) in stamps
    assert {marker.ns for marker in arrays[-1].markers} >= {'path', 'steps', 'uncertainty'}
    assert clouds[-1].width == 12


def test_a_failure_is_counted_and_logged_once_and_predictions_go_on(
    graph: Graph,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: Any) -> None:
        raise ValueError('no paint')

    monkeypatch.setattr(debug_image.DebugImage, 'draw', fail)
    car = driving(graph, bundle)
    images, _ = listen(car, Image, 'debug_image')
    arrays, _ = listen(car, MarkerArray, 'markers')

    def failures() -> int:
        entry = car.diagnostic('views')
        values = {item.key: item.value for item in entry.values} if entry else {}
        return int(values.get('debug_image failures', 0))

    graph.until(lambda: failures() > 2, 'failures that are counted')
    entry = car.diagnostic('views')
    assert entry is not None
    assert entry.level == entry.WARN
    assert entry.message == 'debug_image: drawing failed'
    seen, shown = len(car.trajectories), len(arrays)
    graph.until(lambda: len(car.trajectories) > seen + 3 and len(arrays) > shown, 'the rest')
    assert not images
    warnings = [line for line in log_lines(capfd, 'WARN') if 'no paint' in line]
    assert len(warnings) == 1
    assert '~/debug_image failed: ValueError: no paint (logged once' in warnings[0]


def test_without_sensor_msgs_py_the_cloud_is_off_and_the_node_says_so(
    graph: Graph,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(views, 'cloud_problem', lambda: 'the package is missing')
    node = activated(graph, bundle)
    said = [line for line in log_lines(capfd, 'INFO') if 'trajectory_cloud' in line]
    assert len(said) == 1
    assert said[0].endswith('~/trajectory_cloud is off: the package is missing')
    assert not node.count_publishers('/mm_fusion/trajectory_cloud')
    car = Car(graph, sensors=())
    graph.until(lambda: car.diagnostic('views'), 'diagnostics')
    entry = car.diagnostic('views')
    assert entry is not None
    values = {item.key: item.value for item in entry.values}
    assert values['trajectory_cloud'] == 'off: the package is missing'


def test_the_drawing_ends_with_the_activation(graph: Graph, bundle: Path) -> None:
    node = activated(graph, bundle)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    images, _ = listen(car, Image, 'debug_image')
    graph.until(lambda: images, 'a picture')
    node.trigger_deactivate()
    assert not drawing()
    node.trigger_activate()
    count = len(images)
    graph.until(lambda: len(images) > count, 'pictures after it is activated again')
