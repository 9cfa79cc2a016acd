# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Honest splits: what belongs together stays together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import NDArray

_HASH_SIZE = 8
_SAME_BITS = 6
"""Two photographs whose 64-bit hashes differ in no more bits than this count as one scene."""


def near_duplicate_groups(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Group photographs of one scene by their difference hashes.

    The hash tells for each of 8 x 8 cells whether the next one to the right is brighter (dHash,
    Krawetz, 2013); a mirrored copy is found too. Groups are the connected components.

    Args:
        images: uint8 (height, width, 3) each, RGB.

    Returns:
        int64 (n,): number of the group, from 0, in order of first appearance.
    """
    hashes = [(_difference_hash(image), _difference_hash(image[:, ::-1])) for image in images]
    plain, mirrored = (np.stack(codes) for codes in zip(*hashes, strict=True))
    parent = np.arange(len(hashes))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    for i, code in enumerate(plain):
        distance = np.minimum(
            (plain[i + 1 :] != code).sum(axis=1), (mirrored[i + 1 :] != code).sum(axis=1)
        )
        for j in np.flatnonzero(distance <= _SAME_BITS) + i + 1:
            parent[root(int(j))] = root(i)
    roots = [root(i) for i in range(len(hashes))]
    numbers = {value: number for number, value in enumerate(dict.fromkeys(roots))}
    return np.array([numbers[value] for value in roots], np.int64)


def _difference_hash(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASH_SIZE + 1, _HASH_SIZE), interpolation=cv2.INTER_AREA)
    bits: NDArray[np.bool_] = small[:, 1:] > small[:, :-1]
    return bits.ravel()


def grouped_folds(
    groups: Sequence[Hashable], strata: Sequence[Hashable], folds: int, seed: int
) -> NDArray[np.int64]:
    """Deal groups out to folds so that each stratum is spread evenly and no group is split.

    Greedy: the largest groups first, each to the fold that has the fewest of its strata.

    Args:
        groups: Of each example.
        strata: Of each example; typically its label.
        folds: Number of folds, at least 2.
        seed: Decides between equals.

    Returns:
        int64 (n,): fold of each example.

    Raises:
        DatasetError: There are fewer groups than folds.
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    if folds < 2 or len(members) < folds:
        raise DatasetError(
            f'{folds} folds: found {len(members)} groups, expected at least as many'
        )
    codes = {value: code for code, value in enumerate(dict.fromkeys(strata))}
    stratum = np.array([codes[value] for value in strata])
    totals = np.bincount(stratum).astype(np.float64)
    random = np.random.default_rng(seed)
    order = list(members.values())
    random.shuffle(order)
    order.sort(key=len, reverse=True)
    filled = np.zeros((folds, len(codes)))
    assigned = np.zeros(len(stratum), np.int64)
    for indices in order:
        share = np.bincount(stratum[indices], minlength=len(codes)) / totals
        # The share of its own strata decides; the fold's size decides between equals.
        load = filled @ share * 1e6 + filled @ totals
        fold = int(np.argmin(load))
        filled[fold] += share
        assigned[indices] = fold
    return assigned
