# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.documents import MAX_YAML_BYTES
from mm_fusion.errors import ScenarioError
from mm_fusion.simulation.scenario import Scenario, Timing
from mm_fusion.simulation.scenario_file import (
    load_scenario,
    parse_scenario,
    scenario_names,
    scenario_to_yaml,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaf_names(record: object) -> Iterator[str]:
    assert dataclasses.is_dataclass(record)
    for item in dataclasses.fields(record):
        value = getattr(record, item.name)
        if dataclasses.is_dataclass(value):
            yield from leaf_names(value)
        else:
            yield item.name


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, 'drive.yaml')
    lines = str(caught.value).splitlines()
    assert all(line.startswith('drive.yaml: ') for line in lines)
    return [line.removeprefix('drive.yaml: ') for line in lines]


def test_an_empty_file_is_the_default_scenario() -> None:
    assert parse_scenario('', 'drive.yaml') == Scenario()


def test_values_reach_their_records_and_the_others_keep_their_defaults() -> None:
    scenario = parse_scenario(
        """
        name: my drive
        duration_s: 12
        road: {kind: motorway}
        surface: [{friction: wet}, {from_m: 50, material: gravel}]
        camera: {timing: {clock_offset_s: 0.1}}
        faults: [{sensor: gnss, kind: delays, to_s: 2, amount_s: 0.5}]
        """,
        'drive.yaml',
    )

    assert scenario.name == 'my drive'
    assert type(scenario.duration_s) is float
    assert scenario.duration_s == 12
    assert scenario.road.kind == 'motorway'
    assert [item.friction for item in scenario.surface] == ['wet', 'dry']
    assert [item.material for item in scenario.surface] == ['asphalt', 'gravel']
    # The camera's own default latency, not that of a bare Timing.
    assert scenario.camera.timing == Timing(clock_offset_s=0.1, latency_s=0.02)
    assert scenario.faults[0].sensor == 'gnss'
    assert scenario.weather == Scenario().weather


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('sed: 1', "sed: no such key, did you mean 'seed'?"),
        ('xyzzy: 1', 'xyzzy: no such key'),
        ('3: 1', '3: no such key'),
        ('camera: {timing: {latency: 1}}', 'camera.timing.latency: no such key, did you mean'),
        ('seed: 1.5', 'seed: found 1.5, expected int'),
        ('seed: true', 'seed: found True, expected int'),
        ('seed: -1', 'seed: found -1, expected 0 to '),
        ('name: 5', 'name: found 5, expected str'),
        ('name:', 'name: found nothing, expected str'),
        ('duration_s: [1]', 'duration_s: found a list, expected float'),
        ('duration_s: 1e9', "duration_s: found '1e9', expected float"),
        ('duration_s: .nan', 'duration_s: found nan, expected 0.5 to 7200 s'),
        ('camera: {enabled: 1}', 'camera.enabled: found 1, expected bool'),
        ('seed: 0x' + 'f' * 60, 'seed: found a whole number of 240 bits'),
        ('road: town', "road: found 'town', expected a mapping"),
        ('road: [town]', 'road: found a list, expected a mapping'),
        ('road:', 'road: found nothing, expected a mapping'),
        ('faults: {kind: dies}', 'faults: found a mapping, expected a list'),
        ('faults: [dies]', "faults[0]: found 'dies', expected a mapping"),
        (
            'faults: [{}, {}, {sensor: lidar}]',
            "faults[2].sensor: found 'lidar', expected one of 'camera', 'microphone', 'gnss'",
        ),
        ('surface: [{friction: oily}]', "surface[0].friction: found 'oily', expected one of"),
        ('faults: [{from_s: 3, to_s: 3}]', 'faults[0].to_s: found 3, expected more than from_s'),
        (
            'faults: [{kind: delays, amount_s: 0}]',
            'faults[0].amount_s: found 0, expected a delay of more than 0 s',
        ),
        (
            'faults: [{kind: clock_jumps, amount_s: 0}]',
            'faults[0].amount_s: found 0, expected a shift of the stamps',
        ),
        ('surface: []', 'surface: found no entry, expected one or more'),
        ('weather: [{at_s: 2}]', 'weather[0].at_s: found 2, expected 0'),
        (
            'surface: [{}, {from_m: 9}, {from_m: 9}]',
            'surface[2].from_m: found 9, expected more than 9 of the entry before',
        ),
        (
            'road: {kind: motorway}\nemergencies: [{}, {approach: crossing}]',
            "emergencies[1].approach: found 'crossing', but nothing crosses a motorway",
        ),
        ('- 1', 'the file: found a list, expected a mapping'),
        ('text', "the file: found 'text', expected a mapping"),
        ('seed: 1\nroad: {kind: town}\nseed: 2', "line 3, column 1: found 'seed' twice"),
        ('road: {kind: town,\n  kind: rural}', "line 2, column 3: found 'kind' twice"),
        ('seed: [', 'line 1, column 8: while parsing a flow node'),
        ('{[a]: 1}', 'line 1, column 2: while constructing a mapping, found unhashable key'),
        ('a: &x 1\nb: *x', 'line 2, column 4: found an alias'),
        ('a: !!python/object:os.system {}', 'line 1, column 4: found the tag'),
        ('seed: 2020-13-45', 'cannot be read as YAML: month must be in 1..12'),
        ('seed: "\x07"', 'cannot be read as YAML: unacceptable character'),
        ('[' * 5000, 'cannot be read as YAML: maximum recursion depth exceeded'),
    ],
)  # fmt: skip
def test_one_clear_line_for_each_bad_file(text: str, problem: str) -> None:
    found = problems(text)

    assert len(found) == 1
    assert found[0].startswith(problem)


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        """
        seed: x
        seed: y
        surface: [{from_m: 3, frictoin: dry}]
        camera: {width: 1, timing: 3}
        faults: [{sensor: lidar, from_s: 3, to_s: 2}]
        """
    )

    assert sorted(line.partition(': ')[0] for line in found) == [
        'camera.timing',
        'camera.width',
        'faults[0].sensor',
        'faults[0].to_s',
        'line 3, column 9',
        'seed',
        'surface[0].frictoin',
        'surface[0].from_m',
    ]


