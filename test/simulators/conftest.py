# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the simulators' adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bundles import write_tiny_bundle
from support.interfaces import simulator_messages
from support.ros_graph import graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ['bundle', 'graph']


@pytest.fixture(scope='session')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny bundle."""
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


@pytest.fixture(scope='module')
def foreign_messages() -> Iterator[None]:
    """Have the message packages of the simulators installed."""
    with simulator_messages():
        yield
