"""The race of networks as graphs that a page without a kernel runs: lens and rig, a gradient step, a look at the poses.

Everything is exported as ONNX with fixed shapes; weights, people and detector errors are inputs, so one graph of each
kind serves all networks. The page loops over the steps (`in_page.js`). What is exported is the library's own code,
traced with its backward pass (`make_fx`), but for the length of a vector: the exporter takes `+ 1e-10` for `+ 0`, and
the root's gradient would be 0 / 0.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import torch
from torch.func import functional_call, grad_and_value
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, make_fx
from torch.overrides import TorchFunctionMode

from tutorial_lib.adaptation.conventions import Convention, mounting
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest
from tutorial_lib.adaptation.lifters import last_layer
from tutorial_lib.adaptation.race import Network
from tutorial_lib.camera import project
from tutorial_lib.datasets.detector import Defects
from tutorial_lib.lifting.temporal import TemporalLifter, WindowForm
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import bone_lengths

WINDOWS = 64
"""Labelled windows that a page can take; each has a share in the loss, 0 where there are fewer."""


def norm(vectors: torch.Tensor) -> torch.Tensor:
    """Lengths (...) of vectors (..., 3), with a gradient at 0 that survives the exporter."""
    return (vectors * vectors).sum(-1).clamp_min(1e-10).sqrt()


@dataclass(frozen=True)
class Flat:
    """A lifter's weights as one vector, those of the last layer at its end, and what batch norm measured as another.

    Attributes:
        lifter: whose architecture the vectors fit.
    """

    lifter: TemporalLifter

    def vectors(self, lifter: TemporalLifter) -> tuple[torch.Tensor, torch.Tensor]:
        """Both vectors of a lifter of this architecture."""
        weights, measured = self._parts(lifter)
        first, second = (torch.cat([v.detach().flatten() for v in part.values()]) for part in (weights, measured))
        return first, second

    @property
    def below(self) -> int:
        """How many numbers of the first vector lie below the last layer."""
        return sum(value.numel() for name, value in self.lifter.named_parameters() if not last_layer(name))

    def windows(self, weights: torch.Tensor, measured: torch.Tensor, keypoints: torch.Tensor) -> torch.Tensor:
        """Poses (n, 17, 3) of windows (n, frames, 17, 2) by the lifter with these vectors."""
        named: dict[str, torch.Tensor] = {}
        for vector, part in zip((weights, measured), self._parts(self.lifter)):
            pieces = vector.split([value.numel() for value in part.values()])
            named |= {
                f"lifter.{name}": piece.reshape(value.shape) for (name, value), piece in zip(part.items(), pieces)
            }
        return functional_call(WindowForm(self.lifter), (named,), (keypoints,))

    @staticmethod
    def _parts(lifter: TemporalLifter) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        weights = sorted(lifter.named_parameters(), key=lambda item: last_layer(item[0]))
        measured = {name: value for name, value in lifter.named_buffers() if value.is_floating_point()}
        return dict(weights), measured


def step(
    flat: Flat, last: bool, weights: torch.Tensor, measured: torch.Tensor, rate: torch.Tensor, keypoints: torch.Tensor,
    target: torch.Tensor, share: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """One gradient step of `adapt`.

    Args:
        flat: the architecture.
        last: whether nothing but the last layer moves, as in ANIL.
        weights: of the network, as `Flat.vectors` gives them.
        measured: by its batch norms.
        rate: (1,) alpha.
        keypoints: (n, frames, 17, 2) labelled windows.
        target: (n, 17, 3) their labels.
        share: (n,) of each in the loss.

    Returns:
        The next weights; the loss and the mean bone length before the step.
    """
    still, moving = weights.split([flat.below, len(weights) - flat.below]) if last else (weights[:0], weights)

    def loss(moving: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pose = flat.windows(torch.cat([still, moving]), measured, keypoints)
        return (norm(root_relative(pose - target)).mean(-1) * share).sum(), pose

    gradient, (value, pose) = grad_and_value(loss, has_aux=True)(moving)
    return torch.cat([still, moving - rate * gradient]), value, (bone_lengths(pose).mean(-1) * share).sum()


def look(
    flat: Flat, weights: torch.Tensor, measured: torch.Tensor, first: torch.Tensor, windows: torch.Tensor,
    truth: torch.Tensor, rotation: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """The pose (17, 3) of the window `first`, turned back to the level picture, and the mean error of the others."""
    poses = flat.windows(weights, measured, torch.cat([first, windows]))
    return Convention(rotation).in_picture(poses[0]), norm(root_relative(poses[1:] - truth)).mean()


def see(
    grid: Callable[[torch.Tensor], torch.Tensor], order: torch.Tensor, around: torch.Tensor, poses: torch.Tensor,
    errors: torch.Tensor, swaps: torch.Tensor, tests: torch.Tensor, test_errors: torch.Tensor, test_swaps: torch.Tensor,
    lens: torch.Tensor, angles: torch.Tensor, windows: torch.Tensor, centres: torch.Tensor, shown: torch.Tensor,
) -> tuple[torch.Tensor, ...]:  # fmt: skip
    """What the camera reports through a lens, and what the rig wants to hear.

    Args:
        grid: a lens to the lines that show it.
        order: (m,) all frames of the tests, as they are looked at.
        around: (m, frames) the frames of the window around each.
        poses: (N, 17, 3) metres: all frames of the recording; `errors` (N, 17, 2) and `swaps` (N, 2): the detector's.
        errors: see `poses`.
        swaps: see `poses`.
        tests: (M, 17, 3) of the people under test; `test_errors` and `test_swaps` as for the recording.
        test_errors: see `tests`.
        test_swaps: see `tests`.
        lens: (5,) coefficients.
        angles: (2,) tilt and roll in degrees.
        windows: (n, frames) frames of the labelled windows.
        centres: (n,) the labelled frames.
        shown: (1 + frames,) the shown frame, and the frames of its window.

    Returns:
        keypoints and target of the support set; all windows of the tests, in `order`, and their truth; the shown window
        (1, frames, 17, 2); its keypoints and its level truth; the rotation of the rig; the grid.
    """
    rig = Convention(mounting(angles[0], angles[1]))

    def detected(index: torch.Tensor, pose: torch.Tensor, error: torch.Tensor, swap: torch.Tensor) -> torch.Tensor:
        legs, arms = (swap[index, side, None, None] > 0.5 for side in (0, 1))
        return Defects(error[index], legs, arms).apply(project(pose[index], lens=lens))

    windows, centres, shown = windows.long(), centres.long(), shown.long()
    keypoints = detected(windows.flatten(), poses, errors, swaps).reshape(*windows.shape, 17, 2)
    video = detected(torch.arange(len(tests)), tests, test_errors, test_swaps)
    truth = root_relative(tests)
    return (
        keypoints, rig.wanted(poses[centres]), video[around], rig.wanted(tests)[order], video[shown[1:]][None],
        video[shown[:1]][0], truth[shown[:1]][0], rig.rotation, grid(lens),
    )  # fmt: skip


SEEN = ("keypoints", "target", "windows", "truth", "first", "seen", "level", "rotation", "grid")


@dataclass(frozen=True)
class InPage:
    """What `live(..., in_page=...)` takes, so that a page computes the demo anew at every move.

    Attributes:
        networks: by title, of one architecture.
        lens_test: whose recording and people under test.
        grid: a lens to the lines that show it.
        moments: labelled where no control chooses them; a number: so many of those that the test has drawn.
        phases: in how many parts the people's frames are looked at; the first is enough for a quick look.
        says: what the page must know besides (see `in_page.js`).
    """

    networks: Mapping[str, Network]
    lens_test: LensTest
    grid: Callable[[torch.Tensor], torch.Tensor]
    moments: Sequence[int] | int
    phases: int = 1
    says: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, tuple[Callable, dict[str, torch.Tensor], tuple[str, ...]]]:
        """Of every graph: the function, examples of its inputs by name, the names of what it returns."""
        lifter = next(iter(self.lifters().values()))
        flat, frames = Flat(lifter), lifter.frames
        weights, measured = flat.vectors(lifter)
        data = self.data()
        clips, length = self.lens_test.tests.pose.shape[:2]
        frame = torch.arange(length).reshape(-1, self.phases).T.flatten()  # phase by phase
        order = torch.stack([torch.arange(clips) * length + f for f in frame]).flatten()
        near = (frame[:, None] + torch.arange(frames) - frames // 2).clamp(0, length - 1)
        around = (near[:, None] + torch.arange(clips)[:, None] * length).reshape(-1, frames)
        index = torch.zeros(WINDOWS, frames, dtype=torch.int32)
        moving = {"lens": torch.zeros(5), "angles": torch.zeros(2), "support": index, "centres": index[:, 0]}
        moving["shown"] = torch.zeros(1 + frames, dtype=torch.int32)
        seen = dict(zip(SEEN, see(self.grid, order, around, *data.values(), *moving.values())))
        net = {"weights": weights, "measured": measured}
        support = {
            "keypoints": seen["keypoints"],
            "target": seen["target"],
            "share": torch.full((WINDOWS,), 1 / WINDOWS),
        }
        stepped = net | {"rate": torch.ones(1)} | support
        rows = len(order) // self.phases
        looks = {"first": seen["first"], "windows": seen["windows"][:rows], "truth": seen["truth"][:rows]}
        looked = net | looks | {"rotation": seen["rotation"]}
        kinds = {self.graph(lifter): self.graph(lifter) == "last" for lifter in self.lifters().values()}
        return {
            "see": (partial(see, self.grid, order, around), data | moving, SEEN),
            **{kind: (partial(step, flat, last), stepped, ("next", "loss", "bone")) for kind, last in kinds.items()},
            "look": (partial(look, flat), looked, ("pose", "error")),
        }

    def lifters(self) -> dict[str, TemporalLifter]:
        """By title."""
        return {title: cast(TemporalLifter, network.adapter.model) for title, network in self.networks.items()}

    def graph(self, lifter: TemporalLifter) -> str:
        """Which graph takes its steps: "step", or "last" where nothing below the last layer moves."""
        moves = any(weight.requires_grad for name, weight in lifter.named_parameters() if not last_layer(name))
        return "step" if moves else "last"

    def data(self) -> dict[str, torch.Tensor]:
        """The inputs of `see` that never change."""
        test, found = self.lens_test, {}
        for name, pose, defects in (
            ("", test.calibration_clips.pose, test.recorded_defects), ("test_", test.tests.pose, test.test_defects)
        ):  # fmt: skip
            swaps = torch.cat([defects.legs, defects.arms], -1).flatten(0, -3)[:, 0].float()
            found |= {
                f"{name}poses": pose.flatten(0, 1),
                f"{name}errors": defects.error.flatten(0, 1),
                f"{name}swaps": swaps,
            }
        return {name: value.cpu() for name, value in found.items()}

    def content(self, store: Callable[[torch.Tensor, bool], Any]) -> dict[str, Any]:
        """All that the page needs, as JSON.

        Args:
            store: keeps an array, exactly or rounded to 16 bits, and returns what stands for it.
        """
        lifters = self.lifters()
        flat = Flat(next(iter(lifters.values())))
        networks = [
            {
                "title": title,
                "vectors": [store(vector, True) for vector in flat.vectors(lifter)],
                "rate": self.networks[title].rates[LABELLED],
                "graph": self.graph(lifter),
            }
            for title, lifter in lifters.items()
        ]
        length = self.lens_test.tests.pose.shape[1]
        moments = self.moments
        if isinstance(moments, int):
            clip, centre = self.lens_test.picks[:moments].unbind(-1)
            moments = (clip * length + centre).tolist()
        graphs = {name: base64.b64encode(exported(*parts)).decode() for name, parts in self.arguments().items()}
        return {
            "graphs": graphs, "networks": networks, "moments": list(moments), "most": WINDOWS, "phases": self.phases,
            "data": {name: store(value, False) for name, value in self.data().items()},
            "frames": flat.lifter.frames, "length": length, **self.says,
        }  # fmt: skip


class _ChecksNow(TorchFunctionMode):
    """While a graph is traced, checks of values look at the examples, and are no part of the graph."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is torch.Tensor.__bool__:
            with disable_proxy_modes_tracing():
                return func(*args)
        return func(*args, **(kwargs or {}))


def exported(function: Callable, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]) -> bytes:
    """A function of tensors as an ONNX file, for the shapes of these inputs.

    Raises:
        ImportError: the packages onnx and onnxscript are not there.
    """
    with _ChecksNow():
        traced = make_fx(function)(*inputs.values()).eval()
    program = torch.onnx.export(
        traced, tuple(inputs.values()), dynamo=True, input_names=list(inputs), output_names=list(outputs), verbose=False
    )
    assert program is not None  # a program is returned where no file is named
    model = program.model_proto
    for node in model.graph.node:  # where in the code each came from
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
    return model.SerializeToString()
