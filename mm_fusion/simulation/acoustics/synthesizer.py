# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound at the microphones on the roof, block after block."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics import levels
from mm_fusion.simulation.acoustics.blows import RoadBlows, RoofRain
from mm_fusion.simulation.acoustics.engine import EngineSound
from mm_fusion.simulation.acoustics.noise import NoiseStream
from mm_fusion.simulation.acoustics.room import LONGEST_BLOCK_S, Room
from mm_fusion.simulation.acoustics.scene import between
from mm_fusion.simulation.acoustics.tracks import Column, Tracks
from mm_fusion.simulation.acoustics.traffic_noise import TrafficNoise, is_heavy, vehicle_power
from mm_fusion.simulation.acoustics.voices import HORN, SIRENS
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import AcousticScene
    from mm_fusion.simulation.scenario import MicrophoneSettings

FULL_SCALE_DB = 126.0
"""Sound pressure level of a sine at full scale: a siren that passes at 3 m stays below."""

FULL_SCALE_PA = levels.REFERENCE_PA * math.sqrt(2) * 10 ** (FULL_SCALE_DB / 20)
MICROPHONE_FORWARD_M = 1.2
"""Place of the microphones ahead of base_link, on the roof."""

OWN_LOSS_DB = 20 * math.log10(2.0) + 3.0
"""From 1 m beside the own vehicle to its roof: 2 m, and 3 dB for the body between."""

_BEND = 0.8
"""From this share of full scale on the microphone compresses, and never reaches full scale."""

_PARTS = np.linspace(0.0, 1.0, 3, dtype=np.float64)
"""Where in a piece the times of sending are solved for; between, they are linear."""

_NEARER = 0.8
_MASKED = 0.003
"""A vehicle whose noise has less than this share of the power of the own noise is left out."""

_HIGHEST = 0.47
"""Of the sample rate: partials above it would fold."""


