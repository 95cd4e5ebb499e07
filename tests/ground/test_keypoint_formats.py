"""What detectors really write: their layouts, their ways to say "not found", names of frames, sizes and units."""

import json
import warnings

import numpy as np
import pytest
import torch

from tutorial_lib import keypoint_files
from tutorial_lib.camera import from_pixels
from tutorial_lib.keypoint_files import coco, human36m, layouts

SIZE = (1280, 720)
BODY = np.array(
    [[640, 150], [650, 140], [630, 140], [660, 150], [620, 150], [690, 230], [590, 230], [710, 320], [570, 320],
     [715, 400], [565, 400], [670, 410], [610, 410], [672, 530], [608, 530], [675, 650], [605, 650]], float
)  # fmt: skip
WALK = np.stack([BODY + [2 * t, 0] for t in range(9)])
WRIST = coco.KEYPOINTS.index("left_wrist")


def flat(points, confidence=0.9):
    return np.c_[points, np.full(len(points), confidence)].ravel().tolist()


def seen(points, confidence=0.9, **more):
    return {"keypoints": flat(points, confidence), "score": 0.9, **more}


def walk(**more):
    return [seen(points, image_id=t, **more) for t, points in enumerate(WALK)]


def load(tmp_path, document, **how):
    path = tmp_path / "v.json"
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    (track,) = keypoint_files.load(path, **{"size": SIZE, **how})
    return track


def same(track, points=WALK):
    expected = from_pixels(coco.to_joints(torch.from_numpy(points).float()), SIZE)
    torch.testing.assert_close(track.keypoints, expected, atol=2e-4, rtol=0)
    return True


@pytest.fixture
def silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# --- not found ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unfound",
    [[0, 0, 0.37], [-1, -1, 0.9], [-3.5, 0, 0.5], [float("nan"), 5, 1], [None, None, 0.9], [9, 9, None], [9, 9, 0]],
)
def test_what_was_not_found_is_interpolated(tmp_path, unfound, silent):
    document = walk()
    document[4]["keypoints"][3 * WRIST : 3 * WRIST + 3] = unfound
    track = load(tmp_path, document)
    assert same(track) and (track.confidence[4] == 0).sum() == 1


def test_a_keypoint_beyond_one_side_of_the_picture_is_found(tmp_path):
    points = WALK.copy()
    points[4, WRIST] = [-20, 300]
    assert same(load(tmp_path, [seen(p, image_id=t) for t, p in enumerate(points)]), points)


def test_confidence_that_is_zero_everywhere_is_taken_for_unknown(tmp_path):
    with pytest.warns(UserWarning, match=r"v\.json: confidence is 0 everywhere"):
        track = load(tmp_path, [seen(points, 0.0, image_id=t) for t, points in enumerate(WALK)])
    assert same(track) and track.confidence is None


def test_a_joint_that_is_hardly_ever_found_is_said(tmp_path):
    document = walk()
    for one in document[:7]:
        one["keypoints"][3 * WRIST : 3 * WRIST + 3] = [0, 0, 0.1]
    with pytest.warns(UserWarning, match="left wrist is found in 2 of 9 frames"):
        load(tmp_path, document)


# --- unit and size --------------------------------------------------------------------------------

UNITS = {
    "shares": (WALK / SIZE, r"normalised.*multiply x by its width"),
    "screen": (WALK / 640 - [1, 0.5625], r"normalised.*\(x \+ 1\) \* width / 2"),
    "another size": (WALK, "59%|outside the picture of 640 x 480.*size="),
}


def write_npz(path, points, size=SIZE, **more):
    about = {"w": size[0], "h": size[1], **more}
    metadata = {"layout_name": "coco", "video_metadata": {"v": about}}
    np.savez(path, positions_2d={"v": {"custom": [points.astype("float32")]}}, metadata=metadata)
    return path


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("kind", ["json", "npz"])
def test_another_unit_or_size_is_refused_in_json_and_npz(tmp_path, kind, name):
    points, message = UNITS[name]
    size = (640, 480) if name == "another size" else SIZE
    with pytest.raises(ValueError, match=message):
        if kind == "json":
            load(tmp_path, [seen(p, image_id=t) for t, p in enumerate(points)], size=size)
        else:
            keypoint_files.load(write_npz(tmp_path / "a.npz", points, size), allow_pickle=True)


