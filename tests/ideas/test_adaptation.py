"""Learning to adapt, against finite differences, `higher`, and plain autograd written out."""

import copy
import threading

import higher
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import nn

from tutorial_lib.adaptation import adapt, meta_loss, self_supervised_loss, supervised_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import TemporalLifter, WindowForm
from tutorial_lib.skeleton import BONES, LEFT, RIGHT, SYMMETRIC_BONES, bone_lengths

RATE = 0.05
INNER = ["supervised", "self-supervised"]
quick = settings(deadline=None, max_examples=25, derandomize=True)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request):
    return torch.device(request.param)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def lifter(frames=9, channels=4, seed=0, dropout=0.25):
    """A tiny lifter in double precision whose batch norms have seen something, in eval mode."""
    torch.manual_seed(seed)
    model = TemporalLifter(frames, channels, dropout=dropout).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def windows(*shape, frames=9, seed=0):
    generator = seeded(seed)
    keypoints = 0.5 * torch.randn(*shape, frames, 17, 2, generator=generator, dtype=torch.float64)
    pose = 0.3 * torch.randn(*shape, 17, 3, generator=generator, dtype=torch.float64)
    return Windows(keypoints, pose - pose[..., :1, :])


def episode(tasks=3, frames=9):
    return windows(tasks, 5, frames=frames, seed=1), windows(tasks, 6, frames=frames, seed=2)


def one_task(batch, i):
    return Windows(batch.keypoints[i], batch.pose[i])


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def meta_gradient(model, support, query, **options):
    return flat(torch.autograd.grad(meta_loss(model, support, query, rate=RATE, **options), list(model.parameters())))


def inner_loss(lift, part, inner):
    pose = lift(part.keypoints)
    return supervised_loss(pose, part.pose) if inner == "supervised" else self_supervised_loss(pose)


def nudged(model, direction, size):
    """A copy of the model, its parameters moved by size * direction."""
    other, start = copy.deepcopy(model), 0
    with torch.no_grad():
        for p in other.parameters():
            p += size * direction[start : start + p.numel()].reshape(p.shape)
            start += p.numel()
    return other


