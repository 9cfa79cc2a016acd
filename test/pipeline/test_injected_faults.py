# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated drive injects is what the pipeline counts, message by message.

Each sensor suffers each kind of fault in a drive of its own. Its messages take the way of those
of a recording: serialised, read by the adapters, aligned, and fused by a tiny model.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import pytest

from benchmarks.fault_inlet import Inlet
from benchmarks.fault_messages import TOPICS
from benchmarks.faulty_drives import WithoutTruth
from mm_fusion.bags.drive_messages import TYPES, DriveMessages
from mm_fusion.bags.typestore import known_types
from mm_fusion.pipeline import FusionPipeline
from mm_fusion.runtime import Backend, Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.simulation.drive import SimulatedDrive
from mm_fusion.simulation.samples import Delivery, FaultKind
from mm_fusion.simulation.scenario import (
    SENSORS,
    CameraSettings,
    Fault,
    MicrophoneSettings,
    Scenario,
)
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import DropReason, Modality
from support.bundles import AUDIO_RATE_HZ, write_tiny_bundle
from support.pictures import picture
from support.worlds import small_world

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.alignment import AlignmentCounters
    from mm_fusion.simulation.faults import FaultCounts
    from mm_fusion.simulation.world import World
    from mm_fusion.types.predictions import FusionOutput

    Run = Callable[..., 'Counted']


SCENARIO = Scenario(
    seed=3,
    duration_s=4.5,
    camera=CameraSettings(width=64, height=36),
    microphone=MicrophoneSettings(sample_rate_hz=AUDIO_RATE_HZ),
)
RATES_HZ = {'camera': 15.0, 'microphone': 50.0, 'gnss': 5.0, 'velocity': 50.0}
SPAN = (1.5, 3.05)
"""Of most faults, s: longer than the timeout of the camera; ends between the sensors' instants."""
MEASURED_IN_SPAN = {'camera': 23, 'microphone': 78, 'gnss': 8, 'velocity': 78}
Drops = dict[DropReason, int]


@dataclass(frozen=True)
class Counted:
    """What was injected, and what the pipeline made of it.

    Attributes:
        injected: By the simulator, by sensor.
        received: By the pipeline, by sensor.
        drops: What it counted as lost, by sensor and reason.
        snapshots: Their fate.
        frames_used: Camera frames that reached the network.
        deliveries: Everything in order of arrival.
    """

    injected: dict[str, FaultCounts]
    received: dict[str, int]
    drops: dict[str, Drops]
    snapshots: AlignmentCounters
    frames_used: int
    deliveries: list[Delivery]

    def check_books(self) -> None:
        """Check that each message is received, and each frame and snapshot accounted for."""
        for sensor in SENSORS:
            assert self.received[sensor] == self.injected[sensor].published
        assert self.frames_used + sum(self.drops['camera'].values()) == self.received['camera']
        snapshots = self.snapshots
        assert snapshots.pending == snapshots.superseded == 0
        assert snapshots.opened == snapshots.emitted + snapshots.discarded

    def others_lost_nothing(self, sensor: str) -> bool:
        return not any(drops for other, drops in self.drops.items() if other != sensor)


class Receiver:
    """Reads messages as a node does, pushes them, and steps at each arrival and deadline."""

    def __init__(self, pipeline: FusionPipeline) -> None:
        self._pipeline = pipeline
        self._store = known_types()
        self._inlet = Inlet(pipeline)
        self.outputs: list[FusionOutput] = []

    def receive(self, topic: str, data: bytes, received_ns: int) -> None:
        while (due_ns := self._pipeline.next_deadline_ns) is not None and due_ns < received_ns:
            self._step(due_ns)
        message = self._store.deserialize_cdr(data, TYPES[topic])
        self._inlet.push(topic, message, received_ns)
        self._step(received_ns)

    def _step(self, now_ns: int) -> None:
        while (output := self._pipeline.step(now_ns)) is not None:
            self.outputs.append(output)


def grey(stamp_ns: int) -> tuple[NDArray[np.uint8], None]:
    return picture(36, 64, (128, 128, 128), stamp_ns), None


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.load(write_tiny_bundle(tmp_path_factory.mktemp('bundle') / 'tiny'))


@pytest.fixture(scope='module')
def backend(bundle: Bundle) -> Backend:
    return create_backend(bundle, Settings().inference)


@pytest.fixture(scope='module')
def world() -> World:
    return small_world(SCENARIO)


