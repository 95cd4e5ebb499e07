"""Lesson 02's trainings, one by one: how a network is trained, examined and kept. `experiment` makes all of them."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.experiments import once, write_tensors
from tutorial_lib.integral import hard_argmax, soft_argmax_3d
from tutorial_lib.integral.losses import integral_loss, mixed
from tutorial_lib.integral.networks import RegressionNet, VolumeNet
from tutorial_lib.integral.poses import axis_errors, judge
from tutorial_lib.lessons.integral_pose.costs import measure_costs, measure_targets
from tutorial_lib.lessons.integral_pose.learning import forward, pretrain, train, truth
from tutorial_lib.lessons.integral_pose.recipes import BETAS, METHODS, Budget, Method, build
from tutorial_lib.training import resolve_device

Reader = Callable[[torch.Tensor], torch.Tensor]
"""From logits to coordinates."""

SEARCH_SEED = 100

REPORT_CELLS = 64
"""Cells on each axis of the volume of Sun et al., and so of the report's."""

FAMILIES = ("regression", "integral", "heat-map")
"""Methods that find a learning rate for themselves and for their relatives, see `Method.family`."""


@torch.no_grad()
def predict(net: Any, photos: PhotoSet, reader: Reader | None = None, batch: int = 64) -> torch.Tensor:
    """Coordinates (B, 17, 3) in the volume, in eval mode.

    Args:
        net: of `recipes.build`.
        photos: what to look at.
        reader: from logits to coordinates, such as `hard_argmax`; by default the net's own `predict`.
        batch: photos at a time.
    """
    net.eval()
    device = next(net.parameters()).device
    parts = []
    for pixels in photos.pixels.split(batch):
        images = pixels.to(device).float() / 255
        parts.append((net.predict(images) if reader is None else reader(net.logits(images))).cpu())
    return torch.cat(parts)


def score(coordinates: torch.Tensor, photos: PhotoSet) -> dict:
    """How wrong coordinates (B, 17, 3) are, as the results' JSON keeps it: mm, and a share for PCKh."""
    found, axes = judge(coordinates, photos.box, photos.pose), axis_errors(coordinates, photos.box, photos.pose)
    return {
        "mpjpe_mm": found.mpjpe, "p_mpjpe_mm": found.p_mpjpe, "pckh": found.pckh / 100, "axes_mm": axes.tolist()
    }  # fmt: skip


# ------------------------------------------------------------------ training
def loss_of(method: Method, precision: str = "float32") -> Callable[..., torch.Tensor]:
    """The loss of a method, as `train` wants it; `precision` of `Budget`."""

    def regression(net: RegressionNet, images: torch.Tensor, target: torch.Tensor, inside: torch.Tensor, *_: Any):
        return integral_loss(forward(net, images, precision), target, inside)

    mix = method.mix
    if mix is None:
        return regression

    def volume(net: VolumeNet, images: torch.Tensor, target: torch.Tensor, inside: torch.Tensor, *_: Any):
        return mixed(forward(net, images, precision), target, mix, inside, rounded=method.rounded)[0]

    return volume


def mean_and_peak(logits: torch.Tensor) -> torch.Tensor:
    """Both readings of volumes (B, J, D, H, W): (B, 2, J, 3), the mean first."""
    return torch.stack([soft_argmax_3d(logits), hard_argmax(logits)], 1)


