"""How each row of lesson 10 is trained, and what it is worth on a test."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tutorial_lib.body_model import Posed
from tutorial_lib.lessons.mesh_recovery.recipes import ANGLES, HIDDEN, LATER, NOISE, WIDTHS
from tutorial_lib.lessons.mesh_recovery.world import World
from tutorial_lib.mesh import Parameters, Regressor, unpack
from tutorial_lib.mesh.fitting import Energy, turned
from tutorial_lib.mesh.lixels import LixelNet, surface_loss
from tutorial_lib.mesh.losses import DOTS_ONLY, EVERYTHING, JOINTS_ONLY, body_loss
from tutorial_lib.mesh.metrics import body_errors, dot_errors, posed
from tutorial_lib.mesh.people import detected
from tutorial_lib.mesh.pose_to_mesh import MeshLifter
from tutorial_lib.mesh.spin import as_people, refit
from tutorial_lib.mesh.temporal import acceleration_error, body_lifter, numbers_of, said
from tutorial_lib.mesh.unseen import TurnableRegressor, unseen_loss
from tutorial_lib.training import History, fit

SURFACES = ("lixels", "graph")
TURNABLE = ("seen", "unseen")
FPS = 50.0
Check = Callable[[], float]


def new_network(row: str, width: int) -> nn.Module:
    """An untrained network for a row."""
    if row in WIDTHS:
        return body_lifter(WIDTHS[row], channels=width // 2)
    if row in TURNABLE:
        return TurnableRegressor(width)
    return {"lixels": LixelNet, "graph": MeshLifter}.get(row, Regressor)(width)


def hide(dots: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Some dots at the crop's middle: what nobody saw."""
    gone = torch.rand(dots.shape[:-1], generator=generator).to(dots) < HIDDEN
    return dots.masked_fill(gone[..., None], 0.0)


def loss_of(row: str, net: Any, world: World, generator: torch.Generator, energy: Energy) -> Callable:
    """Step number to loss: draws its batch and its noise."""
    budget = world.budget
    part, tracks = ("pool" if row in ("dots", "once", "loop") else "train"), row in WIDTHS
    people, clean = world.people(part, tracks), world.clean(part, tracks)
    fits: list[Parameters] = []

    def fitted(step: int, dots: torch.Tensor) -> Parameters:
        if not fits or (row == "loop" and step == budget.steps // 2):
            net.eval()
            fits[:] = [refit(net, dots, fits[0] if fits else None, energy, budget.pool_steps)]
            net.train()
        return fits[0]

    def loss(step: int) -> torch.Tensor:
        which = torch.randint(len(people), (budget.batch,), generator=generator).to(world.device)
        if part == "pool":
            # Dots without labels are seen once: their errors stay.
            seen = world.dots("pool")
            dots = seen[which]
            if row == "dots":
                return body_loss(net(dots), dots, people[which], DOTS_ONLY)
            labels = Parameters(*(value[which] for value in fitted(step, seen)))
            return body_loss(net(dots), dots, as_people(labels))
        some, dots = people[which], detected(clean[which], NOISE, generator)
        if tracks:
            middle = dots.shape[1] // 2
            reach = net.frames // 2
            window = dots[:, middle - reach : middle + reach + 1]
            return body_loss(numbers_of(net.windows(window)), dots[:, middle], some.select((slice(None), middle)))
        if row in SURFACES:
            with torch.no_grad():
                truth = some.posed()
            return surface_loss(net(dots), truth)
        if row in TURNABLE:
            shown = hide(dots, generator)
            straight = body_loss(net(shown), dots, some)
            if row == "seen":
                return straight
            angle = 2 * torch.pi * torch.rand(budget.batch, generator=generator).to(dots)
            truth = Parameters(some.rotations, some.betas, torch.zeros_like(some.betas[..., :3]))
            return straight + unseen_loss(net(shown, angle), angle, truth)
        return body_loss(net(dots), dots, some, JOINTS_ONLY if row == "joints" else EVERYTHING)

    return loss


def train_row(
    row: str, net: Any, world: World, seed: int, rate: float, steps: int, energy: Energy, checks: int = 4
) -> History:
    """Train a row's network in place; its last weights stay. The history holds validation MPJPE in mm."""
    loss, looks = loss_of(row, net.train(), world, torch.Generator().manual_seed(seed), energy), []
    every = max(1, steps // checks)

    def step_loss(step: int) -> torch.Tensor:
        if step and step % every == 0:
            look(step)
        return loss(step)

    def look(step: int) -> None:
        with torch.no_grad():
            looks.append((step, judge(row, net.eval(), world, "later" if row in LATER else "validation")))
        net.train()

    history = fit(net, step_loss, steps, rate=rate, final_rate=rate / 100, label=f"{row}, seed {seed}, rate {rate:g}")
    history.whole(row)
    look(steps)
    net.eval()
    history.checks[:] = [(step, found["mpjpe"]) for step, found in looks]
    return history


def answer(row: str, net: Any, dots: torch.Tensor) -> tuple[Posed, Parameters | None]:
    """What a row says of dots: surface and joints, and the body's numbers if it has any."""
    if row in SURFACES:
        return net(dots), None
    body = said(net.lift(dots)) if row in WIDTHS else unpack(net(dots))
    return posed(body), body


def judge(row: str, net: Any, world: World, test: str, seed: int = 0, noise: float = NOISE) -> dict[str, float]:
    """Mean errors in mm of a network in eval mode on a test; of turnable rows, also what they say from elsewhere."""
    tracks = row in WIDTHS
    people, dots = world.people(test, tracks), world.dots(test, noise, seed, tracks)
    shown = hide(dots, torch.Generator().manual_seed(seed)) if row in TURNABLE else dots
    with torch.no_grad():
        found, body = answer(row, net, shown)
        truth = people.posed()
        errors = body_errors(found, truth).means()
        if body is not None:
            errors["dots"] = round(dot_errors(body, dots).mean().item(), 3)
        if tracks:
            errors["acceleration"] = round(acceleration_error(found.joints, truth.joints, FPS).item(), 3)
        if row in TURNABLE:
            right = Parameters(people.rotations, people.betas, people.betas[..., :3])
            for angle in ANGLES:
                turn = torch.full((len(people),), angle * torch.pi / 180).to(dots)
                aside = posed(unpack(net(shown, turn)))
                errors[f"at {angle}"] = body_errors(aside, posed(turned(right, turn))).means()["mpjpe"]
    return errors
