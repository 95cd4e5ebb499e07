"""The live demos of lesson 02 that look at pictures: data augmentation, and what a trained volume net sees."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tutorial_lib.datasets.augmentation import Changes, Strength, apply, draw, inside
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.integral import cell_centres, expectation, hard_argmax, marginals
from tutorial_lib.integral.networks import VolumeNet
from tutorial_lib.skeleton import BONES, JOINTS, check_joints

COLUMNS = 4
TILE = 96
"""Pixels of one picture of the contact sheet: larger pictures are shown reduced."""


# ------------------------------------------------------------------ augmentation
def sheet(images: torch.Tensor) -> np.ndarray:
    """Pictures (B, 3, H, W) in rows of four: one picture (rows, columns, 3); what is left over is white."""
    if images.shape[-1] > TILE:
        images = F.interpolate(images, size=(TILE, TILE), mode="bilinear", antialias=True, align_corners=False)
    rows = math.ceil(len(images) / COLUMNS)
    empty = images.new_ones(rows * COLUMNS - len(images), *images.shape[1:])
    tiles = torch.cat([images, empty]).unflatten(0, (rows, COLUMNS))
    return tiles.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2).clamp(0, 1).numpy()


def on_sheet(keypoints: torch.Tensor) -> torch.Tensor:
    """Keypoints (B, 17, 2) of each picture, in the screen coordinates of the contact sheet."""
    tile = torch.arange(len(keypoints))
    corner = torch.stack([tile % COLUMNS, tile // COLUMNS], -1)
    rows = math.ceil(len(keypoints) / COLUMNS)
    return (2 * corner[:, None] + 1 + keypoints) / COLUMNS - torch.tensor([1.0, rows / COLUMNS])


def bones_on_sheet(keypoints: torch.Tensor) -> torch.Tensor:
    """Keypoints (B, 17, 2) to lines (B * bones, 2, 2) on the contact sheet; a bone that leaves its picture is NaN."""
    bones = keypoints[:, list(BONES)]
    bones = torch.where(inside(bones).all(-1)[..., None, None], bones, torch.nan)
    return on_sheet(bones.flatten(1, 2)).reshape(-1, 2, 2)


def compute_augmentation(
    images: torch.Tensor, keypoints: torch.Tensor, seed: int, same_zoom: bool, **strengths: float
) -> dict[str, Any]:
    """The pictures after one draw of the augmentation, and where their joints have gone.

    Args:
        images: (B, 3, H, W) in [0, 1].
        keypoints: (B, 17, 2 or 3) screen coordinates.
        seed: of the draw.
        same_zoom: x and y are zoomed alike.
        strengths: by the names of `Strength`.

    Returns:
        "images" and "keypoints" as they came, "changes", what was drawn, "inside" (B, 17).
    """
    changes = draw(len(images), Strength(same_zoom=same_zoom, **strengths), torch.Generator().manual_seed(seed))
    changed, moved = apply(images, keypoints, changes)
    return {"images": changed, "keypoints": moved, "changes": changes, "inside": inside(moved)}


def view_augmentation(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The contact sheet with the skeletons on it, and a table of what was drawn."""
    points, count = arrays["keypoints"][..., :2], len(arrays["images"])
    return stage.panes(
        stage.image(
            picture=sheet(arrays["images"]), aspect=COLUMNS / math.ceil(count / COLUMNS), cross=None, margin=0.01,
            lines=[stage.polyline("skeleton, moved with the picture", bones_on_sheet(points), colour="sky", width=2.5)],
            dots=[stage.dots("joints", on_sheet(points)[arrays["inside"]], colour="orange", size=2.5)],
        ),
        stage.table(["picture", *map(str, range(1, count + 1))], _changes_table(arrays["changes"])),
        note=f"{(~arrays['inside']).sum()} of {arrays['inside'].numel()} joints have left their picture",
        height=236,
    )  # fmt: skip


def augmentation_demo(images: torch.Tensor, keypoints: torch.Tensor) -> Demo:
    """A contact sheet of changed pictures with their keypoints.

    Args:
        images: (B, 3, H, W) in [0, 1], square; the first eight are shown.
        keypoints: (B, 17, 2 or 3) screen coordinates.
    """
    check_joints(keypoints, keypoints.shape[-1], "keypoints")
    images, keypoints = images[:8].detach(), keypoints[:8].detach()
    report = Strength()
    controls = {
        "shift": slider(report.shift, 0.0, 0.2, 0.01, "shift (share of width)"),
        "zoom": slider(report.zoom, 0.0, 0.5, 0.05, "zoom (±)"),
        "colour": slider(round(report.colour, 2), 0.0, 0.5, 0.01, "hue, saturation (±)"),
        "contrast": slider(report.contrast, 0.0, 0.9, 0.1, "contrast (±)"),
        "brightness": slider(report.brightness, 0.0, 0.9, 0.1, "brightness per channel (±)"),
        "seed": slider(0, 0, 50, 1, "seed"),
        "same_zoom": choice([("separate (report)", False), ("the same", True)], False, "zoom of x and y"),
    }
    drawn = {name: control.value for name, control in controls.items()}
    nothing = drawn | {"shift": 0.0, "zoom": 0.0, "colour": 0.0, "contrast": 0.0, "brightness": 0.0}
    presets = {
        "untouched": nothing,
        "only where": {**nothing, "shift": drawn["shift"], "zoom": drawn["zoom"]},
        "only colours": {**drawn, "shift": 0.0, "zoom": 0.0},
        "the largest zoom": {**nothing, "zoom": 0.5},
        "too much": {**drawn, "shift": 0.2, "zoom": 0.5, "colour": 0.5, "contrast": 0.9, "brightness": 0.9},
    }
    return live(
        partial(compute_augmentation, images, keypoints), view_augmentation, controls, presets=presets,
        folded=("colour", "contrast", "brightness", "same_zoom"), plays="zoom",
        title="One photo, many photos: the labels move along",
    )  # fmt: skip


