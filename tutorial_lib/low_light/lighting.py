"""Lighting-specific batch norm: one set of convolutions, two sets of statistics, and an explicit lamp switch."""

import copy
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import nn

from tutorial_lib.heatmaps import KeypointNet

Light = Literal["dark", "bright"]
LIGHTS: tuple[Light, ...] = get_args(Light)


class TwoSidedNorm(nn.Module):
    """Two batch norms in one place; `light` says which of them works, for the whole batch.

    Each side has its own mean, variance, scale and shift. Both start as copies of the one that stood here.

    Args:
        norm: that stood here.
    """

    def __init__(self, norm: nn.BatchNorm2d):
        super().__init__()
        self.sides = nn.ModuleDict({light: copy.deepcopy(norm) for light in LIGHTS})
        self.light: Light | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to the same.

        Raises:
            ValueError: nobody has said which light it is.
        """
        if self.light is None:
            raise ValueError("no light was set: call the LowLightNet with light='dark' or light='bright'")
        return self.sides[self.light](x)


class LowLightNet(nn.Module):
    """A heat-map network that is told for every batch whether it is dark or bright.

    Args:
        net: where it starts from; it is copied.
        two_sided: whether every batch norm becomes a `TwoSidedNorm`. Otherwise both lights share one, and `light` is
            ignored.
    """

    def __init__(self, net: KeypointNet, two_sided: bool = False):
        super().__init__()
        self.net, self.two_sided = copy.deepcopy(net), two_sided
        if two_sided:
            _replace(self.net)

    def forward(self, images: torch.Tensor, light: Light) -> torch.Tensor:
        """Maps (B, J, cells, cells) of pictures (B, 3, size, size) that are all of one light.

        Args:
            images: values as they come from the camera by day, amplified in the dark.
            light: of the whole batch. It is given, in training and at the test: a camera knows its exposure.

        Raises:
            ValueError: an unknown light; pictures of another size.
        """
        with self._lit(light):
            return self.net(images)

    def features(self, images: torch.Tensor, light: Light) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Maps as `forward`, and what each stage said on the way: (B, C, H, W) each, finest first."""
        seen: list[torch.Tensor] = []
        hooks = [stage.register_forward_hook(lambda _, __, out: seen.append(out)) for stage in self.net.stages]
        try:
            return self(images, light), seen
        finally:
            for hook in hooks:
                hook.remove()

    def predict(self, images: torch.Tensor, light: Light) -> torch.Tensor:
        """Joints (B, J, 2) in normalised screen coordinates. Call `eval()` first, and work under `torch.no_grad()`."""
        return self.net.decode(self(images, light))

    @contextmanager
    def _lit(self, light: Light) -> Generator[None]:
        if light not in LIGHTS:
            raise ValueError(f"light is {light!r}, expected one of {', '.join(LIGHTS)}")
        norms = [layer for layer in self.net.modules() if isinstance(layer, TwoSidedNorm)]
        for norm in norms:
            norm.light = light
        try:
            yield
        finally:
            for norm in norms:
                norm.light = None


def _replace(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, TwoSidedNorm(child))
        else:
            _replace(child)
