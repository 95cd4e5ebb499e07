"""Re-train the shipped checkpoints.

    python -m tutorial_lib.lessons.meta_learning.experiment [names] [--budget shipped] [--seed 0]
    torchrun --nproc-per-node 4 -m tutorial_lib.lessons.meta_learning.experiment --budget gpu

Every first stage is kept in the work folder, so a run that was stopped goes on where it was. Several processes share
every batch; the first one chooses the test rates and writes.

How long all networks take: "shipped" hours on one CPU core. The others want a GPU, and their times are estimates from
the steps' times on one H100 (`recipes.minutes`), without what it takes to draw the batches: "gpu" 8 minutes, and 2 for
plain, random, maml, stratified and ours with 9 frames, which took 5 to 8 on a shared card; "full" 97 minutes.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from tutorial_lib import checkpoints, processes
from tutorial_lib.adaptation import draw_tasks, meta_loss
from tutorial_lib.adaptation.rate_search import tune_all
from tutorial_lib.datasets.footage import Footage, capture_clips
from tutorial_lib.datasets.splits import TRAINED_ACTIONS, mocap_path, training_split
from tutorial_lib.datasets.windows import Windows, draw_windows
from tutorial_lib.distortion import sample_stratified, sample_uniform
from tutorial_lib.experiments import command_line, default_folder, once_tensors, parse, provenance, settings, trained_on
from tutorial_lib.lessons.meta_learning.recipes import (
    BUDGETS,
    INNER_RATE,
    RECIPES,
    SELF_SUPERVISED_RATE,
    Budget,
    Recipe,
    network,
)
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter
from tutorial_lib.metrics import mpjpe, mpjpe_loss
from tutorial_lib.training import History, fit, resolve_device


def inner_rate(recipe: Recipe) -> float:
    """alpha of a recipe's episodes."""
    return INNER_RATE if recipe.inner == "supervised" else SELF_SUPERVISED_RATE


def _lens_pool(generator: torch.Generator, chunks: int = 16) -> torch.Tensor:
    """Checking draws for folds costs more than a training step, so ordinary training draws from a large pool."""
    return torch.cat([sample_uniform(512, generator=generator) for _ in range(chunks)])


