# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a soak records each second, and what that says."""

from __future__ import annotations

import csv
import threading
import time
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.feed import Feed
    from benchmarks.processes import Measured

WARM_UP_SHARE = 0.2
"""Of the run is left out of the fit: pools fill and histories grow to their length."""

_PATIENCE_S = 60.0
_RECENT = 30


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a soak; counts since the node was activated, as it last told them.

    Attributes:
        time_s: Since the start.
        rss_mib: Resident memory of the node.
        anonymous_mib: The part of it that is shared with nobody.
        sent: Camera frames sent.
        received: Camera frames that the node took in.
        lost: Camera frames that the node knows to be lost in transport.
        dropped: Camera frames that it took in and refused.
        superseded: Snapshots discarded for a newer one.
        outputs: Predictions published.
        latency_median_ms: Of the last answers, from stamp to publication.
        latency_worst_ms: Of the same answers.
    """

    time_s: float
    rss_mib: float
    anonymous_mib: float
    sent: int
    received: int
    lost: int
    dropped: int
    superseded: int
    outputs: int
    latency_median_ms: float
    latency_worst_ms: float


def fitted_growth(times_s: Sequence[float], values: Sequence[float]) -> float:
    """Fit a line after the warm-up.

    Returns:
        Its rise from there to the end, in percent of its value there; not-a-number where there
        are fewer than two values.
    """
    first = int(len(values) * WARM_UP_SHARE)
    times, kept = np.asarray(times_s[first:]), np.asarray(values[first:])
    if kept.size < 2:
        return float('nan')
    slope, start = np.polyfit(times - times[0], kept, 1)
    return float(100.0 * slope * (times[-1] - times[0]) / start)


def uncounted(books: Mapping[str, int]) -> int:
    """Count the frames that were sent and are neither received nor known to be lost."""
    return books['sent'] - books['received'] - books['lost']


class Books:
    """What the node says of itself.

    Args:
        node: Hears it.
    """

    def __init__(self, node: Any) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from mm_fusion_msgs.msg import FusionStatus

        self._status: Any = None
        self._camera: dict[str, str] = {}
        self._told = threading.Condition()
        self._count = 0
        node.create_subscription(FusionStatus, '/mm_fusion/status', self._take_status, 10)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._take_diagnostics, 10)

    def wait_for_camera(self, feed: Feed, measured: Measured) -> None:
        """Speak slowly until the node has subscribed to the camera, whatever arrives of it.

        Raises:
            TimeoutError: It does not.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while not feed.node.count_subscribers('image') or not self._count:
            feed.run(measured, 2.0, 1.0)
            if time.monotonic() > deadline:
                raise TimeoutError(f'the node found no camera within {_PATIENCE_S:g} s')

    def read(self, feed: Feed) -> dict[str, int]:
        """Give the counts once the node has told two more of them, so that nothing is under way.

        Raises:
            TimeoutError: It tells none.
        """
        with self._told:
            wanted = self._count + 2
            if not self._told.wait_for(lambda: self._count >= wanted, _PATIENCE_S):
                raise TimeoutError(f'the node said nothing of itself within {_PATIENCE_S:g} s')
        return self._counts(feed)

    def second(self, time_s: float, feed: Feed, memory_mib: tuple[float, float]) -> Second:
        """Record a second."""
        recent = feed.recent_latencies_ms(_RECENT)
        median, worst = quantiles(recent, 0.5, 1.0)
        return Second(
            time_s=time_s,
            rss_mib=memory_mib[0],
            anonymous_mib=memory_mib[1],
            latency_median_ms=median,
            latency_worst_ms=worst,
            **self._counts(feed),
        )

    def _counts(self, feed: Feed) -> dict[str, int]:
        status = self._status
        camera = next((m for m in status.modalities if m.name == 'camera'), None)
        return {
            'sent': feed.total_sent,
            'received': 0 if camera is None else int(camera.received),
            'lost': int(self._camera.get('lost in transport', '0')),
            'dropped': 0 if camera is None else int(camera.dropped),
            'superseded': int(status.snapshots_superseded),
            'outputs': int(status.outputs),
        }

    def _take_status(self, message: Any) -> None:
        self._status = message

    def _take_diagnostics(self, message: Any) -> None:
        # It comes after the status of the same instant.
        for status in message.status:
            if status.name.endswith(': camera'):
                with self._told:
                    self._camera = {item.key: item.value for item in status.values}
                    self._count += self._status is not None
                    self._told.notify_all()


def write_csv(path: Path, records: Sequence[Second]) -> None:
    """Write one row for each second."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Second)])
        writer.writeheader()
        writer.writerows(asdict(record) for record in records)


def write_figure(path: Path, records: Sequence[Second]) -> None:
    """Draw memory, latency and losses over time."""
    import matplotlib as mpl

    mpl.use('Agg')
    from matplotlib import pyplot as plt

    times = [record.time_s for record in records]
    figure, (memory, latency, frames) = plt.subplots(
        3, 1, sharex=True, figsize=(9, 8), layout='constrained'
    )
    memory.plot(times, [record.rss_mib for record in records], label='resident')
    memory.plot(times, [record.anonymous_mib for record in records], label='of the process alone')
    memory.set(ylabel='memory [MiB]', ylim=(0, None))
    latency.plot(times, [record.latency_worst_ms for record in records], lw=0.8, label='worst')
    latency.plot(times, [record.latency_median_ms for record in records], label='median')
    latency.set(ylabel='stamp to publish,\nlast 30 outputs [ms]', ylim=(0, None))
    for name in ('sent', 'received', 'outputs', 'lost', 'superseded'):
        frames.plot(times, [getattr(record, name) for record in records], label=name)
    frames.set(ylabel='camera frames', xlabel='time [s]', ylim=(0, None))
    for axes, place in ((memory, 'lower left'), (latency, 'upper left'), (frames, 'upper left')):
        axes.grid(alpha=0.3)
        axes.legend(loc=place, fontsize='small')
    figure.savefig(path, dpi=120)
    plt.close(figure)
