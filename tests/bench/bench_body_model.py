"""A body of 1,202 vertices: 64 poses at once against one by one, and the surface against a plain way to find it.

"Joint by joint" adds up, for each of the 19 joints, what it does to every vertex: the skinning formula as it is read.
"Cell by cell" looks at every cell of the grid in turn, which is how surface nets are explained.
"""

import itertools

import numpy as np
import pytest
import torch

from tutorial_lib.body_model import body, rotations_of
from tutorial_lib.body_model.make import make_body
from tutorial_lib.body_model.rest import AT
from tutorial_lib.body_model.rotations import from_axis_angle
from tutorial_lib.body_model.surface_nets import surface_nets

COUNT = 64
POSES, NETS = f"{COUNT} bodies", "a ball in a grid of 24 nodes a side"


@pytest.fixture(scope="module")
def scene():
    generator = torch.Generator().manual_seed(0)
    turns = from_axis_angle(0.3 * torch.randn(COUNT, 19, 3, generator=generator))
    return turns, torch.randn(COUNT, 6, generator=generator), torch.randn(COUNT, 3, generator=generator)


def run(benchmark, group, function):
    benchmark.group = group
    return benchmark.pedantic(function, warmup_rounds=1, rounds=6)


def test_bodies(benchmark, scene):
    run(benchmark, POSES, lambda: body().pose(*scene))


def test_bodies_one_by_one(benchmark, scene):
    run(benchmark, POSES, lambda: [body().pose(*(part[i] for part in scene)) for i in range(COUNT)])


def test_bodies_joint_by_joint(benchmark, scene):
    it = body()

    def summed():
        rest = it.rest(scene[1])
        turns, places, _ = it._chain(scene[0], rest.joints, scene[2])
        vertices = torch.zeros_like(rest.vertices)
        for k, at in enumerate(AT):
            local = rest.vertices - rest.joints[:, at, None]
            vertices += it.weights[:, k, None] * (local @ turns[:, k].mT + places[:, k, None])
        return vertices

    torch.testing.assert_close(run(benchmark, POSES, summed), it.pose(*scene).vertices, atol=1e-5, rtol=0)


def test_joints_alone(benchmark, scene):
    run(benchmark, POSES, lambda: body().joints(*scene))


def test_there_and_back(benchmark, scene):
    joints = body().joints(*scene)
    run(benchmark, f"rotations of {COUNT} poses", lambda: rotations_of(body(), joints, scene[1]))


def ball():
    axis = np.linspace(-1.2, 1.2, 24) + 0.003
    nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    return np.linalg.norm(nodes, axis=-1) - 1, nodes


def test_surface_nets(benchmark):
    run(benchmark, NETS, lambda: surface_nets(*ball()))


def test_surface_nets_cell_by_cell(benchmark):
    def each():
        values, nodes = ball()
        corners = np.array(list(itertools.product((0, 1), repeat=3)))
        ends = [(a, b) for a, b in itertools.combinations(range(8), 2) if abs(corners[a] - corners[b]).sum() == 1]
        vertices = []
        for cell in itertools.product(range(23), repeat=3):
            value = values[tuple((corners + cell).T)]
            if value.min() < 0 <= value.max():
                place = nodes[tuple((corners + cell).T)]
                cut = [(a, b) for a, b in ends if (value[a] < 0) != (value[b] < 0)]
                share = [value[a] / (value[a] - value[b]) for a, b in cut]
                vertices.append(np.mean([place[a] + s * (place[b] - place[a]) for (a, b), s in zip(cut, share)], 0))
        return np.array(vertices)

    np.testing.assert_allclose(run(benchmark, NETS, each), surface_nets(*ball())[0])


def test_making_the_body(benchmark):
    run(benchmark, "a body from nothing", make_body)
