"""Why first-order MAML leaves its start on crooked rigs: the numbers that lesson 06 computes, and how."""

import copy

import pytest
import torch
from torch.func import functional_call

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.maml import maml_loss
from tutorial_lib.datasets import splits
from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lessons.meta_learning import figures, first_order
from tutorial_lib.lifting import TemporalLifter, WindowForm


@pytest.fixture(scope="module")
def people():
    generator = torch.Generator().manual_seed(0)
    calibration, validation = splits.builtin_split(0).calibration, splits.training_split(None, 1).validation
    return [capture_clips(clips, generator, limit=40) for clips in (calibration, validation)]


@pytest.fixture(scope="module")
def drifts(people):
    model = checkpoints.load("random-9f")
    return [first_order.drift(model, alpha, *people) for alpha in (0.03, 0.1)]


@pytest.mark.parametrize("alpha, sign", [(0.2, 1), (0.4, -1)])
def test_where_a_step_overshoots_the_first_order_gradient_points_the_other_way(alpha, sign):
    """One weight, one bowl of curvature 4: 1 - 4 alpha is left of the distance."""

    def gradient(second_order):
        w, none = torch.tensor([3.0], requires_grad=True), torch.zeros(1, 1)
        bowl = lambda weights, _: 2 * (weights["w"] ** 2).sum()  # noqa: E731
        loss = maml_loss({"w": w}, none, none, bowl, bowl, rate=alpha, second_order=second_order)
        return torch.autograd.grad(loss, w)[0].item()

    left = 1 - 4 * alpha
    assert gradient(True) == pytest.approx(12 * left**2) and gradient(False) == pytest.approx(12 * left)
    assert gradient(True) > 0 and sign * gradient(False) > 0


def test_the_largest_curvature_is_the_largest_eigenvalue_of_the_hessian():
    torch.manual_seed(0)
    model = TemporalLifter(3, 2, dropout=0.0).eval()
    support = Windows(torch.rand(8, 3, 17, 2) - 0.5, 0.3 * torch.randn(8, 17, 3))
    shapes = {name: weight.shape for name, weight in model.named_parameters()}

    def loss(flat):
        parts = flat.split([shape.numel() for shape in shapes.values()])
        named = {f"lifter.{name}": part.view(shapes[name]) for name, part in zip(shapes, parts)}
        off = functional_call(WindowForm(model), named, (support.keypoints,)) - support.pose
        return (off - off[:, :1]).norm(dim=-1)[:, 1:].sum() / (8 * 17)

    flat = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    eigenvalues = torch.linalg.eigvalsh(torch.func.hessian(loss)(flat))
    found = first_order.curvature(model, support, generator=torch.Generator().manual_seed(1), rounds=200)
    assert found == pytest.approx(eigenvalues[eigenvalues.abs().argmax()].item(), rel=1e-3)


def test_with_a_step_that_overshoots_first_order_maml_leaves_its_start(drifts):
    small, large = drifts
    assert small.overshoot < 1 < large.overshoot
    assert min(small.cosines) > 0.9 > 0.5 > max(large.cosines)
    assert large.after["first-order"] > 1.5 * large.start and large.after["maml"] < 1.15 * large.start
    assert max(small.after.values()) < 1.15 * small.start
    assert 0.7 < large.settled < 1.1, "it stops where the step just fits"


def test_the_network_stays_as_it_is(people):
    model = checkpoints.load("random-9f")
    before = copy.deepcopy(model.state_dict())
    first_order.drift(model, 0.1, *people, steps=1)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_the_table_says_what_was_measured(drifts):
    small, large = (line.split("|")[1:-1] for line in figures.drift_table(drifts).splitlines()[-2:])
    assert [cell.strip() for cell in small][:2] == ["0.03", f"{drifts[0].overshoot:.1f}"]
    assert large[4].strip() == f"{drifts[1].start:.0f} → {drifts[1].after['first-order']:.0f}"
