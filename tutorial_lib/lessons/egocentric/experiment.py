"""Trains lesson 13's networks, each told another kind of scene, and the network that fills the hole.

    python -m tutorial_lib.lessons.egocentric.experiment [kinds] [--budget shipped] [--seed 0]

All rows share one rate, searched on validation people: so they differ in what they are told alone. `results` collects
the finished parts.
"""

import time
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED
from tutorial_lib.egocentric.depth import SceneKind, scene_depth, scene_points, scene_voxels
from tutorial_lib.egocentric.inpainting import FillNet, fill_classical, learn_to_fill
from tutorial_lib.egocentric.learning import Told, predict, train
from tutorial_lib.egocentric.metrics import foot_heights, judge, standard_bones
from tutorial_lib.egocentric.network import EgoNet
from tutorial_lib.egocentric.samples import Samples, draw_samples
from tutorial_lib.egocentric.scale import grow, stand
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.lessons.egocentric.recipes import BUDGETS, RAISED, ROWS, SHIPPED, TESTS
from tutorial_lib.lessons.egocentric.results import Results, collect, measured
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip

RATES = (3e-3, 9e-3, 27e-3)
SEARCHED: tuple[SceneKind, ...] = ("none", "hole", "true")
SEARCH_SEEDS = (0, 3)
"""Rows and training seeds whose mean error chooses the rate of all rows."""

FILL = "egocentric/fill"
"""The checkpoint of the inpainting network."""


class World:
    """All samples of one budget, drawn once and kept in the work folder; and the network that fills holes.

    Args:
        name: of `recipes.BUDGETS`.
        work: keeps the parts.
        folder: gets the inpainting network.
        device: where to train.
    """

    def __init__(self, name: str, work: Path, folder: Path, device: torch.device):
        self.name, self.budget, self.device = name, BUDGETS[name], device
        self.work, self.folder = work, folder
        self.samples, self.told, self.filler = cache(self._samples), cache(self._told), cache(self._filler)

    def _clips(self, part: str) -> list[Clip]:
        small = self.budget.people == 1
        actions = TRAINED_ACTIONS if part in ("train", "validation") else (*TRAINED_ACTIONS[::2], *HELD_OUT_ACTIONS)
        seed = {"train": TRAIN_SEED, "validation": VALIDATION_SEED}.get(part, TEST_SEED)
        people = {"train": self.budget.people, "validation": min(6, self.budget.people)}.get(part, 1 if small else 8)
        return builtin(seed, people, actions[:3] if small else actions, 20 if small else 200)

    def _samples(self, part: str) -> Samples:
        """Of "train", "validation", "floor" or "step"."""
        count = {"train": self.budget.samples, "validation": self.budget.validated}.get(part, self.budget.tested)
        share = {"floor": 0.0, "step": 1.0}.get(part, 0.4)
        number = ("train", "validation", *TESTS).index(part)
        path = self.work / f"{self.name}-samples-{part}.safetensors"
        tensors = once_tensors(path, lambda: vars(draw_samples(self._clips(part), count, 130 + number, steps=share)))
        return Samples(**{field.name: tensors[field.name] for field in fields(Samples)}).to(self.device)

    def _filler(self) -> FillNet:
        def made() -> dict[str, Any]:
            started = time.time()
            torch.manual_seed(0)
            samples = self.samples("train")
            net, history = learn_to_fill(
                samples, steps=self.budget.fill_steps, generator=torch.Generator().manual_seed(0)
            )
            about = {"depth_errors": depth_errors(net, self), **provenance(started, self.device)}
            checkpoints.save(net.cpu(), FILL, about, self.folder)
            return about

        once(self.work / f"{self.name}-fill.json", made)
        return checkpoints.load(FILL, self.device, self.folder)

    def _told(self, part: str, kind: SceneKind, raised: float = 0.0) -> Told:
        samples = self.samples(part)
        filler = self.filler() if kind == "learned" else None
        return Told(samples, scene_voxels(samples, kind, self.budget.cells, filler, raised), kind)

    @property
    def bones(self) -> torch.Tensor:
        """Mean bone lengths of the people who are trained on: the standard skeleton."""
        return standard_bones(self.samples("train"))

    def judged(self, pose: torch.Tensor, part: str) -> dict[str, float]:
        """What poses are worth on a test."""
        return judge(pose, self.samples(part), self.bones).as_dict()


def depth_errors(net: FillNet, world: World) -> dict[str, dict[str, float]]:
    """Mean error in mm along the ray in the holes of both tests, filled in both ways."""
    found = {}
    for test in TESTS:
        samples = world.samples(test)
        with torch.no_grad():
            filled = {
                "learned": net.eval()(samples.scene, samples.hole),
                "classical": fill_classical(samples.scene, samples.hole),
            }
        off = {kind: (depth - samples.scene).abs()[samples.hole] for kind, depth in filled.items()}
        found[test] = {kind: round(1000 * values.mean().item(), 2) for kind, values in off.items()}
    return found


