# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Training on several processes, as torch's own launcher starts them.

``torchrun --nproc-per-node 2 -m mm_fusion.cli.main train ...``: each process draws its own
batches, gradients are averaged (DistributedDataParallel), and the first process alone writes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import torch
from torch import distributed

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: Its number, from 0.
        size: How many there are.
        device: Where it computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def writes(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait for the others."""
        if self.size > 1:
            distributed.barrier()

    def agree(self, value: float) -> float:
        """Give every process the value of the first."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return float(shared)


def use_threads(count: int) -> None:
    """Let this process compute with so many threads: torch, and OpenCV beside it."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


@contextmanager
def join_world(device: str) -> Iterator[World]:
    """Join the processes that the environment names (RANK, WORLD_SIZE, LOCAL_RANK).

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        DatasetError: A GPU is asked for, and torch has none.
    """
    size, rank = int(os.environ.get('WORLD_SIZE', '1')), int(os.environ.get('RANK', '0'))
    place = _device(device, int(os.environ.get('LOCAL_RANK', '0')))
    # Within a training that has joined already, as of one fold, there is nothing to set up.
    if size == 1 or distributed.is_initialized():
        yield World(rank, size, place)
        return
    distributed.init_process_group('nccl' if place.type == 'cuda' else 'gloo')
    try:
        yield World(rank, size, place)
    finally:
        distributed.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    if name == 'cpu' or (name == 'auto' and not torch.cuda.is_available()):
        return torch.device('cpu')
    if not torch.cuda.is_available():
        raise DatasetError('device: found no GPU that torch can use, expected one for cuda')
    torch.cuda.set_device(local_rank)
    return torch.device('cuda', local_rank)
