# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.drawing.overlay import VIEW_HEIGHT, VIEW_WIDTH, Moment, Overlay, dense_path
from mm_fusion.drawing.panels import Told
from mm_fusion.errors import BagError
from mm_fusion.evaluation import video as video_module
from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.evaluation.overlay_timeline import LEFT, TOP, Strip
from mm_fusion.evaluation.recorded import evaluate_recorded, recorded_outputs
from mm_fusion.evaluation.report import render_report
from mm_fusion.evaluation.video import Video, write_video
from mm_fusion.settings import Settings
from mm_fusion.types.predictions import TrajectoryMode
from support.browser import browse_until_told
from support.drives import START_NS, write_circle
from support.outputs import status, straight
from support.truths import road_state

if TYPE_CHECKING:
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.types.predictions import FusionOutput

S = 1_000_000_000
END_S = 2.6


def output(stamp_ns: int, *, seen: bool) -> Any:
    """Say wet, with a siren; without the camera where it is not seen."""
    message = road_state(stamp_ns, friction=1, siren=True, surface_observed=seen)
    statuses = [dataclasses.replace(status(name), state=0) for name in ('microphone', 'gnss')]
    camera = dataclasses.replace(status('camera'), state=0 if seen else 1)
    return dataclasses.replace(message, modalities=[camera, *statuses])


