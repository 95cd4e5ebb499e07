"""One small backbone, four heads: the same budget, four ways to say where a joint is.

    regression   pooled features -> 2 numbers a joint, L1 (DeepPose-style)
    rle          the same, and 2 widths a joint, residual log-likelihood
    heatmap      J maps, squared error against Gaussian bumps, decoded by DARK (SimpleBaseline-style)
    integral     J maps, softmax, mean place, L1 on the place (integral regression)

Pictures are square, (B, 3, size, size), values in [0, 1]; points are normalised screen coordinates in [-1, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib import heatmaps
from tutorial_lib.heatmaps.regression import RLE, coordinate_loss
from tutorial_lib.skeleton import JOINTS

HEADS = ("regression", "rle", "heatmap", "integral")
STRIDES = (2, 4, 8, 16)
POOLED = 4
"""Side of the grid that the regression heads pool the last features to: they must still know left from right."""


def _stage(inputs: int, outputs: int, first: bool) -> nn.Sequential:
    """Halves the picture, then looks once more; not in the first stage, whose many cells cost most."""
    layers = []
    for channels, stride in ((inputs, 2), (outputs, 1))[: 1 if first else 2]:
        layers += [nn.Conv2d(channels, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class KeypointNet(nn.Module):
    """A picture to J joints.

    Args:
        head: one of `HEADS`.
        size: side of the square picture in pixels, a multiple of 16.
        stride: pixels a cell of the map heads: 2, 4, 8 or 16. The regression heads have no map.
        channels: width of the four stages, at strides 2, 4, 8 and 16.
        width: channels of the path back up to the map's stride.
        sigma: standard deviation of the heat map's target, in cells.
        joints: J.

    Raises:
        ValueError: unknown head or stride, a size that is not a multiple of 16.
    """

    def __init__(
        self, head: str = "heatmap", size: int = 64, stride: int = 4, channels: tuple[int, ...] = (16, 32, 64, 96),
        width: int = 32, sigma: float = 1.0, joints: int = len(JOINTS),
    ):  # fmt: skip
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head is {head!r}, expected one of {', '.join(HEADS)}")
        if stride not in STRIDES or len(channels) != len(STRIDES):
            raise ValueError(f"stride={stride}, channels={channels}: expected a stride of {STRIDES} and four widths")
        if size < 16 or size % 16:
            raise ValueError(f"size is {size}, expected a multiple of 16 pixels: the last stage has one cell for 16")
        if not sigma > 0 or joints < 1:
            raise ValueError(f"sigma={sigma}, joints={joints}: expected a positive width in cells, at least one joint")
        self.head, self.size, self.stride, self.sigma, self.joints = head, size, stride, sigma, joints
        self.stages = nn.ModuleList(_stage(a, b, i == 0) for i, (a, b) in enumerate(zip((3, *channels), channels)))
        if head in ("regression", "rle"):
            numbers = 2 * joints * (2 if head == "rle" else 1)
            self.fc = nn.Linear(channels[-1] * POOLED**2, numbers)
        else:
            used = channels[STRIDES.index(stride) :]
            self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in used)
            self.smooth = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
            self.maps_out = nn.Conv2d(width, joints, 1)
        self.rle = RLE() if head == "rle" else None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Raw output: (B, J, 2), for "rle" (B, J, 4) with the raw widths last, else maps (B, J, cells, cells).

        Raises:
            ValueError: pictures of another size.
        """
        if images.shape[-3:] != (3, self.size, self.size) or images.ndim != 4:
            raise ValueError(f"images has shape {tuple(images.shape)}, expected (B, 3, {self.size}, {self.size})")
        features, x = [], images - 0.5
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        if self.head in ("regression", "rle"):
            return self.fc(F.adaptive_avg_pool2d(x, POOLED).flatten(1)).reshape(len(x), self.joints, -1)
        # From the coarsest stage up: enlarge, add what the finer stage saw, at the end one convolution over all.
        used = features[STRIDES.index(self.stride) :]
        x = self.lateral[-1](used[-1])
        for finer, lateral in zip(used[-2::-1], list(self.lateral)[-2::-1]):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") + lateral(finer)
        return self.maps_out(self.smooth(x))

    def decode(self, output: torch.Tensor, decoder: Callable | None = None) -> torch.Tensor:
        """What `forward` gave, as points (B, J, 2).

        Args:
            output: of `forward`.
            decoder: for the heat-map head, a function of maps such as `heatmaps.argmax`; by default `heatmaps.dark`
                blurred by the targets' sigma.
        """
        if self.head == "heatmap":
            return decoder(output) if decoder else heatmaps.dark(output, blur=self.sigma)
        return heatmaps.soft_argmax(output) if self.head == "integral" else output[..., :2]

    def predict(self, images: torch.Tensor, decoder: Callable | None = None) -> torch.Tensor:
        """Joints (B, J, 2) of pictures (B, 3, size, size). Call `eval()` first and work under `torch.no_grad()`."""
        return self.decode(self(images), decoder)

    def confidence(self, output: torch.Tensor) -> torch.Tensor | None:
        """How sure the network is of every joint, (B, J), larger is surer; None for plain regression, which cannot say.

        A heat map: the height of its peak. An integral map: how little its softmax is spread around its mean. RLE: how
        small the predicted widths are.

        Args:
            output: of `forward`.
        """
        if self.head == "heatmap":
            return heatmaps.scores(output)
        if self.head == "integral":
            return -heatmaps.spread(output)
        return -torch.sigmoid(output[..., 2:]).mean(-1) if self.head == "rle" else None

    def spread(self, images: torch.Tensor) -> torch.Tensor:
        """The predicted sigma (B, J, 2) of the "rle" head, in (0, 1).

        Raises:
            ValueError: another head.
        """
        if self.head != "rle":
            raise ValueError(f"the {self.head!r} head predicts no sigma, expected head='rle'")
        return torch.sigmoid(self(images)[..., 2:])

    def loss(
        self, images: torch.Tensor, keypoints: torch.Tensor, weight: torch.Tensor, *, half: bool = False
    ) -> torch.Tensor:
        """What the head is trained to make small: a scalar.

        Args:
            images: (B, 3, size, size).
            keypoints: (B, J, 2).
            weight: (B, J), 0 or False for joints that do not count.
            half: the layers compute in bfloat16, which is faster where the processor knows it. The loss never does:
                its eight binary digits are too few for places.
        """
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            output = self(images)
        output, weight = output.to(images.dtype), weight.to(images.dtype)
        if self.rle is not None:
            return self.rle(output[..., :2], torch.sigmoid(output[..., 2:]), keypoints, weight)
        if self.head == "heatmap":
            return map_loss(output, keypoints, weight, self.sigma)
        return coordinate_loss(self.decode(output), keypoints, weight)


