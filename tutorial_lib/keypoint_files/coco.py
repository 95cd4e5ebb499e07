"""From COCO's 17 keypoints, which common detectors report, to the 17 joints of `skeleton.JOINTS`.

Limbs are the same in both. COCO has no trunk and a face instead of a head, so five joints are built from others. The
recipe is ours, from the proportions of adult bodies. It puts every joint where a lifter trained on Human3.6M bodies
expects it, to a few per cent of the person's height; a lifter trained on the detector's own keypoints needs none of
it and is better.

    hip     middle of the hips
    thorax  one eighth of the way from the middle of the shoulders to the middle of the ears
    spine   half way between hip and thorax
    neck    two thirds of the way from thorax to the middle of the ears
    head    one third beyond the ears on the same line
"""

import torch

KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
SYMMETRY = ((1, 3, 5, 7, 9, 11, 13, 15), (2, 4, 6, 8, 10, 12, 14, 16))
"""Left and right keypoints: how VideoPose3D's files tell COCO's order from Human3.6M's."""

# Joint of skeleton.JOINTS -> keypoints whose weighted sum it is.
_EARS = {"left_ear": 1 / 2, "right_ear": 1 / 2}
_SHOULDERS = {"left_shoulder": 1 / 2, "right_shoulder": 1 / 2}
_HIPS = {"left_hip": 1 / 2, "right_hip": 1 / 2}


def _mix(*parts: tuple[float, dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for share, points in parts:
        for name, weight in points.items():
            total[name] = total.get(name, 0.0) + share * weight
    return total


_THORAX = _mix((7 / 8, _SHOULDERS), (1 / 8, _EARS))
_RECIPE = (
    _HIPS, {"right_hip": 1}, {"right_knee": 1}, {"right_ankle": 1}, {"left_hip": 1}, {"left_knee": 1},
    {"left_ankle": 1}, _mix((1 / 2, _HIPS), (1 / 2, _THORAX)), _THORAX,
    _mix((1 / 3, _THORAX), (2 / 3, _EARS)), _mix((-1 / 3, _THORAX), (4 / 3, _EARS)),
    {"left_shoulder": 1}, {"left_elbow": 1}, {"left_wrist": 1},
    {"right_shoulder": 1}, {"right_elbow": 1}, {"right_wrist": 1},
)  # fmt: skip
WEIGHTS = torch.tensor([[recipe.get(name, 0.0) for name in KEYPOINTS] for recipe in _RECIPE])
"""(17, 17): row = joint of `skeleton.JOINTS`, column = keypoint of `KEYPOINTS`; every row sums to 1."""


def to_joints(keypoints: torch.Tensor) -> torch.Tensor:
    """COCO keypoints (..., 17, 2) to joints (..., 17, 2) in the order of `skeleton.JOINTS`, any unit.

    Raises:
        ValueError: if `keypoints` does not end in (17, 2).
    """
    if keypoints.ndim < 2 or keypoints.shape[-2:] != (17, 2):
        raise ValueError(
            f"keypoints has shape {tuple(keypoints.shape)}, expected (..., 17, 2): those of coco.KEYPOINTS"
        )
    return WEIGHTS.to(keypoints) @ keypoints


def to_joint_confidence(confidence: torch.Tensor) -> torch.Tensor:
    """Confidence (..., 17) of the keypoints to that of the joints: a joint is as sure as its least sure part."""
    if confidence.ndim < 1 or confidence.shape[-1] != 17:
        raise ValueError(f"confidence has shape {tuple(confidence.shape)}, expected (..., 17)")
    used = WEIGHTS.to(confidence.device) != 0
    return torch.where(used, confidence[..., None, :], torch.inf).amin(-1)
