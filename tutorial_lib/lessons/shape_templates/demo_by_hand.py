"""The first live demo of lesson 03, before any training: move a part, and what is used to draw the template."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch

from tutorial_lib.display import figures, stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.grabs import piece_grabs, piece_handle
from tutorial_lib.templates import losses, parts, skeletons, warp
from tutorial_lib.templates.warp import Pivot

SIZE = 80
TOGETHER = "all parts together"
GROUPS = {
    TOGETHER: parts.NAMES,
    "left forearm and hand": ("left forearm", "left hand"),
    "left arm, forearm and hand": ("left arm", "left forearm", "left hand"),
}
"""What may move as one piece -> its parts. A piece turns about the centre of its first part, all together about the
middle of the picture."""
FIRSTS = {piece: names[0] for piece, names in GROUPS.items()} | {name: name for name in parts.NAMES}
"""What may move -> its first part, at which it is taken hold of."""
About = Literal["its own centre", "the image's corner"]
ABOUT: dict[About, Pivot] = {"its own centre": "part", "the image's corner": "corner"}
LIMB_COLOURS = {
    "core": "sky", "head": "orange", "hip": "grey", "shoulder": "grey", "thigh": "blue", "arm": "blue",
    "shin": "green", "forearm": "green", "foot": "purple", "hand": "purple",
}  # fmt: skip
"""A part's last word -> a colour of the palette."""
LOSS_FLOOR, LOSS_TOP = 1e-4, 30.0
"""Ends of the bars' logarithmic axis; a loss of zero has no bar."""


def rgb(colour: str) -> torch.Tensor:
    """(3,) in [0, 1] of a colour of the palette."""
    return torch.tensor([int(figures.COLOURS[colour][i : i + 2], 16) / 255 for i in (1, 3, 5)])


PART_COLOURS = torch.stack([rgb(LIMB_COLOURS[name.split()[-1]]) for name in parts.NAMES])


def paint(maps: torch.Tensor, colours: torch.Tensor = PART_COLOURS) -> torch.Tensor:
    """Maps (parts, rows, columns) in colours (parts, 3) on white: (rows, columns, 3)."""
    weight = maps.sum(0).clamp_min(1e-6)
    mixed = torch.einsum("prc,pk->rck", maps, colours) / weight[..., None]
    cover = maps.amax(0)[..., None]
    return 1 - cover * (1 - mixed)


def linear_map(rotation: float, scale_x: float, scale_y: float, shear: float) -> torch.Tensor:
    """(2, 2): stretch along the axes, then shear x by y, then turn clockwise by degrees."""
    angle = torch.deg2rad(torch.tensor(float(rotation)))
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    return turn @ torch.tensor([[1.0, shear], [0.0, 1.0]]) @ torch.diag(torch.tensor([float(scale_x), float(scale_y)]))


def moved_piece(
    begin: torch.Tensor, piece: str, linear: torch.Tensor, shift: torch.Tensor, about: Pivot = "part"
) -> torch.Tensor:
    """Parts moved by one map of the plane, x -> linear (x - p) + p + shift, upon what they do already.

    Args:
        begin: (18, 2, 3) affines about the parts' centres.
        piece: one of `parts.NAMES` or `GROUPS`.
        linear: (2, 2).
        shift: (2,) half widths.
        about: "part": p is where the piece's first part lies, or the middle for all of them; "corner": the image's.

    Returns:
        (18, 2, 3) affines about `about`.
    """
    names = GROUPS.get(piece, (piece,))
    indices = [parts.NAMES.index(name) for name in names]
    maps = warp.to_screen_maps(begin)
    linear, shift = linear.to(maps), shift.to(maps)
    pivot = torch.zeros(2) if piece == TOGETHER else warp.moved(begin)[0][indices[0]]
    if about == "corner":
        pivot = -torch.ones(2)
    turned = linear @ maps[indices]
    offset = pivot + shift - linear @ pivot
    maps[indices] = torch.cat([turned[..., :2], turned[..., 2:] + offset[:, None]], -1)
    return warp.from_screen_maps(maps, about)


def piece_choice(value: str) -> Any:
    """A control: which parts move."""
    return choice([*GROUPS, *parts.NAMES], value, "what moves")


