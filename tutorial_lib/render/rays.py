"""Which light reaches which pixel: the plane coordinates that a picture's pixels see, through a lens or without."""

import torch
from torch.nn.functional import grid_sample

from tutorial_lib.distortion import distort, jacobian, undistort
from tutorial_lib.grid import cell_centres


def rays_of(box: torch.Tensor, size: int, lens: torch.Tensor | None = None) -> torch.Tensor:
    """The light that reaches the pixels' centres, (2, B, H, W) plane coordinates; through lenses (B, 5) if given."""
    line = cell_centres(size, box)
    rays = _spread(box, line)
    if lens is None:
        return rays
    # The inverse of the lens is solved on a coarse grid; Newton steps polish what is interpolated between its nodes.
    nodes = torch.linspace(-1, 1, 25, dtype=box.dtype, device=box.device)
    solved = undistort(_spread(box, nodes).permute(1, 2, 3, 0), lens).permute(0, 3, 1, 2)
    place = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).expand(len(box), -1, -1, -1)
    wanted, seen = rays.permute(1, 2, 3, 0), grid_sample(solved, place, align_corners=True).permute(0, 2, 3, 1)
    for _ in range(8):
        error = distort(seen, lens) - wanted
        if error.abs().max() < 0.01 * (2 / size) * box[:, 2].min():  # a hundredth of a pixel
            break
        (a, b), (_, d) = (row.unbind(-1) for row in jacobian(seen, lens).unbind(-2))
        u, v = error.unbind(-1)
        seen = seen - torch.stack([d * u - b * v, a * v - b * u], -1) / (a * d - b * b)[..., None]
    return seen.permute(3, 0, 1, 2).contiguous()


def _spread(box: torch.Tensor, line: torch.Tensor):
    """(2, B, n, n) plane coordinates of the places `line` (n,) in each box, across and down."""
    x = box[:, 0, None, None] + box[:, 2, None, None] * line[None, None, :]
    y = box[:, 1, None, None] + box[:, 2, None, None] * line[None, :, None]
    return torch.stack(torch.broadcast_tensors(x, y))
