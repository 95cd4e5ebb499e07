"""Train lesson 04's networks.

    python -m tutorial_lib.lessons.temporal_lifting.experiment [names] [--budget shipped] [--seed 0]

Two families, in `checkpoints/temporal/`:

- *lifters*: the single-frame network and 9 to 243 frames, centred and causal; equal budgets, one detector.
- *few labels*: a share of the footage has labels. "supervised" learns from that share alone, "semi" also from the rest
  without its labels. True keypoints, as in the paper's experiment.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from tutorial_lib import checkpoints
from tutorial_lib.datasets.splits import TRAINED_ACTIONS, mocap_path
from tutorial_lib.datasets.videos import Video, human36m_videos, is_human36m, videos_under_test
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.distortion import PRESETS, Lens, as_lens
from tutorial_lib.experiments import command_line, default_folder, parse, provenance, settings, trained_on
from tutorial_lib.keypoint_files import human36m
from tutorial_lib.lessons.temporal_lifting.material import MixedFootage, lifter_footage, material, split_labels
from tutorial_lib.lessons.temporal_lifting.recipes import (
    BUDGETS,
    RECIPES,
    Budget,
    FewRecipe,
    LensRecipe,
    LifterRecipe,
)
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, lift_videos
from tutorial_lib.lifting.semi_supervised import joint_losses
from tutorial_lib.metrics import mpjpe, mpjpe_loss
from tutorial_lib.metrics.by_action import average, per_action
from tutorial_lib.training import History, fit, resolve_device


def train_lifter(
    recipe: LifterRecipe,
    budget: Budget,
    footage: tuple[MixedFootage, MixedFootage],
    generator: torch.Generator,
    where: torch.device,
    label: str,
    *,
    half: bool = False,
) -> tuple[nn.Module, History]:
    """One network of the first family and the history of its training.

    Args:
        recipe: which.
        budget: how long.
        footage: to train on, and to validate with.
        generator: of the batches.
        where: the device.
        label: of the progress bar.
        half: the layers compute in bfloat16, the loss does not: half the time where the processor knows it.
    """
    parts, validation = footage
    fixed = validation.draw(2048, recipe.frames, torch.Generator().manual_seed(2), recipe.causal)
    if recipe.frames == 1:
        model = SingleFrameLifter(budget.single_channels, dropout=budget.dropout)
    else:
        model = TemporalLifter(recipe.frames, budget.channels, causal=recipe.causal, dropout=budget.dropout)
    model.to(where)

    def loss(step: int) -> torch.Tensor:
        model.train()
        windows = parts.draw(budget.batch, recipe.frames, generator, recipe.causal)
        with torch.autocast(where.type, torch.bfloat16, enabled=half):
            pose = model.windows(windows.keypoints.to(where))
        return mpjpe_loss(pose.float(), windows.pose.to(where))

    return model, _fit(model, model, loss, fixed, budget.steps, budget.rate, label)


def footage_of(clips: tuple[list, list], generator: torch.Generator) -> tuple[MixedFootage, MixedFootage]:
    """What the first family trains on and is validated with; the validation is the same whatever the generator."""
    train_clips, validation_clips = clips
    return (
        lifter_footage(train_clips, generator),
        lifter_footage(validation_clips, torch.Generator().manual_seed(1), (1.0,)),
    )


def train_few(
    recipe: FewRecipe, budget: Budget, seed: int, clips: tuple, generator: torch.Generator, where: torch.device,
    label: str,
) -> tuple[nn.Module, History, int]:  # fmt: skip
    """The pose model of a pair of the second family, the history of the training, the number of labelled pieces."""
    train_clips, validation_clips = clips
    labelled = lifter_footage(split_labels(train_clips, recipe.share, seed), generator, (0.0,))
    unlabelled = lifter_footage(train_clips, generator, (0.0,)) if recipe.semi else None
    fixed = lifter_footage(validation_clips, torch.Generator().manual_seed(1), (0.0,)).draw(
        2048, budget.few_frames, torch.Generator().manual_seed(2)
    )
    pose_model, trajectory_model = (
        TemporalLifter(budget.few_frames, budget.few_channels, dropout=budget.dropout, outputs=outputs).to(where)
        for outputs in (17, 1)
    )
    pair = nn.ModuleList([pose_model, trajectory_model])
    warm_up = int(budget.warm_up * budget.few_steps)
    lens = as_lens(PRESETS[recipe.lens].to(where)) if isinstance(recipe, LensRecipe) else None
    known = lens if isinstance(recipe, LensRecipe) and recipe.knows else None

    def draw(parts: MixedFootage, lens: Lens | None = None) -> Windows:
        drawn = parts.draw(budget.few_batch, budget.few_frames, generator, lens=lens)
        return Windows(*(value.to(where) for value in (drawn.keypoints, drawn.pose, drawn.root) if value is not None))

    def loss(step: int) -> torch.Tensor:
        pair.train()
        seen = draw(labelled)
        if unlabelled is None:
            return mpjpe_loss(pose_model.windows(seen.keypoints), seen.pose)
        more = draw(unlabelled, lens).keypoints if step >= warm_up else None
        return joint_losses(pose_model, trajectory_model, seen, more, lens=known, norm=recipe.norm).total

    return pose_model, _fit(pair, pose_model, loss, fixed, budget.few_steps, budget.rate, label), len(labelled)


def _fit(
    trained: nn.Module,
    lifter: TemporalLifter | SingleFrameLifter,
    loss: Callable,
    fixed: Windows,
    steps: int,
    rate: float,
    label: str,
) -> History:
    """Fit; ten times on the way the lifter is validated on the same windows."""
    where = next(lifter.parameters()).device

    def validate() -> float:
        lifter.eval()
        parts = [lifter.windows(part.to(where)) for part in fixed.keypoints.split(256)]
        return mpjpe(torch.cat(parts), fixed.pose.to(where)).item()

    return fit(trained, loss, steps, rate=rate, validate=validate, every=max(1, steps // 10), label=label)


def train(
    name: str,
    budget_name: str,
    seed: int,
    folder: Path,
    device: str = "auto",
    videos: list[Video] | None = None,
) -> Path:
    """Train one checkpoint and write it to `folder`/temporal.

    Args:
        name: one of `RECIPES`.
        budget_name: one of `BUDGETS`.
        seed: of weights, footage and batches.
        folder: gets `temporal/`.
        device: where to train.
        videos: to train on instead of the course's own motion, such as Human3.6M's.

    Raises:
        KeyboardInterrupt: if the student stopped the training; then nothing is written.
    """
    recipe, budget, where = RECIPES[name], BUDGETS[budget_name], resolve_device(device)
    mocap = mocap_path() if budget_name != "smoke" else None
    started = time.time()
    clips = material(budget, mocap, videos)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    if isinstance(recipe, LifterRecipe):
        footage = footage_of(clips, generator)
        model, history = train_lifter(recipe, budget, footage, generator, where, name)
        pieces = len(footage[0])
    else:
        model, history, pieces = train_few(recipe, budget, seed, clips, generator, where, name)
    history.whole(name)
    if videos is None:
        data = trained_on(mocap, f"{budget.people} people x {', '.join(TRAINED_ACTIONS)}", pieces)
    else:
        data = {"videos": sorted({video.subject for video in videos}), "pieces": pieces}
    record = {
        "recipe": asdict(recipe),
        "budget": settings(budget_name, budget),
        "seed": seed,
        "data": data,
        "validation_mpjpe_m": history.best,
        **provenance(started, where),
    }
    return checkpoints.save(model, f"temporal/{name}", record, folder)


def examine(names: list[str], folder: Path, seeds: int = 5) -> None:
    """Test on real actors that no training saw, and write the result into each JSON.

    Without the optional motion capture nothing happens: the lesson then says so.
    """
    mocap = mocap_path()
    if mocap is None:
        print("no motion capture at hand: the test with real actors is left out")
        return
    noises = {name: 1.0 if isinstance(RECIPES[name], LifterRecipe) else 0.0 for name in names}
    videos = {
        noise: [videos_under_test(str(mocap), seed, noise, limit=20) for seed in range(seeds)]
        for noise in set(noises.values())
    }
    for name, noise in noises.items():
        model, about = (
            checkpoints.load(f"temporal/{name}", folder=folder),
            checkpoints.record(f"temporal/{name}", folder),
        )
        results = [per_action(lift_videos(model, taken)) for taken in videos[noise]]
        about["real_actors"] = {
            "detector_noise": noise,
            "mpjpe_mm": [round(average(result), 2) for result in results],
            "p_mpjpe_mm": [round(average(result, "p_mpjpe"), 2) for result in results],
            "mpjve_mm_per_frame": [round(average(result, "mpjve"), 3) for result in results],
        }
        architecture = {key: about.pop(key) for key in ("name", "architecture")}["architecture"]
        checkpoints.store(model.state_dict(), f"temporal/{name}", architecture, about, folder)


def train_all(
    budget_name: str, seed: int, device: str = "auto", motion: str = "builtin", *, trust: bool = False
) -> Path:
    """Train and examine every recipe, in `output_folder()`; what is there already stays.

    Args:
        budget_name: one of `BUDGETS`.
        seed: of every training.
        device: where to train.
        motion: Human3.6M's files are trained on by the papers' protocol; anything else only tests.
        trust: whether Human3.6M's pickles may be read.

    Returns:
        The folder, for `checkpoints.load(name, folder=...)`.
    """
    real = is_human36m(motion)
    folder = default_folder(f"temporal-{budget_name}-seed{seed}{'-h36m' if real else ''}")
    videos = human36m_videos(motion, human36m.TRAIN_SUBJECTS, trust=trust) if real else None
    missing = [name for name in RECIPES if name not in checkpoints.names(folder / "temporal")]
    for name in missing:
        train(name, budget_name, seed, folder, device, videos)
    if missing:
        examine(missing, folder)
    return folder


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, RECIPES, parts=False))
    folder = chosen.folder or default_folder(f"temporal-{chosen.budget}-seed{chosen.seed}")
    for name in chosen.names:
        path = train(name, chosen.budget, chosen.seed, folder, chosen.device)
        reached = 1000 * checkpoints.record(f"temporal/{name}", folder)["validation_mpjpe_m"]
        print(f"{name}: validation {reached:.1f} mm, {path}")
    examine(chosen.names, folder)


if __name__ == "__main__":
    main()
