"""The live demo of lesson 01 about maps: from a joint to a map and back, and what the grid costs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import torch

from tutorial_lib import heatmaps
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.grid import from_cells

STRIDES = (1, 2, 4, 8)
HEIGHT = 236
"""Of the pictures: with controls and table they fit one screen."""
CLOSE = 7
"""Cells along each side of the close-up."""
Centre = Literal["exact", "rounded"]
"""Where the bump stands: on the joint, or on the middle of its cell."""
DECODERS = {"argmax": "vermillion", "quarter shift": "orange", "DARK": "blue", "soft-argmax": "green"}
ON_PAPER = {name: colour for name, colour in DECODERS.items() if name != "soft-argmax"} | {"mean place": "green"}
"""What `quantisation` measures, and its colours."""
SYMBOLS: dict[str, stage.Symbol] = {
    "argmax": "square",
    "quarter shift": "diamond",
    "DARK": "circle",
    "soft-argmax": "circle",
}


def decoders(temperature: float, blur: float) -> dict[str, Callable]:
    """name -> function of maps (..., rows, columns) to points (..., 2)."""
    return {
        "argmax": heatmaps.argmax,
        "quarter shift": heatmaps.quarter_shift,
        "DARK": lambda maps: heatmaps.dark(maps, blur),
        "soft-argmax": lambda maps: heatmaps.soft_argmax(maps, temperature),
    }


def quantisation(stride: int, generator: torch.Generator, joints: int = 400, sigma: float = 1.5) -> dict[str, float]:
    """Mean error in cells of four decoders on exact Gaussians, for joints spread evenly over the middle of a picture.

    Args:
        stride: pixels a cell, a divisor of 64, of a picture of 256 pixels.
        generator: of the joints' places.
        joints: how many.
        sigma: of the bumps, in cells.

    Returns:
        name -> mean distance in cells. "mean place" is the soft-argmax of the logarithm of the map: its softmax is the
        bump itself, as in a network that was trained through the soft-argmax.

    Raises:
        ValueError: a stride that does not divide 64: the joints would not spread evenly over the cells.
    """
    if stride < 1 or 64 % stride:
        raise ValueError(f"stride is {stride}, expected a divisor of 64")
    truth = torch.rand(joints, 2, generator=generator, dtype=torch.float64) - 0.5
    maps = heatmaps.gaussian_target(truth, 256 // stride, sigma)
    logs = torch.log(maps.clamp_min(1e-300))
    found = {name: decode(maps) for name, decode in decoders(1.0, 0.0).items() if name != "soft-argmax"}
    found["mean place"] = heatmaps.soft_argmax(logs)
    half = 256 / stride / 2
    return {name: half * torch.linalg.vector_norm(p - truth, dim=-1).mean().item() for name, p in found.items()}


def quarter_errors(spots: Mapping[str, tuple[float, float]], stride: int = 4, sigma: float = 2.0) -> dict[str, float]:
    """Name -> error in pixels of the quarter shift on an exact bump.

    Args:
        spots: name -> where the joint is, (x, y) in cells from the middle of its cell.
        stride: pixels a cell.
        sigma: of the bump, in cells.
    """
    cells = 16
    truth = from_cells(cells / 2 + torch.tensor(list(spots.values()), dtype=torch.float64), cells)
    found = heatmaps.quarter_shift(heatmaps.gaussian_target(truth, cells, sigma))
    return dict(zip(spots, (stride * cells / 2 * (found - truth).norm(dim=-1)).tolist()))


def compute_target(
    size: int, x: float, y: float, stride: int, sigma: float, noise: float, temperature: float, centre: Centre,
    blur: bool,
) -> dict[str, Any]:  # fmt: skip
    """One joint's map, what four decoders read from it, and their errors while the joint crosses its cell.

    Args:
        size: side of the picture in pixels.
        x: of the joint, in pixels of the picture.
        y: the same, downwards.
        stride: pixels a cell.
        sigma: width of the bump, in cells.
        noise: standard deviation of what is added to the map.
        temperature: of the soft-argmax.
        centre: the bump stands on the joint, or on the middle of the joint's cell.
        blur: whether DARK blurs the map with `sigma` first.

    Returns:
        "map" (cells, cells), "truth" (2,), "size"; by decoder: "points" (2,), "errors" (41,) pixels at the "offset"
        (41,) from the "middle" (2,) of the joint's cell, in cells; "now", the joint's own offset.
    """
    cells = size // stride
    read = decoders(temperature, sigma if blur else 0.0)
    rounded = centre == "rounded"
    spoil = noise * torch.randn(cells, cells, generator=torch.Generator().manual_seed(0))
    truth = torch.tensor([x, y]) * 2 / size - 1
    target = heatmaps.gaussian_target(truth, cells, sigma, rounded=rounded, reach=3 if rounded else None) + spoil
    # The same map again while the joint crosses one cell from left to right.
    middle = heatmaps.cell_of(truth, cells)
    offset = torch.linspace(-0.49, 0.49, 41)
    path = torch.stack([middle[0] + offset, heatmaps.to_cells(truth, cells)[1].expand(41)], -1)
    path = from_cells(path, cells)
    sweep = heatmaps.gaussian_target(path, cells, sigma, rounded=rounded, reach=3 if rounded else None) + spoil
    half = size / 2
    return {
        "size": size,
        "map": target,
        "truth": truth,
        "points": {name: decode(target) for name, decode in read.items()},
        "middle": middle,
        "offset": offset,
        "now": (heatmaps.to_cells(truth, cells) - middle)[0],
        "errors": {
            name: half * torch.linalg.vector_norm(decode(sweep) - path, dim=-1) for name, decode in read.items()
        },
    }


def view_target(photo: np.ndarray, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The map over the photo, its cells around the joint with what the decoders read, and the errors over one cell."""
    size, cells, stride = arrays["size"], len(arrays["map"]), params["stride"]
    px = {name: size / 2 * (p - arrays["truth"]).norm().item() for name, p in arrays["points"].items()}
    close, place = _close_up(arrays["map"], arrays["middle"])
    near = {name: place(heatmaps.to_cells(p, cells)) for name, p in arrays["points"].items()}
    marks = [
        stage.dots(name, p[None], colour=DECODERS[name], symbol=SYMBOLS[name], size=10 - 1.5 * i)
        for i, (name, p) in enumerate(near.items())
        if p.abs().max() <= 1
    ]
    lost = [name for name, p in near.items() if p.abs().max() > 1]
    true_place = place(heatmaps.to_cells(arrays["truth"], cells))
    cross = true_place.tolist() if true_place.abs().max() <= 1 else None
    return stage.panes(
        stage.image(
            picture=photo, heat=arrays["map"], heat_name="target map", heat_colour="sky",
            cross=arrays["truth"].tolist(), margin=0.02,
            lines=[stage.polyline("close-up", _frame(arrays["middle"], cells), colour="orange")],
            title=f"{size} px photo, {cells} × {cells} cells: drag the joint",
            handles=[stage.handle("the joint", arrays["truth"])],
        ),
        stage.image(
            heat=close, heat_name="", heat_colour="sky", dots=marks, cross=cross, margin=0.02,
            lines=[stage.polyline("", _grid(CLOSE), colour="grey", width=0.7)],
            title=f"{CLOSE} × {CLOSE} cells, the cross is the truth",
        ),
        stage.curve(
            [stage.series(name, arrays["offset"], values, colour=DECODERS[name])
             for name, values in arrays["errors"].items()],
            x=stage.axis("joint's offset from its cell's centre (cells)", -0.5, 0.5),
            y=stage.axis("error (px)", 0, max(1.0, 0.8 * stride)), now=arrays["now"],
            title="while the joint crosses one cell",
        ),
        stage.table(
            ["error", *px],
            [["in pixels", *(f"{v:.2f}" for v in px.values())],
             ["in cells", *(f"{v / stride:.3f}" for v in px.values())]],
            best="min",
        ),
        note=f"{' and '.join(lost)} left the close-up" if lost
        else f"argmax cannot do better than {heatmaps.MEAN_RESIDUAL * stride:.2f} px on average",
        height=HEIGHT,
    )  # fmt: skip


