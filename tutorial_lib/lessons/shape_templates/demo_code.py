"""A live demo of lesson 03: the smallest auto-encoder, whose numbers have no names."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.lessons.shape_templates.demo_trained import Trained, enlarge, plain


@dataclass(frozen=True)
class LinearCode:
    """The linear auto-encoder that loses least of some photos.

    Attributes:
        mean: (P,) the mean photo, as one row of numbers.
        axes: (codes, P) what each number of a code adds to it, of length 1.
        spread: (codes,) standard deviation of each number over the photos.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def of(cls, photos: torch.Tensor, codes: int) -> "LinearCode":
        """Fitted to photos (B, 3, H, H), which are squeezed into so many numbers."""
        flat = photos.flatten(1)
        _, spread, axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
        return cls(flat.mean(0), axes[:codes], spread[:codes] / len(flat) ** 0.5)


def compute_code(
    photos: torch.Tensor, coder: LinearCode, photo: int, number: int, turn: float
) -> dict[str, torch.Tensor]:
    """One photo, squeezed and unfolded, with one number of its code changed.

    Args:
        photos: (B, 3, H, H).
        coder: the auto-encoder.
        photo: index of the photo.
        number: which number of the code.
        turn: how far it is changed, in standard deviations.

    Returns:
        "code" (codes,); "photo", "decoded" and "changed" (3, H, H).
    """
    code = coder.axes @ (photos[photo].flatten() - coder.mean)
    changed = code.clone()
    changed[number] += turn * coder.spread[number]
    decoded = [(coder.mean + one @ coder.axes).reshape(photos.shape[1:]) for one in (code, changed)]
    return {"code": code, "photo": photos[photo], "decoded": decoded[0], "changed": decoded[1]}


def view_code(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """What the code keeps of the photo, and what one number does."""
    return stage.panes(
        plain(f"a photo from {len(arrays['code'])} numbers", enlarge(arrays["decoded"])),
        plain("one number changed", enlarge(arrays["changed"])),
        height=300,
    )


def code_demo(trained: Trained, codes: int = 24) -> Demo:
    """A linear auto-encoder of the test photos: turn two of its numbers, and see what they mean.

    Args:
        trained: whose test photos.
        codes: numbers that a photo is squeezed into.
    """
    photos = trained.tests.photos(0)
    controls = {
        "photo": slider(0, 0, len(photos) - 1, 1, "test photo"),
        "number": slider(3, 0, codes - 1, 1, "which number"),
        "turn": slider(2.0, -3.0, 3.0, 0.1, "turned by (SD)"),
    }
    compute = partial(compute_code, photos, LinearCode.of(photos, codes))
    return live(compute, view_code, controls, title="An auto-encoder's numbers have no names", plays="turn")
