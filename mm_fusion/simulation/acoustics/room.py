# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Reverberation between houses and in tunnels: a network of delays that feed each other.

After Jot & Chaigne (1991, Digital delay networks for designing artificial reverberators): delays
of different lengths, mixed by an orthogonal matrix, each attenuated for the reverberation time
that is wanted, with a low-pass for the walls and the air.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import Enclosure

_DELAYS_S = np.array([0.0211, 0.0263, 0.0312, 0.0371, 0.0437, 0.0502, 0.0571, 0.0653])
LONGEST_BLOCK_S = 0.02
"""Longest run of samples at once: what is fed back must not be needed before."""

_ROOMS: dict[Enclosure, tuple[float, float]] = {
    'open': (0.3, 0.0),
    'street': (0.5, 0.3),
    'tunnel': (1.8, 0.9),
}
"""Reverberation time in s, and gain; in a tunnel what comes back is louder than the direct sound
of the own vehicle, in a street it is 9 dB weaker. Estimates."""

_FOLLOW_S = 0.3
_SILENT = 1e-3
_LOWPASS_HZ = 4500.0


class Room:
    """Add what the surroundings throw back.

    Args:
        rate_hz: Samples a second.
        channels: Number of microphones; each hears the same delays with other signs.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._delays = np.round(_DELAYS_S * rate_hz).astype(np.int64)
        self._lines = np.zeros((len(self._delays), int(self._delays[-1])))
        self._states = np.zeros((len(self._delays), 1))
        self._pole = math.exp(-2 * math.pi * _LOWPASS_HZ / rate_hz)
        self._gain: float | None = None
        self._fall = 0.0
        count = len(self._delays)
        signs = np.array([(-1.0) ** np.arange(count), (-1.0) ** (np.arange(count) // 2)])
        self._taps = signs[:channels]

    def sound(self, direct: NDArray[np.float64], enclosure: Enclosure) -> NDArray[np.float64]:
        """Give what comes back while ``direct`` (n,) is heard, float64 (channels, n)."""
        time_s, gain = _ROOMS[enclosure]
        count = len(direct)
        if self._gain is None:
            self._gain, self._fall = gain, -3 / time_s
        follow = 1 - math.exp(-count / self._rate_hz / _FOLLOW_S)
        before = self._gain
        self._gain += follow * (gain - self._gain)
        self._fall += follow * (-3 / time_s - self._fall)
        if max(before, self._gain) < _SILENT:
            self._lines[:] = 0.0
            return np.zeros((len(self._taps), count))
        past = self._lines.shape[1]
        heard = np.stack(
            [line[past - delay :][:count] for line, delay in zip(self._lines, self._delays)]
        )
        heard, self._states = lfilter(
            [1 - self._pole], [1.0, -self._pole], heard, axis=1, zi=self._states
        )
        kept = heard * 10 ** (self._fall * self._delays / self._rate_hz)[:, None]
        mixed = kept - kept.sum(axis=0) * (2 / len(self._delays))
        self._lines[:, :-count] = self._lines[:, count:]
        self._lines[:, -count:] = mixed + direct / math.sqrt(len(self._delays))
        ramp = before + (self._gain - before) * np.arange(count) / count
        return np.asarray(ramp * (self._taps @ heard))
