# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.evaluation import calibration
from mm_fusion.evaluation.calibration import fit_covariance_scales, squared_distances
from mm_fusion.metrics.trajectory import STEPS_S
from support.drives import INPUTS, write_circle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FITTED = ('balzer82_2014_03_26', 'comma2k19_example_1')


def chi2(samples: int, scale: float, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.asarray(scale * (random.normal(size=(samples, len(STEPS_S), 2)) ** 2).sum(axis=2))


def fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drives: dict[str, NDArray[np.float64]]
) -> dict[str, Any]:
    monkeypatch.setattr(calibration, 'squared_distances', lambda path: drives[path.stem])
    return fit_covariance_scales([tmp_path / name for name in drives])


def test_the_factor_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fitted = fit(monkeypatch, tmp_path, {'a': chi2(20_000, 4.0, 0)})
    np.testing.assert_allclose(fitted['covariance_scales'], 4.0, rtol=0.05)
    assert fitted['times_s'] == [0.5 * step for step in range(1, 13)]
    assert fitted['coverage_held_out'] == {}


def test_drives_weigh_alike_however_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    short, long = chi2(2_000, 9.0, 1), chi2(40_000, 1.0, 2)
    scales = np.array(
        fit(monkeypatch, tmp_path, {'short': short, 'long': long})['covariance_scales']
    )
    share = 0.5 * ((short <= calibration._CHI2 * scales).mean(axis=0)) + 0.5 * (
        (long <= calibration._CHI2 * scales).mean(axis=0)
    )
    np.testing.assert_allclose(share, 0.9, atol=0.005)
    assert (scales > 3.0).all()


def test_each_drive_is_scored_with_the_factors_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drives = {'wild': chi2(20_000, 9.0, 1), 'calm': chi2(20_000, 1.0, 2)}
    held_out = fit(monkeypatch, tmp_path, drives)['coverage_held_out']
    np.testing.assert_allclose(held_out['wild'], 1 - 0.1 ** (1 / 9), atol=0.02)
    np.testing.assert_allclose(held_out['calm'], 1.0, atol=0.001)


@pytest.mark.realdata
def test_recordings_give_finite_distances_and_cover_what_they_say(real_data: Path) -> None:
    paths = [real_data / 'drives' / name for name in FITTED]
    fitted = fit_covariance_scales(paths)
    shares = [
        (distances <= calibration._CHI2 * np.array(fitted['covariance_scales'])).mean(axis=0)
        for distances in map(squared_distances, paths)
    ]
    np.testing.assert_allclose(np.mean(shares, axis=0), 0.9, atol=0.01)


def test_a_circle_driven_at_constant_speed_is_foreseen(tmp_path: Path) -> None:
    distances = squared_distances(write_circle(tmp_path / 'circle'))
    assert distances.shape[1] == len(STEPS_S)
    assert len(distances) >= 8
    assert (distances[3:] < 1.0).all()


@pytest.mark.parametrize('inputs', [INPUTS, ('image', 'velocity')])
def test_a_drive_with_nothing_to_fit_on_is_named(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    short = write_circle(tmp_path / 'short', duration_s=4.0, inputs=inputs)
    with pytest.raises(DatasetError, match='short: found'):
        squared_distances(short)
