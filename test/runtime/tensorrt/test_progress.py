# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import threading

import pytest

from mm_fusion.runtime.tensorrt.progress import PERIOD_S, telling


def test_it_is_said_at_once_and_again_until_it_ends() -> None:
    said: list[str] = []
    thrice = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            thrice.set()

    with telling(say, 'fusion', period_s=0.001):
        assert said[0] == 'fusion'
        assert thrice.wait(60)
    count = len(said)
    assert all(re.fullmatch(r'fusion, for \d+ s', text) for text in said[1:])
    assert [thread.name for thread in threading.enumerate()].count('progress') == 0
    assert len(said) == count
    assert PERIOD_S <= 10


def test_it_ends_with_an_error_as_well() -> None:
    with pytest.raises(ZeroDivisionError), telling(lambda _: None, 'fusion'):
        raise ZeroDivisionError
    assert [thread.name for thread in threading.enumerate()].count('progress') == 0
