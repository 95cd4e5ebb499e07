"""Lesson 02's experiment: `python -m tutorial_lib.lessons.integral_pose.experiment [--budget shipped] [--folder ...]`.

The report's four approaches and their controls, every one with every seed, on the same photos (the laboratory's):

1. plain regression with augmentation;
2. integral regression, the integral loss alone;
3. (2), and then some more steps with a heat-map loss beside it; controls: the same steps without it, a one-hot target,
   DSNT's Jensen-Shannon regulariser; and the heat-map loss alone from the beginning;
4. (2), from a trunk that another task has trained. ImageNet stands for "other pictures, other labels"; ours: which of
   eight directions the person faces, on photos of other people in other places (`datasets.photos`).

Learning rates are found on validation photos, with a seed of their own. A stopped experiment goes on where it was:
every finished training lies in `output_folder()`, under `integral/<budget>`. At the end `checkpoints/integral/` has
the networks of seed 0 and `results.json`, with every measured value of every seed.
"""

import argparse
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets import augmentation
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.folders import output_folder
from tutorial_lib.integral import hard_argmax, soft_argmax_3d
from tutorial_lib.integral.losses import Mix, integral_loss, mixed
from tutorial_lib.integral.networks import RegressionNet, ResNet50, SmallTrunk, VolumeNet
from tutorial_lib.integral.poses import judge, to_volume
from tutorial_lib.integral.targets import gaussian_cube
from tutorial_lib.skeleton import JOINTS
from tutorial_lib.training import fit, resolve_device

DIRECTIONS = 8
"""Classes of the task that pre-trains the trunk of approach 4."""

