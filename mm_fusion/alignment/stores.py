# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the sensors have said of late, ready to be read at any instant of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.alignment.history import History
from mm_fusion.alignment.ring import SECOND_NS, AudioRing
from mm_fusion.alignment.velocity import velocity_at
from mm_fusion.types.sensors import (
    AudioChunk,
    DropReason,
    Modality,
    PositionSample,
    VelocitySample,
)

if TYPE_CHECKING:
    from mm_fusion.settings import AlignmentSettings
    from mm_fusion.types.snapshot import AudioWindow

MIN_COVERED = 0.5
"""A window of which less was heard counts as no sound: the network saw no such windows."""

_SLACK_S = 1.0


class Stores:
    """The histories of velocity and position, and the ring of sound; all of bounded size.

    They reach back further than a snapshot does, by the time that a camera frame may lag behind
    the other sensors: the reordering window, the deadline and a second.

    Args:
        settings: Spans and bounds.
        audio_window_s: Span of the sound in a snapshot.
    """

    def __init__(self, settings: AlignmentSettings, audio_window_s: float) -> None:
        lag_ns = round((settings.reorder_window_s + settings.deadline_s + _SLACK_S) * SECOND_NS)
        self._history_ns = round(settings.history_s * SECOND_NS)
        self._window_ns = round(audio_window_s * SECOND_NS)
        self._timeouts_ns: dict[Modality, int] = {
            modality: round(getattr(settings, f'{modality.value}_timeout_s') * SECOND_NS)
            for modality in Modality
        }
        self._ring_ns = self._window_ns + lag_ns
        self._max_history = settings.max_history
        span_ns = self._history_ns + lag_ns
        self._velocities: History[VelocitySample] = History(span_ns, settings.max_history)
        self._positions: History[PositionSample] = History(span_ns, settings.max_history)
        self._ring: AudioRing | None = None
        self._newest_frame_ns: int | None = None
        self.audio_restarts = 0

    def note_frame(self, stamp_ns: int) -> None:
        """Remember when the newest camera frame was taken, and not the frame."""
        if self._newest_frame_ns is None or stamp_ns > self._newest_frame_ns:
            self._newest_frame_ns = stamp_ns

    def add_velocity(self, sample: VelocitySample) -> DropReason | None:
        """Keep a velocity; see ``History.add`` for what is returned."""
        return self._velocities.add(sample.stamp_ns, sample)

    def add_position(self, sample: PositionSample) -> DropReason | None:
        """Keep a position; see ``History.add`` for what is returned."""
        return self._positions.add(sample.stamp_ns, sample)

    def add_audio(self, chunk: AudioChunk) -> DropReason | None:
        """Keep sound; a change of the sample rate empties the ring.

        Returns:
            MALFORMED where the chunk is longer than the ring: no driver that serves a running
            vehicle holds sound back for that long. Else see ``AudioRing.add``.
        """
        if chunk.samples.size > self._ring_ns * chunk.sample_rate_hz // SECOND_NS:
            return DropReason.MALFORMED
        ring = self._ring
        if ring is None or ring.sample_rate_hz != chunk.sample_rate_hz:
            self.audio_restarts += ring is not None
            ring = AudioRing(chunk.sample_rate_hz, self._ring_ns, self._max_history)
            self._ring = ring
        return ring.add(chunk.stamp_ns, chunk.samples)

    def cover_ns(self, modality: Modality) -> int | None:
        """Name the newest instant that a sensor covers; None where it has said nothing."""
        if modality is Modality.VELOCITY:
            return self._velocities.newest_ns
        if modality is Modality.GNSS:
            return self._positions.newest_ns
        if modality is Modality.CAMERA:
            return self._newest_frame_ns
        return None if self._ring is None else self._ring.end_ns

    def audio_at(self, stamp_ns: int) -> AudioWindow | None:
        """Copy the sound up to an instant; None where too little of it was heard."""
        if self._ring is None:
            return None
        return self._ring.window(stamp_ns, self._window_ns, MIN_COVERED)

    def velocity_at(self, stamp_ns: int) -> VelocitySample | None:
        """Read the velocity at an instant; None where none is near enough."""
        return velocity_at(self._velocities, stamp_ns, self._timeouts_ns[Modality.VELOCITY])

    def velocities(self, stamp_ns: int) -> tuple[VelocitySample, ...]:
        """Copy the recent velocities up to an instant."""
        return self._velocities.between(stamp_ns - self._history_ns, stamp_ns)

    def positions(self, stamp_ns: int) -> tuple[PositionSample, ...]:
        """Copy the recent positions up to an instant."""
        return self._positions.between(stamp_ns - self._history_ns, stamp_ns)

    def age_ns(self, modality: Modality, stamp_ns: int) -> int | None:
        """Name the time between a sensor's newest word up to an instant and that instant."""
        if modality is Modality.GNSS:
            before, _ = self._positions.around(stamp_ns)
            return None if before is None else stamp_ns - before.stamp_ns
        cover_ns = self.cover_ns(modality)
        return None if cover_ns is None else max(0, stamp_ns - cover_ns)

    def lagging(self, modality: Modality, age_ns: int) -> bool:
        """Tell whether the newest word of a sensor is too old to be used."""
        if modality is Modality.MICROPHONE:
            unheard_ns = round((1.0 - MIN_COVERED) * self._window_ns)
            return age_ns > max(self._timeouts_ns[modality], unheard_ns)
        return age_ns > self._timeouts_ns[modality]

    def cause(self, modality: Modality, age_ns: int) -> DropReason | None:
        """Say why a sensor cannot be used although it speaks; None where it can."""
        if self.lagging(modality, age_ns):
            return DropReason.LATE
        if modality is Modality.MICROPHONE and self._ring is not None:
            if self._ring.has_gaps(self._window_ns, MIN_COVERED):
                return DropReason.GAPS
        return None

    def clear(self, modality: Modality) -> int:
        """Let go of everything of one sensor; say how many samples that was."""
        if modality is Modality.GNSS:
            return self._positions.clear()
        if modality is Modality.VELOCITY:
            return self._velocities.clear()
        if modality is Modality.CAMERA:
            self._newest_frame_ns = None
            return 0
        chunks = 0 if self._ring is None else len(self._ring)
        self._ring = None
        return chunks
