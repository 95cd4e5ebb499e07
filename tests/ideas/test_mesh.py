"""Bodies from dots: cameras, numbers, people, the regressor and its losses, fits and fine-tuning."""

import copy

import numpy as np
import pytest
import torch

from tutorial_lib.body_model import TURNING, body, pose_prior
from tutorial_lib.body_model.rotations import from_axis_angle, to_axis_angle
from tutorial_lib.camera import project
from tutorial_lib.mesh import (
    COUNT,
    People,
    Regressor,
    best_camera,
    draw_people,
    facing,
    pack,
    reproject,
    see,
    unpack,
)
from tutorial_lib.mesh.exemplar import fine_tune
from tutorial_lib.mesh.fitting import Energy, about_vertical, fit, fit_torso, gmof, turned
from tutorial_lib.mesh.losses import DOTS_ONLY, EVERYTHING, body_loss
from tutorial_lib.mesh.metrics import body_errors, dot_errors, edges, posed
from tutorial_lib.mesh.people import true_parameters
from tutorial_lib.mesh.spin import as_people, better, refit
from tutorial_lib.metrics import root_relative
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import JOINTS

J = {name: number for number, name in enumerate(JOINTS)}


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clips():
    return builtin(101, 2, ["walk", "sit_down"], 40)


@pytest.fixture(scope="module")
def people(clips):
    return draw_people(clips, 8, generator=dice())


@pytest.fixture(scope="module")
def seen(people):
    return see(people, 0.01, dice())


def test_the_best_camera_is_that_of_least_squares():
    points, dots = torch.randn(17, 3, generator=dice()), torch.randn(17, 2, generator=dice(1))
    dots += 2 * points[:, :2]
    # s x + tx = u and s y + ty = v for every point: one linear system in (s, tx, ty).
    rows = np.zeros((34, 3))
    rows[:17, 0], rows[17:, 0], rows[:17, 1], rows[17:, 2] = points[:, 0], points[:, 1], 1, 1
    aim = np.concatenate([dots[:, 0], dots[:, 1]])
    np.testing.assert_allclose(best_camera(points, dots), np.linalg.lstsq(rows, aim, rcond=None)[0], rtol=1e-4)


def test_a_picture_is_never_turned_upside_down():
    points = torch.randn(5, 17, 3, generator=dice())
    assert (best_camera(points, -points[..., :2])[..., 0] > 0).all()


def test_far_away_a_pinhole_is_a_weak_perspective():
    joints = facing_joints()
    gaps = []
    for away in (3.0, 30.0):
        dots = project(joints + torch.tensor([0.0, 0.0, away])) * away
        gaps.append((reproject(joints, best_camera(joints, dots)) - dots).abs().max())
    assert gaps[1] < gaps[0] / 5


def facing_joints():
    rest = facing()
    return body().joints(rest.rotations, rest.betas)


def test_who_faces_the_camera_has_their_left_on_its_right_and_their_toes_before_their_ankles():
    rest = facing()
    surface, joints = posed(rest)
    assert joints[J["left_hip"], 0] > 0.05 and joints[J["right_hip"], 0] < -0.05
    assert joints[J["head"], 1] < -0.4 and joints[J["left_foot"], 1] > 0.5  # y points down
    lowest = surface[surface[:, 1] > surface[:, 1].max() - 0.03]
    assert lowest[:, 2].min() < joints[J["left_foot"], 2] - 0.1


def test_numbers_are_a_body_and_a_body_is_numbers(people, seen):
    truth = true_parameters(people, seen)
    numbers = pack(truth)
    assert numbers.shape == (8, COUNT) and COUNT == 19 * 6 + 6 + 3
    for one, other in zip(unpack(numbers), truth):
        torch.testing.assert_close(one, other)
    any_numbers = unpack(torch.randn(3, COUNT, generator=dice()))
    torch.testing.assert_close(torch.linalg.det(any_numbers.rotations), torch.ones(3, 19))
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 123\)"):
        unpack(numbers[:, 1:])


def test_people_hold_their_clips_poses(clips):
    clip = clips[0]
    one = draw_people([type(clip)(clip.positions[:1], *list(vars(clip).values())[1:])], 4, generator=dice())

    def bends(pose):
        def limb(start, end):
            return torch.nn.functional.normalize(pose[..., J[end], :] - pose[..., J[start], :], dim=-1)

        pairs = [("hip", "knee", "foot"), ("shoulder", "elbow", "wrist")]
        sides = [[f"{side}_{name}" for name in names] for side in ("left", "right") for names in pairs]
        return torch.stack([(limb(a, b) * limb(b, c)).sum(-1) for a, b, c in sides], -1)

    # Not exactly: a drawn shape moves its joints a little aside as well.
    torch.testing.assert_close(bends(one.joints()), bends(clip.positions[:1]).expand(4, -1), atol=2e-3, rtol=0)
    assert one.betas.std() > 0.3 and one.betas.abs().max() <= 2


