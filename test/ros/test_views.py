# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rclpy.lifecycle import LifecycleNode

from mm_fusion.ros.views import DEBUG_IMAGE, MARKERS, Painter
from mm_fusion.settings import AlignmentSettings, NodeSettings, Settings
from mm_fusion.types.sensors import RawImage
from support.ros_graph import Graph, graph
from support.views import STAMP_NS, output, two_paths

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ['graph']

pytestmark = pytest.mark.ros

PERIOD_NS = 33_000_000
OUTPUT = output(trajectory=two_paths())


def frame(number: int, side: int = 8) -> RawImage:
    """Make a frame so many periods after the stamp of the output."""
    stamp_ns = STAMP_NS + number * PERIOD_NS
    return RawImage(stamp_ns, stamp_ns, 'lens', 'mono8', np.zeros((side, side, 1), np.uint8))


class Shown:
    """Keep what the painter wants to show, held up at the first until it may go on."""

    def __init__(self) -> None:
        self.begun, self.may_go_on, self.done = (threading.Event() for _ in range(3))
        self.names: list[str] = []
        self.makers: list[Callable[[], Any]] = []

    def __call__(self, name: str, make: Callable[[], Any]) -> None:
        self.names.append(name)
        self.makers.append(make)
        self.begun.set()
        assert self.may_go_on.wait(30)
        if len(self.names) == 2:
            self.done.set()


def painter(graph: Graph, shown: Shown, settings: Settings) -> Painter:
    node = graph.add(LifecycleNode('painting', context=graph.context))
    return Painter(node, settings, shown)


@pytest.mark.parametrize(
    ('offset_s', 'numbers', 'expected'),
    [
        (0.0, range(-3, 40), 0),  # the node is 40 frames behind
        (0.0, (-3, -2, 1), -2),  # its own was refused
        (0.033, range(-3, 3), -1),  # the camera's stamps are corrected
        (0.0, (1, 2), None),
    ],
)
def test_a_prediction_is_drawn_on_its_own_frame_or_the_one_before(
    graph: Graph, offset_s: float, numbers: range, expected: int | None
) -> None:
    settings = Settings(alignment=AlignmentSettings(camera_offset_s=offset_s))
    made = painter(graph, Shown(), settings)
    made.want(frozenset({DEBUG_IMAGE}))
    for number in numbers:
        made.see(frame(number))
    found = made._frame_of(OUTPUT)
    made.close()
    assert (None if found is None else found.stamp_ns) == (
        None if expected is None else STAMP_NS + expected * PERIOD_NS
    )


def test_large_frames_do_not_fill_the_memory(graph: Graph) -> None:
    made = painter(graph, Shown(), Settings())
    made.see(frame(0))
    assert not made._frames, 'nobody looks'
    made.want(frozenset({DEBUG_IMAGE}))
    for number in range(12):
        made.see(frame(number, side=4000))
    assert [kept.stamp_ns for kept in made._frames] == [
        frame(number).stamp_ns for number in range(6, 12)
    ]
    made.want(frozenset({MARKERS}))
    assert not made._frames, 'nobody looks any more'
    made.close()


def test_the_newest_prediction_takes_the_place_of_those_that_wait(graph: Graph) -> None:
    shown = Shown()
    made = painter(graph, shown, Settings())
    made.want(frozenset({MARKERS}))
    made.offer(OUTPUT, None)
    assert shown.begun.wait(30)
    for later in (1, 2, 3):
        made.offer(dataclasses.replace(OUTPUT, stamp_ns=STAMP_NS + later), None)
    shown.may_go_on.set()
    assert shown.done.wait(30)
    made.close()
    assert shown.names == [MARKERS, MARKERS]
    stamps = [make().markers[0].header.stamp.nanosec for make in shown.makers]
    assert stamps == [250_000_000, 250_000_003]


def test_the_rate_of_the_picture_is_bounded_and_that_of_the_markers_is_not(graph: Graph) -> None:
    shown = Shown()
    shown.may_go_on.set()
    slow = Settings(node=NodeSettings(debug_image_rate_hz=0.1))
    made = painter(graph, shown, slow)
    made.want(frozenset({DEBUG_IMAGE, MARKERS}))
    made.offer(OUTPUT, None)
    assert shown.done.wait(30)
    shown.begun.clear()
    made.offer(OUTPUT, None)
    assert shown.begun.wait(30)
    made.close()
    assert shown.names == [MARKERS, DEBUG_IMAGE, MARKERS]
