# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Try the whole TensorRT path on a GPU, and print what came of it as a table.

python -m tools.gpu_check [BUNDLE] [--runs N]    # exit status 1 where anything fails

For each precision that the bundle accepts: the engines are built into an empty cache, loaded from
it again, compared with ONNX Runtime, and timed with CUDA graphs and without.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from mm_fusion.errors import BundleError, MmFusionError
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.manifest import PRECISIONS
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
from mm_fusion.runtime.parity import check_parity
from mm_fusion.runtime.tensorrt.backend import TensorRtBackend, load_engines
from mm_fusion.runtime.tensorrt.device import Device
from mm_fusion.settings import InferenceSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mm_fusion.runtime import Backend

COLUMNS = (
    'precision',
    'build [s]',
    'cache hit [s]',
    'largest difference',
    'CUDA graph p50 / p99 [ms]',
    'no graph p50 / p99 [ms]',
    'ONNX Runtime, CPU p50 / p99 [ms]',
)
_CPU_RUNS = 20
_FAILED = 'FAILED'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument('bundle', nargs='?', default='base', help='name or folder')
    parser.add_argument('--runs', type=int, default=500, help='frames timed for each figure')
    chosen = parser.parse_args(arguments)
    console = Console()
    try:
        device = Device.open()
        bundle = Bundle.load(chosen.bundle)
    except MmFusionError as error:
        console.print(f'nothing was checked: {error}', soft_wrap=True, markup=False)
        return 1
    console.print(
        f'TensorRT {device.tensorrt_version}, CUDA {device.cuda_version}, {device.name} '
        f'({device.compute_capability}); bundle {bundle.manifest.name} {bundle.manifest.version}'
    )
    table = Table(*COLUMNS)
    rows = [_row(bundle, precision, chosen.runs, console) for precision in PRECISIONS]
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
    return int(any(_FAILED in cell for cells in rows for cell in cells))


def _row(bundle: Bundle, precision: str, runs: int, console: Console) -> list[str]:
    try:
        variant = dataclasses.replace(bundle, graphs=bundle.graphs_at(precision))
    except BundleError as error:
        return [precision, f'refused: {error}']
    try:
        return [precision, *check(variant, precision, runs, console)]
    except MmFusionError as error:
        return [precision, f'{_FAILED}: {error}']


def check(variant: Bundle, precision: str, runs: int, console: Console) -> list[str]:
    """Build, load, compare and time the graphs of one precision; give the cells of its row.

    Raises:
        MmFusionError: Something failed.
    """
    reference = OnnxRuntimeBackend(variant, threads=0, reason='', precision=precision)
    with tempfile.TemporaryDirectory(prefix='mm_fusion_gpu_check_') as folder:
        settings = InferenceSettings(precision=precision, engine_cache=folder)
        spans_s = []
        for expected in (len(variant.graphs), 0):
            start = time.perf_counter()
            engines = load_engines(variant, settings, console.print, threading.Event())
            spans_s.append(time.perf_counter() - start)
            if engines.built != expected:
                raise MmFusionError(
                    f'the cache: found {engines.built} engines built, expected {expected}'
                )
        latencies = []
        for cuda_graphs in (True, False):
            backend = TensorRtBackend(variant, engines, cuda_graphs=cuda_graphs)
            differences = check_parity(backend, reference, variant.manifest, precision)
            name = 'CUDA graphs' if cuda_graphs else 'no graphs'
            console.print(f'{precision}, {name}: {backend.reason}')
            latencies.append(_latency(backend, variant, runs))
        output, worst = max(differences.items(), key=lambda item: item[1])
        cpu = _latency(reference, variant, min(runs, _CPU_RUNS))
        return [
            *(f'{span_s:.2f}' for span_s in spans_s),
            f'{worst:.2g} ({output})',
            *latencies,
            cpu,
        ]


def _latency(backend: Backend, bundle: Bundle, runs: int) -> str:
    """Time one frame: every stage once, copies to the device and back included."""
    random = np.random.default_rng(0)
    inputs: dict[str, dict[str, Any]] = {
        stage.name: {
            name: random.integers(0, 2, spec.shape).astype(spec.dtype)
            for name, spec in stage.inputs.items()
        }
        for stage in bundle.manifest.stages.values()
    }
    spans_s = []
    for _ in range(runs):
        start = time.perf_counter()
        for stage, values in inputs.items():
            backend.run(stage, values)
        spans_s.append(time.perf_counter() - start)
    return ' / '.join(f'{np.percentile(spans_s, share) * 1e3:.2f}' for share in (50, 99))


if __name__ == '__main__':
    sys.exit(main())
