"""Lesson 03's experiment.

    python -m tutorial_lib.lessons.shape_templates.experiment [--budget shipped] [--folder ...]

Everything that the lesson claims about trained templates, one run after another. A run whose result lies in the work
folder already is not repeated, so the command may be stopped and given again. Runs (see `recipes`):

- `eye`: the features in which photos are compared, learned without labels;
- what might help the hands, one change at a time, measured on validation photos; the main run takes the best one;
- `main`: template, both losses, no label. The networks of seed 0 ship, and an album of what they answer on the way;
- `supervised`: the same regressor with all labels;
- the paper's ablation, begun on the people and begun beside the picture; other starts;
- translators that get more and more of the second photo beside the parts.

Test people, looks and motions are in no training, and no setting was chosen by them.
"""

import time
from collections.abc import Container
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import SPLITS, PhotoSplit, clips_of
from tutorial_lib.experiments import (
    command_line,
    default_folder,
    once,
    once_tensors,
    parse,
    read_json,
    settings,
    write_json,
)
from tutorial_lib.lessons.shape_templates import trainings
from tutorial_lib.lessons.shape_templates.recipes import BUDGETS, CHANGES, CHOICE_SEEDS, TRIED, Budget, plan
from tutorial_lib.templates import identity, keypoints, vgg
from tutorial_lib.templates.errors import measured
from tutorial_lib.templates.learning import train_eye
from tutorial_lib.templates.network import START, Eye, Regressor, Translator
from tutorial_lib.templates.pairs import Pairs, front_pairs


def pairs_of(split: PhotoSplit, budget: Budget, work: Path) -> Pairs:
    """The photo pairs of a split, kept in the work folder."""
    waving = budget.waving and split == "train"

    def make() -> dict[str, torch.Tensor]:
        count = budget.pairs if split == "train" else budget.tests
        generator = torch.Generator().manual_seed(SPLITS[split][0])
        return vars(front_pairs(clips_of(split), count, size=budget.size, generator=generator, waving=waving))

    name = f"pairs-{split}-{budget.size}" + ("-waving" if waving else "")
    return Pairs(**once_tensors(work / f"{name}.safetensors", make))


def eye_of(budget: Budget, work: Path) -> Eye:
    """The trained eye, kept in the work folder."""
    eye = Eye(budget.width)

    def make() -> dict[str, torch.Tensor]:
        pairs = pairs_of("train", budget, work)
        return train_eye(pairs, budget.width, 2 * budget.batch, budget.eye_steps, 0).state_dict()

    eye.load_state_dict(once_tensors(work / "eye.safetensors", make))
    return eye.requires_grad_(False)


def baselines(pairs: Pairs, tests: Pairs) -> dict:
    """Answers that look at no photo: the template, where training begins, and the mean of the training labels."""
    truth = tests.keypoints[0]
    still = {"T-pose": keypoints(identity()), "start": keypoints(START), "mean pose": pairs.keypoints[0].mean(0)}
    return {name: measured(joints.expand_as(truth), truth) for name, joints in still.items()}


def chosen(runs: dict) -> str:
    """The row of `recipes.CHANGES` with the smallest mean error on validation photos.

    Raises:
        ValueError: not all of them were trained.
    """
    missing = [f"{name}-{seed}" for name in CHANGES for seed in CHOICE_SEEDS if str(seed) not in runs.get(name, {})]
    if missing:
        raise ValueError(f"runs lacks {', '.join(missing)}, by which the settings are chosen: train them first")

    def error(name: str) -> float:
        return sum(result["all"] for result in runs[name].values()) / len(runs[name])

    return min(CHANGES, key=error)


def run_one(name: str, seed: int, runs: dict, budget: Budget, eye: Eye | vgg.Vgg, work: Path) -> dict:
    """One training, measured: see `trainings`.

    Args:
        name: of the run.
        seed: of the training.
        runs: results of the rows of `recipes.CHANGES`, for all runs but those.
        budget: before the run's changes.
        eye: compares photos.
        work: keeps photos, networks and albums.
    """
    started = time.process_time()
    budget = budget.changed(name if name in TRIED else chosen(runs))
    train = pairs_of("train", budget, work)
    tests = pairs_of("validation" if name in TRIED else "test", budget, work)
    if name == "supervised":
        result = trainings.supervised(train, tests, budget, seed)
    else:
        path = work / f"{name}-{seed}.safetensors"
        others = partial(pairs_of, "validation", budget, work)
        result = trainings.template(name, train, tests, eye, budget, seed, path, others if name == "main" else None)
    return result | {"cpu_seconds": round(time.process_time() - started)}


