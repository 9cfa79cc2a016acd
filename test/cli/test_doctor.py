# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.cli import doctor_machine
from mm_fusion.cli.doctor_machine import (
    DEFAULT_SEGMENT,
    Transport,
    backend_findings,
    package_findings,
    ros_findings,
    transport_findings,
    transport_of,
)
from mm_fusion.cli.findings import Severity
from mm_fusion.resources import config_path
from mm_fusion.settings import InferenceSettings
from support.bundles import write_tiny_bundle
from support.commands import runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mm_fusion.cli.findings import Finding

SHIPPED = config_path('fastdds_large_images.xml')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run ``mm_fusion doctor`` and return status, stdout and stderr."""
    return runner('doctor', monkeypatch, capsys, columns=200)


def test_the_machine_is_described(
    run: Callable[..., tuple[int, str, str]], bundle: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'found.json'
    status, out, _ = run('--bundle', bundle, '--no-graph', '--json', file)
    assert status == 0
    assert 'tiny 0.0.1' in out
    document: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    assert set(document) == {'Installed', 'Inference', 'Transport'}
    (backend,) = (item for item in document['Inference'] if item['subject'] == 'backend')
    assert backend['severity'] == 'ok'
    assert backend['fact'].startswith('onnxruntime')


def test_a_bundle_that_is_missing_is_an_error_with_advice(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    status, out, _ = run('--bundle', '/nowhere', '--no-graph')
    assert status == 1
    assert '/nowhere' in out
    assert 'set inference.bundle' in out


def test_a_role_that_does_not_exist_is_refused(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = tmp_path / 'topics.yaml'
    file.write_text('picture: /image\n')
    status, _, err = run('--topics', file, '--no-graph')
    assert status == 2
    assert "found the role 'picture'" in err


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {'numpy': 'numpy', 'unicorn': 'unicorn_that_is_nowhere'}
    monkeypatch.setattr(doctor_machine, '_NEEDED', names)
    findings = list(package_findings())
    (missing,) = (item for item in findings if item.severity is Severity.ERROR)
    assert missing.fact == 'missing: unicorn'
    assert missing.advice
    assert any(item.subject == 'packages' and 'numpy ' in item.fact for item in findings)


def test_without_ros_there_is_a_warning_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    (finding,) = ros_findings({})
    assert finding.severity is Severity.WARNING
    assert 'source the setup.bash' in finding.advice


@pytest.mark.ros
def test_messages_that_can_be_read_are_named() -> None:
    findings = {finding.subject: finding for finding in ros_findings({'ROS_DISTRO': 'kilted'})}
    assert findings['ROS'].fact.startswith('kilted')
    assert findings['mm_fusion_msgs'].fact.startswith('installed')


def test_a_backend_that_there_is_not_is_an_error(bundle: Path) -> None:
    *_, finding = backend_findings(InferenceSettings(bundle=str(bundle), backend='abacus'))
    assert finding.subject == 'backend'
    assert finding.severity is Severity.ERROR
    assert 'abacus' in finding.fact


@pytest.mark.parametrize(
    ('environment', 'segment'),
    [
        ({}, DEFAULT_SEGMENT),
        ({'FASTDDS_DEFAULT_PROFILES_FILE': str(SHIPPED)}, 64 * 2**20),
        ({'FASTRTPS_DEFAULT_PROFILES_FILE': str(SHIPPED), 'ROS_DISTRO': 'jazzy'}, 64 * 2**20),
        # Fast DDS 2 does not know the new name.
        ({'FASTDDS_DEFAULT_PROFILES_FILE': str(SHIPPED), 'ROS_DISTRO': 'jazzy'}, DEFAULT_SEGMENT),
    ],
)
def test_the_profile_in_force_is_read(environment: dict[str, str], segment: int) -> None:
    transport = transport_of(environment)
    assert transport.segment_bytes == segment
    assert not transport.problem


@pytest.mark.parametrize('content', [None, '<dds'])
def test_a_profile_that_cannot_be_read_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / 'profile.xml'
    if content is not None:
        path.write_text(content)
    transport = transport_of({'FASTDDS_DEFAULT_PROFILES_FILE': str(path)})
    assert str(path) in transport.problem
    assert next(transport_findings(transport, None)).severity is Severity.ERROR


@pytest.mark.parametrize(
    ('segment', 'free', 'severity', 'advice'),
    [
        (DEFAULT_SEGMENT, None, Severity.WARNING, 'fastdds_large_images.xml'),
        (64 * 2**20, 2**20, Severity.WARNING, '--shm-size'),
        (64 * 2**20, 2**30, Severity.OK, ''),
    ],
)
def test_the_shared_memory_is_judged(
    segment: int, free: int | None, severity: Severity, advice: str
) -> None:
    finding: Finding
    (finding,) = transport_findings(Transport('here', segment), free)
    assert finding.severity is severity
    assert advice in finding.advice
