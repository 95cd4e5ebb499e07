"""The test videos: who is in them, what another seed or noise changes, and Human3.6M's files in their place."""

import cv2
import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.camera import FOCAL, project, to_pixels
from tutorial_lib.datasets import splits, videos
from tutorial_lib.datasets.videos import Video, clips_under_test, human36m_videos, is_human36m, videos_under_test
from tutorial_lib.keypoint_files import human36m
from tutorial_lib.keypoint_files.human36m_cameras import views
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, lift_videos
from tutorial_lib.metrics.by_action import average, per_action
from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.files.h36m import KEPT
from tutorial_lib.skeleton import LEFT, RIGHT


@pytest.fixture(scope="module")
def drawn():
    """The ten videos of seed 0 by three detectors."""
    return {noise: videos_under_test(seed=0, noise=noise) for noise in (0.0, 1.0, 2.0)}


# ------------------------------------------------------------------ invented people
def test_their_motions_are_in_no_training_and_longer_than_every_receptive_field(drawn):
    actions = {video.action for video in drawn[1.0]}
    assert actions == set(splits.HELD_OUT_ACTIONS) and not actions & set(splits.TRAINED_ACTIONS)
    assert len(drawn[1.0]) == videos.PEOPLE * len(splits.HELD_OUT_ACTIONS)
    assert {len(video.pose) for video in drawn[1.0]} == {videos.TEST_FRAMES} and videos.TEST_FRAMES > 243


def test_other_seeds_are_other_people():
    people = [{clip.subject for clip in clips_under_test(seed=seed)} for seed in range(3)]
    assert all(len(group) == videos.PEOPLE for group in people)
    assert len(set.union(*people)) == 3 * videos.PEOPLE


def test_every_noise_films_the_same_people_from_the_same_places(drawn):
    for clean, one, two in zip(drawn[0.0], drawn[1.0], drawn[2.0]):
        assert (clean.subject, clean.action) == (one.subject, one.action)
        assert torch.equal(clean.pose, one.pose) and torch.equal(one.pose, two.pose)
        torch.testing.assert_close(clean.keypoints, FOCAL * clean.pose[..., :2] / clean.pose[..., 2:])
        # Swapped and lost joints come and go with the noise; all others err twice as much.
        ratio = (two.keypoints - clean.keypoints) / (one.keypoints - clean.keypoints)
        assert ratio.median().item() == pytest.approx(2, abs=0.02)
        assert ((ratio - 2).abs() < 0.1).float().mean() > 0.85


def test_everybody_is_seen_in_the_picture(drawn):
    assert all(video.keypoints.abs().max() < 1 and video.pose[..., 2].min() > 0.5 for video in drawn[0.0])


@pytest.fixture
def few_clips(monkeypatch):
    """Five short clips instead of the exam's."""
    chosen = motion.builtin(5, 1, ["walk", "wave", "eat", "kick", "turn"], 30)
    monkeypatch.setattr(videos, "builtin", lambda *_: chosen)
    return chosen


def test_the_seed_decides_which_clips_where_there_are_too_many(few_clips):
    drawn = [[v.action for v in videos_under_test(seed=seed, limit=2)] for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1] and all(len(actions) == 2 for actions in drawn)
    assert len({tuple(actions) for actions in drawn}) > 1
    order = [clip.action for clip in few_clips]
    assert all(actions == sorted(actions, key=order.index) for actions in drawn)


def test_the_seed_decides_the_viewpoints_too(few_clips):
    one, again, other = (videos_under_test(seed=seed)[0] for seed in (0, 0, 1))
    assert torch.equal(one.keypoints, again.keypoints) and torch.equal(one.pose, again.pose)
    assert one.action == other.action and not torch.allclose(one.pose, other.pose)


def test_a_motion_file_is_tested_on_its_test_people(tmp_path):
    clips = [
        Clip(clip.positions, clip.fps, subject, clip.action, "mine")
        for subject, seed in (("ann", 1), ("bob", 2))
        for clip in motion.builtin(seed, 1, ["walk", "wave"], 90)
    ]
    motion.save(tmp_path / "mine.npz", clips)
    for seed in (0, 1):
        found = clips_under_test(str(tmp_path / "mine.npz"), seed)
        assert {clip.subject for clip in found} == {("ann", "bob")[seed]}
    taken = videos_under_test(str(tmp_path / "mine.npz"), 0, 0.0)
    assert [(v.subject, v.action, len(v.pose)) for v in taken] == [("ann", "walk", 90), ("ann", "wave", 90)]


