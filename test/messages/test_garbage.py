# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the fields of a message hold, only a SampleError leaves the adapters."""

from __future__ import annotations

import array
import contextlib
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.messages import (
    AudioAdapter,
    camera_model_from_info,
    image_sample,
    odometry_pose,
    position_sample,
    velocity_sample,
)
from mm_fusion.settings import AudioSettings
from mm_fusion.types.sensors import AudioChunk, DropReason
from support.recordings import (
    RECEIVED_NS,
    audio_info,
    camera_info,
    compressed,
    encoded,
    image,
    mgonzs13_audio,
    nav_sat_fix,
    number,
    odometry,
    own_audio,
    pose,
    pose_stamped,
    pose_with_covariance,
    ros_drivers_audio,
    twist_stamped,
    twist_with_covariance,
    velocity_report,
)
from tools.fuzz.checks import check_sample

if TYPE_CHECKING:
    from collections.abc import Callable


def read_audio(msg: Any, received_ns: int) -> AudioChunk:
    adapter = AudioAdapter(AudioSettings())
    adapter.set_info(audio_info())
    return adapter.chunk(msg, received_ns)


def read_odometry(msg: Any, received_ns: int) -> Any:
    return odometry_pose(msg)


def read_camera_info(msg: Any, received_ns: int) -> Any:
    return camera_model_from_info(msg, 90.0)


READERS: list[tuple[Callable[[Any, int], Any], Any]] = [
    (image_sample, image(np.zeros((2, 3, 3), np.uint8), 'rgb8', padding=1)),
    (image_sample, compressed(encoded('.jpg', 8, 8))),
    (image_sample, compressed(encoded('.png', 8, 8))),
    (read_audio, own_audio(bytes(8))),
    (read_audio, ros_drivers_audio(bytes(8))),
    (read_audio, mgonzs13_audio('int16_data', np.zeros(4, np.int16), code=8)),
    (position_sample, nav_sat_fix()),
    (position_sample, pose_stamped(1.0, 2.0)),
    (position_sample, pose(1.0, 2.0)),
    (position_sample, pose_with_covariance(1.0, 2.0, np.eye(6).ravel())),
    (velocity_sample, twist_stamped(1.0)),
    (velocity_sample, twist_with_covariance(1.0, 0.1, np.eye(6).ravel())),
    (velocity_sample, velocity_report(1.0, 0.0, 0.1)),
    (velocity_sample, number(1.0)),
    (read_odometry, odometry(1.0, 2.0, 0.5, 3.0)),
    (read_camera_info, camera_info(640, 360, 420.0)),
]

GARBAGE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=40),
    st.lists(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=2)), max_size=40),
    st.dictionaries(st.integers(), st.integers(), max_size=2),
    st.complex_numbers(),
    st.builds(SimpleNamespace),  # a new one each time: later damage changes it
    st.builds(SimpleNamespace, status=st.none()),
    st.sampled_from(
        [
            array.array('h', [1, 2, 3]),
            np.zeros((2, 2), np.uint8),
            np.zeros(7, np.uint8)[::2],
            np.zeros(36),
            np.zeros(9, object),
            np.float64('nan'),
            object,
        ]
    ),
)


def copied(msg: Any) -> Any:
    """Copy a message into objects that take any value in any field."""
    if not hasattr(msg, '__msgtype__'):
        return msg
    names = [name for name in msg.__dataclass_fields__ if name != '__msgtype__']
    return SimpleNamespace(**{name: copied(getattr(msg, name)) for name in names})


def fields_of(msg: Any) -> list[tuple[Any, str]]:
    """List every field of a copied message with the object that holds it."""
    found = [(msg, name) for name in vars(msg)]
    for value in vars(msg).values():
        if isinstance(value, SimpleNamespace):
            found += fields_of(value)
    return found


@pytest.mark.parametrize(('read', 'msg'), READERS)
def test_the_undamaged_message_is_good(read: Callable[[Any, int], Any], msg: Any) -> None:
    read(copied(msg), RECEIVED_NS)


@settings(deadline=None)
@given(data=st.data())
@pytest.mark.parametrize(('read', 'msg'), READERS)
def test_garbage_in_any_field_gives_a_sample_or_a_sample_error(
    read: Callable[[Any, int], Any], msg: Any, data: st.DataObject
) -> None:
    damaged = copied(msg)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, name = data.draw(st.sampled_from(fields_of(damaged)))
        if data.draw(st.booleans()):
            setattr(holder, name, data.draw(GARBAGE))
        elif hasattr(holder, name):
            delattr(holder, name)
        if not fields_of(damaged):
            break

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # numpy's, of arrays as numbers
        with contextlib.suppress(SampleError):
            check_sample(read(damaged, RECEIVED_NS))


@pytest.mark.parametrize(('read', 'msg'), READERS)
@settings(deadline=None)
@given(garbage=GARBAGE)
def test_garbage_instead_of_a_message_gives_a_sample_error(
    read: Callable[[Any, int], Any], msg: Any, garbage: Any
) -> None:
    with pytest.raises(SampleError):
        read(garbage, RECEIVED_NS)


@pytest.mark.parametrize(
    ('seconds', 'nanoseconds'),
    [(-1, 0), (1, -1), (1, 1_000_000_000), (2**33, 0), (0, -5), (1.5, 0), (None, 0)],
)
def test_a_stamp_that_is_no_time_is_malformed(seconds: Any, nanoseconds: Any) -> None:
    msg = copied(twist_stamped(1.0))
    msg.header.stamp.sec, msg.header.stamp.nanosec = seconds, nanoseconds

    with pytest.raises(SampleError) as caught:
        velocity_sample(msg, RECEIVED_NS)
    assert caught.value.reason is DropReason.MALFORMED
