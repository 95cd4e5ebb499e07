"""Surface nets: the triangles where a function of space is zero.

One vertex in every cell that the surface passes, at the mean of the places where it cuts the cell's edges; one
quadrilateral for every edge that it cuts, through the four cells around that edge. The grid may be bent.
"""

import numpy as np

_ROUND = ((0, 0), (1, 0), (1, 1), (0, 1))  # the cells around an edge, counter-clockwise seen from the edge's far end


def surface_nets(values: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wrap the region where `values` is below zero.

    Args:
        values: (X, Y, Z) at the grid's nodes; at least zero on the grid's border, else the surface has holes there.
        nodes: (X, Y, Z, 3) where the nodes are; neighbours stay neighbours, and the axes are right-handed.

    Returns:
        vertices: (V, 3) in the unit of `nodes`; quads: (Q, 4) int64, counter-clockwise seen from outside;
        cells: (V, 3) int64, the cell of each vertex.

    Raises:
        ValueError: shapes that do not belong together, or a surface that leaves the grid.
    """
    if values.ndim != 3 or nodes.shape != (*values.shape, 3):
        raise ValueError(f"nodes has shape {nodes.shape}, expected {(*values.shape, 3)}: a place for each of `values`")
    inside = values < 0
    if any(np.take(inside, end, axis).any() for axis in range(3) for end in (0, -1)):
        raise ValueError("values is below zero on the grid's border, expected a grid that is larger than the body")
    size = tuple(n - 1 for n in values.shape)
    total, count = np.zeros((*size, 3)), np.zeros(size)
    crossings = []
    for axis in range(3):
        low, high = (_cut(axis, first, size[axis]) for first in (0, 1))
        cuts = inside[low] != inside[high]
        step = np.where(cuts, values[high] - values[low], 1.0)
        share = np.where(cuts, -values[low] / step, 0.0)[..., None]
        place = (nodes[low] + share * (nodes[high] - nodes[low])) * cuts[..., None]
        second, third = (axis + 1) % 3, (axis + 2) % 3
        for i, j in _ROUND:
            around = list(_cut(second, i, size[second]))
            around[third] = slice(j, j + size[third])
            total += place[tuple(around)]
            count += cuts[tuple(around)]
        crossings.append((np.argwhere(cuts), inside[low][cuts]))
    used = count > 0
    number = np.cumsum(used).reshape(size) - 1
    quads = []
    for axis, (edges, outward) in enumerate(crossings):
        corners = []
        for i, j in _ROUND:
            shift = np.zeros(3, dtype=int)
            shift[[(axis + 1) % 3, (axis + 2) % 3]] = i - 1, j - 1
            corners.append(number[tuple((edges + shift).T)])
        quad = np.stack(corners, -1)
        quads.append(np.where(outward[:, None], quad, quad[:, ::-1]))
    return total[used] / count[used][:, None], np.concatenate(quads), np.argwhere(used)


def triangles(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Cut quadrilaterals (Q, 4) along their shorter diagonals: (2 Q, 3), the same way round."""
    a, b, c, d = (vertices[quads[:, corner]] for corner in range(4))
    short = np.linalg.norm(a - c, axis=-1) <= np.linalg.norm(b - d, axis=-1)
    pick = np.where(short[:, None], quads, np.roll(quads, -1, axis=1))
    return np.concatenate([pick[:, [0, 1, 2]], pick[:, [0, 2, 3]]])


def _cut(axis: int, first: int, count: int) -> tuple[slice, ...]:
    """Index of the `count` layers from `first` on along one of three axes."""
    cut = [slice(None)] * 3
    cut[axis] = slice(first, first + count)
    return tuple(cut)
