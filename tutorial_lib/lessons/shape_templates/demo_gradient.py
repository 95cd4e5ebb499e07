"""A live demo of lesson 03: gradient descent follows its slope into a picture, if the picture has one."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.demo_by_hand import paint, rgb
from tutorial_lib.templates.fitting import STARTS, WAYS, Start, Walk, Way, follow

TINTS = torch.stack([rgb("blue"), rgb("vermillion")])
"""Of the target and of the part."""
LOOKS: dict[str, tuple[str, stage.Dash]] = dict(zip(WAYS, (("blue", "solid"), ("orange", "dash"), ("grey", "dot"))))


def compute_gradient(
    paths: dict[tuple[Start, int], dict[Way, Walk]], way: Way, start: Start, size: int, step: int
) -> dict[str, Any]:
    """One step of one descent, and the losses of all ways on the same task.

    Args:
        paths: by start and raster, the descent of every way.
        way: how the moved part is painted.
        start: where the target is.
        size: rows and columns of the raster.
        step: how many steps have been taken.

    Returns:
        "picture" (size, size, 3); "target" and "current" (size, size); "theta" (2, 3); "losses": way -> (steps + 1,).
    """
    path = paths[start, size]
    return {
        "picture": paint(torch.stack([path[way].target, path[way].pictures[step]]), TINTS),
        "target": path[way].target,
        "current": path[way].pictures[step],
        "theta": path[way].thetas[step],
        "losses": {name: walk.losses for name, walk in path.items()},
    }


def view_gradient(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The part over its target, and the losses of all ways."""
    count = len(arrays["losses"][params["way"]]) - 1
    return stage.panes(
        stage.image(picture=arrays["picture"], cross=None, title="blue: the target; vermillion: the part; grey: both"),
        stage.curve(
            [stage.series(name, np.arange(count + 1), arrays["losses"][name].clamp_min(1e-4), colour=colour, dash=dash)
             for name, (colour, dash) in LOOKS.items()],
            x=stage.axis("steps of gradient descent", 0, count),
            y=stage.axis("loss, as a share of the target", 1e-4, 4, log=True), now=params["step"], grab="steps",
            title="who gets there",
        ),
        note=f"loss {arrays['losses'][params['way']][params['step']]:.3g}",
    )  # fmt: skip


def gradient_demo(count: int = 40) -> Demo:
    """One part walks to its target by gradient descent, if its picture has a slope with respect to its map.

    Args:
        count: steps that are computed in advance.
    """
    sizes = (16, 48)
    paths = {
        (start, size): {way: follow(way, start, size, count) for way in WAYS} for start in STARTS for size in sizes
    }
    return live(
        partial(compute_gradient, paths),
        view_gradient,
        {
            "way": choice(list(WAYS), WAYS[0], "how the part is moved"),
            "start": choice(list(STARTS), next(iter(STARTS)), "the target is"),
            "size": choice([(f"{size} x {size} cells", size) for size in sizes], sizes[-1], "raster"),
            "step": slider(0, 0, count, 1, "steps"),
        },
        presets={
            "closed form": {"way": WAYS[0], "start": "near and turned", "size": sizes[-1], "step": count},
            "copied pixels": {"way": WAYS[2], "start": "near and turned", "size": sizes[-1], "step": count},
            "coarse pixels": {"way": WAYS[1], "start": "near and turned", "size": sizes[0], "step": count},
            "too far to feel": {"way": WAYS[0], "start": "out of reach", "size": sizes[-1], "step": count},
        },
        title="Why the map must be inside the graph",
        folded=("size",),
        grabs={"steps": lambda at, params: {"step": at[0]}},
        plays="step",
    )
