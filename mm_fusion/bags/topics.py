# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which topic of a recording serves which input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mm_fusion.errors import BagError
from mm_fusion.messages import AUDIO_INFO_TYPE, ODOMETRY_TYPE, ROLE_TYPES
from mm_fusion.messages.truths import ROAD_STATE_TYPE, SIREN_TYPE
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Role: TypeAlias = Literal[
    'image', 'audio', 'audio_info', 'fix', 'velocity', 'odometry', 'road_state', 'siren'
]
ROLES: tuple[Role, ...] = get_args(Role)

ROLE_MODALITIES: dict[Role, Modality | None] = {
    'image': Modality.CAMERA,
    'audio': Modality.MICROPHONE,
    'audio_info': Modality.MICROPHONE,
    'fix': Modality.GNSS,
    'velocity': Modality.VELOCITY,
    'odometry': None,
    'road_state': None,
    'siren': None,
}
"""Modality that each role feeds; None for ground truth."""

_TYPES: dict[Role, tuple[str, ...]] = {
    'image': ROLE_TYPES[Modality.CAMERA],
    'audio': ROLE_TYPES[Modality.MICROPHONE],
    'audio_info': (AUDIO_INFO_TYPE,),
    'fix': ROLE_TYPES[Modality.GNSS],
    'velocity': ROLE_TYPES[Modality.VELOCITY],
    'odometry': (ODOMETRY_TYPE,),
    'road_state': (ROAD_STATE_TYPE,),
    'siren': (SIREN_TYPE,),
}

_GENERAL_TYPES = (
    'geometry_msgs/msg/Pose',
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
    'std_msgs/msg/Float32',
)
"""Types with many other uses (goals, temperatures): taken only under an input's own name."""

_TRUTH_ONLY: tuple[Role, ...] = ('road_state', 'siren')
"""Roles that only a topic with truth in its name has: a node publishes the same type."""

_NAMES: dict[Role, tuple[str, ...]] = {
    'image': ('image', 'camera', 'front'),
    'audio': ('audio', 'microphone'),
    'audio_info': ('audio_info', 'audio'),
    'fix': ('fix', 'gnss', 'gps'),
    'velocity': ('velocity', 'vehicle', 'speed'),
    'odometry': ('odometry', 'odom'),
    'road_state': ('road_state', 'ground_truth'),
    'siren': ('siren', 'sirens', 'ground_truth'),
}
"""Words of a topic's name that tell candidates of one role apart, the most telling first."""


@dataclass(frozen=True, slots=True)
class BagTopics:
    """Topic of each role; None where the recording has none.

    Attributes:
        image: Camera frames.
        audio: Sound.
        audio_info: Format of the sound, where its messages do not carry it.
        fix: Positions.
        velocity: Speed and yaw rate; may be the topic of ``odometry`` as well.
        odometry: Poses that serve as ground truth.
        road_state: True state of the road; never the output of a node.
        siren: True places of sirens.
    """

    image: str | None = None
    audio: str | None = None
    audio_info: str | None = None
    fix: str | None = None
    velocity: str | None = None
    odometry: str | None = None
    road_state: str | None = None
    siren: str | None = None

    def roles(self) -> dict[str, tuple[Role, ...]]:
        """List the roles of each topic that has one."""
        found: dict[str, tuple[Role, ...]] = {}
        for role in ROLES:
            topic = getattr(self, role)
            if topic is not None:
                found[topic] = (*found.get(topic, ()), role)
        return found


def match_topics(
    types: Mapping[str, str], overrides: Mapping[str, str] | None = None
) -> BagTopics:
    """Choose the topic of each role by message type.

    Where several topics have a type of the role, its name decides (``/gnss/fix`` before
    ``/gnss/extra``); a camera's ``/compressed`` twin yields to the raw topic, and commands are no
    measurements. Odometry serves as ground truth, with ``truth`` in its name before others; it is
    taken as velocity where no velocity topic exists and its name does not call it truth. Road
    states and sirens need ``truth`` in their names: the node publishes road states itself.

    Args:
        types: Message type of every topic.
        overrides: Topic by role, chosen by the caller; empty text leaves the role out.

    Raises:
        BagError: Candidates that no rule tells apart; a role or topic of ``overrides`` that does
            not exist, or has a type that the role is not read from; no input topic at all.
    """
    overrides = {} if overrides is None else overrides
    for role in overrides:
        if role not in ROLES:
            raise BagError(f'topics: found the role {role!r}, expected one of {", ".join(ROLES)}')
    chosen = {
        role: _overridden(role, overrides[role], types)
        if role in overrides
        else _matched(role, types)
        for role in ROLES
    }
    topics = BagTopics(**chosen)
    if not any((topics.image, topics.audio, topics.fix, topics.velocity)):
        listed = ', '.join(f'{name} ({kind})' for name, kind in sorted(types.items())) or 'none'
        raise BagError(
            'no topic serves as image, audio, fix or velocity input; the recording has: ' + listed
        )
    return topics


def _overridden(role: Role, topic: str, types: Mapping[str, str]) -> str | None:
    if not topic:
        return None
    if topic not in types:
        raise BagError(
            f'{role}: the recording has no topic {topic}; it has {", ".join(sorted(types))}'
        )
    if types[topic] not in _TYPES[role]:
        raise BagError(
            f'{role}: {topic} is of type {types[topic]}, expected {" or ".join(_TYPES[role])}'
        )
    return topic


def _matched(role: Role, types: Mapping[str, str]) -> str | None:
    candidates = [topic for topic in sorted(types) if _is_candidate(role, topic, types[topic])]
    candidates = [
        topic for topic in candidates if types[topic] not in _GENERAL_TYPES
    ] or candidates
    if role == 'velocity':
        own = [topic for topic in candidates if types[topic] != ODOMETRY_TYPE]
        candidates = own or [topic for topic in candidates if not _is_truth(topic)]
    if role in _TRUTH_ONLY:
        candidates = [topic for topic in candidates if _is_truth(topic)]
    if role == 'odometry':
        candidates = [topic for topic in candidates if _is_truth(topic)] or candidates
    if role == 'image':
        twins = {f'{topic}/compressed' for topic in candidates}
        candidates = [topic for topic in candidates if topic not in twins]
    return _by_name(role, candidates)


def _is_candidate(role: Role, topic: str, kind: str) -> bool:
    if kind not in _TYPES[role] or 'cmd' in _words(topic):
        return False
    return kind not in _GENERAL_TYPES or any(name in _words(topic) for name in _NAMES[role])


def _by_name(role: Role, candidates: Sequence[str]) -> str | None:
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    for name in _NAMES[role]:
        exact = [topic for topic in candidates if topic.strip('/') == name]
        named = exact or [topic for topic in candidates if name in _parts(topic)]
        if len(named) == 1:
            return named[0]
    raise BagError(
        f'{role}: found {len(candidates)} topics that may serve, choose one: '
        + ', '.join(candidates)
    )


def _parts(topic: str) -> list[str]:
    return topic.strip('/').split('/')


def _words(topic: str) -> list[str]:
    return [*_parts(topic), *re.split(r'[/_]', topic)]


def _is_truth(topic: str) -> bool:
    return 'truth' in topic.lower()
