# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Two processes of torch's launcher train one network, and the first alone writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

pytestmark = pytest.mark.torch
_PROGRAM = """
import os, sys
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save_file
from mm_fusion.training import checkpoint
from mm_fusion.training.config import training_config
from mm_fusion.training.run import Share, train_run
from support.learning import NETWORK_VALUES, TinySource

torch.set_num_threads(1)
out, rank = Path(sys.argv[1]), os.environ['RANK']
write = checkpoint.write_whole
def noted(path, content):
    with (out / 'writers.txt').open('a') as file:
        file.write(rank + '\\n')
    write(path, content)
checkpoint.write_whole = noted
config = training_config({
    'network': NETWORK_VALUES,
    'optimization': {'epochs': 2, 'steps_per_epoch': 2, 'frozen_blocks': 0, 'averaging': 0.0,
                     'device': 'cpu', 'bfloat16': False},
    'data': {'photographs': 2, 'bags': 1},
}, 'test')
camera, drives = TinySource(6, ('camera',), 'photographs'), TinySource(6)
shares = [Share(camera, 'photographs', np.arange(4), np.arange(4, 6)),
          Share(drives, 'bags', np.arange(4), np.arange(4, 6))]
network = train_run(shares, config, out / 'run')
save_file({name: value.contiguous() for name, value in network.state_dict().items()},
          out / f'rank{rank}.safetensors')
"""


def test_both_hold_the_same_weights_and_the_first_writes(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from mm_fusion.training.checkpoint import BEST, load_network

    program = tmp_path / 'program.py'
    program.write_text(_PROGRAM)
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / 'test'), os.environ.get('PYTHONPATH', '')])
    words = ['--standalone', '--nproc-per-node', '2', str(program), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', *words],
        env={
            **os.environ,
            'PYTHONPATH': paths,
            'OMP_NUM_THREADS': '1',
            'GLOO_SOCKET_IFNAME': 'lo',
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (load_file(tmp_path / f'rank{rank}.safetensors') for rank in (0, 1))
    assert set(first) == set(second)
    for name, value in first.items():
        assert np.array_equal(value.numpy(), second[name].numpy()), name
    saved = load_network(tmp_path / 'run' / BEST)[0].state_dict()
    assert all(np.array_equal(saved[name].numpy(), value.numpy()) for name, value in first.items())
    assert set((tmp_path / 'writers.txt').read_text().split()) == {'0'}


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from mm_fusion.training.distributed import join_world

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(DatasetError, match='found no GPU'), join_world('cuda'):
        pass
    with join_world('auto') as world:
        assert (world.rank, world.size, world.device.type) == (0, 1, 'cpu')
