# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Self-supervised pre-training and a tenth of the labels, against that tenth alone.

    python -m benchmarks.fusion_pretraining --train DIR --test DIR --out DIR

Both networks start from ImageNet's image encoder and chance. One learns from all training drives
without labels first. Then both learn from the labels of the same few whole drives, for the same
number of steps: moments of one drive are so alike that a tenth of the moments of every drive would
be worth all labels. Each seed draws other drives.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.fusion_data import add_data_arguments, embed_drives, fuse_subsets, read_drives
from benchmarks.fusion_figures import draw_subsets
from benchmarks.fusion_scores import SCORES, gain, score
from benchmarks.fusion_tables import markdown, report, table_rows, write_csv
from mm_fusion.models.config import NetworkConfig
from mm_fusion.training.config import DataConfig, OptimizationConfig, TrainingConfig
from mm_fusion.training.pretrain import pretrain_run
from mm_fusion.training.run import Share, train_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.fusion_data import Drives
    from benchmarks.fusion_tables import Results
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.bags import BagSamples

PRETRAINED, PLAIN = 'pre-trained', 'labels alone'
_NONE = np.array([], np.int64)


def labelled_drives(source: BagSamples, share: float, seed: int) -> NDArray[np.int64]:
    """Draw whole drives, at least one: int64 (n,), the samples with labels that are used."""
    names = sorted(set(source.groups))
    count = max(1, round(share * len(names)))
    drawn = set(np.random.default_rng(seed).choice(names, count, replace=False))
    return np.array([index for index in source.useful if source.groups[index] in drawn], np.int64)


def configuration(seed: int, steps: int, batch: int, size: int) -> TrainingConfig:
    """Configure either training: one pass of so many steps."""
    return TrainingConfig(
        seed=seed,
        network=NetworkConfig(motion_steps=20),
        optimization=dataclasses.replace(OptimizationConfig(), epochs=1, steps_per_epoch=steps),
        data=dataclasses.replace(DataConfig(), bags=batch, image_size=size),
    )


def train_pair(
    source: BagSamples, seed: int, arguments: argparse.Namespace
) -> dict[str, FusionNetwork]:
    """Train with and without pre-training; goes on where it was stopped."""
    batch, size = arguments.batch, arguments.image_size
    folder = arguments.out / 'runs' / f'pretraining-{seed}'
    began = time.perf_counter()
    everything = np.flatnonzero(~source.bare)
    pretrained = pretrain_run(
        Share(source, 'bags', everything, _NONE),
        configuration(seed, arguments.pretraining_steps, batch, size),
        folder / 'pretrain',
    )
    took = time.perf_counter() - began
    chosen = labelled_drives(source, arguments.share, seed)
    print(f'seed {seed}: pre-trained in {took:.0f} s; {len(chosen)} labelled moments', flush=True)
    share = Share(source, 'bags', chosen, _NONE)
    config = configuration(seed, arguments.steps, batch, size)
    return {
        name: train_run([share], config, folder / name.replace(' ', '_'), start=start)
        for name, start in ((PRETRAINED, pretrained), (PLAIN, None))
    }


def gains(results: Results, test: Drives) -> list[dict[str, Any]]:
    """Say what pre-training gains with all modalities, seed by seed; negative where it loses."""
    fused = 'camera+microphone+motion'
    pairs = [
        (score(with_it, test.targets), score(without, test.targets))
        for with_it, without in zip(results[PRETRAINED][fused], results[PLAIN][fused], strict=True)
    ]
    rows = []
    for task in SCORES:
        each = [gain(task, with_it[task], without[task]) for with_it, without in pairs]
        rows.append({'task': task, 'mean': float(np.mean(each)), 'each': each})
    return rows


def gain_table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay the gains out as Markdown."""
    body = [
        [
            SCORES[row['task']].label,
            f'{row["mean"]:+.3f}',
            ', '.join(f'{value:+.3f}' for value in row['each']),
        ]
        for row in rows
    ]
    return markdown(['task', 'gain, mean', 'by seed'], body)


def main() -> int:
    """Train pairs, score and write."""
    parser = argparse.ArgumentParser(description='Pre-training with few labels.')
    add_data_arguments(parser, 'train', 'test')
    parser.add_argument('--seeds', type=int, default=3, help='pairs of trainings')
    parser.add_argument('--share', type=float, default=0.1, help='of the drives with labels')
    parser.add_argument(
        '--pretraining-steps', type=int, default=240, help='batches without labels'
    )
    parser.add_argument('--steps', type=int, default=120, help='batches with labels')
    parser.add_argument('--batch', type=int, default=32, help='moments in a batch')
    parser.add_argument('--image-size', type=int, default=160, help='of images learned from')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    learned = read_drives(arguments.train, arguments, arguments.image_size)
    held_out = read_drives(arguments.test, arguments)
    results: Results = {PRETRAINED: {}, PLAIN: {}}
    for seed in range(arguments.seeds):
        for name, network in train_pair(learned, seed, arguments).items():
            test = embed_drives(network, held_out)
            for subset, outputs in fuse_subsets(network, test.samples).items():
                results[name].setdefault(subset, []).append(outputs)
    rows = table_rows(results, test)
    write_csv(arguments.out / 'pretraining.csv', rows)
    told = (
        f'labels of {arguments.share:.0%} of {len(set(learned.groups))} drives; '
        f'{len(set(test.drives))} drives, {len(test)} moments held out; {arguments.seeds} seeds'
    )
    text = f'{told}.\n\n{report(rows)}\n### Gain, all modalities\n\n'
    text += gain_table(gains(results, test))
    (arguments.out / 'pretraining.md').write_text(text, encoding='utf-8')
    draw_subsets(arguments.out / 'pretraining.png', rows, told)
    print(text)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
