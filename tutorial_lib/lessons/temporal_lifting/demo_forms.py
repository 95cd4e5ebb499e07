"""The second live demo of lesson 04: one network, two ways to compute it, the work counted while they run."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets.splits import walker
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lifting import Lifter, flops_per_frame, pad_edges
from tutorial_lib.skeleton import JOINTS

FORMS = ("sequence", "windows")
JOINT = JOINTS.index("right_wrist")
WORK = (0.05, 5)
"""Range of the work axis, million multiply-adds."""


def clip_of(motion: str, seed: int) -> torch.Tensor:
    """Keypoints (T, 17, 2) of the first test clip, as the detector reports them."""
    return LensTest(walker(motion, seed), seed, clips=1, calibration_clips=1).through(torch.zeros(5)).video[0]


def lift_as(model: Lifter, clip: torch.Tensor, form: str) -> torch.Tensor:
    """Lift a clip (T, 17, 2) with padded ends: in one sequence, or as T overlapping windows."""
    padded = pad_edges(clip, model.frames, model.causal)
    if form == "sequence":
        return model(padded)
    return model.windows(padded.unfold(0, model.frames, 1).permute(0, 3, 1, 2))


class MultiplyAdds(TorchFunctionMode):
    """Counts the multiply-adds of the linear layers and convolutions that run inside it, in `total`."""

    total = 0

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (F.linear, F.conv1d):
            weight = args[1]
            self.total += result.numel() * weight[0].numel()  # every number that comes out is one sum over weights
        return result


def work(model: Lifter, clip: torch.Tensor, form: str) -> tuple[torch.Tensor, float]:
    """The poses, and how many million multiply-adds each of them took, counted while they ran."""
    with torch.no_grad(), MultiplyAdds() as counted:
        poses = lift_as(model, clip, form)
    return poses, counted.total / 1e6 / len(clip)


def compute_two_forms(models: Mapping[int, Lifter], video: torch.Tensor, frames: int, length: int) -> dict[str, Any]:
    """What `two_forms_demo` shows for these values of its controls."""
    clip, model = video[:length], models[frames]
    results = {form: work(model, clip, form) for form in FORMS}
    poses = {form: pose for form, (pose, _) in results.items()}
    return {
        "clip": clip,
        "padded": pad_edges(clip, frames),
        "poses": poses,
        "work": {form: cost for form, (_, cost) in results.items()},
        "steady": flops_per_frame(model) / 2e6,
        "difference": (poses["sequence"] - poses["windows"]).abs().max().item(),
    }


def view_two_forms(
    video: Any, lengths: Any, costs: Any, reach: Any, arrays: dict[str, Any], params: dict[str, Any]
) -> dict[str, Any]:
    """The picture of `two_forms_demo`."""
    frames, length = params["frames"], params["length"]
    padded, before = arrays["padded"][:, JOINT, 0], frames // 2
    depth = {form: pose[:, JOINT, 2] for form, pose in arrays["poses"].items()}
    mode = "line" if length > 1 else "markers"  # one frame alone makes no line
    here, around = np.arange(length), np.arange(len(padded)) - before
    time = stage.axis("frame of the clip", -reach - 1, len(video) + reach)
    least = np.full(len(lengths), arrays["steady"])
    work_done = costs[frames]
    return stage.panes(
        stage.curve(
            [
                stage.series("copies of the ends", around, padded, colour="orange", dash="dot", width=4),
                stage.series("the clip", here, arrays["clip"][:, JOINT, 0], width=4, mode=mode),
            ],
            x=time,
            y=stage.axis("right wrist, x (half widths)", -1, 1),
            title="in: keypoints, padded",
        ),
        stage.curve(
            [
                stage.series("windows", here, depth["windows"], colour="vermillion", width=8, mode=mode),
                stage.series("sequence", here, depth["sequence"], colour="blue", width=3, mode=mode),
            ],
            x=time,
            y=stage.axis("right wrist, depth (m)", -0.8, 0.8),
            title="out: poses, from the hip",
        ),
        stage.curve(
            [
                stage.series("windows", lengths, work_done["windows"], colour="vermillion", dash="dash"),
                stage.series("sequence", lengths, work_done["sequence"], colour="blue"),
                stage.series("every weight once", lengths, least, colour="grey", dash="dot"),
            ],
            x=stage.axis("length of the clip (frames)", 1, len(video), log=True),
            y=stage.axis("multiply-adds (million)", *WORK, log=True),
            now=length,
            grab="how long the clip is",
            title="work for one pose, counted",
        ),
        stage.table(
            ["", *FORMS],
            [
                ["million multiply-adds per pose", *(f"{arrays['work'][form]:.3f}" for form in FORMS)],
                ["for the whole clip", *(f"{arrays['work'][form] * length:.1f}" for form in FORMS)],
            ],
            best="min",
        ),
        height=245,
        note=f"largest difference of the two: {1e6 * arrays['difference']:.2f} µm",
    )


def two_forms_demo(motion: str = "builtin", seed: int = 0) -> Demo:
    """The same clip lifted as one sequence and as windows: the same poses, not the same work.

    Args:
        motion: "builtin" or a motion file; its first test clip is shown.
        seed: of people and cameras.
    """
    models = {frames: checkpoints.load(f"plain-{frames}f") for frames in (9, 27)}
    video = clip_of(motion, seed)
    lengths = sorted({round(n) for n in np.geomspace(1, len(video), 16)})
    costs = {
        frames: {form: [work(model, video[:n], form)[1] for n in lengths] for form in FORMS}
        for frames, model in models.items()
    }
    reach = max(models) // 2

    controls = {
        "frames": choice([("9 frames", 9), ("27 frames", 27)], 27, "receptive field"),
        "length": slider(20, 1, len(video), 1, "clip (frames)"),
    }
    presets = {
        name: {"frames": 27, "length": length}
        for name, length in (("one frame", 1), ("seven frames", 7), ("the whole clip", len(video)))
    }
    return live(
        partial(compute_two_forms, models, video),
        partial(view_two_forms, video, lengths, costs, reach),
        controls,
        presets=presets,
        title="One function, two ways to compute it",
        grabs={"how long the clip is": lambda at, params: {"length": at[0]}},
        plays="length",
    )
