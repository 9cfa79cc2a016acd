# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The strip under the camera in ``~/debug_image``: how the node is."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mm_fusion.drawing.canvas import text_width
from mm_fusion.drawing.palette import BAD, BLUE, GOOD, INK, LINE, MUTED, PAGE, WARN, colour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.drawing.canvas import Canvas

_LEFT, _TOP, _WIDTH = 16, 404, 528
_TONES = {'full': GOOD, 'none': BAD}
_STAGE_TONES = (BLUE, GOOD, WARN, *map(colour, ('#b379c4', '#45b8c9', '#d99a4e', '#9a8fc0')))
_NAME_WIDTH = 110
_SHOWN_STAGES = 6
"""The longest ones; a legend of more would be unreadable."""


@dataclass(slots=True)
class NodeStrip:
    """Draws degradation, backend, latencies, and what the camera's view was taken from.

    Attributes:
        level: Name of the degradation level; empty where it is not known yet.
        reason: Why it is not full.
        backend: Name of the inference backend.
        latencies_s: Duration of each stage of the newest output, seconds.
        view: What the projection of the path was taken from.
    """

    level: str = ''
    reason: str = ''
    backend: str = ''
    latencies_s: Mapping[str, float] = field(default_factory=dict)
    view: str = ''

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Draw the strip; the time is shown elsewhere."""
        left = float(_LEFT)
        if self.level:
            width = text_width(self.level, size=12, bold=True) + 20
            canvas.pill(left, _TOP, width, 22, _TONES.get(self.level, WARN))
            canvas.text(left + 10, _TOP + 15, self.level, size=12, tone=PAGE, bold=True)
            left += width + 10
        reason = self.reason or ('every sensor is present' if self.level == 'full' else '')
        first, rest = broken(reason, _LEFT + _WIDTH - left, 12)
        canvas.text(left, _TOP + 15, first, size=12)
        canvas.text(_LEFT, _TOP + 38, shortened(rest, _WIDTH, 12), size=12)
        self._draw_latencies(canvas)
        note = shortened(f'path drawn for: {self.view}', _WIDTH, 10)
        canvas.text(_LEFT, _TOP + 130, note, size=10, tone=MUTED)

    def _draw_latencies(self, canvas: Canvas) -> None:
        total_s = sum(self.latencies_s.values())
        canvas.text(_LEFT, _TOP + 62, self.backend, size=12, tone=MUTED)
        canvas.text(
            _LEFT + _WIDTH,
            _TOP + 62,
            f'{total_s * 1e3:.0f} ms',
            size=15,
            bold=True,
            anchor='right',
        )
        canvas.fill(_LEFT, _TOP + 70, _WIDTH, 8, LINE)
        if total_s <= 0:
            return
        x = float(_LEFT)
        for index, (stage, latency_s) in enumerate(self._longest()):
            tone = _STAGE_TONES[index % len(_STAGE_TONES)]
            width = _WIDTH * latency_s / total_s
            canvas.fill(x, _TOP + 70, width, 8, tone)
            x += width
            column, row = index % 3, index // 3
            place = _LEFT + column * _WIDTH / 3, _TOP + 94 + 17 * row
            canvas.dot(place[0] + 4, place[1] - 4, 4, tone)
            name = shortened(stage.replace('_', ' '), _NAME_WIDTH, 11)
            end = canvas.text(place[0] + 14, place[1], name, size=11, tone=MUTED)
            canvas.text(place[0] + 20 + end, place[1], f'{latency_s * 1e3:.1f}', size=11, tone=INK)

    def _longest(self) -> list[tuple[str, float]]:
        """Choose the stages that are shown, in the order in which they ran."""
        longest = sorted(self.latencies_s, key=lambda stage: -self.latencies_s[stage])
        shown = set(longest[:_SHOWN_STAGES])
        return [(stage, value) for stage, value in self.latencies_s.items() if stage in shown]


def broken(content: str, width: float, size: int) -> tuple[str, str]:
    """Break a text before the first word that is too much for a line."""
    if text_width(content, size=size) <= width:
        return content, ''
    words = content.split(' ')
    count = bisect.bisect_right(
        range(len(words)), width, key=lambda n: text_width(' '.join(words[:n]), size=size)
    )
    return ' '.join(words[: max(count - 1, 0)]), ' '.join(words[max(count - 1, 0) :])


def shortened(content: str, width: float, size: int) -> str:
    """Cut a text that is too wide, and end it with an ellipsis."""
    if text_width(content, size=size) <= width:
        return content
    room = bisect.bisect_right(
        range(len(content)), width, key=lambda count: text_width(f'{content[:count]}…', size=size)
    )
    return f'{content[: max(room - 1, 0)]}…'
