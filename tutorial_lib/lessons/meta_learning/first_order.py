"""Why first-order MAML leaves its start on crooked rigs: which way its gradient points, and how far it gets.

Along a direction of curvature h a step of rate alpha leaves (1 - alpha h) of the distance to the optimum. MAML's
gradient carries that factor twice, so it never points away from the optimum. First-order MAML leaves one of them out:
where alpha h > 1 its gradient has the wrong sign, and the start is driven off until the ground is flat enough.
"""

import copy
from dataclasses import dataclass

import torch

from tutorial_lib.adaptation.lifters import supervised_loss
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lessons.meta_learning.experiment_crooked import BUDGETS, METHODS, draw_episode, episode
from tutorial_lib.lifting import Lifter, TemporalLifter
from tutorial_lib.training import fit


def curvature(model: Lifter, support: Windows, *, generator: torch.Generator, rounds: int = 15) -> float:
    """The largest curvature of the supervised loss at a network's weights: its Hessian's eigenvalue, power iteration.

    Args:
        model: in eval mode.
        support: of one environment.
        generator: of the first direction.
        rounds: products of the Hessian with a direction.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    loss = supervised_loss(model.windows(support.keypoints), support.pose)
    slopes = torch.autograd.grad(loss, weights, create_graph=True)
    direction = [torch.randn(weight.shape, generator=generator).to(weight.device) for weight in weights]
    found = 0.0
    for _ in range(rounds):
        norm = torch.stack([(part**2).sum() for part in direction]).sum().sqrt()
        direction = [part / norm for part in direction]
        turned = torch.autograd.grad(slopes, weights, direction, retain_graph=True)
        found = torch.stack([(a * b).sum() for a, b in zip(turned, direction)]).sum().item()
        direction = list(turned)
    return found


def agreement(model: TemporalLifter, alpha: float, footage: Footage, *, tasks: int = 16, seed: int = 0) -> float:
    """The cosine between first-order MAML's gradient and MAML's on the same environments; -1 would be the way back."""
    gradients = []
    for name in ("maml", "first-order"):
        chance = torch.Generator().manual_seed(seed)
        loss = episode(model, METHODS[name], BUDGETS["shipped"], footage, tasks, chance, alpha)
        gradients.append(torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))]))
    return torch.cosine_similarity(*gradients, dim=0).item()


@dataclass(frozen=True)
class Drift:
    """What a rate of the inner step does to the start of a pretrained network.

    Attributes:
        alpha: that rate.
        overshoot: alpha times the largest curvature, the mean over environments: above 1 the step goes too far.
        cosines: of `agreement`, on several draws of environments.
        start: error in mm before any step of the network as it was.
        after: by method, "first-order" and "maml": the same after some meta-steps.
        settled: `overshoot` after first-order MAML's.
    """

    alpha: float
    overshoot: float
    cosines: list[float]
    start: float
    after: dict[str, float]
    settled: float


def drift(
    model: TemporalLifter, alpha: float, footage: Footage, validation: Footage, *, steps: int = 10, seed: int = 0
) -> Drift:
    """Measure it.

    Args:
        model: in eval mode; it stays as it is.
        alpha: rate of the inner step.
        footage: of the meta-steps.
        validation: of the errors and curvatures.
        steps: meta-steps.
        seed: of everything that is drawn.
    """
    budget, model = BUDGETS["shipped"], copy.deepcopy(model).requires_grad_(True)

    def error(network: TemporalLifter) -> float:
        with torch.no_grad():
            chance = torch.Generator().manual_seed(seed + 1)
            return 1000 * episode(network, METHODS["maml"], budget, validation, 32, chance, 0.0).item()

    def steepest(network: TemporalLifter, tasks: int = 4) -> float:
        chance = torch.Generator().manual_seed(seed)
        support, _ = draw_episode(budget, validation, tasks, False, chance)
        sets = [Windows(keypoints, pose) for keypoints, pose in zip(support.keypoints, support.pose)]
        return sum(curvature(network, one, generator=chance) for one in sets) / tasks

    after, overshoot = {}, {"before": alpha * steepest(model)}
    for name in ("first-order", "maml"):
        network, draws = copy.deepcopy(model), torch.Generator().manual_seed(seed)
        fit(
            network,
            lambda step, network=network, name=name, draws=draws: episode(
                network, METHODS[name], budget, footage, budget.tasks, draws, alpha
            ),
            steps,
            rate=budget.rate,
            final_rate=budget.rate,
            progress=False,
        )
        after[name], overshoot[name] = error(network), alpha * steepest(network)
    cosines = [agreement(model, alpha, validation, seed=seed + draw) for draw in range(3)]
    return Drift(alpha, overshoot["before"], cosines, error(model), after, overshoot["first-order"])
