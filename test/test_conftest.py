# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The session's rules: every skip is printed, and few are allowed where it matters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MARKERS = ('browser', 'gpu', 'launch', 'realdata', 'ros', 'torch')


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Make a project that has this project's conftest and nothing else."""
    for name in ('CI', 'MM_FUSION_STRICT_SKIPS', 'MM_FUSION_REAL_DATA'):
        monkeypatch.delenv(name, raising=False)
    for name in ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_DOMAIN_ID', 'ROS_LOG_DIR'):
        monkeypatch.setenv(name, os.environ[name])  # the inner session sets them: restore
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')
    pytester.makeconftest(Path(__file__).with_name('conftest.py').read_text(encoding='utf-8'))
    pytester.makeini('[pytest]\nmarkers =\n' + ''.join(f'    {name}: x\n' for name in MARKERS))
    return pytester


def outcome(session: pytest.Pytester, source: str) -> tuple[int, str]:
    session.makepyfile('import os, pytest\n' + source)
    result = session.runpytest_inprocess('-p', 'no:cacheprovider')
    return int(result.ret), result.stdout.str()


SKIPPED = '@pytest.mark.{marker}\ndef test_it():\n    pytest.skip("no luck today")\n'


@pytest.mark.parametrize('variable', ['CI', 'MM_FUSION_STRICT_SKIPS'])
def test_a_skip_is_printed_and_fails_a_strict_session(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    source = 'def test_it():\n    pytest.skip("no luck today")\n'
    status, output = outcome(session, source)
    assert status == 0
    assert '::test_it: no luck today' in output
    monkeypatch.setenv(variable, 'true')
    status, output = outcome(session, source)
    assert status == 1
    assert 'MAY NOT SKIP HERE' in output
    assert '::test_it: no luck today' in output


@pytest.mark.parametrize(
    ('marker', 'expected'), [('gpu', 0), ('launch', 0), ('torch', 1), ('ros', 1), ('browser', 1)]
)
def test_only_the_hardware_and_launch_may_skip_in_ci(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, marker: str, expected: int
) -> None:
    monkeypatch.setenv('CI', 'true')
    assert outcome(session, SKIPPED.format(marker=marker))[0] == expected


def test_real_data_may_be_absent_but_not_ignored(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CI', 'true')
    status, output = outcome(session, SKIPPED.format(marker='realdata'))
    assert status == 0
    assert '::test_it: MM_FUSION_REAL_DATA is not set' in output
    monkeypatch.setenv('MM_FUSION_REAL_DATA', str(session.path))
    status, output = outcome(session, SKIPPED.format(marker='realdata'))
    assert status == 1
    assert '::test_it: no luck today' in output


def test_a_folder_of_real_data_that_is_not_there_is_an_error(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('MM_FUSION_REAL_DATA', str(session.path / 'gone'))
    source = '@pytest.mark.realdata\ndef test_it(real_data):\n    pass\n'
    status, output = outcome(session, source)
    assert status == 1
    assert 'gone, which is not a folder' in output


def test_a_module_that_skips_itself_fails_a_strict_session(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CI', 'true')
    source = 'pytest.skip("no module today", allow_module_level=True)\n'
    session.makepyfile(test_other='def test_other():\n    pass\n')
    status, output = outcome(session, source)
    assert status == 1
    assert 'no module today' in output


def test_an_expected_failure_is_not_a_skip(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CI', 'true')
    assert outcome(session, '@pytest.mark.xfail\ndef test_it():\n    assert False\n')[0] == 0


def test_each_session_has_a_ros_domain_of_its_own(session: pytest.Pytester) -> None:
    own = os.environ['ROS_DOMAIN_ID']
    source = (
        'def test_it():\n'
        f'    assert os.environ["ROS_DOMAIN_ID"] != {own!r}\n'
        '    assert 1 <= int(os.environ["ROS_DOMAIN_ID"]) <= 101\n'
        '    assert os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"\n'
        '    assert os.path.isdir(os.environ["ROS_LOG_DIR"])\n'
    )
    status, output = outcome(session, source)
    assert status == 0, output


_WITHOUT_TRAINING = """
import sys
sys.modules.update(dict.fromkeys(('torch', 'safetensors', 'onnxscript')))
import pytest
sys.exit(pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider']))
"""


def test_every_module_of_tests_is_imported_without_torch() -> None:
    """On the second distribution torch is not installed, and one import would end the session."""
    root = Path(__file__).parents[1]
    found = subprocess.run(
        [sys.executable, '-c', _WITHOUT_TRAINING],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
