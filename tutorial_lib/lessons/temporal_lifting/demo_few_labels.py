"""A live demo of lesson 04: what video without labels is worth, for every share of labels."""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.videos import Video
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.lessons.temporal_lifting.recipes import SHARES, few_name
from tutorial_lib.lifting.mean_pose import mean_pose
from tutorial_lib.metrics import mpjpe, n_mpjpe, p_mpjpe, root_relative

KINDS = {"labels only": False, "labels and video": True}
COLOUR = {"labels only": "vermillion", "labels and video": "blue"}


def compute_share(videos: list[Video], networks: Any, share: float, clip: int) -> dict[str, Any]:
    """What `share_demo` shows for these values of its controls."""
    video = videos[clip]
    truth = root_relative(video.pose)
    with torch.no_grad():
        lifted = {key: root_relative(model.lift(video.keypoints)) for key, model in networks.items()}
    return {
        "seen": video.keypoints,
        "truth": truth,
        "lifted": {kind: lifted[share, kind] for kind in KINDS},
        "errors": {key: 1000 * mpjpe(pose, truth).item() for key, pose in lifted.items()},
        "blind": 1000 * mpjpe(mean_pose().to(truth).expand_as(truth), truth).item(),
        "others": {
            kind: [1000 * f(lifted[share, kind], truth).item() for f in (mpjpe, p_mpjpe, n_mpjpe)] for kind in KINDS
        },
    }


def view_share(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `share_demo`."""
    percent = [100 * share for share in SHARES]
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("keypoints", arrays["seen"], colour="green")],
            title="the test video",
            weight=0.8,
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                *(stage.skeleton3d(k, pose, colour=COLOUR[k]) for k, pose in arrays["lifted"].items()),
            ],
            extent=BODY,
            up="-y",
            title="lifted",
        ),
        stage.curve(
            [
                stage.series(
                    kind,
                    percent,
                    [arrays["errors"][s, kind] for s in SHARES],
                    mode="line+markers",
                    colour=COLOUR[kind],
                )
                for kind in KINDS
            ],
            x=stage.axis("share with labels (%)", 0.8, 125, log=True),
            y=stage.axis("MPJPE (mm)", 0, 250),
            now=100 * params["share"],
            grab="share with labels",
            lines=[stage.hline("mean pose", arrays["blind"])],
            title="this video, all shares",
        ),
        stage.table(
            ["", "MPJPE (mm)", "P-MPJPE (mm)", "N-MPJPE (mm)"],
            [[kind, *(f"{value:.0f}" for value in values)] for kind, values in arrays["others"].items()],
        ),
        fps=50.0,
        height=204,
        note=share_words(arrays, params["share"]),
    )


def share_demo(videos: list[Video], folder: Path | None = None) -> Demo:
    """How many labels are enough: trained networks for every share, on one test video.

    Args:
        videos: of people that no training saw; the slider chooses one.
        folder: of the checkpoints.
    """
    where = checkpoints.FOLDER if folder is None else folder
    networks = {
        (share, kind): checkpoints.load(f"temporal/{few_name(share, semi)}", folder=where)
        for share in SHARES
        for kind, semi in KINDS.items()
    }

    controls = {
        "share": steps([(f"{100 * share:g} %", share) for share in SHARES], SHARES[1], "share with labels"),
        "clip": slider(0, 0, len(videos) - 1, 1, "test video"),
    }
    presets = {f"{100 * share:g} % labels": {"share": share, "clip": 0} for share in (SHARES[0], SHARES[2], SHARES[-1])}
    return live(
        partial(compute_share, videos, networks),
        view_share,
        controls,
        presets=presets,
        folded=("clip",),
        title="How many labels are enough?",
        grabs={"share with labels": lambda at, params: {"share": at[0] / 100}},
        plays="share",
    )


def share_words(arrays: dict[str, Any], share: float) -> str:
    """The two errors in one line."""
    return f"{100 * share:g} % labels: " + ", ".join(f"{k} {arrays['errors'][share, k]:.0f} mm" for k in KINDS)
