# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether those who are to hear what is published are there, and have heard it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from rclpy.duration import Duration

from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rclpy.publisher import Publisher

_ACKNOWLEDGE_S = 5.0


class Listeners:
    """Waits for subscribers; :meth:`notify` is to be called when one comes or goes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def notify(self, event: Any = None) -> None:
        """Look again who is there, and whether to stop; may be called from any thread."""
        with self._changed:
            self._changed.notify_all()

    def wait(
        self,
        missing: Callable[[], Sequence[str]],
        count: int,
        timeout_s: float,
        stopped: Callable[[], bool],
    ) -> None:
        """Wait until nobody is missing.

        Args:
            missing: Names the topics that have too few subscribers.
            count: How many each is to have, for the error.
            timeout_s: Longest wait.
            stopped: Says whether to wait no longer.

        Raises:
            MmFusionError: They did not come in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: stopped() or not missing(), timeout_s)
        topics = missing()
        if topics and not stopped():
            raise MmFusionError(
                f'{", ".join(topics)}: fewer than {count} subscribers after {timeout_s:g} s'
            )


def unacknowledged(publishers: Mapping[str, Publisher[Any]]) -> tuple[str, ...]:
    """Wait until what was sent is confirmed; list the topics of which some is not."""
    deadline = time.monotonic() + _ACKNOWLEDGE_S
    return tuple(
        topic
        for topic, publisher in publishers.items()
        if not publisher.wait_for_all_acked(
            Duration(seconds=max(deadline - time.monotonic(), 0.0))
        )
    )
