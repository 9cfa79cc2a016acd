# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One decoded recording with its labels."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.errors import DatasetError
from mm_fusion.geometry.reference import travel_angle
from mm_fusion.labels import UNLABELLED
from mm_fusion.training.data.recorded import MIN_SPEED_MPS, PCM_STEPS
from mm_fusion.training.data.sample import CLASS_TASKS, Sample, Targets
from mm_fusion.training.data.sidecar import (
    LABEL_COLUMNS,
    lay_over,
    read_sidecar,
    sidecar_path,
)
from mm_fusion.types.features import STEP_S

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.training.data.cache import Entry

_ROWS = {'camera': 'image_row', 'microphone': 'audio_row'}
_OLDEST_S = 2.5
"""No sample is aged by more than this."""


class Drive:
    """Samples of one recording.

    Args:
        path: Of the recording.
        entry: What it was decoded to.
        table: Of its intervals; None where there is none.

    Attributes:
        path: Of the recording.
        identity: The same for copies of one recording.
        columns: As ``decode_recording`` writes them.
        labels: By task (n,), the table's over those of the recorded truth.

    Raises:
        DatasetError: The table is refused.
    """

    def __init__(self, path: Path, entry: Entry, table: Path | None) -> None:
        self.path = path
        self.identity = f'{path.name} {entry.folder.name[:12]}'
        self.columns = entry.columns
        self.labels = {name: np.array(entry.columns[name]) for name in LABEL_COLUMNS}
        self._about = entry.about
        self._table = table
        if table is not None:
            intervals = read_sidecar(table, float(entry.about['duration_s']))
            lay_over(intervals, self.columns['times_s'], self.labels)

    def __len__(self) -> int:
        return len(self.columns['stamps_ns'])

    @property
    def useful(self) -> NDArray[np.bool_]:
        """Whether there is something to learn from each sample, bool (n,)."""
        told = np.isfinite(self.columns['future']).all(axis=(1, 2))
        told &= np.isfinite(self.columns['rollout']).all(axis=(1, 2))
        told |= np.isfinite(self.labels['friction_coefficient'])
        for task in CLASS_TASKS:
            told |= self.labels[task] != UNLABELLED
        return np.asarray(told)

    @property
    def heard(self) -> NDArray[np.bool_]:
        """Whether each sample has sound, bool (n,)."""
        return np.asarray(self.columns['audio_row'] >= 0)

    @property
    def simulated(self) -> bool:
        """Whether the true road state was recorded with it, as simulators do."""
        return bool(self._about['road_truth'])

    @property
    def bare(self) -> bool:
        """Whether it has neither images nor sound."""
        return all(bool((self.columns[name] < 0).all()) for name in _ROWS.values())

    @cached_property
    def travel_rad(self) -> float:
        """Angle from the headings of the truth to its travel, straight on, rad."""
        first = np.asarray(self.columns['future'], np.float64)[:, 0]
        return travel_angle(first[:, :2], first[:, 2], STEP_S)

    def check(self, *, labelled: bool) -> None:
        """Refuse a recording that there is nothing to learn from.

        Args:
            labelled: Whether it must have a target.

        Raises:
            DatasetError: It gives no sample; or no target, and the message says what was looked
                for.
        """
        if not len(self):
            raise DatasetError(
                f'{self.path}: found no instant with an image, sound or motion; topics read: '
                f'{self._about["topics"]}'
            )
        if not labelled or self.useful.any():
            return
        table = sidecar_path(self.path) if self._table is None else self._table
        road = 'read, but empty' if self._about['road_truth'] else 'not there'
        raise DatasetError(
            f'{self.path}: found nothing to learn from. Looked for the path driven faster than '
            f'{MIN_SPEED_MPS:g} m/s and the 6 s after it, from odometry or positions (found: '
            f'{self._about["path_source"] or "neither"}); for a topic of road states with truth '
            f'in its name ({road}); and for the table {table} '
            f'({"not there" if self._table is None else "no interval with a sample"})'
        )

    def sample(self, row: int, *, along_travel: bool = False) -> Sample:
        """Make the sample of a row, as the node sees it.

        Args:
            row: Which.
            along_travel: Turn what was driven by ``travel_rad``: as it lies ahead of a vehicle
                that heads where it travels.
        """
        columns = self.columns
        future = columns['future'][row]
        if along_travel:
            future = _turned(future, -self.travel_rad)
        motion = np.array(columns['motion'][row])
        return Sample(
            image=self._image(row),
            audio=self._audio(row),
            motion=motion if np.isfinite(motion).all() else None,
            age_s=np.array(columns['age_s'][row]),
            targets=Targets(
                **{task: int(self.labels[task][row]) for task in CLASS_TASKS},
                friction_coefficient=float(self.labels['friction_coefficient'][row]),
                trajectory=residual(columns['rollout'][row], future),
            ),
        )

    def earlier(
        self, row: int, modality: str, random: np.random.Generator
    ) -> tuple[Sample, float] | None:
        """Choose an earlier sample that has a modality, and say how much earlier it is, seconds.

        Returns:
            None where the last seconds have none.
        """
        stamps_ns = self.columns['stamps_ns']
        gaps_s = (stamps_ns[row] - stamps_ns[:row]) / 1e9
        present = self.columns[_ROWS[modality]][:row] >= 0
        rows = np.flatnonzero((gaps_s > 0.0) & (gaps_s <= _OLDEST_S) & present)
        if not len(rows):
            return None
        chosen = int(random.choice(rows))
        return self.sample(chosen), float(gaps_s[chosen])

    def _image(self, row: int) -> NDArray[np.uint8] | None:
        place = self.columns['image_row'][row]
        return None if place < 0 else np.array(self.columns['image'][place])

    def _audio(self, row: int) -> NDArray[np.float32] | None:
        place = self.columns['audio_row'][row]
        if place < 0:
            return None
        steps = np.asarray(self.columns['audio'][place], np.float32)
        return steps / np.float32(PCM_STEPS)


def _turned(path: NDArray[Any], angle_rad: float) -> NDArray[np.float64]:
    """Turn the positions of a path, (12, 3), about the origin."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    x, y, headings = np.asarray(path, np.float64).T
    return np.column_stack([cosine * x - sine * y, sine * x + cosine * y, headings])


def residual(rollout: NDArray[Any], future: NDArray[Any]) -> NDArray[np.float32] | None:
    """Give the driven path less the roll-out, in the frame of the roll-out at each step.

    Args:
        rollout: float (12, 3), x and y in metres and heading in rad, in ``base_link``.
        future: float (12, 3), the same.

    Returns:
        float32 (12, 2), along the roll-out's heading and to its left, metres; None where either
        is not known.
    """
    gap = (future[:, :2] - rollout[:, :2]).astype(np.float64)
    if not np.isfinite(gap).all():
        return None
    cosine, sine = np.cos(rollout[:, 2]), np.sin(rollout[:, 2])
    along = cosine * gap[:, 0] + sine * gap[:, 1]
    aside = cosine * gap[:, 1] - sine * gap[:, 0]
    return np.column_stack([along, aside]).astype(np.float32)
