# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole training: cross-validation, the final networks, and the manifest of both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mm_fusion.errors import DatasetError
from mm_fusion.labels import SURFACE_CLASSES, read_road_labels, read_sound_labels
from mm_fusion.training.folds import grouped_folds, near_duplicate_groups
from mm_fusion.training.gates import Embedded, assemble, train_gates
from mm_fusion.training.loop import Schedule
from mm_fusion.training.manifest import build_manifest
from mm_fusion.training.roads import RoadData, RoadNetwork, embed_roads, load_roads, train_roads
from mm_fusion.training.sounds import (
    SoundData,
    SoundNetwork,
    embed_sounds,
    load_sounds,
    train_sounds,
)
from mm_fusion.training.validation import join, predict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.labels import RoadLabels, SoundLabels
    from mm_fusion.models.fusion.gated import GatedFusion
    from mm_fusion.training.loop import Progress

_STATE_FILE = 'training.json'


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result besides the data.

    Attributes:
        seed: Of everything random.
        folds: Of the cross-validation.
        road_epochs: Passes over the photographs.
        sound_epochs: Passes over the clips.
        gate_epochs: Of the fusion, 50 batches each.
        views: Versions of each photograph: itself, and augmented ones.
        width: Multiplier of the image encoder's channels; ImageNet weights need 1.
        siren_false_positive_rate: What the siren threshold is chosen for.
    """

    seed: int = 0
    folds: int = 5
    road_epochs: int = 6
    sound_epochs: int = 10
    gate_epochs: int = 10
    views: int = 5
    width: float = 1.0
    siren_false_positive_rate: float = 0.02

    @property
    def road_schedule(self) -> Schedule:
        """Length and rates for the image branch."""
        return Schedule(self.road_epochs, rate=1e-3, weight_decay=0.02, averaging=0.98)

    @property
    def sound_schedule(self) -> Schedule:
        """Length and rates for the sound branch."""
        return Schedule(self.sound_epochs, rate=3e-3, weight_decay=0.02, averaging=0.99)

    @property
    def gate_schedule(self) -> Schedule:
        """Length and rates for the gates."""
        return Schedule(self.gate_epochs, rate=3e-2, weight_decay=0.01, averaging=0.98)


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Labels, what they label, and how it is split.

    Attributes:
        road_labels: Table of the photographs.
        sound_labels: Table of the clips.
        roads: Photographs.
        sounds: Clips.
        road_folds: int64 (photographs,).
        sound_folds: int64 (clips,); -1 for a clip without a label, which is never used.
    """

    road_labels: RoadLabels
    sound_labels: SoundLabels
    roads: RoadData
    sounds: SoundData
    road_folds: NDArray[np.int64]
    sound_folds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """What one training gives."""

    road: RoadNetwork
    sound: SoundNetwork
    fusion: GatedFusion


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What the whole training gives: all that a bundle is made of.

    Attributes:
        networks: Trained on everything.
        manifest: All but the stages, which are known after export.
    """

    networks: Networks
    manifest: dict[str, Any]


def train_networks(
    roads: Path,
    sounds: Path,
    trajectory: Mapping[str, Any],
    work: Path,
    recipe: Recipe,
    *,
    name: str,
    threads: int,
    friction_coefficients: Path,
    sources: dict[str, list[dict[str, str]]],
    limits: Sequence[str],
    command: str,
    progress: Progress,
) -> Trained:
    """Cross-validate, calibrate, and train on everything.

    Args:
        roads: Folder of labelled photographs.
        sounds: Folder of labelled clips.
        trajectory: Covariance scales of predicted paths, for the manifest.
        work: Folder of checkpoints; a run that was stopped goes on from there.
        recipe: Everything else that decides the result.
        name: Of the bundle.
        threads: Of torch.
        friction_coefficients: Table by friction class, copied into the manifest.
        sources: Names and licences of the data, for manifest and model card.
        limits: What the data cannot teach, one sentence each, for the same.
        command: How to run this again, for the manifest.
        progress: Told how far each job has come.

    Raises:
        DatasetError: A folder is not as it should be, or ``work`` is of another training.
    """
    torch.set_num_threads(threads)
    road_labels, sound_labels = read_road_labels(roads), read_sound_labels(sounds)
    data = [
        _fingerprint('roads', roads, road_labels.files, sources),
        _fingerprint('sounds', sounds, sound_labels.files, sources),
    ]
    _claim(work, {'recipe': dataclasses.asdict(recipe), 'data': [part['sha256'] for part in data]})
    inputs = _load(road_labels, sound_labels, recipe, work, progress)
    held_out = []
    for fold in range(recipe.folds):
        networks = _train(
            inputs,
            np.flatnonzero(inputs.road_folds != fold),
            np.flatnonzero((inputs.sound_folds != fold) & (inputs.sound_folds >= 0)),
            recipe,
            work / f'fold{fold}',
            _named(progress, f'fold {fold + 1} of {recipe.folds}'),
        )
        held_out.append(
            predict(
                networks.road,
                networks.sound,
                networks.fusion,
                (inputs.roads, np.flatnonzero(inputs.road_folds == fold)),
                (inputs.sounds, np.flatnonzero(inputs.sound_folds == fold)),
                recipe.seed,
            )
        )
    networks = _train(
        inputs,
        np.arange(len(road_labels.files)),
        np.flatnonzero(inputs.sound_folds >= 0),
        recipe,
        work / 'final',
        _named(progress, 'final'),
    )
    manifest = build_manifest(
        join(held_out),
        road_labels,
        sound_labels,
        trajectory,
        name=name,
        folds=recipe.folds,
        siren_false_positive_rate=recipe.siren_false_positive_rate,
        friction_coefficients=friction_coefficients,
        training={
            'command': command,
            'seed': recipe.seed,
            'configuration': dataclasses.asdict(recipe),
            'data': data,
            'other_sources': {k: v for k, v in sources.items() if k not in ('roads', 'sounds')},
            'limits': list(limits),
        },
    )
    return Trained(networks, manifest)


def _load(
    road_labels: RoadLabels,
    sound_labels: SoundLabels,
    recipe: Recipe,
    work: Path,
    progress: Progress,
) -> Inputs:
    clips = load_sounds(sound_labels, progress)
    roads = load_roads(
        road_labels, recipe.width, recipe.views, recipe.seed, work / 'views.npy', progress
    )
    strata = [
        '/'.join(str(int(road_labels.targets[task][i])) for task in ('friction', 'material'))
        for i in range(len(road_labels.files))
    ]
    groups = near_duplicate_groups(roads.images)
    sound_folds = np.full(len(clips.siren), -1, np.int64)
    known = np.flatnonzero(clips.siren >= 0)
    sound_folds[known] = grouped_folds(
        [sound_labels.groups[i] for i in known],
        [_sound_stratum(sound_labels, i) for i in known],
        recipe.folds,
        recipe.seed,
    )
    return Inputs(
        road_labels=road_labels,
        sound_labels=sound_labels,
        roads=roads,
        sounds=clips,
        road_folds=grouped_folds(groups.tolist(), strata, recipe.folds, recipe.seed),
        sound_folds=sound_folds,
    )


def _sound_stratum(labels: SoundLabels, index: int) -> str:
    """Spread each source over the folds: the folder that a clip lies in, and its label."""
    return f'{labels.files[index].rpartition("/")[0]}:{labels.siren[index]}'


def _train(
    inputs: Inputs,
    photographs: NDArray[np.int64],
    clips: NDArray[np.int64],
    recipe: Recipe,
    work: Path,
    progress: Progress,
) -> Networks:
    sound = train_sounds(
        inputs.sounds,
        clips,
        recipe.sound_schedule,
        seed=recipe.seed,
        checkpoint=work / 'sounds.safetensors',
        progress=_step(progress, 'sounds'),
    )
    road = train_roads(
        inputs.roads,
        photographs,
        recipe.width,
        recipe.road_schedule,
        seed=recipe.seed,
        checkpoint=work / 'roads.safetensors',
        progress=_step(progress, 'photographs'),
    )
    fusion = assemble({'camera': road.heads, 'microphone': sound.heads})
    heard, owners = embed_sounds(sound, inputs.sounds, clips)
    examples = {
        'camera': Embedded(
            embed_roads(road, inputs.roads, photographs),
            {
                task: torch.from_numpy(inputs.roads.targets[task][photographs])
                for task in SURFACE_CLASSES
            },
        ),
        'microphone': Embedded(heard, {'siren': torch.from_numpy(inputs.sounds.siren[owners])}),
    }
    train_gates(
        fusion,
        examples,
        recipe.gate_schedule,
        seed=recipe.seed,
        checkpoint=work / 'gates.safetensors',
        progress=_step(progress, 'gates'),
    )
    return Networks(road, sound, fusion)


def _fingerprint(
    kind: str, folder: Path, files: tuple[str, ...], sources: dict[str, list[dict[str, str]]]
) -> dict[str, Any]:
    """Name the data of a folder by one checksum over its table and its files, in table order."""
    digest = hashlib.sha256()
    for name in ('labels.csv', *files):
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise DatasetError(f'{folder / name}: {error.strerror}') from error
        digest.update(hashlib.sha256(content).digest())
    stated = sources.get(kind, [])
    return {
        'name': kind + ''.join(f'; {source["name"]}' for source in stated),
        'licence': '; '.join(f'{source["licence"]}' for source in stated) or 'not stated',
        'files': len(files),
        'sha256': digest.hexdigest(),
    }


def _claim(work: Path, identity: dict[str, Any]) -> None:
    """Bind the checkpoint folder to one training, so that it never resumes another."""
    path = work / _STATE_FILE
    if path.exists():
        if json.loads(path.read_text(encoding='utf-8')) != identity:
            raise DatasetError(
                f'{path}: found the checkpoints of another training; delete {work}, or give '
                'another folder with --work'
            )
        return
    work.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(identity, indent=1) + '\n', encoding='utf-8')


def _named(progress: Progress, prefix: str) -> Progress:
    def report(job: str, done: int, total: int) -> None:
        progress(f'{prefix}: {job}', done, total)

    return report


def _step(progress: Progress, job: str) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        progress(job, done, total)

    return report
