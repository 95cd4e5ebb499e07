"""Two cameras and a latent that turns: geometry against matrices, heads against numpy, trainings on small worlds."""

import copy

import numpy as np
import pytest
import torch

from tutorial_lib.camera import orbit
from tutorial_lib.geometry_aware import (
    Decoder,
    Encoder,
    GeometryNet,
    PoseNet,
    draw_groups,
    exchange,
    fit_equivariant,
    fit_ridge,
    picture_loss,
    retrieve,
    rotate,
    to_world,
    train,
)
from tutorial_lib.geometry_aware.heads import PENALTIES, Sums, choose_penalty, solve_ridge
from tutorial_lib.geometry_aware.learning import DIFFERENT, WEIGHT, paint
from tutorial_lib.geometry_aware.networks import Splat
from tutorial_lib.geometry_aware.retrieval import across_cameras, encode, standardised
from tutorial_lib.geometry_aware.supervised import predict, score, train_poses
from tutorial_lib.geometry_aware.views import SPLITS, banks, photos, poses


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def groups():
    return draw_groups("train", 12, size=24, people=2, frames=30)


def rotations(count, seed=0):
    return orbit(torch.zeros(count, 3), 6.28 * torch.rand(count, generator=seeded(seed)), 0.3).rotation


def test_turning_takes_points_from_one_camera_to_the_other():
    world = torch.randn(5, 7, 3, generator=seeded())
    first, second = rotations(5, 1), rotations(5, 2)
    here, there = world @ first.mT, world @ second.mT
    torch.testing.assert_close(rotate(here, second @ first.mT), there)
    torch.testing.assert_close(to_world(here, first), world)
    torch.testing.assert_close(rotate(rotate(here, second @ first.mT), first @ second.mT), here)


def test_turning_is_what_the_poses_of_two_cameras_do(groups):
    pose = groups.pose - groups.pose[..., :1, :]
    turned = rotate(pose[:, :, 0], groups.turn(0, 1)[:, None])
    torch.testing.assert_close(turned, pose[:, :, 1], atol=2e-6, rtol=0)


def test_exchange_hands_over_points_of_the_other_camera_and_clothes_of_the_other_moment(groups):
    """With true poses as points, every camera gets its own pose back, though it came from the other one."""
    pose = groups.pose - groups.pose[..., :1, :]
    appearance = torch.arange(12.0 * 4).view(12, 2, 2, 1)
    points, dressed = exchange(pose, appearance, groups.rotation)
    torch.testing.assert_close(points, pose, atol=2e-6, rtol=0)
    assert torch.equal(dressed[:, 0, 1], appearance[:, 1, 0]) and torch.equal(dressed[:, 1, 1], appearance[:, 0, 0])
    marked = torch.zeros(12, 2, 2, 1, 3)
    marked[:, 0, 1] = 1
    arrived = exchange(marked, appearance, groups.rotation)[0].norm(dim=-1)[..., 0] > 0
    assert arrived[:, 0, 0].all() and arrived.sum() == 12
    assert torch.equal(exchange(pose, appearance, groups.rotation, "plain")[0], pose)


def test_the_loss_counts_what_differs_from_the_plate_more():
    plate = torch.full((1, 3, 10, 10), 0.5)
    photo = plate.clone()
    photo[..., :5, :2] = 0.9  # a tenth of the pixels is somebody
    person = WEIGHT * 10 / (WEIGHT * 10 + 90)
    assert picture_loss(plate, photo, plate).item() == pytest.approx(0.4 * person, rel=1e-5)
    assert picture_loss(photo, photo, plate).item() == 0
    faint = plate + 0.9 * DIFFERENT
    assert picture_loss(plate, faint, plate).item() == pytest.approx(0.9 * DIFFERENT, rel=1e-4)


