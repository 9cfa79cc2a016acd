# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost of a camera frame of the simulator, stage by stage.

    python -m benchmarks.simulation_camera [--frames 90] [--scenario town] [--shader lite full]

A drive of a scenario is rendered at 15 Hz of its time, read-back included, as fast as it goes. The
first table holds whole frames; for the second, OpenGL finishes after each stage, so that what it
does is counted where it was asked for: this takes a little longer in all. CPU time is that of all
threads; on a busy machine it grows too, as threads share caches. ``LP_NUM_THREADS`` sets the
threads of Mesa's software renderer.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from mm_fusion.simulation.rendering import CameraRenderer, lens, precipitation, renderer, scene
from mm_fusion.simulation.rendering.fleet import Fleet
from mm_fusion.simulation.rendering.shadows import ShadowMap
from mm_fusion.simulation.rendering.stage import Stage
from mm_fusion.simulation.scenario_file import load_scenario
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fusion.simulation.world import World

_STEP_NS = 66_666_667
_WARM_UP = 5
_STAGES: tuple[tuple[str, type, str], ...] = (
    ('static scene made', Stage, 'prepare'),
    ('vehicles placed', Fleet, 'place'),
    ('shadow map', ShadowMap, 'draw'),
    ('mirror image', scene.Scene, '_draw_mirrored'),
    ('seen scene', scene.Scene, '_draw_seen'),
    ('precipitation', precipitation.Precipitation, 'draw'),
    ('lens', lens.Lens, 'apply'),
    ('read back', renderer.CameraRenderer, '_read'),
)


def rendered(world: World, frames: int) -> tuple[float, float]:
    """Return CPU and wall time of a frame, in milliseconds."""
    with CameraRenderer(world) as camera:
        for index in range(_WARM_UP):
            camera.render(START_NS + index * _STEP_NS)
        cpu, wall = time.process_time(), time.perf_counter()
        for index in range(_WARM_UP, _WARM_UP + frames):
            camera.render(START_NS + index * _STEP_NS)
        spent = time.process_time() - cpu, time.perf_counter() - wall
    return 1e3 * spent[0] / frames, 1e3 * spent[1] / frames


def by_stage(world: World, frames: int) -> dict[str, tuple[float, float]]:
    """Return CPU and wall time that each stage adds to a frame, in milliseconds."""
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    on = False

    def timed(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            cpu, wall = time.process_time(), time.perf_counter()
            result = method(self, *args, **kwargs)
            camera._ctx.finish()
            if on:
                spent[name][0] += time.process_time() - cpu
                spent[name][1] += time.perf_counter() - wall
            return result

        return call

    with CameraRenderer(world) as camera:
        patches = [
            mock.patch.object(owner, method, timed(name, getattr(owner, method)))
            for name, owner, method in _STAGES
        ]
        for patch in patches:
            patch.start()
        for index in range(_WARM_UP + frames):
            on = index >= _WARM_UP
            camera.render(START_NS + index * _STEP_NS)
        for patch in patches:
            patch.stop()
    return {
        name: (1e3 * spent[name][0] / frames, 1e3 * spent[name][1] / frames)
        for name, _, _ in _STAGES
        if name in spent
    }


def resident_mib() -> float:
    """Return the memory that the process holds now."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def main() -> int:
    """Measure the shaders asked for, and print the tables."""
    parser = argparse.ArgumentParser(description='Measure the camera of the simulator.')
    parser.add_argument('--frames', type=int, default=90)
    parser.add_argument('--scenario', default='town')
    parser.add_argument('--shader', nargs='+', default=['lite', 'full'])
    options = parser.parse_args()
    scenario = load_scenario(options.scenario)
    seconds = (_WARM_UP + options.frames) * _STEP_NS * 1e-9 + 1.0
    if scenario.duration_s < seconds:
        parser.error(f'found {options.frames} frames, expected at most the length of the drive')
    size = f'{scenario.camera.width}x{scenario.camera.height}'
    threads = os.environ.get('LP_NUM_THREADS', 'as many as cores')
    print(f'{options.scenario}, {size}, {options.frames} frames, threads: {threads}')
    world = simulate_world(dataclasses.replace(scenario, duration_s=seconds))
    for shader in options.shader:
        camera = dataclasses.replace(scenario.camera, shader=shader)
        drive = dataclasses.replace(
            world, scenario=dataclasses.replace(world.scenario, camera=camera)
        )
        cpu, wall = rendered(drive, options.frames)
        print(f'\n{shader:24} {"CPU ms":>8} {"wall ms":>8}')
        print(f'{"whole frame":24} {cpu:8.1f} {wall:8.1f}')
        for name, (cpu, wall) in by_stage(drive, options.frames).items():
            print(f'  {name:22} {cpu:8.2f} {wall:8.2f}')
        print(f'{"resident":24} {resident_mib():8.0f} MiB')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
