"""Walk round a latent: what two networks say of a side that the camera did not see."""

from functools import partial
from typing import Any

import torch

from tutorial_lib.body_model import body
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.mesh_recovery.pictures import CAMERA_BOX, DOING, Networks, dots_of, test_people
from tutorial_lib.mesh import Parameters, unpack
from tutorial_lib.mesh.fitting import turned
from tutorial_lib.mesh.metrics import posed
from tutorial_lib.metrics import joint_errors

ANGLES = torch.arange(-180, 181, 15.0)
NOISE = 0.02


def compute_turn(nets: Networks, angle: float, person: int) -> dict[str, Any]:
    """What `turn_demo` shows for these values of its controls."""
    dots, people = dots_of(person, NOISE), test_people()[person]
    true = Parameters(people.rotations[0], people.betas[0], people.betas.new_zeros(3))
    all_true = posed(turned(Parameters(*(v.expand(len(ANGLES), *v.shape) for v in true)), ANGLES * torch.pi / 180))
    here = torch.tensor(angle * torch.pi / 180)
    found: dict[str, Any] = {"true": posed(turned(true, here)).vertices, "dots": dots[0]}
    with torch.no_grad():
        for name in ("seen", "unseen"):
            net = getattr(nets, name)
            said = posed(unpack(net(dots.expand(len(ANGLES), -1, -1), ANGLES * torch.pi / 180)))
            found[f"{name}_errors"] = 1000 * joint_errors(said.joints, all_true.joints).mean(-1)
            found[name] = posed(unpack(net(dots[0], here))).vertices
    return found


def view_turn(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `turn_demo`."""

    def scene(title: str, name: str, colour: str) -> dict:
        meshes = [
            stage.mesh3d("truth, turned", arrays["true"], body().faces, colour="grey"),
            stage.mesh3d(title, arrays[name], body().faces, colour=colour),
        ]
        return stage.scene(meshes=meshes, extent=CAMERA_BOX, up="-y", view=(0.0, 4.0), title=title)

    now = {
        name: float(arrays[f"{name}_errors"][(ANGLES - params["angle"]).abs().argmin()]) for name in ("seen", "unseen")
    }
    return stage.panes(
        scene("told the seen side", "seen", "vermillion"),
        scene("told unseen sides too", "unseen", "blue"),
        stage.curve(
            [
                stage.series("seen side", ANGLES, arrays["seen_errors"], colour="vermillion", dash="dash"),
                stage.series("unseen too", ANGLES, arrays["unseen_errors"], colour="blue"),
            ],
            x=stage.axis("turned by (degrees)", -180, 180), y=stage.axis("joints' error (mm)", 0, 600),
            now=params["angle"], grab="turn", title="asked from all around", weight=1.1,
        ),
        height=270,
        note=f"turned by {params['angle']:.0f} degrees: {now['seen']:.0f} mm if told the seen side, "
        f"{now['unseen']:.0f} mm if told unseen sides too",
    )  # fmt: skip


def turn_demo(nets: Networks) -> Demo:
    """Ask for the person as seen from elsewhere."""
    controls = {
        "angle": slider(0.0, -180.0, 180.0, 15.0, "turned by (degrees)"),
        "person": choice([(name, number) for number, name in enumerate(DOING)], 0, "what they do"),
    }
    presets = {
        "as seen": {"angle": 0.0, "person": 0},
        "from the side": {"angle": 90.0, "person": 0},
        "from behind": {"angle": 180.0, "person": 0},
    }
    return live(
        partial(compute_turn, nets), view_turn, controls, presets=presets, title="The same dots, asked from elsewhere",
        plays="angle", recorded=("angle",), grabs={"turn": lambda at, params: {"angle": at[0]}},
    )  # fmt: skip
