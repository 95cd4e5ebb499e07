"""The checks of lesson 04: right answers pass, plausible wrong ones are caught with a hint."""

import math
import re

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tutorial_lib.lessons.temporal_lifting import checks as checks
from tutorial_lib.lifting import TemporalLifter


def field(widths, dilated):
    return math.prod(widths) if dilated else 1 + sum(w - 1 for w in widths)


def kept(x, width, dilation, causal):
    lost = (width - 1) * dilation
    start = lost if causal else lost // 2
    return x[..., start : start + x.shape[-1] - lost]


def plane(pose, root):
    place = pose + root
    return place[..., :2] / place[..., 2:]


def loss(pose, root, keypoints, focal, centre):
    return (plane(pose, root).clamp(-1, 1) * focal + centre - keypoints).norm(dim=-1).mean()


@pytest.mark.parametrize(
    "check, answer", [(checks.receptive_field, field), (checks.residual_slice, kept), (checks.reprojection, loss)]
)
def test_the_right_answer_passes_and_says_so(check, answer, capsys):
    check(answer)
    assert capsys.readouterr().out.startswith(f"{check.__name__}: ")


def by_reprojecting(**wrong):
    def answer(pose, root, keypoints, focal, centre):
        seen = wrong.get("plane", plane)(pose, root)
        seen = wrong.get("clamp", lambda p: p.clamp(-1, 1))(seen) * focal + wrong.get("centre", 1) * centre
        return wrong.get("mean", lambda d: d.norm(dim=-1).mean())(seen - keypoints)

    return answer


def clamp_last(pose, root, keypoints, focal, centre):
    return ((plane(pose, root) * focal + centre).clamp(-1, 1) - keypoints).norm(dim=-1).mean()


WRONG = {
    checks.receptive_field: {
        "powers of three": lambda widths, dilated: 3 ** len(widths) if dilated else 1 + 2 * len(widths),
        "always dilated": lambda widths, dilated: math.prod(widths),
        "never dilated": lambda widths, dilated: field(widths, False),
        "a sum of widths": lambda widths, dilated: math.prod(widths) if dilated else sum(widths),
        "one side only": lambda widths, dilated: field(widths, dilated) // 2,
        "one too many": lambda widths, dilated: field(widths, dilated) + 1,
        "dilation by powers of two": lambda widths, dilated: (
            1 + sum((w - 1) * 2**i for i, w in enumerate(widths)) if dilated else field(widths, False)
        ),
        "only equal widths": lambda widths, dilated: (
            widths[0] ** len(widths) if dilated else 1 + len(widths) * (widths[0] - 1)
        ),
        "nothing": lambda widths, dilated: None,
        "text": lambda widths, dilated: str(field(widths, dilated)),
    },
    checks.residual_slice: {
        "never causal": lambda x, width, dilation, causal: kept(x, width, dilation, False),
        "always causal": lambda x, width, dilation, causal: kept(x, width, dilation, True),
        "the first tap": lambda x, width, dilation, causal: (
            x[..., : x.shape[-1] - (width - 1) * dilation] if causal else kept(x, width, dilation, False)
        ),
        "without dilation": lambda x, width, dilation, causal: kept(x, width, 1, causal),
        "only width three": lambda x, width, dilation, causal: kept(x, 3, dilation, causal),
        "nothing cut": lambda x, width, dilation, causal: x,
        "one frame late": lambda x, width, dilation, causal: kept(x, width, dilation, causal).roll(1, -1),
        "time on the wrong axis": lambda x, width, dilation, causal: kept(x.mT, width, dilation, causal).mT,
        "nothing": lambda x, width, dilation, causal: None,
    },
    checks.reprojection: {
        "no clamp": by_reprojecting(clamp=lambda p: p),
        "clamped after the focal length": clamp_last,
        "no root": by_reprojecting(plane=lambda pose, root: plane(pose, torch.tensor([0.0, 0, 4]) + 0 * root)),
        "the root's depth for every joint": by_reprojecting(plane=lambda p, r: (p + r)[..., :2] / r[..., 2:]),
        "no division": by_reprojecting(plane=lambda p, r: (p + r)[..., :2]),
        "no principal point": by_reprojecting(centre=0),
        "squared distance": by_reprojecting(mean=lambda d: d.square().sum(-1).mean()),
        "mean over coordinates": by_reprojecting(mean=lambda d: d.abs().mean()),
        "a sum": by_reprojecting(mean=lambda d: d.norm(dim=-1).sum()),
        "one per person": by_reprojecting(mean=lambda d: d.norm(dim=-1).mean(-1)),
        "a number": lambda *arguments: loss(*arguments).item(),
        "cut off": lambda *arguments: loss(*arguments).detach(),
        "the root cut off, the value kept": lambda pose, root, *rest: loss(pose, root.detach(), *rest) + 0 * root.sum(),
        "nothing": lambda *arguments: None,
    },
}
CASES = [(check, name, answer) for check, answers in WRONG.items() for name, answer in answers.items()]


@pytest.mark.parametrize("check, answer", [c[::2] for c in CASES], ids=[f"{c[0].__name__}: {c[1]}" for c in CASES])
def test_a_wrong_answer_is_caught_with_what_was_expected_and_a_hint(check, answer):
    with pytest.raises(AssertionError) as caught:
        check(answer)
    message = str(caught.value)
    assert re.search(r"expected|off by|reaches", message) and "Hint: " in message


@pytest.mark.parametrize("causal", [False, True])
def test_the_slice_is_what_the_networks_own_block_lets_through(causal):
    """A block whose convolutions are zero is its residual: read it off a real network."""
    model = TemporalLifter(widths=(3, 5), channels=4, causal=causal, dropout=0).eval()
    for convolution in model.layers_conv:
        torch.nn.init.zeros_(convolution.weight)
    x = torch.randn(2, 20, 17, 2)
    features = F.relu(model.expand_bn(model.expand_conv(x.flatten(2).mT)))
    expected = model.shrink(kept(features, 5, 3, causal)).mT.unflatten(-1, (17, 3))
    torch.testing.assert_close(model(x), expected - expected[..., :1, :])  # poses are root-relative


def test_the_loss_is_the_distance_to_opencvs_projection():
    rng = np.random.default_rng(0)
    pose, root = 0.4 * rng.standard_normal((17, 3)), np.array([[0.2, -0.1, 4.0]])
    keypoints, matrix = rng.uniform(-0.5, 0.5, (17, 2)), np.array([[1.2, 0, 0.1], [0, 1.5, -0.05], [0, 0, 1]])
    seen, _ = cv2.projectPoints(pose + root, np.zeros(3), np.zeros(3), matrix, None)
    expected = np.linalg.norm(seen[:, 0] - keypoints, axis=-1).mean()
    tensors = (torch.from_numpy(value)[None] for value in (pose, root, keypoints))
    got = loss(*tensors, torch.tensor([1.2, 1.5]), torch.tensor([0.1, -0.05]))
    assert got.item() == pytest.approx(expected, abs=1e-7)
