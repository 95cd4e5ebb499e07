"""Where a picture is taken: backdrop, light and what stands in the way, drawn at random. All numbers here are ours."""

from dataclasses import dataclass, replace

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.render.looks import choose, hsv

SLOTS = 3
"""Most occluders in a picture."""


@dataclass(frozen=True)
class Places(Batch):
    """Surroundings; lengths are in half-widths of the crop unless said otherwise.

    Attributes:
        wall, floor: (B, 2, 3) RGB.
        ramp: (B, 2) direction of the wall's change of colour.
        paper: (B, 4) wallpaper: angular frequencies across and down, phases; paper_strength: (B,).
        rough: (B,) strength of blotches; noise: (B, 2, 12, 12) their source.
        frames: (B, 3, 4) windows and posters: centre x, y, half width, half height; frame_kind: (B, 3) 0 window,
            1 poster; frame_colour: (B, 3, 3, 3) frame, bottom and top colours.
        horizon: (B, 3) where the floor begins, its slope, and how far the floor reaches below its end.
        hills: (B,) height of hills on the horizon; skirting: (B,) darkness of the line between wall and floor.
        vanish: (B,) x of the floor's vanishing point; tiles: (B, 2) angular frequencies; floor_kind: (B,) 0 plain,
            1 boards, 2 tiles.
        vignette: (B,) darkening towards the corners.
        sun: (B, 3) unit vectors towards the light in the camera frame; ambient: (B,); tint: (B, 3); shadow: (B,)
            strength.
        blur: (B,) share of the blurred picture in the final one; grain: (B,) factor on the sensor's noise.
        boxes: (B, SLOTS, 6) occluders: centre, half sizes, cosine and sine of their angle; a half size 0 is none.
        roundness: (B, SLOTS) 0 box to 1 disc; box_colour: (B, SLOTS, 2, 3); planks: (B, SLOTS) angular frequency.
    """

    wall: torch.Tensor
    floor: torch.Tensor
    ramp: torch.Tensor
    paper: torch.Tensor
    paper_strength: torch.Tensor
    rough: torch.Tensor
    noise: torch.Tensor
    frames: torch.Tensor
    frame_kind: torch.Tensor
    frame_colour: torch.Tensor
    horizon: torch.Tensor
    hills: torch.Tensor
    skirting: torch.Tensor
    vanish: torch.Tensor
    tiles: torch.Tensor
    floor_kind: torch.Tensor
    vignette: torch.Tensor
    sun: torch.Tensor
    ambient: torch.Tensor
    tint: torch.Tensor
    shadow: torch.Tensor
    blur: torch.Tensor
    grain: torch.Tensor
    boxes: torch.Tensor
    roundness: torch.Tensor
    box_colour: torch.Tensor
    planks: torch.Tensor

    def in_world(self) -> torch.Tensor:
        """(B, 3) towards the light in the world frame, if a level camera that looks along the world's y drew them."""
        right, down, forward = self.sun.unbind(-1)
        return torch.stack([right, forward, -down], -1)

    def seen_by(self, rotation: torch.Tensor) -> "Places":
        """The same places before cameras (B, 3, 3: axes in the world): the light of `in_world`, in their frames.

        Walls and floors do not turn: they are painted in the coordinates of the picture.
        """
        return replace(self, sun=(rotation.to(self.sun) @ self.in_world()[..., None])[..., 0])


def _obstacles(u: torch.Tensor, mean: float):
    """(boxes, roundness) from uniform (B, SLOTS, 8): furniture from below, bars across, discs anywhere."""
    count = len(u)
    # The number of occluders is binomial with the wanted mean.
    present = (u[..., 0] < mean / SLOTS).float()
    kind = choose((3, 2, 2), u[..., 1])
    side = 2 * u[..., 2] - 1
    zero = torch.zeros(count, SLOTS)
    tall = 0.15 + 0.45 * u[..., 3]
    furniture = torch.stack([0.8 * side, 1.05 - 0 * zero, 0.2 + 0.45 * u[..., 4], tall, 0.12 * (u[..., 5] - 0.5)], -1)
    upright = (u[..., 5] < 0.55).float() * torch.pi / 2
    bars = torch.stack(
        [
            0.5 * side,
            0.7 * (2 * u[..., 3] - 1),
            2.5 + zero,
            0.025 + 0.06 * u[..., 4],
            upright + 0.3 * (u[..., 6] - 0.5),
        ],
        -1,
    )
    radius = 0.08 + 0.2 * u[..., 4]
    discs = torch.stack(
        [0.6 * side, 0.8 * (2 * u[..., 3] - 1), radius, radius * (0.7 + 0.3 * u[..., 5]), 6.28 * u[..., 6]], -1
    )
    shape = torch.stack([furniture, bars, discs], -2).gather(-2, kind[..., None, None].expand(-1, -1, 1, 5))[..., 0, :]
    shape = torch.cat([shape[..., :2], shape[..., 2:4] * present[..., None], shape[..., 4:]], -1)
    boxes = torch.cat([shape[..., :4], torch.cos(shape[..., 4:]), torch.sin(shape[..., 4:])], -1)
    return boxes, torch.where(kind == 2, 1.0, 0.15 * u[..., 7])


