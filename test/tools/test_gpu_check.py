# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bundles import write_tiny_bundle
from support.fake_tensorrt import FakeTensorRt, install
from tools import gpu_check

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    monkeypatch.setenv('COLUMNS', '250')
    return install(monkeypatch)


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    return str(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))


def row(text: str, precision: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f'│ {precision} ')]
    return [cell.strip() for cell in line.strip('│').split('│')]


def test_the_table_says_everything(
    trt: FakeTensorRt, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu_check.main([tiny, '--runs', '3']) == 0
    output = capsys.readouterr().out
    assert 'TensorRT 10.3.0, CUDA 12.6, Fake GPU (8.7); bundle tiny 0.0.1' in output
    cells = row(output, 'fp32')
    assert len(cells) == len(gpu_check.COLUMNS)
    assert cells[3].startswith('0 (')
    assert all(float(cell) >= 0 for cell in cells[1:3])
    assert all('/' in cell for cell in cells[4:])
    assert 'fp32, no graphs: TensorRT 10.3.0 on Fake GPU, engines built: 0 of 4' in output
    assert row(output, 'int8')[1].startswith('refused:')
    assert trt.torch.cuda.refusals == []
    assert trt.builds == 4


def test_a_failure_is_in_the_table_and_in_the_status(
    trt: FakeTensorRt, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trt.drift = 0.1
    assert gpu_check.main([tiny, '--runs', '3']) == 1
    assert row(capsys.readouterr().out, 'fp32')[1].startswith('FAILED: tensorrt: image_encoder')


def test_without_a_gpu_nothing_is_checked(
    trt: FakeTensorRt, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trt.torch.cuda.available = False
    assert gpu_check.main([tiny]) == 1
    assert 'nothing was checked: TensorRT needs an NVIDIA GPU' in capsys.readouterr().out
