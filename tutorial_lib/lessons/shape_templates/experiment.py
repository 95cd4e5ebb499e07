"""Lesson 03's experiment.

    python -m tutorial_lib.lessons.shape_templates.experiment [--budget shipped] [--folder ...]

Everything that the lesson claims about trained templates, one run after another. A run whose result lies in the work
folder already is not repeated, so the command may be stopped and given again. Runs:

- `eye`: the features in which photos are compared, learned without labels;
- `main`: template, both losses, no label, `seeds` times. The networks of seed 0 ship, and snapshots of what they answer
  on the way;
- `supervised`: the same regressor with all labels, `seeds` times;
- `both`, `no boundary`, `no anchor`, `neither`: the paper's ablation, shorter, `seeds` times each; parts turn about the
  image's corner, as in the released code;
- the same four, `..., thrown out`: the template begins beside the picture, as after a step that was too long.

Settings were chosen on validation photos; test people, looks and motions are in no training.
"""

import time
from dataclasses import dataclass
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
from tutorial_lib.templates.pairs import Pairs, front_pairs
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
        snapshots: how often the main run is asked for what it sees.
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


BUDGETS = {
    "shipped": Budget(),
    # For a GPU and time: twice the resolution, the paper's batch, wider networks.
    "full": Budget(128, 32, 40000, 1000, 24, 60000, 10000, 4000, 20000, 5e-4),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(16, 4, 6, 4, 2, 4, 4, 3, 3, seeds=2, snapshots=2),
}


def pairs_of(split: PhotoSplit, budget: Budget, work: Path) -> Pairs:
    """The photo pairs of a split, kept in the work folder."""

    def make() -> dict[str, torch.Tensor]:
        count = budget.pairs if split == "train" else budget.tests
        generator = torch.Generator().manual_seed(SPLITS[split][0])
        return vars(front_pairs(clips_of(split), count, size=budget.size, generator=generator))

    return Pairs(**once_tensors(work / f"pairs-{split}.safetensors", make))


def run_template(
    name: str, pairs: Pairs, tests: Pairs, eye: Eye | vgg.Vgg, budget: Budget, seed: int, work: Path
) -> dict:
    """One training without labels: a run of `ROWS`. Networks and snapshots of "main" stay in the work folder."""
    row = ROWS[name]
    steps = budget.steps if name == "main" else budget.short_steps * (3 if row.aside else 4) // 4
    learner = Learner(
        pairs, eye, size=budget.size, width=budget.width, batch=budget.batch, seed=seed, blur=budget.blur, row=row
    )
    regressor, translator = learner.regressor, learner.translator
    every = max(1, steps // budget.snapshots)
    album = []

    def remember(step: int) -> None:
        if name == "main" and step % every == 0:
            album.append((step, affines_of(regressor, tests.photos(0, slice(0, 8)))))

    losses = train(learner, steps, budget.rate, f"{name}, seed {seed}", remember)
    found = keypoints(affines_of(regressor, tests.photos(0)), row.about)
    if name == "main":
        album.append((steps, affines_of(regressor, tests.photos(0, slice(0, 8)))))
        tensors = {f"regressor.{key}": value for key, value in regressor.state_dict().items()}
        tensors |= {f"translator.{key}": value for key, value in translator.state_dict().items()}
        tensors |= {"album.steps": torch.tensor([step for step, _ in album])}
        tensors |= {"album.affines": torch.stack([affines for _, affines in album])}
        write_tensors(work / f"{name}-{seed}.safetensors", tensors)
    last = losses[-max(1, steps // 10) :]
    outside = (found[:, list(COVERED)].abs() > 1).any(-1).float().mean().item()
    return measured(found, tests.keypoints[0]) | {"outside": outside, "loss": sum(last) / len(last)}


def run_supervised(pairs: Pairs, tests: Pairs, budget: Budget, seed: int) -> dict:
    """The same regressor, told where the joints are."""
    torch.manual_seed(seed)
    generator, regressor = torch.Generator().manual_seed(seed), Regressor(budget.size, budget.width)
    covered = list(COVERED)

    def loss(step: int) -> torch.Tensor:
        regressor.train()
        index = torch.randint(len(pairs), (2 * budget.batch,), generator=generator)
        which, mirrored = (torch.rand(2, generator=generator) < 0.5).int().tolist()
        photos, truth = pairs.photos(which, index), pairs.keypoints[which, index]
        if mirrored:
            photos, truth = photos.flip(-1), flip(truth)
        found = keypoints(regressor(photos))
        return torch.linalg.vector_norm((found - truth)[:, covered], dim=-1).mean()

    label = f"supervised, seed {seed}"
    fit(regressor, loss, budget.supervised_steps, rate=budget.rate, label=label).whole(label)
    return measured(keypoints(affines_of(regressor, tests.photos(0))), tests.keypoints[0])


def baselines(pairs: Pairs, tests: Pairs) -> dict:
    """Answers that look at no photo: the template, where training begins, and the mean of the training labels."""
    truth = tests.keypoints[0]
    still = {"T-pose": keypoints(identity()), "start": keypoints(START), "mean pose": pairs.keypoints[0].mean(0)}
    return {name: measured(joints.expand_as(truth), truth) for name, joints in still.items()}


def plan(budget: Budget) -> list[tuple[str, int]]:
    """(run, seed), in the order in which they are trained."""
    return [(name, seed) for seed in range(budget.seeds) for name in ("main", "supervised", *CALM, *THROWN)]


def run_all(
    budget_name: str = "shipped",
    folder: Path | None = None,
    work: Path | None = None,
    vgg_file: Path | None = None,
) -> Path:
    """Train what is not in the work folder yet, then write the networks and results to `folder`/templates.

    Args:
        budget_name: one of `BUDGETS`.
        folder: gets `templates/`; by default the work folder.
        work: results of single runs; by default a folder in `output_folder()`.
        vgg_file: compare pictures by these features instead of the eye's, see `templates.vgg`.

    Returns:
        `folder`, for `load` and `results`.
    """
    budget = BUDGETS[budget_name]
    work = work or default_folder(f"templates-{budget_name}")
    folder = folder or work
    pairs, tests = pairs_of("train", budget, work), pairs_of("test", budget, work)
    eye = Eye(budget.width)
    eye.load_state_dict(
        once_tensors(
            work / "eye.safetensors",
            lambda: train_eye(pairs, budget.width, 2 * budget.batch, budget.eye_steps, 0).state_dict(),
        )
    )
    eye.requires_grad_(False)
    compared_by = eye if vgg_file is None else vgg.load(vgg_file)
    runs: dict[str, dict] = {}

    def make(name: str, seed: int) -> dict:
        started = time.process_time()
        if name == "supervised":
            result = run_supervised(pairs, tests, budget, seed)
        else:
            result = run_template(name, pairs, tests, compared_by, budget, seed, work)
        return result | {"cpu_seconds": round(time.process_time() - started)}

    for name, seed in plan(budget):
        made = once(work / f"{name}-{seed}.json", lambda name=name, seed=seed: make(name, seed))
        runs.setdefault(name, {})[str(seed)] = made
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
    chosen = parse(parser)
    content = results(run_all(chosen.budget, chosen.folder, chosen.work, chosen.vgg))
    for name, seeds in content["runs"].items():
        print(f"{name:24}", " ".join(f"{result['all']:6.2f}" for result in seeds.values()), "% of the width")


if __name__ == "__main__":
    main()
