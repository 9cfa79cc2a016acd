# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from mm_fusion.cli.main import app
from mm_fusion.errors import BundleError
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.signature import sign
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 100_000


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / 'tiny')


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Write the PEM files of a new private key and of its public key."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f'{name}.key', folder / f'{name}.pub'
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


def refused(tiny: Path, public: Path) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.load(tiny, public)
    return str(caught.value)


def test_a_signed_bundle_is_loaded_with_the_key_and_without(tiny: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, 'ours')
    path = sign(tiny / 'manifest.json', private, LIMIT)
    assert path.name == 'manifest.json.sig'
    assert path.stat().st_size == 64
    assert Bundle.load(tiny, public).manifest == Bundle.load(tiny).manifest


def test_an_unsigned_bundle_is_refused(tiny: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, 'ours')
    found = refused(tiny, public)
    assert 'manifest.json.sig: cannot be read: No such file' in found
    assert f'{public} must have signed the bundle' in found


def test_another_key_is_refused(tiny: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path, 'theirs')
    _, public = key_pair(tmp_path, 'ours')
    sign(tiny / 'manifest.json', private, LIMIT)
    assert f'not by {public} over this content' in refused(tiny, public)


def test_a_manifest_that_fits_altered_graphs_is_refused(tiny: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, 'ours')
    sign(tiny / 'manifest.json', private, LIMIT)
    other = write_tiny_bundle(tmp_path / 'other', friction_coefficient=True)
    shutil.copy(other / 'manifest.json', tiny / 'manifest.json')
    shutil.copy(other / 'fusion.onnx', tiny / 'fusion.onnx')
    Bundle.load(tiny)  # the checksums alone find nothing
    assert 'the manifest was altered' in refused(tiny, public)


def test_one_changed_space_of_the_manifest_is_found(tiny: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, 'ours')
    sign(tiny / 'manifest.json', private, LIMIT)
    with (tiny / 'manifest.json').open('a') as file:
        file.write(' ')
    assert 'the manifest was altered' in refused(tiny, public)


def test_an_altered_graph_of_a_signed_bundle_is_found(tiny: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, 'ours')
    sign(tiny / 'manifest.json', private, LIMIT)
    content = bytearray((tiny / 'fusion.onnx').read_bytes())
    content[-1] ^= 1
    (tiny / 'fusion.onnx').write_bytes(content)
    assert 'fusion.onnx: found sha256' in refused(tiny, public)


@pytest.mark.parametrize(
    ('content', 'found'),
    [
        (b'', 'found 0 bytes, expected 64'),
        (bytes(63), 'found 63 bytes, expected 64'),
        (bytes(64), 'found a signature that is not by'),
        (bytes(65), 'found more than 64 bytes'),
    ],
)
def test_what_is_no_signature_is_refused(
    tiny: Path, tmp_path: Path, content: bytes, found: str
) -> None:
    _, public = key_pair(tmp_path, 'ours')
    (tiny / 'manifest.json.sig').write_bytes(content)
    assert found in refused(tiny, public)


def test_a_key_that_is_none_is_named(tiny: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path, 'ours')
    curve = tmp_path / 'curve.pub'
    curve.write_bytes(
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    garbage = tmp_path / 'garbage.pub'
    garbage.write_bytes(b'ssh-ed25519 AAAA')
    assert 'gone.pub: cannot be read as a public key' in refused(tiny, tmp_path / 'gone.pub')
    assert 'garbage.pub: cannot be read as a public key' in refused(tiny, garbage)
    assert 'curve.pub: found ECPublicKey, expected an Ed25519' in refused(tiny, curve)
    assert 'ours.key: cannot be read as a public key' in refused(tiny, private)
    with pytest.raises(BundleError, match=r'curve\.pub: cannot be read as a private key'):
        sign(tiny / 'manifest.json', curve, LIMIT)


def test_the_command_signs_a_bundle_that_is_whole(tiny: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, 'ours')
    result = CliRunner().invoke(app, ['sign', str(tiny), '--key', str(private)])
    assert result.exit_code == 0
    assert 'signed tiny' in result.output
    Bundle.load(tiny, public)
    (tiny / 'fusion.onnx').write_bytes(b'')
    failed = CliRunner().invoke(app, ['sign', str(tiny), '--key', str(private)])
    assert isinstance(failed.exception, BundleError)


def test_the_signature_is_that_of_the_standard(tmp_path: Path) -> None:
    """RFC 8032, section 7.1, test 1."""
    seed = bytes.fromhex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    expected = bytes.fromhex(
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155'
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
    )
    key = tmp_path / 'vector.key'
    key.write_bytes(
        Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    empty = tmp_path / 'empty.json'
    empty.write_bytes(b'')
    assert sign(empty, key, LIMIT).read_bytes() == expected


def test_the_node_needs_cryptography_for_signatures_alone(tiny: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, 'ours')
    program = f"""
import json, sys
sys.modules['cryptography'] = None
from mm_fusion.errors import BundleError
from mm_fusion.runtime import Bundle
Bundle.load({str(tiny)!r})
try:
    Bundle.load({str(tiny)!r}, {str(public)!r})
except BundleError as error:
    print(json.dumps(str(error)))
"""
    done = subprocess.run(
        [sys.executable, '-c', program], check=True, capture_output=True, text=True
    )
    assert 'need the Python package cryptography' in json.loads(done.stdout)
