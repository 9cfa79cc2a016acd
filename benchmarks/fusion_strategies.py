# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every modality subset by fusion strategy and task, on drives that were held out.

    python -m benchmarks.fusion_strategies [--train DIR] --test DIR --out DIR [--bundle base]

The encoders of the bundle keep their weights. Drives are embedded once; each strategy, and one
network for each modality alone, learns on the same embeddings, with modalities hidden at random.
Give training drives that the bundle has not seen: its encoders are surer of those that it has.
Without training drives the bundle's own network is scored, with all modalities and with each.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.fusion_data import (
    add_data_arguments,
    embed_drives,
    fuse,
    fuse_subsets,
    read_drives,
)
from benchmarks.fusion_figures import draw_subsets
from benchmarks.fusion_scores import (
    SCORES,
    best_of,
    gain,
    interval,
    mean_scores,
    resample,
    scores_of_draws,
)
from benchmarks.fusion_tables import markdown, number, report, table_rows, write_csv
from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.models.fusion import STRATEGIES
from mm_fusion.models.network import build_network
from mm_fusion.training.checkpoint import load_start
from mm_fusion.training.config import DataConfig, OptimizationConfig, TrainingConfig
from mm_fusion.training.distributed import join_world
from mm_fusion.training.embed import EmbeddedMixture, keep_modalities
from mm_fusion.training.losses import Losses, class_weights
from mm_fusion.training.objective import Supervised
from mm_fusion.training.trainer import Trainer
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchmarks.fusion_data import Drives
    from benchmarks.fusion_tables import Results
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

SHIPPED, ALONE = 'as shipped', 'trained alone'
_FUSED = '+'.join(NETWORK_MODALITIES)
_BATCH = 256
_HIDE = 0.3


