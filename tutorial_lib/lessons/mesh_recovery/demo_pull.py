"""Pull the dots: a fit step by step. The picture's error falls all the time; the body's need not."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.body_model import body
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.mesh_recovery.fits import mean_start
from tutorial_lib.lessons.mesh_recovery.pictures import CAMERA_BOX, DOING, dots_of, test_people
from tutorial_lib.mesh import Parameters, Regressor, reproject
from tutorial_lib.mesh.fitting import Energy, fit
from tutorial_lib.mesh.metrics import posed
from tutorial_lib.metrics import joint_errors
from tutorial_lib.skeleton import length

STEPS = 150
SIGMA = 0.02
"""What the energy believes of the dots, whatever their noise."""

Descent = Callable[[torch.Tensor, Parameters, float, int], Sequence[Parameters]]
"""Dots, a start, the prior's weight and a number of steps to the start and the bodies after every step."""

_CHECKED: list[Descent] = []


def checked(descent: Descent) -> None:
    """Note a student's descent that passed its check: `descent` gives it from now on."""
    _CHECKED[:] = [descent]


def own_descent(dots: torch.Tensor, start: Parameters, prior: float, steps: int) -> Sequence[Parameters]:
    """The course's."""
    return fit(dots, start, Energy(prior, SIGMA), steps).steps


def descent() -> Descent:
    """The student's, or the course's until that is right."""
    return _CHECKED[0] if _CHECKED else own_descent


def fitted(
    net: Regressor, start: str, prior: float, noise: float, person: int, pull: Descent = own_descent
) -> dict[str, Any]:
    """A whole fit: bodies (steps + 1, ...) and both errors of each."""
    dots = dots_of(person, noise)
    with torch.no_grad():
        first = net.bodies(dots) if start == "net" else mean_start(dots)
    with torch.enable_grad():
        path = pull(dots, first, prior, STEPS)
    with torch.no_grad():
        steps = Parameters(*(torch.stack([getattr(s, name)[0] for s in path]) for name in Parameters._fields))
        joints, truth = body().joints(steps.rotations, steps.betas), test_people()[person].joints()
        shown = reproject(joints, steps.camera)
        return {
            "steps": steps, "dots": dots[0], "shown": shown,
            "dot_errors": 1000 * length(shown - dots).mean(-1),
            "body_errors": 1000 * joint_errors(joints, truth.expand_as(joints)).mean(-1),
        }  # fmt: skip


def compute_pull(fits: Any, step: int, prior: float, start: str, noise: float, person: int) -> dict[str, Any]:
    """What `pull_demo` shows for these values of its controls; `fits` is `fitted` with a memory."""
    found = fits(start, prior, noise, person)
    now = Parameters(*(value[step] for value in found["steps"]))
    true = test_people()[person].posed()
    surface = posed(now)
    return {
        "dots": found["dots"], "shown": found["shown"][step],
        "found": surface.vertices - surface.joints[:1], "true": (true.vertices - true.joints[:, :1])[0],
        "dot_errors": found["dot_errors"], "body_errors": found["body_errors"],
        "best": int(found["body_errors"].argmin()),
    }  # fmt: skip


def view_pull(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `pull_demo`."""
    step, x = params["step"], np.arange(STEPS + 1)
    off, wrong = arrays["dot_errors"], arrays["body_errors"]
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("fitted", arrays["shown"], colour="blue", width=3.0)],
            dots=[stage.dots("dots", arrays["dots"], colour="vermillion", size=5.0)],
            title="what the camera sees", cross=None,
        ),
        stage.scene(
            meshes=[
                stage.mesh3d("truth", arrays["true"], body().faces, colour="grey"),
                stage.mesh3d("fitted", arrays["found"], body().faces, colour="blue"),
            ],
            extent=CAMERA_BOX, up="-y", view=(70.0, 6.0), title="from the side",
        ),
        stage.curve(
            [
                stage.series("body (mm)", x, wrong, colour="blue"),
                stage.series("dots (1/1000)", x, off, colour="vermillion", dash="dash"),
            ],
            x=stage.axis("step", 0, STEPS), y=stage.axis("error", 1, 400, log=True), now=step, grab="walk",
            title="two errors", weight=1.1,
        ),
        height=270,
        note=(
            f"step {step}: dots {float(off[step]):.1f} thousandths, body {float(wrong[step]):.0f} mm; the body was "
            f"nearest at step {arrays['best']} ({float(wrong[arrays['best']]):.0f} mm)"
        ),
    )  # fmt: skip


def pull_demo(net: Regressor, pull: Descent = own_descent) -> Demo:
    """Walk along a fit; choose its prior, its start, and how well it sees."""
    controls = {
        "step": slider(0, 0, STEPS, 5, "step"),
        "prior": choice([("none", 0.0), ("weak", 0.1), ("usual", 1.0), ("strong", 10.0)], 0.0, "prior"),
        "start": choice([("the mean body", "mean"), ("a network", "net")], "net", "start"),
        "noise": choice([("none", 0.0), ("1 %", 0.01), ("2 %", 0.02), ("4 %", 0.04)], 0.02, "noise of the dots"),
        "person": choice([(name, number) for number, name in enumerate(DOING)], 0, "what they do"),
    }
    usual = {"step": STEPS, "prior": 1.0, "start": "net", "noise": 0.02, "person": 0}
    presets = {
        "SMPLify": usual | {"start": "mean"},
        "SPIN's inner fit": usual | {"step": STEPS // 3},
        "greedy": usual | {"prior": 0.0},
        "greedy, perfect dots": usual | {"prior": 0.0, "noise": 0.0},
    }
    fits = lru_cache(maxsize=64)(partial(fitted, net, pull=pull))
    whose = ", by your descent" if pull in _CHECKED else ""
    return live(
        partial(compute_pull, fits), view_pull, controls, presets=presets,
        title=f"Pull the body to the dots{whose}", folded=("noise", "person"), plays="step", recorded=("step",),
        grabs={"walk": lambda at, params: {"step": at[0]}},
    )  # fmt: skip
