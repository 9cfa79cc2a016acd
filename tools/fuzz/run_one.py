# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fuzz one target in this process, which ends with the campaign; ``tools.fuzz`` starts it.

Run as ``python -m tools.fuzz.run_one TARGET [options of libFuzzer] CORPUS``.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(
    include=['mm_fusion', 'rosbags', 'tools.fuzz'], exclude=['rosbags.typesys.stores']
):
    from tools.fuzz.targets import TARGETS


def main() -> None:
    """Hand the target to libFuzzer, which never returns."""
    target = TARGETS[sys.argv[1]]
    arguments = [sys.argv[0], *sys.argv[2:]]
    if target.mutate is None:
        atheris.Setup(arguments, target.run)
    else:
        mutate = target.mutate

        def mutated(data: bytes, max_size: int, seed: int) -> bytes:
            if seed % 4 == 0:
                return bytes(atheris.Mutate(data, len(data)))
            return mutate(data, seed)[:max_size]

        atheris.Setup(arguments, target.run, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == '__main__':
    main()
