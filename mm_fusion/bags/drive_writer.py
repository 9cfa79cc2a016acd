# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write a simulated drive as a recording, with the topics and types of a real one.

What the drive was made from lies in the metadata of the recording, under the names
``mm_fusion.scenario`` (YAML), ``mm_fusion.images`` and ``mm_fusion.version``: so it tells how to
make it again.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mm_fusion
from mm_fusion.bags.drive_messages import (
    IMAGE,
    IMAGE_RAW,
    ODOMETRY,
    STATIC_TRANSFORMS,
    DriveMessages,
)
from mm_fusion.bags.writer import BagWriter
from mm_fusion.documents import read_yaml
from mm_fusion.errors import BagError, DocumentError
from mm_fusion.simulation.scenario_file import scenario_to_yaml
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mm_fusion.bags.drive_messages import Drive, ImageTransport
    from mm_fusion.simulation.scenario import Scenario


def write_drive(
    drive: Drive,
    path: Path,
    progress: Callable[[int, float], None] = lambda frames, time_s: None,
    images: ImageTransport = 'compressed',
) -> None:
    """Write a drive as an MCAP recording, whole or not at all.

    Args:
        drive: The drive.
        path: A name that ends in ``.mcap`` becomes a single file, any other a rosbag2 folder.
        progress: Called at each instant of truth, with the number of frames written so far and
            the time since the start of the drive (s); what it raises ends the writing.
        images: How camera frames are stored.

    Raises:
        BagError: The path exists, or cannot be written.
    """
    if path.exists():
        raise BagError(f'{path}: exists already, not overwriting')
    try:
        with _beside(path) as folder:
            _write(drive, folder, progress, images)
            whole = folder / f'{folder.name}.mcap' if path.suffix == '.mcap' else folder
            whole.rename(path)
    except OSError as error:
        raise BagError(f'{path}: cannot be written: {error.strerror or error}') from error


def description(scenario: Scenario, images: ImageTransport) -> dict[str, str]:
    """Describe a drive by what it is made from, as its recording does."""
    return {
        'mm_fusion.scenario': scenario_to_yaml(scenario),
        'mm_fusion.images': images,
        'mm_fusion.version': mm_fusion.__version__,
    }


def recorded_description(path: Path) -> dict[str, str]:
    """Read the description in a rosbag2 folder; empty where it has none."""
    try:
        metadata: Any = read_yaml(path / 'metadata.yaml')
        custom = metadata['rosbag2_bagfile_information']['custom_data']
        return {str(name): str(value) for name, value in custom.items()}
    except (DocumentError, AttributeError, LookupError, TypeError):
        return {}


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a folder to fill, hidden beside the path; what was not moved from it is removed.

    A process that is killed leaves it behind; nothing takes it for a recording.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=f'.{path.name}.', suffix='.part', dir=path.parent))
    try:
        # The file in the folder is named after it, so it has its final name from the start.
        yield hidden / path.name.removesuffix('.mcap')
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _write(
    drive: Drive, folder: Path, progress: Callable[[int, float], None], images: ImageTransport
) -> None:
    messages = DriveMessages(drive, images)
    counted = IMAGE if IMAGE in messages.topics else IMAGE_RAW
    frames = 0
    with BagWriter(folder, custom_data=description(drive.scenario, images)) as bag:
        for topic, type_name in messages.topics.items():
            bag.declare(topic, type_name, latched=topic == STATIC_TRANSFORMS)
        for message in messages:
            type_name = messages.topics[message.topic]
            bag.write_serialized(message.topic, type_name, message.data, message.received_ns)
            if message.topic == counted:
                frames += 1
            elif message.topic == ODOMETRY:
                progress(frames, (message.received_ns - START_NS) * 1e-9)
    progress(frames, drive.scenario.duration_s)