def _changes_table(changes: Changes) -> list[list[str]]:
    rows = {"zoom of x": changes.scale[:, 0], "zoom of y": changes.scale[:, 1], "depth label": changes.depth_scale}
    return [[name, *(f"× {factor:.2f}" for factor in factors.tolist())] for name, factors in rows.items()]


# ------------------------------------------------------------------ inside the volume
GRAB = "joint (drag it to another)"
SLICE = "slice of the volume"
WHOLE = -1
"""In place of a slice: the sum of all of them."""
WRIST, ELBOW = JOINTS.index("left_wrist"), JOINTS.index("left_elbow")


def pointing(photos: PhotoSet, truth: torch.Tensor) -> int:
    """The first photo that is good to tell a story with: its left forearm points towards the camera, in plain sight.

    Args:
        photos: to choose from.
        truth: (B, 17, 3) of the photos, in the volume.

    Raises:
        ValueError: there is none.
    """
    wrist, elbow, neck = truth[:, WRIST], truth[:, ELBOW], truth[:, JOINTS.index("thorax")]
    towards = elbow[:, 2] - wrist[:, 2] > 0.25
    apart = torch.linalg.vector_norm((wrist - neck)[:, :2], dim=-1) > 0.45
    found = (towards & apart & photos.visible[:, WRIST] & (wrist.abs() < 0.8).all(-1)).nonzero()
    if not len(found):
        raise ValueError(f"none of the {len(photos)} photos shows a left forearm that points to the camera: draw more")
    return int(found[0])


def compute_depth(
    nets: Mapping[str, VolumeNet], images: torch.Tensor, truth: torch.Tensor, half_width: torch.Tensor,
    net: str, photo: int, joint: int, cut: int = WHOLE,
) -> dict[str, Any]:  # fmt: skip
    """What a net makes of one photo: the volume of one joint, and the means of all joints' volumes.

    Args:
        nets: as for `depth_demo`.
        images: as for `depth_demo`.
        truth: as for `depth_demo`.
        half_width: (B,) metres.
        net: which of the nets.
        photo: index of the photo.
        joint: index of the joint.
        cut: index of the slice along the depth that is shown, or `WHOLE`.

    Returns:
        "image" (3, S, S); "predicted", "peaks" and "truth" (17, 3) in the volume, "metres" (3, 17, 3): truth, means and
        peaks from the root; of the joint "plane" (H, W), the sum over depth or the slice, as a share of its largest
        cell (of any slice), "row" (D,), the sum over the picture, "entropy" of "most" that is possible, in nats.
    """
    with torch.no_grad():
        logits = nets[net].eval().logits(images[photo : photo + 1])[0]
        sums = marginals(logits)
        place = torch.softmax(logits[joint].flatten(), 0).view_as(logits[joint])
    predicted, peaks = expectation(sums), hard_argmax(logits)
    return {
        "image": images[photo],
        "predicted": predicted,
        "peaks": peaks,
        "metres": torch.stack([half_width[photo] * (pose - pose[:1]) for pose in (truth[photo], predicted, peaks)]),
        "plane": place.sum(0) / place.sum(0).max() if cut == WHOLE else place[cut] / place.max(),
        "row": sums[2][joint],
        "entropy": torch.special.entr(place).sum().item(),
        "most": math.log(place.numel()),
        "truth": truth[photo],
    }


