# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node can predict now, and why not more."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.alignment import AlignmentCounters
    from mm_fusion.ros.engine import Engine
    from mm_fusion.ros.latencies import Latencies
    from mm_fusion.ros.worker import RunReport
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.snapshot import ModalityReport


class Level(enum.IntEnum):
    """How much is predicted; the values are those of ``mm_fusion_msgs/FusionStatus``."""

    FULL = 0
    REDUCED = 1
    MOTION_ONLY = 2
    NONE = 3

    @property
    def label(self) -> str:
        """Its name as people write it."""
        return self.name.lower().replace('_', '-')


@dataclass(frozen=True, slots=True, eq=False)
class Health:
    """Everything that status and diagnostics are made from.

    Attributes:
        now_ns: Time of the node.
        level: How much is predicted.
        reason: One sentence that names what is missing; empty if ``FULL``.
        engine: The bundle and what runs it.
        reports: What is known of each sensor now.
        counters: Snapshots opened, emitted and superseded, and clock resets.
        run: What the inference thread has done since activation.
        latencies: How long each stage took of late.
        before_clock: Messages ignored because simulation time had not begun.
    """

    now_ns: int
    level: Level
    reason: str
    engine: Engine
    reports: Mapping[Modality, ModalityReport]
    counters: AlignmentCounters
    run: RunReport
    latencies: Latencies
    before_clock: int


def known_now(
    reports: Mapping[Modality, ModalityReport], newest: FusionOutput | None
) -> dict[Modality, ModalityReport]:
    """Correct the reports by what the newest output could not use.

    A camera whose every frame fails to decode, or shows nothing, does speak, and yet contributes
    nothing. What was found of it is told as long as the camera speaks.

    Args:
        reports: What alignment knows of each sensor now.
        newest: The newest output; None before the first.
    """
    if newest is None:
        return dict(reports)
    now = {}
    for modality, report in reports.items():
        used = newest.modalities[modality]
        now[modality] = replace(
            report,
            state=max(report.state, used.state),
            cause=report.cause or used.cause,
            quality=used.quality if report.state is ModalityState.PRESENT else None,
        )
    return now


def assess(
    reports: Mapping[Modality, ModalityReport], *, failure: str = '', clock_silent: bool = False
) -> tuple[Level, str]:
    """Say how much can be predicted, and why not more.

    Args:
        reports: What is known of each sensor now.
        failure: Why the newest inference failed; empty where it did not.
        clock_silent: Whether simulation time is in use and has not begun.

    Returns:
        The level, and one sentence that is empty for ``FULL``.
    """
    if clock_silent:
        return Level.NONE, 'use_sim_time is set and nothing is published on /clock'
    if failure:
        return Level.NONE, f'inference fails: {failure}'
    present = {
        modality for modality, report in reports.items() if report.state is ModalityState.PRESENT
    }
    missing = ', '.join(
        _missing(modality, report)
        for modality, report in reports.items()
        if modality not in present
    )
    if not present:
        return Level.NONE, f'no sensor speaks: {missing}'
    if not present & {Modality.CAMERA, Modality.MICROPHONE}:
        return Level.MOTION_ONLY, f'no road state: {missing}'
    return (Level.REDUCED, missing) if missing else (Level.FULL, '')


def _missing(modality: Modality, report: ModalityReport) -> str:
    if report.cause is not None:
        return f'{modality.value} not used: {report.cause.value}'
    if report.state is ModalityState.STALE and report.age_ns is not None:
        return f'{modality.value} silent for {report.age_ns / 1e9:.1f} s'
    if report.state is ModalityState.STALE:
        return f'{modality.value} silent'
    if report.dropped:
        worst = max(report.drops, key=lambda reason: report.drops[reason])
        return f'{modality.value} gave nothing usable, mostly {worst.value}'
    return f'{modality.value} never seen'