def test_neighbouring_frames_belong_to_one_person(clips):
    tracks = draw_people(clips, 3, generator=dice(), frames=9)
    assert tracks.rotations.shape == (3, 9, 19, 3, 3)
    assert (tracks.betas == tracks.betas[:, :1]).all()
    joints = tracks.joints() + tracks.root[..., None, :]
    assert (joints[:, 1:] - joints[:, :-1]).abs().max() < 0.2  # metres in 1/50 s
    with pytest.raises(ValueError, match="none shorter than frames=99"):
        draw_people(clips, 1, generator=dice(), frames=99)


def test_a_crop_holds_everybody_and_knows_nothing_of_the_distance(people):
    near = see(people, 0.0, dice())
    assert near.clean.abs().max() == pytest.approx(1 / 1.2, rel=1e-5)
    torch.testing.assert_close(near.dots, near.clean)
    far = see(People(people.rotations, people.betas, people.root * torch.tensor([0.0, 0.0, 3.0])), 0.0, dice())
    assert (far.clean - near.clean).abs().max() < 0.06


def test_noise_is_in_half_sides_of_the_crop(clips):
    many = draw_people(clips, 400, generator=dice())
    off = see(many, 0.02, dice())
    spread = (off.dots - off.clean).std((0, 2))
    assert spread[J["left_wrist"]] == pytest.approx(0.02 * 1.6, rel=0.1)
    assert spread[J["hip"]] == pytest.approx(0.02 * 0.7, rel=0.1)


def test_the_truth_costs_nothing(people, seen):
    truth = true_parameters(people, seen)
    clean = reproject(people.joints(), truth.camera)
    assert body_loss(pack(truth), clean, people).item() < 1e-5
    wrong = pack(truth._replace(betas=truth.betas + 1))
    assert body_loss(wrong, clean, people, EVERYTHING).item() > 0.02


def test_dots_alone_read_no_labels(people, seen):
    strangers = People(people.rotations.flip(0), people.betas.flip(0), people.root)
    numbers = pack(true_parameters(people, seen))
    one, other = (body_loss(numbers, seen.dots, who, DOTS_ONLY) for who in (people, strangers))
    assert one == other


def test_a_regressor_corrects_its_first_guess_and_every_answer_is_its_own(seen):
    torch.manual_seed(0)
    net = Regressor(32)
    guesses = net.guesses(seen.dots)
    assert len(guesses) == 4
    torch.testing.assert_close(guesses[0][0], pack(facing()))
    assert (guesses[1] - guesses[0]).abs().max() < 0.5  # begins near it
    torch.testing.assert_close(net(seen.dots[:1]), guesses[-1][:1])
    rebuilt = Regressor(**net.architecture)
    rebuilt.load_state_dict(net.state_dict())
    torch.testing.assert_close(rebuilt(seen.dots), guesses[-1])


def test_errors_say_what_their_names_say(people):
    truth = people.posed()
    moved = type(truth)(truth.vertices + 1, truth.joints + 1)
    assert max(body_errors(moved, truth).means().values()) < 1e-2
    turn = about_vertical(torch.tensor(0.5))
    aside = body_errors(type(truth)(truth.vertices @ turn.mT, truth.joints @ turn.mT), truth).means()
    assert aside["mpjpe"] > 20 and aside["p_mpjpe"] < 1e-2 and aside["edge"] < 1e-2


def test_joints_do_not_see_a_forearms_twist(people):
    twisted = people.rotations.clone()
    axis = body().rest_joints()[J["left_wrist"]] - body().rest_joints()[J["left_elbow"]]
    elbow = TURNING.index("left_elbow")
    twisted[:, elbow] = twisted[:, elbow] @ from_axis_angle(2.0 * axis / axis.norm())
    betas = torch.zeros_like(people.betas)
    plain = body().pose(people.rotations, betas)
    errors = body_errors(body().pose(twisted, betas), plain).means()
    assert errors["mpjpe"] < 1 and errors["pve"] > 1