@pytest.mark.parametrize("layout", ["dense", "splat"])
def test_a_network_paints_over_the_plate_where_its_mask_is(layout):
    torch.manual_seed(0)
    net = GeometryNet(points=5, appearance=3, size=24, layout=layout).eval()
    image, plate = torch.rand(2, 4, 3, 24, 24, generator=seeded())
    painted, mask = net(image, torch.eye(3).expand(4, 3, 3), plate)
    assert painted.shape == (4, 3, 24, 24) and mask.shape == (4, 1, 24, 24) and 0 <= mask.min() <= mask.max() <= 1
    torch.nn.init.zeros_(net.decoder.last[-1].weight)
    net.decoder.last[-1].bias.data[3] = -30
    torch.testing.assert_close(net(image, torch.eye(3).expand(4, 3, 3), plate)[0], plate)
    dressed = net(image, torch.eye(3).expand(4, 3, 3), plate, dressed=image)[0]
    torch.testing.assert_close(dressed, plate)


def test_turning_first_is_decoding_in_the_other_camera():
    torch.manual_seed(0)
    net = GeometryNet(points=5, appearance=3, size=24).eval()
    image, plate = torch.rand(2, 4, 3, 24, 24, generator=seeded())
    turn = rotations(4)
    points, appearance = net.encoder(image)
    expected = net.decoder(torch.einsum("bij,bpj->bpi", turn, points), appearance, plate)[0]
    torch.testing.assert_close(net(image, turn, plate)[0], expected)


def test_splatted_points_are_bumps_where_they_are():
    splat = Splat(3, 2, 4, cells=16, sigma=0.1)
    points = torch.tensor([[[0.0625, -0.3125, 9.0], [0.5625, 0.0625, -9.0], [5.0, 0.0, 0.0]]])
    maps = splat.maps(points)[0]
    # Centres of cells are at (2 i + 1) / 16 - 1: the first point is in column 8, row 5; depth does not count.
    assert maps[0].argmax().item() == 5 * 16 + 8 and maps[0].max() == 1
    assert maps[1].argmax().item() == 8 * 16 + 12 and maps[2].max() < 1e-6
    assert maps[0, 5, 9].item() == pytest.approx(np.exp(-0.5 * (0.125 / 0.1) ** 2), rel=1e-4)


def test_gradients_in_half_precision_and_channels_last_point_where_the_exact_ones_do(groups):
    for layout in ("dense", "splat"):
        torch.manual_seed(0)
        net = GeometryNet(points=8, appearance=4, size=24, layout=layout).train()
        fast = copy.deepcopy(net).to(memory_format=torch.channels_last)
        picture_loss(*paint(fast, groups)).backward()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(torch, "bfloat16", torch.float32)
            patched.setattr(torch, "autocast", lambda *_, **__: torch.enable_grad())
            picture_loss(*paint(net, groups)).backward()
        exact, found = (
            torch.cat([p.grad.flatten() for p in some.parameters() if p.grad is not None]) for some in (net, fast)
        )
        assert torch.cosine_similarity(exact, found, dim=0) > 0.98


def test_a_training_learns_from_two_cameras_and_is_the_same_again(groups):
    def trained(row):
        torch.manual_seed(0)
        net, seen = GeometryNet(points=6, appearance=4, size=24), []
        history = train(
            net, groups, row=row, steps=30, generator=seeded(), batch=6, look=lambda net, step: seen.append(step),
            every=10, progress=False,
        )  # fmt: skip
        assert seen == [10, 20, 30] and not net.training
        return net, history

    net, history = trained("ours")
    assert np.mean(history.loss[-5:]) < 0.8 * np.mean(history.loss[:5])
    again = trained("ours")[0].state_dict()
    assert all(torch.equal(value, again[key]) for key, value in net.state_dict().items())
    assert np.isfinite(trained("plain")[1].loss).all()


def test_retrieval_finds_what_is_near_and_chance_otherwise():
    world = torch.randn(64, 6, 3, generator=seeded())
    exact = retrieve(world, world)
    assert exact.first == 1 and exact.same < 1e-7 and exact.chance == 1 / 64
    other = retrieve(world, torch.randn(64, 6, 3, generator=seeded(1)))
    assert other.first < 0.15 and other.among_five < 0.3 and other.same == pytest.approx(1, abs=0.05)
    near = retrieve(world, world + 0.1 * torch.randn(64, 6, 3, generator=seeded(1)))
    distance = np.linalg.norm((world[:, None] - world).flatten(2).numpy(), axis=-1)
    assert near.first == 1 and near.others == pytest.approx(distance[~np.eye(64, dtype=bool)].mean(), rel=0.02)


