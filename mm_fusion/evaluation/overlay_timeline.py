# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The strip under the camera in the video: what was said over the whole drive, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.drawing.palette import BAD, CARD, GOOD, INK, LINE, MUTED, PAGE, WARN
from mm_fusion.drawing.panels import TASKS
from mm_fusion.evaluation.records import MODALITIES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.drawing.canvas import Canvas
    from mm_fusion.evaluation.records import Timeline

LEFT, TOP, WIDTH = 62, 404, 484
_FRICTION = (10, 52)
_FRICTION_TRUTH = (64, 7)
_SIREN = (79, 16)
_SIREN_TRUTH = (96, 4)
_CAMERA = (106, 6)
"""Row and height of each band, from the top of the strip."""

_HEIGHT = 114
_DIM = 0.33
_TICKS_S = (5, 10, 20, 30, 60, 120, 300, 600, 1200)
_STATES = {
    ModalityState.PRESENT: GOOD,
    ModalityState.STALE: WARN,
    ModalityState.NEVER_SEEN: LINE,
}


class Strip:
    """Draw the timeline of one recording, dim where it has not been played.

    Args:
        timeline: What was said.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._begin_s = float(timeline.times_s[0])
        self._span_s = max(float(timeline.times_s[-1]) - self._begin_s, 0.1)
        bright = np.empty((_HEIGHT, WIDTH, 3), np.uint8)
        bright[:] = PAGE
        times_s = self._begin_s + (np.arange(WIDTH) + 0.5) / WIDTH * self._span_s
        rows = np.searchsorted(timeline.times_s, times_s).clip(0, timeline.times_s.size - 1)
        _paint(bright, timeline, rows)
        self._bright = bright
        self._labels = {'friction': _FRICTION, 'siren': _SIREN, 'camera': _CAMERA}
        if timeline.truth is not None:
            self._labels['truth'] = _FRICTION_TRUTH
        self._dim = (PAGE + (bright.astype(np.float32) - PAGE) * _DIM).astype(np.uint8)

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Draw the strip as it is at a time."""
        share = min(max((time_s - self._begin_s) / self._span_s, 0.0), 1.0)
        played = round(share * WIDTH)
        area = canvas.pixels[TOP : TOP + _HEIGHT, LEFT : LEFT + WIDTH]
        area[:, :played] = self._bright[:, :played]
        area[:, played:] = self._dim[:, played:]
        for name, (row, height) in self._labels.items():
            canvas.text(
                LEFT - 8, TOP + row + height / 2 + 4, name, size=11, tone=MUTED, anchor='right'
            )
        canvas.fill(LEFT + played - 1, TOP + 6, 2, _HEIGHT - 6, INK)
        self._draw_ticks(canvas)

    def _draw_ticks(self, canvas: Canvas) -> None:
        step_s = next((step for step in _TICKS_S if self._span_s / step <= 8), _TICKS_S[-1])
        for index in range(int(self._span_s / step_s) + 1):
            x = LEFT + index * step_s / self._span_s * WIDTH
            text = f'{index * step_s} s' if index == 0 else str(index * step_s)
            canvas.text(x, TOP + _HEIGHT + 14, text, size=10, tone=MUTED, anchor='middle')


def _paint(pixels: NDArray[np.uint8], timeline: Timeline, rows: NDArray[np.int64]) -> None:
    """Paint the bands, column by column."""
    colours = np.array(TASKS['friction'][1], np.uint8)
    top, height = _FRICTION
    shares = timeline.friction[rows]
    bounds = np.cumsum(np.nan_to_num(shares), axis=1)
    levels = (np.arange(height)[::-1, None] + 0.5) / height
    band = (levels[:, :, None] > bounds[None]).sum(axis=2).clip(max=len(colours) - 1)
    unknown = np.isnan(shares[:, 0])
    pixels[top : top + height] = colours[band]
    pixels[top : top + height, unknown] = LINE
    top, height = _SIREN
    probability = np.nan_to_num(timeline.siren[rows])
    above = np.less_equal((np.arange(height)[::-1, None] + 0.5) / height, probability)
    flag = timeline.siren_flag[rows]
    tone = np.where(flag[:, None], BAD, MUTED)
    pixels[top : top + height] = np.where(np.expand_dims(above, 2), tone[None], CARD)
    camera = MODALITIES.index(next(m for m in MODALITIES if m.value == 'camera'))
    states = timeline.states[rows, camera]
    table = np.array([_STATES[state] for state in ModalityState], np.uint8)
    top, height = _CAMERA
    pixels[top : top + height] = table[states]
    if timeline.truth is not None:
        friction, siren = timeline.truth.friction[rows], timeline.truth.siren[rows]
        top, height = _FRICTION_TRUTH
        pixels[top : top + height] = np.where((friction >= 0)[:, None], colours[friction], PAGE)
        top, height = _SIREN_TRUTH
        pixels[top : top + height] = np.where((siren == 1)[:, None], BAD, LINE)