def test_a_picture_that_is_far_too_large_or_a_little_too_small_is_said(tmp_path):
    with pytest.warns(UserWarning, match="upper left quarter of the picture of 3840 x 2160"):
        load(tmp_path, walk(), size=(3840, 2160))
    with pytest.warns(UserWarning, match=r"1[0-9]% of the keypoints lie outside the picture of 1280 x 600"):
        load(tmp_path, walk(), size=(1280, 600))


def test_zeros_in_an_npz_are_interpolated_and_said(tmp_path):
    points = WALK.copy()
    points[3:5, WRIST] = 0
    with pytest.warns(UserWarning, match="video v: 2 keypoints in 2 of 9 frames are at"):
        (track,) = keypoint_files.load(write_npz(tmp_path / "a.npz", points), allow_pickle=True)
    assert same(track)


def test_sizes_in_text_are_read(tmp_path, silent):
    (track,) = keypoint_files.load(write_npz(tmp_path / "a.npz", WALK, ("1280", "720.0")), allow_pickle=True)
    assert track.size == SIZE and same(track)
    document = {"width": "1280", "height": "720", "annotations": walk()}
    assert load(tmp_path, document, size=None).size == SIZE
    assert load(tmp_path, walk(), size=["1280", 720.0]).size == load(tmp_path, walk(), size=np.array(SIZE)).size == SIZE


NO_SIDE = ["wide", "", None, True, [1280], {}, 0, -5, 0.5, float("nan"), float("inf"), 10**400, 1e-320, 12.5, b"1280"]


@pytest.mark.parametrize("side", NO_SIDE)
def test_sides_that_are_none_are_refused_by_name(tmp_path, side):
    with pytest.raises(ValueError, match=r"a\.npz, video v: \(w, h\) is .*expected \(width, height\)"):
        keypoint_files.load(write_npz(tmp_path / "a.npz", WALK, (side, 720)), allow_pickle=True)
    with pytest.raises(ValueError, match=r"keypoint_files.load: size is .*expected \(width, height\)"):
        load(tmp_path, walk(), size=(side, 720))
    if not isinstance(side, bytes):
        with pytest.raises(ValueError, match=r"v\.json: \(width, height\) is .*expected \(width, height\)"):
            load(tmp_path, {"width": 1280, "height": side, "annotations": walk()}, size=None)


@pytest.mark.parametrize("size", [5, "1280x720", (1280,), (1, 2, 3), {1280, 720}, (1e-320, 1)])
def test_sizes_that_are_none_are_refused(tmp_path, size):
    with pytest.raises(ValueError, match="size is .*expected"):
        load(tmp_path, walk(), size=size)


def test_pictures_of_two_sizes_are_no_video(tmp_path):
    images = [{"id": i, "width": 1280 + i, "height": 720} for i in range(2)]
    with pytest.raises(ValueError, match=r"pictures of \(1280, 720\) and of \(1281, 720\)"):
        load(tmp_path, {"images": images, "annotations": walk()})


# --- frames and rates -----------------------------------------------------------------------------

NAMES = {
    "as the log has it": "video_2_frame_{:06d}_1080p.jpg",
    "unpadded": "{}.jpg",
    "in a folder": "take 3/cam2/{:04d}.png",
    "a time beside it": "frame_{0:03d}_t{1:05d}.png",
    "text": "{}",
}


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_told_by_what_counts_up(tmp_path, name, silent):
    document = [seen(points, image_id=NAMES[name].format(t + 95, 40 * t)) for t, points in enumerate(WALK)]
    track = load(tmp_path, document[::-1], fps=50)
    assert same(track) and track.fps == 50


TWO = {
    "two folders": ("a/{}.jpg", "b/{}.jpg", "'a/0.jpg' and 'b/0.jpg'"),
    "two numbered folders": ("1/{}.jpg", "2/{}.jpg", "'1/0.jpg' and '2/0.jpg'"),
    "two videos": ("video1_{:03d}.jpg", "video2_{:03d}.jpg", "'video1_000.jpg' and 'video2_000.jpg'"),
    "two ways to write one number": ("{}.jpg", "0{}.jpg", "'0.jpg' and '00.jpg'"),
    "two endings": ("{}.jpg", "{}.png", "'0.jpg' and '0.png'"),
}


