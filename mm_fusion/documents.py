# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Read files from outside within bounds: bytes, text and YAML.

A bound is kept before memory is taken, whatever the file is: the size that a file system states
is not asked, for devices state none and files grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from mm_fusion.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

MAX_YAML_BYTES = 1_000_000
"""A larger file is none that the package reads: each of its own takes a hundredth of it."""

MAX_TABLE_BYTES = 64 * 1024**2
"""Of a table of labels: a million rows."""

_MAX_NUMBER_LENGTH = 64
"""Longer numbers take time that grows with the square of their length, and are no parameters."""

_UNREADABLE = (yaml.YAMLError, ValueError, OverflowError, RecursionError)
"""ValueError, OverflowError: a date or number that YAML recognises and Python cannot hold."""


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        DocumentError: It cannot be read, or is larger.
    """
    try:
        with path.open('rb') as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise DocumentError(f'{path}: cannot be read: {error.strerror}') from error
    if len(content) > limit:
        raise DocumentError(f'{path}: found more than {limit} bytes, expected at most as many')
    return content


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most so many bytes.

    Raises:
        DocumentError: It cannot be read, is larger, or is no UTF-8.
    """
    content = read_bytes(path, limit)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f'{path}: found bytes that are not UTF-8: {error}') from error


def read_yaml(path: Path) -> object:
    """Read a YAML file as ``parse_yaml`` does, keys that stand twice refused.

    Raises:
        DocumentError: It cannot be read, is larger than ``MAX_YAML_BYTES``, or is refused.
    """
    document, duplicates = parse_yaml(read_text(path, MAX_YAML_BYTES), str(path))
    if duplicates:
        raise DocumentError(f'{path}: ' + '; '.join(duplicates))
    return document


def parse_yaml(text: str, source: str) -> tuple[object, list[str]]:
    """Read plain YAML: no aliases, which can make a small file endless, and no tags.

    Args:
        text: The content of a file.
        source: Put before a problem.

    Returns:
        What is written there, as dict, list, str, bool, int, float, date or None; and a sentence
        for each key that stands twice in one mapping.

    Raises:
        DocumentError: It is no such YAML.
    """
    try:
        loader = _Loader(text)
        document: object = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise DocumentError(f'{source}: {_marked(error)}') from error
    except _UNREADABLE as error:
        reason = ' '.join(str(error).split())
        raise DocumentError(f'{source}: cannot be read as YAML: {reason}') from error
    return document, loader.duplicates


class _Loader(yaml.SafeLoader):
    """Plain YAML.

    Attributes:
        duplicates: A sentence for each key that stands twice in one mapping.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused('an alias', event)
        if getattr(event, 'tag', None) is not None:
            raise _refused(f'the tag {event.tag}', event)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((':int', ':float')):
            length = len(node.value)
            if length > _MAX_NUMBER_LENGTH:
                raise _refused(f'a number of {length} characters', event)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                self.duplicates.append(f'{_line(key.start_mark)}: found {key.value!r} twice')
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refused(found: str, event: Any) -> yaml.composer.ComposerError:
    problem = f'found {found}, expected plain values'
    return yaml.composer.ComposerError(None, None, problem, event.start_mark)


def _line(mark: yaml.Mark) -> str:
    return f'line {mark.line + 1}, column {mark.column + 1}'


def _marked(error: yaml.MarkedYAMLError) -> str:
    reason = f'{error.context}, {error.problem}' if error.context else str(error.problem)
    mark = error.problem_mark or error.context_mark
    return reason if mark is None else f'{_line(mark)}: {reason}'
