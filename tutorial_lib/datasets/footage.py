"""Capturing motion: clips in the world become footage, what cameras saw and what a frozen detector made of it."""

from dataclasses import dataclass

import torch

from tutorial_lib.camera import from_screen, project, random_viewpoints, world_to_camera
from tutorial_lib.datasets.detector import detect
from tutorial_lib.motion.clip import Clip

CLIP_FRAMES = 81
"""Frames of a clip that was cut: 1.6 s at 50 Hz, three times the longest receptive field of these lessons."""


@dataclass(frozen=True)
class Footage:
    """Clips of equal length, each of one person before one fixed camera without a lens.

    Attributes:
        pose: (clips, frames, 17, 3) metres, camera frame, absolute.
        detected: (clips, frames, 17, 2) plane coordinates that the frozen detector reports without distortion.
        subjects, actions: one name a clip.
    """

    pose: torch.Tensor
    detected: torch.Tensor
    subjects: tuple[str, ...]
    actions: tuple[str, ...]

    def __len__(self) -> int:
        return self.pose.shape[0]

    def select(self, clips: list[int]) -> "Footage":
        """The footage of some clips, by index."""
        return Footage(
            self.pose[clips],
            self.detected[clips],
            tuple(self.subjects[i] for i in clips),
            tuple(self.actions[i] for i in clips),
        )

    def to(self, device: torch.device | str) -> "Footage":
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


def capture(clips: list[Clip], *, generator: torch.Generator, noise: float = 1.0) -> Footage:
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
    seen = detect(project(positions, camera), noise, generator=generator)
    return Footage(
        pose,
        from_screen(seen, camera),
        tuple(clip.subject for clip in clips),
        tuple(clip.action for clip in clips),
    )


def join(parts: list[Footage]) -> Footage:
    """Footage of equally long clips, one after another.

    Raises:
        ValueError: no footage, or clips of different lengths.
    """
    lengths = {part.pose.shape[1] for part in parts}
    if len(lengths) != 1:
        raise ValueError(f"parts have clips of {sorted(lengths)} frames, expected one length: use footage.cut first")
    return Footage(
        torch.cat([part.pose for part in parts]),
        torch.cat([part.detected for part in parts]),
        sum((part.subjects for part in parts), ()),
        sum((part.actions for part in parts), ()),
    )


def capture_clips(
    clips: list[Clip], generator: torch.Generator, *, limit: int | None = None, viewpoints: int = 1
) -> Footage:
    """Cut clips to `CLIP_FRAMES` and capture each `viewpoints` times, from another place each time.

    Args:
        clips: of any length.
        generator: decides which pieces, viewpoints and the detector's errors.
        limit: at most so many pieces, drawn at random.
        viewpoints: cameras for each piece.
    """
    pieces = cut(clips, CLIP_FRAMES, CLIP_FRAMES - CLIP_FRAMES // 3)
    if limit is not None and len(pieces) > limit:
        chosen = torch.randperm(len(pieces), generator=generator)[:limit]
        pieces = [pieces[i] for i in chosen.tolist()]
    return capture(pieces * viewpoints, generator=generator)
