"""How near peaks are to every person's joints, apart from whose they are taken for; and grouping, apart from that.

Errors are measured against each person's own size: a pixel is more of somebody who stands far away.
"""

from dataclasses import asdict, dataclass
from itertools import permutations

import torch

from tutorial_lib.characteristic.network import CrowdNet, merged
from tutorial_lib.characteristic.peaks import find_peaks, sample
from tutorial_lib.characteristic.samples import CrowdSet
from tutorial_lib.characteristic.tags import best_pairs, group
from tutorial_lib.metrics.pck import box_side

CAP = 0.2
"""Share of the own size above which an error counts as lost, however large it is."""


@dataclass(frozen=True)
class Found:
    """What maps say of every person's joints, each joint given the peak that fits it best.

    Attributes:
        distance: (B, P, J) in normalised coordinates; infinite where no peak is left.
        height: (B, P, J) of the peak; 0 where there is none.
        peak: (B, P, J) which of the joint's peaks; -1 for none.
        places, heights: (B, J, K, 2), (B, J, K) all peaks.
    """

    distance: torch.Tensor
    height: torch.Tensor
    peak: torch.Tensor
    places: torch.Tensor
    heights: torch.Tensor


def assigned(places: torch.Tensor, heights: torch.Tensor, crowds: CrowdSet) -> Found:
    """Give every person's joint one of the peaks, so that as little as possible is lost in a picture.

    Nobody asks here whether a network knows whose peak it is: the truth decides.

    Args:
        places: (B, J, K, 2), highest first; no more than there are people are looked at.
        heights: (B, J, K).
        crowds: the truth.
    """
    people = crowds.present.shape[1]
    count = crowds.present.sum(1)
    places, heights = places[:, :, :people], heights[:, :, :people]
    heights = heights * (torch.arange(heights.shape[2], device=heights.device) < count[:, None, None])
    apart = torch.linalg.vector_norm(places[:, None] - crowds.keypoints[:, :, :, None], dim=-1)
    apart = apart.masked_fill(heights[:, None] <= 0, torch.inf)
    size = box_side(crowds.keypoints).clamp_min(1e-6)[..., None, None]
    cost = (apart / size).clamp_max(CAP) + 1e-6 * (apart / size).clamp_max(100)
    cost = torch.where(crowds.counts[..., None], cost, 0.0)
    orders = torch.tensor(list(permutations(range(people))), device=places.device)
    rows = torch.arange(people, device=places.device)
    totals = torch.stack([cost[:, rows, :, order].sum(0) for order in orders])
    chosen = orders[totals.argmin(0)].movedim(-1, 1)
    distance, height = (
        values.gather(-1, chosen[..., None])[..., 0] for values in (apart, heights[:, None].expand(-1, people, -1, -1))
    )
    return Found(distance, height, chosen.masked_fill(height <= 0, -1), places, heights)


def judge(found: Found, crowds: CrowdSet) -> dict[str, dict[str, float]]:
    """Errors of the "near"est and the "far"thest person, of joints "behind" others, and of "all".

    Returns:
        Group -> "pck10", "pck20" (% of joints nearer than this share of the own size), "lost" (% of the own size, mean
        of errors that are capped at 20), "median_px" (half of the joints are nearer than that; without a
        peak, the picture's side), "height" of the peaks.
    """
    size = box_side(crowds.keypoints).clamp_min(1e-6)[..., None]
    share, pixels = (
        found.distance / size,
        (found.distance * crowds.pixels.shape[-1] / 2).clamp_max(crowds.pixels.shape[-1]),
    )
    number = torch.arange(crowds.present.shape[1], device=share.device)
    groups = {
        "near": crowds.counts & (number == 0)[:, None],
        "far": crowds.counts & (number == crowds.far[:, None])[..., None],
        "behind": crowds.counts & crowds.behind,
        "all": crowds.counts,
    }
    return {
        name: {
            "pck10": 100 * (share[kept] < 0.1).double().mean().item(),
            "pck20": 100 * (share[kept] < 0.2).double().mean().item(),
            "lost": 100 * share[kept].clamp_max(CAP).double().mean().item(),
            "median_px": pixels[kept].median().item(),
            "height": found.height[kept].double().mean().item(),
        }
        for name, kept in groups.items()
    }


