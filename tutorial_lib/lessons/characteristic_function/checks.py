"""Checks of lesson 09: half found or one lost, the loss by a Fourier transform, and putting peaks together."""

import math
from collections.abc import Callable, Iterator

import torch

from tutorial_lib.characteristic.loss import cf_loss
from tutorial_lib.characteristic.tags import group
from tutorial_lib.display.exercises import compare, exercise, number, tensor
from tutorial_lib.lessons.characteristic_function import demo_sharp


@exercise
def half_or_lost(function: Callable) -> str:
    """Exercise 09.1: `function(people)` -> the height from which on "all at this height" beats "one lost", by L2."""
    hint = "write down what each of the two mistakes costs, in lost people, and set them equal"
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
    difference: torch.Tensor, highest: float | None, *, weighted: bool = True, first: bool = True, last: bool = True,
    even: bool = True, round_: bool = False, over: str = "weights", root: str = "",
) -> torch.Tensor:  # fmt: skip
    """The right answer, or one with a common mistake in it."""
    rows, columns = difference.shape[-2:]
    phi = torch.fft.rfft2(difference)
    down, across = (2 * math.pi * f for f in (torch.fft.fftfreq(rows), torch.fft.rfftfreq(columns)))
    count = torch.full((rows, len(across)), 2.0 if weighted else 1.0)
    if weighted:
        if first:
            count[:, 0] = 1.0
        if last and (columns % 2 == 0 or not even):
            count[:, -1] = 1.0
    if highest is not None:
        largest = torch.hypot(down[:, None], across) if round_ else torch.maximum(down.abs()[:, None], across)
        count = count * (largest <= highest + 1e-6)
    apart = {"": phi.abs(), "real": phi.real.abs(), "squared": phi.abs() ** 2, "parts": phi.real.abs() + phi.imag.abs()}
    value = (apart[root] * count).sum((-2, -1))
    return value / {"weights": count.sum(), "cells": rows * columns, "nothing": 1}[over]


@exercise
def cf_by_fourier(function: Callable) -> str:
    """Exercise 09.2: `function(maps, target, highest)` -> (...,) mean over frequencies of |phi_p - phi_g|."""
    generator = torch.Generator().manual_seed(0)
    hint = (
        "torch.fft.rfft2 of the difference; frequencies 2 pi fftfreq(rows) and 2 pi rfftfreq(columns); a column that "
        "is its own mirror image counts once, all others twice; divide the weighted sum of the moduli by the sum of "
        "the weights that were kept"
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
                "column 0 counts twice, but it is its own mirror image": _mean_modulus(
                    difference, highest, first=False
                ),
                "the last column of an odd number of columns has a mirror image, and counts twice": _mean_modulus(
                    difference, highest, even=False
                ),
                "the sum was taken, not the mean": _mean_modulus(difference, highest, over="nothing"),
                "the mean is over the frequencies that were kept, not over all cells": _mean_modulus(
                    difference, highest, over="cells"
                ),
                "frequencies inside a circle were kept; it is a square, each part of t at most T": _mean_modulus(
                    difference, highest, round_=True
                ),
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
    mean: str = "mean", never_new: bool = False, nearest: bool = False, beyond: bool = False,
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
            best = min(range(len(means)) if nearest else open_to, key=lambda g: abs(tag - means[g]), default=None)
            away = 0.0 if best is None else abs(tag - means[best])
            far = away > threshold if beyond else away >= threshold
            if best is None or (far and not never_new) or (nearest and best in taken):
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
        "of height 0; of the groups that no other peak of this joint has, the nearest; if there is none, or it is "
        "`threshold` away or more, open a new group. Groups are numbered as they open"
    )

    def asked() -> Iterator[tuple[str, torch.Tensor, torch.Tensor, float]]:
        yield "2 people, 2 joints", torch.tensor([[0.0, 1.0], [0.4, 0.3]]), torch.ones(2, 2), 1.5
        yield from drawn()
        yield "a tag exactly at the threshold", torch.tensor([[0.0], [1.0]]), torch.ones(2, 1), 1.0

    def drawn() -> Iterator[tuple[str, torch.Tensor, torch.Tensor, float]]:
        for people, wobble, threshold in ((2, 0.1, 1.0), (3, 0.5, 0.8), (3, 0.9, 0.6)):
            centres = 2 * torch.arange(people) - 1.0
            order = torch.rand(17, people, generator=generator).argsort(1)
            tags = centres[order] + wobble * torch.randn(17, people, generator=generator)
            heights = torch.rand(17, people, generator=generator).sort(1, descending=True).values
            heights = torch.where(torch.rand(17, people, generator=generator) < 0.15, 0.0, heights)
            heights = heights.sort(1, descending=True).values
            yield f"{people} people, threshold {threshold:g}", tags, heights, threshold

    for what, tags, heights, threshold in asked():
        expected = _greedy(tags, heights, threshold)
        assert torch.equal(expected, _whose(group(tags, heights, threshold, optimal=False), tags.shape))
        compare(
            tensor(function(tags.clone(), heights.clone(), threshold), what, hint).long(), expected, what, hint, 0.0,
            {
                "the nearest group was taken already: then it is the nearest that is free, not a new one": _greedy(
                    tags, heights, threshold, nearest=True
                ),
                "`threshold` away is too far already: a new group": _greedy(tags, heights, threshold, beyond=True),
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
