"""The footage lesson 04's networks learn from: takes of many lengths, cut into pieces; a share of it with labels."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from tutorial_lib.camera import from_screen
from tutorial_lib.datasets.footage import Footage, capture, cut, join
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED, training_split
from tutorial_lib.datasets.videos import Video
from tutorial_lib.datasets.windows import Windows, draw_windows
from tutorial_lib.distortion import Lens
from tutorial_lib.lessons.temporal_lifting.recipes import Budget
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip

LENGTHS = (243, 122, 81)
"""Frames of a piece. Motion capture comes in takes of many lengths: each is cut into the longest that fits."""

NOISE_LEVELS = (0.5, 1.0, 2.0)
"""Every piece is captured once with each detector (1: the course's ordinary one)."""


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

    def draw(
        self, count: int, frames: int, generator: torch.Generator, causal: bool = False, lens: Lens | None = None
    ) -> Windows:
        """`count` windows of `frames` frames, seen through a lens if there is one."""
        edges = [round(count * sum(self.shares[:i])) for i in range(len(self.parts) + 1)]
        drawn = [
            draw_windows(part, lens, (end - start,), frames, generator=generator, causal=causal)
            for part, start, end in zip(self.parts, edges, edges[1:])
            if end > start
        ]
        return Windows(*(torch.cat([getattr(some, key) for some in drawn]) for key in ("keypoints", "pose", "root")))


def footage_of_videos(videos: list[Video]) -> MixedFootage:
    """Videos that exist already, cut into pieces; those shorter than the shortest piece are left out."""
    pieces: dict[int, list[Footage]] = {length: [] for length in LENGTHS}
    for video in videos:
        length = next((length for length in LENGTHS if len(video.pose) >= length), 0)
        for start in range(0, len(video.pose) - length + 1, length * 2 // 3) if length else ():
            part = slice(start, start + length)
            detected = from_screen(video.keypoints[None, part])
            pieces[length].append(Footage(video.pose[None, part], detected, (video.subject,), (video.action,)))
    return MixedFootage([join(same) for same in pieces.values() if same])


def lifter_footage(
    clips: list[Clip] | list[Video], generator: torch.Generator, noises: Sequence[float] = NOISE_LEVELS
) -> MixedFootage:
    """Every piece, seen by each detector from another viewpoint; videos stay as they are."""
    videos = [video for video in clips if isinstance(video, Video)]
    if videos:
        return footage_of_videos(videos)
    pieces = pieces_of([clip for clip in clips if isinstance(clip, Clip)])
    return MixedFootage(
        [join([capture(group, generator=generator, noise=noise) for noise in noises]) for group in pieces]
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


def material(budget: Budget, mocap: Path | None, taken: list[Video] | None = None) -> tuple[list, list]:
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
