# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import InferenceError
from mm_fusion.pipeline import Network, Stopwatch
from mm_fusion.pipeline.beside import InPlace, one_thread
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.types.features import FeatureBatch
from support.bundles import AUDIO_SAMPLES, IMAGE_SIZE, write_tiny_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.runtime import Backend


class CountingBackend:
    """A backend that counts its runs, hands out the same buffers again, and fails as told.

    Args:
        backend: What really runs.

    Attributes:
        runs: By stage.
        failing: Stages that fail.
        meeting: Where encoders wait for each other.
        threads: By stage, in which it ran last.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.reason = backend.name, backend.reason
        self.concurrent = backend.concurrent
        self.runs: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.meeting = threading.Barrier(1)
        self.threads: dict[str, threading.Thread] = {}
        self._buffers: dict[str, NDArray[Any]] = {}

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.threads[stage] = threading.current_thread()
        if stage != 'fusion':
            self.meeting.wait()
        if stage in self.failing:
            raise InferenceError(f'no {stage}')
        self.runs[stage] += 1
        outputs = self._backend.run(stage, inputs)
        for name, value in outputs.items():
            np.copyto(self._buffers.setdefault(name, np.empty_like(value)), value)
        return {name: self._buffers[name] for name in outputs}

    def close(self) -> None:
        self._backend.close()


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder: Path = tmp_path_factory.mktemp('bundle') / 'tiny'
    return Bundle.load(write_tiny_bundle(folder))


@pytest.fixture
def backend(bundle: Bundle) -> CountingBackend:
    return CountingBackend(create_backend(bundle, Settings().inference))


def batch(red: int | None, level: float | None) -> FeatureBatch:
    image = audio = None
    if red is not None:
        image = np.zeros((1, *IMAGE_SIZE, 3), np.uint8)
        image[..., 0] = red
    if level is not None:
        audio = np.full((1, AUDIO_SAMPLES), level, np.float32)
    return FeatureBatch(
        image=image,
        audio=audio,
        motion=None,
        presence=np.array([[red is not None, level is not None, 0]], np.float32),
        age_s=np.zeros((1, 3), np.float32),
    )


BATCHES = [
    batch(200, 0.1),
    batch(200, 0.3),
    batch(90, 0.3),
    batch(90, 0.3),
    batch(None, 0.3),
    batch(90, 0.1),
    batch(200, 0.1),
]


def same_as_fresh(bundle: Bundle, one: FeatureBatch, found: Mapping[str, NDArray[Any]]) -> None:
    """Check that outputs are those of a network that has seen nothing before."""
    fresh = Network(bundle.manifest, create_backend(bundle, Settings().inference))
    for name, value in fresh.run(one, Stopwatch()).items():
        np.testing.assert_array_equal(found[name], value)


def test_an_encoder_does_not_run_again_on_the_same_input(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    for one in BATCHES:
        network.run(one, Stopwatch())
    assert backend.runs == {'image_encoder': 3, 'audio_encoder': 3, 'fusion': 7}


def test_the_outputs_are_those_of_a_network_that_forgets(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    for one in BATCHES:
        remembering = {name: value.copy() for name, value in network.run(one, Stopwatch()).items()}
        same_as_fresh(bundle, one, remembering)


def test_a_buffer_that_is_filled_anew_is_another_input(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    one = batch(200, None)
    assert one.image is not None
    before = network.run(one, Stopwatch())['friction_logits'].copy()
    one.image[...] = 0
    after = network.run(one, Stopwatch())['friction_logits']
    assert not np.array_equal(before, after)


def test_an_encoder_that_failed_runs_again(bundle: Bundle, backend: CountingBackend) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    network.run(batch(200, None), Stopwatch())
    backend.failing = {'image_encoder'}
    with pytest.raises(InferenceError):
        network.run(batch(90, None), Stopwatch())
    backend.failing = set()
    network.run(batch(90, None), Stopwatch())
    assert backend.runs['image_encoder'] == 2


def test_an_encoder_that_does_not_run_has_a_latency_too(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    for _ in range(2):
        watch = Stopwatch()
        network.run(batch(200, 0.1), watch)
    assert list(watch.durations_s) == ['image_encoder', 'audio_encoder', 'fusion']


def test_encoders_run_at_once_where_the_backend_allows_it(
    bundle: Bundle, backend: CountingBackend
) -> None:
    backend.meeting = threading.Barrier(2, timeout=30.0)
    Network(bundle.manifest, backend, one_thread('beside')).run(batch(200, 0.1), Stopwatch())


def test_elsewhere_one_thread_runs_everything(bundle: Bundle, backend: CountingBackend) -> None:
    backend.concurrent = False
    Network(bundle.manifest, backend, one_thread('beside')).run(batch(200, 0.1), Stopwatch())
    assert backend.threads.keys() == {'image_encoder', 'audio_encoder', 'fusion'}
    assert set(backend.threads.values()) == {threading.current_thread()}


@pytest.mark.parametrize('stage', ['image_encoder', 'audio_encoder'])
def test_a_failure_beside_is_raised_and_harms_nothing_later(
    bundle: Bundle, backend: CountingBackend, stage: str
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    backend.failing = {stage}
    with pytest.raises(InferenceError, match=f'no {stage}'):
        network.run(batch(200, 0.1), Stopwatch())
    assert 'fusion' not in backend.runs
    backend.failing = set()
    network.run(batch(200, 0.1), Stopwatch())
    assert backend.runs == {'image_encoder': 1, 'audio_encoder': 1, 'fusion': 1}


def test_a_sound_that_was_announced_is_encoded_before_the_batch_and_once(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    one = batch(200, 0.1)
    assert one.audio is not None
    backend.meeting = threading.Barrier(2, timeout=30.0)
    network.listen(one.audio)
    backend.meeting.wait()  # the encoder of sound has begun, and nothing else was asked for
    backend.meeting = threading.Barrier(1)
    watch = Stopwatch()
    found = {name: value.copy() for name, value in network.run(one, watch).items()}
    assert backend.runs == {'image_encoder': 1, 'audio_encoder': 1, 'fusion': 1}
    assert backend.threads['audio_encoder'] is not threading.current_thread()
    assert watch.durations_s.keys() == {'image_encoder', 'audio_encoder', 'fusion'}
    same_as_fresh(bundle, one, found)


def test_a_sound_alone_may_be_announced_and_another_than_announced_is_not_mistaken(
    bundle: Bundle, backend: CountingBackend
) -> None:
    beside = one_thread('beside')
    network = Network(bundle.manifest, backend, beside)
    for announced, run in ((0.1, None), (0.1, 0.3)):
        one = batch(None, announced)
        other = one if run is None else batch(None, run)
        assert one.audio is not None
        network.listen(one.audio)
        beside.submit(int).result()  # what was announced has been encoded
        found = {name: value.copy() for name, value in network.run(other, Stopwatch()).items()}
        same_as_fresh(bundle, other, found)
    assert backend.runs['audio_encoder'] == 2


def test_an_announced_sound_that_fails_is_raised_by_the_batch(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'))
    one = batch(200, 0.1)
    assert one.audio is not None
    backend.failing = {'audio_encoder'}
    network.listen(one.audio)
    with pytest.raises(InferenceError, match='no audio_encoder'):
        network.run(one, Stopwatch())
    backend.failing = set()
    network.run(one, Stopwatch())
    assert backend.runs['fusion'] == 1


def test_an_image_that_was_announced_is_encoded_before_the_batch_and_once(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'), one_thread('ahead'))
    one, next_one = batch(200, 0.1), batch(90, 0.1)
    assert one.image is not None
    assert next_one.image is not None
    backend.meeting = threading.Barrier(2, timeout=30.0)
    for image in (one.image, next_one.image):
        network.look(image)
        backend.meeting.wait()  # its encoding has begun, and nothing else was asked for
    backend.meeting = threading.Barrier(1)
    watch = Stopwatch()
    found = {name: value.copy() for name, value in network.run(one, watch).items()}
    assert backend.threads['image_encoder'].name.startswith('ahead')
    assert watch.durations_s.keys() == {'image_encoder', 'audio_encoder', 'fusion'}
    same_as_fresh(bundle, one, found)
    later = {name: value.copy() for name, value in network.run(next_one, Stopwatch()).items()}
    same_as_fresh(bundle, next_one, later)
    assert backend.runs['image_encoder'] == 2


def test_an_image_that_is_announced_twice_is_encoded_once(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'), InPlace())
    one, other = batch(200, 0.1), batch(90, 0.1)
    assert one.image is not None
    assert other.image is not None
    for image in (one.image, other.image, one.image):
        network.look(image)
    # In the thread that announced them, before any batch was run.
    assert backend.runs == {'image_encoder': 2}
    assert backend.threads['image_encoder'] is threading.current_thread()
    found = {name: value.copy() for name, value in network.run(one, Stopwatch()).items()}
    same_as_fresh(bundle, one, found)
    network.run(other, Stopwatch())
    assert backend.runs['image_encoder'] == 2


def test_a_motion_that_was_announced_is_encoded_beside_and_once(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'moving', trajectory=True))
    backend = CountingBackend(create_backend(bundle, Settings().inference))
    network = Network(bundle.manifest, backend, one_thread('beside'))
    shape = bundle.manifest.stages['motion_encoder'].inputs['motion'].shape
    one = replace(
        batch(200, 0.1),
        motion=np.ones(shape, np.float32),
        presence=np.ones((1, 3), np.float32),
    )
    assert one.motion is not None
    backend.meeting = threading.Barrier(2, timeout=30.0)
    network.move(one.motion)
    backend.meeting.wait()  # its encoding has begun, and nothing else was asked for
    backend.meeting = threading.Barrier(1)
    found = {name: value.copy() for name, value in network.run(one, Stopwatch()).items()}
    assert backend.runs['motion_encoder'] == 1
    assert backend.threads['motion_encoder'] is not threading.current_thread()
    same_as_fresh(bundle, one, found)


def test_an_announced_image_that_no_batch_holds_is_not_mistaken_for_another(
    bundle: Bundle, backend: CountingBackend
) -> None:
    network = Network(bundle.manifest, backend, one_thread('beside'), one_thread('ahead'))
    for red in range(10):
        announced = batch(red, None).image
        assert announced is not None
        network.look(announced)
    other = batch(200, None)
    found = {name: value.copy() for name, value in network.run(other, Stopwatch()).items()}
    same_as_fresh(bundle, other, found)


def test_an_announced_image_that_fails_is_raised_by_its_batch_alone(
    bundle: Bundle, backend: CountingBackend
) -> None:
    ahead = one_thread('ahead')
    network = Network(bundle.manifest, backend, one_thread('beside'), ahead)
    one, other = batch(200, 0.1), batch(90, 0.1)
    assert one.image is not None
    backend.failing = {'image_encoder'}
    network.look(one.image)
    ahead.submit(int).result()  # what was begun before has ended
    backend.failing = set()
    with pytest.raises(InferenceError, match='no image_encoder'):
        network.run(one, Stopwatch())
    network.run(other, Stopwatch())
    network.run(one, Stopwatch())
    assert backend.runs['fusion'] == 2


def test_a_backend_of_one_thread_encodes_nothing_ahead(
    bundle: Bundle, backend: CountingBackend
) -> None:
    backend.concurrent = False
    network = Network(bundle.manifest, backend, one_thread('beside'), one_thread('ahead'))
    one = batch(200, 0.1)
    assert one.image is not None
    network.look(one.image)
    network.run(one, Stopwatch())
    assert set(backend.threads.values()) == {threading.current_thread()}
    assert backend.runs['image_encoder'] == 1
