"""The features in which the paper compares pictures: VGG19 up to relu3_2, where its weights are at hand.

The course ships no weights that were learned from labelled photos, so by default `network.Eye` takes this place. Who
has torchvision's file `vgg19-dcbb9e9d.pth` can train with the paper's features: no torchvision is needed to read it.
"""

from pathlib import Path

import torch
from torch import nn

WIDTHS = (64, 64, "pool", 128, 128, "pool", 256, 256)
"""Configuration E of Simonyan and Zisserman (2015) as far as relu3_2: torchvision's `features[0]` to `features[13]`."""

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the RGB photos that the published weights were trained with."""


class Vgg(nn.Module):
    """Photos to the activations of relu3_2. Frozen."""

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        layers, inputs = [], 3
        for width in WIDTHS:
            if width == "pool":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, H) RGB in [0, 1] to (B, 256, H/4, H/4)."""
        return self.features((photos - self.mean) / self.spread)


def load(path: Path) -> Vgg:
    """The network with torchvision's weights.

    Args:
        path: `vgg19-dcbb9e9d.pth` as torchvision downloads it, or any file of the same names. Only tensors are read.

    Raises:
        FileNotFoundError: no such file.
        ValueError: names or shapes differ from VGG19's.
    """
    stored = torch.load(Path(path), map_location="cpu", weights_only=True)
    network = Vgg()
    wanted = network.state_dict()
    wrong = [name for name, value in wanted.items() if name not in stored or stored[name].shape != value.shape]
    if wrong:
        raise ValueError(
            f"path is {str(path)!r}, where {wrong[0]} is missing or has another shape; expected the weights of "
            "torchvision's vgg19 without batch norm, vgg19-dcbb9e9d.pth"
        )
    network.load_state_dict({name: stored[name] for name in wanted})
    return network.eval()