@pytest.fixture
def run(bundle: Bundle, backend: Backend, world: World) -> Run:
    """Drive with the given faults through a fresh pipeline."""

    def driven(*faults: Fault) -> Counted:
        drive = SimulatedDrive(replace(SCENARIO, faults=faults), grey, world)
        pipeline = FusionPipeline(bundle, backend, Settings())
        receiver = Receiver(pipeline)
        deliveries = []
        now_ns = START_NS
        for message in DriveMessages(WithoutTruth(drive)):
            if message.topic in TOPICS:
                now_ns = message.received_ns
                receiver.receive(message.topic, message.data, now_ns)
                assert isinstance(message.source, Delivery)
                deliveries.append(message.source)
        outputs = [*receiver.outputs, *pipeline.finish()]
        reports = pipeline.reports(now_ns)
        return Counted(
            injected={sensor: drive.injected.of(sensor) for sensor in SENSORS},
            received={modality.value: reports[modality].received for modality in Modality},
            drops={modality.value: dict(reports[modality].drops) for modality in Modality},
            snapshots=pipeline.counters,
            # The tiny model weighs a modality by its presence alone.
            frames_used=sum(output.weights[Modality.CAMERA] > 0 for output in outputs),
            deliveries=deliveries,
        )

    return driven


def test_a_drive_without_faults_is_received_and_used_whole(run: Run) -> None:
    counted = run()

    counted.check_books()
    assert counted.received == {'camera': 68, 'microphone': 225, 'gnss': 23, 'velocity': 226}
    assert not any(counted.drops.values())
    assert counted.frames_used == 68


@pytest.mark.parametrize('sensor', SENSORS)
def test_a_sensor_that_dies_is_missed_and_nothing_is_lost(run: Run, sensor: str) -> None:
    counted = run(Fault(sensor, 'dies', *SPAN))

    counted.check_books()
    injected = counted.injected[sensor]
    assert injected.suppressed == injected.hits['dies'] == MEASURED_IN_SPAN[sensor]
    assert counted.received[sensor] == injected.measured - injected.hits['dies']
    assert not any(counted.drops.values())


def test_the_frame_whose_instant_the_timer_has_taken_is_late(run: Run) -> None:
    # While the camera is dead, a timer opens snapshots at each tenth of a second, as soon as the
    # other sensors have come so far. The camera returns at such an instant, and takes longer.
    counted = run(Fault('camera', 'dies', 1.5, 3.0))

    counted.check_books()
    assert counted.drops['camera'] == {DropReason.LATE: 1}


