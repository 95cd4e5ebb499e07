"""Reading motion files: what comes back is right, and what is wrong is refused with a reason."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib import motion
from tutorial_lib.motion.files.npz import h36m
from tutorial_lib.skeleton import PARENTS, bone_lengths


@pytest.fixture(scope="module")
def clips():
    return motion.builtin(seed=3, subjects=2, actions=["walk", "throw"], frames=40)


def arrays_of(path):
    with np.load(path) as archive:
        return {key: archive[key] for key in archive.files}


# --- this project's layout ------------------------------------------------------------------------


def test_saved_clips_come_back(tmp_path, clips):
    motion.save(tmp_path / "mine.npz", clips)
    back = motion.load(tmp_path / "mine.npz")
    assert [(c.subject, c.action, c.fps, c.source) for c in back] == [
        (c.subject, c.action, c.fps, "mine.npz") for c in clips
    ]
    for before, after in zip(clips, back):
        assert torch.equal(before.positions, after.positions)


def test_numbered_subjects_are_cmu_and_the_body_is_not_the_subject(tmp_path, clips):
    motion.save(tmp_path / "a.npz", clips)
    arrays = arrays_of(tmp_path / "a.npz")
    del arrays["subject"]
    arrays |= {"mocap_subject": np.array([7, -1, 7, 12]), "body_id": np.array(["a", "b", "c", "d"])}
    np.savez(tmp_path / "b.npz", **arrays)
    subjects = [c.subject for c in motion.load(str(tmp_path / "b.npz"))]
    assert subjects == ["cmu-7", "cmu-unidentified", "cmu-7", "cmu-12"]


def nan_at(arrays):
    arrays["positions_3d"][47, 13, 1] = np.nan


def replaced(key, value):
    def change(arrays):
        arrays[key] = value(arrays[key]) if callable(value) else value

    return change


BROKEN = {
    "NaN": (nan_at, r"clip 1.*joint 13 \(left_wrist\) of frame 7"),
    "infinity": (replaced("positions_3d", lambda p: p * np.inf), "finite"),
    "millimetres": (replaced("positions_3d", lambda p: p * 1000), "millimetres: multiply by 0.001"),
    "centimetres": (replaced("positions_3d", lambda p: p * 100), "centimetres"),
    "all in one place": (replaced("positions_3d", lambda p: p * 0), "from foot to head"),
    "a joint on its parent": (
        replaced("positions_3d", lambda p: p[:, [*range(13), 12, *range(14, 17)]]),
        "left_wrist",
    ),
    "16 joints": (replaced("positions_3d", lambda p: p[:, :16]), r"\(160, 16, 3\).*expected \(T, 17, 3\)"),
    "2D": (replaced("positions_3d", lambda p: p[..., :2]), r"expected \(T, 17, 3\)"),
    "whole numbers": (replaced("positions_3d", lambda p: (p * 1000).astype(int)), "floats"),
    "offsets too far": (replaced("offsets", lambda o: o + (o == o[-1])), "offsets.*160"),
    "offsets going back": (replaced("offsets", lambda o: o[[0, 2, 1, 3, 4]]), "offsets"),
    "an empty clip": (replaced("offsets", lambda o: o[[0, 1, 1, 3, 4]]), "offsets"),
    "offsets as floats": (replaced("offsets", lambda o: o * 1.0), "offsets"),
    "no offsets": (lambda arrays: arrays.pop("offsets"), "lacks offsets"),
    "no fps": (lambda arrays: arrays.pop("fps"), "lacks fps"),
    "fps 0": (replaced("fps", np.float64(0)), "fps"),
    "fps NaN": (replaced("fps", np.float64(np.nan)), "fps"),
    "fps of nothing": (replaced("fps", np.float64(1e-6)), "fps is 1e-06.*from 1 to 1000"),
    "fps of a clock": (replaced("fps", np.float64(1e9)), "from 1 to 1000"),
    "fps as text": (replaced("fps", np.array("fifty")), "fps is fifty"),
    "offsets a number": (replaced("offsets", np.array(160)), "offsets.*160"),
    "offsets as text": (replaced("offsets", np.array(["0", "160"])), "offsets"),
    "parents a number": (replaced("parents", np.array(3)), "parents"),
    "beyond float32": (replaced("positions_3d", lambda p: p.astype(float) * 1e300), "finite"),
    "pickled subjects": (replaced("subject", np.array([{}, 1, 2, 3], dtype=object)), "array subject.*plain"),
    "subjects of no letters": (
        replaced("subject", np.full(4, 2**31, np.uint32).view("<U1")),
        "array subject.*expected text",
    ),
    "fps a list": (replaced("fps", np.array([50.0, 50.0])), "fps"),
    "descriptions of bytes": (replaced("description", lambda d: d.astype("S9")), r"description: \|S9, expected text"),
    "too few descriptions": (replaced("description", lambda d: d[:-1]), r"description.*expected \(4,\)"),
    "subjects as floats": (replaced("subject", np.ones(4)), "subject"),
    "another skeleton": (replaced("parents", np.arange(17) - 1), "parents"),
    "no positions": (lambda arrays: arrays.pop("positions_3d"), "no positions_3d"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, clips, name):
    change, message = BROKEN[name]
    motion.save(tmp_path / "good.npz", clips)
    arrays = arrays_of(tmp_path / "good.npz")
    change(arrays)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match=rf"(?s)bad\.npz.*{message}"):
        motion.load(tmp_path / "bad.npz")


@settings(max_examples=40)
@given(cut=st.floats(0, 0.999), flip=st.none() | st.floats(0, 0.999))
def test_damaged_files_never_pass_as_something_else(tmp_path_factory, cut, flip):
    buffer = io.BytesIO()
    clip = motion.builtin(subjects=1, actions=["wave"], frames=3)[0]
    np.savez(
        buffer,
        positions_3d=clip.positions.numpy(),
        offsets=np.array([0, 3]),
        subject=np.array(["a"]),
        description=np.array(["wave"]),
        fps=50.0,
    )
    data = bytearray(buffer.getvalue())
    if flip is None:
        data = data[: int(cut * len(data))]
    else:
        data[int(flip * len(data))] ^= 0xFF
    path = tmp_path_factory.mktemp("damaged") / "x.npz"
    path.write_bytes(data)
    try:
        back = motion.load(path)
    except ValueError as error:
        assert "x.npz" in str(error)
    else:  # a bit of the directory that nobody reads; the motion itself is under a checksum
        assert torch.equal(back[0].positions, clip.positions)


def test_what_is_no_motion_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        motion.load(tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match="no .npz or .bvh"):
        motion.load(tmp_path)
    (tmp_path / "video.mp4").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"video\.mp4"):
        motion.load(tmp_path / "video.mp4")
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(ValueError, match=r"array\.npz"):
        motion.load(tmp_path / "array.npz")


def test_a_name_that_no_disk_can_hold_is_a_missing_file(tmp_path):
    for ending in (".npz", ".bvh"):
        with pytest.raises(FileNotFoundError, match="does not exist"):
            motion.load(tmp_path / ("x" * 300 + ending))
    for path in (None, 3, b"a.npz", ["a.npz"]):
        with pytest.raises(ValueError, match="path is .*expected the name of a file"):
            motion.load(path)


@pytest.mark.parametrize("keys", [("poses", "trans", "betas"), ("root_orient", "pose_body", "trans")])
def test_amass_is_called_by_its_name(tmp_path, keys):
    np.savez(tmp_path / "walk_poses.npz", **{key: np.zeros((9, 3)) for key in keys}, mocap_framerate=120.0)
    with pytest.raises(ValueError, match=r"walk_poses\.npz.*AMASS.*compute the joints.*first"):
        motion.load(tmp_path / "walk_poses.npz")


def test_save_refuses_what_load_could_not_give_back(tmp_path, clips):
    with pytest.raises(ValueError, match=r"\.npz"):
        motion.save(tmp_path / "a.npy", clips)
    with pytest.raises(ValueError, match="frame rates"):
        motion.save(tmp_path / "a.npz", [])
    with pytest.raises(ValueError, match="resample"):
        motion.save(tmp_path / "a.npz", [clips[0], motion.resample(clips[1], 25)])
    with pytest.raises(ValueError, match="fps is 0.5"):
        motion.save(tmp_path / "a.npz", [replace(clips[0], fps=0.5)])


# --- VideoPose3D's Human3.6M file -----------------------------------------------------------------

H36M_PARENTS = [
    -1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22, 12, 24, 25, 26, 27,
    28, 27, 30,
]  # fmt: skip
REMOVED = [4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31]


def write_h36m(path, clip, joints=32):
    body = np.zeros((len(clip.positions), joints, 3), np.float32)
    body[:, [k for k in h36m.KEPT if k < joints]] = clip.positions[:, : sum(k < joints for k in h36m.KEPT)]
    np.savez(path, positions_3d=np.array({"S1": {"Walking 1": body}, "S9": {"Eating": body}}, dtype=object))


def test_h36m_reduction_is_videopose3ds(tmp_path, clips):
    # Oracle: remove the joints one after another, hang orphans on their grandparent, re-hang the shoulders.
    kept = [joint for joint in range(32) if joint not in REMOVED]
    parents = []
    for joint in kept:
        parent = H36M_PARENTS[joint]
        while parent in REMOVED:
            parent = H36M_PARENTS[parent]
        parents.append(kept.index(parent) if parent >= 0 else -1)
    parents[11] = parents[14] = 8
    assert tuple(kept) == h36m.KEPT
    assert tuple(parents) == PARENTS

    write_h36m(tmp_path / "data_3d_h36m.npz", clips[0])
    back = motion.load(tmp_path / "data_3d_h36m.npz", allow_pickle=True)
    assert [(c.subject, c.action, c.fps) for c in back] == [
        ("h36m-S1", "Walking 1", 50.0),
        ("h36m-S9", "Eating", 50.0),
    ]
    assert torch.equal(back[0].positions, clips[0].positions)


def test_pickles_need_leave(tmp_path, clips):
    write_h36m(tmp_path / "data_3d_h36m.npz", clips[0])
    with pytest.raises(ValueError, match=r"pickled.*any code.*allow_pickle=True"):
        motion.load(tmp_path / "data_3d_h36m.npz")


def test_other_pickles_are_refused(tmp_path, clips):
    path = tmp_path / "x.npz"
    write_h36m(path, clips[0], joints=17)
    with pytest.raises(ValueError, match=r"S1.*Walking 1.*17, 3.*32"):
        motion.load(path, allow_pickle=True)
    for table, message in (
        ([1, 2], "dict"),
        ({}, "no clip"),
        ({"S1": 3}, "dict"),
        ({"S1": {"Sit": np.zeros((0, 32, 3))}}, "Sit.*no frame"),
        ({"S1": {"Sit": [[1], [1, 2]]}}, "Sit.*a list, expected an array"),
        ({"S1": {"Sit": np.full((2, 32, 3), 1e300)}}, "Sit.*finite"),
        ({"S1": {"Sit": np.full((2, 32, 3), np.nan)}}, "Sit.*finite"),
    ):
        np.savez(path, positions_3d=np.array(table, dtype=object))
        with pytest.raises(ValueError, match=message):
            motion.load(path, allow_pickle=True)


# --- another frame rate ---------------------------------------------------------------------------


@settings(max_examples=20)
@given(fps=st.floats(10, 240))
def test_resampling_keeps_bones_and_time(fps):
    clip = motion.builtin(subjects=1, actions=["throw"], frames=60)[0]
    other = motion.resample(clip, fps)
    assert other.fps == fps
    assert (bone_lengths(other.positions) - bone_lengths(clip.positions[:1])).abs().max() < 1e-5
    assert abs((len(other.positions) - 1) / fps - 59 / 50) <= 1 / fps + 1e-6
    assert torch.allclose(other.positions[0], clip.positions[0], atol=1e-5)


def test_resampling_there_and_back_is_close():
    clip = motion.builtin(subjects=1, actions=["walk"], frames=101)[0]
    back = motion.resample(motion.resample(clip, 100), 50)
    assert (back.positions - clip.positions).norm(dim=-1).max() < 1e-3
    assert motion.resample(clip, 50.0) is clip
    with pytest.raises(ValueError, match="fps"):
        motion.resample(clip, 0)


# --- the real recordings --------------------------------------------------------------------------


def test_the_real_file_loads(mocap_path):
    clips = motion.load(mocap_path)
    assert {clip.fps for clip in clips} == {50.0}
    assert "cmu-unidentified" in {clip.subject for clip in clips}
    assert all(clip.positions.dtype == torch.float32 for clip in clips)