def run_all(
    budget_name: str = "shipped",
    folder: Path | None = None,
    work: Path | None = None,
    vgg_file: Path | None = None,
    only: Container[str] | None = None,
) -> Path:
    """Train what is not in the work folder yet, then write the networks and results to `folder`/templates.

    Args:
        budget_name: one of `BUDGETS`.
        folder: gets `templates/`; by default the work folder.
        work: results of single runs; by default a folder in `output_folder()`.
        vgg_file: compare pictures by these features instead of the eye's, see `templates.vgg`.
        only: train these runs ("main", or "main-0") and write no results; several processes may then share a work
            folder.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"templates-{budget_name}")
    folder = folder or work
    eye = eye_of(budget, work)
    compared_by = eye if vgg_file is None else vgg.load(vgg_file)
    runs: dict[str, dict] = {}
    for name, seed in plan(budget):
        path = work / f"{name}-{seed}.json"
        wanted = only is None or name in only or f"{name}-{seed}" in only
        if wanted or (name in CHANGES and path.is_file()):
            make = partial(run_one, name, seed, runs, budget, compared_by, work)
            runs.setdefault(name, {})[str(seed)] = once(path, make)
    if only is None:
        ship(runs, budget_name, work, folder)
    return folder


def ship(runs: dict, budget_name: str, work: Path, folder: Path) -> None:
    """Write the networks of seed 0 with the eye, the recordings of seed 0 of other runs, and all results."""
    budget = BUDGETS[budget_name]
    tensors = load_file(work / "main-0.safetensors")
    tensors |= {f"eye.{key}": value for key, value in load_file(work / "eye.safetensors").items()}
    for name in trainings.KEPT:
        kept = load_file(work / f"{name}-0.safetensors")
        tensors |= {f"{name}.{key}": value for key, value in kept.items() if key.split(".")[0] in ("album", "painted")}
    spent = {"budget": settings(budget_name, budget), "chosen": chosen(runs)}
    architecture = {"size": budget.size, "width": budget.width}
    record = {**spent, "seed": 0, "test": runs["main"]["0"]}
    checkpoints.store(tensors, "templates/main", architecture, record, folder)
    sizes = {
        key: sum(v.numel() for k, v in tensors.items() if k.startswith(f"{key}."))
        for key in ("regressor", "translator")
    }
    pairs, tests = pairs_of("train", budget, work), pairs_of("test", budget, work)
    content = {**spent, "parameters": sizes, "baselines": baselines(pairs, tests), "runs": runs}
    content["validation baselines"] = baselines(pairs, pairs_of("validation", budget, work))
    write_json(folder / "templates" / "results.json", content)


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What `run_all` wrote: settings, parameters, baselines, and all errors of all runs."""
    return read_json(folder / "templates" / "results.json")


def load(folder: Path = checkpoints.FOLDER) -> tuple[Regressor, Translator, Eye, dict[str, torch.Tensor]]:
    """The shipped networks in eval mode, and what was kept of runs: "main.album.steps" (n,) and "main.album.affines"
    (n, 8, 18, 2, 3) of the first eight test photos on the way; the same of `trainings.KEPT`.

    Raises:
        ValueError: as `checkpoints.weights`; weights that do not fit the architecture in the JSON.
    """
    about, tensors = checkpoints.weights("templates/main", folder)
    built = about["architecture"]

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}

    networks = (
        checkpoints.fill(lambda: Regressor(built["size"], built["width"]), part("regressor."), "templates/main"),
        checkpoints.fill(lambda: Translator(built["width"]), part("translator."), "templates/main"),
        checkpoints.fill(lambda: Eye(built["width"]), part("eye."), "templates/main"),
    )
    for network in networks:
        network.requires_grad_(False)
    kept = {f"main.album.{key}": value for key, value in part("album.").items()}
    return *networks, kept | {key: tensors[key] for key in tensors if key.split(".")[0] in trainings.KEPT}


def main() -> None:
    parser = command_line(__doc__, BUDGETS, device=None)
    parser.add_argument("--vgg", type=Path, help="torchvision's vgg19-dcbb9e9d.pth: the paper's features")
    parser.add_argument("--only", nargs="+", metavar="RUN", help="train runs such as main or main-0, write no results")
    words = parse(parser)
    folder = run_all(words.budget, words.folder, words.work, words.vgg, words.only)
    if words.only is None:
        for name, seeds in results(folder)["runs"].items():
            print(f"{name:24}", " ".join(f"{result['all']:6.2f}" for result in seeds.values()), "% of the width")


if __name__ == "__main__":
    main()
