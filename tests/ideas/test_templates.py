"""Shape templates by hand: the closed form against SciPy, OpenCV, kornia and torch's own sampler; losses; skeletons."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tutorial_lib import motion, templates
from tutorial_lib.camera import look_at, to_screen, world_to_camera
from tutorial_lib.skeleton import BONES, JOINTS, MIRROR
from tutorial_lib.templates import fitting, parts, puppet, raster, skeletons, warp

FOREARM, FOOT, CORE = (parts.NAMES.index(name) for name in ("left forearm", "left foot", "core"))
INDEX = {name: position for position, name in enumerate(JOINTS)}
pivots = pytest.mark.parametrize("about", warp.PIVOTS)
seeds = st.integers(0, 10_000)


def some_affines(seed=0, *batch, spread=0.15, dtype=torch.float64):
    chance = torch.randn(*batch, 18, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return warp.identity(*batch, dtype=dtype) + spread * chance


def shifted(part, x, y):
    affines = warp.identity(dtype=torch.float64)
    affines[part, :, 2] = torch.tensor([x, y], dtype=torch.float64)
    return affines


def common(seed):
    """One invertible map of the plane for every part, [A | b] on screen coordinates."""
    draw = 0.3 * torch.randn(2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (draw + torch.eye(2, 3)).expand(18, 2, 3)


def grid(size):
    """Screen coordinates of the cells, (size, size, 2) in (x, y)."""
    cells = (np.arange(size) + 0.5) / size * 2 - 1
    return np.stack(np.meshgrid(cells, cells), -1)


# ------------------------------------------------------------------ the template
def test_template_is_the_published_formula_in_rows_and_columns():
    pixel = (grid(64) + 1) * parts.PUBLISHED_SIZE / 2
    maps = templates.part_maps(warp.identity(dtype=torch.float64), 64).numpy()
    for part, ours in zip(parts.PARTS, maps):
        dr, dc = pixel[..., 1] - part.centre[0], pixel[..., 0] - part.centre[1]
        (sx, sy), t = part.spread, part.angle
        a = np.cos(t) ** 2 / (2 * sx**2) + np.sin(t) ** 2 / (2 * sy**2)
        b = -np.sin(2 * t) / (4 * sx**2) + np.sin(2 * t) / (4 * sy**2)
        c = np.sin(t) ** 2 / (2 * sx**2) + np.cos(t) ** 2 / (2 * sy**2)
        np.testing.assert_allclose(ours, np.exp(-a * dr**2 - 2 * b * dr * dc - c * dc**2), atol=1e-5, err_msg=part.name)


def test_template_is_a_person_and_its_own_mirror_image():
    assert len(parts.PARTS) == 18 and len(parts.ANCHORS) == 32 and len(parts.PAIRS) == 17
    swap = [
        parts.NAMES.index(name.replace("left", "?").replace("right", "left").replace("?", "right"))
        for name in parts.NAMES
    ]
    flip = torch.tensor([-1.0, 1.0]).double()
    torch.testing.assert_close(parts.CENTRES[swap], parts.CENTRES * flip)
    torch.testing.assert_close(
        parts.COVARIANCES[swap], parts.COVARIANCES * torch.outer(flip, flip), atol=1e-6, rtol=0
    )  # 1.5708
    maps = templates.part_maps(warp.identity(), 32)
    torch.testing.assert_close(maps[swap], maps.flip(-1), atol=1e-4, rtol=0)
    assert parts.CENTRES[parts.NAMES.index("head"), 1] < parts.CENTRES[CORE, 1] < parts.CENTRES[FOOT, 1]
    assert parts.COVARIANCES[CORE, 1, 1] > parts.COVARIANCES[CORE, 0, 0]  # a torso is taller than wide


def test_every_pair_of_anchors_coincides_and_every_part_is_tied():
    first, second = torch.tensor(parts.PAIRS).T
    torch.testing.assert_close(parts.ANCHORS[first], parts.ANCHORS[second])
    tied = {parts.ANCHOR_PART[end] for pair in parts.PAIRS for end in pair}
    assert tied == set(range(18))
    with pytest.raises(ValueError, match="part is 'tail', expected one of core"):
        parts.anchor("tail")
    with pytest.raises(ValueError, match="which is 1, but 'head' has 1 anchors"):
        parts.anchor("head", 1)


# ------------------------------------------------------------------ the closed form
@pivots
def test_moved_gaussian_is_scipys(about):
    affines = some_affines(1)
    linear, shift = affines[..., :2].numpy(), affines[..., 2].numpy()
    maps = templates.part_maps(affines, 24, about).numpy()
    for k in range(18):
        centre = parts.CENTRES[k].numpy()
        pivot = centre if about == "part" else np.array([-1.0, -1.0])
        mean = linear[k] @ (centre - pivot) + pivot + shift[k]
        law = multivariate_normal(mean, linear[k] @ parts.COVARIANCES[k].numpy() @ linear[k].T)
        np.testing.assert_allclose(maps[k], law.pdf(grid(24)) / law.pdf(mean), atol=1e-4)


@given(seed=seeds)
@settings(max_examples=15)
def test_values_travel_with_the_map(seed):
    """A warp carries values: the moved picture at A x + b is the template at x."""
    affines = some_affines(seed)
    maps = templates.to_screen_maps(affines).numpy()
    moved = templates.part_maps(affines, 16).numpy()
    for k in (CORE, FOREARM):
        back = (grid(16) - maps[k, :, 2]) @ np.linalg.inv(maps[k, :, :2]).T - parts.CENTRES[k].numpy()
        still = np.exp(-0.5 * np.einsum("rci,ij,rcj->rc", back, np.linalg.inv(parts.COVARIANCES[k].numpy()), back))
        np.testing.assert_allclose(moved[k], still, atol=2e-4)


def test_resampled_picture_converges_to_the_closed_form():
    affines = some_affines(2, spread=0.1)
    gaps = [
        (templates.part_maps(affines, n) - templates.warp_parts(affines, n)).abs().max().item() for n in (128, 256, 512)
    ]
    assert gaps[0] / gaps[1] > 3 and gaps[1] / gaps[2] > 3  # bilinear lookup: the error falls with the squared cell
    maps, size = templates.to_screen_maps(affines)[[FOOT]], 1024
    still = templates.part_maps(warp.identity(dtype=torch.float64), size)[[FOOT]]
    fine = warp.gaussian_maps(*(value[[FOOT]] for value in warp.moved(affines)), size)
    torch.testing.assert_close(raster.warp_pictures(still, maps), fine, atol=1e-3, rtol=0)


def test_gradients_of_both_ways_agree_on_a_fine_raster():
    target = {n: templates.part_maps(warp.identity(), n) for n in (128, 256)}
    gaps = []
    for size in (128, 256):
        slopes = []
        for way in (templates.part_maps, templates.warp_parts):
            affines = some_affines(3, spread=0.1, dtype=torch.float32).requires_grad_()
            loss = ((way(affines, size) - target[size]) ** 2).mean()
            slopes.append(torch.autograd.grad(loss, affines)[0])
        gaps.append(((slopes[0] - slopes[1]).norm() / slopes[0].norm()).item())
    assert gaps[1] < 0.03 and gaps[1] < gaps[0] / 2


def test_raster_way_is_torchs_sampler_with_the_backward_map():
    affines, size = some_affines(4), 48
    still = templates.part_maps(warp.identity(dtype=torch.float64), size)[:, None]
    square = torch.cat([templates.to_screen_maps(affines), torch.tensor([0, 0, 1.0]).double().expand(18, 1, 3)], 1)
    backward = torch.linalg.inv(square)[:, :2]
    places = torch.nn.functional.affine_grid(backward, still.shape, align_corners=False)
    sampled = torch.nn.functional.grid_sample(still, places, align_corners=False)[:, 0]
    torch.testing.assert_close(templates.warp_parts(affines, size), sampled, atol=1e-6, rtol=0)


def test_closed_form_has_the_slope_of_finite_differences():
    affines = some_affines(5).requires_grad_()
    for about in warp.PIVOTS:
        assert torch.autograd.gradcheck(
            lambda a, about=about: templates.part_maps(a, 5, about), affines, fast_mode=True
        )
    assert torch.autograd.gradgradcheck(lambda a: templates.part_maps(a, 4), affines, fast_mode=True)


@given(first=seeds, second=seeds)
@settings(max_examples=20)
def test_two_maps_one_after_the_other(first, second):
    """Moving all parts by one map of the plane moves means and covariances by it."""
    affines, plane = some_affines(first), common(second)
    maps = templates.to_screen_maps(affines)
    both = torch.cat([plane[..., :2] @ maps[..., :2], plane[..., :2] @ maps[..., 2:] + plane[..., 2:]], -1)
    mean, covariance = warp.moved(affines)
    mean2, covariance2 = warp.moved(templates.from_screen_maps(both))
    torch.testing.assert_close(mean2, (plane[..., :2] @ mean[..., None])[..., 0] + plane[..., 2])
    torch.testing.assert_close(covariance2, plane[..., :2] @ covariance @ plane[..., :2].transpose(-1, -2))


@pivots
def test_pivots_there_and_back(about):
    affines = some_affines(6, 2, 3)
    torch.testing.assert_close(templates.from_screen_maps(templates.to_screen_maps(affines, about), about), affines)
    identity = warp.identity(dtype=torch.float64)
    torch.testing.assert_close(templates.part_maps(identity, 9, about), templates.part_maps(identity, 9))


def test_turning_about_the_corner_carries_a_part_away():
    turn = cv2.getRotationMatrix2D((0, 0), -20, 1)[:, :2]
    affines = warp.identity(dtype=torch.float64)
    affines[FOOT, :, :2] = torch.from_numpy(turn)
    torch.testing.assert_close(warp.moved(affines)[0], parts.CENTRES)
    far = warp.moved(affines, "corner")[0][FOOT] - parts.CENTRES[FOOT]
    arm = torch.linalg.vector_norm(parts.CENTRES[FOOT] + 1)
    assert torch.linalg.vector_norm(far).item() == pytest.approx(2 * arm.item() * np.sin(np.deg2rad(10)))
    assert torch.linalg.vector_norm(far) > 0.6


def test_shift_by_whole_cells_moves_cells():
    affines, size = warp.identity(), 64
    affines[:, :, 2] = torch.tensor([3, -2]) * 2 / size
    torch.testing.assert_close(
        templates.part_maps(affines, size)[:, 4:-4, 4:-4],
        templates.part_maps(warp.identity(), size).roll((-2, 3), (-2, -1))[:, 4:-4, 4:-4],
    )


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1e-3, 30.0])
def test_extreme_maps_stay_finite(scale):
    affines = (scale * some_affines(7, dtype=torch.float32)).requires_grad_()
    flat = warp.identity()
    flat[:, 0, 0] = 0
    for theta in (affines, flat.requires_grad_()):
        maps = templates.part_maps(theta, 32)
        (slope,) = torch.autograd.grad(maps.square().sum(), theta)
        assert maps.isfinite().all() and slope.isfinite().all()
        assert maps.min() >= 0 and maps.max() <= 1 + 1e-4


def test_no_value_is_subnormal():
    maps = templates.part_maps(warp.identity(), 64)
    assert maps.min() >= torch.finfo(torch.float32).tiny and maps.min() < 1e-20


def test_batches_and_dtypes_are_kept():
    affines = some_affines(8, 2, 3)
    maps = templates.part_maps(affines, 8)
    assert maps.shape == (2, 3, 18, 8, 8) and maps.dtype == torch.float64
    torch.testing.assert_close(maps[1, 2], templates.part_maps(affines[1, 2], 8))
    torch.testing.assert_close(templates.warp_parts(affines, 8)[1, 2], templates.warp_parts(affines[1, 2], 8))
    assert templates.part_maps(affines.float(), 8).dtype == torch.float32


def test_what_is_no_template_is_refused():
    with pytest.raises(ValueError, match=r"affines has shape \(17, 2, 3\).*start from warp.identity"):
        templates.part_maps(torch.zeros(17, 2, 3), 8)
    with pytest.raises(ValueError, match="int64, expected floating point"):
        templates.anchors(torch.zeros(18, 2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="about is 'middle', expected 'part'"):
        templates.part_maps(warp.identity(), 8, "middle")
    for size in (1, 8.0):
        with pytest.raises(ValueError, match=f"size is {size}, expected a whole number"):
            templates.part_maps(warp.identity(), size)


# ------------------------------------------------------------------ losses
@pivots
def test_anchors_are_opencvs_transform(about):
    affines = some_affines(9)
    maps = templates.to_screen_maps(affines, about).numpy()
    moved = templates.anchors(affines, about).numpy()
    for index, part in enumerate(parts.ANCHOR_PART):
        expected = cv2.transform(parts.ANCHORS[index].numpy()[None, None], maps[part])[0, 0]
        np.testing.assert_allclose(moved[index], expected, atol=1e-12)


@given(seed=seeds)
@settings(max_examples=25)
def test_anchor_loss_is_blind_to_a_common_map(seed):
    identity = warp.identity(dtype=torch.float64)
    assert templates.anchor_loss(identity) == 0
    assert templates.anchor_loss(templates.from_screen_maps(common(seed))).item() == pytest.approx(0, abs=1e-20)
    assert templates.anchor_loss(some_affines(seed)) > 0


@given(x=st.integers(-20, 20), y=st.integers(-20, 20))
def test_torn_forearm_opens_two_springs(x, y):
    x, y = x / 10, y / 10
    affines = shifted(FOREARM, x, y)
    # both ends move by (x, y) / 2 widths; the released scale is a third
    assert templates.anchor_loss(affines).item() == pytest.approx(2 * (x * x + y * y) / 4 / 3, abs=1e-12)
    ends = templates.springs(affines)
    assert ends.shape == (17, 2, 2)
    assert int(((ends[:, 0] - ends[:, 1]).abs().sum(-1) > 1e-9).sum()) == 2 * bool(x or y)


def test_boundary_loss_counts_what_is_outside():
    assert templates.boundary_loss(warp.identity()) == 0
    below = 1 - parts.ANCHORS[parts.anchor("left foot"), 1].item()
    for out in (-0.01, 0.0, 0.3):
        affines = shifted(FOOT, 0.0, below + out)
        assert templates.boundary_loss(affines).item() == pytest.approx(max(out, 0) / 3, abs=1e-12)
        expected = (1 + out) / 3 if out > 0 else 0  # the mean over x, y and the homogeneous 1
        assert templates.boundary_loss(affines, kind="jump").item() == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="kind is 'soft', expected one of 'hinge', 'jump'"):
        templates.boundary_loss(warp.identity(), kind="soft")


@given(seed=seeds, spread=st.floats(0.1, 2))
@settings(max_examples=25)
def test_jump_is_the_hinge_and_one_more_for_each_coordinate_outside(seed, spread):
    affines = some_affines(seed, 2, spread=spread)
    outside = (templates.anchors(affines).abs() > 1).double().sum((-1, -2)) / 3
    torch.testing.assert_close(
        templates.boundary_loss(affines, kind="jump"), templates.boundary_loss(affines) + outside
    )


def test_released_code_lets_a_foot_go():
    gone = shifted(FOOT, 0.0, 50.0)
    assert templates.boundary_loss(gone) > 16
    assert templates.boundary_loss(gone, core_only=True) == 0
    core = shifted(CORE, 0.0, 50.0)
    threefold = 3 * templates.boundary_loss(core)
    assert templates.boundary_loss(core, core_only=True).item() == pytest.approx(threefold.item()) and threefold > 140


def released_losses(points):
    """As the released code computes them, term by term in [0, 1] homogeneous coordinates: anchor, boundary as it was
    meant, boundary as it is.

    Args:
        points: (32, 2) moved anchors in screen coordinates.
    """
    unit = torch.cat([(points + 1) / 2, torch.ones(len(points), 1, dtype=points.dtype)], 1)
    anchor = sum((unit[j] - unit[k]).square().mean() for j, k in parts.PAIRS)
    both_ways = 2 * unit - 1
    distance = torch.where(both_ways.abs() > 1, both_ways.abs(), 0.0)
    core = distance[: parts.ANCHOR_PART.count(0)]
    return anchor, distance.sum(0).mean(), torch.cat([core, core, core]).sum(0).mean()


@given(seed=seeds, spread=st.floats(0.1, 2))
@settings(max_examples=25)
def test_losses_weigh_what_the_released_codes_weigh(seed, spread):
    affines = some_affines(seed, spread=spread)
    anchor, meant, slip = released_losses(templates.anchors(affines))
    torch.testing.assert_close(templates.anchor_loss(affines), anchor)
    torch.testing.assert_close(templates.boundary_loss(affines, kind="jump"), meant)
    torch.testing.assert_close(templates.boundary_loss(affines, kind="jump", core_only=True), slip)
    assert (templates.ANCHOR_WEIGHT, templates.BOUNDARY_WEIGHT) == (0.5, 1.0)


def test_each_loss_is_blind_to_what_the_other_sees():
    away = templates.from_screen_maps(warp.identity() + torch.tensor([[0, 0, 3.0], [0, 0, 0]]))
    assert templates.anchor_loss(away) < 1e-12 and templates.boundary_loss(away) > 20
    torn = shifted(FOREARM, 0.0, -0.4)
    assert templates.anchor_loss(torn) > 0.02 and templates.boundary_loss(torn) == 0


def test_losses_have_the_slope_of_finite_differences_and_descend():
    affines = some_affines(10, 2, spread=0.6).requires_grad_()
    for loss in (templates.anchor_loss, templates.boundary_loss):
        assert torch.autograd.gradcheck(loss, affines)
        (slope,) = torch.autograd.grad(loss(affines).sum(), affines)
        assert (loss(affines - 1e-3 * slope) < loss(affines)).all()
    assert templates.anchor_loss(affines).shape == templates.boundary_loss(affines).shape == (2,)


# ------------------------------------------------------------------ skeletons
def test_image_left_is_the_right_of_a_person_who_faces_the_camera():
    (clip,) = motion.builtin(0, [0], ["walk"], 40)
    person = clip.positions[5]
    left = person[INDEX["left_shoulder"]] - person[INDEX["right_shoulder"]]
    ahead = torch.linalg.cross(left, torch.tensor([0.0, 0.0, 1.0]).to(left))
    hip = person[INDEX["hip"]]
    camera = look_at(hip + 4 * ahead / ahead.norm(), hip)
    seen = world_to_camera(person, camera)
    screen = to_screen(seen[:, :2] / seen[:, 2:])
    still = templates.keypoints(warp.identity())
    for joints in (screen, still):
        assert joints[INDEX["right_shoulder"], 0] < joints[INDEX["left_shoulder"], 0]
        assert joints[INDEX["head"], 1] < joints[INDEX["hip"], 1]
    affines = templates.affines_to(screen)
    assert (torch.linalg.det(affines[..., :2]) > 0).all()  # no part is turned inside out
    laid = templates.keypoints(affines)
    kept = [joint for joint in templates.COVERED if JOINTS[joint] != "neck"]
    torch.testing.assert_close(laid[kept], screen[kept], atol=1e-5, rtol=0)


def test_joints_of_the_template():
    still = skeletons.TEMPLATE_JOINTS
    assert [JOINTS[j] for j in range(17) if j not in templates.COVERED] == ["spine", "head"]
    flip = torch.tensor([-1.0, 1.0]).double()
    torch.testing.assert_close(still[list(MIRROR)], still * flip)
    torch.testing.assert_close(templates.affines_to(still), warp.identity(dtype=torch.float64))


@given(seed=seeds)
@settings(max_examples=25)
def test_template_lies_where_the_skeleton_is(seed):
    chance = torch.Generator().manual_seed(seed)
    points = 0.7 * torch.randn(3, 17, 2, generator=chance, dtype=torch.float64)
    affines = templates.affines_to(points)
    laid = templates.keypoints(affines)
    kept = [joint for joint in templates.COVERED if JOINTS[joint] != "neck"]
    torch.testing.assert_close(laid[:, kept], points[:, kept])
    torch.testing.assert_close(laid[:, INDEX["head"]], points[:, INDEX["head"]])
    ends = templates.springs(affines)
    lengths = torch.linalg.vector_norm(ends[..., 0, :] - ends[..., 1, :], dim=-1)
    neck = next(i for i, pair in enumerate(parts.PAIRS) if parts.anchor("head") in pair)
    assert lengths[:, [i for i in range(17) if i != neck]].max() < 1e-9


@given(angle=st.floats(-3, 3), scale=st.floats(0.2, 3))
@settings(max_examples=25)
def test_laying_follows_turn_size_and_place(angle, scale):
    """A similar skeleton gets the template moved by that similarity, thickness included."""
    turn = scale * torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plane = torch.cat([turn, torch.tensor([[0.3], [-0.2]]).double()], 1).expand(18, 2, 3)
    points = skeletons.TEMPLATE_JOINTS @ turn.T + plane[0, :, 2]
    torch.testing.assert_close(templates.to_screen_maps(templates.affines_to(points)), plane)


def test_a_limb_without_length_vanishes_and_the_rest_stays():
    points = skeletons.TEMPLATE_JOINTS.clone()
    points[INDEX["right_wrist"]] = points[INDEX["right_elbow"]]
    affines = templates.affines_to(points)
    maps = templates.part_maps(affines, 64)
    assert maps.isfinite().all() and maps[FOREARM].max() < 1e-3 < maps[CORE].max()
    with pytest.raises(ValueError, match="points has shape"):
        templates.affines_to(torch.zeros(17, 3))


def test_puppet_bends_but_does_not_stretch():
    assert torch.equal(puppet.pose({}), skeletons.TEMPLATE_JOINTS.float())

    def bones(points):
        parents, children = zip(*BONES)
        return torch.linalg.vector_norm(points[list(children)] - points[list(parents)], dim=-1)

    angles = {name: 10.0 * i for i, name in enumerate(puppet.ANGLES) if name != "turn"}
    torch.testing.assert_close(bones(puppet.pose(angles)), bones(puppet.pose({})))
    assert (bones(puppet.pose({"turn": 60.0})) <= bones(puppet.pose({})) + 1e-6).all()
    with pytest.raises(ValueError, match="angles has tail, expected some of lean"):
        puppet.pose({"tail": 3.0})


@pytest.mark.parametrize("side", ["left", "right"])
def test_puppet_lifts_away_from_the_body(side):
    wrist = INDEX[f"{skeletons.SIDES[side]}_wrist"]
    still, up, down = (puppet.pose({f"{side}_arm": angle})[wrist] for angle in (0, 40, -40))
    assert up[1] < still[1] < down[1]
    foot = INDEX[f"{skeletons.SIDES[side]}_foot"]
    assert puppet.pose({f"{side}_leg": 30})[foot].abs()[0] > puppet.pose({})[foot].abs()[0]


@pytest.mark.parametrize("name", puppet.POSES)
def test_poses_cost_nothing(name):
    affines = templates.affines_to(puppet.pose(puppet.POSES[name]))
    assert templates.anchor_loss(affines) < 1e-10 and templates.boundary_loss(affines) == 0


# ------------------------------------------------------------------ pixels and gradients
def test_copied_pixels_move_exactly_by_whole_cells_and_leave_holes_when_enlarged():
    picture = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([[1, 0, 2 * 3 / 16], [0, 1, -2 * 2 / 16]])
    expected = torch.zeros(16, 16)
    expected[:-2, 3:] = picture[2:, :-3]
    assert torch.equal(templates.copy_pixels(picture, shift), expected)
    double = templates.copy_pixels(torch.ones(16, 16), torch.tensor([[2.0, 0, 0], [0, 2.0, 0]]))
    assert (double == 0).float().mean() == pytest.approx(0.75)
    full = raster.warp_pictures(torch.ones(1, 16, 16), torch.tensor([[[2.0, 0, 0], [0, 2.0, 0]]]))
    assert (full > 0.99).all()
    with pytest.raises(ValueError, match="expected a square"):
        templates.copy_pixels(torch.ones(4, 5), shift)


def test_copied_pixels_have_no_gradient_and_nearest_lookup_a_zero_one():
    theta = torch.eye(2, 3).requires_grad_()
    assert not fitting.draw("copied pixels", theta, 16).requires_grad
    affines = warp.identity().requires_grad_()
    (slope,) = torch.autograd.grad(templates.warp_parts(affines, 16, mode="nearest").square().sum(), affines)
    assert (slope == 0).all()


@pytest.mark.parametrize("size", [16, 48])
def test_descent_reaches_a_near_target_only_with_a_gradient(size):
    walks = {way: fitting.follow(way, "near and turned", size, 40) for way in fitting.WAYS}
    closed, warped, copied = walks.values()
    target, found = torch.tensor(fitting.STARTS["near and turned"]), closed.thetas[-1]
    torch.testing.assert_close(found[:, 2], target[:, 2], atol=0.005, rtol=0)
    torch.testing.assert_close(
        *(a[:, :2] @ parts.COVARIANCES[CORE].float() @ a[:, :2].T for a in (found, target)), atol=5e-4, rtol=0
    )
    assert closed.losses[-1] < 1e-4 and (closed.losses.diff() < 1e-6).all()
    assert closed.losses[-1] < warped.losses[-1] < 0.02
    assert (copied.thetas == copied.thetas[0]).all() and (copied.losses == copied.losses[0]).all()


def test_a_picture_of_a_gaussian_does_not_say_which_map_made_it():
    """S^(1/2) Q S^(-1/2) turns every Gaussian of covariance S into itself; only anchors tell it from the identity."""
    affines, turn = warp.identity(dtype=torch.float64), torch.from_numpy(cv2.getRotationMatrix2D((0, 0), 50, 1)[:, :2])
    values, vectors = torch.linalg.eigh(parts.COVARIANCES[FOREARM])
    root = vectors @ torch.diag(values.sqrt()) @ vectors.T
    affines[FOREARM, :, :2] = root @ turn @ torch.linalg.inv(root)
    torch.testing.assert_close(
        templates.part_maps(affines, 32), templates.part_maps(warp.identity(dtype=torch.float64), 32)
    )
    ends = (
        parts.ANCHORS[[parts.anchor("left forearm", 0), parts.anchor("left forearm", 1)]] - parts.CENTRES[FOREARM]
    ).T
    opened = (affines[FOREARM, :, :2] @ ends - ends).square().sum() / 4 / 3
    assert templates.anchor_loss(affines).item() == pytest.approx(opened.item()) and opened > 0


def test_out_of_reach_the_part_shrinks_instead_of_walking():
    walk = fitting.follow("closed form", "out of reach", 48, 40)
    assert walk.losses[-1] == pytest.approx(1, abs=0.01)  # nothing drawn costs the target's own square
    assert torch.linalg.det(walk.thetas[-1][:, :2]).abs() < 0.05
    assert walk.thetas[-1][0, 2] < 0.1 < fitting.STARTS["out of reach"][0][2]
    with pytest.raises(ValueError, match="way is 'by hand', expected one of"):
        fitting.draw("by hand", torch.eye(2, 3), 8)
