"""Clothes, hair, a face and light on the fragments of the body."""

import torch

from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids
from tutorial_lib.render.looks import Looks
from tutorial_lib.render.raster import Fragments

_INDEX = {name: index for index, name in enumerate(SOLIDS)}
_HEAD, _HAIR = _INDEX["head"], _INDEX["hair"]
_PELVIS, _COLLARS = _INDEX["pelvis"], [_INDEX["left_collar"], _INDEX["right_collar"]]
_SHIRT = [_INDEX["waist"], _INDEX["chest"], *_COLLARS]
_SHOES = [_INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "foot")]


def _named(part: str):
    return [_INDEX[f"left_{part}"], _INDEX[f"right_{part}"]]


def materials(looks: Looks, span: torch.Tensor) -> torch.Tensor:
    """(16, B, S): two colours, the colour beyond the cloth's end, pattern weights (5), frequency, end of the cloth.

    Patterns are weights of: hoops, pinstripes, checks, gradient, constant. The cloth ends at so many metres along
    the solid's axis.
    """
    count, solids = span.shape
    out = span.new_zeros(16, count, solids)
    skin, shirt, trousers = looks.skin.T, looks.shirt.permute(1, 2, 0), looks.trousers.permute(1, 2, 0)
    out[0:9] = skin.repeat(3, 1)[..., None]
    out[13] = -1
    out[14], out[15] = 1, 100

    def dress(
        index: list[int], cloth: torch.Tensor, kind: torch.Tensor, period: torch.Tensor, end: torch.Tensor | None
    ):
        for i in index:
            out[0:3, :, i], out[3:6, :, i] = cloth[0], cloth[1]
            for k in range(4):
                out[9 + k, :, i] = (kind == k + 1).to(out)
            out[13, :, i] = torch.where(kind == 0, -1.0, 0.0).to(out)
            out[14, :, i] = 2 * torch.pi / period
            out[15, :, i] = end[:, i] * span[:, i] if end is not None else 100

    def limbs(
        upper: list[int],
        lower: list[int],
        share: torch.Tensor,
        cloth: torch.Tensor,
        kind: torch.Tensor,
        period: torch.Tensor,
        first: float,
    ):
        end = torch.full_like(span, 100)
        for i in upper:
            end[:, i] = torch.where(share < first, share / first, 100)
        for i in lower:
            end[:, i] = torch.where(share > 0.97, 100, (share - first) / (1 - first))
        dress([*upper, *lower], cloth, kind, period, end)

    shirt_args = (shirt, looks.shirt_pattern, looks.period[:, 0])
    trouser_args = (trousers, looks.trousers_pattern, looks.period[:, 1])
    dress(_SHIRT, *shirt_args, None)
    limbs(_named("upper_arm"), _named("forearm"), looks.sleeve, *shirt_args, 0.53)
    limbs(_named("thigh"), _named("shin"), looks.leg, *trouser_args, 0.5)
    # A calf begins below the knee: the cloth's end is measured from there.
    for calf, shin in zip(_named("calf"), _named("shin")):
        out[:, :, calf] = out[:, :, shin]
        out[15, :, calf] -= 0.06
    dress([_PELVIS, _INDEX["skirt"]], *trouser_args, None)
    out[15, :, _PELVIS] = 0.075
    out[6:9, :, _PELVIS] = shirt[0]
    # Under a skirt the legs are bare, but for the hips, which may stand out beside it.
    for part, end in (("thigh", 0.5), ("shin", -1.0), ("calf", -1.0)):
        for i in _named(part):
            out[15, :, i] = torch.where(looks.skirt, end * span[:, i], out[15, :, i])
    for i in _SHOES:
        out[0:3, :, i] = out[3:6, :, i] = out[6:9, :, i] = looks.shoes.T
    out[0:3, :, _HAIR] = looks.hair.T
    return out


