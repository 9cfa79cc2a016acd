# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which precision serves on the CPU where none is asked for."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mm_fusion.errors import BundleError
from mm_fusion.runtime.manifest import INT8_CPU

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.runtime.bundle import Bundle

CPUINFO = Path('/proc/cpuinfo')
_PAIRS = {'avx2', 'avx_vnni', 'avx512_vnni'}
"""Flags of x86 processors that multiply bytes in pairs, with VNNI in fours. No other kind of
processor was measured (docs/precision.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class OnCpu:
    """What ONNX Runtime serves on the CPU.

    Attributes:
        precision: ``int8`` or ``fp32``.
        graphs: The bytes of each stage's ONNX graph.
        why: The reason, as published.
    """

    precision: str
    graphs: Mapping[str, bytes]
    why: str


def choose_on_cpu(bundle: Bundle) -> OnCpu:
    """Choose int8 where the bundle accepts it and it is faster, else fp32.

    The same machine and bundle always give the same answer: nothing is timed.
    """
    as_it_is = partial(OnCpu, 'fp32', bundle.graphs)
    if INT8_CPU not in bundle.manifest.precisions:
        return as_it_is('int8 on the CPU was never measured for this bundle')
    if not multiplies_bytes():
        return as_it_is('int8 is not known to be faster on a processor without AVX2')
    if importlib.util.find_spec('onnx') is None:
        return as_it_is('int8 would be faster, and needs the package onnx')
    try:
        graphs = bundle.graphs_at(INT8_CPU)
    except BundleError as error:
        return as_it_is(str(error))
    return OnCpu('int8', graphs, 'accepted by the bundle, and faster on a processor with AVX2')


def multiplies_bytes() -> bool:
    """Tell whether the processor is known to have an instruction for it; only Linux says."""
    try:
        text = CPUINFO.read_text(encoding='ascii', errors='replace')
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith('flags')), '')
    return not _PAIRS.isdisjoint(flags.split())
