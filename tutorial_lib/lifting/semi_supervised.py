"""Learning from video without labels: back-projection and bone lengths (VideoPose3D's semi-supervised branch).

Stands on `lifting`. Two networks of the same architecture see the same keypoints: the *pose model* says how the body
is posed around its root, the *trajectory model* where the root is before the camera. Together they can be projected
back into the picture, and there the keypoints are known without any label.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from tutorial_lib.camera import Camera, project, to_screen
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.distortion import Lens
from tutorial_lib.lifting.protocol import Lifter, need_layout
from tutorial_lib.metrics import mpjpe_loss, root_relative
from tutorial_lib.skeleton import bone_lengths, check_joints, length

TERMS = ("pose", "trajectory", "reprojection", "bones")
"""The four losses, each with weight 1 in the reference."""

Norm = Literal["l1", "l2"]
"""Of the bone-length term."""

NEAREST = 0.05
"""Metres (ours): a joint that the models put nearer than this, or behind the camera, is projected from here."""


def trajectory_loss(predicted: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    """Weighted MPJPE of the root (..., 1, 3) in camera-frame metres: far away, the same error shows less.

    Returns:
        The mean of ||predicted - root|| / z, z being the true depth: a number without unit.

    Raises:
        ValueError: shapes that differ, a true root that is not before the camera.
    """
    if predicted.shape != root.shape or root.ndim < 2 or root.shape[-2:] != (1, 3):
        raise ValueError(f"predicted {tuple(predicted.shape)}, root {tuple(root.shape)}: expected (..., 1, 3) both")
    if not (root[..., 2] > 0).all():
        raise ValueError("root holds depths that are not positive, expected z > 0 in the camera frame")
    return (length(predicted - root) / root[..., 2]).mean()


def reproject(
    pose: torch.Tensor, root: torch.Tensor, lens: Lens | torch.Tensor | None = None, camera: Camera | None = None
) -> torch.Tensor:
    """Where the camera would see a predicted pose at a predicted place.

    Args:
        pose: (..., 17, 3) metres, root-relative, camera axes.
        root: (..., 1, 3) metres, camera frame.
        lens: a lens, or coefficients (5,) or a batch: the projection with distortion; None is the linear one.
        camera: whose focal length and principal point the keypoints have, one or a batch; None is the course's own.

    Returns:
        (..., 17, 2) screen coordinates.

    Raises:
        ValueError: joints other than 17, a root that is not one joint.

    Source: `project_to_2d` of VideoPose3D. Like there, x/z and y/z are clamped to [-1, 1] before the lens; outside,
    the gradient is zero. Ours: so it is for joints behind the camera, which the reference divides by their negative
    depth. That is why the trajectory must be roughly right first (the warm-up).
    """
    check_joints(pose, 3, "pose")
    if root.ndim < 2 or root.shape[-2:] != (1, 3):
        raise ValueError(f"root has shape {tuple(root.shape)}, expected (..., 1, 3): a trajectory model has one output")
    place = root_relative(pose) + root
    depth = place[..., 2:].clamp_min(NEAREST)
    aside = torch.maximum(torch.minimum(place[..., :2], depth), -depth)
    visible = torch.cat([aside, depth], -1)
    # A joint near the optical axis stays unclamped even at the smallest depth, but what pulls it there is no direction.
    visible = torch.where(place[..., 2:] > NEAREST, visible, visible.detach())
    return to_screen(project(visible, lens=lens, onto="plane"), camera)


def reprojection_loss(
    pose: torch.Tensor,
    root: torch.Tensor,
    keypoints: torch.Tensor,
    lens: Lens | torch.Tensor | None = None,
    camera: Camera | None = None,
) -> torch.Tensor:
    """Mean distance in the picture (screen units) between the keypoints (..., 17, 2) and what `reproject` returns."""
    check_joints(keypoints, 2, "keypoints")
    return length(reproject(pose, root, lens, camera) - keypoints).mean()


def bone_length_loss(labelled: torch.Tensor, unlabelled: torch.Tensor, norm: Norm = "l1") -> torch.Tensor:
    """How much the mean bone lengths of two batches of predicted poses (windows, 17, 3) differ.

    Without it a person twice as large at twice the distance explains the keypoints as well.

    Args:
        labelled: predicted poses of labelled windows.
        unlabelled: predicted poses of the others.
        norm: "l1", mean |difference| in metres, is what VideoPose3D's code computes; "l2", mean squared difference in
            square metres, is what the paper's text says. Its gradient fades near the goal.

    Raises:
        ValueError: another norm.
    """
    if norm not in get_args(Norm):
        raise ValueError(f"norm is {norm!r}, expected 'l1' or 'l2'")
    mean_labelled, mean_unlabelled = (bone_lengths(pose).flatten(0, -2).mean(0) for pose in (labelled, unlabelled))
    difference = mean_labelled - mean_unlabelled
    return difference.abs().mean() if norm == "l1" else (difference**2).mean()


@dataclass(frozen=True)
class JointLosses:
    """The terms of one step; those that were left out are None."""

    pose: torch.Tensor | None = None
    trajectory: torch.Tensor | None = None
    reprojection: torch.Tensor | None = None
    bones: torch.Tensor | None = None

    @property
    def total(self) -> torch.Tensor:
        """Their sum."""
        return sum(term for term in (getattr(self, name) for name in TERMS) if term is not None)


def joint_losses(
    pose_model: Lifter,
    trajectory_model: Lifter,
    labelled: Windows,
    unlabelled: torch.Tensor | None,
    *,
    lens: Lens | torch.Tensor | None = None,
    camera: Camera | None = None,
    norm: Norm = "l1",
    terms: tuple[str, ...] = TERMS,
) -> JointLosses:
    """One step of the joint optimisation.

    Labelled and unlabelled windows go through the networks as one batch, so that batch norm sees both.

    Args:
        pose_model: 17 joints out.
        trajectory_model: 1 joint out.
        labelled: windows with pose and root.
        unlabelled: (windows, F, 17, 2) screen coordinates; None during the warm-up.
        lens: what the unlabelled video was captured through.
        camera: what captured the unlabelled video: its focal length and principal point are used, one for all windows
            or one for each. None is the course's own camera, which all its data are brought to.
        norm: of the bone-length term.
        terms: which of `TERMS` are used.

    Raises:
        ValueError: unknown terms, none that this step could use, labelled windows without root, a lifter of COCO's
            keypoints: back-projected are Human3.6M's joints.
    """
    need_layout(pose_model, "human36m", "back-projection")
    if unknown := set(terms) - set(TERMS):
        raise ValueError(f"terms: {sorted(unknown)} unknown, expected some of {TERMS}")
    if unlabelled is None and not {"pose", "trajectory"} & set(terms):
        raise ValueError(f"terms: {terms} leave nothing to learn from labelled windows alone; add 'pose'")
    if labelled.root is None:
        raise ValueError("labelled has no root: draw it with windows.draw_windows")
    count = len(labelled.keypoints)
    keypoints = labelled.keypoints if unlabelled is None else torch.cat([labelled.keypoints, unlabelled])
    pose, root = pose_model.windows(keypoints), trajectory_model.windows(keypoints)
    losses = {}
    if "pose" in terms:
        losses["pose"] = mpjpe_loss(pose[:count], labelled.pose)
    if "trajectory" in terms:
        losses["trajectory"] = trajectory_loss(root[:count], labelled.root)
    if unlabelled is not None and "reprojection" in terms:
        middle = unlabelled[:, -1 if pose_model.causal else unlabelled.shape[1] // 2]
        losses["reprojection"] = reprojection_loss(pose[count:], root[count:], middle, lens, camera)
    if unlabelled is not None and "bones" in terms:
        losses["bones"] = bone_length_loss(pose[:count], pose[count:], norm)
    return JointLosses(**losses)