@pytest.mark.parametrize("name", TWO)
def test_frames_of_two_videos_are_not_mixed(tmp_path, name):
    one, other, message = TWO[name]
    document = [seen(BODY + [300 * k, 0], image_id=n.format(t)) for k, n in enumerate((one, other)) for t in range(9)]
    with pytest.raises(ValueError, match=rf"v\.json: frames are called {message}"):
        load(tmp_path, document)


def test_names_of_cocos_pictures_count_and_not_their_ids(tmp_path):
    images = [{"id": 100 + t, "file_name": f"{'ab'[t // 9]}/{t % 9}.jpg"} for t in range(18)]
    document = {"images": images, "annotations": [seen(BODY, image_id=100 + t) for t in range(18)]}
    with pytest.raises(ValueError, match="'a/0.jpg' and 'b/0.jpg'"):
        load(tmp_path, document)


def test_the_rate_is_that_of_the_frames_in_the_file(tmp_path):
    assert load(tmp_path, [seen(p, image_id=5 * t) for t, p in enumerate(WALK)], fps=50).fps == 10
    for key in ("frame", "frame_number", "frameNumber", "frame_idx", "Frame No", "image_id", "img_id"):
        numbered = [{key: 5 * t, "people": [seen(p)]} for t, p in enumerate(WALK)]
        assert load(tmp_path, numbered, fps=50).fps == 10, key
    # Frames that were looked at, without anybody in them, are frames.
    frames = [[] if t % 2 else [seen(points)] for t, points in enumerate(WALK)]
    with pytest.warns(UserWarning, match="nobody was found in 4 of 9"):
        assert load(tmp_path, frames, fps=50).fps == 50


@pytest.mark.parametrize(
    "fps", [0, 0.5, 1e-6, 1001, 1e9, float("nan"), float("inf"), 10**400, "50", True, None, [50, 50]]
)
def test_rates_that_are_none_are_refused(tmp_path, fps):
    if fps is not None:
        with pytest.raises(ValueError, match="fps is .*expected one number.*1 to 1000"):
            load(tmp_path, walk(), fps=fps)
    with pytest.raises(ValueError, match="video v: fps is .*expected one number.*1 to 1000"):
        keypoint_files.load(write_npz(tmp_path / "a.npz", WALK, fps=fps), allow_pickle=True)
    if fps is not None:
        with pytest.raises(ValueError, match="v.json: fps is .*expected one number.*1 to 1000"):
            load(tmp_path, {"fps": fps, "annotations": walk()})


def test_a_json_may_say_the_videos_rate(tmp_path, silent):
    every_fifth = [seen(p, image_id=5 * t) for t, p in enumerate(WALK)]
    assert load(tmp_path, {"fps": 29.97, "annotations": walk()}).fps == 29.97
    assert load(tmp_path, {"fps": 50, "annotations": every_fifth}).fps == 10
    assert load(tmp_path, {"fps": None, "annotations": walk()}).fps is None
    assert load(tmp_path, {"fps": 30, "annotations": walk()}, fps=240).fps == 240


# --- who it is ------------------------------------------------------------------------------------


def two(*scores, key=None, names=(0, 1), away=300):
    frames = [(t, k) for t in range(8) for k in range(2)]
    more = [{} if key is None else {key: names[k]} for _, k in frames]
    return [
        seen(BODY + [away * k, 0], image_id=t) | {"score": scores[k][t % 2]} | extra
        for (t, k), extra in zip(frames, more)
    ]


def test_of_two_alike_one_is_followed_and_said(tmp_path):
    with pytest.warns(UserWarning, match=r"v\.json, frame 1: 2 people are alike, and the one around \(640, 342\) is"):
        track = load(tmp_path, two((0.8, 0.9), (0.85, 0.85)))
    assert same(track, np.stack([BODY] * 8))


