# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Colours of the report, and the matplotlib settings that go with its style sheet.

A figure that stands inline in a page can follow its light and dark scheme. matplotlib knows no
CSS variables, so figures are drawn in placeholder colours, which :func:`svg` replaces.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLACEHOLDERS = {
    '#000101': 'var(--ink)',
    '#000102': 'var(--muted)',
    '#000103': 'var(--line)',
    '#000104': 'var(--card)',
    '#000105': 'var(--mm_fusion)',
    '#000106': 'var(--ctra)',
    '#000107': 'var(--ctrv)',
    '#000108': 'var(--cv)',
    '#000109': 'var(--good)',
    '#00010a': 'var(--warn)',
    '#00010b': 'var(--bad)',
}
INK, MUTED, LINE, CARD, _MM_FUSION, _CTRA, _CTRV, _CV, GOOD, WARN, BAD = _PLACEHOLDERS

MODEL_COLOURS = {'cv': _CV, 'ctrv': _CTRV, 'ctra': _CTRA, 'mm_fusion': _MM_FUSION}
MODEL_NAMES = {'cv': 'CV', 'ctrv': 'CTRV', 'ctra': 'CTRA', 'mm_fusion': 'mm_fusion'}

RC = {
    'font.family': 'sans-serif',
    'font.size': 8.5,
    'svg.fonttype': 'none',
    'text.color': INK,
    'axes.labelcolor': MUTED,
    'axes.edgecolor': LINE,
    'axes.facecolor': 'none',
    'axes.titlesize': 9,
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
    'figure.facecolor': 'none',
    'grid.color': LINE,
    'grid.linewidth': 0.6,
    'xtick.color': LINE,
    'ytick.color': LINE,
    'xtick.labelcolor': MUTED,
    'ytick.labelcolor': MUTED,
    'legend.frameon': False,
    'legend.labelcolor': INK,
    'path.simplify': True,
}


def svg(figure: Figure, label: str, salt: str) -> str:
    """Render a figure as an inline SVG element without size, date or fixed text colour.

    Args:
        figure: Drawn within ``matplotlib.rc_context(RC)``.
        label: What the figure shows, for screen readers; escaped already.
        salt: Makes the identifiers inside unique in the page.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({**RC, 'svg.hashsalt': salt}):
        figure.savefig(buffer, format='svg', metadata={'Date': None}, transparent=True)
    text = buffer.getvalue()
    text = text[text.index('<svg') :]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    head, body = text.split('>', 1)
    box = ' '.join(re.findall(r'viewBox="[^"]*"', head))
    for placeholder, variable in _PLACEHOLDERS.items():
        body = body.replace(placeholder, variable)
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda match: match.group() if match[1] in used else '', body)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{box} role="img" aria-label="{label}">{body}'
    )
