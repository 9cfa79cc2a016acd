# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One good message of each type, and a drive of a few, for the fuzzers to begin with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rosbags.interfaces import Nodetype

from mm_fusion.messages import CAMERA_INFO_TYPE
from tools.fuzz.messages import KINDS, SAMPLED, START_NS, record

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

_STEP = 3
_CHOSEN: dict[str, Any] = {
    'encoding': 'rgb8',
    'sample_format': 'S16LE',
    'coding_format': 'wave',
    'frame_id': 'sensor',
    'sample_rate': 16_000,
    'rate': 16_000,
    'channels': 1,
    'format': 8,
    'height': 2,
    'width': 3,
    'step': 9,
    'latitude': 52.5,
    'longitude': 13.4,
    'w': 1.0,
}
"""Values of fields by name; what is not named is 0 or empty."""


def message_seeds() -> dict[str, bytes]:
    """Give an input of ``message`` for each type that the package reads, by name."""
    seeds = {}
    for index, kind in enumerate(KINDS):
        for name, content in _variants(index, START_NS).items():
            seeds[f'{index:02}_{kind.msgtype.rpartition("/")[2]}{name}'] = bytes([index]) + content
    return seeds


def sequence_seeds() -> dict[str, bytes]:
    """Give inputs of ``sequence``: half a second of each sensor, and of all together."""
    choices = {f'{index:02}': [index] for index in range(SAMPLED)}
    choices['all'] = list(range(SAMPLED))
    return {
        name: b''.join(
            record(index | (0x80 if turn % 3 == 2 else 0), _STEP, content)
            for turn in range(4)
            for index in indices
            for content in _variants(index, START_NS + turn * _STEP * 10_000_000).values()
        )
        for name, indices in choices.items()
    }


def good_message(index: int, stamp_ns: int) -> bytes:
    """Serialise a good message of a kind, by its index in ``KINDS``."""
    return next(iter(_variants(index, stamp_ns).values()))


def _variants(index: int, stamp_ns: int) -> dict[str, bytes]:
    """Serialise a good message of a kind; a compressed image in both codecs."""
    kind = KINDS[index]
    msg = _filled(kind.store, kind.msgtype, stamp_ns)
    variants = {'': msg}
    name = kind.msgtype.rpartition('/')[2]
    if kind.msgtype == CAMERA_INFO_TYPE:
        matrix = np.array([2.0, 0, 1.5, 0, 2.0, 1.0, 0, 0, 1.0])
        variants = {'': dataclasses.replace(msg, k=matrix)}
    elif name == 'Image':
        variants = {'': dataclasses.replace(msg, data=np.arange(18, dtype=np.uint8))}
    elif name == 'CompressedImage':
        variants = {
            suffix: dataclasses.replace(msg, format=suffix[1:], data=_picture(suffix))
            for suffix in ('.jpg', '.png')
        }
    elif name == 'AudioStamped' and hasattr(msg, 'audio'):
        samples = dataclasses.replace(msg.audio.audio_data, int16_data=np.arange(8, dtype='i2'))
        variants = {
            '': dataclasses.replace(msg, audio=dataclasses.replace(msg.audio, audio_data=samples))
        }
    elif name == 'AudioStamped':
        variants = {'': dataclasses.replace(msg, data=np.arange(16, dtype=np.uint8))}
    elif name == 'AudioDataStamped':
        sound = dataclasses.replace(msg.audio, data=np.arange(16, dtype=np.uint8))
        variants = {'': dataclasses.replace(msg, audio=sound)}
    return {
        key: bytes(kind.store.serialize_cdr(value, kind.msgtype))
        for key, value in variants.items()
    }


def _picture(suffix: str) -> Any:
    return cv2.imencode(suffix, np.zeros((2, 2, 3), np.uint8))[1].ravel()


def _filled(store: Typestore, msgtype: str, stamp_ns: int) -> Any:
    """Make a message whose every field has a value of its type."""
    if msgtype == 'builtin_interfaces/msg/Time':
        seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
        return store.types[msgtype](sec=seconds, nanosec=nanoseconds)
    values = {}
    for name, desc in store.fielddefs[msgtype][1]:
        values[name] = _value(store, name, desc, stamp_ns)
    return store.types[msgtype](**values)


def _value(store: Typestore, name: str, desc: Any, stamp_ns: int) -> Any:
    kind, detail = desc
    if kind is Nodetype.NAME:
        return _filled(store, detail, stamp_ns)
    if kind is Nodetype.BASE:
        zero = {'string': '', 'bool': False}.get(detail[0], 0)
        chosen = _CHOSEN.get(name, zero)
        return chosen if isinstance(chosen, str) == isinstance(zero, str) else zero
    (inner, what), count = detail
    size = count if kind is Nodetype.ARRAY else 0
    if inner is Nodetype.NAME:
        return [_filled(store, what, stamp_ns) for _ in range(size)]
    return [''] * size if what[0] == 'string' else np.zeros(size, what[0])
