"""Training a network that is told a certain kind of scene, and asking it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from tutorial_lib.egocentric.depth import SceneKind
from tutorial_lib.egocentric.network import EgoNet
from tutorial_lib.egocentric.samples import Samples, detected
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.training import History, fit

Look = Callable[[EgoNet, int], None]
"""Called with the network and the number of the step."""


@dataclass(frozen=True)
class Told:
    """Samples, and the scene as a network is told it.

    Attributes:
        samples: the people.
        scene: (B, cells, cells, cells) bool, of `depth.scene_voxels`.
        kind: what it is.
    """

    samples: Samples
    scene: torch.Tensor
    kind: SceneKind


def predict(net: EgoNet, told: Told, seed: int = 0, batch: int = 64) -> torch.Tensor:
    """Poses (B, 17, 3) in metres, camera frame, from noisy 2D joints and the scene.

    Args:
        net: in eval mode.
        told: whom to look at.
        seed: of the detector's errors, so that every network sees the same.
        batch: how many at once.
    """
    screen, inside = detected(told.samples, torch.Generator().manual_seed(seed))
    with MODEL_LOCK, torch.no_grad():
        return torch.cat(
            [
                net(screen[i : i + batch], inside[i : i + batch], told.scene[i : i + batch])
                for i in range(0, len(screen), batch)
            ]
        )


def train(
    told: Told,
    *,
    steps: int,
    rate: float,
    generator: torch.Generator,
    batch: int = 8,
    cells: int = 16,
    width: int = 16,
    look: Look | None = None,
    every: int = 100,
    label: str = "training",
    progress: bool = True,
) -> tuple[EgoNet, History]:
    """Train a network; its last weights stay. The 2D joints' noise is drawn anew in every batch.

    Args:
        told: whom to train on.
        steps: updates.
        rate: of Adam, at the start.
        generator: draws batches and noise; the weights come from torch's own.
        batch: how many at once.
        cells: along each side of the cube.
        width: of the network.
        look: called every `every` steps and at the end, the network in eval mode.
        every: steps from one look to the next.
        label: what the bar says.
        progress: show a bar.
    """
    device = told.scene.device
    # Channels last would take 0.8 of the time, but torch 2.13's gradient is wrong there for small volumes in bfloat16.
    net = EgoNet(cells, width).to(device)

    def loss(step: int) -> torch.Tensor:
        if look is not None and step and step % every == 0:
            net.eval()
            look(net, step)
        net.train()
        which = torch.randint(len(told.samples), (batch,), generator=generator).to(device)
        some = told.samples[which]
        screen, inside = detected(some, generator)
        return (net(screen, inside, told.scene[which]) - some.pose).abs().mean()

    history = fit(net, loss, steps, rate=rate, final_rate=rate / 100, label=label, progress=progress)
    net.eval()
    if look is not None:
        look(net, steps)
    return net, history
