# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a small node: a record of fields, declared, checked and read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mm_fusion.errors import SettingsError
from mm_fusion.ros.parameter_file import record_specs
from mm_fusion.ros.parameters import describe, is_standard

if TYPE_CHECKING:
    from rclpy.node import Node

_Record = TypeVar('_Record')


def read_record(node: Node, defaults: _Record) -> _Record:
    """Declare the fields of a record as read-only parameters, and fill in what the node is given.

    Args:
        node: Made with ``automatically_declare_parameters_from_overrides``.
        defaults: Instance of a dataclass made of :mod:`mm_fusion.fields`.

    Raises:
        SettingsError: A parameter is unknown or has a value that is refused; all are listed.
    """
    specs = {spec.name: spec for spec in record_specs(defaults)}
    given = {
        name: parameter.value
        for name, parameter in node.get_parameters_by_prefix('').items()
        if not is_standard(name)
    }
    found = [
        specs[name].problem(value) if name in specs else f'{name}: unknown parameter'
        for name, value in given.items()
    ]
    problems = [problem for problem in found if problem is not None]
    if problems:
        raise SettingsError(problems)
    values: dict[str, Any] = {
        # YAML writes a whole number without a point; the parameter is a double all the same.
        name: spec.type(given.get(name, spec.default))
        for name, spec in specs.items()
    }
    for name, spec in specs.items():
        if name in given:
            node.undeclare_parameter(name)
        node.declare_parameter(name, values[name], describe(spec), ignore_override=True)
    return type(defaults)(**values)
