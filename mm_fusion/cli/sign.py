# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion sign``: sign a bundle, for vehicles that load signed ones alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_Bundle = Annotated[str, typer.Argument(help='Name or folder of the model bundle.')]
_Key = Annotated[Path, typer.Option(help='PEM file of the Ed25519 private key.')]


def sign(bundle: _Bundle, key: _Key) -> None:
    """Sign a bundle whose checksums are right; a changed manifest must be signed again."""
    from mm_fusion.runtime.bundle import MANIFEST, MAX_MANIFEST_BYTES, Bundle
    from mm_fusion.runtime.signature import sign as sign_manifest

    loaded = Bundle.load(bundle)
    path = sign_manifest(loaded.path / MANIFEST, key, MAX_MANIFEST_BYTES)
    print(f'signed {loaded.manifest.name} {loaded.manifest.version}: {path}')
