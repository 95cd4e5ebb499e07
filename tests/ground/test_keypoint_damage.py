"""Mutated keypoint files: each ends in finite data or in one clear ValueError, never in anything else."""

import copy
import json
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tutorial_lib import keypoint_files, motion
from tutorial_lib.camera import project, to_pixels
from tutorial_lib.keypoint_files import coco, human36m
from tutorial_lib.keypoint_files.human36m_cameras import views
from tutorial_lib.motion.files.h36m import KEPT

BODY = np.array(
    [[640, 150], [650, 140], [630, 140], [660, 150], [620, 150], [690, 230], [590, 230], [710, 320], [570, 320],
     [715, 400], [565, 400], [670, 410], [610, 410], [672, 530], [608, 530], [675, 650], [605, 650]], float
)  # fmt: skip
WALK = np.stack([BODY + [2 * t, 0] for t in range(6)])
FLAT = [np.c_[points, np.full(17, 0.9)].ravel().tolist() for points in WALK]
MARKS = [
    [{"x": x / 1280, "y": y / 720, "z": 0.0, "visibility": 0.9} for x, y in np.repeat(points, 2, 0)[:33].tolist()]
    for points in WALK
]
PICTURES = [{"id": t, "file_name": f"a/{t}.jpg", "width": 1280, "height": 720} for t in range(6)]
DOCUMENTS = {
    "COCO": [{"image_id": t, "keypoints": k, "score": 0.9, "idx": 1} for t, k in enumerate(FLAT)],
    "annotations": {"images": PICTURES, "annotations": [{"image_id": t, "keypoints": k} for t, k in enumerate(FLAT)]},
    "MMPose": {
        "meta_info": {"keypoint_id2name": {str(i): name for i, name in enumerate(coco.KEYPOINTS)}},
        "instance_info": [
            {"frame_id": t, "instances": [{"keypoints": k.tolist(), "keypoint_scores": [0.9] * 17, "bbox_score": 0.8}]}
            for t, k in enumerate(WALK)
        ],
    },
    "OpenPose": {
        f"{t}.jpg": {"people": [{"person_id": [-1], "pose_keypoints_2d": [*k, *[300.0] * 24]}]}
        for t, k in enumerate(FLAT)
    },
    "Ultralytics": [
        [{"confidence": 0.9, "track_id": 1, "keypoints": {"x": x, "y": y, "visible": [0.9] * 17}}]
        for x, y in WALK.transpose(0, 2, 1).tolist()
    ],
    "MediaPipe": [{"frame": t, "landmarks": marks} for t, marks in enumerate(MARKS)],
}
ODD = st.sampled_from(
    [None, True, False, -1, 0, 2, 0.5, 1e300, -1e300, 10**400, float("nan"), float("inf"), "", "a", "1280", "ü", [], {},
     [[]], [1], [None] * 17, {"x": 1}, {"x": [1], "y": None}, [1.0] * 51, [{}], 1e-320]
)  # fmt: skip
QUIET = settings(max_examples=70, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def places(value, where=()):
    """Every place in a nest of dicts, lists and tuples."""
    yield where
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, one in inner:
        yield from places(one, (*where, key))


def replaced(document, where, value):
    """The document with another value at a place; "DROP" takes the place away."""
    if not where:
        return value
    document = copy.deepcopy(document)
    holder = document
    for key in where[:-1]:
        holder = holder[key]
    if value == "DROP":
        del holder[where[-1]]
    else:
        holder[where[-1]] = value
    return document


@st.composite
def mutations(draw, document, count=2):
    """One or two odd values at places that are drawn by depth first, so that the few outer ones come as often."""
    for _ in range(draw(st.integers(1, count))):
        every = list(places(document))
        depth = draw(st.integers(0, max(map(len, every))))
        level = [where for where in every if len(where) == depth] or every
        document = replaced(document, draw(st.sampled_from(level)), draw(ODD | st.just("DROP")) if depth else draw(ODD))
    return document


def save(path, document):
    """An npz with these entries, pickled; none where the document is no dict."""
    entries = document if isinstance(document, dict) else {}
    np.savez(path, **{key: np.array(value, dtype=object) for key, value in entries.items()})


def outcome(read):
    """What comes of reading: None for a ValueError that says something, else the tensors, all finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        try:
            found = read()
        except ValueError as error:
            message = str(error)
            assert 25 < len(message) < 700 and type(error) is ValueError, message
            return None
    for track in found:
        assert torch.isfinite(track.keypoints).all() and track.keypoints.shape[1:] == (17, 2)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_with_odd_values(tmp_path, name):
    path = tmp_path / "v.json"
    path.write_text(json.dumps(DOCUMENTS[name]))
    assert outcome(lambda: keypoint_files.load(path, size=(1280, 720))), "as it is, the file is good"

    @seed(0)
    @QUIET
    @given(mutations(DOCUMENTS[name]), st.sampled_from([(1280, 720), None]), st.sampled_from([None, 0]))
    def check(document, size, person):
        path.write_text(json.dumps(document))
        outcome(lambda: keypoint_files.load(path, size=size, person=person))

    check()


@seed(0)
@QUIET
@given(st.sampled_from(list(DOCUMENTS)), st.floats(0, 0.999), st.none() | st.binary(min_size=1, max_size=3))
def test_json_with_odd_bytes(tmp_path, name, where, put):
    data = json.dumps(DOCUMENTS[name]).encode()
    at = int(where * len(data))
    data = data[:at] if put is None else data[:at] + put + data[at + len(put) :]
    (tmp_path / "v.json").write_bytes(data)
    outcome(lambda: keypoint_files.load(tmp_path / "v.json", size=(1280, 720)))


ARRAYS = st.sampled_from(
    [np.zeros((0, 17, 2)), np.ones((3, 17, 2)), np.full((3, 17, 2), 1e300), np.full((3, 17, 2), np.nan), np.array(1.0),
     np.zeros((3, 17, 2)), np.array(["a"]), np.array(None), np.full((3, 17, 2), 5, object), -100 * np.ones((3, 17, 2))]
)  # fmt: skip
SYMMETRY = st.sampled_from([[[float("inf")], [1]], [[1]], [1, 2], "ab", [[float("nan")] * 8] * 2, 10**400])


def test_npz_with_odd_values(tmp_path):
    table = {"v": {"custom": [WALK.astype("float32")]}, "u": {"custom": [WALK]}}
    about = {video: {"w": 1280, "h": 720, "fps": 30} for video in table}
    good = {"positions_2d": table, "metadata": {"layout_name": "coco", "video_metadata": about}}
    path = tmp_path / "a.npz"

    def read():
        return keypoint_files.load(path, allow_pickle=True)

    np.savez(path, **good)
    assert len(outcome(read)) == 2

    @seed(0)
    @QUIET
    @given(mutations(good), st.none() | ARRAYS)
    def check(document, array):
        if isinstance(document, dict) and array is not None:
            document = replaced(document, ("positions_2d",), {"v": {"custom": [array]}})
        save(path, document)
        outcome(read)

    check()


def test_human36m_with_odd_values(tmp_path):
    (clip,) = motion.builtin(seed=3, subjects=1, actions=["walk"], frames=4)
    body = np.zeros((4, 32, 3), np.float32)
    body[:, KEPT] = clip.positions
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d={"S9": {"Walking": body}})
    seen = [to_pixels(project(clip.positions, v.camera, v.lens), v.size).numpy() for v in views("S9")]
    good = {
        "positions_2d": {"S9": {"Walking": seen}},
        "metadata": {"layout_name": "coco", "keypoints_symmetry": [list(side) for side in coco.SYMMETRY]},
    }
    path = tmp_path / "data_2d_h36m_x.npz"

    def read():
        return human36m.load(tmp_path / "data_3d_h36m.npz", path, allow_pickle=True)

    np.savez(path, **good)
    assert len(outcome(read)) == 4

    @seed(0)
    @QUIET
    @given(mutations(good), st.none() | ARRAYS, st.none() | SYMMETRY)
    def check(document, array, symmetry):
        if isinstance(document, dict) and array is not None:
            document = replaced(document, ("positions_2d",), {"S9": {"Walking": [*seen[:3], array]}})
        if isinstance(document, dict) and symmetry is not None:
            document = replaced(document, ("metadata",), {"keypoints_symmetry": symmetry})
        save(path, document)
        outcome(read)

    check()


@seed(0)
@QUIET
@given(st.floats(0, 0.999), st.none() | st.binary(min_size=1, max_size=3))
def test_npz_with_odd_bytes(tmp_path, where, put):
    path = tmp_path / "a.npz"
    metadata = {"layout_name": "coco", "video_metadata": {"v": {"w": 1280, "h": 720}}}
    np.savez_compressed(path, positions_2d={"v": {"custom": [WALK]}}, metadata=metadata)
    data = path.read_bytes()
    at = int(where * len(data))
    path.write_bytes(data[:at] if put is None else data[:at] + put + data[at + len(put) :])
    outcome(lambda: keypoint_files.load(path, allow_pickle=True))
