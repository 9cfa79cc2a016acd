# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.drawing.canvas import Canvas, text_width
from mm_fusion.drawing.node_strip import NodeStrip, broken, shortened
from mm_fusion.drawing.overlay import HEIGHT, VIEW_HEIGHT, WIDTH


@pytest.mark.parametrize(
    'content', ['', 'camera silent', 'microphone never seen, ' * 8, 'W' * 200]
)
def test_a_text_is_cut_where_it_is_too_wide(content: str) -> None:
    cut = shortened(content, 200, 12)
    assert text_width(cut, size=12) <= 200
    if text_width(content, size=12) <= 200:
        assert cut == content
    else:
        assert cut.endswith('…')
        assert content.startswith(cut[:-1])
        assert text_width(content[: len(cut)] + '…', size=12) > 200, 'no more would have fitted'


@pytest.mark.parametrize('content', ['', 'camera silent', 'gnss never seen, ' * 5, 'W' * 200])
def test_a_text_is_broken_between_words(content: str) -> None:
    first, rest = broken(content, 200, 12)
    assert text_width(first, size=12) <= 200
    assert f'{first} {rest}'.strip() == content.strip()
    if rest:
        assert text_width(f'{first} {rest.split()[0]}', size=12) > 200, 'it would have fitted'


def test_it_stays_in_its_place_whatever_it_is_told() -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    strip = NodeStrip(
        level='motion-only',
        reason='no road state: ' + 'camera never seen, ' * 9,
        backend='tensorrt-fp16',
        latencies_s={f'a_stage_with_a_long_name_{n}': 0.001 * n for n in range(12)},
        view='height 1.45 m (/tf_static), ' * 9,
    )
    strip.draw(Canvas(pixels), 0.0)
    rows, columns = np.nonzero(pixels.any(axis=2))
    assert rows.min() > VIEW_HEIGHT
    assert columns.max() < 558, 'where the map begins'
