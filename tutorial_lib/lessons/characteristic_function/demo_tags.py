"""The third live demo of lesson 09: whose elbow is this? Peaks of a crowd are put together by their tags."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.characteristic.network import CrowdNet, merged
from tutorial_lib.characteristic.peaks import find_peaks, sample
from tutorial_lib.characteristic.samples import CrowdSet, draw_crowd_set
from tutorial_lib.characteristic.tags import group
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.metrics.pck import box_side
from tutorial_lib.skeleton import BONES, JOINTS

COLOURS = ("blue", "orange", "green", "vermillion", "sky")
"""Of groups, the largest first; smaller ones are grey."""
PEAKS = 4
FIRST = 7
"""The picture that the demo opens with: three people."""
THRESHOLDS = torch.linspace(0.2, 3.0, 29)
MAPS = {"mean of both": "merged", "a quarter": "coarse", "a half": "fine"}
SHOWN_JOINTS = ("right_elbow", "left_elbow", "right_wrist", "left_wrist", "head", "right_foot", "left_foot")


def network(folder: Path | None = None) -> CrowdNet:
    """The trained network.

    Args:
        folder: of the checkpoints; by default those that ship.
    """
    return checkpoints.load("characteristic/crowd", folder=checkpoints.FOLDER if folder is None else folder)


@cache
def test_crowds(size: int = 64) -> CrowdSet:
    """Eight pictures of people whom no training saw, with so many pixels a side."""
    return draw_crowd_set("test", 8, 7, size)


def shown_maps(net: CrowdNet, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """The maps of one picture (1, 3, size, size) by their name in `MAPS`, and the tags."""
    with torch.no_grad():
        coarse, fine, tags = net(image)
    return {"merged": merged(coarse, fine)[0], "coarse": coarse[0], "fine": fine[0], "tags": tags[0]}


def compute_tags(
    net: CrowdNet, crowds: CrowdSet, picture: int, threshold: float, lowest: float, joint: str, maps: str
) -> dict[str, Any]:
    """What `tags_demo` shows for these values of its controls."""
    some = crowds.select(picture)
    image = some.image
    said = shown_maps(net, image)
    places, heights = find_peaks(said[MAPS[maps]], PEAKS, lowest)
    tags = sample(said["tags"], places)
    numbers = [group(tags, heights, float(limit)) for limit in THRESHOLDS]
    groups = sorted(group(tags, heights, threshold), key=len, reverse=True)
    size = box_side(some.keypoints)[0]
    apart = (places[None] - some.keypoints[0][:, :, None]).norm(dim=-1) / size.clamp_min(1e-6)[:, None, None]
    apart = apart.masked_fill(~some.counts[0][..., None], torch.inf)
    nearest, whose = apart.min(0)
    right = pure = 0
    for members in groups:
        people = [int(whose[j, k]) for j, k in members.items() if nearest[j, k] < 0.2]
        right += len(people)
        pure += max((people.count(person) for person in set(people)), default=0)
    return {
        "image": image[0].permute(1, 2, 0), "heat": said[MAPS[maps]][JOINTS.index(joint)].clamp(0, 1),
        "places": places, "heights": heights, "tags": tags, "groups": groups,
        "counts": [len(some_groups) for some_groups in numbers],
        "people": int(some.present.sum()), "pure": 100 * pure / max(right, 1),
    }  # fmt: skip


def bones_of(members: dict[int, int], places: torch.Tensor) -> torch.Tensor | None:
    """(bones, 2, 2) the bones of a group of which both ends were found; None if there is none."""
    ends = [[places[j, members[j]] for j in bone] for bone in BONES if all(j in members for j in bone)]
    return torch.stack([torch.stack(pair) for pair in ends]) if ends else None


def view_tags(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `tags_demo`."""
    lines, dots, series = [], [], []
    for number, members in enumerate(arrays["groups"]):
        colour = COLOURS[number] if number < len(COLOURS) and len(members) > 1 else "grey"
        at = torch.stack([arrays["places"][j, k] for j, k in members.items()])
        name = f"group {number + 1}"
        if (bones := bones_of(members, arrays["places"])) is not None:
            lines.append(stage.polyline(name, bones, colour=colour, width=2.5))
        dots.append(stage.dots(name, at, colour=colour, size=4.0))
        values = [float(arrays["tags"][j, k].clamp(-5, 5)) for j, k in members.items()]
        series.append(stage.series(name, list(members), values, colour=colour, mode="markers"))
    counts, people = arrays["counts"], arrays["people"]
    return stage.panes(
        stage.image(
            picture=arrays["image"], heat=arrays["heat"], heat_name=params["joint"].replace("_", " "),
            heat_colour="purple", lines=lines, dots=dots, cross=None, margin=0.02, title="peaks, put together",
        ),
        stage.curve(
            series, x=stage.axis("joint", -1, len(JOINTS), ticks={"hip": 0, "spine": 7, "head": 10, "wrist": 16}),
            y=stage.axis("tag", -5, 5), title="the tag of every peak", weight=1.1,
        ),
        stage.curve(
            [stage.series("groups", THRESHOLDS, counts, colour="ink")],
            x=stage.axis("tag threshold", 0.2, 3.0), y=stage.axis("groups", 0, max(8, *counts)),
            lines=[stage.hline("people", people)], now=params["threshold"], grab="threshold",
            title="merge and split", weight=0.9,
        ),
        height=262,
        note=(
            f"{people} people; {len(arrays['groups'])} groups, {sum(len(g) > 1 for g in arrays['groups'])} of them "
            f"with two joints or more; {arrays['pure']:.0f} % of the right peaks are with their group's main person"
        ),
    )  # fmt: skip


def tags_demo(net: CrowdNet) -> Demo:
    """Peaks of all people, put together by tags that are alike."""
    crowds = test_crowds(net.trunk.size)
    controls = {
        "picture": choice([(f"picture {i + 1}", i) for i in range(len(crowds))], FIRST, "test people"),
        "threshold": slider(1.0, 0.2, 3.0, 0.1, "tag threshold"),
        "lowest": slider(0.2, 0.05, 0.8, 0.05, "lowest peak"),
        "joint": choice([(name.replace("_", " "), name) for name in SHOWN_JOINTS], "right_elbow", "heat map of"),
        "maps": choice(list(MAPS), "mean of both", "maps at"),
    }
    start = {"picture": FIRST, "threshold": 1.0, "lowest": 0.2, "joint": "right_elbow", "maps": "mean of both"}
    presets = {
        "as the paper": start,
        "split": start | {"threshold": 0.2},
        "merged": start | {"threshold": 3.0},
        "every faint peak": start | {"lowest": 0.05},
        "coarse maps": start | {"maps": "a quarter"},
    }
    return live(
        partial(compute_tags, net, crowds), view_tags, controls, presets=presets, folded=("joint", "maps"),
        title="Whose elbow? Put the peaks together", recorded=("threshold",),
        grabs={"threshold": lambda at, params: {"threshold": at[0]}},
    )  # fmt: skip
