"""Trainings of lesson 11: a lifter on a mixture of poses, from nothing or from where it stands, with replay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from tutorial_lib.camera import orbit, project, world_to_camera
from tutorial_lib.datasets.detector import detect
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.joints import mpjpe_loss
from tutorial_lib.motion.clip import Clip
from tutorial_lib.stress_testing.simulator import DISTANCE, Simulator
from tutorial_lib.training import History, fit


@dataclass(frozen=True)
class Sights:
    """People before cameras.

    Attributes:
        seen: (N, 17, 2) true screen coordinates.
        pose: (N, 17, 3) metres, root-relative, camera frame.
    """

    seen: torch.Tensor
    pose: torch.Tensor

    def __len__(self) -> int:
        return len(self.seen)

    def __add__(self, other: "Sights") -> "Sights":
        return Sights(torch.cat([self.seen, other.seen]), torch.cat([self.pose, other.pose]))


def film(clips: Sequence[Clip], count: int, elevation: tuple[float, float], generator: torch.Generator) -> Sights:
    """Moments of clips from all sides, the camera at the simulator's distance from the hip.

    Args:
        clips: of any length.
        count: how many moments.
        elevation: degrees by which cameras look down, uniform between the two.
        generator: decides moments and cameras.

    Raises:
        ValueError: no clips, or count below 1.
    """
    if not clips or count < 1:
        raise ValueError(f"count is {count} and there are {len(clips)} clips, expected at least 1 of each")
    which = torch.randint(len(clips), (count,), generator=generator).tolist()
    shares, sides, heights = torch.rand(3, count, generator=generator)
    world = torch.stack(
        [clips[i].positions[int(s * len(clips[i].positions))].float() for i, s in zip(which, shares.tolist())]
    )
    low, high = torch.tensor(elevation).deg2rad()
    camera = orbit(world[:, 0], 2 * torch.pi * sides, low + (high - low) * heights, DISTANCE)
    return Sights(project(world, camera), root_relative(world_to_camera(world, camera)))


def simulated(simulator: Simulator, latents: torch.Tensor) -> Sights:
    """The people of latents (N, D)."""
    return Sights(*simulator.see(latents))


def train(
    lifter: SingleFrameLifter,
    mixture: Sequence[tuple[Sights, float]],
    steps: int,
    *,
    generator: torch.Generator,
    rate: float = 1e-3,
    batch: int = 256,
    noise: float = 1.0,
    validate: Callable[[], float] | None = None,
    every: int = 500,
    label: str = "training",
    progress: bool = True,
) -> History:
    """Train a lifter in place; its mode decides whether batch norms learn statistics: eval for fine-tuning.

    Args:
        lifter: what is trained.
        mixture: people, and their share of every batch. Replay is an entry here: people of the first training.
        steps: of Adam.
        generator: of batches and the detector's errors.
        rate: of Adam at first; it falls to a hundredth.
        batch: people of a step.
        noise: of the detector while it trains.
        validate: as in `training.fit`: the best weights stay; without it the last.
        every: steps from one validation to the next.
        label: what the bar says.
        progress: show a bar.

    Raises:
        ValueError: shares that do not add up to 1.
    """
    if abs(sum(share for _, share in mixture) - 1) > 1e-6:
        raise ValueError(f"mixture has the shares {[share for _, share in mixture]}, expected a sum of 1")

    def loss(_: int) -> torch.Tensor:
        picked = []
        for sights, share in mixture:
            rows = torch.randint(len(sights), (round(share * batch),), generator=generator)
            picked.append((sights.seen[rows], sights.pose[rows]))
        seen, pose = (torch.cat(parts) for parts in zip(*picked))
        return mpjpe_loss(lifter.windows(detect(seen[:, None], noise, generator=generator)), pose)

    return fit(
        lifter, loss, steps, rate=rate, final_rate=rate / 100, validate=validate, every=every, label=label,
        progress=progress,
    )  # fmt: skip


@torch.no_grad()
def errors_on(lifter: SingleFrameLifter, sights: Sights) -> torch.Tensor:
    """(N,) MPJPE in mm, from true keypoints, in eval mode whatever the mode was."""
    training = lifter.training
    lifter.eval()
    errors = 1000 * torch.linalg.vector_norm(lifter.windows(sights.seen[:, None]) - sights.pose, dim=-1).mean(-1)
    lifter.train(training)
    return errors
