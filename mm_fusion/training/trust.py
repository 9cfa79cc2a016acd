# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The last stage: what each modality is worth beside the others, from drives held out.

Of the drives that it learns from, every encoder comes to know nearly everything by itself, sound
too: the fusion learns to trust all of them alike, and on other drives sound misleads it where the
camera sees well. So what it trusts is learned again from drives that no encoder has learned from,
by a few numbers that cannot learn those by heart.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.models.heads import TASK_SIZES
from mm_fusion.training.embed import concatenate, embed_source, keep_modalities
from mm_fusion.training.objective import embed, to_device
from mm_fusion.training.progress import of_job
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share

TRUST = 'trust'
_STEPS, _RATE = 200, 0.1
_SHRINKAGE = 5.76e-3
"""Of the square of what is learned, over the square of the number of drives: one drive says little
of others."""
_FEWEST = 2
"""Modalities that must be there for one to be worth more than another."""
_COEFFICIENT_UNIT = 0.1


def learn_trust(
    network: FusionNetwork,
    shares: Sequence[Share],
    start: FusionNetwork | None,
    progress: Progress,
) -> bool:
    """Learn what modalities are worth beside each other, in place.

    Args:
        network: As trained.
        shares: What they hold out of recordings with camera or sound is learned from.
        start: What training went on from, whose trust is gone on from, and the further the fewer
            drives there are; None: trusts all alike.
        progress: Told how far it has come.

    Returns:
        Whether there was anything to learn, and a strategy that learns it.
    """
    with torch.no_grad():
        for index, values in enumerate(network.fusion.trust):
            values.copy_(torch.zeros_like(values) if start is None else start.fusion.trust[index])
    held_out = [share for share in shares if share.kind == 'bags' and len(share.held_out)]
    if not network.fusion.trust or not held_out:
        return False
    embedded = concatenate(
        [
            embed_source(network, share.source, share.held_out, of_job(progress, 'embedding'))
            for share in held_out
        ]
    )
    drives = {share.source.groups[row] for share in held_out for row in share.held_out}
    return fit_trust(network, embedded, len(drives), of_job(progress, TRUST))


def fit_trust(
    network: FusionNetwork,
    samples: EmbeddedBatch,
    drives: int,
    progress: Callable[[int, int], None],
) -> bool:
    """Learn it from embedded samples of some drives; see ``learn_trust``.

    Each choice of two or more modalities counts, with cross-entropy for each task of classes and
    the distance from the friction coefficient. Temperatures are learned beside, and forgotten:
    being less sure is no reason to trust another.
    """
    trust, choices = network.fusion.trust, list(_choices(samples))
    if not trust or not choices:
        return False
    device = trust[0].device
    moved = [to_device(batch, device) for batch in choices]
    network.requires_grad_(False).eval()  # noqa: FBT003  # torch's own signature
    before = [values.clone() for values in trust]
    log_temperatures = {
        task: torch.zeros((), device=device, requires_grad=True) for task in TASK_SIZES
    }
    for values in trust:
        values.requires_grad_(True)  # noqa: FBT003
    optimizer = torch.optim.Adam([*trust, *log_temperatures.values()], _RATE)
    for step in range(_STEPS):
        for group in optimizer.param_groups:
            group['lr'] = _RATE * 0.5 * (1.0 + math.cos(math.pi * step / _STEPS))
        changes = [values - old for values, old in zip(trust, before, strict=True)]
        loss = (
            _SHRINKAGE / drives**2 * torch.cat([part.flatten() for part in changes]).square().sum()
        )
        for batch in moved:
            outputs = network.fuse(embed(network, batch), batch.presence, batch.age_s)
            loss = loss + _loss(outputs, batch.targets, log_temperatures) / len(moved)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        progress(step + 1, _STEPS)
    for values in trust:
        values.requires_grad_(False)  # noqa: FBT003
    return True


def _choices(samples: EmbeddedBatch) -> Iterator[EmbeddedBatch]:
    """Give the samples with each choice of modalities that some of them have all of."""
    for size in range(_FEWEST, len(NETWORK_MODALITIES) + 1):
        for names in itertools.combinations(NETWORK_MODALITIES, size):
            columns = [NETWORK_MODALITIES.index(name) for name in names]
            having = samples.presence[:, columns].amin(dim=1) > 0.0
            if having.any():
                yield keep_modalities(samples.rows(having.nonzero()[:, 0].numpy()), names)


def _loss(
    outputs: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    log_temperatures: Mapping[str, Tensor],
) -> Tensor:
    total = outputs['siren'].sum() * 0.0  # samples without any label still have a gradient
    for task in TASK_SIZES:
        known = targets[task] != UNLABELLED
        if not known.any():
            continue
        logits = outputs[task][known] * torch.exp(-log_temperatures[task])
        if task in SURFACE_CLASSES:
            total = total + functional.cross_entropy(
                logits, targets[task][known], _evened(targets[task][known], logits.shape[1])
            )
        else:
            total = total + functional.binary_cross_entropy_with_logits(
                logits[:, 0], targets[task][known].float()
            )
    known = torch.isfinite(targets['friction_coefficient'])
    if known.any():
        wrong = outputs['friction_coefficient'][known, 0] - targets['friction_coefficient'][known]
        total = total + wrong.abs().mean() / _COEFFICIENT_UNIT
    return total


def _evened(targets: Tensor, classes: int) -> Tensor:
    """Weigh classes so that all that are there count alike, float32 (classes,)."""
    counts = torch.bincount(targets, minlength=classes).float()
    return torch.where(counts > 0.0, len(targets) / counts.clamp(min=1.0), 0.0)