def test_people_who_pass_each_other_are_said_with_the_frame(tmp_path):
    frames = [[seen(BODY + [20 * t - 75, 0]), seen(BODY + [85 - 20 * t, 3])] for t in range(9)]
    with pytest.warns(UserWarning) as said:
        load(tmp_path, frames)
    assert ["2 people are alike" in str(one.message) for one in said] == [True, False]
    assert "v.json, frame 5: 2 people are equally near to where the person was last" in str(said[1].message)


def test_one_person_who_was_detected_twice_is_one(tmp_path, silent):
    assert same(load(tmp_path, [[seen(points), seen(points + 4) | {"score": 0.85}] for points in WALK]))


@pytest.mark.parametrize("nobody", [seen(0 * BODY), None, {"keypoints": []}, {"keypoints": None, "score": 0.3}])
def test_people_without_a_keypoint_are_nobody(tmp_path, nobody, silent):
    assert same(load(tmp_path, [[nobody, seen(points)] for points in WALK]))
    with pytest.raises(ValueError, match="no person in any frame"):
        load(tmp_path, [[seen(0 * BODY)]] * 3)


def test_the_large_one_is_followed(tmp_path, silent):
    frames = [[seen(100 + BODY / 4), seen(points)] for points in WALK]
    assert same(load(tmp_path, frames))


@pytest.mark.parametrize(
    "key, names", [("track_id", (7, 3)), ("idx", ([1.0], [2.0])), ("person_id", ("a", "b")), ("id", (1, 2))]
)
def test_identities_in_the_file_are_used(tmp_path, key, names):
    """The two change places half way, so that nearness would go over to the other."""
    document = two((0.9, 0.9), (0.5, 0.5), key=key, names=names)
    for one in document[8:]:
        x = np.array(one["keypoints"]).reshape(17, 3)
        x[:, 0] += 300 if one[key] == names[0] else -300
        one["keypoints"] = x.ravel().tolist()
    where = np.stack([BODY + [300 * (t > 3), 0] for t in range(8)])
    assert same(load(tmp_path, document), where)
    assert same(load(tmp_path, document, person=1), where[::-1].copy())


@pytest.mark.parametrize(
    "key, names", [("idx", ([0.0], [0.0])), ("person_id", ([-1], [-1])), ("track_id", (None, None))]
)
def test_identities_that_are_none_are_not_used(tmp_path, key, names, silent):
    assert same(load(tmp_path, two((0.9, 0.9), (0.3, 0.3), key=key, names=names)), np.stack([BODY] * 8))


def test_numbers_of_detections_are_no_identities(tmp_path, silent):
    assert same(load(tmp_path, [one | {"id": 50 + i} for i, one in enumerate(walk())]))


def test_a_person_who_is_renamed_is_followed_and_said(tmp_path):
    document = [one | {"track_id": 1 + (t > 5)} for t, one in enumerate(walk())]
    with pytest.warns(UserWarning, match="frame 6: the person 1 is called 2 from here on"):
        assert same(load(tmp_path, document))


def test_somebody_else_after_a_cut_is_said(tmp_path):
    points = np.stack([BODY / [2, 1] + [600 * (t > 5), 0] for t in range(9)])
    with pytest.warns(UserWarning, match=r"frame [56]: the person is 1\.\d heights from where they were last"):
        assert same(load(tmp_path, [seen(p, image_id=t) for t, p in enumerate(points)]), points)


def test_a_stranger_does_not_stand_in_for_a_moment(tmp_path):
    frames = [[seen(points), seen(points + [400, 0]) | {"score": 0.5}] for points in WALK]
    for t in (3, 4):
        frames[t] = frames[t][1:]
    with pytest.warns(UserWarning, match="nobody was found in 2 of 9 frames"):
        assert same(load(tmp_path, frames))


# --- other detectors ------------------------------------------------------------------------------


def among(places, count, points, fill=300.0):
    body = np.full((count, 2), fill)
    body[list(places)] = points
    return body


def openpose(points, count=25, key="pose_keypoints_2d"):
    person = {"person_id": [-1], key: flat(among(layouts.OPENPOSE[count], count, points)), "face_keypoints_2d": []}
    return {"version": 1.3, "people": [person]}


def mediapipe(points, size=SIZE):
    body = among(layouts.MEDIAPIPE, 33, points) / size
    return [{"x": x, "y": y, "z": -0.1, "visibility": 0.99} for x, y in body]


