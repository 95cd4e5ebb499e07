"""Checks of lesson 09: half found or one lost, the loss by a Fourier transform, and putting peaks together."""

import math
from collections.abc import Callable

import torch

from tutorial_lib.characteristic.loss import cf_loss
from tutorial_lib.characteristic.tags import group
from tutorial_lib.display.exercises import compare, exercise, number, tensor
from tutorial_lib.lessons.characteristic_function import demo_sharp


@exercise
def half_or_lost(function: Callable) -> str:
    """Exercise 09.1: `function(people)` -> the height from which on "all at this height" beats "one lost", by L2."""
    hint = (
        "all at height h: each of the k people costs (1 - h)^2 lost people; one lost costs 1. They are equal where "
        "k (1 - h)^2 = 1"
    )
    for people in (3, 2, 5, 8):
        what = f"{people} people"
        got = torch.tensor(number(function(people), what, hint), dtype=torch.float64)
        compare(
            got, torch.tensor(1 - 1 / math.sqrt(people), dtype=torch.float64), what, hint, 1e-6,
            {
                "errors were added without squaring them: k (1 - h) = 1": torch.tensor(1 - 1 / people).double(),
                "it is 1 - h, what is missing of each": torch.tensor(1 / math.sqrt(people)).double(),
                "h^2 was taken for (1 - h)^2": torch.tensor(math.sqrt(1 - 1 / people)).double(),
                "the mean over people was taken, where L2 is a sum": torch.tensor(0.0).double(),
            },
        )  # fmt: skip
    return "half_or_lost: the more people, the higher: one lost person drowns in a crowd"


def _mean_modulus(
    difference: torch.Tensor, highest: float | None, *, weighted: bool = True, last: bool = True, total: bool = False,
    root: str = "",
) -> torch.Tensor:  # fmt: skip
    """The right answer, or one with a common mistake in it."""
    rows, columns = difference.shape[-2:]
    phi = torch.fft.rfft2(difference)
    down, across = (2 * math.pi * f for f in (torch.fft.fftfreq(rows), torch.fft.rfftfreq(columns)))
    count = torch.full((rows, len(across)), 2.0 if weighted else 1.0)
    if weighted:
        count[:, 0] = 1.0
        if last and columns % 2 == 0:
            count[:, -1] = 1.0
    if highest is not None:
        count = count * ((down.abs()[:, None] <= highest + 1e-6) & (across[None] <= highest + 1e-6))
    apart = {"": phi.abs(), "real": phi.real.abs(), "squared": phi.abs() ** 2, "parts": phi.real.abs() + phi.imag.abs()}
    value = (apart[root] * count).sum((-2, -1))
    return value if total else value / count.sum()


@exercise
def cf_by_fourier(function: Callable) -> str:
    """Exercise 09.2: `function(maps, target, highest)` -> (...,) mean over frequencies of |phi_p - phi_g|."""
    generator = torch.Generator().manual_seed(0)
    hint = (
        "torch.fft.rfft2 of the difference; frequencies 2 pi fftfreq(rows) and 2 pi rfftfreq(columns); each counts "
        "twice, but those of column 0, and of the last column if the number of columns is even, once; keep those with "
        "both parts at most T; divide the weighted sum of the moduli by the sum of the weights"
    )
    for shape, highest in (
        ((3, 8, 8), None),
        ((2, 2, 9, 7), None),
        ((2, 8, 8), math.pi / 2),
        ((2, 16, 16), math.pi / 4),
    ):
        maps, target = torch.randn(2, *shape, generator=generator)
        what = f"maps {tuple(shape)}, T {'none' if highest is None else f'{highest:.2f}'}"
        difference = maps - target
        compare(
            tensor(function(maps, target, highest), what, hint).to(torch.float32), cf_loss(maps, target, highest), what,
            hint, 1e-4,
            {
                "every frequency of rfft2 counts once: half of them are missing there": _mean_modulus(
                    difference, highest, weighted=False
                ),
                "the last column counts twice, but for an even number of columns it is its own mirror": _mean_modulus(
                    difference, highest, last=False
                ),
                "the sum was taken, not the mean": _mean_modulus(difference, highest, total=True),
                "the modulus was squared: that is L2 again": _mean_modulus(difference, highest, root="squared"),
                "the real part alone was taken": _mean_modulus(difference, highest, root="real"),
                "|real| + |imaginary| was taken for the modulus": _mean_modulus(difference, highest, root="parts"),
                "T was not looked at, or frequencies were taken in cycles a cell, without 2 pi": _mean_modulus(
                    difference, None
                ),
                "the mean over maps was taken: one number a map is wanted": cf_loss(maps, target, highest).mean(),
            },
        )  # fmt: skip
    demo_sharp.checked(function)
    return "cf_by_fourier: yours and the course's agree. The demo below computes with yours"


