"""Lesson 02's experiment: `python -m tutorial_lib.lessons.integral_pose.experiment [--budget shipped] [--folder ...]`.

The report's four approaches and their controls, every one with every seed, on the same photos (the laboratory's):

1. plain regression with augmentation;
2. integral regression, the integral loss alone;
3. (2), and then some more steps with a heat-map loss beside it; controls: the same steps without it, a one-hot target,
   DSNT's Jensen-Shannon regulariser; and the heat-map loss alone from the beginning;
4. (2), from a trunk that another task has trained. ImageNet stands for "other pictures, other labels"; ours: which of
   eight directions the person faces, on photos of other people in other places (`datasets.photos`).

Beside them stand two answers that look at no photo: the mean of the training set, and another person's pose.

Learning rates are found on validation photos, with a seed of their own. A stopped experiment goes on where it was:
every finished training lies in the work folder. `--parts integral-3 search-regression` makes only what it names, so
that several processes can share the work. At the end, or with `--collect` from what is there, `integral/` in the folder
that is named has the networks of seed 0 and `results.json`, with every measured value of every whole seed.
"""

import statistics
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.experiments import command_line, default_folder, parse, read_json, settings, write_json
from tutorial_lib.lessons.integral_pose.recipes import BUDGETS, METHODS, SHIPPED
from tutorial_lib.lessons.integral_pose.trainings import FAMILIES, Experiment


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
    lab, folder = laboratory(budget_name, folder, work, device, photos)
    with tqdm(total=lab.budget.seeds * len(METHODS), desc="trainings") as bar:
        for seed in range(lab.budget.seeds):
            for method in METHODS:
                lab.run(method, seed)
                bar.update()
    return collect(lab, budget_name, folder)


def laboratory(
    budget_name: str, folder: Path | None, work: Path | None, device: str, photos: Path | None = None
) -> tuple[Experiment, Path]:
    """The experiment and the folder that gets its results; arguments as of `run_all`."""
    work = work or default_folder(f"integral-{budget_name}")
    return Experiment(BUDGETS[budget_name], work, device, photos), folder or work


def collect(lab: Experiment, budget_name: str, folder: Path) -> Path:
    """Write `folder`/integral from the seeds of which every method is finished; returns `folder`.

    Raises:
        ValueError: seed 0, whose networks are shipped, is not whole yet.
    """
    seeds = lab.whole_seeds()
    if 0 not in seeds:
        raise ValueError(f"{lab.work} holds no whole seed 0: train the missing methods first")
    runs = {method: [{"seed": seed} | lab.run(method, seed) for seed in seeds] for method in METHODS}
    for method in SHIPPED:
        tensors = load_file(lab.work / f"{method}-0.safetensors")
        checkpoints.store(tensors, f"integral/{method}", asdict(lab.budget), runs[method][0], folder)
    tried = {family: lab.search(family) for family in FAMILIES}
    result = {
        "budget": settings(budget_name, lab.budget), "seeds": seeds,
        "search": {"rates": {family: lab.rate(family) for family in FAMILIES}, "tried": tried},
        "baselines": lab.baselines(), "costs": lab.costs(), "targets": lab.targets(), "runs": runs,
        "photos": "rendered in one room; nobody and no motion in the test photos is in the others",
        "units": "mm; axes: x right, y down, depth; pckh: share in [0, 1]; seconds: CPU time; curve: step, error of "
        "the mean, error of the peak",
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
    parser = command_line(__doc__, BUDGETS)
    parser.add_argument(
        "--parts", nargs="+", metavar="part", help="make only these, such as integral-0; collect nothing"
    )
    parser.add_argument("--collect", action="store_true", help="train nothing; write what whole seeds have found")
    chosen = parse(parser)
    where = chosen.budget, chosen.folder, chosen.work, chosen.device
    if chosen.parts:
        lab, _ = laboratory(*where)
        for name in chosen.parts:
            lab.part(name)
        return
    if chosen.collect:
        lab, folder = laboratory(*where)
        collect(lab, chosen.budget, folder)
    else:
        folder = run_all(*where)
    for method, seeds in results(folder)["runs"].items():
        values = [run["test"]["mpjpe_mm"] for run in seeds]
        print(f"{method}: {statistics.mean(values):.1f} mm, {min(values):.1f} to {max(values):.1f}")


if __name__ == "__main__":
    main()
