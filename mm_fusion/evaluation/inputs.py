# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the parameters and the choice of topics of an evaluation from YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.documents import read_yaml
from mm_fusion.errors import DocumentError, SettingsError
from mm_fusion.settings import Settings, flatten, settings_from

if TYPE_CHECKING:
    from pathlib import Path

_ROS = 'ros__parameters'


def read_settings(path: Path | None) -> Settings:
    """Read parameters by group, plain or inside the ``ros__parameters`` of a node's file.

    Args:
        path: YAML file; None takes every default.

    Raises:
        SettingsError: The file cannot be read, or names or values in it are refused.
    """
    if path is None:
        return Settings()
    return settings_of(_document(path), str(path))


def settings_of(document: object, source: str) -> Settings:
    """Build settings from what a parameter file says.

    Args:
        document: What the YAML parser gave.
        source: Named in errors.

    Raises:
        SettingsError: Names or values in it are refused.
    """
    document = _mapping(document, source)
    nodes = [item for item in document.values() if isinstance(item, dict) and _ROS in item]
    if nodes:
        document = {}
        for node in nodes:
            if not isinstance(node[_ROS], dict):
                raise SettingsError([f'{source}: expected a mapping under {_ROS}'])
            document.update(node[_ROS])
    try:
        return settings_from(flatten(document))
    except SettingsError as error:
        raise SettingsError([f'{source}: {problem}' for problem in error.problems]) from error


def read_topics(path: Path) -> dict[str, str]:
    """Read topics by role; an empty text leaves the role out.

    Raises:
        SettingsError: The file cannot be read, or is no mapping of texts.
    """
    document = _mapping(_document(path), str(path))
    problems = [
        f'{path}: {role}: found {topic!r}, expected the name of a topic'
        for role, topic in document.items()
        if not isinstance(topic, str)
    ]
    if problems:
        raise SettingsError(problems)
    return {str(role): topic for role, topic in document.items()}


def _document(path: Path) -> object:
    try:
        return read_yaml(path)
    except DocumentError as error:
        raise SettingsError([str(error)]) from error


def _mapping(document: object, source: str) -> dict[Any, Any]:
    if not isinstance(document, dict):
        raise SettingsError([f'{source}: expected a mapping, found {type(document).__name__}'])
    return document
