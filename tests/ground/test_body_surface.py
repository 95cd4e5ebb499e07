"""Surface nets and the template: closed, the right way round, where the flesh ends. Counted with plain numpy."""

import numpy as np
import pytest
import torch

from tutorial_lib.body_model import body
from tutorial_lib.body_model.flesh import distances, melted
from tutorial_lib.body_model.make import make_body
from tutorial_lib.body_model.rest import FLESH, rest_solids
from tutorial_lib.body_model.surface_nets import surface_nets, triangles
from tutorial_lib.render.anatomy import SOLIDS


def sides(faces):
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def euler(vertices, faces):
    return len(vertices) - len(np.unique(np.sort(sides(faces), 1), axis=0)) + len(faces)


def volume(vertices, faces):
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return (np.cross(a, b) * c).sum() / 6


def assert_closed(faces):
    """Every side runs once in each direction: no holes, and all triangles the same way round."""
    runs = {tuple(side) for side in sides(faces).tolist()}
    assert len(runs) == 3 * len(faces)
    assert all((b, a) in runs for a, b in runs)


def grid(step, half=1.6):
    axis = np.arange(-half, half + step / 2, step) + 0.013
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)


def ball(nodes):
    return np.linalg.norm(nodes, axis=-1) - 1


def ring(nodes):
    x, y, z = np.moveaxis(nodes, -1, 0)
    return np.hypot(np.hypot(x, y) - 1, z) - 0.4


@pytest.mark.parametrize("shape, holes, true", [(ball, 0, 4 / 3 * np.pi), (ring, 1, 2 * np.pi**2 * 0.4**2)])
def test_a_ball_and_a_ring_are_closed_and_hold_their_volume(shape, holes, true):
    nodes = grid(0.1)
    vertices, quads, _ = surface_nets(shape(nodes), nodes)
    faces = triangles(vertices, quads)
    assert_closed(faces)
    assert euler(vertices, faces) == 2 - 2 * holes
    assert volume(vertices, faces) == pytest.approx(true, rel=0.03)
    assert abs(shape(vertices)).max() < 0.02


def test_a_bent_grid_gives_the_same_ball():
    nodes = grid(0.1)
    bent = nodes * (1 + 0.15 * np.sin(2 * nodes[..., ::-1]))
    vertices, quads, _ = surface_nets(ball(bent), bent)
    faces = triangles(vertices, quads)
    assert_closed(faces)
    assert volume(vertices, faces) == pytest.approx(4 / 3 * np.pi, rel=0.03)


def test_a_surface_that_leaves_the_grid_is_refused():
    nodes = grid(0.2, 0.9)
    with pytest.raises(ValueError, match="larger than the body"):
        surface_nets(ball(nodes), nodes)
    with pytest.raises(ValueError, match="a place for each"):
        surface_nets(ball(nodes), nodes[1:])


def test_distance_from_a_solid_is_true_where_its_axis_is_a_ball():
    solids, row = rest_solids(), SOLIDS.index("left_shin")
    column = [solid for solid, _ in FLESH].index(row)
    start, axis, radius = solids.start[0, row], solids.frame[0, row, 1], solids.radius[0, row, 0]
    behind = start - axis * torch.tensor([[0.1], [0.3]])
    torch.testing.assert_close(distances(solids, behind)[:, column], torch.tensor([0.1, 0.3]) - radius)


def test_melting_only_adds_flesh_and_little():
    points = body().template[::3] * 1.05
    points = points[points[:, 1] > 0]  # the right side is measured on the left
    hard = distances(rest_solids(), points).amin(-1)
    soft = melted(rest_solids(), points)
    assert (soft <= hard + 1e-6).all() and (hard - soft).max() < 0.02


@pytest.fixture(scope="module")
def made():
    return make_body()


def test_the_body_that_ships_is_the_one_that_is_made(made):
    shipped = body()
    assert torch.equal(shipped.faces, made.faces) and torch.equal(shipped.mirror, made.mirror)
    for name, far in (("template", 1e-4), ("shapes", 1e-4), ("weights", 2e-3)):
        assert (getattr(shipped, name) - getattr(made, name)).abs().max() < far, name


@pytest.mark.parametrize("which", ["shipped", "coarse"])
def test_the_template_is_one_closed_surface_of_a_persons_size(which):
    it = body() if which == "shipped" else make_body(0.08)
    vertices, faces = it.template.double().numpy(), it.faces.numpy()
    assert_closed(faces)
    assert euler(vertices, faces) == 2
    assert set(faces.ravel().tolist()) == set(range(len(vertices)))
    assert 0.045 < volume(vertices, faces) < 0.08  # cubic metres: 45 to 80 litres
    assert 1.6 < np.ptp(vertices[:, 2]) < 1.8
    assert len(vertices) == {"shipped": 1202, "coarse": 602}[which]


def test_left_and_right_are_mirror_images():
    it = body()
    flip = torch.tensor([1.0, -1.0, 1.0])
    assert torch.equal(it.mirror[it.mirror], torch.arange(len(it.template)))
    torch.testing.assert_close(it.template[it.mirror] * flip, it.template, atol=1e-6, rtol=0)
    turned = it.mirror[it.faces].flip(1).sort(1).values.tolist()
    assert {tuple(face) for face in turned} == {tuple(face) for face in it.faces.sort(1).values.tolist()}


def test_vertices_lie_on_the_flesh():
    """The net cuts corners between vertices, but they themselves are on the surface to a millimetre, nearly all."""
    off = melted(rest_solids(), body().template).abs()
    assert off.quantile(0.95) < 1e-3 and off.max() < 0.01


def test_a_hand_is_no_stump():
    """Broader than thick, narrower at the wrist, longer than broad, with more vertices than its area would get."""
    it = body()
    hand = it.template[it.weights[:, 8] > 0.5]  # left wrist
    spread = (hand - hand.mean(0)).double().numpy()
    long, wide, thick = np.linalg.svd(spread)[1]
    assert long > 1.3 * wide and wide > 1.3 * thick
    assert len(hand) > 50
