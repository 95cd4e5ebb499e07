"""Who finds it first? Agents, each a search distribution over latents that moves to where the error is large.

All methods ask the network equally often: `steps` times `samples` questions an agent. `at_random` is the control.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from tutorial_lib.locking import gradients_on, interrupts_later
from tutorial_lib.stress_testing.simulator import Errors, draw

START = 0.8
"""Agents start apart, anywhere within this share of the cube: all at one point, they find one region."""


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        path: (steps + 1, A, D) where each agent stood.
        errors: (A,) at the end of its path.
        worst: (steps,) the largest error of all questions so far.
        queries: how many questions.
    """

    path: torch.Tensor
    errors: torch.Tensor
    worst: torch.Tensor
    queries: int

    @property
    def centres(self) -> torch.Tensor:
        """(A, D) where the agents ended."""
        return self.path[-1]


def starts(agents: int, axes: int, generator: torch.Generator) -> torch.Tensor:
    """(agents, axes) places apart from each other."""
    return START * draw(agents, generator, axes)


def reinforce(
    errors: Errors, start: torch.Tensor, steps: int, samples: int, *, generator: torch.Generator,
    std: float = 0.15, rate: float = 0.05, memory: float = 0.5,
) -> Search:  # fmt: skip
    """Policy gradient: each agent is a Gaussian whose mean learns from how bad its samples were.

    Args:
        errors: of latents.
        start: (A, D) where the agents begin.
        steps: how often a mean moves.
        samples: questions an agent asks before it moves.
        generator: of the samples.
        std: of the Gaussian; it stays.
        rate: of Adam.
        memory: share of the old in each agent's baseline, the running mean of its errors.
    """
    mean = start.clone().requires_grad_()
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        optimiser = torch.optim.Adam([mean], lr=rate)
    path, worst, baseline = [start], [], None
    for _ in range(steps):
        noise = torch.randn(samples, *start.shape, generator=generator)
        asked = (mean.detach() + std * noise).clamp(-1, 1)
        found = errors(asked)
        baseline = found.mean(0) if baseline is None else memory * baseline + (1 - memory) * found.mean(0)
        with gradients_on():
            optimiser.zero_grad()
            policy_loss(mean, asked, found - baseline, std).backward()
        optimiser.step()
        with torch.no_grad():
            mean.clamp_(-1, 1)
        path.append(mean.detach().clone())
        worst.append(found.max())
    return _searched(errors, path, worst, steps * samples * len(start))


def policy_loss(mean: torch.Tensor, asked: torch.Tensor, advantage: torch.Tensor, std: float) -> torch.Tensor:
    """What falls when samples that were worse than the baseline become likelier: a scalar.

    Args:
        mean: (A, D) of the agents' Gaussians.
        asked: (samples, A, D) what was drawn.
        advantage: (samples, A) error minus baseline.
        std: of the Gaussians.
    """
    log_density = -0.5 * ((asked - mean) / std).square().sum(-1)
    return -(advantage * log_density).mean(0).sum()


def cem(
    errors: Errors, start: torch.Tensor, steps: int, samples: int, *, generator: torch.Generator,
    std: float = 0.4, elite: float = 0.25, memory: float = 0.3, least: float = 0.05,
) -> Search:  # fmt: skip
    """Cross-entropy method: each agent moves to the mean of its worst samples, and is as wide as they lie apart.

    Args:
        errors: of latents.
        start: (A, D) where the agents begin.
        steps: how often an agent moves.
        samples: questions an agent asks before it moves.
        generator: of the samples.
        std: with which it begins.
        elite: share of the samples that count.
        memory: share of the old mean and width that stays.
        least: below this no width falls.
    """
    mean, width = start.clone(), torch.full_like(start, std)
    path, worst = [start], []
    for _ in range(steps):
        asked = (mean + width * torch.randn(samples, *start.shape, generator=generator)).clamp(-1, 1)
        found = errors(asked)
        best = found.topk(max(2, round(elite * samples)), dim=0).indices
        elites = asked.gather(0, best[..., None].expand(-1, -1, start.shape[1]))
        mean = memory * mean + (1 - memory) * elites.mean(0)
        width = (memory * width + (1 - memory) * elites.std(0)).clamp_min(least)
        path.append(mean)
        worst.append(found.max())
    return _searched(errors, path, worst, steps * samples * len(start))


def at_random(errors: Errors, start: torch.Tensor, steps: int, samples: int, *, generator: torch.Generator) -> Search:
    """The control: as many questions anywhere; then the agents are the worst places of all."""
    agents, axes = start.shape
    places, values, path, worst = start, errors(start), [start], []
    for _ in range(steps):
        asked = draw(samples * agents, generator, axes)
        found = errors(asked)
        places, values = torch.cat([places, asked]), torch.cat([values, found])
        best = values.topk(agents).indices
        places, values = places[best], values[best]
        path.append(places)
        worst.append(found.max())
    return _searched(errors, path, worst, steps * samples * agents)


def _searched(errors: Errors, path: list[torch.Tensor], worst: list[torch.Tensor], queries: int) -> Search:
    return Search(torch.stack(path), errors(path[-1]), torch.stack(worst).cummax(0).values, queries)


METHODS: dict[str, Callable[..., Search]] = {"REINFORCE": reinforce, "CEM": cem, "random": at_random}
