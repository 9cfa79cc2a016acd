# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cost of the simulated microphone, a picture of what it hears, and clips for the siren network.

    python -m benchmarks.simulation_sound [--seconds 20] [--check]
    python -m benchmarks.simulation_sound --figure docs/images/simulation_sound.png
    python -m benchmarks.simulation_sound --clips FOLDER && mm_fusion validate sounds FOLDER

The cost is CPU time of one core for a second of sound at 16 kHz in blocks of 20 ms.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from mm_fusion.simulation.acoustics import AcousticScene, SoundSynthesizer, SourceState
from mm_fusion.simulation.acoustics.audibility import MARGIN_DB, masking_db, siren_level_db
from mm_fusion.simulation.scenario import MicrophoneSettings
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mm_fusion.simulation.world import Siren

    SceneAt = Callable[[float], AcousticScene]

LIMIT_MS_PER_S = 40.0
RATE_HZ = 16_000
_BLOCK = 320
_CLIP_S = 3.0
_SIRENS: tuple[Siren, ...] = ('wail', 'yelp', 'two_tone')


def one_of(classes: tuple[str, ...], name: str) -> tuple[float, ...]:
    """Give shares that are all of one class."""
    return tuple(float(entry == name) for entry in classes)


def surface(
    friction: str, material: str = 'asphalt', speed_mps: float = 14.0, *, engine_on: bool = True
) -> SceneAt:
    """Drive on a surface at one speed, with nobody around."""
    scene = AcousticScene(
        0.0,
        speed_mps=speed_mps,
        friction=one_of(FRICTION_CLASSES, friction),
        material=one_of(MATERIAL_CLASSES, material),
        engine_on=engine_on,
    )
    return lambda time_s: replace(scene, time_s=time_s, x_m=speed_mps * time_s)


def passing(siren: Siren, speed_mps: float, beside_m: float, passes_s: float) -> SceneAt:
    """Let a siren pass a vehicle that stands, its engine off."""

    def scene(time_s: float) -> AcousticScene:
        x = 1.2 + speed_mps * (passes_s - time_s)
        source = SourceState(1, 'ambulance', x, beside_m, math.pi, speed_mps, siren, siren_on=True)
        return AcousticScene(time_s, engine_on=False, sources=(source,))

    return scene


def traffic(vehicles: int, **more: Any) -> SceneAt:
    """Drive with others ahead, behind and oncoming."""

    def scene(time_s: float) -> AcousticScene:
        sources = tuple(
            SourceState(
                i, 'truck' if i % 5 == 0 else 'car',
                *((-120 + 25 * i + 14 * time_s, 0.0, 0.0) if i % 2 else
                  ((60 * i - 28 * time_s) % 400 - 200 + 14 * time_s, 3.5, math.pi)),
                14.0,
            )
            for i in range(vehicles)
        )  # fmt: skip
        given = {**more, 'sources': (*sources, *more.get('sources', ()))}
        return AcousticScene(time_s, x_m=14 * time_s, speed_mps=14.0, **given)

    return scene


def listen(scene_at: SceneAt, duration_s: float, seed: int = 1) -> NDArray[np.int16]:
    """Give the samples of one microphone, int16 (n,)."""
    synthesizer = SoundSynthesizer(MicrophoneSettings(), seed)
    scenes = [scene_at(i * _BLOCK / RATE_HZ) for i in range(round(duration_s * 50) + 1)]
    blocks = [synthesizer.block(*pair, _BLOCK) for pair in itertools.pairwise(scenes)]
    return np.concatenate(blocks)[:, 0]


def cost_ms_per_s(scene_at: SceneAt, seconds: float, channels: int = 1) -> float:
    """Give the CPU time of a second of sound, without making the scenes."""
    synthesizer = SoundSynthesizer(MicrophoneSettings(channels=channels), 1)
    scenes = [scene_at(i * _BLOCK / RATE_HZ) for i in range(round(seconds * 50) + 1)]
    begin = time.thread_time()
    for pair in itertools.pairwise(scenes):
        synthesizer.block(*pair, _BLOCK)
    return (time.thread_time() - begin) / seconds * 1e3


def costs(seconds: float) -> dict[str, float]:
    """Measure drives of growing richness; the second is what the limit is for."""
    wet = one_of(FRICTION_CLASSES, 'wet')
    siren = SourceState(99, 'police', 60.0, 4.0, math.pi, 0.0, 'wail', siren_on=True)
    rich = traffic(13, sources=(siren,), friction=wet, rain_mmph=5.0, enclosure='street')
    return {
        'alone, open road': cost_ms_per_s(surface('dry'), seconds),
        '14 vehicles, open road': cost_ms_per_s(traffic(14), seconds),
        '14 vehicles, siren, rain, street': cost_ms_per_s(rich, seconds),
        'the same, two microphones': cost_ms_per_s(rich, seconds, channels=2),
    }


