# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A microphone for simulators that have none: from odometry and objects to blocks of sound.

Sound is made a moment late (``delay_s``), so that the vehicle and the objects are known before
and after each instant and move smoothly between their messages: a jump would be heard. Nothing
of ROS is imported here; messages are read by their fields.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mm_fusion.errors import SampleError, SettingsError
from mm_fusion.messages import odometry_pose
from mm_fusion.messages.fields import finite, guarded
from mm_fusion.ros.sound_objects import object_list
from mm_fusion.ros.sound_paths import Path, State
from mm_fusion.simulation.acoustics import AcousticScene, SoundSynthesizer, SourceState
from mm_fusion.simulation.samples import SoundBlock
from mm_fusion.simulation.scenario import MicrophoneSettings
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from mm_fusion.ros.sound_options import SoundOptions
    from mm_fusion.simulation.acoustics.scene import Enclosure
    from mm_fusion.simulation.world import Siren, VehicleKind

_NS = 1_000_000_000
_LONGEST_CATCH_UP_NS = _NS
_FORGOTTEN_NS = _NS
"""An object that is not told of any more goes straight on for so long."""

_OWN_M = 2.0
"""An object nearer to base_link than this is the own vehicle."""


@dataclass(slots=True)
class _Other:
    """An object that is heard."""

    kind: VehicleKind
    siren: Siren | None
    path: Path


class SoundSource:
    """Make blocks of sound as time goes on.

    Args:
        options: The microphone, and what no topic tells.

    Attributes:
        restarts: How often time went back, and everything began anew.
        told: Whether odometry has come.
        surface: Shares of the friction classes, the materials and the levels of unevenness.
        notices: What the user is to know, a sentence each; whoever logs them empties the list.

    Raises:
        SettingsError: The list of numbers is none.
    """

    def __init__(self, options: SoundOptions) -> None:
        self._options = options
        self._siren_ids = _numbers(options.siren_ids)
        self._microphone = MicrophoneSettings(
            sample_rate_hz=options.sample_rate_hz,
            channels=options.channels,
            spacing_m=options.spacing_m,
            chunk_s=options.chunk_s,
            self_noise_db=options.self_noise_db,
        )
        self._count = max(round(options.chunk_s * options.sample_rate_hz), 1)
        self.surface: tuple[tuple[float, ...], ...] = (
            _one_of(FRICTION_CLASSES, options.friction),
            _one_of(MATERIAL_CLASSES, options.material),
            _one_of(UNEVENNESS_CLASSES, options.unevenness),
        )
        self.restarts = 0
        self.notices: list[str] = []
        self._said: set[str] = set()
        self._now_ns = 0
        self._frames = ('', '')
        self.told = False
        self._ego = Path()
        self._others: dict[int, _Other] = {}
        self._synthesizer: SoundSynthesizer | None = None
        self._scene = AcousticScene(0.0)
        self._start_ns = 0
        self._done = 0

    def add_odometry(self, msg: Any) -> None:
        """Take the pose and the speed of the own vehicle from ``nav_msgs/Odometry``.

        Raises:
            SampleError: The message cannot be used.
        """
        pose = odometry_pose(msg)
        self._frames = (str(msg.header.frame_id), str(msg.child_frame_id))
        self._ego.add(State(pose.stamp_ns, pose.x_m, pose.y_m, pose.heading_rad, pose.speed_mps))
        self.told = True

    def add_objects(self, msg: Any, received_ns: int) -> None:
        """Take the objects around; those that come before any odometry are left out.

        Raises:
            SampleError: The message cannot be used.
        """
        siren = cast('Siren', self._options.siren)
        found = object_list(msg, received_ns, siren, self._siren_ids)
        if not self.told:
            return
        ego = self._ego.at(found.stamp_ns)
        fixed, vehicle = self._frames
        relative = found.frame_id == vehicle != fixed
        if not relative and found.objects and found.frame_id not in ('', fixed):
            self._notice(f'objects: found frame {found.frame_id}, taken for {fixed} of odometry')
        present = set()
        for item in found.objects:
            x, y, heading = item.x_m, item.y_m, item.heading_rad
            if relative:
                cos, sin = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
                x, y = ego.x_m + cos * x - sin * y, ego.y_m + sin * x + cos * y
                heading += ego.heading_rad
            if math.hypot(x - ego.x_m, y - ego.y_m) < _OWN_M:
                continue
            present.add(item.number)
            other = self._others.get(item.number)
            if other is None:
                other = self._others[item.number] = _Other(item.kind, item.siren, Path())
            other.kind, other.siren = item.kind, item.siren
            speed = other.path.speed_to(found.stamp_ns, x, y)
            other.path.add(State(found.stamp_ns, x, y, heading, speed))
        gone = set(self._others) - present if found.complete else set(found.deleted)
        for number in gone:
            self._others.pop(number, None)

    def add_road_state(self, msg: Any) -> None:
        """Take the surface from ``mm_fusion_msgs/RoadState``.

        Raises:
            SampleError: The message cannot be used.
        """
        self.surface = _surface_of(msg)

    def advance(self, now_ns: int) -> list[SoundBlock]:
        """Make the blocks that end up to ``delay_s`` ago.

        Nothing is made before odometry has come, nor ``timeout_s`` after it has ceased to come.
        Where time goes back, all is forgotten; where it leaps ahead, what lies between is left
        out.

        Returns:
            Stamped with the first sample; ``received_ns`` is ``now_ns``.
        """
        if now_ns < self._now_ns:
            self.restarts += 1
            self.notices.append(
                f'time went back by {(self._now_ns - now_ns) / _NS:.3f} s: begins anew '
                f'({self.restarts} times until now)'
            )
            self._begin_anew()
        self._now_ns = now_ns
        if not self.told:
            return []
        late_ns = now_ns - self._ego.newest.stamp_ns
        if late_ns > self._options.timeout_s * _NS:
            if self._synthesizer is not None:
                self.notices.append(f'no odometry for {late_ns / _NS:.2f} s: no sound until then')
                self._synthesizer = None
            return []
        horizon_ns = now_ns - round(self._options.delay_s * _NS)
        synthesizer = self._synthesizer
        if synthesizer is None or horizon_ns - self._end_ns(0) > _LONGEST_CATCH_UP_NS:
            if horizon_ns < self._ego.oldest_ns:
                return []
            begin_ns = max(self._ego.oldest_ns, horizon_ns - _LONGEST_CATCH_UP_NS)
            synthesizer = self._start(begin_ns)
        blocks = []
        while self._end_ns(1) <= horizon_ns:
            blocks.append(self._block(synthesizer))
        return blocks

    def _begin_anew(self) -> None:
        self.told = False
        self._ego = Path()
        self._others = {}
        self._synthesizer = None

    def _start(self, start_ns: int) -> SoundSynthesizer:
        self._start_ns, self._done = start_ns, 0
        self._scene = self._scene_at(start_ns)
        self._synthesizer = SoundSynthesizer(self._microphone, self._options.seed)
        return self._synthesizer

    def _end_ns(self, ahead: int) -> int:
        """Give when the last block that is made ends, or one further ahead."""
        samples = (self._done + ahead) * self._count
        return self._start_ns + samples * _NS // self._options.sample_rate_hz

    def _block(self, synthesizer: SoundSynthesizer) -> SoundBlock:
        stamp_ns, end_ns = self._end_ns(0), self._end_ns(1)
        scene = self._scene_at(end_ns)
        samples = synthesizer.block(self._scene, scene, self._count)
        self._scene = scene
        self._done += 1
        return SoundBlock(stamp_ns, self._now_ns, self._options.sample_rate_hz, samples)

    def _scene_at(self, stamp_ns: int) -> AcousticScene:
        options = self._options
        ego = self._ego.at(stamp_ns)
        friction, material, unevenness = self.surface
        return AcousticScene(
            time_s=(stamp_ns - self._start_ns) / _NS,
            x_m=ego.x_m,
            y_m=ego.y_m,
            heading_rad=ego.heading_rad,
            speed_mps=ego.speed_mps,
            acceleration_mps2=self._ego.acceleration_at(stamp_ns),
            friction=friction,
            material=material,
            unevenness=unevenness,
            rain_mmph=options.rain_mmph,
            wind_mps=options.wind_mps,
            enclosure=cast('Enclosure', options.enclosure),
            sources=tuple(
                _source(number, other, stamp_ns)
                for number, other in self._others.items()
                if stamp_ns - other.path.newest.stamp_ns < _FORGOTTEN_NS
            ),
            engine_on=options.engine == 'combustion',
        )

    def _notice(self, text: str) -> None:
        """Say something once."""
        if text not in self._said:
            self._said.add(text)
            self.notices.append(text)


