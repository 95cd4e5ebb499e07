"""Filming: from motion in the world to what a frozen detector reports."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib.camera import FOCAL, project
from tutorial_lib.datasets.detector import JOINT_NOISE, SIGMA, detect
from tutorial_lib.datasets.footage import Footage, capture, cut, join
from tutorial_lib.datasets.videos import capture_videos
from tutorial_lib.datasets.windows import window_indices
from tutorial_lib.distortion import PRESETS
from tutorial_lib.motion.clip import Clip
from tutorial_lib.skeleton import bone_lengths


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def clip(frames=12, number=0):
    """A rigid "person" who glides along x."""
    joints = torch.rand(17, 3, generator=seeded(number)) * torch.tensor([0.6, 0.6, 1.8])
    steps = torch.linspace(0, 1, frames)[:, None, None] * torch.tensor([1.0, 0, 0])
    return Clip(joints + steps, 50.0, f"person {number}", f"action {number}", "test")


def clips(count=4, frames=12):
    return [clip(frames, number) for number in range(count)]


def poses(shots=3, frames=7):
    """Camera-frame poses (shots, frames, 17, 3) about 3 m ahead."""
    return torch.rand(shots, frames, 17, 3, generator=seeded()).double() - 0.5 + torch.tensor([0.0, 0, 3])


def through_lens(pose, lens, noise=0.0):
    return detect(project(pose, lens=lens), noise, generator=seeded())


def test_cut_makes_pieces_of_one_length_that_keep_their_names():
    pieces = cut([clip(25, 0), clip(9, 1), clip(10, 2)], 10)
    assert [(p.subject, len(p.positions)) for p in pieces] == [("person 0", 10)] * 2 + [("person 2", 10)]
    assert torch.equal(pieces[1].positions, clip(25, 0).positions[10:20])
    assert pieces[2].action == "action 2" and pieces[2].fps == 50.0


def test_a_stride_lets_pieces_overlap():
    starts = [p.positions[0] for p in cut([clip(25)], 10, stride=5)]
    assert torch.equal(torch.stack(starts), clip(25).positions[[0, 5, 10, 15]])


def test_filming_keeps_the_body_and_puts_it_ahead_of_the_camera_in_the_picture():
    footage = capture(clips(), generator=seeded(), noise=0)
    positions = torch.stack([c.positions for c in clips()])
    assert len(footage) == 4 and footage.subjects == tuple(f"person {i}" for i in range(4))
    torch.testing.assert_close(bone_lengths(footage.pose), bone_lengths(positions), atol=1e-4, rtol=0)
    assert (footage.pose[..., 2] > 0.5).all()
    assert (footage.detected * FOCAL).abs().max() < 1


def test_a_frozen_detector_without_noise_reports_the_true_projection():
    footage = capture(clips(), generator=seeded(), noise=0)
    torch.testing.assert_close(footage.detected, footage.pose[..., :2] / footage.pose[..., 2:])


def test_a_detector_with_noise_errs_by_its_own_sigma_on_the_screen():
    footage = capture(clips(30, 40), generator=seeded())
    error = FOCAL * (footage.detected - footage.pose[..., :2] / footage.pose[..., 2:])
    typical = error.abs().median().item() / 0.6745  # the median does not see swaps and misses
    assert typical == pytest.approx((SIGMA * JOINT_NOISE).median().item(), rel=0.1)


def test_the_generator_decides_cameras_and_detections():
    first, again, other = (capture(clips(), generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first.pose, again.pose) and torch.equal(first.detected, again.detected)
    assert not torch.equal(first.pose, other.pose)


def test_shots_are_selected_with_their_names():
    footage = capture(clips(), generator=seeded())
    chosen = footage.select([2, 0])
    assert chosen.subjects == ("person 2", "person 0") and chosen.actions == ("action 2", "action 0")
    assert torch.equal(chosen.pose, footage.pose[[2, 0]]) and torch.equal(chosen.detected, footage.detected[[2, 0]])
    assert len(chosen.to(torch.device("cpu"))) == 2


@pytest.mark.parametrize("name", PRESETS)
def test_through_a_lens_the_picture_is_that_of_opencv(name):
    k1, k2, k3, p1, p2 = PRESETS[name].double().tolist()
    pose = poses()
    plain = cv2.projectPoints(
        pose.reshape(-1, 3).numpy(), np.zeros(3), np.zeros(3), np.eye(3), np.array([k1, k2, p1, p2, k3])
    )[0]
    seen = through_lens(pose, PRESETS[name].double())
    np.testing.assert_allclose(seen.numpy(), FOCAL * plain.reshape(3, 7, 17, 2), atol=1e-9)


def test_every_shot_may_have_its_own_lens():
    lenses = torch.stack(list(PRESETS.values())[:3])
    together = through_lens(poses(), lenses)
    for pose, lens, seen in zip(poses(), lenses, together):
        torch.testing.assert_close(through_lens(pose[None], lens)[0], seen)


def test_the_detector_errs_in_the_distorted_picture_as_much_as_in_any_other():
    pose = poses(20, 60)
    noisy, clean = (through_lens(pose, PRESETS["d2"], n) for n in (1, 0))
    typical = (noisy - clean).abs().median().item() / 0.6745
    assert typical == pytest.approx((SIGMA * JOINT_NOISE).median().item(), rel=0.1)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.integers(1, 40), st.sampled_from([3, 9, 27]), st.data())
def test_windows_at_the_ends_of_a_clip_repeat_its_edge_frames(frames, field, data):
    centre = data.draw(st.integers(0, frames - 1))
    indices = window_indices(frames, field, torch.tensor([[centre]]))
    expected = [min(max(t, 0), frames - 1) for t in range(centre - field // 2, centre + field // 2 + 1)]
    assert indices.shape == (1, 1, field) and indices.flatten().tolist() == expected


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.integers(1, 40), st.sampled_from([1, 3, 9, 27]), st.data())
def test_causal_windows_end_at_their_frame_and_repeat_the_first(frames, field, data):
    last = data.draw(st.integers(0, frames - 1))
    indices = window_indices(frames, field, torch.tensor([last]), causal=True)
    assert indices.tolist() == [[max(t, 0) for t in range(last - field + 1, last + 1)]]


def test_joined_footage_holds_every_shot_in_order():
    first, second = capture(clips(2), generator=seeded(1)), capture(clips(3), generator=seeded(2))
    both = join([first, second])
    assert len(both) == 5 and both.subjects == first.subjects + second.subjects
    assert both.actions == first.actions + second.actions
    for shots, part in ((range(2), first), (range(2, 5), second)):
        again = both.select(list(shots))
        assert torch.equal(again.pose, part.pose) and torch.equal(again.detected, part.detected)


def test_videos_are_whole_clips_of_any_length():
    taken = capture_videos([clip(12, 0), clip(30, 1)], generator=seeded(), noise=0)
    assert [(v.subject, v.action, len(v.pose), len(v.keypoints)) for v in taken] == [
        ("person 0", "action 0", 12, 12),
        ("person 1", "action 1", 30, 30),
    ]
    for video, filmed in zip(taken, (clip(12, 0), clip(30, 1))):
        torch.testing.assert_close(video.keypoints, FOCAL * video.pose[..., :2] / video.pose[..., 2:])
        torch.testing.assert_close(bone_lengths(video.pose), bone_lengths(filmed.positions), atol=1e-4, rtol=0)


def test_another_noise_gives_the_same_videos_with_errors_of_another_size():
    """No swap and no lost joint is drawn with this seed: `Defects` draws those by chance that grows with the noise."""
    clean, ordinary, double = (capture_videos(clips(3), generator=seeded(3), noise=n) for n in (0.0, 1.0, 2.0))
    for truth, one, two in zip(clean, ordinary, double):
        assert torch.equal(truth.pose, one.pose) and torch.equal(truth.pose, two.pose)
        error = one.keypoints - truth.keypoints
        assert error.abs().max() > 1e-3
        torch.testing.assert_close(two.keypoints - truth.keypoints, 2 * error, atol=1e-5, rtol=1e-3)


BAD = {
    "nothing to join": (lambda: join([]), r"parts have clips of \[\] frames"),
    "shots of two lengths": (
        lambda: join([capture([clip(n)], generator=seeded()) for n in (5, 6)]),
        r"parts have clips of \[5, 6\] frames",
    ),
    "pieces of no frames": (lambda: cut(clips(), 0), "frames=0"),
    "stride zero": (lambda: cut(clips(), 5, 0), "stride=0"),
    "clips that are too short": (lambda: cut(clips(), 100), "clips: none has 100 frames .*longest has 12"),
    "nothing to cut": (lambda: cut([], 10), "clips: none has 10 frames"),
    "nothing to film": (lambda: capture([], generator=seeded()), "clips have the lengths"),
    "clips of two lengths": (
        lambda: capture([clip(5), clip(6)], generator=seeded()),
        r"clips have the lengths \[5, 6\]",
    ),
    "negative noise": (lambda: capture(clips(), generator=seeded(), noise=-1), "noise is -1"),
    "a person behind": (lambda: through_lens(-poses(), PRESETS["d1"]), "points: .*behind"),
    "a lens with NaN": (
        lambda: through_lens(poses(), torch.full((5,), float("nan"))),
        "coefficients hold",
    ),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_footage_can_be_made_by_hand():
    footage = Footage(poses(), poses()[..., :2], ("a", "b", "c"), ("walk",) * 3)
    assert len(footage) == 3
