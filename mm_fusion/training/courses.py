# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the modes of the path lie: fitted to all that was driven at once.

The nearest mode takes all, so that a step on a few samples moves the border between two modes as
much as the modes: a thousand such steps ended elsewhere with each seed (docs/training.md). All
samples at once end at the same place from wherever they start. What drivers did is taken for one
of many things near it that they might have done, so that modes do not lie on the few that were
recorded: a smoothed bootstrap (Silverman and Young, 1987, The bootstrap: to smooth or not to
smooth?).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.models.kinematics import kinematic_state
from mm_fusion.training.data.mixture import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.training.data.mixture import Part

_MOST = 8192
"""Samples of a part; more say the same again."""
_AT_ONCE = 512
_RATE, _WARM_UP_STEPS = 0.05, 10
_SHRINKAGE = 0.01
_LEAST_M, _TINY_M = 0.1, 0.01

VARIATION = 0.4
"""Deviation of the log factors by which each departure from the central mode is varied."""


@dataclass(frozen=True, slots=True, eq=False)
class DrivenSamples:
    """What was driven in one recording.

    Attributes:
        states: float32 (n, 6), ``KINEMATIC_COLUMNS``.
        residuals: float32 (n, 12, 2), of the driven path to the roll-out, m.
        weight: Share of the recording in what is fitted; those of all sum to 1.
    """

    states: Tensor
    residuals: Tensor
    weight: float


def driven_samples(parts: Sequence[Part], rows: int) -> list[DrivenSamples]:
    """Gather the states of recordings and what was driven then.

    Args:
        parts: Samples of motion whose future is known; each weighs as in a batch.
        rows: Of the history that the network reads, the newest.
    """
    sizes = sum(part.batch_size for part in parts)
    found = []
    for part in parts:
        count = len(part.chosen)
        chosen = part.chosen[np.linspace(0, count - 1, min(count, _MOST)).round().astype(int)]
        batches = list(in_order(part.source, chosen, _AT_ONCE))
        motion = torch.cat([batch.inputs['motion'][:, -rows:] for batch in batches])
        states = kinematic_state(motion)
        residuals = torch.cat([batch.targets['trajectory'] for batch in batches])
        names = np.array(part.source.groups)[chosen]
        for name in dict.fromkeys(names.tolist()):
            of_it = torch.from_numpy(names == name)
            share = float(of_it.float().mean()) * part.batch_size / sizes
            found.append(DrivenSamples(states[of_it], residuals[of_it], share))
    return found


def place_modes(
    paths: KinematicPaths,
    driven: Sequence[DrivenSamples],
    steps: int,
    progress: Callable[[int, int], None],
    *,
    seed: int = 0,
    variation: float = VARIATION,
) -> None:
    """Move all modes but the central one to where the nearest is least far off, in place.

    The distance counts in units of the roll-out's in the same recording, as scores do. What
    depends on the situation is held small. In each step, what was driven departs from the central
    mode by another factor along the roll-out, and by another aside, both log-normal about 1.

    Args:
        paths: The central mode stays as it is.
        driven: What is fitted to.
        steps: Of Adam, on everything.
        progress: Told the steps that are done, and all.
        seed: Of the factors.
        variation: Deviation of their logs; 0 takes what was driven as it was.
    """
    device = next(paths.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    at_hand = [_departures(one, paths, device) for one in driven]
    others = paths.others.requires_grad_(True)  # noqa: FBT003  # torch's own signature
    optimizer = torch.optim.Adam(others.parameters(), _RATE)
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = _RATE * _course(step, steps)
        loss = _SHRINKAGE * sum(
            (shifts.square().sum() for shifts in (others.speed_shifts, others.yaw_rate_shifts)),
            torch.zeros((), device=device),
        )
        for one in at_hand:
            might = one.central + varied(one.departures, variation, generator)
            loss = loss + one.weight * _nearest_m(paths(one.states), might).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        progress(step + 1, steps)
    others.requires_grad_(False)  # noqa: FBT003


def varied(departures: Tensor, variation: float, generator: torch.Generator) -> Tensor:
    """Make departures larger or smaller, each as a whole, along and aside by factors of their own.

    Args:
        departures: float32 (n, 12, 2), along and aside, m.
        variation: Deviation of the logs of the factors, which are normal about 0.
        generator: On the CPU, so that every device draws the same.
    """
    logs = variation * torch.randn(len(departures), 1, 2, generator=generator)
    return departures * logs.exp().to(departures.device)


@dataclass(frozen=True, slots=True, eq=False)
class _Departures:
    """What was driven in one recording, from the central mode.

    Attributes:
        states: float32 (n, 6), ``KINEMATIC_COLUMNS``.
        central: float32 (n, 12, 2), the central mode's residuals, m.
        departures: float32 (n, 12, 2), what was driven less ``central``, m.
        weight: Of a metre of this recording.
    """

    states: Tensor
    central: Tensor
    departures: Tensor
    weight: float


@torch.no_grad()
def _departures(driven: DrivenSamples, paths: KinematicPaths, device: torch.device) -> _Departures:
    states = driven.states.to(device)
    central = paths(states)[:, 0]
    departures = driven.residuals.to(device) - central
    return _Departures(states, central, departures, driven.weight / _scale_m(driven))


def _course(step: int, steps: int) -> float:
    """Give the rate's share: a short rise, then half a cosine."""
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * 0.5 * (1.0 + math.cos(math.pi * step / steps))


def _scale_m(driven: DrivenSamples) -> float:
    return max(float(driven.residuals.norm(dim=2).mean()), _LEAST_M)


def _nearest_m(modes: Tensor, residuals: Tensor) -> Tensor:
    """Give the mean distance of the nearest mode, (n,)."""
    # The tiny length keeps the gradient of a perfect step finite.
    squared = (modes - residuals[:, None]).square().sum(dim=3) + _TINY_M**2
    return squared.sqrt().mean(dim=2).amin(dim=1)