def _whose(groups: list[dict[int, int]], shape: torch.Size) -> torch.Tensor:
    made = torch.full(shape, -1)
    for which, members in enumerate(groups):
        for joint, peak in members.items():
            made[joint, peak] = which
    return made


def _greedy(
    tags: torch.Tensor, heights: torch.Tensor, threshold: float, *, free: bool = True, lowest: float = 0.0,
    mean: str = "mean", never_new: bool = False,
) -> torch.Tensor:  # fmt: skip
    """(J, K) greedy groups, or those of a common mistake."""
    whose = torch.full(tags.shape, -1)
    members: list[list[float]] = []
    for joint in range(len(tags)):
        read = {"mean": lambda m: sum(m) / len(m), "first": lambda m: m[0], "last": lambda m: m[-1]}[mean]
        means, taken = [read(m) for m in members], set()
        for peak in range(tags.shape[1]):
            if not heights[joint, peak] > lowest:
                continue
            tag = float(tags[joint, peak])
            open_to = [g for g in range(len(means)) if g not in taken or not free]
            best = min(open_to, key=lambda g: abs(tag - means[g]), default=None)
            if best is None or (abs(tag - means[best]) >= threshold and not never_new):
                members.append([])
                best = len(members) - 1
            members[best].append(tag)
            taken.add(best)
            whose[joint, peak] = best
    return whose


@exercise
def put_together(function: Callable) -> str:
    """Exercise 09.3: `function(tags, heights, threshold)` -> (J, K) which group every peak is in, -1 for no peak."""
    generator = torch.Generator().manual_seed(3)
    hint = (
        "before each joint, compute the mean tag of every group so far; go through its peaks in order, leave out those "
        "of height 0; take the nearest group that no other peak of this joint has; if there is none, or it is "
        "`threshold` away or more, open a new group. Groups are numbered as they open"
    )
    for people, wobble, threshold in ((2, 0.1, 1.0), (3, 0.5, 0.8), (3, 0.9, 0.6)):
        centres = 2 * torch.arange(people) - 1.0
        order = torch.rand(17, people, generator=generator).argsort(1)
        tags = centres[order] + wobble * torch.randn(17, people, generator=generator)
        heights = torch.rand(17, people, generator=generator).sort(1, descending=True).values
        heights = torch.where(torch.rand(17, people, generator=generator) < 0.15, 0.0, heights)
        heights = heights.sort(1, descending=True).values
        what = f"{people} people, threshold {threshold:g}"
        expected = _greedy(tags, heights, threshold)
        assert torch.equal(expected, _whose(group(tags, heights, threshold, optimal=False), tags.shape))
        compare(
            tensor(function(tags.clone(), heights.clone(), threshold), what, hint).long(), expected, what, hint, 0.0,
            {
                "two peaks of one joint are in one group: nobody has two right elbows": _greedy(
                    tags, heights, threshold, free=False
                ),
                "peaks of height 0 are no peaks, but were put somewhere": _greedy(
                    tags, heights, threshold, lowest=-1.0
                ),
                "a peak went to the nearest group however far it is: the threshold opens new ones": _greedy(
                    tags, heights, threshold, never_new=True
                ),
                "groups were compared by their first tag, not by their mean": _greedy(
                    tags, heights, threshold, mean="first"
                ),
                "groups were compared by their last tag, not by their mean": _greedy(
                    tags, heights, threshold, mean="last"
                ),
            },
        )  # fmt: skip
    return "put_together: one group a person, and nobody has two right elbows"
