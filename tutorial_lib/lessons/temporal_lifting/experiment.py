"""Train lesson 04's networks.

    python -m tutorial_lib.lessons.temporal_lifting.experiment [names] [--budget shipped] [--seed 0]

Two families, in `checkpoints/temporal/`:

- *lifters*: the single-frame network and 9 to 243 frames, centred and causal; equal budgets, one detector.
- *few labels*: a share of the footage has labels. "supervised" learns from that share alone, "semi" also from the rest
  without its labels. True keypoints, as in the paper's experiment.
"""

import argparse
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import from_screen
from tutorial_lib.datasets.footage import Footage, capture, cut, join
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED, mocap_path, training_split
from tutorial_lib.datasets.videos import Video, human36m_videos, is_human36m, videos_under_test
from tutorial_lib.datasets.windows import Windows, draw_windows
from tutorial_lib.keypoint_files import human36m
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, lift_videos
from tutorial_lib.lifting.semi_supervised import joint_losses
from tutorial_lib.metrics import mpjpe
from tutorial_lib.metrics.by_action import average, per_action
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.training import fit, resolve_device

LENGTHS = (243, 122, 81)
"""Frames of a piece. Motion capture comes in takes of many lengths: each is cut into the longest that fits."""

NOISE_LEVELS = (0.5, 1.0, 2.0)
"""Every piece is captured once with each detector (1: the course's ordinary one)."""


@dataclass(frozen=True)
class Budget:
    """How long, how wide. `few_`: of the networks that learn from few labels."""

    channels: int
    single_channels: int
    steps: int
    batch: int
    people: int
    few_channels: int
    few_frames: int
    few_steps: int
    few_batch: int
    warm_up: float = 0.2
    dropout: float = 0.05
    rate: float = 3e-3


BUDGETS = {
    "shipped": Budget(128, 256, 8000, 128, 24, 64, 27, 5000, 64),
    # For a machine with a GPU: the paper's widths and batches.
    "full": Budget(1024, 1024, 60000, 1024, 200, 1024, 27, 40000, 64, dropout=0.25, rate=1e-3),
    # Proves that every recipe runs; the networks are worth nothing.
    "smoke": Budget(8, 8, 3, 4, 1, 8, 9, 4, 4),
}


@dataclass(frozen=True)
class LifterRecipe:
    """A lifter of the first family; 1 frame is the single-frame network."""

    frames: int
    causal: bool = False


@dataclass(frozen=True)
class FewRecipe:
    """A pair of networks of the second family.

    Attributes:
        share: of the footage that has labels, from 0 to 1.
        semi: whether the rest is used without its labels.
        norm: of the bone-length term.
    """

    share: float
    semi: bool
    norm: str = "l1"


SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
L2_SHARE = 0.03
"""Where the two norms of the bone-length term are compared."""


def few_name(share: float, semi: bool, norm: str = "l1") -> str:
    """ "few-10-semi": the name of a network that learned from few labels."""
    return f"few-{100 * share:g}-{'semi' if semi else 'supervised'}" + ("" if norm == "l1" else f"-{norm}")


RECIPES: dict[str, LifterRecipe | FewRecipe] = {
    "lifter-1f": LifterRecipe(1),
    "lifter-9f": LifterRecipe(9),
    "lifter-27f": LifterRecipe(27),
    "lifter-81f": LifterRecipe(81),
    "lifter-243f": LifterRecipe(243),
    "causal-27f": LifterRecipe(27, causal=True),
    **{few_name(share, semi): FewRecipe(share, semi) for share in SHARES for semi in (False, True)},
    few_name(L2_SHARE, True, "l2"): FewRecipe(L2_SHARE, True, "l2"),
}


