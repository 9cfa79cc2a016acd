# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Failed inference and defects: counted, named, survived."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from mm_fusion_msgs.msg import FusionStatus

from mm_fusion.errors import InferenceError
from mm_fusion.ros.engine import Engine
from support.ros_graph import Car, Graph, activated, log_lines, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.settings import Settings

pytestmark = pytest.mark.ros


class FlakyBackend:
    """A backend that fails as told.

    Args:
        backend: What runs where no failure is set.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.name = backend.name
        self.reason = backend.reason
        self.concurrent = backend.concurrent
        self.failure: Exception | None = None

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run a stage, or fail."""
        if self.failure is not None:
            raise self.failure
        outputs: dict[str, NDArray[Any]] = self._backend.run(stage, inputs)
        return outputs

    def close(self) -> None:
        """Close the other."""
        self._backend.close()


@pytest.fixture
def flaky() -> tuple[list[FlakyBackend], Callable[[Settings], Engine]]:
    """Give a loader whose backends can be made to fail."""
    backends: list[FlakyBackend] = []

    def load(settings: Settings) -> Engine:
        engine = Engine.load(settings)
        backends.append(FlakyBackend(engine.backend))
        return replace(engine, backend=backends[-1])

    return backends, load


def test_failed_inference_is_counted_named_and_survived(
    graph: Graph,
    bundle: Path,
    flaky: tuple[list[FlakyBackend], Callable[[Settings], Engine]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    backends, load = flaky
    activated(graph, bundle, load=load)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.roads, 'road states')
    backends[-1].failure = InferenceError('the device is gone')
    graph.until(
        lambda: (
            car.status and car.status[-1].level_reason == 'inference fails: the device is gone'
        ),
        'the reason',
    )
    assert car.status[-1].level == FusionStatus.NONE
    graph.until(lambda: failures(car) > 3, 'a count of the failures')
    assert len([line for line in log_lines(capfd, 'WARN') if 'the device is gone' in line]) == 1

    backends[-1].failure = None
    graph.until(lambda: car.status[-1].level == FusionStatus.FULL, 'recovery')
    assert failures(car) > 3


def failures(car: Car) -> int:
    """Give the number of failed inferences that diagnostics tell."""
    diagnostic = car.diagnostic('fusion')
    assert diagnostic is not None
    values = {item.key: item.value for item in diagnostic.values}
    return int(values['inference failures'])


def test_a_defect_goes_through_error_processing_and_can_be_recovered_from(
    graph: Graph,
    bundle: Path,
    flaky: tuple[list[FlakyBackend], Callable[[Settings], Engine]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    backends, load = flaky
    node = activated(graph, bundle, load=load)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.roads, 'road states')
    backends[-1].failure = ZeroDivisionError('a defect')
    graph.until(lambda: not car.outlets['image'].get_subscription_count(), 'the end')
    assert state_of(graph, node) == 'unconfigured'
    logged = capfd.readouterr().err
    assert 'ZeroDivisionError: a defect' in logged
    assert 'in run' in logged, 'the traceback is what the maintainers need'

    node.start()
    car.roads.clear()
    graph.until(lambda: car.roads, 'road states after recovery')


def test_a_defect_in_a_callback_does_not_end_the_process(
    graph: Graph, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(message: object, received_ns: int) -> None:
        raise ZeroDivisionError('a defect')

    monkeypatch.setattr('mm_fusion.ros.session.velocity_sample', defect)
    node = activated(graph, bundle)
    car = Car(graph, sensors=('velocity',))
    graph.until(car.connected, 'a subscription')
    car.tick()
    graph.until(lambda: not car.connected(), 'the end of the subscription')
    assert state_of(graph, node) == 'unconfigured'