SEARCH_SEED = 100


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        trunk: "small" or "resnet50"; `width` is that of the small trunk and of the deconvolutions' half.
        size, cells, depth: of the pictures and of the volume.
        photos, other_photos, validation, test: how many; the "other" ones pre-train.
        steps, pretrain_steps, late_steps: of the first stage, of the pre-training, of the second stage.
        seeds: trainings of every network.
        rates: candidates for the learning rate; the second stage begins with the integral's again.
        head_std: of a volume net's last weights at the start. 0.001, the paper's, takes a short training too long to
            get away from equally probable cells.
    """

    trunk: str
    width: int
    size: int
    cells: int
    depth: int
    photos: int
    other_photos: int
    validation: int
    test: int
    steps: int
    pretrain_steps: int
    late_steps: int
    batch: int
    seeds: int
    rates: tuple[float, ...] = (3e-3, 1e-2)
    head_std: float = 0.1


BUDGETS = {
    "shipped": Budget("small", 16, 48, 12, 12, 3000, 2000, 256, 512, 1200, 200, 300, 16, 5),
    # For a machine with a GPU: the paper's network and volume, and about as many batches as the report's 25 epochs.
    "full": Budget(
        "resnet50", 128, 256, 64, 64, 60000, 20000, 1024, 2048, 240000, 20000, 20000, 32, 5, (3e-4, 1e-3), 0.001
    ),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget("small", 4, 32, 4, 4, 8, 6, 4, 6, 2, 2, 2, 4, 2, (1e-3,)),
}


@dataclass(frozen=True)
class Method:
    """One way to train.

    Attributes:
        mix: of the losses; None: plain regression.
        start: the method whose network it begins with, or "directions": the trunk of the other task.
        rounded: whether the Gaussian stands on the joint's cell, as in the report. Otherwise it stands on the joint
            (ours): our cells are 5 times as large as theirs, and rounding moves every root, whose depth is 0, by half
            a cell to the back.
    """

    mix: Mix | None
    start: str = ""
    rounded: bool = False

    @property
    def family(self) -> str:
        """Whose learning rate it takes."""
        if self.mix is None:
            return "regression"
        return "integral" if self.mix.integral else "heat-map"


METHODS = {
    "regression": Method(None),
    "integral": Method(Mix()),
    "integral-later": Method(Mix(), "integral"),
    "gaussian-later": Method(Mix(gaussian=0.01), "integral"),
    "one-hot-later": Method(Mix(one_hot=0.01), "integral"),
    "js-later": Method(Mix(js=0.1), "integral"),
    "heat-map": Method(Mix(integral=0.0, gaussian=1.0)),
    "heat-map-cell": Method(Mix(integral=0.0, gaussian=1.0), rounded=True),
    "pre-trained": Method(Mix(), "directions"),
}
"""The report does not give its weights. Ours are strong enough to bring the peak of the map to the joint; with a tenth
of them the map stays what it was."""

BETAS = (1.0, 1.5, 2.0, 3.0, 5.0)
"""Candidates for the sharpness with which the mean of a map is read that was trained with the heat-map loss alone."""


# ------------------------------------------------------------------ networks and photos
def build(method: str, budget: Budget) -> VolumeNet | RegressionNet:
    """An untrained network for a method.

    Raises:
        ValueError: an unknown trunk.
    """
    if budget.trunk not in ("small", "resnet50"):
        raise ValueError(f"trunk is {budget.trunk!r}, expected 'small' or 'resnet50'")
    trunk = SmallTrunk(budget.width) if budget.trunk == "small" else ResNet50()
    if METHODS[method].mix is None:
        return RegressionNet(trunk)
    net = VolumeNet(trunk, budget.size, budget.cells, budget.depth, 2 * budget.width)
    nn.init.normal_(net.head.weight, std=budget.head_std)
    return net


def load(method: str, folder: Path = checkpoints.FOLDER, device="cpu") -> VolumeNet | RegressionNet:
    """A trained network of seed 0, in eval mode.

    Raises:
        ValueError: as `checkpoints.weights`.
    """
    about, tensors = checkpoints.weights(f"integral/{method}", folder)
    net = build(method, Budget(**about["architecture"]))
    net.load_state_dict(tensors)
    return net.eval().to(device)


def truth(photos: PhotoSet) -> torch.Tensor:
    """What a network should say: (B, 17, 3) x, y, z in the volume."""
    return to_volume(photos.keypoints, photos.pose, photos.box)


def direction(pose: torch.Tensor) -> torch.Tensor:
    """Which of `DIRECTIONS` sectors the person faces, seen from above: (..., 17, 3) camera frame to (...,) int64."""
    across = pose[..., JOINTS.index("left_hip"), :] - pose[..., JOINTS.index("right_hip"), :]
    turn = torch.atan2(across[..., 2], across[..., 0]) / (2 * math.pi)
    return (DIRECTIONS * (turn % 1)).long() % DIRECTIONS


@torch.no_grad()
def predict(net: nn.Module, photos: PhotoSet, reader=None, batch: int = 64) -> torch.Tensor:
    """Coordinates (B, 17, 3) in the volume, in eval mode.

    Args:
        reader: from logits to coordinates, such as `hard_argmax`; by default the net's own `predict`.
    """
    net.eval()
    device = next(net.parameters()).device
    parts = []
    for pixels in photos.pixels.split(batch):
        images = pixels.to(device).float() / 255
        parts.append((net.predict(images) if reader is None else reader(net.logits(images))).cpu())
    return torch.cat(parts)


# ------------------------------------------------------------------ training
def train(
    net, photos: PhotoSet, loss_of, steps: int, rate: float, batch: int, generator, label="training", validate=None
):
    """Train on augmented photos, in place.

    Args:
        loss_of: (net, images, target (B, 17, 3), inside (B, 17), index of the photos) -> scalar.
        generator: draws photos and their changes.
        validate: what to write down eight times on the way; the net keeps its best weights.

    Raises:
        KeyboardInterrupt: if the student stopped the training.
    """
    device = next(net.parameters()).device
    targets = truth(photos)

    def loss(step: int) -> torch.Tensor:
        net.train()
        index = torch.randint(len(photos), (batch,), generator=generator)
        images, target = photos.pixels[index].to(device).float() / 255, targets[index].to(device)
        images, target = augmentation.apply(
            images, target, augmentation.draw(batch, augmentation.Strength(), generator)
        )
        return loss_of(net, images, target, augmentation.inside(target).to(target), index)

    every = max(1, math.ceil(steps / 8))
    history = fit(net, loss, steps, rate=rate, label=label, validate=validate, every=every)
    if history.interrupted:
        raise KeyboardInterrupt(f"{label} was stopped")
    return history


def loss_of(method: Method):
    """The loss of a method, as `train` wants it."""

    def regression(net, images, target, inside, index):
        return integral_loss(net.predict(images), target, inside)

    def volume(net, images, target, inside, index):
        return mixed(net.logits(images), target, method.mix, inside, rounded=method.rounded)[0]

    return regression if method.mix is None else volume


def pretrain(trunk: nn.Module, photos: PhotoSet, budget: Budget, rate: float, generator, label: str) -> None:
    """Train the trunk to say which way the person faces, in place; the layer that says it is thrown away."""
    net = nn.Sequential(trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(trunk.channels, DIRECTIONS))
    net.to(next(trunk.parameters()).device)
    facing = direction(photos.pose)

    def loss(net, images, target, inside, index):
        return F.cross_entropy(net(images), facing[index].to(images.device))

    train(net, photos, loss, budget.pretrain_steps, rate, budget.batch, generator, label)


def _reader(method: str):
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

    def _once(self, name: str, make) -> dict:
        """`make()` as JSON, or what it returned before."""
        path = self.work / f"{name}.json"
        if not path.is_file():
            made = make()
            half = path.with_suffix(".partial")
            half.write_text(json.dumps(made, indent=1), encoding="utf-8")
            half.replace(path)
        return json.loads(path.read_text(encoding="utf-8"))

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
        save_file({key: value.cpu().contiguous() for key, value in net.state_dict().items()}, save)
        return net, history.checks

    def search(self) -> dict:
        """The learning rate of each way to begin, by the validation error in mm."""
        found = {"rates": {}, "tried": {}}
        for method in ("regression", "integral", "heat-map"):
            tried = {}
            for rate in self.budget.rates:
                name = f"search-{method}-{rate:g}"

                def make(method=method, rate=rate, name=name):
                    save = self.work / f"{name}.safetensors"
                    _, curve = self._fit(method, SEARCH_SEED, rate, self.budget.steps, None, save)
                    return {"mm": min(mm for _, mm in curve)}

                tried[rate] = self._once(name, make)["mm"]
            found["rates"][method] = min(tried, key=tried.get)
            found["tried"][method] = {str(rate): mm for rate, mm in tried.items()}
        return found

    def tempered(self, method: str, seed: int) -> dict:
        """A network read at the mean of its maps with the sharpness that validation photos choose."""
        net = build(method, self.budget).to(self.device)
        net.load_state_dict(load_file(self.work / f"{method}-{seed}.safetensors"))
        readers = {beta: partial(soft_argmax_3d, temperature=1 / beta) for beta in BETAS}
        seen = {beta: self.errors(net, self.validation, reader)["mpjpe_mm"] for beta, reader in readers.items()}
        beta = min(seen, key=seen.get)
        return {"beta": beta} | self.errors(net, self.test, readers[beta])

    def errors(self, net: nn.Module, photos: PhotoSet, reader=None) -> dict:
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

        result = self._once(f"{method}-{seed}", make)
        if recipe.family == "heat-map":
            name = f"tempered-{method}-{seed}"
            result["test, tempered"] = self._once(name, lambda: self.tempered(method, seed))
        return result

    def costs(self) -> dict:
        """Seconds of a training step and bytes kept for the backward pass, measured side by side; one per round."""
        return self._once("costs", lambda: measure_costs(self.budget, self.device))


# ------------------------------------------------------------------ what a step costs
def dense_gaussian_bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`heatmap_bce` as the report describes it: the target volume is made, then compared cell by cell."""
    cube = gaussian_cube(target, logits.shape[-3:])
    return F.binary_cross_entropy_with_logits(logits, cube, reduction="none").sum((-3, -2, -1)).mean()


