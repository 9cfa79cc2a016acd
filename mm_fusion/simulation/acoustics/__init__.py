# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone on the roof hears: a synthesizer that knows only the past."""

from mm_fusion.simulation.acoustics.audibility import audible_siren
from mm_fusion.simulation.acoustics.drive_sound import sound_blocks
from mm_fusion.simulation.acoustics.scene import AcousticScene, SourceState, acoustic_scene
from mm_fusion.simulation.acoustics.synthesizer import SoundSynthesizer

__all__ = [
    'AcousticScene',
    'SoundSynthesizer',
    'SourceState',
    'acoustic_scene',
    'audible_siren',
    'sound_blocks',
]
