# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything that decides a training besides the data, read from YAML and checked as a whole."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mm_fusion.documents import read_yaml
from mm_fusion.errors import DatasetError, DocumentError, SettingsError
from mm_fusion.fields import flag, real, specs_of, text, whole
from mm_fusion.models.config import NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mm_fusion.fields import ParameterSpec

NETWORK = 'network'
"""Key of the group that describes the network."""


@dataclass(frozen=True, slots=True)
class OptimizationConfig:
    """Length, rates and precision of a training."""

    epochs: int = whole(8, 'Passes over the data', '1', 1, 10_000)
    steps_per_epoch: int = whole(
        0,
        'Batches of an epoch; 0: until each sample of the first kind of data was seen, in the '
        'order photographs, sounds, bags, motion bags',
        '1',
        0,
        1_000_000,
    )
    learning_rate: float = real(2e-3, 'Highest rate of what is not an encoder', '1', 1e-8, 1.0)
    camera_factor: float = real(0.25, 'On the rate of the image encoder', '1', 0.0, 100.0)
    microphone_factor: float = real(1.0, 'On the rate of the sound encoder', '1', 0.0, 100.0)
    motion_factor: float = real(1.5, 'On the rate of the motion encoder', '1', 0.0, 100.0)
    weight_decay: float = real(0.02, 'Of AdamW; not of biases and norms', '1', 0.0, 10.0)
    warm_up: float = real(0.15, 'Share of the steps in which the rate rises', '1', 0.0, 1.0)
    least_rate: float = real(0.01, 'Lowest rate, as a share of the highest', '1', 0.0, 1.0)
    gradient_norm: float = real(5.0, 'Longer gradients are cut to this length', '1', 1e-6, 1e6)
    averaging: float = real(
        0.985, 'Decay of the averaged weights at each step; 0 turns averaging off', '1', 0.0, 1.0
    )
    frozen_blocks: int = whole(
        5, 'First blocks of the image encoder that keep their weights', '1', 0, 100
    )
    freeze_encoders: bool = flag(
        default=False, description='All encoders keep their weights: the fusion alone learns'
    )
    bfloat16: bool = flag(
        default=True,
        description='Compute the encoders of images and sound in bfloat16 while training, where '
        'the processor does that itself',
    )
    sound_steps: int = whole(
        0, 'Batches of sound alone that are learned from before everything', '1', 0, 1_000_000
    )
    path_steps: int = whole(
        1000,
        'Batches of motion alone that the path learns from once the rest has learned',
        '1',
        0,
        1_000_000,
    )
    device: str = text('auto', 'auto: a GPU where torch has one', 'auto', 'cpu', 'cuda')
    patience: int = whole(
        0, 'Epochs without a lower validation loss until it stops; 0: never', '1', 0, 10_000
    )


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Shares of the losses."""

    friction: float = real(1.0, 'Share of friction', '1', 0.0, 1e3)
    material: float = real(1.0, 'Share of material', '1', 0.0, 1e3)
    unevenness: float = real(0.5, 'Share of unevenness', '1', 0.0, 1e3)
    siren: float = real(1.0, 'Share of the siren', '1', 0.0, 1e3)
    friction_coefficient: float = real(0.2, 'Share of the friction coefficient', '1', 0.0, 1e3)
    path: float = real(0.3, 'Scale of the five shares that follow', '1', 0.0, 1e3)
    trajectory: float = real(1.0, 'Share of the likelihood of the nearest mode', '1', 0.0, 1e3)
    winner: float = real(2.0, 'Share of its displacement, per metre', '1', 0.0, 1e3)
    central_mode: float = real(
        1.0, 'Share of the displacement of mode 0, per metre', '1', 0.0, 1e3
    )
    central_likelihood: float = real(
        0.0,
        "Share of its likelihood; the path's own stage takes that of trajectory",
        '1',
        0.0,
        1e3,
    )
    modes: float = real(1.0, 'Share of how near each mode is', '1', 0.0, 1e3)
    regularisation: float = real(
        0.01, 'Share of how unevenly the present modalities are weighted', '1', 0.0, 1e3
    )
    smoothing: float = real(0.05, 'Label smoothing of the classes', '1', 0.0, 0.9)
    siren_smoothing: float = real(0.02, 'Label smoothing of the siren', '1', 0.0, 0.9)
    friction_power: float = real(
        0.5, 'A class of friction weighs as its rarity to this power', '1', 0.0, 2.0
    )
    material_power: float = real(1.0, 'The same for material', '1', 0.0, 2.0)
    unevenness_power: float = real(0.5, 'The same for unevenness', '1', 0.0, 2.0)
    most_class_weight: float = real(20.0, 'Limit of that against the commonest', '1', 1.0, 1e4)
    uncertainty: bool = flag(
        default=False, description='Learn the shares instead (Kendall et al., 2018)'
    )


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What a batch is made of."""

    photographs: int = whole(32, 'Photographs in a batch', '1', 0, 4096)
    sounds: int = whole(32, 'Clips in a batch', '1', 0, 4096)
    bags: int = whole(12, 'Moments of drives with camera or sound in a batch', '1', 0, 4096)
    motion_bags: int = whole(256, 'Moments of drives without either in a batch', '1', 0, 4096)
    image_size: int = whole(
        192, 'Height and width of images that are learned from; a multiple of 32', 'px', 32, 1024
    )
    mixup: float = real(
        0.0,
        'Photographs are mixed in pairs, with shares of Beta(mixup, mixup); 0: never',
        '1',
        0.0,
        100.0,
    )
    photograph_balance: str = text(
        '', 'Draw its classes evenly; empty: as they come', '', 'friction', 'material'
    )
    sound_balance: str = text('siren', 'As for photographs', '', 'siren')
    bag_balance: str = text('', 'As for photographs', '', 'siren', 'friction', 'material')
    validation_share: float = real(
        0.2, 'Share of the groups held out where no validation bags are named', '1', 0.0, 0.9
    )
    hide_modality: float = real(
        0.2,
        'Probability that a modality is hidden where embeddings are learned from',
        '1',
        0.0,
        1.0,
    )
    workers: int = whole(0, 'Processes that prepare batches; 0: none', '1', 0, 256)
    spectrogram_masks: bool = flag(
        default=True, description='Mask bands and spans of spectrograms (SpecAugment)'
    )


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """Self-supervised pre-training on drives."""

    contrast: float = real(0.5, 'Share of the contrastive term', '1', 0.0, 1e3)
    temperature: float = real(0.1, 'Of the contrastive term', '1', 1e-3, 10.0)


