# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The aligner: the camera triggers, a deadline decides."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mm_fusion.alignment.assembly import Assembly
from mm_fusion.alignment.checks import refusal
from mm_fusion.alignment.coverage import Coverage
from mm_fusion.alignment.freeze import FreezeWatch
from mm_fusion.alignment.ledger import Ledger
from mm_fusion.alignment.outbox import Outbox
from mm_fusion.alignment.pending import PendingFrames
from mm_fusion.alignment.ring import SECOND_NS
from mm_fusion.alignment.stores import Stores
from mm_fusion.alignment.timeline import JUMP_NS, Timeline, Verdict
from mm_fusion.alignment.timer import SnapshotTimer
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    DropReason,
    Modality,
    RawImage,
    VelocitySample,
    modality_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.alignment.outbox import AlignmentCounters
    from mm_fusion.settings import AlignmentSettings
    from mm_fusion.types.sensors import ImageSample, Sample
    from mm_fusion.types.snapshot import ModalityReport, Snapshot

_NO_SIGN_OF_LIFE = (DropReason.DUPLICATE, DropReason.MALFORMED)


class Aligner:
    """Gathers what all sensors say about the instant of each camera frame.

    A frame opens a snapshot at its stamp. The snapshot leaves when the microphone and the
    velocity cover the stamp, as far as they are alive, or when the deadline after the frame's
    arrival passes, whichever comes first. GNSS is not waited for: it is too slow for that, and
    the ego-state filter extrapolates it. While there is no camera, a timer opens the snapshots,
    on a regular grid of stamps that never runs ahead of the samples.

    A sensor is alive while it was heard within its timeout, by the clock of the receiver. Sensors
    never heard are treated like those that died. The camera has gone silent when another sensor
    is heard after its timeout, which runs from its last frame, or from the first sample of any
    sensor if it was never heard; a pause of all sensors does not start the timer.

    No clock is read here: time comes in with the samples (``received_ns``) and with ``poll``.
    Stamps may be of another clock that differs by a constant, as those of an old recording do;
    only the refusal of stamps in the future compares the two.

    When the clock of the receiver goes backward, everything held is discarded and counted as
    CLOCK_JUMP. When the stamps do while that clock runs on (a bag in a loop), the pending
    snapshots are closed with what there is instead, for their frames are no older than the
    deadline; the rest is discarded all the same. Either way the epoch goes up by one. When the
    stamps of one sensor go back and those of the others do not, that sensor alone is affected.

    Not thread-safe. A push costs O(log n), and all stores are bounded.

    Args:
        settings: Timeouts, bounds and offsets.
        audio_window_s: Span of the sound in a snapshot.
    """

    def __init__(self, settings: AlignmentSettings, *, audio_window_s: float) -> None:
        timeouts_ns = {
            modality: _nanoseconds(getattr(settings, f'{modality.value}_timeout_s'))
            for modality in Modality
        }
        self._ledgers = {modality: Ledger(timeouts_ns[modality]) for modality in Modality}
        self._offsets_ns = {
            modality: _nanoseconds(getattr(settings, f'{modality.value}_offset_s'))
            for modality in Modality
        }
        self._camera_timeout_ns = _nanoseconds(settings.camera_timeout_s)
        self._deadline_ns = _nanoseconds(settings.deadline_s)
        self._future_ns = _nanoseconds(settings.future_tolerance_s)
        self._max_pending = settings.max_pending
        self._stores = Stores(settings, audio_window_s)
        self._coverage = Coverage(self._ledgers, self._stores)
        self._pending = PendingFrames(self._deadline_ns, settings.max_pending)
        self._timer = SnapshotTimer(settings.timer_rate_hz, settings.max_pending)
        reorder_ns = _nanoseconds(settings.reorder_window_s)
        self._late_ns = reorder_ns
        self._timeline = Timeline(reorder_ns, timeouts_ns, self._refuse)
        self._assembly = Assembly(self._ledgers, self._stores, self._timeline)
        self._freeze = FreezeWatch(settings)
        self._outbox = Outbox()
        self._camera_until_ns: int | None = None

    @property
    def epoch(self) -> int:
        """Number of clock resets so far."""
        return self._timeline.epoch

    @property
    def counters(self) -> AlignmentCounters:
        """Fate of the snapshots so far."""
        return self._outbox.counters(
            pending=len(self._pending),
            clock_resets=self.epoch,
            audio_restarts=self._stores.audio_restarts,
        )

    @property
    def newest_frame(self) -> ImageSample | None:
        """The newest frame that waits for other sensors, as it will be handed out; or None."""
        return self._pending.newest

    def push(self, sample: Sample) -> None:
        """Take in a sample. Bad ones are counted by reason, and never raise."""
        modality = modality_of(sample)
        self._ledgers[modality].received += 1
        received_ns = sample.received_ns
        if self._timeline.clock_jumped(received_ns):
            self._clock_jumped()
        offset_ns = self._offsets_ns[modality]
        stamp_ns = sample.stamp_ns + offset_ns
        reason = refusal(sample, stamp_ns, received_ns + self._future_ns)
        if reason is not None:
            self._refuse(modality, reason)
            return
        if offset_ns:
            sample = dataclasses.replace(sample, stamp_ns=stamp_ns)
        self._admit(modality, sample)

    def drop(
        self, modality: Modality, reason: DropReason, count: int = 1, *, pushed: bool = False
    ) -> None:
        """Count a loss found elsewhere.

        Args:
            modality: Whose.
            reason: Why. SUPERSEDED also moves that many snapshots from emitted to superseded.
            count: How many.
            pushed: Whether the samples had been pushed, and are counted as received already;
                what was superseded always had.
        """
        ledger = self._ledgers[modality]
        if reason is DropReason.SUPERSEDED:
            self._outbox.supersede(count)
            ledger.drop(reason, count)
            return
        if not pushed:
            ledger.received += count
        ledger.drop(reason, count, now_ns=self._timeline.now_ns)

    def supersede(self, snapshot: Snapshot) -> None:
        """Count a snapshot that was handed out and gave way to a newer one, and its frame."""
        if snapshot.image is not None:
            self.drop(Modality.CAMERA, DropReason.SUPERSEDED)
        else:
            self._outbox.supersede(1)

    def poll(self, now_ns: int) -> list[Snapshot]:
        """Hand out the snapshots that are complete or due, oldest first.

        Args:
            now_ns: Clock of the receiver, the one that ``received_ns`` is read from.
        """
        if self._timeline.clock_jumped(now_ns):
            self._clock_jumped()
        now_ns = self._timeline.now_ns
        if self._pending:
            self._close(self._pending.take(now_ns, self._coverage.until_ns(now_ns)))
        elif self._timer.running:
            self._run_timer(wait_ns=self._deadline_ns)
        return self._outbox.hand_out()

    def flush(self) -> list[Snapshot]:
        """Hand out all that is pending, as if every deadline had passed: the end of a bag."""
        self._timeline.give_up()
        self._close_all()
        return self._outbox.hand_out()

    @property
    def next_deadline_ns(self) -> int | None:
        """Clock of the receiver at which ``poll`` has something to do, at the latest.

        A push may give it something earlier. None where only a push can. A poll at this time
        moves it on, so that waiting for it never spins.
        """
        if self._outbox:
            return self._timeline.now_ns
        if self._pending:
            return self._pending.deadline_ns
        if not self._timer.running:
            return None
        reach = self._coverage.reach(self._timeline.now_ns)
        point_ns = self._timer.next_ns
        if reach is None or point_ns is None or point_ns > reach.any_ns:
            return None
        return point_ns + self._deadline_ns - reach.offset_ns

    def reports(
        self, stamp_ns: int | None = None, *, now_ns: int | None = None
    ) -> Mapping[Modality, ModalityReport]:
        """Report on every sensor.

        Args:
            stamp_ns: Instant that ages count from; None for the present, estimated from the
                sensor with the least latency.
            now_ns: Clock of the receiver; None for the newest time that came in.
        """
        if now_ns is None:
            now_ns = self._timeline.now_ns
        if stamp_ns is None:
            stamp_ns = self._coverage.stamp_ns(now_ns)
        return self._assembly.reports(stamp_ns, now_ns)

    def _admit(self, modality: Modality, sample: Sample) -> None:
        verdict = self._timeline.judge(modality, sample)
        if verdict is Verdict.CURRENT:
            self._keep(modality, sample)
        elif verdict is Verdict.JUMPED:
            self._close_epoch()
            for kept_back in self._restart(stamps_jumped=True):
                self._admit(modality_of(kept_back), kept_back)
        elif verdict is Verdict.STEPPED:
            self._step(modality)

    def _step(self, modality: Modality) -> None:
        """Start anew with one sensor; the others lose nothing."""
        kept_back = self._timeline.step(modality)
        held = self._stores.clear(modality)
        self._ledgers[modality].drop(DropReason.CLOCK_JUMP, held)
        last_ns = self._outbox.last_ns
        if last_ns is not None and last_ns > kept_back[-1].stamp_ns + JUMP_NS:
            # What was ahead of the others has drawn the snapshots with it.
            self._close_epoch()
            self._timeline.epoch += 1
            self._outbox.start_epoch()
        for sample in kept_back:
            self._admit(modality, sample)

    def _close_epoch(self) -> None:
        self._close_all()
        lost = self._outbox.lose(keep=self._max_pending)
        self._ledgers[Modality.CAMERA].drop(DropReason.OVERFLOW, lost)

    def _keep(self, modality: Modality, sample: Sample) -> None:
        if self._freeze.frozen(sample):
            self._withhold(modality, sample)
            return
        if isinstance(sample, VelocitySample):
            reason = self._stores.add_velocity(sample)
        elif isinstance(sample, AudioChunk):
            reason = self._stores.add_audio(sample)
        elif isinstance(sample, RawImage | CompressedImage):
            reason = self._open(sample)
        else:
            reason = self._stores.add_position(sample)
        if reason is not None:
            self._refuse(modality, reason)
            if reason in _NO_SIGN_OF_LIFE or self._too_late(reason, sample):
                return
        self._ledgers[modality].hear(sample.received_ns)
        if modality is Modality.CAMERA:
            # A late frame stops the timer too: else the timer would outrun the camera for ever.
            self._timer.stop()
            self._camera_until_ns = sample.received_ns + self._camera_timeout_ns
        elif self._camera_until_ns is None:
            self._camera_until_ns = sample.received_ns + self._camera_timeout_ns
        elif sample.received_ns > self._camera_until_ns:
            self._timer.running = True

    def _withhold(self, modality: Modality, sample: Sample) -> None:
        """Take a sensor that hangs for absent from now on."""
        self._refuse(modality, DropReason.FROZEN)
        self._ledgers[modality].withhold()
        if modality is Modality.CAMERA and self._camera_until_ns is not None:
            self._camera_until_ns = min(self._camera_until_ns, sample.received_ns)

    def _too_late(self, reason: DropReason, frame: Sample) -> bool:
        """Tell whether a frame is so late that the timer does better without the camera."""
        last_ns = self._outbox.last_ns
        late_ns = 0 if last_ns is None else last_ns - frame.stamp_ns
        return reason is DropReason.LATE and late_ns > self._late_ns

    def _open(self, frame: ImageSample) -> DropReason | None:
        self._stores.note_frame(frame.stamp_ns)
        outbox = self._outbox
        if outbox.last_ns is not None and frame.stamp_ns <= outbox.last_ns:
            known = frame.stamp_ns == outbox.last_frame_ns
            return DropReason.DUPLICATE if known else DropReason.LATE
        reason = self._pending.add(frame)
        outbox.opened += reason is not DropReason.DUPLICATE
        outbox.discarded += reason is DropReason.OVERFLOW
        return reason

    def _clock_jumped(self) -> None:
        """Start anew after the clock of the receiver went backward."""
        frames = len(self._pending.take_all())
        self._outbox.discarded += frames
        frames += self._outbox.lose(keep=0)
        self._ledgers[Modality.CAMERA].drop(DropReason.CLOCK_JUMP, frames)
        received_ns = self._timeline.now_ns
        for sample in self._restart(stamps_jumped=False):
            # It came after the jump, before the clock showed it.
            if sample.stamp_ns > received_ns + self._future_ns:
                self._refuse(modality_of(sample), DropReason.CLOCK_JUMP)
            else:
                present = dataclasses.replace(sample, received_ns=received_ns)
                self._admit(modality_of(sample), present)

    def _restart(self, *, stamps_jumped: bool) -> list[Sample]:
        """Discard what the stores hold; return the samples that the new epoch begins with."""
        for modality, ledger in self._ledgers.items():
            ledger.drop(DropReason.CLOCK_JUMP, self._stores.clear(modality))
            ledger.forget()
        self._freeze.forget()
        self._timer.stop()
        self._outbox.start_epoch()
        self._camera_until_ns = None
        return self._timeline.restart(stamps_jumped=stamps_jumped)

    def _run_timer(self, wait_ns: int | None) -> None:
        """Emit the points of the grid that are covered, or due after a wait; None: all of them."""
        now_ns = self._timeline.now_ns
        reach = self._coverage.reach(now_ns)
        if reach is None:
            self._timer.next_ns = None
            return
        due_ns = reach.any_ns
        if wait_ns is not None:
            due_ns = min(due_ns, now_ns + reach.offset_ns - wait_ns)
        for stamp_ns in self._timer.take(max(reach.all_ns, due_ns)):
            if self._outbox.last_ns is not None and stamp_ns <= self._outbox.last_ns:
                continue
            completed = stamp_ns <= reach.all_ns
            snapshot = self._assembly.snapshot(stamp_ns, None, now_ns, completed=completed)
            if snapshot.audio is not None or snapshot.velocity is not None or snapshot.positions:
                self._outbox.opened += 1
                self._outbox.put(snapshot)

    def _close_all(self) -> None:
        """Close every snapshot, as if all deadlines had passed."""
        self._close(self._pending.take_all())
        if self._timer.running:
            self._run_timer(wait_ns=None)

    def _close(self, frames: list[ImageSample]) -> None:
        for frame in frames:
            # However late the poll is, a sensor that fell silent after the deadline was alive.
            as_of_ns = min(self._timeline.now_ns, frame.received_ns + self._deadline_ns)
            covered_ns = self._coverage.until_ns(as_of_ns)
            completed = covered_ns is None or frame.stamp_ns <= covered_ns
            self._outbox.put(
                self._assembly.snapshot(frame.stamp_ns, frame, as_of_ns, completed=completed)
            )

    def _refuse(self, modality: Modality, reason: DropReason) -> None:
        self._ledgers[modality].drop(reason, now_ns=self._timeline.now_ns)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND_NS)
