# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The model card of a bundle, made from its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TEMPLATE = """# Model card: {name} {version}

Road state from one camera frame and {window_s:g} s of sound: friction, material, unevenness, and
whether a siren is heard. Trajectories come from the ego-state filter; this bundle scales their
covariance.

## Networks
| stage | file | bytes | inputs | outputs |
|---|---|---|---|---|
{stages}

- Image encoder: EfficientNet-Lite0, fine-tuned from ImageNet weights; the first blocks are kept.
- Sound encoder: log-mel spectrogram (inside the graph) and a small convolutional network.
- Fusion: for each task, a convex combination of what each present sensor says, weighted by
  learned gates. An absent sensor contributes nothing. A task that a sensor was never labelled
  for (material from sound, a siren from an image) gets the uniform distribution from it.

## Intended use
Research and development of driver assistance, and evaluation on recordings. The outputs state what
is likely, with calibrated uncertainty; they are no basis for a safety decision by themselves.

## Data
| data | files | licence | sha256 |
|---|---|---|---|
{data}

{other}
## Scores
{protocol}

| task | sensors | examples | accuracy | UAR | ECE |
|---|---|---|---|---|---|
{surface}

| siren | clips | ROC AUC | threshold | true positive rate | false positive rate |
|---|---|---|---|---|---|
{siren}

Recall by class, camera alone:

| task | recall by class |
|---|---|
{recalls}

Trajectory covariance: {trajectory}.
{coverage}
## Limits
{limits}- Photographs and sounds were never recorded together, so the gates were trained on random
  pairs: they know which sensor speaks to which task, not how the two agree.
- The loss weighs rare classes up, so the posteriors take the classes for more equally frequent
  than they are on most roads.
- Sound carries no information on the road surface here.
- Temperatures and threshold were fitted on the held-out predictions that the table scores, which
  flatters ECE and the rates at the threshold a little.

## Reproduce
```
{command}
```
Seed {seed}; torch gives other last digits on another processor.
"""


def model_card(manifest: Mapping[str, Any]) -> str:
    """Write the model card of a complete manifest, as Markdown."""
    metrics, training = manifest['metrics'], manifest['training']
    samples = manifest['stages']['audio_encoder']['inputs']['audio']['shape'][1]
    alone, both = metrics['camera_alone'], metrics['both']
    return _TEMPLATE.format(
        name=manifest['name'],
        version=manifest['version'],
        window_s=samples / manifest['audio_sample_rate_hz'],
        stages=_rows(
            (
                name,
                stage['file'],
                stage['bytes'],
                _shapes(stage['inputs']),
                _shapes(stage['outputs']),
            )
            for name, stage in manifest['stages'].items()
        ),
        data=_rows(
            (part['name'], part['files'], part['licence'], f'`{part["sha256"][:16]}…`')
            for part in training['data']
        ),
        other=''.join(
            f'Also used ({kind}): {source["name"]} ({source["licence"]}).\n\n'
            for kind, sources in training['other_sources'].items()
            for source in sources
        ),
        protocol=metrics['protocol'],
        surface=_rows(
            (task, sensors, s['examples'], s['accuracy'], s['uar'], s['ece'])
            for task in alone
            for sensors, s in (('camera', alone[task]), ('camera and microphone', both[task]))
        ),
        siren=_rows(
            (
                sensors,
                s['examples'],
                s['roc_auc'],
                s['threshold'],
                s['true_positive_rate'],
                s['false_positive_rate'],
            )
            for sensors, s in (
                ('microphone', metrics['microphone_alone']),
                ('camera and microphone', both['siren']),
            )
        ),
        recalls=_rows(
            (task, ', '.join(f'{n} {r}' for n, r in zip(s['classes'], s['recalls'], strict=True)))
            for task, s in alone.items()
        ),
        trajectory=manifest['calibration']['trajectory']['source'],
        coverage=_coverage(manifest['calibration']['trajectory']),
        limits=''.join(f'- {limit}\n' for limit in training['limits']),
        command=training['command'],
        seed=training['seed'],
    )


def _coverage(trajectory: Mapping[str, Any]) -> str:
    """Tabulate how the 90 % ellipses hold on drives that had no part in the fit."""
    drives = trajectory.get('coverage_held_out', {})
    if not drives:
        return ''
    times = (1.0, 3.0, 6.0)
    columns = [trajectory['times_s'].index(time_s) for time_s in times]
    rows = ((name, *(f'{shares[i]:.2f}' for i in columns)) for name, shares in drives.items())
    header = '| inside the 90 % ellipse at | 1 s | 3 s | 6 s |\n|---|---|---|---|\n'
    note = 'Share of true positions, each drive with the factors fitted on the others:'
    return f'\n{note}\n\n{header}{_rows(rows)}\n'


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    return '\n'.join('| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows)


def _shapes(tensors: Mapping[str, Any]) -> str:
    return ', '.join(
        f'{name} {spec["dtype"]} {"×".join(map(str, spec["shape"]))}'
        for name, spec in tensors.items()
    )
