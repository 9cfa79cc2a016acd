# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare the pipeline with its floor: the networks alone, on tensors that are ready.

One run measures both in turn, frame by frame, so that the ratio holds when the machine's speed
drifts: ``python -m benchmarks.pipeline [--frames N] [--rate HZ] [--precision fp32]
[--short] [--json FILE] [--check]``. What was loaded is kept
from the collector and freed memory is kept, as in the node.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks import machine
from benchmarks.report import Outcome, Target, conclude, parser, table
from mm_fusion.pipeline import FusionPipeline, featurizer_shape
from mm_fusion.ros.frame_memory import keep_freed_memory
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, RawImage, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mm_fusion.runtime import Backend
    from mm_fusion.types.sensors import ImageSample, Sample

MS = 1_000_000
START_NS = 1_700_000_000_000 * MS
TICK_NS = 10 * MS
FRAMES_HZ = 15.0
"""Of the camera that the node promises to keep up with."""
WARM_UP_S = 2.0
"""Until then the sound is not long enough to be encoded."""
RATE_HZ = 16_000
SIZE = (360, 640)
OVERHEAD_LIMIT = 20.0


@dataclass(frozen=True)
class Result:
    """Medians in milliseconds.

    Attributes:
        frames: Frames measured.
        push_ms: All pushes of one frame period: a frame, and what the other sensors say in it.
        step_ms: ``FusionPipeline.step`` for one frame.
        floor_ms: The same stages of the same networks on prepared tensors.
        stages_ms: Each stage within ``step``.
    """

    frames: int
    push_ms: float
    step_ms: float
    floor_ms: float
    stages_ms: dict[str, float]

    @property
    def overhead(self) -> float:
        """Share of the floor that everything else costs on top of it."""
        return (self.push_ms + self.step_ms) / self.floor_ms - 1


