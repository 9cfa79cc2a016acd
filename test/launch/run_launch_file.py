# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a launch file until its lifecycle node reaches a state, with its topics and parameters.

Ends with 0 when that is so, and with 1 where it is not by the end of the launch or of patience.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

import rclpy
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python


def main(options: argparse.Namespace) -> int:
    """Run the launch file; return whether the goal was missed."""
    values = dict(argument.split(':=', 1) for argument in options.arguments)
    source = PythonLaunchDescriptionSource(options.file)
    include = IncludeLaunchDescription(source, launch_arguments=values.items())
    service = LaunchService()
    service.include_launch_description(LaunchDescription([include]))
    watcher = Watcher(f'/{values.get("namespace", "")}'.rstrip('/'), options)

    def watch() -> None:
        watcher.wait()
        service.shutdown()

    thread = threading.Thread(target=watch)
    thread.start()
    service.run()
    watcher.ended.set()
    thread.join()
    return 0 if watcher.found else 1


class Watcher:
    """Watch the node from outside, as another process would.

    Args:
        namespace: Of the node.
        options: The goal, and how long to wait for it.
    """

    def __init__(self, namespace: str, options: argparse.Namespace) -> None:
        self.ended = threading.Event()
        self.found = False
        self._namespace = namespace
        self._options = options
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self._node = Node('watcher', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        name = f'{namespace}/{options.node}'
        self._client = self._node.create_client(GetState, f'{name}/get_state')
        self._asker = self._node.create_client(GetParameters, f'{name}/get_parameters')

    def wait(self) -> None:
        """Look until the goal is found, or the launch or patience ends."""
        deadline = time.monotonic() + self._options.patience
        while not self.found and not self.ended.is_set() and time.monotonic() < deadline:
            if self._client.wait_for_service(timeout_sec=0.2):
                self.found = (
                    self._state() == self._options.state and self._topics() and self._parameters()
                )
        self._node.destroy_node()
        self._context.try_shutdown()

    def _state(self) -> str | None:
        future = self._client.call_async(GetState.Request())
        self._executor.spin_until_future_complete(future, timeout_sec=1.0)
        return future.result().current_state.label if future.done() else None

    def _topics(self) -> bool:
        found = self._node.get_subscriber_names_and_types_by_node(
            self._options.node, self._namespace or '/'
        )
        return set(self._options.subscribed) <= {name for name, _ in found}

    def _parameters(self) -> bool:
        expected = dict(item.split('=', 1) for item in self._options.parameter)
        if not self._asker.wait_for_service(timeout_sec=0.2):
            return False
        future = self._asker.call_async(GetParameters.Request(names=list(expected)))
        self._executor.spin_until_future_complete(future, timeout_sec=1.0)
        if not future.done():
            return False
        values = [str(parameter_value_to_python(value)) for value in future.result().values]
        return values == list(expected.values())


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('file')
    parser.add_argument('state')
    parser.add_argument('arguments', nargs='*')
    parser.add_argument('--node', default='mm_fusion')
    parser.add_argument('--patience', type=float, default=20.0)
    parser.add_argument('--subscribed', action='append', default=[])
    parser.add_argument('--parameter', action='append', default=[], help='name=value')
    sys.exit(main(parser.parse_args()))
