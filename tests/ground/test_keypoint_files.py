"""Keypoints of one's own video: COCO's order becomes ours, gaps are filled and said, bad files refused."""

import json
import warnings

import numpy as np
import pytest
import torch

from tutorial_lib import keypoint_files, motion
from tutorial_lib.camera import from_pixels, look_at, project, to_pixels
from tutorial_lib.keypoint_files import coco
from tutorial_lib.skeleton import JOINTS, MIRROR

SIZE = (1280, 720)
J = {name: index for index, name in enumerate(JOINTS)}


def face(pose):
    """Nose, eyes and ears (..., 3) metres of a pose (..., 17, 3), where they are on an adult's head.

    The top of the skull is at 103 % of the height of joint 10 (a joint, not the hair). Ear holes are 13 cm below it,
    7 cm to the side; the eyes 8 cm, the tip of the nose 10 cm in front of the ears, 1 cm above and 3.5 cm below.
    """
    up = pose[..., J["head"], :] - pose[..., J["neck"], :]
    up = up / up.norm(dim=-1, keepdim=True)
    left = pose[..., J["left_shoulder"], :] - pose[..., J["right_shoulder"], :]
    left = left - (left * up).sum(-1, keepdim=True) * up
    left = left / left.norm(dim=-1, keepdim=True)
    front = torch.linalg.cross(left, up)
    ears = pose[..., J["head"], :] + (0.05 - 0.13) * up
    return {
        "nose": ears + 0.10 * front - 0.035 * up,
        "left_eye": ears + 0.08 * front + 0.01 * up + 0.03 * left,
        "right_eye": ears + 0.08 * front + 0.01 * up - 0.03 * left,
        "left_ear": ears + 0.07 * left,
        "right_ear": ears - 0.07 * left,
    }


def coco_body(pose):
    """What a perfect COCO detector would mark: (..., 17, 3) metres."""
    extra = face(pose)
    named = {"left_ankle": "left_foot", "right_ankle": "right_foot"}
    points = [extra[k] if k in extra else pose[..., J[named.get(k, k)], :] for k in coco.KEYPOINTS]
    return torch.stack(points, dim=-2)


def filmed(azimuth=0.6, actions=("walk",), frames=30):
    """(T, 17, 3) true poses, and a camera at 4 m."""
    pose = torch.cat([clip.positions for clip in motion.builtin(seed=5, subjects=2, actions=actions, frames=frames)])
    middle = pose.mean(dim=(0, 1))
    place = middle + 4 * torch.tensor([np.cos(azimuth), np.sin(azimuth), 0.1], dtype=torch.float32)
    return pose, look_at(place, middle)


@pytest.fixture(scope="module")
def pixels():
    """(T, 17, 2) COCO keypoints of one person walking, in pixels."""
    pose, camera = filmed()
    return to_pixels(project(coco_body(pose[:20]), camera), SIZE).numpy().astype(np.float64)


def person(points, score=0.9, confidence=0.8, **others):
    keypoints = np.column_stack([points, np.full(17, confidence)]).ravel().tolist()
    return {"category_id": 1, "keypoints": keypoints, "score": score, **others}


def load(tmp_path, document, name="video.json", **arguments):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    (track,) = keypoint_files.load(path, **{"size": SIZE, **arguments})
    return track


def expected(pixels):
    return from_pixels(coco.to_joints(torch.from_numpy(pixels).float()), SIZE)


# --- COCO's order to ours -------------------------------------------------------------------------


@pytest.mark.parametrize("azimuth", [0.0, 0.8, 1.6, 2.4, 3.2, 4.0, 4.8, 5.6])
def test_converted_joints_lie_where_the_body_has_them(azimuth):
    pose, camera = filmed(azimuth, ("walk", "discuss", "eat", "direct", "carry", "wave"))
    true = project(pose, camera)
    built = coco.to_joints(project(coco_body(pose), camera))
    height = (true.amax(1) - true.amin(1))[:, 1].mean()
    error = (built - true).norm(dim=-1).mean(0) / height
    made = [J[name] for name in ("hip", "spine", "thorax", "neck", "head")]
    assert error[made].max() < 0.03, dict(zip(JOINTS, error.tolist()))
    limbs = [joint for joint in range(17) if joint not in made]
    assert error[limbs].max() < 1e-5


