# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.drawing.canvas import Canvas, blend, text_width
from mm_fusion.drawing.palette import colour

RED = (255, 0, 0)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(np.zeros((40, 80, 3), np.uint8))


def touched(canvas: Canvas) -> tuple[int, int, int, int]:
    """Give the first and last column, and the first and last row, of what was drawn."""
    rows, columns = np.nonzero(canvas.pixels.any(axis=2))
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_a_rectangle_covers_its_pixels(canvas: Canvas) -> None:
    canvas.fill(10, 5, 20, 10, RED)
    assert touched(canvas) == (10, 29, 5, 14)
    canvas.fill(10, 5, 20, 10, (0, 0, 0), 0.5)
    assert canvas.pixels[6, 12].tolist() == [128, 0, 0]


def test_text_stands_on_its_baseline(canvas: Canvas) -> None:
    width = canvas.text(10, 30, 'EH', size=16, tone=RED)
    left, right, top, bottom = touched(canvas)
    assert bottom == 29
    assert 10 <= left <= 12
    assert right < 10 + width
    assert 10 <= bottom - top <= 13
    assert text_width('EH', size=16) == width


def test_text_ends_where_it_is_anchored(canvas: Canvas) -> None:
    canvas.text(70, 30, 'HHH', size=12, tone=RED, anchor='right')
    assert touched(canvas)[1] in range(66, 70)


def test_what_is_drawn_outside_does_no_harm(canvas: Canvas) -> None:
    canvas.text(-10, 3, 'wide text', size=14)
    canvas.text(75, 45, 'wide text', size=14)
    canvas.text(200, 200, 'far away', size=14)
    canvas.text(5, 5, '', size=14)
    canvas.fill(-5, -5, 200, 200, RED)
    canvas.dot(500, 500, 3, RED)
    canvas.line(np.array([[1e9, 0.0], [-1e9, 5.0]]), RED)
    assert (canvas.pixels == RED).all()


def test_round_shapes_keep_to_their_box(canvas: Canvas) -> None:
    canvas.pill(10, 10, 40, 12, RED)
    canvas.pixels[canvas.pixels < 128] = 0  # the soft edge
    assert touched(canvas) == pytest.approx((10, 49, 10, 21), abs=1)
    assert canvas.pixels[16, 30].tolist() == list(RED)
    assert canvas.pixels[10, 10].tolist() == [0, 0, 0]


def test_a_mask_says_how_opaque() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    mask = np.zeros((4, 4), np.uint8)
    mask[1, 1], mask[2, 2] = 255, 51
    blend(pixels, (200, 0, 100), mask)
    assert pixels[1, 1].tolist() == [200, 0, 100]
    assert pixels[2, 2].tolist() == [120, 80, 100]
    assert (np.delete(pixels.reshape(-1, 3), [5, 10], axis=0) == 100).all()


def test_colours_are_read() -> None:
    assert colour('#102aff') == (16, 42, 255)
