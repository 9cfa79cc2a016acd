# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest

pytestmark = pytest.mark.ros


class Logger:
    """Notes what is logged, by severity."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, text: str) -> None:
        self.lines.append(('info', text))

    def warning(self, text: str) -> None:
        self.lines.append(('warning', text))

    def error(self, text: str) -> None:
        self.lines.append(('error', text))


def test_what_the_package_logs_reaches_the_node_until_it_is_detached() -> None:
    from mm_fusion.ros.log_bridge import RosLogHandler

    logger = Logger()
    handler = RosLogHandler(logger)
    log = logging.getLogger('mm_fusion.runtime.switching')
    handler.attach()
    handler.attach()
    log.debug('kernel 7')
    log.info('%s is being built', 'fusion')
    log.warning('no graph')
    log.error('no memory')
    logging.getLogger('other').error('not ours')
    handler.detach()
    log.error('nobody listens')
    assert logger.lines == [
        ('info', 'fusion is being built'),
        ('warning', 'no graph'),
        ('error', 'no memory'),
    ]


def test_rclpy_takes_every_severity_from_it() -> None:
    from rclpy.logging import get_logger

    from mm_fusion.ros.log_bridge import RosLogHandler

    handler = RosLogHandler(get_logger('test_log_bridge'))
    for _ in range(2):
        for level in (logging.INFO, logging.WARNING, logging.ERROR):
            handler.handle(logging.LogRecord('mm_fusion', level, '', 0, 'text', None, None))