def test_a_loud_point_that_means_nothing_drowns_the_others_unless_numbers_are_scaled():
    world = torch.randn(64, 6, 3, generator=seeded())
    loud = [torch.cat([world, 100 * torch.randn(64, 1, 3, generator=seeded(n))], 1) for n in (1, 2)]
    assert retrieve(*loud).first < 0.1 < 0.9 < retrieve(*standardised(*loud)).first
    one, other = standardised(*loud)
    both = torch.cat([one, other])
    torch.testing.assert_close(both.std(0), torch.ones(7, 3))
    torch.testing.assert_close(both.mean(0), torch.zeros(7, 3))


class TruePose(torch.nn.Module):
    """An encoder that knows: the pose of the photo whose first pixel it sees."""

    def __init__(self, views):
        super().__init__()
        self.known = dict(zip([image.sum().item() for image in photos(views)], poses(views)))

    def forward(self, images):
        return torch.stack([self.known[image.sum().item()] for image in images]), images.flatten(1)[:, :2]


def test_true_geometry_is_found_across_cameras_and_only_when_turned(groups):
    encoder = TruePose(groups)
    turned, raw = (across_cameras(encoder, groups, turned=which) for which in (True, False))
    assert turned.first == 1 and turned.same < 1e-5 and raw.first < 0.9 and raw.same > 0.5
    assert encode(encoder, photos(groups), batch=7)[0].shape == (48, 17, 3)


def labels(count=40, n=6, seed=0):
    points = torch.randn(count, n, 3, generator=seeded(seed)).double()
    pose = torch.randn(count, 17, 3, generator=seeded(seed + 1)).double()
    return points, pose


def test_the_ridge_head_is_numpys_least_squares_with_rows_added():
    points, pose = labels()
    x, y = points.flatten(1).numpy(), pose.flatten(1).numpy()
    x0, y0 = x - x.mean(0), y - y.mean(0)
    size = np.diag(x0.T @ x0).mean() * 0.3
    rows = np.concatenate([x0, np.sqrt(size) * np.eye(18)]), np.concatenate([y0, np.zeros((18, 51))])
    weight = np.linalg.lstsq(*rows, rcond=None)[0]
    head = fit_ridge(points, pose, 0.3)
    np.testing.assert_allclose(head.weight, weight, atol=1e-9)
    np.testing.assert_allclose(head(points).flatten(1), x0 @ weight + y.mean(0), atol=1e-9)


def test_sums_add_up_and_solve_the_same_problem():
    points, pose = labels()
    parts = Sums.of(points[:15], pose[:15]) + Sums.of(points[15:], pose[15:])
    one, two = solve_ridge(parts, 0.1), fit_ridge(points, pose, 0.1)
    torch.testing.assert_close(one.weight, two.weight)
    torch.testing.assert_close(one.shift, two.shift)


def test_the_equivariant_head_commutes_with_rotations_and_the_ridge_does_not():
    points, pose = labels()
    turn = rotations(40).double()
    head = fit_equivariant(points, pose, 0.01)
    assert head.weight.shape == (17, 6)
    torch.testing.assert_close(head(rotate(points, turn)), rotate(head(points), turn))
    plain = fit_ridge(points, pose, 0.01)
    assert (plain(rotate(points, turn)) - rotate(plain(points), turn)).abs().max() > 0.1
    mixing = torch.randn(17, 6, generator=seeded(3)).double()
    found = fit_equivariant(points, mixing @ points, 1e-9)
    torch.testing.assert_close(found.weight, mixing, atol=1e-6, rtol=0)


def test_a_penalty_is_chosen_on_other_photos():
    points, pose = labels(20)
    weight = torch.randn(18, 51, generator=seeded(5)).double()

    def clear(x):
        return (x.flatten(1) @ weight).unflatten(1, (17, 3))

    other = labels(60, seed=7)[0]
    assert choose_penalty(lambda p: fit_ridge(points, clear(points), p), other, clear(other)) == PENALTIES[0]
    noise = pose + 0 * points.sum()
    assert choose_penalty(lambda p: fit_ridge(points, noise, p), other, 0 * clear(other)) >= 1


