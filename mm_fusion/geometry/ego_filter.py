# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ego-state filter: an extended Kalman filter fed by velocity and positions."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.geometry.belief import Belief, Refusals
from mm_fusion.geometry.ego_state import EgoState
from mm_fusion.geometry.measurements import (
    MeasuredPosition,
    MeasuredVelocity,
    measured_position,
    measured_velocity,
    origin_of,
)
from mm_fusion.geometry.prediction import predict_path
from mm_fusion.geometry.process import ProcessModel
from mm_fusion.settings import EgoFilterSettings
from mm_fusion.types.sensors import Modality, VelocitySample, modality_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.geometry.enu import LocalFrame
    from mm_fusion.types.sensors import PositionSample

__all__ = ['EgoState', 'EgoStateFilter', 'predict_path']

_MEMORY_NS = 2_000_000_000
"""A sample this much older than the newest is still put in its place; an older one is refused."""

_GAP_NS = 5_000_000_000
"""After a silence of both sensors this long the filter starts anew."""


_LAST = 2
_MAX_DISTANCE_M = 100_000.0
"""The local frame is flat: positions that stay further off than this make a new one."""


class _Entry(NamedTuple):
    """A measurement and the belief after it."""

    stamp_ns: int
    measured: MeasuredVelocity | MeasuredPosition
    belief: Belief
    accepted: bool
    restarted: bool


