# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mm_fusion
from mm_fusion.errors import MmFusionError
from mm_fusion.resources import config_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize('layout', ['source', 'ament', 'prefix'])
def test_configuration_is_found_in_the_source_tree_and_where_it_is_installed(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / 'lib' / 'python3.10' / 'site-packages' / 'mm_fusion'
    place = {
        'source': package.parent,
        'ament': tmp_path / 'workspace' / 'share' / 'mm_fusion',
        'prefix': tmp_path / 'share' / 'mm_fusion',
    }[layout]
    monkeypatch.setattr(mm_fusion, '__file__', str(package / '__init__.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path / "workspace"}')
    with pytest.raises(MmFusionError, match=r'config/scenarios: not found in .*/nowhere'):
        config_path('scenarios')

    (place / 'config' / 'scenarios').mkdir(parents=True)

    assert config_path('scenarios') == place / 'config' / 'scenarios'
