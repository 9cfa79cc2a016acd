# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest
from visualization_msgs.msg import Marker

from mm_fusion.ros.markers import ELLIPSE_TIMES_S, to_markers
from support.views import output, road, two_paths

if TYPE_CHECKING:
    from mm_fusion.types.predictions import FusionOutput

pytestmark = pytest.mark.ros


def made(shown: FusionOutput) -> dict[tuple[str, int], Marker]:
    """Give the markers by namespace and id."""
    markers = to_markers(shown, 'base_link')
    assert markers is not None
    found = {(marker.ns, marker.id): marker for marker in markers.markers}
    assert len(found) == len(markers.markers), 'one would replace another'
    return found


def test_every_marker_has_the_frame_and_stamp_and_ends_by_itself() -> None:
    for marker in made(output(road(), two_paths())).values():
        assert marker.header.frame_id == 'base_link'
        assert marker.header.stamp.nanosec == 250_000_000
        assert marker.action == Marker.ADD
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (1, 0)
        assert marker.pose.orientation.w == 1.0
        assert marker.color.a > 0


def test_every_mode_is_drawn_and_the_likelier_one_more_opaque() -> None:
    markers = made(output(trajectory=two_paths()))

    assert markers.keys() == {
        (kind, mode) for kind in ('path', 'steps', 'uncertainty') for mode in (0, 1)
    }
    for number, end in ((0, (48.0, 0.0)), (1, (48.0, 12.0))):
        line = markers['path', number]
        assert line.type == Marker.LINE_STRIP
        assert [(line.points[0].x, line.points[0].y), (line.points[-1].x, line.points[-1].y)] == [
            (0.0, 0.0),
            end,
        ]
        assert len(line.points) == 13
        assert len(markers['steps', number].points) == 12
    assert markers['path', 0].color.a > 1.5 * markers['path', 1].color.a


def test_the_ellipses_stand_where_they_belong_and_hold_ninety_per_cent() -> None:
    ring = made(output(trajectory=two_paths()))['uncertainty', 0]
    assert ring.type == Marker.LINE_LIST
    assert len(ring.points) % (2 * len(ELLIPSE_TIMES_S)) == 0
    size = len(ring.points) // len(ELLIPSE_TIMES_S)
    for index, time_s in enumerate(ELLIPSE_TIMES_S):
        sides = ring.points[index * size : (index + 1) * size]
        along = [point.x - 8 * time_s for point in sides]
        across = [point.y for point in sides]
        share = math.sqrt(-2 * math.log(0.1))
        assert max(along) == pytest.approx(2.0 * share, rel=0.01)
        assert max(across) == pytest.approx(0.5 * share, rel=0.01)


def test_a_short_horizon_has_no_ellipse_twice() -> None:
    prediction = two_paths()
    short = tuple(
        dataclasses.replace(
            mode,
            times_s=mode.times_s[:2],
            positions=mode.positions[:2],
            headings=mode.headings[:2],
            covariances=mode.covariances[:2],
        )
        for mode in prediction.modes
    )
    rings = made(output(trajectory=dataclasses.replace(prediction, modes=short)))
    whole = made(output(trajectory=prediction))
    assert 4 * len(rings['uncertainty', 0].points) == len(whole['uncertainty', 0].points)


def test_the_road_state_and_the_siren_are_written() -> None:
    markers = made(output(road()))
    assert markers.keys() == {('road_state', 0), ('siren', 0)}
    text = markers['road_state', 0]
    assert text.type == Marker.TEXT_VIEW_FACING
    assert text.text == 'wet, asphalt, smooth\nfriction 0.55 ± 0.08'
    assert markers['siren', 0].text == 'siren 90%'

    quiet = made(output(road(siren=False, observed=False)))
    assert quiet.keys() == {('road_state', 0)}
    assert quiet['road_state', 0].text.endswith('(not observed)')
    assert quiet['road_state', 0].color.a < text.color.a


def test_nothing_predicted_is_no_message() -> None:
    assert to_markers(output(), 'base_link') is None
