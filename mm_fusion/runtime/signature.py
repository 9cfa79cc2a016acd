# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Ed25519 signature (RFC 8032) of a bundle's manifest, in a file of 64 bytes beside it.

The manifest holds the checksum of every file that is loaded, so that its signature covers them.
``openssl pkeyutl -sign -rawin`` makes the same file. The ``cryptography`` library is imported
where a signature is made or checked, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.documents import read_bytes
from mm_fusion.errors import BundleError, DocumentError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SUFFIX = '.sig'
"""Of the signature's file, behind the name of the manifest."""

_SIGNATURE_BYTES = 64
_MAX_KEY_BYTES = 65_536


def verify(content: bytes, manifest: Path, public_key: Path) -> None:
    """Check that the owner of a key signed a manifest.

    Args:
        content: Of the manifest, as read.
        manifest: Where it was read; the signature lies beside it.
        public_key: PEM file of the Ed25519 public key.

    Raises:
        BundleError: There is no signature, it is of another key or another manifest, the key
            cannot be read, or ``cryptography`` is not installed.
    """
    key = _public_key(public_key)
    path = manifest.with_name(manifest.name + SUFFIX)
    try:
        signature = read_bytes(path, _SIGNATURE_BYTES)
    except DocumentError as error:
        raise BundleError(f'{error}; {public_key} must have signed the bundle') from error
    if len(signature) != _SIGNATURE_BYTES:
        raise BundleError(f'{path}: found {len(signature)} bytes, expected {_SIGNATURE_BYTES}')
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature as error:
        raise BundleError(
            f'{manifest}: found a signature that is not by {public_key} over this content: the '
            'manifest was altered, or signed with another key'
        ) from error


def sign(manifest: Path, private_key: Path, limit: int) -> Path:
    """Sign a manifest, and write the signature beside it in one step.

    Args:
        manifest: File to sign.
        private_key: PEM file of the Ed25519 private key, without a password.
        limit: Bytes that the manifest may have.

    Returns:
        Path of the signature.

    Raises:
        BundleError: A file cannot be read or written, the key is no such key, or
            ``cryptography`` is not installed.
    """
    key = _private_key(private_key)
    path = manifest.with_name(manifest.name + SUFFIX)
    new = path.with_name(path.name + '.new')
    try:
        new.write_bytes(key.sign(read_bytes(manifest, limit)))
        new.replace(path)
    except DocumentError as error:
        raise BundleError(str(error)) from error
    except OSError as error:
        raise BundleError(f'{path}: cannot be written: {error.strerror}') from error
    return path


def _public_key(path: Path) -> Ed25519PublicKey:
    serialization = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(read_bytes(path, _MAX_KEY_BYTES))
    except (DocumentError, ValueError, TypeError, _unsupported()) as error:
        raise BundleError(f'{path}: cannot be read as a public key: {error}') from error
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f'{path}: found {type(key).__name__}, expected an Ed25519 public key')
    return key


def _private_key(path: Path) -> Ed25519PrivateKey:
    serialization = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(read_bytes(path, _MAX_KEY_BYTES), password=None)
    except (DocumentError, ValueError, TypeError, _unsupported()) as error:
        raise BundleError(f'{path}: cannot be read as a private key: {error}') from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f'{path}: found {type(key).__name__}, expected an Ed25519 private key')
    return key


def _serialization() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise BundleError(
            'signatures of bundles need the Python package cryptography, which is not installed'
        ) from error
    return serialization


def _unsupported() -> type[Exception]:
    """Name what the library raises for a key of a kind that it does not know."""
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm
