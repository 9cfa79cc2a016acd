# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What holds a NaN or an infinity is told from what does not, large numbers included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.types.finite import all_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray


@given(
    st.sampled_from(['float16', 'float32', 'float64', 'int64', 'uint8']).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
    ),
    st.booleans(),
)
def test_it_says_what_each_number_says(values: NDArray[Any], turned: bool) -> None:
    values = values.T if turned else values
    assert all_finite(values) == bool(np.isfinite(values).all())


def test_one_of_several_is_enough_and_a_sum_that_overflows_is_none() -> None:
    large = np.full(1, 1e154)
    assert all_finite()
    assert all_finite(large, large)
    assert not all_finite(large, np.array([1.0, np.nan]), large)


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_numbers_whose_squares_overflow_are_finite(dtype: type[np.floating[Any]]) -> None:
    largest = np.full((2, 3), np.finfo(dtype).max, dtype)
    assert all_finite(largest)
    largest[1, 1] = np.nan
    assert not all_finite(largest)