def colours(
    fragments: Fragments, looks: Looks, cloth: torch.Tensor, solids: Solids, pitch: torch.Tensor
) -> torch.Tensor:
    """(3, N) colours of the surface before light.

    Args:
        fragments: of `raster.rasterise`.
        looks: of the people.
        cloth: (16, B, S) from `materials`.
        solids: of `body.build`.
        pitch: (N,) metres a pixel: patterns finer than two pixels fade.
    """
    m = cloth.flatten(1).index_select(1, fragments.solid)
    x, y, z = fragments.local
    hoops, stripes = torch.sin(m[14] * y), torch.sin(m[14] * x)
    ramp = 2 * y / solids.span.detach().flatten().index_select(0, fragments.solid).clamp_min(0.1) - 1
    value = m[9] * hoops + m[10] * stripes + m[11] * hoops * stripes
    sharp = (1.5 / (m[14] * pitch * 0.8)).clamp(0.15, 4)
    mix = (0.5 + 0.5 * (sharp * value).clamp(-1, 1) + 0.35 * m[12] * ramp + 0.5 * m[13]).clamp(0, 1)
    colour = torch.lerp(m[0:3], m[3:6], mix)
    beyond = ((y - m[15]) / pitch + 0.5).clamp(0, 1)
    colour = torch.lerp(colour, m[6:9], beyond)
    heads = (fragments.solid % len(SOLIDS) == _HEAD).nonzero()[:, 0]
    if len(heads) == 0:
        return colour
    image = torch.div(fragments.solid[heads], len(SOLIDS), rounding_mode="floor")
    scale = (solids.size.detach() * looks.head).index_select(0, image)
    place = fragments.local.index_select(1, heads) / scale
    painted = face(place, looks.skin.T[:, image], looks.hair.T[:, image], looks.style[image], pitch[heads] / scale)
    return colour.index_copy(1, heads, painted)


def face(
    place: torch.Tensor, skin: torch.Tensor, hair: torch.Tensor, style: torch.Tensor, pitch: torch.Tensor
) -> torch.Tensor:
    """(3, N) colours of a head at `place` (3, N): metres to the right, up from the chin's centre, to the front."""
    x, y, z = place
    y = y - 0.048  # the head's centre
    soft = pitch.clamp_min(0.006)

    def spot(dx: torch.Tensor, dy: torch.Tensor, wide: float, tall: float):
        """1 inside an ellipse in the front of the head, soft at its edge."""
        r = torch.sqrt((dx / wide) ** 2 + (dy / tall) ** 2)
        return ((1 - r) * tall / soft + 0.5).clamp(0, 1) * (z > 0)

    colour = skin
    cheek = spot(x.abs() - 0.042, y + 0.03, 0.022, 0.02)
    colour = colour * (1 - 0.10 * cheek)
    mouth = spot(x, y + 0.062, 0.03, 0.010)
    colour = torch.lerp(colour, colour * colour.new_tensor([0.75, 0.38, 0.38])[:, None], mouth)
    white = spot(x.abs() - 0.034, y - 0.004, 0.019, 0.012)
    colour = torch.lerp(colour, torch.full_like(colour, 0.9), 0.6 * white)
    pupil = spot(x.abs() - 0.033, y - 0.004, 0.011, 0.012)
    brow = spot(x.abs() - 0.034, y - 0.028, 0.024, 0.007)
    colour = torch.lerp(colour, torch.full_like(colour, 0.06), pupil)
    colour = torch.lerp(colour, hair * 0.8, brow)
    # Hair covers the top and the back; long hair comes further down at the sides.
    long = (style == 1).to(x)
    line = torch.where(
        z > 0,
        y - 0.055 - 0.35 * z + 0.9 * (x.abs() - 0.02).clamp_min(0) * (1 + long),
        y + 0.035 + 0.02 * long - 1.0 * z,
    )
    line = torch.where(style == 2, -1.0, line)
    return torch.lerp(colour, hair, (line / soft + 0.5).clamp(0, 1))


def light(colour: torch.Tensor, normal: torch.Tensor, sun: torch.Tensor, ambient: torch.Tensor, tint: torch.Tensor):
    """Lambert's law with a soft terminator, ambient light that is weaker from below, and a faint rim.

    Args:
        colour: (3, N) of the surface, RGB.
        normal: (3, N) unit vectors, camera frame.
        sun: (3, N) unit vectors towards the light, camera frame.
        ambient: (N,) share of light from everywhere.
        tint: (3, N) colour of the direct light.
    """
    facing = ((normal * sun).sum(0) * 0.85 + 0.15).clamp_min(0)
    below = 0.9 - 0.14 * normal[1]
    return (colour * (ambient * below + (1 - ambient) * 1.3 * facing * tint)).clamp(0, 1)
