# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from mm_fusion.cli.main import app
from mm_fusion.errors import BackendError, BundleError
from support.bundles import write_tiny_bundle
from support.fake_tensorrt import FakeTensorRt, install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    return install(monkeypatch)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    tiny = write_tiny_bundle(tmp_path / 'tiny', trajectory=True)
    cache, listing = tmp_path / 'cache', tmp_path / 'engines.json'
    return [
        *('build-engines', '--bundle', str(tiny)),
        *('--cache', str(cache), '--json', str(listing)),
    ]


def test_engines_are_built_told_and_listed(
    trt: FakeTensorRt, words: list[str], tmp_path: Path
) -> None:
    for round_number, verb in enumerate(('built', 'cached')):
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0
        assert 'image_encoder at fp32, 1 of 4' in result.stdout
        assert f'fusion: {verb}, ' in result.stdout
        assert 'outputs agree with ONNX Runtime' in result.stdout
        listing = json.loads((tmp_path / 'engines.json').read_text())
        assert (listing['precision'], listing['kept']) == ('fp32', True)
        assert len(listing['engines']) == 4
        for engine in listing['engines']:
            plan = (tmp_path / 'cache' / engine['file']).read_bytes()
            assert len(plan) == engine['bytes']
            assert engine['built'] is (round_number == 0)
            assert engine['gpu'] == 'Fake GPU'
    assert trt.builds == 4


def test_engines_that_drift_are_refused(trt: FakeTensorRt, words: list[str]) -> None:
    trt.drift = 0.1
    with pytest.raises(BackendError, match=r'image_embedding is off by 0\.1'):
        CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.mark.usefixtures('trt')
def test_a_precision_that_the_bundle_does_not_accept_is_refused(words: list[str]) -> None:
    with pytest.raises(BundleError, match='precisions: int8'):
        CliRunner().invoke(app, [*words, '--precision', 'int8'], catch_exceptions=False)
