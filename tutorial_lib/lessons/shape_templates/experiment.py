"""Lesson 03's experiment.

    python -m tutorial_lib.lessons.shape_templates.experiment [--budget shipped] [--work folder]

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

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import SPLITS, clips_of
from tutorial_lib.skeleton import MIRROR
from tutorial_lib.templates import COVERED, identity, keypoints, vgg
from tutorial_lib.templates.errors import measured
from tutorial_lib.templates.learning import Learner, Row, affines_of, train, train_eye
from tutorial_lib.templates.network import START, Eye, Regressor, Translator
from tutorial_lib.templates.pairs import Pairs, front_pairs
from tutorial_lib.training import fit

FOLDER = checkpoints.FOLDER / "templates"
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


def work_folder(budget_name: str) -> Path:
    """Where results of single runs, and photos, lie: in `build/` of the clone."""
    return checkpoints.FOLDER.parents[1] / "build" / f"templates-{budget_name}"


def pairs_of(split: str, budget: Budget, work: Path) -> Pairs:
    """The photo pairs of a split, kept in the work folder."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"pairs-{split}.safetensors"
    if not path.is_file():
        count = budget.pairs if split == "train" else budget.tests
        generator = torch.Generator().manual_seed(SPLITS[split][0])
        drawn = front_pairs(clips_of(split), count, size=budget.size, generator=generator)
        save_file({name: value.contiguous() for name, value in vars(drawn).items()}, path)
    return Pairs(**load_file(path))


def run_template(
    name: str, pairs: Pairs, tests: Pairs, eye: Eye | vgg.Vgg, budget: Budget, seed: int, work: Path
) -> dict:
    """One training without labels: a run of `ROWS`. Networks and snapshots of "main" stay in the work folder."""
    row = ROWS[name]
    steps = budget.steps if name == "main" else budget.short_steps * (3 if row.aside else 4) // 4
    learner = Learner(
        pairs, eye, size=budget.size, width=budget.width, batch=budget.batch, seed=seed, blur=budget.blur, row=row
    )
    regressor, translator = learner.networks
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
        save_file({key: value.contiguous() for key, value in tensors.items()}, work / f"{name}-{seed}.safetensors")
    last = losses[-max(1, steps // 10) :]
    outside = (found[:, list(COVERED)].abs() > 1).any(-1).float().mean().item()
    return measured(found, tests.keypoints[0]) | {"outside": outside, "loss": sum(last) / len(last)}


def run_supervised(pairs: Pairs, tests: Pairs, budget: Budget, seed: int) -> dict:
    """The same regressor, told where the joints are."""
    torch.manual_seed(seed)
    generator, regressor = torch.Generator().manual_seed(seed), Regressor(budget.size, budget.width)
    covered, mirror = list(COVERED), list(MIRROR)

    def loss(step: int) -> torch.Tensor:
        regressor.train()
        index = torch.randint(len(pairs), (2 * budget.batch,), generator=generator)
        which, mirrored = (torch.rand(2, generator=generator) < 0.5).int().tolist()
        photos, truth = pairs.photos(which, index), pairs.keypoints[which, index]
        if mirrored:
            photos, truth = photos.flip(-1), (truth * truth.new_tensor([-1.0, 1.0]))[:, mirror]
        found = keypoints(regressor(photos))
        return torch.linalg.vector_norm((found - truth)[:, covered], dim=-1).mean()

    fit(regressor, loss, budget.supervised_steps, rate=budget.rate, label=f"supervised, seed {seed}")
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
    budget_name: str = "shipped", work: Path | None = None, folder: Path = FOLDER, vgg_file: Path | None = None
) -> dict:
    """Train what is not in the work folder yet, then write the networks and `results.json` to `folder`.

    Args:
        work: results of single runs; `build/templates-<budget>` of the clone by default.
        vgg_file: compare pictures by these features instead of the eye's, see `templates.vgg`.

    Returns:
        The content of `results.json`.
    """
    budget = BUDGETS[budget_name]
    work = work_folder(budget_name) if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    pairs, tests = pairs_of("train", budget, work), pairs_of("test", budget, work)
    eye_path = work / "eye.safetensors"
    if not eye_path.is_file():
        save_file(train_eye(pairs, budget.width, 2 * budget.batch, budget.eye_steps, 0).state_dict(), eye_path)
    eye = Eye(budget.width)
    eye.load_state_dict(load_file(eye_path))
    eye.requires_grad_(False)
    compared_by = eye if vgg_file is None else vgg.load(vgg_file)
    runs: dict[str, dict] = {}
    for name, seed in plan(budget):
        path = work / f"{name}-{seed}.json"
        if not path.is_file():
            started = time.process_time()
            if name == "supervised":
                result = run_supervised(pairs, tests, budget, seed)
            else:
                result = run_template(name, pairs, tests, compared_by, budget, seed, work)
            result["cpu_seconds"] = round(time.process_time() - started)
            path.write_text(json.dumps(result))
        runs.setdefault(name, {})[str(seed)] = json.loads(path.read_text())
        ship(runs, budget_name, pairs, tests, work, folder)
    return results(folder)


def ship(runs: dict, budget_name: str, pairs: Pairs, tests: Pairs, work: Path, folder: Path) -> None:
    """Write what there is so far: the main networks with the eye, and all results."""
    budget = BUDGETS[budget_name]
    tensors = load_file(work / "main-0.safetensors")
    tensors |= {f"eye.{key}": value for key, value in load_file(work / "eye.safetensors").items()}
    settings = {"budget": {"name": budget_name, **asdict(budget)}}
    architecture = {"size": budget.size, "width": budget.width}
    checkpoints.store(tensors, "main", architecture, {**settings, "seed": 0, "test": runs["main"]["0"]}, folder)
    sizes = {
        key: sum(v.numel() for k, v in tensors.items() if k.startswith(key)) for key in ("regressor", "translator")
    }
    content = {**settings, "parameters": sizes, "baselines": baselines(pairs, tests), "runs": runs}
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def results(folder: Path = FOLDER) -> dict:
    """What `run_all` wrote: settings, parameters, baselines, and all errors of all runs."""
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def load(folder: Path = FOLDER) -> tuple[Regressor, Translator, Eye, dict[str, torch.Tensor]]:
    """The shipped networks in eval mode, and the album: `steps` (n,) and `affines` (n, 8, 18, 2, 3) of the first eight
    test photos on the way."""
    about, tensors = checkpoints.weights("main", folder)
    size, width = about["architecture"]["size"], about["architecture"]["width"]
    networks = {"regressor": Regressor(size, width), "translator": Translator(width), "eye": Eye(width)}
    for name, network in networks.items():
        network.load_state_dict({k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")})
        network.eval().requires_grad_(False)
    return (*networks.values(), {k.removeprefix("album."): v for k, v in tensors.items() if k.startswith("album.")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", choices=BUDGETS, default="shipped")
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--vgg", type=Path, help="torchvision's vgg19-dcbb9e9d.pth: the paper's features")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    content = run_all(chosen.budget, chosen.work, chosen.folder, chosen.vgg)
    for name, seeds in content["runs"].items():
        print(f"{name:24}", " ".join(f"{result['all']:6.2f}" for result in seeds.values()), "% of the width")


if __name__ == "__main__":
    main()
