"""Learning to learn in one picture: a parameter with two numbers, a few tasks, one inner step.

Each task is a bowl L_i(w) = 1/2 (w - c_i)' A_i (w - c_i). Joint training minimises the mean of L_i(w); MAML
minimises the mean of L_i(w - alpha grad L_i(w)). For bowls everything has a closed form, which the tests use.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider

TASK_COLOURS = ("vermillion", "green", "purple")


@dataclass(frozen=True)
class Bowls:
    """Tasks as quadratic bowls.

    Attributes:
        centres: (tasks, 2) where each loss is zero.
        curvature: (tasks, 2, 2) symmetric, positive definite.
    """

    centres: torch.Tensor
    curvature: torch.Tensor

    def loss(self, w: torch.Tensor) -> torch.Tensor:
        """(..., tasks, 2) or (2,) parameters to (..., tasks) losses."""
        offset = w - self.centres
        return 0.5 * (offset[..., None, :] @ self.curvature @ offset[..., :, None])[..., 0, 0]

    def inner(self, w: torch.Tensor, alpha: float) -> torch.Tensor:
        """One gradient step on each task from w (2,): (tasks, 2)."""
        return w - alpha * (self.curvature @ (w - self.centres)[..., None])[..., 0]

    def meta_loss(self, w: torch.Tensor, alpha: float) -> torch.Tensor:
        """Mean loss after the inner step: what MAML minimises; alpha 0 is joint training."""
        return self.loss(self.inner(w, alpha)).mean()

    def curvature_after(self, alpha: float) -> torch.Tensor:
        """Second derivative of each task's loss after the step: (I - alpha A) A (I - alpha A)."""
        shrink = torch.eye(2) - alpha * self.curvature
        return shrink @ self.curvature @ shrink

    def optimum(self, alpha: float) -> torch.Tensor:
        """The minimiser of `meta_loss` in closed form: (2,)."""
        weight = self.curvature_after(alpha)
        return torch.linalg.solve(weight.sum(0), (weight @ self.centres[..., None]).sum(0))[:, 0]


def three_bowls() -> Bowls:
    """Two round, steep tasks far apart, and a long valley that one step cannot cross."""
    angle = torch.tensor([0.3, 1.2, -0.5])
    stretch = torch.tensor([[4.0, 3.0], [3.5, 4.5], [0.25, 3.0]])
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], -2)
    centres = torch.tensor([[-0.55, 0.45], [-0.35, -0.6], [0.75, 0.05]])
    return Bowls(centres, turn @ torch.diag_embed(stretch) @ turn.transpose(-1, -2))


def descend(bowls: Bowls, start: torch.Tensor, alpha: float, steps: int) -> torch.Tensor:
    """The outer loop: plain gradient descent on `meta_loss` by autograd: (steps + 1, 2).

    Its rate is a third of the largest stable one, so that every alpha can be followed by eye.
    """
    rate = 0.66 / torch.linalg.eigvalsh(bowls.curvature_after(alpha).mean(0)).max().item()
    path = [start.clone()]
    for _ in range(steps):
        w = path[-1].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(bowls.meta_loss(w, alpha), w)
        path.append(path[-1] - rate * gradient)
    return torch.stack(path).detach()


def _ellipse(centre: torch.Tensor, curvature: torch.Tensor, level: float) -> torch.Tensor:
    angle = torch.linspace(0, 2 * torch.pi, 65)
    values, vectors = torch.linalg.eigh(curvature)
    unit = torch.stack([angle.cos(), angle.sin()], -1)
    return centre + (unit * torch.sqrt(2 * level / values)) @ vectors.T


