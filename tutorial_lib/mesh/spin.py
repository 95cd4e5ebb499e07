"""SPIN's loop (Kolotouros et al. 2019): a network starts the fits, and the fits teach the network.

The dictionary holds one body for each person, the best that was ever fitted. It is filled by fits before the first
step, never by the untrained network, and an entry is replaced only by one that explains the dots better.
"""

import torch

from tutorial_lib.mesh.fitting import Energy, fit
from tutorial_lib.mesh.metrics import dot_errors
from tutorial_lib.mesh.numbers import Parameters
from tutorial_lib.mesh.people import People
from tutorial_lib.mesh.regressor import Regressor


def better(held: Parameters, new: Parameters, dots: torch.Tensor) -> tuple[Parameters, torch.Tensor]:
    """Of two bodies for each person the one nearer to the dots, and which (N,) were replaced."""
    won = dot_errors(new, dots) < dot_errors(held, dots)

    def chosen(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.where(won.reshape(-1, *[1] * (one.ndim - 1)), other, one)

    return Parameters(*(chosen(one, other) for one, other in zip(held, new))), won


def refit(
    net: Regressor, dots: torch.Tensor, held: Parameters | None, energy: Energy, steps: int = 50, batch: int = 256
) -> Parameters:
    """One round of fits, started by the network; the dictionary afterwards.

    Args:
        net: the network, as it is now.
        dots: (N, 17, 2) of the people without labels.
        held: the dictionary before; None for the first round.
        energy: of the fits.
        steps: of each fit.
        batch: how many are fitted at once.
    """
    parts = []
    for some in dots.split(batch):
        with torch.no_grad():
            start = net.bodies(some)
        parts.append(fit(some, start, energy, steps, keep=[steps]).last)
    new = Parameters(*(torch.cat(values) for values in zip(*parts)))
    return new if held is None else better(held, new, dots)[0]


def as_people(fits: Parameters) -> People:
    """Fitted bodies in place of labels, for `losses.body_loss`."""
    return People(fits.rotations, fits.betas, torch.zeros_like(fits.betas[..., :3]))
