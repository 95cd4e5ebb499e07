"""Lesson 03's experiment: `python -m tutorial_lib.checkpoints.template_experiment [--budget shipped] [--work folder]`.

Everything that the lesson claims about trained templates, one run after another. A run whose result lies in the work
folder already is not repeated, so the command may be stopped and given again. Runs:

- `eye`: the features in which photos are compared, learned without labels;
- `main`: template, both losses, no label; its networks ship, and snapshots of what it answers on the way;
- `both`, `no boundary`, `no anchor`, `neither`: the paper's ablation, shorter, `seeds` times each;
- `supervised`: the same regressor with all labels, `seeds` times; fewer steps (see `Budget`).

Settings were chosen on validation photos; test people, looks and motions are in no training.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.photo_sets import SPLITS, clips_of
from tutorial_lib.skeleton import LEFT, MIRROR, RIGHT
from tutorial_lib.templates import (
    ANCHOR_WEIGHT,
    BOUNDARY_WEIGHT,
    COVERED,
    anchor_loss,
    boundary_loss,
    identity,
    keypoints,
)
from tutorial_lib.templates.network import (
    START,
    Eye,
    Regressor,
    Translator,
    coverage_loss,
    soft_maps,
    stiffness_loss,
)
from tutorial_lib.templates.pairs import Pairs, front_pairs
from tutorial_lib.training import fit, model_in_use

FOLDER = checkpoints.FOLDER / "templates"
BODY_PARTS = {"hips": (1, 4), "knees": (2, 5), "feet": (3, 6), "shoulders": (11, 14), "hands": (13, 16)}
"""Columns of the paper's tables -> joints."""

LIMBS = (*LEFT[3:], *RIGHT[3:]), (*LEFT[:3], *RIGHT[:3])
"""Arms and legs: their sides are exchanged together, or not at all, where an error is flip-tolerant."""

WEIGHTS = {
    "both": (ANCHOR_WEIGHT, BOUNDARY_WEIGHT),
    "no boundary": (ANCHOR_WEIGHT, 0.0),
    "no anchor": (0.0, BOUNDARY_WEIGHT),
    "neither": (0.0, 0.0),
}
"""Row of the ablation -> weights of anchor and boundary loss."""


COVERAGE_WEIGHT, STIFFNESS_WEIGHT = 2.0, 0.1
"""Ours, in every row. Without these two, 900 steps ended at 6.7 % on validation photos; with them, 1000 at 5.1 %."""


@dataclass(frozen=True)
class Budget:
    """How long, how wide.

    Attributes:
        size: side of the photos in pixels.
        width: channels of the networks' first layers.
        pairs, tests: number of photo pairs to train on, and to test on.
        blur: half widths by which parts are widened at first; nothing is left after 60 % of the steps.
        seeds: trainings for each row of the ablation, and of the supervised baseline.
        snapshots: how often the main run is asked for what it sees.
    """

    size: int = 48
    width: int = 16
    pairs: int = 2048
    tests: int = 256
    batch: int = 16
    steps: int = 1000
    short_steps: int = 200
    eye_steps: int = 300
    supervised_steps: int = 600
    rate: float = 2e-3
    blur: float = 0.06
    seeds: int = 5
    snapshots: int = 24


