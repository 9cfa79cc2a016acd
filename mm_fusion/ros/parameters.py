# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings as ROS parameters: declared with type, bounds and description, read back, changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from mm_fusion.fields import Change
from mm_fusion.ros.parameter_file import bounds
from mm_fusion.settings import parameter_specs, settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rclpy.node import Node
    from rclpy.parameter import Parameter

    from mm_fusion.fields import ParameterSpec
    from mm_fusion.settings import Settings


def is_standard(name: str) -> bool:
    """Tell whether every ROS node has this parameter, so that it is none of ours."""
    return name in ('use_sim_time', 'start_type_description_service') or name.startswith(
        'qos_overrides.'
    )


def describe(spec: ParameterSpec) -> ParameterDescriptor:
    """Describe a parameter to ROS."""
    unit = f' [{spec.unit}]' if spec.unit not in ('', '1') else ''
    descriptor = ParameterDescriptor(
        description=f'{spec.description}{unit}; changes {spec.change.value}',
        read_only=spec.change is Change.AT_START,
    )
    if spec.lower is not None and spec.upper is not None:
        if spec.type is int:
            span = IntegerRange(from_value=int(spec.lower), to_value=int(spec.upper), step=0)
            descriptor.integer_range = [span]
        else:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(spec.lower), to_value=float(spec.upper))
            ]
    elif spec.choices:
        descriptor.additional_constraints = bounds(spec)
    return descriptor


def declare_parameters(node: Node) -> None:
    """Declare every parameter, with the value given in a parameter file or on the command line.

    The node must have been made with ``automatically_declare_parameters_from_overrides``. What
    is given and cannot be accepted (unknown, of a wrong type, out of bounds) stays declared as it
    was found, free to be set or deleted, so that ``read_settings`` names all of it at once.
    """
    specs = {spec.name: spec for spec in parameter_specs()}
    given = _values(node)
    for name, value in given.items():
        if name not in specs or specs[name].problem(value) is not None:
            _declare(node, name, value, ParameterDescriptor(dynamic_typing=True))
    for name, spec in specs.items():
        value = given.get(name, spec.default)
        if spec.problem(value) is None:
            # YAML writes a whole number without a point; the parameter is a double all the same.
            _declare(node, name, spec.type(value), describe(spec))


def read_settings(node: Node) -> Settings:
    """Build the settings from the parameters of the node.

    Raises:
        SettingsError: A parameter is unknown or has a value that is refused; all are listed.
    """
    return settings_from(_values(node))


def refusals(parameters: Sequence[Parameter[Any]], *, configured: bool) -> list[str]:
    """List everything that speaks against a change; nothing of it may take effect then.

    Args:
        parameters: The values that are wanted; one without a value is to be deleted.
        configured: Whether the node is configured, so that most parameters are fixed.
    """
    specs = {spec.name: spec for spec in parameter_specs()}
    found = []
    for parameter in parameters:
        if is_standard(parameter.name):
            continue
        spec = specs.get(parameter.name)
        if spec is None:
            # One that was given by mistake can be deleted, and nothing else be done with it.
            problem = None if parameter.value is None else f'{parameter.name}: unknown parameter'
        else:
            problem = _refusal(spec, parameter.value, configured=configured)
        if problem is not None:
            found.append(problem)
    return found


def _refusal(spec: ParameterSpec, value: object, *, configured: bool) -> str | None:
    if spec.change is Change.AT_START:
        return f'{spec.name}: read at start; start the node with another value'
    if configured and spec.change is Change.AT_CONFIGURE:
        return f'{spec.name}: read at configure; clean up the node first'
    return spec.problem(value)


def _values(node: Node) -> dict[str, Any]:
    found = node.get_parameters_by_prefix('')
    return {name: parameter.value for name, parameter in found.items() if not is_standard(name)}


def _declare(node: Node, name: str, value: Any, descriptor: ParameterDescriptor) -> None:
    if node.has_parameter(name):
        node.undeclare_parameter(name)
    node.declare_parameter(name, value, descriptor, ignore_override=True)
