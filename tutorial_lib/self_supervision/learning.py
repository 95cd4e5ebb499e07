"""Trainings of lesson 08: a lifter against its critics. Two sides learn at once, so the loop is written out here."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later
from tutorial_lib.self_supervision.losses import believes, critic_loss, cycle_losses
from tutorial_lib.self_supervision.networks import Critic, DepthLifter
from tutorial_lib.self_supervision.turning import draw_turns, look
from tutorial_lib.self_supervision.views import ELEVATION, Views
from tutorial_lib.skeleton import length

Loss = Callable[[DepthLifter, Critic, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(lifter, critic, seen (B, 17, 2), turn (B, 3, 3)) -> what the lifter wants small, and the turned picture."""


@dataclass(frozen=True)
class Weights:
    """How much each loss counts; 0 leaves it out.

    Attributes:
        in_picture, in_space: of the cycle.
        critic: of the critic of 2D skeletons.
        temporal: of the critic of how they move.
        label: of the distance to the true depth: the supervised baseline.
    """

    in_picture: float = 1.0
    in_space: float = 1.0
    critic: float = 0.1
    temporal: float = 0.0
    label: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """One training.

    Attributes:
        weights: of the losses.
        elevation: degrees by which cameras look down, as the training believes.
        steps, batch, rate: of Adam.
        width, blocks: of the networks.
        penalty: of the critics' slope (R1).
        average: share of the old in the running mean of the weights, which is what is judged.
    """

    weights: Weights = Weights()
    elevation: tuple[float, float] = ELEVATION
    steps: int = 3000
    batch: int = 256
    rate: float = 1e-3
    width: int = 128
    blocks: int = 2
    penalty: float = 0.5
    average: float = 0.998


@dataclass
class Trained:
    """What `train` returns.

    Attributes:
        lifter: with the running mean of its weights.
        critic: of 2D skeletons, as it was at the end.
        checks: (step, what `check` said of the lifter).
        interrupted: whether the student stopped it.
    """

    lifter: DepthLifter
    critic: Critic
    checks: list[tuple[int, Any]] = field(default_factory=list)
    interrupted: bool = False


def train(
    views: Views,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    loss: Loss | None = None,
    check: Callable[[DepthLifter], Any] | None = None,
    looks: Iterable[int] = (),
    label: str = "training",
    progress: bool = True,
) -> Trained:
    """Train a lifter without a single pose, unless the recipe weighs labels.

    Args:
        views: what was seen; its poses are looked at by the supervised baseline alone.
        recipe: what, how long.
        generator: of batches and turns; draw weights with `torch.manual_seed`.
        loss: instead of the recipe's weights: says what the lifter wants small and returns the turned picture.
        check: gets the lifter before the first step, after those of `looks`, and after the last.
        looks: numbers of steps.
        label: what the bar says.
        progress: show a bar.

    Raises:
        ValueError: a loss that is not finite; it names the step.
    """
    seen, weights, device = views.seen, recipe.weights, views.seen.device
    lifter = DepthLifter(recipe.width, recipe.blocks, views.distance).to(device)
    critic, temporal = (Critic(recipe.width, recipe.blocks).to(device) for _ in range(2))
    judged = copy.deepcopy(lifter).requires_grad_(False)
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        makers = torch.optim.Adam(lifter.parameters(), recipe.rate, (0.5, 0.99), fused=True)
        critics = torch.optim.Adam([*critic.parameters(), *temporal.parameters()], recipe.rate, (0.5, 0.99), fused=True)
    result, looks = Trained(judged, critic), {*looks, recipe.steps}

    def batch(of: torch.Tensor) -> torch.Tensor:
        return of[torch.randint(len(of), (recipe.batch,), generator=generator).to(device)]

    def weighed(moments: torch.Tensor, turn: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pose = lifter(moments)
        again = look(pose @ turn.mT, views.distance)
        value = torch.zeros((), device=device)
        if weights.in_picture or weights.in_space:
            in_picture, in_space = cycle_losses(lifter, moments, pose, again, turn)
            value = weights.in_picture * in_picture + weights.in_space * in_space
        if weights.label:
            value = value + weights.label * length(pose - truth).mean()
        if weights.critic:
            value = value + weights.critic * believes(critic, again[:, 0])
        if weights.temporal:
            value = value + weights.temporal * believes(temporal, again[:, 1] - again[:, 0])
        return value, again

    def step(number: int) -> None:
        rows = torch.randint(len(seen), (recipe.batch,), generator=generator).to(device)
        turn = draw_turns(recipe.batch, recipe.elevation, generator).to(device)[:, None]
        # The second moment matters to the temporal critic alone: the same turn for both.
        moments = seen[rows] if weights.temporal else seen[rows, :1]
        if loss is None:
            value, again = weighed(moments, turn, views.pose[rows, :1])
        else:
            value, again = loss(lifter, critic, moments[:, 0], turn[:, 0])
            again = again[:, None]
        if not math.isfinite(value.item()):
            raise ValueError(f"the loss is {value.item()} at step {number}: lower rate={recipe.rate}")
        makers.zero_grad(set_to_none=True)
        value.backward()
        makers.step()
        if weights.critic or weights.temporal:
            shown = batch(seen)
            judged_by = critic_loss(critic, shown[:, 0], again[:, 0], recipe.penalty)
            if weights.temporal:
                moved = (motion[:, 1] - motion[:, 0] for motion in (shown, again))
                judged_by = judged_by + critic_loss(temporal, *moved, recipe.penalty)
            critics.zero_grad(set_to_none=True)
            judged_by.backward()
            critics.step()
        follow(judged, lifter, min(recipe.average, number / (number + 10)))

    def checked(number: int) -> None:
        if check is not None:
            result.checks.append((number, check(judged)))

    try:
        checked(0)
        for number in tqdm(range(1, recipe.steps + 1), desc=label, disable=not progress, mininterval=0.5):
            MODEL_LOCK.let_others()
            with MODEL_LOCK, gradients_on():
                step(number)
            if number in looks:
                checked(number)
    except KeyboardInterrupt:
        result.interrupted = True
    return result


@torch.no_grad()
def follow(mean: nn.Module, model: nn.Module, share: float) -> None:
    """Move a running mean of weights towards a model's: `share` of the old stays."""
    for old, new in zip(mean.parameters(), model.parameters()):
        old.lerp_(new, 1 - share)