BUDGETS = {
    "shipped": Budget(),
    # For a machine with time: the paper's batch, wider networks, sharper photos.
    "full": Budget(64, 32, 20000, 1000, 48, 60000, 10000, 4000, 20000, 5e-4),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(16, 4, 6, 4, 4, 4, 3, 3, 3, seeds=2, snapshots=2),
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


def features(eye: Eye, photos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and photo: what the reconstruction loss compares. The photo beside the features is ours."""
    return eye(photos), photos


def reconstruction_loss(eye: Eye, painted: torch.Tensor, photos: torch.Tensor) -> torch.Tensor:
    """Mean |difference| of the features, plus that of the pixels. Source: section 3 of the paper (features alone)."""
    return sum((a - b).abs().mean() for a, b in zip(features(eye, painted), features(eye, photos)))


def joint_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Distance of joints (..., 17, 2) in % of the width of the image: (..., 17). The paper's %-MSE is their mean."""
    return 50 * torch.linalg.vector_norm(found - truth, dim=-1)


def tolerant_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """As `joint_errors`, but the two arms, and the two legs, may have been exchanged: what fits better counts."""
    errors, swapped = joint_errors(found, truth), joint_errors(found[..., list(MIRROR), :], truth)
    errors = errors.clone()
    for limb in map(list, LIMBS):
        better = swapped[..., limb].mean(-1, keepdim=True) < errors[..., limb].mean(-1, keepdim=True)
        errors[..., limb] = torch.where(better, swapped[..., limb], errors[..., limb])
    return errors


def measured(found: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """Mean errors in %: all 15 joints that anchors define, those of `BODY_PARTS`, and flip-tolerant."""
    errors = joint_errors(found, truth)
    result = {"all": errors[..., list(COVERED)].mean().item()}
    result |= {name: errors[..., list(joints)].mean().item() for name, joints in BODY_PARTS.items()}
    return result | {"flip-tolerant": tolerant_errors(found, truth)[..., list(COVERED)].mean().item()}


@torch.no_grad()
def affines_of(regressor: Regressor, photos: torch.Tensor) -> torch.Tensor:
    """(B, 18, 2, 3) in eval mode, in chunks; the mode stays as it was."""
    training = regressor.training
    regressor.eval()
    affines = torch.cat([regressor(part) for part in photos.split(128)])
    regressor.train(training)
    return affines


def train_eye(pairs: Pairs, budget: Budget, seed: int, progress: bool = True) -> Eye:
    """Teach it to fill holes and to remove noise; then scale its features to a spread of 1 and freeze it."""
    torch.manual_seed(seed)
    generator, eye = torch.Generator().manual_seed(seed), Eye(budget.width)

    def loss(step: int) -> torch.Tensor:
        photos = pairs.draw(budget.batch, generator)[0]
        holes = (torch.rand(len(photos), 1, 8, 8, generator=generator) < 0.15).float()
        holes = functional.interpolate(holes, size=photos.shape[-1])
        spoilt = photos * (1 - holes) + 0.5 * holes + 0.05 * torch.randn(photos.shape, generator=generator)
        return (eye.repaired(spoilt) - photos).abs().mean()

    fit(eye, loss, budget.eye_steps, rate=3e-3, label="eye", progress=progress)
    with torch.no_grad():
        eye.standardise(pairs.photos(0, slice(0, 256)))
    return eye.requires_grad_(False)


class Learner:
    """Regressor and translator on the way: `step` numbers in, the weighted loss out."""

    def __init__(self, pairs: Pairs, eye: Eye, budget: Budget, seed: int, weights=(ANCHOR_WEIGHT, BOUNDARY_WEIGHT)):
        torch.manual_seed(seed)
        self.pairs, self.eye, self.budget, self.weights = pairs, eye, budget, weights
        self.generator = torch.Generator().manual_seed(seed)
        self.networks = torch.nn.ModuleList([Regressor(budget.size, budget.width), Translator(budget.width)])

    def loss(self, step: int, steps: int) -> torch.Tensor:
        """The loss of one fresh batch; the parts are blurred less and less."""
        regressor, translator = self.networks
        photos, others, places = self.pairs.draw(self.budget.batch, self.generator)
        affines = regressor(photos)
        blur = self.budget.blur * max(0.0, 1 - step / (0.6 * steps))
        maps = soft_maps(affines, self.budget.size // 2, blur)
        painted = translator(others, places, maps)
        return (
            reconstruction_loss(self.eye, painted, photos)
            + COVERAGE_WEIGHT * coverage_loss(maps, photos, places)
            + STIFFNESS_WEIGHT * stiffness_loss(affines).mean()
            + self.weights[0] * anchor_loss(affines).mean()
            + self.weights[1] * boundary_loss(affines).mean()
        )


def train(learner: Learner, steps: int, rate: float, label: str, before: Callable[[int], None] | None = None) -> list:
    """Adam with a warm-up and a cosine schedule; the regressor at half the translator's rate. Returns the losses.

    Not `training.fit`, which has one rate for all and no warm-up.

    Args:
        before: called with the number of every step before it is taken.
    """
    regressor, translator = learner.networks
    groups = [{"params": regressor.parameters(), "lr": rate / 2}, {"params": translator.parameters(), "lr": rate}]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 50) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
    )
    losses = []
    for step in tqdm(range(steps), desc=label, mininterval=0.5):
        if before is not None:
            before(step)
        with model_in_use():
            learner.networks.train()
            loss = learner.loss(step, steps)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(regressor.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise ValueError(f"{label}: the loss is {losses[-1]} at step {step}; lower the rate, now {rate}")
    return losses


def run_template(name: str, pairs: Pairs, tests: Pairs, eye: Eye, budget: Budget, seed: int, work: Path) -> dict:
    """One training without labels: "main", or a row of `WEIGHTS`. Networks and snapshots stay in the work folder."""
    steps = budget.steps if name == "main" else budget.short_steps
    learner = Learner(pairs, eye, budget, seed, WEIGHTS.get(name, WEIGHTS["both"]))
    regressor, translator = learner.networks
    every = max(1, steps // budget.snapshots)
    album = []

    def remember(step: int) -> None:
        if name == "main" and step % every == 0:
            album.append((step, affines_of(regressor, tests.photos(0, slice(0, 8)))))

    losses = train(learner, steps, budget.rate, f"{name}, seed {seed}", remember)
    found = keypoints(affines_of(regressor, tests.photos(0)))
    tensors = {f"regressor.{key}": value for key, value in regressor.state_dict().items()}
    tensors |= {f"translator.{key}": value for key, value in translator.state_dict().items()}
    if name == "main":
        album.append((steps, affines_of(regressor, tests.photos(0, slice(0, 8)))))
        tensors |= {"album.steps": torch.tensor([step for step, _ in album])}
        tensors |= {"album.affines": torch.stack([affines for _, affines in album])}
    save_file({key: value.contiguous() for key, value in tensors.items()}, work / f"{name}-{seed}.safetensors")
    last = losses[-max(1, steps // 10) :]
    return measured(found, tests.keypoints[0]) | {"loss": sum(last) / len(last)}


def run_supervised(pairs: Pairs, tests: Pairs, budget: Budget, seed: int) -> dict:
    """The same regressor, told where the joints are."""
    torch.manual_seed(seed)
    generator, regressor = torch.Generator().manual_seed(seed), Regressor(budget.size, budget.width)
    covered, mirror = list(COVERED), list(MIRROR)

    def loss(step: int) -> torch.Tensor:
        regressor.train()
        index = torch.randint(len(pairs), (budget.batch,), generator=generator)
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
    rows = [(name, seed) for seed in range(budget.seeds) for name in WEIGHTS]
    return [("main", 0), *(("supervised", seed) for seed in range(budget.seeds)), *rows]


def run_all(budget_name: str = "shipped", work: Path | None = None, folder: Path = FOLDER) -> dict:
    """Train what is not in the work folder yet, then write the networks and `results.json` to `folder`.

    Args:
        work: results of single runs; `build/templates-<budget>` of the clone by default.

    Returns:
        The content of `results.json`.
    """
    budget = BUDGETS[budget_name]
    work = work_folder(budget_name) if work is None else work
    work.mkdir(parents=True, exist_ok=True)
    pairs, tests = pairs_of("train", budget, work), pairs_of("test", budget, work)
    eye_path = work / "eye.safetensors"
    if not eye_path.is_file():
        save_file(train_eye(pairs, budget, 0).state_dict(), eye_path)
    eye = Eye(budget.width)
    eye.load_state_dict(load_file(eye_path))
    eye.requires_grad_(False)
    runs: dict[str, dict] = {}
    for name, seed in plan(budget):
        path = work / f"{name}-{seed}.json"
        if not path.is_file():
            started = time.process_time()
            if name == "supervised":
                result = run_supervised(pairs, tests, budget, seed)
            else:
                result = run_template(name, pairs, tests, eye, budget, seed, work)
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
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    content = run_all(chosen.budget, chosen.work, chosen.folder)
    for name, seeds in content["runs"].items():
        print(f"{name:12}", " ".join(f"{result['all']:6.2f}" for result in seeds.values()), "% of the width")


if __name__ == "__main__":
    main()