# ------------------------------------------------------------------ taking it
@pytest.mark.parametrize("make", [lambda: TemporalLifter(9, 8), lambda: SingleFrameLifter(8)])
def test_sitting_the_exam_gives_what_the_protocol_takes(drawn, make):
    torch.manual_seed(0)
    model = make().train()
    taken = drawn[1.0][:2]
    results = lift_videos(model, taken)
    assert not model.training
    for video, (action, predicted, truth) in zip(taken, results):
        assert action == video.action and predicted.shape == truth.shape == (300, 17, 3)
        assert not predicted.requires_grad and (predicted[:, 0] == 0).all() and (truth[:, 0] == 0).all()
        torch.testing.assert_close(truth, video.pose - video.pose[:, :1])
        with torch.no_grad():
            lifted = model.lift(video.keypoints)
        torch.testing.assert_close(predicted, lifted - lifted[:, :1])
    errors = per_action(results)
    assert set(errors["frames"]) == {video.action for video in taken} and average(errors) > 0


# ------------------------------------------------------------------ Human3.6M
TAKES = (("S1", "Walking"), ("S9", "Eating 1"), ("S11", "Directions"), ("S11", "Posing"))


@pytest.fixture(scope="module")
def human(tmp_path_factory):
    """A folder with both files, in their exact layout, of four invented takes of 90 frames; and the takes' clips."""
    folder = tmp_path_factory.mktemp("human36m")
    clips = motion.builtin(3, 1, ["walk", "eat", "direct", "wave"], 90)
    three_d, two_d = {}, {}
    for (subject, take), clip in zip(TAKES, clips):
        body = np.zeros((90, 32, 3), np.float32)
        body[:, KEPT] = clip.positions
        three_d.setdefault(subject, {})[take] = body
        two_d.setdefault(subject, {})[take] = [
            to_pixels(project(clip.positions, view.camera, view.lens), view.size).numpy() for view in views(subject)
        ]
    metadata = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [list(LEFT), list(RIGHT)]}
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=three_d)
    np.savez_compressed(folder / "data_2d_h36m_gt.npz", positions_2d=two_d, metadata=metadata)
    return folder


def test_the_files_and_their_folder_are_known_by_name(human, tmp_path):
    for name in ("data_3d_h36m.npz", "data_2d_h36m_gt.npz"):
        assert is_human36m(str(human / name))
    assert is_human36m(str(human))
    assert not any(map(is_human36m, ("builtin", str(tmp_path), str(tmp_path / "cmu17.npz"))))


def test_long_lenses_become_the_courses_own(human):
    taken = human36m_videos(str(human), ["S9"], trust=True)
    recorded = human36m.load(*human36m.find(human), allow_pickle=True, subjects=["S9"])
    assert len(taken) == len(recorded) == 4
    for video, take in zip(taken, recorded):
        camera = take.view.camera
        assert (video.subject, video.action) == ("S9", "Eating")
        assert torch.equal(video.pose, take.pose)
        torch.testing.assert_close(video.keypoints, (take.keypoints - camera.centre) / camera.focal * FOCAL)
        # The lens stays: what OpenCV projects through it with the course's focal length is what the video shows.
        k1, k2, k3, p1, p2 = take.view.lens.double().tolist()
        flat, turn = video.pose.double().reshape(-1, 3).numpy(), np.zeros(3)
        seen, _ = cv2.projectPoints(flat, turn, turn, np.diag([FOCAL, FOCAL, 1]), np.array([k1, k2, p1, p2, k3]))
        assert np.abs(video.keypoints.reshape(-1, 2).numpy() - seen[:, 0]).max() < 1e-5


def test_the_papers_test_people_are_tested_by_all_four_cameras(human):
    taken = videos_under_test(str(human), trust=True)
    assert [video.subject for video in taken] == ["S9"] * 4 + ["S11"] * 4
    assert {video.action for video in taken} == {"Eating", "Posing"}  # S11's Directions is dropped
    assert len(videos_under_test(str(human), trust=True, limit=3)) == 3


def test_noise_leaves_real_detections_alone(human):
    clean, noisy = (videos_under_test(str(human), 0, noise, trust=True) for noise in (0.0, 3.0))
    assert all(torch.equal(a.keypoints, b.keypoints) for a, b in zip(clean, noisy))


@pytest.mark.parametrize("ask", [lambda path: human36m_videos(path, ["S9"]), videos_under_test])
def test_pickles_are_refused_without_trust(human, ask):
    with pytest.raises(ValueError, match="holds pickled.*allow_pickle=True"):
        ask(str(human))


def test_real_videos_are_lifted_like_invented_ones(human):
    taken = videos_under_test(str(human), trust=True)
    assert all(isinstance(video, Video) for video in taken)
    errors = per_action(lift_videos(TemporalLifter(3, 4), taken))
    assert errors["frames"] == {"Eating": 360, "Posing": 360}
