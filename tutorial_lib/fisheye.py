"""Fisheye lenses: the distance in the picture is a function of the angle to the axis, up to 85 degrees and beyond.

A pinhole puts a point at angle t to its axis at radius tan t, which runs away at 90 degrees. A fisheye puts it at
radius rho(t), about t. Three kinds, all with rho(t) = t near the axis, so that focal lengths mean the same:

    equidistant    rho = t
    equisolid      rho = 2 sin(t / 2)                              equal solid angles cover equal areas
    polynomial     rho = t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8)     as OpenCV's fisheye module

`Fisheye` is a lens of `distortion`: wherever a lens is taken, it takes focal-normalised points (x/z, y/z). Those end
before 90 degrees; `directions` leads from the picture straight to rays, and has no such end.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

Kind = Literal["equidistant", "equisolid", "polynomial"]

LIMIT = math.radians(85.0)
"""Half the field of view of the course's own head-worn camera (ours)."""


@dataclass(frozen=True)
class Fisheye:
    """A fisheye lens, a `distortion.Lens`.

    Attributes:
        kind: "equidistant", "equisolid" or "polynomial".
        coefficients: of the polynomial, up to (k1, k2, k3, k4); empty for the others.
        limit: half the field of view in radians; what lies farther from the axis is in no picture.

    Raises:
        ValueError: an unknown kind, coefficients where none belong, a limit that is no angle up to 180 degrees (for
            points on a plane: 90).
    """

    kind: Kind = "equisolid"
    coefficients: tuple[float, ...] = ()
    limit: float = LIMIT

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(get_args(Kind))}")
        if len(self.coefficients) > (4 if self.kind == "polynomial" else 0):
            raise ValueError(
                f"coefficients are {self.coefficients} for the kind {self.kind!r}, expected up to four numbers for "
                "'polynomial' and none for the others"
            )
        if not 0 < self.limit <= math.pi:
            raise ValueError(f"limit is {self.limit}, expected an angle in radians up to pi, e.g. math.radians(85)")

    def radius(self, angle: torch.Tensor) -> torch.Tensor:
        """Where a ray at this angle to the axis, in radians, lands: its distance from the centre of the picture."""
        if self.kind == "equidistant":
            return angle
        if self.kind == "equisolid":
            return 2 * torch.sin(angle / 2)
        square, factor = angle * angle, torch.zeros_like(angle)
        for coefficient in reversed(self.coefficients):
            factor = (factor + coefficient) * square
        return angle * (1 + factor)

    def angle(self, radius: torch.Tensor) -> torch.Tensor:
        """The inverse of `radius`.

        Raises:
            ValueError: a radius at which no ray within the limit lands.
        """
        edge = self.edge
        lost = ~(radius <= edge * (1 + 1e-5))
        if lost.any():
            raise ValueError(
                f"radius: {int(lost.sum())} of {lost.numel()} lie beyond {edge:.4g}, the picture of the limit of "
                f"{math.degrees(self.limit):.0f} degrees: they are the image of no point"
            )
        if self.kind == "equidistant":
            return radius
        if self.kind == "equisolid":
            return 2 * torch.asin(radius / 2)
        angle = radius.double()
        for _ in range(30):
            slope = self._slope(angle).clamp_min(1e-3)
            angle = (angle - (self.radius(angle) - radius) / slope).clamp(0, 1.01 * self.limit)
        return angle.to(radius)

    @property
    def edge(self) -> float:
        """The radius at which rays at the limit land: that of the image circle."""
        return float(self.radius(torch.tensor(self.limit, dtype=torch.float64)))

    def distort(self, points: torch.Tensor) -> torch.Tensor:
        """Where the lens puts points that an ideal pinhole would put at `points` (..., 2).

        Raises:
            ValueError: another shape.
        """
        _check(points)
        r = torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(_tiny(points))
        return points * (self.radius(torch.atan(r)) / r)

    def undistort(self, points: torch.Tensor) -> torch.Tensor:
        """The inverse of `distort`, for points (..., 2) of less than 90 degrees.

        Raises:
            ValueError: another shape, points that are the image of none.
        """
        _check(points)
        rho = torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(_tiny(points))
        angle = self.angle(rho)
        if not (angle < math.pi / 2).all():
            raise ValueError(
                "points hold some at 90 degrees or more, which a plane does not reach: `directions` leads to their rays"
            )
        return points * (torch.tan(angle) / rho)

    def directions(self, points: torch.Tensor) -> torch.Tensor:
        """The rays that land at focal-normalised points of the picture: (..., 2) to unit vectors (..., 3).

        Raises:
            ValueError: as `undistort`, but at any angle within the limit.
        """
        _check(points)
        rho = torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(_tiny(points))
        angle = self.angle(rho)
        return torch.cat([points * (torch.sin(angle) / rho), torch.cos(angle)], -1)

    def folds(self, radius: float) -> torch.Tensor:
        """() bool: whether two points of the disc r <= radius fall on one: whether rho ever stops to grow.

        Raises:
            ValueError: a radius that is not positive.
        """
        if not 0 < radius < float("inf"):
            raise ValueError(f"radius is {radius}, expected a positive number in focal-normalised units, e.g. 0.8")
        angle = torch.linspace(0, math.atan(radius), 257, dtype=torch.float64)
        return (self._slope(angle) <= 0).any()

    def _slope(self, angle: torch.Tensor) -> torch.Tensor:
        """d rho / d angle."""
        if self.kind == "equidistant":
            return torch.ones_like(angle)
        if self.kind == "equisolid":
            return torch.cos(angle / 2)
        square, slope = angle * angle, torch.zeros_like(angle)
        for power, coefficient in reversed(list(enumerate(self.coefficients, start=1))):
            slope = (slope + (2 * power + 1) * coefficient) * square
        return 1 + slope


def _tiny(points: torch.Tensor) -> float:
    """What a radius is at least, so that nothing is divided by zero: the map is the identity there."""
    return 1e-12 if points.dtype == torch.float64 else 1e-7


def _check(points: torch.Tensor) -> None:
    if points.ndim < 1 or points.shape[-1] != 2 or not points.is_floating_point():
        raise ValueError(
            f"points are {points.dtype} of shape {tuple(points.shape)}, expected floating (..., 2): focal-normalised "
            "x, y"
        )
