"""Associative embedding: a number at every joint that says whose it is, by being alike within a person.

Newell et al. 2017, in the form of HigherHRNet's code: pull with squares, push with exp(-d^2).
"""

from itertools import permutations

import torch


def tag_loss(tags: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pull and push of one picture's tags, each a mean over pictures.

    Args:
        tags: (B, P, J) read where the true joints are.
        counts: (B, P, J) bool, joints that take part. A person without one is nobody.

    Returns:
        Pull: how far tags are from their person's mean, squared. Push: exp(-d^2) for the distance d of the means of
        every two people; 1 where they are alike.
    """
    weight = counts.to(tags.dtype)
    joints = weight.sum(-1)
    there = joints > 0
    mean = (tags * weight).sum(-1) / joints.clamp_min(1)
    pull = (((tags - mean[..., None]) ** 2 * weight).sum(-1) / joints.clamp_min(1)).sum(-1) / there.sum(-1).clamp_min(1)
    apart = torch.exp(-((mean[:, :, None] - mean[:, None]) ** 2))
    pairs = there[:, :, None] & there[:, None] & ~torch.eye(tags.shape[1], dtype=torch.bool, device=tags.device)
    push = (apart * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp_min(1)
    return pull.mean(), push.mean()


def best_pairs(cost: torch.Tensor) -> list[tuple[int, int]]:
    """(row, column) pairs with the smallest total cost; every row has one while columns last. Tries all: small only.

    Args:
        cost: (rows, columns) finite numbers, at most some six each way.
    """
    rows, columns = cost.shape
    if rows > columns:
        return [(row, column) for column, row in best_pairs(cost.T)]
    table = cost.tolist()
    orders = permutations(range(columns), rows)
    best = min(orders, key=lambda order: sum(table[row][column] for row, column in enumerate(order)))
    return list(enumerate(best))


def group(
    tags: torch.Tensor, heights: torch.Tensor, threshold: float = 1.0, *, optimal: bool = True
) -> list[dict[int, int]]:
    """Put peaks together whose tags are alike: joint by joint, each to the group with the nearest mean tag.

    Args:
        tags: (J, K) of the K peaks of every joint.
        heights: (J, K) of the peaks; 0 for none.
        threshold: a tag that is further from a group's mean begins a new group.
        optimal: the peaks of one joint are shared out among groups with the smallest total distance, higher peaks
            first at equal whole distances, as HigherHRNet's code does with the Hungarian method; otherwise each peak,
            the highest first, takes the nearest group that is still free.

    Returns:
        One dictionary a person: joint -> which of its peaks.
    """
    groups: list[dict[int, int]] = []
    sums: list[float] = []

    def put(which: int | None, joint: int, peak: int) -> None:
        if which is None:
            groups.append({})
            sums.append(0.0)
            which = len(groups) - 1
        groups[which][joint] = peak
        sums[which] += values[joint][peak]

    values, high = tags.tolist(), heights.tolist()
    for joint in range(len(values)):
        peaks = [peak for peak, height in enumerate(high[joint]) if height > 0]
        means = [total / len(members) for total, members in zip(sums, groups)]
        apart = {peak: [abs(values[joint][peak] - mean) for mean in means] for peak in peaks}
        taken: dict[int, int] = {}
        if optimal and peaks and means:
            cost = torch.tensor([[100.0 * round(gap) - high[joint][peak] for gap in apart[peak]] for peak in peaks])
            taken = {peaks[row]: column for row, column in best_pairs(cost)}
        elif means:
            for peak in peaks:
                free = [which for which in range(len(means)) if which not in taken.values()]
                nearest = min(free, key=apart[peak].__getitem__, default=None)
                if nearest is not None and apart[peak][nearest] < threshold:
                    taken[peak] = nearest
        for peak in peaks:
            which = taken.get(peak)
            put(which if which is not None and apart[peak][which] < threshold else None, joint, peak)
    return groups
