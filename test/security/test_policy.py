# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The SROS 2 policy allows what the node does, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip('rclpy')

from mm_fusion.ros.inputs import AUDIO_INFO, MODALITIES
from support.bundles import write_tiny_bundle
from support.ros_graph import Car, Graph, topics_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.ros

POLICY = Path(__file__).resolve().parents[2] / 'config' / 'sros2' / 'fusion.policy.xml'
NODE = '/mm_fusion'
CAMERA = ('/camera_info', '/tf_static')

LISTS = {'topics': ('topic', ('publish', 'subscribe')), 'services': ('service', ('reply',))}
"""Elements of the policy's schema that are used: element of the list, attributes."""


def profile() -> ET.Element:
    root = ET.parse(POLICY).getroot()  # noqa: S314  # a file of this repository
    assert (root.tag, root.attrib) == ('policy', {'version': '0.2.0'})
    found = root.findall('enclaves/enclave/profiles/profile')
    assert len(found) == 1
    return found[0]


def allowed(kind: str, what: str) -> set[str]:
    """Give the full names of what the policy allows, as SROS 2 resolves them."""
    names = {
        str(item.text).strip()
        for entry in profile().findall(kind)
        if entry.get(what) == 'ALLOW'
        for item in entry
    }
    return {
        NODE + name[1:] if name.startswith('~') else name if name[0] == '/' else f'/{name}'
        for name in names
    }


def test_the_file_has_the_form_of_the_schema() -> None:
    """Elements, attributes and values of the policy.xsd of SROS 2, version 0.2.0."""
    assert profile().attrib == {'ns': '/', 'node': 'mm_fusion'}
    for entry in profile():
        item, attributes = LISTS[entry.tag]
        assert len(entry.attrib) == 1
        assert set(entry.attrib) <= set(attributes)
        assert set(entry.attrib.values()) == {'ALLOW'}
        assert {child.tag for child in entry} == {item}
        names = [child.text for child in entry]
        assert names == sorted(set(names), key=str)


@pytest.fixture
def graph() -> Iterator[Graph]:
    made = Graph()
    yield made
    made.close()


def test_the_policy_is_what_an_active_node_does(graph: Graph, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / 'tiny', trajectory=True)
    car = Car(graph)
    values = {'inference.bundle': str(bundle), 'node.status_rate_hz': 20.0, 'use_sim_time': True}
    node = graph.fusion(values)
    node.start()
    graph.until(car.connected, 'the node to hear every sensor')

    published = topics_of(node, node.get_publishers_info_by_topic)
    heard = topics_of(node, node.get_subscriptions_info_by_topic)
    served = {service.service_name for service in node.services}

    # Only where sensor_msgs_py is installed.
    assert published.keys() | {f'{NODE}/trajectory_cloud'} == allowed('topics', 'publish')
    # The camera is asked about while somebody looks at ~/debug_image.
    # The format of the sound is heard where the sound does not carry it.
    assert heard.keys() | {f'/{AUDIO_INFO}', *CAMERA} == allowed('topics', 'subscribe')
    assert served == allowed('services', 'reply')
    assert not list(node.clients)


def test_every_input_is_allowed() -> None:
    inputs = {f'/{role}' for role in (*MODALITIES, AUDIO_INFO)}
    assert allowed('topics', 'subscribe') == inputs | {'/clock', *CAMERA}
