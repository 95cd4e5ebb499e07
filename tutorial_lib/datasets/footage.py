"""Filming motion: clips in the world become footage, what cameras saw and what a frozen detector made of it."""

from dataclasses import dataclass

import torch

from tutorial_lib.camera import from_screen, random_viewpoints, to_plane, to_screen, world_to_camera
from tutorial_lib.datasets.detector import detect
from tutorial_lib.distortion import distort
from tutorial_lib.motion.clip import Clip

SHOT = 81
"""Frames of a shot: 1.6 s at 50 Hz, three times the longest receptive field of these lessons."""


@dataclass(frozen=True)
class Footage:
    """Shots of equal length, each of one person by one fixed camera without a lens.

    Attributes:
        pose: (shots, frames, 17, 3) metres, camera frame, absolute.
        detected: (shots, frames, 17, 2) plane coordinates that the frozen detector reports without distortion.
        subjects, actions: one name a shot.
    """

    pose: torch.Tensor
    detected: torch.Tensor
    subjects: tuple[str, ...]
    actions: tuple[str, ...]

    def __len__(self) -> int:
        return self.pose.shape[0]

    def select(self, shots: list[int]) -> "Footage":
        """The footage of some shots, by index."""
        return Footage(
            self.pose[shots],
            self.detected[shots],
            tuple(self.subjects[i] for i in shots),
            tuple(self.actions[i] for i in shots),
        )

    def to(self, device: torch.device) -> "Footage":
        """The same footage on another device."""
        return Footage(self.pose.to(device), self.detected.to(device), self.subjects, self.actions)


def cut(clips: list[Clip], frames: int, stride: int | None = None) -> list[Clip]:
    """Pieces of exactly `frames` frames, one every `stride` (default: `frames`); shorter clips are left out.

    Raises:
        ValueError: frames or stride below 1, or no clip is long enough.
    """
    stride = frames if stride is None else stride
    if frames < 1 or stride < 1:
        raise ValueError(f"frames={frames}, stride={stride}: expected at least 1 of each")
    pieces = [
        Clip(clip.positions[start : start + frames], clip.fps, clip.subject, clip.action, clip.source)
        for clip in clips
        for start in range(0, len(clip.positions) - frames + 1, stride)
    ]
    if not pieces:
        longest = max((len(c.positions) for c in clips), default=0)
        raise ValueError(f"clips: none has {frames} frames (the longest has {longest}); give longer motion")
    return pieces


def film(clips: list[Clip], *, generator: torch.Generator, noise: float = 1.0) -> Footage:
    """Put a random camera in front of every clip and run the frozen detector on the undistorted picture.

    Args:
        clips: all of one length (see `cut`).
        generator: decides viewpoints and the detector's errors.
        noise: of the detector; 0 gives the true projection.

    Raises:
        ValueError: no clips, clips of different lengths, or one that fits in no picture.
    """
    lengths = {len(clip.positions) for clip in clips}
    if len(lengths) != 1:
        raise ValueError(f"clips have the lengths {sorted(lengths)[:5]}, expected one: use footage.cut first")
    positions = torch.stack([clip.positions for clip in clips]).float()
    camera = random_viewpoints(positions, generator=generator)
    pose = world_to_camera(positions, camera)
    seen = detect(to_screen(to_plane(pose), camera), noise, generator=generator)
    return Footage(
        pose,
        from_screen(seen, camera),
        tuple(clip.subject for clip in clips),
        tuple(clip.action for clip in clips),
    )


def picture(pose: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Where camera-frame joints (..., 3) in metres truly are on the screen behind `lens` (5,) or a batch: (..., 2)."""
    return to_screen(distort(to_plane(pose), lens))


def through_lens(
    pose: torch.Tensor, lens: torch.Tensor, *, generator: torch.Generator, noise: float = 1.0
) -> torch.Tensor:
    """What the detector reports in the test environment: project, distort, then detect in the distorted picture.

    Args:
        pose: (shots, frames, 17, 3) metres, camera frame.
        lens: (5,) or (shots, 5).

    Returns:
        (shots, frames, 17, 2) screen coordinates.
    """
    return detect(picture(pose, lens), noise, generator=generator)


def join(reels: list[Footage]) -> Footage:
    """Footage of equally long shots, one after another.

    Raises:
        ValueError: no footage, or shots of different lengths.
    """
    lengths = {reel.pose.shape[1] for reel in reels}
    if len(lengths) != 1:
        raise ValueError(f"reels have shots of {sorted(lengths)} frames, expected one length: use footage.cut first")
    return Footage(
        torch.cat([reel.pose for reel in reels]),
        torch.cat([reel.detected for reel in reels]),
        sum((reel.subjects for reel in reels), ()),
        sum((reel.actions for reel in reels), ()),
    )


def shoot(clips: list[Clip], generator: torch.Generator, *, shots: int | None = None, takes: int = 1) -> Footage:
    """Cut clips into shots and film each, `takes` times, from another viewpoint each time.

    Args:
        shots: at most so many, drawn at random.
    """
    pieces = cut(clips, SHOT, SHOT - SHOT // 3)
    if shots is not None and len(pieces) > shots:
        chosen = torch.randperm(len(pieces), generator=generator)[:shots]
        pieces = [pieces[i] for i in chosen.tolist()]
    return film(pieces * takes, generator=generator)
