# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes of documents that keep their form: values are replaced, moved, doubled and taken out."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**40,
    0.0,
    -0.0,
    0.5,
    1e-320,
    1e308,
    -1e308,
    float('inf'),
    float('nan'),
    '',
    'a',
    '\x00',
    '\ud800',
    '../../etc/passwd',
    'é' * 40,
    '1e999',
    '2020-13-45',
    [],
    [[]],
    {},
    {'': None},
    {'a': {'a': {}}},
)
_MAX_CHANGES = 3


def mutate_document(data: bytes, seed: int) -> bytes:
    """Change a few values of a JSON document; what is no JSON gets a few other bytes.

    Args:
        data: UTF-8; YAML that happens to be JSON as well.
        seed: Chooses the changes.
    """
    chance = random.Random(seed)  # noqa: S311  # no secret is made of it
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _other_bytes(data, chance)
    for _ in range(chance.randint(1, _MAX_CHANGES)):
        places = list(_places(document))
        if not places:
            break
        holder, key = chance.choice(places)
        _change(holder, key, places, chance)
    return json.dumps(document).encode()


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """List every container in a document with the keys of what it holds."""
    if isinstance(node, dict | list):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        for key in keys:
            yield node, key
            yield from _places(node[key])


def _change(holder: Any, key: Any, places: list[Any], chance: random.Random) -> None:
    kind = chance.randrange(6)
    try:
        value = holder[key]
    except (LookupError, TypeError):  # an earlier change took it out
        return
    if kind <= 1:
        holder[key] = chance.choice(_VALUES)
    elif kind == 2 and isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = chance.choice([value + 1, -value, value * 2, float(value), int_of(value)])
    elif kind == 3:
        del holder[key]
    elif kind == 4:
        other, name = chance.choice(places)
        taken = other[name] if _holds(other, name) else None
        holder[key] = json.loads(json.dumps(taken))
    elif isinstance(holder, dict):
        holder[chance.choice([f'{key}x', str(key)[:-1], str(key).upper()])] = value
    else:
        holder.insert(key, json.loads(json.dumps(value)))


def int_of(value: float) -> int:
    """Round to a whole number; 0 where there is none."""
    return int(value) if abs(value) < 1e300 else 0


def _holds(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def _other_bytes(data: bytes, chance: random.Random) -> bytes:
    content = bytearray(data or b'{}')
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)
