"""How many labels? A linear head on frozen points, solved anew at every move of the slider: nothing is trained here."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, steps
from tutorial_lib.geometry_aware import draw_groups, fit_equivariant, fit_ridge
from tutorial_lib.geometry_aware.heads import Equivariant, Ridge, choose_penalty
from tutorial_lib.geometry_aware.retrieval import encode
from tutorial_lib.geometry_aware.views import photos, poses
from tutorial_lib.lessons.geometry_aware.pictures import Pair, as_picture
from tutorial_lib.lessons.geometry_aware.recipes import ALL_LABELS, GROUPS
from tutorial_lib.metrics import mpjpe

ALL = GROUPS[-1]
POOL = 300
"""Groups that the demo draws, of the 6000 that the experiment learns from."""

COUNTS = (3, 6, 12, 30, 60, 120, 300, ALL)
"""Labelled groups, of four photos; heads from all of them were solved beforehand, since 24,000 photos take minutes."""

HEADS = {"ridge": fit_ridge, "equivariant": fit_equivariant}

BODY = ((-0.9, 0.9), (-1.0, 1.0), (-0.9, 0.9))
"""Metres round the root, camera frame."""


@dataclass(frozen=True)
class Labelled:
    """Points and poses: to solve heads with, to choose penalties with, and to try heads on.

    Attributes:
        points: part -> (B, n, 3), of "train", "validation" and "test".
        poses: part -> (B, 17, 3) metres, root-relative, camera frame.
        shown: (B, 3, H, W) in [0, 1], photos of the test.
        errors: head -> error in mm on the test, one a number of `COUNTS`.
        all_labels: head -> it, from all groups.
    """

    points: dict[str, torch.Tensor]
    poses: dict[str, torch.Tensor]
    shown: torch.Tensor
    errors: dict[str, list[float]]
    all_labels: dict[str, Ridge | Equivariant]

    def solved(self, count: int, kind: str) -> Ridge | Equivariant:
        """A head from so many groups.

        Args:
            count: of `COUNTS`.
            kind: of `HEADS`.
        """
        if count == ALL:
            return self.all_labels[kind]
        fit, points, pose = HEADS[kind], self.points["train"][: 4 * count], self.poses["train"][: 4 * count]
        chosen = choose_penalty(lambda p: fit(points, pose, p), self.points["validation"], self.poses["validation"])
        return fit(points, pose, chosen)


def labelled(nets: Pair, pool: int = POOL, tested: int = 48, folder: Path = checkpoints.FOLDER) -> Labelled:
    """Draw and encode what the demo needs.

    Args:
        nets: of `pictures.networks`.
        pool: groups with labels.
        tested: groups to choose penalties with, and as many to try heads on.
        folder: of the checkpoints.
    """
    net, points, true = nets.ours, {}, {}
    shown = torch.empty(0)
    for part, count in (("train", pool), ("validation", tested), ("test", tested)):
        views = draw_groups(part, count, seed=7, size=net.encoder.size)
        shown = photos(views)
        points[part], true[part] = encode(net.encoder, shown)[0], poses(views)
    stored = checkpoints.weights(ALL_LABELS, folder)[1]
    heads = {
        "ridge": Ridge(stored["ridge.weight"], stored["ridge.shift"]),
        "equivariant": Equivariant(stored["equivariant.weight"]),
    }
    found = Labelled(points, true, shown, {}, heads)
    for kind in HEADS:
        poses_by_count = [found.solved(count, kind)(points["test"]) for count in COUNTS]
        found.errors[kind] = [1000 * mpjpe(pose, true["test"]).item() for pose in poses_by_count]
    return found


def compute_labels(found: Labelled, count: int, kind: str, photo: int) -> dict[str, Any]:
    """What `labels_demo` shows for these values of its controls."""
    head = found.solved(count, kind)
    pose = head(found.points["test"][photo][None])[0]
    truth = found.poses["test"][photo]
    mean = found.poses["train"].mean(0).expand_as(found.poses["test"])
    return {
        "photo": found.shown[photo],
        "pose": pose,
        "truth": truth,
        "error": 1000 * mpjpe(pose, truth).item(),
        "all": 1000 * mpjpe(head(found.points["test"]), found.poses["test"]).item(),
        "mean": 1000 * mpjpe(mean, found.poses["test"]).item(),
        "errors": found.errors,
    }


def view_labels(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `labels_demo`."""
    colours: dict[str, tuple[str, stage.Dash]] = {"ridge": ("blue", "solid"), "equivariant": ("orange", "dash")}
    return stage.panes(
        stage.image(picture=as_picture(arrays["photo"]), cross=None, margin=0.0, title="a test photo", weight=0.8),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                stage.skeleton3d("head", arrays["pose"], colour="blue", dash="dash"),
            ],
            extent=BODY, up="-y", title="its pose", view=(-30.0, 10.0),
        ),
        stage.curve(
            [
                stage.series(
                    name, COUNTS, [min(value, 300.0) for value in values], colour=colours[name][0],
                    dash=colours[name][1], mode="line+markers",
                )
                for name, values in arrays["errors"].items()
            ],
            x=stage.axis("labelled groups", 2.5, 7500, log=True), y=stage.axis("MPJPE (mm)", 100, 300),
            lines=[stage.hline("mean pose", arrays["mean"])], now=float(params["count"]), grab="labels",
            title="all test photos", weight=1.4,
        ),
        height=270,
        note=f"{params['count']} groups, {4 * params['count']} photos with a pose: {arrays['all']:.0f} mm on test "
        f"people, {arrays['error']:.0f} mm here; the mean pose {arrays['mean']:.0f} mm",
    )  # fmt: skip


def nearest(value: float) -> int:
    """The number of groups that is nearest on the curve's logarithmic axis."""
    return min(COUNTS, key=lambda count: abs(torch.log(torch.tensor(count / max(value, 1e-3))).item()))


def labels_demo(found: Labelled) -> Demo:
    """Solve a head from few labels or many.

    Args:
        found: of `labelled`.
    """
    controls = {
        "count": steps([(f"{count} ({count / 60:g} %)", count) for count in COUNTS], 30, "labelled groups"),
        "kind": choice(list(HEADS), "ridge", "head"),
        "photo": steps([(str(i + 1), 4 * i) for i in range(12)], 0, "test photo"),
    }
    presets = {
        "three groups": {"count": 3, "kind": "ridge", "photo": 0},
        "three, equivariant": {"count": 3, "kind": "equivariant", "photo": 0},
        "0.5 %": {"count": 30, "kind": "ridge", "photo": 0},
        "all": {"count": ALL, "kind": "ridge", "photo": 0},
    }
    return live(
        partial(compute_labels, found), view_labels, controls, presets=presets,
        title="How many labels does a linear head need?",
        grabs={"labels": lambda at, params: {"count": nearest(at[0])}}, recorded=("count", "kind"),
    )  # fmt: skip