def test_a_refused_value_is_not_called_out_of_order_too() -> None:
    assert len(problems('surface: [{}, {from_m: far}]')) == 1
    assert len(problems('weather: [{}, 3]')) == 1


def test_the_seed_can_be_replaced() -> None:
    assert parse_scenario('seed: 3', 'drive.yaml', 9).seed == 9
    with pytest.raises(ScenarioError, match=r'^drive\.yaml: seed: found -9, expected 0 to '):
        parse_scenario('seed: 3', 'drive.yaml', -9)


@given(st.text(max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ScenarioError):
        assert isinstance(parse_scenario(text, 'drive.yaml'), Scenario)


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates()
)
keys = st.sampled_from(sorted(set(leaf_names(Scenario())))) | st.text(max_size=5) | st.integers()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
documents = st.dictionaries(
    st.sampled_from([item.name for item in dataclasses.fields(Scenario)]), values, max_size=5
)


@given(documents)
def test_no_values_under_known_keys_raise_anything_else(document: dict[str, Any]) -> None:
    with contextlib.suppress(ScenarioError):
        assert isinstance(parse_scenario(yaml.safe_dump(document), 'drive.yaml'), Scenario)


def test_a_path_is_told_from_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'town.yaml').write_text('name: mine')
    monkeypatch.chdir(tmp_path)

    assert load_scenario('town.yaml').name == 'mine'
    assert load_scenario('./town.yaml').name == 'mine'
    with pytest.raises(ScenarioError, match='town: cannot be read'):
        load_scenario('./town')
    assert load_scenario(Path('town.yaml')).name == 'mine'
    assert load_scenario('town').name == 'town'


def test_an_unknown_name_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"'tonw'.*did you mean 'town'\?.*one of .*town"):
        load_scenario('tonw')
    with pytest.raises(ScenarioError, match=r'gone\.yaml: cannot be read: No such file'):
        load_scenario(tmp_path / 'gone.yaml')
    with pytest.raises(ScenarioError, match='cannot be read: Is a directory'):
        load_scenario(tmp_path)


def test_files_that_are_no_text_or_too_long_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'bad.yaml'
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ScenarioError, match=r'bad\.yaml: found bytes that are not UTF-8'):
        load_scenario(path)
    path.write_bytes(b'#' * (MAX_YAML_BYTES + 1))
    with pytest.raises(ScenarioError, match=f'found more than {MAX_YAML_BYTES} bytes'):
        load_scenario(path)


@pytest.mark.parametrize('name', scenario_names())
def test_each_scenario_of_the_package_is_valid(name: str) -> None:
    scenario = load_scenario(name)

    assert scenario.name == name
    assert scenario.description
    assert parse_scenario(scenario_to_yaml(scenario), name) == scenario


def test_a_scenario_survives_being_written_with_every_field() -> None:
    scenario = load_scenario('sensor_failures')
    text = scenario_to_yaml(scenario)

    assert parse_scenario(text, 'drive.yaml') == scenario
    for name in leaf_names(scenario):
        assert f'{name}:' in text
