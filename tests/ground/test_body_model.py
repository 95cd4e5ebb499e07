"""Skin, shapes, joints and the chain: against rigid bodies, sums written out, and finite differences."""

import pytest
import torch

from tutorial_lib.body_model import MIRROR, PARENTS, SHAPES, TURNING, body
from tutorial_lib.body_model.rest import AT, CARRIER
from tutorial_lib.body_model.rotations import from_axis_angle, from_six, swing, to_axis_angle, to_six
from tutorial_lib.skeleton import BONES, JOINTS, bone_lengths
from tutorial_lib.skeleton import MIRROR as JOINT_MIRROR


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(*shape, size=1.0, seed=0):
    return size * torch.randn(*shape, generator=seeded(seed))


def in_double():
    return body().to(torch.float64)


def written_out(it, rotations, betas, root):
    """One body, joint by joint, with 4 x 4 matrices: what the batched code must agree with."""
    rest = it.template + sum(beta * shape for beta, shape in zip(betas, it.shapes))
    joints = it.regressor @ rest
    moves = []
    for joint, parent in enumerate(PARENTS):
        local = torch.eye(4, dtype=rest.dtype)
        local[:3, :3] = rotations[joint]
        at = joints[AT[joint]]
        local[:3, 3] = root if parent < 0 else at - joints[AT[parent]]
        moves.append(local if parent < 0 else moves[parent] @ local)
    from_rest = []
    for joint, move in enumerate(moves):
        back = torch.eye(4, dtype=rest.dtype)
        back[:3, 3] = -joints[AT[joint]]
        from_rest.append(move @ back)
    one = torch.cat([rest, torch.ones_like(rest[:, :1])], 1)
    vertices = sum(it.weights[:, k : k + 1] * (one @ from_rest[k].T)[:, :3] for k in range(len(TURNING)))
    ends = torch.cat([joints, torch.ones_like(joints[:, :1])], 1)
    placed = torch.stack([(from_rest[k] @ ends[j])[:3] for j, k in enumerate(CARRIER)])
    return vertices, placed


def test_a_batch_is_what_each_body_is_alone():
    it = in_double()
    rotations, betas, root = from_axis_angle(draw(2, 3, 19, 3).double()), draw(2, 3, 6).double(), draw(2, 3, 3).double()
    posed = it.pose(rotations, betas, root)
    for i, j in ((0, 0), (1, 2)):
        vertices, joints = written_out(it, rotations[i, j], betas[i, j], root[i, j])
        torch.testing.assert_close(posed.vertices[i, j], vertices)
        torch.testing.assert_close(posed.joints[i, j], joints)
    torch.testing.assert_close(it.joints(rotations, betas, root), posed.joints)


def test_no_turn_is_rest_and_one_turn_of_the_pelvis_is_rigid():
    it = in_double()
    still = torch.eye(3).double().expand(19, 3, 3)
    rest = it.rest()
    torch.testing.assert_close(it.pose(still).vertices, rest.vertices)
    turn, root = from_axis_angle(draw(3).double()), draw(3).double()
    rotations = torch.cat([turn[None], still[1:]])
    torch.testing.assert_close(it.pose(rotations, root=root).vertices, rest.vertices @ turn.T + root)


def test_bones_keep_their_lengths_in_every_pose():
    it = body()
    posed = it.joints(from_axis_angle(draw(8, 19, 3)), draw(8, 6))
    torch.testing.assert_close(bone_lengths(posed), bone_lengths(it.rest_joints(draw(8, 6))))


def test_weights_are_shares_of_four_bones_at_most_alike_on_both_sides():
    it = body()
    assert (it.weights >= 0).all() and (it.weights > 0).sum(1).max() <= 4
    torch.testing.assert_close(it.weights.sum(1), torch.ones(len(it.weights)))
    torch.testing.assert_close(it.weights[it.mirror][:, list(MIRROR)], it.weights, atol=2e-3, rtol=0)
    assert (it.weights.max(0).values > 0.5).all()  # every joint has flesh that it moves most


def test_skin_is_smooth_at_the_elbow():
    """Along an edge of the mesh no weight jumps, and a bent elbow stretches no edge to three times its length."""
    it = body()
    one, other = torch.cat([it.faces[:, [0, 1]], it.faces[:, [1, 2]], it.faces[:, [2, 0]]]).T
    assert (it.weights[one] - it.weights[other]).abs().max() < 0.75
    turns = torch.zeros(19, 3)
    turns[TURNING.index("left_elbow")] = torch.tensor([0.0, -1.1, -1.1])
    turns[TURNING.index("left_knee"), 1] = 1.6
    bent = it.pose(from_axis_angle(turns)).vertices
    before, after = ((v[one] - v[other]).norm(dim=-1) for v in (it.template, bent))
    assert (after / before).quantile(0.999) < 3


def test_mirrored_turns_give_the_mirrored_body():
    it = body()
    turns = draw(19, 3, size=0.5)
    flipped = turns[list(MIRROR)] * torch.tensor([-1.0, 1.0, -1.0])  # an axis is a pseudo-vector
    sign = torch.tensor([1.0, -1.0, 1.0])
    a, b = it.pose(from_axis_angle(turns)), it.pose(from_axis_angle(flipped))
    torch.testing.assert_close(b.joints, a.joints[list(JOINT_MIRROR)] * sign, atol=1e-4, rtol=0)
    torch.testing.assert_close(b.vertices, a.vertices[it.mirror] * sign, atol=2e-3, rtol=0)


