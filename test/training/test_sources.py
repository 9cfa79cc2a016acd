# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is learned from and what is held out, and which recordings are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from support.drives import write_circle
from support.labelled import write_sounds

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.training.sources import DataPaths

pytestmark = pytest.mark.torch


class FakeBags:
    """Recordings of two samples each."""

    def __init__(self, names: str, simulated: str = '') -> None:
        self.groups = tuple(name for name in names for _ in range(2))
        self.strata = self.groups
        self.simulated = np.array([name in simulated for name in self.groups])


def data(folder: Path, **changes: Any) -> DataPaths:
    from mm_fusion.training.sources import DataPaths

    paths: dict[str, Any] = {
        'roads': None, 'sounds': None, 'bags': (), 'labels': (), 'validation_bags': (),
    }  # fmt: skip
    return DataPaths(**{**paths, 'cache': folder / 'cache', 'workers': 1, **changes})


def held(number: int, count: int, bags: FakeBags) -> list[str]:
    from mm_fusion.training.sources import Fold

    usable = np.arange(len(bags.groups))
    train, out = Fold(number, count, 0).drives(bags, usable)  # type: ignore[arg-type]
    assert sorted([*train, *out]) == usable.tolist()
    return sorted({bags.groups[index] for index in out})


def test_each_drive_is_held_out_once_and_no_simulated_one() -> None:
    bags = FakeBags('abcdxyz', simulated='xyz')
    assert [held(fold, 3, bags) for fold in range(3)] == [['a', 'd'], ['b'], ['c']]
    assert held(4, 5, bags) == []


def test_folds_of_photographs_and_sounds_split_no_group() -> None:
    from mm_fusion.training.sources import Fold
    from support.learning import TinySource

    source = TinySource(12, groups=6)
    usable = np.arange(1, 12)
    seen: list[int] = []
    for number in range(3):
        train, out = Fold(number, 3, 0).labelled(source, usable)
        assert not {source.groups[i] for i in train} & {source.groups[i] for i in out}
        seen += out.tolist()
    assert sorted(seen) == usable.tolist()


def test_a_share_is_held_out_and_drives_are_not_where_others_are_given() -> None:
    from mm_fusion.training.sources import HoldOut
    from support.learning import TinySource

    source = TinySource(12, groups=6)
    train, out = HoldOut(0.5, 0, drives_apart=False).labelled(source, np.arange(12))
    assert len(train) == len(out) == 6
    assert not {source.groups[i] for i in train} & {source.groups[i] for i in out}
    everything, nothing = HoldOut(0.0, 0, drives_apart=False).labelled(source, np.arange(12))
    assert (len(everything), len(nothing)) == (12, 0)
    bags: Any = FakeBags('abcd')
    assert len(HoldOut(0.5, 0, drives_apart=True).drives(bags, np.arange(8))[1]) == 0
    assert len(HoldOut(0.5, 0, drives_apart=False).drives(bags, np.arange(8))[1]) == 4


def test_bare_recordings_are_a_kind_of_their_own(tmp_path: Path) -> None:
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.sources import Everything, HoldOut, open_shares, open_unlabelled

    bare = write_circle(tmp_path / 'bare', inputs=('velocity', 'odometry'), duration_s=9.0)
    seeing = write_circle(
        tmp_path / 'seeing', inputs=('image', 'velocity', 'odometry'), duration_s=9.0
    )
    paths = data(tmp_path, bags=(bare, seeing))
    shares = open_shares(paths, TrainingConfig(), Everything())
    assert [share.kind for share in shares] == ['bags', 'motion_bags']
    kinds = {share.kind: share for share in shares}
    assert kinds['bags'].source.describe(int(kinds['bags'].train[0])).startswith('seeing')
    motion = kinds['motion_bags']
    assert motion.source.describe(int(motion.train[0])).startswith('bare')
    assert len(motion.train) > 2 * len(kinds['bags'].train)

    apart = data(tmp_path, bags=(bare,), validation_bags=(seeing,))
    shares = open_shares(apart, TrainingConfig(), HoldOut(0.2, 0, drives_apart=True))
    assert [(s.kind, len(s.train) > 0, len(s.held_out) > 0) for s in shares] == [
        ('motion_bags', True, False),
        ('bags', False, True),
    ]
    # Without labels the last seconds, whose future is not known, are as good as the others.
    assert len(open_unlabelled(paths, TrainingConfig()).train) == 18
    with pytest.raises(DatasetError, match='neither images nor sound'):
        open_unlabelled(data(tmp_path, bags=(bare,)), TrainingConfig())


def test_sirens_that_are_mixed_in_come_from_clips_that_are_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.training import sources
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.data.sounds import SoundClips

    given: list[np.ndarray[Any, Any]] = []
    original = SoundClips.siren

    def noted(self: Any, chosen: Any) -> Any:
        given.append(chosen)
        return original(self, chosen)

    monkeypatch.setattr(SoundClips, 'siren', noted)
    paths = data(tmp_path, sounds=write_sounds(tmp_path / 'sounds', 3))
    shares = sources.open_shares(paths, TrainingConfig(), sources.Fold(1, 3, 0))
    assert len(given) == 1
    assert given[0].tolist() == shares[0].train.tolist()
    assert len(shares[0].held_out) == 2


def test_no_data_is_refused(tmp_path: Path) -> None:
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.sources import Everything, open_shares

    with pytest.raises(DatasetError, match='found no data'):
        open_shares(data(tmp_path), TrainingConfig(), Everything())


def test_folders_of_recordings_are_looked_into(tmp_path: Path) -> None:
    from mm_fusion.training.sources import find_bags

    (tmp_path / 'many' / 'b').mkdir(parents=True)
    (tmp_path / 'many' / 'b' / 'metadata.yaml').touch()
    (tmp_path / 'many' / 'a.mcap').touch()
    (tmp_path / 'many' / 'a.labels.csv').touch()
    inside = (tmp_path / 'many' / 'a.mcap', tmp_path / 'many' / 'b')
    assert find_bags([tmp_path / 'many']) == inside
    assert find_bags([inside[1], tmp_path / 'many', tmp_path / 'missing']) == (
        inside[1], inside[0], tmp_path / 'missing',
    )  # fmt: skip
    (tmp_path / 'none').mkdir()
    with pytest.raises(DatasetError, match='found no recording'):
        find_bags([tmp_path / 'none'])


def test_a_table_names_its_recording(tmp_path: Path) -> None:
    from mm_fusion.training.sources import match_labels

    bags = (tmp_path / 'a.mcap', tmp_path / 'b')
    tables = (tmp_path / 'x' / 'b.labels.csv', tmp_path / 'a.mcap.labels.csv')
    assert match_labels(bags, tables) == ((bags[1], tables[0]), (bags[0], tables[1]))
    with pytest.raises(DatasetError, match=r'c\.labels\.csv: fits 0 of the recordings'):
        match_labels(bags, [tmp_path / 'c.labels.csv'])
