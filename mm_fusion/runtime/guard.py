# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every backend does alike: names, errors, and no number that is not finite."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import InferenceError, MmFusionError
from mm_fusion.types.finite import all_finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def named(runtime: str, precision: str) -> str:
    """Give the name of a backend, as published; that of float32 has no suffix."""
    return runtime if precision == 'fp32' else f'{runtime}-{precision}'


@contextmanager
def failures_of(place: str) -> Iterator[None]:
    """Turn whatever a library raises into an error of the package.

    Raises:
        InferenceError: It raised something that is no error of the package.
    """
    try:
        yield
    except MmFusionError:
        raise
    except Exception as error:  # the libraries' own errors have no common base but this
        raise InferenceError(f'{place}: {type(error).__name__}: {error}') from error


def check_finite(outputs: dict[str, NDArray[Any]], place: str) -> dict[str, NDArray[Any]]:
    """Give the outputs back where all of them are finite.

    Raises:
        InferenceError: One is not.
    """
    if not all_finite(*outputs.values()):
        name = next(name for name, value in outputs.items() if not all_finite(value))
        raise InferenceError(f'{place}: {name}: found a number that is not finite')
    return outputs
