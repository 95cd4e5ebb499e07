"""Human3.6M in VideoPose3D's files: the cameras, what is read and left out, and what is refused."""

import io
import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tutorial_lib import motion
from tutorial_lib.camera import camera_to_world, from_pixels, project, to_pixels
from tutorial_lib.keypoint_files import human36m
from tutorial_lib.keypoint_files.coco import SYMMETRY, to_joints
from tutorial_lib.keypoint_files.human36m_cameras import rotation_matrix, views
from tutorial_lib.motion.files.h36m import KEPT
from tutorial_lib.skeleton import LEFT, RIGHT

SUBJECTS = tuple(f"S{number}" for number in range(1, 12))
THREE_D, TWO_D = "data_3d_h36m.npz", "data_2d_h36m_gt.npz"


# --- the cameras ----------------------------------------------------------------------------------

# What VideoPose3D's source says: quaternion (w, x, y, z), millimetres; then pixels, radial and tangential coefficients.
PUBLISHED = {
    ("S1", 0): ([0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088],
                [1841.1070556640625, 4955.28466796875, 1563.4454345703125]),
    ("S5", 2): ([0.14291371405124664, -0.12907841801643372, 0.7678384780883789, -0.6110143065452576],
                [-1620.5948486328125, 5171.65869140625, 1496.43701171875]),
    ("S9", 1): ([0.618784487247467, -0.7634735107421875, -0.14132238924503326, 0.11933968216180801],
                [1990.959716796875, -5123.810546875, 1568.8048095703125]),
    ("S11", 3): ([0.5894251465797424, -0.7818877100944519, 0.13991211354732513, -0.14715361595153809],
                 [-1590.738037109375, -3854.1689453125, 1578.017578125]),
}  # fmt: skip
INTRINSICS = (
    ("54138969", (1000, 1002), (1145.0494, 1143.7811), (512.5415, 515.45145),
     (-0.2070989, 0.24777518, -0.0030751503), (-0.0009756989, -0.0014244716)),
    ("55011271", (1000, 1000), (1149.6757, 1147.5917), (508.84863, 508.06490),
     (-0.19421363, 0.24040854, 0.0068199756), (-0.0016190266, -0.0027408944)),
    ("58860488", (1000, 1000), (1149.1407, 1148.7990), (519.81586, 501.40265),
     (-0.20833819, 0.25548801, -0.0024604974), (0.001484387, -0.00076)),
    ("60457274", (1000, 1002), (1145.5114, 1144.7739), (514.9682, 501.88202),
     (-0.19838409, 0.21832368, -0.0089478074), (-0.00058720558, -0.0018133620)),
)  # fmt: skip


@pytest.mark.parametrize(("subject", "number"), PUBLISHED)
def test_a_world_point_is_seen_as_videopose3d_says(subject, number):
    quaternion, millimetres = PUBLISHED[subject, number]
    camera = views(subject)[number].camera
    points = np.random.default_rng(0).normal(size=(7, 3))
    expected = Rotation.from_quat(quaternion, scalar_first=True).inv().apply(points - np.array(millimetres) / 1000)
    seen = (camera.rotation @ (torch.tensor(points).float() - camera.position)[..., None])[..., 0]
    assert np.allclose(seen, expected, atol=2e-6)


def test_intrinsics_are_normalised_by_the_width_and_in_opencvs_order():
    for view, (name, size, focal, centre, radial, tangential) in zip(views("S6"), INTRINSICS):
        width, height = size
        expected = [2 * focal[0] / width, 2 * focal[1] / width]
        expected += [2 * centre[0] / width - 1, 2 * centre[1] / width - height / width]
        expected += [*radial, tangential[1], tangential[0]]  # VideoPose3D writes (p2, p1)
        assert (view.name, view.size) == (name, size)
        assert view.intrinsics.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_cameras_stand_in_the_corners_and_look_at_the_middle(subject):
    for view in views(subject):
        right, down, forward = view.camera.rotation
        place = view.camera.position
        assert torch.allclose(view.camera.rotation @ view.camera.rotation.mT, torch.eye(3), atol=1e-5)
        assert torch.linalg.det(view.camera.rotation) == pytest.approx(1, abs=1e-5)
        assert 1 < place[2] < 2  # metres, on tripods
        assert abs(right[2]) < math.sin(math.radians(10)) and down[2] < -0.9  # level, upright
        to_middle = torch.tensor([0.0, 0.0, 1.0]) - place
        assert forward @ to_middle / to_middle.norm() > math.cos(math.radians(15))


