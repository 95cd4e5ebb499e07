"""What every demo with a lens has: sliders, presets, the bent grid and its handles, a sentence about folds."""

from functools import partial

import numpy as np
import torch

from tutorial_lib.camera import FOCAL, to_screen
from tutorial_lib.display import stage
from tutorial_lib.display.live import slider
from tutorial_lib.distortion import COEFFICIENTS, PRESETS, RADIAL_LIMIT, TANGENTIAL_LIMIT, distort, folds

BODY = ((-0.65, 0.65), (-0.8, 0.95), (-0.65, 0.65))
"""Fixed ranges of a root-relative pose in camera axes, metres."""


SCENARIO_TITLES = {"labelled": "labelled recording", "alone": "test video alone"}
"""What readers see for the scenarios of `adaptation.lens_test`."""

VISIBLE_RADIUS = 0.8
"""Plane radius at the middle of the image's edge; `FOCAL` times it is 1 on the screen."""


def grid_lines(lens: torch.Tensor, lines: int = 13, points: int = 49, half: float = 1.0) -> torch.Tensor:
    """A square grid seen through a lens: (2 * lines, points, 2) screen coordinates."""
    place = torch.linspace(-half, half, lines, device=lens.device) / FOCAL
    along = torch.linspace(-half, half, points, device=lens.device) / FOCAL
    across, fine = place[:, None].expand(-1, points), along[None, :].expand(lines, -1)
    vertical, horizontal = torch.stack([across, fine], -1), torch.stack([fine, across], -1)
    return to_screen(distort(torch.cat([vertical, horizontal]), lens))


_HELD = {"the grid, right": (0, "k1", "p1"), "the grid, below": (1, "k1", "p2")}
"""Which axis of the grid a handle lies on; what pulling it along that axis, and across, changes."""
_REACH = 0.56
"""Plane radius at which the handles lie, where nothing bends."""


def grid_handles(lens: torch.Tensor) -> list[dict]:
    """Two points of the grid to take hold of: along the radius they bend it, across they shear it."""
    places = to_screen(distort(_REACH * torch.eye(2), lens.detach().cpu()))
    return [stage.handle(name, place, colour="blue") for name, place in zip(_HELD, places)]


def _pulled(name: str, at: tuple[float, ...], params: dict) -> dict[str, float]:
    """The coefficients that put the handle there; those that it does not move keep their values.

    A point at radius r on an axis comes to r + k1 r^3 + ... along it, and to r^2 times one of p1, p2 across it.
    """
    axis, along, across = _HELD[name]
    rest = {key: params[key] for key in COEFFICIENTS} | {along: 0.0, across: 0.0}
    more = torch.tensor(at) / FOCAL - distort(_REACH * torch.eye(2)[axis], lens_of(**rest))
    return {along: more[axis].item() / _REACH**3, across: more[1 - axis].item() / _REACH**2}


GRID_GRABS = {name: partial(_pulled, name) for name in _HELD}
"""For `live(grabs=...)` of a demo whose picture has `grid_handles`."""


def lens_controls(start: dict[str, float] | None = None) -> dict:
    """One slider for each coefficient, in the ranges of the course's task distribution; at zero unless `start` says."""
    start = dict.fromkeys(COEFFICIENTS, 0.0) | (start or {})
    radial = {k: slider(start[k], -RADIAL_LIMIT, RADIAL_LIMIT, 0.02, k) for k in COEFFICIENTS[:3]}
    tangential = {p: slider(start[p], -TANGENTIAL_LIMIT, TANGENTIAL_LIMIT, 0.002, p) for p in COEFFICIENTS[3:]}
    return radial | tangential


def lens_presets() -> dict[str, dict]:
    """Buttons: no lens and the four test lenses."""
    named = {"no lens": torch.zeros(5), **PRESETS}
    titles = {
        "d1": "d1 barrel, heavy",
        "d2": "d2 pincushion, heavy",
        "d3": "d3 barrel",
        "d4": "d4 pincushion",
    }
    return {
        titles.get(key, key): dict(zip(COEFFICIENTS, (round(v, 4) for v in lens.tolist())))
        for key, lens in named.items()
    }


def lens_of(k1: float, k2: float, k3: float, p1: float, p2: float) -> torch.Tensor:
    """The five numbers as a tensor (5,)."""
    return torch.tensor([k1, k2, k3, p1, p2])


def fold_note(lens: torch.Tensor) -> str:
    """A sentence about the fold, if there is one inside the image."""
    if not bool(folds(lens, 1.13)):
        return "one-to-one over the whole image"
    radii = np.linspace(0.05, 1.13, 109)
    first = next(r for r in radii if bool(folds(lens, float(r))))
    place = "inside the picture" if first < VISIBLE_RADIUS else "in the corners"
    return f"FOLDS from radius {first:.2f} on, {place}"
