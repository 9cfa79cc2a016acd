# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated camera sees: sheets to look at, statistics, and what a bundle makes of it.

    python -m benchmarks.simulation_images sheet      every friction class on every material
    python -m benchmarks.simulation_images weather    light and weather
    python -m benchmarks.simulation_images statistics --real DIR [--set DIR]
                                                      beside labelled photographs
    python -m benchmarks.simulation_images validate [--set DIR] [--each 2] [--bundle base]
                                                      the score of a bundle on rendered frames

The rendered set is kept in ``--set`` and rendered where it is not there.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.image_statistics import COLUMNS, read_statistics
from mm_fusion.cli.validate import roads
from mm_fusion.labels import LABELS_FILE, SURFACE_CLASSES
from mm_fusion.simulation.rendering import CameraRenderer
from mm_fusion.simulation.scenario import (
    RoadSettings,
    Scenario,
    SurfaceStretch,
    TrafficSettings,
    WeatherKey,
)
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.world import START_NS, STEP_NS, Motion
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

_IMAGES = Path(__file__).resolve().parent.parent / 'docs' / 'images'
_KINDS = {
    'asphalt': ('rural', 'town', 'motorway'),
    'concrete': ('motorway', 'rural'),
    'cobble': ('town',),
    'gravel': ('rural',),
    'mud': ('rural',),
}
"""Kinds of road on which a material is found."""

_CAPTION_PX = 18
_STATISTICS_PX = 250
_WEATHERS: dict[str, dict[str, Any]] = {
    'day': {},
    'low sun': {'sun_elevation_deg': 7.0, 'cloud_cover': 0.2},
    'dusk': {'sun_elevation_deg': -5.0, 'cloud_cover': 0.25},
    'fog': {'visibility_m': 90.0, 'cloud_cover': 0.9},
    'rain': {'rain_mmph': 8.0, 'friction': 'wet'},
    'snowfall': {'snowfall_mmph': 2.0, 'friction': 'fresh_snow'},
    'tunnel': {'tunnel': True},
    'night': {'sun_elevation_deg': -12.0, 'rain_mmph': 1.0, 'friction': 'wet'},
}


def main() -> int:
    """Run one of the parts."""
    parser = argparse.ArgumentParser(description='Images of the simulated camera.')
    parts = parser.add_subparsers(dest='part', required=True)
    for name, default in (('sheet', 'surfaces'), ('weather', 'weather')):
        part = parts.add_parser(name)
        part.add_argument('--out', type=Path, default=_IMAGES / f'simulation_{default}.jpg')
    for name in ('statistics', 'validate'):
        part = parts.add_parser(name)
        part.add_argument('--set', type=Path, help='folder of the rendered set')
        part.add_argument('--each', type=int, default=2, help='frames of each combination')
    parts.choices['statistics'].add_argument('--real', type=Path, required=True)
    parts.choices['validate'].add_argument('--bundle', default='base')
    options = parser.parse_args()
    if options.part == 'sheet':
        _write(options.out, _surface_sheet())
    elif options.part == 'weather':
        _write(options.out, _weather_sheet())
    else:
        with tempfile.TemporaryDirectory() as scratch:
            folder = options.set or Path(scratch)
            if not (folder / LABELS_FILE).exists():
                _render_set(folder, options.each)
            if options.part == 'statistics':
                _print_statistics(options.real, folder)
            else:
                roads(folder, options.bundle)
    return 0


def _surface_sheet() -> NDArray[np.uint8]:
    rows = []
    for friction in FRICTION_CLASSES:
        tiles = []
        for material in MATERIAL_CLASSES:
            scenario = _scenario(3, friction, material, 'slight', _KINDS[material][0])
            frame = _frames(scenario, 1)[0]
            height, width = frame.shape[:2]
            road = frame[int(0.30 * height) :, int(0.14 * width) : int(0.86 * width)]
            tiles.append(_captioned(_resized(road, 272, 149), f'{friction}, {material}'))
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def _weather_sheet() -> NDArray[np.uint8]:
    tiles = []
    for name, changes in _WEATHERS.items():
        weather = {key: changes[key] for key in changes if key in WeatherKey.__annotations__}
        scenario = Scenario(
            seed=5,
            duration_s=25.0,
            road=RoadSettings(
                kind='town' if name not in ('tunnel', 'low sun') else 'rural',
                tunnel_from_m=60.0,
                tunnel_length_m=500.0 if 'tunnel' in changes else 0.0,
            ),
            surface=(SurfaceStretch(friction=changes.get('friction', 'dry')),),
            weather=(WeatherKey(**weather),),
        )
        world = simulate_world(scenario)
        if name == 'low sun':
            heading = np.degrees(world.state_at(world.ego, _quiet_ns(world, 1)[0])[Motion.HEADING])
            ahead = replace(scenario.weather[0], sun_azimuth_deg=float((heading + 8) % 360))
            scenario = replace(scenario, weather=(ahead,))
        tiles.append(_captioned(_resized(_frames(scenario, 1)[0], 480, 270), name))
    return np.vstack([np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)])


