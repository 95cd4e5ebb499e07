"""ANIL and Reptile against loops that a reader can follow with a finger."""

import copy

import pytest
import torch

from tutorial_lib.adaptation import meta_loss
from tutorial_lib.adaptation.lifters import last_layer, reptile_lifter_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe


@pytest.fixture
def lifter() -> TemporalLifter:
    torch.manual_seed(0)
    return TemporalLifter(3, 6, dropout=0.0).double().eval()


def draw(*shape: int) -> Windows:
    generator = torch.Generator().manual_seed(4)
    keypoints = torch.randn(*shape, 3, 17, 2, generator=generator, dtype=torch.float64)
    return Windows(keypoints, torch.randn(*shape, 17, 3, generator=generator, dtype=torch.float64))


def gradients(model: TemporalLifter, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


def test_anil_steps_in_the_last_layer_and_trains_all(lifter):
    support, query, rate = draw(2, 5), draw(2, 4), 0.05
    ours = gradients(lifter, meta_loss(lifter, support, query, rate=rate, stepped=last_layer))

    losses = []
    for task in range(2):
        inner = mpjpe(lifter.windows(support.keypoints[task]), support.pose[task])
        head = (lifter.shrink.weight, lifter.shrink.bias)
        weight, bias = (w - rate * g for w, g in zip(head, torch.autograd.grad(inner, head, create_graph=True)))
        stepped = torch.func.functional_call(
            _Windows(lifter), {"lifter.shrink.weight": weight, "lifter.shrink.bias": bias}, (query.keypoints[task],)
        )
        losses.append(mpjpe(stepped, query.pose[task]))
    for mine, theirs in zip(ours, gradients(lifter, torch.stack(losses).mean())):
        assert torch.allclose(mine, theirs, atol=1e-10)
    assert all(gradient.abs().max() > 0 for gradient in ours)


def test_reptiles_gradient_points_from_the_tasks_weights_to_the_start(lifter):
    batches, rate = draw(3, 4, 5), 0.1  # three tasks, four steps of five windows
    ours = gradients(lifter, reptile_lifter_loss(lifter, batches, rate=rate))

    away = [torch.zeros_like(weight) for weight in lifter.parameters()]
    for task in range(3):
        runner = copy.deepcopy(lifter)
        optimiser = torch.optim.SGD(runner.parameters(), rate)
        for step in range(4):
            optimiser.zero_grad()
            mpjpe(runner.windows(batches.keypoints[task, step]), batches.pose[task, step]).backward()
            optimiser.step()
        for total, start, end in zip(away, lifter.parameters(), runner.parameters()):
            total += (start - end).detach() / 3
    for mine, theirs in zip(ours, away):
        assert torch.allclose(mine, theirs, atol=1e-10)


def test_reptile_wants_fixed_batch_norm_statistics(lifter):
    with pytest.raises(ValueError, match="training mode"):
        reptile_lifter_loss(lifter.train(), draw(1, 2, 2), rate=0.1)


class _Windows(torch.nn.Module):
    def __init__(self, lifter: TemporalLifter):
        super().__init__()
        self.lifter = lifter

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        return self.lifter.windows(keypoints)
