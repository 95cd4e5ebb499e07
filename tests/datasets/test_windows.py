"""Synthetic tasks: every window drawn is looked up again in the footage it came from."""

import pytest
import torch

from tutorial_lib.adaptation import draw_tasks
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.datasets.windows import draw_windows
from tutorial_lib.distortion import distort, sample_uniform, undistort
from tutorial_lib.skeleton import LEFT, RIGHT


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def footage(clips=3, frames=12, noise=0.05):
    """Random people about 3 m ahead, near the middle of the picture; the detector sees them `noise` off."""
    pose = (torch.rand(clips, frames, 17, 3, generator=seeded()).double() - 0.5) + torch.tensor([0.1, 0, 3])
    detected = pose[..., :2] / pose[..., 2:]
    detected = detected + noise * torch.randn(detected.shape, generator=seeded(1)).double()
    return Footage(pose, detected, tuple("abcdefgh"[:clips]), ("walk",) * clips)


def gentle_lenses(count):
    return sample_uniform(count, 0.3, 0.05, generator=seeded(2)).double()


def mirror_image(points):
    """Reflected left to right, by name: x changes its sign, left joints become right joints."""
    flipped = points.clone()
    flipped[..., 0] = -flipped[..., 0]
    result = flipped.clone()
    result[..., list(LEFT), :], result[..., list(RIGHT), :] = flipped[..., list(RIGHT), :], flipped[..., list(LEFT), :]
    return result


def look_up(pose, source):
    """(shot, frame, mirrored) of the one pose in the footage that `pose` (17, 3) is, root-relative."""
    relative = source.pose - source.pose[..., :1, :]
    both = torch.stack([relative, mirror_image(relative)])
    distance = (both - pose).abs().amax((-1, -2))
    assert (distance < 1e-9).sum() == 1
    mirrored, clip, frame = (distance < 1e-9).nonzero()[0].tolist()
    return clip, frame, bool(mirrored)


