"""COCO's keypoints end to end: a lifter says which joints it takes, and nobody gives it others unseen."""

import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.videos import Video
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.keypoint_files import Track
from tutorial_lib.keypoint_files.coco import KEYPOINTS, SYMMETRY, to_joints
from tutorial_lib.lifting import (
    SingleFrameLifter,
    TemporalLifter,
    lift_flipped_average,
    lift_resampled,
    lift_track,
    lift_videos,
)
from tutorial_lib.lifting.semi_supervised import joint_losses
from tutorial_lib.skeleton import JOINTS, MIRRORS, flip

FACES = {"temporal": lambda **more: TemporalLifter(9, 8, **more), "single": lambda **more: SingleFrameLifter(8, **more)}
each_face = pytest.mark.parametrize("make", FACES.values(), ids=FACES.keys())


def noise(*shape, seed=0):
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def track(layout="coco", fps=50.0, frames=20):
    return Track("mine", noise(frames, 17, 2), None, fps, (100, 100), layout)


def test_cocos_mirror_exchanges_its_own_sides():
    left, right = SYMMETRY
    mirror = MIRRORS["coco"]
    assert [mirror[joint] for joint in left] == list(right) and [mirror[joint] for joint in right] == list(left)
    assert [KEYPOINTS[joint] for joint in range(17) if mirror[joint] == joint] == ["nose"]
    points = noise(4, 17, 2)
    assert torch.equal(flip(flip(points, "coco"), "coco"), points)
    wrist, other = KEYPOINTS.index("left_wrist"), KEYPOINTS.index("right_wrist")
    assert torch.equal(flip(points, "coco")[:, other], points[:, wrist] * torch.tensor([-1.0, 1.0]))
    limbs = [JOINTS.index(name) for name in ("left_wrist", "right_hip", "left_knee")]  # the same in both orders
    torch.testing.assert_close(to_joints(flip(points, "coco"))[:, limbs], flip(to_joints(points))[:, limbs])


@each_face
def test_the_average_with_the_mirror_image_is_right_for_cocos_keypoints(make):
    model, points = make(layout="coco").eval(), noise(12, 17, 2)
    with torch.no_grad():
        # By hand, as VideoPose3D does it on raw COCO: keypoints mirrored by their pairs, poses by Human3.6M's.
        mirrored = points * torch.tensor([-1.0, 1.0])
        mirrored = mirrored[:, [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
        back = model.lift(mirrored) * torch.tensor([-1.0, 1.0, 1.0])
        back = back[:, [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]]
        found = lift_flipped_average(model, points)
        torch.testing.assert_close(found, (model.lift(points) + back) / 2)
        torch.testing.assert_close(lift_flipped_average(model, flip(points, "coco")), flip(found))


@each_face
def test_a_checkpoint_keeps_the_layout_and_older_ones_are_human36m(make, tmp_path):
    checkpoints.save(make(layout="coco"), "mine", {}, tmp_path)
    assert checkpoints.load("mine", folder=tmp_path).layout == "coco"
    assert checkpoints.load("temporal/lifter-27f").layout == "human36m" == make().layout


def test_a_track_is_lifted_at_its_rate_and_through_its_lens():
    model, mine = TemporalLifter(9, 8, layout="coco").eval(), track(fps=25.0)
    with torch.no_grad():
        assert torch.equal(lift_track(model, mine), lift_resampled(model, mine.keypoints, 25.0))
        wide = lift_track(model, mine, focal=FOCAL / 2)
        torch.testing.assert_close(wide, lift_resampled(model, 2 * mine.keypoints, 25.0))
        at_rest = track(fps=50.0)
        torch.testing.assert_close(
            lift_track(model, at_rest, flipped=True), lift_flipped_average(model, at_rest.keypoints)
        )
        with pytest.warns(UserWarning, match="does not say its frame rate"):
            assert torch.equal(lift_track(model, track(fps=None)), lift_track(model, at_rest))
    for focal in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="focal is"):
            lift_track(model, mine, focal=focal)


@each_face
def test_keypoints_of_another_layout_are_refused_in_words(make):
    with pytest.raises(ValueError, match="mine has the layout 'coco', but the lifter was trained on 'human36m'"):
        lift_track(make(), track())
    coco = make(layout="coco")
    with pytest.raises(ValueError, match="mine has the layout 'human36m', but the lifter was trained on 'coco'"):
        lift_track(coco, track("human36m"))
    with pytest.raises(ValueError, match="the video has the layout 'human36m'"):
        lift_videos(coco, [Video(noise(9, 17, 2), noise(9, 17, 3), "ann", "walk")])
    with pytest.raises(ValueError, match="back-projection has the layout"):
        frames = coco.frames
        seen = Windows(noise(2, frames, 17, 2), noise(2, 17, 3), torch.tensor([[[0.0, 0.0, 3.0]]] * 2))
        joint_losses(coco, make(outputs=1), seen, None)


@each_face
def test_layouts_that_nobody_knows_are_refused(make):
    with pytest.raises(ValueError, match="layout is 'mpii', expected one of human36m, coco"):
        make(layout="mpii")
    with pytest.raises(ValueError, match="layout is 'coco' and joints is 16, expected 17"):
        make(layout="coco", joints=16)
    with pytest.raises(ValueError, match="layout is None"):
        flip(noise(17, 2), None)


def test_a_whole_checkpoint_of_the_reference_is_opened_for_either_network():
    pose, trajectory = TemporalLifter(9, 8), TemporalLifter(9, 8, outputs=1)
    whole = {"model_pos": pose.state_dict(), "model_traj": trajectory.state_dict(), "epoch": 3}
    for source, outputs in ((pose, 17), (trajectory, 1)):
        taken = TemporalLifter(9, 8, outputs=outputs, layout="coco").load_videopose3d(whole)
        assert all(torch.equal(value, taken.state_dict()[name]) for name, value in source.state_dict().items())
        assert taken.layout == "coco" and not taken.root_relative
