# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The node that one writes in an afternoon, as the peer of the benchmark ``node``.

The same network with the same weights in torch, fp32, in eager mode; typed callbacks, the frame
copied by ``bytes``, converted and resized by OpenCV, all encoders run in the callback of the
camera on what the other callbacks have kept, the road state and the likeliest path published.
It leaves out what the fusion node does besides: alignment, the ego-state filter, temporal
filters, covariances, status, diagnostics, and every check of its inputs. ``--threads`` sets those
of torch, which by itself takes one for each core.
"""

from __future__ import annotations

import argparse
from collections import deque
from typing import Any

import cv2
import numpy as np
import rclpy
import torch
from geometry_msgs.msg import PoseStamped, TwistStamped
from mm_fusion_msgs.msg import AudioStamped, RoadState
from nav_msgs.msg import Path
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, NavSatFix

from mm_fusion.training.checkpoint import load_start


class StraightforwardNode(Node):  # type: ignore[misc]
    """Run the network on each frame."""

    def __init__(self) -> None:
        super().__init__('straightforward')
        self.network = load_start('base').network
        config = self.network.config
        self.size = (config.image_size, config.image_size)
        self.sound = np.zeros(config.audio_samples, np.float32)
        self.motion: deque[tuple[float, float, float]] = deque(maxlen=10 * config.motion_steps)
        self.position = (0.0, 0.0)
        self.create_subscription(Image, 'image', self.on_image, qos_profile_sensor_data)
        self.create_subscription(AudioStamped, 'audio', self.on_audio, 10)
        self.create_subscription(TwistStamped, 'velocity', self.on_velocity, 10)
        self.create_subscription(NavSatFix, 'fix', self.on_fix, 10)
        self.road = self.create_publisher(RoadState, '~/road_state', 10)
        self.path = self.create_publisher(Path, '~/path', 10)

    def on_audio(self, msg: Any) -> None:
        """Append to the window of sound."""
        samples = np.frombuffer(bytes(msg.data), np.int16).astype(np.float32) / 32768.0
        self.sound = np.concatenate([self.sound, samples])[-self.sound.size :]

    def on_velocity(self, msg: Any) -> None:
        """Append to the history of the motion."""
        speed = msg.twist.linear.x
        acceleration = (speed - self.motion[-1][0]) * 100.0 if self.motion else 0.0
        self.motion.append((speed, msg.twist.angular.z, acceleration))

    def on_fix(self, msg: Any) -> None:
        """Keep the position."""
        self.position = (msg.latitude, msg.longitude)

    def on_image(self, msg: Any) -> None:
        """Predict, and publish."""
        if len(self.motion) < 10:
            return
        frame = np.frombuffer(bytes(msg.data), np.uint8).reshape(msg.height, msg.width, 3)
        image = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), self.size)
        history = np.array(list(self.motion)[9::10], np.float32)
        steps = self.network.config.motion_steps
        history = np.pad(history, ((steps - len(history), 0), (0, 0)), mode='edge')
        with torch.no_grad():
            outputs = self.network(
                {
                    'camera': torch.from_numpy(image[np.newaxis]),
                    'microphone': torch.from_numpy(self.sound[np.newaxis]),
                    'motion': torch.from_numpy(history[np.newaxis]),
                },
                torch.ones(1, 3),
                torch.zeros(1, 3),
            )
        self.publish_road(msg.header, outputs)
        self.publish_path(msg.header, outputs)

    def publish_road(self, header: Any, outputs: dict[str, torch.Tensor]) -> None:
        """Publish the classes and their probabilities."""
        road = RoadState(header=header, surface_observed=True, siren_observed=True)
        for task in ('friction', 'material', 'unevenness'):
            probabilities = torch.softmax(outputs[task][0], dim=0).numpy()
            setattr(road, task, int(probabilities.argmax()))
            setattr(road, f'{task}_probabilities', probabilities)
        road.siren_probability = float(torch.sigmoid(outputs['siren'][0, 0]))
        road.siren = road.siren_probability > 0.5
        self.road.publish(road)

    def publish_path(self, header: Any, outputs: dict[str, torch.Tensor]) -> None:
        """Publish the likeliest path: straight ahead, corrected by the network."""
        mode = outputs['trajectory'][0, int(outputs['modes'][0].argmax())]
        path = Path(header=header)
        for i, (x, y) in enumerate(mode[:, :2].tolist()):
            pose = PoseStamped(header=header)
            pose.pose.position.x = self.motion[-1][0] * 0.5 * (i + 1) + x
            pose.pose.position.y = y
            path.poses.append(pose)
        self.path.publish(path)


def main() -> None:
    """Spin."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--threads', type=int)
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        rclpy.init()
        rclpy.spin(StraightforwardNode())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass


if __name__ == '__main__':
    main()
