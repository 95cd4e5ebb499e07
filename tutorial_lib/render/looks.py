"""Who is in the picture: build, skin, hair and clothes, drawn at random. All numbers here are ours."""

from dataclasses import dataclass

import torch

from tutorial_lib.batch import Batch

_SKIN = torch.tensor(
    [[0.96, 0.82, 0.72], [0.89, 0.70, 0.56], [0.76, 0.56, 0.42], [0.58, 0.39, 0.27], [0.38, 0.25, 0.17]]
)
_HAIR = torch.tensor(
    [
        [0.07, 0.06, 0.06],
        [0.20, 0.12, 0.07],
        [0.38, 0.24, 0.13],
        [0.80, 0.66, 0.40],
        [0.55, 0.25, 0.12],
        [0.7, 0.7, 0.7],
    ]
)
PATTERNS = ("plain", "hoops", "pinstripes", "checks", "gradient")
HAIR_STYLES = ("short", "long", "bald", "bun")


@dataclass(frozen=True)
class Looks(Batch):
    """People's appearance; the skeleton's size comes from the pose.

    Attributes:
        girth: (B,) thickness of all parts, 1 on average.
        belly: (B,) thickness of the waist beside the chest's.
        shoulders: (B,) width of the chest.
        head: (B,) size of the head.
        turn: (B,) radians the face looks away from the chest's front, positive to the person's right.
        skin, hair, shoes: (B, 3) RGB.
        style: (B,) int64 index into `HAIR_STYLES`.
        shirt, trousers: (B, 2, 3) RGB, the pattern's two colours.
        shirt_pattern, trousers_pattern: (B,) int64 index into `PATTERNS`.
        period: (B, 2) metres, width of the patterns of shirt and trousers.
        sleeve: (B,) share of the arm, shoulder to wrist, that the shirt covers.
        leg: (B,) share of the leg, hip to ankle, that the trousers cover.
        skirt: (B,) bool, a skirt in place of trousers.
    """

    girth: torch.Tensor
    belly: torch.Tensor
    shoulders: torch.Tensor
    head: torch.Tensor
    turn: torch.Tensor
    skin: torch.Tensor
    hair: torch.Tensor
    shoes: torch.Tensor
    style: torch.Tensor
    shirt: torch.Tensor
    trousers: torch.Tensor
    shirt_pattern: torch.Tensor
    trousers_pattern: torch.Tensor
    period: torch.Tensor
    sleeve: torch.Tensor
    leg: torch.Tensor
    skirt: torch.Tensor


def hsv(hue: torch.Tensor, saturation: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Colour wheel to RGB (..., 3); hue in turns, the others in [0, 1]."""
    offset = torch.tensor([5.0, 3.0, 1.0], device=hue.device, dtype=hue.dtype)
    k = (offset + 6 * hue[..., None]) % 6
    return value[..., None] * (1 - saturation[..., None] * torch.minimum(k, 4 - k).clamp(0, 1))


def choose(weights: tuple[float, ...], u: torch.Tensor) -> torch.Tensor:
    """Turn uniform numbers into choices 0, 1, ... with probabilities in proportion to `weights`."""
    edges = torch.tensor(weights).cumsum(0)
    return torch.bucketize(u.contiguous(), edges[:-1] / edges[-1])


def _cloth(u: torch.Tensor, dark: float) -> torch.Tensor:
    """Two colours that go together, (B, 2, 3), from uniform (B, 6); `dark` is the share of dark cloth."""
    value = torch.where(u[:, 2] < dark, 0.12 + 0.25 * u[:, 3], 0.45 + 0.5 * u[:, 3])
    first = hsv(u[:, 0], u[:, 1] ** 1.3 * 0.85, value)
    contrast = torch.where(value > 0.5, value - 0.3 - 0.15 * u[:, 4], value + 0.35 + 0.2 * u[:, 4])
    second = hsv((u[:, 0] + 0.5 * (u[:, 5] - 0.5)) % 1, u[:, 1] * 0.5, contrast.clamp(0.05, 0.97))
    return torch.stack([first, second], 1)


def draw_looks(count: int, *, generator: torch.Generator | None) -> Looks:
    """Draw `count` people.

    Raises:
        ValueError: count below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1 person")
    device = generator.device if generator is not None else "cpu"
    u = torch.rand(count, 34, generator=generator, device=device).cpu()
    normal = torch.randn(count, 5, generator=generator, device=device).cpu().clamp(-2, 2)
    tone = u[:, 0] * (len(_SKIN) - 1)
    low = tone.long().clamp_max(len(_SKIN) - 2)
    skin = torch.lerp(_SKIN[low], _SKIN[low + 1], (tone - low)[:, None])
    hair = _HAIR[choose((3, 3, 2, 1.5, 0.7, 1), u[:, 1])] * (0.8 + 0.4 * u[:, 2:3])
    hair = hair * torch.where(tone[:, None] > 2.5, 0.35, 1.0)
    sleeves = torch.stack([0.12 + 0.2 * u[:, 4], 0.28 + 0.12 * u[:, 4], 0.92 + 0.08 * u[:, 4]], 1)
    legs = torch.stack([0.28 + 0.2 * u[:, 6], 0.92 + 0.1 * u[:, 6]], 1)
    rows = torch.arange(count)
    return Looks(
        girth=1 + 0.11 * normal[:, 0],
        belly=1 + 0.12 * normal[:, 1],
        shoulders=1 + 0.06 * normal[:, 2],
        head=1 + 0.05 * normal[:, 3],
        turn=0.25 * normal[:, 4],
        skin=skin,
        hair=hair.clamp(0, 1),
        shoes=hsv(u[:, 7], 0.5 * u[:, 8], torch.where(u[:, 9] < 0.7, 0.1 + 0.2 * u[:, 10], 0.6 + 0.35 * u[:, 10])),
        style=choose((5, 3, 0.7, 1.3), u[:, 11]),
        shirt=_cloth(u[:, 12:18], 0.3),
        trousers=_cloth(u[:, 18:24], 0.6),
        shirt_pattern=choose((4, 2.5, 1.5, 2, 1.5), u[:, 24]),
        trousers_pattern=choose((7, 0.5, 1, 1, 1), u[:, 25]),
        period=torch.stack([0.07 + 0.11 * u[:, 26], 0.06 + 0.08 * u[:, 27]], 1),
        sleeve=sleeves[rows, choose((1, 4, 5), u[:, 28])],
        leg=legs[rows, choose((3, 7), u[:, 29])],
        skirt=u[:, 30] < 0.15,
    )
