"""A live demo of lesson 03: gradient descent follows its slope into a picture, if the picture has one."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.demo_by_hand import paint, rgb
from tutorial_lib.templates.fitting import STARTS, WAYS, Start, Way, follow


def compute_gradient(paths: Any, tint: Any, way: Way, start: Start, size: int, step: int) -> dict[str, Any]:
    """What `gradient_demo` shows for these values of its controls."""
    path = paths[start, size]
    return {
        "picture": paint(torch.stack([path[way].target, path[way].pictures[step]]), tint),
        "target": path[way].target,
        "current": path[way].pictures[step],
        "theta": path[way].thetas[step],
        "losses": {name: walk.losses for name, walk in path.items()},
    }


def view_gradient(
    count: int, colours: Any, dashes: Any, arrays: dict[str, Any], params: dict[str, Any]
) -> dict[str, Any]:
    """The picture of `gradient_demo`."""
    index = np.arange(count + 1)
    return stage.panes(
        stage.image(picture=arrays["picture"], cross=None, title="blue: the target; vermillion: the part; grey: both"),
        stage.curve(
            [
                stage.series(name, index, values.clamp_min(1e-4), colour=colours[name], dash=dashes[name])
                for name, values in arrays["losses"].items()
            ],
            x=stage.axis("steps of gradient descent", 0, count),
            y=stage.axis("loss, as a share of the target", 1e-4, 4, log=True),
            now=params["step"],
            title="who gets there",
        ),
        note=f"loss {arrays['losses'][params['way']][params['step']]:.3g}",
    )


def gradient_demo(count: int = 40) -> Demo:
    """One part walks to its target by gradient descent, if its picture has a slope with respect to its map.

    Args:
        count: steps that are computed in advance.
    """
    sizes = (16, 48)
    paths = {
        (start, size): {way: follow(way, start, size, count) for way in WAYS} for start in STARTS for size in sizes
    }
    tint = torch.stack([rgb("blue"), rgb("vermillion")])
    colours = dict(zip(WAYS, ("blue", "orange", "grey")))
    dashes = dict(zip(WAYS, ("solid", "dash", "dot")))

    return live(
        partial(compute_gradient, paths, tint),
        partial(view_gradient, count, colours, dashes),
        {
            "way": choice(list(WAYS), WAYS[0], "how the part is moved"),
            "start": choice(list(STARTS), next(iter(STARTS)), "the target is"),
            "size": choice([(f"{size} x {size} cells", size) for size in sizes], sizes[-1], "raster"),
            "step": slider(0, 0, count, 1, "steps"),
        },
        presets={
            "closed form, all steps": {"way": WAYS[0], "start": "near and turned", "step": count},
            "copied pixels, all steps": {"way": WAYS[2], "start": "near and turned", "step": count},
            "too far to feel": {"way": WAYS[0], "start": "out of reach", "step": count},
        },
        title="Why the map must be inside the graph",
    )
