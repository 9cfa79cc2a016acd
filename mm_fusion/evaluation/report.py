# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as one page that needs nothing else: no script, no font, no server.

Every text that comes from a recording passes through :func:`_text`; a content security policy
forbids the page to load anything.
"""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import TYPE_CHECKING

import mm_fusion
from mm_fusion.evaluation import tables
from mm_fusion.evaluation.map_plots import map_figure, moments_figure
from mm_fusion.evaluation.plots import distribution_figure, error_figure, latency_figure
from mm_fusion.evaluation.records import merge
from mm_fusion.evaluation.theme import svg
from mm_fusion.evaluation.timeline_plots import modality_figure, road_figure
from mm_fusion.evaluation.truth_plots import confusion_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from mm_fusion.evaluation.records import BagResult, Totals
    from mm_fusion.evaluation.tables import Table
    from mm_fusion.evaluation.video import Video

PAGE = 'index.html'
_STYLE = Path(__file__).with_name('templates') / 'report.css'
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def write_report(folder: Path, results: Sequence[BagResult], bundle: str) -> Path:
    """Write the page and return its path; the folder is made where it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    path.write_text(render_report(results, bundle), encoding='utf-8')
    return path


def render_report(results: Sequence[BagResult], bundle: str) -> str:
    """Render the page.

    Args:
        results: One for each recording, at least one.
        bundle: Name and version of the model bundle.
    """
    links, sections = [], []
    if len(results) > 1:
        links.append('<a href="#all">All recordings</a>')
        sections.append(_overview(results))
    for number, result in enumerate(results, 1):
        links.append(f'<a href="#bag-{number}">{_text(result.name)}</a>')
        sections.append(_bag(result, f'bag-{number}'))
    navigation = f'<nav><div class="bar">{"".join(links)}</div></nav>' if links[1:] else ''
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(_title(results))}</title>
<style>
{_STYLE.read_text(encoding='utf-8')}</style>
</head>
<body>
<main><header>
<h1>{_text(_title(results))}</h1>
<p class="lead">mm_fusion {_text(mm_fusion.__version__)}, bundle {_text(bundle)}</p>
</header></main>
{navigation}
<main>
{''.join(sections)}
<footer>{_PROTOCOL}</footer>
</main>
</body>
</html>
"""


_PROTOCOL = (
    '<p>Trajectories: samples at 2 Hz where the vehicle truly moves faster than 1 m/s and the '
    'ground truth covers the next 6 s, compared every 0.5 s. ADE is the mean distance up to the '
    'horizon, FDE the distance at it, both of the most likely mode; minADE is the smallest ADE of '
    'all modes. A sample is missed up to a horizon where every mode has a step further than 2 m '
    'off. The turning subset changes its heading by more than 15° within 6 s. '
    'CV, CTRV and CTRA continue the measured speed, yaw rate and acceleration.</p>'
)


def _title(results: Sequence[BagResult]) -> str:
    what = results[0].name if len(results) == 1 else f'{len(results)} recordings'
    return f'Evaluation of {what}'


def _overview(results: Sequence[BagResult]) -> str:
    totals = merge(results)
    parts = [
        '<section class="bag" id="all"><h2>All recordings</h2>',
        _tiles(totals),
        _card('By recording', _table(tables.bag_table(results))),
    ]
    if totals.samples:
        parts += [
            _trajectory_card(totals),
            _plot(
                'Error against horizon', error_figure(totals), 'all-error',
                'Mean distance between predicted and driven path.',
            ),
            _plot(
                'Error distribution and calibration', distribution_figure(totals),
                'all-distribution', _DISTRIBUTION,
            ),
        ]  # fmt: skip
    parts += _truth_parts(totals, 'all')
    parts.append(_card('Samples and drops', _table(tables.drop_table(totals))))
    return ''.join(parts) + '</section>'


_DISTRIBUTION = (
    'Left: share of samples at or below an error. Right: share of true positions in the 90 % '
    'ellipse; bars at the dashed line are calibrated, taller ones cautious, shorter ones '
    'overconfident.'
)


def _bag(result: BagResult, key: str) -> str:
    totals = result.totals
    parts = [
        f'<section class="bag" id="{key}"><h2>{_text(result.name)}</h2>',
        f'<p class="lead">{_text(_description(result))}</p>',
        _tiles(totals),
    ]
    if result.video is not None:
        parts.append(_card('Video', _video(result.video)))
    parts += _trajectory_parts(result, key)
    if result.frames:
        parts.append(_card('Sample frames', _frames(result)))
    if totals.road.count:
        parts.append(
            _plot(
                'Road state', road_figure(result.timeline), f'{key}-road',
                'Calibrated posteriors after the temporal filter; a gap where nothing was seen.'
                + (' The band under each is the truth.' if result.timeline.truth else ''),
            )
        )  # fmt: skip
        parts += _truth_parts(totals, key)
        parts.append(_card('Road state on average', _table(tables.road_table(totals))))
    if totals.outputs:
        parts.append(
            _plot(
                'Modalities', modality_figure(result.timeline), f'{key}-modality',
                'What each sensor gave to the outputs.',
            )
        )  # fmt: skip
    parts.append(_card('Samples and drops', _table(tables.drop_table(totals))))
    if totals.latencies:
        figure = _figure(latency_figure(totals.latencies), f'{key}-latency', 'Latency by stage')
        parts.append(_card('Latency', figure + _table(tables.latency_table(totals))))
    return ''.join(parts) + '</section>'


def _truth_parts(totals: Totals, key: str) -> list[str]:
    sums = totals.road_truth
    if not sums.known:
        return []
    parts = [
        _card(
            'Road state against the truth',
            '<p class="note">Most probable class after the temporal filter, at the stamp of each '
            'output. UAR is the mean recall over the true classes that occur.</p>'
            + _table(tables.truth_table(totals)),
        )
    ]
    if sums.seen.count:
        parts.append(
            _plot(
                'Confusions', confusion_figure(sums.seen), f'{key}-confusion',
                'Per cent of the outputs of each true class, where the surface was observed.',
            )
        )  # fmt: skip
    parts.append(_card('Siren against the truth', _table(tables.siren_table(totals))))
    return parts


def _trajectory_card(totals: Totals) -> str:
    scores = _table(tables.trajectory_table(totals))
    return _card('Trajectory', scores + _table(tables.coverage_table(totals)))


def _trajectory_parts(result: BagResult, key: str) -> list[str]:
    if result.drive is None:
        reason = (
            'there is no ground truth'
            if result.truth is None
            else 'no sample moves faster than 1 m/s with 6 s of ground truth after it'
        )
        return [_card('Trajectory', f'<p class="note">Not scored: {reason}.</p>')]
    totals = result.totals
    return [
        _trajectory_card(totals),
        _plot(
            'Driven path', map_figure(result.drive), f'{key}-map',
            'Coloured by the error of the prediction made there. In blue some predicted paths, '
            'close up with their 90 % ellipses at 6 s.',
        ),
        _plot(
            'Close up', moments_figure(result.drive), f'{key}-moments',
            'Three predictions seen from the vehicle, which stands at the origin and looks up.',
        ),
        _plot(
            'Error against horizon', error_figure(totals), f'{key}-error',
            'Mean distance between predicted and driven path.',
        ),
        _plot(
            'Error distribution and calibration', distribution_figure(totals),
            f'{key}-distribution', _DISTRIBUTION,
        ),
    ]  # fmt: skip


def _description(result: BagResult) -> str:
    truth = {
        None: 'no ground truth',
        'odometry': f'ground truth from {result.topics.get("odometry", "odometry")}',
        'smoothed recording': 'ground truth from the recorded future, smoothed',
    }[result.truth] + tables.truth_note(result)
    if result.source == 'recorded':
        return f'{truth}; outputs recorded by a live node'
    trigger = 'the camera' if result.camera else 'the timer, for there is no camera'
    return f'{truth}; outputs triggered by {trigger}'


def _tiles(totals: Totals) -> str:
    return (
        '<div class="tiles">'
        + ''.join(
            f'<div class="tile"><b{_tone(tile.tone)}>{_text(tile.value)}</b>'
            f'<span>{_text(tile.label)}</span></div>'
            for tile in tables.tiles(totals)
        )
        + '</div>'
    )


def _tone(tone: str) -> str:
    return f' class="{tone}"' if tone else ''


def _card(title: str, content: str) -> str:
    return f'<div class="card"><h3>{_text(title)}</h3>{content}</div>'


def _plot(title: str, figure: Figure, key: str, caption: str) -> str:
    return _card(title, _figure(figure, key, title, caption))


def _figure(figure: Figure, key: str, label: str, caption: str = '') -> str:
    note = f'<figcaption>{_text(caption)}</figcaption>' if caption else ''
    return f'<figure>{note}<div class="plot">{svg(figure, _text(label), key)}</div></figure>'


def _video(video: Video) -> str:
    cut = f' Only the first {video.duration_s:.0f} s of the recording.' if video.cut else ''
    return (
        '<p class="note">The camera with the path predicted over the next 6 s and its 90 % '
        f'interval, and what was said of each moment, beside the truth where it is known.{cut}</p>'
        f'<video controls muted playsinline width="{video.width}" height="{video.height}" '
        f'poster="data:image/png;base64,{_base64(video.poster.read_bytes())}" '
        f'src="data:video/webm;base64,{_base64(video.path.read_bytes())}"></video>'
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _frames(result: BagResult) -> str:
    pictures = ''.join(
        f'<figure><img src="data:image/jpeg;base64,{_base64(frame.jpeg)}" '
        f'width="{frame.width}" height="{frame.height}" '
        f'alt="Camera frame with the predicted path at {frame.time_s:.1f} s">'
        f'<figcaption>{frame.time_s:.1f} s: {_text(frame.caption)}</figcaption></figure>'
        for frame in result.frames
    )
    note = (
        '<p class="note">The path predicted over the next 6 s, drawn on a level road. '
        f'Camera: {_text(result.view)}.</p>'
    )
    return f'{note}<div class="frames">{pictures}</div>'


def _table(table: Table) -> str:
    rows = ''.join(
        f'<tr{_tone(row.tone)}><th scope="row">{_text(row.cells[0])}</th>'
        + ''.join(f'<td>{_text(cell)}</td>' for cell in row.cells[1:])
        + '<td></td>' * (len(table.columns) - len(row.cells))
        + '</tr>'
        for row in table.rows
    )
    head = ''.join(f'<th scope="col">{_text(name)}</th>' for name in table.columns)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div>'
    )


def _text(value: object) -> str:
    """Escape a text for the page."""
    return html.escape(str(value))
