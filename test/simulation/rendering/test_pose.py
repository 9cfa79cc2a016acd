# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of OpenGL are those of the pinhole camera; the road shakes it as documented."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.rendering import create_context
from mm_fusion.simulation.rendering.pose import (
    PITCH_PER_ACCELERATION,
    SHAKE_HEAVE_M,
    Carriage,
    projection_matrix,
)
from mm_fusion.simulation.scenario import CameraSettings
from mm_fusion.simulation.world import START_NS, STEP_NS, Motion
from support.scenes import STEPS, straight_world

VERTEX = """#version 330 core
uniform mat4 turn;
in vec3 position;
out vec3 place;
void main() { place = position; gl_Position = turn * vec4(position, 1.0); }
"""
FRAGMENT = """#version 330 core
in vec3 place;
out vec4 colour;
void main() { colour = vec4(place, 1.0); }
"""


def test_rendered_ground_is_projected_to_its_own_pixels() -> None:
    camera = PinholeCamera.from_settings(CameraSettings(width=160, height=90))
    world = straight_world(height=90, width=160)
    pose = Carriage(world, camera).at(START_NS)
    flat = np.array([[-60, -60, 0], [60, -60, 0], [-60, 60, 0], [60, 60, 0]])
    corners = world.in_map(START_NS, flat[:, :2].astype(np.float64))
    relative = np.concatenate([corners, np.zeros((4, 1))], axis=1) - pose.eye
    with create_context() as ctx:
        texture = ctx.texture((160, 90), 4, dtype='f4')
        target = ctx.framebuffer([texture])
        target.use()
        program = ctx.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        program['turn'].write(pose.turn.T.astype('f4').tobytes())
        vertices = ctx.buffer(relative.astype('f4').tobytes())
        array = ctx.vertex_array(program, [(vertices, '3f', 'position')])
        array.render(ctx.TRIANGLE_STRIP)
        places = np.frombuffer(texture.read(), np.float32).reshape(90, 160, 4)[::-1]
    ctx.release()
    rows, columns = np.nonzero(places[..., 3])
    seen = places[rows, columns, :3] + pose.eye
    points = world.in_base_link(START_NS, seen[:, :2])
    pixels, depths = camera.project(np.concatenate([points, seen[:, 2:]], axis=1))

    near = depths < 30.0
    assert near.sum() > 3000
    assert np.abs(pixels - np.stack([columns, rows], axis=1))[near].max() < 0.05


@given(st.floats(1.0, 500.0), st.floats(-50.0, 50.0), st.floats(0.0, 20.0))
def test_the_projection_is_that_of_the_camera(x: float, y: float, z: float) -> None:
    camera = PinholeCamera.from_settings(CameraSettings())
    point = np.array([[x + camera.forward_m, y, z]])

    clip = projection_matrix(camera) @ np.append(camera.to_optical(point)[0], 1.0)
    window = (clip[:2] / clip[3] + 1) / 2 * (camera.width, camera.height)

    expected = camera.project(point)[0][0]
    assert window[0] - 0.5 == pytest.approx(expected[0], abs=1e-6)
    assert camera.height - window[1] - 0.5 == pytest.approx(expected[1], abs=1e-6)


def heights(unevenness: str, speed_mps: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    world = straight_world(unevenness=unevenness, speed_mps=speed_mps, shake=True)
    carriage = Carriage(world, PinholeCamera())
    stamps = START_NS + STEP_NS * np.arange(STEPS)
    return np.array([carriage.at(int(stamp)).eye[2] for stamp in stamps])


def test_the_shake_grows_with_unevenness_as_documented() -> None:
    spread = [float(heights(name, 10.0).std()) for name in ('smooth', 'slight', 'severe')]

    assert spread == pytest.approx(SHAKE_HEAVE_M, rel=0.6)
    assert spread[0] < 0.3 * spread[1] < 0.3 * spread[2]


def test_a_standing_vehicle_does_not_shake() -> None:
    assert np.ptp(heights('severe', 0.0)) == 0.0


def test_a_braking_vehicle_dips() -> None:
    world = straight_world(shake=True)
    states = world.ego.states.copy()
    states[:, Motion.ACCELERATION] = -6.0
    braking = dataclasses.replace(world, ego=dataclasses.replace(world.ego, states=states))
    camera = PinholeCamera()
    stamp = START_NS + STEP_NS * (STEPS - 1)

    level, dipped = (Carriage(w, camera).at(stamp).rotation[2] for w in (world, braking))

    tilt = math.asin(-dipped[2]) - math.asin(-level[2])
    assert tilt == pytest.approx(6.0 * PITCH_PER_ACCELERATION, rel=1e-3)