def target_demo(image: torch.Tensor, joint: torch.Tensor) -> Demo:
    """A joint of a photo, its map, and where four decoders think it was.

    Args:
        image: (3, size, size) in [0, 1]; the size is a multiple of 8.
        joint: (2,) where it is at first, in screen coordinates.
    """
    size = image.shape[-1]
    x, y = (round(v, 1) for v in ((joint + 1) * size / 2).tolist())
    usual = {
        "x": x,
        "y": y,
        "stride": 4,
        "sigma": 2.0,
        "noise": 0.0,
        "temperature": 0.03,
        "centre": "exact",
        "blur": False,
    }
    return live(
        partial(compute_target, size), partial(view_target, image.permute(1, 2, 0).numpy()),
        {
            "x": slider(x, 1.0, size - 1.0, 0.1, "joint x (px)"),
            "stride": steps([(f"{s} px", s) for s in STRIDES], 4, "stride"),
            "centre": choice(get_args(Centre), "exact", "bump's centre"),
            "y": slider(y, 1.0, size - 1.0, 0.1, "joint y (px)"),
            "sigma": slider(2.0, 0.5, 4.0, 0.1, "σ of the bump (cells)"),
            "noise": slider(0.0, 0.0, 0.3, 0.01, "noise on the map"),
            "temperature": steps([1.0, 0.3, 0.1, 0.03, 0.01], 0.03, "temperature"),
            "blur": choice([("no", False), ("by σ", True)], False, "DARK blurs first"),
        },
        presets={
            "our wrist": usual,
            "coarse grid": usual | {"stride": 8, "sigma": 1.0},
            "rounded targets": usual | {"centre": "rounded"},
            "noise": usual | {"noise": 0.1},
            "noise, DARK blurs": usual | {"noise": 0.1, "blur": True},
        },
        title="From a joint to a map and back",
        folded=("y", "sigma", "noise", "temperature", "blur"),
        grabs={"the joint": lambda at, params: {"x": (at[0] + 1) * size / 2, "y": (at[1] + 1) * size / 2}},
        plays="x",
    )  # fmt: skip


def _close_up(cells: torch.Tensor, middle: torch.Tensor) -> tuple[torch.Tensor, Callable]:
    """The cells around `middle` (column, row), and the map from cell numbers to places in that picture."""
    reach = CLOSE // 2
    padded = torch.nn.functional.pad(cells, [reach] * 4)
    column, row = (int(v) for v in middle.clamp(0, len(cells) - 1))
    return padded[row : row + CLOSE, column : column + CLOSE], lambda u: (u - torch.tensor([column, row])) * 2 / CLOSE


def _frame(middle: torch.Tensor, cells: int) -> torch.Tensor:
    low, high = middle - CLOSE / 2, middle + CLOSE / 2
    corners = [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]], [low[0], low[1]]]
    return from_cells(torch.tensor(corners), cells).clamp(-1, 1)


def _grid(cells: int) -> torch.Tensor:
    place = torch.linspace(-1, 1, cells + 1)
    upright = torch.stack([place[:, None].expand(-1, 2), torch.tensor([-1.0, 1.0]).expand(cells + 1, 2)], -1)
    return torch.cat([upright, upright.flip(-1)])