def test_conversion_moves_and_scales_with_the_picture():
    points = torch.randn(5, 17, 2, dtype=torch.float64)
    assert torch.allclose(coco.to_joints(3 * points + 7), 3 * coco.to_joints(points) + 7)
    assert coco.to_joints(points).dtype == torch.float64


def test_conversion_keeps_left_and_right():
    swap = [*range(17)]
    for left, right in zip(*coco.SYMMETRY):
        swap[left], swap[right] = right, left
    points = torch.randn(17, 2)
    assert torch.allclose(coco.to_joints(points[swap]), coco.to_joints(points)[list(MIRROR)], atol=1e-6)


def test_a_joint_is_as_sure_as_its_least_sure_part():
    sure = torch.ones(2, 17)
    sure[0, coco.KEYPOINTS.index("left_hip")] = 0.25
    sure[1, coco.KEYPOINTS.index("nose")] = 0.0
    joints = coco.to_joint_confidence(sure)
    low = {JOINTS[j] for j in range(17) if joints[0, j] == 0.25}
    assert low == {"hip", "left_hip", "spine"}
    assert (joints[1] == 1).all()  # no joint uses the nose


# --- detectors' files -----------------------------------------------------------------------------


def as_coco(pixels):
    return [person(points, image_id=40 + t) for t, points in enumerate(pixels)]


def as_alphapose(pixels):
    return [person(points, image_id=f"{t}.jpg", idx=[1.0], box=[1, 2, 3, 4]) for t, points in enumerate(pixels)]


def as_openpifpaf(pixels):
    lines = [{"frame": t + 1, "predictions": [person(points)]} for t, points in enumerate(pixels)]
    return "\n".join(json.dumps(line) for line in lines)


def as_mmpose(pixels):
    people = [[{"keypoints": points.tolist(), "keypoint_scores": [0.8] * 17, "bbox_score": 0.9}] for points in pixels]
    return {"meta_info": {}, "instance_info": [{"frame_id": t, "instances": one} for t, one in enumerate(people)]}


def as_frames(pixels):
    return [[person(points)] for points in pixels]


def as_predictions(pixels):
    return {"width": 1280, "height": 720, "predictions": as_coco(pixels)}


def as_annotations(pixels):
    return {"images": [{"id": 1, "width": 1280, "height": 720}], "annotations": as_coco(pixels)}


def as_every_fifth(pixels):
    return [person(points, image_id=f"clip2_{5 * t:05d}.png") for t, points in enumerate(pixels)][::-1]


LAYOUTS = (
    as_coco, as_alphapose, as_openpifpaf, as_mmpose, as_frames, as_predictions, as_annotations, as_every_fifth,
)  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_track(tmp_path, pixels, layout):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        track = load(tmp_path, layout(pixels), fps=25)
    # Of a video at 25 a second, every fifth frame is 5 a second.
    assert (track.name, track.fps, track.size) == ("video", 5.0 if layout is as_every_fifth else 25.0, SIZE)
    assert torch.allclose(track.keypoints, expected(pixels), atol=1e-4)
    assert track.confidence.shape == (20, 17) and torch.allclose(track.confidence, torch.tensor(0.8))


def test_the_file_may_know_its_size(tmp_path, pixels):
    assert load(tmp_path, as_predictions(pixels), size=None).size == SIZE
    assert load(tmp_path, as_annotations(pixels), size=None).size == SIZE
    with pytest.warns(UserWarning, match=r"1280 x 720 pixels by its own word, but size is \(1920, 1080\)"):
        assert load(tmp_path, as_annotations(pixels), size=(1920, 1080)).size == (1920, 1080)
    with pytest.raises(ValueError, match=r"pass size=\(width, height\)"):
        load(tmp_path, as_coco(pixels), size=None)


def test_missing_frames_are_interpolated_and_said(tmp_path, pixels):
    detections = [one for one in as_coco(pixels) if one["image_id"] not in (45, 46)]
    with pytest.warns(UserWarning, match="nobody was found in 2 of 20 frames"):
        track = load(tmp_path, detections)
    truth = expected(pixels)
    assert len(track.keypoints) == 20
    assert torch.allclose(track.keypoints[5], (2 * truth[4] + truth[7]) / 3, atol=1e-4)
    assert torch.allclose(track.keypoints[6], (truth[4] + 2 * truth[7]) / 3, atol=1e-4)
    assert (track.confidence[5:7] == 0).all() and (track.confidence[4] > 0).all()


