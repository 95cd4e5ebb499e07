"""A body drawn to dots by descent: SMPLify (Bogo et al. 2016) on the course's body.

First the torso: only the pelvis' turn and the camera move. Then everything. The energy is that of a posterior: squared
errors in standard deviations of the dots, beside the negative log-likelihood of pose and shape. So a weight of 1 for
the priors is what probability asks for, if the prior is right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from tutorial_lib.body_model import body, pose_prior
from tutorial_lib.body_model.prior import PosePrior
from tutorial_lib.body_model.rotations import from_axis_angle, to_axis_angle
from tutorial_lib.mesh.numbers import Parameters
from tutorial_lib.mesh.weak_perspective import best_camera, reproject
from tutorial_lib.skeleton import JOINTS

TORSO = tuple(JOINTS.index(name) for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder"))


def gmof(square: torch.Tensor, scale: float) -> torch.Tensor:
    """Geman and McClure's robust error of a squared distance: itself when small, `scale` squared when large."""
    return scale**2 * square / (scale**2 + square)


@dataclass(frozen=True)
class Energy:
    """What a fit minimises.

    Attributes:
        prior: weight of the pose's and the shape's negative log-likelihood; 0 lets the dots decide alone.
        sigma: standard deviation that the dots are believed to have, half-sides of the crop.
        scale: of `gmof`, half-sides: dots much further off are held for mistakes. SPIN: 100 of 112 pixels.
    """

    prior: float = 1.0
    sigma: float = 0.01
    scale: float = 0.9

    def dots(self, joints: torch.Tensor, camera: torch.Tensor, dots: torch.Tensor) -> torch.Tensor:
        """(...,) of joints (..., J, 3) in metres that a camera shows beside dots (..., J, 2)."""
        square = (reproject(joints, camera) - dots).square().sum(-1)
        return gmof(square, self.scale).sum(-1) / (2 * self.sigma**2)

    def likely(self, turns: torch.Tensor, betas: torch.Tensor, pose: PosePrior) -> torch.Tensor | float:
        """(...,) of axis-angle turns (..., 18, 3) and shapes (..., 6)."""
        return self.prior * (pose.nll(turns) + 0.5 * betas.square().sum(-1)) if self.prior else 0.0


@dataclass(frozen=True)
class Path:
    """A fit, step by step; index 0 is its start.

    Attributes:
        steps: bodies at every kept step.
        numbers: which steps those are.
    """

    steps: tuple[Parameters, ...]
    numbers: tuple[int, ...]

    @property
    def last(self) -> Parameters:
        """Where it ended."""
        return self.steps[-1]

    def measured(self, measure: Callable[[Parameters], torch.Tensor]) -> torch.Tensor:
        """(steps, ...) what `measure` says of each."""
        return torch.stack([measure(step) for step in self.steps])


def turned(parameters: Parameters, angle: torch.Tensor | float) -> Parameters:
    """The same bodies turned about the picture's vertical by `angle` (...,) radians, and nothing else.

    A positive angle turns what was near the camera to the picture's right.
    """
    rotations = parameters.rotations
    turn = about_vertical(torch.as_tensor(angle, dtype=rotations.dtype, device=rotations.device))
    pelvis = turn @ rotations[..., 0, :, :]
    return parameters._replace(rotations=torch.cat([pelvis[..., None, :, :], rotations[..., 1:, :, :]], -3))


def about_vertical(angle: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) turns by `angle` (...,) radians: camera axes, so the vertical points down; the near goes right."""
    return from_axis_angle(torch.stack([torch.zeros_like(angle), -angle, torch.zeros_like(angle)], -1))


def fit_torso(dots: torch.Tensor, start: Parameters, steps: int = 30, rate: float = 0.05, yaws: int = 4) -> Parameters:
    """SMPLify's first stage: turn and place the body until hips and shoulders are where their dots are.

    Args:
        dots: (N, 17, 2).
        start: of N people.
        steps: of descent.
        rate: of Adam.
        yaws: from so many sides; the best is kept. Four dots of a torso cannot tell a chest from a back by their
            places, but they do by their names.
    """
    model = body().to(dots)
    angle = torch.arange(yaws).to(dots) * (2 * torch.pi / yaws)
    many = turned(Parameters(*(value.expand(yaws, *value.shape) for value in start)), angle[:, None])
    with torch.no_grad():
        camera = best_camera(model.joints(many.rotations, many.betas), dots)
    pelvis, camera = to_axis_angle(many.rotations[..., 0, :, :]).requires_grad_(), camera.requires_grad_()
    fixed, torso = many.rotations[..., 1:, :, :], list(TORSO)

    def now() -> Parameters:
        return Parameters(torch.cat([from_axis_angle(pelvis)[..., None, :, :], fixed], -3), many.betas, camera)

    def energy() -> torch.Tensor:
        body_now = now()
        joints = model.joints(body_now.rotations, body_now.betas)[..., torso, :]
        return (reproject(joints, camera) - dots[..., torso, :]).square().sum((-1, -2))

    _descend([pelvis, camera], lambda: energy().sum(), steps, rate)
    with torch.no_grad():
        best, people = energy().argmin(0), torch.arange(len(dots))
        return Parameters(*(value[best, people] for value in now()))


def fit(
    dots: torch.Tensor,
    start: Parameters,
    energy: Energy = Energy(),  # noqa: B008 (frozen)
    steps: int = 200,
    rate: float = 0.02,
    keep: Sequence[int] | None = None,
) -> Path:
    """SMPLify's second stage: every rotation, the shape and the camera, by Adam.

    People do not disturb each other: each has its own energy, and Adam looks at each number alone.

    Args:
        dots: (N, 17, 2) half-sides of the crop.
        start: of N people, from a network or from `fit_torso`.
        energy: what is minimised.
        steps: of descent.
        rate: of Adam, radians a step.
        keep: steps to keep; all of them by default.
    """
    model, prior = body().to(dots), pose_prior()
    prior = PosePrior(prior.shares.to(dots), prior.means.to(dots), prior.factors.to(dots))
    turns = to_axis_angle(start.rotations).detach().clone().requires_grad_()
    betas, camera = start.betas.detach().clone().requires_grad_(), start.camera.detach().clone().requires_grad_()
    numbers = tuple(range(steps + 1)) if keep is None else tuple(sorted({0, *keep}))
    kept: list[Parameters] = []

    def total() -> torch.Tensor:
        joints = model.joints(from_axis_angle(turns), betas)
        return (energy.dots(joints, camera, dots) + energy.likely(turns[..., 1:, :], betas, prior)).sum()

    def look(step: int) -> None:
        if step in numbers:
            with torch.no_grad():
                kept.append(Parameters(from_axis_angle(turns), betas.clone(), camera.clone()))

    _descend([turns, betas, camera], total, steps, rate, look)
    return Path(tuple(kept), numbers)


def _descend(
    values: list[torch.Tensor],
    energy: Callable[[], torch.Tensor],
    steps: int,
    rate: float,
    look: Callable[[int], None] = lambda step: None,
) -> None:
    optimiser = torch.optim.Adam(values, lr=rate)
    with torch.enable_grad():
        for step in range(steps):
            look(step)
            optimiser.zero_grad(set_to_none=True)
            energy().backward()
            optimiser.step()
    look(steps)
