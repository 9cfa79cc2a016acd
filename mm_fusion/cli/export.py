# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion export``: a bundle for the node from a finished training."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated

import typer

from mm_fusion.cli.training import needing_torch, say


def export(
    run: Annotated[
        Path, typer.Argument(help='Folder of a run of mm_fusion train, or of one of its folds.')
    ],
    out: Annotated[Path, typer.Option(help='Folder of the bundle, made or overwritten.')],
    friction_coefficients: Annotated[
        Path | None,
        typer.Option(
            help='Table by friction class, copied into the manifest; '
            'default: config/friction_coefficients.yaml.'
        ),
    ] = None,
) -> None:
    """Export a network as ONNX graphs with manifest, model card and weights.

    Each graph is run and compared with torch before anything is written.
    """
    with needing_torch():
        from mm_fusion.export.bundle import write_bundle
        from mm_fusion.export.graphs import export_stages
        from mm_fusion.training.manifest import read_run
    from rich.console import Console

    from mm_fusion.resources import config_path

    table = friction_coefficients or config_path('friction_coefficients.yaml')
    finished = read_run(run, out.resolve().name, table)
    graphs = export_stages(finished.network)
    manifest = write_bundle(out, graphs, finished.weights, finished.manifest)
    files = [*manifest['stages'].values(), manifest['weights']]
    size = sum(part['bytes'] for part in files) / 1e6
    say(Console(), f'bundle: {out}, {size:.1f} MB; graphs agree with torch')
