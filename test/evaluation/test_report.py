# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest

from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.evaluation.report import render_report, write_report
from mm_fusion.settings import Settings
from support.browser import browse

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle

HOSTILE = '<script>alert("x")</script>&\'"'


@pytest.fixture(scope='module')
def silent(circle: Path, bundle: Bundle) -> BagResult:
    """The circle without anything to see, hear or compare with."""
    topics = {'image': '', 'audio': '', 'fix': '', 'odometry': ''}
    return evaluate_bag(circle, bundle, Settings(), topics=topics)


@pytest.fixture(scope='module')
def page(result: BagResult, silent: BagResult) -> str:
    return render_report([result, silent], 'tiny')


def test_texts_of_the_recording_are_escaped(result: BagResult) -> None:
    hostile = dataclasses.replace(
        result,
        name=HOSTILE,
        topics={'odometry': HOSTILE},
        frames=(dataclasses.replace(result.frames[0], caption=HOSTILE),),
    )
    page = render_report([hostile, result], HOSTILE)
    assert '<script' not in page
    assert page.count('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;') >= 5


def test_nothing_outside_the_page_is_named(page: str) -> None:
    sources = re.findall(r'(?:src|href|action|data)="([^"]*)"|url\(([^)]*)\)', page)
    found = {first or second for first, second in sources}
    assert all(source.startswith(('#', 'data:image/jpeg;base64,')) for source in found)
    assert '@import' not in page


def test_identifiers_are_unique(page: str) -> None:
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(set(identifiers)) == len(identifiers)
    for target in re.findall(r'href="#([^"]*)"', page):
        assert target in identifiers


def test_no_fixed_colour_of_text_is_left(page: str) -> None:
    assert '#0001' not in page
    for variable in set(re.findall(r'var\((--[a-z_]+)\)', page)):
        assert f'{variable}:' in page


def test_what_could_not_be_scored_is_said(silent: BagResult) -> None:
    page = render_report([silent], 'tiny')
    assert 'Not scored: there is no ground truth.' in page
    assert 'Road state' not in page
    assert 'Sample frames' not in page
    assert '<video' not in page


def test_nothing_is_said_of_a_truth_that_is_not_there(page: str) -> None:
    assert 'against the truth' not in page
    assert '>truth</text>' not in page


def test_the_camera_is_stated(page: str) -> None:
    assert 'Camera: height 1.5 m (assumed), pitch 0° (assumed), field of view 90°' in page


PROBE = """<script>
const problems = [];
addEventListener('error', event => problems.push(String(event.message || event.target.src)), true);
document.addEventListener('securitypolicyviolation', e => problems.push(e.violatedDirective));
addEventListener('load', () => {
  const figures = [...document.querySelectorAll('figure svg')].map(svg => {
    const box = svg.getBoundingClientRect();
    return [box.width, box.height, svg.querySelectorAll('path').length];
  });
  const images = [...document.images].map(image => [image.naturalWidth, image.naturalHeight]);
  const requests = performance.getEntriesByType('resource').map(entry => entry.name)
    .filter(name => !name.startsWith('data:'));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const ink = getComputedStyle(document.querySelector('figure svg text')).fill;
  document.title = JSON.stringify({problems, figures, images, requests, wide, ink});
});
</script></head>"""


@pytest.mark.browser
@pytest.mark.parametrize('width', [1200, 420])
def test_a_browser_shows_every_figure(page: str, tmp_path: Path, width: int) -> None:
    # The page allows no script: the probe gets leave in a copy, and nothing else does.
    probed = page.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    assert probed != page
    copy = tmp_path / 'probed.html'
    copy.write_text(probed.replace('</head>', PROBE, 1), encoding='utf-8')
    seen = browse(copy, tmp_path / 'profile', width)
    assert seen['problems'] == []
    assert seen['requests'] == []
    assert seen['wide'] == 0  # wide tables and figures scroll in themselves
    assert len(seen['figures']) == page.count('<svg') > 8
    assert all(w > 200 and h > 50 and paths > 5 for w, h, paths in seen['figures'])
    assert seen['images'] == [[96, 60]] * 3
    assert seen['ink'] == 'rgb(92, 102, 117)'  # --muted of the light scheme


def test_the_page_is_written_into_a_new_folder(silent: BagResult, tmp_path: Path) -> None:
    path = write_report(tmp_path / 'new' / 'folder', [silent], 'tiny')
    assert path == tmp_path / 'new' / 'folder' / 'index.html'
    assert path.read_text(encoding='utf-8').endswith('</html>\n')
