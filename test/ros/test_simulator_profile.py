# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.errors import SettingsError
from mm_fusion.ros.simulator_profile import (
    INPUT_ROLES,
    ROLES,
    SOUND_ROLES,
    load_profile,
    profile_names,
)
from support.simulator_profiles import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {
    'title': 'A simulator',
    'vehicle': 'ego',
    'topics': {
        'image': '/{vehicle}/image',
        'audio': '/audio',
        'fix': '/{vehicle}/gnss',
        'velocity': '/odometry',
        'odometry': '/odometry',
        'clock': '/clock',
    },
    'parameters': {'gnss': {'trust_unset_status': True}, 'ego_filter.position_std_m': 2},
    'sound': True,
    'notes': ['It is made up.'],
}


def written(folder: Path, document: Any) -> str:
    path = folder / 'mine.yaml'
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return str(path)


def problems_of(folder: Path, document: Any, vehicle: str = '') -> tuple[str, ...]:
    path = written(folder, document)
    with pytest.raises(SettingsError) as caught:
        load_profile(path, PROFILES, vehicle)
    assert all(problem.startswith(f'{path}: ') for problem in caught.value.problems)
    return tuple(problem.removeprefix(f'{path}: ') for problem in caught.value.problems)


def test_the_package_has_a_profile_of_each_simulator() -> None:
    assert profile_names(PROFILES) == ('awsim', 'carla', 'carla_native', 'embedded', 'gazebo')


@pytest.mark.parametrize('name', profile_names(PROFILES))
def test_each_shipped_profile_is_good(name: str) -> None:
    profile = load_profile(name, PROFILES)

    assert profile.name == name
    assert set(profile.topics) >= {'image', 'camera_info', 'audio', 'fix', 'velocity', 'clock'}
    assert profile.simulator_node == (name == 'embedded')
    # The embedded simulator has a microphone; whoever has none says what to do about it.
    assert profile.simulator_node or profile.sound or any('sound:=' in n for n in profile.notes)


def test_a_profile_from_a_file(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, GOOD), PROFILES)

    assert (profile.name, profile.title) == ('mine', 'A simulator')
    assert profile.topics['image'] == '/ego/image'
    assert profile.parameters == {
        'gnss.trust_unset_status': True,
        'ego_filter.position_std_m': 2.0,
    }
    assert type(profile.parameters['ego_filter.position_std_m']) is float
    assert (profile.sound, profile.simulator_node) == (True, False)
    assert profile.remappings(SOUND_ROLES) == {'odometry': '/odometry', 'audio': '/audio'}
    assert 'audio_info' not in profile.remappings(INPUT_ROLES)


def test_the_vehicle_can_be_named(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, GOOD), PROFILES, 'hero')

    assert profile.topics['fix'] == '/hero/gnss'


def test_only_what_is_needed_has_to_be_given(tmp_path: Path) -> None:
    topics = {role: f'/{role}' for role in ('image', 'audio', 'fix', 'velocity', 'clock')}

    profile = load_profile(written(tmp_path, {'title': 'x', 'topics': topics}), PROFILES)

    assert (profile.parameters, profile.sound, profile.notes) == ({}, False, ())


@pytest.mark.parametrize(
    ('changes', 'problem'),
    [
        ({'tpics': {}}, 'tpics: unknown, expected one of title, vehicle, topics'),
        ({'title': ' '}, 'title: expected a few words'),
        ({'title': 3}, 'title: found 3, expected str'),
        ({'sound': 'yes'}, "sound: found 'yes', expected bool"),
        ({'notes': 'one'}, "notes: found 'one', expected list"),
        ({'notes': ['one', 2]}, "notes: found ['one', 2], expected sentences"),
        ({'topics': {**GOOD['topics'], 'imag': '/a'}}, 'topics.imag: unknown, expected one of'),
        ({'topics': {**GOOD['topics'], 'image': 'camera'}}, "topics.image: found 'camera'"),
        ({'topics': {**GOOD['topics'], 'image': '/a b'}}, "topics.image: found '/a b'"),
        ({'topics': {**GOOD['topics'], 'image': '/{ego}/a'}}, "topics.image: found '/{ego}/a'"),
        ({'topics': {**GOOD['topics'], 'fix': None}}, 'topics.fix: found None'),
        ({'vehicle': ''}, "topics.image: found '/{vehicle}/image'"),
        ({'vehicle': '', 'topics': {**GOOD['topics'], 'fix': '/{vehicle}_fix'}},
         "topics.fix: found '/{vehicle}_fix'"),
        ({'vehicle': 'a/b'}, "vehicle: found 'a/b', expected letters"),
        ({'topics': {'image': '/a'}}, 'topics: expected audio, fix, velocity, clock as well'),
        ({'topics': dict.fromkeys(ROLES, '/a')}, "vehicle: found 'ego', but no topic"),
        ({'topics': {'odometry': '/a', **dict.fromkeys(INPUT_ROLES, '/{vehicle}')}},
         'topics: expected clock as well'),
        ({'parameters': {'gnss': {'trust': True}}}, 'parameters.gnss.trust: unknown parameter'),
        ({'parameters': {'ego_filter.position_std_m': 0}},
         'parameters.ego_filter.position_std_m: found 0.0, expected 0.001 to 1000 m'),
    ],
)  # fmt: skip
def test_each_mistake_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    found = problems_of(tmp_path, {**GOOD, **changes})

    assert any(item.startswith(problem) for item in found), found


def test_sound_needs_odometry(tmp_path: Path) -> None:
    topics = {role: topic for role, topic in GOOD['topics'].items() if role != 'odometry'}
    assert problems_of(tmp_path, {**GOOD, 'topics': topics}) == (
        'sound: expected a topic of odometry, which the sound node follows',
    )


def test_a_vehicle_that_no_topic_names_is_refused(tmp_path: Path) -> None:
    topics = {role: f'/{role}' for role in GOOD['topics']}
    document = {'title': 'x', 'topics': topics}
    assert problems_of(tmp_path, document, 'hero') == (
        "vehicle: found 'hero', but no topic contains {vehicle}",
    )


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    document = {
        'title': '',
        'extra': 1,
        'sound': 1,
        'topics': {'fix': 'a'},
        'parameters': {'a': 1},
    }
    assert len(problems_of(tmp_path, document)) == 6


@pytest.mark.parametrize(
    'text', ['', '[]', 'a: [', '- x', '\x00', '2', '{1: 2}', 'a: 2021-02-30', '[' * 5000]
)
def test_what_is_no_mapping_is_refused_in_words(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*GOOD, *ROLES, 'gnss']) | st.text(max_size=4) | st.integers(),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_garbage_is_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    assert problems_of(tmp_path_factory.mktemp('garbage'), yaml.safe_dump(document))


def test_what_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_bytes(b'title: \xff')
    with pytest.raises(SettingsError, match='utf-8'):
        load_profile(str(path), PROFILES)


def test_a_profile_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found 'lgsvl', expected one of awsim, carla,"):
        load_profile('lgsvl', PROFILES)
    with pytest.raises(SettingsError, match=r'nowhere\.yaml: .*No such file'):
        load_profile(str(tmp_path / 'nowhere.yaml'), PROFILES)


def test_nothing_of_ros_is_imported() -> None:
    code = 'import sys, mm_fusion.ros.simulator_profile; print("rclpy" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == 'False\n'
