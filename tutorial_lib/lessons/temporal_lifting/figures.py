"""The static figures and tables of lesson 04: what its tests and losses look like without a kernel."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints, keypoint_files
from tutorial_lib.datasets.detector import draw_defects
from tutorial_lib.datasets.videos import Video, clips_under_test
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.keypoint_files.coco import KEYPOINTS
from tutorial_lib.lessons.temporal_lifting.demo_few_labels import COLOUR, KINDS
from tutorial_lib.lessons.temporal_lifting.demo_lifting import NETWORKS, captured
from tutorial_lib.lessons.temporal_lifting.recipes import SHARES, few_name
from tutorial_lib.lifting.semi_supervised import reproject, reprojection_loss
from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.by_action import Errors, Metric, average
from tutorial_lib.skeleton import JOINTS


def noise_figure(tested: Mapping[tuple[float, str], Sequence[Errors]], noises: Sequence[float]) -> go.Figure:
    """A sweep over metrics: error of every network against the detector's noise."""
    titles: dict[Metric, str] = {"mpjpe": "MPJPE (mm)", "p_mpjpe": "P-MPJPE (mm)", "mpjve": "velocity (mm/frame)"}
    pictures = []
    for metric, title in titles.items():
        means = {
            name: [np.mean([average(e, metric) for e in tested[noise, name]]) for noise in noises] for name in NETWORKS
        }
        pictures.append(
            figures.curves(
                {name: (list(noises), mean) for name, mean in means.items()},
                x_title="detector noise",
                y_title=title,
                x_range=(-0.05, max(noises) + 0.05),
                y_range=(0, 1.1 * max(map(max, means.values()))),
                mode="lines+markers",
            )
        )
    return figures.sweep(pictures, list(titles.values()), "metric")


def share_figure(few: Mapping[str, Sequence[Errors]]) -> go.Figure:
    """Error against the share of footage with labels, with and without unlabelled video."""
    percent = [100 * share for share in SHARES]
    means, bands = intervals({
        kind: [[average(e) for e in few[few_name(share, semi)]] for share in SHARES] for kind, semi in KINDS.items()
    })  # fmt: skip
    return figures.curves(
        {kind: (percent, mean) for kind, mean in means.items()},
        bands=bands,
        x_title="footage with labels (%)",
        y_title="MPJPE (mm)",
        x_log=True,
        x_range=(0.8, 125),
        y_range=(0, 1.1 * max(max(high) for _, high in bands.values())),
        mode="lines+markers",
        colours=COLOUR,
        title="How many labels are enough?",
    )


def norm_figure() -> go.Figure:
    """The pull of both bone terms against how much a bone's mean length is off."""
    off = np.linspace(-60, 60, 121)
    return figures.curves(
        {"L1, as in the code": (off, np.sign(off)), "L2, as in the text": (off, 2 * off / 1000)},
        x_title="mean length of one bone, off by (mm)",
        y_title="slope of the loss (per metre)",
        x_range=(-60, 60),
        y_range=(-1.2, 1.2),
        title="L1 pulls with full strength until the bone is right",
    )


def dead_gradient_figure(video: Video, frame: int = 0) -> go.Figure:
    """How strongly back-projection pulls the root, wherever along its ray the trajectory model has put it."""
    truth, root = root_relative(video.pose[frame]), video.pose[frame, :1]
    keypoints = reproject(truth, root)
    depths = torch.linspace(-2.0, 6.0, 161)
    pulls = []
    for depth in depths:
        place = torch.cat([root[:, :2], depth.reshape(1, 1)], -1).requires_grad_()
        (slope,) = torch.autograd.grad(reprojection_loss(truth, place, keypoints), place)
        pulls.append(slope.norm().item())
    return figures.curves(
        {"pull on the root": (depths.numpy(), np.array(pulls))},
        x_title=f"depth where the root was put (m); the truth is {root[0, 2].item():.1f} m",
        y_title="gradient (half-widths per metre)",
        x_range=(-2, 6),
        y_range=(0, max(pulls) * 1.1),
        title="Behind the camera nothing pulls it back",
    )


def real_actor_table(folder: Path = checkpoints.FOLDER) -> str:
    """Markdown: what the test with real actors gave when the networks were trained."""
    names = {title: f"temporal/{name}" for title, name in NETWORKS.items()}
    names |= {
        f"{100 * share:g} % labels, {kind}": f"temporal/{few_name(share, semi)}"
        for share in SHARES
        for kind, semi in KINDS.items()
    }
    rows = []
    for title, name in names.items():
        measured = checkpoints.record(name, folder).get("real_actors")
        if measured is None:
            rows.append([title, "no recording at hand when it was trained", ""])
        else:
            rows.append([title, plus_minus(measured["mpjpe_mm"]), plus_minus(measured["mpjve_mm_per_frame"], 2)])
    return markdown(["network", "MPJPE (mm)", "velocity (mm per frame)"], rows)


def as_coco(points: torch.Tensor) -> torch.Tensor:
    """Joints (..., 17, 2) as a COCO detector would report them: the limbs, and a face on the line of the head."""
    thorax, neck = points[..., JOINTS.index("thorax"), :], points[..., JOINTS.index("neck"), :]
    face = thorax + 1.5 * (neck - thorax)
    named = {joint.replace("foot", "ankle"): points[..., i, :] for i, joint in enumerate(JOINTS)}
    return torch.stack([named.get(keypoint, face) for keypoint in KEYPOINTS], -2)


def example_tracks(seed: int = 0) -> list[keypoint_files.Track]:
    """What a detector would write about two clips (COCO-17, JSON), written to a file and read again."""
    width, height, fps = 1280, 1280, 50.0
    tracks = []
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(clips_under_test("builtin", seed)[:2]):
            errors = draw_defects((150,), 1.0, generator=torch.Generator().manual_seed(seed + number))
            screen = as_coco(captured(clip, 60.0, errors, len(errors.error)).keypoints)
            pixels = (screen + 1) * width / 2
            people = [
                {
                    "image_id": frame,
                    "category_id": 1,
                    "keypoints": torch.cat([points, torch.ones(17, 1)], -1).flatten().tolist(),
                    "score": 1.0,
                }
                for frame, points in enumerate(pixels)
            ]
            path = Path(folder) / f"{clip.action}.json"
            path.write_text(json.dumps(people), encoding="utf-8")
            tracks += keypoint_files.load(path, size=(width, height), fps=fps)
    return tracks
