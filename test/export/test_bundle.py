# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a finished run to a bundle that loads, judges, and can be trained further."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mm_fusion.errors import BundleError
from support.finished import FRICTION_TABLE, write_run

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.torch


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    from mm_fusion.export.bundle import write_bundle
    from mm_fusion.export.graphs import export_stages
    from mm_fusion.training.manifest import read_run

    folder = tmp_path_factory.mktemp('bundle')
    write_run(folder / 'run', ('photographs', 'bags'))
    finished = read_run(folder / 'run', 'mine', FRICTION_TABLE)
    graphs = export_stages(finished.network)
    manifest = write_bundle(folder / 'mine', graphs, finished.weights, finished.manifest)
    return folder / 'mine', manifest


def test_it_loads_and_says_what_torch_says(bundle: tuple[Path, dict[str, Any]]) -> None:
    from mm_fusion.runtime import Bundle

    loaded = Bundle.load(bundle[0])
    assert loaded.manifest.name == 'mine'
    assert set(loaded.manifest.stages) == {
        'image_encoder', 'audio_encoder', 'motion_encoder', 'fusion',
    }  # fmt: skip
    assert loaded.manifest.gives('trajectory')
    assert loaded.manifest.surface_from == ('camera', 'microphone')
    assert str(Path.cwd()) not in (bundle[0] / 'manifest.json').read_text()


def test_training_goes_on_from_it(bundle: tuple[Path, dict[str, Any]]) -> None:
    from mm_fusion.training.checkpoint import load_start
    from mm_fusion.training.manifest import read_run

    start = load_start(str(bundle[0]))
    exported = read_run(bundle[0].parent / 'run', 'mine', FRICTION_TABLE).network
    for name, value in exported.state_dict().items():
        found = start.network.state_dict()[name]
        assert found.numpy() == pytest.approx(value.numpy(), rel=1e-3, abs=1e-6), name
    assert start.calibration is not None
    assert start.calibration['siren_threshold'] == 0.5
    assert start.name == f'bundle mine {bundle[1]["version"]}'


def test_other_classes_and_altered_weights_are_refused(
    bundle: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    from mm_fusion.training.checkpoint import load_start

    for path in bundle[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((tmp_path / 'manifest.json').read_text())
    manifest['classes']['material'] = ['asphalt', 'sand']
    (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"material: found \['asphalt', 'sand'\]"):
        load_start(str(tmp_path))
    (tmp_path / 'manifest.json').write_bytes((bundle[0] / 'manifest.json').read_bytes())
    content = bytearray((tmp_path / 'weights.safetensors').read_bytes())
    content[-1] ^= 1
    (tmp_path / 'weights.safetensors').write_bytes(bytes(content))
    with pytest.raises(BundleError, match=r'weights\.safetensors: found sha256'):
        load_start(str(tmp_path))


def test_what_a_reader_would_refuse_is_not_written(
    bundle: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    from mm_fusion.export.bundle import write_bundle

    with pytest.raises(BundleError, match='stages'):
        write_bundle(tmp_path / 'none', {}, b'', bundle[1])
    assert not (tmp_path / 'none').exists()


def test_the_card_shows_scores_sources_and_limits(bundle: tuple[Path, dict[str, Any]]) -> None:
    from mm_fusion.export.card import model_card

    card = model_card(bundle[1])
    for part in (
        'photographs | camera | friction | 20 | 0.9 | 0.8 | 0.02',
        'sounds | microphone | 30 | 0.99 | 0.4 | 0.95 | 0.02',
        'bags | camera+motion | 40 | 0.05 | 0.91',
        'drive, all | 50 | 2.0 | 1.0 | 4.0 | 0.5',
        'drive | 0.91 | 0.92 | 0.93',
        'friction | dry 0.8, wet None',
        'Photographs of the test (CC0)',
        '- Colours are no roads.',
        'mm_fusion train --of the-test',
    ):
        assert part in card
    assert 'turning' not in card  # nothing turned
    assert (bundle[0] / 'MODEL_CARD.md').read_text(encoding='utf-8') == card
