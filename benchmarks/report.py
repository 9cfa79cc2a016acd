# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every benchmark has in common: options, targets, the lines for the README, the JSON.

A benchmark prints Markdown, ready to paste, below a line that says what it ran on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that the project promises.

    Attributes:
        what: What is measured.
        found: The figure.
        bound: What is promised.
        unit: Of both.
        at_least: Whether the figure must reach the bound; else it must not exceed it.
    """

    what: str
    found: float
    bound: float
    unit: str = ''
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the promise holds; a figure that is no number keeps none."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    @property
    def promise(self) -> str:
        """Say what is promised."""
        return f'{"≥" if self.at_least else "≤"} {_figure(self.bound)} {self.unit}'.rstrip()

    @property
    def result(self) -> str:
        """Say what was found."""
        return f'{_figure(self.found)} {self.unit}'.rstrip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a benchmark found.

    Attributes:
        title: Of its section.
        lines: Markdown for the README.
        figures: Everything measured, ready for JSON.
        targets: What is promised of it.
    """

    title: str
    lines: Sequence[str]
    figures: dict[str, Any]
    targets: Sequence[Target] = field(default=())


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument('--short', action='store_true', help='less of it, to try it')
    made.add_argument('--json', type=Path, help='write the figures to this file')
    made.add_argument('--check', action='store_true', help='exit 1 where a target is missed')
    return made


def conclude(outcome: Outcome, options: argparse.Namespace, on: dict[str, str]) -> int:
    """Print an outcome, write it as JSON where asked to, and return the exit status.

    Args:
        outcome: What was found.
        options: Those of ``parser``.
        on: What ``machine.describe`` said before the measurement.
    """
    print(f'### {outcome.title}\n\n{machine.sentence(on)}.\n')
    print('\n'.join(outcome.lines))
    for target in outcome.targets:
        verdict = 'kept' if target.kept else '**missed**'
        print(f'- {target.what}: {target.result}, promised {target.promise}: {verdict}')
    if options.json is not None:
        document = {
            'title': outcome.title,
            'machine': on,
            'short': options.short,
            'figures': outcome.figures,
            'targets': [
                asdict(target) | {'kept': target.kept, 'text': [target.result, target.promise]}
                for target in outcome.targets
            ],
        }
        options.json.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')
    return int(options.check and not all(target.kept for target in outcome.targets))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a Markdown table."""
    cells = [header, ['---'] * len(header), *rows]
    return ['| ' + ' | '.join(row) + ' |' for row in cells] + ['']


def quantiles(values: Sequence[float], *shares: float) -> tuple[float, ...]:
    """Take quantiles; not-a-number where there is nothing to take them of."""
    if not len(values):
        return (float('nan'),) * len(shares)
    return tuple(float(found) for found in np.quantile(values, shares))


def _figure(value: float) -> str:
    return f'{value:.3g}' if abs(value) < 1000 else f'{value:,.0f}'
