"""A joint that may be here or there: what every loss asks a network to answer.

The true place is A with probability p and B otherwise, each blurred by a little label noise. All of it has a closed
form, along the line through A and B.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import ndtr

from tutorial_lib import heatmaps
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider

HIT = 0.1
"""An answer is a hit within this distance along the line, in half widths."""
CELLS = 64
LINE = np.linspace(-1, 1, 401)
Place = float | np.ndarray
"""Places along the line; what is asked at them has their shape."""


@dataclass(frozen=True)
class TwoPlaces:
    """A on the left with probability `p`, B on the right with 1 - p; normal label noise around both.

    Attributes:
        p: probability of A, in [0, 1].
        apart: distance from A to B in half widths; the middle is 0.
        noise: standard deviation of the label around A or B.
    """

    p: float
    apart: float
    noise: float

    def __post_init__(self):
        if not (0 <= self.p <= 1 and self.apart >= 0 and self.noise > 0):
            raise ValueError(f"{self}: expected p in [0, 1], apart >= 0, noise > 0")

    def _mix(self, function: Callable[[np.ndarray], Any], t: Place) -> Any:
        left, right = (function(np.asarray(t, dtype=float) + side * self.apart / 2) for side in (1, -1))
        return self.p * left + (1 - self.p) * right

    def density(self, t: Place) -> Any:
        """Of the true place, at t."""
        peak = 1 / (self.noise * math.sqrt(2 * math.pi))
        return self._mix(lambda d: peak * np.exp(-((d / self.noise) ** 2) / 2), t)

    def share_below(self, t: Place) -> Any:
        """Probability that the true place is left of t."""
        return self._mix(lambda d: ndtr(d / self.noise), t)

    def hits(self, t: float) -> float:
        """Probability that the true place is within `HIT` of the answer t."""
        return float(self.share_below(t + HIT) - self.share_below(t - HIT))

    def l2(self, t: Place) -> Any:
        """Expected squared error of the answer t."""
        return self._mix(lambda d: d**2 + self.noise**2, t)

    def l1(self, t: Place) -> Any:
        """Expected absolute error of the answer t."""
        s = self.noise
        return self._mix(
            lambda d: s * math.sqrt(2 / math.pi) * np.exp(-((d / s) ** 2) / 2) + d * (2 * ndtr(d / s) - 1), t
        )

    def mean(self) -> float:
        """The answer that L2 rewards most."""
        return (0.5 - self.p) * self.apart

    def median(self) -> float:
        """The answer that L1 rewards most."""
        return brentq(lambda t: self.share_below(t) - 0.5, -self.apart - 8 * self.noise, self.apart + 8 * self.noise)

    def deviation(self) -> float:
        """Standard deviation of the true place: the sigma of the best single Gaussian."""
        return math.sqrt(self.p * (1 - self.p) * self.apart**2 + self.noise**2)

    def best_map(self, sigma: float, cells: int = CELLS) -> torch.Tensor:
        """The map (cells, cells) that squared error against Gaussian bumps rewards most: the mean bump.

        Args:
            sigma: width of the bumps in half widths.
            cells: along each side.
        """
        wide = math.hypot(sigma, self.noise)
        places = torch.tensor([[-self.apart / 2, 0.0], [self.apart / 2, 0.0]])
        bumps = heatmaps.gaussian_target(places, cells, wide * cells / 2) * (sigma / wide) ** 2
        return self.p * bumps[0] + (1 - self.p) * bumps[1]


def answers(toy: TwoPlaces, sigma: float) -> dict[str, float]:
    """name -> the place that each method says, along the line."""
    best = toy.best_map(sigma)
    return {
        "L2: the mean": toy.mean(),
        "L1: the median": toy.median(),
        "argmax of the map": heatmaps.dark(best)[0].item(),
        "soft-argmax of the map": heatmaps.expectation(best / best.sum())[0].item(),
    }


ANSWERS = {"L2: the mean": "vermillion", "L1: the median": "orange", "argmax of the map": "blue",
           "soft-argmax of the map": "green"}  # fmt: skip
_SIZES: dict[str, tuple[float, stage.Symbol]] = dict(
    zip(ANSWERS, ((11, "circle"), (9, "square"), (9, "diamond"), (5, "circle")))
)


def laplace(toy: TwoPlaces) -> np.ndarray:
    """Density of the Laplace distribution with the highest likelihood: around the median, as wide as the mean error."""
    middle = toy.median()
    width = float(toy.l1(middle))
    return np.exp(-np.abs(LINE - middle) / width) / (2 * width)


def gaussian(toy: TwoPlaces) -> np.ndarray:
    """Density of the Gaussian with the highest likelihood."""
    width = toy.deviation()
    return np.exp(-(((LINE - toy.mean()) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))


def compute_ambiguity(p: float, apart: float, noise: float, sigma: float) -> dict[str, Any]:
    """What each loss answers, and what it was rewarded for.

    Args:
        p: probability of A.
        apart: distance from A to B, in half widths.
        noise: standard deviation of the label, in half widths.
        sigma: width of a bump in the map, in half widths.

    Returns:
        "map" (64, 64), the best one; by answer: "said", its place, "hits", how often it is right, "error", its mean
        distance, "lowest", its expected loss; along `LINE`: "l1", "l2", "density" of the truth, "laplace", "gaussian".
    """
    toy = TwoPlaces(p, apart, noise)
    said = answers(toy, sigma)
    return {
        "map": toy.best_map(sigma),
        "said": said,
        "hits": {name: toy.hits(t) for name, t in said.items()},
        "error": {name: float(toy.l1(t)) for name, t in said.items()},
        "l1": toy.l1(LINE),
        "l2": toy.l2(LINE),
        "lowest": {name: float(loss(said[name])) for name, loss in zip(ANSWERS, (toy.l2, toy.l1))},
        "density": toy.density(LINE),
        "laplace": laplace(toy),
        "gaussian": gaussian(toy),
    }


def view_ambiguity(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The map with the four answers, the expected losses, and the densities along the line."""
    half = params["apart"] / 2
    upright = [[[x, -0.9], [x, 0.9]] for x in (-half, half)]
    dots = [
        stage.dots(name, [[arrays["said"][name], 0.0]], colour=colour, size=_SIZES[name][0], symbol=_SIZES[name][1])
        for name, colour in ANSWERS.items()
    ]
    losses = [
        stage.series("expected squared error (L2)", LINE, arrays["l2"], colour="vermillion"),
        stage.series("expected absolute error (L1)", LINE, arrays["l1"], colour="orange", dash="dash"),
    ]
    for name, low in arrays["lowest"].items():
        place = [arrays["said"][name]]
        losses.append(stage.series("", place, [low], mode="markers", colour=ANSWERS[name], width=6))
    widths = [
        stage.series("the truth", LINE, arrays["density"], colour="ink"),
        stage.series("best Gaussian (mean, σ)", LINE, arrays["gaussian"], colour="vermillion", dash="dash"),
        stage.series("best Laplace (median, b)", LINE, arrays["laplace"], colour="purple"),
    ]
    along = stage.axis("place along the line (half widths)", -1, 1)
    said = arrays["said"]
    rows = [
        ["place (half widths)", *(stage.signed(place) for place in said.values())],
        ["mean error (half widths)", *(f"{arrays['error'][name]:.2f}" for name in said)],
        [f"within {HIT} of the truth (%)", *(f"{100 * arrays['hits'][name]:.0f}" for name in said)],
    ]
    return stage.panes(
        stage.image(
            heat=arrays["map"], heat_name="best heat map", heat_colour="sky", dots=dots, cross=None,
            lines=[stage.polyline("", upright, dash="dot")],
            title="the map keeps both: drag A or B", levels=(0.0, 0.5),
            handles=[stage.handle(name, (x, 0.6), axis="x") for name, x in (("A", -half), ("B", half))],
        ),
        stage.curve(losses, x=along, y=stage.axis("expected loss", 0, 2), title="what one number is rewarded for"),
        stage.curve(widths, x=along, y=stage.axis("density", 0, 5), title="a width says: I am not sure"),
        stage.table(["answer", *said], rows),
        note="a tie: every place between A and B is a median" if abs(params["p"] - 0.5) < 1e-9 else "",
        height=165,
    )  # fmt: skip


def ambiguity_demo() -> Demo:
    """Two places for one joint: the losses, their answers, the map, and a width that admits the doubt."""
    return live(
        compute_ambiguity, view_ambiguity,
        {
            "p": slider(0.6, 0.0, 1.0, 0.02, "probability of A"),
            "apart": slider(1.2, 0.0, 1.6, 0.02, "distance A to B"),
            "noise": slider(0.1, 0.08, 0.3, 0.01, "label noise"),
            "sigma": slider(0.1, 0.04, 0.3, 0.01, "σ of the bump"),
        },
        presets={
            name: {"p": p, "apart": apart, "noise": 0.1, "sigma": 0.1}
            for name, p, apart in (
                ("no doubt", 1.0, 1.2), ("A a little likelier", 0.6, 1.2), ("a coin toss", 0.5, 1.2),
                ("nearly the same place", 0.6, 0.2),
            )
        },
        title="One joint, two places: what does each loss answer?",
        folded=("noise", "sigma"),
        grabs={name: lambda at, params: {"apart": 2 * abs(at[0])} for name in "AB"},
        plays="p",
    )  # fmt: skip
