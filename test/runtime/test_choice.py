# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which precision serves on the CPU, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.runtime import Bundle, choice
from mm_fusion.runtime.choice import choose_on_cpu, multiplies_bytes
from support.accepted import accepting
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return accepting(Bundle.load(write_tiny_bundle(tmp_path / 'tiny')), 'int8_cpu', bound=0.05)


@pytest.fixture(autouse=True)
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / 'cpuinfo'
    path.write_text('processor : 0\nflags\t: fpu avx2 avx_vnni sse4_2\n', encoding='ascii')
    monkeypatch.setattr(choice, 'CPUINFO', path)
    return path


def saying(bundle: Bundle, **changes: Any) -> Bundle:
    """Let the manifest say something else of int8 on the CPU."""
    spec = replace(bundle.manifest.precisions['int8_cpu'], **changes)
    return replace(bundle, manifest=replace(bundle.manifest, precisions={'int8_cpu': spec}))


def test_int8_is_taken_where_it_is_accepted_and_faster(bundle: Bundle) -> None:
    found = choose_on_cpu(bundle)
    assert found.precision == 'int8'
    assert found.graphs == bundle.graphs_at('int8_cpu')
    assert found.why == 'accepted by the bundle, and faster on a processor with AVX2'


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        ({'accepted': False, 'why': 'friction is off by 2 points'}, 'refused: friction is off'),
        ({'measured_on': {}}, 'was measured on other graphs'),
        ({'derived': {}}, 'was measured on graphs that were derived in another way'),
    ],
)
def test_what_the_manifest_says_against_it_counts(
    bundle: Bundle, changes: dict[str, Any], why: str
) -> None:
    found = choose_on_cpu(saying(bundle, **changes))
    assert found.precision == 'fp32'
    assert found.graphs is bundle.graphs
    assert why in found.why


def test_a_bundle_that_was_never_measured_is_served_as_it_is(bundle: Bundle) -> None:
    bare = replace(bundle, manifest=replace(bundle.manifest, precisions={}))
    found = choose_on_cpu(bare)
    assert found.precision == 'fp32'
    assert found.why == 'int8 on the CPU was never measured for this bundle'


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ('flags : fpu avx512_vnni\n', True),
        ('flags : fpu avx2 sse4_2\n', True),
        ('flags : fpu sse4_2\nflags : fpu avx2\n', False),
        ('Features : fp asimd asimddp\n', False),
        ('', False),
    ],
)
def test_the_processor_is_asked(bundle: Bundle, cpuinfo: Path, text: str, *, found: bool) -> None:
    cpuinfo.write_text(text, encoding='ascii')
    assert multiplies_bytes() is found
    assert choose_on_cpu(bundle).precision == ('int8' if found else 'fp32')


def test_a_system_that_does_not_say_has_none(bundle: Bundle, cpuinfo: Path) -> None:
    cpuinfo.unlink()
    found = choose_on_cpu(bundle)
    assert found.precision == 'fp32'
    assert found.why == 'int8 is not known to be faster on a processor without AVX2'


def test_without_onnx_the_reason_says_so(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda _name: None)
    found = choose_on_cpu(bundle)
    assert found.precision == 'fp32'
    assert found.why == 'int8 would be faster, and needs the package onnx'
