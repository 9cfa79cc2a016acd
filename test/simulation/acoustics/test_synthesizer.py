# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle that carries the microphone, its road, the weather and what surrounds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.acoustics import AcousticScene, SoundSynthesizer, SourceState
from mm_fusion.simulation.acoustics.synthesizer import FULL_SCALE_PA, digital
from mm_fusion.simulation.scenario import MicrophoneSettings
from support.listening import QUIET, RATE_HZ, TWO, level_db, listen, pascal

if TYPE_CHECKING:
    from numpy.typing import NDArray


def driving(duration_s: float = 3.0, seed: int = 1, **scene: object) -> NDArray[np.float64]:
    base = replace(AcousticScene(0.0, speed_mps=14.0, engine_on=False), **scene)  # type: ignore[arg-type]
    return pascal(listen(lambda t: replace(base, time_s=t), duration_s, seed=seed))


def one(size: int, index: int) -> tuple[float, ...]:
    return tuple(float(i == index) for i in range(size))


def test_nothing_is_heard_where_everything_is_off() -> None:
    assert not listen(lambda t: AcousticScene(t, engine_on=False), 0.5).any()


def test_the_microphone_has_the_noise_that_is_asked_for() -> None:
    noisy = replace(QUIET, self_noise_db=-50.0)

    samples = listen(lambda t: AcousticScene(t, engine_on=False), 2.0, noisy)

    # Against a sine at full scale, whose mean square is a half.
    found = 10 * np.log10(np.mean((samples / 32767) ** 2) * 2)
    assert found == pytest.approx(-50.0, abs=0.3)


def test_a_wet_road_adds_what_is_above_two_kilohertz() -> None:
    dry = driving()
    for friction, at_least in ((1, 6.0), (2, 11.0)):
        wet = driving(friction=one(6, friction))
        assert level_db(wet, 2000, 7500) - level_db(dry, 2000, 7500) > at_least
        assert abs(level_db(wet, 60, 400) - level_db(dry, 60, 400)) < 4


def test_dry_asphalt_is_loudest_around_one_kilohertz() -> None:
    dry = driving()
    thirds = [1000 * 2 ** (i / 3) for i in range(-9, 9)]
    found = [level_db(dry, f * 2 ** (-1 / 6), f * 2 ** (1 / 6)) for f in thirds]

    assert 700 <= thirds[int(np.argmax(found))] <= 1300


def test_snow_muffles_and_cobbles_rumble() -> None:
    dry, snow, cobble = driving(), driving(friction=one(6, 3)), driving(material=one(5, 2))

    assert level_db(snow, 700, 7500) < level_db(dry, 700, 7500) - 8
    assert level_db(cobble, 40, 250) > level_db(dry, 40, 250) + 12


def test_faster_is_louder() -> None:
    slow, fast = driving(speed_mps=10.0), driving(speed_mps=20.0)

    # Around 1 kHz tyres gain 32.5 dB for ten times the speed.
    gain = level_db(fast, 710, 1400) - level_db(slow, 710, 1400)
    assert gain == pytest.approx(32.5 * np.log10(2), abs=1.0)


def test_broadband_noise_joins_without_seams() -> None:
    sound = driving(20.0)
    frames = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    power = (frames**2).mean(axis=0).reshape(20, 16).mean(axis=1)

    assert power.max() / power.min() < 1.25


@pytest.mark.parametrize(('speed_mps', 'least_hz', 'most_hz'), [(0.0, 26.5, 27.5), (9.0, 28, 75)])
def test_the_engine_fires_twice_a_turn(speed_mps: float, least_hz: float, most_hz: float) -> None:
    scene = AcousticScene(0.0, speed_mps=speed_mps)
    sound = pascal(listen(lambda t: replace(scene, time_s=t), 4.0))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    top = spectrum[: round(100 * 4.0)].argmax() / 4.0

    assert least_hz <= top <= most_hz


def test_the_engine_turns_faster_and_louder_under_load() -> None:
    def level(speed_mps: float, pull: float) -> float:
        base = AcousticScene(0.0, speed_mps=speed_mps, acceleration_mps2=pull)
        return level_db(pascal(listen(lambda t: replace(base, time_s=t), 3.0))[RATE_HZ:], 20, 400)

    # At rest it turns no faster under load; on the way it holds its gear for longer.
    assert level(0.0, 2.5) == pytest.approx(level(0.0, 0.0) + 8, abs=0.5)
    assert level(9.0, 2.5) > level(9.0, 0.0) + 9


def test_rain_drums_on_the_roof() -> None:
    none, some, much = (driving(speed_mps=0.0, rain_mmph=r) for r in (0.0, 2.0, 20.0))

    assert not none.any()
    assert level_db(much) - level_db(some) == pytest.approx(10, abs=2)


def test_wind_is_heard_at_high_speed_and_in_storms() -> None:
    calm = driving(speed_mps=0.0, wind_mps=0.0)
    storm = driving(speed_mps=0.0, wind_mps=25.0)

    assert not calm.any()
    assert level_db(storm, 30, 200) > level_db(storm, 1000, 8000) + 15


