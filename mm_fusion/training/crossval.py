# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole training: with a held-out share, or by cross-validation and then on everything.

What it leaves in a folder is all that ``mm_fusion export`` needs: ``best.safetensors``,
``calibration.json``, ``metrics.json`` and ``run.json``.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.trajectory import turning
from mm_fusion.training.calibration import calibrate
from mm_fusion.training.checkpoint import (
    CALIBRATION,
    METRICS,
    RUN,
    load_start,
    write_whole,
)
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.sounds import SoundClips
from mm_fusion.training.distributed import join_world, use_threads
from mm_fusion.training.predict import (
    SUBSETS,
    Predictions,
    join,
    load_predictions,
    predict,
    save_predictions,
)
from mm_fusion.training.progress import named
from mm_fusion.training.run import train_run
from mm_fusion.training.scores import TURNING, score
from mm_fusion.training.sources import Everything, Fold, HoldOut, open_shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share
    from mm_fusion.training.sources import DataPaths

PREDICTIONS = 'predictions.npz'
_POLL_S = 0.2
_HELD_OUT = (
    'Held out: {share:.0%} of the groups (scenes of near-duplicate photographs, recordings of '
    'sound, drives{apart}). The epoch with the lowest loss on it was taken, and temperatures, '
    'threshold, covariance scales, how sound and the friction coefficient are read and what '
    'modalities are worth beside each other were fitted on it, which flatters these figures.'
)
_FOLDS = (
    '{folds}-fold cross-validation. Photographs are split by scenes of near-duplicates, clips by '
    'recording, drives as a whole; what a simulator made is learned from in every fold and never '
    'scored. Every fold trains for the same number of epochs; nothing is chosen by what is held '
    'out but temperatures, siren threshold and covariance scales. A clip scores the mean over '
    'its windows.'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, on what, and where to.

    Attributes:
        paths: Data.
        config: Everything else that decides the result.
        out: Folder of the run.
        start: Checkpoint, run or bundle to go on from; None for none.
        about: How it was started, and names and licences of the data, for the card.
    """

    paths: DataPaths
    config: TrainingConfig
    out: Path
    start: str | None
    about: Mapping[str, Any]


def train_once(plan: Plan, progress: Progress) -> dict[str, Any]:
    """Train with a share held out, calibrate and score on it.

    Returns:
        The scores, as in ``metrics.json``; empty in all but the first process of several.

    Raises:
        MmFusionError: Data or start are refused, or the training stops.
    """
    apart = bool(plan.paths.validation_bags)
    held = plan.config.data.validation_share
    split = HoldOut(held, plan.config.seed, drives_apart=apart)
    with join_world(plan.config.optimization.device) as world:
        shares = open_shares(plan.paths, plan.config, split, progress)
        network = train_run(shares, plan.config, plan.out, start=_start(plan), progress=progress)
        if not world.writes:
            return {}
    note = ', but those given apart' if apart else ''
    protocol = _HELD_OUT.format(share=held, apart=note)
    found = predict_held_out(network, shares)
    return _conclude(plan, shares, found, protocol if found else 'Nothing was held out.')


def cross_validate(plan: Plan, folds: int, workers: int, progress: Progress) -> dict[str, Any]:
    """Train once for each fold, score what each held out, and train on everything.

    Each fold is left in a folder of its own, ``fold0`` and on, as exportable as the whole. A run
    that was stopped goes on where it was. Validation bags are for the whole alone, which learns
    from them what ``learn_held_out`` says.

    Args:
        plan: What to train.
        folds: At least 2.
        workers: Processes that train folds side by side, with one thread each.
        progress: Told how far each fold has come.

    Returns:
        The scores, as in ``metrics.json``.

    Raises:
        MmFusionError: Data or start are refused, or a training stops.
    """
    # Decodes recordings once, and refuses bad data before the first fold starts.
    shares = open_shares(plan.paths, plan.config, Everything(), progress)
    _in_processes(plan, folds, workers, progress)
    parts = [load_predictions(plan.out / f'fold{i}' / PREDICTIONS) for i in range(folds)]
    metrics = _conclude(plan, shares, join_folds(parts), _FOLDS.format(folds=folds))
    train_run(
        shares,
        plan.config,
        plan.out,
        start=_start(plan),
        validate=False,
        progress=named(progress, 'final'),
    )
    return metrics


def predict_held_out(
    network: FusionNetwork, shares: Sequence[Share]
) -> dict[str, dict[str, Predictions]]:
    """Predict what is held out of each kind of data, with every subset of its modalities."""
    found = {}
    for share in shares:
        if not len(share.held_out):
            continue
        several = share.kind == 'bags'
        parts = predict(network, share.source, share.held_out, SUBSETS if several else ())
        if isinstance(share.source, BagSamples):
            headings = share.source.paths.future[:, :, 2].astype(np.float64)
            turns = turning(np.nan_to_num(headings))
            for part in parts.values():
                part.targets[TURNING] = turns[part.indices]
        found[share.kind] = parts
    return found


def join_folds(
    parts: Sequence[Mapping[str, Mapping[str, Predictions]]],
) -> dict[str, dict[str, Predictions]]:
    """Put the folds together."""
    gathered: dict[str, dict[str, list[Predictions]]] = {}
    for fold in parts:
        for kind, subsets in fold.items():
            for name, found in subsets.items():
                gathered.setdefault(kind, {}).setdefault(name, []).append(found)
    return {
        kind: {name: join(listed) for name, listed in subsets.items()}
        for kind, subsets in gathered.items()
    }


def _conclude(
    plan: Plan,
    shares: Sequence[Share],
    found: Mapping[str, Mapping[str, Predictions]],
    protocol: str,
) -> dict[str, Any]:
    """Calibrate, score, and write down what an export needs."""
    start = None if plan.start is None else load_start(plan.start)
    known = None if start is None else start.calibration
    calibration = calibrate(
        [part['all'] for part in found.values()], plan.config.calibration, known
    )
    sublabels = [
        name
        for share in shares
        if isinstance(share.source, SoundClips)
        for name in share.source.sublabels
    ]
    metrics = score(found, calibration, sublabels, protocol)
    about = {
        **plan.about,
        'seed': plan.config.seed,
        'configuration': plan.config.to_dict(),
        'start': None if start is None else start.name,
        'data': [
            {
                'name': share.kind,
                'samples': len(share.train) + len(share.held_out),
                'learned_from': len(share.train),
                'road_labels': _has_road_labels(share),
                'sha256': share.source.fingerprint,
            }
            for share in shares
        ],
    }
    for name, content in ((CALIBRATION, calibration), (METRICS, metrics), (RUN, about)):
        text = json.dumps(content, indent=1, allow_nan=False) + '\n'
        write_whole(plan.out / name, text.encode())
    return metrics


def _has_road_labels(share: Share) -> bool:
    """Tell whether anything that is learned from says how the road is."""
    return any(
        bool((share.source.targets[task][share.train] != UNLABELLED).any())
        for task in SURFACE_CLASSES
    )


def _start(plan: Plan) -> FusionNetwork | None:
    return None if plan.start is None else load_start(plan.start).network


def _in_processes(plan: Plan, folds: int, workers: int, progress: Progress) -> None:
    """Run the folds in processes of their own, and pass on what they tell."""
    # A fresh interpreter for each: a fork would carry over locks of torch's threads.
    context = multiprocessing.get_context('spawn')
    told = context.Queue()
    with ProcessPoolExecutor(
        min(workers, folds), context, initializer=_settle, initargs=(told,)
    ) as pool:
        futures: list[Future[None]] = [
            pool.submit(run_fold, plan, number, folds) for number in range(folds)
        ]
        try:
            while not all(future.done() for future in futures):
                _failed(futures)
                try:
                    progress(*told.get(timeout=_POLL_S))
                except queue.Empty:
                    continue
            _failed(futures)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _failed(futures: Sequence[Future[None]]) -> None:
    """Raise what made a fold fail."""
    for future in futures:
        if future.done():
            future.result()


_TOLD: Any = None
"""In a worker: where progress is told."""


def _settle(told: Any) -> None:
    """Leave the other cores to the other folds, and remember where to tell progress."""
    global _TOLD  # noqa: PLW0603  # the only way from an initializer to the task
    _TOLD = told
    use_threads(1)


def run_fold(plan: Plan, number: int, folds: int) -> None:
    """Train one fold and save what it says of what it has not seen.

    Args:
        plan: Of the whole.
        number: Of the fold, from 0.
        folds: How many there are.
    """

    def tell(job: str, done: int, total: int) -> None:
        if _TOLD is not None and job == 'training':
            _TOLD.put((f'fold {number + 1} of {folds}', done, total))

    folder = plan.out / f'fold{number}'
    split = Fold(number, folds, plan.config.seed)
    paths = replace(plan.paths, validation_bags=())
    shares = open_shares(paths, plan.config, split, tell)
    network = train_run(
        shares,
        plan.config,
        folder,
        start=_start(plan),
        validate=False,
        weigh=False,
        progress=tell,
    )
    save_predictions(folder / PREDICTIONS, predict_held_out(network, shares))
