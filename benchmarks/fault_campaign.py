# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every fault of every sensor, and pairs of them, against what the package promises.

    python -m benchmarks.fault_campaign [--bundle base] [--pairs 200] [--part 0/2]
                                        [--json FILE] [--markdown FILE] [--check]

A simulated drive goes through the message adapters and the pipeline, in process and on its own
time, so that a run takes a second and its figures do not depend on the machine. All pairs take an
hour: several processes may do a part of them each.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from benchmarks.fault_kinds import CANNOT_EXIST, KINDS, Planned, singles
from benchmarks.faulty_drives import Campaign
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.simulation.scenario import SENSORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.fault_listener import Finding

_EVERY = 20
"""So often progress is told."""
_LATE = {kind for kind in KINDS if kind.startswith('late')}


def pairs(count: int | None, seed: int = 0) -> list[tuple[Planned, ...]]:
    """Draw pairs of faults, of one sensor or of two; all of them without a count.

    In random order, so that a run that was stopped has seen a fair sample. Two delays of one
    sensor are a longer one, and no pair.
    """
    every: list[tuple[Planned, ...]] = [
        (one, other)
        for one, other in itertools.combinations(singles(), 2)
        if one.sensor != other.sensor or not {one.kind, other.kind} <= _LATE
    ]
    count = len(every) if count is None else min(count, len(every))
    return random.Random(seed).sample(every, count)


def markdown(found: Iterable[Finding]) -> str:
    """Write the table of the single faults, and of those that cannot exist."""
    lines = [
        '| fault | sensor | said after [s] | promised | absent after [s] '
        '| back after [s] | promised | counted as |',
        '|---|---|---|---|---|---|---|---|',
    ]
    rows = {one.faults[0]: one for one in found if len(one.faults) == 1}
    for sensor, kind in itertools.product(SENSORS, KINDS):
        planned = Planned(sensor, kind)
        start = f'| {KINDS[kind].text} | {sensor} '
        if (sensor, kind) in CANNOT_EXIST:
            lines.append(f'{start}| cannot exist: {CANNOT_EXIST[sensor, kind]} |||||')
        elif planned in rows:
            one, limit = rows[planned], planned.limits
            lines.append(
                f'{start}| {_seconds(one.said_s)} '
                f'| {_seconds(limit.said_s)} | {_seconds(one.absent_s)} | {_seconds(one.back_s)} '
                f'| {_seconds(limit.back_s)} | {", ".join(one.reasons) or "–"} |'
            )
    return '\n'.join(lines) + '\n'


def main() -> int:
    """Run the campaign and report; 1 where something was not kept and ``--check`` is given."""
    options = _options()
    bundle = Bundle.load(options.bundle)
    campaign = Campaign(bundle, create_backend(bundle, Settings().inference))
    index, count = options.part
    runs = [*((one,) for one in singles()), *pairs(options.pairs)][index::count]
    found: list[Finding] = []
    with contextlib.ExitStack() as stack:
        log = None if options.json is None else stack.enter_context(options.json.open('w'))
        for planned in runs:
            found.append(campaign.run(*planned))
            _note(found, len(runs), log)
    table = markdown(found)
    print(table)
    alone = sum(len(one.faults) == 1 for one in found)
    broken = [one for one in found if one.problems]
    print(f'{alone} single faults, {len(found) - alone} pairs; {len(broken)} broke a promise')
    for one in broken:
        print(f'- {_names(one)}: {"; ".join(one.problems)}')
    if options.markdown is not None:
        options.markdown.write_text(table, encoding='utf-8')
    return int(options.check and bool(broken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--bundle', default='base', help='name or folder')
    parser.add_argument('--pairs', type=_count, default=200, help='how many, or all')
    parser.add_argument(
        '--part', type=_part, default=(0, 1), metavar='K/N', help='every Nth run, from the Kth on'
    )
    parser.add_argument('--json', type=Path, help='write each run to this file, one on a line')
    parser.add_argument('--markdown', type=Path, help='write the table of single faults')
    parser.add_argument('--check', action='store_true', help='exit 1 where a promise is broken')
    return parser.parse_args()


def _count(text: str) -> int | None:
    return None if text == 'all' else int(text)


def _part(text: str) -> tuple[int, int]:
    index, count = map(int, text.split('/'))
    if not 0 <= index < count:
        raise ValueError(text)
    return index, count


def _note(found: Sequence[Finding], total: int, log: TextIO | None) -> None:
    """Say how far the campaign is, and write the newest run."""
    newest = found[-1]
    if log is not None:
        log.write(json.dumps(newest.as_json()) + '\n')
        log.flush()
    if newest.problems:
        print(f'{_names(newest)}: {"; ".join(newest.problems)}', file=sys.stderr, flush=True)
    if len(found) % _EVERY == 0 or len(found) == total:
        broken = sum(bool(one.problems) for one in found)
        print(f'{len(found)} of {total} runs, {broken} broken', file=sys.stderr, flush=True)


def _names(found: Finding) -> str:
    return ' and '.join(f'{fault.sensor} {fault.kind}' for fault in found.faults)


def _seconds(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'


if __name__ == '__main__':
    raise SystemExit(main())