def test_an_unknown_subject_has_no_cameras():
    with pytest.raises(ValueError, match="subject is 'S12', expected one of S1"):
        views("S12")


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_quaternions_are_scipys(quaternion):
    matrix = rotation_matrix(torch.tensor(quaternion, dtype=torch.float64))
    assert np.allclose(matrix, Rotation.from_quat(quaternion, scalar_first=True).as_matrix(), atol=1e-12)


@pytest.mark.parametrize("distorted", [False, True])
def test_projection_is_opencvs(distorted):
    points = motion.builtin(seed=1, subjects=1, actions=["walk"], frames=20)[0].positions
    for view, (_, size, focal, centre, radial, (p2, p1)) in zip(views("S8"), INTRINSICS):
        matrix = np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]])
        lens = np.array([radial[0], radial[1], p1, p2, radial[2]]) * distorted
        rotation = view.camera.rotation.double().numpy()
        turn, shift = cv2.Rodrigues(rotation)[0], -rotation @ view.camera.position.double().numpy()
        flat = points.double().numpy().reshape(-1, 1, 3)
        expected = cv2.projectPoints(flat, turn, shift, matrix, lens)[0].reshape(20, 17, 2)
        ours = to_pixels(project(points, view.camera, view.lens if distorted else None), size)
        assert np.abs(ours.numpy() - expected).max() < 2e-3  # pixels


def test_screen_coordinates():
    corners = torch.tensor([[0.0, 0.0], [1920.0, 1080.0], [960.0, 540.0]])
    assert torch.allclose(
        from_pixels(corners, (1920, 1080)), torch.tensor([[-1, -0.5625], [1, 0.5625], [0, 0]]), atol=1e-6
    )
    assert torch.allclose(to_pixels(from_pixels(corners, (1000, 1002)), (1000, 1002)), corners, atol=1e-3)
    with pytest.raises(ValueError, match="size is"):
        from_pixels(corners, (0, 3))


# --- the files ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clips():
    return motion.builtin(seed=3, subjects=2, actions=["walk", "direct", "eat"], frames=12)


TAKES = (("S1", "Walking 1"), ("S1", "Walking"), ("S9", "Eating"), ("S11", "Directions"), ("S11", "Directions 1"))


def write(folder, clips, *, change=None, extra=0, coco=False):
    """Both files; `extra` frames of detections beyond the motion capture. change(three_d, two_d, metadata) edits."""
    three_d, two_d = {}, {}
    for (subject, take), clip in zip(TAKES, clips):
        body = np.zeros((len(clip.positions), 32, 3), np.float32)
        body[:, KEPT] = clip.positions
        three_d.setdefault(subject, {})[take] = body
        pixels = [
            to_pixels(project(clip.positions, view.camera, view.lens), view.size).numpy() for view in views(subject)
        ]
        videos = [np.concatenate([video, video[-1:].repeat(extra, 0)]).astype(np.float32) for video in pixels]
        two_d.setdefault(subject, {})[take] = videos
    symmetry = [list(side) for side in (SYMMETRY if coco else (LEFT, RIGHT))]
    metadata = {"layout_name": "coco" if coco else "h36m", "num_joints": 17, "keypoints_symmetry": symmetry}
    if change is not None:
        change(three_d, two_d, metadata)
    np.savez_compressed(folder / THREE_D, positions_3d=three_d)
    np.savez_compressed(folder / TWO_D, positions_2d=two_d, metadata=metadata)
    return folder / THREE_D, folder / TWO_D


def test_recordings_hold_what_was_written(tmp_path, clips):
    recordings = human36m.load(*write(tmp_path, clips, extra=3), allow_pickle=True)
    assert len(recordings) == 4 * 4  # S11's "Directions" is dropped, its "Directions 1" is not
    assert [(r.subject, r.take, r.action, r.camera) for r in recordings[::5]] == [
        ("S1", "Walking 1", "Walking", 0),
        ("S1", "Walking", "Walking", 1),
        ("S9", "Eating", "Eating", 2),
        ("S11", "Directions 1", "Directions", 3),
    ]
    for recording in recordings:
        clip = clips[TAKES.index((recording.subject, recording.take))]
        assert recording.view is views(recording.subject)[recording.camera]
        assert recording.fps == 50.0
        assert recording.keypoints.shape == (12, 17, 2) and recording.keypoints.dtype == torch.float32
        assert torch.allclose(camera_to_world(recording.pose, recording.view.camera), clip.positions, atol=1e-5)
        # In the picture: the keypoints are the pose, divided by its depth.
        plane = recording.pose[..., :2] / recording.pose[..., 2:]
        pinhole = plane * recording.view.camera.focal + recording.view.camera.centre
        assert (recording.keypoints - pinhole).abs().max() < 0.05
        assert recording.keypoints.abs().max() < 1.1


