"""The single-frame baseline, against the same network spelled with torch's own layers."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, count_parameters, flops_per_frame


def lifter(channels=16, dropout=0.0, seed=0, **options):
    """A small one whose batch norms have seen something, in eval mode."""
    torch.manual_seed(seed)
    options = {"root_relative": False, **options}
    model = SingleFrameLifter(channels, dropout=dropout, **options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def keypoints(*shape, seed=1):
    return torch.randn(*shape, 17, 2, generator=torch.Generator().manual_seed(seed))


def spelled_out(model, x):
    """The paper's figure: linear, norm, ReLU, dropout; two blocks of two with a residual each; linear."""

    def stage(linear, norm):
        return nn.Sequential(linear, norm, nn.ReLU(), nn.Dropout(model.dropout)).train(model.training)

    x = stage(model.expand, model.expand_bn)(x)
    for a, b in ((0, 1), (2, 3)):
        inner = nn.Sequential(*(stage(model.layers[i], model.layers_bn[i]) for i in (a, b)))
        x = x + inner(x)
    return model.shrink(x)


@pytest.mark.parametrize("training", [False, True])
def test_it_is_the_papers_network(training):
    model, frames = lifter().train(training), keypoints(12)
    twin = lifter().train(training)
    torch.testing.assert_close(model(frames).flatten(1), spelled_out(twin, frames.flatten(1)))
    for (name, value), other in zip(model.state_dict().items(), twin.state_dict().values()):
        torch.testing.assert_close(value, other, msg=name)


@pytest.mark.parametrize("channels", [8, 1024])
def test_parameters_are_those_of_six_matrices_and_five_norms(channels):
    with torch.device("meta"):
        model = SingleFrameLifter(channels)
    c = channels
    assert count_parameters(model) == (34 * c + c) + 4 * (c * c + c) + 5 * 2 * c + (c * 51 + 51)
    assert flops_per_frame(model) == 2 * (34 * c + 4 * c * c + 51 * c)
    if channels == 1024:
        assert count_parameters(model) == 4_296_755


def test_flops_are_what_torch_counts():
    model = lifter()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(keypoints(5))
    assert counter.get_total_flops() == 5 * flops_per_frame(model)


def test_it_is_called_like_the_temporal_lifter():
    single, temporal, clip = lifter(), TemporalLifter(9, 8).eval(), keypoints(2, 3, 20)
    assert single.lift(clip).shape == temporal.lift(clip).shape == (2, 3, 20, 17, 3)
    assert (single.frames, single.causal, single.joints, single.outputs) == (1, False, 17, 17)
    windows = clip[..., :1, :, :]
    torch.testing.assert_close(single.windows(windows), single(clip)[..., 0, :, :])
    assert single(keypoints(0, 5)).shape == (0, 5, 17, 3)
    assert lifter(outputs=1).lift(clip).shape == (2, 3, 20, 1, 3)


@pytest.mark.parametrize("chunk", [1, 7, 20, 50])
def test_chunks_give_the_same_poses(chunk):
    model, clip = lifter(), keypoints(2, 20)
    torch.testing.assert_close(model.lift(clip, chunk), model.lift(clip))


def test_no_frame_depends_on_another():
    model, clip = lifter(), keypoints(10)
    other = clip.clone()
    other[4] += 1
    changed = (model.lift(clip) != model.lift(other)).flatten(1).any(-1)
    assert changed.nonzero().flatten().tolist() == [4]


def test_dropout_acts_in_training_only():
    model, clip = lifter(channels=64, dropout=0.5), keypoints(8)
    assert torch.equal(model(clip), model(clip))
    model.train()
    assert not torch.equal(model(clip), model(clip))


def test_the_root_is_exactly_at_the_origin_unless_it_is_the_only_output():
    free, pinned = lifter(), lifter(root_relative=True)
    clip = keypoints(5)
    assert (pinned(clip)[:, 0] == 0).all() and free(clip)[:, 0].abs().max() > 1e-3
    torch.testing.assert_close(pinned(clip), free(clip) - free(clip)[:, :1])
    assert not lifter(outputs=1, root_relative=True).root_relative


BAD = {
    "no channels": (lambda: SingleFrameLifter(0), "channels=0"),
    "no outputs": (lambda: SingleFrameLifter(8, outputs=0), "outputs=0"),
    "dropout one": (lambda: SingleFrameLifter(8, dropout=1.0), "dropout is 1.0"),
    "sixteen joints": (lambda: lifter()(torch.zeros(3, 16, 2)), "keypoints has shape"),
    "a long window": (lambda: lifter().windows(keypoints(3)), "keypoints has 3 frames"),
    "empty chunks": (lambda: lifter().lift(keypoints(5), chunk=0), "chunk is 0"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