def clips(count: int) -> Iterator[tuple[str, str, SceneAt]]:
    """Draw drives of 3 s with and without a siren: label, sublabel, scenes.

    A siren is drawn again where it is not audible by the rule of the simulator's truth.
    """
    rng = np.random.default_rng(7)
    for i in range(count):
        friction = str(rng.choice(FRICTION_CLASSES))
        material = str(rng.choice(MATERIAL_CLASSES))
        base = AcousticScene(
            0.0,
            speed_mps=float(rng.uniform(0, 33)),
            friction=one_of(FRICTION_CLASSES, friction),
            material=one_of(MATERIAL_CLASSES, material),
            rain_mmph=float(rng.choice([0.0, 0.0, 3.0, 10.0])),
            wind_mps=float(rng.uniform(0, 10)),
            enclosure=['open', 'street', 'tunnel'][int(rng.integers(3))],  # type: ignore[arg-type]
        )
        cars = tuple(
            (float(rng.uniform(-80, 80)), float(rng.choice([-3.5, 3.5])), rng.uniform(-20, 20))
            for _ in range(int(rng.integers(6)))
        )
        yield 'nosiren', material if friction == 'dry' else friction, _drive(base, cars, None)
        if i % 6 == 0:
            yield 'nosiren', 'horn', _drive(base, cars, None, horn_m=float(rng.uniform(5, 60)))
        siren = _SIRENS[i % 3]
        distance = float(rng.uniform(10, 300))
        noise = masking_db(base, 500.0 if siren == 'two_tone' else 1000.0, -66.0)
        while siren_level_db(siren, distance + 60) < noise + MARGIN_DB and distance > 5:
            distance /= 2
        start = (distance, 3.5, -float(rng.uniform(0, 20)))
        yield 'siren', siren, _drive(base, cars, (siren, *start))


def _drive(
    base: AcousticScene,
    cars: tuple[tuple[float, float, float], ...],
    siren: tuple[Siren, float, float, float] | None,
    horn_m: float = 0.0,
) -> SceneAt:
    def scene(time_s: float) -> AcousticScene:
        x = base.speed_mps * time_s
        sources = [
            SourceState(
                i, 'car', x + a + v * time_s, b, 0.0 if base.speed_mps + v > 0 else math.pi,
                abs(base.speed_mps + v),
            )
            for i, (a, b, v) in enumerate(cars)
        ]  # fmt: skip
        if siren is not None:
            kind, a, b, v = siren
            sources.append(
                SourceState(
                    90, 'ambulance', x + a + v * time_s, b, math.pi, abs(base.speed_mps + v),
                    kind, siren_on=True,
                )
            )  # fmt: skip
        if horn_m:
            on = 0.5 < time_s < 1.7
            sources.append(SourceState(91, 'car', x + horn_m, 3.5, 0.0, 0.0, horn_on=on))
        return replace(base, time_s=time_s, x_m=x, sources=tuple(sources))

    return scene


def write_clips(folder: Path, count: int) -> None:
    """Write WAV files and the ``labels.csv`` that ``mm_fusion validate sounds`` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / 'labels.csv').open('w', encoding='utf-8', newline='') as stream:
        table = csv.writer(stream)
        table.writerow(['file', 'label', 'sublabel', 'group'])
        for i, (label, sublabel, scene) in enumerate(clips(count)):
            name = f'{i:04d}_{label}_{sublabel}.wav'
            samples = listen(scene, _CLIP_S, seed=i)
            soundfile.write(folder / name, samples, RATE_HZ)
            table.writerow([name, label, sublabel, f'simulated-{i}'])


def main() -> int:
    """Measure, draw or write, as asked."""
    parser = argparse.ArgumentParser(description='Cost and looks of the simulated microphone.')
    parser.add_argument('--seconds', type=float, default=20.0, help='length of each drive')
    parser.add_argument('--check', action='store_true', help='exit 1 where the limit is missed')
    parser.add_argument('--figure', type=Path, help='write the picture, and nothing else')
    parser.add_argument('--clips', type=Path, help='write clips with labels, and nothing else')
    parser.add_argument('--count', type=int, default=120, help='clips with a siren')
    arguments = parser.parse_args()
    if arguments.figure is not None or arguments.clips is not None:
        if arguments.figure is not None:
            from benchmarks.simulation_sound_figure import draw

            draw(arguments.figure)
        if arguments.clips is not None:
            write_clips(arguments.clips, arguments.count)
        return 0
    found = costs(arguments.seconds)
    for name, cost in found.items():
        print(f'{name:34} {cost:6.1f} ms/s {cost / 10:5.1f} % of real time')
    kept = found['14 vehicles, open road'] <= LIMIT_MS_PER_S
    print(f'limit: {LIMIT_MS_PER_S:g} ms/s with 14 vehicles: {"kept" if kept else "missed"}')
    return int(arguments.check and not kept)


if __name__ == '__main__':
    raise SystemExit(main())
