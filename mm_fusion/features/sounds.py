# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From recorded sound to the waveform that the network takes."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly

if TYPE_CHECKING:
    from numpy.typing import NDArray


def network_audio(
    samples: NDArray[np.float32], rate_hz: int, target_rate_hz: int, count: int
) -> NDArray[np.float32]:
    """Resample sound and keep its newest part.

    Resampling is polyphase with the anti-alias filter of ``scipy.signal.resample_poly``; at
    equal rates the samples pass unchanged.

    Args:
        samples: float32 (n,), oldest first.
        rate_hz: Rate of ``samples``.
        target_rate_hz: Rate wanted.
        count: Number of samples wanted.

    Returns:
        float32 (count,): the newest sample last, zeros in front where there is too little.
    """
    if rate_hz != target_rate_hz:
        divisor = gcd(rate_hz, target_rate_hz)
        samples = resample_poly(samples, target_rate_hz // divisor, rate_hz // divisor).astype(
            np.float32
        )
    if samples.size == count:
        return samples
    window = np.zeros(count, np.float32)
    kept = min(count, samples.size)
    if kept:
        window[-kept:] = samples[-kept:]
    return window
