# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound learns by itself first; at the end the path learns, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from mm_fusion.models.kinematics import KinematicPaths
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.courses import DrivenSamples
    from mm_fusion.training.data.mixture import Part
    from mm_fusion.training.run import Share

pytestmark = pytest.mark.torch

SEED = 3


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Share:
    """A drive on a circle, without images and sound."""
    from mm_fusion.training.data.bags import BagSamples
    from mm_fusion.training.run import Share
    from support.drives import write_circle

    folder = tmp_path_factory.mktemp('drive')
    write_circle(folder / 'bag', duration_s=14.0, inputs=('velocity', 'odometry'))
    source = BagSamples([folder / 'bag'], cache=folder / 'cache')
    return Share(source, 'motion_bags', source.useful, np.array([], np.int64))


def configure(path_steps: int) -> TrainingConfig:
    from mm_fusion.training.config import training_config
    from support.learning import NETWORK_VALUES

    optimization = {
        'epochs': 1, 'steps_per_epoch': 1, 'frozen_blocks': 0, 'path_steps': path_steps,
    }  # fmt: skip
    values = {
        'seed': SEED,
        'network': NETWORK_VALUES,
        'optimization': optimization,
        'data': {'motion_bags': 8},
    }
    return training_config(values, 'test')


def train(share: Share, folder: Path, path_steps: int) -> FusionNetwork:
    from mm_fusion.training.run import train_run

    return train_run([share], configure(path_steps), folder)


def state(network: FusionNetwork) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = network.state_dict()
    return tensors


