# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Writing of a bundle folder."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from mm_fusion.export.card import model_card

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.export.graphs import Graph

CARD_FILE = 'MODEL_CARD.md'


def write_bundle(
    out: Path, graphs: Mapping[str, Graph], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the graphs, the manifest and the model card.

    Args:
        out: Folder, made or overwritten.
        graphs: By stage.
        manifest: All but the stages, which are described here.

    Returns:
        The manifest as written.
    """
    out.mkdir(parents=True, exist_ok=True)
    stages = {}
    for name, graph in graphs.items():
        file = f'{name}.onnx'
        (out / file).write_bytes(graph.content)
        stages[name] = {
            'file': file,
            'sha256': hashlib.sha256(graph.content).hexdigest(),
            'bytes': len(graph.content),
            'inputs': _tensors(graph.inputs),
            'outputs': _tensors(graph.outputs),
        }
    complete = {**manifest, 'stages': stages, 'model_card': CARD_FILE}
    (out / CARD_FILE).write_text(model_card(complete), encoding='utf-8')
    (out / 'manifest.json').write_text(json.dumps(complete, indent=1) + '\n', encoding='utf-8')
    return complete


def _tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {'dtype': array.dtype.name, 'shape': list(array.shape)}
        for name, array in arrays.items()
    }