def test_few_labels_are_learned_by_head_and_by_the_whole_network(groups):
    for mode in ("scratch", "frozen", "tuned"):
        torch.manual_seed(0)
        net = PoseNet(points=6, appearance=3, size=24, hidden=32)
        before = copy.deepcopy(net.encoder.state_dict())
        history = train_poses(
            net, groups, groups, mode=mode, steps=60, rate=1e-2, generator=seeded(), batch=16, every=20, progress=False
        )
        assert [step for step, _ in history.checks] == [20, 40, 60] and not net.training
        assert np.mean(history.loss[-10:]) < 0.8 * np.mean(history.loss[:10])
        same = [torch.equal(value, before[key]) for key, value in net.encoder.state_dict().items()]
        assert all(same) == (mode == "frozen")
        found = predict(net, photos(groups), batch=5)
        assert score(net, groups).mpjpe == pytest.approx(history.best, rel=1e-3)
        assert found.shape == (48, 17, 3) and found[:, 0].abs().max() < 0.02  # the root is where it belongs


def test_the_people_clothes_and_rooms_of_the_splits():
    test, clothes = (draw_groups(split, 4, size=24, people=1, frames=20) for split in ("test", "clothes"))
    torch.testing.assert_close(test.pose, clothes.pose)  # the same people and moments
    assert torch.equal(test.plates, clothes.plates) and not torch.equal(test.pixels, clothes.pixels)
    other = draw_groups("test", 4, size=24, people=1, frames=20, dressed=1)
    assert torch.equal(test.pose, other.pose) and torch.equal(test.look, other.look)
    assert ((test.pixels.int() - other.pixels.int()).abs().amax((1, 2, 3, 4, 5)) > 20).all()
    assert torch.equal(banks("train")[0].shirt, banks("test")[0].shirt)
    assert not torch.equal(banks("train")[0].shirt, banks("clothes")[0].shirt)
    assert torch.equal(banks("train")[1].wall, banks("clothes")[1].wall)
    seeds = [seed for seed, _, _ in SPLITS.values()]
    assert len(set(seeds)) == 3 and not set(SPLITS["train"][2]) & set(SPLITS["test"][2])
    assert poses(test).shape == (16, 17, 3) and poses(test)[:, 0].abs().max() == 0
    torch.testing.assert_close(photos(test)[1], test.pixels[0, 0, 1].float() / 255)


@pytest.mark.cuda
def test_a_gpu_trains_too(groups):
    net = GeometryNet(points=6, appearance=4, size=24).cuda()
    history = train(net, groups, steps=20, generator=seeded(), batch=6, progress=False)
    assert np.mean(history.loss[-5:]) < np.mean(history.loss[:5])


EYE = torch.eye(3)
BAD = {
    "points of the plane": (lambda: rotate(torch.ones(4, 2), EYE), r"points has shape \(4, 2\)"),
    "no rotation": (lambda: rotate(torch.ones(4, 3), torch.ones(3)), r"turn \(3,\)"),
    "an odd size": (lambda: Encoder(size=50), "size is 50, expected a multiple of 8"),
    "another size": (lambda: Encoder(size=24)(torch.ones(1, 3, 48, 48)), r"expected \(B, 3, 24, 24\)"),
    "one camera": (
        lambda: exchange(torch.ones(1, 2, 1, 4, 3), torch.ones(1, 2, 1, 2), EYE.expand(1, 1, 3, 3)),
        "two moments before two cameras",
    ),
    "one moment": (lambda: retrieve(torch.ones(1, 3), torch.ones(1, 3)), "two rows or more"),
    "more points than poses": (lambda: Sums.of(torch.ones(3, 2), torch.ones(2, 2)), "features has 3 rows, targets 2"),
    "no labels": (lambda: Sums.of(torch.ones(0, 2), torch.ones(0, 2)), "at least one"),
    "no penalty": (lambda: fit_ridge(*labels(), 0.0), "penalty is 0.0"),
    "nor here": (lambda: fit_equivariant(*labels(), -1.0), "penalty is -1.0"),
    "no split": (lambda: draw_groups("exam", 1), "split is 'exam'"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_decoder_alone_paints():
    picture, mask = Decoder(points=4, appearance=2, size=16).eval()(
        torch.zeros(2, 4, 3), torch.zeros(2, 2), torch.rand(2, 3, 16, 16, generator=seeded())
    )
    assert picture.shape == (2, 3, 16, 16) and mask.shape == (2, 1, 16, 16)
