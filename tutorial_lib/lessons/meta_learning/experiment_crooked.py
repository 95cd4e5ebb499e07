"""Train and test on tasks that the picture cannot betray: the rig hangs crooked, behind an unknown lens.

    python -m tutorial_lib.lessons.meta_learning.experiment_crooked [methods] [--budget shipped] [--seed 0]

Every method starts from the same network, pretrained on random lenses (with the same seed), and sees equally many
windows. Rates are chosen on validation people, lenses and mountings, each method's own, inside its grid.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import adapt, draw_tasks, meta_loss
from tutorial_lib.adaptation.conventions import (
    Convention,
    draw_mountings,
    draw_shifts,
    told_everything,
    told_rotation,
)
from tutorial_lib.adaptation.lens_test import LensTest, Observation
from tutorial_lib.adaptation.lifters import Diverged, freeze_below_last_layer, last_layer, reptile_lifter_loss
from tutorial_lib.adaptation.rate_search import validation_test, widened_search
from tutorial_lib.datasets.footage import Footage, capture_clips
from tutorial_lib.datasets.splits import adaptation_split, mocap_path, training_split
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.distortion import PRESETS, sample_stratified, sample_uniform
from tutorial_lib.experiments import command_line, default_folder, once, parse, provenance, settings
from tutorial_lib.lessons.meta_learning import experiment
from tutorial_lib.lifting import Lifter, TemporalLifter
from tutorial_lib.metrics import mpjpe, mpjpe_loss
from tutorial_lib.training import History, fit, resolve_device

FRAMES = 9


@dataclass(frozen=True)
class Budget:
    """How long the second stage is; the first is `recipes.BUDGETS` of the same name.

    Attributes:
        steps: meta-steps of `tasks` environments, each seen in `support` + `query` windows.
        alpha: rate of the inner steps.
        rate: of the outer steps.
        batch: windows of an ordinary step; there are as many steps as give equally many windows.
        test_seeds: people, lenses, mountings and detector errors that are tested.
        steps_at_test: adaptation steps that are followed; `chosen_at`: the step whose error chooses the rate.
    """

    steps: int = 3000
    tasks: int = 8
    support: int = 64
    query: int = 32
    alpha: float = 0.1
    rate: float = 1e-3
    batch: int = 256
    people: int = 40
    viewpoints: int = 2
    test_seeds: int = 8
    steps_at_test: int = 20
    chosen_at: int = 5

    @property
    def ordinary_steps(self) -> int:
        """Ordinary steps with as many windows as the meta-steps."""
        return self.steps * self.tasks * (self.support + self.query) // self.batch


BUDGETS = {
    "shipped": Budget(),
    "gpu": Budget(steps=6000, people=60),
    "full": Budget(steps=20000, people=200, viewpoints=4, test_seeds=20),
    # Proves that every method runs; the networks are worth nothing.
    "smoke": Budget(2, 2, 8, 8, batch=16, people=2, viewpoints=1, test_seeds=1, steps_at_test=2, chosen_at=1),
}


@dataclass(frozen=True)
class Method:
    """How a network is prepared.

    Attributes:
        title: what readers see.
        episodes: "none" (the pretrained network as it is), "ordinary" (every window its own environment), or how an
            episode is learned from.
        joints: whether the joints' definition is hidden as well.
    """

    title: str
    episodes: str
    joints: bool = False


METHODS = {
    "lenses": Method("random lenses only", "none"),
    "random": Method("random lenses and mountings", "ordinary"),
    "reptile": Method("Reptile", "reptile"),
    "anil": Method("ANIL: last layer only", "anil"),
    "first-order": Method("first-order MAML", "first-order"),
    "maml": Method("MAML", "maml"),
    "random-joints": Method("random everything", "ordinary", joints=True),
    "maml-joints": Method("MAML, everything hidden", "maml", joints=True),
}
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
WINDOWS = (1, 4, 16, 64)


def draw_conventions(count: int, joints: bool, generator: torch.Generator) -> Convention:
    """`count` places: how their rigs hang and, if `joints`, what they call a joint."""
    rotation = draw_mountings(count, generator=generator)
    return Convention(rotation, draw_shifts(count, generator=generator) if joints else None)


def draw_episode(
    budget: Budget, footage: Footage, tasks: int, joints: bool, generator: torch.Generator
) -> tuple[Windows, Windows]:
    """Support and query sets of `tasks` environments: a lens and a convention each."""
    device = footage.pose.device
    lenses = sample_stratified(tasks, generator=generator).to(device)
    drawn = draw_tasks(footage, lenses, FRAMES, support=budget.support, query=budget.query, generator=generator)
    places = draw_conventions(tasks, joints, generator).to(device)
    support, query = (replace(part, pose=places.wanted(part.pose)) for part in drawn)
    return support, query


def episode(
    model: TemporalLifter,
    method: Method,
    budget: Budget,
    footage: Footage,
    tasks: int,
    generator: torch.Generator,
    alpha: float | None = None,
) -> torch.Tensor:
    """One loss of a method that learns from episodes.

    Args:
        model: in eval mode.
        method: of `METHODS`.
        budget: of `BUDGETS`.
        footage: where the windows are cut from.
        tasks: how many environments.
        generator: decides them, and the windows.
        alpha: of the inner step; None: the budget's.
    """
    alpha = budget.alpha if alpha is None else alpha
    support, query = draw_episode(budget, footage, tasks, method.joints, generator)
    if method.episodes == "reptile":
        seen = (torch.cat(pair, 1).unflatten(1, (4, -1)) for pair in
                ((support.keypoints, query.keypoints), (support.pose, query.pose)))  # fmt: skip
        return reptile_lifter_loss(model, Windows(*seen), rate=alpha)
    return meta_loss(
        model,
        support,
        query,
        rate=alpha,
        second_order=method.episodes != "first-order",
        stepped=last_layer if method.episodes == "anil" else lambda name: True,
    )


def second_stage(
    model: TemporalLifter, name: str, budget: Budget, footage: Footage, validation: Footage, generator: torch.Generator
) -> History:
    """Prepare a pretrained network by a method of `METHODS`, in place."""
    method = METHODS[name]
    if method.episodes != "ordinary":
        model.eval()
        judge = method if method.episodes != "reptile" else replace(method, episodes="maml")

        def validate() -> float:
            return episode(model, judge, budget, validation, 32, torch.Generator().manual_seed(2)).item()

        def loss(step: int) -> torch.Tensor:
            return episode(model, method, budget, footage, budget.tasks, generator)

        every = max(1, budget.steps // 10)
        return fit(model, loss, budget.steps, rate=budget.rate, validate=validate, every=every, label=name)

    pool = torch.cat([sample_uniform(512, generator=generator) for _ in range(16)]).to(footage.pose.device)

    def draw(where: Footage, count: int, gen: torch.Generator) -> torch.Tensor:
        lenses = pool[torch.randint(len(pool), (count,), generator=gen)]
        seen, _ = draw_tasks(where, lenses, FRAMES, support=1, query=1, generator=gen)
        wanted = draw_conventions(count, method.joints, gen).to(where.pose.device).wanted(seen.pose)
        return mpjpe_loss(model.windows(seen.keypoints), wanted)

    def ordinary(step: int) -> torch.Tensor:
        model.train()
        return draw(footage, budget.batch, generator)

    def validate_ordinary() -> float:
        model.eval()
        return draw(validation, 2048, torch.Generator().manual_seed(2)).item()

    steps = budget.ordinary_steps
    every = max(1, steps // 10)
    return fit(model, ordinary, steps, rate=budget.rate, validate=validate_ordinary, every=every, label=name)


def freeze_for(name: str, model: TemporalLifter) -> TemporalLifter:
    """The network as its method adapts it: ANIL's moves in its last layer only."""
    if METHODS[name].episodes == "anil":
        freeze_below_last_layer(model)
    return model


