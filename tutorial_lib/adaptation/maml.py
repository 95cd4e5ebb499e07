"""Model-agnostic meta-learning (Finn et al. 2017): from which weights is one gradient step enough for every task?

Nothing here knows of lifters, lenses or poses. Weights are a dict of tensors; a loss is a function of weights and data.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.func import grad, vmap

Weights = dict[str, torch.Tensor]
Loss = Callable[[Weights, Any], torch.Tensor]


def maml_loss(
    start: Weights, support: Any, query: Any, inner: Loss, outer: Loss, *, rate: float, second_order: bool = True
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

    Returns:
        Scalar.

    Source: Finn et al. 2017, Algorithm 1.
    """

    def task(support: Any, query: Any) -> torch.Tensor:
        gradient = grad(inner)(start, support)
        if not second_order:
            gradient = {name: g.detach() for name, g in gradient.items()}
        adapted = {name: torch.add(weight, gradient[name], alpha=-rate) for name, weight in start.items()}
        return outer(adapted, query)

    return vmap(task)(support, query).mean()
