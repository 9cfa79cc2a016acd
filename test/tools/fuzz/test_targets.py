# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every target of the fuzzers, with its seeds, inputs made of them at random, and past findings.

The fuzzers themselves need atheris and hours; these inputs need neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fusion.bags.typestore import read_message
from mm_fusion.errors import SampleError
from tools.fuzz.__main__ import executions
from tools.fuzz.message_seeds import message_seeds
from tools.fuzz.messages import KINDS, START_NS
from tools.fuzz.mutation import mutate_document
from tools.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW = {'mcap', 'sqlite', 'definition'}
SEEDS = {name: sorted(target.seeds().values()) for name, target in TARGETS.items()}

FINDINGS: list[tuple[str, bytes]] = [
    # Tags of YAML, whose constructors raise what they like: KeyError, IndexError, AttributeError.
    ('scenario', b'seed: !!bool maybe'),
    ('scenario', b'seed: !!int ""'),
    ('scenario', b'seed: !!timestamp never'),
    ('parameters', b'audio: {channels: !!bool maybe}'),
    ('parameters', b'? 2020-13-45\n'),
    # A number of base 60 whose length squared is the time that it takes.
    ('parameters', b'a: ' + b':'.join([b'59'] * 600)),
]


@st.composite
def damaged(draw: st.DrawFn, seeds: list[bytes], limit: int) -> bytes:
    """Draw a good input with bytes changed, inserted, taken out or cut off."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        stop = place + draw(st.integers(0, 8))
        content[place:stop] = draw(st.binary(max_size=8))
    return bytes(content[: draw(st.integers(0, limit))])


@pytest.mark.parametrize('name', TARGETS)
def test_good_inputs_are_good(name: str) -> None:
    assert SEEDS[name]
    for content in SEEDS[name]:
        assert len(content) <= TARGETS[name].max_bytes or name in ('sequence', 'sqlite')
        TARGETS[name].run(content)


@pytest.mark.parametrize('name', TARGETS)
def test_damaged_inputs_are_refused_or_read(name: str) -> None:
    target = TARGETS[name]

    @settings(
        deadline=None,
        max_examples=20 if name in SLOW else 200,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(data=damaged(SEEDS[name], target.max_bytes))
    def run(data: bytes) -> None:
        target.run(data)

    run()


@pytest.mark.parametrize('name', [name for name, target in TARGETS.items() if target.mutate])
def test_changed_documents_are_refused_or_read(name: str) -> None:
    target = TARGETS[name]
    mutate: Callable[[bytes, int], bytes] = target.mutate or mutate_document
    for seed in range(200):
        target.run(mutate(SEEDS[name][seed % len(SEEDS[name])], seed))


@pytest.mark.parametrize(('name', 'content'), FINDINGS)
def test_past_findings_stay_repaired(name: str, content: bytes) -> None:
    TARGETS[name].run(content)


def test_the_seeds_of_messages_reach_every_adapter() -> None:
    """A seed that is refused leads a fuzzer nowhere."""
    for content in message_seeds().values():
        kind = KINDS[content[0]]
        kind.read(read_message(kind.store, '', kind.msgtype, content[1:]), START_NS)


def test_a_message_that_is_none_is_refused_by_name() -> None:
    kind = KINDS[0]
    with pytest.raises(SampleError, match=r'/t: 3 bytes are no sensor_msgs/msg/Image'):
        read_message(kind.store, '/t', kind.msgtype, b'abc')


def test_changes_of_documents_follow_from_their_seed() -> None:
    document = b'{"a": [1, {"b": 2.5}], "c": "text"}'
    changed = [mutate_document(document, seed) for seed in range(50)]
    assert changed == [mutate_document(document, seed) for seed in range(50)]
    assert len(set(changed)) > 30
    assert mutate_document(b'no JSON', 1) != b'no JSON'


@pytest.mark.parametrize(
    ('log', 'count'),
    [
        ('#2\tINITED cov: 1\n#512\tNEW\nstat::number_of_executed_units: 700\n', 700),
        ('#2\tINITED cov: 1\n#512\tNEW    cov: 3\n==1== ERROR: libFuzzer', 512),
        ('ModuleNotFoundError', 0),
    ],
)
def test_executions_are_those_that_libfuzzer_counted(log: str, count: int) -> None:
    assert executions(log) == count
