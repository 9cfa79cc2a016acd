# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Health of the node as ``diagnostic_msgs/DiagnosticArray``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from mm_fusion.ros.conversions import to_time
from mm_fusion.ros.health import Level
from mm_fusion.ros.inputs import MODALITIES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.ros.health import Health
    from mm_fusion.ros.inputs import Input, Inputs
    from mm_fusion.ros.latencies import Latencies
    from mm_fusion.ros.views import ViewReport
    from mm_fusion.types.snapshot import ModalityReport

_SEVERITY = {
    Level.FULL: DiagnosticStatus.OK,
    Level.REDUCED: DiagnosticStatus.WARN,
    Level.MOTION_ONLY: DiagnosticStatus.WARN,
    Level.NONE: DiagnosticStatus.ERROR,
}


def to_diagnostics(
    health: Health, inputs: Inputs, views: Mapping[str, ViewReport], node_name: str
) -> DiagnosticArray:
    """Write one entry for the fusion, one for each sensor, and one for what is only looked at.

    Args:
        health: What is known of the node.
        inputs: Its subscriptions.
        views: What is known of each topic that is only looked at.
        node_name: Fully qualified; what the names of the entries begin with.
    """
    name = node_name.lstrip('/')
    status = [_fusion(health, name)]
    for role, modality in MODALITIES.items():
        report = health.reports[modality]
        status.append(_sensor(report, inputs[role], f'{name}: {modality.value}'))
    status.append(_views(views, f'{name}: views'))
    return DiagnosticArray(header=Header(stamp=to_time(health.now_ns)), status=status)


def _fusion(health: Health, name: str) -> DiagnosticStatus:
    manifest, run, counters = health.engine.bundle.manifest, health.run, health.counters
    values: dict[str, object] = {
        'level': health.level.label,
        'bundle': f'{manifest.name} {manifest.version}',
        'backend': health.engine.backend.name,
        'backend reason': health.engine.backend.reason,
        'outputs': run.outputs,
        'snapshots opened': counters.opened,
        'snapshots emitted': counters.emitted,
        'snapshots superseded': counters.superseded,
        'clock resets': counters.clock_resets,
        'inference failures': run.failures,
        'last inference failure': run.last_failure,
        'messages before /clock': health.before_clock,
        'stamp to publish [ms]': f'{run.stamp_to_publish_s * 1e3:.1f}',
        **_latencies(health.latencies),
    }
    return DiagnosticStatus(
        level=_SEVERITY[health.level],
        name=f'{name}: fusion',
        message=f'{health.level.label}: {health.reason or "every sensor is present"}',
        hardware_id=manifest.name,
        values=_values(values),
    )


def _latencies(latencies: Latencies) -> dict[str, str]:
    """Write the recent mean of each stage, and quantiles of it and of the whole way."""
    values = {}
    for stage, window in latencies.stages.items():
        values[f'latency of {stage} [ms]'] = f'{window.mean * 1e3:.2f}'
    windows = {f'latency of {stage}': window for stage, window in latencies.stages.items()}
    windows['stamp to publish'] = latencies.stamp_to_publish
    for name, window in windows.items():
        if len(window):
            quantiles = (f'{value * 1e3:.2f}' for value in window.quantiles())
            values[f'{name}, p50 p95 p99 [ms]'] = ' '.join(quantiles)
    return values


def _sensor(report: ModalityReport, source: Input, name: str) -> DiagnosticStatus:
    present = report.state is ModalityState.PRESENT
    state = report.state.name.lower().replace('_', ' ')
    if report.cause is not None:
        state += f': {report.cause.value}'
    age = 'unknown' if report.age_ns is None else f'{report.age_ns / 1e6:.0f}'
    values: dict[str, object] = {
        'topic': source.topic,
        'type': source.choice.type_name or 'none',
        'reliability': 'reliable' if source.choice.reliable else 'best effort',
        'state': state,
        'rate [Hz]': f'{report.rate_hz:.2f}',
        'age [ms]': age,
        'received': report.received,
        'dropped': report.dropped,
        'lost in transport': source.losses.count,
    }
    if report.quality is not None:
        values['image quality'] = f'{report.quality:.2f}'
    for reason, count in report.drops.items():
        values[f'dropped: {reason.value}'] = count
    return DiagnosticStatus(
        level=DiagnosticStatus.OK if present and not source.problem else DiagnosticStatus.WARN,
        name=name,
        message=source.problem or _told(report, state),
        hardware_id=source.topic,
        values=_values(values),
    )


def _told(report: ModalityReport, state: str) -> str:
    if report.state is ModalityState.PRESENT:
        return f'{state}, {report.rate_hz:.1f} Hz'
    silent = report.state is ModalityState.STALE and report.age_ns is not None
    return f'{state} for {(report.age_ns or 0) / 1e9:.1f} s' if silent else state


def _views(views: Mapping[str, ViewReport], name: str) -> DiagnosticStatus:
    failed = [topic for topic, report in views.items() if report.failures]
    values: dict[str, object] = {}
    for topic, report in views.items():
        if report.off:
            values[topic] = f'off: {report.off}'
            continue
        values[f'{topic} subscribers'] = report.subscribers
        values[f'{topic} published'] = report.published
        values[f'{topic} failures'] = report.failures
        if report.failures:
            values[f'{topic} last failure'] = report.last_failure
    return DiagnosticStatus(
        level=DiagnosticStatus.WARN if failed else DiagnosticStatus.OK,
        name=name,
        message=f'{", ".join(failed)}: drawing failed' if failed else 'drawn only for subscribers',
        hardware_id=name.partition(':')[0],
        values=_values(values),
    )


def _values(values: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=str(value)) for key, value in values.items()]