def kept_bytes(function) -> int:
    """Bytes that autograd keeps between `function()` and its backward pass, every storage counted once."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = function()
    return sum(kept.values()) if value is not None else 0


def measure_costs(budget: Budget, device, rounds: int = 5, repeats: int = 3) -> dict:
    """Name of the losses -> {"seconds": one per round, "bytes": kept for the backward pass} of a step of training."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(budget.batch, 3, budget.size, budget.size, generator=generator).to(device)
    target = (1.4 * torch.rand(budget.batch, len(JOINTS), 3, generator=generator) - 0.7).to(device)
    volume, regression = build("integral", budget).to(device), build("regression", budget).to(device)

    def both_dense():
        logits = volume.logits(images)
        return mixed(logits, target, Mix())[0] + 0.01 * dense_gaussian_bce(logits, target)

    steps = {
        "regression": lambda: integral_loss(regression.predict(images), target),
        "integral": lambda: mixed(volume.logits(images), target, Mix())[0],
        "integral + Gaussian, factors": lambda: mixed(volume.logits(images), target, Mix(gaussian=0.01))[0],
        "integral + Gaussian, volume": both_dense,
        "integral + JS": lambda: mixed(volume.logits(images), target, Mix(js=1.0))[0],
    }
    clock = time.process_time if torch.device(device).type == "cpu" else time.perf_counter

    def once(step) -> float:
        began = clock()
        step().backward()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        return clock() - began

    result = {name: {"seconds": [], "bytes": kept_bytes(step)} for name, step in steps.items()}
    for step in steps.values():
        once(step)
    for _ in range(rounds):  # in turn, so that a busy machine slows all of them alike
        for name, step in steps.items():
            result[name]["seconds"].append(statistics.median(once(step) for _ in range(repeats)))
    return result


