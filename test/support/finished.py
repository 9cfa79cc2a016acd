# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a finished run leaves, of a tiny network that was never trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FRICTION_TABLE = Path(__file__).parents[2] / 'config' / 'friction_coefficients.yaml'
_SIREN = {
    'examples': 30, 'roc_auc': 0.99, 'threshold': 0.4, 'true_positive_rate': 0.95,
    'false_positive_rate': 0.02,
}  # fmt: skip
_FRICTION = {
    'examples': 20, 'accuracy': 0.9, 'uar': 0.8, 'ece': 0.02, 'classes': ['dry', 'wet'],
    'recalls': [0.8, None],
}  # fmt: skip
_COEFFICIENT = {'examples': 40, 'mean_absolute_error': 0.05, 'inside_90': 0.91}
_PATH = {
    'samples': 50,
    'network': {'ade_m': 2.0, 'min_ade_m': 1.0},
    'rollout': {'ade_m': 4.0},
    'ratio': {'ade_m': 0.5},
}
_METRICS = {
    'protocol': 'Made up.',
    'road_state': {
        'photographs': {'camera': {'samples': 20, 'surface': {'friction': _FRICTION}}},
        'sounds': {'microphone': {'samples': 30, 'siren': _SIREN}},
        'bags': {'camera+motion': {'samples': 40, 'friction_coefficient': _COEFFICIENT}},
    },
    'trajectory': {'drives': {'drive': {'all': _PATH, 'turning': {'samples': 0}}}},
}


def write_run(folder: Path, kinds: Sequence[str]) -> Path:
    """Write a run, and one fold of it, that learned from labels of some kinds of data."""
    from mm_fusion.models.network import build_network
    from mm_fusion.training.calibration import calibrate
    from mm_fusion.training.checkpoint import AVERAGE, BEST, save_checkpoint
    from mm_fusion.training.config import CalibrationConfig
    from support.learning import NETWORK

    network = build_network(NETWORK, pretrained=False)
    tensors = {AVERAGE + name: value for name, value in network.state_dict().items()}
    git = {'commit': '0' * 40, 'changed': False}
    for place in (folder / 'fold0', folder):
        save_checkpoint(
            place / BEST, tensors, {'network': NETWORK.to_dict(), 'git': git, 'epoch': 2}
        )
    calibration = calibrate([], CalibrationConfig(), None)
    calibration['trajectory']['coverage_held_out'] = {'drive': [0.91] * 5 + [0.92] * 6 + [0.93]}
    about = {
        'command': 'mm_fusion train --of the-test',
        'seed': 3,
        'sources': {'roads': [{'name': 'Photographs of the test', 'licence': 'CC0'}]},
        'limits': ['Colours are no roads.'],
        'data': [
            {'name': k, 'samples': 9, 'learned_from': 7, 'road_labels': True, 'sha256': '0' * 64}
            for k in kinds
        ],
    }
    for name, content in (('calibration', calibration), ('metrics', _METRICS), ('run', about)):
        (folder / f'{name}.json').write_text(json.dumps(content), encoding='utf-8')
    return folder
