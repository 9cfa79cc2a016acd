# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a launch file until its lifecycle node reaches a state: run_launch_file.py FILE STATE ARG...

Ends with 0 once the node answers that it is in that state, and with 1 where it is not by then.
"""

from __future__ import annotations

import sys
import threading
import time

import rclpy
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

PATIENCE_S = 20.0


def main(file: str, goal: str, arguments: list[str]) -> int:
    """Run the launch file; return whether the goal was missed."""
    values = dict(argument.split(':=', 1) for argument in arguments)
    name = '/'.join(['', *filter(None, [values.get('namespace')]), 'mm_fusion'])
    service = LaunchService()
    service.include_launch_description(
        LaunchDescription(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(file), launch_arguments=values.items()
                )
            ]
        )
    )
    reached: list[bool] = []

    def watch() -> None:
        reached.append(reaches(f'{name}/get_state', goal))
        service.shutdown()

    watcher = threading.Thread(target=watch)
    watcher.start()
    service.run()
    watcher.join()
    return 0 if reached == [True] else 1


def reaches(service_name: str, goal: str) -> bool:
    """Ask for the state until it is the goal, or patience ends."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('watcher', context=context)
    executor = SingleThreadedExecutor(context=context)
    client = node.create_client(GetState, service_name)
    deadline = time.monotonic() + PATIENCE_S
    found = False
    while not found and time.monotonic() < deadline:
        if client.wait_for_service(timeout_sec=0.2):
            future = client.call_async(GetState.Request())
            executor.add_node(node)
            executor.spin_until_future_complete(future, timeout_sec=1.0)
            executor.remove_node(node)
            found = future.done() and future.result().current_state.label == goal
    node.destroy_node()
    context.try_shutdown()
    return found


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
