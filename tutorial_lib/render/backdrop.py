"""Where the picture is taken: a room or a landscape with structure, painted in the coordinates of the crop."""

import torch
from torch.nn.functional import grid_sample, interpolate

from tutorial_lib.grid import cell_centres
from tutorial_lib.render.places import Places
from tutorial_lib.render.raster import ragged


def _lerp(a: torch.Tensor, b: torch.Tensor, t: torch.Tensor):
    """Blend pictures a, b (3, B, H, W or broadcastable) by t (B, H, W)."""
    return torch.lerp(a, b, t[None])


def _rgb(colour: torch.Tensor):
    return colour.T[..., None, None]


def _hang(wall: torch.Tensor, places: Places, k: int, noise: torch.Tensor) -> torch.Tensor:
    """Hang window or poster number k of each place on the wall (3, B, H, W); only the pixels under it are touched."""
    size = wall.shape[-1]
    box = places.frames[:, k]
    low = ((box[:, :2] - box[:, 2:] + 1) * size / 2 - 1).floor().clamp(0, size).long()
    high = ((box[:, :2] + box[:, 2:] + 1) * size / 2 + 1).ceil().clamp(0, size).long()
    high = torch.where(box[:, 2:] > 0, high, low)
    image, pixel = ragged(torch.cat([low, high], -1)[:, None], size)
    if len(pixel) == 0:
        return wall
    inside = pixel - image * size * size
    row = torch.div(inside, size, rounding_mode="floor")
    u, v = ((2 * place + 1).to(wall) / size - 1 for place in (inside - row * size, row))
    cx, cy, hx, hy = box.T.index_select(1, image)
    dx, dy = (u - cx).abs(), (v - cy).abs()
    step = size / 2
    outer = (torch.minimum(hx - dx, hy - dy) * step + 0.5).clamp(0, 1)
    inner = (torch.minimum(0.86 * hx - dx, 0.9 * hy - dy) * step + 0.5).clamp(0, 1)
    x, y, blotch, fine = (u - cx) / hx, (v - cy) / hy, *noise.flatten(1).index_select(1, pixel)
    glass = (places.frame_kind[:, k] == 0).index_select(0, image)
    bars = ((0.05 - torch.minimum(x.abs(), y.abs())) * 8 + 0.5).clamp(0, 1) * glass
    scene = torch.where(glass, 0.25 * blotch, 0.8 * torch.sin(4 * x + 3 * blotch + 5 * fine))
    frame, low, high = places.frame_colour[:, k].permute(1, 2, 0).index_select(2, image)
    shown = torch.lerp(low, high, (0.5 + 0.35 * y + scene).clamp(0, 1))
    shown = torch.lerp(frame, shown, inner * (1 - bars))
    flat = wall.flatten(1)
    shown = torch.lerp(flat.index_select(1, pixel), shown, outer)
    return flat.index_copy(1, pixel, shown).view_as(wall)


def paint(places: Places, size: int) -> torch.Tensor:
    """The empty backdrops (3, B, size, size) in [0, 1]."""
    dtype = places.wall.dtype
    line = cell_centres(size, places.wall)
    u, v = line[None, None, :], line[None, :, None]
    pixel = 2 / size

    def of(value: torch.Tensor):
        return value[:, None, None]

    noise = interpolate(places.noise, size=(size, size), mode="bilinear", align_corners=False)
    coarse = interpolate(places.noise[:, :1, 3:8, 3:8], size=(size, size), mode="bilinear", align_corners=True)
    blotch, fine = coarse[:, 0] + 0.4 * noise[:, 1], noise[:, 0]
    # Wall: two colours across, wallpaper, blotches.
    across = (of(places.ramp[:, 0]) * u + of(places.ramp[:, 1]) * v + 1.0) / 2
    wall = _lerp(_rgb(places.wall[:, 0]), _rgb(places.wall[:, 1]), across.clamp(0, 1))
    paper = torch.sin(of(places.paper[:, 0]) * u + of(places.paper[:, 2]))
    paper = paper + torch.sin(of(places.paper[:, 1]) * v + of(places.paper[:, 3]))
    wall = wall * (1 + of(places.paper_strength) * (2 * paper).clamp(-1, 1) + of(places.rough) * blotch)
    for k in range(places.frames.shape[1]):
        wall = _hang(wall, places, k, torch.stack([blotch, fine]))
    # Floor: boards or tiles that recede towards the horizon.
    horizon = of(places.horizon[:, 0]) + of(places.horizon[:, 1]) * u + of(places.hills) * (blotch + 0.5 * fine)
    below = v - horizon
    far = 0.35 / (below.clamp_min(0) + of(places.horizon[:, 2]))
    gx, gz = (u - of(places.vanish)) * far * of(places.tiles[:, 0]), far * of(places.tiles[:, 1])
    sx, sz = torch.sin(gx), torch.sin(gz)
    sharp_x = (0.35 / (far * of(places.tiles[:, 0]) * pixel)).clamp(0, 3)
    sharp_z = (0.12 / (far * far * of(places.tiles[:, 1]) * pixel)).clamp(0, 3)
    kind = places.floor_kind
    boards = ((sx.abs() - 0.1) * 4).clamp(-1, 1) * sharp_x.clamp_max(1)
    tiles = (sx * sharp_x).clamp(-1, 1) * (sz * sharp_z).clamp(-1, 1)
    pattern = boards * of((kind == 1).to(dtype)) + tiles * of((kind == 2).to(dtype))
    floor = _lerp(_rgb(places.floor[:, 0]), _rgb(places.floor[:, 1]), 0.5 + 0.5 * pattern)
    floor = floor * (1 + of(places.rough) * (fine + 0.5 * blotch))
    picture = _lerp(wall, floor, (below / pixel + 0.5).clamp(0, 1))
    skirting = (1 - (below + 0.02).abs() / 0.025).clamp(0, 1) * of(0.55 * places.skirting)
    shade = (1 - of(places.vignette) * (u * u + v * v) / 2) * (1 - skirting)
    return (picture * shade).clamp_(0, 1)


def bend(picture: torch.Tensor, rays: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """What a lens shows of a backdrop (3, B, H, W): each pixel sees where its ray (2, B, H, W) goes."""
    x = (rays[0] - box[:, 0, None, None]) / box[:, 2, None, None]
    y = (rays[1] - box[:, 1, None, None]) / box[:, 2, None, None]
    seen = grid_sample(picture.movedim(0, 1), torch.stack([x, y], -1), padding_mode="reflection", align_corners=False)
    return seen.movedim(1, 0)
