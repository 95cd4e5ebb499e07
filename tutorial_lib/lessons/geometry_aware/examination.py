"""What lesson 07 measures: of representations without a head, of linear heads, of those who do not look."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from tutorial_lib.geometry_aware.heads import choose_penalty, fit_equivariant, fit_ridge
from tutorial_lib.geometry_aware.learning import Row, paint, picture_loss
from tutorial_lib.geometry_aware.networks import Encoder, GeometryNet
from tutorial_lib.geometry_aware.retrieval import Retrieval, across_cameras, encode, retrieve
from tutorial_lib.geometry_aware.views import photos, poses
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.metrics import pose_score
from tutorial_lib.render import Views
from tutorial_lib.skeleton import JOINTS

_HIPS = JOINTS.index("left_hip"), JOINTS.index("right_hip")


Drawn = Callable[[str], Views]
"""The views of "train", "validation", "test", "clothes" or "dressed"."""


def judged(found: torch.Tensor, views: Views) -> dict[str, float]:
    """What poses (4 B, 17, 3) are worth on groups: mm."""
    score = pose_score(found, poses(views))
    return {"mpjpe": round(score.mpjpe, 2), "p_mpjpe": round(score.p_mpjpe, 2)}


def _rounded(found: Retrieval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in vars(found).items()}


def picture(net: GeometryNet, views: Views, row: Row) -> dict[str, float]:
    """The picture loss of exchanged pictures, beside that of the empty plate: in thousandths of full brightness."""
    with MODEL_LOCK, torch.no_grad():
        painted, photo, plate = paint(net, views, row)
        return {
            "painted": round(1000 * picture_loss(painted, photo, plate).item(), 3),
            "plate": round(1000 * picture_loss(plate, photo, plate).item(), 3),
        }


def seen_on_the_way(net: GeometryNet, views: Views, row: Row) -> dict[str, float]:
    """What one looks at while a representation is trained, on validation people: three numbers."""
    turned, raw = (across_cameras(net.encoder, views, turned=which).first for which in (True, False))
    return {"painted": picture(net, views, row)["painted"], "turned": round(turned, 4), "raw": round(raw, 4)}


def geometry(encoder: Encoder, views: Drawn) -> dict[str, Any]:
    """Retrieval between cameras, turned and not; and between two sets of clothes that differ in nothing else."""
    found: dict[str, Any] = {}
    for part in ("test", "clothes"):
        for how in ("turned", "raw", "turned-scaled", "raw-scaled"):
            kind = across_cameras(encoder, views(part), turned="turned" in how, scaled="scaled" in how)
            found.setdefault(part, {})[how] = _rounded(kind)
    here, there = (encode(encoder, photos(views(part))[::4]) for part in ("test", "dressed"))
    found["dressed"] = _rounded(retrieve(here[0], there[0]))
    return found


def heads(encoder: Encoder, views: Drawn, labelled: dict[int, torch.Tensor]) -> dict[str, Any]:
    """Linear heads, solved: errors by kind, number of labelled groups and test; penalties chosen on validation people.

    Args:
        encoder: in eval mode.
        views: by part.
        labelled: number of groups -> which.

    Returns:
        "ridge", "equivariant"; and "appearance", a ridge head on what should not know the pose.
    """
    parts = ("train", "validation", "test", "clothes")
    points, appearance = zip(*(encode(encoder, photos(views(part))) for part in parts), strict=True)
    true = [poses(views(part)) for part in parts]
    kinds = {"ridge": (fit_ridge, points), "equivariant": (fit_equivariant, points),
             "appearance": (fit_ridge, [value[..., None] for value in appearance])}  # fmt: skip
    found: dict[str, Any] = {}
    for kind, (fit, features) in kinds.items():
        for count, which in labelled.items():
            rows = (4 * which[:, None] + torch.arange(4)).flatten().to(true[0].device)
            x, y = features[0][rows], true[0][rows]
            penalty = choose_penalty(lambda p, x=x, y=y, fit=fit: fit(x, y, p), features[1], true[1])
            head = fit(x, y, penalty)
            errors = {part: judged(head(features[2 + i]), views(part)) for i, part in enumerate(parts[2:])}
            found.setdefault(kind, {})[str(count)] = {"penalty": penalty, **errors}
    return found


def all_labels(encoder: Encoder, views: Drawn) -> dict[str, torch.Tensor]:
    """Both linear heads from all labels, which take minutes to render: what the demo has at 100 %.

    Args:
        encoder: in eval mode.
        views: by part.
    """
    points, validation = (encode(encoder, photos(views(part)))[0] for part in ("train", "validation"))
    pose, true = poses(views("train")), poses(views("validation"))
    ridge = fit_ridge(points, pose, choose_penalty(lambda p: fit_ridge(points, pose, p), validation, true))
    turning = fit_equivariant(
        points, pose, choose_penalty(lambda p: fit_equivariant(points, pose, p), validation, true)
    )
    return {"ridge.weight": ridge.weight, "ridge.shift": ridge.shift, "equivariant.weight": turning.weight}


def _heading(pose: torch.Tensor) -> torch.Tensor:
    """(B, 3, 3) rotations about the picture's vertical that bring the hips' line to the x axis."""
    across = pose[:, _HIPS[1]] - pose[:, _HIPS[0]]
    angle = torch.atan2(across[:, 2], across[:, 0])
    cosine, sine, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    rows = ((cosine, zero, sine), (zero, zero + 1, zero), (-sine, zero, cosine))
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def blind(views: Drawn, tests: Iterable[str]) -> dict[str, Any]:
    """Who does not look: the mean pose in the camera's frame, and a mean pose that is told each person's heading."""
    train = poses(views("train"))
    mean, straight = train.mean(0), (train @ _heading(train).mT).mean(0)
    found: dict[str, Any] = {}
    for test in tests:
        seen = views(test)
        turned = straight @ _heading(poses(seen))
        found[test] = {
            "mean pose": judged(mean.expand_as(turned).contiguous(), seen),
            "mean pose, heading given": judged(turned, seen),
        }
    return found
