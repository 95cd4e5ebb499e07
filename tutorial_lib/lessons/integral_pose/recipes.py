"""What lesson 02's experiment trains: budgets, the methods and their networks."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tutorial_lib import checkpoints
from tutorial_lib.integral.losses import Mix
from tutorial_lib.integral.networks import RegressionNet, ResNet50, SmallTrunk, VolumeNet

DIRECTIONS = 8
"""Classes of the task that pre-trains the trunk of approach 4."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        trunk: "small" or "resnet50"; `width` is that of the small trunk and of the deconvolutions' half.
        size, cells, depth: of the pictures and of the volume.
        photos, other_photos, validation, test: how many; the "other" ones pre-train.
        steps, pretrain_steps, late_steps: of the first stage, of the pre-training, of the second stage.
        search_steps: of the trainings that find the learning rates.
        seeds: trainings of every network.
        rates: candidates for the learning rate; the second stage begins with the integral's again.
        head_std: of a volume net's last weights at the start. 0.001, the paper's, takes a short training too long to
            get away from equally probable cells.
        precision: "float32" or "bfloat16", in which a network is trained (twice as fast on a processor that knows
            it). Scores, losses, weights and every examination are float32.
    """

    trunk: str
    width: int
    size: int
    cells: int
    depth: int
    photos: int
    other_photos: int
    validation: int
    test: int
    steps: int
    pretrain_steps: int
    late_steps: int
    search_steps: int
    batch: int
    seeds: int
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    head_std: float = 0.1
    precision: str = "float32"


BUDGETS = {
    "shipped": Budget(
        "small", 32, 64, 16, 16, 20000, 4000, 512, 1024, 7000, 1000, 1200, 1750, 32, 5, precision="bfloat16"
    ),
    # For a machine with a GPU: the paper's network and volume, and about as many batches as the report's 25 epochs.
    "full": Budget(
        "resnet50",
        128,
        256,
        64,
        64,
        60000,
        20000,
        1024,
        2048,
        240000,
        20000,
        20000,
        60000,
        32,
        5,
        (1e-4, 3e-4, 1e-3, 3e-3),
        0.001,
    ),  # fmt: skip
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget("small", 4, 32, 4, 4, 8, 6, 4, 6, 2, 2, 2, 1, 4, 2, (1e-3,)),
}


@dataclass(frozen=True)
class Method:
    """One way to train.

    Attributes:
        mix: of the losses; None: plain regression.
        start: the method whose network it begins with, or "directions": the trunk of the other task.
        rounded: whether the Gaussian stands on the joint's cell, as in the report. Otherwise it stands on the joint
            (ours): our cells are 5 times as large as theirs, and rounding moves every root, whose depth is 0, by half
            a cell to the back.
    """

    mix: Mix | None
    start: str = ""
    rounded: bool = False

    @property
    def family(self) -> str:
        """Whose learning rate it takes."""
        if self.mix is None:
            return "regression"
        return "integral" if self.mix.integral else "heat-map"


METHODS = {
    "regression": Method(None),
    "integral": Method(Mix()),
    "integral-later": Method(Mix(), "integral"),
    "gaussian-later": Method(Mix(gaussian=0.01), "integral"),
    "one-hot-later": Method(Mix(one_hot=0.01), "integral"),
    "js-later": Method(Mix(js=0.1), "integral"),
    "heat-map": Method(Mix(integral=0.0, gaussian=1.0)),
    "heat-map-cell": Method(Mix(integral=0.0, gaussian=1.0), rounded=True),
    "pre-trained": Method(Mix(), "directions"),
}
"""The report does not give its weights. Ours are strong enough to bring the peak of the map to the joint; with a tenth
of them the map stays what it was."""

SHIPPED = tuple(method for method in METHODS if method not in ("one-hot-later", "js-later"))
"""Networks that are kept, of seed 0: those that the lesson shows, and those they are compared with most."""

BETAS = (1.0, 1.5, 2.0, 3.0, 5.0)
"""Candidates for the sharpness with which the mean of a map is read that was trained with the heat-map loss alone."""


def build(method: str, budget: Budget) -> VolumeNet | RegressionNet:
    """An untrained network for a method.

    Raises:
        ValueError: an unknown trunk.
    """
    if budget.trunk not in ("small", "resnet50"):
        raise ValueError(f"trunk is {budget.trunk!r}, expected 'small' or 'resnet50'")
    trunk = SmallTrunk(budget.width) if budget.trunk == "small" else ResNet50()
    if METHODS[method].mix is None:
        return RegressionNet(trunk)
    net = VolumeNet(trunk, budget.size, budget.cells, budget.depth, 2 * budget.width)
    nn.init.normal_(net.head.weight, std=budget.head_std)
    return net


def load(
    method: str, folder: Path = checkpoints.FOLDER, device: torch.device | str = "cpu"
) -> VolumeNet | RegressionNet:
    """A trained network of seed 0, in eval mode.

    Raises:
        ValueError: as `checkpoints.weights`; weights that do not fit the architecture in the JSON.
    """
    about, tensors = checkpoints.weights(f"integral/{method}", folder)
    return checkpoints.fill(lambda: build(method, Budget(**about["architecture"])), tensors, method).to(device)