class Experiment:
    """One budget's trainings: what is finished is read from `work`, what is not is trained.

    Args:
        budget: how much.
        work: folder of the finished trainings.
        device: where to train.
        photos: folder of the photos, see `photo_set`.
    """

    def __init__(self, budget: Budget, work: Path, device: str = "auto", photos: Path | None = None):
        self.budget, self.work, self.device, self.photos = budget, work, resolve_device(device), photos
        work.mkdir(parents=True, exist_ok=True)
        b = budget
        self.train_photos = photo_set("train", b.photos, b.size, setting="lab", folder=photos)
        self.validation = photo_set("validation", b.validation, b.size, setting="lab", folder=photos)
        self.test = photo_set("test", b.test, b.size, setting="lab", folder=photos)

    @cached_property
    def other_photos(self) -> PhotoSet:
        """What the trunk of approach 4 learns from."""
        return photo_set("train", self.budget.other_photos, self.budget.size, folder=self.photos)

    @property
    def sets(self) -> dict[str, PhotoSet]:
        """What a finished network is examined on; as many training photos, without augmentation, as test photos."""
        seen = self.train_photos.select(slice(0, self.budget.test))
        return {"train": seen, "validation": self.validation, "test": self.test}

    def _fit(self, method: str, seed: int, rate: float, steps: int, start: Path | None, save: Path):
        """Train one network and save it; returns it and [step, validation error in mm at the mean, and at the peak].

        It keeps the weights of its best check: read at the peak where the loss knows no mean, else at the mean.
        """
        generator = torch.Generator().manual_seed(1000 * seed + 1)
        torch.manual_seed(seed)
        budget, recipe, label = self.budget, METHODS[method], f"{method}, seed {seed}"
        net: Any = build(method, budget).to(self.device)
        net.to(memory_format=torch.channels_last)
        if recipe.start == "directions":
            pretrain(net.trunk, self.other_photos, budget, rate, generator, f"{label}, before")
        elif start is not None:
            net.load_state_dict(load_file(start))
        readings = []

        def validate() -> float:
            photos = self.validation
            found = [predict(net, photos)] if recipe.mix is None else predict(net, photos, mean_and_peak).unbind(1)
            readings.append([round(judge(places, photos.box, photos.pose).mpjpe, 2) for places in found])
            return readings[-1][-1 if recipe.family == "heat-map" else 0]

        loss = loss_of(recipe, budget.precision)
        history = train(net, self.train_photos, loss, steps, rate, budget.batch, generator, label, validate)
        write_tensors(save, {key: value.cpu() for key, value in net.state_dict().items()})
        return net, [[step, *reading] for (step, _), reading in zip(history.checks, readings, strict=True)]

    def search(self, family: str) -> dict[str, float | None]:
        """Learning rate -> the best validation error in mm of a training of `search_steps`; None where it diverges.

        The grid grows until the best rate is none of its ends.
        """
        peak = 2 if family == "heat-map" else 1

        def error(rate: float) -> float:
            name = f"search-{family}-{rate:g}"

            def make():
                save = self.work / f"{name}.safetensors"
                try:
                    _, curve = self._fit(family, SEARCH_SEED, rate, self.budget.search_steps, None, save)
                except ValueError as problem:
                    if "the loss is" not in str(problem):  # what `fit` says where a loss is not finite
                        raise
                    return {"mm": None}
                return {"mm": min(check[peak] for check in curve)}

            found = once(self.work / f"{name}.json", make)["mm"]
            return math.inf if found is None else found

        tried = widened_search(error, self.budget.rates)
        return {f"{rate:g}": None if math.isinf(mm) else mm for rate, mm in tried.items()}

    def rate(self, family: str) -> float:
        """The best learning rate that `search` found."""
        tried = {rate: mm for rate, mm in self.search(family).items() if mm is not None}
        return float(min(tried, key=tried.__getitem__))

    def tempered(self, net: nn.Module) -> dict:
        """A network read at the mean of its maps with the sharpness that validation photos choose."""
        readers = {beta: partial(soft_argmax_3d, temperature=1 / beta) for beta in BETAS}
        seen = {beta: score(predict(net, self.validation, reader), self.validation) for beta, reader in readers.items()}
        beta = min(seen, key=lambda beta: seen[beta]["mpjpe_mm"])
        return {"beta": beta} | score(predict(net, self.test, readers[beta]), self.test)

    def run(self, method: str, seed: int) -> dict:
        """Train and examine one network, or read what was found before."""
        b, recipe = self.budget, METHODS[method]
        late = recipe.start in METHODS
        if late:
            self.run(recipe.start, seed)
        save = self.work / f"{method}-{seed}.safetensors"

        def make():
            rate, began = self.rate(recipe.family), time.process_time()
            start = self.work / f"{recipe.start}-{seed}.safetensors" if late else None
            net, curve = self._fit(method, seed, rate, b.late_steps if late else b.steps, start, save)
            seconds = time.process_time() - began
            result: dict[str, Any] = {name: score(predict(net, photos), photos) for name, photos in self.sets.items()}
            if recipe.mix is not None:
                for name, photos in self.sets.items():
                    result[f"{name}, argmax"] = score(predict(net, photos, hard_argmax), photos)
            if recipe.family == "heat-map":
                result["test, tempered"] = self.tempered(net)
            about = {"rate": rate, "mix": recipe.mix and asdict(recipe.mix), "cpu_seconds": round(seconds, 1)}
            return result | about | {"curve": curve}

        return once(self.work / f"{method}-{seed}.json", make)

    def baselines(self) -> dict:
        """What two answers score that look at no photo; name -> as of `run`.

        "mean pose" is the mean of the training set's coordinates; "chance" says for every photo what is true of one
        of the training photos, drawn at random.
        """

        def make():
            seen, generator = truth(self.train_photos), torch.Generator().manual_seed(SEARCH_SEED)
            answers = {
                "mean pose": lambda count: seen.mean(0).expand(count, -1, -1),
                "chance": lambda count: seen[torch.randint(len(seen), (count,), generator=generator)],
            }
            return {
                name: {part: score(answer(len(photos)), photos) for part, photos in self.sets.items()}
                for name, answer in answers.items()
            }

        return once(self.work / "baselines.json", make)

    def costs(self) -> dict:
        """Seconds of a training step and bytes kept for the backward pass, measured side by side; one per round."""
        return once(self.work / "costs.json", lambda: measure_costs(self.budget, self.device))

    def targets(self) -> dict:
        """Seconds to make the target volumes of a photo with `REPORT_CELLS` cells on each axis; one per round."""
        return once(self.work / "targets.json", lambda: measure_targets(REPORT_CELLS))

    def part(self, name: str) -> None:
        """Make one part: "baselines", "costs", "targets", "search-FAMILY" or "METHOD-SEED".

        Raises:
            ValueError: another name.
        """
        head, _, tail = name.rpartition("-")
        if name in ("baselines", "costs", "targets"):
            getattr(self, name)()
        elif name.startswith("search-") and name.removeprefix("search-") in FAMILIES:
            self.search(name.removeprefix("search-"))
        elif head in METHODS and tail in map(str, range(self.budget.seeds)):
            self.run(head, int(tail))
        else:
            raise ValueError(
                f"part is {name!r}, expected baselines, costs, targets, search- and one of {', '.join(FAMILIES)}, "
                f"or one of {', '.join(METHODS)} and a seed below {self.budget.seeds}, such as integral-0"
            )

    def whole_seeds(self) -> list[int]:
        """Seeds of which every method is finished."""
        return [
            seed for seed in range(self.budget.seeds)
            if all((self.work / f"{method}-{seed}.json").is_file() for method in METHODS)
        ]  # fmt: skip