def ordinary_stage(
    model: TemporalLifter | SingleFrameLifter,
    recipe: Recipe,
    footage: Footage,
    validation: Footage,
    *,
    steps: int,
    batch: int,
    rate: float,
    generator: torch.Generator,
    label: str,
) -> History:
    """Supervised training on plain windows, or on windows that each have a random lens."""
    lenses = _lens_pool(generator).to(footage.pose.device) if recipe.first == "random" else None
    source = recipe.source if lenses is not None else "detector"

    def draw(where: Footage, count: int, gen: torch.Generator) -> Windows:
        lens = None if lenses is None else lenses[torch.randint(len(lenses), (count,), generator=gen)]
        return draw_windows(where, lens, (count,), recipe.frames, generator=gen, source=source)

    def loss(step: int) -> torch.Tensor:
        model.train()
        windows, share = draw(footage, batch, generator), processes.share(batch)
        return mpjpe_loss(model.windows(windows.keypoints[share]), windows.pose[share])

    fixed = draw(validation, 4096, torch.Generator().manual_seed(1))

    def validate() -> float:
        model.eval()
        return mpjpe(model.windows(fixed.keypoints), fixed.pose).item()

    return fit(model, loss, steps, rate=rate, validate=validate, every=max(1, steps // 10), label=label)


def meta_stage(
    model: TemporalLifter | SingleFrameLifter,
    recipe: Recipe,
    footage: Footage,
    validation: Footage,
    *,
    budget: Budget,
    generator: torch.Generator,
    label: str,
) -> History:
    """MAML with one inner step, second order; the outer loss is taken on other frames of the same distortion."""
    sample = sample_stratified if recipe.stratified else sample_uniform
    alpha = inner_rate(recipe)
    model.eval()

    def episode(
        where: Footage, gen: torch.Generator, tasks: int, sampler: Callable[..., torch.Tensor], share: slice
    ) -> torch.Tensor:
        support, query = draw_tasks(
            where,
            sampler(tasks, generator=gen).to(where.pose.device),
            recipe.frames,
            support=budget.support,
            query=budget.query,
            generator=gen,
            source=recipe.source,
            one_video=recipe.inner == "self-supervised",
        )
        support, query = (Windows(part.keypoints[share], part.pose[share]) for part in (support, query))
        return meta_loss(model, support, query, rate=alpha, inner=recipe.inner)

    def validate() -> float:
        return episode(validation, torch.Generator().manual_seed(2), 32, sample_stratified, slice(None)).item()

    return fit(
        model,
        lambda step: episode(footage, generator, budget.tasks, sample, processes.share(budget.tasks)),
        budget.meta_steps,
        rate=budget.meta_rate,
        validate=validate,
        every=max(1, budget.meta_steps // 10),
        label=label,
    )


def train(name: str, budget_name: str, seed: int, folder: Path, work: Path, device: str = "auto") -> Path:
    """Train one checkpoint (or finish it from the stages already there) and write it to `folder`."""
    recipe, budget = RECIPES[name], BUDGETS[budget_name]
    where = resolve_device(device)
    mocap = mocap_path() if budget_name != "smoke" else None
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    split = training_split(mocap, budget.people)
    footage = capture_clips(split.train, generator, viewpoints=budget.takes).to(where)
    validation = capture_clips(split.validation, torch.Generator().manual_seed(0)).to(where)
    model = network(recipe, budget).to(where)

    source = recipe.source if recipe.first == "random" else "detector"
    stage = f"{budget_name}-s{seed}-{recipe.first}-{source}-{recipe.frames}f"
    started = time.time()

    def first_stage() -> dict[str, torch.Tensor]:
        ordinary_stage(
            model, recipe, footage, validation,
            steps=budget.first_steps, batch=budget.batch, rate=budget.rate, generator=generator, label=stage,
        ).whole(stage)  # fmt: skip
        return model.state_dict()

    model.load_state_dict(once_tensors(work / f"{stage}.safetensors", first_stage))
    # The second stage draws the same numbers whether or not the first was read from disk.
    generator.manual_seed(seed + 1000)
    torch.manual_seed(seed + 1000)  # dropout draws from torch's own
    if recipe.second == "maml":
        history = meta_stage(
            model, recipe, footage, validation, budget=budget, generator=generator, label=f"{name} episodes"
        )
    else:
        history = ordinary_stage(
            model, recipe, footage, validation,
            steps=budget.second_steps, batch=budget.batch, rate=budget.meta_rate, generator=generator, label=name,
        )  # fmt: skip
    record = {
        "recipe": asdict(recipe),
        "budget": settings(budget_name, budget) | {"second_steps": budget.second_steps},
        "inner_rate": inner_rate(recipe),
        "seed": seed,
        "data": trained_on(mocap, f"{budget.people} people x {', '.join(TRAINED_ACTIONS)}", len(footage)),
        "validation_mpjpe_m": history.best,
        "interrupted": history.interrupted,
        **provenance(started, where),
    }
    if processes.is_first():
        checkpoints.save(model, name, record, folder)
    processes.agreed(True)  # it is written
    return folder / f"{name}.safetensors"


def train_all(budget_name: str, seed: int, device: str = "auto") -> Path:
    """Train every recipe and choose its test rates, in `output_folder()`; what is there already stays.

    Args:
        budget_name: one of `BUDGETS`.
        seed: of every training.
        device: where to train.

    Returns:
        The folder, for `checkpoints.load(name, folder=...)`.
    """
    folder = default_folder(f"adaptation-{budget_name}-seed{seed}")
    for name in RECIPES:
        if name not in checkpoints.names(folder) or checkpoints.record(name, folder).get("interrupted"):
            train(name, budget_name, seed, folder, folder / "stages", device)
    tune_all([name for name in RECIPES if "test_rates" not in checkpoints.record(name, folder)], folder, device)
    return folder


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, RECIPES, several=True))
    folder = chosen.folder or default_folder(f"adaptation-{chosen.budget}-seed{chosen.seed}")
    work = chosen.work or default_folder(f"adaptation-{chosen.budget}-seed{chosen.seed}") / "stages"
    for name in chosen.names:
        path = train(name, chosen.budget, chosen.seed, folder, work, chosen.device)
        reached = 1000 * checkpoints.record(name, folder)["validation_mpjpe_m"]
        if processes.is_first():
            print(f"{name}: validation {reached:.1f} mm, {path}")
    if processes.is_first():
        tune_all(chosen.names, folder, chosen.device)


if __name__ == "__main__":
    main()
