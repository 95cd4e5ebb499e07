"""The live demo of lesson 01 about bad conditions: trained networks while their photos get worse."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import torch

from tutorial_lib.datasets.disturbances import Disturbance, disturb, move
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.metrics import distances

COLOURS = {"regression": "vermillion", "RLE": "purple", "heat map": "blue", "integral": "green"}
"""Of the networks that have these names, in all figures of the lesson."""
Kind = Literal["crop shifted right", "grey disc", "blur", "fewer pixels"]
LEGS = (0.0, 0.4)
"""Where the disc lies at first, in half widths."""
STOPS = 5
"""Strengths from none to the strongest, between which the curves run."""
HEIGHT = 280


def disturbance(kind: Kind, strength: float, size: int, disc: tuple[float, float] = LEGS) -> Disturbance:
    """What is done to a photo.

    Args:
        kind: one of `Kind`.
        strength: 0 for nothing; 1 is a crop shifted by 0.4 half widths, a disc of radius 0.5 half widths, a blur of
            σ = 4 px in 64, an eighth of the pixels along each side.
        size: of the photo, in pixels.
        disc: the centre of the disc, in half widths.
    """
    if strength == 0:
        return Disturbance()
    if kind == "crop shifted right":
        return Disturbance(shift=(0.4 * strength, 0.0))
    if kind == "grey disc":
        return Disturbance(radius=0.5 * strength, disc=disc)
    if kind == "blur":
        return Disturbance(blur=4 * strength * size / 64)
    return Disturbance(pixels=round(size / (1 + 7 * strength)))


@torch.no_grad()
def assess(models: Mapping[str, KeypointNet], photos: PhotoSet, how: Disturbance) -> dict[str, Any]:
    """Every model on disturbed photos.

    Args:
        models: by name, in eval mode, all for the photos' size.
        photos: some; all are looked at.
        how: what is done to them.

    Returns:
        "image" (B, 3, size, size), "truth" (B, 17, 2), "counts" (B, 17), joints in the picture, hidden or not; by
        model: "predicted" (B, 17, 2), "errors" (B, 17) pixels, NaN where a joint does not count.
    """
    image = disturb(photos.image, how)
    truth, counts = move(photos.keypoints, torch.ones_like(photos.visible), how)
    half = image.shape[-1] / 2
    predicted = {name: model.predict(image) for name, model in models.items()}
    errors = {name: half * torch.where(counts, distances(p, truth), torch.nan) for name, p in predicted.items()}
    return {"image": image, "truth": truth, "counts": counts, "predicted": predicted, "errors": errors}


def view_robustness(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The photo with the truth and one network's skeleton, and the errors of all networks while it gets worse."""
    name = params["network"]
    along = np.linspace(0, 1, STOPS)
    disc = (params["disc_x"], params["disc_y"])
    handles = [stage.handle("the disc", disc, colour="purple")] if params["kind"] == "grey disc" else []
    return stage.panes(
        stage.image(
            picture=arrays["image"].permute(1, 2, 0), cross=None, margin=0.02,
            skeletons=[
                stage.skeleton2d("truth", arrays["truth"], width=2.5),
                stage.skeleton2d(name, arrays["predicted"][name], colour=COLOURS[name], width=3.0),
            ],
            title=f"what {name} {'says: drag the disc' if handles else 'sees, and says'}", handles=handles,
        ),
        stage.curve(
            [stage.series(other, along, row, colour=COLOURS[other], mode="line+markers",
                          width=4 if other == name else 2)
             for other, row in arrays["sweep"].items()],
            x=stage.axis("strength", 0, 1), now=params["strength"],
            y=stage.axis("mean error (px)", 0, 1.05 * max(max(row) for row in arrays["sweep"].values())),
            title=f"{params['kind']}: mean of {arrays['photos']} photos",
        ),
        stage.table(
            ["mean error (px)", *arrays["errors"]],
            [["this photo", *(f"{torch.nanmean(e):.1f}" for e in arrays["errors"].values())]],
            best="min",
        ),
        height=HEIGHT,
    )  # fmt: skip


def robustness_demo(models: Mapping[str, KeypointNet], photos: PhotoSet, first: int = 0) -> Demo:
    """Trained models on photos that get worse under the reader's hand: one thing at a time.

    Args:
        models: names of `COLOURS` -> network, all for the photos' size; they are put in eval mode.
        photos: all of them enter the curves, so give 8 to 64.
        first: the photo that is shown at first.

    Raises:
        ValueError: no model, or photos of another size than the models'.
    """
    size = photos.image.shape[-1]
    if not models or any(model.size != size for model in models.values()):
        raise ValueError(
            f"models for {[m.size for m in models.values()]} px and photos of {size} px: expected one size"
        )
    for model in models.values():
        model.eval()

    @cache
    def errors(how: Disturbance) -> dict[str, float]:
        return {name: torch.nanmean(e).item() for name, e in assess(models, photos, how)["errors"].items()}

    def compute(kind: Kind, strength: float, network: str, photo: int, disc_x: float, disc_y: float) -> dict[str, Any]:
        def how(much: float) -> Disturbance:
            return disturbance(kind, much, size, (disc_x, disc_y))

        one = assess(models, photos.select(slice(photo, photo + 1)), how(strength))
        stops = [errors(how(much)) for much in np.linspace(0, 1, STOPS)]
        return {
            "image": one["image"][0],
            "truth": one["truth"][0],
            "predicted": {name: p[0] for name, p in one["predicted"].items()},
            "errors": {name: e[0] for name, e in one["errors"].items()},
            "sweep": {name: [stop[name] for stop in stops] for name in models},
            "photos": len(photos),
        }

    names = list(models)
    return live(
        compute, view_robustness,
        {
            "kind": choice(get_args(Kind), get_args(Kind)[0], "what gets worse"),
            "strength": slider(0.0, 0.0, 1.0, 0.05, "how much"),
            "network": choice(names, names[0], "network"),
            "photo": slider(first, 0, len(photos) - 1, 1, "photo"),
            "disc_x": slider(LEGS[0], -1.0, 1.0, 0.02, "disc, across"),
            "disc_y": slider(LEGS[1], -1.0, 1.0, 0.02, "disc, down"),
        },
        presets={
            name: dict(kind=kind, strength=strength, network=names[0], photo=first, disc_x=LEGS[0], disc_y=LEGS[1])
            for name, kind, strength in (
                ("as trained", "crop shifted right", 0.0), ("badly centred", "crop shifted right", 0.75),
                ("hidden legs", "grey disc", 0.8), ("out of focus", "blur", 0.5),
                ("few pixels", "fewer pixels", 0.5),
            )
        },
        title="Make the photo worse",
        folded=("photo", "disc_x", "disc_y"),
        grabs={"the disc": lambda at, params: {"disc_x": at[0], "disc_y": at[1]}},
        plays="strength",
    )  # fmt: skip