def test_without_detections_the_bodies_are_projected(tmp_path, clips):
    three_d, two_d = write(tmp_path, clips)
    detected = human36m.load(three_d, two_d, allow_pickle=True)
    for distorted in (True, False):
        projected = human36m.load(three_d, allow_pickle=True, distorted=distorted)
        apart = max((a.keypoints - b.keypoints).abs().max() for a, b in zip(detected, projected))
        assert (apart < 1e-5) == distorted


def test_some_subjects_only(tmp_path, clips):
    files = write(tmp_path, clips)
    picked = human36m.load(*files, allow_pickle=True, subjects=human36m.TEST_SUBJECTS)
    assert {recording.subject for recording in picked} == {"S9", "S11"}
    with pytest.raises(ValueError, match=r"subjects has \['S5'\].*S1, S9, S11"):
        human36m.load(*files, allow_pickle=True, subjects=["S1", "S5"])


def test_detections_in_cocos_order_come_raw_for_a_lifter_that_takes_those(tmp_path, clips):
    files = write(tmp_path, clips, coco=True)
    raw = human36m.load(*files, allow_pickle=True, subjects=["S9"], layout="coco")
    converted = human36m.load(*files, allow_pickle=True, subjects=["S9"])
    for one, other in zip(raw, converted):
        torch.testing.assert_close(to_joints(one.keypoints), other.keypoints)
        assert (one.keypoints - other.keypoints).abs().max() > 0.1
    for three_d, two_d in (write(tmp_path, clips), (files[0], None)):
        with pytest.raises(ValueError, match="layout is 'coco', but .* has Human3.6M's joints; take data_2d_h36m_det"):
            human36m.load(three_d, two_d, allow_pickle=True, layout="coco")


def test_detections_in_cocos_order_are_converted(tmp_path, clips):
    def shuffle(three_d, two_d, metadata):
        for videos in two_d["S9"]["Eating"]:
            videos[:, 0], videos[:, [11, 12]], videos[:, 16] = 7.0, [[100.0, 200.0], [300.0, 500.0]], [13.0, 17.0]

    files = write(tmp_path, clips, coco=True, change=shuffle)
    (recording, *_) = human36m.load(*files, allow_pickle=True, subjects=["S9"])
    pixels = to_pixels(recording.keypoints, recording.view.size)
    assert pixels[0, 0].tolist() == pytest.approx([200, 350], abs=1e-2)  # the hip lies between the hips
    assert pixels[0, 3].tolist() == pytest.approx([13, 17], abs=1e-2)  # COCO's last is the right foot


def test_pickles_need_leave(tmp_path, clips):
    three_d, two_d = write(tmp_path, clips)
    with pytest.raises(ValueError, match=rf"{THREE_D} holds pickled.*any code.*allow_pickle=True"):
        human36m.load(three_d, two_d)


def test_refusing_runs_nothing(tmp_path, clips):
    class Bomb:
        def __reduce__(self):
            return open, (str(tmp_path / "exploded"), "w")

    np.savez(tmp_path / "bomb.npz", positions_2d=np.array(Bomb(), dtype=object), metadata=np.zeros(1))
    with pytest.raises(ValueError, match="allow_pickle"):
        human36m.read_objects(tmp_path / "bomb.npz", ("positions_2d", "metadata"))
    assert not (tmp_path / "exploded").exists()


def set_to(value, *path):
    def change(three_d, two_d, metadata):
        place = {"3d": three_d, "2d": two_d, "metadata": metadata}
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value

    return change


def without(*path):
    def change(three_d, two_d, metadata):
        place = {"3d": three_d, "2d": two_d, "metadata": metadata}
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def with_nan(videos):
    videos[1][4, 6, 0] = np.nan
    return videos


