# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions: those inside a recording, and those shipped for where it has none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rosbags.interfaces import MessageDefinitionFormat
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from mm_fusion.errors import BagError, SampleError
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from collections.abc import Collection

    from rosbags.interfaces import Connection
    from rosbags.typesys.store import Typestore

AudioCommon: TypeAlias = Literal['ros_drivers', 'mgonzs13']
"""Two projects share the package name ``audio_common_msgs``; one store holds one of them."""

_DEFINITIONS = Path(__file__).parent / 'definitions'
_IDL_SEPARATOR = '=' * 80 + '\n'


def known_types(audio_common: AudioCommon = 'ros_drivers') -> Typestore:
    """Make a store of the types of ROS 2 Kilted and of every type that the package reads.

    Args:
        audio_common: Whose ``audio_common_msgs`` it holds.

    Returns:
        Store whose ``types`` maps names such as ``sensor_msgs/msg/Image`` to classes.
    """
    store = get_typestore(Stores.ROS2_KILTED)
    definitions: dict[str, Any] = {}
    for folder in (_DEFINITIONS / 'mm_fusion_msgs', _DEFINITIONS / 'autoware_vehicle_msgs'):
        definitions.update(_package_types(folder))
    definitions.update(_package_types(_DEFINITIONS / audio_common / 'audio_common_msgs'))
    store.register(definitions)
    return store


def recorded_types(connections: Collection[Connection]) -> Typestore:
    """Make a store for the given connections alone, from the definitions that they carry.

    Where a connection carries none, as in recordings older than ROS 2 Iron, the definition of
    :func:`known_types` is taken: the layouts of the types read here have not changed since.

    Raises:
        TypesysError: A definition cannot be parsed.
        BagError: A type has no definition anywhere.
    """
    definitions: dict[str, Any] = {}
    bare: list[str] = []
    for connection in connections:
        text = connection.msgdef.data
        if connection.msgdef.format is MessageDefinitionFormat.NONE or not text.strip():
            bare.append(connection.msgtype)
        elif connection.msgdef.format is MessageDefinitionFormat.MSG:
            definitions.update(get_types_from_msg(text, connection.msgtype))
        else:
            definitions.update(_types_from_idl(text))
    if bare:
        mgonzs13 = 'audio_common_msgs/msg/AudioStamped' in bare
        known = known_types('mgonzs13' if mgonzs13 else 'ros_drivers').fielddefs
        unknown = sorted(set(bare) - known.keys())
        if unknown:
            raise BagError(f'the recording does not define {", ".join(unknown)}')
        definitions = {**known, **definitions}
    store = get_typestore(Stores.EMPTY)
    store.register(definitions)
    return store


def read_message(store: Typestore, topic: str, msgtype: str, data: bytes) -> object:
    """Read one serialised message.

    Args:
        store: Holds its type.
        topic: Named in errors.
        msgtype: Name such as ``sensor_msgs/msg/Image``.
        data: CDR with its header of four bytes.

    Raises:
        SampleError: MALFORMED: the bytes are no such message.
    """
    try:
        return store.deserialize_cdr(data, msgtype)
    except (AssertionError, LookupError, MemoryError, SerdeError, ValueError) as error:
        raise SampleError(
            DropReason.MALFORMED, f'{topic}: {len(data)} bytes are no {msgtype}: {error}'
        ) from error


def _package_types(folder: Path) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    for item in sorted(folder.glob('msg/*.msg')):
        name = f'{folder.name}/msg/{item.stem}'
        definitions.update(get_types_from_msg(item.read_text(encoding='utf-8'), name))
    return definitions


def _types_from_idl(text: str) -> dict[str, Any]:
    """Parse IDL, one file or several behind ``IDL: name`` headers as rosbag2 joins them."""
    if not text.startswith(f'{_IDL_SEPARATOR}IDL: '):
        return dict(get_types_from_idl(text))
    definitions: dict[str, Any] = {}
    for section in text.split(_IDL_SEPARATOR)[1:]:
        definitions.update(get_types_from_idl(section.partition('\n')[2]))
    return definitions
