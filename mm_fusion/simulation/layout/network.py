# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a scenario to its roads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.layout.alignment import draw_alignment
from mm_fusion.simulation.layout.arms import SideRoads
from mm_fusion.simulation.layout.kinds import (
    LAYOUTS,
    RURAL,
    RURAL_SIDE,
    TOWN,
    TOWN_SIDE,
    motorway_section,
)
from mm_fusion.simulation.layout.surface import surface_profile
from mm_fusion.simulation.roads import Road, RoadNetwork
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    from typing import Literal

    from mm_fusion.simulation.scenario import Scenario


def speed_limit_mps(scenario: Scenario) -> float:
    """Give the speed limit of a scenario, or that of its kind of road."""
    return scenario.road.speed_limit_mps or LAYOUTS[scenario.road.kind].limit_mps


def generate_roads(scenario: Scenario) -> RoadNetwork:
    """Generate the roads of a scenario.

    The drive begins at arc length 0 of the main road, at the map origin; so arc lengths are the
    distances driven that a scenario names. The road is long enough for the whole drive at the
    speed limit, and goes on beyond both of its ends.
    """
    rng = generator(scenario.seed, 'roads')
    kind = cast("Literal['town', 'rural', 'motorway']", scenario.road.kind)
    layout = LAYOUTS[kind]
    crossed = any(emergency.approach == 'crossing' for emergency in scenario.emergencies)
    reach = 1.1 * speed_limit_mps(scenario) * scenario.duration_s + layout.margin_m
    alignment = draw_alignment(kind, -layout.margin_m, reach, crossed, rng)
    course = Course(
        alignment.knots, alignment.start_m, alignment.end_m, float(rng.uniform(-math.pi, math.pi))
    )
    section = {'town': TOWN, 'rural': RURAL}.get(kind) or motorway_section(int(rng.integers(2, 4)))
    begin = scenario.road.tunnel_from_m
    length = scenario.road.tunnel_length_m
    sides = SideRoads(
        course,
        TOWN_SIDE if kind == 'town' else RURAL_SIDE,
        1.0 if crossed else 0.6,
        layout.signal_share,
        rng,
    )
    for meeting in alignment.meetings:
        covered = length and begin - 30.0 < meeting.arc_m < begin + length + 30.0
        if not covered:
            sides.meet(meeting)
    return RoadNetwork(
        main=Road(course, section.lanes, section.marks, section.kerb, section.shoulder_m),
        side_roads=tuple(sides.roads),
        junctions=tuple(sides.junctions),
        tunnels=((begin, begin + length),) if length else (),
        surface=surface_profile(scenario.surface, course.start_m, course.end_m),
        urban=kind == 'town',
    )
