# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a finished run says of a bundle: classes, calibration, scores, origin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors.torch import save

from mm_fusion import __version__
from mm_fusion.documents import read_yaml
from mm_fusion.errors import DatasetError, DocumentError
from mm_fusion.models.encoders.sound import SAMPLE_RATE_HZ
from mm_fusion.training.checkpoint import (
    AVERAGE,
    BEST,
    CALIBRATION,
    METRICS,
    RUN,
    checkpoint_meta,
    class_lists,
    load_network,
)
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.models.network import FusionNetwork


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRun:
    """All that a bundle is made of.

    Attributes:
        network: In evaluation mode.
        weights: Content of a safetensors file that ``mm_fusion train --from`` reads.
        manifest: All but the files of the bundle.
    """

    network: FusionNetwork
    weights: bytes
    manifest: dict[str, Any]


def read_run(folder: Path, name: str, friction_coefficients: Path) -> FinishedRun:
    """Gather what a run left.

    Args:
        folder: Of the run, or of one of its folds: that has the calibration of the whole.
        name: Of the bundle.
        friction_coefficients: Table by friction class, YAML.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    network, meta = load_network(folder / BEST)
    whole = folder if (folder / CALIBRATION).is_file() else folder.parent
    calibration, metrics, about = (
        _read_json(whole / file) for file in (CALIBRATION, METRICS, RUN)
    )
    manifest = {
        'schema': 2,
        'name': name,
        'version': __version__,
        'audio_sample_rate_hz': SAMPLE_RATE_HZ,
        'classes': class_lists(),
        'surface_from': _surface_sources(about),
        'calibration': {key: value for key, value in calibration.items() if key != 'examples'},
        'friction_coefficients': read_friction_coefficients(friction_coefficients),
        'network': network.config.to_dict(),
        'training': {**about, 'git': meta['git'], 'epochs': meta['epoch']},
        'metrics': metrics,
    }
    return FinishedRun(network, _weights(network, meta), manifest)


def read_friction_coefficients(path: Path) -> dict[str, Any]:
    """Read the table of friction coefficients.

    Raises:
        DatasetError: It cannot be read, or lacks a class.
    """
    try:
        table: Any = read_yaml(path)
        classes = {
            name: {key: float(table['classes'][name][key]) for key in ('mean', 'std')}
            for name in FRICTION_CLASSES
        }
        return {'source': str(table['source']).strip(), 'classes': classes}
    except (DocumentError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f'{path}: cannot be read as a table of friction coefficients: {error!r}'
        ) from error


def _weights(network: FusionNetwork, meta: dict[str, Any]) -> bytes:
    """Store matrices in half precision, which rounds less than training moves them.

    Vectors stay as they are: variances of the normalisation do not fit the range.
    """
    tensors = {
        AVERAGE + name: (value.half() if value.ndim > 1 else value).contiguous()
        for name, value in network.state_dict().items()
    }
    return save(tensors, checkpoint_meta({key: meta[key] for key in ('network', 'git', 'epoch')}))


def _surface_sources(about: dict[str, Any]) -> list[str]:
    """Say what speaks to the road: sound as well, where drives with labels were learned from."""
    kinds = {part['name'] for part in about['data'] if part['road_labels']}
    return ['camera', 'microphone'] if 'bags' in kinds else ['camera']


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise DatasetError(
            f'{path}: cannot be read: {error}; a run that has ended leaves it'
        ) from error
    if not isinstance(content, dict):
        raise DatasetError(f'{path}: found {type(content).__name__}, expected an object')
    return content
