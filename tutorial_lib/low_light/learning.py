"""Training on pairs of twins, in the ways that the lesson compares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.heatmaps import KeypointNet, map_loss
from tutorial_lib.low_light.dark_camera import amplify
from tutorial_lib.low_light.lighting import LowLightNet
from tutorial_lib.low_light.losses import LightCritic, lupi_loss
from tutorial_lib.skeleton import MIRROR, flip
from tutorial_lib.training import History, fit

Look = Callable[[LowLightNet, int], None]
"""Called with the network and the number of the step."""


@dataclass(frozen=True)
class Twins(Batch):
    """The same moments twice: by day, and with hardly any light.

    Attributes:
        bright: (B, 3, H, W) uint8.
        dark: (B, 3, H, W) uint8, not amplified.
        keypoints: (B, 17, 2) screen coordinates of the picture.
        inside: (B, 17) bool: inside the picture, hidden or not.
    """

    bright: torch.Tensor
    dark: torch.Tensor
    keypoints: torch.Tensor
    inside: torch.Tensor

    def mirrored(self, half: int) -> "Twins":
        """The first `half` of them seen in a mirror, both twins alike."""
        both = [torch.cat([pixels[:half].flip(-1), pixels[half:]]) for pixels in (self.bright, self.dark)]
        points = torch.cat([flip(self.keypoints[:half]), self.keypoints[half:]])
        inside = torch.cat([self.inside[:half][:, list(MIRROR)], self.inside[half:]])
        return Twins(*both, points, inside)


@dataclass(frozen=True)
class Recipe:
    """What a network learns from.

    Attributes:
        sees: "bright" or "dark" pictures alone, or "both".
        two_sided: whether each light has batch norms of its own (LSBN).
        lupi: weight of the Gram loss between the twins.
        dann: strength of the reversed gradient of a critic that guesses the light; 0 for no critic.
    """

    sees: Literal["bright", "dark", "both"] = "both"
    two_sided: bool = False
    lupi: float = 0.0
    dann: float = 0.0

    def __post_init__(self):
        if (self.lupi or self.dann or self.two_sided) and self.sees != "both":
            raise ValueError(f"sees is {self.sees!r}, expected 'both': twins are compared with each other")


def day(pixels: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) uint8 to what a network is given by day: values in [0, 1]."""
    return pixels.float() / 255


def night(pixels: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) uint8 to what a network is given in the dark: amplified, see `dark_camera.amplify`."""
    return amplify(pixels.float() / 255)


def loss_of(net: LowLightNet, twins: Twins, recipe: Recipe, critic: LightCritic | None = None) -> torch.Tensor:
    """What a recipe makes small: a scalar.

    Heat-map losses of both lights on the same labels, and what the recipe adds. With shared norms the twins go through
    the network in one batch, or its running mean would swing between two worlds; with two-sided ones, each light alone.

    Args:
        net: in training mode.
        twins: a batch.
        recipe: what it learns from.
        critic: for a recipe with DANN.
    """
    sigma, points, inside = net.net.sigma, twins.keypoints, twins.inside
    if recipe.sees != "both":
        image = day(twins.bright) if recipe.sees == "bright" else night(twins.dark)
        return map_loss(net(image, recipe.sees), points, inside.float(), sigma)
    if recipe.two_sided:
        maps, bright = net.features(day(twins.bright), "bright")
        dark_maps, dark = net.features(night(twins.dark), "dark")
        maps = torch.cat([maps, dark_maps])
    else:
        maps, mixed = net.features(torch.cat([day(twins.bright), night(twins.dark)]), "bright")
        bright, dark = ([stage.chunk(2)[side] for stage in mixed] for side in (0, 1))
    total = map_loss(maps, torch.cat([points, points]), torch.cat([inside, inside]).float(), sigma)
    if recipe.lupi:
        total = total + recipe.lupi * lupi_loss(dark, bright)
    if critic is not None:
        is_dark = torch.arange(2 * len(points), device=points.device) >= len(points)
        total = total + critic.loss(torch.cat([bright[-1], dark[-1]]), is_dark, recipe.dann)
    return total


def train(
    twins: Twins,
    start: KeypointNet,
    recipe: Recipe,
    *,
    steps: int,
    rate: float,
    generator: torch.Generator,
    pictures: int = 32,
    look: Look | None = None,
    every: int = 500,
    label: str = "training",
    progress: bool = True,
) -> tuple[LowLightNet, History]:
    """Train on as many pictures a step whatever the recipe: half as many moments if both twins are seen.

    Args:
        twins: whom to train on.
        start: the network that all recipes start from; it is copied.
        recipe: what is learned from.
        steps: updates. The last weights stay.
        rate: of Adam, at the start.
        generator: draws batches; the critic's weights come from torch's own.
        pictures: a step.
        look: called every `every` steps and at the end, the network in eval mode.
        every: steps from one look to the next.
        label: what the bar says.
        progress: show a bar.
    """
    net = LowLightNet(start, recipe.two_sided).to(twins.keypoints.device)
    last = start.state_dict()[f"lateral.{len(start.lateral) - 1}.weight"].shape[1]  # channels of the last stage
    critic = LightCritic(last).to(twins.keypoints.device) if recipe.dann else None
    count = pictures // 2 if recipe.sees == "both" else pictures

    def loss(step: int) -> torch.Tensor:
        if look is not None and step and step % every == 0:
            net.eval()
            look(net, step)
        net.train()
        which = torch.randint(len(twins), (count,), generator=generator).to(twins.keypoints.device)
        return loss_of(net, twins[which].mirrored(count // 2), recipe, critic)

    trained = net if critic is None else torch.nn.ModuleList([net, critic])
    history = fit(trained, loss, steps, rate=rate, final_rate=rate / 100, label=label, progress=progress)
    net.eval()
    if look is not None:
        look(net, steps)
    return net, history
