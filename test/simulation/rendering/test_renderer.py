# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands in the frames: everything where it is projected, and the same every time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import moderngl
import numpy as np
import pytest

from mm_fusion.simulation.rendering import CameraRenderer
from mm_fusion.simulation.rendering.mesh import CLASS
from mm_fusion.simulation.rendering.programs import features_of
from mm_fusion.simulation.scenario import WeatherKey
from mm_fusion.simulation.world import START_NS
from support.scenes import BRAKES_NS, EDGE_LINE_M, GAP_M, LANE_M, straight_world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.camera import PinholeCamera
    from mm_fusion.simulation.world import World


def classes_of(renderer: CameraRenderer, stamp_ns: int = START_NS) -> NDArray[np.uint8]:
    classes = renderer.render(stamp_ns)[1]
    assert classes is not None
    return classes


def at(camera: PinholeCamera, points: list[list[float]]) -> NDArray[np.int_]:
    """Rows and columns (n, 2) of the pixels that points in base_link fall into."""
    pixels = camera.project(np.array(points))[0]
    return np.rint(pixels[:, ::-1]).astype(int)


def test_the_frame_has_the_size_of_the_settings(dry: CameraRenderer) -> None:
    pixels, classes = dry.render(START_NS)

    assert pixels.shape == (180, 320, 3)
    assert pixels.dtype == np.uint8
    assert classes is not None
    assert classes.shape == (180, 320)
    assert classes.dtype == np.uint8


def test_the_road_lies_below_the_sky(dry: CameraRenderer) -> None:
    classes = classes_of(dry)

    assert (classes[0] == CLASS['sky']).mean() > 0.5
    assert set(np.unique(classes[-12:, 140:180])) == {CLASS['road']}
    assert (classes[int(dry.camera.horizon_row) + 4 :] != CLASS['sky']).all()


def test_painted_lines_are_where_the_road_has_them(dry: CameraRenderer) -> None:
    classes = classes_of(dry)
    line = at(dry.camera, [[x, EDGE_LINE_M - LANE_M, 0.0] for x in (9.0, 10.0, 11.0)])
    road = at(dry.camera, [[x, EDGE_LINE_M - LANE_M - 0.5, 0.0] for x in (9.0, 10.0, 11.0)])

    assert (classes[line[:, 0], line[:, 1]] == CLASS['mark']).all()
    assert (classes[road[:, 0], road[:, 1]] == CLASS['road']).all()


def test_the_car_ahead_is_seen_where_it_is_projected(dry: CameraRenderer) -> None:
    rows, columns = np.nonzero(classes_of(dry) == CLASS['vehicle'])
    back, half, top = GAP_M - 0.9, 0.9, 1.5
    left_top, right_foot, wheel = at(
        dry.camera, [[back, half, top], [back, -half, 0.0], [GAP_M - 0.2, -half, 0.0]]
    )

    assert columns.min() == pytest.approx(left_top[1], abs=3)
    assert columns.max() == pytest.approx(right_foot[1], abs=3)
    # The roof begins ahead of the rear end; what stands on the ground are the wheels.
    assert left_top[0] - 1 <= rows.min() <= left_top[0] + 9
    assert rows.max() == pytest.approx(wheel[0], abs=2)


def test_brake_lights_are_red(dry: CameraRenderer) -> None:
    rest, braking = (dry.render(stamp)[0].astype(int) for stamp in (START_NS, BRAKES_NS))
    back = GAP_M - 0.9
    lamps = at(dry.camera, [[back, 0.64, 0.76], [back, -0.64, 0.76]])

    def redness(pixels: NDArray[np.int_]) -> float:
        colours = pixels[lamps[:, 0], lamps[:, 1]]
        return float((colours[:, 0] - colours[:, 1:].mean(axis=1)).mean())

    assert redness(braking) > redness(rest) + 60


def test_a_wet_road_mirrors_the_car_ahead(dry: CameraRenderer, wet: CameraRenderer) -> None:
    # The mirror image of a lamp at some height is seen where the line of sight to it, from below
    # the ground, leaves the water.
    back, height = GAP_M - 0.9, 0.76
    lamps = at(dry.camera, [[back, 0.64, -height], [back, -0.64, -height]])

    def redness(renderer: CameraRenderer) -> float:
        pixels = renderer.render(BRAKES_NS)[0].astype(int)
        colours = np.stack(
            [pixels[row - 1 : row + 2, column - 1 : column + 2] for row, column in lamps]
        ).reshape(-1, 3)
        return float((colours[:, 0] - colours[:, 1:].mean(axis=1)).max())

    assert redness(wet) > redness(dry) + 15


def test_a_frame_does_not_depend_on_those_before(dry_world: World, dry: CameraRenderer) -> None:
    first = dry.render(START_NS)[0].tobytes()
    dry.render(BRAKES_NS)
    again = dry.render(START_NS)[0].tobytes()
    with CameraRenderer(dry_world) as other:
        other.render(BRAKES_NS + 400_000_000)
        fresh = other.render(START_NS)[0].tobytes()

    assert again == first
    assert fresh == first


def test_the_full_shader_casts_shadows() -> None:
    # The sun stands behind the camera on the right; the shadow falls ahead of the car to its left.
    sun = WeatherKey(cloud_cover=0.0, sun_elevation_deg=30.0, sun_azimuth_deg=-61.0)
    with CameraRenderer(straight_world(shader='full', weather=sun)) as renderer:
        pixels, classes = renderer.render(START_NS)
    shaded, sunny = at(renderer.camera, [[GAP_M + 1.0, 1.9, 0.0], [GAP_M + 1.0, 4.2, 0.0]])

    assert classes is not None
    assert classes[tuple(shaded)] == classes[tuple(sunny)] == CLASS['road']
    assert pixels[tuple(shaded)][0] < 0.85 * pixels[tuple(sunny)][0]


def test_shaders_hold_what_the_drive_needs() -> None:
    night = WeatherKey(sun_elevation_deg=-8.0)

    assert features_of(straight_world(segmentation=False)) == ()
    assert features_of(straight_world('wet', weather=night)) == ('SEGMENTATION', 'BEAMS', 'WET')


def test_without_segmentation_there_are_no_classes(wet: CameraRenderer) -> None:
    with CameraRenderer(straight_world('water', segmentation=False)) as renderer:
        pixels, classes = renderer.render(START_NS)

    assert classes is None
    assert (pixels == wet.render(START_NS)[0]).all()


def test_a_vehicle_at_the_rim_of_the_view_is_drawn(dry_world: World) -> None:
    # Beside the road, its middle outside the view, its nose inside.
    (car,) = dry_world.vehicles
    states = car.states.copy()
    place = dry_world.in_map(START_NS, np.array([[10.0, 8.6]]))
    states[:, :2] = place
    world = dataclasses.replace(dry_world, vehicles=(dataclasses.replace(car, states=states),))
    with CameraRenderer(world) as renderer:
        classes = classes_of(renderer)

    columns = np.nonzero(classes == CLASS['vehicle'])[1]
    assert len(columns) > 0
    assert columns.min() == 0


def test_closing_gives_the_context_back(dry_world: World) -> None:
    with CameraRenderer(dry_world) as renderer:
        pass

    assert isinstance(renderer._ctx.mglo, moderngl.InvalidObject)
