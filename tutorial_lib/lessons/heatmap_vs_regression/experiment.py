"""Lesson 01's experiment.

    python -m tutorial_lib.lessons.heatmap_vs_regression.experiment [--budget shipped] [--folder ...] [--only ...]

Four heads on one backbone, with equal budgets: the same photos, batches, steps and schedule; on people seen from
everywhere and on people seen from the front. Beside them: RLE with the sum of the paper's code, heat maps on finer and
coarser grids and on smaller photos, few photos, a quarter of the steps and twice as many; and answers that look at no
photo. Learning rates and the width of bumps are chosen on validation photos, in short runs with a seed of their own:
every head climbs the same ladder until its best step has a worse neighbour on both sides. Everything else is measured
on test photos, whose people and motions no training saw.

Every run is kept in the work folder, so an interrupted experiment goes on where it was. The networks of seed 0 and
`results.json` go to `heads/` in the folder that is named.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet, PhotoSplit, Setting, photo_set
from tutorial_lib.experiments import command_line, default_folder, once, parse, read_json, settings, write_json
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.learning import Diverged, Draw, climb, shrunk, train
from tutorial_lib.lessons.heatmap_vs_regression.measures import (
    THRESHOLDS,
    blind,
    mean_error,
    measure,
    measure_worse,
    outputs,
    predict,
    surest_px,
)
from tutorial_lib.lessons.heatmap_vs_regression.recipes import (
    BUDGETS,
    FORMS,
    GRIDS,
    KINDS,
    MAIN,
    RATES,
    SHIPPED,
    WIDTHS,
    Budget,
    Run,
    ordered,
)

SAMPLE = 32
"""Test photos on which the shipped networks can be tried in a moment; `results` has what they must give."""
SEARCH_SEED = 100


def search(run: Run, budget: Budget, work: Path, draw: Draw, device: str = "cpu") -> dict:
    """What is chosen for a kind of run: {"kind", "rate", "sigma", "tried"}, kept in the work folder.

    First the rate; then, of a heat map, the width of the bumps. Heat maps on other grids take the rate of those at
    stride 4; every form of RLE has a search of its own. "tried" has one row a short training: rate, sigma,
    "error_px" on validation photos (of a heat map: read by DARK), None if it diverged.
    """
    tried = []

    def error(rate: float, sigma: float) -> float:
        def make() -> float | None:
            try:
                checks = train(trial, steps, rate, sigma, budget, draw, device)[1]
            except Diverged:  # an outcome like any other, and the worst
                return None
            return min(value for _, value in checks)

        length = "" if steps == budget.search_steps else f"-{steps}"
        found = once(work / f"search-{run.kind}-{rate:g}-{sigma:g}{length}.json", make)
        tried.append({"rate": rate, "sigma": sigma, "error_px": found})
        return math.inf if found is None else found

    trial, usual, sigma = replace(run, seed=SEARCH_SEED), Run(run.head, run.setting), 1.5
    # What is best for a density in a short training spoils a long one: rate 0.003 has 2.1 px after 600 steps with one
    # seed and 3.5 with another, 0.001 has 2.5 and 2.6. So RLE is searched at the full length.
    steps = budget.steps if run.head in ("rle", *FORMS) else budget.search_steps
    if run == usual:
        rate = climb(RATES, 3, lambda value: error(value, sigma))
    else:
        rate = search(usual, budget, work, draw, device)["rate"]
    if run.head == "heatmap":
        sigma = climb(WIDTHS, 3, lambda value: error(rate, value))
    return {"kind": run.kind, "rate": rate, "sigma": sigma, "tried": tried}


def load(kind: str, folder: Path = checkpoints.FOLDER) -> KeypointNet:
    """A shipped network in eval mode: `load("world-heatmap-4")`.

    Raises:
        ValueError: as `checkpoints.weights`; weights that do not fit the architecture in the JSON.
    """
    about, tensors = checkpoints.weights(f"heads/{kind}", folder)
    return checkpoints.fill(lambda: KeypointNet(**about["architecture"]), tensors, kind)


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What the experiment measured: "budget", "thresholds", "blind", "search", "sample_error_px" and "runs".

    "blind" is setting -> what `measures.blind` returns. The sample is `photo_set("test", SAMPLE)` of the setting, tried
    with each of `SHIPPED`. A run has "kind", "seed", "photos", "steps", "rate", "sigma", "checks" (step and mean error
    on validation photos), "surest_px" and "worse" (see `measures`), and "test": decoder -> what `measure` returns.
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
    budget_name: str = "shipped",
    folder: Path | None = None,
    work: Path | None = None,
    device: str = "cpu",
    only: str = "*",
) -> Path:
    """Search, train and measure everything that is not in the work folder yet.

    Args:
        budget_name: one of `BUDGETS`.
        folder: gets `heads/`; by default the work folder.
        work: where single runs are kept; by default a folder in `output_folder()`.
        device: where to train.
        only: pattern of the runs to make, such as "world-*-4-[01]"; "search" in front chooses settings only. With a
            pattern, no `results.json` is written.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"heads-{budget_name}")
    folder = folder or work

    @cache
    def draw(setting: Setting, split: PhotoSplit) -> PhotoSet:
        count = {"train": budget.photos, "validation": budget.validation, "test": budget.test}[split]
        return photo_set(split, count, budget.size, setting=setting)

    @cache
    def chosen(run: Run) -> dict:
        return search(run, budget, work, draw, device)

    def make(run: Run) -> dict:
        best, steps, test = chosen(run.searched), budget.steps_of(run.length), draw(run.setting, "test")
        model, checks = train(run, steps, best["rate"], best["sigma"], budget, draw, device)
        about = {
            "kind": run.kind, "seed": run.seed, "photos": budget.few if run.few else budget.photos, "steps": steps,
            "rate": best["rate"], "sigma": best["sigma"], "checks": checks,
        }  # fmt: skip
        if run.seed == 0 and run.kind in SHIPPED:
            architecture = {
                "head": model.head, "size": model.size, "stride": run.stride, "channels": budget.channels,
                "width": budget.width, "sigma": best["sigma"],
            }  # fmt: skip
            checkpoints.store(model.state_dict(), f"heads/{run.kind}", architecture, {"recipe": about}, folder)
        model.load_state_dict({k: v.half() for k, v in model.state_dict().items()})  # measured as they ship
        seen = shrunk(test) if run.shrunk else test
        return about | {
            "test": {name: measure(points, test) for name, points in predict(model, seen).items()},
            "surest_px": surest_px(model, test) if not run.shrunk else None,
            "worse": measure_worse(lambda image: model.decode(outputs(model, image)), test) if not run.shrunk else None,
        }

    for run in (*MAIN, *GRIDS, *(kind for kind in KINDS if kind.head in FORMS)):
        if fnmatch(f"search-{run.kind}", only):
            chosen(run)
    runs = []
    for run in tqdm([run for run in ordered(budget) if fnmatch(f"{run.kind}-{run.seed}", only)], desc="experiment"):
        done, network = work / f"{run.kind}-{run.seed}.json", folder / "heads" / f"{run.kind}.safetensors"
        if run.seed == 0 and run.kind in SHIPPED and not network.is_file():
            done.unlink(missing_ok=True)
        runs.append(once(done, lambda run=run: make(run)))
    if only == "*":
        write_json(folder / "heads" / "results.json", _collected(budget_name, folder, draw, runs, chosen))
    return folder


