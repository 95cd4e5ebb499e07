"""LIME (Guo, Li and Ling 2017): a dark picture is a bright one times an illumination map, so divide by the map."""

import torch

ALPHA = 0.15
"""How much a smooth map is worth against one that fits."""
GAMMA = 0.8
"""Power of the map that is divided by: below 1, dark parts stay a little darker than bright ones."""
EPSILON = 1e-3


def illumination(image: torch.Tensor, alpha: float = ALPHA, iterations: int = 30) -> torch.Tensor:
    """The light that falls on every pixel: smooth, but with the edges of the brightest channel.

    It makes |T - T0|^2 + alpha * sum w (difference of neighbours in T)^2 small, T0 the brightest channel and w small
    where T0 has an edge: a linear system, solved by conjugate gradients.

    Args:
        image: (B, 3, H, W) in [0, 1].
        alpha: weight of smoothness.
        iterations: of the solver.

    Returns:
        (B, 1, H, W), at least `EPSILON`.

    Raises:
        ValueError: another shape.

    Source: Guo et al. 2017, eq. 17 to 20, with the weights of their strategy II.
    """
    if image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(f"image has shape {tuple(image.shape)}, expected (B, 3, H, W)")
    brightest = image.amax(1, keepdim=True)
    weights = []
    for axis in (-1, -2):
        slope = brightest.diff(dim=axis).abs()
        # Strategy II divides by the slope twice: once to say where edges are, once to make |.| a square.
        weights.append(alpha / (slope + EPSILON) ** 2 * EPSILON)

    def system(x: torch.Tensor) -> torch.Tensor:
        """x, and how far each pixel lies above its neighbours, weighted."""
        total = x.clone()
        for axis, weight in zip((-1, -2), weights):
            flow = weight * x.diff(dim=axis)
            total.narrow(axis, 0, flow.shape[axis]).sub_(flow)
            total.narrow(axis, 1, flow.shape[axis]).add_(flow)
        return total

    def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a * b).sum((1, 2, 3), keepdim=True)

    found = brightest.clone()
    left = brightest - system(found)
    towards, size = left.clone(), dot(left, left)
    for _ in range(iterations):
        moved = system(towards)
        step = size / dot(towards, moved).clamp_min(1e-20)
        found, left = found + step * towards, left - step * moved
        size, before = dot(left, left), size
        towards = left + size / before.clamp_min(1e-20) * towards
    return found.clamp_min(EPSILON)


def lime(image: torch.Tensor, gamma: float = GAMMA) -> torch.Tensor:
    """The picture with its darkness divided away; noise grows with it. The paper's last step, denoising, is left out.

    Args:
        image: (B, 3, H, W) in [0, 1].
        gamma: power of the illumination.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    return (image / illumination(image) ** gamma).clamp(0, 1)