def train_fusion(
    base: FusionNetwork,
    strategy: str,
    samples: EmbeddedBatch,
    weights: Mapping[str, Tensor],
    *,
    seed: int,
    passes: int,
    hide: float = _HIDE,
) -> FusionNetwork:
    """Train a new fusion on embeddings.

    Args:
        base: Gives the encoders and the sizes.
        strategy: Of ``STRATEGIES``.
        samples: To learn from.
        weights: Of the classes, by surface task.
        seed: Of everything random.
        passes: How often each moment is seen, on average.
        hide: Probability that a modality is hidden.
    """
    config = TrainingConfig(
        seed=seed,
        network=dataclasses.replace(base.config, fusion=strategy),
        optimization=dataclasses.replace(
            OptimizationConfig(), epochs=1, freeze_encoders=True, frozen_blocks=0, device='cpu'
        ),
        data=dataclasses.replace(DataConfig(), spectrogram_masks=False),
    )
    torch.manual_seed(seed)
    network = build_network(config.network, pretrained=False)
    network.encoders.load_state_dict(base.encoders.state_dict())
    steps = max(1, passes * len(samples.presence) // _BATCH)
    mixture = EmbeddedMixture([samples], [_BATCH], steps, seed, hide)
    losses = Losses(config.losses, weights)
    with join_world('cpu') as world, tempfile.TemporaryDirectory() as folder:
        objective = Supervised(network, losses, bfloat16=False)
        return Trainer(objective, mixture, None, config, Path(folder), world, {}).fit()


def balanced(train: Drives) -> dict[str, Tensor]:
    """Weigh the classes of each surface task by their rarity, as the training does."""
    config, found = TrainingConfig().losses, {}
    for task, classes in SURFACE_CLASSES.items():
        labels = train.samples.targets[task]
        counts = torch.bincount(labels[labels != UNLABELLED], minlength=len(classes)).numpy()
        power = float(getattr(config, f'{task}_power'))
        found[task] = class_weights(counts, power, config.most_class_weight)
    return found


def shipped(base: FusionNetwork, test: Drives) -> Results:
    """Run the network as it is on the held-out drives, by strategy and subset."""
    subsets = fuse_subsets(base, test.samples)
    return {SHIPPED: {name: [outputs] for name, outputs in subsets.items()}}


def run(
    base: FusionNetwork,
    train: Drives,
    test: Drives,
    weights: Mapping[str, Tensor],
    arguments: argparse.Namespace,
) -> Results:
    """Train everything and run it on the held-out drives: outputs by strategy, subset, seed."""
    found: Results = {}
    for seed in range(arguments.seeds):
        options: dict[str, Any] = {'seed': seed, 'passes': arguments.passes}
        for strategy in STRATEGIES:
            began = time.perf_counter()
            network = train_fusion(base, strategy, train.samples, weights, **options)
            for subset, outputs in fuse_subsets(network, test.samples).items():
                found.setdefault(strategy, {}).setdefault(subset, []).append(outputs)
            print(f'seed {seed}: {strategy} took {time.perf_counter() - began:.0f} s', flush=True)
        for name in NETWORK_MODALITIES:
            seen = keep_modalities(train.samples, (name,))
            network = train_fusion(base, 'attention', seen, weights, **options, hide=0.0)
            outputs = fuse(network, keep_modalities(test.samples, (name,)))
            found.setdefault(ALONE, {}).setdefault(name, []).append(outputs)
    return found


def checks(results: Results, test: Drives, draws: int) -> list[dict[str, Any]]:
    """Compare all modalities with the best one of them, by strategy and task.

    The one is the better of the strategy's own network with the others hidden and of a network
    that was trained with that modality alone.

    Returns:
        Rows with ``strategy``, ``task``, ``fused``, ``single``, ``single_score``, ``gain``
        (positive where fused is better), ``low`` and ``high`` (its middle 90 % over draws of
        whole drives), and ``holds``.
    """
    targets, drawn = test.targets, resample(test.drives, draws)
    alone = {f'{name}, {ALONE}': seeds for name, seeds in results.get(ALONE, {}).items()}
    points = {name: mean_scores(seeds, targets) for name, seeds in alone.items()}
    spread = {name: scores_of_draws(seeds, targets, drawn) for name, seeds in alone.items()}
    rows = []
    for strategy, subsets in results.items():
        if strategy == ALONE:
            continue
        mine = {name: subsets[name] for name in (_FUSED, *NETWORK_MODALITIES)}
        means = points | {n: mean_scores(seeds, targets) for n, seeds in mine.items()}
        sampled = spread | {n: scores_of_draws(seeds, targets, drawn) for n, seeds in mine.items()}
        for task in SCORES:
            single = best_of(task, {n: f[task] for n, f in means.items() if n != _FUSED})
            if not single:
                continue
            pairs = zip(sampled[_FUSED], sampled[single], strict=True)
            low, high = interval([gain(task, a[task], b[task]) for a, b in pairs])
            better = gain(task, means[_FUSED][task], means[single][task])
            rows.append(
                {
                    'strategy': strategy,
                    'task': task,
                    'fused': means[_FUSED][task],
                    'single': single,
                    'single_score': means[single][task],
                    'gain': better,
                    'low': low,
                    'high': high,
                    'holds': verdict(better, high),
                }
            )
    return rows


def verdict(better: float, high: float) -> str:
    """Say whether fused is at least as good; a shortfall that chance explains is still named."""
    if better >= 0.0:
        return 'yes'
    return 'no, within chance' if high >= 0.0 else 'no'


def check_table(checked: Sequence[Mapping[str, Any]]) -> str:
    """Lay the rows of ``checks`` out as Markdown."""
    header = ['strategy', 'task', 'all three', 'best single', 'its score', 'gain', '90 %', 'holds']
    body = [
        [
            row['strategy'],
            SCORES[row['task']].label,
            number(row['fused']),
            row['single'],
            number(row['single_score']),
            f'{row["gain"]:+.3f}',
            f'{row["low"]:+.3f} to {row["high"]:+.3f}',
            row['holds'],
        ]
        for row in checked
    ]
    return markdown(header, body)


def main() -> int:
    """Embed, train, score and write."""
    parser = argparse.ArgumentParser(description='Modality subsets by strategy and task.')
    add_data_arguments(parser, 'test')
    parser.add_argument('--train', type=Path, help='folder of drives for strategies to learn from')
    parser.add_argument('--bundle', default='base', help='bundle or run that gives the encoders')
    parser.add_argument('--seeds', type=int, default=3, help='trainings of each network')
    parser.add_argument('--passes', type=int, default=40, help='over the embedded moments')
    parser.add_argument('--views', type=int, default=1, help='varied copies of each moment')
    parser.add_argument('--draws', type=int, default=100, help='draws of drives for the intervals')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = load_start(arguments.bundle).network
    test = embed_drives(base, read_drives(arguments.test, arguments))
    told = f'{len(set(test.drives))} drives, {len(test)} moments held out'
    results = shipped(base, test)
    if arguments.train is not None:
        learned = read_drives(arguments.train, arguments)
        train = embed_drives(base, learned, views=arguments.views)
        print(f'{len(set(train.drives))} drives, {len(train)} moments to learn from; {told}')
        results |= run(base, train, test, balanced(train), arguments)
    rows, checked = table_rows(results, test), checks(results, test, arguments.draws)
    write_csv(arguments.out / 'strategies.csv', rows)
    write_csv(arguments.out / 'strategies_check.csv', checked)
    text = (
        f'{told}; mean and deviation over {arguments.seeds} seeds.\n\n{report(rows)}\n'
        f'### All three against the best one\n\n{check_table(checked)}'
    )
    (arguments.out / 'strategies.md').write_text(text, encoding='utf-8')
    draw_subsets(arguments.out / 'strategies.png', rows, told)
    print(text)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
