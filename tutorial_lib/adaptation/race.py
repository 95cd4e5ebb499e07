"""Several networks adapt to one observation, step by step: what the live demos show at every move."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.captured import Adapter
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest, Observation, Scenario
from tutorial_lib.adaptation.lifters import freeze_below_last_layer
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import joint_errors
from tutorial_lib.skeleton import JOINTS

OWN = 0.0
"""The stop of the slider at which every network takes the rate that validation chose for it."""

CROOKED_NETWORKS = {
    "not meta-trained": "crooked/random-9f",
    "MAML": "crooked/maml-9f",
    "Reptile": "crooked/reptile-9f",
    "ANIL": "crooked/anil-9f",
}
"""On a rig that hangs crooked."""


class Network(NamedTuple):
    """A contestant: what adapts a lifter, and the rate that validation chose for each scenario."""

    adapter: Adapter
    rates: Mapping[str, float]


def contestant(lifter: Lifter, rates: Mapping[str, float]) -> Network:
    """A network for up to 64 labelled windows and 20 steps."""
    return Network(Adapter(lifter, windows=64, steps=20), rates)


def crooked_networks(folder: Path = checkpoints.FOLDER, device: torch.device | str = "cpu") -> dict[str, Network]:
    """The networks of `CROOKED_NETWORKS`; ANIL's moves in its last layer only."""
    networks = {}
    for title, name in CROOKED_NETWORKS.items():
        lifter = checkpoints.load(name, device, folder)
        if title == "ANIL":
            freeze_below_last_layer(lifter)
        networks[title] = contestant(lifter, {LABELLED: checkpoints.record(name, folder)["rate"]})
    return networks


def race(
    networks: Mapping[str, Network],
    observation: Observation,
    clip: int,
    moment: int,
    *,
    scenario: Scenario = LABELLED,
    windows: int | Sequence[int],
    count: int,
    rate: float = OWN,
) -> dict[str, dict[str, Any]]:
    """Every network adapts to one observation.

    Args:
        networks: by title.
        observation: what is seen, and what is wanted.
        clip: whose pose is shown, at frame `moment`.
        moment: frame of that clip.
        scenario: what the steps see.
        windows: of the support set: how many, or their moments, as `Observation.support` takes them.
        count: steps.
        rate: of the steps; `OWN`: each network's.

    Returns:
        By title: "errors", mm before and after every step, mean over all clips; "poses" (count + 1, 17, 3); "losses"
        that were minimised; "bone", the mean bone length at the end relative to the start.
    """
    if scenario == LABELLED:
        frames = next(iter(networks.values())).adapter.model.frames
        support: Windows | torch.Tensor = observation.support(frames, windows)
        video, truth, shown = observation.video, observation.truth, clip
    else:
        support = video = observation.video[clip : clip + 1]
        truth, shown = observation.truth[clip : clip + 1], 0
    outcome = {}
    for title, network in networks.items():
        own = rate if rate != OWN else network.rates[scenario]
        taken = network.adapter(support, video, truth, steps=count, rate=own)
        outcome[title] = {
            "errors": 1000 * torch.tensor(taken.errors),
            "poses": taken.poses[:, shown, moment],
            "losses": taken.losses,
            "bone": taken.bone[-1],
        }
    return outcome


UPRIGHT = 15.0
"""Largest angle in degrees between trunk and the vertical of somebody who is said to stand upright."""


def leans(poses: torch.Tensor) -> torch.Tensor:
    """Angle (...) in degrees between trunk and the vertical of poses (..., 17, 3), root-relative in camera axes."""
    trunk = torch.nn.functional.normalize(poses[..., JOINTS.index("neck"), :], dim=-1)  # from the root, at the origin
    return torch.rad2deg(torch.arccos(-trunk[..., 1]))  # y points down


def middling(lens_test: LensTest, lifter: Lifter) -> int:
    """The clip to begin with: of those that show somebody upright at the middle frame, the one of median error.

    The errors are a lifter's behind the heavy pincushion; neither the best nor the worst clip is shown first.

    Args:
        lens_test: whose clips.
        lifter: as it is.
    """
    observation = lens_test.through(PRESETS["d2"])
    with torch.no_grad():
        errors = joint_errors(lifter.lift(observation.video), observation.truth).mean((1, 2))
    upright = leans(observation.truth[:, observation.truth.shape[1] // 2]) < UPRIGHT
    clips = [i for i in errors.argsort().tolist() if upright[i]] or errors.argsort().tolist()
    return clips[len(clips) // 2]
