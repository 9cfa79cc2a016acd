# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The layouts for RViz and Foxglove show what an active node publishes, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus, RoadState

from support import point_clouds
from support.bundles import write_tiny_bundle
from support.ros_graph import Graph, activated, graph, topics_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ['graph']

pytestmark = pytest.mark.ros

CONFIG = Path(__file__).resolve().parents[2] / 'config'
RVIZ_TYPES = {
    'rviz_default_plugins/Image': 'sensor_msgs/msg/Image',
    'rviz_default_plugins/MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'rviz_default_plugins/Path': 'nav_msgs/msg/Path',
    'rviz_default_plugins/PointCloud2': 'sensor_msgs/msg/PointCloud2',
}
PLOTTED = {'/mm_fusion/road_state': RoadState, '/mm_fusion/status': FusionStatus}
SEQUENCES = {'modalities': ModalityStatus}


@pytest.fixture
def published(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[str]]:
    """Give the topics of an active node and their types."""
    point_clouds.install(monkeypatch)
    node = activated(graph, write_tiny_bundle(tmp_path / 'tiny'))
    found: dict[str, list[str]] = {}

    def look() -> bool:
        found.update(topics_of(node, node.get_publishers_info_by_topic))
        return '/mm_fusion/trajectory_cloud' in found

    graph.until(look, 'the topics of the node')
    return found


def rviz() -> list[dict[str, Any]]:
    document = yaml.safe_load((CONFIG / 'mm_fusion.rviz').read_text(encoding='utf-8'))
    displays = document['Visualization Manager']['Displays']
    return [display for display in displays if 'Topic' in display]


def foxglove() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (CONFIG / 'foxglove_layout.json').read_text(encoding='utf-8')
    )
    return loaded


def walk(value: Any) -> Iterator[str]:
    """Give every text and key of a document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, str):
        yield value


def test_rviz_shows_topics_of_the_node_as_what_they_are(published: dict[str, list[str]]) -> None:
    shown = {item['Topic']['Value']: RVIZ_TYPES[item['Class']] for item in rviz()}
    assert {topic: published.get(topic) for topic in shown} == {
        topic: [kind] for topic, kind in shown.items()
    }
    assert shown.keys() == {
        f'/mm_fusion/{name}' for name in ('path', 'markers', 'trajectory_cloud', 'debug_image')
    }
    # What the node offers is reliable and volatile; a display that asks for more gets nothing.
    assert {item['Topic']['Durability Policy'] for item in rviz()} == {'Volatile'}


def test_rviz_names_every_namespace_of_the_markers() -> None:
    markers = next(item for item in rviz() if item['Class'].endswith('MarkerArray'))
    assert markers['Namespaces'].keys() == {'path', 'steps', 'uncertainty', 'road_state', 'siren'}


def test_foxglove_shows_topics_of_the_node(published: dict[str, list[str]]) -> None:
    paths = {text for text in walk(foxglove()) if re.match(r'/(mm_fusion|diagnostics)', text)}
    topics = {re.split(r'[.\[]', path)[0] for path in paths}
    assert topics <= published.keys()
    own = {topic for topic in published if topic.startswith('/mm_fusion/')}
    assert topics == own - {'/mm_fusion/transition_event'} | {'/diagnostics'}


def test_what_foxglove_plots_is_in_the_messages() -> None:
    paths = [
        path['value']
        for panel in foxglove()['configById'].values()
        for path in panel.get('paths', ())
    ]
    assert len(paths) > 10
    for path in paths:
        topic, *fields = path.split('.')
        kind = PLOTTED[topic]
        for field in fields:
            name, _, index = field.partition('[')
            assert name in kind.get_fields_and_field_types(), path
            if size := re.search(r'\[(\d+)\]', kind.get_fields_and_field_types()[name]):
                assert int(index.rstrip(']')) < int(size[1]), path
            kind = SEQUENCES.get(name, kind)


def test_every_panel_of_foxglove_has_its_place_and_its_settings() -> None:
    document = foxglove()
    places = [document['layout']] + [
        tab['layout'] for panel in document['configById'].values() for tab in panel.get('tabs', ())
    ]
    placed = [text for text in walk(places) if '!' in text]
    assert sorted(placed) == sorted(document['configById'])
