# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Writing of a bundle folder."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BundleError
from mm_fusion.export.card import model_card
from mm_fusion.runtime.manifest import parse_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.export.graphs import Graph

CARD_FILE = 'MODEL_CARD.md'
MANIFEST_FILE = 'manifest.json'
WEIGHTS_FILE = 'weights.safetensors'


def write_bundle(
    out: Path, graphs: Mapping[str, Graph], weights: bytes, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the graphs, the weights, the model card, and last the manifest.

    Args:
        out: Folder, made or overwritten.
        graphs: By stage.
        weights: What training goes on from, content of a safetensors file.
        manifest: All but the files, which are described here.

    Returns:
        The manifest as written.

    Raises:
        BundleError: The folder cannot be written, or a reader would refuse the manifest.
    """
    stages = {
        name: {
            **_described(f'{name}.onnx', graph.content),
            'inputs': _tensors(graph.inputs),
            'outputs': _tensors(graph.outputs),
        }
        for name, graph in graphs.items()
    }
    complete = {
        **manifest,
        'stages': stages,
        'weights': _described(WEIGHTS_FILE, weights),
        'model_card': CARD_FILE,
    }
    parse_manifest(complete, str(out / MANIFEST_FILE))
    files = {f'{name}.onnx': graph.content for name, graph in graphs.items()}
    files[WEIGHTS_FILE] = weights
    files[CARD_FILE] = model_card(complete).encode()
    files[MANIFEST_FILE] = (json.dumps(complete, indent=1) + '\n').encode()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise BundleError(f'{out}: cannot be written: {error.strerror}') from error
    return complete


def _described(file: str, content: bytes) -> dict[str, Any]:
    return {
        'file': file,
        'sha256': hashlib.sha256(content).hexdigest(),
        'bytes': len(content),
    }


def _tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {'dtype': array.dtype.name, 'shape': list(array.shape)}
        for name, array in arrays.items()
    }
