# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Session set-up: a ROS domain of its own, what each marker needs, and no silent skips."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

# Before anything imports torch. For tiny networks, several threads wait for each other longer than
# they compute; what the tests start inherits it.
os.environ.setdefault('OMP_NUM_THREADS', '1')

REAL_DATA = 'MM_FUSION_REAL_DATA'
# Ports of the domains above 101 lie in the range that the system hands out to clients.
DOMAINS = range(1, 102)
MAY_SKIP = frozenset({'gpu', 'launch'})
CHROMIUM = ('chromium', 'chromium-browser', 'google-chrome')


def reserve_domain() -> tuple[int, IO[str]]:
    """Reserve a ROS domain that no other test session of this machine uses.

    Returns:
        The domain and the locked file that reserves it until it is closed.
    """
    start = os.getpid() % len(DOMAINS)
    for domain in [*DOMAINS[start:], *DOMAINS[:start]]:
        path = Path(tempfile.gettempdir(), f'mm_fusion_ros_domain_{domain}.lock')
        try:
            lock = path.open('w', encoding='ascii')
        except PermissionError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return domain, lock
    raise pytest.UsageError('no free ROS domain: all are reserved by other test sessions')


@pytest.fixture(autouse=True)
def fp32_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the precision ``auto`` mean the same on every processor that runs the tests."""
    monkeypatch.setattr('mm_fusion.runtime.choice.CPUINFO', Path(os.devnull))


def missing_ros() -> str | None:
    found = importlib.util.find_spec('mm_fusion_msgs')
    # In the root of the repository the folder mm_fusion_msgs/ passes for a package without code.
    if found is None or found.origin is None:
        return 'the built messages are not on the path: run through tools/run'
    return None


def missing_gpu() -> str | None:
    return None if Path('/dev/nvidiactl').exists() else 'there is no NVIDIA GPU'


def missing_launch() -> str | None:
    if importlib.util.find_spec('launch_ros') is None:
        return 'the ROS launch packages are not installed'
    return None


def missing_torch() -> str | None:
    return 'torch is not installed' if importlib.util.find_spec('torch') is None else None


def missing_browser() -> str | None:
    if any(shutil.which(name) for name in CHROMIUM):
        return None
    return 'Chromium is not installed'


def missing_real_data() -> str | None:
    return None if os.environ.get(REAL_DATA) else f'{REAL_DATA} is not set'


NEEDS: dict[str, Callable[[], str | None]] = {
    'browser': missing_browser,
    'gpu': missing_gpu,
    'launch': missing_launch,
    'realdata': missing_real_data,
    'ros': missing_ros,
    'torch': missing_torch,
}


# Examples take as long as the machine is busy; in CI they are the same in each run.
settings.register_profile('mm_fusion', deadline=None, derandomize=bool(os.environ.get('CI')))
settings.load_profile('mm_fusion')


def pytest_configure(config: pytest.Config) -> None:
    domain, lock = reserve_domain()
    config.add_cleanup(lock.close)
    os.environ['ROS_DOMAIN_ID'] = str(domain)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    for name in ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS_LOCALHOST_ONLY'):
        os.environ.pop(name, None)
    log = tempfile.TemporaryDirectory(prefix='mm_fusion_ros_log_')
    config.add_cleanup(log.cleanup)
    os.environ['ROS_LOG_DIR'] = log.name


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, missing in NEEDS.items():
        if item.get_closest_marker(marker) is not None:
            reason = missing()
            if reason is not None:
                pytest.skip(reason)


@pytest.fixture(scope='session')
def real_data() -> Path:
    """Folder of recordings, photographs and sounds, for tests marked ``realdata``."""
    folder = Path(os.environ[REAL_DATA]).resolve()
    assert folder.is_dir(), f'{REAL_DATA} names {folder}, which is not a folder'
    return folder


@pytest.fixture(scope='session')
def chromium() -> str:
    """Program of the browser, for tests marked ``browser``."""
    return next(found for name in CHROMIUM if (found := shutil.which(name)))


class Skips:
    """Skipped tests with their reasons; in strict mode those that may not skip fail the session.

    Args:
        strict: Whether to fail.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.reasons: dict[str, str] = {}
        self.refused: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, 'wasxfail'):
            self._add(report, set(report.keywords))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._add(report, set())

    def _add(self, report: pytest.TestReport | pytest.CollectReport, markers: set[str]) -> None:
        longrepr = report.longrepr
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        self.reasons[report.nodeid] = reason.removeprefix('Skipped: ')
        allowed = bool(markers & MAY_SKIP)
        allowed |= 'realdata' in markers and not os.environ.get(REAL_DATA)
        if self.strict and not allowed:
            self.refused.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section('skipped tests and their reasons')
        for nodeid, reason in sorted(self.reasons.items()):
            verdict = 'MAY NOT SKIP HERE ' if nodeid in self.refused else ''
            terminalreporter.line(f'{verdict}{nodeid}: {reason}')


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    wishes = (os.environ.get('CI'), os.environ.get('MM_FUSION_STRICT_SKIPS'))
    strict = any(wish not in {None, '', '0', 'false'} for wish in wishes)
    session.config.pluginmanager.register(Skips(strict=strict), 'mm_fusion_skips')
