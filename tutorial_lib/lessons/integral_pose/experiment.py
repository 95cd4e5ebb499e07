"""Lesson 02's experiment: `python -m tutorial_lib.lessons.integral_pose.experiment [--budget shipped] [--folder ...]`.

The report's four approaches and their controls, every one with every seed, on the same photos (the laboratory's):

1. plain regression with augmentation;
2. integral regression, the integral loss alone;
3. (2), and then some more steps with a heat-map loss beside it; controls: the same steps without it, a one-hot target,
   DSNT's Jensen-Shannon regulariser; and the heat-map loss alone from the beginning;
4. (2), from a trunk that another task has trained. ImageNet stands for "other pictures, other labels"; ours: which of
   eight directions the person faces, on photos of other people in other places (`datasets.photos`).

Learning rates are found on validation photos, with a seed of their own. A stopped experiment goes on where it was:
every finished training lies in the work folder. At the end `integral/` in the folder that is named has the networks of
seed 0 and `results.json`, with every measured value of every seed.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.experiments import (
    command_line,
    default_folder,
    once,
    parse,
    read_json,
    settings,
    write_json,
    write_tensors,
)
from tutorial_lib.integral import hard_argmax, soft_argmax_3d
from tutorial_lib.integral.losses import integral_loss, mixed
from tutorial_lib.integral.networks import RegressionNet, VolumeNet
from tutorial_lib.integral.poses import judge
from tutorial_lib.lessons.integral_pose.costs import measure_costs
from tutorial_lib.lessons.integral_pose.learning import pretrain, train
from tutorial_lib.lessons.integral_pose.recipes import BETAS, BUDGETS, METHODS, Budget, Method, build
from tutorial_lib.training import resolve_device

Reader = Callable[[torch.Tensor], torch.Tensor]
"""From logits to coordinates."""

SEARCH_SEED = 100


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


# ------------------------------------------------------------------ training
def loss_of(method: Method) -> Callable[..., torch.Tensor]:
    """The loss of a method, as `train` wants it."""

    def regression(net: RegressionNet, images: torch.Tensor, target: torch.Tensor, inside: torch.Tensor, *_: Any):
        return integral_loss(net.predict(images), target, inside)

    mix = method.mix
    if mix is None:
        return regression

    def volume(net: VolumeNet, images: torch.Tensor, target: torch.Tensor, inside: torch.Tensor, *_: Any):
        return mixed(net.logits(images), target, mix, inside, rounded=method.rounded)[0]

    return volume


def _reader(method: str) -> Reader | None:
    """How the training of a method is watched: a net that never saw the mean of a volume is read at its peak."""
    return hard_argmax if METHODS[method].family == "heat-map" else None


class Experiment:
    """One budget's trainings: what is finished is read from `work`, what is not is trained.

    Args:
        budget: how much.
        work: folder of the finished trainings.
        device: where to train.
        photos: folder of the photos, see `photo_set`.
    """

    def __init__(self, budget: Budget, work: Path, device: str = "auto", photos: Path | None = None):
        self.budget, self.work, self.device = budget, work, resolve_device(device)
        work.mkdir(parents=True, exist_ok=True)
        b = budget
        self.train_photos = photo_set("train", b.photos, b.size, setting="lab", folder=photos)
        self.other_photos = photo_set("train", b.other_photos, b.size, folder=photos)
        self.validation = photo_set("validation", b.validation, b.size, setting="lab", folder=photos)
        self.test = photo_set("test", b.test, b.size, setting="lab", folder=photos)

    def _fit(self, method: str, seed: int, rate: float, steps: int, start: Path | None, save: Path):
        """Train one network and save it; returns it and (step, validation error in mm) on the way."""
        generator = torch.Generator().manual_seed(1000 * seed + 1)
        torch.manual_seed(seed)
        net = build(method, self.budget).to(self.device)
        label = f"{method}, seed {seed}"
        if METHODS[method].start == "directions":
            pretrain(net.trunk, self.other_photos, self.budget, rate, generator, f"{label}, before")
        elif start is not None:
            net.load_state_dict(load_file(start))
        reader = _reader(method)

        def validate() -> float:
            return self.errors(net, self.validation, reader)["mpjpe_mm"]

        batch = self.budget.batch
        history = train(
            net, self.train_photos, loss_of(METHODS[method]), steps, rate, batch, generator, label, validate
        )
        write_tensors(save, {key: value.cpu() for key, value in net.state_dict().items()})
        return net, history.checks

    def search(self) -> dict:
        """The learning rate of each way to begin, by the validation error in mm."""
        found = {"rates": {}, "tried": {}}
        for method in ("regression", "integral", "heat-map"):
            tried = {}
            for rate in self.budget.rates:
                name = f"search-{method}-{rate:g}"

                def make(method: str = method, rate: float = rate, name: str = name):
                    save = self.work / f"{name}.safetensors"
                    _, curve = self._fit(method, SEARCH_SEED, rate, self.budget.steps, None, save)
                    return {"mm": min(mm for _, mm in curve)}

                tried[rate] = once(self.work / f"{name}.json", make)["mm"]
            found["rates"][method] = min(tried, key=tried.__getitem__)
            found["tried"][method] = {str(rate): mm for rate, mm in tried.items()}
        return found

    def tempered(self, method: str, seed: int) -> dict:
        """A network read at the mean of its maps with the sharpness that validation photos choose."""
        net = build(method, self.budget).to(self.device)
        net.load_state_dict(load_file(self.work / f"{method}-{seed}.safetensors"))
        readers = {beta: partial(soft_argmax_3d, temperature=1 / beta) for beta in BETAS}
        seen = {beta: self.errors(net, self.validation, reader)["mpjpe_mm"] for beta, reader in readers.items()}
        beta = min(seen, key=seen.__getitem__)
        return {"beta": beta} | self.errors(net, self.test, readers[beta])

    def errors(self, net: nn.Module, photos: PhotoSet, reader: Reader | None = None) -> dict:
        """The score of a network on photos, as the results' JSON keeps it: mm, and a share for PCKh."""
        score = judge(predict(net, photos, reader), photos.box, photos.pose)
        return {"mpjpe_mm": score.mpjpe, "p_mpjpe_mm": score.p_mpjpe, "pckh": score.pckh / 100}

    def run(self, method: str, seed: int, found: dict) -> dict:
        """Train and examine one network, or read what was found before."""
        b, recipe = self.budget, METHODS[method]
        late = recipe.start in METHODS
        rate = found["rates"][recipe.family]
        save = self.work / f"{method}-{seed}.safetensors"

        def make():
            began = time.process_time()
            start = self.work / f"{recipe.start}-{seed}.safetensors" if late else None
            net, curve = self._fit(method, seed, rate, b.late_steps if late else b.steps, start, save)
            seconds = time.process_time() - began
            seen = self.train_photos.select(slice(0, b.test))
            sets = {"train": seen, "validation": self.validation, "test": self.test}
            result = {name: self.errors(net, photos) for name, photos in sets.items()}
            if recipe.mix is not None:
                result["test, argmax"] = self.errors(net, self.test, hard_argmax)
            about = {"rate": rate, "mix": recipe.mix and asdict(recipe.mix), "cpu_seconds": round(seconds, 1)}
            return result | about | {"curve": [[step, round(mm, 2)] for step, mm in curve]}

        result = once(self.work / f"{method}-{seed}.json", make)
        if recipe.family == "heat-map":
            name = f"tempered-{method}-{seed}"
            result["test, tempered"] = once(self.work / f"{name}.json", lambda: self.tempered(method, seed))
        return result

    def costs(self) -> dict:
        """Seconds of a training step and bytes kept for the backward pass, measured side by side; one per round."""
        return once(self.work / "costs.json", lambda: measure_costs(self.budget, self.device))


