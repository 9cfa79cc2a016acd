# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write recordings that rosbag2 and :func:`~mm_fusion.bags.reader.read_bag` read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from mm_fusion.bags.typestore import AudioCommon, known_types
from mm_fusion.errors import BagError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from types import TracebackType

    from rosbags.interfaces import Connection

_STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}


class BagWriter:
    """Write a recording, as a context manager; topics are made by the first message on them.

    Example::

        with BagWriter('drive') as bag:
            stamp = bag.types['builtin_interfaces/msg/Time'](sec=1, nanosec=0)
            bag.write('/velocity', bag.types['std_msgs/msg/Float32'](data=1.0), log_time_ns=10**9)

    Args:
        path: Folder to make; it must not exist.
        storage: File format.
        audio_common: Whose ``audio_common_msgs`` the types are.

    Raises:
        BagError: The folder exists.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        storage: Literal['mcap', 'sqlite3'] = 'mcap',
        audio_common: AudioCommon = 'ros_drivers',
    ) -> None:
        self._store = known_types(audio_common)
        self._connections: dict[str, Connection] = {}
        try:
            self._writer = Writer(
                Path(path), version=Writer.VERSION_LATEST, storage_plugin=_STORAGES[storage]
            )
        except WriterError as error:
            raise BagError(str(error)) from error

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
        connection = self._connections.get(topic)
        if connection is None:
            if type_name not in self._store.fielddefs:
                raise BagError(f'{topic}: no definition is known of its type {type_name}')
            connection = self._writer.add_connection(topic, type_name, typestore=self._store)
            self._connections[topic] = connection
        if connection.msgtype != type_name:
            raise BagError(f'{topic}: found a {type_name}, expected {connection.msgtype}')
        self._writer.write(connection, log_time_ns, data)
