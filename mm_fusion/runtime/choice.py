# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which precision serves on the CPU where none is asked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from mm_fusion.errors import BundleError
from mm_fusion.runtime.manifest import INT8_CPU

if TYPE_CHECKING:
    from mm_fusion.runtime.bundle import Bundle

CPUINFO = Path('/proc/cpuinfo')
_PAIRS = {'avx2', 'avx_vnni', 'avx512_vnni'}
"""Flags of x86 processors that multiply bytes in pairs, with VNNI in fours. No other kind of
processor was measured (docs/precision.md)."""


def precision_on_cpu(bundle: Bundle) -> tuple[str, str]:
    """Choose int8 where the bundle accepts it and it is faster, else fp32.

    The same machine and bundle always give the same answer: nothing is timed.

    Returns:
        ``int8`` or ``fp32``, and why, as published.
    """
    if INT8_CPU not in bundle.manifest.precisions:
        return 'fp32', 'int8 on the CPU was never measured for this bundle'
    try:
        bundle.accepted(INT8_CPU)
    except BundleError as error:
        return 'fp32', str(error)
    if not multiplies_bytes():
        return 'fp32', 'int8 is not known to be faster on a processor without AVX2'
    if importlib.util.find_spec('onnx') is None:
        return 'fp32', 'int8 would be faster, and needs the package onnx'
    return 'int8', 'accepted by the bundle, and faster on a processor with AVX2'


def multiplies_bytes() -> bool:
    """Tell whether the processor is known to have an instruction for it; only Linux says."""
    try:
        text = CPUINFO.read_text(encoding='ascii', errors='replace')
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith('flags')), '')
    return not _PAIRS.isdisjoint(flags.split())
