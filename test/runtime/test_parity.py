# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import BackendError
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
from mm_fusion.runtime.parity import check_parity
from support.accepted import accepting
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


class Altered(OnnxRuntimeBackend):
    """ONNX Runtime with one output off."""

    wrong = ''
    off = 0.0
    only_without: int | None = None
    runs = 0

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        outputs = super().run(stage, inputs)
        self.runs += 1
        absent = self.only_without is None or (
            'presence' in inputs and inputs['presence'][0, self.only_without] == 0
        )
        if self.wrong in outputs and absent:
            outputs[self.wrong] = outputs[self.wrong] + np.float32(self.off)
        return outputs


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))


def backend(bundle: Bundle) -> Altered:
    return Altered(bundle, threads=1, reason='')


def test_equal_backends_agree_on_every_output(bundle: Bundle) -> None:
    judged = backend(bundle)
    found = check_parity(judged, backend(bundle), bundle.manifest, 'fp32')
    stages = bundle.manifest.stages.values()
    assert found.keys() == {name for stage in stages for name in stage.outputs}
    assert set(found.values()) == {0.0}
    assert judged.runs == 3 * (3 + 8)


@pytest.mark.parametrize('off', [0.05, float('nan')])
@pytest.mark.parametrize('output', ['motion_embedding', 'siren_logit', 'trajectory'])
def test_one_output_that_is_off_is_named(bundle: Bundle, output: str, off: float) -> None:
    judged = backend(bundle)
    judged.wrong, judged.off = output, off
    with pytest.raises(BackendError, match=f'{output} is off by'):
        check_parity(judged, backend(bundle), bundle.manifest, 'fp32')


def test_a_difference_with_one_modality_missing_is_found(bundle: Bundle) -> None:
    judged = backend(bundle)
    judged.wrong, judged.off, judged.only_without = 'siren_logit', 1.0, 2
    with pytest.raises(BackendError, match='siren_logit is off by 1'):
        check_parity(judged, backend(bundle), bundle.manifest, 'fp32')


def test_rounding_is_allowed(bundle: Bundle) -> None:
    judged = backend(bundle)
    judged.wrong, judged.off = 'siren_logit', 5e-4
    assert check_parity(judged, backend(bundle), bundle.manifest, 'fp32')['siren_logit'] > 0


def test_what_the_manifest_does_not_accept_has_no_bound(bundle: Bundle) -> None:
    with pytest.raises(BackendError, match='the manifest accepts no difference at fp16'):
        check_parity(backend(bundle), backend(bundle), bundle.manifest, 'fp16')


def test_a_stage_that_a_precision_leaves_alone_may_still_be_rounded(bundle: Bundle) -> None:
    accepted = accepting(bundle, 'int8', bound=0.0).manifest
    judged = backend(bundle)
    judged.wrong, judged.off = 'motion_embedding', 5e-4
    check_parity(judged, backend(bundle), accepted, 'int8')
    judged.off = 0.05
    with pytest.raises(BackendError, match='motion_embedding is off by'):
        check_parity(judged, backend(bundle), accepted, 'int8')
