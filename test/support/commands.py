# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of ``mm_fusion``, run within the test's own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from mm_fusion.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterable

Run: TypeAlias = Callable[..., tuple[int, str, str]]
"""Takes arguments, and returns status, stdout and stderr."""


def runner(
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    columns: int = 160,
    first: Iterable[object] = (),
) -> Run:
    """Give what runs one command, each time with some arguments first."""
    monkeypatch.setenv('COLUMNS', str(columns))

    def call(*arguments: object) -> tuple[int, str, str]:
        words = (command, *first, *arguments)
        monkeypatch.setattr(sys, 'argv', ['mm_fusion', *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    return call
