"""The four networks: shapes, losses against their definitions, costs against a count by hand, and that they learn."""

import pytest
import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.disturbances import Disturbance, disturb, move
from tutorial_lib.heatmaps import HEADS, KeypointNet, coordinate_loss, cost, map_loss
from tutorial_lib.heatmaps.networks import STRIDES

each_head = pytest.mark.parametrize("head", HEADS)


def net(head, **kwargs):
    torch.manual_seed(0)
    return KeypointNet(head, **kwargs)


def batch(count=3, size=32, joints=17, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, size, size, generator=generator)
    keypoints = 1.6 * torch.rand(count, joints, 2, generator=generator) - 0.8
    return images, keypoints, torch.ones(count, joints)


@each_head
@pytest.mark.parametrize(("size", "stride"), [(32, 2), (32, 8), (64, 4), (96, 16)])
def test_every_head_takes_every_size_and_stride(head, size, stride):
    model = net(head, size=size, stride=stride).eval()
    images, _, _ = batch(2, size)
    with torch.no_grad():
        output, points = model(images), model.predict(images)
    assert points.shape == (2, 17, 2) and torch.isfinite(points).all()
    shapes = {"regression": (2, 17, 2), "rle": (2, 17, 4)}
    assert output.shape == shapes.get(head, (2, 17, size // stride, size // stride))


@each_head
def test_every_trained_number_gets_a_gradient(head):
    model = net(head, size=32)
    if head == "rle":  # behind a layer of zeros nothing moves yet: that is how the flow starts as the identity
        for parameter in model.rle.parameters():
            parameter.data += 0.05 * torch.randn(parameter.shape)
    model.loss(*batch()).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not [name for name in still if not name.endswith("maps_out.bias")]
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@each_head
def test_joints_without_weight_change_nothing(head):
    images, keypoints, weight = batch()
    weight[1, 4] = 0
    losses = []
    for value in (0.0, float("nan")):
        keypoints[1, 4] = value
        model = net(head, size=32)
        loss = model.loss(images, keypoints, weight)
        loss.backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        losses.append(loss.item())
    assert losses[0] == losses[1]
    with pytest.raises(ValueError, match="weight is zero for every joint"):
        model.loss(images, keypoints, torch.zeros_like(weight))


@each_head
def test_four_pictures_can_be_learned_by_heart(head):
    images, keypoints, weight = batch(4, 32, joints=5)
    model = net(head, size=32, joints=5)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    with torch.no_grad():
        before = coordinate_loss(model.predict(images), keypoints, weight).item()
    for _ in range(60):
        optimiser.zero_grad()
        model.loss(images, keypoints, weight).backward()
        optimiser.step()
    with torch.no_grad():
        after = coordinate_loss(model.predict(images), keypoints, weight).item()
    assert after < before / 3


def test_the_heat_maps_loss_is_zero_on_its_target_and_its_answer_is_the_joint():
    _, keypoints, weight = batch(2, 64)
    maps = heatmaps.gaussian_target(keypoints, 16, 1.0)
    assert map_loss(maps, keypoints, weight, 1.0) == 0
    assert map_loss(maps + 0.5, keypoints, weight, 1.0).item() == pytest.approx(0.25)
    inside = keypoints.abs().amax(-1) < 0.6
    found = net("heatmap").decode(maps, heatmaps.dark)
    torch.testing.assert_close(found[inside], keypoints[inside], atol=2e-3, rtol=0)


def test_decoders_are_chosen_at_prediction_time():
    model = net("heatmap", size=32).eval()
    images, _, _ = batch()
    with torch.no_grad():
        maps = model(images)
        torch.testing.assert_close(model.predict(images, heatmaps.argmax), heatmaps.argmax(maps))
        torch.testing.assert_close(model.predict(images), heatmaps.dark(maps, blur=1.0))


def test_only_rle_has_a_spread_and_its_flow_is_not_used_to_predict():
    images, _, _ = batch()
    model = net("rle", size=32).eval()
    with torch.no_grad():
        spread, points = model.spread(images), model.predict(images)
        for parameter in model.rle.parameters():
            parameter.fill_(torch.nan)
        assert torch.equal(model.predict(images), points)
    assert spread.shape == (3, 17, 2) and ((spread > 0) & (spread < 1)).all()
    with pytest.raises(ValueError, match="'heatmap' head predicts no sigma"):
        net("heatmap", size=32).spread(images)


# Costs


@each_head
def test_the_budget_is_equal_and_small(head):
    shared = cost(net("regression"))
    used = cost(net(head))
    assert 0.8 < used.parameters / shared.parameters < 1.25 and used.parameters < 400_000


def test_the_count_of_multiply_adds_is_that_of_the_layers():
    model = net("regression", channels=(8, 16, 16, 16))
    stages = [(3, 8, 32), (8, 16, 16), (16, 16, 16), (16, 16, 8), (16, 16, 8), (16, 16, 4), (16, 16, 4)]
    expected = sum(9 * a * b * side**2 for a, b, side in stages) + 16 * 16 * 34
    assert cost(model).multiply_adds == expected
    assert cost(model).output == 34 and cost(model).largest == 8 * 32**2
    assert cost(net("heatmap")).output == 17 * 16 * 16


def test_halving_the_stride_costs_more_and_counting_leaves_no_trace():
    costs = [cost(net("heatmap", stride=s)).multiply_adds for s in STRIDES]
    assert costs == sorted(costs, reverse=True)
    model = net("integral").train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    cost(model)
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_rle_costs_what_regression_costs_at_test_time_but_for_its_widths():
    plain, rle = cost(net("regression")), cost(net("rle"))
    assert rle.multiply_adds - plain.multiply_adds == 34 * 96 * 16
    assert rle.parameters - plain.parameters == 34 * (96 * 16 + 1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: KeypointNet("points"), "head is 'points', expected one of regression"),
        (lambda: KeypointNet(stride=3), "stride=3"),
        (lambda: KeypointNet(channels=(8, 8)), r"channels=\(8, 8\)"),
        (lambda: KeypointNet(size=40), "size is 40"),
        (lambda: KeypointNet(sigma=0), "sigma=0"),
        (lambda: KeypointNet()(torch.zeros(1, 3, 32, 32)), r"expected \(B, 3, 64, 64\)"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# Disturbances


def test_no_disturbance_changes_nothing():
    images, keypoints, _ = batch()
    assert torch.equal(disturb(images, Disturbance()), images)
    moved, counts = move(keypoints, torch.ones(3, 17, dtype=torch.bool), Disturbance())
    assert torch.equal(moved, keypoints) and counts.all()


def test_picture_and_joints_shift_together():
    """A bump's peak is where its joint is, before and after, also for shifts of half a pixel."""
    keypoints = torch.tensor([[[0.1, -0.2], [0.9, 0.0]]])
    images = heatmaps.gaussian_target(keypoints[:, 0], 32, 2.0)[:, None].expand(-1, 3, -1, -1)
    how = Disturbance(shift=(-0.2 - 1 / 32, 0.25))
    moved, counts = move(keypoints, torch.ones(1, 2, dtype=torch.bool), how)
    found = heatmaps.dark(disturb(images, how)[0, 0])
    torch.testing.assert_close(found, moved[0, 0], atol=2e-3, rtol=0)
    assert counts.tolist() == [[True, False]], "the second joint has left the crop"


def test_the_disc_is_a_disc_and_leaves_the_rest():
    images, _, _ = batch(1, 64)
    spoiled = disturb(images, Disturbance(radius=0.5, disc=(0.25, 0.0)))
    hidden = (spoiled != images).any(1)
    assert abs(hidden.float().mean().item() * 4 - 3.14159 * 0.25) < 0.02
    assert (spoiled.permute(0, 2, 3, 1)[hidden] == 0.5).all()


def test_blurring_and_shrinking_keep_the_brightness_and_lose_detail():
    images, _, _ = batch(1, 64)
    for how in (Disturbance(blur=2.0), Disturbance(pixels=16)):
        spoiled = disturb(images, how)
        assert abs(spoiled.mean() - images.mean()) < 0.01 and spoiled.std() < images.std() / 2
    assert torch.equal(disturb(images, Disturbance(pixels=64)), images)


@pytest.mark.parametrize("wrong", [{"radius": -1}, {"blur": -0.1}, {"pixels": 0}])
def test_impossible_disturbances_are_refused(wrong):
    with pytest.raises(ValueError, match="expected radius and blur >= 0"):
        Disturbance(**wrong)


def test_confidence_is_the_peak_the_narrowness_or_the_predicted_width():
    maps = torch.full((1, 2, 16, 16), -30.0)
    maps[0, 0, 4, 4], maps[0, 1, 4, 4], maps[0, 1, 4, 12] = 2.0, 1.0, 1.0
    assert net("heatmap", joints=2).confidence(maps).tolist() == [[2.0, 1.0]]
    narrow, wide = net("integral", joints=2).confidence(maps)[0].tolist()
    assert narrow == pytest.approx(0, abs=1e-3) and wide == pytest.approx(-0.5, abs=1e-3)  # half of 8 cells of 1/8
    output = torch.tensor([[[0.0, 0.0, -2.0, -2.0], [0.0, 0.0, 1.0, 1.0]]])
    sure, unsure = net("rle", joints=2).confidence(output)[0]
    assert sure > unsure
    assert net("regression", joints=2).confidence(output[..., :2]) is None


@each_head
def test_a_forward_pass_in_half_precision_changes_the_loss_little_and_its_dtype_not(head):
    images, keypoints, weight = batch()
    model = net(head, size=32)
    whole, half = (model.loss(images, keypoints, weight, half=half) for half in (False, True))
    assert half.dtype == torch.float32 and half.item() == pytest.approx(whole.item(), rel=0.03, abs=0.03)
    half.backward()
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in model.parameters())
