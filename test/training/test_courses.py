# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The modes of the path find what drivers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.types.features import STEP_S, STEPS

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.training.courses import DrivenSamples

pytestmark = pytest.mark.torch

SPEED_MPS = 8.0


def states(count: int) -> Tensor:
    import torch

    found = torch.zeros(count, 6)
    found[:, 0] = SPEED_MPS
    return found


def driven(accelerations: list[float], weight: float = 1.0) -> DrivenSamples:
    """Straight on from one state, each time with another acceleration that stays."""
    import torch

    from mm_fusion.training.courses import DrivenSamples

    times = STEP_S * torch.arange(1, STEPS + 1)
    ahead = torch.stack([0.5 * a * times**2 for a in accelerations])
    residuals = torch.stack([ahead, torch.zeros_like(ahead)], dim=2)
    return DrivenSamples(states(len(accelerations)), residuals, weight)


def placed(
    samples: list[DrivenSamples], steps: int = 300, seed: int = 0, variation: float = 0.0
) -> KinematicPaths:
    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.training.courses import place_modes

    paths = KinematicPaths()
    told: list[tuple[int, int]] = []
    place_modes(
        paths,
        samples,
        steps,
        lambda done, total: told.append((done, total)),
        seed=seed,
        variation=variation,
    )
    assert told == [(step, steps) for step in range(1, steps + 1)]
    return paths


def nearest_m(paths: KinematicPaths, samples: DrivenSamples) -> list[float]:
    import torch

    with torch.no_grad():
        gaps = (paths(samples.states) - samples.residuals[:, None]).norm(dim=3).mean(dim=2)
    return [float(value) for value in gaps.min(dim=1).values]


def test_each_thing_that_drivers_do_gets_a_mode() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths

    samples = driven([0.9, -0.5, -1.3] * 10)
    paths = placed([samples])
    assert min(nearest_m(KinematicPaths(), samples)) > 0.4
    assert max(nearest_m(paths, samples)) < 0.1
    untouched = state_of(KinematicPaths(), 'central.')
    assert all(
        torch.equal(value, untouched[name]) for name, value in state_of(paths, 'central.').items()
    )
    assert not any(parameter.requires_grad for parameter in paths.others.parameters())


def state_of(paths: KinematicPaths, prefix: str) -> dict[str, Tensor]:
    return {name: value for name, value in paths.state_dict().items() if name.startswith(prefix)}


def test_recordings_count_in_units_of_their_own_roll_out() -> None:
    """Of two that ask for one mode, the calmer one gets it, though it has the lesser weight."""
    import torch
    from torch import nn

    from mm_fusion.training.courses import place_modes

    class OneMode(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.others = nn.ParameterDict(
                {
                    'acceleration': torch.zeros(1),
                    'speed_shifts': torch.zeros(1),
                    'yaw_rate_shifts': torch.zeros(1),
                }
            )

        def forward(self, states: Tensor) -> Tensor:
            ahead = 0.5 * self.others['acceleration'] * times**2
            path = torch.stack([ahead, torch.zeros_like(ahead)], dim=1)
            return path.expand(len(states), 1, STEPS, 2)

    times = STEP_S * torch.arange(1, STEPS + 1)
    for weight, wanted in ((0.4, 0.4), (0.2, 1.2)):
        calm, wild = driven([0.4], weight=weight), driven([1.2], weight=1.0 - weight)
        mode = OneMode()
        place_modes(mode, [calm, wild], 300, lambda *_: None, variation=0.0)  # type: ignore[arg-type]
        found = float(mode.others['acceleration'].detach())
        assert found == pytest.approx(wanted, abs=0.05)


def test_samples_are_gathered_by_recording_with_the_weights_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mm_fusion.training import courses
    from mm_fusion.training.data.mixture import Part
    from support.learning import TinySource

    source = TinySource(12, ('motion',), groups=3)
    parts = [
        Part(source, np.arange(2, 12), 6, varied=False),
        Part(TinySource(4, ('motion',), 'other', groups=1), np.arange(4), 2, varied=False),
    ]
    found = courses.driven_samples(parts, 20)
    assert [len(one.states) for one in found] == [2, 4, 4, 4]
    assert [one.weight for one in found] == pytest.approx([0.15, 0.3, 0.3, 0.25])
    assert found[0].residuals.shape == (2, 12, 2)
    first = source.sample(2, None)
    assert first.motion is not None
    assert found[0].states[0, :3].numpy() == pytest.approx(first.motion[-1])

    monkeypatch.setattr(courses, '_MOST', 5)
    assert sum(len(one.states) for one in courses.driven_samples(parts[:1], 20)) == 5


def test_it_ends_at_the_same_place_each_time() -> None:
    import torch

    from mm_fusion.training.courses import VARIATION

    def of_seed(seed: int) -> dict[str, Tensor]:
        samples = [driven([0.5, -0.5, 0.2, -1.0])]
        return state_of(placed(samples, 20, seed, VARIATION), 'others.')

    first = of_seed(0)
    assert all(torch.equal(value, first[name]) for name, value in of_seed(0).items())
    assert not torch.equal(of_seed(1)['others.speeds'], first['others.speeds'])


def test_modes_come_near_to_what_drivers_did_not_quite_do() -> None:
    """Of one braking that was recorded, harder and gentler ones are learned as well."""
    from mm_fusion.training.courses import VARIATION

    recorded, others = [driven([-1.0] * 60)], driven([-0.6, -0.7, -1.4, -1.6])
    plain, varied = (placed(recorded, variation=each) for each in (0.0, VARIATION))
    assert sum(nearest_m(varied, others)) < 0.7 * sum(nearest_m(plain, others))


def test_they_are_placed_where_drivers_went_wherever_the_central_mode_goes() -> None:
    import torch

    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.training.courses import place_modes

    paths, samples = KinematicPaths(), driven([0.9, -0.5, -1.3] * 10)
    with torch.no_grad():
        paths.central.acceleration[1].fill_(0.5)
    place_modes(paths, [samples], 300, lambda *_: None, variation=0.0)
    assert max(nearest_m(paths, samples)) < 0.1


def test_what_was_driven_varies_about_the_central_mode() -> None:
    """Where the central mode was right, there is nothing to vary."""
    import torch

    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.training.courses import VARIATION, DrivenSamples, place_modes

    found = []
    for variation in (0.0, VARIATION):
        paths = KinematicPaths()
        with torch.no_grad():
            paths.central.acceleration[1].fill_(0.2)
            sample = DrivenSamples(states(40), paths(states(40))[:, 0], 1.0)
        place_modes(paths, [sample], 20, lambda *_: None, variation=variation)
        found.append(paths.state_dict())
    plain, varied = found
    assert all(torch.allclose(value, varied[name], atol=1e-6) for name, value in plain.items())


def test_departures_vary_as_a_whole_and_along_and_aside_apart() -> None:
    import torch

    from mm_fusion.training.courses import varied

    departures = torch.rand(4000, STEPS, 2) + 0.5
    logs = (varied(departures, 0.3, torch.Generator().manual_seed(1)) / departures).log()
    assert torch.allclose(logs, logs[:, :1].expand_as(logs), atol=1e-5)
    along, aside = logs[:, 0].T
    assert float(along.std()) == pytest.approx(0.3, abs=0.02)
    assert float(aside.std()) == pytest.approx(0.3, abs=0.02)
    assert abs(float(torch.corrcoef(logs[:, 0].T)[0, 1])) < 0.06
    assert abs(float(logs.mean())) < 0.02