def ultralytics(points):
    x, y = points.T.tolist()
    body = {"x": x, "y": y, "visible": [0.9] * 17}
    return {"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 1.0}, "track_id": 1, "keypoints": body}


def mmpose(points, count=17):
    body = np.vstack([points, np.full((count - 17, 2), 300.0)])
    return {"keypoints": body.tolist(), "keypoint_scores": [0.9] * count, "bbox": [[1, 2, 3, 4]], "bbox_score": 0.9}


WHOLE_FILES = {
    "Halpe-26": [seen(np.vstack([p, np.full((9, 2), 300.0)]), image_id=f"{t}.jpg") for t, p in enumerate(WALK)],
    "WholeBody-133": [{"frame_id": t, "instances": [mmpose(p, 133)]} for t, p in enumerate(WALK)],
    "Halpe-136": [{"frame_id": t, "instances": [mmpose(p, 136)]} for t, p in enumerate(WALK)],
    "MMPose": {"meta_info": {"dataset_name": "coco", "keypoint_id2name": dict(enumerate(coco.KEYPOINTS))},
               "instance_info": [{"frame_id": t + 1, "instances": [mmpose(p)]} for t, p in enumerate(WALK)]},
    "Ultralytics": [[ultralytics(p)] for p in WALK],
    "MediaPipe": [{"frame": t, "landmarks": mediapipe(p)} for t, p in enumerate(WALK)],
    "MediaPipe, bare": [mediapipe(p) for p in WALK],
    "MediaPipe, several people": [{"frame": t, "pose_landmarks": [mediapipe(p)]} for t, p in enumerate(WALK)],
    "MediaPipe, rows": [{"frame": t, "landmarks": [[[*m.values()] for m in mediapipe(p)]]} for t, p in enumerate(WALK)],
    "MediaPipe, pixels": [mediapipe(p, (1, 1)) for p in WALK],
    "MediaPipe, written by protobuf": [
        {"frame": t, "pose_landmarks": {"landmark": mediapipe(p)}} for t, p in enumerate(WALK)
    ],
    "points as dicts": [[{"keypoints": [{"x": x, "y": y, "score": 0.9} for x, y in p]}] for p in WALK.tolist()],
    "rows alone": [[[x, y, 0.9] for x, y in p] for p in WALK.tolist()],
    "rows by frame": {f"{t}": [[x, y, 0.9] for x, y in p] for t, p in enumerate(WALK.tolist())},
    "AlphaPose as OpenPose": {f"{t}.jpg": openpose(p, 18) for t, p in enumerate(WALK)},
    "AlphaPose as CMU": {
        f"{t}.jpg": {"bodies": [{"joints": flat(among(layouts.OPENPOSE[18], 18, p))}]} for t, p in enumerate(WALK)
    },
    "OpenPose, one list": [openpose(p) for p in WALK],
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE_FILES)
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_detectors_files_are_read(tmp_path, name, code, silent):
    assert same(load(tmp_path, json.dumps(WHOLE_FILES[name]).encode(code)))


def in_one_frame(*people):
    return {"frame": 0, "predictions": [{"keypoints": person} for person in people]}


def points_with(names, key="name", inner=None):
    def point(name):
        place = dict(zip("xy", BODY[coco.KEYPOINTS.index(name)])) if name in coco.KEYPOINTS else {"x": 9.0, "y": 9.0}
        return {key: name, "score": 0.9, **({inner: place} if inner else place)}

    return [point(name) for name in names]


NAMED = {
    "in COCO's order": points_with(coco.KEYPOINTS),
    "in another order": points_with(sorted(coco.KEYPOINTS)),
    "among others": points_with(["neck", *coco.KEYPOINTS[::-1], "left_big_toe"]),
    "PoseNet's": points_with(coco.KEYPOINTS[::-1], "part", "position"),
    "a dict of rows": {name: [x, y, 0.9] for name, (x, y) in sorted(zip(coco.KEYPOINTS, BODY.tolist()))},
    "a dict in camel case": {
        "".join(word.capitalize() for word in name.split("_")): {"x": x, "y": y}
        for name, (x, y) in sorted(zip(coco.KEYPOINTS, BODY.tolist()))
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_names_of_keypoints_say_which_is_which(tmp_path, name, silent):
    assert same(load(tmp_path, in_one_frame(NAMED[name])), BODY[None])


@pytest.mark.parametrize("lost", [{}, {"left_wrist": None}])
def test_a_named_keypoint_that_is_left_out_was_not_found(tmp_path, lost, silent):
    frames = []
    for t, points in enumerate(WALK.tolist()):
        named = {name: [x, y, 0.9] for name, (x, y) in zip(coco.KEYPOINTS, points)}
        if t == 4:
            del named["left_wrist"]
            named |= lost
        frames.append([{"keypoints": named}])
    assert same(load(tmp_path, frames))


@pytest.mark.parametrize(
    "other", [points_with(["pelvis"] * 17), {f"joint_{i}": [5, 5, 1] for i in range(17)}], ids=["points", "a dict"]
)
def test_other_names_of_keypoints_are_refused(tmp_path, other):
    with pytest.raises(ValueError, match="names its keypoints .*expected COCO's"):
        load(tmp_path, in_one_frame(other))


FOLDERS = {
    "OpenPose, BODY_25": (openpose, "clip_{:012d}_keypoints.json"),
    "OpenPose, COCO": (lambda p: openpose(p, 18), "clip_{:012d}_keypoints.json"),
    "OpenPose, old": (lambda p: openpose(p, 18, "pose_keypoints"), "{}.json"),
    "OpenPifPaf": (lambda p: [seen(p)], "frame{}.jpg.predictions.json"),
    "Ultralytics": (lambda p: [ultralytics(p)], "{}.json"),
    "MMPose": (lambda p: [mmpose(p)], "{:04d}.json"),
    "MediaPipe": (mediapipe, "f{}.json"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_holds_a_file_for_each_frame(tmp_path, name, silent):
    make, names = FOLDERS[name]
    folder = tmp_path / "walking"
    folder.mkdir()
    for t, points in enumerate(WALK):
        (folder / names.format(t + 5)).write_text(json.dumps(make(points)))
    (track,) = keypoint_files.load(folder, size=SIZE, fps=30)
    assert same(track) and track.name == "walking" and track.fps == 30


@pytest.mark.parametrize("nobody", [None, [], {"frame": 4, "landmarks": None}, {"frame": 4, "landmarks": []}])
def test_frames_with_nobody_are_interpolated(tmp_path, nobody):
    frames = [
        {"frame": t, "landmarks": mediapipe(p)} if isinstance(nobody, dict) else [seen(p)] for t, p in enumerate(WALK)
    ]
    frames[4] = nobody
    with pytest.warns(UserWarning, match="nobody was found in 1 of 9"):
        assert same(load(tmp_path, frames))


def test_a_single_frame_of_another_unit_is_refused_by_name(tmp_path):
    points = WALK.copy()
    points[5] /= SIZE
    with pytest.raises(ValueError, match="entry 5: all coordinates lie within 3 of zero"):
        load(tmp_path, [seen(p, image_id=t) for t, p in enumerate(points)])
    with pytest.raises(ValueError, match="video v, frame 5: all coordinates lie within 3 of zero"):
        keypoint_files.load(write_npz(tmp_path / "a.npz", points), allow_pickle=True)


def test_one_file_of_openposes_is_one_frame(tmp_path, silent):
    assert same(load(tmp_path, openpose(BODY)), BODY[None])


def test_openposes_empty_frames_are_interpolated(tmp_path):
    for t, points in enumerate(WALK):
        document = openpose(points) if t != 4 else {"version": 1.3, "people": []}
        (tmp_path / f"clip_{t:012d}_keypoints.json").write_text(json.dumps(document))
    with pytest.warns(UserWarning, match="nobody was found in 1 of 9"):
        assert same(keypoint_files.load(tmp_path, size=SIZE)[0])


def test_folders_without_frames_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds nothing, expected a folder with a .json for each frame"):
        keypoint_files.load(tmp_path, size=SIZE)
    (tmp_path / "0.txt").touch()
    with pytest.raises(ValueError, match="holds 0.txt, expected a folder"):
        keypoint_files.load(tmp_path, size=SIZE)


@pytest.mark.parametrize("ending", [".json", ".npz", ""])
def test_names_that_are_none_are_refused(tmp_path, ending):
    with pytest.raises((FileNotFoundError, ValueError), match="does not exist|ends in ''"):
        keypoint_files.load(tmp_path / ("x" * 300 + ending))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        human36m.find(tmp_path / ("x" * 300 + ending))
    for path in (None, 3, b"a.json"):
        for read in (keypoint_files.load, human36m.find):
            with pytest.raises(ValueError, match="path is .*expected the name of a file"):
                read(path)


def hips_at_zero(points):
    body = among(layouts.MEDIAPIPE, 33, (points - points[11:13].mean(0)) / 300)
    return [{"x": x, "y": y, "z": 0.0, "visibility": 0.99} for x, y in body]


LOOKS_LIKE = {
    "MediaPipe's pose_world_landmarks": [{"frame": 0, "landmarks": hips_at_zero(BODY)}],
    "MediaPipe's 33": [seen(np.full((33, 2), 5.0), image_id=0)],
    "OpenPose's BODY_25": [seen(np.full((25, 2), 5.0), image_id=0)],
    "MPII's 16": [seen(np.full((16, 2), 5.0), image_id=0)],
    "a hand's 21": [seen(np.full((21, 2), 5.0), image_id=0)],
    "MPII's or OpenPose's 15": {"people": [{"pose_keypoints_2d": flat(np.full((15, 2), 5.0))}]},
}


@pytest.mark.parametrize("name", LOOKS_LIKE)
def test_what_cannot_be_told_for_sure_is_refused_by_name(tmp_path, name):
    with pytest.raises(ValueError, match=f"these look like {name}"):
        load(tmp_path, LOOKS_LIKE[name])


@pytest.mark.parametrize("document", [
    {"meta_info": {"dataset_name": "h36m", "keypoint_id2name": {"0": "root", "1": "right_hip"}},
     "instance_info": [{"frame_id": t, "instances": [mmpose(p)]} for t, p in enumerate(WALK)]},
    {"categories": [{"name": "cat", "keypoints": ["left_eye", "right_eye"]}], "annotations": walk()},
])  # fmt: skip
def test_seventeen_keypoints_of_another_name_are_refused(tmp_path, document):
    with pytest.raises(ValueError, match="names its keypoints .*expected COCO's"):
        load(tmp_path, document)


def test_cocos_own_layout_on_request(tmp_path):
    path = write_npz(tmp_path / "a.npz", WALK)
    for track in (load(tmp_path, walk(), layout="coco"), *keypoint_files.load(path, layout="coco", allow_pickle=True)):
        torch.testing.assert_close(track.keypoints, from_pixels(torch.from_numpy(WALK).float(), SIZE))
        assert track.layout == "coco"
    assert load(tmp_path, walk()).layout == "human36m"
    with pytest.raises(ValueError, match="layout is 'mpii', expected one of human36m, coco"):
        load(tmp_path, walk(), layout="mpii")


WRONG = {
    "text as a score": (lambda d: d[2].update(score="0.9"), "entry 2: score is '0.9'"),
    "an endless score": (lambda d: d[2].update(score=10**400), "entry 2: score is 1000"),
    "a wild keypoint": (lambda d: d[2]["keypoints"].__setitem__(4, 1e300), r"entry 2: a keypoint is at 1e\+300"),
    "an endless keypoint": (lambda d: d[2]["keypoints"].__setitem__(4, 10**400), "entry 2: keypoints has .*too large"),
    "scores of text": (lambda d: d[2].update(keypoint_scores=["a"] * 17), "entry 2: keypoint_scores"),
    "an endless frame": (lambda d: d[2].update(image_id=10**400), "a number of up to 18 digits"),
    "a frame in a list": (lambda d: d[2].update(image_id=[3]), r"image_id is \[3\]"),
    "half a frame": (lambda d: d[2].update(image_id=2.5), r"image_id is 2\.5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_values_of_another_kind_are_refused(tmp_path, name):
    change, message = WRONG[name]
    document = walk()
    change(document)
    with pytest.raises(ValueError, match=message):
        load(tmp_path, document)
