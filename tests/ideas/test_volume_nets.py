"""The networks: shapes, sizes known from the literature, one interface, and that they learn where a dot is."""

import pytest
import torch
from torch import nn

from tutorial_lib.integral import soft_argmax_3d
from tutorial_lib.integral.losses import Mix, mixed
from tutorial_lib.integral.networks import RegressionNet, ResNet50, SmallTrunk, resnet50_volume_net, small_volume_net


def count(module):
    return sum(p.numel() for p in module.parameters())


def pictures(batch, size, seed=0):
    return torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def resnet():
    return ResNet50()


@pytest.fixture(scope="module")
def paper():
    return resnet50_volume_net()


def test_resnet50_has_the_published_number_of_parameters(resnet):
    assert count(resnet) == 23_508_032  # 25,557,032 less the classifier's 2048 x 1000 + 1000
    convolutions = [m for m in resnet.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 53  # 49 and the classifier make 50; 4 more go around


def test_resnet50_takes_weights_under_torchvisions_names(resnet):
    state = resnet.state_dict()
    assert len(state) == 318
    shapes = {
        "conv1.weight": (64, 3, 7, 7), "bn1.running_var": (64,),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1), "layer1.0.downsample.1.bias": (256,),
        "layer2.3.conv2.weight": (128, 128, 3, 3), "layer3.5.conv3.weight": (1024, 256, 1, 1),
        "layer4.0.conv1.weight": (512, 1024, 1, 1), "layer4.2.bn3.num_batches_tracked": (),
    }  # fmt: skip
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    generator = torch.Generator().manual_seed(1)
    other = {k: torch.rand(v.shape, generator=generator) if v.is_floating_point() else v for k, v in state.items()}
    fresh = ResNet50()
    fresh.load_classifier({**other, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)})
    assert all(torch.equal(value, other[name]) for name, value in fresh.state_dict().items())
    del other["layer3.0.conv1.weight"]
    with pytest.raises(RuntimeError, match="layer3.0.conv1.weight"):
        fresh.load_classifier(other)


def test_resnet50_strides_on_the_3x3_convolution(resnet):
    strided = [n for n, m in resnet.named_modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    assert [n for n in strided if ".conv" in n] == [f"layer{level}.0.conv2" for level in (2, 3, 4)]
    with torch.no_grad():
        assert resnet.eval()(pictures(1, 96)).shape == (1, 2048, 3, 3)


def test_the_papers_network_and_the_small_one_share_their_interface(paper):
    small = small_volume_net(width=8)
    assert type(paper) is type(small)
    for net, size, shape in ((paper, 256, (64, 64, 64)), (small, 64, (16, 16, 16))):
        images = pictures(1, size)
        with torch.no_grad():
            logits = net.eval().logits(images)
            assert logits.shape == (1, 17, *shape)
            torch.testing.assert_close(net.predict(images), soft_argmax_3d(logits))
            torch.testing.assert_close(net(images), logits)


def test_three_deconvolutions_of_256_channels_and_a_head(paper):
    layers = [m for m in paper.deconvolutions if isinstance(m, nn.ConvTranspose2d)]
    assert [(m.in_channels, m.out_channels, m.kernel_size, m.stride) for m in layers] == [
        (2048, 256, (4, 4), (2, 2)), (256, 256, (4, 4), (2, 2)), (256, 256, (4, 4), (2, 2)),
    ]  # fmt: skip
    assert paper.head.out_channels == 17 * 64


@pytest.mark.parametrize(
    ("size", "cells", "depth"), [(64, 16, 16), (64, 32, 8), (64, 4, 4), (128, 32, 16), (96, 24, 5)]
)
def test_sizes_of_the_small_net(size, cells, depth):
    net = small_volume_net(size, cells, depth, width=8, joints=3)
    assert net.logits(pictures(2, size)).shape == (2, 3, depth, cells, cells)


def test_untrained_nets_say_the_middle():
    for net in (small_volume_net(width=8), RegressionNet(SmallTrunk(8))):
        assert net.predict(pictures(2, 64)).abs().max() < 0.1


def test_scores_start_with_one_joint_in_each_volume():
    logits = small_volume_net(width=8).logits(pictures(2, 64))
    torch.testing.assert_close(torch.sigmoid(logits).sum((-3, -2, -1)), torch.ones(2, 17), atol=0.05, rtol=0)


def dot_pictures(batch, generator):
    """Grey pictures with one bright dot whose colour says how far away it is; where it is."""
    place = 1.4 * torch.rand(batch, 1, 3, generator=generator) - 0.7
    grid = (2 * torch.arange(64) + 1) / 64 - 1
    square = (grid - place[..., :1]) ** 2
    rows = (grid - place[..., 1:2]) ** 2
    dot = torch.exp(-(square[:, :, None, :] + rows[:, :, :, None]) / 0.02)
    near = (place[..., 2] + 1)[..., None, None] / 2
    return 0.3 + 0.7 * torch.cat([dot * near, dot * (1 - near), 0 * dot], 1), place


@pytest.mark.parametrize(
    ("make", "mix"),
    [
        (lambda: small_volume_net(width=8, joints=1), Mix()),
        (lambda: small_volume_net(width=8, joints=1), Mix(gaussian=0.01)),
        (lambda: small_volume_net(width=8, joints=1), Mix(js=0.1)),
        (lambda: RegressionNet(SmallTrunk(8), joints=1), None),
    ],
    ids=["integral", "gaussian", "js", "regression"],
)
def test_every_approach_learns_where_a_dot_is(make, mix):
    generator = torch.Generator().manual_seed(0)
    net = make().train()
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    errors = []
    for _ in range(60):
        images, place = dot_pictures(16, generator)
        if mix is None:
            loss = error = (net.predict(images) - place).abs().mean()
        else:
            loss, parts = mixed(net.logits(images), place, mix)
            error = parts["integral"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(error.item())
    start, end = sum(errors[:5]) / 5, sum(errors[-5:]) / 5
    assert end < start / 2, f"{start:.3f} -> {end:.3f}"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: small_volume_net(64, 20), "size=64 and cells=20: the trunk leaves 4 cells"),
        (lambda: small_volume_net(60, 16), "size=60"),
        (lambda: small_volume_net(width=8).logits(torch.zeros(1, 3, 60, 60)), "S a multiple of 16"),
        (lambda: small_volume_net(width=8).predict(torch.zeros(3, 64, 64)), r"expected \(B, 3, S, S\)"),
        (lambda: RegressionNet(SmallTrunk(8)).predict(torch.zeros(1, 1, 64, 64)), r"expected \(B, 3, S, S\)"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(call, says):
    with pytest.raises(ValueError, match=says):
        call()