def blind(world: World) -> dict[str, Any]:
    """Who does not look, and who knows all but the size: means of the training's poses, and the truth at mean size."""
    train = world.samples("train")
    mean, size = train.pose.mean(0), train.size.mean()
    found: dict[str, Any] = {}
    for test in TESTS:
        samples = world.samples(test)
        found[test] = {
            "mean pose": world.judged(mean.expand_as(samples.pose).contiguous(), test),
            "truth at mean size": world.judged(grow(samples.pose, size / samples.size), test),
            "truth 10 % too large": world.judged(grow(samples.pose, 1.1), test),
        }
    return found


def stood(world: World, pose: torch.Tensor, test: str, kind: SceneKind) -> dict[str, float]:
    """What poses are worth once they are grown until a foot stands on the scene: one number, and no network."""
    samples = world.samples(test)
    distance, there = scene_depth(samples, kind, world.filler() if kind == "learned" else None)
    return world.judged(stand(pose, samples.rotation[:, :, 2], scene_points(distance), there), test)


def run(
    world: World, kind: SceneKind, seed: int, rate: float, steps: int, label: str, checks: int = 4
) -> tuple[EgoNet, list[tuple[int, dict[str, float]]]]:
    """Train one row: the network, and what it was worth on validation people on the way.

    Raises:
        KeyboardInterrupt: somebody stopped it: half a training must not be taken for finished.
    """
    budget, validation, looks = world.budget, world.told("validation", kind), []
    torch.manual_seed(seed)
    net, history = train(
        world.told("train", kind), steps=steps, rate=rate, generator=torch.Generator().manual_seed(seed),
        batch=budget.batch, cells=budget.cells, width=budget.width, every=max(1, steps // checks), label=label,
        look=lambda net, step: looks.append((step, world.judged(predict(net, validation), "validation"))),
    )  # fmt: skip
    history.whole(label)
    return net, looks


def search(world: World) -> dict[str, Any]:
    """The rate with the smallest absolute validation error in a third of the time, mean over `SEARCHED` and seeds."""
    if not world.budget.searched:
        return {"rate": 3e-3, "tried": {}}

    def tried_once(kind: SceneKind, seed: int, rate: float) -> float:
        def final() -> float:
            looks = run(world, kind, seed, rate, world.budget.steps // 3, f"{kind}, seed {seed}, rate {rate:g}", 1)[1]
            return looks[-1][1]["mpjpe"]

        return once(world.work / f"{world.name}-rate-{kind}-{seed}-{rate:g}.json", final)

    def error(rate: float) -> float:
        errors = [tried_once(kind, seed, rate) for kind in SEARCHED for seed in SEARCH_SEEDS]
        return sum(errors) / len(errors)

    tried = widened_search(error, RATES)
    return {"rate": min(tried, key=tried.__getitem__), "tried": {f"{rate:g}": round(e, 2) for rate, e in tried.items()}}


def followed(net: EgoNet, world: World, kind: SceneKind, honest: torch.Tensor) -> float:
    """By how many mm the ankles of the test on the floor rise if the scene is `RAISED`; `honest` are the true one's."""
    samples = world.samples("floor")
    raised = predict(net, world.told("floor", kind, RAISED))
    return round(1000 * (foot_heights(raised, samples) - foot_heights(honest, samples)).mean().item(), 3)


def train_row(kind: SceneKind, world: World, seed: int, rate: float) -> dict[str, Any]:
    """Train one row and test it; networks that the lesson shows are kept."""
    started = time.time()
    net, looks = run(world, kind, seed, rate, world.budget.steps, f"{kind}, seed {seed}")
    poses = {test: predict(net, world.told(test, kind)) for test in TESTS}
    found = {
        "row": kind, "seed": seed, "budget": settings(world.name, world.budget), "rate": rate,
        "validation": looks, "errors": {test: world.judged(pose, test) for test, pose in poses.items()},
        "followed": followed(net, world, kind, poses["floor"]), **provenance(started, world.device),
    }  # fmt: skip
    if kind == "none":
        kinds: tuple[SceneKind, ...] = ("hole", "learned", "true")
        found["stood"] = {test: {on: stood(world, pose, test, on) for on in kinds} for test, pose in poses.items()}
    if kind in SHIPPED and (seed == 0 or world.name == "gpu"):
        about = {"seed": seed, "row": kind, "errors": found["errors"]}
        checkpoints.save(net.cpu(), f"egocentric/{kind}", about, world.folder)
    return found


def make(run: Run, names: Sequence[SceneKind]) -> None:
    """Train and test rows."""
    world = World(run.budget_name, run.work, run.folder, run.device)
    once(run.part("blind"), lambda: blind(world))
    world.filler()
    rate = once(run.part("search-all"), lambda: search(world))["rate"]
    for kind in names:
        done = once(run.part(f"{kind}-s{run.seed}"), lambda kind=kind: train_row(kind, world, run.seed, rate))
        print(f"{kind}, seed {run.seed}: {done['errors']}", flush=True)


EXPERIMENT = Experiment(__doc__, "egocentric", BUDGETS, tuple(ROWS), make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
