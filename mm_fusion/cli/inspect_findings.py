# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is to be said of a recording: missing sensors, gaps, refused messages, clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.cli.findings import Finding, Severity
from mm_fusion.settings import AlignmentSettings
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.recordings.clock_offsets import ClockOffset
    from mm_fusion.recordings.survey import StreamSurvey, Survey

_SIGMAS = 3.0
_MIN_OFFSET_S = 0.02
_MIN_DRIFT_PPM = 100.0
_MUCH = 0.05
_INPUTS = {
    'image': Modality.CAMERA,
    'audio': Modality.MICROPHONE,
    'fix': Modality.GNSS,
    'velocity': Modality.VELOCITY,
}


def findings_of(survey: Survey) -> list[Finding]:
    """List what is worth saying, sensor by sensor, then of their clocks."""
    streams = {stream.role: stream for stream in survey.streams}
    found: list[Finding] = []
    for role, modality in _INPUTS.items():
        stream = next((item for name, item in streams.items() if name == role), None)
        if stream is None or not stream.received:
            found.append(_missing(role, modality))
        else:
            found.extend(_of_stream(stream, modality))
    found.extend(_of_offset(offset) for offset in survey.offsets)
    return found


def _missing(role: str, modality: Modality) -> Finding:
    return Finding(
        modality.value,
        Severity.WARNING,
        f'no message serves as {role}',
        f'predictions go without it; name another topic with --topics ({role}: /its/name)',
    )


def _of_stream(stream: StreamSurvey, modality: Modality) -> Iterator[Finding]:
    before = Finding(modality.value, Severity.OK, f'{stream.topic}, {stream.rate_hz:.3g} Hz')
    problems = [
        finding
        for finding in (
            _refused(stream, modality),
            _silence(stream, modality),
            _order(stream, modality),
            _delay(stream, modality),
        )
        if finding is not None
    ]
    yield from problems or [before]


def _refused(stream: StreamSurvey, modality: Modality) -> Finding | None:
    count = sum(stream.refused.values())
    if not count:
        return None
    reasons = ', '.join(f'{number} {reason}' for reason, number in stream.refused.items())
    all_of_them = count == stream.received
    return Finding(
        modality.value,
        Severity.ERROR if all_of_them or count > _MUCH * stream.received else Severity.WARNING,
        f'{stream.topic}: {count} of {stream.received} messages cannot be used: {reasons}',
        'the reasons are those of DropReason in the documentation of the topics; '
        'mend the driver, or choose another topic with --topics',
    )


def _silence(stream: StreamSurvey, modality: Modality) -> Finding | None:
    timeout_s = float(getattr(AlignmentSettings(), f'{modality.value}_timeout_s'))
    long = [gap for gap in stream.gaps if gap.length_s > timeout_s]
    if not long:
        return None
    worst = long[0]
    return Finding(
        modality.value,
        Severity.WARNING,
        f'{stream.topic}: silent for up to {worst.length_s:.2f} s (at {worst.at_s:.1f} s), '
        f'{len(long)} times for longer than the timeout of {timeout_s:g} s',
        f'it counts as stale then; raise alignment.{modality.value}_timeout_s only if its '
        'rate is that low by design',
    )


def _order(stream: StreamSurvey, modality: Modality) -> Finding | None:
    if not stream.backward and not stream.repeated:
        return None
    return Finding(
        modality.value,
        Severity.WARNING,
        f'{stream.topic}: {stream.backward} stamps go back, {stream.repeated} repeat',
        'messages within alignment.reorder_window_s are put in order, repeated ones are dropped',
    )


def _delay(stream: StreamSurvey, modality: Modality) -> Finding | None:
    delay = stream.delay
    if delay is None:
        return None
    if delay.least_s < -_MIN_OFFSET_S:
        return Finding(
            modality.value,
            Severity.WARNING,
            f'{stream.topic}: stamps lie up to {-delay.least_s:.3f} s ahead of their arrival',
            f'its clock is ahead of the receiver; synchronise it (PTP, chrony), or set '
            f'alignment.{modality.value}_offset_s',
        )
    if delay.drift_ppm is not None and abs(delay.drift_ppm) > _MIN_DRIFT_PPM:
        return Finding(
            modality.value,
            Severity.WARNING,
            f'{stream.topic}: its clock drifts by {-delay.drift_ppm:.0f} ppm against the receiver',
            'a fixed offset will not do: synchronise the clock (PTP, chrony)',
        )
    return None


def _of_offset(offset: ClockOffset) -> Finding:
    subject = f'{offset.sensor} clock'
    if offset.offset_s is None or offset.std_s is None:
        told = '' if offset.correlation is None else f' (correlation {offset.correlation:.2f})'
        return Finding(
            subject,
            Severity.OK,
            f'against {offset.reference} by {offset.method}: cannot be told: '
            f'{offset.problem}{told}',
        )
    fact = (
        f'{abs(offset.offset_s):.3f} ± {offset.std_s:.3f} s '
        f'{"later" if offset.offset_s > 0 else "earlier"} than {offset.reference} '
        f'by {offset.method} (correlation {offset.correlation:.2f})'
    )
    if abs(offset.offset_s) <= max(_SIGMAS * offset.std_s, _MIN_OFFSET_S):
        return Finding(subject, Severity.OK, f'{fact}: no offset is certain')
    return Finding(
        subject,
        Severity.WARNING,
        fact,
        f'if a second recording agrees, set alignment.{offset.sensor}_offset_s: '
        f'{-offset.offset_s:.3f}',
    )