def test_a_tunnel_and_a_street_ring_on_after_a_horn() -> None:
    def horn(time_s: float) -> tuple[SourceState, ...]:
        on = time_s < 0.5
        return (SourceState(1, 'car', 10.0, 0.0, 0.0, 0.0, horn_on=on),)

    def tail(enclosure: str) -> float:
        base = AcousticScene(0.0, engine_on=False)
        sound = pascal(
            listen(
                lambda t: replace(base, time_s=t, enclosure=enclosure, sources=horn(t)),  # type: ignore[arg-type]
                1.5,
            )
        )
        return float(np.std(sound[round(0.7 * RATE_HZ) : round(0.9 * RATE_HZ)]))

    assert tail('open') == 0
    assert tail('tunnel') > 3 * tail('street') > 0


def test_a_tunnel_rings_for_its_reverberation_time() -> None:
    def scene(time_s: float) -> AcousticScene:
        source = SourceState(1, 'car', 4.0, 0.0, 0.0, 0.0, horn_on=time_s < 0.5)
        return AcousticScene(time_s, engine_on=False, enclosure='tunnel', sources=(source,))

    sound = pascal(listen(scene, 1.8))
    early, late = (level_db(sound[round(t * RATE_HZ) :][:3200], 300, 3000) for t in (0.7, 1.3))

    # 60 dB in 1.8 s, and a little faster where the low-pass helps.
    assert early - late == pytest.approx(60 / 1.8 * 0.6, abs=6)


def test_noise_from_all_around_is_alike_at_both_microphones_where_waves_are_long() -> None:
    near = replace(TWO, spacing_m=0.2)
    samples = listen(lambda t: AcousticScene(t, speed_mps=14.0, engine_on=False), 10.0, near)
    left, right = (np.fft.rfft(pascal(samples, i).reshape(-1, 800), axis=1) for i in range(2))
    frequency = np.fft.rfftfreq(800, 1 / RATE_HZ)
    cross = (left.conj() * right).mean(axis=0).real
    alike = cross / np.sqrt((abs(left) ** 2).mean(axis=0) * (abs(right) ** 2).mean(axis=0))

    assert alike[(frequency > 200) & (frequency < 300)].mean() > 0.7
    assert abs(alike[(frequency > 2000) & (frequency < 6000)].mean()) < 0.1


def busy(time_s: float) -> AcousticScene:
    sources = (
        SourceState(3, 'bus', 30 - 12 * time_s, 3.5, np.pi, 12.0),
        SourceState(9, 'police', 90 - 20 * time_s, 3.5, np.pi, 20.0, 'yelp', siren_on=True),
    )
    return AcousticScene(
        time_s, x_m=10 * time_s, speed_mps=10.0, rain_mmph=4.0, wind_mps=3.0,
        friction=one(6, 1), material=one(5, 3), enclosure='street', sources=sources,
    )  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    settings = MicrophoneSettings(channels=2)
    first, again, other = (listen(busy, 0.4, settings, seed) for seed in (5, 5, 6))

    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)
    assert first.dtype == np.int16
    assert first.shape == (6400, 2)


def test_a_block_of_any_length_is_filled() -> None:
    samples = listen(busy, 1.0, MicrophoneSettings(), block_s=0.25)

    assert samples.shape == (16_000, 1)
    loudness = np.std(samples.reshape(50, 320), axis=1)
    assert loudness.min() > 0.3 * loudness.max()


def test_the_loudest_sound_bends_and_does_not_wrap() -> None:
    share = np.linspace(-4.0, 4.0, 801, dtype=np.float64)

    samples = digital(share[None] * FULL_SCALE_PA)[:, 0].astype(np.int64)

    assert (np.diff(samples) >= 0).all()
    assert (samples == -samples[::-1]).all()
    assert samples[-1] == 32767
    linear = np.abs(share) <= 0.8
    np.testing.assert_allclose(samples[linear], 32767 * share[linear], atol=1)


def test_a_siren_that_passes_close_by_stays_below_the_bend() -> None:
    source = SourceState(1, 'police', 1.2, 4.0, 0.0, 0.0, 'wail', siren_on=True)
    samples = listen(
        lambda t: AcousticScene(t, speed_mps=14.0, sources=(source,)), 4.0, MicrophoneSettings()
    )

    assert 0.3 < np.abs(samples).max() / 32767 < 0.8


def test_scenes_that_do_not_follow_each_other_are_refused() -> None:
    synthesizer = SoundSynthesizer(QUIET, 1)
    with pytest.raises(ValueError, match=r'expected 320\.00'):
        synthesizer.block(AcousticScene(0.0), AcousticScene(0.02), 300)
    synthesizer.block(AcousticScene(0.0), AcousticScene(0.02), 320)
    with pytest.raises(ValueError, match=r'begins at 0\.040000 s, expected 0\.020000 s'):
        synthesizer.block(AcousticScene(0.04), AcousticScene(0.06), 320)


def test_a_scene_with_a_wrong_number_of_shares_is_refused() -> None:
    with pytest.raises(ValueError, match='material: found 2 shares, expected 5'):
        AcousticScene(0.0, material=(0.5, 0.5))
