"""Surfaces without a body model, bodies seen from elsewhere, and bodies over time."""

import subprocess
import sys

import networkx
import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints, mesh
from tutorial_lib.body_model import body
from tutorial_lib.integral import soft_argmax_1d, soft_argmax_3d
from tutorial_lib.mesh import COUNT, Regressor, draw_people, pack, see
from tutorial_lib.mesh.levels import SIZES, joined, levels, scaled_laplacian, spread, walk
from tutorial_lib.mesh.lixels import VERTICES, LixelNet, cells_of_rows, cells_of_volumes, surface_loss
from tutorial_lib.mesh.numbers import facing, unpack
from tutorial_lib.mesh.people import true_parameters
from tutorial_lib.mesh.pose_to_mesh import GraphConvolution, MeshLifter
from tutorial_lib.mesh.temporal import acceleration_error, body_lifter, numbers_of, said
from tutorial_lib.mesh.unseen import TurnableRegressor, disagreement, turned, unseen_loss
from tutorial_lib.motion import builtin


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def people():
    return draw_people(builtin(101, 1, ["walk"], 40), 4, generator=dice())


@pytest.fixture(scope="module")
def seen(people):
    return see(people, 0.01, dice())


def test_three_rows_say_where_a_volume_of_their_products_says():
    rows = torch.randn(5, 3, 6, generator=dice())
    volume = rows[:, 2, :, None, None] + rows[:, 1, None, :, None] + rows[:, 0, None, None, :]
    torch.testing.assert_close(soft_argmax_1d(rows), soft_argmax_3d(volume))


def test_rows_are_far_smaller_than_volumes():
    assert cells_of_rows(1204, 64) == 231_168
    assert cells_of_volumes(1204, 64) == 315_621_376


def test_rows_make_a_surface_within_reach(seen):
    torch.manual_seed(0)
    net = LixelNet(32, cells=8, channels=4)
    found = net(seen.dots)
    assert found.vertices.shape == (4, len(body().template), 3) and found.joints.shape == (4, 17, 3)
    assert found.vertices.abs().max() < 1.3
    scores = net.scores(seen.dots)[1]
    torch.testing.assert_close(found.vertices[2, 7, 1], 1.3 * soft_argmax_1d(scores[2, 1, 7]))
    rebuilt = LixelNet(**net.architecture)
    rebuilt.load_state_dict(net.state_dict())
    torch.testing.assert_close(rebuilt(seen.dots).vertices, found.vertices)


def test_a_surface_costs_its_distances_and_its_edges(people):
    truth = people.posed()
    assert surface_loss(truth, truth).item() == 0
    moved = type(truth)(truth.vertices + torch.tensor([0.03, 0, 0]), truth.joints)
    assert surface_loss(moved, truth).item() == pytest.approx(0.03, rel=1e-4)  # edges keep their length
    larger = type(truth)(2 * truth.vertices, truth.joints)
    assert surface_loss(larger, truth) > surface_loss(larger, truth, edge=0.0)


def test_levels_are_one_connected_surface_each():
    for level, count in zip(levels(), (*SIZES, len(body().template)), strict=True):
        assert len(level.vertices.unique()) == count
        graph = networkx.from_numpy_array((level.laplacian.to_dense() != 0).numpy())
        assert networkx.is_connected(graph)
        if level.up is not None:
            torch.testing.assert_close(level.up.to_dense().sum(1), torch.ones(count))
    assert set(levels()[0].vertices.tolist()) < set(levels()[1].vertices.tolist())


def test_going_up_a_level_loses_centimetres_of_a_surface():
    fine = body().template
    for lower, level in zip(levels(), levels()[1:]):
        gap = (level.up.to_dense() @ fine[lower.vertices] - fine[level.vertices]).norm(dim=-1)
        assert gap.mean() < 0.05


def test_a_hand_is_far_from_the_hip_along_the_surface():
    fine = body().template
    far = walk(fine, body().faces)
    hand = int(fine[:, 1].argmax())
    hip = int((fine - torch.tensor([0.0, 0.15, 0.0])).norm(dim=-1).argmin())
    assert far[hand, hip] > 1.4 * (fine[hand] - fine[hip]).norm()
    assert len(set(spread(far, 50).tolist())) == 50


def test_the_laplacian_is_the_normalised_one_less_one():
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [1, 1], [0, 2]])
    matrix = joined(pairs, 4)
    expected = networkx.normalized_laplacian_matrix(networkx.from_numpy_array(matrix)).toarray() - np.eye(4)
    found = scaled_laplacian(matrix).to_dense()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(np.linalg.eigvalsh(found.numpy())).max() <= 1 + 1e-6