def _collected(name: str, folder: Path, draw: Draw, runs: list[dict], chosen: Callable[[Run], dict]) -> dict:
    """What `results` reads."""
    tests = {run.setting: draw(run.setting, "test") for run in MAIN}
    tried = {}
    for run in MAIN:
        sample = photo_set("test", SAMPLE, BUDGETS[name].size, setting=run.setting)
        tried[run.kind] = {
            reading: mean_error(points, sample) for reading, points in predict(load(run.kind, folder), sample).items()
        }
    return {
        "budget": settings(name, BUDGETS[name]),
        "thresholds": THRESHOLDS,
        "blind": {setting: blind(draw(setting, "train"), test) for setting, test in tests.items()},
        "search": [chosen(run) for run in dict.fromkeys(kind.searched for kind in KINDS)],
        "sample_error_px": tried,
        "runs": runs,
    }


def main() -> None:
    parser = command_line(__doc__, BUDGETS, device="cpu")
    parser.add_argument("--only", default="*", help="pattern of the runs to make, such as 'world-*-4-0'")
    asked = parse(parser)
    folder = run_all(asked.budget, asked.folder, asked.work, asked.device, asked.only)
    if asked.only != "*":
        return
    found = results(folder)
    for kind in (run.kind for run in KINDS):
        for decoder in next(run["test"] for run in found["runs"] if run["kind"] == kind):
            measured = torch.tensor(values(found, kind, decoder))
            spread = f", {measured.std():.3f} over {len(measured)} seeds" if len(measured) > 1 else ", one seed"
            print(f"{kind:24s} {decoder:14s} {measured.mean():.3f} px{spread}")


if __name__ == "__main__":
    main()
