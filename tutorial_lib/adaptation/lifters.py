"""Learning to adapt to a lens: synthetic tasks, MAML, and the two ways to adapt at test time (Cho et al. 2021).

This room stands on `lifting`. Decisions that the paper leaves open, the same in every inner, outer and test step:

- Batch norm uses the running statistics of the pretraining and never updates them. The statistics of a batch that
  holds one distortion would leak the lens into the normalisation, and a test clip would shift them.
- Dropout is off: with it, the inner gradient would be a different function at every call.
- The weight and bias of the norms are adapted like all other weights.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import nn
from torch.func import functional_call

from tutorial_lib.adaptation.maml import Weights, maml_loss, reptile_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import Lifter, WindowForm
from tutorial_lib.locking import MODEL_LOCK, gradients_on
from tutorial_lib.metrics import mpjpe_loss, root_relative
from tutorial_lib.metrics.joints import check_finite
from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths, length, pick

Inner = Literal["supervised", "self-supervised"]
"""What the inner step of an episode minimises."""


def self_supervised_loss(pose: torch.Tensor) -> torch.Tensor:
    """Bone-length symmetry plus bone-length consistency of a video, without labels and without a scale.

    L = [ mean over frames of sum over pairs |b_left - b_right| + sum over bones of mean over frames |b - mean b| ]
    divided by the mean bone length. The division makes it the same for a pose and for half of it: a skeleton that
    shrinks to a point gains nothing (with the usual form it would be the perfect answer).

    Args:
        pose: (..., frames, 17, 3) metres, any frame; bone lengths are compared along `frames`.

    Returns:
        Scalar without a unit.

    Raises:
        ValueError: joints other than 17, no frame.

    Source: Cho et al. 2021 name the two terms (scenario 2); the form and the weights (both 1) are ours.
    """
    bones = bone_lengths(pose)
    if pose.ndim < 3 or pose.numel() == 0:
        raise ValueError(f"pose has shape {tuple(pose.shape)}, expected (..., frames, 17, 3), none 0: give a video")
    left, right = (pick(bones, side, -1) for side in zip(*SYMMETRIC_BONES))
    symmetry = (left - right).abs().sum(-1).mean(-1)
    consistency = (bones - bones.mean(dim=-2, keepdim=True)).abs().mean(dim=-2).sum(-1)
    return ((symmetry + consistency) / bones.mean(dim=(-1, -2)).clamp_min(1e-6)).mean()


def supervised_loss(pose: torch.Tensor, target: torch.Tensor, share: torch.Tensor | None = None) -> torch.Tensor:
    """MPJPE in metres: the loss of the inner, the outer and the fine-tuning steps.

    Args:
        pose: (..., 17, 3) predicted.
        target: the same shape.
        share: (...) of every pose in the mean, together 1; equal shares by default.
    """
    if share is None:
        return mpjpe_loss(pose, target)
    return (length(root_relative(pose - target)).mean(-1) * share).sum()


def meta_loss(
    model: Lifter,
    support: Windows,
    query: Windows,
    *,
    rate: float,
    second_order: bool = True,
    inner: Inner = "supervised",
    stepped: Callable[[str], bool] = lambda name: True,
) -> torch.Tensor:
    """`maml_loss` of a lifter: the query loss after one inner step on the support set, averaged over the tasks.

        theta_i = theta - rate * grad L_i(theta, support_i);   objective = mean_i L_i(theta_i, query_i)

    Args:
        model: those of its parameters that require a gradient are theta; it must be in eval mode (see the module's
            docstring).
        support: what the inner steps see, with a leading axis of tasks.
        query: what the outer loss sees, the same tasks.
        rate: alpha, the inner learning rate.
        second_order: differentiate through the inner gradient; False treats it as a constant (first-order MAML).
        inner: "supervised" (the paper's) or "self-supervised": the inner step sees no labels, so that the network
            learns to gain from scenario 2's loss (ours).
        stepped: which of the lifter's weights, by name, the inner step moves; `last_layer` for ANIL.

    Returns:
        Scalar; its `backward` gives the meta-gradient.

    Raises:
        ValueError: the model is in training mode, an unknown inner loss.

    Source: Finn et al. 2017, as used in Cho et al. 2021, Algorithm 1 (there printed with the query loss on other
    distortions than the inner step, which would not train what the text describes).
    """
    _check_episode(model, rate)
    if len(support.keypoints) != len(query.keypoints) or len(support.keypoints) == 0:
        raise ValueError(
            f"support holds {len(support.keypoints)} tasks and query {len(query.keypoints)}: expected the same tasks, "
            "at least one, on the first axis"
        )
    if inner not in get_args(Inner):
        raise ValueError(f"inner is {inner!r}, expected 'supervised' or 'self-supervised'")
    theta, lift = _functional(model)

    def inner_loss(weights: Weights, seen: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        predicted = lift(weights, seen[0])
        return supervised_loss(predicted, seen[1]) if inner == "supervised" else self_supervised_loss(predicted)

    def outer_loss(weights: Weights, seen: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return supervised_loss(lift(weights, seen[0]), seen[1])

    return maml_loss(
        theta,
        (support.keypoints, support.pose),
        (query.keypoints, query.pose),
        inner_loss,
        outer_loss,
        rate=rate,
        second_order=second_order,
        stepped=stepped,
    )


def reptile_lifter_loss(model: Lifter, batches: Windows, *, rate: float) -> torch.Tensor:
    """`reptile_loss` of a lifter.

    Args:
        model: as in `meta_loss`.
        batches: (tasks, inner steps, windows, ...): what each task's inner steps see, one after the other.
        rate: of the inner steps.

    Raises:
        ValueError: the model is in training mode; a rate that is no learning rate.
    """
    _check_episode(model, rate)
    theta, lift = _functional(model)
    seen = (batches.keypoints, batches.pose)
    return reptile_loss(
        theta, seen, lambda weights, batch: supervised_loss(lift(weights, batch[0]), batch[1]), rate=rate
    )


def last_layer(name: str) -> bool:
    """Whether a lifter's weight of this name belongs to its last layer: what ANIL moves at test time."""
    return name.startswith("shrink.")


def freeze_below_last_layer(model: nn.Module) -> None:
    """Let nothing but the last layer's weights require a gradient, in place: what ANIL adapts."""
    for name, weight in model.named_parameters():
        weight.requires_grad_(last_layer(name))


def _check_episode(model: Lifter, rate: float) -> None:
    if model.training:
        raise ValueError("model is in training mode: call model.eval(), the episodes use fixed batch-norm statistics")
    if not 0 <= rate < float("inf"):
        raise ValueError(f"rate is {rate}, expected an inner learning rate of 0 or more")


def _functional(model: Lifter) -> tuple[Weights, Callable[[Weights, torch.Tensor], torch.Tensor]]:
    """A lifter as weights (those that require a gradient) and a function of weights and windows of keypoints."""
    network = WindowForm(model)
    theta = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    fixed = dict(network.named_buffers()) | {n: w for n, w in network.named_parameters() if n not in theta}
    prefix = len("lifter.")

    def lift(weights: Weights, keypoints: torch.Tensor) -> torch.Tensor:
        named = {f"lifter.{name}": weight for name, weight in weights.items()}
        return functional_call(network, (named, fixed), (keypoints,))

    return {name[prefix:]: weight for name, weight in theta.items()}, lift


@dataclass
class Adaptation:
    """What `adapt` did.

    Attributes:
        model: the adapted copy.
        losses: the loss that was minimised, before every step.
        trajectory: what `watch` returned before the first and after every step.
        bone: mean bone length before the first and after every step, relative to the start: an alarm for collapse.
        interrupted: whether it was stopped early; everything up to then is kept.
    """

    model: Lifter
    losses: list[float] = field(default_factory=list)
    trajectory: list = field(default_factory=list)
    bone: list[float] = field(default_factory=list)
    interrupted: bool = False


class Diverged(ValueError):
    """The loss of an adaptation is no longer finite: the rate is too large."""


def check_support(support: Windows | torch.Tensor, steps: int, rate: float) -> torch.Tensor:
    """The keypoints of what `adapt` is given, once it is known to be usable.

    Raises:
        ValueError: as `adapt`.
    """
    keypoints = support.keypoints if isinstance(support, Windows) else support
    if not isinstance(keypoints, torch.Tensor):
        raise ValueError(f"support is a {type(support).__name__}, expected windows.Windows or a tensor of 2D keypoints")
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps is {steps!r}, expected a whole number, 0 or more")
    if not 0 < rate < float("inf"):
        raise ValueError(f"rate is {rate}, expected a positive learning rate")
    if keypoints.numel() == 0:
        raise ValueError(f"support is empty, its keypoints are {tuple(keypoints.shape)}: give at least one window")
    if keypoints.ndim not in (3, 4) or keypoints.shape[-1] != 2:
        raise ValueError(
            f"support holds keypoints of shape {tuple(keypoints.shape)}, expected (windows, frames, joints, 2) with "
            "labels, or (clips, frames, joints, 2) or (frames, joints, 2) without"
        )
    if not torch.isfinite(keypoints).all():
        raise ValueError("support holds keypoints that are NaN or infinite: check the lens and the detections")
    if isinstance(support, Windows):
        check_finite(support.pose, "support.pose", "leave windows without a label out")
    return keypoints


def support_loss(model: Lifter, support: Windows | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses of the support set and their loss: with labels the mean joint error, without them how unequal bones are.

    Args:
        model: the lifter as it is now.
        support: as for `adapt`.
    """
    if isinstance(support, Windows):
        pose = model.windows(support.keypoints)
        return pose, supervised_loss(pose, support.pose)
    pose = model.lift(support if support.ndim == 4 else support[None])
    return pose, self_supervised_loss(pose)


def descend(loss: torch.Tensor, weights: Sequence[torch.Tensor], rate: float) -> None:
    """One gradient step, in place."""
    gradients = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= rate * gradient


def adapt(
    model: Lifter,
    support: Windows | torch.Tensor,
    steps: int = 5,
    *,
    rate: float = 0.1,
    watch: Callable[[Lifter], object] | None = None,
) -> Adaptation:
    """Adapt a copy of a lifter to a test environment by plain gradient descent; the model given is not changed.

    Args:
        model: any lifter; parameters that require no gradient stay as they are.
        support: scenario 1: `Windows` recorded with labels through the test lens. Scenario 2: (clips, T, 17, 2) or
            (T, 17, 2) screen keypoints of the test video itself, without labels.
        steps: gradient steps.
        rate: alpha.
        watch: called with the adapted model before the first and after every step, e.g. to measure errors.

    Returns:
        The adapted copy with the whole trajectory. A keyboard interrupt ends the loop and keeps what was reached.

    Raises:
        ValueError: negative steps, an empty support set, keypoints or labels that are not finite.
        Diverged: a loss that is not finite; it is a ValueError.
    """
    check_support(support, steps, rate)
    with MODEL_LOCK, gradients_on():  # a cell may be training this very model
        adapted = copy.deepcopy(model).eval()
    result = Adaptation(adapted)
    weights = [weight for weight in adapted.parameters() if weight.requires_grad]  # frozen layers stay frozen
    if not weights:
        raise ValueError("model has no parameter that requires a gradient, expected some: unfreeze a layer")
    start = None
    try:
        for step in range(steps + 1):
            MODEL_LOCK.let_others()
            with MODEL_LOCK, gradients_on():
                with torch.set_grad_enabled(step < steps):
                    pose, loss = support_loss(adapted, support)
                if not torch.isfinite(loss):
                    remedy = f"lower rate={rate}" if step else "nothing was adapted yet, so look at the model's weights"
                    raise Diverged(f"the adaptation loss is {loss.item()} at step {step}: {remedy}")
                if watch is not None:
                    with torch.no_grad():
                        result.trajectory.append(watch(adapted))
                size = bone_lengths(pose.detach()).mean().item()
                start = size if start is None else start
                result.bone.append(size / max(start, 1e-9))
                if step == steps:
                    break
                result.losses.append(loss.item())
                descend(loss, weights, rate)
    except KeyboardInterrupt:
        result.interrupted = True
    return result
