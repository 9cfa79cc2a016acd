# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated drive is made from: every key of a scenario file, with unit and bounds.

A scenario and its seed determine the drive. :mod:`mm_fusion.simulation.scenario_file` reads
scenarios from YAML; what a file does not name keeps the default that stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mm_fusion.fields import flag, real, text, whole
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

SENSORS = ('camera', 'microphone', 'gnss', 'velocity')


@dataclass(frozen=True, slots=True)
class RoadSettings:
    """The road that the drive is generated on."""

    kind: str = text('town', 'Kind of road', 'town', 'rural', 'motorway')
    speed_limit_mps: float = real(
        0.0, 'Speed limit; 0 takes that of the kind of road', 'm/s', 0.0, 60.0
    )
    tunnel_from_m: float = real(
        0.0, 'Distance driven at which a tunnel begins', 'm', 0.0, 1_000_000.0
    )
    tunnel_length_m: float = real(0.0, 'Length of the tunnel; 0: none', 'm', 0.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class SurfaceStretch:
    """The surface from a distance on, up to the next stretch."""

    from_m: float = real(0.0, 'Distance driven at which it begins', 'm', 0.0, 1_000_000.0)
    friction: str = text('dry', 'What lies on the road', *FRICTION_CLASSES)
    material: str = text('asphalt', 'What the road is made of', *MATERIAL_CLASSES)
    unevenness: str = text('smooth', 'How uneven it is', *UNEVENNESS_CLASSES)
    blend_m: float = real(
        10.0, 'Length of the transition from the stretch before', 'm', 0.0, 500.0
    )


@dataclass(frozen=True, slots=True)
class WeatherKey:
    """Weather and light at a time; between two keys they change linearly."""

    at_s: float = real(0.0, 'Time since the start', 's', 0.0, 100_000.0)
    rain_mmph: float = real(0.0, 'Rain', 'mm/h', 0.0, 100.0)
    snowfall_mmph: float = real(0.0, 'Snowfall, as water', 'mm/h', 0.0, 20.0)
    visibility_m: float = real(20_000.0, 'Meteorological visibility', 'm', 10.0, 50_000.0)
    cloud_cover: float = real(0.3, 'Share of the sky that is clouded', '1', 0.0, 1.0)
    sun_elevation_deg: float = real(35.0, 'Height of the sun; below 0 is dusk', '°', -12.0, 90.0)
    sun_azimuth_deg: float = real(
        140.0, 'Direction of the sun, counter-clockwise from east', '°', -360.0, 360.0
    )
    wind_mps: float = real(2.0, 'Wind', 'm/s', 0.0, 40.0)


@dataclass(frozen=True, slots=True)
class TrafficSettings:
    """Other road users."""

    vehicles: int = whole(14, 'Other vehicles on the road around', '1', 0, 200)
    truck_share: float = real(0.15, 'Share of vans, trucks and buses', '1', 0.0, 1.0)
    parked: int = whole(8, 'Parked vehicles along a town street', '1', 0, 200)


@dataclass(frozen=True, slots=True)
class EmergencyVehicle:
    """A vehicle with a siren that meets the ego vehicle."""

    vehicle: str = text('ambulance', 'Vehicle', 'ambulance', 'police', 'fire_engine')
    siren: str = text('wail', 'Sound of its siren', 'wail', 'yelp', 'two_tone')
    approach: str = text('oncoming', 'Where it comes from', 'oncoming', 'from_behind', 'crossing')
    meets_at_s: float = real(20.0, 'Time at which it is nearest', 's', 0.0, 100_000.0)
    speed_mps: float = real(18.0, 'Its speed', 'm/s', 3.0, 50.0)
    on_before_s: float = real(10.0, 'Siren on this long before the meeting', 's', 0.0, 120.0)
    off_after_s: float = real(6.0, 'Siren off this long after the meeting', 's', 0.0, 120.0)


@dataclass(frozen=True, slots=True)
class Horn:
    """Another vehicle sounds its horn."""

    at_s: float = real(10.0, 'Time', 's', 0.0, 100_000.0)
    duration_s: float = real(0.8, 'How long', 's', 0.05, 30.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """How the clock of a sensor and its way to the receiver disturb it."""

    clock_offset_s: float = real(0.0, 'Added to each stamp', 's', -10.0, 10.0)
    clock_drift_ppm: float = real(
        0.0, 'Growth of the offset, millionths of the time', '1e-6', -1000.0, 1000.0
    )
    stamp_jitter_s: float = real(0.0, 'Deviation of the stamps', 's', 0.0, 0.1)
    latency_s: float = real(0.01, 'From the end of a measurement to its arrival', 's', 0.0, 2.0)
    latency_jitter_s: float = real(
        0.0, 'Mean of an exponential addition to the latency', 's', 0.0, 1.0
    )


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The camera and how it is rendered."""

    enabled: bool = flag(default=True, description='Whether the vehicle has a camera')
    width: int = whole(640, 'Columns', 'px', 64, 4096)
    height: int = whole(360, 'Rows', 'px', 36, 2160)
    horizontal_fov_deg: float = real(75.0, 'Angle of view across', '°', 20.0, 130.0)
    rate_hz: float = real(15.0, 'Frames a second', 'Hz', 0.5, 60.0)
    forward_m: float = real(1.6, 'Place ahead of base_link', 'm', -5.0, 10.0)
    up_m: float = real(1.45, 'Height over the ground', 'm', 0.3, 5.0)
    pitch_down_deg: float = real(3.4, 'Downward tilt', '°', -20.0, 45.0)
    shader: str = text('lite', 'lite: fast; full: shadows and finer textures', 'lite', 'full')
    shake: bool = flag(default=True, description='Unevenness shakes the camera')
    motion_blur: bool = flag(default=True, description='Blur by motion during the exposure')
    noise: bool = flag(default=True, description='Noise of the image sensor')
    lens_drops: bool = flag(default=True, description='Rain leaves drops on the lens')
    segmentation: bool = flag(default=False, description='Render the classes of the pixels too')
    jpeg_quality: int = whole(85, 'Quality of compressed frames', '1', 1, 100)
    timing: Timing = field(default_factory=lambda: Timing(latency_s=0.02))


@dataclass(frozen=True, slots=True)
class MicrophoneSettings:
    """The microphone on the roof."""

    enabled: bool = flag(default=True, description='Whether the vehicle has a microphone')
    sample_rate_hz: int = whole(16_000, 'Samples a second', 'Hz', 8_000, 48_000)
    channels: int = whole(1, 'Microphones: one, or left and right', '1', 1, 2)
    spacing_m: float = real(0.2, 'Distance between two microphones', 'm', 0.02, 2.0)
    chunk_s: float = real(0.02, 'Length of one message', 's', 0.005, 1.0)
    self_noise_db: float = real(-66.0, 'Its own noise, against full scale', 'dB', -120.0, -20.0)
    timing: Timing = field(default_factory=lambda: Timing(latency_s=0.005))


@dataclass(frozen=True, slots=True)
class GnssSettings:
    """The satellite receiver."""

    enabled: bool = flag(default=True, description='Whether the vehicle has a receiver')
    rate_hz: float = real(5.0, 'Fixes a second', 'Hz', 0.1, 50.0)
    white_std_m: float = real(0.3, 'Deviation of independent errors', 'm', 0.0, 50.0)
    drift_std_m: float = real(0.8, 'Deviation of the slow error', 'm', 0.0, 50.0)
    drift_time_s: float = real(40.0, 'Time constant of the slow error', 's', 0.1, 10_000.0)
    multipath_std_m: float = real(
        1.5, 'Deviation of the error by reflections between houses', 'm', 0.0, 100.0
    )
    timing: Timing = field(default_factory=lambda: Timing(latency_s=0.06))


@dataclass(frozen=True, slots=True)
class VelocitySettings:
    """Wheel speed and yaw rate."""

    enabled: bool = flag(default=True, description='Whether the vehicle publishes its velocity')
    rate_hz: float = real(50.0, 'Messages a second', 'Hz', 0.5, 500.0)
    scale_error: float = real(0.0, 'Relative error of the speed', '1', -0.2, 0.2)
    speed_std_mps: float = real(0.03, 'Deviation of the speed', 'm/s', 0.0, 5.0)
    quantisation_mps: float = real(0.0, 'Step of the speed; 0: none', 'm/s', 0.0, 2.0)
    yaw_rate_std_rps: float = real(0.004, 'Deviation of the yaw rate', 'rad/s', 0.0, 1.0)
    yaw_rate_bias_rps: float = real(0.0, 'Bias of the yaw rate', 'rad/s', -0.2, 0.2)
    timing: Timing = field(default_factory=lambda: Timing(latency_s=0.008))


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with a sensor during a span of time."""

    sensor: str = text('camera', 'Which', *SENSORS)
    kind: str = text(
        'dies',
        'dies: no messages; freezes: the last message again and again, as it was; stuck: its '
        'content again and again under fresh stamps; delays: arrives later; duplicates: arrives '
        'twice; corrupts: payload damaged; clock_jumps: stamps shifted',
        'dies',
        'freezes',
        'stuck',
        'delays',
        'duplicates',
        'corrupts',
        'clock_jumps',
    )
    from_s: float = real(0.0, 'Beginning, since the start', 's', 0.0, 100_000.0)
    to_s: float = real(5.0, 'End, since the start', 's', 0.0, 100_000.0)
    amount_s: float = real(
        0.5, 'Delay (delays) or shift of the stamps (clock_jumps)', 's', -100.0, 100.0
    )
    share: float = real(1.0, 'Share of the messages that are hit', '1', 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A drive to simulate.

    Attributes:
        surface: In order of ``from_m``, the first at 0.
        weather: In order of ``at_s``.
    """

    name: str = text('unnamed', 'Name of the scenario')
    description: str = text('', 'What happens in it')
    seed: int = whole(0, 'Seed of everything random', '1', 0, 2**63 - 1)
    duration_s: float = real(60.0, 'Length of the drive', 's', 0.5, 7200.0)
    latitude_deg: float = real(48.1351, 'Latitude of the map origin', '°', -85.0, 85.0)
    longitude_deg: float = real(11.5820, 'Longitude of the map origin', '°', -180.0, 180.0)
    altitude_m: float = real(519.0, 'Altitude of the map origin', 'm', -500.0, 9000.0)
    road: RoadSettings = field(default_factory=RoadSettings)
    surface: tuple[SurfaceStretch, ...] = (SurfaceStretch(),)
    weather: tuple[WeatherKey, ...] = (WeatherKey(),)
    traffic: TrafficSettings = field(default_factory=TrafficSettings)
    emergencies: tuple[EmergencyVehicle, ...] = ()
    horns: tuple[Horn, ...] = ()
    camera: CameraSettings = field(default_factory=CameraSettings)
    microphone: MicrophoneSettings = field(default_factory=MicrophoneSettings)
    gnss: GnssSettings = field(default_factory=GnssSettings)
    velocity: VelocitySettings = field(default_factory=VelocitySettings)
    faults: tuple[Fault, ...] = ()
