# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is learned from drives held out: how sound and the coefficient are read, and whom to trust.

Cameras are blinded and sound is drowned for a part of it, so that what a sensor gives says how far
it is to be trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.training.augment.blinding import blinded, drowned
from mm_fusion.training.coefficient import fit_coefficient
from mm_fusion.training.data.altered import Altered
from mm_fusion.training.embed import concatenate, embed_changed, embed_source
from mm_fusion.training.progress import of_job
from mm_fusion.training.readout import HEARD, fit_readout
from mm_fusion.training.trust import Evidence, fit_trust
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.source import Source
    from mm_fusion.training.embed import EmbeddedBatch
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share

HELD_OUT, TRUST = 'held out', 'trust'
"""What a checkpoint says of this stage, and a part of it to those who watch."""
_TROUBLES = {'camera': blinded, 'microphone': drowned}
_CLEAN = 2
"""How often samples as they are count, beside once for each trouble: mostly there is none."""
_SEED = 20
_PARTS = 10


def learn_held_out(
    network: FusionNetwork,
    shares: Sequence[Share],
    start: FusionNetwork | None,
    progress: Progress,
) -> bool:
    """Learn how sound and the friction coefficient are read, then what modalities are worth.

    The last two judge sound by votes that were fitted to nine tenths of the drives, since they
    would trust votes that know the drive. All in place.

    Args:
        network: As trained.
        shares: What they hold out of recordings with camera or sound is learned from.
        start: What training went on from, whose trust is gone on from, and the further the fewer
            drives there are; None: trusts all alike.
        progress: Told how far it has come.

    Returns:
        Whether there was anything to learn.
    """
    with torch.no_grad():
        for index, values in enumerate(network.fusion.trust):
            values.copy_(torch.zeros_like(values) if start is None else start.fusion.trust[index])
    held_out = [share for share in shares if share.kind == 'bags' and len(share.held_out)]
    if not held_out:
        return False
    embedded = [
        embed_troubled(network, share.source, share.held_out, of_job(progress, 'embedding'))
        for share in held_out
    ]
    counted = [[*views[:1] * _CLEAN, *views[1:]] for views in embedded]
    clean = concatenate([views[0] for views in embedded])
    drives = np.concatenate([_drives(share) for share in held_out])
    troubled = concatenate([view for views in counted for view in views])
    of_troubled = np.concatenate(
        [
            np.tile(_drives(share), len(views))
            for share, views in zip(held_out, counted, strict=True)
        ]
    )
    evidence = Evidence.of(network, troubled)
    add_unbiased_votes(network, evidence, (clean, drives), (troubled, of_troubled))
    count = len(np.unique(drives))
    readout = fit_readout(network, clean, count)
    readout.add_to(network)
    # Before trust: who is worth what of the coefficient shows only once it is read well.
    reads = fit_coefficient(network, evidence, count)
    trusts = fit_trust(network, evidence, count, of_job(progress, TRUST))
    return reads or trusts or bool(readout.weights)


def embed_troubled(
    network: FusionNetwork,
    source: Source,
    chosen: NDArray[np.int64],
    progress: Callable[[int, int], None],
) -> list[EmbeddedBatch]:
    """Embed samples as they are, then with the camera blinded, and with the sound drowned.

    Args:
        network: As of ``embed_source``.
        source: Of the samples.
        chosen: As of ``embed_source``.
        progress: As of ``embed_source``, for each of the three.

    Returns:
        The samples as they are first; what none of them has is not troubled.
    """
    clean = embed_source(network, source, chosen, progress)
    views = [clean]
    for modality, trouble in _TROUBLES.items():
        if clean.presence[:, NETWORK_MODALITIES.index(modality)].any():
            changed = Altered(source, trouble, _SEED)
            views.append(embed_changed(network, clean, changed, chosen, modality, progress))
    return views


def add_unbiased_votes(
    network: FusionNetwork,
    evidence: Evidence,
    fitted: tuple[EmbeddedBatch, NDArray[np.str_]],
    judged: tuple[EmbeddedBatch, NDArray[np.str_]],
) -> None:
    """Add to votes, in place, what is fitted to the drives that are not in the same part.

    Parts, and not halves: votes that are fitted to nearly as many drives as those that serve are
    nearly as good, and neither more nor less is trusted than is right.

    Args:
        network: As trained.
        evidence: Of what is judged.
        fitted: Samples to fit to, and the drive of each.
        judged: Samples to vote on, and the drive of each.
    """
    samples, of_samples = fitted
    others, of_others = judged
    names = np.unique(of_samples)
    column = NETWORK_MODALITIES.index(HEARD)
    for first in range(min(_PARTS, len(names))):
        part = names[first::_PARTS]
        inside = ~np.isin(of_samples, part)
        if not inside.any():
            continue
        rest = samples.rows(np.flatnonzero(inside))
        readout = fit_readout(network, rest, len(names) - len(part))
        rows = torch.from_numpy(np.flatnonzero(np.isin(of_others, part)))
        for task, votes in readout.votes(others.rows(rows.numpy())).items():
            evidence.votes[task][rows, column] += votes.to(evidence.tokens.device)


def _drives(share: Share) -> NDArray[np.str_]:
    """Give the drive of each sample that is held out."""
    return np.array(share.source.groups, np.str_)[share.held_out]
