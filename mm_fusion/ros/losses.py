# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How many messages of a topic were published and never reached the node."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_PUBLISHERS = 64
"""Publishers remembered; the one heard least recently is forgotten first."""


class Losses:
    """Count the messages that are missing between those that came.

    The middleware reports what it lost on the way, but not what a newer message overwrote in the
    history of the subscription while the executor was busy. Both leave a gap in the numbers that
    a publisher gives its messages, so the gaps are what counts. A loss is known once a later
    message of the same publisher has come.

    Attributes:
        alone: Whether the topic has one publisher. Only then do the numbers tell anything where
            the messages do not say which publisher they are from.
    """

    def __init__(self) -> None:
        self.alone = True
        self._last: OrderedDict[bytes, int] = OrderedDict()
        self._missing = 0
        self._reported = 0

    @property
    def count(self) -> int:
        """Messages lost so far.

        The middleware's own reports are part of the gaps, except before the first message and
        where there are no numbers.
        """
        return max(self._missing, self._reported)

    def restart(self) -> None:
        """Go on with a new subscription: what was published before it is not lost."""
        self._last.clear()

    def report(self, event: Any) -> None:
        """Take in what the middleware reports as lost (``rmw_message_lost_status_t``)."""
        self._reported += event.total_count_change

    def note(self, info: Mapping[str, Any]) -> None:
        """Take in a message that came.

        Args:
            info: What rclpy knows of it, ``rclpy.subscription.MessageInfo``. Its number is None
                with a middleware that has none, the publisher's identifier came with Kilted.
        """
        number, identifier = info['publication_sequence_number'], info.get('publisher_gid')
        if number is None or (identifier is None and not self.alone):
            return
        publisher = b'' if identifier is None else identifier['data']
        last = self._last.pop(publisher, None)
        if last is not None and number > last:
            self._missing += number - last - 1
        self._last[publisher] = number
        if len(self._last) > _MAX_PUBLISHERS:
            self._last.popitem(last=False)
