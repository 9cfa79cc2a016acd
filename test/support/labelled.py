# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny labelled folders: coloured photographs, and tones against noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

COLOURS_BGR = {'dry': (20, 20, 230), 'wet': (20, 230, 20), 'ice': (230, 20, 20)}
"""Colours that the bundle of ``support.bundles`` reads as these classes."""


def write_roads(folder: Path, copies: int) -> Path:
    """Write ``copies`` noisy photographs of each colour; every third has no material."""
    random = np.random.default_rng(0)
    (folder / 'images').mkdir(parents=True)
    rows = ['file,friction,material,unevenness']
    for index in range(copies * len(COLOURS_BGR)):
        label = list(COLOURS_BGR)[index % len(COLOURS_BGR)]
        pixels = np.array(COLOURS_BGR[label]) + random.integers(-20, 21, (40, 60, 3))
        name = f'images/{index}.jpg'
        cv2.imwrite(str(folder / name), np.clip(pixels, 0, 255).astype(np.uint8))
        rows.append(f'{name},{label},{"asphalt" if index % 3 else ""},smooth')
    (folder / 'labels.csv').write_text('\n'.join(rows) + '\n', encoding='utf-8')
    return folder


def write_sounds(folder: Path, groups: int, seconds: float = 0.5) -> Path:
    """Write a loud tone and quiet noise for each of ``groups`` recordings."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    rows = ['file,label,sublabel,group']
    time = np.arange(int(16_000 * seconds)) / 16_000
    for group in range(groups):
        tone = 0.8 * np.sign(np.sin(2 * np.pi * 700 * (1 + 0.1 * group) * time))
        noise = random.normal(0, 0.01, time.size)
        for label, kind, samples in (('siren', 'police', tone), ('nosiren', 'wind', noise)):
            name = f'{label}{group}.wav'
            soundfile.write(folder / name, samples, 16_000)
            rows.append(f'{name},{label},{kind},{label}{group}')
    (folder / 'labels.csv').write_text('\n'.join(rows) + '\n', encoding='utf-8')
    return folder
