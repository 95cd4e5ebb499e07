"""`make keypoints`: from a film to a file that `keypoint_files.load` reads, without MediaPipe and OpenCV themselves."""

import importlib.util
import json
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

from tutorial_lib import keypoint_files
from tutorial_lib.camera import from_pixels
from tutorial_lib.course.notebooks import ROOT
from tutorial_lib.keypoint_files import coco, layouts

WIDTH, HEIGHT = 160, 120
SCRIPT = ROOT / "docs" / "video" / "keypoints.py"
BODY = np.array(
    [[80, 20], [82, 18], [78, 18], [85, 20], [75, 20], [92, 35], [68, 35], [95, 50], [65, 50],
     [96, 62], [64, 62], [88, 65], [72, 65], [88, 85], [72, 85], [89, 105], [71, 105]], float
)  # fmt: skip


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("film_keypoints", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def film(monkeypatch, tmp_path):
    """Make a film of so many frames, of which the first pixel says the number; OpenCV is a stand-in."""

    def make(count, fps=25.0, announced=None):
        class Reader:
            def __init__(self, path):
                self.left = list(range(count))

            def get(self, what):
                return {"fps": fps, "count": float(count if announced is None else announced)}[what]

            def read(self):
                if not self.left:
                    return False, None
                return True, np.full((HEIGHT, WIDTH, 3), self.left.pop(0), np.uint8)

        names = {"CAP_PROP_FPS": "fps", "CAP_PROP_FRAME_COUNT": "count", "COLOR_BGR2RGB": None}
        cv2 = types.SimpleNamespace(VideoCapture=Reader, cvtColor=lambda picture, how: picture[..., ::-1], **names)
        monkeypatch.setitem(sys.modules, "cv2", cv2)
        path = tmp_path / "film.mp4"
        path.write_bytes(b"a film")
        return path

    return make


def person(picture, gone=()):
    """MediaPipe's 33 landmarks of somebody who walks a pixel to the right in each frame."""
    number = int(picture[0, 0, 0])
    if number in gone:
        return None
    marks = [{"x": 0.5, "y": 0.5, "visibility": 0.5} for _ in range(33)]
    for mark, (x, y) in zip(layouts.MEDIAPIPE, BODY + [number, 0]):
        marks[mark] = {"x": x / WIDTH, "y": y / HEIGHT, "visibility": 0.9}
    return marks


def test_what_it_writes_is_read_with_size_and_rate(script, film, tmp_path):
    target = tmp_path / "k.json"
    target.write_text(json.dumps(script.look(film(12), person)), encoding="utf-8")
    (track,) = keypoint_files.load(target)
    assert track.size == (WIDTH, HEIGHT) and track.fps == 25.0
    walk = torch.from_numpy(np.stack([BODY + [t, 0] for t in range(12)])).float()
    expected = from_pixels(coco.to_joints(walk), (WIDTH, HEIGHT))
    torch.testing.assert_close(track.keypoints, expected, atol=1e-4, rtol=0)
    assert track.confidence is not None and torch.allclose(track.confidence, torch.tensor(0.9))
    assert keypoint_files.load(target, fps=50)[0].fps == 50  # who loads it knows better: slow motion


def test_frames_without_a_person_are_filled_in(script, film, tmp_path):
    target = tmp_path / "k.json"
    document = script.look(film(12), lambda picture: person(picture, gone=(0, 1, 5, 6)))
    target.write_text(json.dumps(document), encoding="utf-8")
    with pytest.warns(UserWarning, match="nobody was found in 2 of 10 frames"):
        (track,) = keypoint_files.load(target)
    steps = track.keypoints.diff(dim=0)[..., 0] * WIDTH / 2
    torch.testing.assert_close(steps, torch.ones_like(steps), atol=1e-2, rtol=0)


@pytest.mark.parametrize("fps", [0.0, float("nan"), 90000.0])
def test_a_film_that_does_not_know_its_rate_says_none(script, film, tmp_path, fps):
    target = tmp_path / "k.json"
    target.write_text(json.dumps(script.look(film(3, fps), person)), encoding="utf-8")
    assert keypoint_files.load(target)[0].fps is None


def test_a_film_that_breaks_off_is_told(script, film, capsys):
    script.look(film(12, announced=40), person)
    assert "film.mp4 ends after 12 of 40 frames" in capsys.readouterr().err


def test_no_film_and_nobody_are_told(script, film):
    with pytest.raises(ValueError, match=r"film.mp4 holds no picture .* expected a film; convert it"):
        script.look(film(0), person)
    with pytest.raises(ValueError, match=r"nobody is found in the 3 frames .* expected one person"):
        script.look(film(3), lambda picture: None)


def test_what_cannot_work_is_told_before_the_work(script, film, tmp_path):
    for name in (tmp_path / "other.mp4", tmp_path):
        with pytest.raises(FileNotFoundError, match="there is no such file"):
            script.check(name, tmp_path / "k.json")
    with pytest.raises(ValueError, match=r"expected a name that ends in \.json"):
        script.check(film(3), film(3))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        script.check(film(3), tmp_path / "none" / "k.json")


def test_the_command_writes_beside_who_asks_and_says_how_to_go_on(script, film, tmp_path, monkeypatch, capsys):
    path = film(4)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(script, "mediapipe_pose", lambda: person)
    script.main([str(path)])
    said = capsys.readouterr().out
    assert "somebody is seen in 4 of 4 frames" in said and str(here / "film.keypoints.json") in said
    assert len(keypoint_files.load(here / "film.keypoints.json")[0].keypoints) == 4
    with pytest.raises(SystemExit, match="make keypoints: VIDEO is 'none.mp4', expected a film"):
        script.main(["none.mp4"])


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "VIDEO names no film"),
        (["VIDEO=a.mp4", "DETECTOR_PYTHON="], "No Python 3.11 or 3.12 was found"),
        (["VIDEO=a.mp4", "DETECTOR_PYTHON=false"], "The detector could not be installed. It needs a network"),
    ],
)
def test_make_says_why_there_is_no_detector(words, said, tmp_path):
    (tmp_path / "docs" / "video").mkdir(parents=True)
    for name in ("Makefile", "docs/video/requirements.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(["make", "keypoints", *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode and said in done.stderr
    assert not (tmp_path / ".venv" / "detector").exists()


def test_every_version_is_exact_and_none_is_the_courses():
    """The detector has an environment of its own: in the course's it would bring an older numpy."""
    lines = (ROOT / "docs/video/requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins) and any(line.startswith("mediapipe==") for line in pins)
    assert "mediapipe" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