class SoundSynthesizer:
    """Make the sound of a drive, one block after another, from the past alone.

    The sound is that of a microphone without automatic gain: pressure over ``FULL_SCALE_PA``,
    with a smooth bend above 80 % of full scale. The same scenes, settings, seed and lengths of
    the blocks give the same samples.

    Args:
        settings: Of the microphone.
        seed: Of the noise.
    """

    def __init__(self, settings: MicrophoneSettings, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        rate = settings.sample_rate_hz
        self._rate_hz = rate
        self._piece = max(int(LONGEST_BLOCK_S * rate), 1)
        self._noise = NoiseStream(
            rate, settings.channels, settings.spacing_m, self._random('noise')
        )
        self._engine = EngineSound(rate, self._random('engine'))
        self._blows = RoadBlows(rate, self._random('road'))
        self._rain = [
            RoofRain(rate, self._random('rain', str(i))) for i in range(settings.channels)
        ]
        self._self_pa2 = FULL_SCALE_PA**2 / 2 * 10 ** (settings.self_noise_db / 10)
        self._traffic = TrafficNoise(rate, self._random('traffic'))
        self._room = Room(rate, settings.channels)
        self._ears_m = (
            settings.spacing_m / 2 * np.array([1.0, -1.0]) if settings.channels == 2 else [0.0]
        )
        self._tracks: Tracks | None = None
        self._origin_s = 0.0
        self._offsets: dict[int, float] = {}

    def block(self, begin: AcousticScene, end: AcousticScene, count: int) -> NDArray[np.int16]:
        """Give the sound between two scenes, int16 (count, channels), left first.

        Each block begins with the scene that ended the one before; ``count`` samples last as
        long as the scenes are apart.

        Raises:
            ValueError: The times of the scenes do not fit.
        """
        if self._tracks is None:
            self._tracks = Tracks(begin)
            self._origin_s = begin.time_s
        half = 0.5 / self._rate_hz
        if abs(begin.time_s - self._tracks.end_s) > half:
            raise ValueError(
                f'block begins at {begin.time_s:.6f} s, expected {self._tracks.end_s:.6f} s'
            )
        if abs(end.time_s - begin.time_s - count / self._rate_hz) > half or count < 1:
            raise ValueError(
                f'{count} samples between {begin.time_s:.6f} s and {end.time_s:.6f} s: expected '
                f'{(end.time_s - begin.time_s) * self._rate_hz:.2f}'
            )
        pieces = math.ceil(count / self._piece)
        bounds = [count * i // pieces for i in range(pieces + 1)]
        scenes = [begin, *(between(begin, end, b / count) for b in bounds[1:-1]), end]
        parts = [
            self._make(scenes[i], scenes[i + 1], bounds[i + 1] - bounds[i], self._tracks)
            for i in range(pieces)
        ]
        return digital(np.concatenate(parts, axis=1))

    def _make(
        self, begin: AcousticScene, end: AcousticScene, count: int, tracks: Tracks
    ) -> NDArray[np.float64]:
        """Give one piece, Pa, float64 (channels, count)."""
        tracks.advance(end)
        surface = levels.surface_factor(begin.friction, begin.material, begin.unevenness)
        own = own_noise(begin, surface)
        diffuse, local = self._noise.sound(
            own,
            levels.wind(math.hypot(begin.speed_mps, begin.wind_mps)),
            self._self_pa2,
            count,
        )
        outside = diffuse + self._engine.sound(begin, end, count)
        outside += self._blows.sound(begin, count)
        masked = _MASKED * (float(own.sum()) + self._self_pa2)
        power, rows = _audible(end, tracks, surface, masked)
        if len(rows):
            for channel, left in enumerate(self._ears_m):
                outside[channel] += self._others(begin, end, tracks, rows, power, count, left)
        sound = outside + local + self._room.sound(outside[0], begin.enclosure)
        for channel, rain in enumerate(self._rain):
            drops = rain.sound(begin.rain_mmph, count)
            if drops is not None:
                sound[channel] += drops
        return np.asarray(sound)

    def _others(
        self,
        begin: AcousticScene,
        end: AcousticScene,
        tracks: Tracks,
        rows: NDArray[np.int64],
        power: NDArray[np.float64],
        count: int,
        left_m: float,
    ) -> NDArray[np.float64]:
        """Give what one microphone hears of some of the other vehicles."""
        part = _PARTS
        ears = (1 - part)[:, None] * _ear(begin, left_m) + part[:, None] * _ear(end, left_m)
        heard = begin.time_s + (end.time_s - begin.time_s) * part
        arrival = tracks.arrival(rows, heard, ears)
        hats = _hats(count)
        sent = (arrival.sent_s - self._origin_s) @ hats
        sources = [tracks.sources[row] for row in rows]
        total = self._traffic.sound(sent, arrival, power, sources)
        gates = arrival.state[:, :, [Column.SIREN, Column.HORN]] * arrival.audible[..., None]
        gates /= np.maximum(arrival.distance_m, 1.0)[..., None]
        for row, kind in np.argwhere(gates.max(axis=1) > 0):
            siren = sources[row].siren
            voice = HORN if kind or siren is None else SIRENS[siren]
            total += voice.sound(
                sent[row] + self._offset(sources[row].id),
                gates[row, :, kind] @ hats,
                arrival.distance_m[row, [0, -1]],
                _HIGHEST * self._rate_hz,
            )
        return total

    def _offset(self, number: int) -> float:
        """Give the phase of the siren of a vehicle, as a time."""
        if number not in self._offsets:
            self._offsets[number] = float(self._random('siren', str(number)).uniform(0.0, 60.0))
        return self._offsets[number]

    def _random(self, *names: str) -> np.random.Generator:
        return generator(self._seed, 'microphone', *names)


def own_noise(scene: AcousticScene, surface: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the noise of the own vehicle and of the rain around at its roof, Pa² by octave band.

    Args:
        scene: With the speed, the engine and the rain.
        surface: float64 (8,), what the road does to rolling noise.
    """
    power = levels.rolling(scene.speed_mps, 0) * surface
    if scene.engine_on:
        # The bands below belong to the orders of the crankshaft.
        power[3:] += levels.propulsion(scene.speed_mps, 0)[3:]
    return np.asarray(power * 10 ** (-OWN_LOSS_DB / 10) + levels.rainfall(scene.rain_mmph))


def _audible(
    scene: AcousticScene, tracks: Tracks, surface: NDArray[np.float64], masked_pa2: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Choose the sources that sound a warning, or whose noise is not masked by the own one.

    Returns:
        float64 (s, 8), their power at 1 m, Pa² by octave band; int64 (s,), their rows.
    """
    values = tracks.values
    now = values[:, -1]
    square = (now[:, Column.X] - scene.x_m) ** 2 + (now[:, Column.Y] - scene.y_m) ** 2
    power = vehicle_power(now[:, Column.SPEED], is_heavy(tracks.sources), surface)
    # What is heard now was sent a little nearer or further away.
    noisy = power.sum(axis=1) > masked_pa2 * (_NEARER * square)
    warning = values[:, :, [Column.SIREN, Column.HORN]].any(axis=(1, 2))
    rows = np.flatnonzero(noisy | warning)
    return power[rows], rows


def _ear(scene: AcousticScene, left_m: float) -> NDArray[np.float64]:
    cos, sin = math.cos(scene.heading_rad), math.sin(scene.heading_rad)
    return np.array([
        scene.x_m + MICROPHONE_FORWARD_M * cos - left_m * sin,
        scene.y_m + MICROPHONE_FORWARD_M * sin + left_m * cos,
    ])  # fmt: skip


@functools.lru_cache(maxsize=16)
def _hats(count: int) -> NDArray[np.float64]:
    """Give the weights of the grid's points at each sample, float64 (grid, count)."""
    place = np.arange(count) / count * (len(_PARTS) - 1)
    return np.asarray(np.maximum(1 - np.abs(place - np.arange(len(_PARTS))[:, None]), 0.0))


def digital(pressure: NDArray[np.float64]) -> NDArray[np.int16]:
    """Turn pressure, Pa, (channels, n), into samples, int16 (n, channels).

    Linear up to 80 % of full scale; beyond, it bends smoothly and never reaches over full scale.
    """
    share = pressure.T / FULL_SCALE_PA
    above = np.maximum(np.abs(share) - _BEND, 0.0) / (1 - _BEND)
    if above.any():
        bent = np.sign(share) * (_BEND + (1 - _BEND) * np.tanh(above))
        share = np.where(above > 0, bent, share)
    return np.asarray(np.rint(32767 * share), np.int16)
