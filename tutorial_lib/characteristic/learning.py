"""Training a `CrowdNet` with one of three losses on its maps; the tags are trained alike with all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from tutorial_lib.characteristic.loss import cf_loss, crowd_target, l2_loss
from tutorial_lib.characteristic.network import SIGMAS, CrowdNet
from tutorial_lib.characteristic.peaks import sample
from tutorial_lib.characteristic.samples import CrowdSet
from tutorial_lib.characteristic.tags import tag_loss
from tutorial_lib.skeleton import flip
from tutorial_lib.training import History, fit

TAGS = 0.5
"""Weight of pull + push beside the loss of the maps."""

Look = Callable[[CrowdNet, int], None]


@dataclass(frozen=True)
class MapLoss:
    """Weights of the two losses of a map, both in units of one missing person.

    Attributes:
        l2: of the squared difference.
        cf: of the un-squared characteristic function.
        highest: T of `cf_loss`.
    """

    l2: float = 1.0
    cf: float = 0.0
    highest: float | None = None

    def __call__(self, maps: Sequence[torch.Tensor], keypoints: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Mean over pictures, joints and the two resolutions.

        Args:
            maps: (B, J, n, n) at each of `SIGMAS`.
            keypoints: (B, P, J, 2).
            present: (B, P) bool.
        """
        total = maps[0].new_zeros(())
        for painted, sigma in zip(maps, SIGMAS, strict=True):
            target = crowd_target(keypoints, present, painted.shape[-1], sigma)
            if self.l2:
                total = total + self.l2 * l2_loss(painted, target, sigma).mean()
            if self.cf:
                total = total + self.cf * cf_loss(painted, target, self.highest).mean()
        return total / len(SIGMAS)


def draw_batch(crowds: CrowdSet, count: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """(images, keypoints, present, counts) of random pictures, half of them mirrored."""
    device = crowds.pixels.device
    some = crowds.select(torch.randint(len(crowds), (count,), generator=generator).to(device))
    image, keypoints, half = some.image, some.keypoints.clone(), count // 2
    image[:half] = image[:half].flip(-1)
    keypoints[:half] = flip(keypoints[:half])
    counts = (keypoints.abs() <= 1).all(-1) & some.present[..., None]
    return image, keypoints, some.present, counts


def outputs(net: CrowdNet, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Both maps and the tags, computed in bfloat16 inside; losses never are."""
    images = images.to(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16):
        coarse, fine, tags = net(images)
    return coarse.float(), fine.float(), tags.float()


def train(
    net: CrowdNet,
    crowds: CrowdSet,
    loss: MapLoss,
    *,
    steps: int,
    rate: float,
    generator: torch.Generator,
    batch: int = 16,
    look: Look | None = None,
    every: int = 100,
    label: str = "training",
    progress: bool = True,
) -> History:
    """Train a network in place; its last weights stay, and it is left in eval mode.

    Args:
        net: to train.
        crowds: to train on, on the network's device.
        loss: of the maps.
        steps: updates.
        rate: of Adam, at the start; it falls to a hundredth.
        generator: draws the batches.
        batch: pictures a step.
        look: called every `every` steps and at the end, the network in eval mode.
        every: steps from one look to the next.
        label: what the bar says.
        progress: show a bar.
    """
    net.to(memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]

    def value(step: int) -> torch.Tensor:
        if look is not None and step and step % every == 0:
            net.eval()
            look(net, step)
        net.train()
        image, keypoints, present, counts = draw_batch(crowds, batch, generator)
        *maps, tags = outputs(net, image)
        read = sample(tags[:, None].expand(-1, keypoints.shape[1], -1, -1, -1), keypoints[..., None, :])[..., 0]
        return loss(maps, keypoints, present) + TAGS * sum(tag_loss(read, counts))

    history = fit(net, value, steps, rate=rate, final_rate=rate / 100, clip=None, label=label, progress=progress)
    net.eval()
    if look is not None:
        look(net, steps)
    return history


def gradient_norm(net: CrowdNet, crowds: CrowdSet, loss: MapLoss, batches: int = 16, batch: int = 16) -> float:
    """Mean norm of a loss' gradient over all weights, over random batches, the network in eval mode.

    Two losses are balanced where the norms are equal: their numbers say nothing about how hard they pull.

    Args:
        net: where the gradient is taken.
        crowds: to draw from.
        loss: one of the two.
        batches: how many.
        batch: pictures in each.
    """
    generator, total = torch.Generator().manual_seed(0), 0.0
    weights = [weight for name, weight in net.named_parameters() if "tags" not in name]
    for _ in range(batches):
        image, keypoints, present, _ = draw_batch(crowds, batch, generator)
        with torch.enable_grad():
            *maps, _ = net(image)
            slopes = torch.autograd.grad(loss(maps, keypoints, present), weights)
        total += torch.stack([slope.norm() for slope in slopes]).norm().item()
    return total / batches
