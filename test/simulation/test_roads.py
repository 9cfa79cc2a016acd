# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads as records: edges, surfaces, tunnels, traffic lights."""

from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.roads import (
    CYCLE_S,
    Junction,
    Lane,
    Road,
    RoadNetwork,
    SurfaceProfile,
)


def _surface() -> SurfaceProfile:
    friction = np.eye(6, dtype=np.float32)[[0, 0, 3]]
    return SurfaceProfile(
        np.array([0.0, 10.0, 20.0]),
        friction,
        np.eye(5, dtype=np.float32)[[0, 0, 0]],
        np.eye(3, dtype=np.float32)[[0, 1, 1]],
    )


def _road() -> Road:
    lanes = (Lane(-1.75, 3.5, 1), Lane(1.75, 3.5, -1))
    course = Course([(0.0, 0.0)], -50.0, 50.0, 0.0)
    return Road(course, lanes, ((0.0, 'dashed'),), kerb=True, shoulder_m=0.5)


def test_the_edges_of_a_road_include_its_shoulders() -> None:
    assert _road().edges_m == (-4.0, 4.0)


def test_the_surface_changes_linearly_and_is_held_at_its_ends() -> None:
    surface = _surface()

    assert surface.friction_at(15.0) == pytest.approx([0.5, 0, 0, 0.5, 0, 0])
    assert surface.friction_at(99.0) == pytest.approx([0, 0, 0, 1, 0, 0])
    assert surface.material_at([[1.0], [2.0]]).shape == (2, 1, 5)
    assert surface.unevenness_at(5.0) == pytest.approx([0.5, 0.5, 0.0])


def test_a_tunnel_covers_its_stretch_only() -> None:
    network = RoadNetwork(_road(), (), (), ((10.0, 30.0),), _surface(), urban=True)

    assert [network.in_tunnel(arc) for arc in (9.9, 10.0, 30.0, 30.1)] == [
        False,
        True,
        True,
        False,
    ]


def test_only_one_road_of_a_junction_has_no_red_at_a_time() -> None:
    junction = Junction(0.0, 11.0, (0, 1), signals=True, signal_offset_s=17.0)
    times = [float(time) for time in np.arange(0.0, 2 * CYCLE_S, 0.1)]

    main = [junction.main_light(time) for time in times]
    side = [junction.side_light(time) for time in times]

    assert not any(a != 'red' and b != 'red' for a, b in zip(main, side, strict=True))
    assert set(main) == set(side) == {'green', 'yellow', 'red'}
    assert main[: len(main) // 2] == main[len(main) // 2 :]


def test_yellow_follows_green_and_red_follows_yellow() -> None:
    junction = Junction(0.0, 11.0, (0, 1), signals=True)

    lights = [junction.main_light(time) for time in (23.9, 24.1, 26.9, 27.1, 54.9, 55.1)]

    assert lights == ['green', 'yellow', 'yellow', 'red', 'red', 'green']
