# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the result of one recording from what was gathered while it went by."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mm_fusion.evaluation.records import BagResult, no_totals
from mm_fusion.evaluation.scoring import score_drive

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.bags import BagReader
    from mm_fusion.evaluation.collector import OutputCollector
    from mm_fusion.evaluation.records import SampleFrame
    from mm_fusion.pipeline import FusionPipeline
    from mm_fusion.recordings import TruthRecorder
    from mm_fusion.settings import Settings


def bag_result(
    *,
    path: Path,
    bag: BagReader,
    collector: OutputCollector,
    truth: TruthRecorder,
    settings: Settings,
    frames: tuple[SampleFrame, ...],
    view: str,
    elapsed_s: float,
    pipeline: FusionPipeline | None = None,
) -> BagResult:
    """Score a recording whose end has been reached.

    Args:
        path: Of the recording; its last part is the name of the result.
        bag: The recording.
        collector: The outputs.
        truth: What the driven path is made of, and the true road states.
        settings: All parameters.
        frames: Sample frames.
        view: How the camera is taken to see the road.
        elapsed_s: Time that the run took, by the wall clock.
        pipeline: What made the outputs; None where they were recorded.
    """
    reference = truth.path(settings.ego_filter)
    scores, drive = no_totals().scores, None
    if reference is not None:
        scores, drive = score_drive(
            collector.predictions, reference[1], truth.velocities, collector.first_ns
        )
    track = truth.road()
    counters = None if pipeline is None else pipeline.counters
    totals = dataclasses.replace(
        no_totals(),
        bags=1,
        duration_s=bag.duration_s,
        outputs=collector.outputs,
        trajectories=collector.trajectories,
        superseded=0 if counters is None else counters.superseded,
        clock_resets=0 if counters is None else counters.clock_resets,
        unusable_truth=truth.unusable,
        scores=scores,
        modalities=collector.modalities(None if pipeline is None else pipeline.reports(_end(bag))),
        road=collector.road(),
        road_truth=collector.road_truth(track),
        latencies=collector.latencies(),
        elapsed_s=elapsed_s,
    )
    return BagResult(
        name=path.stem if path.is_file() else path.resolve().name,
        topics={
            field.name: topic
            for field in dataclasses.fields(bag.topics)
            if (topic := getattr(bag.topics, field.name)) is not None
        },
        truth=None if reference is None else reference[0],
        truth_askew_rad=truth.askew_rad(),
        truth_aligned=truth.along_travel,
        source='recorded' if pipeline is None else 'replayed',
        camera=bag.topics.image is not None,
        totals=totals,
        timeline=collector.timeline(track),
        drive=drive,
        frames=frames,
        view=view,
    )


def _end(bag: BagReader) -> int:
    return bag.start_ns + round(bag.duration_s * 1e9)
