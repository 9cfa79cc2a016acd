# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture of the simulated sound: tyre noise dry and wet, passing sirens, every surface."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy.signal import spectrogram, welch

from benchmarks.simulation_sound import RATE_HZ, listen, passing, surface
from mm_fusion.simulation.acoustics.propagation import SPEED_OF_SOUND_MPS
from mm_fusion.simulation.acoustics.synthesizer import FULL_SCALE_PA

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from benchmarks.simulation_sound import SceneAt

_DRY, _WET = '#c0702a', '#2c66b0'
_COLOURS = ('#c0702a', '#2c66b0', '#123f7a', '#8fa9c9', '#7a6db0', '#36a2b5')
_MATERIALS = (
    ('concrete', '#8d949d'), ('cobble', '#9c4a3c'), ('gravel', '#c99a2e'), ('mud', '#6b5034'),
)  # fmt: skip
_FLOOR_DB, _CEILING_DB = 0.0, 60.0
_SIREN_CEILING_DB = 85.0
_SPEED_MPS, _SIREN_MPS = 14.0, 25.0
_PASSES_S = 6.0
_LABEL: dict[str, Any] = {
    'color': 'white',
    'fontsize': 8,
    'ha': 'center',
    'va': 'center',
    'bbox': {'facecolor': '#1a1030', 'alpha': 0.8, 'edgecolor': 'none', 'pad': 1.5},
}
_STYLE = {
    'font.size': 9.0,
    'axes.titlesize': 10.0,
    'axes.titlelocation': 'left',
    'axes.titleweight': 'bold',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': False,
    'grid.color': '#d8dce2',
    'legend.frameon': False,
}


def draw(path: Path) -> None:
    """Write the picture."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(13.5, 8.6), dpi=100, layout='constrained')
        axes = figure.subplots(2, 3)
        _tyres(figure, axes[0])
        _wail(figure, axes[1, 0])
        _two_tone(axes[1, 1])
        _surfaces(axes[1, 2])
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, pil_kwargs={'optimize': True})


def _pressure(scene_at: SceneAt, duration_s: float) -> NDArray[np.float64]:
    return np.asarray(listen(scene_at, duration_s) / 32767 * FULL_SCALE_PA)


def _tyre_noise(friction: str, material: str, duration_s: float) -> NDArray[np.float64]:
    return _pressure(surface(friction, material, _SPEED_MPS, engine_on=False), duration_s)


def _density_db(density: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(density, 1e-14) / (20e-6) ** 2))


def _picture(
    axes: Axes, sound: NDArray[np.float64], window: int, ceiling_db: float = _CEILING_DB
) -> AxesImage:
    """Show a spectrogram over time in s and frequency in kHz."""
    _, times, density = spectrogram(
        sound, RATE_HZ, nperseg=window, noverlap=window - 256, window='hann'
    )
    image = axes.imshow(
        _density_db(density),
        origin='lower',
        aspect='auto',
        extent=(0.0, float(times[-1]), 0.0, RATE_HZ / 2e3),
        vmin=_FLOOR_DB,
        vmax=ceiling_db,
        cmap='magma',
        interpolation='nearest',
    )
    axes.set_xlabel('time, s')
    axes.set_ylabel('frequency, kHz')
    return image


def _tyres(figure: Figure, axes: NDArray[np.object_]) -> None:
    """Show dry and wet asphalt side by side, and their mean spectra."""
    kmh = 3.6 * _SPEED_MPS
    for i, (name, friction) in enumerate((('dry', 'dry'), ('wet', 'wet'))):
        sound = _tyre_noise(friction, 'asphalt', 8.0)
        image = _picture(axes[i], sound[RATE_HZ:], 512)
        axes[i].set_title(f'Tyre noise: {name} asphalt, {kmh:.0f} km/h')
    figure.colorbar(image, ax=axes[1], label='dB re (20 µPa)²/Hz', pad=0.01)
    levels = {}
    for name, friction, colour in (('dry', 'dry', _DRY), ('wet', 'wet', _WET)):
        centres, levels[name] = _thirds(_tyre_noise(friction, 'asphalt', 12.0))
        axes[2].semilogx(centres, levels[name], 'o-', ms=3, color=colour, label=name)
    axes[2].fill_between(centres, levels['dry'], levels['wet'], color=_WET, alpha=0.12, lw=0)
    high = centres > 2000
    gain = 10 * math.log10(
        float(np.sum(10 ** (levels['wet'][high] / 10)))
        / float(np.sum(10 ** (levels['dry'][high] / 10)))
    )
    axes[2].text(
        0.03, 0.95, f'above 2 kHz: wet +{gain:.1f} dB', transform=axes[2].transAxes, va='top'
    )
    axes[2].set_title('Mean spectra, one-third octaves')
    _log_axis(axes[2], 'sound pressure level, dB')
    axes[2].legend(loc='lower center')


def _thirds(sound: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give centres and levels of the one-third octaves."""
    frequencies, density = welch(sound[RATE_HZ:], RATE_HZ, nperseg=8192)
    centres = 1000 * 2.0 ** (np.arange(-13, 9) / 3)
    powers = [
        density[(frequencies >= f * 2 ** (-1 / 6)) & (frequencies < f * 2 ** (1 / 6))].sum()
        * frequencies[1]
        for f in centres
    ]
    return centres, _density_db(np.array(powers))


