"""Lesson 01's experiment.

    python -m tutorial_lib.lessons.heatmap_vs_regression.experiment [--budget shipped] [--folder ...]

Four heads on one backbone, with equal budgets: the same photos, batches, steps and schedule; once with more steps.
Then two of them with few photos, and the heat maps on finer and coarser grids. Learning rates and the width of bumps
are chosen first, in short runs, on validation photos; every head gets the same choices. Everything else is measured on
test photos, whose people and motions no training saw.

Every run is kept in the work folder, so an interrupted experiment goes on where it was. The networks of seed 0 and
`results.json` go to `heads/` in the folder that is named.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.experiments import command_line, default_folder, once, parse, read_json, settings, write_json
from tutorial_lib.heatmaps import HEADS, KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.measures import THRESHOLDS, measure, predict
from tutorial_lib.skeleton import MIRROR, flip
from tutorial_lib.training import fit, resolve_device

RATES = (3e-4, 1e-3, 3e-3, 1e-2)
SAMPLE = 32
"""Test photos on which the shipped networks can be tried in a moment; `results` has what they must give."""
SIGMAS = {2: (1.0, 2.0, 3.0), 4: (1.0, 1.5, 2.0), 8: (0.7, 1.0, 1.5)}
"""Stride -> widths in cells that are tried for the bumps."""


@dataclass(frozen=True)
class Budget:
    """How many photos, how long, how wide.

    Attributes:
        photos, few: training photos of the large and of the small set (its beginning).
        validation, test: photos.
        steps, few_steps, long_steps, search_steps: updates of a run, of a run with few photos, of a long run, of a run
            that chooses settings.
        batch: photos a step.
        seeds, long_seeds: training seeds of every kind of run, of the long runs.
        channels, width: of `KeypointNet`.
        size: side of the photos.
    """

    photos: int
    few: int
    validation: int
    test: int
    steps: int
    few_steps: int
    long_steps: int
    search_steps: int
    batch: int
    seeds: int
    long_seeds: int
    channels: tuple[int, ...]
    width: int
    size: int = 64


BUDGETS = {
    "shipped": Budget(8000, 500, 500, 1000, 800, 400, 3200, 300, 16, 5, 1, (8, 16, 32, 64), 24),
    # For a machine with a GPU: wider, longer, finer photos.
    "full": Budget(40000, 1000, 1000, 2000, 20000, 10000, 80000, 2000, 64, 5, 5, (32, 64, 128, 256), 64, 128),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(24, 8, 8, 8, 2, 2, 3, 1, 4, 2, 1, (4, 4, 4, 4), 4, 32),
}


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        head, stride: of `KeypointNet`; the regression heads have no map and run at stride 4 only.
        few: whether only the small set is trained on.
        long: whether it gets more steps than usual.
        seed: of the weights and the batches.
    """

    head: str
    stride: int = 4
    few: bool = False
    long: bool = False
    seed: int = 0

    @property
    def kind(self) -> str:
        """ "heatmap-4", "rle-4-long": the name without the seed."""
        return f"{self.head}-{self.stride}" + ("-few" if self.few else "") + ("-long" if self.long else "")


KINDS = (
    *(Run(head) for head in HEADS),
    *(Run("heatmap", stride) for stride in (2, 8)),
    *(Run(head, few=True) for head in ("regression", "heatmap")),
    *(Run(head, long=True) for head in HEADS),
)
SHIPPED = tuple(run.kind for run in KINDS if not run.few)


