"""Learning from two cameras: what one saw, turned, must paint what the other sees."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch

from tutorial_lib.geometry_aware.latents import rotate
from tutorial_lib.geometry_aware.networks import GeometryNet
from tutorial_lib.render import Views
from tutorial_lib.training import History, fit

Row = Literal["ours", "plain", "splat"]
"""Points of the other camera, turned; points of the same camera (an auto-encoder); as the first, with `Splat`."""

WEIGHT, DIFFERENT = 5.0, 0.08
"""Of a pixel that is further than `DIFFERENT` from the plate in some channel. Nobody has to mark the person for it."""

Exchange = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""As `exchange`, of points, appearance and rotation."""

Look = Callable[[GeometryNet, int], None]
"""Called with the network and the number of the step."""


def exchange(
    points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor, row: Row = "ours"
) -> tuple[torch.Tensor, torch.Tensor]:
    """What each of two cameras at each of two moments is painted from.

    Points come from the same moment and the *other* camera, turned into the wanted one's frame. Appearance comes from
    the *other* moment, so that a pose in it would be the wrong one; and from the other camera, too, or it would tell
    which side of the person the wanted camera sees, and the points need not.

    Args:
        points: (B, 2 moments, 2 cameras, points, 3), each in its camera's frame.
        appearance: (B, 2, 2, numbers).
        rotation: (B, 2 cameras, 3, 3), the cameras' axes in the world as rows.
        row: "plain" leaves each camera its own points, which then need no turning.

    Returns:
        Points and appearance, shaped as they came.

    Raises:
        ValueError: not two moments and two cameras.
    """
    if points.shape[1:3] != (2, 2) or appearance.shape[1:3] != (2, 2) or rotation.shape[1:] != (2, 3, 3):
        raise ValueError(
            f"points {tuple(points.shape)}, appearance {tuple(appearance.shape)}, rotation {tuple(rotation.shape)}: "
            "expected (B, 2, 2, n, 3), (B, 2, 2, m) and (B, 2, 3, 3), two moments before two cameras"
        )
    if row != "plain":
        turn = rotation @ rotation.flip(1).mT  # into camera j from the other one
        points = rotate(points.flip(2), turn[:, None])
    return points, appearance.flip(1, 2)


def picture_loss(painted: torch.Tensor, photo: torch.Tensor, plate: torch.Tensor) -> torch.Tensor:
    """Mean absolute error, pixels that differ from the plate counting `WEIGHT` times: a number.

    A person covers a tenth of the pixels; unweighted, the empty room would be a good answer.

    Args:
        painted: (B, 3, H, W) in [0, 1].
        photo: the same shape, what it should be.
        plate: the same shape, the room without the person.
    """
    weight = 1 + (WEIGHT - 1) * ((photo - plate).abs().amax(1, keepdim=True) > DIFFERENT)
    return (weight * (painted - photo).abs()).mean() / weight.mean()


def paint(
    net: GeometryNet, views: Views, row: Row = "ours", hand_over: Exchange | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All four pictures of every group, painted from the others.

    Args:
        net: in either mode.
        views: (B) groups of two moments before two cameras.
        row: how points are exchanged.
        hand_over: exchanges them instead.

    Returns:
        Painted, photographed and plates, each (4 B, 3, H, W) in [0, 1]; groups, moments, cameras in this order.
    """
    photo = views.pixels.flatten(0, 2).float() / 255
    plate = (views.plates.float() / 255)[:, None].expand(-1, 2, -1, -1, -1, -1).flatten(0, 2)
    points, appearance = (value.unflatten(0, (len(views), 2, 2)) for value in net.encoder(photo))
    hand_over = hand_over or partial(exchange, row=row)
    points, appearance = hand_over(points, appearance, views.rotation)
    return net.decoder(points.flatten(0, 2), appearance.flatten(0, 2), plate)[0], photo, plate


def train(
    net: GeometryNet,
    views: Views,
    *,
    row: Row = "ours",
    hand_over: Exchange | None = None,
    steps: int,
    generator: torch.Generator,
    rate: float = 3e-3,
    batch: int = 16,
    look: Look | None = None,
    every: int = 500,
    label: str = "two cameras",
    progress: bool = True,
) -> History:
    """Train in place, without a label; the last weights stay, in eval mode.

    Args:
        net: on the device where it shall learn.
        views: groups of two moments before two cameras; on any device.
        row: how points are exchanged.
        hand_over: exchanges them instead.
        steps: updates.
        generator: draws batches.
        rate: of Adam, at the start.
        batch: groups, of four pictures each.
        look: called every `every` steps and at the end, the network in eval mode.
        every: steps from one look to the next.
        label: what the bar says.
        progress: show a bar.
    """
    device = next(net.parameters()).device
    # Four fifths of the time.
    net.to(device, memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]

    def loss(step: int) -> torch.Tensor:
        if look is not None and step and step % every == 0:
            net.eval()
            look(net, step)
        net.train()
        which = torch.randint(len(views), (batch,), generator=generator).to(views.pixels.device)
        return picture_loss(*paint(net, views[which].to(device), row, hand_over))

    history = fit(net, loss, steps, rate=rate, final_rate=rate / 100, label=label, progress=progress)
    net.eval()
    if look is not None:
        look(net, steps)
    return history
