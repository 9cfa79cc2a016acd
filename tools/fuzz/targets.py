# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The targets: each takes bytes, and lets nothing but a defect out as an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tools.fuzz import files, texts
from tools.fuzz.message_seeds import message_seeds, sequence_seeds
from tools.fuzz.messages import message, sequence
from tools.fuzz.mutation import mutate_document

if TYPE_CHECKING:
    from collections.abc import Callable


class Target(NamedTuple):
    """Something that reads bytes from outside.

    Attributes:
        run: Reads them; raises for a defect alone.
        seeds: Gives good inputs by name.
        max_bytes: Length of the longest input tried.
        mutate: Changes an input in a way that keeps its form, by a seed; None where plain
            changes of bytes do.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], dict[str, bytes]]
    max_bytes: int
    mutate: Callable[[bytes, int], bytes] | None = None


TARGETS: dict[str, Target] = {
    'message': Target(message, message_seeds, 1024),
    'sequence': Target(sequence, sequence_seeds, 2048),
    'manifest': Target(texts.manifest, texts.manifest_seeds, 8192, mutate_document),
    'parameters': Target(texts.parameters, texts.parameters_seeds, 2048, mutate_document),
    'scenario': Target(texts.scenario, texts.scenario_seeds, 2048, mutate_document),
    'definition': Target(texts.definition, texts.definition_seeds, 512),
    'mcap': Target(files.mcap, files.mcap_seeds, 16_384),
    'sqlite': Target(files.sqlite, files.sqlite_seeds, 65_536),
    'picture': Target(files.picture, files.picture_seeds, 1024),
    'sound': Target(files.sound, files.sound_seeds, 8192),
    'table': Target(files.table, files.table_seeds, 1024),
}