def samples(
    index: int, images: Sequence[ImageSample], frames_hz: float = FRAMES_HZ
) -> Iterator[Sample]:
    """Make what arrives in one frame period, in order of arrival: the frame comes first.

    Velocity comes at 100 Hz, sound in chunks of 20 ms, a position at 10 Hz.
    """
    after_ns, until_ns = (round(number * 1e9 / frames_hz) for number in (index, index + 1))
    frame_ns = START_NS + after_ns
    # A camera that repeats itself to the last bit would count as frozen.
    image = images[index % len(images)]
    yield replace(image, stamp_ns=frame_ns, received_ns=frame_ns)
    for tick in range(-(-after_ns // TICK_NS), -(-until_ns // TICK_NS)):
        stamp = START_NS + tick * TICK_NS
        # Motion that stays the same to the last bit would be encoded once.
        speed = 10.0 + 0.01 * (tick % 7)
        yield VelocitySample(stamp, stamp, speed_mps=speed, yaw_rate_rps=0.01)
        if tick % 2 == 0:
            sound = np.zeros(RATE_HZ // 50, np.float32)
            sound[0] = 1e-7 * (tick + 1)
            yield AudioChunk(stamp, stamp + 20 * MS, 'microphone', RATE_HZ, sound)
        if tick % 10 == 0:
            yield GnssFix(stamp, stamp, 'gnss', tick * 1e-6, 0.0, 0.0, np.eye(2))


def measure(
    bundle: Bundle,
    backend: Backend,
    images: Sequence[ImageSample],
    frames: int,
    frames_hz: float = FRAMES_HZ,
) -> Result:
    """Measure pipeline and floor in turn; every frame has its own sound encoded, as the floor."""
    settings = Settings()
    inference = replace(settings.inference, audio_rate_hz=0.0)
    pipeline = FusionPipeline(bundle, backend, replace(settings, inference=inference))
    pipeline.warm_up()
    floor = Floor(bundle, backend)
    pushes: list[float] = []
    steps: list[float] = []
    floors: list[float] = []
    stages: dict[str, list[float]] = {}
    index = 0
    while len(steps) < frames:
        arrived = list(samples(index, images, frames_hz))
        start = time.perf_counter()
        for sample in arrived:
            pipeline.push(sample)
        pushed = time.perf_counter()
        output = pipeline.step(max(sample.received_ns for sample in arrived))
        stepped = time.perf_counter()
        index += 1
        floor.run()
        ended = time.perf_counter()
        if output is None or index <= WARM_UP_S * frames_hz:
            continue
        pushes.append(pushed - start)
        steps.append(stepped - pushed)
        floors.append(ended - stepped)
        for stage, duration in output.latencies_s.items():
            stages.setdefault(stage, []).append(duration)
    return Result(
        frames=frames,
        push_ms=_median_ms(pushes),
        step_ms=_median_ms(steps),
        floor_ms=_median_ms(floors),
        stages_ms={stage: _median_ms(values) for stage, values in stages.items()},
    )


class Floor:
    """Every stage of a bundle on tensors that are ready."""

    def __init__(self, bundle: Bundle, backend: Backend) -> None:
        self._backend = backend
        self._inputs = {
            stage.name: {
                name: np.ones(spec.shape, spec.dtype) for name, spec in stage.inputs.items()
            }
            for stage in bundle.manifest.stages.values()
        }

    def run(self) -> None:
        """Run every stage once."""
        for stage, inputs in self._inputs.items():
            self._backend.run(stage, inputs)


def _median_ms(values: list[float]) -> float:
    return statistics.median(values) * 1e3


def images() -> dict[str, list[ImageSample]]:
    """Make frames as a driver sends them, raw and compressed."""
    random = np.random.default_rng(0)
    made: dict[str, list[ImageSample]] = {'bgr8': [], 'JPEG': []}
    for _ in range(4):
        noise = random.integers(0, 256, (*SIZE, 3), np.uint8)
        # Darker below: of a small network's image, nothing but that is left.
        shade = np.linspace(1.0, 0.4, SIZE[0])[:, np.newaxis, np.newaxis]
        pixels = np.asarray(cv2.GaussianBlur(noise, (9, 9), 3) * shade, np.uint8)
        jpeg = np.asarray(cv2.imencode('.jpg', pixels)[1], np.uint8)
        made['bgr8'].append(RawImage(0, 0, 'camera', 'bgr8', pixels))
        made['JPEG'].append(CompressedImage(0, 0, 'camera', 'jpeg', jpeg))
    return made


def outcome(results: Mapping[str, Result], network: str, frames_hz: float) -> Outcome:
    """Put the figures into words.

    Args:
        results: By kind of frame, bgr8 among them.
        network: Bundle, backend and sizes.
        frames_hz: Of the camera.
    """
    stages = list(results['bgr8'].stages_ms)
    rows = [
        [
            name,
            f'{result.push_ms:.2f}',
            f'{result.step_ms:.1f}',
            ', '.join(f'{result.stages_ms[stage]:.2f}' for stage in stages),
            f'{result.floor_ms:.1f}',
            f'{result.overhead:.0%}',
        ]
        for name, result in results.items()
    ]
    of_which = f'of which {", ".join(stage.replace("_", " ") for stage in stages)}'
    lines = [
        f'{network}. Frames of {SIZE[1]}×{SIZE[0]} at {frames_hz:g} Hz, sound in chunks of 20 ms, '
        'velocity at 100 Hz, positions at 10 Hz. Tracking, sound and motion run beside the image. '
        'Medians in milliseconds, a frame:',
        '',
        *table(('frames', 'all pushes', 'step', of_which, 'floor', 'overhead'), rows),
    ]
    figures = {name: asdict(r) | {'overhead': r.overhead} for name, r in results.items()}
    overhead = 100 * results['bgr8'].overhead
    targets = [Target('overhead over the floor, bgr8', overhead, OVERHEAD_LIMIT, '%')]
    return Outcome('Pipeline against its floor', lines, figures, targets)


def main() -> int:
    """Measure raw and JPEG frames, and report."""
    options = parser(__doc__)
    options.add_argument('--frames', type=int, help='of each kind')
    options.add_argument('--rate', type=float, default=FRAMES_HZ, help='frames per second')
    options.add_argument('--bundle', default='base')
    options.add_argument('--precision', default='auto', help='fp32, int8, or auto as shipped')
    arguments = options.parse_args()
    on = machine.describe()
    inference = replace(Settings().inference, precision=arguments.precision)
    bundle = Bundle.load(arguments.bundle)
    backend = create_backend(bundle, inference)
    frames = arguments.frames or (100 if arguments.short else 1000)
    keep_freed_memory()
    gc.collect()
    gc.freeze()
    results = {
        name: measure(bundle, backend, frames_of, frames, arguments.rate)
        for name, frames_of in images().items()
    }
    network = (
        f'{bundle.manifest.name} {bundle.manifest.version} on {backend.name}, '
        f'{inference.threads} threads, image {featurizer_shape(bundle.manifest).image}'
    )
    return conclude(outcome(results, network, arguments.rate), arguments, on)


if __name__ == '__main__':
    raise SystemExit(main())