def compute_toy(bowls: Bowls, alpha: float, x: float, y: float, outer: int) -> dict[str, Any]:
    """What `toy_demo` shows for these values of its controls."""
    start = torch.tensor([x, y])
    path = descend(bowls, start, alpha, outer)
    theta = path[-1]
    best = bowls.optimum(alpha)
    return {
        "path": path,
        "theta": theta,
        "adapted": bowls.inner(theta, alpha),
        "best": best,
        "loss": [bowls.meta_loss(w, alpha).item() for w in path],
        "joint": [bowls.meta_loss(w, alpha).item() for w in descend(bowls, start, 0.0, outer)],
        "floor": bowls.meta_loss(best, alpha).item(),
        "after": bowls.loss(bowls.inner(theta, alpha)).tolist(),
        "before": bowls.loss(theta).tolist(),
    }


def view_toy(
    joint: torch.Tensor, rings: list[torch.Tensor], names: list[str], arrays: dict[str, Any], params: dict[str, Any]
) -> dict[str, Any]:
    """The picture of `toy_demo`."""
    steps = np.arange(len(arrays["path"]))
    lines = [
        stage.polyline(name, ring, colour=colour, width=1.5) for name, ring, colour in zip(names, rings, TASK_COLOURS)
    ]
    arrows = [
        stage.polyline(
            f"inner step {i + 1}",
            torch.stack([arrays["theta"], arrays["adapted"][i]]),
            colour=colour,
            width=4,
        )
        for i, colour in enumerate(TASK_COLOURS)
    ]
    path = [stage.polyline("path of θ", arrays["path"], colour="blue", width=3)] if len(steps) > 1 else []
    return stage.panes(
        stage.image(
            lines=[*lines, *arrows, *path],
            dots=[
                stage.dots("θ", arrays["theta"][None], colour="blue", size=9),
                stage.dots("best θ for one step", arrays["best"][None], colour="ink", size=6),
                stage.dots("best θ without a step", joint[None], colour="grey", size=6),
            ],
            cross=None,
            title="the plane of θ: rings are the losses of three tasks",
            handles=[stage.handle("start of θ", arrays["path"][0], colour="blue")],
        ),
        stage.curve(
            [
                stage.series("MAML: θ trained for the step", steps, arrays["loss"], colour="blue"),
                stage.series("joint: θ trained for the mean", steps, arrays["joint"], colour="orange", dash="dash"),
            ],
            x=stage.axis("outer steps", 0, 60),
            y=stage.axis("mean loss after a step", 0.01, 3, log=True),
            lines=[stage.hline("the best there is", arrays["floor"])],
        ),
        stage.table(
            ["loss", *names],
            [
                ["at θ", *(f"{v:.3f}" for v in arrays["before"])],
                ["after one inner step", *(f"{v:.3f}" for v in arrays["after"])],
            ],
        ),
        height=228,
    )


def toy_demo() -> Demo:
    """theta, the inner steps and the outer gradient, with everything in view."""
    bowls = three_bowls()
    joint = bowls.optimum(0.0)
    rings = [
        torch.stack([_ellipse(c, a, level) for level in (0.02, 0.12)]) for c, a in zip(bowls.centres, bowls.curvature)
    ]
    names = [f"task {i + 1}" for i in range(len(rings))]

    return live(
        partial(compute_toy, bowls),
        partial(view_toy, joint, rings, names),
        {
            "alpha": slider(0.25, 0.0, 0.4, 0.01, "inner rate α"),
            "x": slider(0.6, -0.9, 0.9, 0.02, "start of θ, across"),
            "y": slider(0.7, -0.9, 0.9, 0.02, "start of θ, up/down"),
            "outer": slider(30, 0, 60, 1, "outer steps"),
        },
        presets={
            "before any training": {"outer": 0},
            "MAML with a large step": {"alpha": 0.35, "outer": 60},
            "no inner step: joint training": {"alpha": 0.0, "outer": 60},
        },
        title="Where should θ stand, if every task may take one step?",
        folded=("x", "y"),
        grabs={"start of θ": lambda at, params: {"x": at[0], "y": at[1]}},
        plays="outer",
    )
