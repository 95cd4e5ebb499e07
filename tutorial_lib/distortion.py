"""Lens distortion: the Brown-Conrady model with three radial and two tangential coefficients.

Coefficients are `(k1, k2, k3, p1, p2)` on the last axis. The formula and the signs are OpenCV's; OpenCV stores the
same five numbers in the order (k1, k2, p1, p2, k3): `from_opencv` reads them. Points are focal-normalised coordinates
(x/z, y/z) about the principal point. Barrel distortion has a negative radial term, pincushion a positive one.

With q = (p2, p1) the map is the gradient of a scalar function, so its Jacobian is symmetric:

    D(x) = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 x (q.x) + q r^2

A gradient map whose Jacobian is positive definite on a disc is one-to-one there. `folds` tests exactly that.

A *lens* is anything that bends plane coordinates (`Lens`). Wherever one is taken, five numbers mean Brown-Conrady.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

# The first call imports sympy. Here, because an interrupt inside a lesson's first call would leave half of it behind.
torch.broadcast_shapes((1,), (1,))

COEFFICIENTS = ("k1", "k2", "k3", "p1", "p2")

OPENCV_LENGTHS = (4, 5, 8, 12, 14)
OPENCV_EXTRAS = ("k4", "k5", "k6", "s1", "s2", "s3", "s4", "tau_x", "tau_y")
"""What OpenCV's longer forms hold after k3."""

RADIAL_LIMIT = 1.4
"""lambda 1 of the task distribution (ours): k1, k2, k3 ~ U[-lambda1, lambda1]."""

TANGENTIAL_LIMIT = 0.15
"""lambda 2 of the task distribution (ours): p1, p2 ~ U[-lambda2, lambda2]."""

FOLD_RADIUS = 0.8
"""Draws that fold within this radius are rejected: beyond it lie one or two joints in a thousand."""