def _source(number: int, other: _Other, stamp_ns: int) -> SourceState:
    state = other.path.at(stamp_ns)
    return SourceState(
        number, other.kind, state.x_m, state.y_m, state.heading_rad, state.speed_mps,
        other.siren, siren_on=other.siren is not None,
    )  # fmt: skip


def _numbers(listed: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in listed.split(',') if part.strip())
    except ValueError:
        raise SettingsError(
            [f'siren_ids: found {listed!r}, expected whole numbers separated by commas']
        ) from None


def _one_of(classes: tuple[str, ...], name: str) -> tuple[float, ...]:
    return tuple(float(entry == name) for entry in classes)


@guarded
def _surface_of(msg: Any) -> tuple[tuple[float, ...], ...]:
    return (
        _shares(FRICTION_CLASSES, msg.friction_probabilities),
        _shares(MATERIAL_CLASSES, msg.material_probabilities),
        _shares(UNEVENNESS_CLASSES, msg.unevenness_probabilities),
    )


def _shares(classes: tuple[str, ...], values: Any) -> tuple[float, ...]:
    """Read probabilities, and make them sum to 1."""
    found = [finite('probability', value, 1.001) for value in values]
    total = math.fsum(found)
    if len(found) != len(classes) or min(found) < 0 or total <= 0:
        raise SampleError(
            DropReason.MALFORMED, f'probabilities: found {found}, expected {len(classes)} shares'
        )
    return tuple(value / total for value in found)