def pieces_of(clips: list[Clip]) -> list[list[Clip]]:
    """Clips cut into pieces, one list for each of `LENGTHS`; a clip gives pieces of the longest that fits it."""
    groups: list[list[Clip]] = [[] for _ in LENGTHS]
    for clip in clips:
        for group, length in zip(groups, LENGTHS):
            if len(clip.positions) >= length:
                group += cut([clip], length, max(1, length * 2 // 3))
                break
    return [group for group in groups if group]


class MixedFootage:
    """Footage whose clips have several lengths; a batch takes windows from each in proportion to its frames.

    Raises:
        ValueError: no footage.
    """

    def __init__(self, parts: list[Footage]):
        if not parts:
            raise ValueError(f"parts is empty: no clip has the {LENGTHS[-1]} frames of the shortest piece")
        self.parts = parts
        frames = [part.pose.shape[0] * part.pose.shape[1] for part in parts]
        self.shares = [count / sum(frames) for count in frames]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def draw(self, count: int, frames: int, generator: torch.Generator, causal: bool = False) -> Windows:
        """`count` windows of `frames` frames."""
        edges = [round(count * sum(self.shares[:i])) for i in range(len(self.parts) + 1)]
        drawn = [
            draw_windows(part, None, (end - start,), frames, generator=generator, causal=causal)
            for part, start, end in zip(self.parts, edges, edges[1:])
            if end > start
        ]
        return Windows(*(torch.cat([getattr(some, key) for some in drawn]) for key in ("keypoints", "pose", "root")))


def footage_of_videos(videos: list[Video]) -> MixedFootage:
    """Videos that exist already, cut into pieces; those shorter than the shortest piece are left out."""
    pieces: dict[int, list[Footage]] = {length: [] for length in LENGTHS}
    for video in videos:
        length = next((length for length in LENGTHS if len(video.pose) >= length), None)
        for start in range(0, len(video.pose) - length + 1, length * 2 // 3) if length else ():
            part = slice(start, start + length)
            detected = from_screen(video.keypoints[None, part])
            pieces[length].append(Footage(video.pose[None, part], detected, (video.subject,), (video.action,)))
    return MixedFootage([join(same) for same in pieces.values() if same])


def lifter_footage(clips: list[Clip] | list[Video], generator: torch.Generator, noises=NOISE_LEVELS) -> MixedFootage:
    """Every piece, seen by each detector from another viewpoint; videos stay as they are."""
    if isinstance(clips[0], Video):
        return footage_of_videos(clips)
    return MixedFootage(
        [join([capture(group, generator=generator, noise=noise) for noise in noises]) for group in pieces_of(clips)]
    )


def split_labels(clips: list[Clip] | list[Video], share: float, seed: int) -> list[Clip] | list[Video]:
    """Whose motion has labels: whole people one after another (in an order that `seed` draws), then part of the next.

    A smaller share is contained in a larger one. The last clip is cut, but gives one piece at least.

    Raises:
        ValueError: share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}, expected a number in (0, 1]")
    people = sorted({clip.subject for clip in clips})
    order = [people[i] for i in torch.randperm(len(people), generator=torch.Generator().manual_seed(seed)).tolist()]
    ranked = sorted(clips, key=lambda clip: order.index(clip.subject))
    wanted = share * sum(_length(clip) for clip in ranked)
    labelled, have = [], 0
    for clip in ranked:
        if have >= wanted:
            break
        kept = min(_length(clip), max(math.ceil(wanted - have), LENGTHS[-1]))
        labelled.append(_beginning(clip, kept))
        have += kept
    return labelled


def _length(clip: Clip | Video) -> int:
    return len(clip.pose if isinstance(clip, Video) else clip.positions)


def _beginning(clip: Clip | Video, frames: int) -> Clip | Video:
    if isinstance(clip, Video):
        return replace(clip, keypoints=clip.keypoints[:frames], pose=clip.pose[:frames])
    return replace(clip, positions=clip.positions[:frames])


def material(budget: Budget, mocap: Path | None, taken: list[Video] | None = None):
    """(train, validation): clips, or videos that were given; the invented people move for 300 frames, enough for 243.

    Of given videos every twentieth validates: the papers' protocol has no validation set.
    """
    if taken is not None:
        return [v for i, v in enumerate(taken) if i % 20], taken[::20]
    split = training_split(mocap, 1)
    real = [[clip for clip in side if clip.source != "builtin"] for side in (split.train, split.validation)]
    invented = (
        builtin(TRAIN_SEED, budget.people, TRAINED_ACTIONS, 300),
        builtin(VALIDATION_SEED, 4, TRAINED_ACTIONS, 300),
    )
    return invented[0] + real[0], invented[1] + real[1]


def train_lifter(name: str, recipe: LifterRecipe, budget: Budget, seed: int, clips: tuple, device: str):
    """One network of the first family, the history of its training, the number of pieces."""
    where = resolve_device(device)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    train_clips, validation_clips = clips
    parts = lifter_footage(train_clips, generator)
    fixed = lifter_footage(validation_clips, torch.Generator().manual_seed(1), (1.0,)).draw(
        2048, recipe.frames, torch.Generator().manual_seed(2), recipe.causal
    )
    if recipe.frames == 1:
        model = SingleFrameLifter(budget.single_channels, dropout=budget.dropout)
    else:
        model = TemporalLifter(recipe.frames, budget.channels, causal=recipe.causal, dropout=budget.dropout)
    model.to(where)

    def loss(step: int) -> torch.Tensor:
        model.train()
        windows = parts.draw(budget.batch, recipe.frames, generator, recipe.causal)
        return mpjpe(model.windows(windows.keypoints.to(where)), windows.pose.to(where))

    def validate() -> float:
        model.eval()
        parts = [model.windows(part.to(where)) for part in fixed.keypoints.split(256)]
        return mpjpe(torch.cat(parts), fixed.pose.to(where)).item()

    every = max(1, budget.steps // 10)
    history = fit(model, loss, budget.steps, rate=budget.rate, validate=validate, every=every, label=name)
    return model, history, len(parts)


def train_few(name: str, recipe: FewRecipe, budget: Budget, seed: int, clips: tuple, device: str):
    """The pose model of a pair of the second family, the history of the training, the number of labelled shots."""
    where = resolve_device(device)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    train_clips, validation_clips = clips
    labelled = lifter_footage(split_labels(train_clips, recipe.share, seed), generator, (0.0,))
    unlabelled = lifter_footage(train_clips, generator, (0.0,)) if recipe.semi else None
    fixed = lifter_footage(validation_clips, torch.Generator().manual_seed(1), (0.0,)).draw(
        2048, budget.few_frames, torch.Generator().manual_seed(2)
    )
    pair = torch.nn.ModuleList(
        TemporalLifter(budget.few_frames, budget.few_channels, dropout=budget.dropout, outputs=outputs)
        for outputs in (17, 1)
    ).to(where)
    pose_model, trajectory_model = pair
    warm_up = int(budget.warm_up * budget.few_steps)

    def draw(parts: MixedFootage) -> Windows:
        drawn = parts.draw(budget.few_batch, budget.few_frames, generator)
        return Windows(drawn.keypoints.to(where), drawn.pose.to(where), drawn.root.to(where))

    def loss(step: int) -> torch.Tensor:
        pair.train()
        seen = draw(labelled)
        if unlabelled is None:
            return mpjpe(pose_model.windows(seen.keypoints), seen.pose)
        more = draw(unlabelled).keypoints if step >= warm_up else None
        return joint_losses(pose_model, trajectory_model, seen, more, norm=recipe.norm).total

    def validate() -> float:
        pose_model.eval()
        parts = [pose_model.windows(part.to(where)) for part in fixed.keypoints.split(256)]
        return mpjpe(torch.cat(parts), fixed.pose.to(where)).item()

    every = max(1, budget.few_steps // 10)
    history = fit(pair, loss, budget.few_steps, rate=budget.rate, validate=validate, every=every, label=name)
    return pose_model, history, len(labelled)


def train(
    name: str,
    budget_name: str = "shipped",
    seed: int = 0,
    folder: Path = checkpoints.FOLDER,
    device: str = "auto",
    taken: list[Video] | None = None,
) -> Path:
    """Train one checkpoint and write it to `folder`/temporal.

    Args:
        taken: videos to train on instead of the course's own motion, such as Human3.6M's.

    Raises:
        KeyboardInterrupt: if the student stopped the training; then nothing is written.
    """
    recipe, budget = RECIPES[name], BUDGETS[budget_name]
    mocap = mocap_path() if budget_name != "smoke" else None
    started = time.time()
    work = train_lifter if isinstance(recipe, LifterRecipe) else train_few
    model, history, pieces = work(name, recipe, budget, seed, material(budget, mocap, taken), device)
    if history.interrupted:  # half a training on disk would be taken for a whole one
        raise KeyboardInterrupt(f"{name} was stopped")
    record = {
        "recipe": asdict(recipe),
        "budget": {"name": budget_name, **asdict(budget)},
        "seed": seed,
        "data": {
            "builtin": f"{budget.people} people x {', '.join(TRAINED_ACTIONS)}",
            "mocap": None if mocap is None else "CMU, actors of splits.MOCAP_TEST_SUBJECTS left out",
            "shots": pieces,
            "credit": None if mocap is None else checkpoints.CREDIT,
        }
        if taken is None
        else {"videos": sorted({video.subject for video in taken}), "shots": pieces},
        "validation_mpjpe_m": history.best,
        "seconds_of_this_run": round(time.time() - started),
    }
    return checkpoints.save(model, f"temporal/{name}", record, folder)


def examine(names: list[str], folder: Path = checkpoints.FOLDER, seeds: int = 5) -> None:
    """Test on real actors that no training saw, and write the result into each JSON.

    Without the optional motion capture nothing happens: the lesson then says so.
    """
    mocap = mocap_path()
    if mocap is None:
        print("no motion capture at hand: the test with real actors is left out")
        return
    noises = {name: 1.0 if isinstance(RECIPES[name], LifterRecipe) else 0.0 for name in names}
    filmed = {
        noise: [videos_under_test(str(mocap), seed, noise, limit=20) for seed in range(seeds)]
        for noise in set(noises.values())
    }
    for name, noise in noises.items():
        model, about = (read(f"temporal/{name}", folder=folder) for read in (checkpoints.load, checkpoints.record))
        results = [per_action(lift_videos(model, taken)) for taken in filmed[noise]]
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
    """Train every recipe for the lesson's full profile; what is there already stays.

    Args:
        motion: Human3.6M's files are trained on by the papers' protocol; anything else only tests.

    Returns:
        The folder in `build/`, for `checkpoints.load(name, folder=...)`.
    """
    real = is_human36m(motion)
    build = checkpoints.FOLDER.parents[1] / "build" / "checkpoints"
    folder = build / f"{budget_name}-seed{seed}{'-h36m' if real else ''}"
    taken = human36m_videos(motion, human36m.TRAIN_SUBJECTS, trust=trust) if real else None
    missing = [name for name in RECIPES if name not in checkpoints.names(folder / "temporal")]
    for name in missing:
        train(name, budget_name, seed, folder, device, taken)
    if missing:
        examine(missing, folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(RECIPES)} (default: all)")
    parser.add_argument("--budget", choices=BUDGETS, default="shipped")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=checkpoints.FOLDER)
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in RECIPES]
    if unknown:
        parser.error(f"names {unknown} are unknown, choose from {', '.join(RECIPES)}")
    torch.set_num_threads(1)
    for name in chosen.names or RECIPES:
        path = train(name, chosen.budget, chosen.seed, chosen.folder, chosen.device)
        reached = 1000 * checkpoints.record(f"temporal/{name}", chosen.folder)["validation_mpjpe_m"]
        print(f"{name}: validation {reached:.1f} mm, {path}")
    examine(chosen.names or list(RECIPES), chosen.folder)


if __name__ == "__main__":
    main()
