"""Videos to test lifters of any receptive field with: people and motions that no training saw, captured as they are.

The same videos for every network; another detector on request, with errors that have the same
pattern and another size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tutorial_lib.camera import from_screen, to_screen
from tutorial_lib.datasets.footage import capture
from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, TEST_SEED, TRAINED_ACTIONS, file_split
from tutorial_lib.keypoint_files import human36m
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip

PEOPLE = 2
"""Invented people of one seed; each does every held-out action."""

TEST_FRAMES = 300
"""Frames of an invented clip: longer than the longest receptive field."""


@dataclass(frozen=True)
class Video:
    """One person before one camera for as long as it took.

    Attributes:
        keypoints: (T, 17, 2) screen coordinates, what a detector reported.
        pose: (T, 17, 3) metres, camera frame, absolute: the truth.
        subject, action: names.
    """

    keypoints: torch.Tensor
    pose: torch.Tensor
    subject: str
    action: str


def capture_videos(clips: list[Clip], *, generator: torch.Generator, noise: float = 1.0) -> list[Video]:
    """Capture whole clips of any length, each from a random viewpoint.

    Another `noise` with the same generator state gives the same viewpoints and errors of another size.
    """
    captured = [capture([clip], generator=generator, noise=noise) for clip in clips]
    return [Video(to_screen(f.detected[0]), f.pose[0], f.subjects[0], f.actions[0]) for f in captured]


def clips_under_test(motion: str = "builtin", seed: int = 0, known: bool = False) -> list[Clip]:
    """Clips of people that no training saw.

    Args:
        motion: "builtin", or a motion file (its test people, as in `splits.file_split`).
        seed: another seed, other invented people.
        known: they do what others did in the training, as in the papers' protocol; otherwise the motions are new, too.
            A motion file decides that by itself.
    """
    if motion == "builtin":
        first = PEOPLE * seed
        actions = TRAINED_ACTIONS if known else HELD_OUT_ACTIONS
        return builtin(TEST_SEED, range(first, first + PEOPLE), actions, TEST_FRAMES)
    return file_split(motion, seed).test


def is_human36m(motion: str) -> bool:
    """Whether a `MOTION` parameter names Human3.6M's files, or a folder with them."""
    path = Path(motion)
    return path.name.startswith(("data_3d_h36m", "data_2d_h36m")) or (path / "data_3d_h36m.npz").is_file()


def human36m_videos(motion: str, subjects: Sequence[str], *, trust: bool = False) -> list[Video]:
    """Human3.6M's takes, four cameras each, with keypoints as the course's own camera would show them.

    Their long lenses become the course's wide one by the known focal length and principal point; distortion stays.

    Args:
        motion: the files, or a folder with them.
        subjects: whose takes.
        trust: as in `videos_under_test`.

    Raises:
        ValueError: without `trust`; otherwise as `human36m.load`.
    """
    three_d, two_d = human36m.find(motion)
    found = human36m.load(three_d, two_d, allow_pickle=trust, subjects=subjects)
    return [
        Video(to_screen(from_screen(take.keypoints, take.view.camera)), take.pose, take.subject, take.action)
        for take in found
    ]


def videos_under_test(
    motion: str = "builtin",
    seed: int = 0,
    noise: float = 1.0,
    *,
    known: bool = False,
    limit: int = 40,
    trust: bool = False,
) -> list[Video]:
    """The test videos of one seed.

    Args:
        motion: "builtin", a motion file, or Human3.6M's `data_3d_h36m.npz`, then with its own cameras and, where a
            `data_2d_h36m_*.npz` lies beside it, its own detections: subjects S9 and S11, as the papers test.
        seed: decides people, viewpoints, the detector's errors, and which clips where there are more than `limit`.
        noise: of the simulated detector; real detections stay as they are.
        known: as in `clips_under_test`.
        limit: at most so many videos, drawn at random.
        trust: Human3.6M's files hold pickled Python objects: reading them runs any code their author put in.
    """
    generator = torch.Generator().manual_seed(seed)
    if is_human36m(motion):
        found = human36m_videos(motion, human36m.TEST_SUBJECTS, trust=trust)
        return [found[i] for i in torch.randperm(len(found), generator=generator)[:limit].sort().values.tolist()]
    clips = clips_under_test(motion, seed, known)
    chosen = torch.randperm(len(clips), generator=generator)[:limit].sort().values.tolist()
    return capture_videos([clips[i] for i in chosen], generator=generator, noise=noise)