def trajectory(
    model: TemporalLifter, observation: Observation, rate: float, steps: int, windows: int = 64
) -> list[float]:
    """MPJPE in mm before and after every step; a rate that diverges ends in infinity."""
    support, errors = observation.support(FRAMES, windows), []

    def watch(adapted: Lifter) -> None:
        error = 1000 * mpjpe_loss(adapted.lift(observation.video), observation.truth).item()
        errors.append(error if math.isfinite(error) else math.inf)  # the support set's loss may still be finite

    try:
        adapt(model, support, steps, rate=rate, watch=watch)
    except Diverged:
        errors += [math.inf] * (steps + 1 - len(errors))
    return errors


def validation_rigs(joints: bool, lens_test: LensTest) -> list[Observation]:
    """What rates are chosen on: six lenses, each with a convention of its own."""
    generator = torch.Generator().manual_seed(3)
    lenses, places = sample_stratified(6, generator=generator), draw_conventions(6, joints, generator)
    return [lens_test.through(lens, convention=places.at(i)) for i, lens in enumerate(lenses)]


def choose_rate(model: TemporalLifter, observations: list[Observation], steps: int) -> tuple[float, dict]:
    """The rate with the smallest mean error after `steps`, never at an end of the grid; and every rate's error in mm.

    The grid ends at 1e-5 and 10 for a network that every step harms, or none. Errors that are infinite are None.
    """

    def error(rate: float) -> float:
        reached = [trajectory(model, seen, rate, steps)[-1] for seen in observations]
        return sum(reached) / len(reached)

    tried = widened_search(error, RATES, within=(1e-5, 10))
    coarse = min(tried, key=tried.__getitem__)
    tried |= {rate: error(rate) for rate in (coarse / 3**0.5, coarse * 3**0.5)}
    best = min((coarse / 3**0.5, coarse, coarse * 3**0.5), key=tried.__getitem__)
    written = {rate: round(value, 2) if math.isfinite(value) else None for rate, value in sorted(tried.items())}
    return best, {f"{rate:.3g}": value for rate, value in written.items()}


