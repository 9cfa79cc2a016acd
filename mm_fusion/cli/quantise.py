# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion quantise``: measure a bundle at other precisions, and accept or refuse them."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mm_fusion.cli.training import needing_torch
from mm_fusion.errors import InferenceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from mm_fusion.evaluation.precision import Measurement
    from mm_fusion.evaluation.precision_samples import Samples
    from mm_fusion.runtime import Bundle

    Bars = Callable[[str], Callable[[int, int], None]]

_PRECISIONS = ('fp16', 'int8')


def quantise(
    bundle: Annotated[str, typer.Argument(help='Name or folder of the model bundle.')],
    roads: Annotated[Path, typer.Option(help='Folder of photographs with labels.csv.')],
    sounds: Annotated[Path, typer.Option(help='Folder of clips with labels.csv.')],
    precision: Annotated[
        list[str], typer.Option(help='fp16 or int8; may be given again. Default: both.')
    ] = list(_PRECISIONS),  # noqa: B006  # typer copies it
    limit: Annotated[
        int | None, typer.Option(min=1, help='Most photographs, and most clips, to score.')
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help='Threads of one run; 0: all cores.')] = 2,
) -> None:
    """Calibrate and measure fp16 and int8 on real samples, and write the manifest.

    int8 is measured twice, as it is for TensorRT and, as int8_cpu, for ONNX Runtime.

    A precision that drifts too far from fp32 is refused in the manifest, and cannot be loaded.
    """
    from rich.console import Console
    from rich.progress import Progress

    from mm_fusion.runtime import Bundle

    with needing_torch():
        from mm_fusion.evaluation.precision_samples import choose_samples
        from mm_fusion.export.precisions import write_precisions

    unknown = sorted(set(precision) - set(_PRECISIONS))
    if unknown:
        raise SettingsError([f'--precision: found {unknown[0]!r}, expected fp16 or int8'])
    loaded = Bundle.load(bundle)
    samples = choose_samples(roads, sounds, limit)
    console = Console()
    with Progress(console=console, transient=True) as progress:

        def bars(title: str) -> Callable[[int, int], None]:
            task = progress.add_task(title, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        nodes = _measure(loaded, samples, precision, threads, bars)
    write_precisions(loaded.path, nodes)
    for name, node in nodes.items():
        _show(console, name, node)


def _measure(
    bundle: Bundle,
    samples: Samples,
    precisions: list[str],
    threads: int,
    bars: Bars,
) -> dict[str, dict[str, Any]]:
    from mm_fusion.evaluation.labelled import Reader
    from mm_fusion.evaluation.precision import cpu_time_ratios, judge_precision, measure
    from mm_fusion.evaluation.precision_samples import Ranges, collect_ranges
    from mm_fusion.runtime.manifest import INT8_CPU
    from mm_fusion.runtime.precision import as_on_device, checksums, derive

    ranges = Ranges({}, {})
    if 'int8' in precisions:
        ranges = collect_ranges(
            bundle, Reader(bundle.manifest), samples, threads, bars('calibration')
        )
        precisions = [*precisions, INT8_CPU]
    measured_on = {name: stage.sha256 for name, stage in bundle.manifest.stages.items()}
    reference = measure(bundle, bundle.graphs, samples, threads, bars('fp32'))
    nodes = {}
    for name in precisions:
        graphs = derive(bundle.graphs, name, ranges.intervals)
        variant: Measurement | InferenceError
        timed: dict[str, dict[str, float]] = {}
        try:
            variant = measure(bundle, as_on_device(graphs, name), samples, threads, bars(name))
            ratios = cpu_time_ratios(bundle, graphs, threads)
            timed['cpu_time_ratios'] = {key: round(value, 3) for key, value in ratios.items()}
        except InferenceError as error:
            variant = error
        verdict = judge_precision(name, reference, variant)
        sums = {'measured_on': measured_on, 'derived': checksums(graphs)}
        nodes[name] = {**verdict, **timed, **sums}
        if name in ('int8', INT8_CPU):
            nodes[name] |= {'intervals': ranges.intervals, 'left_out': ranges.left_out}
    return nodes


def _show(console: Console, precision: str, node: Mapping[str, Any]) -> None:
    from rich.table import Table

    verdict = '[green]accepted' if node['accepted'] else '[red]refused'
    console.print(f'{precision}: {verdict}[/]: ', end='')
    console.print(node['why'], markup=False, soft_wrap=True)
    for stage, names in node.get('left_out', {}).items():
        if names:
            last = f'convolutions left in float32: {stage}: {len(names)}, the last on {names[-1]}'
            console.print(last, highlight=False, soft_wrap=True)
    metrics = node['metrics']
    if metrics:
        ratios = ', '.join(f'{key} {value:.2f}' for key, value in node['cpu_time_ratios'].items())
        title = 'processor time on ONNX Runtime, of fp32'
        console.print(f'{title}: {ratios}', highlight=False, soft_wrap=True)
        figures = Table('figure', 'fp32', precision, 'difference (points)')
        for name, value in metrics['difference'].items():
            before, after = metrics['fp32'][name], metrics[precision][name]
            figures.add_row(name, f'{before:.4f}', f'{after:.4f}', f'{100 * value:+.2f}')
        console.print(figures)
    bounds = Table('output', 'largest difference')
    for name, value in node['bounds'].items():
        bounds.add_row(name, f'{value:g}')
    if bounds.row_count:
        console.print(bounds)