# ------------------------------------------------------------------ all of it
def experiment(
    budget_name: str = "shipped", folder: Path = checkpoints.FOLDER, work: Path | None = None, device: str = "auto",
    photos: Path | None = None,
) -> dict:  # fmt: skip
    """Search, train, examine; write `folder`/integral.

    Returns:
        What is in `results.json`: budget, search, costs, and "runs": method -> one dict per seed.
    """
    budget = BUDGETS[budget_name]
    lab = Experiment(budget, work or output_folder() / "integral" / budget_name, device, photos)
    found, runs = lab.search(), {method: [] for method in METHODS}
    with tqdm(total=budget.seeds * len(METHODS), desc="trainings") as bar:
        for seed in range(budget.seeds):
            for method in METHODS:
                runs[method].append({"seed": seed} | lab.run(method, seed, found))
                bar.update()
    result = {
        "budget": {"name": budget_name, **asdict(budget)}, "search": found, "costs": lab.costs(), "runs": runs,
        "photos": "rendered in one room; nobody and no motion in the test photos is in the others",
        "units": "mm; pckh: share in [0, 1]; seconds: CPU time",
    }  # fmt: skip
    for method in METHODS:
        tensors = load_file(lab.work / f"{method}-0.safetensors")
        checkpoints.store(tensors, f"integral/{method}", asdict(budget), {"seed": 0, **runs[method][0]}, folder)
    path = folder / "integral" / "results.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What the experiment wrote.

    Raises:
        ValueError: there is nothing.
    """
    path = folder / "integral" / "results.json"
    if not path.is_file():
        raise ValueError(f"{path.name} is missing: run python -m tutorial_lib.lessons.integral_pose.experiment")
    return json.loads(path.read_text(encoding="utf-8"))


def train_all(budget_name: str, device: str = "auto") -> Path:
    """The experiment for the lesson's full profile; what is there already stays.

    Returns:
        The folder in `output_folder()`, for `load` and `results`.
    """
    folder = output_folder() / "integral" / f"{budget_name}-networks"
    experiment(budget_name, folder, device=device)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", choices=BUDGETS, default="shipped")
    parser.add_argument("--folder", type=Path, default=checkpoints.FOLDER)
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    made = experiment(chosen.budget, chosen.folder, device=chosen.device)
    for method, seeds in made["runs"].items():
        values = [run["test"]["mpjpe_mm"] for run in seeds]
        print(f"{method}: {statistics.mean(values):.1f} mm, {min(values):.1f} to {max(values):.1f}")


if __name__ == "__main__":
    main()