def view_depth(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The joint's volume over the photo and along the depth, and both skeletons in 3D."""
    joint, plane, picture = params["joint"], arrays["plane"], arrays["image"].permute(1, 2, 0)
    predicted, peaks, true, metres = (arrays[key] for key in ("predicted", "peaks", "truth", "metres"))
    mean_off, peak_off = 1000 * torch.linalg.vector_norm(metres[1:] - metres[0], dim=-1)
    row, name, cut = arrays["row"], JOINTS[joint].replace("_", " "), params["cut"]
    depths = cell_centres(len(row))
    at = -1.0 if cut == WHOLE else depths[cut].item()
    shown = "sum over depth" if cut == WHOLE else f"slice at {at:+.2f}, {100 * row[cut]:.0f} % of the cloud"
    return stage.panes(
        stage.image(
            picture=picture, heat=0.8 * over(plane, picture), heat_name="probability",
            heat_colour="orange", cross=None,
            dots=[
                stage.dots("truth", true[joint : joint + 1, :2], colour="ink", symbol="diamond", size=7),
                stage.dots("peak", peaks[joint : joint + 1, :2], colour="vermillion", symbol="square", size=6),
                stage.dots("mean", predicted[joint : joint + 1, :2], colour="blue", size=6),
            ],
            margin=0.02, title=f"{name}: {shown}",
            handles=[stage.handle(GRAB, predicted[joint, :2].tolist(), colour="blue")],
        ),
        stage.curve(
            [
                stage.series("marginal over depth", depths, row, colour="orange"),
                stage.series("peak", [peaks[joint, 2].item()] * 2, [0, 1], colour="vermillion", dash="dash"),
                stage.series("truth", [true[joint, 2].item()] * 2, [0, 1], colour="ink", dash="dot"),
                stage.series("mean", [predicted[joint, 2].item()] * 2, [0, 1], colour="blue", dash="dash"),
            ],
            x=stage.axis("depth behind the root (half widths)", -1, 1),
            y=stage.axis("probability", 0, 1),
            title=f"{name}: sum over x and y",
            now=at, grab=SLICE,
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", metres[0]),
                stage.skeleton3d("mean of every volume", metres[1], colour="blue"),
            ],
            extent=((-0.9, 0.9), (-0.9, 0.95), (-0.9, 0.9)), up="-y", title="3D, root-relative",
        ),
        note=f"{name} is off by {mean_off[joint]:.0f} mm at the mean, {peak_off[joint]:.0f} at the peak; all joints "
        f"by {mean_off.mean():.0f} and {peak_off.mean():.0f}; entropy {arrays['entropy']:.1f} of "
        f"{arrays['most']:.1f} nats",
        height=260,
    )  # fmt: skip


def depth_demo(
    nets: Mapping[str, VolumeNet], images: torch.Tensor, truth: torch.Tensor, half_width: torch.Tensor | float = 1.0,
    photo: int = 0,
) -> Demo:  # fmt: skip
    """Where a volume net believes one joint to be, and the skeleton that all its joints make.

    Args:
        nets: by name; they are put in eval mode.
        images: (B, 3, S, S) in [0, 1].
        truth: (B, 17, 3) coordinates x, y, z in the volume, as `integral.poses.to_volume` has them.
        half_width: (B,) metres that half the picture shows at the depth of the root, or one number for all.
            Coordinates times this number are drawn as metres: a weak perspective.
        photo: which of them to begin with.
    """
    check_joints(truth, 3, "truth")
    if not nets:
        raise ValueError("nets is empty, expected at least one network by name")
    if len(images) != len(truth) or not len(images):
        raise ValueError(f"images are {len(images)}, truth has {len(truth)} poses: expected as many, at least one")
    size = torch.as_tensor(half_width, dtype=truth.dtype).expand(len(images))
    if not (size > 0).all():
        raise ValueError(f"half_width is {half_width}, expected metres above 0")
    with torch.no_grad():
        centres = cell_centres(next(iter(nets.values())).eval().logits(images[:1]).shape[2]).tolist()
    controls = {
        "net": choice([(name, name) for name in nets], next(iter(nets)), "trained with"),
        "photo": slider(photo, 0, len(images) - 1, 1, "photo"),
        "cut": steps([("whole", WHOLE), *((f"{at:+.2f}", i) for i, at in enumerate(centres))], WHOLE, "slice at depth"),
        "joint": choice([(name.replace("_", " "), index) for index, name in enumerate(JOINTS)], WRIST, "joint"),
    }
    presets = {name: {"net": name, "photo": photo, "joint": WRIST, "cut": WHOLE} for name in nets}

    def nearest(at: tuple[float, ...], params: dict) -> dict[str, int]:
        off = torch.linalg.vector_norm(truth[params["photo"], :, :2] - torch.tensor(at), dim=-1)
        return {"joint": int(off.argmin())}

    def sliced(at: tuple[float, ...], params: dict) -> dict[str, int]:
        return {"cut": WHOLE if at[0] <= -0.99 else min(int((at[0] + 1) / 2 * len(centres)), len(centres) - 1)}

    return live(
        partial(compute_depth, nets, images, truth, size), view_depth, controls, presets=presets,
        title="Inside the volume of one joint", folded=("joint",), grabs={GRAB: nearest, SLICE: sliced}, plays="cut",
        recorded=("photo", "cut"),
    )  # fmt: skip


def over(plane: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """The cells of `plane` as large as the picture's pixels, for a smooth overlay."""
    return F.interpolate(plane[None, None], size=picture.shape[:2], mode="bilinear", align_corners=False)[0, 0]