@pytest.mark.parametrize('sensor', SENSORS)
@pytest.mark.parametrize('kind', ['freezes', 'duplicates'])
def test_a_message_that_comes_again_is_a_duplicate(run: Run, sensor: str, kind: str) -> None:
    counted = run(Fault(sensor, kind, *SPAN))

    counted.check_books()
    hits = counted.injected[sensor].hits[kind]  # type: ignore[index]
    assert hits == MEASURED_IN_SPAN[sensor]
    assert counted.drops[sensor] == {DropReason.DUPLICATE: hits}
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize(('sensor', 'used'), [('camera', 8), ('microphone', 50)])
def test_old_content_under_fresh_stamps_is_noticed(run: Run, sensor: str, used: int) -> None:
    """Half a second of frames is used, and a second of sound."""
    counted = run(Fault(sensor, 'stuck', *SPAN))

    counted.check_books()
    hits = counted.injected[sensor].hits['stuck']
    assert hits == MEASURED_IN_SPAN[sensor]
    assert counted.drops[sensor][DropReason.FROZEN] == pytest.approx(hits - used, abs=1)
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', ['gnss', 'velocity'])
def test_numbers_that_stay_are_outliers_where_they_contradict(run: Run, sensor: str) -> None:
    """A position counts as frozen later than this drive lasts; a velocity may stay what it is."""
    counted = run(Fault(sensor, 'stuck', *SPAN))

    counted.check_books()
    hits = counted.injected[sensor].hits['stuck']
    assert hits == MEASURED_IN_SPAN[sensor]
    assert counted.drops[sensor].get(DropReason.OUTLIER, 0) < hits
    assert counted.drops[sensor].keys() <= {DropReason.OUTLIER}
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_what_is_delayed_within_the_reordering_window_is_used_if_its_instant_still_waits(
    run: Run, sensor: str
) -> None:
    counted = run(Fault(sensor, 'delays', *SPAN, amount_s=0.3))

    counted.check_books()
    assert counted.injected[sensor].hits == {'delays': MEASURED_IN_SPAN[sensor]}
    overtaken = sum(behind > 0 for behind in behind_s(counted.deliveries, sensor))
    assert overtaken > 0
    # Only a frame opens an instant; it is too late when that of a newer frame has been closed.
    lost = {DropReason.LATE: overtaken} if sensor == 'camera' else {}
    assert counted.drops[sensor] == lost
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_what_is_delayed_beyond_the_reordering_window_is_out_of_order(
    run: Run, sensor: str
) -> None:
    counted = run(Fault(sensor, 'delays', 1.0, 1.85, amount_s=1.6))

    counted.check_books()
    beyond = sum(
        behind > Settings().alignment.reorder_window_s
        for behind in behind_s(counted.deliveries, sensor)
    )
    assert beyond == counted.injected[sensor].hits['delays']
    assert counted.drops[sensor] == {DropReason.OUT_OF_ORDER: beyond}
    assert counted.snapshots.clock_resets == 0
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_damaged_messages_are_refused_by_the_adapters(run: Run, sensor: str) -> None:
    counted = run(Fault(sensor, 'corrupts', *SPAN))
    numbers = sensor in ('gnss', 'velocity')

    counted.check_books()
    assert counted.injected[sensor].hits == {'corrupts': MEASURED_IN_SPAN[sensor]}
    assert counted.drops[sensor] == {
        DropReason.NOT_FINITE if numbers else DropReason.MALFORMED: MEASURED_IN_SPAN[sensor]
    }
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_stamps_that_jump_ahead_lie_in_the_future(run: Run, sensor: str) -> None:
    counted = run(Fault(sensor, 'clock_jumps', *SPAN, amount_s=5.0))

    counted.check_books()
    assert counted.injected[sensor].hits == {'clock_jumps': MEASURED_IN_SPAN[sensor]}
    assert counted.drops[sensor] == {DropReason.FUTURE: MEASURED_IN_SPAN[sensor]}
    assert counted.snapshots.clock_resets == 0
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_single_stamps_that_jump_back_are_out_of_order(run: Run, sensor: str) -> None:
    half_s = 0.5 / RATES_HZ[sensor]
    times = (1.6, 2.2, 3.0)
    glitches = [
        Fault(sensor, 'clock_jumps', at_s - half_s, at_s + half_s, amount_s=-2.5) for at_s in times
    ]
    counted = run(*glitches)

    counted.check_books()
    assert counted.injected[sensor].hits == {'clock_jumps': 3}
    assert counted.drops[sensor] == {DropReason.OUT_OF_ORDER: 3}
    assert counted.snapshots.clock_resets == 0
    assert counted.others_lost_nothing(sensor)


@pytest.mark.parametrize('sensor', SENSORS)
def test_a_clock_that_stays_back_is_refused_and_the_others_lose_nothing(
    run: Run, sensor: str
) -> None:
    counted = run(Fault(sensor, 'clock_jumps', *SPAN, amount_s=-2.5))

    counted.check_books()
    hits = counted.injected[sensor].hits['clock_jumps']
    assert hits == MEASURED_IN_SPAN[sensor]
    assert counted.snapshots.clock_resets == 0
    assert counted.drops[sensor].get(DropReason.CLOCK_JUMP, 0) > hits // 2
    assert counted.others_lost_nothing(sensor)


def test_all_faults_of_all_sensors_at_once_leave_no_message_unaccounted(run: Run) -> None:
    amounts = {'delays': 0.2, 'clock_jumps': 5.0}
    counted = run(
        *(
            Fault(sensor, kind, 0.5, 4.0, amounts.get(kind, 0.5), share=0.15)
            for sensor in SENSORS
            for kind in get_args(FaultKind)
        )
    )

    counted.check_books()
    for sensor in SENSORS:
        injected = counted.injected[sensor]
        assert injected.hits.keys() == set(get_args(FaultKind)) or sensor == 'gnss'
        assert injected.published == (
            injected.measured + injected.hits['duplicates'] - injected.hits['dies']
        )


def behind_s(deliveries: list[Delivery], sensor: str) -> list[float]:
    """Say of each message of a sensor how far behind the newest one before it its stamp is."""
    stamps = [item.sample.stamp_ns for item in deliveries if item.sensor == sensor]
    newest = itertools.accumulate(stamps, max)
    return [(before - stamp) * 1e-9 for before, stamp in zip(newest, stamps, strict=True)]
