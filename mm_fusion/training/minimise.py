# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Find where a smooth loss of few numbers is least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


def minimise(values: Sequence[Tensor], loss: Callable[[], Tensor], most: int) -> None:
    """Change values, in place, until a loss of them is least.

    By L-BFGS with a strong Wolfe line search (Nocedal & Wright, Numerical Optimization, 2006,
    ch. 7): no rate to choose, and the same result each time.

    Args:
        values: Without a gradient before and after.
        loss: Gives the loss of what they are, of all samples alike: no noise.
        most: How often the loss is asked for, give or take the trials of one line search.
    """
    for each in values:
        each.requires_grad_(True)  # noqa: FBT003  # torch's own signature
    optimizer = torch.optim.LBFGS(
        values, max_iter=most, max_eval=most, line_search_fn='strong_wolfe'
    )

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        found = loss()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimizer.step(evaluate)  # type: ignore[no-untyped-call]
    for each in values:
        each.requires_grad_(False)  # noqa: FBT003
        each.grad = None
