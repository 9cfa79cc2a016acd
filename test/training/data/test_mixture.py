# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn depends on seed, epoch and step alone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.sample import Sample, Targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.training.data.batch import Batch
    from mm_fusion.training.data.mixture import Mixture, Part

pytestmark = pytest.mark.torch


class Numbers:
    """A source whose images are the index, and whose sounds are random."""

    name = 'numbers'
    fingerprint = ''

    def __init__(self, labels: list[int]) -> None:
        self._labels = np.array(labels, np.int64)
        self.groups = [str(index) for index in range(len(labels))]
        self.strata = self.groups
        self.targets: Mapping[str, NDArray[np.int64]] = {'siren': self._labels}

    def __len__(self) -> int:
        return len(self._labels)

    def describe(self, index: int) -> str:
        return f'number {index}'

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        assert random is None or partners is not None
        noise = np.zeros(2) if random is None else random.normal(size=2)
        image = np.full((1, 1, 3), index, np.uint8)
        targets = Targets(siren=int(self._labels[index]))
        return Sample(image, noise.astype(np.float32), None, targets=targets)


def part(size: int, labels: list[int], balance: str | None = None) -> Part:
    from mm_fusion.training.data.mixture import Part

    return Part(Numbers(labels), np.arange(len(labels)), size, balance)


def mixture(rank: int = 0, world: int = 1) -> Mixture:
    from mm_fusion.training.data.mixture import Mixture

    parts = [part(6 // world, [0] * 9), part(2 // world, [1, 1, 0], 'siren')]
    return Mixture(parts, 4, 7, rank, world)


def drawn(batch: Batch) -> list[tuple[int, float]]:
    images, sounds = batch.inputs['camera'], batch.inputs['microphone']
    return [(int(image[0, 0, 0]), float(noise[0])) for image, noise in zip(images, sounds)]


def epoch(made: Mixture, number: int, workers: int = 0) -> list[list[tuple[int, float]]]:
    loader = made.loader(workers)
    made.set_epoch(number)
    return [drawn(batch) for batch in loader]


def test_an_epoch_repeats_and_epochs_and_seeds_differ() -> None:
    from mm_fusion.training.data.mixture import Mixture

    assert epoch(mixture(), 3) == epoch(mixture(), 3)
    assert epoch(mixture(), 3) != epoch(mixture(), 4)
    other = Mixture(mixture().parts, 4, 8)
    assert epoch(other, 3) != epoch(mixture(), 3)


def test_what_is_not_varied_is_drawn_as_it_is() -> None:
    from mm_fusion.training.data.mixture import Mixture

    plain = [dataclasses.replace(one, varied=False) for one in mixture().parts]
    batches = epoch(Mixture(plain, 4, 7), 3)
    assert all(noise == 0.0 for batch in batches for _, noise in batch)
    numbers = [[number for number, _ in batch] for batch in batches]
    assert numbers == [[number for number, _ in batch] for batch in epoch(mixture(), 3)]


def test_workers_change_nothing_and_follow_the_epoch() -> None:
    made = mixture()
    loader = made.loader(2)
    for number in (0, 5):
        made.set_epoch(number)
        assert [drawn(batch) for batch in loader] == epoch(mixture(), number)


def test_ranks_share_out_what_one_process_sees() -> None:
    from itertools import chain

    alone = [sorted(batch) for batch in epoch(mixture(), 1)]
    ranks = [epoch(mixture(rank, 2), 1) for rank in range(2)]
    assert [sorted(chain(*pair)) for pair in zip(*ranks)] == alone


def test_every_sample_is_drawn_equally_often_over_epochs() -> None:
    from mm_fusion.training.data.mixture import Mixture

    made = Mixture([part(4, [0] * 9)], 3, 0)
    counts = Counter(
        index for number in range(3) for batch in epoch(made, number) for index, _ in batch
    )
    assert counts == dict.fromkeys(range(9), 4)
    # The same sample is varied in another way each time.
    noises = {noise for number in range(3) for batch in epoch(made, number) for _, noise in batch}
    assert len(noises) == 36


def test_balance_draws_classes_equally_often_even_one_of_a_single_sample() -> None:
    from mm_fusion.training.data.mixture import Mixture

    made = Mixture([part(8, [0] * 20 + [1, -1], 'siren')], 5, 0)
    counts = Counter(index for batch in epoch(made, 0) for index, _ in batch)
    assert counts[20] == 20
    assert counts[21] == 0
    assert sum(counts.values()) == 40
    assert all(counts[index] == 1 for index in range(20))


def test_batches_name_their_samples_and_hold_their_part() -> None:
    batch = mixture()[2]
    assert len(batch.sources) == 8
    assert batch.sources[0] == f'numbers: number {int(batch.inputs["camera"][0, 0, 0, 0])}'
    assert sorted(batch.targets['siren'][6:].tolist()) == [0, 1]


def test_only_what_is_chosen_is_drawn() -> None:
    from mm_fusion.training.data.mixture import Mixture, Part

    made = Mixture([Part(Numbers([0] * 9), np.array([2, 5]), 3)], 4, 0)
    assert {index for batch in epoch(made, 0) for index, _ in batch} == {2, 5}


def test_evaluation_keeps_order_and_samples_as_they_are() -> None:
    from mm_fusion.training.data.mixture import in_order

    batches = list(in_order(Numbers([0] * 9), np.array([3, 1, 8]), 2))
    assert [drawn(batch) for batch in batches] == [[(3, 0.0), (1, 0.0)], [(8, 0.0)]]


def test_nothing_to_draw_is_refused() -> None:
    from mm_fusion.training.data.mixture import Mixture, Part

    with pytest.raises(DatasetError, match='numbers: found 0 samples'):
        Part(Numbers([0]), np.array([], np.int64), 1)
    with pytest.raises(DatasetError, match='with a label of siren'):
        part(1, [-1, -1], 'siren')
    with pytest.raises(ValueError, match='balance'):
        part(1, [0], 'weather')
    with pytest.raises(ValueError, match='batch size'):
        part(0, [0])
    with pytest.raises(ValueError, match='no part'):
        Mixture([], 1, 0)
    with pytest.raises(IndexError):
        mixture()[4]


def test_classes_are_counted_among_the_chosen() -> None:
    from mm_fusion.training.data.source import class_counts

    source = Numbers([0, 1, 1, -1, 1])
    assert class_counts(source, 'siren', np.array([1, 2, 3])).tolist() == [0, 2]
