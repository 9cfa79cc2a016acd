# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a recording as samples, in the order in which they were received."""

from __future__ import annotations

import functools
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mm_fusion.bags.limits import checked_messages, open_reader
from mm_fusion.bags.topics import ROLE_MODALITIES, BagTopics, Role, match_topics
from mm_fusion.bags.typestore import read_message, recorded_types
from mm_fusion.errors import BagError, MmFusionError, SampleError
from mm_fusion.messages import (
    AudioAdapter,
    OdometryPose,
    image_sample,
    odometry_pose,
    position_sample,
    velocity_sample,
)
from mm_fusion.messages.truths import RoadTruth, SirenTruth, road_truth, siren_truth
from mm_fusion.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from os import PathLike
    from types import TracebackType

    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Reader

    from mm_fusion.types.sensors import Modality, Sample

    _Adapter: TypeAlias = Callable[[Any, int], 'Sample | Truth | None']

Truth: TypeAlias = OdometryPose | RoadTruth | SirenTruth

_SUFFIXES = ('.mcap', '.db3')


@dataclass(frozen=True, slots=True, eq=False)
class BagEvent:
    """One message of a recording.

    Attributes:
        received_ns: Log time of the message.
        role: What its topic serves as.
        content: The sample, the ground truth, or why the message cannot be used.
    """

    received_ns: int
    role: Role
    content: Sample | Truth | SampleError

    @property
    def modality(self) -> Modality | None:
        """Modality that the message feeds; None for ground truth."""
        return ROLE_MODALITIES[self.role]


class BagReader:
    """An open recording; made by :func:`read_bag`.

    Attributes:
        topics: The topic of each role.
        message_count: Number of messages on these topics.
        start_ns: Log time of the first message of the recording.
        duration_s: From the first to the last message of the recording.
    """

    def __init__(
        self, reader: Reader, topics: Mapping[str, str] | None, settings: Settings
    ) -> None:
        self._reader = reader
        self._settings = settings
        self.topics: BagTopics = match_topics(
            {connection.topic: connection.msgtype for connection in reader.connections}, topics
        )
        self._roles = self.topics.roles()
        self._connections = [
            connection for connection in reader.connections if connection.topic in self._roles
        ]
        self._types = recorded_types(self._connections)
        self.message_count = sum(connection.msgcount for connection in self._connections)
        self.start_ns = reader.start_time
        self.duration_s = (reader.end_time - 1 - reader.start_time) / 1e9

    def __enter__(self) -> BagReader:
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

    def events(self) -> Iterator[BagEvent]:
        """Yield an event for each message and role, in order of log time.

        Messages are read lazily, on the topics of a role alone. One that cannot be used yields
        its ``SampleError``. The first ``AudioInfo`` of the recording counts from its start: it is
        published once, and a recorder may have heard it after the first sound.

        Raises:
            BagError: The file is damaged from here on.
        """
        audio = AudioAdapter(self._settings.audio)
        trust = self._settings.gnss.trust_unset_status
        clockwise = self._settings.velocity.clockwise_yaw_rate
        adapters: dict[Role, _Adapter] = {
            'image': image_sample,
            'audio': audio.chunk,
            'audio_info': lambda message, _: audio.set_info(message),
            'fix': functools.partial(position_sample, trust_unset_status=trust),
            'velocity': functools.partial(velocity_sample, clockwise_yaw_rate=clockwise),
            'odometry': lambda message, _: odometry_pose(message),
            'road_state': lambda message, _: road_truth(message),
            'siren': lambda message, _: siren_truth(message),
        }
        self._early_audio_info(audio)
        for connection, received_ns, data in self._messages(self._connections):
            for role in self._roles[connection.topic]:
                content = self._content(adapters[role], connection, data, received_ns)
                if content is not None:
                    yield BagEvent(received_ns, role, content)

    def _content(
        self, adapter: _Adapter, connection: Connection, data: bytes, received_ns: int
    ) -> Sample | Truth | SampleError | None:
        try:
            return adapter(self._message(connection, data), received_ns)
        except SampleError as error:
            return error

    def _early_audio_info(self, adapter: AudioAdapter) -> None:
        connections = [
            connection
            for connection in self._connections
            if connection.topic == self.topics.audio_info
        ]
        if not connections:
            return
        for connection, _, data in self._messages(connections):
            with suppress(SampleError):  # yielded in its turn by events()
                adapter.set_info(self._message(connection, data))
            return

    def _messages(
        self, connections: Sequence[Connection]
    ) -> Iterator[tuple[Connection, int, bytes]]:
        with _unreadable(self._reader.path):
            yield from checked_messages(self._reader, connections)

    def _message(self, connection: Connection, data: bytes) -> object:
        return read_message(self._types, connection.topic, connection.msgtype, data)


def read_bag(
    path: str | PathLike[str],
    topics: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> BagReader:
    """Open a recording.

    Args:
        path: Folder with a metadata.yaml, or a single .mcap or .db3 file.
        topics: Topic by role for what :func:`match_topics` is not to choose.
        settings: What its messages leave open; None takes the defaults.

    Returns:
        Context manager that closes the recording.

    Raises:
        BagError: The recording is missing, empty, damaged, or lacks the topics.
    """
    path = Path(path)
    _check_path(path)
    with _unreadable(path):
        reader = open_reader(path)
    try:
        if reader.message_count == 0:
            raise BagError(f'{path}: the recording holds no messages')
        with _unreadable(path):
            return BagReader(reader, topics, Settings() if settings is None else settings)
    except BaseException:
        reader.close()
        raise


def _check_path(path: Path) -> None:
    if not path.exists():
        raise BagError(f'{path}: there is no such recording')
    if path.is_dir():
        if not (path / 'metadata.yaml').is_file():
            raise BagError(
                f'{path}: the folder has no metadata.yaml; name the .mcap or .db3 file itself'
            )
    elif path.suffix not in _SUFFIXES:
        raise BagError(f'{path}: expected a rosbag2 folder, or a file .mcap or .db3')


@contextmanager
def _unreadable(path: object) -> Iterator[None]:
    """Turn everything that a damaged file provokes in the library into one line.

    The library parses what the file says and raises what that leads to: its own errors, and
    those of struct, zstd, sqlite, YAML and the built-in types alike.
    """
    try:
        yield
    except MmFusionError as error:
        raise BagError(f'{path}: {error}') from error
    except Exception as error:
        text = ' '.join(str(error).split()) or type(error).__name__
        raise BagError(f'{path}: the recording cannot be read: {text}') from error
