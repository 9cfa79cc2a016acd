# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive becomes a recording, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rosbags.interfaces import ConnectionExtRosbag2, QosDurability
from rosbags.rosbag2 import Reader

from mm_fusion.bags import read_bag
from mm_fusion.bags.drive_messages import STATIC_TRANSFORMS, DriveMessages
from mm_fusion.bags.drive_writer import description, recorded_description, write_drive
from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import BagError
from mm_fusion.simulation.scenario_file import parse_scenario
from support.fake_drive import STEPS, FakeDrive, scenario

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize('name', ['drive', 'drive.mcap'])
def test_the_recording_holds_every_message(tmp_path: Path, name: str) -> None:
    write_drive(FakeDrive(), tmp_path / name)

    assert (tmp_path / name).is_file() is name.endswith('.mcap')
    assert [path.name for path in tmp_path.iterdir()] == [name]
    made = DriveMessages(FakeDrive())
    with RawBag(tmp_path / name) as bag:
        found = list(bag.messages(bag.types))
        assert bag.types == made.topics
    expected = [(m.topic, m.received_ns, m.data) for m in made]
    # Messages that arrive together have no order of their own in a recording.
    assert sorted(found) == sorted(expected)
    with read_bag(tmp_path / name) as samples:
        assert samples.topics.odometry == '/ground_truth/odometry'
        assert samples.topics.image == '/camera/image/compressed'
        assert samples.topics.velocity == '/vehicle/velocity'


def test_the_mounting_is_latched_for_whoever_plays_it(tmp_path: Path) -> None:
    write_drive(FakeDrive(), tmp_path / 'drive')

    with Reader(tmp_path / 'drive') as reader:
        latched = {
            connection.topic
            for connection in reader.connections
            if isinstance(connection.ext, ConnectionExtRosbag2)
            for profile in connection.ext.offered_qos_profiles
            if profile.durability is QosDurability.TRANSIENT_LOCAL
        }
    assert latched == {STATIC_TRANSFORMS}


def test_raw_images_are_stored_where_asked_for(tmp_path: Path) -> None:
    write_drive(FakeDrive(), tmp_path / 'drive', images='raw')

    with read_bag(tmp_path / 'drive') as bag:
        assert bag.topics.image == '/camera/image_raw'


@pytest.mark.parametrize('images', ['compressed', 'raw', 'both'])
def test_progress_counts_frames_and_time(tmp_path: Path, images: Any) -> None:
    seen: list[tuple[int, float]] = []

    write_drive(
        FakeDrive(), tmp_path / 'drive', lambda *progress: seen.append(progress), images=images
    )

    # The truth of a time comes before the frame of that time.
    times = [step * 0.05 for step in range(STEPS)]
    assert [frames for frames, _ in seen] == list(range(STEPS + 1))
    assert [time_s for _, time_s in seen] == pytest.approx([*times, STEPS * 0.05])


def test_the_recording_tells_what_it_was_made_from(tmp_path: Path) -> None:
    write_drive(FakeDrive(), tmp_path / 'drive')
    write_drive(FakeDrive(), tmp_path / 'drive.mcap')

    found = recorded_description(tmp_path / 'drive')
    assert found == description(scenario(), 'compressed')
    assert parse_scenario(found['mm_fusion.scenario'], 'recording') == scenario()
    assert found != description(scenario(), 'raw')
    assert b'mm_fusion.scenario' in (tmp_path / 'drive.mcap').read_bytes()


@pytest.mark.parametrize(
    'text', ['[', '', '3', 'rosbag2_bagfile_information: {custom_data: null}', '\xff']
)
def test_what_is_no_recording_of_a_drive_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / 'metadata.yaml').write_text(text, encoding='latin-1')

    assert recorded_description(tmp_path) == {}
    assert recorded_description(tmp_path / 'none') == {}


@pytest.mark.parametrize('name', ['drive', 'drive.mcap'])
def test_a_drive_that_breaks_off_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(BagError, match='cannot be written: the drive breaks off'):
        write_drive(FakeDrive(fails_at=4), tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(frames: int, time_s: float) -> None:
        # Half of it is written, and nothing yet under its name.
        assert not (tmp_path / 'drive').exists()
        if frames == STEPS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_drive(FakeDrive(), tmp_path / 'drive', interrupt)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name', ['drive', 'drive.mcap'])
def test_what_exists_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('mine')

    with pytest.raises(BagError, match='exists already, not overwriting'):
        write_drive(FakeDrive(), tmp_path / name)

    assert (tmp_path / name).read_text() == 'mine'


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')

    with pytest.raises(BagError, match=r'cannot be written: (File exists|Not a directory)'):
        write_drive(FakeDrive(), tmp_path / 'file' / 'drive')


def test_the_same_drive_gives_the_same_bytes(tmp_path: Path) -> None:
    for place in ('a', 'b'):
        write_drive(FakeDrive(), tmp_path / place / 'drive')

    for name in ('drive.mcap', 'metadata.yaml'):
        first, second = (tmp_path / place / 'drive' / name for place in ('a', 'b'))
        assert first.read_bytes() == second.read_bytes()
