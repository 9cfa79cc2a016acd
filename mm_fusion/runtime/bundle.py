# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A model bundle on disk: a folder of ONNX graphs and a manifest, verified when loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mm_fusion.documents import read_bytes
from mm_fusion.errors import BundleError, DocumentError
from mm_fusion.runtime.manifest import read_manifest
from mm_fusion.runtime.signature import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.types.bundle import FileSpec, Manifest, PrecisionSpec

SHIPPED = Path(__file__).resolve().parent.parent / 'bundles'
MANIFEST = 'manifest.json'
MAX_MANIFEST_BYTES = 4 * 1024**2
MAX_FILE_BYTES = 2 * 1024**3 - 1
"""An ONNX file is one protobuf message, which cannot be larger; nor need weights be."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified model bundle.

    Attributes:
        path: Its folder.
        manifest: Its contract.
        graphs: The bytes of each stage's ONNX graph: those whose checksum was verified.
    """

    path: Path
    manifest: Manifest
    graphs: Mapping[str, bytes]

    @classmethod
    def load(cls, name_or_path: str | Path, public_key: str | Path = '') -> Bundle:
        """Read a bundle, and verify its manifest and the checksum of every graph.

        Args:
            name_or_path: Path of a bundle folder, or the name of a bundle of the package.
            public_key: PEM file of the Ed25519 key that must have signed it; empty takes
                unsigned bundles.

        Raises:
            BundleError: There is no such bundle, or it is incomplete, altered, not signed by the
                key or breaks its contract.
        """
        path = _locate(name_or_path)
        content = _read(path / MANIFEST, MAX_MANIFEST_BYTES)
        if public_key:
            verify(content, path / MANIFEST, Path(public_key))
        manifest = read_manifest(content, str(path / MANIFEST))
        graphs = {name: _verified(path, stage) for name, stage in manifest.stages.items()}
        return cls(path=path, manifest=manifest, graphs=graphs)

    def graphs_at(self, precision: str) -> Mapping[str, bytes]:
        """Give the graphs at a precision: as loaded, or derived from those.

        Args:
            precision: ``fp32``, ``fp16``, ``int8``, or ``int8_cpu`` for ONNX Runtime.

        Returns:
            The bytes of each stage's ONNX graph; inputs and outputs are those of ``fp32``.

        Raises:
            BundleError: The manifest refuses the precision, or says nothing of it for these
                graphs; what is derived is not what was measured; or onnx, which derives them, is
                not installed.
        """
        if precision == 'fp32':
            return self.graphs
        from mm_fusion.runtime.precision import checksums, derive

        spec = self.accepted(precision)
        graphs = derive(self.graphs, precision, spec.intervals)
        if checksums(graphs) != spec.derived:
            raise BundleError(
                f'{self._place_of(precision)}: was measured on graphs that were derived in another'
                f' way, by another version of mm_fusion or onnx; {self._hint}'
            )
        return graphs

    def accepted(self, precision: str) -> PrecisionSpec:
        """Give what the manifest says of a precision that it accepts for these graphs.

        Args:
            precision: Another than ``fp32``.

        Raises:
            BundleError: It refuses the precision, or says nothing of it for these graphs.
        """
        spec = self.manifest.precisions.get(precision)
        place = self._place_of(precision)
        if spec is None:
            found = ', '.join(self.manifest.precisions) or 'none'
            raise BundleError(f'{place}: found {found}, expected a measurement; {self._hint}')
        own = {name: stage.sha256 for name, stage in self.manifest.stages.items()}
        if spec.measured_on != own:
            raise BundleError(f'{place}: was measured on other graphs than these; {self._hint}')
        if not spec.accepted:
            raise BundleError(f'{place}: refused: {spec.why}')
        return spec

    def weights(self) -> bytes:
        """Read the weights that training starts from, and verify their checksum.

        Nothing else needs them, so that ``load`` leaves them on disk.

        Returns:
            The content of a safetensors file.

        Raises:
            BundleError: The bundle has none, or they are missing or altered.
        """
        if self.manifest.weights is None:
            raise BundleError(f'{self.path}: found no weights to train from in the manifest')
        return _verified(self.path, self.manifest.weights)

    def _place_of(self, precision: str) -> str:
        return f'{self.path / MANIFEST}: precisions: {precision}'

    @property
    def _hint(self) -> str:
        return f'mm_fusion quantise {self.path} measures it'


def _verified(folder: Path, spec: FileSpec) -> bytes:
    path = folder / spec.file
    content = _read(path, MAX_FILE_BYTES)
    if len(content) != spec.size_bytes:
        raise BundleError(
            f'{path}: found {len(content)} bytes, expected {spec.size_bytes} by the manifest'
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != spec.sha256:
        raise BundleError(f'{path}: found sha256 {digest}, expected {spec.sha256} by the manifest')
    return content


def _locate(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.is_dir():
        return path
    shipped = SHIPPED / path
    if len(path.parts) == 1 and shipped.is_dir():
        return shipped
    names = sorted(folder.name for folder in SHIPPED.glob('*') if folder.is_dir())
    raise BundleError(
        f'{name_or_path}: found neither such a folder nor a bundle of that name; '
        f'the package has: {", ".join(names) or "none"}'
    )


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_bytes(path, limit)
    except DocumentError as error:
        raise BundleError(str(error)) from error
