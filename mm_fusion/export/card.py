# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The model card of a bundle, made from its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.types.features import MOTION_STEP_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_TEMPLATE = """# Model card: {name} {version}

Road state (friction, material, unevenness, friction coefficient), sirens, and the ego trajectory
of the next 6 s, from one camera frame, {window_s:g} s of sound and {motion_s:g} s of the
vehicle's own motion. Any of the three may be missing; the age of each goes in as well.

## Networks
| stage | file | bytes | inputs | outputs |
|---|---|---|---|---|
{stages}

- Encoders: image `{image_encoder}`, sound `{sound_encoder}` on a log-mel spectrogram that is made
  inside the graph, motion `{motion_encoder}`. Fusion: `{fusion}`. An absent sensor has exactly no
  influence.
- The trajectory is six modes of residuals to the roll-out of the ego-state filter, each a Gaussian
  at twelve steps of 0.5 s. No position and no future command goes in.
- `{weights}` holds the weights of the whole network ({weights_bytes} bytes, matrices in half
  precision): `mm_fusion train --from` goes on from them.

## Intended use
Research and development of driver assistance, and evaluation on recordings. The outputs state what
is likely, with calibrated uncertainty; they are no basis for a safety decision by themselves.

## Data
| data | samples | learned from | licence | sha256 |
|---|---|---|---|---|
{data}

{other}
## Scores
{protocol}

{scores}
## Limits
{limits}
## Reproduce
```
{command}
```
Seed {seed}; code of commit {commit}{changed}; torch gives other last digits on another processor.
"""

_KINDS = {
    'photographs': 'roads',
    'sounds': 'sounds',
    'bags': 'drives',
    'motion_bags': 'drives',
}
"""Key in the table of sources for each kind of data."""


def model_card(manifest: Mapping[str, Any]) -> str:
    """Write the model card of a complete manifest, as Markdown."""
    training, network = manifest['training'], manifest['network']
    stages = manifest['stages']
    samples = stages['audio_encoder']['inputs']['audio']['shape'][1]
    sources = training['sources']
    git = training['git']
    return _TEMPLATE.format(
        name=manifest['name'],
        version=manifest['version'],
        window_s=samples / manifest['audio_sample_rate_hz'],
        motion_s=network['motion_steps'] * MOTION_STEP_S,
        stages=_rows(
            (
                name,
                stage['file'],
                stage['bytes'],
                *map(_shapes, (stage['inputs'], stage['outputs'])),
            )
            for name, stage in stages.items()
        ),
        **{key: network[key] for key in _NETWORK_KEYS},
        weights=manifest['weights']['file'],
        weights_bytes=manifest['weights']['bytes'],
        data=_rows(
            (
                part['name'],
                part['samples'],
                part['learned_from'],
                _licences(sources.get(_KINDS[part['name']], ())),
                f'`{part["sha256"][:16]}…`',
            )
            for part in training['data']
        ),
        other=''.join(
            f'- {kind}: {source["name"]} ({source["licence"]}).\n'
            for kind, listed in sources.items()
            for source in listed
        ),
        protocol=manifest['metrics']['protocol'],
        scores='\n'.join(_tables(manifest)),
        limits=''.join(f'- {limit}\n' for limit in (*training['limits'], *_LIMITS)),
        command=training['command'],
        seed=training['seed'],
        commit=git['commit'][:12],
        changed=', changed since' if git['changed'] else '',
    )


_NETWORK_KEYS = ('image_encoder', 'sound_encoder', 'motion_encoder', 'fusion')
_LIMITS = (
    'The loss weighs rare classes up, so the posteriors take the classes for more equally '
    'frequent than they are on most roads.',
    'Temperatures, threshold and covariance scales were fitted on the held-out predictions that '
    'the tables score, which flatters ECE, the rates at the threshold and the coverage a little; '
    'the coverage by drive is with the scales of the other drives.',
)


def _tables(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Write the tables of what was scored; what was not has none."""
    road = manifest['metrics']['road_state']
    parts = [(kind, name, s) for kind, subsets in road.items() for name, s in subsets.items()]
    surface = [
        (kind, name, task, t['examples'], t['accuracy'], t['uar'], t['ece'])
        for kind, name, scores in parts
        for task, t in scores.get('surface', {}).items()
    ]
    yield from _table(('data', 'sensors', 'task', 'examples', 'accuracy', 'UAR', 'ECE'), surface)
    siren = [
        (
            kind, name, s['examples'], s['roc_auc'], s['threshold'],
            s['true_positive_rate'], s['false_positive_rate'],
        )
        for kind, name, scores in parts
        if (s := scores.get('siren'))
    ]  # fmt: skip
    yield from _table(
        ('data', 'sensors', 'sirens and other sounds', 'ROC AUC', 'threshold', 'TPR', 'FPR'), siren
    )
    coefficient = [
        (kind, name, s['examples'], s['mean_absolute_error'], s['inside_90'])
        for kind, name, scores in parts
        if (s := scores.get('friction_coefficient'))
    ]
    yield from _table(
        ('data', 'sensors', 'friction coefficients', 'mean absolute error', 'inside 90 %'),
        coefficient,
    )
    recalls = [
        (task, ', '.join(f'{n} {r}' for n, r in zip(t['classes'], t['recalls'], strict=True)))
        for task, t in road.get('photographs', {}).get('camera', {}).get('surface', {}).items()
    ]
    yield from _table(('photographs', 'recall by class'), recalls)
    yield from _drive_tables(manifest)


def _drive_tables(manifest: Mapping[str, Any]) -> Iterator[str]:
    drives = manifest['metrics']['trajectory'].get('drives', {})
    header = (
        'drive', 'samples', 'ADE 6 s (m)', 'minADE of 6 (m)', 'roll-out ADE (m)', 'ratio',
    )  # fmt: skip
    yield from _table(
        header,
        [
            (
                f'{name}, {subset}', t['samples'], t['network']['ade_m'],
                t['network']['min_ade_m'], t['rollout']['ade_m'], t['ratio']['ade_m'],
            )
            for name, subsets in drives.items()
            for subset, t in subsets.items()
            if t['samples']
        ],
    )  # fmt: skip
    trajectory = manifest['calibration']['trajectory']
    held_out = trajectory.get('coverage_held_out', {})
    columns = [trajectory['times_s'].index(time_s) for time_s in (1.0, 3.0, 6.0)]
    yield from _table(
        ('truths inside the 90 % ellipse at', '1 s', '3 s', '6 s'),
        [(name, *(f'{shares[i]:.2f}' for i in columns)) for name, shares in held_out.items()],
    )
    yield f'Trajectory covariance: {trajectory["source"]}.\n'


def _table(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    if rows:
        ruler = '|' + '---|' * len(header)
        yield f'| {" | ".join(header)} |\n{ruler}\n{_rows(rows)}\n'


def _licences(sources: Iterable[Mapping[str, str]]) -> str:
    return '; '.join(source['licence'] for source in sources) or 'not stated'


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    return '\n'.join('| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows)


def _shapes(tensors: Mapping[str, Any]) -> str:
    return ', '.join(
        f'{name} {spec["dtype"]} {"×".join(map(str, spec["shape"]))}'
        for name, spec in tensors.items()
    )
