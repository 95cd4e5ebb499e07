"""2D skeletons from elsewhere: another data set's joints, and an adapter that moves them to where one's own are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from tqdm.auto import tqdm

from tutorial_lib.locking import MODEL_LOCK, gradients_on, interrupts_later
from tutorial_lib.self_supervision.losses import believes, critic_loss
from tutorial_lib.self_supervision.networks import Adapter, Critic
from tutorial_lib.self_supervision.turning import look
from tutorial_lib.self_supervision.views import Views
from tutorial_lib.skeleton import JOINTS

ALONG = {
    "right_hip": ("hip", "right_hip", 1.4),
    "left_hip": ("hip", "left_hip", 1.4),
    "right_shoulder": ("thorax", "right_shoulder", 0.8),
    "left_shoulder": ("thorax", "left_shoulder", 0.8),
    "right_wrist": ("right_elbow", "right_wrist", 1.25),
    "left_wrist": ("left_elbow", "left_wrist", 1.25),
    "right_foot": ("right_knee", "right_foot", 0.9),
    "left_foot": ("left_knee", "left_foot", 0.9),
    "spine": ("hip", "spine", 0.6),
    "head": ("neck", "head", 0.4),
}
"""Where others put a joint: so many times as far along the line from the first to the second. Hips at the outside of
the thigh, shoulders at the collar, hands at the knuckles, feet above the ankle, the nose for a head. All ours."""


def by_others(pose: torch.Tensor) -> torch.Tensor:
    """The same people (..., 17, 3) with joints where another data set puts them; the root stays."""
    moved = pose.clone()
    for joint, (start, end, share) in ALONG.items():
        first, last = (pose[..., JOINTS.index(name), :] for name in (start, end))
        moved[..., JOINTS.index(joint), :] = first + share * (last - first)
    return moved


def seen_by_others(views: Views) -> Views:
    """Noise-free views with others' joints, in what was seen and in the truth."""
    pose = by_others(views.pose)
    return replace(views, seen=look(pose, views.distance), pose=pose)


def learn_to_adapt(
    others: torch.Tensor,
    own: torch.Tensor,
    *,
    steps: int,
    generator: torch.Generator,
    leash: float = 10.0,
    batch: int = 256,
    rate: float = 1e-3,
    penalty: float = 0.5,
    width: int = 128,
    check: Callable[[Adapter], Any] | None = None,
    label: str = "adapter",
    progress: bool = True,
) -> Adapter:
    """Train an adapter without pairs: a critic must take moved skeletons for one's own, and none may be moved far.

    Args:
        others: (N, 17, 2) metres, 2D skeletons from elsewhere.
        own: (M, 17, 2).
        steps: of Adam.
        generator: of batches.
        leash: weight of the squared distance moved, per square metre.
        batch: skeletons a step.
        rate: of Adam.
        penalty: of the critic's slope.
        width: of both networks.
        check: gets the adapter at the end of every tenth of the way.
        label: what the bar says.
        progress: show a bar.
    """
    adapter, critic = Adapter(width).to(own.device), Critic(width).to(own.device)
    with interrupts_later():
        optimisers = [torch.optim.Adam(net.parameters(), rate, (0.5, 0.99), fused=True) for net in (adapter, critic)]

    def batch_of(skeletons: torch.Tensor) -> torch.Tensor:
        return skeletons[torch.randint(len(skeletons), (batch,), generator=generator).to(own.device)]

    for number in tqdm(range(1, steps + 1), desc=label, disable=not progress, mininterval=0.5):
        MODEL_LOCK.let_others()
        with MODEL_LOCK, gradients_on():
            foreign = batch_of(others)
            moved = adapter(foreign)
            far = (moved - foreign).square().sum(-1).mean()
            for optimiser, loss in zip(
                optimisers,
                (believes(critic, moved) + leash * far, critic_loss(critic, batch_of(own), moved, penalty)),
            ):
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        if check is not None and number % max(1, steps // 10) == 0:
            check(adapter)
    return adapter
