# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What distinguishes a town street, a country road and a motorway."""

from __future__ import annotations

from dataclasses import dataclass

from mm_fusion.simulation.roads import Lane, Mark


@dataclass(frozen=True, slots=True)
class Layout:
    """Ranges (lowest, highest) that the geometry of a kind of road is drawn from.

    Attributes:
        limit_mps: Speed limit where the scenario gives none.
        straight_m: Length of a straight.
        bend_share: Share of the streets that bend between two junctions.
        bend_rad: Angle of a bend.
        bend_radius_m: Its smallest radius.
        heading_max_rad: Bends keep the heading within this of the first.
        junction_spacing_m: Least distance between junctions; None: there are none.
        crossing_spacing_m: The same where the scenario needs a road that crosses.
        turn_share: Share of the junctions at which the main road turns.
        turn_radius_m: Smallest radius of such a turn.
        signal_share: Share of the crossings that have traffic lights.
        margin_m: Length of the road beyond the drive, at both ends.
    """

    limit_mps: float
    straight_m: tuple[float, float]
    bend_share: float
    bend_rad: tuple[float, float]
    bend_radius_m: tuple[float, float]
    heading_max_rad: float
    junction_spacing_m: tuple[float, float] | None
    crossing_spacing_m: tuple[float, float] | None
    turn_share: float
    turn_radius_m: tuple[float, float]
    signal_share: float
    margin_m: float


LAYOUTS = {
    'town': Layout(
        limit_mps=13.9,
        straight_m=(20.0, 60.0),
        bend_share=0.5,
        bend_rad=(0.1, 0.5),
        bend_radius_m=(60.0, 200.0),
        heading_max_rad=1.5,
        junction_spacing_m=(60.0, 110.0),
        crossing_spacing_m=(40.0, 60.0),
        turn_share=0.4,
        turn_radius_m=(15.0, 21.0),
        signal_share=0.65,
        margin_m=450.0,
    ),
    'rural': Layout(
        limit_mps=27.8,
        straight_m=(15.0, 220.0),
        bend_share=1.0,
        bend_rad=(0.12, 0.8),
        bend_radius_m=(90.0, 420.0),
        heading_max_rad=1.2,
        junction_spacing_m=(350.0, 800.0),
        crossing_spacing_m=(60.0, 90.0),
        turn_share=0.0,
        turn_radius_m=(30.0, 40.0),
        signal_share=0.0,
        margin_m=600.0,
    ),
    'motorway': Layout(
        limit_mps=36.1,
        straight_m=(50.0, 500.0),
        bend_share=1.0,
        bend_rad=(0.08, 0.45),
        bend_radius_m=(700.0, 2500.0),
        heading_max_rad=0.8,
        junction_spacing_m=None,
        crossing_spacing_m=None,
        turn_share=0.0,
        turn_radius_m=(0.0, 0.0),
        signal_share=0.0,
        margin_m=700.0,
    ),
}


@dataclass(frozen=True, slots=True)
class CrossSection:
    """Lanes, marks and edges; the fields are those of ``roads.Road``."""

    lanes: tuple[Lane, ...]
    marks: tuple[tuple[float, Mark], ...]
    kerb: bool
    shoulder_m: float


def two_lanes(width_m: float, kerb: bool, edge_lines: bool, shoulder_m: float) -> CrossSection:
    """Make the cross-section of a road with one lane each way."""
    edge = width_m - 0.12
    centre: tuple[tuple[float, Mark], ...] = ((0.0, 'dashed'),)
    marks = ((-edge, 'solid'), *centre, (edge, 'solid')) if edge_lines else centre
    lanes = (Lane(-width_m / 2, width_m, 1), Lane(width_m / 2, width_m, -1))
    return CrossSection(lanes, marks, kerb, shoulder_m)


def motorway_section(lanes_each_way: int) -> CrossSection:
    """Make the cross-section of a motorway; the course runs in the middle between its halves."""
    width, median, shoulder = 3.75, 1.9, 2.5
    centres = [median + width * (index + 0.5) for index in range(lanes_each_way)]
    lanes = [Lane(-left, width, 1) for left in reversed(centres)]
    lanes += [Lane(left, width, -1) for left in centres]
    lines: list[tuple[float, Mark]] = [(median + 0.1, 'solid')]
    lines += [(median + width * index, 'dashed') for index in range(1, lanes_each_way)]
    lines += [(median + width * lanes_each_way - 0.1, 'solid')]
    marks = [(-left, kind) for left, kind in reversed(lines)] + lines
    return CrossSection(tuple(lanes), tuple(marks), kerb=False, shoulder_m=shoulder)


TOWN = two_lanes(3.5, kerb=True, edge_lines=False, shoulder_m=0.9)
RURAL = two_lanes(3.5, kerb=False, edge_lines=True, shoulder_m=0.75)
TOWN_SIDE = two_lanes(3.25, kerb=True, edge_lines=False, shoulder_m=0.3)
RURAL_SIDE = two_lanes(3.0, kerb=False, edge_lines=False, shoulder_m=0.4)
