# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Read scenarios from YAML files, and write them.

A file holds a mapping with the fields of :class:`~mm_fusion.simulation.scenario.Scenario`; what
it does not name keeps its default. A bad file is refused, never repaired, and all its problems
are reported at once.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import typing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mm_fusion.documents import MAX_YAML_BYTES, parse_yaml, read_text
from mm_fusion.errors import DocumentError, ScenarioError
from mm_fusion.fields import specs_of
from mm_fusion.resources import config_path
from mm_fusion.simulation.scenario import Fault, Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = 'scenarios'
_MAX_BITS = 64


def load_scenario(name_or_path: str | Path, seed: int | None = None) -> Scenario:
    """Read a scenario.

    Args:
        name_or_path: Name of a scenario of the package, as ``scenario_names`` lists them; or the
            path of a file, told by its suffix ``.yaml`` or ``.yml`` or by a separator in it.
        seed: Replaces the seed of the file.

    Raises:
        ScenarioError: There is no such file, it cannot be read, or something in it is refused;
            a line for each problem.
    """
    path = _path_of(name_or_path)
    return parse_scenario(_read(path), str(path), seed)


def parse_scenario(text: str, source: str, seed: int | None = None) -> Scenario:
    """Read a scenario from the text of a file.

    Args:
        text: YAML.
        source: Put before each problem.
        seed: Replaces the seed of the text.

    Raises:
        ScenarioError: Something in it is refused; a line for each problem.
    """
    try:
        document, problems = parse_yaml(text, source)
    except DocumentError as error:
        raise ScenarioError(str(error)) from error
    scenario: Scenario = _record(Scenario(), {} if document is None else document, '', problems)
    if seed is not None:
        scenario = _record(scenario, {'seed': seed}, '', problems)
    # What was refused has its default now, which stands in no order with the others.
    refused = {_place(problem) for problem in problems}
    problems += [
        problem
        for problem in _disorder(scenario)
        if not refused & {_place(problem), _place(problem).rpartition('.')[0]}
    ]
    if problems:
        raise ScenarioError('\n'.join(f'{source}: {problem}' for problem in problems))
    return scenario


def scenario_to_yaml(scenario: Scenario) -> str:
    """Write every field of a scenario, so that ``parse_scenario`` gives the same one again."""
    document = dataclasses.asdict(scenario)
    # JSON's lists for tuples: safe YAML knows no tuples.
    plain = {
        key: list(value) if isinstance(value, tuple) else value for key, value in document.items()
    }
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=99)


def scenario_names() -> list[str]:
    """List the scenarios that come with the package.

    Raises:
        ScenarioError: The package is installed without them.
    """
    return sorted(path.stem for path in config_path(_FOLDER).glob('*.yaml'))


def _path_of(name_or_path: str | Path) -> Path:
    name = str(name_or_path)
    is_path = isinstance(name_or_path, Path) or os.sep in name
    if is_path or name.endswith(('.yaml', '.yml')):
        return Path(name_or_path)
    names = scenario_names()
    if name not in names:
        raise ScenarioError(
            f'scenario {name!r}: there is none of this name{_nearest(name, names)}; '
            f'expected a path, or one of {", ".join(names)}'
        )
    return config_path(_FOLDER) / f'{name}.yaml'


def _read(path: Path) -> str:
    try:
        return read_text(path, MAX_YAML_BYTES)
    except DocumentError as error:
        raise ScenarioError(str(error)) from error


def _record(default: Any, found: object, path: str, problems: list[str]) -> Any:
    """Make a record from a mapping, with the default for what it does not name."""
    if not isinstance(found, dict):
        where = path or 'the file'
        problems.append(f'{where}: found {_kind(found)}, expected a mapping of names to values')
        return default
    kinds = typing.get_type_hints(type(default))
    specs = {spec.name.split('.')[-1]: spec for spec in specs_of(default, path)}
    changes: dict[str, Any] = {}
    for key, value in found.items():
        place = f'{path}.{key}' if path else str(key)
        if key not in kinds:
            problems.append(f'{place}: no such key{_nearest(str(key), list(kinds))}')
        elif key in specs:
            problem = _scalar_problem(specs[key], value)
            if problem is not None:
                problems.append(f'{place}: {problem}')
            else:
                changes[key] = specs[key].type(value)
        elif dataclasses.is_dataclass(kinds[key]):
            changes[key] = _record(getattr(default, key), value, place, problems)
        else:
            changes[key] = _records(typing.get_args(kinds[key])[0], value, place, problems)
    return dataclasses.replace(default, **changes)


def _records(kind: Any, found: object, path: str, problems: list[str]) -> tuple[Any, ...]:
    if not isinstance(found, list):
        problems.append(f'{path}: found {_kind(found)}, expected a list')
        return ()
    return tuple(
        _record(kind(), item, f'{path}[{index}]', problems) for index, item in enumerate(found)
    )


def _scalar_problem(spec: Any, value: object) -> str | None:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f'found a whole number of {value.bit_length()} bits, expected {_MAX_BITS} at most'
    if isinstance(value, dict | list) or value is None:
        return f'found {_kind(value)}, expected {spec.type.__name__}'
    problem = spec.problem(value)
    return None if problem is None else problem.removeprefix(f'{spec.name}: ')


def _disorder(scenario: Scenario) -> typing.Iterator[str]:
    """List what contradicts itself although each value is allowed."""
    yield from _unordered('surface', 'from_m', [item.from_m for item in scenario.surface])
    yield from _unordered('weather', 'at_s', [item.at_s for item in scenario.weather])
    for index, vehicle in enumerate(scenario.emergencies):
        if vehicle.approach == 'crossing' and scenario.road.kind == 'motorway':
            place = f'emergencies[{index}].approach'
            yield f"{place}: found 'crossing', but nothing crosses a motorway"
    for index, fault in enumerate(scenario.faults):
        yield from (f'faults[{index}].{problem}' for problem in _fault_problems(fault))


def _place(problem: str) -> str:
    return problem.partition(': ')[0]


def _unordered(name: str, key: str, values: Sequence[float]) -> typing.Iterator[str]:
    if not values:
        yield f'{name}: found no entry, expected one or more'
    elif values[0] != 0:
        yield f'{name}[0].{key}: found {values[0]:g}, expected 0'
    for index, (before, value) in enumerate(pairwise(values), start=1):
        if value <= before:
            yield (
                f'{name}[{index}].{key}: found {value:g}, expected more than {before:g} of the '
                'entry before'
            )


def _fault_problems(fault: Fault) -> typing.Iterator[str]:
    if fault.to_s <= fault.from_s:
        yield f'to_s: found {fault.to_s:g}, expected more than from_s, which is {fault.from_s:g}'
    if fault.kind == 'delays' and fault.amount_s <= 0:
        yield f'amount_s: found {fault.amount_s:g}, expected a delay of more than 0 s'
    if fault.kind == 'clock_jumps' and fault.amount_s == 0:
        yield 'amount_s: found 0, expected a shift of the stamps'


def _nearest(word: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(word, known, n=1)
    return f', did you mean {matches[0]!r}?' if matches else ''


def _kind(value: object) -> str:
    names = {dict: 'a mapping', list: 'a list', type(None): 'nothing'}
    return names.get(type(value)) or repr(value)[:80]
