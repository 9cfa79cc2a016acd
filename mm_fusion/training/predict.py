# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network says of samples, beside what is true: all that calibration and scores need."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mm_fusion.errors import DatasetError
from mm_fusion.training.checkpoint import write_whole
from mm_fusion.training.data.mixture import in_order
from mm_fusion.training.objective import embed, to_device
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.batch import Batch
    from mm_fusion.training.data.source import Source

_BATCH = 32
SUBSETS: dict[str, tuple[str, ...]] = {
    '+'.join(names): names
    for size in (1, 2, 3)
    for names in itertools.combinations(NETWORK_MODALITIES, size)
}
"""Every choice of modalities by its name, as in ``camera+motion``."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Outputs of a network for n samples, and what is known to be true.

    Attributes:
        outputs: As the network names them, float32 (n, ...).
        targets: As in a ``Batch``, (n, ...).
        presence: float32 (n, 3).
        indices: int64 (n,), which sample of its source each is.
        groups: (n,), scene, recording or drive of each.
        owners: int64 (n,), what is scored as one: the clip of a window; else as ``indices``.
    """

    outputs: Mapping[str, NDArray[np.float32]]
    targets: dict[str, NDArray[Any]]
    presence: NDArray[np.float32]
    indices: NDArray[np.int64]
    groups: NDArray[np.str_]
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)


def join(parts: Sequence[Predictions]) -> Predictions:
    """Put predictions together, at least one."""
    return Predictions(
        {name: np.concatenate([p.outputs[name] for p in parts]) for name in parts[0].outputs},
        {name: np.concatenate([p.targets[name] for p in parts]) for name in parts[0].targets},
        np.concatenate([part.presence for part in parts]),
        np.concatenate([part.indices for part in parts]),
        np.concatenate([part.groups for part in parts]),
        np.concatenate([part.owners for part in parts]),
    )


def predict(
    network: FusionNetwork,
    source: Source,
    chosen: NDArray[np.int64],
    subsets: Iterable[str] = (),
) -> dict[str, Predictions]:
    """Run a network on samples as they are.

    Args:
        network: Set to evaluation mode.
        source: Of the samples.
        chosen: Indices of at least one sample.
        subsets: Names of ``SUBSETS`` to look at as well; a sample counts in one where it has
            all of its modalities, and the others are hidden from the network.

    Returns:
        ``all``: with what each sample has. Then the subsets; one that no sample can serve is
        left out.
    """
    network.eval()
    found: dict[str, list[Predictions]] = {}
    groups = np.array(source.groups, np.str_)
    owners = np.asarray(getattr(source, 'clips', np.arange(len(source))), np.int64)
    for number, batch in enumerate(in_order(source, chosen, _BATCH)):
        rows = chosen[number * _BATCH : (number + 1) * _BATCH]
        for name, part in _predict_batch(network, batch, ('all', *subsets)).items():
            outputs, presence, kept = part
            found.setdefault(name, []).append(
                Predictions(
                    outputs,
                    {task: value.numpy()[kept] for task, value in batch.targets.items()},
                    presence,
                    rows[kept],
                    groups[rows[kept]],
                    owners[rows[kept]],
                )
            )
    return {name: join(parts) for name, parts in found.items()}


@torch.no_grad()
def _predict_batch(
    network: FusionNetwork, batch: Batch, subsets: Iterable[str]
) -> dict[str, tuple[dict[str, NDArray[np.float32]], NDArray[np.float32], NDArray[np.bool_]]]:
    """Embed once, and fuse for each subset: outputs, what was present, and which rows."""
    moved = to_device(batch, next(network.parameters()).device)
    embeddings = embed(network, moved)
    found = {}
    for name in subsets:
        wanted = moved.presence.new_tensor(
            [name == 'all' or modality in SUBSETS[name] for modality in NETWORK_MODALITIES]
        )
        kept = torch.ones(len(batch.presence), dtype=torch.bool)
        if name != 'all':
            kept = (moved.presence >= wanted).all(dim=1).cpu()
        if not kept.any():
            continue
        presence = (moved.presence * wanted)[kept]
        chosen = {modality: value[kept] for modality, value in embeddings.items()}
        outputs = network.fuse(chosen, presence, moved.age_s[kept])
        arrays = {key: value.float().cpu().numpy() for key, value in outputs.items()}
        found[name] = (arrays, presence.cpu().numpy(), kept.numpy())
    return found


def save_predictions(path: Path, predictions: Mapping[str, Mapping[str, Predictions]]) -> None:
    """Write predictions by source and subset as one ``.npz``.

    Raises:
        DatasetError: The file cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for source, subsets in predictions.items():
        for subset, found in subsets.items():
            prefix = f'{source}|{subset}'
            arrays |= {f'{prefix}|outputs|{k}': v for k, v in found.outputs.items()}
            arrays |= {f'{prefix}|targets|{k}': v for k, v in found.targets.items()}
            arrays[f'{prefix}|presence|'] = found.presence
            arrays[f'{prefix}|indices|'] = found.indices
            arrays[f'{prefix}|groups|'] = found.groups
            arrays[f'{prefix}|owners|'] = found.owners
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_whole(path, content.getvalue())


def load_predictions(path: Path) -> dict[str, dict[str, Predictions]]:
    """Read what ``save_predictions`` wrote.

    Raises:
        DatasetError: The file cannot be read.
    """
    parts: dict[tuple[str, str], dict[str, dict[str, NDArray[Any]]]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                source, subset, kind, name = key.split('|')
                parts.setdefault((source, subset), {}).setdefault(kind, {})[name] = file[key]
    except (OSError, ValueError) as error:
        raise DatasetError(f'{path}: cannot be read as predictions: {error}') from error
    found: dict[str, dict[str, Predictions]] = {}
    for (source, subset), kinds in parts.items():
        found.setdefault(source, {})[subset] = Predictions(
            kinds['outputs'],
            kinds['targets'],
            kinds['presence'][''],
            kinds['indices'][''],
            kinds['groups'][''],
            kinds['owners'][''],
        )
    return found