def test_joints_are_means_of_vertices_exactly_at_rest_for_every_shape():
    it = body()
    assert (it.regressor >= 0).all() and (it.regressor > 0).sum(1).max() < 60
    torch.testing.assert_close(it.regressor.sum(1), torch.ones(17))
    rest = it.rest(draw(16, 6, size=2))
    torch.testing.assert_close(it.regressor @ rest.vertices, rest.joints, atol=1e-6, rtol=0)


def test_in_a_pose_the_regressor_is_near_the_joints():
    it = body()
    posed = it.pose(from_axis_angle(draw(32, 19, 3, size=0.3)), draw(32, 6))
    off = (it.regressor @ posed.vertices - posed.joints).norm(dim=-1)
    assert off.mean() < 0.004


@pytest.mark.parametrize(
    "shape, grows, stays",
    [
        ("legs", ("left_knee", "left_foot"), ("left_elbow", "spine", "thorax", "head")),
        ("arms", ("left_elbow", "left_wrist"), ("left_knee", "left_foot", "spine", "left_shoulder")),
        ("shoulders", ("left_shoulder",), ("left_elbow", "left_knee", "spine", "head")),
        ("head", ("neck", "head"), ("left_elbow", "left_knee", "spine", "left_shoulder")),
        ("height", JOINTS[1:], ()),
    ],
)
def test_shapes_change_what_their_names_say(shape, grows, stays):
    it = body()
    betas = torch.zeros(6)
    betas[SHAPES.index(shape)] = 2.0
    change = bone_lengths(it.rest_joints(betas)) / bone_lengths(it.rest_joints()) - 1
    ending = {JOINTS[child]: change[index] for index, (_, child) in enumerate(BONES)}
    assert all(ending[name] > 0.04 for name in grows)
    assert all(abs(ending[name]) < 0.01 for name in stays)


def test_girth_makes_thicker_not_taller():
    it = body()
    betas = torch.zeros(6)
    betas[SHAPES.index("girth")] = 2.0
    thick, mean = it.rest(betas), it.rest()

    def extent(posed, joint, axis):
        own = it.weights[:, TURNING.index(joint)] > 0.6
        return float(posed.vertices[own, axis].max() - posed.vertices[own, axis].min())

    assert extent(thick, "chest", 0) > 1.15 * extent(mean, "chest", 0)
    assert float(thick.vertices[:, 2].max()) == pytest.approx(float(mean.vertices[:, 2].max()), abs=0.01)


def test_derivatives_agree_with_differences():
    it = in_double()
    turns, betas = draw(19, 3, size=0.4).double().requires_grad_(), draw(6).double().requires_grad_()

    def some(turns, betas):
        posed = it.pose(from_axis_angle(turns), betas)
        return posed.vertices[::300], posed.joints

    assert torch.autograd.gradcheck(some, (turns, betas), eps=1e-6, atol=1e-6)


def test_wrong_shapes_are_named():
    it = body()
    with pytest.raises(ValueError, match=r"rotations has shape \(24, 3, 3\), expected \(\.\.\., 19, 3, 3\)"):
        it.pose(torch.eye(3).expand(24, 3, 3))
    with pytest.raises(ValueError, match="betas has shape"):
        it.rest(torch.zeros(10))


# ------------------------------------------------------------------ rotations
def test_axis_angle_is_the_exponential_of_the_cross_product():
    vectors = torch.cat([draw(50, 3).double(), torch.zeros(1, 3).double(), 1e-5 * draw(5, 3).double()])
    x, y, z = vectors.unbind(-1)
    none = torch.zeros_like(x)
    cross = torch.stack([none, -z, y, z, none, -x, -y, x, none], -1).view(-1, 3, 3)
    torch.testing.assert_close(from_axis_angle(vectors), torch.linalg.matrix_exp(cross))


@pytest.mark.parametrize("angle", [0.0, 1e-7, 1e-4, 0.5, 3.0, 3.1415, torch.pi])
def test_logarithm_undoes_the_exponential_also_at_no_turn_and_half_a_turn(angle):
    axis = torch.nn.functional.normalize(draw(64, 3).double(), dim=-1)
    matrix = from_axis_angle(angle * axis)
    vectors = to_axis_angle(matrix)
    torch.testing.assert_close(from_axis_angle(vectors), matrix, atol=1e-8, rtol=0)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.full((64,), float(angle)).double(), atol=1e-7, rtol=0)


def test_derivatives_at_no_turn_are_finite_and_right():
    zero = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: to_axis_angle(from_axis_angle(v)), zero, eps=1e-5, atol=1e-5)


def test_six_numbers_are_the_first_two_columns():
    matrix = from_axis_angle(draw(20, 3).double())
    torch.testing.assert_close(to_six(matrix), torch.cat([matrix[:, :, 0], matrix[:, :, 1]], 1))
    torch.testing.assert_close(from_six(to_six(matrix)), matrix)
    free = from_six(draw(20, 6).double())
    torch.testing.assert_close(free @ free.mT, torch.eye(3).double().expand(20, 3, 3))
    torch.testing.assert_close(torch.linalg.det(free), torch.ones(20).double())


def test_swing_turns_by_the_angle_between_and_about_what_is_across_both():
    start, end = draw(40, 3, seed=1).double(), draw(40, 3, seed=2).double()
    vectors = to_axis_angle(swing(start, end))
    a, b = (torch.nn.functional.normalize(v, dim=-1) for v in (start, end))
    torch.testing.assert_close(vectors.norm(dim=-1), (a * b).sum(-1).acos())
    torch.testing.assert_close((vectors * a).sum(-1), torch.zeros(40).double(), atol=1e-9, rtol=0)  # no twist
    opposite = swing(a, -a)
    torch.testing.assert_close((opposite @ a[..., None])[..., 0], -a)
    torch.testing.assert_close(torch.linalg.det(opposite), torch.ones(40).double())
