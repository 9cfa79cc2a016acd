# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera on the vehicle, after REP-103: base_link x forward, optical z forward."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import CameraSettings


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """An undistorted camera looking ahead; pixel (0, 0) is the centre of the top left pixel.

    Attributes:
        width: Columns.
        height: Rows.
        focal_px: Focal length of both axes.
        forward_m: Place of the camera ahead of base_link, which lies on the ground.
        up_m: Its height over the ground.
        pitch_down_rad: Angle of its axis below the horizontal.
    """

    width: int = 640
    height: int = 360
    focal_px: float = 420.0
    forward_m: float = 1.6
    up_m: float = 1.45
    pitch_down_rad: float = 0.06

    @classmethod
    def from_settings(cls, settings: CameraSettings) -> PinholeCamera:
        """Make the camera of a scenario; the angle of view is that between the outer edges."""
        return cls(
            width=settings.width,
            height=settings.height,
            focal_px=settings.width / 2 / math.tan(math.radians(settings.horizontal_fov_deg) / 2),
            forward_m=settings.forward_m,
            up_m=settings.up_m,
            pitch_down_rad=math.radians(settings.pitch_down_deg),
        )

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """Camera matrix, float64 (3, 3)."""
        centre = ((self.width - 1) / 2, (self.height - 1) / 2)
        return np.array(
            [[self.focal_px, 0, centre[0]], [0, self.focal_px, centre[1]], [0, 0, 1.0]]
        )

    @property
    def rotation(self) -> NDArray[np.float64]:
        """Rotation from base_link to the optical frame (x right, y down, z ahead), (3, 3)."""
        sin, cos = math.sin(self.pitch_down_rad), math.cos(self.pitch_down_rad)
        return np.array([[0.0, -1.0, 0.0], [-sin, 0.0, -cos], [cos, 0.0, -sin]])

    @property
    def position(self) -> NDArray[np.float64]:
        """Optical centre in base_link, float64 (3,)."""
        return np.array([self.forward_m, 0.0, self.up_m])

    @property
    def horizon_row(self) -> float:
        """Row at which level ground vanishes."""
        return (self.height - 1) / 2 - self.focal_px * math.tan(self.pitch_down_rad)

    def to_optical(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points (n, 3) from base_link to the optical frame."""
        return np.asarray((points - self.position) @ self.rotation.T)

    def project(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give pixels (n, 2) and depths (n,) of points (n, 3) in base_link.

        A point with a depth of 0 or less is behind the camera; its pixel means nothing.
        """
        optical = self.to_optical(points)
        with np.errstate(divide='ignore', invalid='ignore'):
            pixels = (optical @ self.intrinsics.T)[:, :2] / optical[:, 2:]
        return pixels, optical[:, 2]