def grouped(found: Found, tags: torch.Tensor, crowds: CrowdSet, threshold: float = 1.0) -> dict[str, float]:
    """How well tags say whose a joint is, asked only about joints whose peak is right.

    Args:
        found: of `assigned`.
        tags: (B, J, n, n).
        crowds: the truth.
        threshold: of `tags.group`.

    Returns:
        "kept": % of these joints that are in their own person's group, groups and people matched as well as can be;
        "groups": mean number of groups for one person; "lot": "kept" if every joint's peaks are handed out by lot.
    """
    values = sample(tags, found.places)
    right = crowds.counts & (found.distance / box_side(crowds.keypoints).clamp_min(1e-6)[..., None] < CAP)
    generator = torch.Generator().manual_seed(0)
    kept = by_lot = asked = groups = 0
    for i in range(len(crowds)):
        whose = {
            (joint, peak): person
            for person, joint in right[i].nonzero().tolist()
            if (peak := int(found.peak[i, person, joint])) >= 0
        }
        made = group(values[i].cpu(), found.heights[i].cpu(), threshold)
        people = int(crowds.present[i].sum())
        lot = torch.rand(values.shape[1], people, generator=generator).argsort(1).tolist()
        drawn = [{joint: lot[joint][person] for joint in range(len(lot))} for person in range(people)]
        asked, groups = asked + len(whose), groups + len(made) / people
        kept, by_lot = kept + _agreed(made, whose, people), by_lot + _agreed(drawn, whose, people)
    share = 100 / max(asked, 1)
    return {"kept": share * kept, "lot": share * by_lot, "groups": groups / len(crowds)}


def _agreed(made: list[dict[int, int]], whose: dict[tuple[int, int], int], people: int) -> int:
    shared = torch.zeros(people, max(len(made), 1))
    for which, members in enumerate(made):
        for joint, peak in members.items():
            if (person := whose.get((joint, peak))) is not None:
                shared[person, which] += 1
    largest = shared.sum(0).argsort(descending=True)[:6]  # small groups win no person
    shared = shared[:, largest]
    return int(sum(shared[row, column] for row, column in best_pairs(-shared)))


@dataclass(frozen=True)
class CrowdScore:
    """What a network is worth: `judge` of both resolutions' mean and of each alone, and `grouped`."""

    merged: dict[str, dict[str, float]]
    coarse: dict[str, dict[str, float]]
    fine: dict[str, dict[str, float]]
    grouped: dict[str, float]

    def as_dict(self) -> dict:
        return asdict(self)


@torch.no_grad()
def predict(net: CrowdNet, crowds: CrowdSet, chunk: int = 64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Both maps and the tags of all pictures."""
    parts = [net(crowds[i : i + chunk].image) for i in range(0, len(crowds), chunk)]
    coarse, fine, tags = (torch.cat(column) for column in zip(*parts))
    return coarse, fine, tags


def examine(net: CrowdNet, crowds: CrowdSet) -> CrowdScore:
    """Look at pictures and judge what is found."""
    coarse, fine, tags = predict(net, crowds)
    people = crowds.present.shape[1]
    found = {
        name: assigned(*find_peaks(maps, people), crowds)
        for name, maps in (("merged", merged(coarse, fine)), ("coarse", coarse), ("fine", fine))
    }
    return CrowdScore(
        **{name: judge(one, crowds) for name, one in found.items()}, grouped=grouped(found["merged"], tags, crowds)
    )


def glance(net: CrowdNet, crowds: CrowdSet) -> dict[str, dict[str, float]]:
    """`judge` of both resolutions' mean alone, to watch a training with."""
    coarse, fine, _ = predict(net, crowds)
    return judge(assigned(*find_peaks(merged(coarse, fine), crowds.present.shape[1]), crowds), crowds)