def train(
    run: Run, steps: int, rate: float, sigma: float, budget: Budget, photos: PhotoSet, device: str = "cpu"
) -> KeypointNet:
    """One network after `steps` batches, half of every batch mirrored.

    Raises:
        KeyboardInterrupt: if somebody stopped it; half a training must not be taken for a whole one.
    """
    where = resolve_device(device)
    torch.manual_seed(run.seed)
    generator = torch.Generator().manual_seed(run.seed)
    model = KeypointNet(run.head, budget.size, run.stride, budget.channels, budget.width, sigma)
    # Channels last is a tenth faster on a CPU; ty reads a stub of torch that does not know it.
    model.to(where, memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]
    if run.few:
        photos = photos.select(slice(0, budget.few))

    def loss(step: int) -> torch.Tensor:
        model.train()
        batch = photos.select(torch.randint(len(photos), (budget.batch,), generator=generator))
        image, keypoints, weight = batch.image, batch.keypoints.clone(), batch.inside
        half = budget.batch // 2
        image[:half] = image[:half].flip(-1)
        keypoints[:half], weight[:half] = flip(keypoints[:half]), weight[:half][:, list(MIRROR)]
        image = image.to(where, memory_format=torch.channels_last)
        return model.loss(image, keypoints.to(where), weight.to(where))

    label = f"{run.kind}, seed {run.seed}"
    fit(model, loss, steps, rate=rate, label=label).whole(label)
    return model.cpu().eval()


def ordered(budget: Budget) -> list[Run]:
    """Every run of every seed; what is stopped early has what matters most: the four heads, then the long runs."""
    usual = [kind for kind in KINDS if not kind.long]
    heads, others, long = usual[: len(HEADS)], usual[len(HEADS) :], [kind for kind in KINDS if kind.long]
    return [
        replace(kind, seed=seed)
        for kinds, seeds in ((heads, budget.seeds), (long, budget.long_seeds), (others, budget.seeds))
        for seed in range(seeds)
        for kind in kinds
    ]


def search(budget: Budget, work: Path, train_set: PhotoSet, validation: PhotoSet, device: str = "cpu") -> list[dict]:
    """Short runs of seed 0: every head with each of `RATES`; then the heat maps with each of `SIGMAS`.

    Returns:
        One row a run: kind, rate, sigma, "error_px" on the validation photos (of a heat map: read by DARK).
    """
    rows = []

    def try_out(run: Run, rate: float, sigma: float) -> None:
        def make() -> dict:
            model = train(run, budget.search_steps, rate, sigma, budget, train_set, device)
            *_, last = predict(model, validation).values()
            return {"kind": run.kind, "rate": rate, "sigma": sigma, "error_px": measure(last, validation)["error_px"]}

        rows.append(once(work / f"search-{run.kind}-{rate:g}-{sigma:g}.json", make))

    for head in HEADS:
        for rate in RATES:
            try_out(Run(head), rate, 1.0)
    rate = chosen(rows, Run("heatmap"))["rate"]
    for stride, sigmas in SIGMAS.items():
        for sigma in sigmas:
            if (stride, sigma) != (4, 1.0):
                try_out(Run("heatmap", stride), rate, sigma)
    return rows


def chosen(rows: list[dict], run: Run) -> dict:
    """The row of `search` with the smallest error among those of the same head and stride."""
    fitting = [row for row in rows if row["kind"] == f"{run.head}-{run.stride}"]
    return min(fitting, key=lambda row: row["error_px"])


