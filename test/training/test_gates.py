# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Gates learn which modality speaks to which task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch


def test_gates_trust_who_knows_and_distrust_age(tmp_path: Path) -> None:
    import torch

    from mm_fusion.models.heads import TaskHeads
    from mm_fusion.training.gates import Embedded, assemble, train_gates
    from mm_fusion.training.loop import Schedule

    torch.manual_seed(0)
    friction = torch.randint(6, (200,))
    siren = torch.randint(2, (200,))
    images = torch.nn.functional.one_hot(friction, 6).float()
    sounds = torch.nn.functional.one_hot(siren, 2).float()
    camera, microphone = TaskHeads(6), TaskHeads(2)
    with torch.no_grad():
        for heads, task, weight in (
            (camera, 'friction', 6.0 * torch.eye(6)),
            (microphone, 'siren', torch.tensor([[-4.0, 4.0]])),
        ):
            heads.load_state_dict({f'tasks.{task}.weight': weight}, strict=False)
    fusion = assemble({'camera': camera, 'microphone': microphone})
    train_gates(
        fusion,
        {
            'camera': Embedded(images, {'friction': friction}),
            'microphone': Embedded(sounds, {'siren': siren}),
        },
        Schedule(6, 2e-2, 0.0, 0.9),
        seed=0,
        checkpoint=tmp_path / 'a.safetensors',
        progress=lambda *_: None,
    )
    presence = torch.tensor([[1.0, 1.0, 0.0]])

    def friction_logits(age_s: float) -> torch.Tensor:
        with torch.no_grad():
            outputs: dict[str, torch.Tensor] = fusion(
                {'camera': images[:1], 'microphone': sounds[:1]},
                presence,
                torch.tensor([[age_s, 0.0, 0.0]]),
            )
        return outputs['friction'][0]

    fresh, stale = friction_logits(0.0), friction_logits(4.0)
    assert int(fresh.argmax()) == int(friction[0])
    assert float(fresh.max()) > 4.5  # of the 6 that the camera's head alone gives
    assert float(stale.max()) < 0.5 * float(fresh.max())
    for name, value in camera.state_dict().items():
        assert torch.equal(fusion.heads['camera'].state_dict()[name], value)
