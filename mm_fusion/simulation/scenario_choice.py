# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The scenario that a user names, with what the user changes of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mm_fusion.errors import ScenarioError
from mm_fusion.simulation.scenario_file import load_scenario
from mm_fusion.simulation.scenario_generator import random_scenario

if TYPE_CHECKING:
    from mm_fusion.simulation.scenario import Scenario

RANDOM = 'random'


def choose_scenario(
    name: str,
    seed: int | None = None,
    duration_s: float | None = None,
    road: str | None = None,
) -> Scenario:
    """Read or draw a scenario.

    Args:
        name: As for ``load_scenario``, or ``random`` for one drawn from the seed.
        seed: Replaces that of the scenario; of a drawn one it is 0 by default.
        duration_s: Replaces that of the scenario.
        road: Kind of road of one that is drawn.

    Raises:
        ScenarioError: There is no such scenario, or something in it is refused; or a road is
            asked for of one that is not drawn.
    """
    if name != RANDOM:
        if road is not None:
            raise ScenarioError(
                f'road: found {road!r} for the scenario {name!r}, expected it with {RANDOM!r} '
                'alone: a scenario says on which road it is'
            )
        scenario = load_scenario(name, seed)
        return (
            scenario
            if duration_s is None
            else dataclasses.replace(scenario, duration_s=duration_s)
        )
    if duration_s is None:
        return random_scenario(seed or 0, road=road)
    return random_scenario(seed or 0, duration_s=duration_s, road=road)
