"""Sets of rendered photos to train and test image networks with: drawn once, kept in `photos/` of the output folder.

Nobody in a test photo, none of their motions and no look of theirs is in a training photo.
"""

import hashlib
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tutorial_lib.batch import Batch
from tutorial_lib.datasets.lab_photos import draw_lab_photos
from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED
from tutorial_lib.folders import output_folder, write_whole
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import Photos, draw_photos

PhotoSplit = Literal["train", "validation", "test"]
Setting = Literal["world", "lab"]
"""Another person, room and viewpoint for every photo; or one laboratory, see `lab_photos`."""

SPLITS: dict[PhotoSplit, tuple[int, int, tuple[str, ...]]] = {
    "train": (TRAIN_SEED, 24, TRAINED_ACTIONS),
    "validation": (VALIDATION_SEED, 4, TRAINED_ACTIONS),
    "test": (TEST_SEED, 8, HELD_OUT_ACTIONS),
}
"""Split -> seed of the people, how many, their motions."""

LAB_PEOPLE: dict[PhotoSplit, int] = {"train": 12, "validation": 4, "test": 8}
"""How many look different in a split of the laboratory."""

VERSION = 2
"""Raised when the same arguments give other photos or another file, so that old files are not taken for new ones."""


@dataclass(frozen=True)
class PhotoSet(Batch):
    """What training needs of `render.Photos`, small enough for thousands of them.

    Attributes:
        pixels: (B, 3, H, W) uint8.
        keypoints: (B, 17, 2) screen coordinates of the picture.
        pose: (B, 17, 3) metres, camera frame, absolute.
        visible: (B, 17) bool.
        box: (B, 3) what of the image plane each picture shows: centre x, centre y, half-width.
    """

    pixels: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    visible: torch.Tensor
    box: torch.Tensor

    @property
    def image(self) -> torch.Tensor:
        """(B, 3, H, W) float in [0, 1]: four times the memory, so ask a batch for it."""
        return self.pixels.float() / 255

    @property
    def inside(self) -> torch.Tensor:
        """(B, 17) bool: inside the picture, hidden or not. What is learned: people guess hidden joints, too."""
        return (self.keypoints.abs() <= 1).all(-1)


def clips_of(split: PhotoSplit) -> list[Clip]:
    """The motion of a split.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    seed, people, actions = SPLITS[split]
    return builtin(seed, people, actions, 150)


def photo_set(
    split: PhotoSplit,
    count: int,
    size: int = 64,
    *,
    setting: Setting = "world",
    seed: int = 0,
    occluders: float = 0.5,
    folder: str | Path | None = None,
) -> PhotoSet:
    """Photos of a split, the same for the same arguments; read from disk if they were drawn before.

    Args:
        split: "train", "validation" or "test".
        count: how many. A smaller set is not the beginning of a larger one: draw the largest and select.
        size: side of the square photos in pixels.
        setting: "world" or "lab".
        seed: another seed, other photos of the same people.
        occluders: mean number of things before the person; the laboratory has none.
        folder: where sets are kept; by default `photos` in `output_folder()`, which is `build/` of a clone.

    Raises:
        ValueError: an unknown split or setting, count or size too small.
    """
    if count < 1 or size < 8:
        raise ValueError(f"count is {count}, size is {size}: expected at least 1 photo of at least 8 pixels")
    if split not in SPLITS or setting not in get_args(Setting):
        raise ValueError(
            f"split is {split!r}, setting is {setting!r}: expected one of {', '.join(SPLITS)}, "
            f"and one of {', '.join(get_args(Setting))}"
        )
    where = output_folder() / "photos" if folder is None else Path(folder)
    key = f"{VERSION}-{setting}-{split}-{count}-{size}-{seed}-{occluders}"
    name = f"{setting}-{split}-{count}x{size}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.safetensors"

    def draw() -> Photos:
        clips, generator = clips_of(split), torch.Generator()
        if setting == "lab":
            generator.manual_seed(SPLITS[split][0] + 1000 * seed)
            return draw_lab_photos(clips, count, LAB_PEOPLE[split], size=size, generator=generator)
        generator.manual_seed(1000 * SPLITS[split][0] + seed)
        return draw_photos(clips, count, size=size, generator=generator, occluders=occluders)

    layout = {
        "pixels": ((count, 3, size, size), torch.uint8),
        "keypoints": ((count, 17, 2), torch.float32),
        "pose": ((count, 17, 3), torch.float32),
        "visible": ((count, 17), torch.bool),
        "box": ((count, 3), torch.float32),
    }
    return _read_or_draw(where / name, layout, draw)


def _read_or_draw(
    path: Path, layout: dict[str, tuple[tuple[int, ...], torch.dtype]], draw: Callable[[], Photos]
) -> PhotoSet:
    """The set in a file, or what `draw` gives, kept in the file; a file that is damaged is drawn again."""
    if path.exists():
        try:
            read, digest = _read(path)
            found = {name: (tuple(value.shape), value.dtype) for name, value in read.items()}
            wrong = sorted(name for name in found.keys() | layout.keys() if found.get(name) != layout.get(name))
            if not wrong and digest in (None, _digest(read)):
                return PhotoSet(**read)
            reason = f"missing or of another shape or type: {', '.join(wrong)}" if wrong else "bytes have changed"
        except (SafetensorError, OSError) as error:
            reason = str(error) or type(error).__name__
        count = layout["pixels"][0][0]
        warnings.warn(f"{path} is no set of {count} photos ({reason}): they are drawn again", stacklevel=3)
    drawn = draw()
    pixels = (255 * drawn.image).round().to(torch.uint8)
    kept = PhotoSet(pixels, drawn.keypoints, drawn.pose, drawn.visible, drawn.box)
    tensors = {name: value.contiguous() for name, value in vars(kept).items()}
    try:
        write_whole(path, lambda half: save_file(tensors, half, {"digest": _digest(tensors)}))
    except (SafetensorError, OSError) as error:
        warnings.warn(f"{path} cannot be written ({error}): the next run draws these photos again", stacklevel=3)
    return kept


def _read(path: Path) -> tuple[dict[str, torch.Tensor], str | None]:
    """A file's tensors, and the digest that they were written with: None in files from before there was one."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("digest")  # noqa: SIM118


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    """A number for these bytes in the order of their names, to notice that a disk has changed some."""
    number = 0
    for name in sorted(tensors):
        number = zlib.crc32(tensors[name].contiguous().numpy(), number)
    return f"{number:08x}"