EATING = ("2d", "S9", "Eating")
BROKEN = {
    "an already reduced body": (set_to(lambda b: b[:, :17], "3d", "S9", "Eating"), r"S9.*Eating.*\(T, 32, 3\)"),
    "a body in millimetres": (set_to(lambda b: b * 1000, "3d", "S9", "Eating"), "S9.*Eating.*multiply by 0.001"),
    "detections too short": (set_to(lambda v: [x[:5] for x in v], *EATING), "Eating, camera 0: 5 frames.*has 12"),
    "three videos": (set_to(lambda v: v[:3], *EATING), "four arrays"),
    "16 joints": (set_to(lambda v: [x[:, :16] for x in v], *EATING), r"\(12, 16, 2\).*\(T, 17, 2\)"),
    "NaN": (set_to(with_nan, *EATING), r"camera 1: joint 6 of frame 4.*finite"),
    "normalised": (set_to(lambda v: [x / 1000 for x in v], *EATING), "expected pixels.*normalised"),
    "no array": (set_to(lambda v: ["a"] * 4, *EATING), "camera 0.*array.*str"),
    "a take is missing": (without(*EATING), "S9, action Eating is missing"),
    "a subject is missing": (without("2d", "S9"), "S9, action Eating is missing"),
    "takes in a list": (set_to([1], "2d", "S9"), "positions_2d is no dict"),
    "an unknown subject": (lambda a, b, m: a.update(S12=a["S9"]), "subject is 'S12'"),
    "another layout": (set_to([[3, 4, 5], [0, 1, 2]], "metadata", "keypoints_symmetry"), "keypoints_symmetry"),
    "no layout": (without("metadata", "keypoints_symmetry"), "keypoints_symmetry None"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, clips, name):
    change, message = BROKEN[name]
    files = write(tmp_path, clips, change=change)
    with pytest.raises(ValueError, match=message):
        human36m.load(*files, allow_pickle=True)


def test_other_files_are_refused(tmp_path, clips):
    three_d, two_d = write(tmp_path, clips)
    motion.save(tmp_path / "mine.npz", clips)
    with pytest.raises(ValueError, match="cameras are unknown"):
        human36m.load(tmp_path / "mine.npz", allow_pickle=True)
    with pytest.raises(ValueError, match="positions_2d and metadata"):
        human36m.load(three_d, three_d, allow_pickle=True)
    with pytest.raises(ValueError, match="positions_3d"):
        human36m.load(two_d, two_d, allow_pickle=True)
    with pytest.raises(FileNotFoundError, match="data_2d_nothing"):
        human36m.load(three_d, tmp_path / "data_2d_nothing.npz", allow_pickle=True)


@settings(max_examples=40)
@given(cut=st.floats(0, 0.999), flip=st.none() | st.floats(0, 0.999))
def test_damaged_files_never_pass_as_something_else(tmp_path_factory, cut, flip):
    table = {"S1": {"Sitting": [np.full((2, 17, 2), 9.0 + camera) for camera in range(4)]}}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, positions_2d=table, metadata={"layout_name": "h36m"})
    data = bytearray(buffer.getvalue())
    if flip is None:
        data = data[: int(cut * len(data))]
    else:
        data[int(flip * len(data))] ^= 0xFF
    path = tmp_path_factory.mktemp("damaged") / "x.npz"
    path.write_bytes(data)
    try:
        back, _ = human36m.read_objects(path, ("positions_2d", "metadata"), allow_pickle=True)
    except ValueError as error:
        assert "x.npz" in str(error)
    else:
        assert all(np.array_equal(a, b) for a, b in zip(back["S1"]["Sitting"], table["S1"]["Sitting"]))


# --- finding them ---------------------------------------------------------------------------------


def test_find_takes_a_folder_or_either_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_3d_h36m\.npz.*prepare_data_h36m"):
        human36m.find(tmp_path)
    three_d = tmp_path / THREE_D
    three_d.touch()
    assert human36m.find(tmp_path) == human36m.find(three_d) == (three_d, None)
    files = {name: tmp_path / f"data_2d_h36m_{name}.npz" for name in ("gt", "another", "detectron_ft_h36m")}
    for file in files.values():
        file.touch()
    assert human36m.find(str(tmp_path)) == (three_d, files["detectron_ft_h36m"])
    assert human36m.find(three_d, "gt") == human36m.find(files["gt"]) == (three_d, files["gt"])
    with pytest.raises(FileNotFoundError, match=r"data_2d_h36m_cpn_ft_h36m_dbb\.npz; detectors with a file.*another"):
        human36m.find(tmp_path, "cpn_ft_h36m_dbb")
    with pytest.raises(FileNotFoundError, match="data_2d_h36m_x"):
        human36m.find(tmp_path / "data_2d_h36m_x.npz")
