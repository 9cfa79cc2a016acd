# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.rendering.drops import Drops, DropState
from mm_fusion.simulation.rendering.lens import Lens
from mm_fusion.simulation.scenario import CameraSettings, Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS
from support.shading import Canvas, shared_context, view_projection
from support.worlds import small_world

if TYPE_CHECKING:
    from numpy.typing import NDArray

STILL = view_projection((0.0, 0.0, 1.5), 0.0)
PLAIN = CameraSettings(motion_blur=False, noise=False, lens_drops=False)
LATER_NS = START_NS + 900_000_000


def lens_of(camera: CameraSettings, **weather: float) -> Lens:
    scenario = Scenario(duration_s=2.0, weather=(WeatherKey(**weather),), camera=camera)
    return Lens(shared_context(), small_world(scenario))


def develop(
    lens: Lens,
    radiance: NDArray[np.float64] | float,
    stamp_ns: int = START_NS,
    before: NDArray[np.float32] = STILL,
    depth: float = 0.9999,
) -> NDArray[np.uint8]:
    canvas = Canvas()
    canvas.fill(radiance, depth)
    lens.apply(canvas.radiance, canvas.depth, stamp_ns, STILL, before, canvas.picture)
    return canvas.read_picture()


def stripes() -> NDArray[np.float64]:
    return np.broadcast_to(np.where(np.arange(160) // 8 % 2, 0.5, 0.1), (90, 160)).copy()


@pytest.mark.parametrize('elevation_deg', [60.0, 20.0, 3.0, -4.0])
def test_exposure_brings_every_light_into_the_same_band(elevation_deg: float) -> None:
    lens = lens_of(PLAIN, sun_elevation_deg=elevation_deg)
    level = lens._environment.light_at(START_NS).level
    mean = develop(lens, 0.2 * level * stripes() / 0.3).mean() / 255

    assert 0.25 < mean < 0.6


def test_snow_is_shown_brighter_than_asphalt() -> None:
    lens = lens_of(PLAIN, cloud_cover=1.0)
    level = lens._environment.light_at(START_NS).level

    asphalt, snow = (develop(lens, albedo * level).mean() for albedo in (0.12, 0.85))
    assert snow > 1.3 * asphalt


def test_shutter_is_open_longer_in_the_dark() -> None:
    day, dusk, night = (
        lens_of(PLAIN, sun_elevation_deg=height).exposure_s(START_NS) for height in (60, 0, -12)
    )

    assert 0.002 < day < dusk < night <= 0.02


def test_all_off_leaves_an_even_scene_even() -> None:
    lens = lens_of(PLAIN, rain_mmph=20.0)
    one, other = (develop(lens, 0.2, stamp_ns) for stamp_ns in (START_NS, LATER_NS))

    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, one[::-1, ::-1])
    assert one[45, 80, 0] - one[0, 0, 0] > 10
    assert np.abs(np.diff(one.astype(int), axis=1)).max() <= 1


def test_noise_is_of_the_stamp_alone() -> None:
    lens = lens_of(CameraSettings(motion_blur=False, lens_drops=False))
    one, other, again = (
        develop(lens, 0.2, stamp_ns) for stamp_ns in (START_NS, LATER_NS, START_NS)
    )

    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.5


def test_noise_grows_in_the_dark() -> None:
    camera = CameraSettings(motion_blur=False, lens_drops=False)
    day, night = (
        develop(lens_of(camera, sun_elevation_deg=height), radiance)[40:50, 70:90].std()
        for height, radiance in ((60.0, 0.2), (-12.0, 0.0006))
    )

    assert 0.5 < day < 4
    assert night > 2 * day


def test_turning_blurs_and_standing_does_not() -> None:
    lens = lens_of(CameraSettings(noise=False, lens_drops=False))
    turned = view_projection((0.0, 0.0, 1.5), 0.04)
    sharp, still, blurred = (
        develop(one, stripes(), before=before).astype(int)
        for one, before in ((lens_of(PLAIN), STILL), (lens, STILL), (lens, turned))
    )

    steepest = [np.abs(np.diff(one.mean(axis=0), axis=0)).max() for one in (sharp, blurred)]
    np.testing.assert_array_equal(still, sharp)
    assert steepest[1] < 0.6 * steepest[0]


def test_drops_lie_on_the_lens_in_rain_only() -> None:
    camera = CameraSettings(motion_blur=False, noise=False)
    scene = np.linspace(0.05, 0.6, 90)[:, None] * np.ones((1, 160))
    wet, plain = (lens_of(settings, rain_mmph=20.0) for settings in (camera, PLAIN))
    off = develop(plain, scene).astype(int)
    shares = [
        (np.abs(develop(wet, scene, START_NS + i * 300_000_000) - off).max(axis=2) > 8).mean()
        for i in range(5)
    ]
    dry = develop(lens_of(camera), scene, LATER_NS)

    assert 0.005 < max(shares) < 0.3
    np.testing.assert_array_equal(dry, develop(lens_of(PLAIN), scene))


def test_drops_gather_and_are_wiped() -> None:
    lens = lens_of(CameraSettings(), rain_mmph=10.0)
    amounts = [lens._drops_at(START_NS + i * 100_000_000).amount for i in range(40)]

    steps = np.diff(amounts)
    assert (steps > 0).mean() > 0.85
    assert steps.min() < -0.5


def test_cells_with_drops_hold_all_that_is_drop() -> None:
    drops = Drops(np.random.default_rng(3))
    state = DropState(0.4, (0.3, 0.8), (-1.0, 1.0))
    picture = np.frombuffer(drops.picture(), np.uint8).reshape(288, 512, 4)
    y, x = np.mgrid[0:360, 0:640]
    places = np.stack([(x + 0.5) / 640, (y + 0.5) / 360], axis=-1) * state.mirror + state.shift
    columns, rows = (np.floor(places * (512, 288)).astype(int) % (512, 288)).transpose(2, 0, 1)
    seen = picture[rows, columns]
    drop = (seen[..., 2] > 0) & (seen[..., 3] <= 255 * state.amount)

    cells = drops.cells(state, (32, 18))
    assert drop.any()
    assert not (drop & ~np.kron(cells, np.ones((20, 20), np.bool_))).any()
    assert cells.mean() < 0.7


def test_low_sun_ahead_dazzles_where_it_is_seen() -> None:
    ahead, behind = (
        lens_of(PLAIN, sun_elevation_deg=6.0, sun_azimuth_deg=azimuth) for azimuth in (0.0, 180.0)
    )
    open_sky, hidden, away = (
        develop(lens, stripes(), depth=depth).astype(int)
        for lens, depth in ((ahead, 1.0), (ahead, 0.99), (behind, 1.0))
    )

    assert (open_sky - away).max() > 20
    np.testing.assert_array_equal(hidden, away)