def map_loss(maps: torch.Tensor, keypoints: torch.Tensor, weight: torch.Tensor, sigma: float) -> torch.Tensor:
    """Mean squared error against Gaussian bumps with un-rounded centres, over cells and joints with weight.

    Args:
        maps: (..., J, cells, cells) square maps.
        keypoints: (..., J, 2).
        weight: (..., J).
        sigma: in cells.

    Raises:
        ValueError: no joint with weight.
    """
    kept = weight > 0
    if not kept.any():
        raise ValueError("weight is zero for every joint: there is nothing to learn from, leave the batch out")
    target = heatmaps.gaussian_target(keypoints[kept], maps.shape[-1], sigma)
    return (((maps[kept] - target) ** 2).mean((-2, -1)) * weight[kept]).sum() / weight[kept].sum()


@dataclass(frozen=True)
class Cost:
    """What one picture costs at test time.

    Attributes:
        parameters: trained numbers that a prediction uses (the flow of RLE is not among them).
        multiply_adds: of convolutions and linear layers; norms, activations and decoders are not counted.
        output: numbers that leave the network for one picture.
        largest: the largest tensor on the way, in numbers.
    """

    parameters: int
    multiply_adds: int
    output: int
    largest: int


def cost(model: KeypointNet) -> Cost:
    """Count what one picture costs, by watching the layers while it passes. Leaves the model as it was."""
    counted, sizes = [], []

    def watch(layer: Any, _: Any, output: torch.Tensor):
        fan_in = layer.weight.numel() // layer.weight.shape[0]
        counted.append(fan_in * output.numel())
        sizes.append(output.numel())

    layers = [m for name, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and "rle" not in name]
    hooks = [layer.register_forward_hook(watch) for layer in layers]
    training = model.training
    try:
        first = next(model.parameters())
        with torch.no_grad():
            output = model.eval()(first.new_zeros(1, 3, model.size, model.size))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    parameters = sum(p.numel() for name, p in model.named_parameters() if not name.startswith("rle."))
    return Cost(parameters, sum(counted), output.numel(), max(sizes))
