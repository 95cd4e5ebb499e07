"""Sheets of photos of lesson 03: there and back, and where the hands are."""

import math

import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.lessons.shape_templates.demo_by_hand import rgb
from tutorial_lib.lessons.shape_templates.demo_trained import Trained, enlarge
from tutorial_lib.lessons.shape_templates.results import contact_figure, marked
from tutorial_lib.metrics import distances
from tutorial_lib.templates import keypoints, learning
from tutorial_lib.templates.errors import BODY_PARTS, PER_CENT
from tutorial_lib.templates.network import START

HANDS = list(BODY_PARTS["hands"])


def hands_figure(trained: Trained, count: int = 3) -> go.Figure:
    """Where the hands are (blue) and were found (vermillion): above the best answers, below the worst.

    Args:
        trained: the networks and their test photos.
        count: photos in each of the two rows.
    """
    affines = learning.affines_of(trained.regressor, trained.tests.photos(0))
    found, truth = keypoints(affines)[:, HANDS], trained.tests.keypoints[0][:, HANDS]
    order = distances(found, truth).mean(-1).argsort().tolist()
    rows = []
    for numbers in (order[:count], order[-count:]):
        row = []
        for i in numbers:
            picture = marked(enlarge(trained.tests.photos(0)[i]), truth[i], rgb("blue"))
            row.append(marked(picture, found[i], rgb("vermillion")))
        rows.append(row)
    return contact_figure(rows, "true hands blue, found ones vermillion")


def raised(trained: Trained) -> dict[str, float]:
    """How far hands are found from where they are, and from where training begins, in % of the image's width.

    Args:
        trained: the networks and their test photos.

    Returns:
        "all" hands and those "raised" above their shoulder, counted; mean distances "from the hand" and "from where
        hands hang", of raised ones and of those that are "lowered".
    """
    found = keypoints(learning.affines_of(trained.regressor, trained.tests.photos(0)))[:, HANDS]
    truth, begun = trained.tests.keypoints[0], keypoints(START)[HANDS].expand_as(found)
    up = truth[:, HANDS, 1] < truth[:, list(BODY_PARTS["shoulders"]), 1]
    off = {"from the hand": distances(found, truth[:, HANDS]), "from where hands hang": distances(found, begun)}
    means = {
        f"{name}: {place}": PER_CENT * distance[which].mean().item()
        for name, which in {"raised": up, "lowered": ~up}.items()
        for place, distance in off.items()
    }
    return {"all": float(up.numel()), "raised": float(up.sum())} | means


def turn_sweep(pose: torch.Tensor, angles: tuple[int, ...] = tuple(range(0, 91, 15))) -> go.Figure:
    """A lifted pose and a flat one, both right in the first view, seen from further and further aside.

    Args:
        pose: (17, 3) metres, camera frame.
        angles: degrees about the upright axis.
    """
    about = pose - pose[:1]
    size = 1.1 * float(about.abs().max())
    pictures = []
    for angle in angles:
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        seen = {}
        for name, depth in (("with its depth", 1.0), ("flat", 0.0)):
            x, y, z = (about * torch.tensor([1.0, 1.0, depth])).unbind(-1)
            seen[name] = torch.stack([c * x + s * z, y], -1) / size
        colours = {"with its depth": "blue", "flat": "vermillion"}
        pictures.append(figures.image_plane(skeletons=seen, colours=colours))
    return figures.sweep(pictures, [f"{angle}" for angle in angles], "turned (\u00b0)", active=len(angles) // 2)