def outline(mean: torch.Tensor, covariance: torch.Tensor, deviations: float = 2.0) -> torch.Tensor:
    """The ellipses `deviations` standard deviations around Gaussians (..., 2) and (..., 2, 2): (..., 25, 2)."""
    angle = torch.linspace(0, 2 * torch.pi, 25)
    values, vectors = torch.linalg.eigh(covariance)
    unit = torch.stack([angle.cos(), angle.sin()], -1) * values.clamp_min(0).sqrt()[..., None, :]
    return mean[..., None, :] + deviations * unit @ vectors.mT


def outlines(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """The parts' ellipses, where the Gaussians are about 1/2: (..., 18, 25, 2)."""
    return outline(*warp.moved(affines, about), 1.2)


def measure(affines: torch.Tensor, about: Pivot = "part") -> dict[str, Any]:
    """Everything that the pictures of one moved template show.

    Args:
        affines: (18, 2, 3).
        about: what the parts turn about.

    Returns:
        "affines"; "maps" (18, 96, 96); "anchors" (32, 2); "springs" (pairs, 2, 2) and their "lengths" in % of the
        width; "joints" (17, 2); "losses", weighted.
    """
    ends = losses.springs(affines, about)
    return {
        "affines": affines,
        "maps": warp.part_maps(affines, SIZE, about),
        "anchors": losses.anchors(affines, about),
        "springs": ends,
        "lengths": 50 * torch.linalg.vector_norm(ends[:, 0] - ends[:, 1], dim=-1),  # % of the image's width
        "joints": skeletons.keypoints(affines, about),
        "losses": {
            "anchor": losses.ANCHOR_WEIGHT * losses.anchor_loss(affines, about).item(),
            "boundary": losses.BOUNDARY_WEIGHT * losses.boundary_loss(affines, about).item(),
            "boundary, core only": losses.BOUNDARY_WEIGHT * losses.boundary_loss(affines, about, core_only=True).item(),
        },
    }


def pair_name(pair: int) -> str:
    """Such as "left arm to left forearm"."""
    return " to ".join(parts.NAMES[parts.ANCHOR_PART[end]] for end in parts.PAIRS[pair])


def longest(arrays: dict[str, Any]) -> str:
    """A sentence about the pair that is furthest apart."""
    pair = int(arrays["lengths"].argmax())
    length = arrays["lengths"][pair].item()
    if length <= 0.05:
        return "every spring is closed"
    return f"longest spring: {pair_name(pair)}, {length:.0f} % of the width"


def body_pane(
    arrays: dict[str, Any], title: str, *, lines: Sequence[dict] = (), skeleton: bool = False,
    handles: Sequence[dict] = (), margin: float = 0.3,
) -> dict[str, Any]:  # fmt: skip
    """The coloured parts with springs, and room around the frame for what leaves it.

    Args:
        arrays: from `measure`.
        title: of the pane.
        lines: drawn as well, from `stage.polyline`.
        skeleton: the joints take the place of the anchors.
        handles: to take hold of, from `stage.handle`.
        margin: as of `stage.image`.
    """
    anchors = [stage.dots("anchors", arrays["anchors"], colour="ink", size=3.5)]
    joints = [stage.skeleton2d("joints", arrays["joints"], colour="ink", width=2.5)]
    springs = stage.polyline("springs", arrays["springs"], colour="vermillion", width=4)
    return stage.image(
        picture=paint(arrays["maps"]), lines=[springs, *lines], dots=[] if skeleton else anchors,
        skeletons=joints if skeleton else [], cross=None, margin=margin, title=title, weight=1.2, handles=handles,
    )  # fmt: skip


def loss_pane(values: Mapping[str, float]) -> dict[str, Any]:
    """The weighted losses as bars on a logarithmic axis."""
    colours = {"anchor": "vermillion", "boundary": "blue", "boundary, core only": "sky"}
    return stage.curve(
        [
            stage.series(name, [i], [max(value, LOSS_FLOOR)], colour=colours[name], mode="bars", bar=0.7)
            for i, (name, value) in enumerate(values.items())
        ],
        x=stage.axis("", -0.6, len(values) - 0.4, ticks={name: i for i, name in enumerate(values)}),
        y=stage.axis("weighted loss", LOSS_FLOOR, LOSS_TOP, log=True),
        title="what it costs (a loss of 0 has no bar)",
    )


def loss_table(arrays: dict[str, Any]) -> dict[str, Any]:
    """The bars' numbers, and how many anchors are outside."""
    outside = int((arrays["anchors"].abs() > 1).any(-1).sum())
    numbers = [f"{value:.3f}" for value in arrays["losses"].values()]
    return stage.table(["", *arrays["losses"], "outside"], [["weighted loss", *numbers, f"{outside} of 32 anchors"]])


def compute_parts(
    part: str, rotation: float = 0, scale_x: float = 1.0, scale_y: float = 1.0, shear: float = 0.0,
    shift_x: float = 0.0, shift_y: float = 0.0, about: About = "its own centre",
) -> dict[str, Any]:  # fmt: skip
    """The template with some parts moved by the same map.

    Args:
        part: one of `parts.NAMES` or `GROUPS`.
        rotation: clockwise, in degrees.
        scale_x: stretch across.
        scale_y: stretch downwards.
        shear: of x by y.
        shift_x: to the right, in half widths.
        shift_y: downwards.
        about: what it turns about.

    Returns:
        As of `measure`; of anything but all parts the "outline" (parts, 25, 2), too.
    """
    linear, shift = linear_map(rotation, scale_x, scale_y, shear), torch.tensor([shift_x, shift_y])
    pivot = ABOUT[about]
    affines = moved_piece(warp.identity(), part, linear, shift, pivot)
    arrays = measure(affines, pivot)
    if part == TOGETHER:
        return arrays
    mean, covariance = warp.moved(affines, pivot)
    indices = [parts.NAMES.index(name) for name in GROUPS.get(part, (part,))]
    return arrays | {"outline": outline(mean[indices], covariance[indices])}


def view_parts(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The template with the outline of what was moved, and what it costs."""
    ring = [stage.polyline(params["part"], arrays["outline"], colour="ink", width=2)] if "outline" in arrays else []
    held = piece_handle(params["part"], FIRSTS[params["part"]], arrays["affines"], ABOUT[params["about"]])
    body = body_pane(arrays, "18 parts, 32 anchors", lines=ring, handles=[held])
    return stage.panes(body, loss_pane(arrays["losses"]), loss_table(arrays), note=longest(arrays), height=262)


def parts_demo() -> Demo:
    """One affine map, one part, a piece or all: what each loss forbids."""
    rest: dict[str, Any] = {"about": "its own centre", "rotation": 0, "scale_x": 1.0, "scale_y": 1.0}
    rest |= dict.fromkeys(("shear", "shift_x", "shift_y"), 0.0)
    corner = {"part": "left foot", "rotation": -20, "about": "the image's corner"}
    torn = {"part": "left forearm and hand", "shift_x": -0.1, "shift_y": -0.4}
    controls = {
        "part": piece_choice(torn["part"]),
        "shift_x": slider(torn["shift_x"], -1.5, 1.5, 0.02, "shift x (half widths)"),
        "shift_y": slider(torn["shift_y"], -1.5, 1.5, 0.02, "shift y (half widths)"),
        "about": choice(list(ABOUT), "its own centre", "turns about"),
        "rotation": slider(0, -180, 180, 5, "rotation (°)"),
        "shear": slider(0.0, -1.0, 1.0, 0.05, "shear"),
        "scale_x": slider(1.0, 0.2, 3.0, 0.05, "scale x"),
        "scale_y": slider(1.0, 0.2, 3.0, 0.05, "scale y"),
    }
    return live(
        compute_parts,
        view_parts,
        controls,
        presets={
            "the template": rest | {"part": TOGETHER},
            "a forearm torn off": rest | torn,
            "all slide out together": rest | {"part": TOGETHER, "shift_x": 1.2},
            "a foot leaves": rest | {"part": "left foot", "shift_y": 0.5},
            "a turn that nobody sees": rest | {"part": "left foot", "rotation": 90},
            "turned about the corner": rest | corner,
        },
        title="Eighteen free parts: what keeps them a person?",
        folded=("about", "rotation", "shear", "scale_x", "scale_y"),
        grabs=piece_grabs(FIRSTS, lambda params: (compute_parts(**params)["affines"], ABOUT[params["about"]])),
    )