def test_a_keypoint_of_confidence_zero_is_interpolated_alone(tmp_path, pixels):
    detections = as_coco(pixels)
    elbow = coco.KEYPOINTS.index("left_elbow")
    for frame in (8, 9):
        detections[frame]["keypoints"][3 * elbow : 3 * elbow + 3] = [0.0, 0.0, 0.0]
    track = load(tmp_path, detections)
    straight = pixels.copy()
    straight[8, elbow] = (2 * pixels[7, elbow] + pixels[10, elbow]) / 3
    straight[9, elbow] = (pixels[7, elbow] + 2 * pixels[10, elbow]) / 3
    assert torch.allclose(track.keypoints, expected(straight), atol=1e-4)
    assert (track.confidence == 0).nonzero().tolist() == [[8, J["left_elbow"]], [9, J["left_elbow"]]]


def test_a_face_seen_from_behind_is_replaced_but_a_missing_leg_is_not(tmp_path, pixels):
    def never(*names):
        detections = as_coco(pixels)
        for one in detections:
            for name in names:
                place = 3 * coco.KEYPOINTS.index(name)
                one["keypoints"][place : place + 3] = [0, 0, 0]
        return detections

    track = load(tmp_path, never("right_ear", "nose", "left_eye", "right_eye"))
    same = pixels.copy()
    same[:, coco.KEYPOINTS.index("right_ear")] = same[:, coco.KEYPOINTS.index("left_ear")]
    assert torch.allclose(track.keypoints, expected(same), atol=1e-4)
    with pytest.raises(ValueError, match="left ankle is found in no frame"):
        load(tmp_path, never("left_ankle"))
    with pytest.raises(ValueError, match="is found in no frame"):
        load(tmp_path, never(*coco.KEYPOINTS[:5]))


def test_of_several_people_the_best_or_the_one_that_is_followed(tmp_path, pixels):
    """Two people who pass each other: the scores change sides half way."""
    drift = np.stack([np.linspace(-200, 200, 20), np.zeros(20)], -1)[:, None]
    ours, other = pixels + drift, pixels - drift + [0, 60]
    frames = [
        [person(b, score=0.6), person(a, score=0.9 if t < 10 else 0.3)] for t, (a, b) in enumerate(zip(ours, other))
    ]
    assert torch.allclose(load(tmp_path, frames).keypoints, expected(ours), atol=1e-4)
    assert torch.allclose(load(tmp_path, frames, person=0).keypoints, expected(ours), atol=1e-4)
    assert torch.allclose(load(tmp_path, frames, person=1).keypoints, expected(other), atol=1e-4)
    for rank in (2, -1, True, "a"):
        with pytest.raises(ValueError, match="expected 0 to 1"):
            load(tmp_path, frames, person=rank)


def test_following_does_not_jump_to_a_stranger(tmp_path, pixels):
    frames = [[person(points), person(points + [600, 0], score=0.5)] for points in pixels]
    for t in (4, 5):
        frames[t] = frames[t][1:]
    with pytest.warns(UserWarning, match="2 of 20 frames"):
        track = load(tmp_path, frames, person=0)
    assert (track.keypoints - expected(pixels)).abs().max() < 0.05
    with pytest.raises(ValueError, match="seen in 4 of 20 frames"):
        load(tmp_path, [frame if t < 4 else frame[-1:] for t, frame in enumerate(frames)], person=0)


def bad(change):
    def make(pixels):
        detections = as_coco(pixels)
        change(detections)
        return detections

    return make


