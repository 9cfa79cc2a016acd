# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the package, with type, default, unit, bounds, meaning, and when it changes.

The node declares its ROS parameters from here, the evaluator reads the same names from YAML, and
``python -m tools.generate_parameters`` makes files, tables and schema from it. A parameter's name
is ``group.field``; a bad value is refused, never repaired, and all problems are reported at once.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import SettingsError
from mm_fusion.fields import Change, ParameterSpec, flag, real, specs_of, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LIVE = Change.AT_ONCE


@dataclass(frozen=True, slots=True)
class AlignmentSettings:
    """How samples become snapshots."""

    deadline_s: float = real(
        0.05, 'Longest wait for the other sensors after a camera frame arrives', 's', 0.0, 2.0
    )
    timer_rate_hz: float = real(
        10.0, 'Rate of snapshots while there is no camera', 'Hz', 0.1, 100.0
    )
    camera_timeout_s: float = real(
        0.5,
        'Silence after which the camera counts as stale and the timer takes over',
        's',
        0.05,
        60.0,
    )
    microphone_timeout_s: float = real(
        0.5, 'Silence after which the microphone counts as stale', 's', 0.05, 60.0
    )
    gnss_timeout_s: float = real(3.0, 'Silence after which GNSS counts as stale', 's', 0.05, 60.0)
    velocity_timeout_s: float = real(
        2.5, 'Silence after which the velocity counts as stale', 's', 0.05, 60.0
    )
    history_s: float = real(5.0, 'Span of the velocity and position histories', 's', 0.5, 60.0)
    reorder_window_s: float = real(
        1.0,
        'A sample older than the newest of its sensor by more than this is refused',
        's',
        0.0,
        30.0,
    )
    future_tolerance_s: float = real(
        1.0, 'A stamp further ahead of its arrival than this is refused', 's', 0.0, 3600.0
    )
    max_pending: int = whole(
        64, 'Snapshots that may wait for their deadline at once', '1', 1, 10_000
    )
    max_history: int = whole(20_000, 'Samples that one history may hold', '1', 10, 1_000_000)
    camera_frozen_s: float = real(
        0.5,
        'Time for which a moving camera may send the same image before it counts as frozen; '
        '0: for ever',
        's',
        0.0,
        3600.0,
    )
    camera_frozen_standing_s: float = real(
        10.0,
        'The same while the vehicle stands or its velocity is not known; 0: for ever',
        's',
        0.0,
        3600.0,
    )
    microphone_frozen_s: float = real(
        1.0,
        'Time for which sound may be one constant, or one buffer again and again, before the '
        'microphone counts as frozen; 0: for ever',
        's',
        0.0,
        3600.0,
    )
    gnss_frozen_m: float = real(
        10.0,
        'Distance driven at one and the same position before GNSS counts as frozen; 0: any',
        'm',
        0.0,
        100_000.0,
    )
    camera_offset_s: float = real(0.0, 'Added to the stamps of camera frames', 's', -10.0, 10.0)
    microphone_offset_s: float = real(0.0, 'Added to the stamps of sound', 's', -10.0, 10.0)
    gnss_offset_s: float = real(0.0, 'Added to the stamps of positions', 's', -10.0, 10.0)
    velocity_offset_s: float = real(0.0, 'Added to the stamps of velocities', 's', -10.0, 10.0)


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Format of sound messages that do not carry one (audio_common AudioDataStamped)."""

    sample_rate_hz: int = whole(
        0, 'Sample rate; 0 takes it from the AudioInfo topic', 'Hz', 0, 384_000
    )
    channels: int = whole(0, 'Channels; 0 takes them from the AudioInfo topic', '1', 0, 64)
    sample_format: str = text(
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
class CameraSettings:
    """What the messages of a camera leave open or have wrong, and what of them is used."""

    min_quality: float = real(
        0.1, 'An image of less quality (0 to 1) is withheld; 0 uses every image', '1', 0.0, 1.0
    )
    horizontal_fov_deg: float = real(
        0.0,
        'Horizontal field of view, in place of a CameraInfo that cannot be true; 0 refuses that',
        'deg',
        0.0,
        170.0,
    )
    height_m: float = real(
        0.0,
        'Height over the road, to draw on ~/debug_image; 0 takes the mounting from /tf_static',
        'm',
        0.0,
        20.0,
    )
    pitch_down_deg: float = real(
        0.0, 'Downward tilt, where the height is given', 'deg', -45.0, 90.0
    )
    forward_m: float = real(
        0.0, 'Place ahead of the base frame, where the height is given', 'm', -50.0, 50.0
    )


@dataclass(frozen=True, slots=True)
class GnssSettings:
    """What the messages of a positioning receiver leave open."""

    trust_unset_status: bool = flag(
        default=False,
        description='Take a NavSatFix whose status is not set (-2) for a fix, as of simulators',
    )


@dataclass(frozen=True, slots=True)
class VelocitySettings:
    """What the velocity messages of some simulators have the other way round."""

    clockwise_yaw_rate: bool = flag(
        default=False,
        description='Yaw rates are positive in turns to the right, against REP-103',
    )


@dataclass(frozen=True, slots=True)
class EgoFilterSettings:
    """The ego-state filter: an extended Kalman filter fed by velocity and GNSS."""

    yaw_rate: str = text(
        'auto',
        'Whether velocity messages measure the yaw rate; auto: from the first that is not zero on',
        'auto',
        'measured',
        'absent',
    )
    speed_std_mps: float = real(
        0.08,
        'Deviation of the measured speed where the message leaves it unset',
        'm/s',
        1e-3,
        10.0,
    )
    yaw_rate_std_rps: float = real(
        0.01,
        'Deviation of the measured yaw rate where the message leaves it unset',
        'rad/s',
        1e-4,
        1.0,
    )
    position_std_m: float = real(
        3.0, 'Deviation of a position where the message leaves it unset', 'm', 1e-3, 1000.0
    )
    gate_sigmas: float = real(
        5.0,
        'A measurement further off than this many deviations is refused as an outlier',
        '1',
        1.0,
        100.0,
    )


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """The model bundle and what runs it."""

    bundle: str = text('base', 'Name of a bundle of the package, or path of a bundle folder')
    bundle_public_key: str = text(
        '',
        'PEM file of the Ed25519 key that must have signed the bundle; empty takes unsigned ones',
    )
    backend: str = text(
        'auto', 'What runs the networks', 'auto', 'tensorrt', 'onnxruntime', 'torch'
    )
    threads: int = whole(
        2, 'Threads of one network run on the CPU; 0 lets the runtime choose', '1', 0, 256
    )
    precision: str = text(
        'auto',
        'Precision of the graphs; the bundle must accept it. auto: int8 on a CPU where it is '
        'accepted and faster, else fp32',
        'auto',
        'fp32',
        'fp16',
        'int8',
    )
    audio_rate_hz: float = real(
        10.0,
        'Highest rate of the sound encoder; frames between share its result, whose age goes into '
        'the network; 0: with every frame',
        'Hz',
        0.0,
        1000.0,
    )
    engine_cache: str = text(
        '', 'Folder of built TensorRT engines; empty takes the cache folder of the user'
    )
    cuda_graphs: bool = flag(
        default=True, description='TensorRT: start each network as one recorded CUDA graph'
    )


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """From raw network outputs to what is published."""

    road_time_constant_s: float = real(
        0.5, 'Time constant of the road-state filter; 0 turns it off', 's', 0.0, 60.0, change=_LIVE
    )
    siren_time_constant_s: float = real(
        0.5, 'Time constant of the siren filter; 0 turns it off', 's', 0.0, 60.0, change=_LIVE
    )
    siren_threshold: float = real(
        0.0,
        "Siren probability that raises the flag; 0 takes the bundle's",
        '1',
        0.0,
        1.0,
        change=_LIVE,
    )
    horizon_s: float = real(6.0, 'Horizon of the predicted path', 's', 0.1, 30.0, change=_LIVE)
    step_s: float = real(
        0.5, 'Time between two points of the predicted path', 's', 0.01, 5.0, change=_LIVE
    )


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The ROS node alone."""

    autostart: bool = flag(
        default=False,
        description='Configure and activate at start, without a lifecycle manager',
        change=Change.AT_START,
    )
    base_frame: str = text('base_link', 'Frame of the outputs')
    status_rate_hz: float = real(
        1.0, 'Rate of ~/status and /diagnostics', 'Hz', 0.1, 50.0, change=_LIVE
    )
    debug_image_rate_hz: float = real(
        10.0, 'Highest rate of ~/debug_image, drawn only for subscribers', 'Hz', 0.1, 100.0
    )
    log_level: str = text(
        '',
        'Log level of the node; empty leaves that of the command line',
        '',
        'debug',
        'info',
        'warn',
        'error',
        'fatal',
        change=_LIVE,
    )
    image_type: str = text(
        'auto',
        'Type of the image topic; auto takes the type that is published',
        'auto',
        'sensor_msgs/msg/Image',
        'sensor_msgs/msg/CompressedImage',
    )
    audio_type: str = text(
        'auto',
        'Type of the audio topic; auto takes the type that is published',
        'auto',
        'mm_fusion_msgs/msg/AudioStamped',
        'audio_common_msgs/msg/AudioDataStamped',
        'audio_common_msgs/msg/AudioStamped',
    )
    fix_type: str = text(
        'auto',
        'Type of the position topic; auto takes the type that is published',
        'auto',
        'sensor_msgs/msg/NavSatFix',
        'geometry_msgs/msg/PoseStamped',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        'geometry_msgs/msg/Pose',
    )
    velocity_type: str = text(
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
    camera: CameraSettings = field(default_factory=CameraSettings)
    gnss: GnssSettings = field(default_factory=GnssSettings)
    velocity: VelocitySettings = field(default_factory=VelocitySettings)
    ego_filter: EgoFilterSettings = field(default_factory=EgoFilterSettings)
    inference: InferenceSettings = field(default_factory=InferenceSettings)
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    node: NodeSettings = field(default_factory=NodeSettings)


def parameter_specs() -> tuple[ParameterSpec, ...]:
    """List every parameter, in the order of the groups."""
    return tuple(_specs(Settings()))


def _specs(settings: Settings) -> Iterator[ParameterSpec]:
    for group in dataclasses.fields(settings):
        yield from specs_of(getattr(settings, group.name), group.name)


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
