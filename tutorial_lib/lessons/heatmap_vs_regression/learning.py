"""How lesson 01's experiment trains one network, and how it climbs a ladder of settings."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from tutorial_lib.datasets.photos import PhotoSet, PhotoSplit, Setting
from tutorial_lib.heatmaps import RLE, KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.measures import mean_error, predict
from tutorial_lib.lessons.heatmap_vs_regression.recipes import FORMS, Budget, Run
from tutorial_lib.skeleton import MIRROR, flip
from tutorial_lib.training import fit, resolve_device

CHECKS = 8
"""Validations of a training."""
Draw = Callable[[Setting, PhotoSplit], PhotoSet]
"""Gives the photos of a setting and a split."""


class Diverged(Exception):
    """A training whose loss or weights are no numbers any more."""


def shrunk(photos: PhotoSet) -> PhotoSet:
    """The same photos with half as many pixels along each side."""
    small = F.avg_pool2d(photos.pixels.float(), 2).round().to(torch.uint8)
    return PhotoSet(small, photos.keypoints, photos.pose, photos.visible, photos.box)


def train(
    run: Run, steps: int, rate: float, sigma: float, budget: Budget, draw: Draw, device: str = "cpu"
) -> tuple[KeypointNet, list]:
    """One network after `steps` batches, half of every batch mirrored; its weights were the best on validation photos.

    Returns:
        The network in eval mode, and its (step, mean error in pixels of the photos) on validation photos.

    Raises:
        Diverged: its loss or its weights are no numbers any more.
        KeyboardInterrupt: if somebody stopped it; half a training must not be taken for a whole one.
    """
    where = resolve_device(device)
    torch.manual_seed(run.seed)
    generator = torch.Generator().manual_seed(run.seed)
    head = "rle" if run.head in FORMS else run.head
    model = KeypointNet(head, budget.size // (1 + run.shrunk), run.stride, budget.channels, budget.width, sigma)
    if run.head in FORMS:
        model.rle = RLE(**{run.head: True})
    # Channels last is a tenth faster on a CPU; ty reads a stub of torch that does not know it.
    model.to(where, memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]
    photos, validation = draw(run.setting, "train"), draw(run.setting, "validation")
    seen = shrunk(validation) if run.shrunk else validation
    count = budget.few if run.few else len(photos)

    label = f"{run.kind}, seed {run.seed}"

    def loss(step: int) -> torch.Tensor:
        model.train()
        batch = photos.select(torch.randint(count, (budget.batch,), generator=generator))
        batch = shrunk(batch) if run.shrunk else batch
        image, keypoints, weight = batch.image, batch.keypoints.clone(), batch.inside
        half = budget.batch // 2
        image[:half] = image[:half].flip(-1)
        keypoints[:half], weight[:half] = flip(keypoints[:half]), weight[:half][:, list(MIRROR)]
        image = image.to(where, memory_format=torch.channels_last)
        try:
            value = model.loss(image, keypoints.to(where), weight.to(where), half=True)
        except ValueError as problem:
            if not str(problem).startswith("sigma"):
                raise
            # RLE refuses widths that are no numbers any more.
            raise Diverged(f"{label}: {problem} at step {step} with rate {rate:g}") from problem
        if not value.isfinite():
            raise Diverged(f"{label}: the loss is {value.item()} at step {step} with rate {rate:g}")
        return value

    def error() -> float:
        if not all(parameter.isfinite().all() for parameter in model.parameters()):
            raise Diverged(f"{label}: weights are not finite any more with rate {rate:g}")
        *_, last = predict(model, seen).values()
        return mean_error(last, validation)

    every = max(1, steps // CHECKS)
    history = fit(model, loss, steps, rate=rate, label=label, validate=error, every=every).whole(label)
    return model.cpu().eval(), history.checks


def climb(ladder: tuple[float, ...], start: int, error: Callable[[float], float]) -> float:
    """The rung with the smallest error, found from three rungs around `start`: on, while the best is an outer one.

    If it is an end of the ladder, a better one may lie beyond; no setting that ships is one.
    """
    tried = {i: error(ladder[i]) for i in (start - 1, start, start + 1)}
    while True:
        best = min(tried, key=lambda i: tried[i])
        missing = [i for i in (best - 1, best + 1) if i not in tried and 0 <= i < len(ladder)]
        if not missing:
            return ladder[best]
        tried |= {i: error(ladder[i]) for i in missing}