def _split(points: torch.Tensor, coefficients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Check both arguments and return (points, coefficients) that broadcast against each other."""
    if points.ndim < 1 or points.shape[-1] != 2:
        raise ValueError(f"points has shape {tuple(points.shape)}, expected (..., 2): focal-normalised x, y")
    if not points.is_floating_point():
        raise ValueError(f"points are {points.dtype}, expected floating point: they are not pixel numbers")
    coefficients = torch.as_tensor(coefficients, dtype=points.dtype, device=points.device)
    _check(coefficients)
    missing = points.ndim - coefficients.ndim
    if missing > 0:
        coefficients = coefficients.reshape(*coefficients.shape[:-1], *[1] * missing, 5)
    try:
        torch.broadcast_shapes(points.shape[:-1], coefficients.shape[:-1])
    except RuntimeError:
        raise ValueError(
            f"coefficients {tuple(coefficients.shape)} do not match points {tuple(points.shape)}: their leading "
            "axes must be the first leading axes of points (one lens per clip: (clips, 5) with (clips, ..., 2))"
        ) from None
    return points, coefficients


def _check(coefficients: torch.Tensor) -> None:
    if coefficients.ndim < 1 or coefficients.shape[-1] != 5:
        raise ValueError(
            f"coefficients has shape {tuple(coefficients.shape)}, expected (..., 5): {', '.join(COEFFICIENTS)}"
        )
    if not torch.isfinite(coefficients).all():
        raise ValueError(
            f"coefficients hold {coefficients.detach().flatten()[:5].tolist()}: NaN or infinity. "
            "Give five finite numbers, e.g. distortion.PRESETS['d1']"
        )


def from_opencv(coefficients: torch.Tensor | Sequence[float]) -> torch.Tensor:
    """OpenCV's coefficients (k1, k2, p1, p2[, k3]) in the order of this module: (k1, k2, k3, p1, p2).

    Args:
        coefficients: (..., 4) or (..., 5), as `cv2.calibrateCamera` and calibration files give them; also a column
            (n, 1) of numbers alone. Of its longer forms (8, 12, 14: rational, thin prism, tilted) all that is beyond
            the fifth must be 0.

    Returns:
        (..., 5).

    Raises:
        ValueError: another number of coefficients, one beyond the fifth that is not 0, NaN or infinity.
    """
    given = torch.as_tensor(coefficients)
    given = given if given.is_floating_point() else given.to(torch.get_default_dtype())
    given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    count = given.shape[-1] if given.ndim else 0
    if count not in OPENCV_LENGTHS:
        raise ValueError(f"coefficients has shape {tuple(given.shape)}, expected 4 or 5 numbers: k1, k2, p1, p2, k3")
    for name, value in zip(OPENCV_EXTRAS, given[..., 5:].unbind(-1)):
        if (value != 0).any():
            raise ValueError(
                f"coefficients hold {name}={value.flatten()[0].item():g}, which this lens does not have: calibrate "
                "with k1, k2, p1, p2, k3 alone"
            )
    k1, k2, p1, p2 = given[..., :4].unbind(-1)
    k3 = given[..., 4] if count > 4 else torch.zeros_like(k1)
    ordered = torch.stack([k1, k2, k3, p1, p2], -1)
    _check(ordered)
    return ordered


def distort(points: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Where a lens puts points that an ideal pinhole would put at `points`.

    Args:
        points: (..., 2) focal-normalised coordinates.
        coefficients: (5,) or (leading axes of points, 5): `(k1, k2, k3, p1, p2)`.

    Returns:
        (..., 2), same dtype and device. Differentiable in both arguments.

    Raises:
        ValueError: wrong last axis, shapes that do not match, coefficients that are not finite.

    Source: Brown-Conrady as in OpenCV's `projectPoints`; the paper (Cho et al. 2021) names the five coefficients.
    """
    points, coefficients = _split(points, coefficients)
    k1, k2, k3, p1, p2 = coefficients.unbind(-1)
    x, y = points.unbind(-1)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    pull = 2 * (p2 * x + p1 * y)
    return torch.stack([x * (radial + pull) + p2 * r2, y * (radial + pull) + p1 * r2], dim=-1)


def jacobian(points: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """The 2 x 2 derivative of `distort` at `points`: (..., 2, 2), symmetric."""
    points, coefficients = _split(points, coefficients)
    _, _, xx, xy, yy = _bent(*points.unbind(-1), *coefficients.unbind(-1))
    return torch.stack([torch.stack([xx, xy], -1), torch.stack([xy, yy], -1)], -2)


def _bent(
    x: torch.Tensor, y: torch.Tensor, k1: torch.Tensor, k2: torch.Tensor, k3: torch.Tensor, p1: torch.Tensor,
    p2: torch.Tensor,
) -> tuple[torch.Tensor, ...]:  # fmt: skip
    """`distort` and its derivative, coordinate by coordinate: the bent x and y, then dx/dx, dx/dy = dy/dx, dy/dy."""
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    pull = 2 * (p2 * x + p1 * y)
    both = radial + pull
    xx = both + slope * x * x + 4 * p2 * x
    yy = both + slope * y * y + 4 * p1 * y
    xy = slope * x * y + 2 * (p1 * x + p2 * y)
    return x * both + p2 * r2, y * both + p1 * r2, xx, xy, yy


def undistort(points: torch.Tensor, coefficients: torch.Tensor, iterations: int = 60) -> torch.Tensor:
    """The inverse of `distort`: the ideal pinhole coordinates of distorted points.

    Newton's method with halved steps, in double precision. Exact to 1e-6 where the map does not fold. The result is
    differentiable in both arguments (the last step carries the gradient of the implicit function).

    Args:
        points: (..., 2) distorted focal-normalised coordinates.
        coefficients: as for `distort`.
        iterations: at most so many Newton steps.

    Returns:
        (..., 2), same dtype and device as `points`.

    Raises:
        ValueError: as `distort`; also if some point is NaN, is the image of no point before the fold, or was not
            reached within `iterations`.
    """
    wanted, lens = _split(points, coefficients)
    target, lens = wanted.double(), lens.double()
    with torch.no_grad():
        solution, error, going = _solve(target, lens, iterations)
        _check_solution(target, error, going, iterations)
    return (solution - _newton_step(solution, target, lens)).to(points.dtype)


def _solve(
    target: torch.Tensor, lens: torch.Tensor, iterations: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Newton's method from the centre for every point: the solution, its error, whether the last step still gained.

    A step that leaves the one-to-one region or raises the error is halved until it does neither, at most eleven times.
    Each row of `state` is one number of all the points that are still on their way; the others are left out.
    """
    shape = torch.broadcast_shapes(target.shape[:-1], lens.shape[:-1])
    u, v = (column.expand(shape).flatten() for column in target.unbind(-1))
    one_lens = lens.numel() == 5
    lens = lens.reshape(5, 1) if one_lens else lens.expand(*shape, 5).reshape(-1, 5).T
    zero, error = torch.zeros_like(u), torch.sqrt(u * u + v * v)
    # At the centre the derivative is the identity, so the first step goes to the bent point itself.
    state = torch.stack([u, v, zero, zero, error, -u, -v, zero, zero])
    result, going = torch.stack([zero, zero, error]), torch.ones_like(u, dtype=torch.bool)
    places = torch.arange(len(u), device=u.device)
    on = ~(error < 1e-12) if iterations > 0 else torch.zeros_like(going)
    while on.any():
        if not on.all():
            state, places, lens = state[:, on], places[on], lens if one_lens else lens[:, on]
        u, v, x, y, error, dx, dy, halved, steps = state
        new_x, new_y = x - dx, y - dy
        bent_x, bent_y, a, b, d = _bent(new_x, new_y, *lens)
        off_x, off_y, determinant = bent_x - u, bent_y - v, a * d - b * b
        new_error = torch.sqrt(off_x * off_x + off_y * off_y)
        allowed = (new_error <= error) & (determinant > 0) & (a + d > 0)
        better = allowed & (new_error < error)
        newton = ((d * off_x - b * off_y) / determinant, (a * off_y - b * off_x) / determinant)
        after = torch.stack([u, v, new_x, new_y, new_error, *newton, zero[: len(u)], steps + 1])
        state = torch.where(better, after, torch.stack([u, v, x, y, error, dx / 2, dy / 2, halved + 1, steps]))
        # At the fold, steps shrink and get nowhere.
        result[:, places], going[places] = state[2:5], new_error < 0.99 * error
        on = torch.where(better, (new_error >= 1e-12) & (state[8] < iterations), ~allowed & (state[7] < 12))
    return result[:2].T.reshape(*shape, 2), result[2].reshape(shape), going.reshape(shape)


def _check_solution(target: torch.Tensor, error: torch.Tensor, going: torch.Tensor, iterations: int) -> None:
    """Say which points were not undistorted, and why: there are three causes, and three remedies."""
    lost = ~(error <= 1e-8)
    if not lost.any():
        return
    finite = torch.isfinite(target).all(-1)
    for which, cause in (
        (~finite, "are NaN or infinite: look at the detections"),
        (lost & finite & ~going, "have no inverse under these coefficients: the lens folds before it reaches them. "
         "Check distortion.folds(coefficients, radius) first"),
        (lost & finite & going, f"did not converge within {iterations} iterations: give more"),
    ):  # fmt: skip
        if which.any():
            first = tuple(int(i) for i in which.nonzero()[0])
            raise ValueError(f"points: {int(which.sum())} of {lost.numel()} {cause} (the first is at {first})")


def _newton_step(solution: torch.Tensor, target: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    bent_x, bent_y, a, b, d = _bent(*solution.unbind(-1), *lens.unbind(-1))
    u, v = bent_x - target[..., 0], bent_y - target[..., 1]
    return torch.stack([d * u - b * v, a * v - b * u], -1) / (a * d - b * b)[..., None]


def folds(coefficients: torch.Tensor, radius: float, samples: int = 257) -> torch.Tensor:
    """Whether the lens maps two points of the disc r <= radius onto one (or stops being smooth and invertible).

    At radius r the Jacobian has the determinant 16 m^2 c^2 + (2A + 6R) m c + A R - 4 m^2, where c is the cosine of
    the angle to q = (p2, p1), m = |q| r, R = 1 + k1 r^2 + ..., A = R + r dR/dr. Its minimum over c is known in closed
    form; r is sampled.

    Args:
        coefficients: (..., 5).
        radius: positive, focal-normalised.
        samples: number of radii tested in [0, radius].

    Returns:
        (...,) bool.

    Raises:
        ValueError: wrong shape, values that are not finite, radius that is not positive.
    """
    coefficients = torch.as_tensor(coefficients, dtype=torch.get_default_dtype())
    _check(coefficients)
    if not 0 < radius < float("inf"):
        raise ValueError(f"radius is {radius}, expected a positive number in focal-normalised units, e.g. 0.8")
    k1, k2, k3, p1, p2 = coefficients.double()[..., None].unbind(-2)
    r = torch.linspace(0, radius, samples, dtype=torch.float64, device=coefficients.device)
    r2 = r * r
    across = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    along = 1 + r2 * (3 * k1 + r2 * (5 * k2 + r2 * 7 * k3))
    m = torch.sqrt(p1 * p1 + p2 * p2) * r
    linear = (2 * along + 6 * across) * m
    c = torch.clamp(-linear / (32 * m * m).clamp_min(1e-30), -1, 1)
    determinant = 16 * m * m * c * c + linear * c + along * across - 4 * m * m
    return ((determinant <= 0) | (across <= 0)).any(-1)


@runtime_checkable
class Lens(Protocol):
    """What bends the picture, whatever its formula: it maps focal-normalised points (..., 2) to such points."""

    def distort(self, points: torch.Tensor) -> torch.Tensor:
        """Where the lens puts points that an ideal pinhole would put at `points` (..., 2)."""

    def undistort(self, points: torch.Tensor) -> torch.Tensor:
        """The inverse of `distort`; refuses points that are the image of none."""

    def folds(self, radius: float) -> torch.Tensor:
        """(...,) bool: whether two points of the disc r <= radius fall on one."""


@dataclass(frozen=True)
class BrownConrady:
    """The lens of this course.

    Attributes:
        coefficients: (5,), or (leading axes of the points, 5): `(k1, k2, k3, p1, p2)`.
    """

    coefficients: torch.Tensor

    def distort(self, points: torch.Tensor) -> torch.Tensor:
        """See the module's `distort`."""
        return distort(points, self.coefficients)

    def undistort(self, points: torch.Tensor) -> torch.Tensor:
        """See the module's `undistort`."""
        return undistort(points, self.coefficients)

    def folds(self, radius: float) -> torch.Tensor:
        """See the module's `folds`."""
        return folds(self.coefficients, radius)


def as_lens(lens: Lens | torch.Tensor) -> Lens:
    """The lens itself, or the Brown-Conrady lens of five coefficients (..., 5).

    Args:
        lens: a lens, or coefficients.

    Raises:
        ValueError: something that is neither.
    """
    if isinstance(lens, torch.Tensor):  # first, because the look at a protocol's methods takes its time
        return BrownConrady(lens)
    if isinstance(lens, Lens):
        return lens
    raise ValueError(f"lens is a {type(lens).__name__}, expected five coefficients, or distort, undistort and folds")


def sample_uniform(
    count: int,
    radial: float = RADIAL_LIMIT,
    tangential: float = TANGENTIAL_LIMIT,
    *,
    generator: torch.Generator | None = None,
    radius: float | None = FOLD_RADIUS,
    strata: int = 1,
) -> torch.Tensor:
    """Lenses with every coefficient uniform: k ~ U[-radial, radial], p ~ U[-tangential, tangential].

    Args:
        count: how many.
        radial: lambda 1 of the paper, the limit of k1, k2, k3.
        tangential: lambda 2 of the paper, the limit of p1, p2.
        generator: of the draws.
        radius: draws that fold within it are drawn again; None keeps every draw.
        strata: equal parts of [-radial, radial] that share out k1, see `sample_stratified`.

    Returns:
        (count, 5).

    Raises:
        ValueError: count below 1, negative limits, limits under which nearly every lens folds.
    """
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1 lens")
    if not (0 <= radial < float("inf") and 0 <= tangential < float("inf")):
        raise ValueError(f"radial={radial}, tangential={tangential}: expected finite limits >= 0; 0 switches off")
    limits = torch.tensor([radial] * 3 + [tangential] * 2)
    stratum = torch.arange(count) * strata // count
    lenses = torch.empty(count, 5)
    open_draws = torch.ones(count, dtype=torch.bool)
    for _ in range(200):
        u = torch.rand(int(open_draws.sum()), 5, generator=generator)
        u[:, 0] = (stratum[open_draws] + u[:, 0]) / strata
        lenses[open_draws] = limits * (2 * u - 1)
        if radius is None:
            return lenses
        open_draws = folds(lenses, radius)
        if not open_draws.any():
            return lenses
    raise ValueError(
        f"radial={radial}: {int(open_draws.sum())} of {count} lenses still fold within radius {radius} after 200 "
        "draws. Use smaller limits or a smaller radius"
    )


def sample_stratified(
    count: int,
    radial: float = RADIAL_LIMIT,
    tangential: float = TANGENTIAL_LIMIT,
    *,
    generator: torch.Generator | None = None,
    radius: float | None = FOLD_RADIUS,
) -> torch.Tensor:
    """As `sample_uniform`, but k1 of task i comes from the i-th of `count` equal strata of [-radial, radial].

    Only k1 is stratified (Cho et al. 2021, section on stratified sampling). A draw that folds is drawn again inside
    its own stratum.
    """
    return sample_uniform(count, radial, tangential, generator=generator, radius=radius, strata=count)


PRESETS: dict[str, torch.Tensor] = {
    "d1": torch.tensor([-1.10, 0.78, 0.78, 0.118, -0.078]),
    "d2": torch.tensor([1.22, 1.22, 0.78, -0.122, 0.110]),
    "d3": torch.tensor([-0.84, 0.60, 0.60, -0.060, 0.046]),
    "d4": torch.tensor([0.38, 0.38, 0.24, 0.032, 0.038]),
}
"""The four test lenses (ours): barrel d1 and pincushion d2 heavy, d3 and d4 moderate. How they were chosen:
`lessons/camera_distortion/calibrate.py`."""
