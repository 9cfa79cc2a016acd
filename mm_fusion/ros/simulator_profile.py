# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Profiles of simulators: which topic serves which input, and which settings fit its messages.

A profile is a YAML file, as those in ``config/simulators``. The launch files read them; nothing of
ROS is imported here. A bad file is refused, never repaired, and all its problems are reported at
once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mm_fusion.documents import read_yaml
from mm_fusion.errors import DocumentError, SettingsError
from mm_fusion.settings import flatten, parameter_specs, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.fields import Scalar

INPUT_ROLES = ('image', 'audio', 'audio_info', 'fix', 'velocity')
"""Topics that the fusion node listens to, under these names."""

SOUND_ROLES = ('odometry', 'objects', 'audio')
"""Topics of the sound node: what it listens to, and what it publishes."""

ROLES = (*INPUT_ROLES, 'camera_info', 'odometry', 'objects', 'clock')
"""Every topic that a profile may name."""

_REQUIRED = ('image', 'audio', 'fix', 'velocity', 'clock')
_KEYS = {
    'title': str,
    'vehicle': str,
    'topics': dict,
    'parameters': dict,
    'simulator_node': bool,
    'sound': bool,
    'notes': list,
}
_VEHICLE = '{vehicle}'
_NAME = re.compile(r'[A-Za-z_]\w*', re.ASCII)
_TOPIC = re.compile(r'(/[A-Za-z_]\w*)+', re.ASCII)


@dataclass(frozen=True, slots=True)
class SimulatorProfile:
    """How a simulator is connected to the fusion node.

    Attributes:
        name: Of the file, without its suffix.
        title: The simulator and its version, in a few words.
        topics: Absolute topic by role; roles that the simulator does not serve are left out.
        parameters: Settings of the fusion node that fit its messages, by ``group.field``.
        simulator_node: Whether the simulator is the package's own node, to be started.
        sound: Whether the sound node stands in for a microphone.
        notes: What a user has to know.
    """

    name: str
    title: str
    topics: Mapping[str, str]
    parameters: Mapping[str, Scalar]
    simulator_node: bool
    sound: bool
    notes: tuple[str, ...]

    def remappings(self, roles: tuple[str, ...]) -> dict[str, str]:
        """Give the topic of each role that the profile has one for."""
        return {role: self.topics[role] for role in roles if role in self.topics}


def profile_names(folder: Path) -> tuple[str, ...]:
    """List the profiles of a folder, in order of the alphabet."""
    return tuple(sorted(path.stem for path in folder.glob('*.yaml')))


def load_profile(name_or_path: str, folder: Path, vehicle: str = '') -> SimulatorProfile:
    """Read a profile.

    Args:
        name_or_path: Name of a profile of the folder; or a path, told by the suffix ``.yaml``.
        folder: Of the profiles that have names.
        vehicle: Name of the vehicle within topics; empty takes the profile's own.

    Raises:
        SettingsError: There is no such profile, or something in it is refused; every problem is
            listed.
    """
    path = Path(name_or_path)
    if path.suffix != '.yaml':
        path = folder / f'{name_or_path}.yaml'
        if name_or_path not in profile_names(folder):
            known = ', '.join(profile_names(folder))
            raise SettingsError(
                [f'simulator: found {name_or_path!r}, expected one of {known}, or a .yaml file']
            )
    try:
        document = read_yaml(path)
    except DocumentError as error:
        raise SettingsError([str(error)]) from error
    problems: list[str] = []
    profile = _profile(path.stem, document, vehicle, problems)
    if problems:
        raise SettingsError([f'{path}: {problem}' for problem in problems])
    return profile


def _profile(name: str, document: Any, vehicle: str, problems: list[str]) -> SimulatorProfile:
    """Build a profile from what can be used of a document, and note what cannot."""
    values = _checked(document, problems)
    title = values.get('title', '').strip()
    if 'title' not in values or not title:
        problems.append('title: expected a few words')
    notes = values.get('notes', [])
    if not all(isinstance(note, str) and note.strip() for note in notes):
        problems.append(f'notes: found {notes!r}, expected sentences')
    topics = _topics(values.get('topics', {}), values.get('vehicle', ''), vehicle, problems)
    sound = values.get('sound', False)
    if sound and 'odometry' not in topics:
        problems.append('sound: expected a topic of odometry, which the sound node follows')
    return SimulatorProfile(
        name=name,
        title=title,
        topics=topics,
        parameters=_parameters(values.get('parameters', {}), problems),
        simulator_node=values.get('simulator_node', False),
        sound=sound,
        notes=tuple(str(note).strip() for note in notes),
    )


def _checked(document: Any, problems: list[str]) -> dict[str, Any]:
    """Take the keys that are known and of their type."""
    if not isinstance(document, dict):
        problems.append(f'found {type(document).__name__}, expected a mapping')
        return {}
    values = {}
    for key, value in document.items():
        kind = _KEYS.get(key)
        if kind is None:
            problems.append(f'{key}: unknown, expected one of {", ".join(_KEYS)}')
        elif not isinstance(value, kind):
            problems.append(f'{key}: found {value!r}, expected {kind.__name__}')
        else:
            values[key] = value
    return values


def _topics(found: Any, default: str, vehicle: str, problems: list[str]) -> dict[str, str]:
    name = vehicle or default
    if name and not _NAME.fullmatch(name):
        problems.append(f'vehicle: found {name!r}, expected letters, digits and underscores')
    if vehicle and not default:
        problems.append(f'vehicle: found {vehicle!r}, but no topic contains {_VEHICLE}')
    topics = {}
    for role, topic in found.items():
        if role not in ROLES:
            problems.append(f'topics.{role}: unknown, expected one of {", ".join(ROLES)}')
            continue
        resolved = topic.replace(_VEHICLE, name or _VEHICLE) if isinstance(topic, str) else ''
        if not _TOPIC.fullmatch(resolved):
            problems.append(f'topics.{role}: found {topic!r}, expected a name like /a/b')
        topics[role] = resolved
    missing = [role for role in _REQUIRED if role not in topics]
    if missing:
        problems.append(f'topics: expected {", ".join(missing)} as well')
    if default and not any(_VEHICLE in str(topic) for topic in found.values()):
        problems.append(f'vehicle: found {default!r}, but no topic contains {_VEHICLE}')
    return topics


def _parameters(found: Any, problems: list[str]) -> dict[str, Scalar]:
    given = flatten(found)
    types = {spec.name: spec.type for spec in parameter_specs()}
    try:
        settings_from(given)
    except SettingsError as error:
        problems += [f'parameters.{problem}' for problem in error.problems]
        return {}
    values: dict[str, Any] = given
    # YAML writes a whole number without a point; the parameter is a double all the same.
    return {name: types[name](value) for name, value in values.items()}
