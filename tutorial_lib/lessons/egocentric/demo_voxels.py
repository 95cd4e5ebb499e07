"""The third live demo of lesson 13: fill the cube of voxels with the scene, and watch a foot find its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.egocentric.depth import SceneKind, scene_depth, scene_points
from tutorial_lib.egocentric.inpainting import FillNet
from tutorial_lib.egocentric.metrics import foot_heights
from tutorial_lib.egocentric.network import EgoNet
from tutorial_lib.egocentric.samples import Samples, detected
from tutorial_lib.egocentric.scenes import Scene
from tutorial_lib.egocentric.voxels import HALF, occupancy, to_unit, unproject
from tutorial_lib.grid import to_cells
from tutorial_lib.lessons.egocentric.pictures import (
    DOING,
    boxes_of,
    middle_of,
    nearness,
    on_a_step,
    seen_by,
    test_scenes,
)
from tutorial_lib.lessons.egocentric.recipes import ROWS, SHIPPED
from tutorial_lib.skeleton import JOINTS

ANKLE = JOINTS.index("right_foot")

CLOUDS = {"before": "by its ray alone", "after": "after V2V"}
"""Where the right ankle may be."""


@dataclass(frozen=True)
class Networks:
    """What the demos show, of training seed 0.

    Attributes:
        poses: kind of scene -> the network that is told it.
        filler: what fills holes.
    """

    poses: Mapping[SceneKind, EgoNet]
    filler: FillNet

    @property
    def cells(self) -> int:
        """Along each side of their cubes."""
        return next(iter(self.poses.values())).cells


def networks(folder: Path | None = None) -> Networks:
    """The trained networks.

    Args:
        folder: of the checkpoints; by default those that ship.
    """
    where = checkpoints.FOLDER if folder is None else folder
    return Networks(
        {kind: checkpoints.load(f"egocentric/{kind}", folder=where) for kind in SHIPPED},
        checkpoints.load("egocentric/fill", folder=where),
    )


def asked(nets: Networks, sample: Samples, kind: SceneKind) -> dict[str, torch.Tensor]:
    """What one network is told, and what it says.

    Args:
        nets: trained.
        sample: one row.
        kind: of scene.

    Returns:
        "distance", "there" (P,); "voxels" (n, n, n) bool; "pose" (17, 3) metres, camera frame; "before", "after"
        (n, n, n): where the right ankle may be, by its ray alone and by the network, each summing to one.
    """
    net, cells = nets.poses[kind], nets.cells
    distance, there = scene_depth(sample, kind, nets.filler)
    voxels = occupancy(scene_points(distance), there, cells)
    screen, inside = detected(sample, torch.Generator().manual_seed(0))
    with torch.no_grad():
        pose = net(screen, inside, voxels)[0]
        logits = net.logits(screen, inside, voxels)[0, ANKLE]
        cone = unproject(screen, inside, cells)[0, ANKLE]
    after = torch.softmax(logits.flatten(), 0).view_as(logits)
    return {
        "distance": distance[0], "there": there[0], "voxels": voxels[0], "pose": pose,
        "before": cone / cone.sum().clamp_min(1e-9), "after": after,
    }  # fmt: skip


def compute_voxels(
    nets: Networks, scenes: list[Scene], scene: SceneKind, cloud: str, cut: float, person: int, step: float
) -> dict[str, Any]:
    """What `voxels_demo` shows for these values of its controls."""
    placed = on_a_step(scenes[person], step, 0.05)
    sample, middle = seen_by(placed), middle_of(placed)
    said = asked(nets, sample, scene)
    truth = sample.pose[0]
    where = to_unit(truth[ANKLE])
    row = int(to_cells(where[1] + cut / HALF, nets.cells).round().clamp(0, nets.cells - 1))
    heights = [1000 * foot_heights(pose[None], sample)[0] for pose in (said["pose"], truth)]
    return {
        **said,
        "slice": {name: said[name][:, row] for name in ("voxels", "before", "after")},
        "at": [to_unit(pose[ANKLE])[[0, 2]] for pose in (truth, said["pose"])],
        "world": [sample.in_world(pose[None])[0] - middle for pose in (truth, said["pose"])],
        "feet": 1000 * (said["pose"] - truth)[[3, 6]].norm(dim=-1).mean().item(),
        "heights": (heights[0] - heights[1]).mean().item(),
        "filled": float(said["voxels"].float().mean()),
        "boxes": boxes_of(placed, middle),
    }


def view_voxels(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `voxels_demo`."""
    cut = arrays["slice"]

    def slice_pane(name: str, title: str) -> dict:
        peak = float(cut[name].max().clamp_min(1e-6))
        return stage.image(
            picture=1.0 - 0.75 * cut["voxels"].float(), heat=cut[name] / peak, heat_name="right ankle",
            dots=[
                stage.dots("truth", arrays["at"][0][None], colour="ink", size=7.0, symbol="diamond"),
                stage.dots("says", arrays["at"][1][None], colour="blue", size=6.0),
            ],
            title=f"the cube, cut: {title}", cross=None, margin=0.02,
        )  # fmt: skip

    high = arrays["heights"]
    return stage.panes(
        stage.image(
            picture=nearness(arrays["distance"], arrays["there"]), title="depth, as told", cross=None, weight=0.9,
        ),
        slice_pane(params["cloud"], CLOUDS[params["cloud"]]),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["world"][0]),
                stage.skeleton3d("says", arrays["world"][1], colour="blue"),
            ],
            extent=((-0.9, 0.9), (-0.9, 0.9), (-0.2, 2.1)), view=(-60.0, 6.0), title="in the room", weight=0.85,
            meshes=[stage.mesh3d("box", *box, colour="grey") for box in arrays["boxes"]],
        ),
        height=250,
        note=(
            f"{ROWS[params['scene']]}: feet {arrays['feet']:.0f} mm off, {abs(high):.0f} mm too "
            f"{'high' if high >= 0 else 'low'}; {100 * arrays['filled']:.1f} % of the voxels are filled"
        ),
    )  # fmt: skip


def voxels_demo(nets: Networks) -> Demo:
    """One cube, told different scenes; each is asked by the network that was trained for it."""
    controls = {
        "scene": choice([(ROWS[kind], kind) for kind in SHIPPED], "none", "what it is told"),
        "cloud": choice([(title, name) for name, title in CLOUDS.items()], "after", "right ankle"),
        "cut": slider(0.0, -0.5, 0.5, 0.05, "cut, behind the right ankle (m)"),
        "step": slider(0.0, 0.0, 0.3, 0.05, "step under the feet (m)"),
        "person": choice([(name.replace("_", " "), i) for i, name in enumerate(DOING)], 0, "what the wearer does"),
    }
    start = {"scene": "none", "cloud": "after", "cut": 0.0, "step": 0.0, "person": 0}
    presets = {
        "a ray": start | {"cloud": "before"},
        "no scene": start,
        "a hole": start | {"scene": "hole"},
        "inpainted": start | {"scene": "learned"},
        "true scene": start | {"scene": "true"},
        "on a step": start | {"scene": "true", "step": 0.25},
    }
    return live(
        partial(compute_voxels, nets, test_scenes()), view_voxels, controls, presets=presets, folded=("step", "person"),
        title="Fill the cube: what does the network know about the floor?", recorded=("cut",),
    )  # fmt: skip
