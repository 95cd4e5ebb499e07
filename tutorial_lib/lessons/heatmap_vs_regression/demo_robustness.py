"""The live demo of lesson 01 about bad conditions: trained networks while their photos get worse."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import torch

from tutorial_lib.datasets.disturbances import Disturbance, disturb, move
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import figures, stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.metrics import distances, pck

THRESHOLDS: list[float] = np.linspace(0.02, 0.6, 30).tolist()
"""Of the PCK curves, shares of the torso."""
Joints = Literal["all in the picture", "visible"]
"""Which joints count."""
COLOURS = {"regression": "vermillion", "RLE": "purple", "heat map": "blue", "integral": "green"}
"""Of the networks that have these names, in all figures of the lesson."""


def assess(
    models: Mapping[str, KeypointNet], photos: PhotoSet, how: Disturbance, seen_only: bool = False
) -> dict[str, Any]:
    """Every model on disturbed photos.

    Args:
        models: by name, in eval mode, all for the photos' size.
        photos: some; all are looked at.
        how: what is done to them.
        seen_only: count only joints that are visible in the untouched photo. Otherwise all in the picture count,
            also those behind the body: a person knows where they must be.

    Returns:
        "image" (B, 3, size, size), "truth" (B, 17, 2), "counts" (B, 17); by model: "predicted" (B, 17, 2), "errors"
        (B, 17) pixels, NaN where a joint does not count, "pck" at `THRESHOLDS` of the torso.
    """
    image = disturb(photos.image, how)
    truth, counts = move(photos.keypoints, photos.visible if seen_only else torch.ones_like(photos.visible), how)
    half, torso = image.shape[-1] / 2, pck.torso_length(truth)
    with torch.no_grad():
        predicted = {name: model.predict(image) for name, model in models.items()}
    return {
        "image": image, "truth": truth, "counts": counts, "predicted": predicted,
        "errors": {name: half * torch.where(counts, distances(p, truth), torch.nan) for name, p in predicted.items()},
        "pck": {name: pck.pck_curve(p, truth, torso, THRESHOLDS, counts) for name, p in predicted.items()},
    }  # fmt: skip


def compute_robustness(
    models: Mapping[str, KeypointNet], photos: PhotoSet, *, joints: Joints, radius: float, disc_x: float,
    disc_y: float, shift_x: float, shift_y: float, blur: float, resolution: int, **drawn: Any,
) -> dict[str, Any]:  # fmt: skip
    """Every model on photos that are disturbed in several ways at once.

    Args:
        models: as for `assess`.
        photos: as for `assess`.
        joints: which of them count.
        radius: of the grey disc, in half widths.
        disc_x: its centre.
        disc_y: its centre, downwards.
        shift_x: how far the crop is shifted right, in half widths.
        shift_y: the same, downwards.
        blur: standard deviation in pixels.
        resolution: pixels that the picture is shrunk to.
        drawn: what is drawn of it: "photo" and "shown" change no number.

    Returns:
        As of `assess`.
    """
    how = Disturbance(radius, (disc_x, disc_y), (shift_x, shift_y), blur, resolution)
    return assess(models, photos, how, joints == "visible")


def view_robustness(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """One photo with every model's joints, the mean errors, and the PCK over the threshold."""
    photo, names, size = params["photo"], list(arrays["predicted"]), arrays["image"].shape[-1]
    colours = dict(zip(names, figures.colours_of(names, COLOURS)))
    drawn = names if params["shown"] == "all" else [params["shown"]]
    here = {name: _mean(arrays["errors"][name][photo]) for name in names}
    overall = {name: _mean(arrays["errors"][name]) for name in names}
    places = np.arange(len(names))
    skeletons = [stage.skeleton2d("truth", arrays["truth"][photo], width=2.5)] + [
        stage.skeleton2d(name, arrays["predicted"][name][photo], colour=colours[name], width=3.0) for name in drawn
    ]
    bars = [
        stage.series(name, [float(i)], [value], mode="bars", colour=colours[name], bar=0.38, shift=-0.2)
        for i, (name, value) in enumerate(here.items())
    ]
    every = stage.series("all photos", places, list(overall.values()), mode="bars", colour="grey", bar=0.38,
                         shift=0.2)  # fmt: skip
    return stage.panes(
        stage.image(
            picture=arrays["image"][photo].permute(1, 2, 0), skeletons=skeletons, cross=None, margin=0.15,
            title="what the networks see: drag the disc",
            handles=[stage.handle("the disc", (params["disc_x"], params["disc_y"]), colour="purple")],
        ),
        stage.curve(
            [*bars, every], x=stage.axis("", -0.6, len(names) - 0.4, ticks=dict(zip(names, places))),
            y=stage.axis("mean error (px)", 0, size / 5), title="this photo, and all photos",
        ),
        stage.curve(
            [stage.series(name, THRESHOLDS, 100 * arrays["pck"][name], colour=colours[name]) for name in names],
            x=stage.axis("threshold (share of the torso)", 0, 0.6), y=stage.axis("PCK (%)", 0, 100), now=0.2,
            title="PCK, all photos",
        ),
        stage.table(
            ["", *names],
            [["this photo (px)", *(f"{v:.1f}" for v in here.values())],
             ["all photos (px)", *(f"{v:.1f}" for v in overall.values())]],
            best="min",
        ),
        height=205,
    )  # fmt: skip