def seen_without_lens(source, clip, centre, mirrored, field, way):
    """Plane coordinates of a window, in small steps: whole 3D poses are mirrored before they are projected."""
    frames = source.pose.shape[1]
    window = []
    for t in range(centre - field // 2, centre + field // 2 + 1):
        t = min(max(t, 0), frames - 1)
        if way == "truth":
            pose = mirror_image(source.pose[clip, t]) if mirrored else source.pose[clip, t]
            window.append(pose[:, :2] / pose[:, 2:])
        else:
            window.append(mirror_image(source.detected[clip, t]) if mirrored else source.detected[clip, t])
    return torch.stack(window)


@pytest.mark.parametrize("way", ["truth", "detector"])
@pytest.mark.parametrize("field", [3, 9, 27])
def test_every_window_is_a_piece_of_the_footage_through_the_lens_of_its_task(way, field):
    source, lenses = footage(), gentle_lenses(4)
    windows = draw_windows(source, lenses, (4, 10), field, generator=seeded(), source=way)
    assert windows.keypoints.shape == (4, 10, field, 17, 2) and windows.pose.shape == (4, 10, 17, 3)
    for task in range(4):
        for keypoints, pose in zip(windows.keypoints[task], windows.pose[task]):
            plane = seen_without_lens(source, *look_up(pose, source), field, way)
            torch.testing.assert_close(keypoints, FOCAL * distort(plane, lenses[task]))
            torch.testing.assert_close(undistort(keypoints / FOCAL, lenses[task]), plane, atol=1e-6, rtol=0)


def test_mirrored_windows_project_to_the_mirrored_picture_and_are_about_half():
    source = footage()
    windows = draw_windows(source, None, (200,), 3, generator=seeded(), source="truth")
    mirrored = [look_up(pose, source)[2] for pose in windows.pose]
    assert 70 < sum(mirrored) < 130


def test_centres_cover_all_frames_and_all_shots():
    source = footage()
    windows = draw_windows(source, None, (400,), 3, generator=seeded())
    found = {look_up(pose, source)[:2] for pose in windows.pose}
    assert found == {(clip, frame) for clip in range(3) for frame in range(12)}


def test_the_two_ways_differ_by_the_detectors_error_alone():
    for noise in (0, 0.05):
        source = footage(noise=noise)
        truth, seen = (
            draw_windows(source, None, (50,), 3, generator=seeded(), source=way) for way in ("truth", "detector")
        )
        assert torch.equal(truth.pose, seen.pose)
        off = (truth.keypoints - seen.keypoints).std().item()
        assert off == pytest.approx(FOCAL * noise, rel=0.1, abs=1e-9)


def test_targets_are_relative_to_the_root():
    windows = draw_windows(footage(), None, (20,), 3, generator=seeded())
    assert (windows.pose[..., 0, :] == 0).all()


@pytest.mark.parametrize("way", ["truth", "detector"])
@pytest.mark.parametrize("causal", [False, True])
def test_pose_and_root_together_project_onto_the_keypoints_of_their_frame(causal, way):
    """Without noise and lens; half of these people are mirrored."""
    source = footage(noise=0)
    windows = draw_windows(source, None, (5, 20), 9, generator=seeded(), source=way, causal=causal)
    assert windows.root.shape == (5, 20, 1, 3)
    place = windows.pose + windows.root
    seen = windows.keypoints[..., -1 if causal else 4, :, :]
    torch.testing.assert_close(FOCAL * place[..., :2] / place[..., 2:], seen)
    assert 20 < sum(look_up(pose, source)[2] for pose in windows.pose.flatten(0, 1)) < 80


def test_a_causal_window_ends_at_the_frame_of_its_pose():
    source = footage()
    windows = draw_windows(source, None, (60,), 9, generator=seeded(), causal=True)
    for keypoints, pose in zip(windows.keypoints, windows.pose):
        clip, frame, mirrored = look_up(pose, source)
        seen = source.detected[clip, [max(t, 0) for t in range(frame - 8, frame + 1)]]
        torch.testing.assert_close(keypoints, FOCAL * (mirror_image(seen) if mirrored else seen))


def test_the_lens_moves_keypoints_and_neither_pose_nor_root():
    plain = draw_windows(footage(), None, (20,), 3, generator=seeded())
    bent = draw_windows(footage(), gentle_lenses(1)[0], (20,), 3, generator=seeded())
    assert torch.equal(plain.pose, bent.pose) and torch.equal(plain.root, bent.root)
    assert not torch.allclose(plain.keypoints, bent.keypoints)


def test_keypoints_are_not_centred_on_the_root():
    windows = draw_windows(footage(), None, (20,), 3, generator=seeded())
    assert windows.keypoints[..., 0, :].abs().amax(-1).min() > 1e-4


def test_shots_can_be_prescribed():
    source = footage()
    clips = torch.tensor([2, 0, 2, 1])
    windows = draw_windows(source, None, (4,), 3, generator=seeded(), clips=clips)
    assert [look_up(pose, source)[0] for pose in windows.pose] == clips.tolist()


def test_a_task_has_support_and_query_of_the_sizes_asked_for():
    support, query = draw_tasks(footage(), gentle_lenses(5), 9, support=6, query=7, generator=seeded())
    assert support.keypoints.shape == (5, 6, 9, 17, 2) and support.pose.shape == (5, 6, 17, 3)
    assert query.keypoints.shape == (5, 7, 9, 17, 2) and query.pose.shape == (5, 7, 17, 3)


@pytest.mark.parametrize("way", ["truth", "detector"])
def test_support_and_query_of_a_task_see_through_one_lens_and_no_other(way):
    source, lenses = footage(), gentle_lenses(4)
    for part in draw_tasks(source, lenses, 3, support=5, query=5, generator=seeded(), source=way):
        for task in range(4):
            for keypoints, pose in zip(part.keypoints[task], part.pose[task]):
                plane = seen_without_lens(source, *look_up(pose, source), 3, way)
                matches = [torch.allclose(keypoints, FOCAL * distort(plane, lens), atol=1e-9) for lens in lenses]
                assert matches == [other == task for other in range(4)]


def clips_of(part, source):
    return [{look_up(pose, source)[0] for pose in poses} for poses in part.pose]


def test_support_and_query_of_one_video_come_from_one_shot():
    source = footage(clips=8)
    support, query = draw_tasks(source, gentle_lenses(6), 3, support=4, query=4, generator=seeded(), one_video=True)
    assert clips_of(support, source) == clips_of(query, source)
    assert all(len(clips) == 1 for clips in clips_of(support, source))
    assert len(set.union(*clips_of(support, source))) > 1  # not the same clip for all tasks


def test_otherwise_support_and_query_come_from_many_shots():
    source = footage(clips=8)
    for part in draw_tasks(source, gentle_lenses(3), 3, support=40, query=40, generator=seeded()):
        assert all(len(clips) > 4 for clips in clips_of(part, source))


def test_the_generator_decides_the_tasks():
    first, again, other = (
        draw_tasks(footage(), gentle_lenses(2), 3, support=4, query=4, generator=seeded(s)) for s in (1, 1, 2)
    )
    for a, b, c in zip(first, again, other):
        assert torch.equal(a.keypoints, b.keypoints) and not torch.equal(a.keypoints, c.keypoints)


def tasks(**options):
    defaults = {"support": 2, "query": 2, "generator": seeded()}
    lenses = options.pop("lenses", torch.zeros(2, 5))
    source = options.pop("footage", footage())
    return draw_tasks(source, lenses, 3, **(defaults | options))


BAD = {
    "unknown source": (lambda: tasks(source="oracle"), "source is 'oracle'"),
    "no clips": (lambda: tasks(footage=footage().select([])), "footage has no clips"),
    "windows of no footage": (
        lambda: draw_windows(footage().select([]), None, (2,), 3, generator=seeded()),
        "footage has no clips",
    ),
    "no tasks": (lambda: tasks(lenses=torch.zeros(0, 5)), "lenses has shape"),
    "one lens without a task axis": (lambda: tasks(lenses=torch.zeros(5)), "lenses has shape"),
    "lenses of four numbers": (lambda: tasks(lenses=torch.zeros(2, 4)), "coefficients has shape"),
    "lenses with NaN": (lambda: tasks(lenses=torch.full((2, 5), float("nan"))), "coefficients hold"),
    "more lenses than tasks": (
        lambda: draw_windows(footage(), torch.zeros(3, 5), (2, 4), 3, generator=seeded()),
        "coefficients .* do not match",
    ),
    "empty support": (lambda: tasks(support=0), "support is 0"),
    "empty query": (lambda: tasks(query=0), "query is 0"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
