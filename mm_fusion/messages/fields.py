# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Checked reading of single fields, shared by the adapters of all message types."""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from mm_fusion.errors import SampleError
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_Params = ParamSpec('_Params')
_Result = TypeVar('_Result')

_GARBAGE_ERRORS = (
    ArithmeticError,
    AttributeError,
    BufferError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)
"""What numpy and Python raise when a field is missing or holds something of another type."""

_END_OF_TIME_S = 2**33
"""The nanoseconds of any stamp before this fit into 64 bits."""


def guarded(function: Callable[_Params, _Result]) -> Callable[_Params, _Result]:
    """Turn whatever a garbage field provokes into ``SampleError(MALFORMED)``."""

    @functools.wraps(function)
    def wrapper(*args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        try:
            return function(*args, **kwargs)
        except _GARBAGE_ERRORS as error:
            name = type_name(args[0] if args else kwargs.get('msg'))
            raise SampleError(
                DropReason.MALFORMED, f'{name}: {type(error).__name__}: {error}'
            ) from error

    return wrapper


def type_name(msg: object) -> str:
    """Name the type of a message for an error text."""
    name: str = type(msg).__name__
    return name.rpartition('__')[2] or name


def unsupported(msg: object, expected: str) -> SampleError:
    """Make the error for a message of a type that is not read here."""
    return SampleError(
        DropReason.UNSUPPORTED, f'found a message of type {type_name(msg)}, expected {expected}'
    )


def header_of(msg: Any) -> tuple[int, str]:
    """Read the stamp (ns) and the frame of a header.

    Raises:
        SampleError: The stamp is 0 (ZERO_STAMP), or no time at all (MALFORMED).
    """
    header = msg.header
    seconds = operator.index(header.stamp.sec)
    nanoseconds = operator.index(header.stamp.nanosec)
    if seconds == 0 and nanoseconds == 0:
        raise SampleError(DropReason.ZERO_STAMP, f'{type_name(msg)}: the stamp of the header is 0')
    if not 0 <= seconds < _END_OF_TIME_S or not 0 <= nanoseconds < 1_000_000_000:
        raise SampleError(
            DropReason.MALFORMED,
            f'{type_name(msg)}: found a stamp of {seconds} s and {nanoseconds} ns, '
            f'expected 0 to {_END_OF_TIME_S - 1} s and 0 to 999999999 ns',
        )
    frame = header.frame_id
    if not isinstance(frame, str):
        raise TypeError(f'header.frame_id: found {type(frame).__name__}, expected text')
    return seconds * 1_000_000_000 + nanoseconds, frame


def finite(name: str, value: Any, limit: float) -> float:
    """Read a number of which the magnitude is at most ``limit``.

    Raises:
        SampleError: It is NaN or infinite (NOT_FINITE), or beyond the limit (MALFORMED).
    """
    number = float(value)
    if not math.isfinite(number):
        raise SampleError(DropReason.NOT_FINITE, f'{name}: found {number}')
    if abs(number) > limit:
        raise SampleError(
            DropReason.MALFORMED, f'{name}: found {number:g}, expected -{limit:g} to {limit:g}'
        )
    return number


def whole(name: str, value: Any, lower: int, upper: int) -> int:
    """Read an integer within bounds (both inclusive).

    Raises:
        SampleError: It is outside of them (MALFORMED).
    """
    number = operator.index(value)
    if not lower <= number <= upper:
        raise SampleError(
            DropReason.MALFORMED, f'{name}: found {number}, expected {lower} to {upper}'
        )
    return number


def octets(name: str, value: Any) -> NDArray[np.uint8]:
    """View a ``uint8[]`` field as a read-only array without copying it.

    Args:
        name: Name of the field for the error text.
        value: bytes, bytearray, memoryview, ``array.array`` or numpy array of bytes.

    Returns:
        uint8 (n,), n >= 1.
    """
    buffer = memoryview(value)
    if buffer.itemsize != 1 or buffer.ndim != 1 or not buffer.contiguous:
        raise TypeError(f'{name}: found items of format {buffer.format!r}, expected bytes')
    if buffer.nbytes == 0:
        raise SampleError(DropReason.MALFORMED, f'{name}: found 0 bytes')
    data = np.frombuffer(buffer, dtype=np.uint8)
    data.flags.writeable = False
    return data


def variance(values: Any, index: int) -> float | None:
    """Read a variance from a covariance; None where it is not a positive finite number.

    ROS has no field that says whether the covariance of a twist or pose is set: by convention
    unset is all 0, and drivers use -1 and NaN as well.
    """
    number = float(values[index])
    return number if math.isfinite(number) and number > 0 else None


def covariance_2d(values: Any, side: int) -> NDArray[np.float64] | None:
    """Read the x-y block of a square covariance.

    The measurement stays good where only its covariance is not: everything that is no positive
    definite matrix is taken for unset, as in :func:`variance`.

    Args:
        values: Row-major, ``side * side`` numbers.
        side: 3 for a position, 6 for a pose.

    Returns:
        float64 (2, 2), symmetric; or None.
    """
    if len(values) != side * side:
        raise ValueError(f'covariance: found {len(values)} numbers, expected {side * side}')
    xx, yy = float(values[0]), float(values[side + 1])
    xy = (float(values[1]) + float(values[side])) / 2
    if not (math.isfinite(xx) and math.isfinite(xy) and math.isfinite(yy)):
        return None
    if xx <= 0 or yy <= 0 or xx * yy <= xy * xy:
        return None
    return np.array([[xx, xy], [xy, yy]])