def robustness_demo(models: Mapping[str, KeypointNet], photos: PhotoSet) -> Demo:
    """Trained models on photos that get worse under the reader's hand.

    Args:
        models: by name, all for the photos' size; they are put in eval mode.
        photos: all of them enter the bars and the curves at every move, so give 8 to 24.

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
    pixels = [p for p in (8, 12, 16, 24, 32, 48, 64, 96, 128) if p < size] + [size]
    zero = {"radius": 0.0, "shift_x": 0.0, "shift_y": 0.0, "blur": 0.0, "resolution": size}
    return live(
        partial(compute_robustness, models, photos), view_robustness,
        {
            "photo": slider(0, 0, max(1, len(photos.image) - 1), 1, "photo"),
            "shown": choice(["all", *models], "all", "skeletons"),
            "joints": choice(get_args(Joints), "all in the picture", "joints that count"),
            "radius": slider(0.0, 0.0, 0.6, 0.02, "disc's radius"),
            "blur": slider(0.0, 0.0, 4.0, 0.1, "blur σ (px)"),
            "disc_x": slider(0.0, -1.0, 1.0, 0.02, "disc, across"),
            "disc_y": slider(0.0, -1.0, 1.0, 0.02, "disc, down"),
            "shift_x": slider(0.0, -0.5, 0.5, 0.02, "crop shifted right"),
            "shift_y": slider(0.0, -0.5, 0.5, 0.02, "crop shifted down"),
            "resolution": steps([(f"{p} px", p) for p in pixels], size, "picture shrunk to"),
        },
        presets={
            "as trained": zero,
            "hidden legs": zero | {"radius": 0.4, "disc_x": 0.0, "disc_y": 0.5},
            "badly centred": zero | {"shift_x": 0.24, "shift_y": 0.1},
            "out of focus": zero | {"blur": 2.0},
            "few pixels": zero | {"resolution": pixels[2] if len(pixels) > 2 else size},
        },
        title="Make the photo worse",
        folded=("shown", "joints", "disc_x", "disc_y", "shift_x", "shift_y", "resolution"),
        grabs={"the disc": lambda at, params: {"disc_x": at[0], "disc_y": at[1]}},
        plays="blur",
    )  # fmt: skip


def _mean(errors: torch.Tensor) -> float:
    """Mean of what counts; NaN, and so a gap in the picture, if nothing does."""
    return torch.nanmean(errors).item()
