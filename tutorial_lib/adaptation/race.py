"""Several networks adapt to one observation, step by step: what the live demos show at every move."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest, Observation, Scenario
from tutorial_lib.adaptation.lifters import adapt, last_layer
from tutorial_lib.datasets.windows import window_indices
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import joint_errors, mpjpe
from tutorial_lib.skeleton import JOINTS

SPARE = 6
"""Every so many frames of a test clip are scored: neighbouring frames are wrong alike."""

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
    """A contestant: a lifter and the rate that validation chose for each scenario."""

    lifter: Lifter
    rates: Mapping[str, float]


def crooked_networks(folder: Path = checkpoints.FOLDER, device: torch.device | str = "cpu") -> dict[str, Network]:
    """The networks of `CROOKED_NETWORKS`; ANIL's moves in its last layer only."""
    networks = {}
    for title, name in CROOKED_NETWORKS.items():
        lifter = checkpoints.load(name, device, folder)
        for weight_name, weight in lifter.named_parameters():
            weight.requires_grad_(title != "ANIL" or last_layer(weight_name))
        networks[title] = Network(lifter, {LABELLED: checkpoints.record(name, folder)["rate"]})
    return networks


def race(
    networks: Mapping[str, Network],
    observation: Observation,
    clip: int,
    moment: int,
    *,
    scenario: Scenario = LABELLED,
    windows: int,
    first: int = 0,
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
        windows: labelled windows of the support set, from the `first` one on.
        first: of them.
        count: steps.
        rate: of the steps; `OWN`: each network's.

    Returns:
        By title: "errors", mm before and after every step, mean over all clips; "poses" (count + 1, 17, 3); "losses"
        that were minimised; "bone", the mean bone length at the end relative to the start.
    """
    frames, clips = next(iter(networks.values())).lifter.frames, len(observation.video)
    scored = torch.arange(SPARE // 2, observation.video.shape[1], SPARE)
    index = window_indices(observation.video.shape[1], frames, scored)
    seen, truth = observation.video[:, index], observation.truth[:, scored]
    shown = observation.video[clip, window_indices(observation.video.shape[1], frames, torch.tensor(moment))]
    if scenario == LABELLED:
        support = observation.support(frames, windows, first=first)
    else:
        support = observation.video[clip : clip + 1]
        seen, truth, clips = seen[clip : clip + 1], truth[clip : clip + 1], 1
    batch = torch.cat([seen.reshape(-1, *seen.shape[-3:]), shown[None]])

    outcome = {}
    for title, network in networks.items():
        poses, errors = [], []

        def watch(adapted: Lifter, poses: list = poses, errors: list = errors) -> None:
            lifted = adapted.windows(batch)
            poses.append(lifted[-1])
            errors.append(mpjpe(lifted[:-1].reshape(clips, -1, *lifted.shape[1:]), truth))

        own = rate if rate != OWN else network.rates[scenario]
        result = adapt(network.lifter, support, count, rate=own, watch=watch)
        if result.interrupted:
            raise KeyboardInterrupt("the adaptation was stopped")
        outcome[title] = {
            "errors": 1000 * torch.stack(errors).cpu(),
            "poses": torch.stack(poses),
            "losses": result.losses,
            "bone": result.bone[-1],
        }
    return outcome


UPRIGHT = 15.0
"""Largest angle in degrees between trunk and the vertical of somebody who is said to stand upright."""


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
    pose = observation.truth[:, observation.truth.shape[1] // 2]
    trunk = torch.nn.functional.normalize(pose[:, JOINTS.index("neck")], dim=-1)  # from the root, at the origin
    upright = -trunk[:, 1] > math.cos(math.radians(UPRIGHT))  # y points down
    clips = [i for i in errors.argsort().tolist() if upright[i]] or errors.argsort().tolist()
    return clips[len(clips) // 2]
