"""What lesson 01's experiment measures of a network on photos, and of answers that look at none."""

from collections.abc import Callable

import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.disturbances import Disturbance, disturb, move
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.metrics import distances, pck
from tutorial_lib.skeleton import MIRROR

THRESHOLDS = tuple(round(0.04 * i, 2) for i in range(1, 16))
"""Of the PCK curves, shares of the torso."""
DECODERS = ("argmax", "quarter shift", "DARK")
"""How a heat map is read; the other heads have one way, called "mean place" or "numbers"."""
WORSE = {
    "disc": Disturbance(radius=0.4, disc=(0.0, 0.3)),
    "shift": Disturbance(shift=(0.3, 0.0)),
    "blur": Disturbance(blur=2.0),
}
"""name -> what is done to the test photos to see what a network makes of worse ones: one strength each."""


def decoders_of(model: KeypointNet) -> dict:
    """name -> what `KeypointNet.decode` takes as decoder."""
    if model.head != "heatmap":
        return {"mean place" if model.head == "integral" else "numbers": None}
    return dict(zip(DECODERS, (heatmaps.argmax, heatmaps.quarter_shift, lambda m: heatmaps.dark(m, model.sigma))))


def outputs(model: KeypointNet, images: torch.Tensor, chunk: int = 128) -> torch.Tensor:
    """What the network says of pictures (B, 3, size, size), in eval mode; on the CPU."""
    model.eval()
    where = next(model.parameters()).device
    with torch.no_grad():
        return torch.cat([model(images[i : i + chunk].to(where)) for i in range(0, len(images), chunk)]).cpu()


def predict(model: KeypointNet, photos: PhotoSet) -> dict[str, torch.Tensor]:
    """decoder -> joints (B, 17, 2) of all photos."""
    output = outputs(model, photos.image)
    return {name: model.decode(output, decoder) for name, decoder in decoders_of(model).items()}


def mean_error(predicted: torch.Tensor, photos: PhotoSet) -> float:
    """Mean distance in pixels over all joints in the picture: what settings are chosen by."""
    return photos.pixels.shape[-1] / 2 * distances(predicted, photos.keypoints)[photos.inside].mean().item()


def turned_round(predicted: torch.Tensor, photos: PhotoSet) -> torch.Tensor:
    """(B,) whether a person's joints fit better with left and right exchanged, all at once."""
    counts = photos.inside
    plain, exchanged = (
        (distances(points, photos.keypoints) * counts).sum(1) for points in (predicted, predicted[:, list(MIRROR)])
    )
    return exchanged < plain


def measure(predicted: torch.Tensor, photos: PhotoSet) -> dict:
    """What is reported of one network, over all joints in the picture unless said otherwise.

    Args:
        predicted: (B, 17, 2).
        photos: what was looked at.

    Returns:
        "error_px" mean error, "forgiving_px" the same where every person's sides may be exchanged if that fits better,
        "turned" share of people for whom it does, "median_px", "visible_px" and "hidden_px" means over joints that are
        seen or not, "torso" mean error as a share of the torso, "pck" at `THRESHOLDS` of the torso.
    """
    counts, truth = photos.inside, photos.keypoints
    half, reference = photos.pixels.shape[-1] / 2, pck.torso_length(truth)
    error, turned = distances(predicted, truth), turned_round(predicted, photos)
    best = torch.where(turned[:, None, None], predicted[:, list(MIRROR)], predicted)
    return {
        "error_px": half * error[counts].mean().item(),
        "forgiving_px": mean_error(best, photos),
        "turned": turned.double().mean().item(),
        "median_px": half * error[counts].median().item(),
        "visible_px": half * error[counts & photos.visible].mean().item(),
        "hidden_px": half * error[counts & ~photos.visible].mean().item(),
        "torso": (error / reference[:, None])[counts].mean().item(),
        "pck": pck.pck_curve(predicted, truth, reference, THRESHOLDS, counts).tolist(),
    }


def surest_px(model: KeypointNet, photos: PhotoSet) -> float | None:
    """Mean error in pixels on the half of the photos on which a network is surest, asked for every joint by itself.

    For every joint by itself, because a network that only knows that hips are easier than wrists knows nothing about
    the photo. None for plain regression, which cannot say how sure it is.
    """
    output = outputs(model, photos.image)
    sure = model.confidence(output)
    if sure is None:
        return None
    error, counts = distances(model.decode(output), photos.keypoints), photos.inside
    middle = torch.where(counts, sure, torch.nan).nanmedian(0).values
    return photos.pixels.shape[-1] / 2 * error[counts & (sure >= middle)].mean().item()


def measure_worse(answer: Callable[[torch.Tensor], torch.Tensor], photos: PhotoSet) -> dict[str, float]:
    """Kind of `WORSE` -> mean error in pixels on photos that are spoiled so.

    Args:
        answer: pictures (B, 3, size, size) to joints (B, 17, 2).
        photos: some.
    """
    found = {}
    for kind, how in WORSE.items():
        truth, counts = move(photos.keypoints, torch.ones_like(photos.visible), how)
        predicted = answer(disturb(photos.image, how))
        found[kind] = photos.pixels.shape[-1] / 2 * distances(predicted, truth)[counts].mean().item()
    return found


def blind(train: PhotoSet, test: PhotoSet) -> dict[str, dict]:
    """What is reached without looking: "mean pose" and "median pose" of the training photos for everybody, and
    "another person", the pose of a training photo that is drawn by lot.

    Returns:
        name -> what `measure` returns, and "worse" as `measure_worse` for the two that are always the same.
    """
    lot = torch.randint(len(train), (len(test),), generator=torch.Generator().manual_seed(0))
    found = {"another person": measure(train.keypoints[lot], test)}
    for name, pose in (("mean pose", train.keypoints.mean(0)), ("median pose", train.keypoints.median(0).values)):
        always = pose.expand_as(test.keypoints)
        found[name] = measure(always, test) | {"worse": measure_worse(lambda _, pose=always: pose, test)}
    return found
