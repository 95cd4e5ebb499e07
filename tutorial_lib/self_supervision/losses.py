"""The losses of lesson 08: what a cycle must keep, and what critics say. Lengths in metres."""

import torch
import torch.nn.functional as F

from tutorial_lib.self_supervision.networks import Critic, DepthLifter
from tutorial_lib.self_supervision.turning import look


def cycle_losses(
    lifter: DepthLifter, seen: torch.Tensor, pose: torch.Tensor, again: torch.Tensor, turn: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lift the picture of a turned pose, turn back, look: (2D loss, 3D loss), mean squared distances in square metres.

    Args:
        lifter: lifts a second time.
        seen: (..., 17, 2) what was seen first, metres at the lifter's distance.
        pose: (..., 17, 3) `seen` lifted.
        again: (..., 17, 2) the picture of `pose` turned.
        turn: (..., 3, 3), of `turning.draw_turns`.
    """
    second = lifter(again)
    in_space = (second - pose @ turn.mT).square().sum(-1).mean()
    in_picture = (look(second @ turn, lifter.distance) - seen).square().sum(-1).mean()
    return in_picture, in_space


def believes(critic: Critic, made_up: torch.Tensor) -> torch.Tensor:
    """What the maker of `made_up` (..., 17, 2) wants small: that the critic takes it for seen."""
    return F.softplus(-critic(made_up)).mean()


def critic_loss(critic: Critic, seen: torch.Tensor, made_up: torch.Tensor, penalty: float) -> torch.Tensor:
    """What the critic wants small: the logistic loss, and the slope at what was seen (R1, Mescheder et al. 2018).

    Args:
        critic: a `Critic`.
        seen: (N, 17, 2) real 2D skeletons.
        made_up: (N, 17, 2), without gradient.
        penalty: weight of the squared slope; 0 leaves it out.
    """
    seen = seen.detach().requires_grad_(penalty > 0)
    score = critic(seen)
    loss = F.softplus(-score).mean() + F.softplus(critic(made_up.detach())).mean()
    if penalty:
        (slope,) = torch.autograd.grad(score.sum(), seen, create_graph=True)
        loss = loss + penalty / 2 * slope.square().sum((-2, -1)).mean()
    return loss
