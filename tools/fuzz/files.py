# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Files: recordings, pictures, sounds and tables of labels."""

from __future__ import annotations

import atexit
import io
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import soundfile
from rosbags.rosbag2 import StoragePlugin, Writer

from mm_fusion.bags import read_bag
from mm_fusion.bags.typestore import known_types
from mm_fusion.errors import BagError, DatasetError, SampleError
from mm_fusion.features.images import MAX_PIXELS, decode, encoded_size
from mm_fusion.labels import read_sound
from mm_fusion.training.data.sidecar import read_sidecar
from mm_fusion.types.sensors import CompressedImage
from tools.fuzz.checks import check_sample
from tools.fuzz.message_seeds import good_message
from tools.fuzz.messages import KINDS, START_NS

_FOLDER = Path(tempfile.mkdtemp(prefix='fuzz-', dir='/dev/shm'))  # memory, not a disk
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_MAX_DECODED = 1_000_000
_DRIVE_S = 60.0


def mcap(data: bytes) -> None:
    """Read a recording of MCAP.

    Raises:
        AssertionError: A sample is not what later stages rely on.
    """
    _read_bag(data, _FOLDER / 'fuzz.mcap')


def sqlite(data: bytes) -> None:
    """Read a recording of SQLite.

    Raises:
        AssertionError: A sample is not what later stages rely on.
    """
    _read_bag(data, _FOLDER / 'fuzz.db3')


def _read_bag(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    try:
        with read_bag(path) as bag:
            for event in bag.events():
                assert 0 <= event.received_ns < 2**63
                if not isinstance(event.content, SampleError):
                    check_sample(event.content)
    except BagError:
        return


def mcap_seeds() -> dict[str, bytes]:
    """Give small recordings of a velocity: their messages are the matter of another target."""
    return _recordings(StoragePlugin.MCAP)


def sqlite_seeds() -> dict[str, bytes]:
    """Give small recordings of a velocity."""
    return _recordings(StoragePlugin.SQLITE3)


def _recordings(plugin: StoragePlugin) -> dict[str, bytes]:
    seeds = {}
    store = known_types()
    for name, indices in {'number': [13], 'report': [12]}.items():
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / 'bag'
            with Writer(folder, version=9, storage_plugin=plugin) as writer:
                for index in indices:
                    kind = KINDS[index]
                    connection = writer.add_connection('/velocity', kind.msgtype, typestore=store)
                    writer.write(connection, START_NS, good_message(index, START_NS))
            (file,) = (path for path in folder.iterdir() if path.suffix in ('.mcap', '.db3'))
            seeds[name] = file.read_bytes()
    return seeds


def picture(data: bytes) -> None:
    """Read the size of a JPEG or PNG, and decode a small one.

    Raises:
        AssertionError: The decoder gave another size than was checked.
    """
    codec = 'png' if data[:1] == b'\x89' else 'jpeg'
    payload = np.frombuffer(data, np.uint8)
    sample = CompressedImage(1, 1, '', codec, payload)  # type: ignore[arg-type]
    size = encoded_size(sample)
    if size is not None and _MAX_DECODED < size[0] * size[1] <= MAX_PIXELS:
        return
    try:
        pixels = decode(sample)
    except SampleError:
        return
    assert size is not None
    assert pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS


def picture_seeds() -> dict[str, bytes]:
    """Give a JPEG and a PNG of a few pixels."""
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    return {suffix[1:]: cv2.imencode(suffix, pixels)[1].tobytes() for suffix in ('.jpg', '.png')}


def sound(data: bytes) -> None:
    """Read a sound file.

    Raises:
        AssertionError: The samples are not those of a sound.
    """
    path = _FOLDER / 'fuzz.wav'
    path.write_bytes(data)
    try:
        samples, rate_hz = read_sound(path)
    except SampleError:
        return
    assert samples.ndim == 1
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert rate_hz > 0


def sound_seeds() -> dict[str, bytes]:
    """Give a few samples in each format that recordings come in."""
    seeds = {}
    for name in ('WAV', 'FLAC', 'OGG'):
        content = io.BytesIO()
        soundfile.write(content, np.linspace(-0.5, 0.5, 32), 8000, format=name)
        seeds[name] = content.getvalue()
    return seeds


def table(data: bytes) -> None:
    """Read the labels of a recording; anything but a refusal or intervals is a finding."""
    path = _FOLDER / 'fuzz.labels.csv'
    path.write_bytes(data)
    try:
        intervals = read_sidecar(path, _DRIVE_S)
    except DatasetError:
        return
    for interval in intervals:
        assert 0 <= interval.start_s < interval.end_s <= _DRIVE_S + 1
        assert np.isfinite(list(interval.labels.values())).all()


def table_seeds() -> dict[str, bytes]:
    """Give a table of two intervals."""
    return {
        'all': b'start_s,end_s,friction,siren,friction_coefficient\n0,5,wet,siren,0.7\n'
        b'5,9.5,dry,,\n'
    }
