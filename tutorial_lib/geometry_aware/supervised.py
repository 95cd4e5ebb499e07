"""Learning poses from labelled photos: a head on a frozen representation, or the same network from scratch.

Both get what lets them learn: squared error on standardised poses, batch norm, their own rate, and validation people
who say which of the weights to keep. A supervised network that stopped early would make any representation look good.
"""

from typing import Literal

import torch
from torch import nn

from tutorial_lib.geometry_aware.networks import Encoder
from tutorial_lib.geometry_aware.retrieval import encode
from tutorial_lib.geometry_aware.views import photos, poses
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.metrics import Score, mpjpe, pose_score
from tutorial_lib.render import Views
from tutorial_lib.skeleton import JOINTS
from tutorial_lib.training import History, fit

Mode = Literal["frozen", "scratch", "tuned"]
"""The head alone learns; all learns from random weights; all learns from the representation."""


class PoseNet(nn.Module):
    """An encoder, and a head on its points.

    Args:
        points: of the encoder.
        appearance: of the encoder; the head does not see it.
        size: of the pictures, pixels a side.
        hidden: width of the head's two layers.
    """

    def __init__(self, points: int = 32, appearance: int = 24, size: int = 48, hidden: int = 256):
        super().__init__()
        self.architecture = {"points": points, "appearance": appearance, "size": size, "hidden": hidden}
        """What the constructor needs to build this network again."""
        self.encoder = Encoder(points, appearance, size)
        numbers = 3 * len(JOINTS)
        self.head = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(3 * points),
            nn.Linear(3 * points, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, numbers),
        )  # fmt: skip
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("spread", torch.ones(numbers))

    mean: torch.Tensor
    spread: torch.Tensor

    def standardise(self, pose: torch.Tensor) -> None:
        """Remember mean and spread of the labels (B, 17, 3) in metres; the head's outputs are in these units."""
        flat = pose.flatten(1)
        self.mean.copy_(flat.mean(0))
        self.spread.copy_(flat.std(0).clamp_min(1e-3))

    def from_points(self, points: torch.Tensor) -> torch.Tensor:
        """Poses (B, 17, 3) in metres, root-relative, camera frame, of points (B, n, 3)."""
        return (self.head(points) * self.spread + self.mean).unflatten(1, (-1, 3))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Poses (B, 17, 3) in metres, root-relative, camera frame, of photos (B, 3, size, size) in [0, 1]."""
        return self.from_points(self.encoder(image)[0])


def predict(net: PoseNet, images: torch.Tensor, batch: int = 256) -> torch.Tensor:
    """Poses (B, 17, 3) of photos, some at a time and without gradient; as `PoseNet.forward`, in eval mode."""
    with MODEL_LOCK, torch.no_grad():
        return torch.cat([net(images[first : first + batch]) for first in range(0, len(images), batch)])


def score(net: PoseNet, views: Views) -> Score:
    """What the network is worth on all photos of groups, in mm and per cent."""
    return pose_score(predict(net, photos(views)), poses(views))


def train_poses(
    net: PoseNet,
    labelled: Views,
    validation: Views,
    *,
    mode: Mode,
    steps: int,
    rate: float,
    generator: torch.Generator,
    batch: int = 64,
    every: int = 100,
    label: str = "poses",
    progress: bool = True,
) -> History:
    """Train in place; the weights that were best on validation people stay, in eval mode.

    Args:
        net: its encoder holds the representation unless `mode` is "scratch".
        labelled: groups whose poses are known.
        validation: other people.
        mode: what learns.
        steps: updates.
        rate: of Adam, at the start.
        generator: draws batches.
        batch: photos.
        every: steps from one validation to the next.
        label: what the bar says.
        progress: show a bar.

    Returns:
        The history; its checks are validation errors in mm.
    """
    net.to(labelled.pose.device, memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]
    pose, true, frozen = poses(labelled), poses(validation), mode == "frozen"
    net.standardise(pose)
    images, shown = labelled.pixels.flatten(0, 2), photos(validation)
    if frozen:
        net.encoder.eval()
        points = encode(net.encoder, photos(labelled))[0]
        shown_points = encode(net.encoder, shown)[0]
    pool = len(pose)

    def loss(step: int) -> torch.Tensor:
        which = torch.randint(pool, (min(batch, pool),), generator=generator).to(pose.device)
        net.train()
        if frozen:
            net.encoder.eval()
            wrong = net.from_points(points[which]) - pose[which]
        else:
            wrong = net(images[which].float() / 255) - pose[which]
        return (wrong.flatten(1) / net.spread).square().mean()

    def validate() -> float:
        net.eval()
        with torch.no_grad():
            found = net.from_points(shown_points) if frozen else predict(net, shown)
        return 1000 * mpjpe(found, true).item()

    learns = net.head if frozen else net
    history = fit(
        learns, loss, steps, rate=rate, final_rate=rate / 100, validate=validate, every=every, label=label,
        progress=progress,
    )  # fmt: skip
    net.eval()
    return history
