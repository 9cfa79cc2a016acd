# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Wet against dry with the camera blinded and with the sound drowned, on held-out drives.

    python -m benchmarks.fusion_robustness --test DIR --out DIR [--bundle base]

Each image is darkened, washed out or covered with drops far beyond what one call of the training's
augmentation does; broadband noise ten times as strong as the sound is laid over it. The network is
that of the bundle, which is told nothing of this: it must see and hear for itself. Images in which
nothing can be seen are withheld from it, as the node does (``camera.min_quality``).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.fusion_data import add_data_arguments, complete, fuse, read_drives
from benchmarks.fusion_figures import draw_robustness
from benchmarks.fusion_scores import interval, resample, wet_or_dry
from benchmarks.fusion_tables import markdown, write_csv
from mm_fusion.training.augment.blinding import under, withheld
from mm_fusion.training.augment.sounds import coloured_noise
from mm_fusion.training.augment.weather import dusk, glare, lens_drops
from mm_fusion.training.checkpoint import load_start
from mm_fusion.training.data.altered import Altered
from mm_fusion.training.embed import embed_changed, embed_source, keep_modalities
from mm_fusion.types.features import NETWORK_MODALITIES
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.altered import Change
    from mm_fusion.training.data.bags import BagSamples
    from mm_fusion.training.data.sample import Sample
    from mm_fusion.training.embed import EmbeddedBatch

    Weather = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]

CLEAN, DROWNED = 'clean', 'sound drowned'
BLINDED: dict[str, tuple[Weather, ...]] = {
    'dusk': (dusk, dusk),
    'glare': (glare, glare),
    'lens drops': (lens_drops, lens_drops, lens_drops),
    'all of these': (dusk, glare, glare, lens_drops, lens_drops),
}
"""What is done to an image, one after the other."""

CHOICES = {
    'camera': ('camera',),
    'microphone': ('microphone',),
    'both': ('camera', 'microphone'),
}
"""What the network is given."""

_NOISE_DB = -10.0
_COLOUR_DB = 6.0
_SEED = 11


def weathered(
    image: NDArray[np.uint8], steps: Sequence[Weather], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Do one thing after the other to an image."""
    for step in steps:
        image = step(image, random)
    return image


def blinded(steps: Sequence[Weather]) -> Change:
    """Make a change of the image alone, or none of it left."""

    def change(sample: Sample, random: np.random.Generator) -> Sample:
        if sample.image is None:
            return sample
        return replace(sample, image=withheld(weathered(sample.image, steps, random)))

    return change


def drowned(sample: Sample, random: np.random.Generator) -> Sample:
    """Lay noise of ten times the power over the sound."""
    if sample.audio is None:
        return sample
    noise = coloured_noise(sample.audio.size, random, _COLOUR_DB)
    return replace(sample, audio=under(sample.audio, noise, _NOISE_DB))


def embed_conditions(
    network: FusionNetwork, source: BagSamples, chosen: NDArray[np.int64]
) -> dict[str, EmbeddedBatch]:
    """Embed the moments as they are and in each condition; only what is changed is done again."""
    clean = embed_source(network, source, chosen)
    changes = {name: ('camera', blinded(steps)) for name, steps in BLINDED.items()}
    changes[DROWNED] = ('microphone', drowned)
    found = {CLEAN: clean}
    for name, (modality, change) in changes.items():
        altered = Altered(source, change, _SEED)
        found[name] = embed_changed(network, clean, altered, chosen, modality)
        print(f'embedded: {name}', flush=True)
    return found


def measure(
    network: FusionNetwork,
    conditions: Mapping[str, EmbeddedBatch],
    drives: NDArray[np.str_],
    draws: int,
) -> list[dict[str, Any]]:
    """Score each condition and choice of modalities.

    Returns:
        Rows with ``condition``, ``modalities``, ``uar`` of wet against dry, ``low`` and ``high``
        (its middle 90 % over draws of whole drives), and the mean published weight by modality.
    """
    drawn, rows = resample(drives, draws), []
    for condition, batch in conditions.items():
        targets = {name: value.numpy() for name, value in batch.targets.items()}
        for choice, names in CHOICES.items():
            outputs = fuse(network, keep_modalities(batch, names))
            values = [
                wet_or_dry(
                    {'friction': outputs['friction'][draw]},
                    {'friction': targets['friction'][draw]},
                )
                for draw in drawn
            ]
            low, high = interval(values)
            weights = outputs['modality_weights'].mean(axis=0)
            rows.append(
                {
                    'condition': condition,
                    'modalities': choice,
                    'uar': wet_or_dry(outputs, targets),
                    'low': low,
                    'high': high,
                    **{
                        f'weight_{name}': float(weight)
                        for name, weight in zip(NETWORK_MODALITIES, weights, strict=True)
                    },
                }
            )
    return rows


def examples(source: BagSamples, chosen: NDArray[np.int64]) -> dict[str, NDArray[np.uint8]]:
    """Show one wet moment in each condition of the camera."""
    friction = source.targets['friction'][chosen]
    index = int(chosen[int(np.argmax(friction == FRICTION_CLASSES.index('wet')))])
    image = source.sample(index, None).image
    if image is None:
        return {}
    shown = {CLEAN: image}
    for name, steps in BLINDED.items():
        shown[name] = weathered(image, steps, np.random.default_rng((_SEED, index)))
    return shown


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay the table out as Markdown."""
    body = [
        [
            row['condition'],
            row['modalities'],
            f'{row["uar"]:.3f}',
            f'{row["low"]:.3f} to {row["high"]:.3f}',
            f'{row["weight_camera"]:.2f}',
            f'{row["weight_microphone"]:.2f}',
        ]
        for row in rows
    ]
    header = ['condition', 'given', 'UAR wet / dry', '90 %', 'weight camera', 'weight sound']
    return markdown(header, body)


def main() -> int:
    """Embed, score and write."""
    parser = argparse.ArgumentParser(description='Wet against dry, blinded and drowned.')
    add_data_arguments(parser, 'test')
    parser.add_argument('--bundle', default='base', help='bundle or run to look at')
    parser.add_argument('--draws', type=int, default=400, help='draws of drives for the intervals')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    network = load_start(arguments.bundle).network
    source = read_drives(arguments.test, arguments)
    chosen = complete(source)
    drives = np.array(source.groups, np.str_)[chosen]
    rows = measure(network, embed_conditions(network, source, chosen), drives, arguments.draws)
    write_csv(arguments.out / 'robustness.csv', rows)
    told = f'{len(set(drives))} drives, {len(chosen)} moments'
    text = f'{told}.\n\n{report(rows)}'
    (arguments.out / 'robustness.md').write_text(text, encoding='utf-8')
    draw_robustness(arguments.out / 'robustness.png', rows, examples(source, chosen), told)
    print(text)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
