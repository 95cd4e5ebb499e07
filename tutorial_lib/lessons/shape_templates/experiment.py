"""Lesson 03's experiment.

    python -m tutorial_lib.lessons.shape_templates.experiment [--budget shipped] [--folder ...]

Everything that the lesson claims about trained templates, one run after another. A run whose result lies in the work
folder already is not repeated, so the command may be stopped and given again. Runs:

- `eye`: the features in which photos are compared, learned without labels;
- `tried`: what might help the hands, one change at a time, `tried_steps` long and measured on validation photos;
- `main`: template, both losses, no label, `seeds` times. The networks of seed 0 ship, and snapshots of what they answer
  on the way;
- `supervised`: the same regressor with all labels, `seeds` times;
- `both`, `no boundary`, `no anchor`, `neither`: the paper's ablation, shorter, `seeds` times each; parts turn about the
  image's corner, as in the released code;
- the same four, `..., thrown out`: the template begins beside the picture, as after a step that was too long.

Settings were chosen on validation photos; test people, looks and motions are in no training.
"""

import time
from collections.abc import Container
from dataclasses import dataclass, replace
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
    write_tensors,
)
from tutorial_lib.skeleton import flip
from tutorial_lib.templates import COVERED, identity, keypoints, vgg
from tutorial_lib.templates.errors import measured
from tutorial_lib.templates.learning import Learner, Row, affines_of, train, train_eye
from tutorial_lib.templates.network import START, Eye, Regressor, Translator
from tutorial_lib.templates.pairs import Change, Pairs, front_pairs
from tutorial_lib.templates.warp import Pivot
from tutorial_lib.training import fit

CALM = {
    "both": Row(about="corner"),
    "no boundary": Row(boundary=0.0, about="corner"),
    "no anchor": Row(anchor=0.0, about="corner"),
    "neither": Row(anchor=0.0, boundary=0.0, about="corner"),
}
THROWN = {f"{name}, thrown out": Row(r.anchor, r.boundary, "corner", aside=1.3) for name, r in CALM.items()}
ROWS = {"main": Row(), **CALM, **THROWN}
"""Run -> how it is trained."""

ALBUM = 8
"""Test photos of which the album keeps what was found on the way."""


@dataclass(frozen=True)
class Budget:
    """How long, how wide.

    Attributes:
        size: side of the photos in pixels.
        width: channels of the networks' first layers.
        pairs, tests: number of photo pairs to train on, and to test on.
        batch: pairs for each step; the supervised baseline sees as many photos.
        steps, short_steps: of the main run; of each row of the ablation (three quarters where it is thrown out).
        seeds: trainings for each run.
        snapshots: how often a run is asked for what it sees, on test photos and without consequence.
        tried_steps, tried_seeds: of each row of `TRIED`.
        augment, half: as for `learning.Learner`; the supervised baseline sees changed photos, too.
        waving: as for `pairs.front_pairs`; the photos to train on alone.
    """

    size: int = 64
    width: int = 16
    pairs: int = 6144
    tests: int = 256
    batch: int = 8
    steps: int = 3000
    short_steps: int = 400
    eye_steps: int = 600
    supervised_steps: int = 1500
    rate: float = 2e-3
    blur: float = 0.06
    seeds: int = 5
    snapshots: int = 24
    tried_steps: int = 1500
    tried_seeds: int = 2
    augment: bool = False
    waving: bool = False
    half: bool = True


BUDGETS = {
    "shipped": Budget(),
    # For a GPU and time: twice the resolution, the paper's batch, wider networks.
    "full": Budget(128, 32, 40000, 1000, 24, 60000, 10000, 4000, 20000, 5e-4),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(16, 4, 6, 4, 2, 4, 4, 3, 3, seeds=2, snapshots=2, tried_steps=2, half=False),
}
TRIED = {
    "as it was": {},
    "other frames, light": {"augment": True},
    "more arm motion": {"waving": True},
    "both of these": {"augment": True, "waving": True},
    "wider parts at first": {"blur": 0.15},
    "four times as long": {"tried_steps": 4},
    "twice the pixels": {"size": 2},
}
"""What might help the hands -> changes of the budget; `FACTORS` are multiplied."""
FACTORS = ("tried_steps", "size")


def pairs_of(split: PhotoSplit, budget: Budget, work: Path) -> Pairs:
    """The photo pairs of a split, kept in the work folder."""
    waving = budget.waving and split == "train"

    def make() -> dict[str, torch.Tensor]:
        count = budget.pairs if split == "train" else budget.tests
        generator = torch.Generator().manual_seed(SPLITS[split][0])
        return vars(front_pairs(clips_of(split), count, size=budget.size, generator=generator, waving=waving))

    name = f"pairs-{split}-{budget.size}" + ("-waving" if waving else "")
    return Pairs(**once_tensors(work / f"{name}.safetensors", make))