def places_to_test() -> dict[str, str]:
    """Invented people, and real actors where their motion is at hand."""
    mocap = mocap_path()
    return {"builtin": "builtin"} | ({} if mocap is None else {"real": str(mocap)})


def examine(model: TemporalLifter, name: str, rate: float, budget: Budget) -> dict:
    """Errors in mm on people that no training saw, behind d1 and d2, by place and test seed."""
    joints, results = METHODS[name].joints, {}
    for place, motion in places_to_test().items():
        rows: dict[str, list] = {"steps": [], **{str(count): [] for count in WINDOWS}}
        rows |= {f"told the rotation, {count}": [] for count in WINDOWS} if METHODS[name].episodes == "none" else {}
        rows |= {"told everything, 64": []} if name == "random-joints" else {}
        for seed in range(budget.test_seeds):
            lens_test = LensTest(adaptation_split(motion, seed), seed, clips=8)
            where = draw_conventions(1, joints, torch.Generator().manual_seed(1000 + seed)).at(0)
            seen = [lens_test.through(PRESETS[lens], convention=where) for lens in ("d1", "d2")]

            def mean(function: Callable[[Observation], list[float]], seen: list[Observation] = seen) -> list[float]:
                values = torch.tensor([function(observation) for observation in seen]).mean(0)
                return [round(value, 2) for value in values.tolist()]

            rows["steps"].append(mean(partial(trajectory, model, rate=rate, steps=budget.steps_at_test)))
            for count in WINDOWS:
                few = mean(partial(trajectory, model, rate=rate, steps=budget.chosen_at, windows=count))
                rows[str(count)].append(few[-1])
            for told in [key for key in rows if key.startswith("told")]:
                rows[told].append(mean(partial(_closed_form, model, told=told))[0])
        results[place] = rows
    return results


@torch.no_grad()
def _closed_form(model: TemporalLifter, observation: Observation, told: str) -> list[float]:
    support = observation.support(FRAMES, int(told.rpartition(" ")[2]))
    solve = told_everything if told.startswith("told everything") else told_rotation
    place = solve(model.windows(support.keypoints), support.pose)
    return [1000 * mpjpe(place.wanted(model.lift(observation.video)), observation.truth).item()]


def pretrained(budget_name: str, seed: int, folder: Path, device: str) -> TemporalLifter:
    """The network that all methods start from; trained unless it is there, whole and of this budget."""

    def there() -> bool:
        about = checkpoints.record("random-9f", folder) if "random-9f" in checkpoints.names(folder) else {}
        return about.get("budget", {}).get("name") == budget_name and not about["interrupted"]

    if not there():
        experiment.train("random-9f", budget_name, seed, folder, folder / "stages", device)
        if not there():
            raise KeyboardInterrupt("random-9f was stopped")
    return checkpoints.load("random-9f", folder=folder)


def train(name: str, budget_name: str, seed: int, folder: Path, work: Path, device: str = "auto") -> dict:
    """Prepare and test one network; what is there already is read. Returns its results."""
    if name not in METHODS:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(METHODS)}")
    budget, where = BUDGETS[budget_name], resolve_device(device)
    mocap = mocap_path() if budget_name != "smoke" else None

    def make() -> dict:
        started = time.time()
        model = pretrained(budget_name, seed, work / f"base-s{seed}", device).to(where)
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed + 2000)
        split = training_split(mocap, budget.people)
        footage = capture_clips(split.train, generator, viewpoints=budget.viewpoints).to(where)
        validation = capture_clips(split.validation, torch.Generator().manual_seed(0)).to(where)
        history = History()
        if METHODS[name].episodes != "none":
            history = second_stage(model, name, budget, footage, validation, generator).whole(name)
        model = freeze_for(name, model.to("cpu").eval())
        seconds = provenance(started, where)
        seen = validation_rigs(METHODS[name].joints, validation_test())
        rate, tried = choose_rate(model, seen, budget.chosen_at)
        record = {
            "method": name, "budget": settings(budget_name, budget), "seed": seed, "rate": rate, "tried_mm": tried,
            "validation": [[step, round(1000 * value, 2)] for step, value in history.checks], **seconds,
        }  # fmt: skip
        checkpoints.save(model, f"{name}-9f-s{seed}", record, folder)
        return record | {"errors": examine(model, name, rate, budget)}

    return once(work / f"{budget_name}-{name}-s{seed}.json", make)


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, METHODS))
    folder = chosen.folder or default_folder(f"crooked-{chosen.budget}")
    for name in chosen.names:
        done = train(name, chosen.budget, chosen.seed, folder, chosen.work or folder / "parts", chosen.device)
        for place, rows in done["errors"].items():
            steps = torch.tensor(rows["steps"]).mean(0)
            shown = " → ".join(f"{steps[i]:.0f}" for i in (0, 1, 2, 5, 10, -1) if i < len(steps))
            print(f"{name}, seed {chosen.seed}, {place}: rate {done['rate']:.3g}, {shown} mm", flush=True)


if __name__ == "__main__":
    main()
