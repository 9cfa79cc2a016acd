# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the package logs, in the log of the node and on /rosout."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rclpy.impl.rcutils_logger import RcutilsLogger

_PACKAGE = logging.getLogger('mm_fusion')


class RosLogHandler(logging.Handler):
    """Hand on what the package logs: builds of engines, and what TensorRT says of them.

    Args:
        logger: Of the node.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__(logging.INFO)
        self._logger = logger

    def attach(self) -> None:
        """Begin; twice is once."""
        _PACKAGE.setLevel(logging.INFO)
        _PACKAGE.addHandler(self)

    def detach(self) -> None:
        """End."""
        _PACKAGE.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; rclpy wants a line of its own for each severity."""
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)
