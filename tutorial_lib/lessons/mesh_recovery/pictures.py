"""What the demos of lesson 10 show: test people, their true surfaces, networks."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.batch import cat
from tutorial_lib.datasets.splits import TEST_SEED
from tutorial_lib.mesh import People, Regressor, draw_people, see
from tutorial_lib.mesh.people import detected
from tutorial_lib.motion import builtin

DOING = ("throw", "squat", "phone", "stretch", "walk", "kick")
"""What the test people of these demos do."""

CAMERA_BOX = ((-1.0, 1.0), (-1.1, 1.1), (-1.0, 1.0))
"""Metres about the hip, camera axes: what 3D panes show."""


@cache
def test_people(seed: int = 4) -> People:
    """One test person for each of `DOING`."""
    generator = torch.Generator().manual_seed(seed)
    return cat([draw_people(builtin(TEST_SEED, 1, [doing], 120), 1, generator=generator) for doing in DOING])


def dots_of(person: int, noise: float, seed: int = 0) -> torch.Tensor:
    """(1, 17, 2) a person's noisy dots in their crop."""
    clean = see(test_people()[person], 0.0, None).clean
    return detected(clean, noise, torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Networks:
    """The trained networks that demos ask, in eval mode.

    Attributes:
        parameters: dots to a body.
        seen, unseen: turnable, told of one side or of all.
        lixels: dots to a surface.
    """

    parameters: Regressor
    seen: Any
    unseen: Any
    lixels: Any


def networks(folder: Path = checkpoints.FOLDER) -> Networks:
    """The networks of a folder of checkpoints."""
    return Networks(
        *(checkpoints.load(f"mesh/{name}", folder=folder) for name in ("parameters", "seen", "unseen", "lixels"))
    )
