"""Which losses on a volume: one volume is trained while you watch, under the losses that you mix."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import figures, stage
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.integral import DEPTH_RANGE, expectation, hard_argmax, marginals
from tutorial_lib.integral.losses import Mix, mixed

SIDE = 16
"""Cells on each axis of the volume that is trained while the student watches."""

UPDATES = 30

STEP = (6.0, 0.05)
"""Largest change of a score in the first and the last update (ours): the gradient is scaled to it, so that losses of
very different size can be compared."""

PRIOR = -np.log(SIDE**3 - 1)
"""Where the scores start: the log-odds of one cell among all. A network's bias learns that level in a few updates;
the softmax does not feel it, the binary cross entropies do."""

WEIGHTS = (0.0, 0.01, 0.1, 1.0)

Place = tuple[float, float, float]

TRUTH: tuple[Place, Place] = ((0.34, -0.21, 0.54), (0.34, -0.21, -0.46))
"""A joint (x, y, z), away from the middle of its cell; and where it would be if the limb pointed to the camera."""


def two_truths(joint: torch.Tensor, parent: torch.Tensor) -> tuple[Place, Place]:
    """Where a joint is, and where else it could be in the same photo: as far before its parent as it is behind it.

    Args:
        joint: (3,) x, y, z in the volume.
        parent: (3,) such as the elbow of a wrist.
    """
    x, y, z = joint.tolist()
    return (x, y, z), (x, y, 2 * parent[2].item() - z)


@lru_cache(maxsize=64)
def train_volume(mix: Mix | None, doubt: float, places: tuple[Place, Place] = TRUTH, seed: int = 0) -> dict:
    """Train the scores of one joint's volume, as free parameters, with a mixture of losses.

    Args:
        mix: weights of the losses; None: no loss at all, so nothing moves.
        doubt: share of the examples that say the joint is at the second place. One picture, two truths: with a single
            camera, a limb may point towards it or away from it.
        places: the two, x, y, z in the volume.
        seed: of the scores at the start.

    Returns:
        logits (updates + 1, 16, 16, 16), place (updates + 1, 3) their mean, and losses: name -> (updates + 1,).
    """
    generator = torch.Generator().manual_seed(seed)
    logits = (PRIOR + 0.3 * torch.randn(SIDE, SIDE, SIDE, generator=generator)).requires_grad_()
    share = torch.tensor([1 - doubt, doubt])
    truths, share = (torch.tensor(places), share) if doubt else (torch.tensor(places[:1]), share[:1])
    path, losses = [], {}
    for update in range(UPDATES + 1):
        if mix is None:
            path.append(logits.detach())
            continue
        total, parts = mixed(logits.expand(len(truths), -1, -1, -1), truths, mix, share)
        path.append(logits.detach().clone())
        for name, value in parts.items():
            losses.setdefault(name, []).append(value.item())
        if update < UPDATES:
            (gradient,) = torch.autograd.grad(total, logits)
            size = STEP[0] + (STEP[1] - STEP[0]) * update / UPDATES
            with torch.no_grad():
                logits -= size * gradient / gradient.abs().max().clamp_min(1e-12)
    path = torch.stack(path)
    return {
        "logits": path,
        "place": expectation(marginals(path)),
        "losses": {name: np.array(values) for name, values in losses.items()},
    }


def cloud(logits: torch.Tensor) -> dict:
    """What one volume (D, H, W) says: marginals, planes, mean, peak, entropy (nats), spread (cells, rms)."""
    p = torch.softmax(logits.flatten(), 0)
    volume, sums = p.view_as(logits), marginals(logits)
    place = torch.arange(SIDE, dtype=p.dtype)
    variance = torch.stack([(m * (place - m @ place) ** 2).sum() for m in sums]).sum()
    return {
        "marginals": sums,
        "front": volume.sum(0),
        "above": volume.sum(1),
        "mean": expectation(sums),
        "peak": hard_argmax(logits),
        "entropy": torch.special.entr(p).sum().item(),
        "spread": variance.sqrt().item(),
    }


LOSS_NAMES = {
    "integral": "integral (L1)",
    "gaussian": "Gaussian BCE",
    "one_hot": "one-hot BCE",
    "cross_entropy": "one-hot CE",
    "js": "Jensen–Shannon",
    "variance": "variance",
}


def compute_loss_mixer(
    other: float, x: float, y: float, depth: float, doubt: float, update: int, **weights: float
) -> dict[str, Any]:
    """The volume after some updates under a mixture of losses; with all weights 0, the volume as it began.

    Args:
        other: how deep the second truth is.
        x: where the joint is across the picture.
        y: down the picture.
        depth: behind the root.
        doubt: as for `train_volume`.
        update: how many updates.
        weights: of the losses, by the names of `Mix`.

    Returns:
        As of `train_volume` and of `cloud`.
    """
    places = (x, y, depth), (x, y, other)
    run = train_volume(Mix(**weights) if any(weights.values()) else None, doubt, places)
    truths = torch.tensor(places if doubt else places[:1])
    return run | cloud(run["logits"][update]) | {"truths": truths}


HELD = {"where the joint is": "y", "how deep the joint is": "depth"}
"""What can be taken hold of, from the front and from above: beside x it moves this control."""


def view_loss_mixer(photo: torch.Tensor | None, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The cloud from the front, over the photo if there is one, and from above; the losses on the way."""
    truths = arrays["truths"]
    behind = None if photo is None else photo.permute(1, 2, 0)

    def plane(heat: torch.Tensor, held: str, title: str, picture: torch.Tensor | None = None) -> dict[str, Any]:
        pick = [0, 1 + list(HELD).index(held)]
        return stage.image(
            picture=picture, heat=0.9 * heat / heat.max(), heat_name="probability / peak", heat_colour="orange",
            cross=None, margin=0.02,
            dots=[
                stage.dots("truth", truths[:, pick], colour="ink", symbol="diamond", size=8),
                stage.dots("peak", arrays["peak"][None, pick], colour="vermillion", symbol="square", size=6),
                stage.dots("mean", arrays["mean"][None, pick], colour="blue", size=6),
            ],
            title=title, handles=[stage.handle(held, truths[0, pick].tolist())],
        )  # fmt: skip

    front, above = HELD
    cycle = dict(zip(LOSS_NAMES, figures.CYCLE))
    shape = f"entropy {arrays['entropy']:.2f} of {np.log(SIDE**3):.2f} nats; {arrays['spread']:.1f} cells wide"
    return stage.panes(
        plane(arrays["front"], front, "from the front: x right, y down", behind),
        plane(arrays["above"], above, "from above: x right, depth down"),
        stage.curve(
            [stage.series(LOSS_NAMES[name], np.arange(UPDATES + 1), np.maximum(values, 1e-4), colour=cycle[name])
             for name, values in arrays["losses"].items()],
            x=stage.axis("updates", 0, UPDATES), y=stage.axis("loss", 1e-4, 1e4, log=True),
            now=params["update"], grab="updates", title="losses, unweighted",
        ),
        note=f"off by: mean {miss(arrays['mean'], truths):.0f} mm, peak {miss(arrays['peak'], truths):.0f} mm; {shape}"
        if arrays["losses"]
        else "all losses are switched off, so nothing is learned: give one of them a weight",
        height=240,
    )  # fmt: skip


