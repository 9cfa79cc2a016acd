# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a recording as the bytes that it holds, to play it or to copy it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rosbags.interfaces import ConnectionExtRosbag2, QosDurability

from mm_fusion.bags.limits import checked_messages, open_reader
from mm_fusion.bags.reader import _check_path, _unreadable
from mm_fusion.bags.typestore import read_message, recorded_types
from mm_fusion.errors import BagError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from os import PathLike
    from types import TracebackType

    from rosbags.interfaces import Connection
    from rosbags.typesys.store import Typestore


class RawBag:
    """An open recording, as a context manager.

    Args:
        path: Folder with a metadata.yaml, or a single .mcap or .db3 file.

    Attributes:
        path: The same.
        types: Message type of every topic.
        counts: Number of messages of every topic.
        latched: Topics whose last message a late subscriber is to get: those recorded as such,
            and where nothing is recorded of it, those with one single message.
        start_ns: Log time of the first message.
        end_ns: Log time of the last message.

    Raises:
        BagError: The recording is missing, empty or damaged.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        _check_path(self.path)
        with _unreadable(self.path):
            self._reader = open_reader(self.path)
        if self._reader.message_count == 0:
            self._reader.close()
            raise BagError(f'{self.path}: the recording holds no messages')
        connections = self._reader.connections
        self.types = {connection.topic: connection.msgtype for connection in connections}
        self.counts = {connection.topic: connection.msgcount for connection in connections}
        self.latched = {connection.topic for connection in connections if _latched(connection)}
        self._stores: dict[str, Typestore] = {}
        self.start_ns = self._reader.start_time
        self.end_ns = self._reader.end_time - 1

    def __enter__(self) -> RawBag:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the recording."""
        self._reader.close()

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, log time and serialised message, in order of log time.

        Raises:
            BagError: The file is damaged from here on.
        """
        connections = [c for c in self._reader.connections if c.topic in topics]
        with _unreadable(self.path):
            for connection, stamp_ns, data in checked_messages(self._reader, connections):
                yield connection.topic, stamp_ns, data

    def deserialized(self, topic: str, data: bytes) -> object:
        """Read one serialised message by the definition in the recording.

        Raises:
            SampleError: The bytes are no such message.
        """
        if topic not in self._stores:
            with _unreadable(self.path):
                connections = [c for c in self._reader.connections if c.topic == topic]
                self._stores[topic] = recorded_types(connections)
        return read_message(self._stores[topic], topic, self.types[topic], data)


def _latched(connection: Connection) -> bool:
    if isinstance(connection.ext, ConnectionExtRosbag2) and connection.ext.offered_qos_profiles:
        profiles = connection.ext.offered_qos_profiles
        return any(profile.durability is QosDurability.TRANSIENT_LOCAL for profile in profiles)
    return connection.msgcount == 1