def _log_axis(axes: Axes, label: str) -> None:
    ticks = [63, 125, 250, 500, 1000, 2000, 4000]
    axes.set_xticks(ticks, [f'{t / 1000:g}k' if t >= 1000 else str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel('frequency, Hz')
    axes.set_ylabel(label)
    axes.grid(visible=True)


def _wail(figure: Figure, axes: Axes) -> None:
    scene = passing('wail', _SIREN_MPS, 4.0, _PASSES_S)
    image = _picture(axes, _pressure(scene, 2 * _PASSES_S), 1024, _SIREN_CEILING_DB)
    axes.set_ylim(0, 5)
    axes.axvline(_PASSES_S, color='white', lw=0.8, ls=':')
    axes.text(_PASSES_S, 4.75, 'passes at 4 m', **_LABEL)
    axes.set_title(f'Wail siren passing at {3.6 * _SIREN_MPS:.0f} km/h')
    figure.colorbar(image, ax=axes, label='dB re (20 µPa)²/Hz', pad=0.01)


def _two_tone(axes: Axes) -> None:
    """Show the fundamental tones against the Doppler formula."""
    sound = _pressure(passing('two_tone', _SIREN_MPS, 4.0, _PASSES_S), 2 * _PASSES_S)
    _picture(axes, sound, 4096, _SIREN_CEILING_DB)
    axes.set_ylim(0.36, 0.68)
    mach = _SIREN_MPS / SPEED_OF_SOUND_MPS
    for tone in (440.0, 586.7):
        for begin, end, factor in ((0.0, 5.4, 1 / (1 - mach)), (6.6, 11.7, 1 / (1 + mach))):
            heard = tone * factor
            axes.plot([begin, end], 2 * [heard / 1e3], '--', color='#7fe0ff', lw=1.2)
            axes.text((begin + end) / 2, heard / 1e3 + 0.012, f'{heard:.1f} Hz', **_LABEL)
        axes.plot([5.4, 6.6], 2 * [tone / 1e3], ':', color='white', lw=1.2)
        axes.text(6.0, tone / 1e3 - 0.012, f'sent: {tone:.1f} Hz', **_LABEL)
    axes.set_title('Two-tone siren; dashed: f / (1 ∓ v/c)')


def _surfaces(axes: Axes) -> None:
    """Show the mean spectra of every surface."""
    frictions = ('dry', 'wet', 'water', 'fresh_snow', 'melted_snow', 'ice')
    for name, colour in zip(frictions, _COLOURS):
        centres, level = _thirds(_tyre_noise(name, 'asphalt', 10.0))
        axes.semilogx(centres, level, color=colour, lw=1.6, label=name.replace('_', ' '))
    for name, colour in _MATERIALS:
        centres, level = _thirds(_tyre_noise('dry', name, 10.0))
        axes.semilogx(centres, level, color=colour, lw=1.4, ls='--', label=name)
    axes.set_title(f'Every surface at {3.6 * _SPEED_MPS:.0f} km/h')
    _log_axis(axes, 'one-third-octave level, dB')
    axes.set_ylim(top=92)
    axes.legend(ncols=2, fontsize=8, loc='upper right')
