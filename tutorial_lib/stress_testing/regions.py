"""From a point to a region: boxes that grow round a failure as long as everything in the new slab fails, too."""

from dataclasses import dataclass
from typing import Literal

import torch

from tutorial_lib.stress_testing.simulator import Errors

Rule = Literal["minimum", "mean"]
"""What must exceed the threshold in a new slab: every sample (the paper's rule), or their mean."""

FIRST = 0.03
"""How far every side reaches at first, in half-ranges of an axis."""

SIDES, SLAB = 3, 10
"""How many sides of a box are tried in a round, and with how many questions each."""

SUCCESS = 0.6
"""Size above which a failing centre counts as a region: the paper's number, in our units."""


@dataclass(frozen=True)
class Regions:
    """A box round each of A centres, cut off where the cube ends.

    Attributes:
        centres: (A, D) latents.
        down, up: (A, D) how far the box reaches below and above its centre, in half-ranges.
    """

    centres: torch.Tensor
    down: torch.Tensor
    up: torch.Tensor

    def __len__(self) -> int:
        return len(self.centres)

    def __getitem__(self, rows: torch.Tensor | slice) -> "Regions":
        return Regions(self.centres[rows], self.down[rows], self.up[rows])

    @property
    def low(self) -> torch.Tensor:
        """(A, D) the lower ends."""
        return (self.centres - self.down).clamp_min(-1)

    @property
    def high(self) -> torch.Tensor:
        """(A, D) the upper ends."""
        return (self.centres + self.up).clamp_max(1)

    @property
    def size(self) -> torch.Tensor:
        """(A,) length of the vector of all edges, in half-ranges: the paper's measure. What lies outside counts not."""
        return torch.linalg.vector_norm(self.high - self.low, dim=-1)

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """(count, A, D) latents, uniform in each box."""
        share = torch.rand(count, *self.centres.shape, generator=generator)
        return self.low + share * (self.high - self.low)

    def successes(self, errors: Errors, threshold: float) -> torch.Tensor:
        """(A,) bool: the centre fails, and the region is larger than `SUCCESS`."""
        return (errors(self.centres) > threshold) & (self.size > SUCCESS)


def grow(
    errors: Errors, centres: torch.Tensor, threshold: float, *, generator: torch.Generator,
    rounds: int = 100, sides: int = SIDES, samples: int = SLAB, step: float = 0.1, rule: Rule = "minimum",
) -> list[Regions]:  # fmt: skip
    """Let boxes grow, a few sides a round; a side that meets a safe sample stays.

    Args:
        errors: of latents.
        centres: (A, D); a centre that does not fail stays a point.
        threshold: above it, it is a failure.
        generator: of sides and samples.
        rounds: how many.
        sides: how many of the 2 D sides are tried in each.
        samples: questions in each new slab.
        step: by how much a side grows, in half-ranges.
        rule: "minimum": all samples of the slab must fail; "mean": they must on average.

    Returns:
        The regions before the first round and after each.

    Raises:
        ValueError: an unknown rule.
    """
    if rule not in ("minimum", "mean"):
        raise ValueError(f"rule is {rule!r}, expected 'minimum' or 'mean'")
    agents, axes = centres.shape
    fails = errors(centres) > threshold
    reach = (FIRST * fails)[:, None].repeat(1, axes)
    now = Regions(centres, reach, reach.clone())
    grown = [now]
    # Which sides may still grow: the first half of the columns are lower sides, the others upper ones.
    open_ = fails[:, None].repeat(1, 2 * axes)
    agent = torch.arange(agents)
    for _ in range(rounds):
        chosen = torch.rand(agents, 2 * axes, generator=generator).topk(sides, dim=1).indices
        asked, _ = slabs(now, chosen, samples, step, generator)
        found = errors(asked)
        measure = found.amin(0) if rule == "minimum" else found.mean(0)
        beyond = torch.where(
            chosen < axes, now.low.gather(1, chosen % axes) > -1, now.high.gather(1, chosen % axes) < 1
        )
        rows = agent[:, None].expand_as(chosen)
        taken = (measure > threshold) & open_[rows, chosen] & beyond
        open_[rows, chosen] &= measure > threshold
        reaches = torch.cat([now.down, now.up], 1)
        reaches[rows, chosen] += step * taken
        now = Regions(centres, *reaches.chunk(2, dim=1))
        grown.append(now)
    return grown


def slabs(
    regions: Regions, chosen: torch.Tensor, samples: int, step: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples just beyond chosen sides of boxes, inside of them along all other axes.

    Args:
        regions: A boxes.
        chosen: (A, sides) numbers of sides: those below D are lower ones, the others upper ones.
        samples: how many in each slab.
        step: thickness of a slab, in half-ranges.
        generator: of the samples.

    Returns:
        (samples, A, sides, D) latents, and (A, sides) the axis of each side.
    """
    axes = regions.centres.shape[1]
    axis, upper = chosen % axes, chosen >= axes
    inside = regions.draw(samples * chosen.shape[1], generator)
    inside = inside.unflatten(0, (samples, chosen.shape[1])).movedim(1, 2)
    depth = step * torch.rand(samples, *chosen.shape, generator=generator)
    edge = torch.where(upper, regions.high.gather(1, axis), regions.low.gather(1, axis))
    place = (edge + torch.where(upper, depth, -depth)).clamp(-1, 1)
    return inside.scatter(-1, axis.expand(samples, -1, -1)[..., None], place[..., None]), axis


def failing_share(
    errors: Errors, regions: Regions, threshold: float, *, generator: torch.Generator, samples: int = 200
) -> torch.Tensor:
    """(A,) share of uniform samples of each box that fail."""
    return (errors(regions.draw(samples, generator)) > threshold).float().mean(0)


def distinct(regions: Regions) -> int:
    """How many different regions: boxes that overlap, or are linked by boxes that do, count as one."""
    low, high = regions.low, regions.high
    linked = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(-1)
    for _ in range(len(regions)):
        linked = (linked.float() @ linked.float()) > 0
    return len({tuple(row) for row in linked.tolist()})
