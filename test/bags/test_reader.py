# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from mm_fusion.bags import BagEvent, BagTopics, BagWriter, read_bag
from mm_fusion.errors import BagError, SampleError
from mm_fusion.messages import OdometryPose
from mm_fusion.settings import AudioSettings, GnssSettings, Settings, VelocitySettings
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    DropReason,
    GnssFix,
    Modality,
    VelocitySample,
)
from support.recordings import (
    STAMP_NS,
    audio_info,
    compressed,
    encoded,
    mgonzs13_audio,
    nav_sat_fix,
    number,
    odometry,
    own_audio,
    ros_drivers_audio,
    twist_stamped,
    velocity_report,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mm_fusion.bags.typestore import AudioCommon

    Storage = Literal['mcap', 'sqlite3']
    Row = tuple[str, Any, int]

STORAGES: tuple[Storage, ...] = ('mcap', 'sqlite3')
SUFFIXES = {'mcap': '.mcap', 'sqlite3': '.db3'}
T0_NS = STAMP_NS


def recorded(
    path: Path,
    rows: Iterable[Row],
    storage: Storage = 'mcap',
    audio_common: AudioCommon = 'ros_drivers',
) -> Path:
    with BagWriter(path, storage, audio_common) as bag:
        for topic, msg, log_time_ns in rows:
            bag.write(topic, msg, log_time_ns)
    return path


def drive(count: int = 10) -> list[Row]:
    """All inputs at 10 Hz, each received 5 ms after the other."""
    rows: list[Row] = [('/audio_info', audio_info(), T0_NS)]
    for i in range(count):
        stamp = T0_NS + i * 100_000_000
        rows += [
            ('/camera/image', compressed(encoded(), stamp_ns=stamp), stamp + 5_000_000),
            ('/audio', ros_drivers_audio(bytes(3200), stamp), stamp + 10_000_000),
            ('/fix', nav_sat_fix(48.0 + i * 1e-5, stamp_ns=stamp), stamp + 15_000_000),
            ('/velocity', twist_stamped(float(i), stamp_ns=stamp), stamp + 20_000_000),
            ('/ground_truth', odometry(float(i), 0, 0, 1, stamp_ns=stamp), stamp + 25_000_000),
            ('/unrelated', number(1.0), stamp + 26_000_000),
        ]
    return rows


def events_of(
    path: Path, topics: Mapping[str, str] | None = None, settings: Settings | None = None
) -> list[BagEvent]:
    with read_bag(path, topics, settings) as bag:
        return list(bag.events())


def errors_of(events: list[BagEvent]) -> list[SampleError]:
    return [event.content for event in events if isinstance(event.content, SampleError)]


@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize('single_file', [False, True])
def test_every_input_comes_back_in_order_of_log_time(
    tmp_path: Path, *, storage: Storage, single_file: bool
) -> None:
    path = recorded(tmp_path / 'bag', drive(), storage)
    if single_file:
        path = next(path.glob(f'*{SUFFIXES[storage]}'))

    with read_bag(path) as bag:
        assert bag.topics == BagTopics(
            '/camera/image', '/audio', '/audio_info', '/fix', '/velocity', '/ground_truth'
        )
        assert bag.message_count == 51
        assert bag.start_ns == T0_NS
        assert bag.duration_s == pytest.approx(0.926)
        events = list(bag.events())

    kinds = Counter((event.role, type(event.content)) for event in events)
    assert kinds == {
        ('image', CompressedImage): 10,
        ('audio', AudioChunk): 10,
        ('fix', GnssFix): 10,
        ('velocity', VelocitySample): 10,
        ('odometry', OdometryPose): 10,
    }
    times = [event.received_ns for event in events]
    assert times == sorted(times)
    assert [event.modality for event in events[:5]] == [
        Modality.CAMERA, Modality.MICROPHONE, Modality.GNSS, Modality.VELOCITY, None
    ]  # fmt: skip
    velocities = [event.content for event in events if event.role == 'velocity']
    assert velocities[3] == VelocitySample(T0_NS + 300_000_000, T0_NS + 320_000_000, 3.0, 0.0, 0.0)


def test_messages_written_out_of_order_come_in_order_of_log_time(tmp_path: Path) -> None:
    rows = drive()
    for storage in STORAGES:
        path = recorded(tmp_path / storage, [rows[0], *reversed(rows[1:])], storage)

        times = [event.received_ns for event in events_of(path)]

        assert len(times) == 50
        assert times == sorted(times)


def test_recordings_of_simulators_are_read_by_the_settings_of_the_node(tmp_path: Path) -> None:
    rows = [
        ('/fix', nav_sat_fix(status=-2), T0_NS),
        ('/velocity', twist_stamped(8.0, 0.25), T0_NS + 1),
    ]
    path = recorded(tmp_path / 'bag', rows)
    settings = Settings(
        gnss=GnssSettings(trust_unset_status=True),
        velocity=VelocitySettings(clockwise_yaw_rate=True),
    )

    fix, velocity = (event.content for event in events_of(path, settings=settings))

    assert isinstance(fix, GnssFix)
    assert isinstance(velocity, VelocitySample)
    assert velocity.yaw_rate_rps == -0.25
    assert [error.reason for error in errors_of(events_of(path))] == [DropReason.NO_FIX]


def test_two_passes_are_equal(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', drive())

    with read_bag(path) as bag:
        first, second = list(bag.events()), list(bag.events())

    assert len(first) == len(second) == 50
    for one, other in zip(first, second):
        assert (one.received_ns, one.role) == (other.received_ns, other.role)
        if isinstance(one.content, VelocitySample | OdometryPose):
            assert one.content == other.content


@pytest.mark.parametrize('storage', STORAGES)
def test_every_audio_layout_is_read(tmp_path: Path, storage: Storage) -> None:
    sound = np.array([0, 16384, -32768, 0], np.int16)
    own = recorded(tmp_path / 'own', [('/audio', own_audio(sound.tobytes()), T0_NS)], storage)
    other = recorded(
        tmp_path / 'other',
        [('/audio', mgonzs13_audio('int16_data', sound, code=8), T0_NS)],
        storage,
        'mgonzs13',
    )

    for path in (own, other):
        (event,) = events_of(path)
        assert isinstance(event.content, AudioChunk)
        np.testing.assert_array_equal(event.content.samples, [0.0, 0.5, -1.0, 0.0])


def without_definitions(path: Path) -> Path:
    """Empty the definitions, as a recorder does that does not find them."""
    database = sqlite3.connect(next(path.glob('*.db3')))
    database.execute("UPDATE message_definitions SET encoded_message_definition = ''")
    database.commit()
    database.close()
    return path


def test_the_known_definitions_serve_where_the_recording_has_none(tmp_path: Path) -> None:
    sound = np.array([16384], np.int16)
    rows = [*drive(2), ('/report', velocity_report(4.0, 0.0, 0.1), T0_NS + 10**9)]
    path = without_definitions(recorded(tmp_path / 'bag', rows, 'sqlite3'))
    other = without_definitions(
        recorded(
            tmp_path / 'other',
            [('/audio', mgonzs13_audio('int16_data', sound, code=8), T0_NS)],
            'sqlite3',
            'mgonzs13',
        )
    )

    events = events_of(path, {'velocity': '/report'})
    assert errors_of(events) == []
    assert Counter(event.role for event in events) == {
        'image': 2, 'audio': 2, 'fix': 2, 'odometry': 2, 'velocity': 1
    }  # fmt: skip
    assert [type(event.content) for event in events_of(other)] == [AudioChunk]


def test_an_info_that_comes_late_serves_from_the_start(tmp_path: Path) -> None:
    rows = drive(3)
    path = recorded(tmp_path / 'bag', [*rows[1:], (*rows[0][:2], T0_NS + 10**9)])

    events = events_of(path)

    assert errors_of(events) == []
    assert sum(isinstance(event.content, AudioChunk) for event in events) == 3


def test_without_an_info_each_chunk_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', drive(3)[1:])

    errors = errors_of(events_of(path))
    assert [error.reason for error in errors] == [DropReason.UNSUPPORTED] * 3
    assert 'has not come' in str(errors[0])

    known = AudioSettings(sample_rate_hz=16_000, channels=1, sample_format='S16LE')
    assert errors_of(events_of(path, settings=Settings(audio=known))) == []


def test_mp3_is_an_error_at_the_info_and_at_each_chunk(tmp_path: Path) -> None:
    rows: list[Row] = [('/audio_info', audio_info(coding='mp3'), T0_NS), *drive(2)[1:]]

    events = events_of(recorded(tmp_path / 'bag', rows))

    found = [
        (event.role, event.modality) for event in events if event.content in errors_of(events)
    ]
    assert found == [('audio_info', Modality.MICROPHONE)] + [('audio', Modality.MICROPHONE)] * 2
    assert all('mp3' in str(error) for error in errors_of(events))


def test_bad_messages_are_yielded_as_errors_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows: list[Row] = [
        ('/camera', compressed(encoded()[:-40]), T0_NS),
        ('/fix', nav_sat_fix(np.nan), T0_NS + 1),
        ('/velocity', twist_stamped(np.inf), T0_NS + 2),
        ('/velocity', twist_stamped(1.0, stamp_ns=0), T0_NS + 3),
        ('/velocity', twist_stamped(1.0), T0_NS + 4),
    ]

    events = events_of(recorded(tmp_path / 'bag', rows))

    assert [error.reason for error in errors_of(events)] == [
        DropReason.MALFORMED, DropReason.NOT_FINITE, DropReason.NOT_FINITE, DropReason.ZERO_STAMP
    ]  # fmt: skip
    assert isinstance(events[-1].content, VelocitySample)


def test_bytes_that_do_not_deserialise_are_malformed(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', drive(2), 'sqlite3')
    database = sqlite3.connect(next(path.glob('*.db3')))
    ids = "(SELECT id FROM topics WHERE name = '/velocity')"
    database.execute(f'UPDATE messages SET data = substr(data, 1, 20) WHERE topic_id = {ids}')  # noqa: S608
    database.commit()
    database.close()

    events = events_of(path)

    errors = errors_of(events)
    assert [error.reason for error in errors] == [DropReason.MALFORMED] * 2
    assert str(errors[0]).startswith('/velocity: 20 bytes are no geometry_msgs/msg/TwistStamped')
    assert len(events) == 10


def test_odometry_in_two_roles_gives_two_events(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', [('/odom', odometry(1, 2, 0, 3.0, 0.1), T0_NS)])

    velocity, truth = events_of(path)

    assert velocity.content == VelocitySample(STAMP_NS, T0_NS, 3.0, 0.0, 0.1)
    assert isinstance(truth.content, OdometryPose)


@pytest.mark.parametrize('storage', STORAGES)
def test_an_empty_recording_is_refused(tmp_path: Path, storage: Storage) -> None:
    path = recorded(tmp_path / 'bag', [], storage)

    with pytest.raises(BagError, match='bag: the recording holds no messages'):
        read_bag(path)


def test_a_recording_without_a_camera_is_read(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', [('/fix', nav_sat_fix(), T0_NS)])

    with read_bag(path) as bag:
        assert bag.topics == BagTopics(fix='/fix')
        assert len(list(bag.events())) == 1


def test_a_recording_without_inputs_is_refused_with_its_path(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', [('/other', number(1.0), T0_NS)])

    with pytest.raises(BagError, match=r'bag: no topic serves .* /other \(std_msgs/msg/Float32\)'):
        read_bag(path)


def test_a_topic_that_is_missing_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', drive(1))

    with pytest.raises(BagError, match='velocity: the recording has no topic /speed'):
        read_bag(path, {'velocity': '/speed'})


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('missing', 'there is no such recording'),
        ('folder', r'no metadata\.yaml; name the \.mcap or \.db3 file itself'),
        ('text.txt', r'expected a rosbag2 folder, or a file \.mcap or \.db3'),
        ('empty.mcap', 'cannot be read'),
        ('empty.db3', 'cannot be read'),
        ('garbage.mcap', 'cannot be read'),
        ('garbage.db3', 'cannot be read'),
        ('yaml', 'cannot be read'),
        ('lost', 'cannot be read: Some database files are missing'),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / 'folder').mkdir()
    for empty in ('text.txt', 'empty.mcap', 'empty.db3'):
        (tmp_path / empty).touch()
    for garbage in ('garbage.mcap', 'garbage.db3'):
        (tmp_path / garbage).write_bytes(bytes(range(256)) * 8)
    (tmp_path / 'yaml').mkdir()
    (tmp_path / 'yaml/metadata.yaml').write_text('a: [1\nb: {')
    next(recorded(tmp_path / 'lost', drive(1)).glob('*.mcap')).unlink()

    with pytest.raises(BagError, match=message) as caught:
        read_bag(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    for storage in STORAGES:
        path = recorded(tmp_path / storage, drive(), storage)
        file = next(path.glob(f'*{SUFFIXES[storage]}'))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

        for target in (path, file):
            with pytest.raises(BagError, match='cannot be read'):
                events_of(target)


@pytest.mark.parametrize('storage', STORAGES)
def test_damage_anywhere_gives_events_or_a_bag_error(tmp_path: Path, storage: Storage) -> None:
    file = next(recorded(tmp_path / 'bag', drive(2), storage).glob(f'*{SUFFIXES[storage]}'))
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        start = int(random.integers(len(whole)))
        length = int(random.integers(1, 40))
        damaged[start : start + length] = random.bytes(length)
        file.write_bytes(damaged[: len(whole)])
        try:
            events_of(file)
        except BagError:
            refused += 1
    assert 0 < refused < 60


def test_a_recording_that_was_moved_is_read(tmp_path: Path) -> None:
    path = recorded(tmp_path / 'bag', drive(1))
    shutil.move(path, tmp_path / 'other name')

    assert len(events_of(tmp_path / 'other name')) == 5


@pytest.mark.realdata
def test_the_real_recordings_are_read_without_a_loss(real_data: Path) -> None:
    walk = events_of(real_data / 'drives/gopro_walk')
    assert Counter(event.role for event in walk) == {
        'image': 105, 'audio': 105, 'fix': 191, 'velocity': 191
    }  # fmt: skip
    assert errors_of(walk) == []

    boreas = events_of(real_data / 'drives/boreas_2021_08_05_13_34')
    assert Counter(event.role for event in boreas) == {
        'fix': 5395, 'velocity': 10790, 'odometry': 10790
    }  # fmt: skip
    assert errors_of(boreas) == []
