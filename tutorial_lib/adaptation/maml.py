"""Model-agnostic meta-learning (Finn et al. 2017): from which weights is one gradient step enough for every task?

Nothing here knows of lifters, lenses or poses. Weights are a dict of tensors; a loss is a function of weights and data.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.func import grad, vmap

from tutorial_lib.locking import interrupts_later

Weights = dict[str, torch.Tensor]
Loss = Callable[[Weights, Any], torch.Tensor]


@interrupts_later()  # the first vmap of a process imports torch's compiler
def maml_loss(
    start: Weights,
    support: Any,
    query: Any,
    inner: Loss,
    outer: Loss,
    *,
    rate: float,
    second_order: bool = True,
    stepped: Callable[[str], bool] = lambda name: True,
) -> torch.Tensor:
    """The outer loss after one inner step on each task, averaged over the tasks.

        theta_i = start - rate * grad inner(start, support_i);   objective = mean over i of outer(theta_i, query_i)

    Args:
        start: theta by name; the gradient of the result arrives at these tensors.
        support: what the inner steps see: a tensor, or a tuple or dict of tensors, with the tasks on the first axis.
        query: the same for the outer loss.
        inner: weights and one task's support to a scalar.
        outer: weights and one task's query to a scalar.
        rate: alpha, the inner learning rate.
        second_order: differentiate through the inner gradient; False treats it as a constant (first-order MAML).
        stepped: which names the inner step moves; all of them are trained. Only the last layer: ANIL.

    Returns:
        Scalar.

    Source: Finn et al. 2017, Algorithm 1; ANIL: Raghu et al. 2020.
    """
    still = {name: weight for name, weight in start.items() if not stepped(name)}
    moving = {name: weight for name, weight in start.items() if stepped(name)}

    def task(support: Any, query: Any) -> torch.Tensor:
        gradient = grad(lambda weights: inner(still | weights, support))(moving)
        if not second_order:
            gradient = {name: g.detach() for name, g in gradient.items()}
        adapted = {name: torch.add(weight, gradient[name], alpha=-rate) for name, weight in moving.items()}
        return outer(still | adapted, query)

    return vmap(task)(support, query).mean()


def reptile_loss(start: Weights, batches: tuple[torch.Tensor, ...], inner: Loss, *, rate: float) -> torch.Tensor:
    """Half the squared distance from the start to where a few ordinary steps on each task lead, on average.

    Its gradient is start - mean over i of theta_i: Reptile walks towards the tasks' own weights. There is no second
    derivative and no query set.

    Args:
        start: as in `maml_loss`.
        batches: tensors (tasks, inner steps, ...): what each task's steps see, one after the other.
        inner: weights and the tensors of one step to a scalar.
        rate: of the inner steps.

    Returns:
        Scalar.

    Source: Nichol, Achiam, Schulman 2018, its batched form; the step towards the mean is the optimiser's.
    """

    def task(*batches: torch.Tensor) -> Weights:
        weights = {name: weight.detach() for name, weight in start.items()}
        for batch in zip(*batches):
            gradient = grad(inner)(weights, batch)
            weights = {name: weight - rate * gradient[name] for name, weight in weights.items()}
        return weights

    goals = vmap(task)(*batches)
    return torch.stack([((start[name] - goal.mean(0)) ** 2).sum() for name, goal in goals.items()]).sum() / 2
