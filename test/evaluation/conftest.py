# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.runtime import Bundle
from mm_fusion.settings import Settings
from support.bundles import write_tiny_bundle
from support.drives import write_circle

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.evaluation.records import BagResult


@pytest.fixture(scope='session')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny'))


@pytest.fixture(scope='session')
def circle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_circle(tmp_path_factory.mktemp('drives') / 'circle')


@pytest.fixture(scope='session')
def result(circle: Path, bundle: Bundle) -> BagResult:
    return evaluate_bag(circle, bundle, Settings(), frames=3)
