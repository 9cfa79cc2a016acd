# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The bodies of vehicles are closed to the outside, of their size, and stand on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.rendering.bodies import PAINT, Finish, Parts, Station
from mm_fusion.simulation.rendering.fleet import flashes
from mm_fusion.simulation.rendering.vehicles import make_bodies

if TYPE_CHECKING:
    from mm_fusion.simulation.rendering.bodies import Body
    from mm_fusion.simulation.world import VehicleKind

BODIES = make_bodies()
EMERGENCY = {'ambulance', 'police', 'fire_engine'}


@pytest.fixture(params=sorted(BODIES))
def kind(request: pytest.FixtureRequest) -> VehicleKind:
    name: VehicleKind = request.param
    return name


@pytest.fixture
def body(kind: VehicleKind) -> Body:
    return BODIES[kind]


def test_it_stands_on_the_ground_about_its_rear_axle(body: Body) -> None:
    low = body.vertices['position'].min(axis=0)
    high = body.vertices['position'].max(axis=0)

    assert low[2] == pytest.approx(0.0, abs=1e-6)
    assert low[0] == pytest.approx(-body.rear_m)
    assert high[0] - low[0] == pytest.approx(body.size[0], abs=1e-5)
    # Mirrors stand out.
    assert 0 <= high[1] - low[1] - body.size[1] < 0.45
    assert low[1] == pytest.approx(-high[1], abs=1e-5)


def test_its_faces_look_where_their_normals_point(body: Body) -> None:
    corners = body.vertices['position'][body.triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(flat, axis=1)
    normals = body.vertices['normal'][body.triangles, :3].mean(axis=1)
    agree = (flat * normals).sum(axis=1)[size > 1e-6]

    assert (agree > 0).all()


def test_its_sides_look_away_from_the_middle(body: Body) -> None:
    position, normal = body.vertices['position'], body.vertices['normal']
    left = (position[:, 1] > 0.9 * position[:, 1].max()) & (np.abs(normal[:, 1]) > 100)

    assert left.any()
    assert (normal[left, 1] > 0).mean() > 0.6


def test_it_has_the_lamps_of_its_kind(body: Body, kind: VehicleKind) -> None:
    finishes = set(body.vertices['colour'][:, 3].tolist())

    assert {Finish.HEADLAMP, Finish.TAIL_LAMP, Finish.GLASS} <= finishes
    assert (Finish.BLUE_LAMP in finishes) == (kind in EMERGENCY)
    assert (body.head_lamps[:, 0] > body.tail_lamps[:, 0]).all()
    assert (body.blue_lamps[:, 2].min() > 1.4) == (kind in EMERGENCY)


def test_blue_lamps_flash_one_after_the_other() -> None:
    times = np.arange(0.0, 1.0, 0.01)
    left, right = np.array([flashes(float(time)) for time in times]).T

    assert left.max() == right.max() == 1.0
    assert not ((left == 1.0) & (right == 1.0)).any()
    assert (left == 1.0).mean() == pytest.approx((right == 1.0).mean(), abs=0.05)


def test_wheels_look_outwards() -> None:
    parts = Parts()
    parts.wheels((0.0,), 0.8, 0.3)
    vertices, _ = parts.finish()
    position = vertices['position']
    inside = np.stack(
        [0 * position[:, 0], np.sign(position[:, 1]) * 0.7, 0 * position[:, 0] + 0.3], axis=1
    )

    assert (((position - inside) * vertices['normal'][:, :3]).sum(axis=1) > 0).all()


def test_a_lofted_body_looks_outwards() -> None:
    parts = Parts()
    ends = [Station(x, 1.0, 0.2, 1.0, 0.8, 1.6) for x in (-1.0, 0.0, 1.0)]
    parts.loft(ends, lambda span, segment: PAINT)
    vertices, _ = parts.finish()

    away = vertices['position'] - (0.0, 0.0, 0.9)
    assert ((away * vertices['normal'][:, :3]).sum(axis=1) > 0).all()
