"""What lesson 01's experiment measures of a network on photos."""

import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.metrics import distances, pck
from tutorial_lib.skeleton import MIRROR

THRESHOLDS = tuple(round(0.04 * i, 2) for i in range(1, 16))
"""Of the PCK curves, shares of the torso."""
DECODERS = ("argmax", "quarter shift", "DARK")
"""How a heat map is read; the other heads have one way, called "mean place" or "numbers"."""


def decoders_of(model: KeypointNet) -> dict:
    """name -> what `KeypointNet.decode` takes as decoder."""
    if model.head != "heatmap":
        return {"mean place" if model.head == "integral" else "numbers": None}
    return dict(zip(DECODERS, (heatmaps.argmax, heatmaps.quarter_shift, lambda m: heatmaps.dark(m, model.sigma))))


def predict(model: KeypointNet, photos: PhotoSet, chunk: int = 128) -> dict[str, torch.Tensor]:
    """decoder -> joints (B, 17, 2) of all photos."""
    model.eval()
    where = next(model.parameters()).device
    with torch.no_grad():
        parts = [model(photos.select(slice(i, i + chunk)).image.to(where)) for i in range(0, len(photos), chunk)]
        output = torch.cat(parts).cpu()
        return {name: model.decode(output, decoder) for name, decoder in decoders_of(model).items()}


def measure(predicted: torch.Tensor, photos: PhotoSet) -> dict:
    """What is reported of one network, over all joints in the picture unless said otherwise.

    Args:
        predicted: (B, 17, 2).
        photos: what was looked at.

    Returns:
        "error_px" mean error, "median_px", "visible_px" and "hidden_px" means over joints that are seen or not,
        "torso" mean error as a share of the torso, "exchanged" share of the paired joints (both in the picture) that
        are nearer to their partner's true place than to their own, "pck" at `THRESHOLDS` of the torso.
    """
    counts, truth = photos.inside, photos.keypoints
    half, reference = photos.pixels.shape[-1] / 2, pck.torso_length(truth)
    error = distances(predicted, truth)
    mirror = list(MIRROR)
    paired = counts & counts[:, mirror] & (torch.arange(len(mirror)) != torch.tensor(mirror))
    exchanged = distances(predicted, truth[:, mirror]) < error
    return {
        "error_px": half * error[counts].mean().item(),
        "median_px": half * error[counts].median().item(),
        "visible_px": half * error[counts & photos.visible].mean().item(),
        "hidden_px": half * error[counts & ~photos.visible].mean().item(),
        "torso": (error / reference[:, None])[counts].mean().item(),
        "exchanged": exchanged[paired].double().mean().item(),
        "pck": pck.pck_curve(predicted, truth, reference, THRESHOLDS, counts).tolist(),
    }