def draw_places(count: int, *, generator: torch.Generator | None, occluders: float = 0.5) -> Places:
    """Draw `count` places.

    Args:
        count: how many.
        generator: draws; None uses torch's own.
        occluders: mean number of things in front of the person; 0 for none, at most 3.

    Raises:
        ValueError: count below 1, occluders outside [0, 3].
    """
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1 place")
    if not 0 <= occluders <= SLOTS:
        raise ValueError(f"occluders is {occluders}, expected a mean number in [0, {SLOTS}]")
    device = generator.device if generator is not None else "cpu"

    def rand(*shape):
        return torch.rand(count, *shape, generator=generator, device=device).cpu()

    u, f, o, paint = rand(40), rand(3, 12), rand(SLOTS, 8), rand(SLOTS, 5)
    noise = torch.randn(count, 2, 12, 12, generator=generator, device=device).cpu()
    outdoors = u[:, 0] < 0.35
    out = outdoors[:, None]
    wall_hue = torch.where(out, 0.55 + 0.08 * u[:, 1:2], u[:, 1:2] + 0.08 * (u[:, 2:4] - 0.5))
    wall = hsv(
        wall_hue.expand(-1, 2) % 1,
        (0.5 * u[:, 4:6] ** 1.5).expand(-1, 2),
        0.35 + 0.55 * u[:, 6:7] + 0.15 * out + 0.25 * (u[:, 7:9] - 0.5),
    )
    floor_hue = torch.where(out, 0.08 + 0.3 * u[:, 9:10], u[:, 9:10] * 0.18)
    floor_value = 0.28 + 0.5 * u[:, 10:11]
    floor = hsv(
        floor_hue.expand(-1, 2),
        (0.15 + 0.45 * u[:, 11:12]).expand(-1, 2),
        floor_value * torch.stack([1 + 0 * u[:, 12], 0.6 + 0.25 * u[:, 12]], 1),
    )
    angle = 2 * torch.pi * u[:, 13]
    frames = torch.stack(
        [2.2 * f[..., 0] - 1.1, -0.95 + 0.9 * f[..., 1], 0.12 + 0.28 * f[..., 2], 0.12 + 0.3 * f[..., 3]], -1
    )
    shown = (f[..., 4] < 0.55) & ~out
    frames[..., 2:] *= shown[..., None]
    frames[..., 0] += torch.where(shown, 0.0, 5.0)
    frame_colour = torch.stack(
        [hsv(f[..., 5], 0.3 * f[..., 6], 0.15 + 0.8 * f[..., 6]),
         hsv(f[..., 7], 0.7 * f[..., 8], 0.3 + 0.6 * f[..., 9]),
         hsv(f[..., 10], 0.6 * f[..., 8], 0.4 + 0.6 * f[..., 11])], -2)  # fmt: skip
    sun = torch.stack([1.6 * (u[:, 14] - 0.5) * 2, -0.5 - u[:, 15], -1.2 * u[:, 16] + 0.25], -1)
    boxes, roundness = _obstacles(o, occluders)
    base = hsv(paint[..., 0], 0.7 * paint[..., 1], 0.2 + 0.7 * paint[..., 2])
    return Places(
        wall=wall.clamp(0, 1),
        floor=floor.clamp(0, 1),
        ramp=torch.stack([torch.cos(angle), torch.sin(angle)], -1),
        paper=torch.stack(
            [8 + 30 * u[:, 17], (8 + 30 * u[:, 18]) * (u[:, 19] < 0.5), 6.28 * u[:, 20], 6.28 * u[:, 21]], -1
        ),
        paper_strength=torch.where((u[:, 22] < 0.4) & ~outdoors, 0.04 + 0.1 * u[:, 23], 0.0),
        rough=0.03 + 0.07 * u[:, 24] + 0.05 * outdoors,
        noise=noise,
        frames=frames,
        frame_kind=(f[..., 3] + f[..., 0] > 1).long(),
        frame_colour=frame_colour,
        horizon=torch.stack([0.1 + 0.55 * u[:, 25], 0.12 * (u[:, 26] - 0.5), 0.12 + 0.3 * u[:, 27]], -1),
        hills=torch.where(outdoors, 0.02 + 0.13 * u[:, 28], 0.0),
        skirting=torch.where(outdoors, 0.0, u[:, 29]),
        vanish=2 * u[:, 30] - 1,
        tiles=torch.stack([8 + 14 * u[:, 31], 8 + 14 * u[:, 32]], -1),
        floor_kind=torch.where(outdoors, 0, choose((1, 1, 1), u[:, 33])),
        vignette=0.3 * u[:, 34],
        sun=sun / torch.linalg.vector_norm(sun, dim=-1, keepdim=True),
        ambient=0.4 + 0.3 * u[:, 35],
        tint=torch.stack([1 + 0.08 * (u[:, 36] - 0.3), torch.ones(count), 1 - 0.15 * (u[:, 36] - 0.3)], -1),
        shadow=0.25 + 0.4 * u[:, 37],
        blur=0.7 * u[:, 38],
        grain=0.2 + 1.1 * u[:, 39],
        boxes=boxes,
        roundness=roundness,
        box_colour=torch.stack([base, base * (0.5 + 0.3 * paint[..., 3:4])], -2),
        planks=6 + 18 * paint[..., 4],
    )