def loss_mixer_demo(places: tuple[Place, Place] = TRUTH, photo: torch.Tensor | None = None) -> Demo:
    """One joint's volume trained with a mixture of losses.

    Args:
        places: where the joint is, and where else it could be, see `two_truths`.
        photo: (3, S, S) in [0, 1], to lie under the cloud.
    """
    controls = {
        **{name: steps(WEIGHTS, float(name == "integral"), label) for name, label in LOSS_NAMES.items()},
        "doubt": slider(0.0, 0.0, 0.5, 0.1, "share of the other truth"),
        "update": slider(UPDATES, 0, UPDATES, 1, "updates"),
    }
    place = dict(zip(("x", "y", "depth"), places[0]))
    controls |= {name: slider(value, -0.9, 0.9, 0.02, f"the joint's {name}") for name, value in place.items()}
    start = {**dict.fromkeys(LOSS_NAMES, 0.0), **place, "doubt": 0.0, "update": UPDATES}
    presets = {
        "integral only": {**start, "integral": 1.0},
        "integral + Gaussian (report)": {**start, "integral": 1.0, "gaussian": 0.01},
        "Gaussian only": {**start, "gaussian": 1.0},
        "integral + Jensen–Shannon": {**start, "integral": 1.0, "js": 1.0},
        "integral + variance": {**start, "integral": 1.0, "variance": 0.01},
        "two truths, integral": {**start, "integral": 1.0, "doubt": 0.4},
        "two truths, Gaussian": {**start, "gaussian": 1.0, "doubt": 0.4},
    }
    folded = [name for name in controls if name not in ("integral", "gaussian", "update")]
    return live(
        partial(compute_loss_mixer, places[1][2]), partial(view_loss_mixer, photo), controls, presets=presets,
        folded=folded, title="Which loss makes which cloud?", plays="update",
        grabs={held: lambda at, params, second=second: {"x": at[0], second: at[1]} for held, second in HELD.items()}
        | {"updates": lambda at, params: {"update": at[0]}},
    )  # fmt: skip


def miss(place: torch.Tensor, truths: torch.Tensor | Sequence[Place] = TRUTH[:1]) -> float:
    """Distance in mm from a place (3,) to the nearest of the truths (any, 3), in a volume that is 2 m on each side."""
    return 1000 * DEPTH_RANGE * torch.linalg.vector_norm(torch.as_tensor(truths) - place, dim=-1).min().item()
