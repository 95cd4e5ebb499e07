"""The temporal lifter, against VideoPose3D's network built here from plain convolutions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from tutorial_lib.lifting import TemporalLifter, count_parameters, flops_per_frame, pad_edges, receptive_levels

ALL_FRAMES = [3, 9, 27, 81, 243]


class Convolutions(nn.Module):
    """VideoPose3D's two networks, strided (one window in, one pose out) or dilated (a sequence in and out)."""

    def __init__(self, widths, channels, causal, strided, outputs=17):
        super().__init__()

        def wide(inputs, layer):
            reach = 1
            for width in widths[:layer]:
                reach *= width
            how = {"stride": widths[layer]} if strided else {"dilation": reach}
            return nn.Conv1d(inputs, channels, widths[layer], bias=False, **how)

        self.causal, self.strided, self.widths = causal, strided, widths
        self.expand_conv, self.expand_bn = wide(34, 0), nn.BatchNorm1d(channels)
        above = range(1, len(widths))
        pairs = [(wide(channels, layer), nn.Conv1d(channels, channels, 1, bias=False)) for layer in above]
        self.layers_conv = nn.ModuleList([layer for pair in pairs for layer in pair])
        self.layers_bn = nn.ModuleList([nn.BatchNorm1d(channels) for _ in range(2 * len(pairs))])
        self.shrink = nn.Conv1d(channels, 3 * outputs, 1)

    def forward(self, keypoints):
        x = keypoints.flatten(-2).transpose(-1, -2)
        x = self.expand_bn(self.expand_conv(x)).relu()
        for block in range(len(self.layers_conv) // 2):
            half, conv = self.widths[block + 1] // 2, self.layers_conv[2 * block]
            if self.strided:
                kept = x[..., half + (half if self.causal else 0) :: conv.stride[0]]
            else:
                pad = half * conv.dilation[0]
                shift = pad if self.causal else 0
                kept = x[..., pad + shift : x.shape[-1] - pad + shift]
            for layer in (2 * block, 2 * block + 1):
                x = self.layers_bn[layer](self.layers_conv[layer](x)).relu()
            x = kept + x
        return self.shrink(x).transpose(-1, -2).unflatten(-1, (-1, 3))


def lifter(frames=None, channels=8, causal=False, dropout=0.0, seed=0, **options):
    """A small lifter whose batch norms have seen something, in eval mode."""
    torch.manual_seed(seed)
    options = {"root_relative": False, **options}  # as VideoPose3D leaves it, which most tests compare with
    model = TemporalLifter(frames, channels, causal=causal, dropout=dropout, **options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5), (module.bias, -0.5, 0.5), (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2.0),
            ):  # fmt: skip
                nn.init.uniform_(tensor, low, high)
    return model.eval()


def reference(model, strided):
    network = Convolutions(model.widths, model.channels, model.causal, strided, model.outputs)
    network.load_state_dict(model.state_dict())
    return network.train(model.training)


def keypoints(*shape, seed=1):
    return torch.randn(*shape, 17, 2, generator=torch.Generator().manual_seed(seed))


def close(a, b, tolerance=1e-5):
    torch.testing.assert_close(a, b, atol=tolerance, rtol=0)


# The numbers of the papers


@pytest.mark.parametrize(
    "frames, parameters, mflops",
    [
        (3, 158_771, 0.31),
        (9, 4_357_171, 8.70),
        (27, 8_555_571, 17.09),
        (81, 12_753_971, 25.48),
        (243, 16_952_371, 33.87),
    ],
)
def test_the_full_width_has_the_papers_parameters_and_flops(frames, parameters, mflops):
    with torch.device("meta"):
        model = TemporalLifter(frames)
    assert count_parameters(model) == parameters
    assert flops_per_frame(model) / 1e6 == pytest.approx(mflops, abs=0.006)


@pytest.mark.parametrize("frames, levels", [(3, 1), (9, 2), (27, 3), (81, 4), (243, 5)])
def test_levels_are_the_logarithm_of_the_receptive_field(frames, levels):
    assert receptive_levels(frames) == levels


# Two ways to compute one function


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", ALL_FRAMES)
def test_sequence_and_window_mode_agree(frames, causal):
    model, clip = lifter(frames, causal=causal), keypoints(2, frames + 6)
    sequence = model(clip)
    windows = clip.unfold(1, frames, 1).permute(0, 1, 4, 2, 3)
    assert sequence.shape == (2, 7, 17, 3)
    close(model.windows(windows), sequence)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", ALL_FRAMES)
def test_window_mode_is_the_strided_network_statistics_included(frames, causal, training):
    model = lifter(frames, causal=causal).train(training)
    network, clip = reference(model, strided=True), keypoints(5, frames)
    close(model.windows(clip), network(clip)[:, 0])
    for name, value in model.state_dict().items():
        close(value, network.state_dict()[name])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", ALL_FRAMES)