@dataclass(frozen=True, slots=True)
class CalibrationConfig:
    """What calibration on held-out predictions aims for."""

    friction_balance: float = real(
        0.5, 'Rare classes are raised by their rarity to this power', '1', 0.0, 2.0
    )
    material_balance: float = real(0.0, 'The same for material', '1', 0.0, 2.0)
    unevenness_balance: float = real(0.5, 'The same for unevenness', '1', 0.0, 2.0)
    siren_false_positive_rate: float = real(
        0.02, 'Share of false alarms that the threshold of the siren is chosen for', '1', 0.0, 1.0
    )


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a training besides the data.

    Attributes:
        seed: Of everything random.
        network: What is trained.
        optimization: Length, rates, precision.
        losses: Shares of the losses.
        data: What a batch is made of.
        pretraining: Of ``mm_fusion pretrain``.
        calibration: What calibration aims for.
    """

    seed: int = whole(0, 'Of everything random', '1', 0, 2**31 - 1)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)

    def to_dict(self) -> dict[str, Any]:
        """Give the values by group, as they stand in a file."""
        return {**dataclasses.asdict(self), NETWORK: self.network.to_dict()}


def training_config(values: Mapping[str, Any], source: str) -> TrainingConfig:
    """Check values by group and make a configuration; what is not named keeps its default.

    Args:
        values: ``seed``, and a mapping for each group.
        source: Named in errors.

    Raises:
        SettingsError: A key is unknown, or a value is refused; every problem is listed.
    """
    problems: list[str] = []
    default = TrainingConfig()
    groups = {item.name for item in dataclasses.fields(default)} - {'seed'}
    problems += [f'{key}: unknown key' for key in values if key not in {*groups, 'seed'}]
    changes: dict[str, Any] = {}
    seed_specs = {spec.name.removeprefix('.'): spec for spec in specs_of(default, '')}
    changes |= _checked({k: v for k, v in values.items() if k == 'seed'}, seed_specs, problems)
    for group in groups & set(values):
        found = values[group]
        if not isinstance(found, dict):
            problems.append(f'{group}: found {found!r}, expected a mapping')
        elif group == NETWORK:
            try:
                changes[group] = NetworkConfig.from_dict(found)
            except DatasetError as error:
                problems.append(f'{NETWORK}: {error}')
        else:
            record = getattr(default, group)
            specs = {spec.name.split('.', 1)[1]: spec for spec in specs_of(record, group)}
            chosen = _checked(found, specs, problems, prefix=f'{group}.')
            changes[group] = dataclasses.replace(record, **chosen)
    if problems:
        raise SettingsError([f'{source}: {problem}' for problem in sorted(problems)])
    return dataclasses.replace(default, **changes)


def read_training_config(path: Path) -> TrainingConfig:
    """Read a configuration from a YAML file.

    Raises:
        SettingsError: It cannot be read, or ``training_config`` refuses it.
    """
    try:
        document = read_yaml(path)
    except DocumentError as error:
        raise SettingsError([str(error)]) from error
    if not isinstance(document, dict):
        raise SettingsError([f'{path}: expected a mapping, found {type(document).__name__}'])
    return training_config({str(key): value for key, value in document.items()}, str(path))


def _checked(
    found: Mapping[str, Any],
    specs: Mapping[str, ParameterSpec],
    problems: list[str],
    prefix: str = '',
) -> dict[str, Any]:
    """Give the accepted values, in the types of their fields."""
    accepted = {}
    for name, value in found.items():
        if name not in specs:
            problems.append(f'{prefix}{name}: unknown key')
        elif (problem := specs[name].problem(value)) is not None:
            problems.append(problem.removeprefix('.'))
        else:
            accepted[name] = specs[name].type(value)
    return accepted


def parameter_specs() -> Iterator[ParameterSpec]:
    """List the parameters of every group but the network."""
    default = TrainingConfig()
    for item in dataclasses.fields(default):
        if item.name not in ('seed', NETWORK):
            yield from specs_of(getattr(default, item.name), item.name)
