"""Sets of rendered photos to train and test image networks with: drawn once, kept in `build/photos/`.

Nobody in a test photo, none of their motions and no look of theirs is in a training photo.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED
from tutorial_lib.folders import output_folder
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import draw_photos

SPLITS = {
    "train": (TRAIN_SEED, 24, TRAINED_ACTIONS),
    "validation": (VALIDATION_SEED, 4, TRAINED_ACTIONS),
    "test": (TEST_SEED, 8, HELD_OUT_ACTIONS),
}
"""Split -> seed of the people, how many, their motions."""

VERSION = 1
"""Raised when the same arguments give other photos, so that old files are not taken for new ones."""


@dataclass(frozen=True)
class PhotoSet:
    """What training needs of `render.Photos`, small enough for thousands of them.

    Attributes:
        pixels: (B, 3, H, W) uint8.
        keypoints: (B, 17, 2) screen coordinates of the picture.
        pose: (B, 17, 3) metres, camera frame, absolute.
        visible: (B, 17) bool.
    """

    pixels: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    visible: torch.Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def image(self) -> torch.Tensor:
        """(B, 3, H, W) float in [0, 1]: four times the memory, so ask a batch for it."""
        return self.pixels.float() / 255

    @property
    def inside(self) -> torch.Tensor:
        """(B, 17) bool: inside the picture, hidden or not. What is learned: people guess hidden joints, too."""
        return (self.keypoints.abs() <= 1).all(-1)

    def select(self, index) -> "PhotoSet":
        """Some of the photos: a slice, or a tensor of numbers."""
        return PhotoSet(**{name: value[index] for name, value in vars(self).items()})


def clips_of(split: str) -> list[Clip]:
    """The motion of a split.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    seed, people, actions = SPLITS[split]
    return builtin(seed, people, actions, 150)


def photo_set(
    split: str, count: int, size: int = 64, *, seed: int = 0, occluders: float = 0.5, folder=None
) -> PhotoSet:
    """Photos of a split, the same for the same arguments; read from disk if they were drawn before.

    Args:
        split: "train", "validation" or "test".
        count: how many. A smaller set is not the beginning of a larger one: draw the largest and select.
        size: side of the square photos in pixels.
        seed: another seed, other photos of the same people.
        occluders: mean number of things before the person.
        folder: where sets are kept; by default `photos` in `output_folder()`, which is `build/` of a clone.

    Raises:
        ValueError: an unknown split, count or size too small.
    """
    if count < 1 or size < 8:
        raise ValueError(f"count={count}, size={size}: expected at least 1 photo of at least 8 pixels")
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    where = output_folder() / "photos" if folder is None else Path(folder)
    key = f"{VERSION}-{split}-{count}-{size}-{seed}-{occluders}"
    path = where / f"{split}-{count}x{size}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.safetensors"
    if path.is_file():
        return PhotoSet(**load_file(path))
    clips = clips_of(split)
    generator = torch.Generator().manual_seed(1000 * SPLITS[split][0] + seed)
    drawn = draw_photos(clips, count, size=size, generator=generator, occluders=occluders)
    kept = PhotoSet((255 * drawn.image).round().to(torch.uint8), drawn.keypoints, drawn.pose, drawn.visible)
    where.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in vars(kept).items()}, partial)
    partial.replace(path)
    return kept