class EgoStateFilter:
    """Estimate pose and motion from velocity, from positions, or from both.

    The state is that of ``EgoState``, the process that of ``ProcessModel``. Samples may come out
    of order: the filter remembers two seconds of them and works a late one in where it belongs,
    with the result that it would have had in order. A measurement that lies too far from the
    prediction is refused; a sensor refused at least three times over a second is believed, and
    its part of the state starts anew. After five seconds without samples all of it does.

    Args:
        settings: Deviations of the sensors, the gate, and whether a yaw rate is measured.
        process: Model of the motion; None takes the default.
    """

    def __init__(
        self, settings: EgoFilterSettings | None = None, process: ProcessModel | None = None
    ) -> None:
        self._settings = settings or EgoFilterSettings()
        self._process = process or ProcessModel()
        self.reset()

    def reset(self) -> None:
        """Forget everything, the counters and the local frame included."""
        self._entries: list[_Entry] = []
        self._frame: LocalFrame | None = None
        self._positions_seen = False
        self._yaw_rate_seen = self._settings.yaw_rate == 'measured'
        self._strayed = Refusals()
        self._rejected = {Modality.VELOCITY: 0, Modality.GNSS: 0}
        self._restarts = 0

    @property
    def rejected(self) -> Mapping[Modality, int]:
        """Samples refused as outliers or as too old since the last reset, by modality."""
        return dict(self._rejected)

    @property
    def restarts(self) -> int:
        """How often a gap, or positions far from the local frame, made the filter start anew."""
        return self._restarts

    def add(self, sample: VelocitySample | PositionSample) -> bool:
        """Work a sample in.

        Returns:
            False where it is refused, as an outlier or because it is too old.

        Raises:
            SampleError: A number in it is not finite or not plausible, or positions of both
                kinds, on the globe and metric, are mixed.
        """
        modality = modality_of(sample)
        measured = self._measure(sample)
        if measured is None or self._too_old(sample.stamp_ns):
            self._rejected[modality] += 1
            return False
        later = self._take_back(self._place(_order(sample.stamp_ns, measured)))
        accepted = self._append(sample.stamp_ns, measured)
        for entry in later:
            self._append(entry.stamp_ns, entry.measured)
        self._forget()
        return accepted

    def state_at(self, stamp_ns: int) -> EgoState | None:
        """Predict the state at an instant from the samples up to it.

        Returns:
            None where the motion is not known: before the first velocity (or the first two
            positions that tell one), beyond the filter's memory, or in a gap.
        """
        place = self._place((stamp_ns, _LAST))
        if place == 0 or stamp_ns - self._entries[place - 1].stamp_ns > _GAP_NS:
            return None
        belief = self._entries[place - 1].belief.copy()
        if not belief.speed_known:
            return None
        belief.advance(stamp_ns)
        covariance = 0.5 * (belief.covariance + belief.covariance.T)
        covariance[:2, :2] += belief.slow_error()
        return EgoState(
            stamp_ns=stamp_ns,
            mean=np.array(belief.mean),
            covariance=covariance,
            position_known=belief.position_known,
            heading_known=belief.heading_known,
            frame=self._frame,
        )

    def _measure(
        self, sample: VelocitySample | PositionSample
    ) -> MeasuredVelocity | MeasuredPosition | None:
        if isinstance(sample, VelocitySample):
            velocity = measured_velocity(sample, self._settings)
            if self._settings.yaw_rate == 'auto' and velocity.yaw_rate_rps:
                self._yaw_rate_seen = True
            if not self._yaw_rate_seen:
                velocity = velocity.without_yaw_rate()
            return velocity
        if not self._positions_seen:
            self._frame = origin_of(sample)
        position = measured_position(sample, self._frame, self._settings)
        self._positions_seen = True
        if self._frame is None or math.hypot(position.east_m, position.north_m) < _MAX_DISTANCE_M:
            self._strayed = Refusals()
            return position
        self._strayed = self._strayed.another(sample.stamp_ns)
        if not self._strayed.last(sample.stamp_ns):
            return None
        restarts, rejected = self._restarts, self._rejected
        self.reset()
        self._restarts, self._rejected = restarts + 1, rejected
        return self._measure(sample)

    def _too_old(self, stamp_ns: int) -> bool:
        return bool(self._entries) and stamp_ns < self._entries[-1].stamp_ns - _MEMORY_NS

    def _place(self, order: tuple[int, int]) -> int:
        """Find where a sample belongs, which mostly is behind the newest."""
        if not self._entries or _rank(self._entries[-1]) <= order:
            return len(self._entries)
        return bisect.bisect_right(self._entries, order, key=_rank)

    def _take_back(self, place: int) -> list[_Entry]:
        """Undo the samples from a place on, the counters included."""
        undone = self._entries[place:]
        del self._entries[place:]
        for entry in undone:
            self._rejected[_modality(entry.measured)] -= not entry.accepted
            self._restarts -= entry.restarted
        return undone

    def _append(self, stamp_ns: int, measured: MeasuredVelocity | MeasuredPosition) -> bool:
        gap = bool(self._entries) and stamp_ns - self._entries[-1].stamp_ns > _GAP_NS
        if gap or not self._entries:
            belief = Belief(stamp_ns, self._process)
        else:
            belief = self._entries[-1].belief.copy()
            belief.advance(stamp_ns)
        gate = self._settings.gate_sigmas
        if isinstance(measured, MeasuredVelocity):
            accepted = belief.use_velocity(measured, gate)
        else:
            accepted = belief.use_position(measured, gate)
        self._entries.append(_Entry(stamp_ns, measured, belief, accepted, gap))
        self._rejected[_modality(measured)] += not accepted
        self._restarts += gap
        return accepted

    def _forget(self) -> None:
        # The newest entry beyond the memory stays: it is what a late sample starts from.
        oldest_ns = self._entries[-1].stamp_ns - _MEMORY_NS
        while len(self._entries) > 1 and self._entries[1].stamp_ns <= oldest_ns:
            del self._entries[0]


def _order(stamp_ns: int, measured: MeasuredVelocity | MeasuredPosition) -> tuple[int, int]:
    """Order by stamp, velocity before position, so that ties do not depend on who came first."""
    return stamp_ns, int(isinstance(measured, MeasuredPosition))


def _rank(entry: _Entry) -> tuple[int, int]:
    return _order(entry.stamp_ns, entry.measured)


def _modality(measured: MeasuredVelocity | MeasuredPosition) -> Modality:
    return Modality.VELOCITY if isinstance(measured, MeasuredVelocity) else Modality.GNSS