def test_sequence_mode_is_the_dilated_network_statistics_included(frames, causal, training):
    model = lifter(frames, causal=causal).train(training)
    network, clip = reference(model, strided=False), keypoints(3, frames + 5)
    close(model(clip), network(clip))
    for name, value in model.state_dict().items():
        close(value, network.state_dict()[name])


def test_with_batch_statistics_the_modes_agree_where_both_compute_the_same_features():
    """Only for 3 frames: beyond, the dilated network also normalises features that no window uses."""
    model, clip = lifter(3).train(), keypoints(6, 3)
    close(model.windows(clip), model(clip)[:, 0])


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_agree_with_those_of_the_strided_network(causal):
    model = lifter(27, causal=causal).train()
    network, clip = reference(model, strided=True), keypoints(4, 27)
    model.windows(clip).square().sum().backward()
    network(clip).square().sum().backward()
    for (name, mine), theirs in zip(model.named_parameters(), network.parameters()):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("mode", ["sequence", "windows"])
def test_any_leading_shape_gives_what_a_loop_gives(mode):
    model, clips = lifter(9), keypoints(2, 3, 9)
    lift = model.windows if mode == "windows" else model
    together = lift(clips)
    for i in range(2):
        for j in range(3):
            close(together[i, j], lift(clips[i, j]))
    assert lift(clips[0, 0]).shape == ((1, 17, 3) if mode == "sequence" else (17, 3))


@pytest.mark.parametrize("mode, shape", [("sequence", (0, 2, 17, 3)), ("windows", (0, 17, 3))])
def test_no_clips_give_no_poses(mode, shape):
    model = lifter(9)
    none = model(keypoints(0, 10)) if mode == "sequence" else model.windows(keypoints(0, 9))
    assert none.shape == shape


@pytest.mark.parametrize("mode", ["sequence", "windows"])
def test_dropout_acts_in_training_only(mode):
    model, clip = lifter(9, channels=32, dropout=0.5), keypoints(4, 9)
    lift = model.windows if mode == "windows" else model
    assert torch.equal(lift(clip), lift(clip))
    model.train()
    assert not torch.equal(lift(clip), lift(clip))


def test_double_precision_is_kept():
    assert lifter(9).double().windows(keypoints(1, 9).double()).dtype == torch.float64