def test_the_path_alone_learns_and_is_what_the_run_leaves(drive: Share, tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.checkpoint import load_start
    from mm_fusion.training.data.mixture import in_order
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.objective import Supervised
    from mm_fusion.training.run import surface_weights

    plain, refined = state(train(drive, tmp_path / 'a', 0)), train(drive, tmp_path / 'b', 40)
    changed = {
        name for name, value in state(refined).items() if not torch.equal(value, plain[name])
    }
    assert changed
    assert all(name.startswith('path.') for name in changed)
    assert float(plain['path.learned']) == 0.0
    assert float(refined.path.learned) == 1.0

    left = state(load_start(str(tmp_path / 'b')).network)
    assert all(torch.equal(left[name], value) for name, value in state(refined).items())

    config = configure(0).losses
    losses = Losses(config, surface_weights([(drive.source, drive.train, 8)], config))
    found = []
    for folder in ('a', 'b'):
        network = load_start(str(tmp_path / folder)).network.eval()
        batch = next(iter(in_order(drive.source, drive.train, 64)))
        with torch.no_grad():
            _, terms = Supervised(network, losses, bfloat16=False)(batch)
        found.append(float(terms['central_mode']))
    assert found[1] < found[0]


@pytest.mark.parametrize(
    ('simulated', 'size', 'sizes'),
    [('none', 8, [8]), ('half', 8, [8, 2]), ('all', 8, [2]), ('half', 3, [3])],
)
def test_the_path_learns_from_fewer_simulated_drives(
    drive: Share,
    simulated: str,
    size: int,
    sizes: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mm_fusion.training import stages
    from mm_fusion.training.data.bags import BagSamples

    assert isinstance(drive.source, BagSamples)
    count = len(drive.source)
    share = {'none': 0, 'half': count // 2, 'all': count}[simulated]
    monkeypatch.setitem(vars(drive.source), 'simulated', np.arange(count) < share)
    parts = stages.driven_paths([drive], size)
    assert [part.batch_size for part in parts] == sizes
    assert not any(part.varied for part in parts)
    for one in drive.source._drives:
        monkeypatch.setitem(vars(one), 'travel_rad', 0.1)
    first = int(parts[0].chosen[0])
    driven = drive.source.sample(first, None).targets.trajectory
    turned = parts[0].source.sample(first, None).targets.trajectory
    assert driven is not None
    assert turned is not None
    assert np.abs(driven - turned).max() > 0.1
    if simulated == 'half' and len(parts) == 2:
        assert parts[0].chosen.min() >= share > parts[1].chosen.max()


def test_each_stage_of_the_path_learns_its_own_part(
    drive: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from mm_fusion.training import stages
    from mm_fusion.training.checkpoint import load_start

    def place(
        paths: KinematicPaths,
        driven: Sequence[DrivenSamples],
        steps: int,
        told: object,
        *,
        seed: int,
    ) -> None:
        assert seed == SEED
        assert sum(len(one.states) for one in driven) == len(drive.train)
        assert steps == 5
        with torch.no_grad():  # all of this drive is nearest to the central mode
            paths.others.speeds.add_(1.0)

    monkeypatch.setattr(stages, 'place_modes', place)
    before = state(train(drive, tmp_path / 'plain', 0))
    train(drive, tmp_path, 10)
    after = [
        state(load_start(str(tmp_path / name / 'best.safetensors')).network)
        for name in ('central', 'path')
    ]
    for earlier, later, own in (
        (before, after[0], ('path.paths.central.', 'path.learned')),
        (after[0], after[1], ('path.paths.others.', 'path.deviations.', 'path.preferences')),
    ):
        changed = {key for key, value in later.items() if not torch.equal(value, earlier[key])}
        assert all(key.startswith(own) for key in changed)
        assert {one for one in own if any(key.startswith(one) for key in changed)} == set(own)


def test_a_finished_stage_is_not_run_again(drive: Share, tmp_path: Path) -> None:
    import torch

    first = state(train(drive, tmp_path, 5))
    left = [tmp_path / name / 'last.safetensors' for name in ('central', 'path')]
    before = [path.stat().st_mtime_ns for path in left]
    again = state(train(drive, tmp_path, 5))
    assert [path.stat().st_mtime_ns for path in left] == before
    assert all(torch.equal(again[name], value) for name, value in first.items())


def test_without_drives_there_is_no_stage(tmp_path: Path) -> None:
    from mm_fusion.training.run import Share, train_run
    from support.learning import TinySource

    source = TinySource(4, ('camera',), 'photographs')
    share = Share(source, 'photographs', np.arange(4), np.array([], np.int64))
    train_run([share], configure(5), tmp_path)
    assert not (tmp_path / 'central').exists()
    assert not (tmp_path / 'path').exists()


def test_samples_of_motion_alone_have_nothing_else(drive: Share) -> None:
    from mm_fusion.training.data.bags import BagSamples

    assert isinstance(drive.source, BagSamples)
    sample = drive.source.alone('motion').sample(int(drive.train[0]), None)
    assert sample.image is None
    assert sample.audio is None
    assert sample.motion is not None
    assert sample.targets.trajectory is not None


def test_sound_learns_first_and_nothing_else_changes(tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.config import training_config
    from mm_fusion.training.data.mixture import in_order
    from mm_fusion.training.data.sounds import SoundClips
    from mm_fusion.training.distributed import join_world
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.objective import Supervised
    from mm_fusion.training.run import Share, make_network, surface_weights
    from mm_fusion.training.stages import Learner, learn_sound
    from support.labelled import write_sounds
    from support.learning import NETWORK_VALUES

    optimization = {'sound_steps': 40, 'frozen_blocks': 0, 'averaging': 0.0, 'bfloat16': False}
    values = {'network': NETWORK_VALUES, 'optimization': optimization, 'data': {'sounds': 4}}
    config = training_config(values, 'test')
    source = SoundClips(write_sounds(tmp_path / 'sounds', 2))
    share = Share(source, 'sounds', np.arange(len(source)), np.array([], np.int64))
    losses = Losses(config.losses, surface_weights([(source, share.train, 4)], config.losses))
    network = make_network(config, None)
    network.path.requires_grad_(False)  # noqa: FBT003  # as in a training
    before = {name: value.clone() for name, value in state(network).items()}
    batch = next(iter(in_order(source, share.train, 8)))

    def loss() -> float:
        with torch.no_grad():
            _, terms = Supervised(network.eval(), losses, bfloat16=False)(batch)
        return float(terms['siren'])

    first = loss()
    with join_world('cpu') as world:
        learner = Learner(losses, [share], config, tmp_path / 'run', world, lambda *_: None)
        learn_sound(network, learner)
    assert loss() < first - 0.03
    for name, value in state(network).items():
        if name.startswith(('encoders.camera', 'encoders.motion', 'path.')):
            assert torch.equal(value, before[name]), name

    seen = {name: value.clone() for name, value in state(network).items()}
    with join_world('cpu') as world:
        learner = Learner(losses, [share], config, tmp_path / 'run', world, lambda *_: None)
        again = make_network(config, None)
        learn_sound(again, learner)
    assert all(torch.equal(state(again)[name], value) for name, value in seen.items())


def test_sound_of_drives_is_taken_without_their_images(tmp_path: Path) -> None:
    from mm_fusion.training.data.sample import Sample, Targets, only

    sample = Sample(
        image=np.zeros((2, 2, 3), np.uint8),
        audio=np.ones(8, np.float32),
        motion=np.ones((40, 3), np.float32),
        age_s=np.array([0.1, 0.2, 0.3], np.float32),
        targets=Targets(friction=2, siren=1),
    )
    heard = only(sample, 'microphone')
    assert heard.image is None
    assert heard.motion is None
    assert heard.audio is sample.audio
    assert heard.age_s.tolist() == pytest.approx([0.0, 0.2, 0.0])
    assert (heard.targets.friction, heard.targets.siren) == (2, 1)


@pytest.mark.parametrize('with_clips', [True, False])
def test_moments_of_drives_teach_sound_the_road_and_sirens_where_there_are_no_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_clips: bool
) -> None:
    from mm_fusion.training import stages
    from mm_fusion.training.config import training_config
    from mm_fusion.training.data.bags import BagSamples
    from mm_fusion.training.data.sounds import SoundClips
    from mm_fusion.training.distributed import join_world
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.run import Share, make_network, surface_weights
    from support.labelled import write_sounds
    from support.learning import NETWORK_VALUES
    from support.truths import write_told

    values = {
        'network': NETWORK_VALUES,
        'optimization': {'sound_steps': 1, 'frozen_blocks': 0},
        'losses': {'friction': 0.5},
        'data': {'sounds': 4, 'bags': 3},
    }
    config = training_config(values, 'test')
    clips = SoundClips(write_sounds(tmp_path / 'sounds', 2))
    drives = BagSamples([write_told(tmp_path / 'told')], cache=tmp_path / 'cache')
    nothing = np.array([], np.int64)
    shares = [Share(drives, 'bags', drives.useful, nothing)]
    if with_clips:
        shares.append(Share(clips, 'sounds', np.arange(len(clips)), nothing))
    learned: list[tuple[float, Sequence[Part]]] = []

    def run(
        self: stages.Learner,
        _name: str,
        network: FusionNetwork,
        parts: Sequence[Part],
        *_: object,
        **__: object,
    ) -> FusionNetwork:
        learned.append((self.losses.config.friction, parts))
        return network

    monkeypatch.setattr(stages.Learner, 'run', run)
    losses = Losses(config.losses, surface_weights([(drives, drives.useful, 3)], config.losses))
    with join_world('cpu') as world:
        learner = stages.Learner(losses, shares, config, tmp_path / 'run', world, lambda *_: None)
        stages.learn_sound(make_network(config, None), learner)
    friction, parts = learned[0]
    assert friction == pytest.approx(0.1 if with_clips else 0.5)
    moments = parts[-1]
    assert (len(parts), moments.batch_size) == (2 if with_clips else 1, 3)
    if with_clips:
        assert (parts[0].source, parts[0].batch_size) == (clips, 16)
    heard = moments.source.sample(int(moments.chosen[0]), None)
    assert heard.image is None
    assert heard.targets.friction >= 0
    assert heard.targets.siren == (-1 if with_clips else 0)
