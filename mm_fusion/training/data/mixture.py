# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches from several sources, the same whatever number of processes makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mm_fusion.errors import DatasetError
from mm_fusion.labels import UNLABELLED
from mm_fusion.training.data.batch import Batch, collate
from mm_fusion.training.data.source import CLASS_COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.data.source import Source

_ORDER, _VARIATION = 0, 1
"""Apart in the seeds, so that no order of a pool shares its numbers with a variation."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one source gives to every batch.

    Attributes:
        source: Where the samples come from.
        chosen: int64 (n,), indices of those that may be drawn.
        batch_size: Samples in each batch.
        balance: Task whose classes are drawn equally often, samples without a label of it never;
            None draws each sample equally often.
        varied: Whether samples are augmented.
    """

    source: Source
    chosen: NDArray[np.int64]
    batch_size: int
    balance: str | None = None
    varied: bool = True

    def __post_init__(self) -> None:
        """Check that there is something to draw.

        Raises:
            DatasetError: Nothing is chosen, or nothing of it is labelled for the balance.
            ValueError: The batch size or the task is none.
        """
        if self.batch_size < 1:
            raise ValueError(f'batch size: found {self.batch_size}, expected at least 1')
        if self.balance is not None and self.balance not in CLASS_COUNTS:
            raise ValueError(f'balance: found {self.balance!r}, expected one of {[*CLASS_COUNTS]}')
        if not self.pools():
            wanted = 'sample' if self.balance is None else f'sample with a label of {self.balance}'
            raise DatasetError(
                f'{self.source.name}: found {len(self.chosen)} samples to train on, expected at '
                f'least one {wanted}'
            )

    def pools(self) -> list[NDArray[np.int64]]:
        """Split the chosen samples into pools that are drawn from in turn."""
        if self.balance is None:
            return [self.chosen] if len(self.chosen) else []
        labels = self.source.targets[self.balance][self.chosen]
        return [self.chosen[labels == label] for label in np.unique(labels) if label != UNLABELLED]


class Mixture(Dataset[Batch]):
    """Batches of an epoch; the item of a step is its whole batch.

    Each part draws from an endless sequence of permutations that goes on from epoch to epoch.
    What is drawn and how it is varied depends on seed, epoch and step alone. Ranks share the
    batch of a step out: two ranks with half the batch size see what one sees with the whole.

    Args:
        parts: What each source gives to a batch.
        steps: Batches of an epoch.
        seed: Of everything random.
        rank: Of this process among those that train together.
        world: Number of those processes.

    Raises:
        ValueError: There is no part.
    """

    def __init__(
        self, parts: Sequence[Part], steps: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        if not parts:
            raise ValueError('mixture: found no part')
        self._parts = tuple(parts)
        self._pools = [part.pools() for part in parts]
        self._steps = steps
        self._seed = seed
        self._rank = rank
        self._world = world
        self._orders: dict[tuple[int, int], tuple[int, NDArray[np.int64]]] = {}
        # Shared, so that workers that live on from epoch to epoch see it change.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What each source gives to a batch."""
        return self._parts

    def __len__(self) -> int:
        return self._steps

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next items are of."""
        self._epoch.fill_(epoch)

    def __getitem__(self, step: int) -> Batch:
        if not 0 <= step < self._steps:
            raise IndexError(step)
        place = (int(self._epoch) * self._steps + step) * self._world + self._rank
        samples, names = [], []
        for number, part in enumerate(self._parts):
            first = place * part.batch_size
            for position in range(first, first + part.batch_size):
                index = self._drawn(number, position)
                random = np.random.default_rng((_VARIATION, self._seed, number, position))
                variation = random if part.varied else None
                samples.append(part.source.sample(index, variation, part.chosen))
                names.append(_name(part.source, index))
        return collate(samples, names)

    def loader(self, workers: int) -> DataLoader[Batch]:
        """Make the batches of an epoch in order, in worker processes where there are any."""
        return DataLoader(
            self,
            batch_size=None,
            num_workers=workers,
            worker_init_fn=_one_thread,
            persistent_workers=workers > 0,
        )

    def _drawn(self, number: int, position: int) -> int:
        pools = self._pools[number]
        pool, turn = position % len(pools), position // len(pools)
        cycle, place = divmod(turn, len(pools[pool]))
        known_cycle, order = self._orders.get((number, pool), (-1, pools[pool]))
        if known_cycle != cycle:
            random = np.random.default_rng((_ORDER, self._seed, number, pool, cycle))
            order = random.permutation(pools[pool])
            self._orders[number, pool] = (cycle, order)
        return int(order[place])


def in_order(source: Source, chosen: NDArray[np.int64], batch_size: int) -> Iterator[Batch]:
    """Make batches of the chosen samples as they are, in their order, to evaluate on."""
    for start in range(0, len(chosen), batch_size):
        rows = [int(index) for index in chosen[start : start + batch_size]]
        yield collate(
            [source.sample(index, None) for index in rows], [_name(source, i) for i in rows]
        )


def _name(source: Source, index: int) -> str:
    return f'{source.name}: {source.describe(index)}'


def _one_thread(_worker: int) -> None:
    """Leave the cores to the processes: threads inside each would only get in their way."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