def _scenario(
    seed: int, friction: str, material: str, unevenness: str, kind: str, **weather: float
) -> Scenario:
    usual = {
        'dry': {},
        'wet': {'cloud_cover': 0.9},
        'water': {'cloud_cover': 0.95, 'rain_mmph': 5.0},
        'fresh_snow': {'cloud_cover': 0.6, 'sun_elevation_deg': 20.0},
        'melted_snow': {'cloud_cover': 0.9, 'sun_elevation_deg': 20.0},
        'ice': {'cloud_cover': 0.3, 'sun_elevation_deg': 15.0},
    }[friction]
    return Scenario(
        seed=seed,
        duration_s=25.0,
        road=RoadSettings(kind=kind),
        surface=(SurfaceStretch(friction=friction, material=material, unevenness=unevenness),),
        weather=(WeatherKey(**{**usual, **weather}),),
        traffic=TrafficSettings(vehicles=8, parked=6),
    )


def _drawn(friction: str, material: str, unevenness: str, number: int) -> Scenario:
    """Draw road, weather and light of one scene of the set."""
    seed = zlib.crc32(f'{friction} {material} {unevenness} {number}'.encode())
    rng = np.random.default_rng(seed)
    weather = {
        'sun_elevation_deg': rng.uniform(8, 60),
        'sun_azimuth_deg': rng.uniform(-180, 180),
        'visibility_m': float(np.exp(rng.uniform(np.log(600), np.log(20_000)))),
    }
    if friction in ('dry', 'ice'):
        weather['cloud_cover'] = rng.uniform(0, 1)
    elif friction in ('wet', 'water'):
        weather['cloud_cover'] = rng.uniform(0.5, 1)
        weather['rain_mmph'] = rng.choice([0.0, 1.0]) * rng.uniform(0, 8)
    else:
        weather['cloud_cover'] = rng.uniform(0.2, 1)
        weather['snowfall_mmph'] = rng.choice([0.0, 1.0]) * rng.uniform(0, 1.5)
    kind = str(rng.choice(_KINDS[material]))
    return _scenario(seed, friction, material, unevenness, kind, **weather)


def _frames(scenario: Scenario, count: int) -> list[NDArray[np.uint8]]:
    world = simulate_world(scenario)
    with CameraRenderer(world) as renderer:
        return [renderer.render(stamp_ns)[0] for stamp_ns in _quiet_ns(world, count)]


def _quiet_ns(world: World, count: int) -> list[int]:
    """Give times at which the road ahead is straight and empty."""
    steps = np.arange(100, world.steps - 50, 10)
    ego = world.ego.states[steps]
    ahead_m = world.roads.main.course.curvature_at(ego[:, Motion.ARC, None] + np.arange(0, 40, 4))
    cost = 20 * np.abs(ahead_m).max(axis=1)
    for vehicle in world.vehicles:
        offset = vehicle.states[steps][:, :2] - ego[:, :2]
        heading = ego[:, Motion.HEADING]
        along = offset[:, 0] * np.cos(heading) + offset[:, 1] * np.sin(heading)
        beside = np.abs(offset[:, 1] * np.cos(heading) - offset[:, 0] * np.sin(heading))
        cost += np.where((along > 0) & (along < 30) & (beside < 2.2), 1 - along / 30, 0)
    for junction in world.roads.junctions:
        away = junction.arc_m - ego[:, Motion.ARC]
        cost += np.where((away > -10) & (away < 30), 0.5, 0)
    found: list[int] = []
    for index in np.argsort(cost, kind='stable'):
        if all(abs(steps[index] - step) >= 150 for step in found):
            found.append(int(steps[index]))
        if len(found) == count:
            break
    return [START_NS + step * STEP_NS for step in found]


def _render_set(folder: Path, each: int) -> None:
    """Render frames of all classes, with the labels that a person would give them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LABELS_FILE).open('w', encoding='utf-8', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(['file', *SURFACE_CLASSES])
        combinations = itertools.product(FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES)
        for labels in combinations:
            # Under fresh snow neither the material nor its unevenness can be told.
            seen = labels if labels[0] != 'fresh_snow' else (labels[0], '', '')
            for number, frame in enumerate(_frames(_drawn(*labels, 0), each)):
                name = f'{"-".join(labels)}-{number}.jpg'
                cv2.imwrite(str(folder / name), frame[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 92))
                writer.writerow([name, *seen])


def _print_statistics(real: Path, simulated: Path) -> None:
    sets = [
        (name, *read_statistics(folder))
        for name, folder in (('photographs', real), ('simulated', simulated))
    ]
    print(f'{"class":18}{"set":14}{"images":>7}' + ''.join(f'{name:>16}' for name in COLUMNS))
    for label in (*FRICTION_CLASSES, *MATERIAL_CLASSES, *UNEVENNESS_CLASSES):
        for name, labels, statistics in sets:
            chosen = statistics[[label in classes for classes in labels]]
            if not len(chosen):
                continue
            cells = (
                f'{mean:.3f} ± {deviation:.3f}'
                for mean, deviation in zip(chosen.mean(axis=0), chosen.std(axis=0))
            )
            print(
                f'{label:18}{name:14}{len(chosen):>7}' + ''.join(f'{cell:>16}' for cell in cells)
            )


def _captioned(tile: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    band = np.full((_CAPTION_PX, tile.shape[1], 3), 255, np.uint8)
    place = (5, _CAPTION_PX - 5)
    cv2.putText(band, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([band, tile])


def _resized(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(path), image[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 82))
    print(f'{path}: {image.shape[1]}×{image.shape[0]}, {path.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    raise SystemExit(main())
