# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.runtime import Bundle
from mm_fusion.settings import InferenceSettings
from support.bundles import write_tiny_bundle
from support.fake_tensorrt import FakeTensorRt, install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    return install(monkeypatch)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))


@pytest.fixture
def settings(tmp_path: Path) -> InferenceSettings:
    return InferenceSettings(
        backend='tensorrt', precision='fp32', engine_cache=str(tmp_path / 'cache')
    )
