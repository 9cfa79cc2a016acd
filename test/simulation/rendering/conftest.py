# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A straight country road with a car ahead, and renderers that are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.simulation.rendering import CameraRenderer
from support.scenes import straight_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.simulation.world import World


@pytest.fixture(scope='session')
def dry_world() -> World:
    return straight_world('dry')


@pytest.fixture(scope='session')
def dry(dry_world: World) -> Iterator[CameraRenderer]:
    with CameraRenderer(dry_world) as renderer:
        yield renderer


@pytest.fixture(scope='session')
def wet() -> Iterator[CameraRenderer]:
    with CameraRenderer(straight_world('water')) as renderer:
        yield renderer
