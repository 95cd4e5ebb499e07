"""Checks of lesson 04: the receptive field, the residual slice, the reprojection loss."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.lifting.receptive_field import support


@exercise
def receptive_field(function: Callable) -> str:
    """Exercise 04.1: `function(widths, dilated)` -> number of frames that one output pose depends on."""
    cases = [(3,), (3, 3), (3, 3, 3), (5, 3), (3, 5, 7), (1, 5), (7, 7)]
    for widths in cases:
        for dilated in (True, False):
            with torch.random.fork_rng(devices=[]):  # the student's random numbers stay as they were
                model = TemporalLifter(widths=widths, channels=1, joints=1, dilated=dilated)
            expected = int(support(model, margin=2)[1].sum())
            got = function(widths, dilated)
            hint = (
                "dilated, the taps of a layer are as far apart as all earlier layers see"
                if dilated
                else "without dilation a filter of width w adds w − 1 frames, one frame stays one frame"
            )
            assert isinstance(got, (int, float, torch.Tensor)) and not isinstance(got, bool), (
                f"widths {widths}: expected a number of frames, got {got!r}. Hint: {hint}"
            )
            assert got == expected, (
                f"widths {widths}, {'dilated' if dilated else 'ordinary'} convolutions: the gradient of one pose "
                f"reaches {expected} frames, got {got}. Hint: {hint}"
            )
    return f"receptive_field: agrees with the gradient of {2 * len(cases)} networks"


@exercise
def residual_slice(function: Callable) -> str:
    """Exercise 04.2: `function(x, width, dilation, causal)` -> the part of x (.., C, T) that a block adds.

    The block's convolution is valid, so its output is (width - 1) * dilation frames shorter.
    """
    generator = torch.Generator().manual_seed(0)
    cases = [
        ((2, 4, 30), 3, 1),
        ((2, 4, 30), 3, 9),
        ((4, 25), 5, 2),
        ((1, 3, 13), 7, 2),
        ((2, 2, 3, 8), 3, 3),
        ((2, 3, 9), 1, 3),
    ]
    for shape, width, dilation in cases:
        x = torch.randn(shape, generator=generator)
        for causal in (False, True):
            # A filter that is 1 at one tap and 0 elsewhere copies the frames which that tap sees.
            tap = width - 1 if causal else width // 2
            pick = F.one_hot(torch.tensor(tap), width).to(x).expand(shape[-2], 1, width)
            flat = x.reshape(-1, *shape[-2:])
            expected = F.conv1d(flat, pick, dilation=dilation, groups=shape[-2]).reshape(*shape[:-1], -1)
            hint = (
                "the pose belongs to the newest frame, which the LAST tap sees: drop (width − 1) · dilation frames "
                "at the start"
                if causal
                else "the pose belongs to the frame of the middle tap: drop as many frames at the start as at the end"
            )
            if dilation > 1:
                hint += "; the outer taps are (width − 1) · dilation frames apart"
            if width == 1:
                hint = "a filter of width 1 loses no frame, so nothing is dropped: x[..., a:-b] is empty where b is 0"
            what = f"width {width}, dilation {dilation}, {'causal' if causal else 'centred'}"
            undilated = x.shape[-1] - (width - 1)
            start = width - 1 if causal else (width - 1) // 2
            mistakes = {"the dilation is left out": x[..., start : start + undilated]}
            compare(function(x, width, dilation, causal), expected, what, hint, 0.0, mistakes)
    return f"residual_slice: right for {len(cases)} filters, centred and causal"


@exercise
def reprojection(function: Callable) -> str:
    """Exercise 04.3: `function(pose, root, keypoints, focal, centre)` -> mean 2D distance, a scalar.

    pose (B, 17, 3) root-relative and root (B, 1, 3) in metres, camera axes; keypoints (B, 17, 2) on the screen; focal
    and centre (2,). x/z and y/z are clamped to [-1, 1] before the focal length is applied, as VideoPose3D does.
    """
    generator = torch.Generator().manual_seed(0)
    people = 5
    pose = 0.4 * torch.randn(people, 17, 3, generator=generator, dtype=torch.float64)
    pose[:, 0] = 0
    root = torch.tensor([0.3, -0.2, 4.0]) + torch.rand(people, 1, 3, generator=generator, dtype=torch.float64)
    keypoints = torch.rand(people, 17, 2, generator=generator, dtype=torch.float64) - 0.5
    focal, centre = torch.tensor([1.2, 1.5], dtype=torch.float64), torch.tensor([0.1, -0.05], dtype=torch.float64)
    aside = root + torch.tensor([5.0, 0.0, 0.0])
    cases = {
        "five people in the picture": (
            root,
            "add the root, divide x and y by z, times focal plus centre; then the mean distance over joints",
        ),
        "people far outside the picture": (
            aside,
            "clamp x/z and y/z to [−1, 1], before focal and centre: a bad root must not make the loss explode",
        ),
    }
    for what, (place, hint) in cases.items():
        place = place.clone().requires_grad_()
        plane = ((pose + place)[..., :2] / (pose + place)[..., 2:]).clamp(-1, 1)
        apart = plane * focal + centre - keypoints
        expected = torch.linalg.vector_norm(apart, dim=-1).mean()
        got = tensor(function(pose, place, keypoints, focal, centre), what, hint)
        assert not got.isnan().any(), (
            f"{what}: expected {expected:.4g}, got nan. Hint: the pose is relative to the hip, whose own z is 0, and "
            "0 / 0 is nan: add the root before you divide"
        )
        mistakes = {
            "the focal length is left out": (plane + centre - keypoints).norm(dim=-1).mean(),
            "the centre is left out": (plane * focal - keypoints).norm(dim=-1).mean(),
            "the mean runs over coordinates, not over distances": apart.abs().mean(),
            "distances are squared": apart.square().sum(-1).mean(),
            "squares are averaged, not distances": apart.square().mean(),
            "distances are added up, not averaged": apart.norm(dim=-1).sum(),
            "all joints together make one distance": apart.norm(),
        }
        mistakes = {diagnosis: value.detach() for diagnosis, value in mistakes.items()}
        compare(got.detach(), expected.detach(), what, hint, 1e-6, mistakes)
        assert got.requires_grad, (
            f"{what}: expected a loss that can be differentiated with respect to the root, got a constant. "
            "Hint: the trajectory model learns from it; no .detach(), .item() or numpy"
        )
        gradients = [torch.autograd.grad(loss, place)[0] for loss in (got, expected)]
        compare(gradients[0], gradients[1], f"{what}, gradient", hint, 1e-6)
    return "reprojection: right inside and outside the picture"