# ------------------------------------------------------------------ all of it
def run_all(
    budget_name: str = "shipped",
    folder: Path | None = None,
    work: Path | None = None,
    device: str = "auto",
    photos: Path | None = None,
) -> Path:
    """Search, train, examine; write `folder`/integral.

    Args:
        budget_name: one of `BUDGETS`.
        folder: gets `integral/`; by default the work folder.
        work: keeps finished trainings; by default a folder in `output_folder()`.
        device: where to train.
        photos: folder of the photos, see `photo_set`.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"integral-{budget_name}")
    folder = folder or work
    lab = Experiment(budget, work, device, photos)
    found, runs = lab.search(), {method: [] for method in METHODS}
    with tqdm(total=budget.seeds * len(METHODS), desc="trainings") as bar:
        for seed in range(budget.seeds):
            for method in METHODS:
                runs[method].append({"seed": seed} | lab.run(method, seed, found))
                bar.update()
    for method in METHODS:
        tensors = load_file(lab.work / f"{method}-0.safetensors")
        checkpoints.store(tensors, f"integral/{method}", asdict(budget), {"seed": 0, **runs[method][0]}, folder)
    result = {
        "budget": settings(budget_name, budget), "search": found, "costs": lab.costs(), "runs": runs,
        "photos": "rendered in one room; nobody and no motion in the test photos is in the others",
        "units": "mm; pckh: share in [0, 1]; seconds: CPU time",
    }  # fmt: skip
    write_json(folder / "integral" / "results.json", result)
    return folder


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What the experiment wrote: budget, search, costs, and "runs": method -> one dict a seed.

    Raises:
        ValueError: there is nothing.
    """
    return read_json(folder / "integral" / "results.json")


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS))
    made = results(run_all(chosen.budget, chosen.folder, chosen.work, chosen.device))
    for method, seeds in made["runs"].items():
        values = [run["test"]["mpjpe_mm"] for run in seeds]
        print(f"{method}: {statistics.mean(values):.1f} mm, {min(values):.1f} to {max(values):.1f}")


if __name__ == "__main__":
    main()
