# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's publishers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray
from mm_fusion_msgs.msg import FusionStatus, RoadState, TrajectoryPrediction
from nav_msgs.msg import Path
from rclpy.event_handler import PublisherEventCallbacks

from mm_fusion.ros.conversions import to_path, to_road_state, to_status, to_trajectory
from mm_fusion.ros.diagnostics import to_diagnostics
from mm_fusion.ros.qos import OUTPUT_QOS
from mm_fusion.ros.views import Views

if TYPE_CHECKING:
    from rclpy.lifecycle import LifecycleNode

    from mm_fusion.ros.health import Health
    from mm_fusion.ros.inputs import Inputs
    from mm_fusion.settings import Settings
    from mm_fusion.types.predictions import FusionOutput


class Outputs:
    """Publish predictions, status and diagnostics while the node is active.

    Args:
        node: Owns the publishers.
        settings: All parameters.

    Attributes:
        views: What is only to be looked at.
    """

    def __init__(self, node: LifecycleNode, settings: Settings) -> None:
        self._node = node
        self._frame_id = settings.node.base_frame
        # What they say by default of QoS that does not match names no node; FlowWatch does.
        quiet = PublisherEventCallbacks(use_default_callbacks=False)
        create = functools.partial(node.create_lifecycle_publisher, event_callbacks=quiet)
        self._road = create(RoadState, '~/road_state', OUTPUT_QOS)
        self._trajectory = create(TrajectoryPrediction, '~/trajectory_prediction', OUTPUT_QOS)
        self._path = create(Path, '~/path', OUTPUT_QOS)
        self._status = create(FusionStatus, '~/status', OUTPUT_QOS)
        self._diagnostics = create(DiagnosticArray, '/diagnostics', OUTPUT_QOS)
        self.views = Views(node, settings)

    def publish(self, output: FusionOutput) -> None:
        """Publish what there is in an output.

        Raises:
            InferenceError: A number is not finite; nothing has been published then.
        """
        messages: tuple[tuple[Any, Any], ...] = (
            (self._road, to_road_state(output, self._frame_id)),
            (self._trajectory, to_trajectory(output, self._frame_id)),
            (self._path, to_path(output, self._frame_id)),
        )
        for publisher, message in messages:
            if message is not None:
                publisher.publish(message)
        self.views.offer(output)

    def publish_status(self, health: Health) -> None:
        """Publish the status."""
        self.views.health = health
        self._status.publish(to_status(health, self._frame_id))

    def publish_diagnostics(self, health: Health, inputs: Inputs) -> None:
        """Publish the diagnostics."""
        name = self._node.get_fully_qualified_name()
        self._diagnostics.publish(to_diagnostics(health, inputs, self.views.reports, name))

    def close(self) -> None:
        """Destroy the publishers."""
        self.views.close()
        for publisher in (
            self._road,
            self._trajectory,
            self._path,
            self._status,
            self._diagnostics,
        ):
            self._node.destroy_lifecycle_publisher(publisher)
