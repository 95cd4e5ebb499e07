"""Losses on volumes of scores: where is the joint, and what shape should its cloud of probability have?

Every function takes logits (..., D, H, W) and target coordinates (..., 3) as in `integral`, and returns one number:
the mean over the joints, weighted by `visible`. The heat-map losses are sums over the cells of a joint, in nats, so
that they can be compared with each other; a mean over cells would shrink with the resolution.

A target volume is only made where a loss cannot do without (`jensen_shannon`); the others take its factors along the
axes (`integral.targets`), which makes a heat-map loss nearly as cheap as the integral loss.
"""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F

from tutorial_lib.grid import countable, expectation, marginals, to_cells
from tutorial_lib.integral.targets import REPORT_PEAK, contract, gaussian_factors, outer, report_floor


def average(values: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of `values`, weighted by `visible` (same shape, >= 0); 0 if nothing is visible."""
    if visible is None:
        return values.mean()
    if visible.shape != values.shape:
        raise ValueError(f"visible has shape {tuple(visible.shape)}, expected {tuple(values.shape)}: one weight each")
    return (values * visible).sum() / visible.sum().clamp_min(1e-12)


def integral_loss(predicted: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Mean absolute error of the coordinates: the report's integral loss.

    Args:
        predicted: (..., J, 3).
        target: (..., J, 3).
        visible: (..., J) weights of joints, or (..., J, 3) of coordinates: 0 for the depth of a picture whose depth
            nobody knows.
    """
    if predicted.shape != target.shape:
        raise ValueError(f"predicted {tuple(predicted.shape)} and target {tuple(target.shape)} differ")
    if visible is not None and visible.ndim == target.ndim - 1:
        visible = visible[..., None].expand_as(target)
    return average((predicted - target).abs(), visible)


def heatmap_bce(
    logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None, *, floor: bool = False,
    rounded: bool = True,
) -> torch.Tensor:  # fmt: skip
    """Binary cross entropy of sigmoid(logits) against `gaussian_cube`: nats per joint.

    The cells are separate yes-or-no questions. Logits belong here, never the softmaxed map: its values are near
    1 / cells, so that every sigmoid would be near 1 / 2.

    Args:
        logits: (..., J, D, H, W).
        target: (..., J, 3) coordinates.
        visible: (..., J) weights of joints.
        floor: subtract the target's own entropy (`bce_floor`), which no network can go below. The gradient stays.
        rounded: the Gaussian stands on the target's cell, as in the report; false: on the target (ours). With an even
            number of cells, the root's depth 0 lies between two of them, and rounding moves it always to one side.

    Raises:
        ValueError: `floor` without `rounded`: the floor then depends on the place in the cell.
    """
    if floor and not rounded:
        raise ValueError("floor=True with rounded=False: the floor is only known on the grid, use `bce_floor`")
    factors = gaussian_factors(target, logits.shape[-3:], rounded=rounded)
    no_joint = F.softplus(logits).sum((-3, -2, -1))
    losses = no_joint - REPORT_PEAK * contract(logits, factors)
    if floor:
        losses = losses - report_floor(target, logits.shape[-3:])
    return average(losses, visible)


def one_hot_bce(logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Binary cross entropy of sigmoid(logits) against `one_hot`: nats per joint. Its floor is 0."""
    factors = gaussian_factors(target, logits.shape[-3:], radius=0)
    return average(F.softplus(logits).sum((-3, -2, -1)) - contract(logits, factors), visible)


def one_hot_ce(logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Cross entropy of softmax(logits) against the target's cell: one choice among all cells; nats per joint.

    A target outside the volume has no cell and counts 0.
    """
    factors = gaussian_factors(target, logits.shape[-3:], radius=0)
    inside = torch.stack([factor.sum(-1) for factor in factors]).prod(0)
    return average(inside * logits.flatten(-3).logsumexp(-1) - contract(logits, factors), visible)


def kl_to_gaussian(
    logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None, sigma: float = 1.0
) -> torch.Tensor:
    """KL(p || G) of p = softmax(logits) from a Gaussian G at the target, normalised over the cells: nats per joint.

    log G is a sum over the axes, so only the marginals of p meet it. It grows without bound where p has mass that G
    does not expect. Source: Nibali et al. 2018 (DSNT).
    """
    p = torch.log_softmax(logits.flatten(-3), -1)
    losses = (p.exp() * p).sum(-1)
    for marginal, coordinate in zip(map(countable, marginals(logits)), target.unbind(-1)):
        cells = marginal.shape[-1]
        place = torch.arange(cells, dtype=marginal.dtype, device=logits.device)
        distance = place - to_cells(coordinate, cells)[..., None]
        log_g = torch.log_softmax(-(distance**2) / (2 * sigma**2), -1)
        losses = losses - (marginal * log_g).sum(-1)
    return average(losses, visible)


def jensen_shannon(
    logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None, sigma: float = 1.0
) -> torch.Tensor:
    """JS(p, G) of p = softmax(logits) and a Gaussian G at the target, normalised over the cells: 0 to ln 2.

    Half KL(p || M) and half KL(G || M) with M = (p + G) / 2. Source: Nibali et al. 2018 (DSNT), which found it best.
    """
    factors = gaussian_factors(target, logits.shape[-3:], sigma, radius=None, rounded=False)
    x, y, z = (f / f.sum(-1, keepdim=True).clamp_min(1e-30) for f in factors)
    g = outer((x, y, z)).flatten(-3)
    p = torch.softmax(logits.flatten(-3), -1)
    m = (p + g) / 2
    # x log x has an infinite slope at 0: the floor inside the logarithm keeps the gradient finite
    tiny = torch.finfo(p.dtype).tiny
    entropies = [(q * q.clamp_min(tiny).log()).sum(-1) for q in (p, g, m)]
    return average((entropies[0] + entropies[1]) / 2 - entropies[2], visible)


def variance_loss(
    logits: torch.Tensor, target: torch.Tensor, visible: torch.Tensor | None = None, sigma: float = 1.0
) -> torch.Tensor:
    """Sum over x, y, z of (variance - sigma^2)^2, in cells^4: says how wide the cloud is, not where or of what shape.

    Source: Nibali et al. 2018 (DSNT); their code too measures the variance in cells. `target` is not looked at.
    """
    losses = logits.new_zeros(())
    for marginal in map(countable, marginals(logits)):
        cells = marginal.shape[-1]
        place = torch.arange(cells, dtype=marginal.dtype, device=logits.device)
        mean = (marginal @ place)[..., None]
        losses = losses + ((marginal * (place - mean) ** 2).sum(-1) - sigma**2) ** 2
    return average(losses, visible)


@dataclass(frozen=True)
class Mix:
    """Weights of the losses; 0 switches a loss off, and it is then not computed.

    The report's approach (2) is `Mix()`, its approach (3) `Mix(gaussian=...)`.
    """

    integral: float = 1.0
    gaussian: float = 0.0
    one_hot: float = 0.0
    cross_entropy: float = 0.0
    kl: float = 0.0
    js: float = 0.0
    variance: float = 0.0

    def __post_init__(self):
        weights = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, weight in weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"{name} is {weight}, expected a finite weight >= 0; 0 switches the loss off")
        if not any(weights.values()):
            raise ValueError("all weights are 0, expected at least one loss to train with")


VOLUME_LOSSES = {
    "gaussian": heatmap_bce,
    "one_hot": one_hot_bce,
    "cross_entropy": one_hot_ce,
    "kl": kl_to_gaussian,
    "js": jensen_shannon,
    "variance": variance_loss,
}


def mixed(
    logits: torch.Tensor, target: torch.Tensor, mix: Mix, visible: torch.Tensor | None = None, *, rounded: bool = True
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The weighted sum of the losses, and each of them by name, unweighted and detached.

    Args:
        logits: (..., J, D, H, W).
        target: (..., J, 3) coordinates as in `integral`.
        mix: weight of each loss.
        visible: (..., J) weights of joints, or (..., J, 3): the volume losses then take a joint's smallest weight.
        rounded: of `heatmap_bce`.

    Returns:
        Scalar to minimise; {"integral": ..., "gaussian": ...} of the losses whose weight is not 0. The part
        "gaussian" is what exceeds `bce_floor`: it can reach 0 (not if `rounded` is false: then the whole loss).
    """
    parts = {}
    if mix.integral:
        predicted = expectation(marginals(logits))
        parts["integral"] = integral_loss(predicted, target, visible)
    whole = visible.amin(-1) if visible is not None and visible.ndim == target.ndim else visible
    for name, loss in VOLUME_LOSSES.items():
        if getattr(mix, name):
            extra = {"floor": rounded, "rounded": rounded} if name == "gaussian" else {}
            parts[name] = loss(logits, target, whole, **extra)
    total = sum(getattr(mix, name) * value for name, value in parts.items())
    return total, {name: value.detach() for name, value in parts.items()}