def test_the_surface_is_closed():
    faces = body().faces
    pairs = edges(faces)
    assert 2 * len(pairs) == 3 * len(faces) and len(body().template) - len(pairs) + len(faces) == 2  # Euler


def test_a_robust_error_is_the_square_when_small_and_bounded_when_large():
    square = torch.tensor([1e-6, 1e6])
    torch.testing.assert_close(gmof(square, 0.5), torch.tensor([1e-6, 0.25]), rtol=1e-3, atol=0)


def test_turning_a_person_turns_their_joints_and_no_limb(people, seen):
    truth = true_parameters(people, seen)
    other = turned(truth, 0.7)
    turn = torch.tensor([[np.cos(0.7), 0, -np.sin(0.7)], [0, 1, 0], [np.sin(0.7), 0, np.cos(0.7)]]).float()
    torch.testing.assert_close(posed(other).joints, posed(truth).joints @ turn.mT, atol=1e-5, rtol=0)
    torch.testing.assert_close(other.rotations[:, 1:], truth.rotations[:, 1:])
    assert (turn @ torch.tensor([0.0, 0.0, -1.0]))[0] > 0  # what is near goes to the right


def start_of(count):
    return type(facing())(*(value.expand(count, *value.shape) for value in facing()))


def test_a_fit_of_the_torso_moves_nothing_else(seen):
    found = fit_torso(seen.dots, start_of(8), steps=15)
    torch.testing.assert_close(found.rotations[:, 1:], start_of(8).rotations[:, 1:])
    names = ["left_hip", "right_hip", "left_shoulder", "right_shoulder"]
    torso = [J[name] for name in names]
    gap = reproject(posed(found).joints, found.camera)[:, torso] - seen.dots[:, torso]
    assert gap.norm(dim=-1).mean() < 0.1


def test_a_fit_that_starts_at_the_truth_stays_there(people, seen):
    truth = true_parameters(people, seen)
    clean = reproject(people.joints(), truth.camera)
    path = fit(clean, truth, Energy(prior=0), steps=5, rate=1e-4)
    assert body_errors(posed(path.last), people.posed()).mpjpe.max() < 1


def test_a_fit_lowers_its_dots_and_nobody_disturbs_a_neighbour(seen):
    path = fit(seen.dots, start_of(8), Energy(prior=0), steps=12)
    assert path.numbers == tuple(range(13)) and len(path.steps) == 13
    errors = path.measured(lambda step: dot_errors(step, seen.dots))
    assert errors.shape == (13, 8) and errors[-1].mean() < 0.75 * errors[0].mean()
    alone = fit(seen.dots[:1], start_of(1), Energy(prior=0), steps=12, keep=[12])
    assert alone.numbers == (0, 12)
    torch.testing.assert_close(alone.last.rotations[0], path.last.rotations[0], atol=1e-3, rtol=0)


def test_a_prior_keeps_poses_likely(seen):
    def unlikely(weight):
        last = fit(seen.dots, start_of(8), Energy(weight), steps=25, keep=[25]).last
        return pose_prior().nll(to_axis_angle(last.rotations[:, 1:])).mean()

    assert unlikely(1.0) < unlikely(0.0) - 10


def test_exemplar_tuning_is_ordinary_tuning_of_one_network_a_person(seen):
    torch.manual_seed(0)
    net = Regressor(16)
    before = copy.deepcopy(net.state_dict())
    path = fine_tune(net, seen.dots[:3], steps=3, rate=1e-3, shape=0.0)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    own = copy.deepcopy(net)
    optimiser = torch.optim.Adam(own.parameters(), lr=1e-3)
    for _ in range(3):
        found = own.bodies(seen.dots[1])
        off = (reproject(posed(found).joints, found.camera) - seen.dots[1]).norm(dim=-1).mean()
        optimiser.zero_grad()
        off.backward()
        optimiser.step()
    torch.testing.assert_close(own.bodies(seen.dots[1]).rotations, path.last.rotations[1], atol=2e-4, rtol=0)


def test_the_dictionary_only_gets_better(seen):
    torch.manual_seed(0)
    net = Regressor(16)
    first = refit(net, seen.dots, None, Energy(), steps=4, batch=3)
    assert first.betas.shape == (8, 6)
    second = refit(net, seen.dots, first, Energy(), steps=2)
    assert (dot_errors(second, seen.dots) <= dot_errors(first, seen.dots)).all()
    held, won = better(first, start_of(8), seen.dots)
    assert torch.equal(held.betas[~won], first.betas[~won])
    assert torch.allclose(root_relative(as_people(first).joints()), root_relative(posed(first).joints))
