# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A decoded JSON object that is read key by key, with errors that name the place."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from mm_fusion.errors import BundleError

_Value = TypeVar('_Value')


class Node:
    """A JSON object together with where it stands.

    Every method that gives a value raises :class:`BundleError` where there is none that fits.

    Args:
        value: What the JSON parser gave.
        place: Where it stands, named in errors.
    """

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise BundleError(f'{place}: found {type(value).__name__}, expected an object')
        self._value: dict[str, Any] = value
        self.place = place

    def has(self, key: str) -> bool:
        """Tell whether a key is there."""
        return key in self._value

    def names(self) -> list[str]:
        """List the keys."""
        return list(self._value)

    def get(self, key: str, kind: type[_Value]) -> _Value:
        """Give a value of one exact type."""
        value = self._value.get(key)
        if type(value) is not kind:
            found = 'nothing' if value is None else repr(value)[:80]
            raise BundleError(f'{self.place}: {key}: found {found}, expected {kind.__name__}')
        return value

    def child(self, key: str) -> Node:
        """Give an object in this one."""
        return Node(self._value.get(key), f'{self.place}: {key}')

    def number(self, key: str, lower: float, upper: float) -> float:
        """Give a finite number within bounds."""
        return _number(self._value.get(key), f'{self.place}: {key}', lower, upper)

    def numbers(self, key: str, lower: float, upper: float) -> tuple[float, ...]:
        """Give a list of finite numbers within bounds."""
        values = self.get(key, list)
        return tuple(_number(value, f'{self.place}: {key}', lower, upper) for value in values)

    def positive_int(self, key: str) -> int:
        """Give a whole number above zero."""
        value = self.get(key, int)
        if value <= 0:
            raise BundleError(f'{self.place}: {key}: found {value}, expected a positive number')
        return value


def _number(value: object, place: str, lower: float, upper: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BundleError(f'{place}: found {value!r}, expected a number')
    if not math.isfinite(value) or not lower <= value <= upper:
        raise BundleError(f'{place}: found {value!r}, expected {lower:g} to {upper:g}')
    return float(value)
