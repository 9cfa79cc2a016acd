# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every fault of every sensor, and pairs of them, against what the package promises.

    python -m benchmarks.fault_campaign [--bundle base] [--pairs 200] [--json FILE]
                                        [--markdown FILE] [--check]

A simulated drive goes through the message adapters and the pipeline, in process and on its own
time, so that a run takes a second and its figures do not depend on the machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faulty_drives import KINDS, Campaign, Planned, singles
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.faulty_drives import Finding


def pairs(count: int, seed: int = 0) -> list[tuple[Planned, Planned]]:
    """Draw pairs of faults, of one sensor or of two; all where the count is 0."""
    every = list(itertools.combinations(singles(), 2))
    if not count or count >= len(every):
        return every
    return random.Random(seed).sample(every, count)


def markdown(found: Sequence[Finding]) -> str:
    """Write the table of the single faults."""
    lines = [
        '| fault | sensor | said after [s] | promised | absent after [s] '
        '| back after [s] | promised | counted as |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for one in found:
        (fault,) = one.faults
        limit = fault.limits
        lines.append(
            f'| {KINDS[fault.kind].text} | {fault.sensor} | {_seconds(one.said_s)} '
            f'| {_seconds(limit.said_s)} | {_seconds(one.absent_s)} | {_seconds(one.back_s)} '
            f'| {_seconds(limit.back_s)} | {", ".join(one.reasons) or "–"} |'
        )
    return '\n'.join(lines) + '\n'


def main() -> int:
    """Run the campaign and report; 1 where something was not kept and ``--check`` is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--bundle', default='base', help='name or folder')
    parser.add_argument('--pairs', type=int, default=200, help='how many; 0: all')
    parser.add_argument('--json', type=Path, help='write every run to this file')
    parser.add_argument('--markdown', type=Path, help='write the table of single faults')
    parser.add_argument('--check', action='store_true', help='exit 1 where a promise is broken')
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    backend = create_backend(bundle, Settings().inference)
    campaign = Campaign(bundle, backend)
    alone = [campaign.run(fault) for fault in singles()]
    together = [campaign.run(*pair) for pair in pairs(options.pairs)]
    broken = [one for one in (*alone, *together) if one.problems]
    print(markdown(alone))
    print(f'{len(alone)} single faults, {len(together)} pairs; {len(broken)} broke a promise')
    for one in broken:
        names = ' and '.join(f'{fault.sensor} {fault.kind}' for fault in one.faults)
        print(f'- {names}: {"; ".join(one.problems)}')
    if options.markdown is not None:
        options.markdown.write_text(markdown(alone), encoding='utf-8')
    if options.json is not None:
        rows = [one.as_json() for one in (*alone, *together)]
        options.json.write_text(json.dumps(rows, indent=1) + '\n', encoding='utf-8')
    return int(options.check and bool(broken))


def _seconds(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'


if __name__ == '__main__':
    raise SystemExit(main())
