"""How a network of lesson 02 is trained on augmented photos, and how a trunk is trained before."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.datasets import augmentation
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.integral.networks import Trunk
from tutorial_lib.integral.poses import to_volume
from tutorial_lib.lessons.integral_pose.recipes import DIRECTIONS, Budget
from tutorial_lib.skeleton import JOINTS
from tutorial_lib.training import History, fit

CHECKS = 28
"""How often a training is looked at on the way."""


def truth(photos: PhotoSet) -> torch.Tensor:
    """What a network should say: (B, 17, 3) x, y, z in the volume."""
    return to_volume(photos.keypoints, photos.pose, photos.box)


def direction(pose: torch.Tensor) -> torch.Tensor:
    """Which of `DIRECTIONS` sectors the person faces, seen from above: (..., 17, 3) camera frame to (...,) int64."""
    across = pose[..., JOINTS.index("left_hip"), :] - pose[..., JOINTS.index("right_hip"), :]
    turn = torch.atan2(across[..., 2], across[..., 0]) / (2 * math.pi)
    return (DIRECTIONS * (turn % 1)).long() % DIRECTIONS


def forward(net: nn.Module, images: torch.Tensor, precision: str = "float32") -> torch.Tensor:
    """What the net says, computed in one precision and handed on in float32.

    Args:
        net: of `recipes.build`, or a classifier.
        images: (B, 3, S, S).
        precision: of `Budget`.
    """
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return net(images.contiguous(memory_format=torch.channels_last)).float().contiguous()


def train(
    net: nn.Module,
    photos: PhotoSet,
    loss_of: Callable[..., torch.Tensor],
    steps: int,
    rate: float,
    batch: int,
    generator: torch.Generator,
    label: str = "training",
    validate: Callable[[], float] | None = None,
) -> History:
    """Train on augmented photos, in place.

    Args:
        net: of `recipes.build`.
        photos: to learn from.
        loss_of: (net, images, target (B, 17, 3), inside (B, 17), index of the photos) -> scalar.
        steps: of Adam.
        rate: the first learning rate.
        batch: photos a step.
        generator: draws photos and their changes.
        label: what the bar says.
        validate: what to write down `CHECKS` times on the way; the net keeps its best weights.

    Raises:
        KeyboardInterrupt: if the student stopped the training.
    """
    device = next(net.parameters()).device
    targets = truth(photos)

    def loss(step: int) -> torch.Tensor:
        net.train()
        index = torch.randint(len(photos), (batch,), generator=generator)
        images, target = photos.pixels[index].to(device).float() / 255, targets[index].to(device)
        images, target = augmentation.apply(
            images, target, augmentation.draw(batch, augmentation.Strength(), generator)
        )
        return loss_of(net, images, target, augmentation.inside(target).to(target), index)

    every = max(1, math.ceil(steps / CHECKS))
    return fit(net, loss, steps, rate=rate, label=label, validate=validate, every=every).whole(label)


def pretrain(
    trunk: Trunk, photos: PhotoSet, budget: Budget, rate: float, generator: torch.Generator, label: str
) -> None:
    """Train the trunk to say which way the person faces, in place; the layer that says it is thrown away."""
    net = nn.Sequential(trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(trunk.channels, DIRECTIONS))
    net.to(next(trunk.parameters()).device)
    facing = direction(photos.pose)

    def loss(net: nn.Module, images: torch.Tensor, target: torch.Tensor, inside: torch.Tensor, index: torch.Tensor):
        return F.cross_entropy(forward(net, images, budget.precision), facing[index].to(images.device))

    train(net, photos, loss, budget.pretrain_steps, rate, budget.batch, generator, label)
