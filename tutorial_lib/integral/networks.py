"""Networks that look at a picture and score the cells of a volume for every joint (Sun et al. 2018).

A *trunk* shrinks the picture to a few cells with many channels, *deconvolutions* double the map until it has as many
rows and columns as the volume, and a 1 x 1 convolution writes joints x depth channels. The depth axis is only a way
to read channels: no 3D convolution is needed. `RegressionNet` puts a linear layer on the same trunk instead.

One code path, two sizes: `small_volume_net` (64 x 64 pictures, 16 cells, for two processor cores) and
`resnet50_volume_net` (256 x 256 pictures, 64 cells, for a GPU).
"""

import math

import torch
from torch import nn

from tutorial_lib.integral.soft_argmax import soft_argmax_3d, split_depth
from tutorial_lib.skeleton import JOINTS


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


class SmallTrunk(nn.Module):
    """Four strided convolutions and a residual block: (B, 3, S, S) to (B, 4 width, S / 16, S / 16).

    Args:
        width: channels after the second convolution.
    """

    stride = 16

    def __init__(self, width: int = 32):
        super().__init__()
        self.channels, layers, last = 4 * width, [], 3
        for channels in (width // 2, width, 2 * width, 4 * width):
            layers += [nn.Conv2d(last, channels, 3, 2, 1, bias=False), *_norm_relu(channels)]
            last = channels
        self.layers = nn.Sequential(*layers)
        self.block = nn.Sequential(
            nn.Conv2d(last, last, 3, padding=1, bias=False), *_norm_relu(last),
            nn.Conv2d(last, last, 3, padding=1, bias=False), nn.BatchNorm2d(last),
        )  # fmt: skip

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.layers(2 * images - 1)
        return torch.relu(x + self.block(x))


class Bottleneck(nn.Module):
    """A block of ResNet-50: 1 x 1 down, 3 x 3 (with the stride), 1 x 1 up, plus the way around."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        way_around = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + way_around)


class ResNet50(nn.Module):
    """The trunk of ResNet-50 (He et al. 2016) without its classifier: (B, 3, S, S) to (B, 2048, S / 32, S / 32).

    Parameters have torchvision's names and shapes (stride on the 3 x 3 convolution), see `load_classifier`.
    """

    stride, channels = 32, 2048
    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for level, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            stride = 1 if level == 1 else 2
            row = [Bottleneck(inputs, width, stride)] + [Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{level}", nn.Sequential(*row))
            inputs = 4 * width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # mean and spread of ImageNet's channels, which published weights expect
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1((images - self.mean) / self.spread)))
        x = self.maxpool(x)
        for level in range(1, 5):
            x = self.get_submodule(f"layer{level}")(x)
        return x

    def load_classifier(self, state: dict[str, torch.Tensor]) -> None:
        """Take the weights of a classifier with torchvision's names, such as one trained on ImageNet.

        Raises:
            RuntimeError: names or shapes that do not fit. The classifier's own layer, "fc", is left out.
        """
        self.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")})


Trunk = SmallTrunk | ResNet50
"""What finds features: (B, 3, S, S) to (B, channels, S / stride, S / stride)."""


class VolumeNet(nn.Module):
    """Trunk, deconvolutions, one score for every cell of every joint's volume.

    Args:
        trunk: has `channels` and `stride`.
        size: rows and columns of the pictures.
        cells: rows and columns of the volume: size / stride, doubled a few times.
        depth: cells along z.
        width: channels of every deconvolution.
        joints: number of joints J.

    The scores start at the log-odds of one cell among all (ours). The softmax cannot tell, but the sigmoids of the
    binary cross entropies then start with one joint in each volume instead of with half of all cells.

    Raises:
        ValueError: cells that no doubling reaches.
    """

    def __init__(self, trunk: Trunk, size: int, cells: int, depth: int, width: int, joints: int = len(JOINTS)):
        super().__init__()
        self.trunk, self.joints, self.depth = trunk, joints, depth
        layers, last = [], trunk.channels
        for _ in range(_doublings(size, trunk.stride, cells)):
            layers += [nn.ConvTranspose2d(last, width, 4, 2, 1, bias=False), *_norm_relu(width)]
            last = width
        self.deconvolutions = nn.Sequential(*layers)
        self.head = nn.Conv2d(last, joints * depth, 1)
        for module in [*self.deconvolutions, self.head]:
            if isinstance(module, (nn.ConvTranspose2d, nn.Conv2d)):
                nn.init.normal_(module.weight, std=0.001)
        nn.init.constant_(self.head.get_parameter("bias"), -math.log(max(1, depth * cells**2 - 1)))

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Scores of the cells.

        Args:
            images: (B, 3, S, S) in [0, 1], S a multiple of the trunk's stride.

        Returns:
            (B, J, D, H, W).

        Raises:
            ValueError: another shape.
        """
        _check(images, self.trunk.stride)
        return split_depth(self.head(self.deconvolutions(self.trunk(images))), self.joints)

    forward = logits

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Coordinates x, y, z in (-1, 1) as in `integral`: (B, 3, S, S) to (B, J, 3)."""
        return soft_argmax_3d(self.logits(images))


class RegressionNet(nn.Module):
    """Plain regression on the same trunk: mean over the map, one linear layer, 3 J numbers (the report's approach 1).

    Args:
        trunk: has `channels` and `stride`.
        joints: number of joints J.
    """

    def __init__(self, trunk: Trunk, joints: int = len(JOINTS)):
        super().__init__()
        self.trunk, self.joints = trunk, joints
        self.head = nn.Linear(trunk.channels, 3 * joints)
        nn.init.normal_(self.head.weight, std=0.001)
        nn.init.zeros_(self.head.bias)

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Coordinates x, y, z as in `integral`, here without bounds: (B, 3, S, S) to (B, J, 3)."""
        _check(images, self.trunk.stride)
        return self.head(self.trunk(images).mean((-2, -1))).unflatten(-1, (self.joints, 3))

    forward = predict


def small_volume_net(
    size: int = 64, cells: int = 16, depth: int = 16, width: int = 32, joints: int = len(JOINTS)
) -> VolumeNet:
    """A volume net for two cores.

    Args:
        size: rows and columns of the pictures, a multiple of 16.
        cells: rows and columns of the volume: size / 16 doubled a few times.
        depth: cells along z.
        width: of `SmallTrunk`; the deconvolutions have twice as many channels.
        joints: number of joints J.
    """
    return VolumeNet(SmallTrunk(width), size, cells, depth, 2 * width, joints)


def resnet50_volume_net(size: int = 256, cells: int = 64, depth: int = 64, joints: int = len(JOINTS)) -> VolumeNet:
    """ResNet-50, three deconvolutions of 256 channels, a volume of 64 x 64 x 64: the paper's network, for a GPU."""
    return VolumeNet(ResNet50(), size, cells, depth, 256, joints)


def _doublings(size: int, stride: int, cells: int) -> int:
    for count in range(8):
        if size % stride == 0 and (size // stride) * 2**count == cells:
            return count
    raise ValueError(
        f"size={size} and cells={cells}: the trunk leaves {size / stride:g} cells, expected {cells} to be that times "
        "1, 2, 4, 8, ..."
    )


def _check(images: torch.Tensor, stride: int) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] % stride or images.shape[3] % stride:
        raise ValueError(
            f"images has shape {tuple(images.shape)}, expected (B, 3, S, S) in [0, 1] with S a multiple of {stride}"
        )
