# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mm_fusion.documents import MAX_YAML_BYTES, parse_yaml, read_bytes, read_text, read_yaml
from mm_fusion.errors import DocumentError


def test_plain_yaml_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    text = 'a: 1\nb: [1.5, true, text, ~, 2020-01-02]\nc: {d: "0", e: 1:30}\n'
    path = tmp_path / 'plain.yaml'
    path.write_text(text)
    assert read_yaml(path) == yaml.safe_load(text)
    assert parse_yaml('', 'empty') == (None, [])


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ('a: &x 1\nb: *x', 'line 2, column 4: found an alias, expected plain values'),
        ('a: !!bool maybe', 'line 1, column 4: found the tag tag:yaml.org,2002:bool'),
        ('a: !!int ""', 'found the tag'),
        ('a: !!timestamp never', 'found the tag'),
        ('!!python/object/apply:os.system [ls]', 'found the tag'),
        ('a: !!map {}', 'found the tag'),
        ('a: 2020-13-45', 'cannot be read as YAML: month must be in 1..12'),
        ('? [1]\n: 2', 'found unhashable key'),
        ('[' * 5000, 'maximum recursion depth exceeded'),
        ('a: ' + '1' * 65, 'line 1, column 4: found a number of 65 characters'),
        ('a: ' + ':'.join(['59'] * 1000), 'found a number of 2999 characters'),
        ('a: "\x07"', 'unacceptable character'),
        ('a: 1\n---\nb: 2', 'but found another document'),
    ],
)
def test_what_is_not_plain_is_refused(text: str, found: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_yaml(text, 'file.yaml')
    assert str(caught.value).startswith('file.yaml: ')
    assert found in str(caught.value)


def test_a_key_that_stands_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'twice.yaml'
    path.write_text('a: 1\nb: {c: 1, c: 2}\na: 2\n')
    with pytest.raises(
        DocumentError, match=r"column 1: found 'a' twice; line 2, column 11: found 'c'"
    ):
        read_yaml(path)


def test_a_document_that_unfolds_is_refused_before_it_does() -> None:
    levels = [f'l{i}: &l{i} [{", ".join([f"*l{i - 1}"] * 9)}]' for i in range(1, 30)]
    with pytest.raises(DocumentError, match='found an alias'):
        parse_yaml('\n'.join(['l0: &l0 lol', *levels]), 'bomb')


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'1234')
    assert read_bytes(path, 4) == b'1234'
    with pytest.raises(DocumentError, match='found more than 3 bytes'):
        read_bytes(path, 3)
    path.write_bytes(b'#' * (MAX_YAML_BYTES + 1))
    with pytest.raises(DocumentError, match=f'found more than {MAX_YAML_BYTES} bytes'):
        read_yaml(path)


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(DocumentError, match='found more than 1000 bytes'):
        read_bytes(Path('/dev/zero'), 1000)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match='gone: cannot be read: No such file'):
        read_text(tmp_path / 'gone', 10)
    (tmp_path / 'latin').write_bytes(b'\xe9')
    with pytest.raises(DocumentError, match='latin: found bytes that are not UTF-8'):
        read_text(tmp_path / 'latin', 10)
