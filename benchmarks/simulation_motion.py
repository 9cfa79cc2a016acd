# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare how the simulated ego vehicle drives with recorded drives.

Speed, longitudinal acceleration, yaw rate and lateral acceleration of simulated and recorded
drives go through the same resampling and smoothing; no country road was recorded. Prints
quantiles and distances, and draws their densities:
``python -m benchmarks.simulation_motion --real DIR --out PNG``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import read_bag
from mm_fusion.simulation.scenario import RoadSettings, Scenario, TrafficSettings
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.world import STEP_NS, Motion
from mm_fusion.types.sensors import VelocitySample

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_S = 0.1
SMOOTHING_S = 0.4
MOVING_MPS = 0.5
QUANTITIES = (
    ('speed', 'm/s', (0.0, 38.0), 38),
    ('longitudinal acceleration', 'm/s²', (-3.5, 3.5), 35),
    ('yaw rate', 'rad/s', (-0.6, 0.6), 40),
    ('lateral acceleration', 'm/s²', (-4.0, 4.0), 40),
)
YAW_RATE = 2
QUANTILES = (1, 5, 25, 50, 75, 95, 99)
PAIRS = (
    ('town', ('boreas_2021_08_05_13_34', 'balzer82_2014_03_26', 'google_mtv_local1')),
    ('country road', ()),
    ('motorway', ('comma2k19_example_1',)),
)
ROADS = {
    'town': RoadSettings(kind='town'),
    'country road': RoadSettings(kind='rural'),
    'motorway': RoadSettings(kind='motorway', speed_limit_mps=20.0),
}
"""The recorded motorway was driven in dense traffic at no more than 20 m/s."""


@dataclass(frozen=True)
class Drives:
    """What was driven, as arrays (n,) at 10 Hz; the last two only while moving.

    Attributes:
        name: Of the recording, or of the kind of road.
        values: By quantity, in their order; empty where the recording has none.
        standing: Share of the time at a standstill.
    """

    name: str
    values: tuple[NDArray[np.float64], ...]
    standing: float


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--real', type=Path, required=True, help='folder of recordings')
    parser.add_argument('--out', type=Path, required=True, help='figure to write, PNG')
    parser.add_argument('--seeds', type=int, default=10, help='simulated drives of each kind')
    parser.add_argument('--seconds', type=float, default=120.0, help='length of each')
    arguments = parser.parse_args()
    rows = []
    for kind, names in PAIRS:
        made = simulated(kind, arguments.seeds, arguments.seconds)
        rows.append((made, [recorded(arguments.real / name) for name in names]))
    for made, real in rows:
        print_rows(made, real)
    draw(rows, arguments.out)


def simulated(kind: str, seeds: int, seconds: float) -> Drives:
    """Simulate drives of a kind of road, one for each seed."""
    parts = []
    for seed in range(seeds):
        world = simulate_world(
            Scenario(
                seed=seed,
                duration_s=seconds,
                road=ROADS[kind],
                traffic=TrafficSettings(parked=0),
            )
        )
        states = world.ego.states
        times = STEP_NS * 1e-9 * np.arange(len(states), dtype=np.float64)
        parts.append(_smoothed(times, states[:, Motion.SPEED], states[:, Motion.YAW_RATE]))
    return _drives(f'simulated {kind}', parts)


def recorded(path: Path) -> Drives:
    """Read speed and yaw rate of a recording."""
    with read_bag(path) as bag:
        samples = [e.content for e in bag.events() if isinstance(e.content, VelocitySample)]
    times = np.array([sample.stamp_ns for sample in samples]) * 1e-9
    speed = np.array([sample.speed_mps for sample in samples])
    turning = [sample.yaw_rate_rps for sample in samples if sample.yaw_rate_rps is not None]
    yaw_rate = np.array(turning) if len(turning) == len(samples) and any(turning) else None
    return _drives(path.name, [_smoothed(times - times[0], speed, yaw_rate)])


