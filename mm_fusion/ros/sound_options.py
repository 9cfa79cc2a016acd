# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the sound node."""

from __future__ import annotations

from dataclasses import dataclass

from mm_fusion.fields import real, text, whole
from mm_fusion.simulation.samples import MICROPHONE_FRAME
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """What the microphone is, and what it hears that no topic tells."""

    sample_rate_hz: int = whole(16_000, 'Samples a second', 'Hz', 8_000, 48_000)
    channels: int = whole(1, 'Microphones: one, or left and right', '1', 1, 2)
    spacing_m: float = real(0.2, 'Distance between two microphones', 'm', 0.02, 2.0)
    chunk_s: float = real(0.02, 'Length of one message', 's', 0.005, 1.0)
    self_noise_db: float = real(
        -66.0, 'Noise of the microphone, against full scale', 'dB', -120.0, -20.0
    )
    frame_id: str = text(MICROPHONE_FRAME, 'Frame of the microphone')
    seed: int = whole(0, 'Seed of the noise', '1', 0, 2**63 - 1)
    delay_s: float = real(
        0.1, 'Sound is made this late, for the odometry after it to have come', 's', 0.0, 2.0
    )
    timeout_s: float = real(
        1.0, 'The microphone falls silent after so long without odometry', 's', 0.05, 60.0
    )
    engine: str = text(
        'combustion', 'Engine of the own vehicle; electric is silent', 'combustion', 'electric'
    )
    siren: str = text('two_tone', 'Sound of sirens that are not named', 'wail', 'yelp', 'two_tone')
    siren_ids: str = text('', 'Numbers of objects whose siren sounds, separated by commas')
    friction: str = text('dry', 'What lies on the road, until road_state tells', *FRICTION_CLASSES)
    material: str = text('asphalt', 'What the road is made of', *MATERIAL_CLASSES)
    unevenness: str = text('smooth', 'How uneven it is', *UNEVENNESS_CLASSES)
    rain_mmph: float = real(0.0, 'Rain', 'mm/h', 0.0, 100.0)
    wind_mps: float = real(0.0, 'Wind', 'm/s', 0.0, 40.0)
    enclosure: str = text('open', 'What surrounds the road', 'open', 'street', 'tunnel')