# What the network sees


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", ALL_FRAMES)
def test_one_pose_depends_on_exactly_its_receptive_field(frames, causal):
    model, length, t = lifter(frames, causal=causal).double(), 3 * frames, frames + 4
    clip = keypoints(length).double().requires_grad_()
    (gradient,) = torch.autograd.grad(model.lift(clip)[t].sum(), clip)
    seen = (gradient != 0).flatten(1).any(-1).nonzero().flatten().tolist()
    first = t - (frames - 1 if causal else frames // 2)
    assert seen == list(range(first, first + frames))
    if causal:
        assert max(seen) == t


@pytest.mark.parametrize("causal", [False, True])
def test_a_clip_that_starts_later_gives_poses_that_start_later(causal):
    model, clip = lifter(9, causal=causal), keypoints(40)
    close(model(clip)[5:], model(clip[5:]))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("length", [1, 4, 30])
def test_lift_gives_one_pose_a_frame_however_short_the_clip(length, causal):
    model, clip = lifter(27, causal=causal), keypoints(2, length)
    assert model.lift(clip).shape == (2, length, 17, 3)


def test_a_person_who_stands_still_gets_the_same_pose_in_every_frame():
    model, still = lifter(27), keypoints(1).expand(20, 17, 2)
    close(model.lift(still), model.lift(still)[:1].expand(20, 17, 3))


@pytest.mark.parametrize("causal, before, after", [(False, 4, 4), (True, 8, 0)])
def test_padding_repeats_the_first_and_the_last_frame(causal, before, after):
    clip = keypoints(2, 5)
    padded = pad_edges(clip, 9, causal)
    expected = [clip[:, 0]] * before + [clip[:, t] for t in range(5)] + [clip[:, -1]] * after
    assert torch.equal(padded, torch.stack(expected, 1))


# Any filter widths

a_network = {
    "widths": st.lists(st.sampled_from([1, 3, 5, 7]), min_size=1, max_size=3).map(tuple),
    "causal": st.booleans(),
    "outputs": st.sampled_from([1, 17]),
    "seed": st.integers(0, 99),
}


@settings(max_examples=25)
@given(**a_network)
def test_any_widths_are_the_strided_and_the_dilated_network(widths, causal, outputs, seed):
    model = lifter(widths=widths, channels=4, causal=causal, outputs=outputs, seed=seed).double()
    clip = keypoints(2, model.frames + 3, seed=seed).double()
    windows = clip.unfold(1, model.frames, 1).permute(0, 1, 4, 2, 3)
    strided, dilated = (reference(model, strided).double() for strided in (True, False))
    sequence = model(clip)
    assert sequence.shape == (2, 4, outputs, 3)
    close(sequence, dilated(clip), 1e-10)
    close(model.windows(windows), sequence, 1e-10)
    close(strided(windows.flatten(0, 1))[:, 0].unflatten(0, (2, 4)), sequence, 1e-10)


@settings(max_examples=25)
@given(widths=a_network["widths"], causal=st.booleans(), dilated=st.booleans())
def test_any_widths_see_exactly_their_receptive_field(widths, causal, dilated):
    model = lifter(widths=widths, channels=4, causal=causal, dilated=dilated).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.constant_(module.bias, 100.0)  # no ReLU cuts a way by chance
    length, t = 3 * model.frames, model.frames + 1
    clip = keypoints(length).double().requires_grad_()
    (gradient,) = torch.autograd.grad(model.lift(clip)[t].sum(), clip)
    seen = (gradient != 0).flatten(1).any(-1).nonzero().flatten().tolist()
    first = t - (model.frames - 1 if causal else model.frames // 2)
    assert seen == list(range(first, first + model.frames))
    expected = 1
    for width in widths:
        expected = expected * width if dilated else expected + width - 1
    assert model.frames == expected


def test_frames_are_short_for_filters_of_width_three():
    assert TemporalLifter(27, 4).widths == TemporalLifter(channels=4).widths == (3, 3, 3)
    assert TemporalLifter(widths=[3, 3, 3], channels=4).dilations == (1, 3, 9)
    assert TemporalLifter(27, 4, widths=(3, 9)).frames == 27


@pytest.mark.parametrize("causal", [False, True])
def test_without_dilation_the_windows_are_the_sequence(causal):
    model, clip = lifter(widths=(3, 5, 3), causal=causal, dilated=False), keypoints(2, 12)
    windows = clip.unfold(1, model.frames, 1).permute(0, 1, 4, 2, 3)
    close(model.windows(windows), model(clip))


def test_a_trajectory_network_has_one_joint_and_fewer_weights():
    pose, root = TemporalLifter(27, 8), TemporalLifter(27, 8, outputs=1).eval()
    assert root.lift(keypoints(2, 5)).shape == (2, 5, 1, 3)
    assert count_parameters(pose) - count_parameters(root) == (8 + 1) * 16 * 3


# Time


@settings(max_examples=20)
@given(widths=a_network["widths"], t=st.integers(0, 19), dilated=st.booleans())
def test_a_causal_network_never_looks_ahead(widths, t, dilated):
    model, clip = lifter(widths=widths, channels=4, causal=True, dilated=dilated), keypoints(20)
    other = clip.clone()
    other[t + 1 :] += 1
    assert torch.equal(model.lift(clip)[: t + 1], model.lift(other)[: t + 1])


def test_a_centred_network_does_look_ahead():
    model, clip = lifter(9), keypoints(20)
    other = clip.clone()
    other[11:] += 1
    assert not torch.equal(model.lift(clip)[:11], model.lift(other)[:11])


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest tensor had that any operation made."""

    numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self.numbers = max([self.numbers, *sizes])
        return result


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("chunk", [1, 7, 49, 50, 51])
def test_chunks_give_the_same_poses(chunk, causal):
    model, clip = lifter(9, causal=causal), keypoints(2, 50)
    close(model.lift(clip, chunk), model.lift(clip))


def test_with_chunks_a_longer_clip_needs_no_larger_features():
    model, largest = lifter(9, channels=512), {}
    for length in (200, 400):
        for chunk in (50, None):
            with torch.no_grad(), Largest() as tensors:
                model.lift(keypoints(length), chunk)
            largest[length, chunk] = tensors.numbers
    assert largest[400, None] > 1.9 * largest[200, None]
    assert largest[400, 50] < largest[200, None] / 1.5 and largest[400, 50] <= 400 * 17 * 3 + largest[200, 50]


@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 3), (1, 7, 3)])
@pytest.mark.parametrize("dilated", [False, True])
def test_one_more_frame_costs_what_flops_per_frame_says(widths, dilated):
    """Against torch's own counter of what was executed."""
    model, counted = lifter(widths=widths, channels=16, dilated=dilated), []
    for length in (40, 41):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.lift(keypoints(length))
        counted.append(counter.get_total_flops())
    assert counted[1] - counted[0] == flops_per_frame(model)


# Where the root is


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dilated", [False, True])
def test_the_root_of_every_pose_is_exactly_at_the_origin(causal, dilated):
    free, pinned = (
        lifter(widths=(3, 3), causal=causal, dilated=dilated, root_relative=pin, seed=3) for pin in (False, True)
    )
    clip = keypoints(2, 12)
    window = clip[:, : free.frames]
    for there, here in (
        (free(clip), pinned(clip)),
        (free.lift(clip), pinned.lift(clip)),
        (free.windows(window), pinned.windows(window)),
    ):
        assert there[..., 0, :].abs().max() > 1e-3, "a network puts the body anywhere"
        assert (here[..., 0, :] == 0).all()
        close(here, there - there[..., :1, :])


def test_a_network_with_one_output_is_the_root_and_keeps_it():
    model = lifter(9, outputs=1, root_relative=True)
    assert not model.root_relative and model.lift(keypoints(12)).abs().max() > 1e-3


# The reference's checkpoints


def videopose3d_weights(blocks, channels):
    """Names and shapes of VideoPose3D's `TemporalModel.state_dict()`, filled with noise."""
    generator = torch.Generator().manual_seed(3)
    shapes = {"expand_conv.weight": (channels, 34, 3), "shrink.weight": (51, channels, 1), "shrink.bias": (51,)}
    norms = ["expand_bn"]
    for i in range(2 * blocks):
        shapes[f"layers_conv.{i}.weight"] = (channels, channels, 1 if i % 2 else 3)
        norms.append(f"layers_bn.{i}")
    for norm in norms:
        shapes |= {f"{norm}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    weights = {name: torch.rand(shape, generator=generator) + 0.1 for name, shape in shapes.items()}
    return weights | {f"{norm}.num_batches_tracked": torch.tensor(7) for norm in norms}


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("blocks, frames", [(0, 3), (1, 9), (2, 27)])
def test_a_videopose3d_checkpoint_loads_by_name(blocks, frames, wrapped):
    weights = videopose3d_weights(blocks, 8)
    model = TemporalLifter(frames, 8).load_videopose3d({"model_pos": weights, "epoch": 80} if wrapped else weights)
    assert set(model.state_dict()) == set(weights) and not model.root_relative, "its output is VideoPose3D's own"
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_a_checkpoint_from_before_torch_counted_batches_loads_too():
    weights = {k: v for k, v in videopose3d_weights(1, 8).items() if not k.endswith("num_batches_tracked")}
    model = TemporalLifter(9, 8).load_videopose3d(weights)
    assert torch.equal(model.shrink.weight, weights["shrink.weight"])


# Bad input

W = videopose3d_weights(1, 8)
BAD = {
    "ten frames": (lambda: TemporalLifter(10), "frames is 10"),
    "one frame": (lambda: TemporalLifter(1), "frames is 1"),
    "no channels": (lambda: TemporalLifter(3, 0), "channels=0"),
    "even width": (lambda: TemporalLifter(widths=(3, 4), channels=8), "widths is .*odd"),
    "negative width": (lambda: TemporalLifter(widths=(3, -3), channels=8), "widths is .*odd"),
    "no layer": (lambda: TemporalLifter(widths=(), channels=8), "widths is"),
    "frames and other widths": (lambda: TemporalLifter(27, 8, widths=(3, 3)), "frames is 27, but .* see 9"),
    "no outputs": (lambda: TemporalLifter(3, 8, outputs=0), "outputs=0"),
    "empty chunks": (lambda: lifter(3).lift(keypoints(5), chunk=0), "chunk is 0"),
    "no joints": (lambda: TemporalLifter(3, 8, joints=0), "joints=0"),
    "dropout one": (lambda: TemporalLifter(3, 8, dropout=1.0), "dropout is 1.0"),
    "sixteen joints": (lambda: lifter(3)(torch.zeros(3, 16, 2)), "keypoints has shape"),
    "no time axis": (lambda: lifter(3)(torch.zeros(17, 2)), "keypoints has shape"),
    "clip shorter than the field": (lambda: lifter(9)(keypoints(8)), "keypoints has 8 frames.*pad_edges"),
    "window longer than the field": (lambda: lifter(9).windows(keypoints(10)), "keypoints has 10 frames"),
    "checkpoint of another depth": (lambda: TemporalLifter(27, 8).load_videopose3d(W), "state_dict .*missing"),
    "checkpoint of another width": (lambda: TemporalLifter(9, 16).load_videopose3d(W), "state_dict .*wrong shapes"),
    "checkpoint with another name": (lambda: TemporalLifter(9, 8).load_videopose3d(W | {"fc": W["shrink.bias"]}), "fc"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_refused_checkpoint_changes_nothing():
    model = lifter(27)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="state_dict"):
        model.load_videopose3d(W)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