class Curve:
    """What a regressor finds on the way, on photos that it does not learn from.

    Args:
        regressor: on its way.
        tests: the photos.
        about: the point about which the parts turn.
        steps: of the training.
        count: how often to look.
    """

    def __init__(self, regressor: Regressor, tests: Pairs, about: Pivot, steps: int, count: int) -> None:
        self.regressor, self.about, self.every = regressor, about, max(1, steps // count)
        self.photos, self.truth = tests.photos(0), tests.keypoints[0]
        self.steps: list[int] = []
        self.errors: list[dict[str, float]] = []
        self.album: list[torch.Tensor] = []

    def look(self, step: int, *, last: bool = False) -> None:
        """Look before this step, if it is time or the training is over."""
        if last or step % self.every == 0:
            affines = affines_of(self.regressor, self.photos)
            self.steps.append(step)
            self.errors.append(measured(keypoints(affines, self.about), self.truth))
            self.album.append(affines[:ALBUM])

    def result(self) -> dict:
        """The last errors, and the "curve" of "all" and "hands" that led there."""
        columns = {name: [round(error[name], 3) for error in self.errors] for name in ("all", "hands")}
        return self.errors[-1] | {"curve": {"steps": self.steps, **columns}}


def run_template(
    name: str, row: Row, steps: int, pairs: Pairs, tests: Pairs, eye: Eye | vgg.Vgg, budget: Budget, seed: int,
    work: Path,
) -> dict:  # fmt: skip
    """One training without labels. Networks and album of "main" stay in the work folder."""
    learner = Learner(
        pairs, eye, size=budget.size, width=budget.width, batch=budget.batch, seed=seed, blur=budget.blur, row=row,
        augment=budget.augment, half=budget.half,
    )  # fmt: skip
    regressor, translator = learner.regressor, learner.translator
    curve = Curve(regressor, tests, row.about, steps, budget.snapshots)
    losses = train(learner, steps, budget.rate, f"{name}, seed {seed}", curve.look)
    curve.look(steps, last=True)
    if name == "main":
        tensors = {f"regressor.{key}": value for key, value in regressor.state_dict().items()}
        tensors |= {f"translator.{key}": value for key, value in translator.state_dict().items()}
        tensors |= {"album.steps": torch.tensor(curve.steps), "album.affines": torch.stack(curve.album)}
        write_tensors(work / f"{name}-{seed}.safetensors", tensors)
    found = keypoints(affines_of(regressor, tests.photos(0)), row.about)
    outside = (found[:, list(COVERED)].abs() > 1).any(-1).float().mean().item()
    last = losses[-max(1, steps // 10) :]
    return curve.result() | {"outside": outside, "loss": sum(last) / len(last)}


def run_supervised(pairs: Pairs, tests: Pairs, budget: Budget, seed: int) -> dict:
    """The same regressor, told where the joints are."""
    torch.manual_seed(seed)
    generator, regressor = torch.Generator().manual_seed(seed), Regressor(budget.size, budget.width)
    covered, steps = list(COVERED), budget.supervised_steps
    curve = Curve(regressor, tests, "part", steps, budget.snapshots)

    def loss(step: int) -> torch.Tensor:
        curve.look(step)
        regressor.train()
        index = torch.randint(len(pairs), (2 * budget.batch,), generator=generator)
        which, mirrored = (torch.rand(2, generator=generator) < 0.5).int().tolist()
        photos, truth = pairs.photos(which, index), pairs.keypoints[which, index]
        if mirrored:
            photos, truth = photos.flip(-1), flip(truth)
        if budget.augment:
            change = Change.draw(len(index), generator)
            photos, truth = change.photos(photos), change.joints(truth)
        found = keypoints(regressor(photos))
        return torch.linalg.vector_norm((found - truth)[:, covered], dim=-1).mean()

    label = f"supervised, seed {seed}"
    fit(regressor, loss, steps, rate=budget.rate, label=label).whole(label)
    curve.look(steps, last=True)
    return curve.result()


def run_tried(name: str, eye: Eye | vgg.Vgg, budget: Budget, seed: int, work: Path) -> dict:
    """One row of `TRIED`, measured on validation photos: no label of theirs is learned from, but settings are chosen.

    Args:
        name: of the row.
        eye: compares photos.
        budget: before the row's changes.
        seed: of the training.
        work: keeps the photos.
    """
    plain = replace(budget, augment=False, waving=False, blur=Budget.blur)
    changes = {key: value * getattr(plain, key) if key in FACTORS else value for key, value in TRIED[name].items()}
    tried = replace(plain, **changes)
    pairs, validation = pairs_of("train", tried, work), pairs_of("validation", tried, work)
    return run_template(name, Row(), tried.tried_steps, pairs, validation, eye, tried, seed, work)


def baselines(pairs: Pairs, tests: Pairs) -> dict:
    """Answers that look at no photo: the template, where training begins, and the mean of the training labels."""
    truth = tests.keypoints[0]
    still = {"T-pose": keypoints(identity()), "start": keypoints(START), "mean pose": pairs.keypoints[0].mean(0)}
    return {name: measured(joints.expand_as(truth), truth) for name, joints in still.items()}


def plan(budget: Budget) -> list[tuple[str, int]]:
    """(run, seed), in the order in which they are trained."""
    runs = [(name, seed) for seed in range(budget.seeds) for name in ("main", "supervised", *CALM, *THROWN)]
    return runs + [(name, seed) for seed in range(budget.tried_seeds) for name in TRIED]


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
        only: train these runs and write no results; several processes may then share a work folder.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"templates-{budget_name}")
    folder = folder or work
    pairs, tests = pairs_of("train", budget, work), pairs_of("test", budget, work)
    first = pairs_of("train", replace(budget, waving=False), work)
    eye = Eye(budget.width)
    eye.load_state_dict(
        once_tensors(
            work / "eye.safetensors",
            lambda: train_eye(first, budget.width, 2 * budget.batch, budget.eye_steps, 0).state_dict(),
        )
    )
    eye.requires_grad_(False)
    compared_by = eye if vgg_file is None else vgg.load(vgg_file)
    runs: dict[str, dict] = {}

    def make(name: str, seed: int) -> dict:
        started = time.process_time()
        if name in TRIED:
            result = run_tried(name, compared_by, budget, seed, work)
        elif name == "supervised":
            result = run_supervised(pairs, tests, budget, seed)
        else:
            row = ROWS[name]
            steps = budget.steps if name == "main" else budget.short_steps * (3 if row.aside else 4) // 4
            result = run_template(name, row, steps, pairs, tests, compared_by, budget, seed, work)
        return result | {"cpu_seconds": round(time.process_time() - started)}

    for name, seed in plan(budget):
        if only is not None and name not in only and f"{name}-{seed}" not in only:
            continue
        made = once(work / f"{name}-{seed}.json", lambda name=name, seed=seed: make(name, seed))
        runs.setdefault(name, {})[str(seed)] = made
        if only is None:
            ship(runs, budget_name, pairs, tests, work, folder)
    return folder


def ship(runs: dict, budget_name: str, pairs: Pairs, tests: Pairs, work: Path, folder: Path) -> None:
    """Write what there is so far: the main networks with the eye, and all results."""
    budget = BUDGETS[budget_name]
    tensors = load_file(work / "main-0.safetensors")
    tensors |= {f"eye.{key}": value for key, value in load_file(work / "eye.safetensors").items()}
    spent = {"budget": settings(budget_name, budget)}
    architecture = {"size": budget.size, "width": budget.width}
    record = {**spent, "seed": 0, "test": runs["main"]["0"]}
    checkpoints.store(tensors, "templates/main", architecture, record, folder)
    sizes = {
        key: sum(v.numel() for k, v in tensors.items() if k.startswith(key)) for key in ("regressor", "translator")
    }
    content = {**spent, "parameters": sizes, "baselines": baselines(pairs, tests), "runs": runs}
    write_json(folder / "templates" / "results.json", content)


def results(folder: Path = checkpoints.FOLDER) -> dict:
    """What `run_all` wrote: settings, parameters, baselines, and all errors of all runs."""
    return read_json(folder / "templates" / "results.json")


def load(folder: Path = checkpoints.FOLDER) -> tuple[Regressor, Translator, Eye, dict[str, torch.Tensor]]:
    """The shipped networks in eval mode, and the album: `steps` (n,) and `affines` (n, 8, 18, 2, 3) of the first eight
    test photos on the way.

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
    return *networks, part("album.")


def main() -> None:
    parser = command_line(__doc__, BUDGETS, device=None)
    parser.add_argument("--vgg", type=Path, help="torchvision's vgg19-dcbb9e9d.pth: the paper's features")
    parser.add_argument("--only", nargs="+", metavar="RUN", help="train runs such as main or main-0, write no results")
    chosen = parse(parser)
    folder = run_all(chosen.budget, chosen.folder, chosen.work, chosen.vgg, chosen.only)
    if chosen.only is None:
        for name, seeds in results(folder)["runs"].items():
            print(f"{name:24}", " ".join(f"{result['all']:6.2f}" for result in seeds.values()), "% of the width")


if __name__ == "__main__":
    main()