def unchanged(model):
    """A function that tells whether the model's state, modes and gradients are still what they are now."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]

    def check():
        same_state = all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
        same_modes = modes == [module.training for module in model.modules()]
        return same_state and same_modes and all(p.grad is None for p in model.parameters())

    return check


# The meta-gradient


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("frames", [3, 9])
def test_the_second_order_gradient_agrees_with_finite_differences(frames, inner):
    model, (support, query) = lifter(frames), episode(frames=frames)
    gradient = meta_gradient(model, support, query, inner=inner)
    for seed in range(6):
        direction = torch.randn(gradient.shape, generator=seeded(seed), dtype=torch.float64)
        up, down = (
            meta_loss(nudged(model, direction, s), support, query, rate=RATE, inner=inner).item() for s in (1e-6, -1e-6)
        )
        assert (gradient @ direction).item() == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("second_order", [True, False])
def test_loss_and_gradient_are_those_of_higher(second_order, inner):
    model, (support, query) = lifter(), episode()
    value = meta_loss(model, support, query, rate=RATE, second_order=second_order, inner=inner)
    gradient = meta_gradient(model, support, query, second_order=second_order, inner=inner)
    theirs = WindowForm(copy.deepcopy(model))
    total = 0.0
    for i in range(3):
        optimiser = torch.optim.SGD(theirs.parameters(), lr=RATE)
        with higher.innerloop_ctx(theirs, optimiser, copy_initial_weights=False, track_higher_grads=second_order) as (
            fast,
            step,
        ):
            step.step(inner_loss(fast, one_task(support, i), inner))
            loss = supervised_loss(fast(query.keypoints[i]), query.pose[i]) / 3
            if second_order:
                loss.backward()
            else:  # higher then forgets where the fast weights came from: their gradient is the first-order one
                for p, g in zip(theirs.parameters(), torch.autograd.grad(loss, list(fast.parameters()))):
                    p.grad = g if p.grad is None else p.grad + g
            total += loss.item()
    assert value.item() == pytest.approx(total, rel=1e-12)
    torch.testing.assert_close(gradient, flat(p.grad for p in theirs.parameters()), rtol=1e-9, atol=1e-12)


def test_the_first_order_gradient_is_the_query_gradient_at_the_adapted_weights():
    model, (support, query) = lifter(), episode()
    expected = 0
    for i in range(3):
        theta = list(model.parameters())
        gradient = flat(torch.autograd.grad(inner_loss(model.windows, one_task(support, i), "supervised"), theta))
        adapted = nudged(model, gradient, -RATE)
        query_loss = inner_loss(adapted.windows, one_task(query, i), "supervised")
        expected = expected + flat(torch.autograd.grad(query_loss, list(adapted.parameters()))) / 3
    gradient = meta_gradient(model, support, query, second_order=False)
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)


def test_first_and_second_order_share_the_loss_and_differ_in_the_gradient():
    model, (support, query) = lifter(), episode()
    first, second = (meta_loss(model, support, query, rate=RATE, second_order=order) for order in (False, True))
    assert first.item() == second.item()
    first, second = (meta_gradient(model, support, query, second_order=order) for order in (False, True))
    assert (first - second).norm() > 1e-3 * second.norm()


def test_the_objective_is_the_mean_over_the_tasks_whatever_their_order():
    model, (support, query) = lifter(), episode()

    def loss_of(*numbers):
        chosen = (Windows(part.keypoints[list(numbers)], part.pose[list(numbers)]) for part in (support, query))
        return meta_loss(model, *chosen, rate=RATE).item()

    mean = (loss_of(0) + loss_of(1) + loss_of(2)) / 3
    assert loss_of(0, 1, 2) == pytest.approx(mean) and loss_of(2, 0, 1) == pytest.approx(mean)


def test_without_an_inner_step_only_the_query_counts():
    model, (support, query) = lifter(), episode()
    plain = supervised_loss(model.windows(query.keypoints), query.pose)
    assert meta_loss(model, support, query, rate=0).item() == pytest.approx(plain.item())


@pytest.mark.parametrize("second_order", [True, False])
def test_a_meta_step_leaves_weights_and_batch_norm_statistics_alone(second_order):
    model, (support, query) = lifter(), episode()
    same = unchanged(model)
    meta_gradient(model, support, query, second_order=second_order)
    assert same()


def test_dropout_is_inert_in_episodes():
    (support, query), gradients = episode(), []
    for dropout in (0.0, 0.9):
        model = lifter(dropout=dropout)
        gradients += [meta_gradient(model, support, query) for _ in range(2)]
    assert all(torch.equal(g, gradients[0]) for g in gradients)


def test_descending_the_meta_gradient_lowers_the_loss_after_adaptation():
    model, (support, query) = lifter(channels=8), episode()
    gradient = meta_gradient(model, support, query)
    before, after = (meta_loss(nudged(model, gradient, s), support, query, rate=RATE).item() for s in (0, -0.05))
    assert after < before


# Adapting at test time


def test_adapting_with_labels_lowers_the_loss_step_by_step():
    result = adapt(lifter(channels=16), windows(20), 20, rate=RATE)
    assert result.losses[-1] < 0.9 * result.losses[0]
    assert all(b < a for a, b in zip(result.losses, result.losses[1:]))


def test_adapting_without_labels_lowers_the_self_supervised_loss_and_does_not_collapse():
    video = windows(1, frames=40).keypoints[0]
    result = adapt(lifter(channels=16), video, 30, rate=0.01)
    assert result.losses[-1] < 0.97 * result.losses[0]
    assert min(result.bone) > 0.5


@pytest.mark.parametrize("support", [windows(6), windows(2, frames=20).keypoints], ids=["labels", "video"])
def test_adapt_is_plain_gradient_descent(support):
    model = lifter()
    expected = copy.deepcopy(model)
    for _ in range(3):
        if isinstance(support, Windows):
            loss = supervised_loss(expected.windows(support.keypoints), support.pose)
        else:
            loss = self_supervised_loss(expected.lift(support))
        gradient = flat(torch.autograd.grad(loss, list(expected.parameters())))
        expected = nudged(expected, gradient, -RATE)
    result = adapt(model, support, 3, rate=RATE)
    torch.testing.assert_close(flat(result.model.parameters()), flat(expected.parameters()))


def test_one_step_of_adapt_is_the_inner_step_of_the_meta_loss():
    model, (support, query) = lifter(), episode(tasks=1)
    adapted = adapt(model, one_task(support, 0), 1, rate=RATE).model
    after = supervised_loss(adapted.windows(query.keypoints[0]), query.pose[0])
    assert meta_loss(model, support, query, rate=RATE).item() == pytest.approx(after.item())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("support", [windows(6), windows(2, frames=20).keypoints], ids=["labels", "video"])
def test_adapt_never_changes_the_model_it_is_given(support, training):
    model = lifter().train(training)
    same = unchanged(model)
    result = adapt(model, support, 4, rate=RATE)
    assert same()
    assert not torch.equal(flat(result.model.parameters()), flat(model.parameters()))
    shared = {p.data_ptr() for p in model.parameters()} & {p.data_ptr() for p in result.model.parameters()}
    assert not shared


def test_adapt_keeps_the_batch_norm_statistics_and_ignores_dropout():
    model = lifter(dropout=0.9).train()
    first, second = (adapt(model, windows(6), 4, rate=RATE) for _ in range(2))
    assert first.losses == second.losses
    for (name, before), after in zip(model.named_buffers(), first.model.buffers()):
        assert torch.equal(before, after), name


@pytest.mark.parametrize("support", [windows(6), windows(2, frames=20).keypoints], ids=["labels", "video"])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_the_whole_trajectory_is_given(steps, support):
    model, seen = lifter(), []

    def watch(adapted):
        assert not torch.is_grad_enabled() and not adapted.training
        seen.append(flat(adapted.parameters()))
        return len(seen)

    result = adapt(model, support, steps, rate=RATE, watch=watch)
    assert result.trajectory == list(range(1, steps + 2))
    assert len(result.losses) == steps and len(result.bone) == steps + 1 and result.bone[0] == 1
    assert torch.equal(seen[0], flat(model.parameters())) and torch.equal(seen[-1], flat(result.model.parameters()))
    assert not result.interrupted


def test_the_bone_alarm_is_the_mean_bone_length_relative_to_the_start():
    model, support = lifter(), windows(6)
    result = adapt(model, support, 3, rate=RATE)
    start, end = (bone_lengths(m.windows(support.keypoints)).mean() for m in (model, result.model))
    assert result.bone[-1] == pytest.approx((end / start).item())


@pytest.mark.parametrize("step", [0, 1, 3])
def test_an_interrupt_keeps_what_was_reached(step):
    model, calls = lifter(), []

    def watch(adapted):
        if len(calls) == step:
            raise KeyboardInterrupt
        calls.append(step)
        return "seen"

    result = adapt(model, windows(6), 10, rate=RATE, watch=watch)
    assert result.interrupted and result.trajectory == ["seen"] * step
    expected = adapt(model, windows(6), step, rate=RATE)
    assert result.losses == expected.losses
    assert torch.equal(flat(result.model.parameters()), flat(expected.model.parameters()))


def test_adapt_works_where_gradients_are_off_and_in_another_thread():
    expected = adapt(lifter(), windows(6), 2, rate=RATE).losses
    with torch.no_grad():
        assert adapt(lifter(), windows(6), 2, rate=RATE).losses == expected
    found = []
    thread = threading.Thread(target=lambda: found.append(adapt(lifter(), windows(6), 2, rate=RATE).losses))
    thread.start()
    thread.join(timeout=60)
    assert found == [expected]


def test_an_adapted_model_can_be_adapted_further():
    once = adapt(lifter(), windows(6), 2, rate=RATE)
    twice = adapt(once.model, windows(6), 3, rate=RATE)
    assert once.losses + twice.losses == pytest.approx(adapt(lifter(), windows(6), 5, rate=RATE).losses)


# The self-supervised loss


def people(seed, frames=6, symmetric=True, rigid=True):
    """(frames, 17, 3) poses in random attitudes, made bone by bone from lengths."""
    generator = seeded(seed)
    lengths = (0.1 + 0.4 * torch.rand(1 if rigid else frames, 16, generator=generator)).double().repeat(frames, 1)
    lengths = lengths[:frames].clone()
    if symmetric:
        for left, right in SYMMETRIC_BONES:
            lengths[:, right] = lengths[:, left]
    pose = torch.zeros(frames, 17, 3).double()
    for index, (parent, child) in sorted(enumerate(BONES), key=lambda bone: bone[1][1]):
        direction = torch.randn(frames, 3, generator=generator).double()
        direction = direction / direction.norm(dim=-1, keepdim=True)
        pose[:, child] = pose[:, parent] + lengths[:, index, None] * direction
    return pose


@quick
@given(st.integers(0, 10_000))
def test_a_body_with_equal_sides_and_constant_bones_costs_nothing_however_it_moves(seed):
    assert self_supervised_loss(people(seed)).item() == pytest.approx(0, abs=1e-9)


@quick
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_the_loss_ignores_size_place_and_attitude(seed, scale):
    pose = people(seed, symmetric=False, rigid=False)
    turn = torch.from_numpy(Rotation.random(rng=seed).as_matrix())
    moved = scale * pose @ turn.T + torch.tensor([1.0, 2, 3])
    assert self_supervised_loss(moved).item() == pytest.approx(self_supervised_loss(pose).item(), rel=1e-9)


@pytest.mark.parametrize("symmetric, rigid", [(False, True), (True, False)])
def test_unequal_sides_and_changing_bones_each_cost(symmetric, rigid):
    assert self_supervised_loss(people(0, symmetric=symmetric, rigid=rigid)) > 0.1


def test_the_loss_has_the_value_of_its_formula():
    """All bones 1 m but the last of a left leg: 1.5 m in one frame of two."""
    pose = torch.zeros(2, 17, 3).double()
    for parent, child in sorted(BONES, key=lambda bone: bone[1]):
        pose[:, child] = pose[:, parent] + torch.tensor([0.0, 0, 1])
    pose[1, 6, 2] += 0.5
    symmetry, consistency, mean_bone = 0.5 / 2, 0.25, (31 + 1.5) / 32
    assert self_supervised_loss(pose).item() == pytest.approx((symmetry + consistency) / mean_bone)


def test_a_batch_of_videos_costs_the_mean_of_each():
    videos = torch.stack([people(s, symmetric=False) for s in range(3)])
    each = [self_supervised_loss(video).item() for video in videos]
    assert self_supervised_loss(videos).item() == pytest.approx(sum(each) / 3)


@quick
@given(st.integers(0, 10_000))
def test_growing_and_shrinking_gain_nothing(seed):
    pose = people(seed, symmetric=False, rigid=False).requires_grad_()
    (gradient,) = torch.autograd.grad(self_supervised_loss(pose), pose)
    cosine = (gradient * pose).sum() / (gradient.norm() * pose.norm())
    assert abs(cosine.item()) < 1e-9


def test_the_gradient_agrees_with_finite_differences():
    assert torch.autograd.gradcheck(self_supervised_loss, people(1, symmetric=False, rigid=False).requires_grad_())


def test_a_collapsed_skeleton_has_a_finite_loss_and_gradient():
    pose = torch.zeros(4, 17, 3, requires_grad=True)
    loss = self_supervised_loss(pose)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(pose.grad).all()


def test_exchanging_left_and_right_changes_nothing():
    pose = people(2, symmetric=False, rigid=False)
    exchanged = pose.clone()
    exchanged[:, list(LEFT)], exchanged[:, list(RIGHT)] = pose[:, list(RIGHT)], pose[:, list(LEFT)]
    assert self_supervised_loss(exchanged).item() == pytest.approx(self_supervised_loss(pose).item())


# Wherever there is an accelerator


def moved(part, device):
    return Windows(part.keypoints.to(device), part.pose.to(device))


def test_the_lifter_gives_the_same_on_every_device(device):
    model, clip = lifter(), windows(2, frames=15).keypoints
    here = copy.deepcopy(model).to(device)
    torch.testing.assert_close(here(clip.to(device)).cpu(), model(clip))
    torch.testing.assert_close(here.windows(clip[:, :9].to(device)).cpu(), model.windows(clip[:, :9]))


def test_the_meta_gradient_is_the_same_on_every_device(device):
    model, (support, query) = lifter(), episode()
    here = copy.deepcopy(model).to(device)
    gradient = meta_gradient(here, moved(support, device), moved(query, device))
    torch.testing.assert_close(gradient.cpu(), meta_gradient(model, support, query))


def test_adaptation_is_the_same_on_every_device(device):
    for support in (windows(6), windows(2, frames=20).keypoints):
        there = moved(support, device) if isinstance(support, Windows) else support.to(device)
        result = adapt(copy.deepcopy(lifter()).to(device), there, 4, rate=RATE)
        assert result.losses == pytest.approx(adapt(lifter(), support, 4, rate=RATE).losses)
        assert next(result.model.parameters()).device.type == device.type


# Bad input


def spoiled(value):
    part = windows(4)
    part.keypoints[1, 2, 3, 0] = value
    return part


def spoiled_lifter():
    model = lifter()
    with torch.no_grad():
        model.shrink.bias[4] = torch.nan
    return model


VIDEO = windows(1, frames=20).keypoints
BAD = {
    "meta-training in training mode": (
        lambda: meta_loss(lifter().train(), *episode(), rate=0.1),
        "model is in training mode: call model.eval",
    ),
    "unknown inner loss": (lambda: meta_loss(lifter(), *episode(), rate=0.1, inner="oracle"), "inner is 'oracle'"),
    "negative steps": (lambda: adapt(lifter(), windows(4), -1), "steps is -1"),
    "rate zero": (lambda: adapt(lifter(), windows(4), rate=0), "rate is 0"),
    "rate NaN": (lambda: adapt(lifter(), windows(4), rate=float("nan")), "rate is nan"),
    "empty support": (lambda: adapt(lifter(), windows(0)), "support is empty"),
    "empty video": (lambda: adapt(lifter(), VIDEO[:, :0]), "support is empty"),
    "keypoints with NaN": (lambda: adapt(lifter(), spoiled(float("nan"))), "support holds keypoints that are NaN"),
    "infinite keypoints": (lambda: adapt(lifter(), spoiled(float("inf"))), "support holds keypoints"),
    "video with NaN": (lambda: adapt(lifter(), VIDEO * float("nan")), "support holds keypoints"),
    "labels with NaN": (
        lambda: adapt(lifter(), Windows(windows(4).keypoints, windows(4).pose * float("nan"))),
        r"support.pose holds nan at frame 0, joint 0 \(hip\)",
    ),
    "rate that explodes": (lambda: adapt(lifter(), windows(4), 60, rate=1e200), "loss is .* at step .*lower rate"),
    "windows of another length": (lambda: adapt(lifter(), windows(4, frames=3)), "keypoints has 3 frames"),
    "video with sixteen joints": (lambda: adapt(lifter(), torch.zeros(20, 16, 2).double()), "keypoints has shape"),
    "pose of another count": (
        lambda: adapt(lifter(), Windows(windows(4).keypoints, windows(3).pose)),
        "predicted .* and target",
    ),
    "a model of NaN": (lambda: adapt(spoiled_lifter(), windows(4)), "loss is nan at step 0: nothing was adapted yet"),
    "single precision for a double lifter": (
        lambda: adapt(lifter(), VIDEO.float()),
        r"keypoints is torch.float32, the lifter's weights are torch.float64: convert",
    ),
    "whole numbers": (lambda: adapt(lifter(), VIDEO.long()), "keypoints is torch.int64"),
    "loss of no frames": (lambda: self_supervised_loss(torch.zeros(2, 0, 17, 3)), "pose has shape"),
    "loss of one pose": (lambda: self_supervised_loss(torch.zeros(17, 3)), r"pose has shape .*frames, 17, 3"),
    "loss of sixteen joints": (lambda: self_supervised_loss(torch.zeros(4, 16, 3)), "pose has shape"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def frozen(model, *names):
    for name, weight in model.named_parameters():
        weight.requires_grad_(not name.startswith(names))
    return model


def test_frozen_layers_stay_frozen():
    model = frozen(lifter(), "expand")
    adapted = adapt(model, windows(6), 3, rate=RATE).model
    moved = {name for name, weight in adapted.named_parameters() if not torch.equal(weight, model.get_parameter(name))}
    assert moved and not any(name.startswith("expand") for name in moved)
    support, query = episode()
    meta_loss(model, support, query, rate=RATE).backward()
    assert model.expand_conv.weight.grad is None and model.shrink.weight.grad is not None


def test_a_model_that_is_frozen_altogether_is_refused():
    with pytest.raises(ValueError, match="model has no parameter that requires a gradient"):
        adapt(frozen(lifter(), ""), windows(6), 3, rate=RATE)