def _smoothed(
    times: NDArray[np.float64], speed: NDArray[np.float64], yaw_rate: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], ...]:
    """Resample to 10 Hz, smooth by a Gaussian of 0.4 s, and derive the accelerations."""
    grid = np.arange(0.0, times[-1], STEP_S)
    reach = np.arange(-4 * SMOOTHING_S, 4 * SMOOTHING_S + STEP_S / 2, STEP_S)
    weights = np.exp(-0.5 * (reach / SMOOTHING_S) ** 2)
    weights /= weights.sum()

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(np.interp(grid, times, values), len(reach) // 2, mode='edge')
        return np.convolve(padded, weights, mode='valid')

    slow = smooth(speed)
    along = np.gradient(slow, STEP_S)
    if yaw_rate is None:
        return slow, along, np.empty(0), np.empty(0)
    turning = smooth(yaw_rate)
    return slow, along, turning, slow * turning


def _drives(name: str, parts: list[tuple[NDArray[np.float64], ...]]) -> Drives:
    speed, along, turning, across = (np.concatenate(column) for column in zip(*parts, strict=True))
    moving = speed > MOVING_MPS
    if len(turning):
        turning, across = turning[moving], across[moving]
    return Drives(
        name,
        (speed, along[moving], turning, across),
        1.0 - float(np.count_nonzero(moving)) / len(speed),
    )


def wasserstein(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Give the Wasserstein-1 distance of two samples, in their unit."""
    shares = (np.arange(2000) + 0.5) / 2000
    return float(np.abs(np.quantile(one, shares) - np.quantile(other, shares)).mean())


def kolmogorov(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Give the Kolmogorov-Smirnov distance of two samples."""
    both = np.sort(np.concatenate([one, other]))
    ranks = [
        np.searchsorted(np.sort(part), both, side='right') / len(part) for part in (one, other)
    ]
    return float(np.abs(ranks[0] - ranks[1]).max())


def print_rows(made: Drives, real: list[Drives]) -> None:
    """Print quantiles of drives, and the distance of the simulated from each recorded one."""
    print(
        f'\n{made.name}: standing {made.standing:.0%}; recorded '
        + ', '.join(f'{drives.name} {drives.standing:.0%}' for drives in real)
    )
    print(f'{"":48}' + ''.join(f'{f"{q} %":>8}' for q in QUANTILES) + f'{"W1":>8}{"KS":>7}')
    for index, (name, unit, _, _) in enumerate(QUANTITIES):
        for drives in (made, *real):
            values = drives.values[index]
            if not len(values):
                continue
            cells = ''.join(f'{value:8.2f}' for value in np.percentile(values, QUANTILES))
            if drives is not made:
                cells += f'{wasserstein(made.values[index], values):8.3f}'
                cells += f'{kolmogorov(made.values[index], values):7.2f}'
            label = f'{name} ({unit})' if drives is made else f'  {drives.name}'
            print(f'{label:48}{cells}')


def draw(rows: list[tuple[Drives, list[Drives]]], path: Path) -> None:
    """Draw the densities: a row for each kind of road, a column for each quantity."""
    import matplotlib as mpl

    mpl.use('Agg')
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(
        len(rows), len(QUANTITIES), figsize=(13, 7.6), layout='constrained'
    )
    for axes, (made, real) in zip(grid, rows, strict=True):
        for index, (ax, quantity) in enumerate(zip(axes, QUANTITIES, strict=True)):
            _panel(ax, quantity, index, made, real)
        axes[0].set_ylabel(f'{made.name.removeprefix("simulated ")}\ndensity')
        axes[0].set_ylim(0.0, 1.35 * axes[0].get_ylim()[1])
        axes[0].legend(fontsize=7.5, frameon=False, loc='upper left', ncols=2)
    for ax, (name, _, _, _) in zip(grid[0], QUANTITIES, strict=True):
        ax.set_title(f'{name[0].upper()}{name[1:]}', fontsize=10)
    for ax, (_, unit, _, _) in zip(grid[-1], QUANTITIES, strict=True):
        ax.set_xlabel(unit)
    figure.savefig(path, dpi=110)


def _panel(
    ax: Any,
    quantity: tuple[str, str, tuple[float, float], int],
    index: int,
    made: Drives,
    real: list[Drives],
) -> None:
    _, _, (low, high), bins = quantity
    if index == YAW_RATE and made.name != 'simulated town':
        low, high = low / 3, high / 3
    edges = np.linspace(low, high, bins + 1)
    for drives, colour in zip(
        (made, *real), ('#d95f02', '#1b4f8f', '#2f9e77', '#8e5bb5'), strict=False
    ):
        values = drives.values[index]
        if len(values):
            density, _ = np.histogram(values, edges, density=True)
            label = 'simulated' if drives is made else drives.name.split('_')[0]
            ax.stairs(
                density,
                edges,
                color=colour,
                lw=1.5,
                fill=drives is made,
                alpha=0.35 if drives is made else 1.0,
                label=label,
            )
    ax.set_xlim(low, high)
    if index:
        ax.set_yscale('log')
        ax.set_ylim(3e-3 / (high - low), 60 / (high - low))
    ax.spines[['top', 'right']].set_visible(False)
    ax.locator_params(axis='x', nbins=7)
    ax.tick_params(labelsize=8)


if __name__ == '__main__':
    main()
