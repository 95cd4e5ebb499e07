"""The idea of lesson 09 against slow definitions, theorems and other libraries."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from tutorial_lib import heatmaps
from tutorial_lib.characteristic.learning import MapLoss, draw_batch, gradient_norm, train
from tutorial_lib.characteristic.loss import cf_loss, crowd_target, frequencies, l2_loss, region_bound
from tutorial_lib.characteristic.metrics import assigned, examine, glance, grouped, judge
from tutorial_lib.characteristic.network import SIGMAS, CrowdNet, merged
from tutorial_lib.characteristic.peaks import find_peaks, sample
from tutorial_lib.characteristic.samples import CrowdSet, draw_crowd_set, mean_pose, placed_in_boxes
from tutorial_lib.characteristic.tags import best_pairs, group, tag_loss
from tutorial_lib.grid import from_cells
from tutorial_lib.metrics.pck import box_side
from tutorial_lib.skeleton import JOINTS


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def bump(x, y, cells=32, sigma=1.0):
    return heatmaps.gaussian_target(from_cells(torch.tensor([x, y], dtype=torch.float64), cells), cells, sigma)


@pytest.fixture(scope="module")
def crowds():
    return draw_crowd_set("test", 12, 0, 32)


def tiny(seed=0):
    torch.manual_seed(seed)
    return CrowdNet(32, (4, 4, 4, 8), 4, 4)


# ------------------------------------------------------------------ the loss
@pytest.mark.parametrize("shape", [(8, 8), (9, 7), (6, 9), (7, 8)])
@pytest.mark.parametrize("highest", [None, 1.6])
def test_the_loss_is_the_sum_that_defines_it(shape, highest):
    difference = torch.randn(2, *shape, generator=seeded(), dtype=torch.float64)
    rows, columns = (2 * math.pi * torch.fft.fftfreq(n).double() for n in shape)
    values = []
    for down in rows:
        for across in columns:
            if highest is None or max(abs(down), abs(across)) <= highest:
                y, x = torch.meshgrid(*(torch.arange(n).double() for n in shape), indexing="ij")
                wave = torch.exp(1j * (down * y + across * x))
                values.append((difference * wave).sum((-2, -1)).abs())
    expected = torch.stack(values).mean(0)
    assert torch.allclose(cf_loss(difference, torch.zeros_like(difference), highest), expected, rtol=1e-6)


def test_squared_it_is_l2_and_not_squared_it_bounds_every_cell_and_window():
    maps, target = torch.randn(2, 20, 17, 16, generator=seeded(), dtype=torch.float64)
    off = maps - target
    assert torch.allclose(cf_loss(maps, target, squared=True), (off**2).sum((-2, -1)))
    assert (off.abs().amax((-2, -1)) <= cf_loss(maps, target)).all()
    window = off[..., 3:8, 2:9].flatten(-2).norm(dim=-1)
    assert (window <= region_bound(maps, target, 35)).all()
    one = torch.zeros(17, 16, dtype=torch.float64)
    one[4, 5] = -0.7
    assert cf_loss(one, 0 * one) == pytest.approx(0.7)  # the bound is met by a mistake in one cell


def test_a_missing_bump_is_the_unit_of_both():
    one = bump(16, 16)
    nothing = torch.zeros_like(one)
    assert float(cf_loss(nothing, one)) == pytest.approx(1, abs=1e-3)
    assert float(l2_loss(nothing, one, 1.0)) == pytest.approx(1, abs=1e-3)
    assert float(l2_loss(nothing, bump(16, 16, sigma=2.0), 2.0)) == pytest.approx(1, abs=1e-3)


def test_every_frequency_counts_and_half_of_them_twice():
    for rows, columns in ((8, 8), (7, 9), (8, 5)):
        size, count = frequencies(rows, columns)
        assert count.sum() == rows * columns and size.max() <= math.pi + 1e-6 and size[0, 0] == 0


def test_near_the_truth_it_is_a_cone_and_l2_a_bowl():
    truth = bump(16, 16)
    near, nearer = (
        [float(loss(bump(16 + d, 16), truth)) for loss in (cf_loss, lambda a, b: l2_loss(a, b, 1.0))]
        for d in (0.02, 0.01)
    )
    assert near[0] / nearer[0] == pytest.approx(2, rel=0.01) and near[1] / nearer[1] == pytest.approx(4, rel=0.01)


def test_no_gradient_is_lost_where_both_are_equal():
    maps = bump(16, 16).requires_grad_()
    cf_loss(maps, maps.detach().clone()).backward()
    assert maps.grad.isfinite().all()
    assert torch.autograd.gradcheck(
        lambda m: cf_loss(m, 0 * m), torch.randn(2, 6, 5, dtype=torch.float64).requires_grad_()
    )
    with pytest.raises(ValueError, match="the same two"):
        cf_loss(torch.zeros(4, 4), torch.zeros(4, 5))
    with pytest.raises(ValueError, match="highest"):
        cf_loss(torch.zeros(4, 4), torch.zeros(4, 4), -1.0)


def test_two_people_at_one_place_make_no_peak_of_two():
    keypoints = torch.zeros(1, 3, 17, 2)
    target = crowd_target(keypoints, torch.tensor([[True, True, False]]), 17, 1.5)
    assert target.shape == (1, 17, 17, 17) and target.max() == pytest.approx(1)
    assert not crowd_target(keypoints, torch.zeros(1, 3, dtype=torch.bool), 17, 1.5).any()


# ------------------------------------------------------------------ peaks and tags
def test_peaks_are_found_between_the_cells_highest_first():
    maps = (0.6 * bump(5.3, 8.6) + bump(20.2, 11.0))[None]
    places, heights = find_peaks(maps, 3)
    expected = from_cells(torch.tensor([[20.2, 11.0], [5.3, 8.6]], dtype=torch.float64), 32)
    assert torch.allclose(places[0, :2], expected, atol=1e-6) and heights[0, 0] > heights[0, 1] > 0.5
    assert find_peaks(maps, 3, threshold=0.7)[1].gt(0).sum() == 1
    flat = torch.zeros(2, 3, 8, 8)
    assert not find_peaks(flat, 2)[1].any() and find_peaks(flat, 2)[0].isfinite().all()


def test_sample_reads_the_cell():
    maps = torch.arange(16.0).view(1, 4, 4)
    assert sample(maps, torch.tensor([[[-0.9, -0.9], [0.9, 0.9], [0.1, -0.9], [2.0, 2.0]]])).tolist() == [
        [0, 15, 2, 15]
    ]


def test_tags_pull_and_push_as_they_are_defined():
    tags = torch.randn(3, 2, 17, generator=seeded())
    counts = torch.rand(3, 2, 17, generator=seeded(1)) < 0.7
    counts[2, 1] = False
    pull, push = tag_loss(tags, counts)
    pulls, pushes = [], []
    for i in range(3):
        people = [tags[i, p][counts[i, p]] for p in range(2) if counts[i, p].any()]
        pulls.append(sum(((one - one.mean()) ** 2).mean() for one in people) / len(people))
        pushes.append(
            torch.exp(-((people[0].mean() - people[1].mean()) ** 2)) if len(people) == 2 else torch.tensor(0.0)
        )
    assert torch.allclose(pull, torch.stack(pulls).mean()) and torch.allclose(push, torch.stack(pushes).mean())
    apart = torch.tensor([[[0.0] * 17, [5.0] * 17]])
    assert all(value < 1e-6 for value in tag_loss(apart, torch.ones(1, 2, 17, dtype=torch.bool)))


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (4, 4), (1, 5)])
def test_best_pairs_are_those_of_the_hungarian_method(shape):
    for seed in range(5):
        cost = torch.rand(*shape, generator=seeded(seed))
        rows, columns = linear_sum_assignment(cost.numpy())
        total = sum(cost[row, column] for row, column in best_pairs(cost))
        assert float(total) == pytest.approx(cost.numpy()[rows, columns].sum())


@pytest.mark.parametrize("optimal", [True, False])
def test_clear_tags_make_one_group_a_person(optimal):
    order = torch.rand(17, 3, generator=seeded()).argsort(1)
    tags = torch.tensor([-2.0, 0.0, 2.0])[order] + 0.05 * torch.randn(17, 3, generator=seeded())
    heights = torch.rand(17, 3, generator=seeded(2))
    heights[4, 1] = 0
    groups = group(tags, heights, 1.0, optimal=optimal)
    assert len(groups) == 3 and sum(map(len, groups)) == 50
    for members in groups:
        assert len({int(order[joint, peak]) for joint, peak in members.items()}) == 1
    assert len(group(tags, heights, 0.001, optimal=optimal)) > 20


def test_a_peak_that_is_too_far_away_takes_no_group_from_the_next():
    tags = torch.tensor([[0.0, torch.nan], [5.0, 0.1]])
    heights = torch.tensor([[1.0, 0.0], [0.9, 0.8]])
    assert group(tags, heights, 1.0, optimal=False) == [{0: 0, 1: 1}, {1: 0}]


# ------------------------------------------------------------------ people
def test_the_nearest_person_is_the_first(crowds):
    assert (crowds.depth[:, :-1] <= crowds.depth[:, 1:]).all() and crowds.present.sum(1).min() >= 2
    assert (crowds.far == crowds.present.sum(1) - 1).all() and set(crowds.present.sum(1).tolist()) == {2, 3}
    assert not (crowds.behind & crowds.seen).any() and crowds.behind.any()
    size = box_side(crowds.keypoints)[crowds.present]
    assert (size > 0).all() and (size < 2.2).all()
    with pytest.raises(ValueError, match="split"):
        draw_crowd_set("exam", 2, 0)


def test_the_mean_pose_fills_the_box(crowds):
    placed = placed_in_boxes(mean_pose(crowds), crowds.keypoints)
    low, high = crowds.keypoints.amin(-2, keepdim=True), crowds.keypoints.amax(-2, keepdim=True)
    assert ((placed >= low - 1e-5) & (placed <= high + 1e-5)).all()


def perfect(crowds, cells=64):
    return crowd_target(crowds.keypoints.double(), crowds.present, cells, 1.0)


def test_perfect_maps_are_judged_perfect_whoever_stands_where(crowds):
    maps = perfect(crowds)
    found = assigned(*find_peaks(maps, 3), crowds)
    score = judge(found, crowds)
    assert score["all"]["pck10"] > 85 and score["all"]["median_px"] < 0.1  # close joints share a peak
    shuffled = CrowdSet(**{name: value if name == "pixels" else value.flip(1) for name, value in vars(crowds).items()})
    again = assigned(*find_peaks(maps, 3), shuffled)
    distance = again.distance.flip(1)[crowds.counts]
    assert torch.allclose(distance, found.distance[crowds.counts].to(distance))


def test_every_peak_is_given_once(crowds):
    found = assigned(*find_peaks(perfect(crowds), 3), crowds)
    peak = torch.where(crowds.counts, found.peak, -1)
    for k in range(3):
        assert (peak == k).sum(1).max() <= 1
    nothing = assigned(torch.zeros(12, 17, 3, 2), torch.zeros(12, 17, 3), crowds)
    lost = {"pck10": 0, "pck20": 0, "lost": 20, "median_px": 32, "height": 0}
    assert judge(nothing, crowds)["all"] == pytest.approx(lost)


def test_true_tags_keep_everybody_together(crowds):
    maps = perfect(crowds)
    found = assigned(*find_peaks(maps, 3), crowds)
    person = torch.stack(
        [
            (crowd_target(crowds.keypoints[:, p : p + 1].double(), crowds.present[:, p : p + 1], 64, 1.0))
            for p in range(3)
        ],
        1,
    )
    tags = 3.0 * person.argmax(1)
    said = grouped(found, tags, crowds)
    assert said["kept"] > 95 > said["lot"] and 0.9 < said["groups"] < 1.3


# ------------------------------------------------------------------ the network
def test_the_network_has_maps_at_two_resolutions_and_tags():
    net = tiny().eval()
    coarse, fine, tags = net(torch.rand(2, 3, 32, 32))
    assert coarse.shape == tags.shape == (2, len(JOINTS), 8, 8) and fine.shape == (2, len(JOINTS), 16, 16)
    assert merged(coarse, fine).shape == fine.shape


def test_it_begins_as_a_network_of_one_person():
    torch.manual_seed(1)
    one, net, image = (
        heatmaps.KeypointNet("heatmap", 32, 4, (4, 4, 4, 8), 4).eval(),
        tiny().eval(),
        torch.rand(2, 3, 32, 32),
    )
    net.begin_as(one.state_dict())
    assert torch.allclose(net(image)[0], one(image), atol=1e-6)
    with pytest.raises(ValueError, match="stride 4"):
        net.begin_as({"fc.weight": torch.zeros(1)})


def test_a_training_lowers_each_loss_and_the_same_seed_gives_the_same(crowds):
    for loss in (MapLoss(), MapLoss(1.0, 1.0), MapLoss(0.0, 1.0, 1.6)):
        looks: list = []
        net = tiny()
        history = train(
            net, crowds, loss, steps=30, rate=1e-2, generator=seeded(), batch=6, every=10, progress=False,
            look=lambda net, step, looks=looks: looks.append((step, glance(net, crowds)["all"]["lost"])),
        )  # fmt: skip
        assert history.loss[-1] < history.loss[0] and [step for step, _ in looks] == [10, 20, 30] and not net.training
    again = train(tiny(), crowds, loss, steps=30, rate=1e-2, generator=seeded(), batch=6, progress=False)
    assert np.allclose(again.loss, history.loss, rtol=1e-2)


def test_losses_are_mixed_by_their_weights_and_balanced_by_their_gradients(crowds):
    net = tiny().eval()
    image, keypoints, present, counts = draw_batch(crowds, 4, seeded())
    assert counts.any() and image.shape[0] == 4
    maps = [maps.detach() for maps in net(image)[:2]]
    one, two, both = (loss(maps, keypoints, present) for loss in (MapLoss(), MapLoss(0, 1), MapLoss(2, 3)))
    assert torch.allclose(2 * one + 3 * two, both) and len(SIGMAS) == 2
    norm = gradient_norm(net, crowds, MapLoss(), 2, 4)
    assert gradient_norm(net, crowds, MapLoss(3.0), 2, 4) == pytest.approx(3 * norm, rel=1e-4) and norm > 0


def test_mirrored_pictures_have_mirrored_joints(crowds):
    image, keypoints, _, _ = draw_batch(crowds.select([3]), 2, seeded())
    assert torch.equal(image[0], image[1].flip(-1)) and torch.allclose(keypoints[0, :, 0, 0], -keypoints[1, :, 0, 0])


def test_a_score_has_all_parts(crowds):
    score = examine(tiny().eval(), crowds).as_dict()
    assert set(score) == {"merged", "coarse", "fine", "grouped"} and set(score["fine"]) == {
        "near",
        "far",
        "behind",
        "all",
    }
