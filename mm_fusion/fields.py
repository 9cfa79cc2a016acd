# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Dataclass fields that know their unit, bounds and meaning, and what checks values by them.

The settings of the package and the scenarios of the simulator are made of such fields.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar: TypeAlias = bool | int | float | str


class Change(enum.Enum):
    """When a changed value takes effect; the values complete the sentence."""

    AT_ONCE = 'at once'
    AT_CONFIGURE = 'at configure'
    AT_START = 'at start'


def real(
    default: float,
    description: str,
    unit: str,
    lower: float,
    upper: float,
    *,
    change: Change = Change.AT_CONFIGURE,
) -> Any:
    """Make a field for a real number, bounds included."""
    bounds = {'unit': unit, 'lower': lower, 'upper': upper}
    return field(
        default=default, metadata={'description': description, 'change': change, **bounds}
    )


def whole(
    default: int,
    description: str,
    unit: str,
    lower: int,
    upper: int,
    *,
    change: Change = Change.AT_CONFIGURE,
) -> Any:
    """Make a field for a whole number, bounds included."""
    return real(default, description, unit, lower, upper, change=change)


def text(
    default: str, description: str, *choices: str, change: Change = Change.AT_CONFIGURE
) -> Any:
    """Make a field for text; without choices any text is allowed."""
    return field(
        default=default,
        metadata={'description': description, 'change': change, 'choices': choices},
    )


def flag(default: bool, description: str, *, change: Change = Change.AT_CONFIGURE) -> Any:
    """Make a field for yes or no."""
    return field(default=default, metadata={'description': description, 'change': change})


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What is known of one parameter.

    Attributes:
        name: ``group.field``.
        type: bool, int, float or str.
        default: Value where nothing is given.
        description: One phrase.
        unit: SI symbol; empty for text.
        lower: Smallest value allowed; None for text.
        upper: Largest value allowed; None for text.
        choices: Values allowed; empty where any is.
        change: When a changed value takes effect, where values can change at all.
    """

    name: str
    type: type[Scalar]
    default: Scalar
    description: str
    unit: str
    lower: float | None
    upper: float | None
    choices: tuple[str, ...]
    change: Change

    def problem(self, value: object) -> str | None:
        """Say in one sentence why a value is refused, or return None where it is allowed."""
        if self.type is float and type(value) is int:
            value = float(value)
        if type(value) is not self.type:
            return f'{self.name}: found {value!r}, expected {self.type.__name__}'
        if self.choices and value not in self.choices:
            allowed = ', '.join(map(repr, self.choices))
            return f'{self.name}: found {value!r}, expected one of {allowed}'
        if self.lower is None or self.upper is None or not isinstance(value, int | float):
            return None
        if not math.isfinite(value) or not self.lower <= value <= self.upper:
            bounds = f'{self.lower:g} to {self.upper:g} {self.unit}'
            return f'{self.name}: found {value!r}, expected {bounds}'
        return None


def specs_of(record: Any, prefix: str) -> Iterator[ParameterSpec]:
    """List the specifications of the scalar fields of a record.

    Args:
        record: Instance of a dataclass made of such fields; its values are the defaults.
        prefix: Put before each name, with a dot.
    """
    for item in dataclasses.fields(record):
        if 'description' not in item.metadata:
            continue
        default = getattr(record, item.name)
        yield ParameterSpec(
            name=f'{prefix}.{item.name}',
            type=type(default),
            default=default,
            description=item.metadata['description'],
            unit=item.metadata.get('unit', ''),
            lower=item.metadata.get('lower'),
            upper=item.metadata.get('upper'),
            choices=tuple(item.metadata.get('choices', ())),
            change=item.metadata['change'],
        )
