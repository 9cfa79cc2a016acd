# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists of surrounding objects, read by field names from what simulators and tools publish.

Three layouts are read: ``visualization_msgs/MarkerArray``, ``derived_object_msgs/ObjectArray`` of
CARLA's bridge, and the tracked and predicted objects of Autoware (detected ones have no identity
by which they could be followed). Nothing of ROS is imported here.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mm_fusion.messages.fields import finite, guarded, header_of, unsupported, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.simulation.world import Siren, VehicleKind

OBJECT_TYPES = (
    'derived_object_msgs/msg/ObjectArray',
    'autoware_perception_msgs/msg/PredictedObjects',
    'autoware_perception_msgs/msg/TrackedObjects',
    'visualization_msgs/msg/MarkerArray',
)
"""Types of the topic of objects, the preferred first."""

_FARTHEST_M = 1e9

_ADD, _DELETE, _DELETE_ALL = 0, 2, 3
_BODIES = frozenset({1, 2, 3, 10})
"""Cube, sphere, cylinder, mesh."""

_TEXT = 9
_SIREN = 'siren'

_DERIVED_KINDS: dict[int, VehicleKind] = {0: 'car', 6: 'car', 7: 'truck', 8: 'car', 9: 'car'}
_AUTOWARE_KINDS: dict[int, VehicleKind] = {
    0: 'car', 1: 'car', 2: 'truck', 3: 'bus', 4: 'truck', 5: 'car',
}  # fmt: skip
"""Classifications that drive; people and bicycles are not heard."""


@dataclass(frozen=True, slots=True)
class HeardObject:
    """A vehicle that may be heard.

    Attributes:
        number: The same one has the same number in each list.
        kind: What it is.
        x_m: In the frame of the list.
        y_m: In the frame of the list.
        heading_rad: Counter-clockwise from x of that frame.
        siren: The siren that is named; None where none is.
    """

    number: int
    kind: VehicleKind
    x_m: float
    y_m: float
    heading_rad: float
    siren: Siren | None = None


@dataclass(frozen=True, slots=True)
class ObjectList:
    """Objects at one time.

    Attributes:
        stamp_ns: Time of validity.
        frame_id: Frame of the positions.
        objects: Those that are told.
        complete: Whether objects that are not told are gone.
        deleted: Numbers of those that are told to be gone.
    """

    stamp_ns: int
    frame_id: str
    objects: tuple[HeardObject, ...]
    complete: bool
    deleted: frozenset[int] = frozenset()


@guarded
def object_list(msg: Any, received_ns: int, siren: Siren, siren_ids: frozenset[int]) -> ObjectList:
    """Read a list of objects.

    Markers are vehicles where they are bodies (cubes, spheres, cylinders, meshes), and where
    their text or namespace contains ``siren``, which then sounds; a text or namespace that names
    ``wail``, ``yelp`` or ``two_tone`` chooses it. Objects of the other layouts sound theirs where
    their number is in ``siren_ids``.

    Args:
        msg: The message.
        received_ns: Time of arrival, which stamps markers without a time.
        siren: The sound of a siren that is not named.
        siren_ids: Numbers of objects whose siren sounds.

    Raises:
        SampleError: The message cannot be used.
    """
    if hasattr(msg, 'markers'):
        return _from_markers(msg.markers, received_ns, siren)
    if not hasattr(msg, 'objects'):
        raise unsupported(msg, f'one of {", ".join(OBJECT_TYPES)}')
    stamp_ns, frame = header_of(msg)
    found = []
    for item in msg.objects:
        vehicle = _autoware(item) if hasattr(item, 'kinematics') else _derived(item)
        if vehicle is not None:
            sounding = siren if vehicle.number in siren_ids else None
            found.append(_with_siren(vehicle, sounding))
    return ObjectList(stamp_ns, frame, tuple(found), complete=True)


def _from_markers(markers: Any, received_ns: int, siren: Siren) -> ObjectList:
    found: list[HeardObject] = []
    deleted: set[int] = set()
    stamp_ns, frame, complete = received_ns, '', False
    for marker in markers:
        number = zlib.crc32(f'{marker.ns}/{marker.id}'.encode())
        if marker.action == _DELETE_ALL:
            found.clear()
            complete = True
        elif marker.action == _DELETE:
            deleted.add(number)
        elif marker.action == _ADD:
            label = f'{marker.ns} {marker.text}'.lower()
            if marker.type in _BODIES or (marker.type == _TEXT and _SIREN in label):
                named = _named_siren(label, siren) if _SIREN in label else None
                kind: VehicleKind = 'truck' if 'truck' in label or 'bus' in label else 'car'
                found.append(_with_siren(_placed(number, kind, marker.pose), named))
                frame = marker.header.frame_id
                if marker.header.stamp.sec or marker.header.stamp.nanosec:
                    stamp_ns, frame = header_of(marker)
    return ObjectList(stamp_ns, frame, tuple(found), complete, frozenset(deleted))


def _derived(item: Any) -> HeardObject | None:
    kind = _DERIVED_KINDS.get(whole('classification', item.classification, 0, 255))
    return None if kind is None else _placed(int(item.id), kind, item.pose)


def _autoware(item: Any) -> HeardObject | None:
    labels = [entry.label for entry in _by_probability(item.classification)]
    kind = _AUTOWARE_KINDS.get(int(labels[0]) if labels else 0)
    if kind is None:
        return None
    kinematics = item.kinematics
    posed = getattr(kinematics, 'initial_pose_with_covariance', None)
    posed = kinematics.pose_with_covariance if posed is None else posed
    number = zlib.crc32(bytes(bytearray(item.object_id.uuid)))
    return _placed(number, kind, posed.pose)


def _by_probability(classification: Any) -> Iterator[Any]:
    return iter(sorted(classification, key=lambda entry: -float(entry.probability)))


def _placed(number: int, kind: VehicleKind, pose: Any) -> HeardObject:
    position, turn = pose.position, pose.orientation
    x, y, z, w = (finite('orientation', getattr(turn, axis), 2.0) for axis in 'xyzw')
    return HeardObject(
        number,
        kind,
        finite('position x', position.x, _FARTHEST_M),
        finite('position y', position.y, _FARTHEST_M),
        math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    )


def _with_siren(vehicle: HeardObject, siren: Siren | None) -> HeardObject:
    if siren is None:
        return vehicle
    return HeardObject(
        vehicle.number, 'ambulance', vehicle.x_m, vehicle.y_m, vehicle.heading_rad, siren
    )


def _named_siren(label: str, siren: Siren) -> Siren:
    names: tuple[Siren, ...] = ('wail', 'yelp', 'two_tone')
    return next((name for name in names if name in label), siren)
