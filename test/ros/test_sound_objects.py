# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists of objects of every layout are read by their fields."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mm_fusion.errors import SampleError
from mm_fusion.ros.sound_objects import ObjectList, object_list
from mm_fusion.types.sensors import DropReason
from support.sound_messages import (
    SECOND_NS,
    derived_objects,
    header,
    marker,
    pose,
    predicted_object,
)

NOW_NS = 5 * SECOND_NS


def read(msg: Any, siren_ids: frozenset[int] = frozenset()) -> ObjectList:
    return object_list(msg, NOW_NS, 'two_tone', siren_ids)


def markers(*items: SimpleNamespace) -> ObjectList:
    return read(SimpleNamespace(markers=list(items)))


def test_objects_of_carla_have_their_own_numbers_and_sirens_by_number() -> None:
    found = read(derived_objects(SECOND_NS, (7, 10.0, 2.0), (8, 20.0, 3.0)), frozenset({8}))

    assert (found.stamp_ns, found.frame_id, found.complete) == (SECOND_NS, 'map', True)
    assert [(o.number, o.kind, o.x_m, o.y_m) for o in found.objects] == [
        (7, 'car', 10.0, 2.0),
        (8, 'ambulance', 20.0, 3.0),
    ]
    assert [o.siren for o in found.objects] == [None, 'two_tone']


@pytest.mark.parametrize(
    ('classification', 'kinds'), [(4, []), (5, []), (6, ['car']), (7, ['truck']), (8, ['car'])]
)
def test_people_and_bicycles_are_not_heard(classification: int, kinds: list[str]) -> None:
    msg = derived_objects(SECOND_NS, (7, 10.0, 2.0), classification=classification)

    assert [o.kind for o in read(msg).objects] == kinds


@pytest.mark.parametrize('tracked', [False, True])
def test_objects_of_autoware_are_what_they_most_probably_are(*, tracked: bool) -> None:
    items = [
        predicted_object(1, 2, 10.0, tracked=tracked),
        predicted_object(2, 6, 20.0, tracked=tracked),
        predicted_object(3, 3, 30.0, tracked=tracked),
    ]

    found = read(SimpleNamespace(header=header(SECOND_NS, 'map'), objects=items))

    assert [(o.kind, o.x_m) for o in found.objects] == [('truck', 10.0), ('bus', 30.0)]
    assert len({o.number for o in found.objects}) == 2


def test_markers_are_vehicles_where_they_are_bodies_or_name_a_siren() -> None:
    found = markers(
        marker(1, 10.0),
        marker(2, 20.0, ns='Trucks'),
        marker(3, 30.0, type=9, text='speed 3'),
        marker(4, 40.0, type=9, text='Siren: wail'),
        marker(5, 50.0, ns='siren'),
        marker(6, 60.0, type=4),
    )

    assert [(o.x_m, o.kind, o.siren) for o in found.objects] == [
        (10.0, 'car', None),
        (20.0, 'truck', None),
        (40.0, 'ambulance', 'wail'),
        (50.0, 'ambulance', 'two_tone'),
    ]
    assert (found.stamp_ns, found.frame_id, found.complete) == (SECOND_NS, 'map', False)


def test_markers_without_a_time_are_stamped_on_arrival() -> None:
    found = markers(marker(1, 10.0, header=header(0, 'odom')))

    assert (found.stamp_ns, found.frame_id) == (NOW_NS, 'odom')


def test_markers_are_deleted_one_by_one_or_all_at_once() -> None:
    first = markers(marker(1, 10.0)).objects[0].number

    assert markers(marker(1, 0.0, action=2)).deleted == frozenset({first})
    everything = markers(marker(9, 1.0), marker(0, 0.0, action=3), marker(2, 20.0))
    assert everything.complete
    assert [o.x_m for o in everything.objects] == [20.0]


@pytest.mark.parametrize(
    ('msg', 'reason'),
    [
        (SimpleNamespace(data=[1]), DropReason.UNSUPPORTED),
        (derived_objects(0, (7, 1.0, 2.0)), DropReason.ZERO_STAMP),
        (derived_objects(SECOND_NS, (7, float('nan'), 2.0)), DropReason.NOT_FINITE),
        (
            SimpleNamespace(
                header=header(SECOND_NS, 'map'),
                objects=[SimpleNamespace(id=1, classification='car', pose=pose(1, 2))],
            ),
            DropReason.MALFORMED,
        ),
    ],
)
def test_bad_lists_are_refused_by_name(msg: Any, reason: DropReason) -> None:
    with pytest.raises(SampleError) as caught:
        read(msg)

    assert caught.value.reason == reason