def load(kind: str, folder: Path = checkpoints.FOLDER) -> KeypointNet:
    """A shipped network in eval mode: `load("heatmap-4")`.

    Raises:
        ValueError: as `checkpoints.weights`; weights that do not fit the architecture in the JSON.
    """
    about, tensors = checkpoints.weights(f"heads/{kind}", folder)
    return checkpoints.fill(lambda: KeypointNet(**about["architecture"]), tensors, kind)


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What the experiment measured: "budget", "thresholds", "search", "sample_error_px" and "runs".

    The sample is `photo_set("test", SAMPLE)`, tried with each of `SHIPPED`. A run has "kind", "seed", "photos",
    "steps", "rate", "sigma" and "test": decoder -> what `measure` returns.
    """
    return read_json(folder / "heads" / "results.json")


def values(found: dict, kind: str, decoder: str, measured: str = "error_px") -> list:
    """One value a seed, in the order of the seeds.

    Raises:
        ValueError: nothing of this kind was measured.
    """
    runs = sorted((run for run in found["runs"] if run["kind"] == kind), key=lambda run: run["seed"])
    if not runs or decoder not in runs[0]["test"]:
        known = sorted({f"{run['kind']} ({', '.join(run['test'])})" for run in found["runs"]})
        raise ValueError(f"{kind} ({decoder}) was not measured; there are {'; '.join(known)}")
    return [run["test"][decoder][measured] for run in runs]


def run_all(
    budget_name: str = "shipped", folder: Path | None = None, work: Path | None = None, device: str = "cpu"
) -> Path:
    """Search, train and measure everything that is not in the work folder yet.

    Args:
        budget_name: one of `BUDGETS`.
        folder: gets `heads/`; by default the work folder.
        work: where single runs are kept; by default a folder in `output_folder()`.
        device: where to train.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"heads-{budget_name}")
    folder = folder or work
    train_set = photo_set("train", budget.photos, budget.size)
    validation, test = (photo_set(name, getattr(budget, name), budget.size) for name in ("validation", "test"))
    rows = search(budget, work, train_set, validation, device)

    def make(run: Run) -> dict:
        best = chosen(rows, run)
        steps = budget.few_steps if run.few else budget.long_steps if run.long else budget.steps
        model = train(run, steps, best["rate"], best["sigma"], budget, train_set, device)
        about = {
            "kind": run.kind, "seed": run.seed, "photos": budget.few if run.few else budget.photos, "steps": steps,
            "rate": best["rate"], "sigma": best["sigma"],
        }  # fmt: skip
        architecture = {
            "head": run.head, "size": budget.size, "stride": run.stride, "channels": budget.channels,
            "width": budget.width, "sigma": best["sigma"],
        }  # fmt: skip
        if run.seed == 0 and run.kind in SHIPPED:
            checkpoints.store(model.state_dict(), f"heads/{run.kind}", architecture, {"recipe": about}, folder)
        model.load_state_dict({k: v.half() for k, v in model.state_dict().items()})  # measured as they ship
        return about | {"test": {name: measure(points, test) for name, points in predict(model, test).items()}}

    runs = []
    for run in tqdm(ordered(budget), desc="experiment"):
        done, network = work / f"{run.kind}-{run.seed}.json", folder / "heads" / f"{run.kind}.safetensors"
        if run.seed == 0 and run.kind in SHIPPED and not network.is_file():
            done.unlink(missing_ok=True)
        runs.append(once(done, lambda run=run: make(run)))
    sample = photo_set("test", SAMPLE, budget.size)
    tried = {
        kind: {
            name: measure(points, sample)["error_px"] for name, points in predict(load(kind, folder), sample).items()
        }
        for kind in SHIPPED
    }
    found = {
        "budget": settings(budget_name, budget), "thresholds": THRESHOLDS, "search": rows,
        "sample_error_px": tried, "runs": runs,
    }  # fmt: skip
    write_json(folder / "heads" / "results.json", found)
    return folder


def main() -> None:
    chosen_by_user = parse(command_line(__doc__, BUDGETS, device="cpu"))
    folder = run_all(chosen_by_user.budget, chosen_by_user.folder, chosen_by_user.work, chosen_by_user.device)
    found = results(folder)
    for kind in (run.kind for run in KINDS):
        for decoder in next(run["test"] for run in found["runs"] if run["kind"] == kind):
            measured = torch.tensor(values(found, kind, decoder))
            spread = f", {measured.std():.3f} over {len(measured)} seeds" if len(measured) > 1 else ", one seed"
            print(f"{kind:18s} {decoder:14s} {measured.mean():.3f} px{spread}")


if __name__ == "__main__":
    main()
