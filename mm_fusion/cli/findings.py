# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``doctor`` and ``inspect`` find: a fact, how bad it is, and one line of advice."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


class Severity(enum.Enum):
    """How bad a finding is."""

    OK = 'ok'
    WARNING = 'warning'
    ERROR = 'error'


_STYLES = {Severity.OK: 'green', Severity.WARNING: 'yellow', Severity.ERROR: 'bold red'}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What was looked at.
        severity: How bad it is.
        fact: What was found.
        advice: What to do about it, in one line; empty where there is nothing to do.
    """

    subject: str
    severity: Severity
    fact: str
    advice: str = ''

    def document(self) -> dict[str, Any]:
        """Give what JSON is to hold."""
        return {
            'subject': self.subject,
            'severity': self.severity.value,
            'fact': self.fact,
            'advice': self.advice,
        }


def worst(findings: Sequence[Finding]) -> Severity:
    """Give the worst severity; OK where there is no finding."""
    order = list(Severity)
    return max((finding.severity for finding in findings), key=order.index, default=Severity.OK)


def print_findings(console: Console, title: str, findings: Sequence[Finding]) -> None:
    """Print one row for each finding, its advice below the fact."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify='left', box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('', no_wrap=True)
    table.add_column('subject', no_wrap=True)
    table.add_column('found', overflow='fold')
    for finding in findings:
        told = Text(finding.fact)
        if finding.advice:
            told.append(f'\n→ {finding.advice}', style='dim')
        mark = Text(finding.severity.value, style=_STYLES[finding.severity])
        table.add_row(mark, Text(finding.subject), told)
    console.print(table)
