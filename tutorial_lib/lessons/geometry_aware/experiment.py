"""Trains lesson 07's networks: representations without labels, then poses from few labels and from many.

    python -m tutorial_lib.lessons.geometry_aware.experiment [rows] [--budget shipped] [--seed 0]

A representation is trained in stages, each a finished part. Rows of labels that need a representation wait for it.
`results` collects the finished parts.
"""

import time
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.geometry_aware import GeometryNet, PoseNet, draw_groups, train
from tutorial_lib.geometry_aware.learning import Row
from tutorial_lib.geometry_aware.supervised import Mode, predict, train_poses
from tutorial_lib.geometry_aware.views import Split, photos
from tutorial_lib.lessons.geometry_aware.examination import (
    all_labels,
    blind,
    geometry,
    heads,
    judged,
    picture,
    seen_on_the_way,
)
from tutorial_lib.lessons.geometry_aware.recipes import (
    ALL_LABELS,
    BUDGETS,
    GROUPS,
    LONGER,
    REPRESENTATIONS,
    ROWS,
    SHOWN,
    TESTS,
)
from tutorial_lib.lessons.geometry_aware.results import Results, collect, measured
from tutorial_lib.render import Views

RATES = (1e-3, 3e-3, 9e-3)
SEARCH_SEEDS, SEARCH_GROUPS = (0, 3), (30, 600)
"""Seeds and numbers of labelled groups whose mean error chooses the rate of a kind of training on labels."""


class World:
    """All views of one budget, drawn once and kept in the work folder.

    Args:
        name: of `recipes.BUDGETS`.
        work: keeps the parts.
        folder: gets the networks.
        device: where to train.
    """

    def __init__(self, name: str, work: Path, folder: Path, device: torch.device):
        self.name, self.budget, self.device = name, BUDGETS[name], device
        self.work, self.folder, self.views = work, folder, cache(self._views)

    def _views(self, part: str) -> Views:
        """Of "train", "more" of them, "validation", "test", "clothes", or "dressed": the test, clothes exchanged."""
        budget = self.budget
        count = {"train": budget.groups, "more": budget.more, "validation": budget.validated}.get(part, budget.tested)
        split = cast(Split, {"dressed": "test", "more": "train"}.get(part, part))
        seed = {"train": 0, "validation": 1, "more": 3}.get(part, 2)

        def made() -> dict[str, torch.Tensor]:
            return vars(
                draw_groups(
                    split, count, size=budget.size, seed=seed, people=budget.people, frames=budget.frames,
                    dressed=int(part == "dressed"),
                )
            )  # fmt: skip

        tensors = once_tensors(self.work / f"{self.name}-views-{part}.safetensors", made)
        return Views(**{field.name: tensors[field.name] for field in fields(Views)}).to(self.device)

    def labelled(self, seed: int, count: int) -> torch.Tensor:
        """Which groups have labels; those of a smaller number are among them."""
        order = torch.randperm(self.budget.groups, generator=torch.Generator().manual_seed(seed))
        return order[:count]

    def checkpoint(self, row: str, seed: int, stage: int) -> str:
        """The name of a stage's network in the work folder; `row` may be one of `LONGER`."""
        return f"{self.name}-stage{stage}-{row}-{seed}"


def representation(world: World, row: Row, seed: int, rate: float, until: int | None = None) -> GeometryNet:
    """A network without labels; stages that are there stay.

    Args:
        world: has the views and the budget.
        row: of `REPRESENTATIONS`.
        seed: of weights and batches.
        rate: at the start of each stage.
        until: stop after so many stages.

    Raises:
        KeyboardInterrupt: somebody stopped it: half a stage must not be taken for finished.
    """
    budget = world.budget
    torch.manual_seed(seed)
    net = GeometryNet(size=budget.size, layout="splat" if row == "splat" else "dense").to(world.device)
    for stage in range(budget.stages if until is None else min(until, budget.stages)):
        net = one_stage(world, net, row, row, seed, stage, rate)
    return net


