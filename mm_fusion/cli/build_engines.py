# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion build-engines``: TensorRT engines before the node needs them."""

from __future__ import annotations

import dataclasses
import enum
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mm_fusion.runtime.tensorrt.backend import Engines
    from mm_fusion.settings import InferenceSettings


class Precision(str, enum.Enum):
    """Of the graphs."""

    FP32 = 'fp32'
    FP16 = 'fp16'
    INT8 = 'int8'


def build_engines(
    bundle: Annotated[str, typer.Option(help='Name or folder of the model bundle.')] = 'base',
    precision: Annotated[
        Precision, typer.Option(help='Precision of the graphs; the bundle must accept it.')
    ] = Precision.FP32,
    cache: Annotated[
        Path | None, typer.Option(help='Folder of the engines; default: the cache of the user.')
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option('--json', help='File for a manifest of the engines.')
    ] = None,
) -> None:
    """Build the TensorRT engines of a bundle, on the machine and GPU that will use them.

    What the cache has already is loaded instead. Each engine is run, and compared with ONNX
    Runtime as the node does at its start.
    """
    from mm_fusion.settings import InferenceSettings

    settings = InferenceSettings(
        bundle=bundle,
        backend='tensorrt',
        precision=precision.value,
        engine_cache='' if cache is None else str(cache),
    )
    start = time.perf_counter()
    # A thread, since an interrupt that is raised inside TensorRT would end the process badly.
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            engines = pool.submit(_build, settings.bundle, settings, cancelled).result()
        finally:
            cancelled.set()
    elapsed_s = time.perf_counter() - start
    for part in engines.manifest():
        verb = 'built' if part['built'] else 'cached'
        typer.echo(f'{part["stage"]}: {verb}, {part["bytes"] / 1e6:.1f} MB, {part["file"]}')
    typer.echo(f'ready in {elapsed_s:.1f} s; outputs agree with ONNX Runtime')
    if engines.problem:
        typer.echo(engines.problem, err=True)
    if json_file is not None:
        document = {
            'bundle': bundle,
            'precision': precision.value,
            'kept': not engines.problem,
            'engines': engines.manifest(),
        }
        json_file.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')


def _build(name: str, settings: InferenceSettings, cancelled: threading.Event) -> Engines:
    from mm_fusion.runtime import Bundle
    from mm_fusion.runtime.tensorrt.backend import load_engines, make_ready

    loaded = Bundle.load(name)
    variant = dataclasses.replace(loaded, graphs=loaded.graphs_at(settings.precision))
    engines = load_engines(variant, settings, typer.echo, cancelled)
    make_ready(variant, settings, engines, typer.echo).close()
    return engines