@pytest.fixture(scope='module')
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record 2.6 s on the circle with truth; the camera ends at 1.5 s."""
    folder = tmp_path_factory.mktemp('live')
    with RawBag(write_circle(folder / 'circle')) as raw, BagWriter(folder / 'live') as bag:
        for topic, log_ns, data in raw.messages(raw.types):
            if 'image' not in topic or log_ns < START_NS + 1.5 * S:
                bag.write(topic, raw.deserialized(topic, data), log_ns)
        for tick in range(53):
            stamp_ns = START_NS + tick * S // 20
            bag.write('/ground_truth/road_state', road_state(stamp_ns), stamp_ns)
            if tick % 4 == 0:
                road = output(stamp_ns, seen=tick < 30)
                bag.write('/mm_fusion/road_state', road, stamp_ns + 1)
                bag.write('/mm_fusion/trajectory_prediction', straight(stamp_ns), stamp_ns + 1)
    return folder / 'live'


@pytest.fixture(scope='module')
def result(live: Path) -> BagResult:
    return evaluate_recorded(live, Settings())


@pytest.fixture(scope='module')
def video(live: Path, tmp_path_factory: pytest.TempPathFactory) -> Video:
    return write_video(live, tmp_path_factory.mktemp('video') / 'drive', Settings())


def frames_of(video: Video) -> list[Any]:
    capture, frames = cv2.VideoCapture(str(video.path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][:, :, ::-1].astype(int))
    return frames


def test_the_video_runs_with_the_drive(video: Video) -> None:
    frames = frames_of(video)
    assert len(frames) == round(END_S * video_module.RATE_HZ) == round(video.duration_s * 12)
    assert frames[0].shape == (video.height, video.width, 3) == (540, 960, 3)
    poster = cv2.imread(str(video.poster))
    assert poster is not None
    assert poster.shape == (540, 960, 3)
    assert not video.cut


def test_the_camera_is_shown_and_turns_grey_when_it_fails(video: Video) -> None:
    frames = frames_of(video)
    sky = [frame[60, 350] for frame in frames]
    assert np.abs(sky[5] - (120, 160, 200)).max() < 25
    assert np.ptp(sky[-1]) < 12  # grey
    assert sky[-1].max() < 100  # and dark


def test_the_frame_is_that_of_the_output_even_where_a_newer_one_is_there(live: Path) -> None:
    images = video_module._Images(live, '/image/compressed')

    assert images.at(START_NS + S // 5, START_NS + S)[1] == START_NS + S // 5
    assert images.at(START_NS + S + 1, START_NS + S)[1] == START_NS + S  # it has none of its own
    assert video_module._Images(live, None).at(START_NS, START_NS) == (None, 0)


def test_progress_ends_at_one(live: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(video_module, 'LONGEST_S', 1.0)
    shares: list[float] = []
    made = write_video(live, tmp_path / 'drive', Settings(), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert made.cut
    assert made.duration_s == 1.0


def test_a_recording_without_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='holds no outputs of the node'):
        write_video(write_circle(tmp_path / 'circle'), tmp_path / 'video', Settings())


def test_the_page_carries_the_video(result: BagResult, video: Video) -> None:
    page = render_report([dataclasses.replace(result, video=video)], 'tiny')
    assert 'media-src data:' in page
    element = re.search(r'<video[^>]*>', page)
    assert element
    assert 'src="data:video/webm;base64,GkXfo' in element[0]
    assert 'poster="data:image/png;base64,iVBOR' in element[0]


PROBE = """<script>
addEventListener('load', () => {
  const video = document.querySelector('video');
  video.addEventListener('seeked', () => {
    fetch('/seen', {method: 'POST', body: JSON.stringify({
      duration: video.duration, width: video.videoWidth, time: video.currentTime,
      error: video.error && video.error.message,
    })});
  });
  video.currentTime = 1.5;
});
</script></head>"""


@pytest.mark.browser
def test_a_browser_plays_the_video(result: BagResult, video: Video, tmp_path: Path) -> None:
    page = render_report([dataclasses.replace(result, video=video, drive=None)], 'tiny')
    allowed = "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'"
    probed = page.replace("default-src 'none'", allowed).replace('</head>', PROBE, 1)

    seen = browse_until_told(probed, tmp_path / 'profile', 1200)

    assert seen == {
        'duration': pytest.approx(video.duration_s, abs=0.1),
        'width': 960,
        'time': 1.5,
        'error': None,
    }


def drawn(
    result: BagResult, made: FusionOutput, *, image: bool = True, told: Told | None = None,
    truth: Any = None,
) -> Any:  # fmt: skip
    """Draw one frame, with a grey image."""
    overlay = Overlay('title', recorded_camera(Path(), None), Strip(result.timeline))
    moment = Moment(
        time_s=1.0,
        image=np.full((90, 160, 3), 90, np.uint8) if image else None,
        image_age_s=0.4,
        output=made,
        told=Told(dict.fromkeys(('friction', 'material', 'unevenness'))) if told is None else told,
        truth_path=truth,
        reach_m=60.0,
    )
    return overlay.draw(moment)


@pytest.fixture(scope='module')
def outputs(live: Path) -> list[FusionOutput]:
    return recorded_outputs(live, '/ground_truth/road_state')


def test_the_path_lies_on_the_road_ahead(result: BagResult, outputs: list[FusionOutput]) -> None:
    without = drawn(result, dataclasses.replace(outputs[2], trajectory=None))
    view = np.abs(drawn(result, outputs[2]).astype(int) - without).sum(axis=2)
    view = view[:VIEW_HEIGHT, :VIEW_WIDTH]
    assert view[: VIEW_HEIGHT // 2 - 5].max() == 0  # not in the sky
    assert view[300, VIEW_WIDTH // 2] > 60
    assert view[300, 40] == 0
    left, right = np.flatnonzero(view[300])[[0, -1]]
    assert left + right == pytest.approx(VIEW_WIDTH, abs=4)


def test_the_driven_path_is_dotted(result: BagResult, outputs: list[FusionOutput]) -> None:
    truth = np.array([[10.0, 0.0], [20.0, 1.0]])
    view = drawn(result, outputs[2], truth=truth)
    row = round(VIEW_HEIGHT / 2 + VIEW_WIDTH / 2 * 1.5 / 10)
    assert view[row, VIEW_WIDTH // 2].min() > 200


@pytest.mark.parametrize('index', [0, -1])
def test_anything_may_be_missing(
    result: BagResult, outputs: list[FusionOutput], index: int
) -> None:
    made = outputs[index]
    drawn(result, made, image=False)
    drawn(result, dataclasses.replace(made, road=None, trajectory=None))
    told = Told(
        {'friction': 0, 'material': 4, 'unevenness': 2}, 0.9, siren=True, siren_distance_m=55.0
    )
    known = drawn(result, made, told=told)
    assert (known != drawn(result, made)).any()


def test_the_strip_is_dim_where_it_has_not_been_played(
    result: BagResult, outputs: list[FusionOutput]
) -> None:
    frame = drawn(result, outputs[3]).astype(int)
    row = TOP + 30
    assert frame[row, LEFT + 20].sum() > 2 * frame[row, LEFT + 450].sum()


def test_the_deviation_is_that_across_the_path() -> None:
    mode = TrajectoryMode(
        1.0, np.array([1.0, 2.0]), np.array([[5.0, 0.0], [5.0, 5.0]]), np.array([0.0, np.pi / 2]),
        np.array([np.diag([4.0, 1.0]), np.diag([4.0, 1.0])]),
    )  # fmt: skip
    centre, across, deviation = dense_path(mode)
    assert centre[0] == pytest.approx([0, 0])
    assert centre[-1] == pytest.approx([5, 5])
    assert across[-1] == pytest.approx([-1, 0], abs=1e-9)
    assert deviation[0] == 0
    assert deviation[-1] == pytest.approx(2.0)
    assert np.interp(1.0, np.linspace(0, 2, len(deviation)), deviation) == pytest.approx(
        1.0, abs=0.06
    )
