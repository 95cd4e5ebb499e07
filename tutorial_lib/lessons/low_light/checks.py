"""Checks of lesson 12: amplifying, Gram matrices, and a batch norm with two sides."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.low_light.dark_camera import FLOOR, amplify
from tutorial_lib.low_light.losses import gram

MOMENTUM, EPSILON = 0.1, 1e-5


@exercise
def brighten(function: Callable) -> str:
    """Exercise 12.1: `function(image)` -> (B, 3, H, W), every channel of every picture with the mean 0.4."""
    hint = (
        "one factor for each channel of each picture: 0.4 / its mean over height and width; no mean below the floor "
        "is divided by"
    )
    generator = torch.Generator().manual_seed(0)
    for count in (1, 3):
        image = 0.02 * torch.rand(count, 3, 8, 6, generator=generator) ** 2
        image[:, 1] *= 0.4
        image[0, 2] = 0.0  # no photon at all
        image[0, 2, 0, 0] = FLOOR / 10
        right = amplify(image)
        over = image * (0.4 / image.mean((1, 2, 3), keepdim=True).clamp_min(FLOOR))
        compare(
            tensor(function(image), f"{count} pictures", hint), right, f"{count} pictures", hint, 1e-4,
            {
                "one factor for all three channels of a picture: a colour cast stays": over,
                "one factor for the whole batch: each picture has its own": image
                * (0.4 / image.mean((0, 2, 3), keepdim=True).clamp_min(FLOOR)),
                "a channel without light was divided by (almost) nothing: use the floor": image
                * (0.4 / image.mean((2, 3), keepdim=True).clamp_min(1e-12)),
                "the result was cut off at 1: bright spots may exceed it": right.clamp(0, 1),
                "the mean was added, not multiplied in": image + (0.4 - image.mean((2, 3), keepdim=True)),
            },
        )  # fmt: skip
    return "brighten: light, noise and steps grow alike"


@exercise
def who_fires_together(function: Callable) -> str:
    """Exercise 12.2: `function(features)` -> (B, C, C), the mean over cells of f f^T."""
    hint = "flatten the cells, multiply the (C, cells) matrix by its transpose, divide by the number of cells"
    generator = torch.Generator().manual_seed(1)
    for shape in ((2, 4, 5, 3), (1, 6, 2, 2)):
        features = torch.randn(*shape, generator=generator) + 0.3
        flat = features.flatten(2)
        right, cells = gram(features), flat.shape[-1]
        centred = flat - flat.mean(-1, keepdim=True)
        compare(
            tensor(function(features), f"features {shape}", hint), right, f"features {shape}", hint, 1e-5,
            {
                "the sum over cells, not their mean": right * cells,
                "it was divided by the channels, too": right / shape[1],
                "the mean was taken away first: that is a covariance": centred @ centred.mT / cells,
                "cells with cells, not channels with channels": flat.mT @ flat / cells,
                "pictures were mixed: each has a matrix of its own": right.mean(0, keepdim=True).expand_as(right),
            },
        )  # fmt: skip
    return "who_fires_together: no cell's place is in it"


def state_of_sides(channels: int, generator: torch.Generator) -> dict[str, dict[str, torch.Tensor]]:
    """Two sides of a norm as the exercise keeps them: light -> mean, var, scale, shift, (channels,) each."""
    draws = {name: torch.randn(2, channels, generator=generator) for name in ("mean", "var", "scale", "shift")}
    draws["var"] = draws["var"].abs() + 0.5
    return {
        light: {name: values[side].clone() for name, values in draws.items()}
        for side, light in enumerate(("dark", "bright"))
    }


def _run(function: Callable, sides: dict[str, Any], inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """What three calls give and leave: a dark batch in training, then both lights at the test."""
    said = {
        "a dark batch in training": function(inputs[0].clone(), "dark", sides, True),
        "a dark batch at the test": function(inputs[1].clone(), "dark", sides, False),
        "a bright batch at the test": function(inputs[1].clone(), "bright", sides, False),
    }
    for light in ("dark", "bright"):
        for name in ("mean", "var"):
            said[f"the running {name} of the {light} side"] = sides[light][name]
    return said


def _right(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
    side = sides[light]
    return F.batch_norm(
        x, side["mean"], side["var"], side["scale"], side["shift"], training, MOMENTUM, EPSILON
    )  # its running values move in place


def _slips(inputs: torch.Tensor, before: dict[str, Any]) -> dict[str, dict[str, torch.Tensor]]:
    """What common mistakes give, by what they are."""

    def other_side(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        return _right(x, "bright" if light == "dark" else "dark", sides, training)

    def shared(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        return _right(x, "dark", sides, training)

    def both_move(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        if training:
            _right(x, "bright" if light == "dark" else "dark", sides, True)
        return _right(x, light, sides, training)

    def forgets(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        return _right(x, light, copy.deepcopy(sides), training)

    def always_running(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        return _right(x, light, sides, False)

    def always_batch(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        return _right(x, light, sides if training else copy.deepcopy(sides), True)

    def biased(x: torch.Tensor, light: str, sides: dict[str, Any], training: bool) -> torch.Tensor:
        old = sides[light]["var"].clone()
        out = _right(x, light, sides, training)
        if training:
            sides[light]["var"] = (1 - MOMENTUM) * old + MOMENTUM * x.var((0, 2, 3), unbiased=False)
        return out

    slips = {
        "the lamp switch is the wrong way round": other_side,
        "both lights use one side": shared,
        "the side whose light it is not moves, too": both_move,
        "running values do not move in training": forgets,
        "running values were used in training, too: there the batch's own count": always_running,
        "the batch's values were used at the test, too: there the running ones count": always_batch,
        "the running variance took the biased one (n): it takes that with n - 1": biased,
    }
    return {name: _run(slip, copy.deepcopy(before), inputs) for name, slip in slips.items()}


@exercise
def two_sided_norm(function: Callable) -> str:
    """Exercise 12.3: `function(x, light, sides, training)` -> normalised (B, C, H, W); `sides` moves in training."""
    generator = torch.Generator().manual_seed(2)
    hint = (
        "take the side of this light; in training use the batch's mean and biased variance over pictures, height and "
        "width, and move the running values of this side by a tenth; at the test use the running values"
    )
    before = state_of_sides(4, generator)
    inputs = 2 * torch.randn(2, 3, 4, 5, 6, generator=generator) + 1
    right = _run(_right, copy.deepcopy(before), inputs)
    got = _run(function, copy.deepcopy(before), inputs)
    slips = _slips(inputs, before)
    for case, expected in right.items():
        compare(
            tensor(got[case], case, hint), expected, case, hint, 1e-4,
            {name: slip[case] for name, slip in slips.items() if not torch.allclose(slip[case], expected, atol=1e-4)},
        )  # fmt: skip
    return "two_sided_norm: two worlds, each with its own mean"
