# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of snapshots, made and encoded at a rate of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.features import Featurizer
    from mm_fusion.types.snapshot import Snapshot


class Sounds:
    """Make the sound of the network once in each period of the stamps.

    A window of 3 s says nearly the same a moment later, and to encode it takes a quarter to a
    third of an image. The snapshots of a period share that of the first of them, in the very same
    array, so that it is encoded once; how old it has become goes into the network. What is shared
    hangs on stamps alone, not on how fast the machine is.

    Args:
        featurizer: Makes the windows.
        rate_hz: Highest rate; 0 makes one for each snapshot.
    """

    def __init__(self, featurizer: Featurizer, rate_hz: float) -> None:
        self._featurizer = featurizer
        self._period_ns = round(1e9 / rate_hz) if rate_hz > 0.0 else 0
        self._made: tuple[int, int, NDArray[np.float32]] | None = None

    def take(self, snapshot: Snapshot) -> tuple[NDArray[np.float32] | None, int]:
        """Give the sound of a snapshot, float32 (1, samples), and its age in ns.

        None where the snapshot has none, however fresh the last one is: a microphone that fell
        silent or froze is absent at once.
        """
        if snapshot.audio is None:
            self._made = None
            return None, 0
        stamp_ns, made = snapshot.stamp_ns, self._made
        if made is not None and self._shared(made[0], stamp_ns):
            return made[2], stamp_ns - made[1]
        fresh = self._featurizer.sound(snapshot)
        age_ns = snapshot.modalities[Modality.MICROPHONE].age_ns or 0
        self._made = None if fresh is None else (stamp_ns, stamp_ns - age_ns, fresh)
        return fresh, age_ns

    def _shared(self, first_ns: int, stamp_ns: int) -> bool:
        """Tell whether two stamps fall into one period, the first first."""
        period_ns = self._period_ns
        if period_ns == 0 or stamp_ns < first_ns:
            return False
        return first_ns // period_ns == stamp_ns // period_ns
