"""A training that a student watches: their own step, once it is right, one wrist, and the error as it falls."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from IPython.display import Image, display
from tqdm.auto import tqdm

from tutorial_lib.datasets.photos import photo_set
from tutorial_lib.display import stage, still
from tutorial_lib.integral import expectation, marginals
from tutorial_lib.integral.losses import integral_loss
from tutorial_lib.integral.networks import VolumeNet, small_volume_net
from tutorial_lib.integral.poses import judge
from tutorial_lib.lessons.integral_pose.demo_photos import WRIST, over
from tutorial_lib.lessons.integral_pose.learning import truth
from tutorial_lib.locking import interrupts_later

SIZE, CELLS = 32, 8
"""Pixels of the photos and cells of the volume: a quarter and an eighth of the shipped networks' work."""

STEPS, EVERY, BATCH, RATE = 600, 40, 32, 0.003

Step = Callable[[VolumeNet, torch.optim.Optimizer, torch.Tensor, torch.Tensor], Any]
"""(net, optimiser, images (B, 3, S, S), target (B, 17, 3)) -> the loss before the step."""


def own_step(net: VolumeNet, optimiser: torch.optim.Optimizer, images: torch.Tensor, target: torch.Tensor) -> float:
    """The course's own step of integral regression, for who has none yet; a `Step`."""
    loss = integral_loss(net.predict(images), target)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


_CHECKED: list[Step] = []


def checked(step: Step) -> None:
    """Note a student's step that passed its check: `train_live` takes it from now on."""
    _CHECKED[:] = [step]


@torch.no_grad()
def wrist_of(net: VolumeNet, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The left wrist's map (H, W), summed over the depth, and its mean (3,), of a photo (3, S, S)."""
    small = F.interpolate(photo[None], size=(SIZE, SIZE), mode="area")
    logits = net.eval().logits(small)[0, WRIST]
    plane = torch.softmax(logits.flatten(), 0).view_as(logits).sum(0)
    return plane, expectation(marginals(logits))


def picture(net: VolumeNet, photo: torch.Tensor, place: torch.Tensor, curve: list[tuple[int, float]], blind: float):
    """The wrist's map over the photo, its depth, and the validation error so far; as of `stage.panes`.

    Args:
        net: in training; left in eval mode.
        photo: (3, S, S) in [0, 1].
        place: (3,) where the left wrist is, in the volume.
        curve: (step, validation error in mm).
        blind: error in mm of the mean pose, which looks at no photo.
    """
    plane, mean = wrist_of(net, photo)
    steps, errors = zip(*curve)
    behind = photo.permute(1, 2, 0)
    return stage.panes(
        stage.image(
            picture=behind, heat=0.8 * over(plane / plane.max(), behind), heat_name="probability", cross=None,
            heat_colour="orange", margin=0.02, title=f"left wrist after {steps[-1]} steps",
            dots=[
                stage.dots("truth", place[None, :2], colour="ink", symbol="diamond", size=7),
                stage.dots("mean", mean[None, :2], colour="blue", size=6),
            ],
        ),
        stage.curve(
            [stage.series("the network", steps, errors, mode="line+markers")],
            x=stage.axis("steps", 0, STEPS), y=stage.axis("validation MPJPE (mm)", 0, 500),
            lines=[stage.hline("mean pose: does not look", blind)], title="error on validation photos", weight=1.5,
        ),
        note=f"{errors[-1]:.0f} mm after {steps[-1]} of {STEPS} steps",
    )  # fmt: skip


def train_live(photo: torch.Tensor, place: torch.Tensor, seed: int = 0, steps: int = STEPS) -> dict[str, Any]:
    """Train a small network; the picture is drawn anew every `EVERY` steps.

    It takes the student's step if that has passed its check, else the course's own.

    Args:
        photo: (3, S, S) in [0, 1], of the person to watch.
        place: (3,) where this person's left wrist is, in the volume.
        seed: of weights and batches.
        steps: how many.

    Returns:
        "curve": (step, validation error in mm); "blind": that of the mean pose; "found": the step from which on the
        mean stays within a cell of the wrist, None if it never does.
    """
    step, whose = (_CHECKED[0], "your") if _CHECKED else (own_step, "the course's")
    seen, unseen = (
        photo_set(part, count, SIZE, setting="lab") for part, count in (("train", 2000), ("validation", 128))
    )
    targets, generator = truth(seen), torch.Generator().manual_seed(seed)
    blind = judge(targets.mean(0).expand(len(unseen), -1, -1), unseen.box, unseen.pose).mpjpe
    torch.manual_seed(seed)
    net = small_volume_net(SIZE, CELLS, CELLS, width=16)
    torch.nn.init.normal_(net.head.weight, std=0.1)  # as for the shipped networks
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        optimiser = torch.optim.Adam(net.parameters(), RATE)

    def error() -> float:
        with torch.no_grad():
            return judge(net.eval().predict(unseen.image), unseen.box, unseen.pose).mpjpe

    def drawn() -> Image:
        return Image(still.png(picture(net, photo, place, curve, blind)), alt=f"{curve[-1][1]:.0f} mm")

    def near() -> bool:
        return bool((wrist_of(net, photo)[1] - place).abs().max() < 2 / CELLS)

    curve, hits = [(0, error())], [(0, near())]
    handle = display(drawn(), display_id=True)
    for number in tqdm(range(1, steps + 1), desc="training", mininterval=0.5):
        index = torch.randint(len(seen), (BATCH,), generator=generator)
        net.train()
        step(net, optimiser, seen.pixels[index].float() / 255, targets[index])
        if number % EVERY == 0 or number == steps:
            curve.append((number, error()))
            hits.append((number, near()))
            if handle is not None:  # outside a notebook nothing is shown
                handle.update(drawn())
    print(f"{whose} step: {curve[-1][1]:.0f} mm on validation photos; the mean pose, which does not look: {blind:.0f}")
    last_miss = max((i for i, (_, hit) in enumerate(hits) if not hit), default=-1)
    found = hits[last_miss + 1][0] if last_miss + 1 < len(hits) else None
    return {"curve": curve, "blind": blind, "found": found}
