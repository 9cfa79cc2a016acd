# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write recordings that rosbag2 and :func:`~mm_fusion.bags.reader.read_bag` read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from mm_fusion.bags.typestore import AudioCommon, known_types
from mm_fusion.errors import BagError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from types import TracebackType

    from rosbags.interfaces import Connection

_STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_UNLIMITED = QosTime(2**31 - 1, 2**32 - 1)
_LATCHED = Qos(
    QosHistory.KEEP_LAST,
    1,
    QosReliability.RELIABLE,
    QosDurability.TRANSIENT_LOCAL,
    _UNLIMITED,
    _UNLIMITED,
    QosLiveliness.AUTOMATIC,
    _UNLIMITED,
    avoid_ros_namespace_conventions=False,
)


class BagWriter:
    """Write a recording, as a context manager.

    Topics are made by :meth:`declare`, or by the first message on them.

    Example::

        with BagWriter('drive') as bag:
            stamp = bag.types['builtin_interfaces/msg/Time'](sec=1, nanosec=0)
            bag.write('/velocity', bag.types['std_msgs/msg/Float32'](data=1.0), log_time_ns=10**9)

    Args:
        path: Folder to make; it must not exist.
        storage: File format.
        audio_common: Whose ``audio_common_msgs`` the types are.
        custom_data: Text by name, kept in the metadata of the recording.

    Raises:
        BagError: The folder exists.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        storage: Literal['mcap', 'sqlite3'] = 'mcap',
        audio_common: AudioCommon = 'ros_drivers',
        custom_data: Mapping[str, str] | None = None,
    ) -> None:
        self._store = known_types(audio_common)
        self._connections: dict[str, Connection] = {}
        try:
            self._writer = Writer(
                Path(path), version=Writer.VERSION_LATEST, storage_plugin=_STORAGES[storage]
            )
        except WriterError as error:
            raise BagError(str(error)) from error
        for name, value in (custom_data or {}).items():
            self._writer.set_custom_data(name, value)

    @property
    def types(self) -> Mapping[str, Any]:
        """Message classes by name, such as ``sensor_msgs/msg/Image``."""
        return self._store.types

    def __enter__(self) -> BagWriter:
        """Make the folder and its file."""
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the recording; after an exception its file stays without an index."""
        self._writer.__exit__(kind, error, traceback)

    def declare(self, topic: str, type_name: str, *, latched: bool = False) -> None:
        """Make a topic before its first message.

        Args:
            topic: Name with a leading slash, not made before.
            type_name: One of the names of ``types``.
            latched: A player is to give its last message to late subscribers.

        Raises:
            BagError: The type is not known.
        """
        if type_name not in self._store.fielddefs:
            raise BagError(f'{topic}: no definition is known of its type {type_name}')
        self._connections[topic] = self._writer.add_connection(
            topic,
            type_name,
            typestore=self._store,
            offered_qos_profiles=[_LATCHED] if latched else [],
        )

    def write(self, topic: str, msg: Any, log_time_ns: int) -> None:
        """Append a message.

        Args:
            topic: Name with a leading slash.
            msg: Object of one of ``types``; the same type for each message of a topic.
            log_time_ns: When it was received.
        """
        kind = msg.__msgtype__
        self.write_serialized(topic, kind, self._store.serialize_cdr(msg, kind), log_time_ns)

    def write_serialized(
        self, topic: str, type_name: str, data: bytes | memoryview, log_time_ns: int
    ) -> None:
        """Append a message that is serialised already.

        Args:
            topic: Name with a leading slash.
            type_name: One of the names of ``types``; the same for each message of a topic.
            data: The message as CDR, with its leading four bytes.
            log_time_ns: When it was received.

        Raises:
            BagError: The type is not known, or not that of the topic.
        """
        if topic not in self._connections:
            self.declare(topic, type_name)
        connection = self._connections[topic]
        if connection.msgtype != type_name:
            raise BagError(f'{topic}: found a {type_name}, expected {connection.msgtype}')
        self._writer.write(connection, log_time_ns, data)
