# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages: from CDR bytes through the adapters to the aligner."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mm_fusion.alignment import Aligner
from mm_fusion.bags.typestore import known_types, read_message
from mm_fusion.errors import SampleError
from mm_fusion.messages import (
    AUDIO_INFO_TYPE,
    CAMERA_INFO_TYPE,
    ODOMETRY_TYPE,
    ROLE_TYPES,
    AudioAdapter,
    camera_model_from_info,
    image_sample,
    odometry_pose,
    position_sample,
    velocity_sample,
)
from mm_fusion.messages.truths import ROAD_STATE_TYPE, SIREN_TYPE, road_truth, siren_truth
from mm_fusion.settings import AlignmentSettings, AudioSettings
from mm_fusion.types.sensors import Modality
from tools.fuzz.checks import check_sample, check_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rosbags.typesys.store import Typestore

START_NS = 1_600_000_000_000_000_000
"""When the receiver's clock starts; the seeds are stamped near it."""

STEP_NS = 10_000_000
_MGONZS13 = 'audio_common_msgs/msg/AudioStamped'
_AUDIO_WINDOW_S = 0.5
_POLL = 0x80


class Kind(NamedTuple):
    """A message type that the package reads.

    Attributes:
        msgtype: Its name.
        store: Holds its definition.
        read: Adapter, from the message and its time of arrival.
    """

    msgtype: str
    store: Typestore
    read: Callable[[Any, int], Any]


def _kinds() -> Iterator[Kind]:
    store, other = known_types(), known_types('mgonzs13')
    sound = AudioAdapter(AudioSettings(16_000, 1, 'S16LE'))
    adapters: dict[Modality, Callable[[Any, int], Any]] = {
        Modality.CAMERA: image_sample,
        Modality.MICROPHONE: sound.chunk,
        Modality.GNSS: partial(position_sample, trust_unset_status=True),
        Modality.VELOCITY: velocity_sample,
    }
    for modality, msgtypes in ROLE_TYPES.items():
        for msgtype in msgtypes:
            yield Kind(msgtype, other if msgtype == _MGONZS13 else store, adapters[modality])
    others: dict[str, Callable[[Any, int], Any]] = {
        AUDIO_INFO_TYPE: lambda msg, _: AudioAdapter(AudioSettings()).set_info(msg),
        CAMERA_INFO_TYPE: lambda msg, _: camera_model_from_info(msg, 90.0),
        ODOMETRY_TYPE: lambda msg, _: odometry_pose(msg),
        ROAD_STATE_TYPE: lambda msg, _: road_truth(msg),
        SIREN_TYPE: lambda msg, _: siren_truth(msg),
    }
    for msgtype, read in others.items():
        yield Kind(msgtype, store, read)


KINDS = tuple(_kinds())
"""By the first byte of an input, modulo their number."""

SAMPLED = sum(len(msgtypes) for msgtypes in ROLE_TYPES.values())
"""So many of them, the first ones, become samples."""


def message(data: bytes) -> None:
    """Read one message: a byte that chooses its type, then CDR.

    Raises:
        AssertionError: The sample is not what later stages rely on.
    """
    if not data:
        return
    kind = KINDS[data[0] % len(KINDS)]
    try:
        sample = kind.read(read_message(kind.store, '/fuzz', kind.msgtype, data[1:]), START_NS)
    except SampleError:
        return
    if sample is not None:
        check_sample(sample)


def sequence(data: bytes) -> None:
    """Push messages into an aligner, and poll it; each one is a record as ``record`` makes it.

    Raises:
        AssertionError: A snapshot is not what later stages rely on, or a count does not add up.
    """
    aligner = Aligner(AlignmentSettings(), audio_window_s=_AUDIO_WINDOW_S)
    now_ns = START_NS
    for choice, step, content in _records(data):
        now_ns += step * STEP_NS
        kind = KINDS[(choice & ~_POLL) % SAMPLED]
        try:
            sample = kind.read(read_message(kind.store, '/fuzz', kind.msgtype, content), now_ns)
        except SampleError:
            continue
        aligner.push(sample)
        if choice & _POLL:
            for snapshot in aligner.poll(now_ns):
                check_snapshot(snapshot)
    for snapshot in aligner.flush():
        check_snapshot(snapshot)
    counters = aligner.counters
    assert counters.pending == 0


def record(choice: int, step: int, content: bytes) -> bytes:
    """Write a record of ``sequence``.

    Args:
        choice: Index of the kind; 128 more where the aligner is polled after it.
        step: What the receiver's clock moves by, in hundredths of a second, -128 to 127.
        content: CDR, below 65,536 bytes.
    """
    head = bytes([choice]) + step.to_bytes(1, 'little', signed=True)
    return head + len(content).to_bytes(2, 'little') + content


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        size = int.from_bytes(data[position + 2 : position + 4], 'little')
        step = int.from_bytes(data[position + 1 : position + 2], 'little', signed=True)
        yield data[position], step, data[position + 4 : position + 4 + size]
        position += 4 + size