def test_a_graph_convolution_is_a_chebyshev_polynomial_of_the_laplacian():
    level = levels()[0]
    torch.manual_seed(0)
    layer = GraphConvolution(2, 5, order=4)
    x = torch.randn(3, len(level.vertices), 2, generator=dice())
    values, vectors = np.linalg.eigh(level.laplacian.to_dense().double().numpy())
    expected = layer.mix.bias.detach().double().numpy() + 0.0
    for order in range(4):
        polynomial = vectors @ np.diag(np.cos(order * np.arccos(values.clip(-1, 1)))) @ vectors.T
        weight = layer.mix.weight[:, 2 * order : 2 * order + 2].detach().double().numpy()
        expected = expected + polynomial @ x.double().numpy() @ weight.T
    np.testing.assert_allclose(layer(x, level.laplacian).detach(), expected, atol=1e-4)


def test_the_surface_does_not_teach_the_lifter(seen):
    torch.manual_seed(0)
    net = MeshLifter(32, channels=4)
    found = net(seen.dots)
    assert found.vertices.shape == (4, len(body().template), 3)
    found.vertices.sum().backward()
    assert all(weight.grad is None for weight in net.lift.parameters())
    assert all(weight.grad is not None for weight in net.grow.parameters())


def test_a_whole_turn_is_none(seen):
    torch.manual_seed(0)
    net = TurnableRegressor(32, points=6)
    once, again = net(seen.dots), net(seen.dots, torch.full((4,), 2 * torch.pi))
    torch.testing.assert_close(once, again, atol=1e-4, rtol=0)
    assert (net(seen.dots, 1.0) - once).abs().max() > 1e-6
    latent = net.latent(seen.dots)
    assert latent.shape == (4, 6, 3)


def test_the_turned_truth_costs_nothing_and_agrees_with_itself(people, seen):
    truth, angle = true_parameters(people, seen), torch.tensor([0.3, -1.0, 2.0, 3.0])
    aside = pack(turned(truth, angle))
    assert unseen_loss(aside, angle, truth).item() < 1e-9
    assert unseen_loss(pack(truth), angle, truth).item() > 0.01
    assert disagreement(pack(truth), angle, aside).item() < 1e-9
    assert disagreement(pack(truth), -angle, aside).item() > 0.01


def test_a_lifter_of_lesson_04_says_bodies():
    torch.manual_seed(0)
    net = body_lifter((3, 3), channels=8)
    dots = torch.randn(2, 9, 17, 2, generator=dice())
    bodies = said(net.windows(dots))
    assert bodies.rotations.shape == (2, 19, 3, 3) and bodies.camera.shape == (2, 3)
    still = said(torch.zeros(41, 3))
    for one, other in zip(still, facing()):
        torch.testing.assert_close(one, other)
    triples = torch.randn(41, 3, generator=dice())
    torch.testing.assert_close(unpack(numbers_of(triples)).betas, said(triples).betas)
    assert body_lifter((1, 1), channels=8).frames == 1
    assert numbers_of(triples).shape == (COUNT,) and net.architecture["outputs"] == 41


def test_jitter_is_the_difference_of_accelerations():
    time = torch.arange(6.0)[:, None, None] / 50
    still = torch.zeros(6, 17, 3)
    steady, falling = still + 2 * time + 1, still + torch.tensor([0.0, 0.0, -0.5 * 9.81]) * time**2
    assert acceleration_error(steady, still, 50) < 1e-3
    assert acceleration_error(falling, still, 50).item() == pytest.approx(9.81, rel=1e-3)
    with pytest.raises(ValueError, match="three or more"):
        acceleration_error(still[:2], still[:2], 50)


@pytest.mark.parametrize("network", ["Regressor", "TurnableRegressor", "LixelNet", "MeshLifter"])
def test_a_checkpoint_is_read_before_anything_else_was_computed(network, tmp_path):
    """Networks of checkpoints are built without numbers; whoever asks for the body meanwhile spoils it for all."""
    net = getattr(mesh, network)(16)
    checkpoints.save(net, network, {}, tmp_path)
    code = f"""
from pathlib import Path
import torch
from tutorial_lib import checkpoints
net = checkpoints.load({network!r}, folder=Path({str(tmp_path)!r}))
net(torch.zeros(1, 17, 2))
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_the_surface_has_as_many_vertices_as_networks_say():
    assert len(body().template) == VERTICES


def test_answers_of_a_batch_are_those_of_one(seen):
    torch.manual_seed(0)
    for net in (Regressor(16), TurnableRegressor(16, points=4)):
        torch.testing.assert_close(net(seen.dots)[1], net(seen.dots[1]), atol=1e-5, rtol=1e-4)
