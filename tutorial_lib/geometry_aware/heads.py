"""From points to poses in closed form: linear heads that are solved, not trained, from few labels or from sums."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

PENALTIES = tuple(10.0**power for power in range(-6, 3))
"""Ridge penalties to choose from, in units of the mean square of a feature times the number of labels."""


@dataclass(frozen=True)
class Sums:
    """All that least squares needs of labelled photos; they add up, and a thousand photos take no more room than ten.

    Attributes:
        count: (1,) rows.
        features, targets: (F,) and (T,) sums.
        square: (F, F) sum of the features' outer products.
        cross: (F, T) sum of features times targets.
    """

    count: torch.Tensor
    features: torch.Tensor
    targets: torch.Tensor
    square: torch.Tensor
    cross: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor, targets: torch.Tensor) -> "Sums":
        """Sums over rows.

        Args:
            features: (B, ...).
            targets: (B, ...).

        Raises:
            ValueError: different numbers of rows, or none.
        """
        if len(features) != len(targets) or not len(features):
            raise ValueError(
                f"features has {len(features)} rows, targets {len(targets)}, expected as many, at least one"
            )
        x, y = features.flatten(1).double(), targets.flatten(1).double()
        return cls(x.new_tensor([len(x)]), x.sum(0), y.sum(0), x.mT @ x, x.mT @ y)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{name: value + getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Ridge:
    """A linear head: pose = points @ weight + shift.

    Attributes:
        weight: (F, T).
        shift: (T,).
    """

    weight: torch.Tensor
    shift: torch.Tensor

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Poses (B, 17, 3) in metres, root-relative, of points (B, n, 3)."""
        found = points.flatten(1).to(self.weight) @ self.weight + self.shift
        return found.unflatten(1, (-1, 3)).to(points)


def solve_ridge(sums: Sums, penalty: float) -> Ridge:
    """The head whose squared error plus `penalty` times its squared weights is smallest; the shift costs nothing.

    Args:
        sums: of points and poses.
        penalty: in units of the mean square of a feature times the rows.

    Raises:
        ValueError: a penalty that is not positive.
    """
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty}, expected a positive number: few labels leave weights undecided")
    mean_x, mean_y = sums.features / sums.count, sums.targets / sums.count
    square = sums.square - sums.count * torch.outer(mean_x, mean_x)
    cross = sums.cross - sums.count * torch.outer(mean_x, mean_y)
    weight = torch.linalg.solve(square + _ridge(square, penalty), cross)
    return Ridge(weight, mean_y - mean_x @ weight)


def _ridge(square: torch.Tensor, penalty: float) -> torch.Tensor:
    size = (square.diagonal().mean() * penalty).clamp_min(1e-12)
    return size * torch.eye(len(square), dtype=square.dtype, device=square.device)


def fit_ridge(points: torch.Tensor, pose: torch.Tensor, penalty: float) -> Ridge:
    """`solve_ridge` of points (B, n, 3) and root-relative poses (B, 17, 3) in metres."""
    return solve_ridge(Sums.of(points, pose), penalty)


@dataclass(frozen=True)
class Equivariant:
    """Every joint is a weighted sum of points: turn the points, and the pose turns with them.

    Attributes:
        weight: (17, points).
    """

    weight: torch.Tensor

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Poses (B, 17, 3) in metres, root-relative, of points (B, n, 3)."""
        return (self.weight @ points.to(self.weight)).to(points)


def fit_equivariant(points: torch.Tensor, pose: torch.Tensor, penalty: float) -> Equivariant:
    """The weights with the smallest squared error; three axes a photo share them, and there is no shift.

    Args:
        points: (B, n, 3).
        pose: (B, 17, 3) metres, root-relative, in the same frame.
        penalty: as `solve_ridge`.

    Raises:
        ValueError: as `solve_ridge`.
    """
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty}, expected a positive number: few labels leave weights undecided")
    x, y = (value.double().mT.flatten(0, 1) for value in (points, pose))  # (3 B, n), (3 B, 17)
    square = x.mT @ x
    return Equivariant(torch.linalg.solve(square + _ridge(square, penalty), x.mT @ y).mT)


def choose_penalty(fit: Callable[[float], Callable], points: torch.Tensor, pose: torch.Tensor) -> float:
    """The penalty of `PENALTIES` with the smallest mean joint error on validation photos.

    Args:
        fit: penalty to head.
        points: (B, n, 3) of the validation photos.
        pose: (B, 17, 3) theirs, metres, root-relative.
    """

    def error(penalty: float) -> float:
        return torch.linalg.vector_norm(fit(penalty)(points) - pose, dim=-1).mean().item()

    return min(PENALTIES, key=error)
