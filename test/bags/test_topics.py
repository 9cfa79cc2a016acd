# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses

import pytest

from mm_fusion.bags import BagTopics, match_topics
from mm_fusion.bags.topics import ROLE_MODALITIES, ROLES
from mm_fusion.errors import BagError

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
FIX = 'sensor_msgs/msg/NavSatFix'
POSE = 'geometry_msgs/msg/PoseStamped'
TWIST = 'geometry_msgs/msg/TwistStamped'
ODOMETRY = 'nav_msgs/msg/Odometry'
FLOAT = 'std_msgs/msg/Float32'
AUDIO = 'audio_common_msgs/msg/AudioDataStamped'
INFO = 'audio_common_msgs/msg/AudioInfo'


def test_the_roles_are_the_fields() -> None:
    assert tuple(field.name for field in dataclasses.fields(BagTopics)) == ROLES
    assert tuple(ROLE_MODALITIES) == ROLES


def test_each_role_is_matched_by_type_whatever_the_name() -> None:
    topics = match_topics(
        {'/a': COMPRESSED, '/b': AUDIO, '/c': INFO, '/d': FIX, '/e': TWIST, '/f': ODOMETRY}
        | {'/g': 'sensor_msgs/msg/Imu'}
    )

    assert topics == BagTopics('/a', '/b', '/c', '/d', '/e', '/f')


@pytest.mark.parametrize(
    ('types', 'role', 'expected'),
    [
        ({'/gnss/fix': FIX, '/gnss/extra': FIX}, 'fix', '/gnss/fix'),
        ({'/fix': FIX, '/rear/fix': FIX}, 'fix', '/fix'),
        ({'/vehicle/velocity': TWIST, '/imu/twist': TWIST}, 'velocity', '/vehicle/velocity'),
        ({'/front/image': IMAGE, '/rear/image': IMAGE}, 'image', '/front/image'),
        ({'/cam/raw': IMAGE, '/cam/raw/compressed': COMPRESSED}, 'image', '/cam/raw'),
        ({'/fix': FIX, '/goal_pose': POSE}, 'fix', '/fix'),
        ({'/twist': TWIST, '/speed': FLOAT}, 'velocity', '/twist'),
        ({'/twist': TWIST, '/cmd_vel': TWIST}, 'velocity', '/twist'),
        ({'/fix': FIX, '/ego/speed': FLOAT, '/temperature': FLOAT}, 'velocity', '/ego/speed'),
        ({'/sim/gnss_pose': POSE}, 'fix', '/sim/gnss_pose'),
        ({'/odom': ODOMETRY, '/ground_truth/state': ODOMETRY, '/fix': FIX}, 'odometry',
         '/ground_truth/state'),
    ],
)  # fmt: skip
def test_names_tell_several_candidates_apart(
    types: dict[str, str], role: str, expected: str
) -> None:
    assert getattr(match_topics(types), role) == expected


@pytest.mark.parametrize(
    ('types', 'role'),
    [
        ({'/fix': FIX, '/cmd_vel': TWIST}, 'velocity'),
        ({'/twist': TWIST, '/goal_pose': POSE}, 'fix'),
        ({'/fix': FIX, '/cabin/temperature': FLOAT}, 'velocity'),
    ],
)
def test_commands_goals_and_temperatures_are_no_measurements(
    types: dict[str, str], role: str
) -> None:
    assert getattr(match_topics(types), role) is None


def test_odometry_is_the_velocity_only_where_nothing_else_is_and_it_is_no_ground_truth() -> None:
    wheels = match_topics({'/wheels/odometry': ODOMETRY})
    assert (wheels.velocity, wheels.odometry) == ('/wheels/odometry', '/wheels/odometry')
    assert wheels.roles() == {'/wheels/odometry': ('velocity', 'odometry')}

    measured = match_topics({'/wheels/odometry': ODOMETRY, '/twist': TWIST})
    assert (measured.velocity, measured.odometry) == ('/twist', '/wheels/odometry')

    truth = match_topics({'/ground_truth/odometry': ODOMETRY, '/fix': FIX})
    assert (truth.velocity, truth.odometry) == (None, '/ground_truth/odometry')

    both = match_topics({'/ground_truth/odometry': ODOMETRY, '/odom': ODOMETRY})
    assert (both.velocity, both.odometry) == ('/odom', '/ground_truth/odometry')


def test_candidates_that_nothing_tells_apart_are_listed() -> None:
    with pytest.raises(BagError, match='image: found 2 topics that may serve, choose one: /l, /r'):
        match_topics({'/r': IMAGE, '/l': IMAGE})


def test_overrides_go_before_the_match() -> None:
    types = {'/l': IMAGE, '/r': IMAGE, '/fix': FIX, '/odom': ODOMETRY}

    topics = match_topics(types, {'image': '/r', 'velocity': '', 'odometry': '/odom'})

    assert topics == BagTopics(image='/r', fix='/fix', odometry='/odom')


@pytest.mark.parametrize(
    ('overrides', 'message'),
    [
        ({'camera': '/l'}, "found the role 'camera', expected one of image, audio"),
        ({'image': '/x'}, 'image: the recording has no topic /x; it has /fix, /l'),
        ({'image': '/fix'}, 'image: /fix is of type sensor_msgs/msg/NavSatFix, expected'),
    ],
)
def test_an_override_that_cannot_be_is_refused(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(BagError, match=message):
        match_topics({'/l': IMAGE, '/fix': FIX}, overrides)


def test_a_recording_without_any_input_is_refused_with_what_it_has() -> None:
    with pytest.raises(BagError, match=r'the recording has: /imu \(sensor_msgs/msg/Imu\)'):
        match_topics({'/imu': 'sensor_msgs/msg/Imu'})
    with pytest.raises(BagError, match='the recording has: none'):
        match_topics({})
    with pytest.raises(BagError, match='no topic serves'):
        match_topics({'/ground_truth/odometry': ODOMETRY})