BROKEN = {
    "empty": (lambda p: "", "no JSON"),
    "cut off": (lambda p: json.dumps(as_coco(p))[:900], "no JSON, or cut off"),
    "deep": (lambda p: "[" * 100_000, "no JSON"),
    "a number": (lambda p: 7, "holds '7', expected a list"),
    "text": (lambda p: ["a"], "entry 0 is 'a'"),
    "another dictionary": (lambda p: {"boxes": []}, "entries .*boxes.*results list"),
    "nobody": (lambda p: [[], []], "no person in any frame"),
    "no list": (lambda p: [], "no person in any frame"),
    "no frame number": (bad(lambda d: d[3].pop("image_id")), "entry 3 says no frame"),
    "a name without a number": (bad(lambda d: d[3].update(image_id="a.png")), "image_id is 'a.png'"),
    "25 keypoints": (bad(lambda d: d[2].update(keypoints=[1.0] * 75)), r"entry 2.*\(75,\).*51 numbers"),
    "no scores": (bad(lambda d: d[2].update(keypoints=[[1.0, 2.0]] * 17)), r"\(17, 2\).*51 numbers"),
    "words": (bad(lambda d: d[2].update(keypoints=["a"] * 51)), "51 numbers"),
    "no keypoints": (bad(lambda d: d[2].pop("keypoints")), "51 numbers"),
    "a score that is none": (bad(lambda d: d[2].update(score=None)), "score is None"),
    "pictures of no video": (bad(lambda d: d[2].update(image_id=9_000_000)), "people in 20 frames.*no video"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_json_is_refused(tmp_path, pixels, name):
    make, message = BROKEN[name]
    with pytest.raises(ValueError, match=rf"video\.json.*{message}"):
        load(tmp_path, make(pixels))


def test_other_files_are_refused(tmp_path, pixels):
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        keypoint_files.load(tmp_path / "nothing.json")
    with pytest.raises(ValueError, match=r"ends in '\.mp4'"):
        keypoint_files.load(tmp_path / "video.mp4")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="x.json is no text"):
        keypoint_files.load(tmp_path / "x.json")
    with pytest.raises(ValueError, match="fps"):
        load(tmp_path, as_coco(pixels), fps=0)
    with pytest.raises(ValueError, match="size is"):
        load(tmp_path, as_coco(pixels), size=(1280, -1))


# --- VideoPose3D's custom data set ----------------------------------------------------------------


def write_custom(path, pixels, change=None):
    """Two videos, as prepare_data_2d_custom.py writes them."""
    table = {name: {"custom": [pixels.astype(np.float32)]} for name in ("one.mp4", "two.mp4")}
    metadata = {
        "layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [list(side) for side in coco.SYMMETRY],
        "video_metadata": {name: {"w": 1280, "h": 720} for name in table},
    }  # fmt: skip
    if change is not None:
        change(table, metadata)
    np.savez_compressed(path, positions_2d=table, metadata=metadata)
    return path


def test_videopose3ds_custom_file(tmp_path, pixels):
    path = write_custom(tmp_path / "data_2d_custom_mine.npz", pixels)
    tracks = keypoint_files.load(path, allow_pickle=True, fps=30)
    assert [(track.name, track.size, track.fps, track.confidence) for track in tracks] == [
        ("one.mp4", SIZE, 30.0, None),
        ("two.mp4", SIZE, 30.0, None),
    ]
    assert torch.allclose(tracks[0].keypoints, expected(pixels), atol=1e-4)
    with pytest.raises(ValueError, match="pickled.*allow_pickle=True"):
        keypoint_files.load(path)
    with pytest.raises(ValueError, match="person is 0"):
        keypoint_files.load(path, allow_pickle=True, person=0)


BROKEN_NPZ = {
    "another layout": (lambda t, m: m.update(layout_name="mpii"), "layout_name is 'mpii'"),
    "no size": (lambda t, m: m.pop("video_metadata"), r"one\.mp4 does not say how large.*size="),
    "no custom take": (lambda t, m: t["two.mp4"].clear(), r"two\.mp4: expected 'custom'"),
    "no video": (lambda t, m: t.clear(), "with a video"),
    "three columns": (lambda t, m: t["one.mp4"].update(custom=[np.ones((4, 17, 3))]), r"\(4, 17, 3\)"),
    "NaN": (lambda t, m: t["one.mp4"].update(custom=[np.full((4, 17, 2), np.nan)]), "finite"),
}


@pytest.mark.parametrize("name", BROKEN_NPZ)
def test_broken_custom_files_are_refused(tmp_path, pixels, name):
    change, message = BROKEN_NPZ[name]
    path = write_custom(tmp_path / "data_2d_custom_mine.npz", pixels, change)
    with pytest.raises(ValueError, match=rf"data_2d_custom_mine\.npz.*{message}"):
        keypoint_files.load(path, allow_pickle=True)
