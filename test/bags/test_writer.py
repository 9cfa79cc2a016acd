# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fusion.bags import BagWriter, known_types, read_bag
from mm_fusion.errors import BagError
from support.recordings import STAMP_NS, nav_sat_fix, number, twist_stamped

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / 'mm_fusion/bags/definitions'


def test_the_types_of_the_store_make_messages(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        message = bag.types['std_msgs/msg/Float32'](data=2.5)
        bag.write('/velocity', message, STAMP_NS)

    with read_bag(tmp_path / 'bag') as reader:
        (event,) = reader.events()
    assert event.role == 'velocity'
    assert event.received_ns == STAMP_NS


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='exists already'):
        BagWriter(tmp_path)


def test_a_topic_has_one_type(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write('/velocity', number(1.0), STAMP_NS)
        with pytest.raises(BagError, match=r'/velocity: found a geometry_msgs/msg/TwistStamped'):
            bag.write('/velocity', twist_stamped(1.0), STAMP_NS)


def write_half(path: Path) -> None:
    with BagWriter(path) as bag:
        bag.write('/fix', nav_sat_fix(), STAMP_NS)
        raise RuntimeError('in the middle')


def test_an_exception_leaves_a_recording_without_metadata(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match='in the middle'):
        write_half(tmp_path / 'bag')

    with pytest.raises(BagError, match=r'no metadata\.yaml'):
        read_bag(tmp_path / 'bag')


def test_the_shipped_definitions_are_those_of_the_interface_package() -> None:
    interfaces = {
        path.name: path.read_text() for path in (ROOT / 'mm_fusion_msgs/msg').glob('*.msg')
    }
    shipped = {
        path.name: path.read_text() for path in (SHIPPED / 'mm_fusion_msgs/msg').glob('*.msg')
    }

    assert interfaces
    assert shipped == interfaces


@pytest.mark.parametrize(
    ('name', 'digest'),
    [
        (
            'AudioDataStamped',
            'RIHS01_6fc679d5a868ed68e4d301f1ef42abecc86140afb57d255656ff2d9e476ea9e3',
        ),
        (
            'AudioInfo',
            'RIHS01_b3494d204e513d2cceefae1888e5be3da7c8c8ca31eb277f7b5b62f364bcb1fb',
        ),
    ],
)
def test_the_shipped_definitions_have_the_hashes_of_the_real_ones(name: str, digest: str) -> None:
    assert known_types().hash_rihs01(f'audio_common_msgs/msg/{name}') == digest