def one_stage(world: World, net: GeometryNet, name: str, row: Row, seed: int, stage: int, rate: float) -> GeometryNet:
    """The network after one more stage; a stage that is there stays.

    Args:
        world: has the views and the budget.
        net: as the stage before left it.
        name: of `REPRESENTATIONS` or `LONGER`.
        row: of `REPRESENTATIONS`.
        seed: of batches.
        stage: its number.
        rate: at its start.
    """
    budget, kept, looks = world.budget, world.checkpoint(name, seed, stage), []
    steps, part = (budget.longer, "more" if LONGER[name][1] else "train") if name in LONGER else (budget.steps, "train")
    if kept not in checkpoints.names(world.work):
        started, label, done = time.time(), f"{name}, seed {seed}, stage {stage}", stage * budget.steps
        train(
            net, world.views(part), row=row, steps=steps, batch=budget.batch, rate=rate, label=label,
            generator=torch.Generator().manual_seed(100 * seed + stage), every=max(1, min(steps // 2, 1500)),
            look=lambda net, step: looks.append((done + step, seen_on_the_way(net, world.views("validation"), row))),
        ).whole(label)  # fmt: skip
        about = {"row": name, "seed": seed, "validation": looks, **provenance(started, world.device)}
        checkpoints.save(net, kept, about, world.work)
    return checkpoints.load(kept, world.device, world.work)


def searched(world: World, kind: str) -> float:
    """The rate of "pictures", or of a mode of learning from labels: the best on validation people in a third of the
    time."""
    if not world.budget.searched:
        return 3e-3
    work, third = world.work / "search", f"{world.name}-{kind}"

    def pictures(rate: float) -> float:
        torch.manual_seed(0)
        net = GeometryNet(size=world.budget.size).to(world.device)
        steps, label = world.budget.steps // 3, f"pictures, rate {rate:g}"
        train(
            net, world.views("train"), steps=steps, batch=world.budget.batch, rate=rate, label=label,
            generator=torch.Generator().manual_seed(0),
        ).whole(label)  # fmt: skip
        return picture(net, world.views("validation"), "ours")["painted"]

    def labels(rate: float) -> float:
        mode = cast(Mode, kind)
        errors = [fitted(world, mode, count, seed, rate, 3, 0)[1] for count in SEARCH_GROUPS for seed in SEARCH_SEEDS]
        return sum(looks[-1][1] for looks in errors) / len(errors)

    def error(rate: float) -> float:
        return once(work / f"{third}-{rate:g}.json", lambda: (pictures if kind == "pictures" else labels)(rate))

    def best() -> dict[str, Any]:
        tried = widened_search(error, RATES)
        rounded = {f"{rate:g}": round(value, 3) for rate, value in tried.items()}
        return {"rate": min(tried, key=tried.__getitem__), "tried": rounded}

    return once(world.work / f"{world.name}-search-{kind}.json", best)["rate"]


def fitted(
    world: World, mode: str, count: int, seed: int, rate: float, part: int = 1, shown: int | None = None
) -> tuple[PoseNet, list[tuple[int, float]]]:
    """A network that learned from labels, and its smallest validation error in mm up to each look.

    Args:
        world: has the views and the budget.
        mode: of `recipes.MODES`.
        count: groups with labels.
        seed: of weights, batches and the choice of groups.
        rate: at the start.
        part: divides the steps.
        shown: seed of the representation, where it is another one.
    """
    budget = world.budget
    torch.manual_seed(seed)
    net = PoseNet(size=budget.size).to(world.device)
    if mode in ("frozen", "tuned"):
        learned = representation(world, "ours", seed if shown is None else shown, searched(world, "pictures"))
        net.encoder.load_state_dict(learned.encoder.state_dict())
    how: Mode = "frozen" if mode == "random" else cast(Mode, mode)
    steps = (budget.head_steps if how == "frozen" else budget.label_steps) // part
    some = world.views("train")[world.labelled(seed, count).to(world.device)]
    label = f"{mode}, {count} groups, seed {seed}"
    history = train_poses(
        net, some, world.views("validation"), mode=how, steps=steps, rate=rate, batch=4 * budget.batch, label=label,
        generator=torch.Generator().manual_seed(seed), every=max(1, steps // 20),
    ).whole(label)  # fmt: skip
    best = torch.tensor([error for _, error in history.checks], dtype=torch.float64).cummin(0).values.tolist()
    return net, [(step, round(error, 3)) for (step, _), error in zip(history.checks, best, strict=True)]


def represented(world: World, name: str, seed: int) -> dict[str, Any]:
    """What a representation is worth; those of `SHOWN` become the networks of the demos."""
    row = LONGER[name][0] if name in LONGER else cast(Row, name)
    budget, rate = world.budget, searched(world, "pictures")
    net = representation(world, row, seed, rate)
    stages = [world.checkpoint(row, seed, stage) for stage in range(budget.stages)]
    if name in LONGER:
        net = one_stage(world, net, name, row, seed, budget.stages, rate)
        stages.append(world.checkpoint(name, seed, budget.stages))
    records = [checkpoints.record(stage, world.work) for stage in stages]
    found = {
        "rate": rate, "validation": [look for record in records for look in record["validation"]],
        "picture": picture(net, world.views("test"), row), "geometry": geometry(net.encoder, world.views),
        "heads": heads(net.encoder, world.views, {count: world.labelled(seed, count) for count in GROUPS}),
        "seconds": sum(record["seconds_of_this_run"] for record in records),
    }  # fmt: skip
    if SHOWN.get(row) == name:
        if row == "ours":
            solved = {key: value.float().cpu() for key, value in all_labels(net.encoder, world.views).items()}
            checkpoints.store(solved, ALL_LABELS, {}, {"seed": seed, "groups": budget.groups}, world.folder)
        kept = {"row": name, "seed": seed, "picture": found["picture"], "geometry": found["geometry"]}
        checkpoints.save(net.cpu(), f"geometry_aware/{row}", kept, world.folder)
    return found


def train_row(world: World, row: str, seed: int) -> dict[str, Any]:
    """One finished part: a representation with what it is worth, or a network that learned from labels."""
    started = time.time()
    about: dict[str, Any] = {"row": row, "seed": seed, "budget": settings(world.name, world.budget)}
    if row in REPRESENTATIONS or row in LONGER:
        return about | represented(world, row, seed) | provenance(started, world.device)
    mode, count = row.rsplit("-", 1)
    rate = searched(world, "frozen" if mode == "random" else mode)
    net, looks = fitted(world, mode, int(count), seed, rate)
    errors = {test: judged(predict(net, photos(world.views(test))), world.views(test)) for test in TESTS}
    return about | {"rate": rate, "validation": looks, "errors": errors, **provenance(started, world.device)}


def make(run: Run, names: Sequence[str]) -> None:
    """Train and test rows."""
    world = World(run.budget_name, run.work, run.folder, run.device)
    once(run.part("blind"), lambda: blind(world.views, TESTS))
    for name in names:
        if name in LONGER and run.seed and run.budget_name == "shipped":
            continue  # the demos show seed 0
        once(run.part(f"{name}-s{run.seed}"), lambda name=name: train_row(world, name, run.seed))
        print(f"{name}, seed {run.seed}: finished", flush=True)


EXPERIMENT = Experiment(__doc__, "geometry_aware", BUDGETS, ROWS, make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
