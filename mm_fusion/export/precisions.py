# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the parity gate found, written into the manifest of a bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BundleError
from mm_fusion.export.bundle import MANIFEST_FILE
from mm_fusion.runtime.manifest import parse_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_precisions(folder: Path, nodes: Mapping[str, Mapping[str, Any]]) -> None:
    """Put nodes of precisions into a manifest, in one step: the file is the old or the new one.

    Args:
        folder: Of the bundle.
        nodes: By precision; precisions that are not named stay as they are.

    Raises:
        BundleError: The manifest cannot be read or written, or a reader would refuse it.
    """
    path = folder / MANIFEST_FILE
    new = path.with_suffix('.json.new')
    try:
        document = json.loads(path.read_text(encoding='utf-8'))
        document['precisions'] = {**document.get('precisions', {}), **nodes}
        text = json.dumps(document, indent=1)
        parse_manifest(json.loads(text), str(path))
        new.write_text(text + '\n', encoding='utf-8')
        new.replace(path)
    except (OSError, ValueError) as error:
        raise BundleError(f'{path}: cannot be rewritten: {error}') from error
