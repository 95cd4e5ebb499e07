"""The live demo of lesson 01 about trained networks: one photo, one joint, and what each head makes of it."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.grid import cell_centres, from_cells
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import COLOURS
from tutorial_lib.skeleton import JOINTS

WRIST = JOINTS.index("left_wrist")
HEIGHT = 244


def one_person(photos: PhotoSet) -> int:
    """The photo that accompanies the lesson: the first whose left wrist is seen, well inside and away from the hip.

    Raises:
        ValueError: there is none.
    """
    wrist, hip = photos.keypoints[:, WRIST], photos.keypoints[:, JOINTS.index("left_hip")]
    fitting = photos.visible[:, WRIST] & (wrist.abs() < 0.7).all(-1) & ((wrist - hip).norm(dim=-1) > 0.5)
    if not fitting.any():
        raise ValueError(f"none of {len(photos)} photos shows a left wrist away from the hip: give more photos")
    return int(fitting.int().argmax())


def two_peaks(maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The highest cell of every map, and its second peak: the highest of all cells more than three away from it, along
    an axis, that no neighbour is higher than. So a wide cloud has one.

    Args:
        maps: (B, cells, cells).

    Returns:
        Their places (B, 2, 2) as x and y in screen coordinates, and their heights (B, 2).
    """
    cells = maps.shape[-1]
    best, index = maps.flatten(-2).argmax(-1), torch.arange(cells)
    far_x = (index - best[:, None] % cells).abs() > 3
    far_y = (index - best[:, None] // cells).abs() > 3
    top = maps == F.max_pool2d(maps[:, None], 3, 1, 1)[:, 0]
    others = torch.where(top & (far_y[:, :, None] | far_x[:, None, :]), maps, 0.0)
    cell = torch.stack([best, others.flatten(-2).argmax(-1)], -1)
    heights = torch.stack([maps.amax((-2, -1)), others.amax((-2, -1))], -1)
    return from_cells(torch.stack([cell % cells, cell // cells], -1).float(), cells), heights


def doubtful(model: KeypointNet, photos: PhotoSet) -> int:
    """The photo in which the map of the left wrist has the highest second peak, compared with its first.

    `one_person` is left out: everybody has looked at that wrist already.
    """
    with torch.no_grad():
        first, second = two_peaks(model(photos.image)[:, WRIST])[1].unbind(-1)
    doubt = second / first.clamp_min(0.3)  # a map without any peak is another doubt
    doubt[one_person(photos)] = 0
    return int(doubt.argmax())


def belief(model: KeypointNet, output: torch.Tensor, joint: int, cells: int = 32) -> torch.Tensor | None:
    """What a head believes about one joint of one photo, as a map (rows, columns) whose highest cell is 1.

    A heat map is itself, an integral map its softmax. RLE: the Laplace density around its answer, as wide as it says;
    the flow's correction is left out. None for plain regression: two numbers are all that it says.

    Args:
        model: any head.
        output: of `model.forward` for one photo, without the batch: (17, ...).
        joint: which joint.
        cells: of RLE's map, along each side.
    """
    said = output[joint]
    if model.head == "heatmap":
        heat = said.clamp(min=0)
    elif model.head == "integral":
        heat = torch.softmax(said.flatten(), 0).view_as(said)
    elif model.head == "rle":
        z = (cell_centres(cells)[:, None] - said[:2]) / torch.sigmoid(said[2:])
        across, down = torch.exp(-math.sqrt(2) * z.abs()).unbind(-1)
        heat = down[:, None] * across
    else:
        return None
    return heat / heat.max().clamp_min(1e-6)


def compute_look(
    models: Mapping[str, KeypointNet], photos: PhotoSet, photo: int, joint: int, network: str
) -> dict[str, Any]:
    """Every network on one photo.

    Args:
        models: name -> network in eval mode.
        photos: some.
        photo: which one is looked at.
        joint: whose map is asked for.
        network: whose map is asked for.

    Returns:
        "image" (3, size, size), "truth" (17, 2), "points" name -> (17, 2), "px" name -> (17,) errors in pixels,
        "heat", what `belief` returns for the joint and network.
    """
    one = photos.select(slice(photo, photo + 1))
    with torch.no_grad():
        outputs = {name: model(one.image) for name, model in models.items()}
        points = {name: model.decode(outputs[name])[0] for name, model in models.items()}
    half = one.pixels.shape[-1] / 2
    return {
        "image": one.image[0],
        "truth": one.keypoints[0],
        "seen": one.visible[0],
        "points": points,
        "px": {name: half * (p - one.keypoints[0]).norm(dim=-1) for name, p in points.items()},
        "heat": belief(models[network], outputs[network][0], joint),
    }


def view_look(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The photo with one network's map and everybody's answers for the joint, the network's skeleton, the errors."""
    joint, network = params["joint"], params["network"]
    name, picture = JOINTS[joint].replace("_", " "), arrays["image"].permute(1, 2, 0)
    heat = None if arrays["heat"] is None else 0.85 * arrays["heat"]
    marks = [
        stage.dots(other, p[joint].clamp(-1, 1)[None], colour=COLOURS[other], size=9 if other == network else 6)
        for other, p in arrays["points"].items()
    ]
    truth = stage.dots("truth", arrays["truth"][joint][None], colour="ink", symbol="diamond", size=7)
    return stage.panes(
        stage.image(
            picture=picture, heat=heat, heat_name=f"belief: {network}",
            heat_colour="sky", cross=None, dots=[*marks, truth], margin=0.02,
            title=f"{name}, {'seen' if arrays['seen'][joint] else 'hidden'}: every answer",
        ),
        stage.image(
            picture=picture, cross=None, margin=0.02, title=f"all joints: {network}",
            skeletons=[
                stage.skeleton2d("truth", arrays["truth"], width=2.5),
                stage.skeleton2d(network, arrays["points"][network], colour=COLOURS[network], width=3.0),
            ],
        ),
        stage.table(
            ["error (px)", *arrays["px"]],
            [[name, *(f"{e[joint]:.1f}" for e in arrays["px"].values())],
             ["all joints", *(f"{e.mean():.1f}" for e in arrays["px"].values())]],
            best="min",
        ),
        note="two numbers are all that plain regression says: there is no map to show" if heat is None else "",
        height=HEIGHT,
    )  # fmt: skip


def look_demo(models: Mapping[str, KeypointNet], photos: PhotoSet) -> Demo:
    """Trained networks, one photo and one joint: the live map over the photo, and where every head puts the joint.

    Args:
        models: names of `COLOURS` -> network; they are put in eval mode. "heat map" is one of them.
        photos: to walk through; `one_person` and `doubtful` of them have buttons.
    """
    for model in models.values():
        model.eval()
    ours, doubt = one_person(photos), doubtful(models["heat map"], photos)
    buttons = {
        "our wrist": {"photo": ours, "joint": WRIST, "network": "heat map"},
        "RLE on our wrist": {"photo": ours, "joint": WRIST, "network": "RLE"},
        "the most doubtful wrist": {"photo": doubt, "joint": WRIST, "network": "heat map"},
        "RLE's doubt": {"photo": doubt, "joint": WRIST, "network": "RLE"},
    }
    return live(
        partial(compute_look, models, photos), view_look,
        {
            "network": choice(list(models), "heat map", "network"),
            "joint": choice([(n.replace("_", " "), i) for i, n in enumerate(JOINTS)], WRIST, "joint"),
            "photo": slider(ours, 0, len(photos) - 1, 1, "photo"),
        },
        presets=buttons,
        title="One photo, one joint, four networks",
        folded=("photo",),
    )  # fmt: skip
