# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the package: type, default, unit, bounds and description in one place.

The node declares its ROS parameters from here, the evaluator reads the same names from YAML, and
the tables of the README are made from it. A parameter's name is ``group.field``; a bad value is
refused, never repaired, and all problems are reported at once.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from mm_fusion.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Scalar: TypeAlias = bool | int | float | str


def _real(
    default: float, description: str, unit: str, lower: float, upper: float
) -> Any:  # a dataclass field, typed like its value
    return field(
        default=default,
        metadata={'description': description, 'unit': unit, 'lower': lower, 'upper': upper},
    )


def _whole(default: int, description: str, unit: str, lower: int, upper: int) -> Any:
    return _real(default, description, unit, lower, upper)


def _text(default: str, description: str, *choices: str) -> Any:
    return field(default=default, metadata={'description': description, 'choices': choices})


def _flag(default: bool, description: str) -> Any:
    return field(default=default, metadata={'description': description})


@dataclass(frozen=True, slots=True)
class AlignmentSettings:
    """How samples become snapshots."""

    deadline_s: float = _real(
        0.05, 'Longest wait for the other sensors after a camera frame arrives', 's', 0.0, 2.0
    )
    timer_rate_hz: float = _real(
        10.0, 'Rate of snapshots while there is no camera', 'Hz', 0.1, 100.0
    )
    camera_timeout_s: float = _real(
        0.5,
        'Silence after which the camera counts as stale and the timer takes over',
        's',
        0.05,
        60.0,
    )
    microphone_timeout_s: float = _real(
        0.5, 'Silence after which the microphone counts as stale', 's', 0.05, 60.0
    )
    gnss_timeout_s: float = _real(3.0, 'Silence after which GNSS counts as stale', 's', 0.05, 60.0)
    velocity_timeout_s: float = _real(
        2.5, 'Silence after which the velocity counts as stale', 's', 0.05, 60.0
    )
    history_s: float = _real(5.0, 'Span of the velocity and position histories', 's', 0.5, 60.0)
    reorder_window_s: float = _real(
        1.0,
        'A sample older than the newest of its sensor by more than this is refused',
        's',
        0.0,
        30.0,
    )
    future_tolerance_s: float = _real(
        1.0, 'A stamp further ahead of its arrival than this is refused', 's', 0.0, 3600.0
    )
    max_pending: int = _whole(
        64, 'Snapshots that may wait for their deadline at once', '1', 1, 10_000
    )
    max_history: int = _whole(20_000, 'Samples that one history may hold', '1', 10, 1_000_000)
    camera_offset_s: float = _real(0.0, 'Added to the stamps of camera frames', 's', -10.0, 10.0)
    microphone_offset_s: float = _real(0.0, 'Added to the stamps of sound', 's', -10.0, 10.0)
    gnss_offset_s: float = _real(0.0, 'Added to the stamps of positions', 's', -10.0, 10.0)
    velocity_offset_s: float = _real(0.0, 'Added to the stamps of velocities', 's', -10.0, 10.0)


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Format of sound messages that do not carry one (audio_common AudioDataStamped)."""

    sample_rate_hz: int = _whole(
        0, 'Sample rate; 0 takes it from the AudioInfo topic', 'Hz', 0, 384_000
    )
    channels: int = _whole(0, 'Channels; 0 takes them from the AudioInfo topic', '1', 0, 64)
    sample_format: str = _text(
        '',
        'Sample format; empty takes it from the AudioInfo topic',
        '',
        'S8',
        'U8',
        'S16LE',
        'S16BE',
        'S32LE',
        'S32BE',
        'F32LE',
        'F32BE',
    )


@dataclass(frozen=True, slots=True)
class EgoFilterSettings:
    """The ego-state filter: an extended Kalman filter fed by velocity and GNSS."""

    yaw_rate: str = _text(
        'auto',
        'Whether velocity messages measure the yaw rate; auto: from the first that is not zero on',
        'auto',
        'measured',
        'absent',
    )
    speed_std_mps: float = _real(
        0.15,
        'Deviation of the measured speed where the message leaves it unset',
        'm/s',
        1e-3,
        10.0,
    )
    yaw_rate_std_rps: float = _real(
        0.01,
        'Deviation of the measured yaw rate where the message leaves it unset',
        'rad/s',
        1e-4,
        1.0,
    )
    position_std_m: float = _real(
        3.0, 'Deviation of a position where the message leaves it unset', 'm', 1e-3, 1000.0
    )
    gate_sigmas: float = _real(
        5.0,
        'A measurement further off than this many deviations is refused as an outlier',
        '1',
        1.0,
        100.0,
    )


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """The model bundle and what runs it."""

    bundle: str = _text('base', 'Name of a bundle of the package, or path of a bundle folder')
    backend: str = _text('auto', 'What runs the networks', 'auto', 'onnxruntime')
    threads: int = _whole(
        2, 'Threads of one network run on the CPU; 0 lets the runtime choose', '1', 0, 256
    )


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """From raw network outputs to what is published."""

    road_time_constant_s: float = _real(
        0.5, 'Time constant of the road-state filter; 0 turns it off', 's', 0.0, 60.0
    )
    siren_time_constant_s: float = _real(
        0.5, 'Time constant of the siren filter; 0 turns it off', 's', 0.0, 60.0
    )
    siren_threshold: float = _real(
        0.0, "Siren probability that raises the flag; 0 takes the bundle's", '1', 0.0, 1.0
    )
    horizon_s: float = _real(6.0, 'Horizon of the predicted path', 's', 0.1, 30.0)
    step_s: float = _real(0.5, 'Time between two points of the predicted path', 's', 0.01, 5.0)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The ROS node alone."""

    autostart: bool = _flag(
        default=False,
        description='Configure and activate at start, without a lifecycle manager; read once',
    )
    base_frame: str = _text('base_link', 'Frame of the outputs')
    status_rate_hz: float = _real(1.0, 'Rate of /diagnostics', 'Hz', 0.1, 50.0)
    image_type: str = _text(
        'auto',
        'Type of the image topic; auto takes the type that is published',
        'auto',
        'sensor_msgs/msg/Image',
        'sensor_msgs/msg/CompressedImage',
    )
    audio_type: str = _text(
        'auto',
        'Type of the audio topic; auto takes the type that is published',
        'auto',
        'mm_fusion_msgs/msg/AudioStamped',
        'audio_common_msgs/msg/AudioDataStamped',
        'audio_common_msgs/msg/AudioStamped',
    )
    fix_type: str = _text(
        'auto',
        'Type of the position topic; auto takes the type that is published',
        'auto',
        'sensor_msgs/msg/NavSatFix',
        'geometry_msgs/msg/PoseStamped',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
    )
    velocity_type: str = _text(
        'auto',
        'Type of the velocity topic; auto takes the type that is published',
        'auto',
        'geometry_msgs/msg/TwistStamped',
        'geometry_msgs/msg/TwistWithCovarianceStamped',
        'nav_msgs/msg/Odometry',
        'autoware_vehicle_msgs/msg/VelocityReport',
        'std_msgs/msg/Float32',
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All parameters of the package."""

    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    ego_filter: EgoFilterSettings = field(default_factory=EgoFilterSettings)
    inference: InferenceSettings = field(default_factory=InferenceSettings)
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    node: NodeSettings = field(default_factory=NodeSettings)


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What is known of one parameter.

    Attributes:
        name: ``group.field``.
        type: bool, int, float or str.
        default: Value where nothing is given.
        description: One phrase.
        unit: SI symbol; empty for text.
        lower: Smallest value allowed; None for text.
        upper: Largest value allowed; None for text.
        choices: Values allowed; empty where any is.
    """

    name: str
    type: type[Scalar]
    default: Scalar
    description: str
    unit: str
    lower: float | None
    upper: float | None
    choices: tuple[str, ...]

    def problem(self, value: object) -> str | None:
        """Say in one sentence why a value is refused, or return None where it is allowed."""
        if self.type is float and type(value) is int:
            value = float(value)
        if type(value) is not self.type:
            return f'{self.name}: found {value!r}, expected {self.type.__name__}'
        if self.choices and value not in self.choices:
            allowed = ', '.join(map(repr, self.choices))
            return f'{self.name}: found {value!r}, expected one of {allowed}'
        if self.lower is None or self.upper is None or not isinstance(value, int | float):
            return None
        if not math.isfinite(value) or not self.lower <= value <= self.upper:
            bounds = f'{self.lower:g} to {self.upper:g} {self.unit}'
            return f'{self.name}: found {value!r}, expected {bounds}'
        return None


def parameter_specs() -> tuple[ParameterSpec, ...]:
    """List every parameter, in the order of the groups."""
    return tuple(_specs(Settings()))


def _specs(settings: Settings) -> Iterator[ParameterSpec]:
    for group in dataclasses.fields(settings):
        values = getattr(settings, group.name)
        for item in dataclasses.fields(values):
            default = getattr(values, item.name)
            yield ParameterSpec(
                name=f'{group.name}.{item.name}',
                type=type(default),
                default=default,
                description=item.metadata['description'],
                unit=item.metadata.get('unit', ''),
                lower=item.metadata.get('lower'),
                upper=item.metadata.get('upper'),
                choices=tuple(item.metadata.get('choices', ())),
            )


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Build settings from ``group.field`` names; what is not named keeps its default.

    Raises:
        SettingsError: A name is unknown, or a value is refused; every problem is listed.
    """
    specs = {spec.name: spec for spec in parameter_specs()}
    problems = [f'{name}: unknown parameter' for name in values if name not in specs]
    problems += [
        problem
        for name, value in values.items()
        if name in specs and (problem := specs[name].problem(value)) is not None
    ]
    if problems:
        raise SettingsError(problems)
    groups: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        group, item = name.split('.')
        groups.setdefault(group, {})[item] = specs[name].type(value)
    defaults = Settings()
    return dataclasses.replace(
        defaults,
        **{
            group: dataclasses.replace(getattr(defaults, group), **items)
            for group, items in groups.items()
        },
    )


def flatten(nested: Mapping[str, object]) -> dict[str, object]:
    """Turn nested YAML mappings into ``group.field`` names."""
    flat: dict[str, object] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat.update({f'{key}.{name}': item for name, item in flatten(value).items()})
        else:
            flat[str(key)] = value
    return flat
