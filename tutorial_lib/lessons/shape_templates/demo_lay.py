"""A live demo of lesson 03: the template is laid onto a photo by hand, and the loss of the training is live."""

from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.demo_by_hand import FIRSTS, TOGETHER, linear_map, moved_piece, piece_choice
from tutorial_lib.lessons.shape_templates.demo_slide import rings
from tutorial_lib.lessons.shape_templates.demo_trained import Trained, enlarge, painted_by, plain
from tutorial_lib.lessons.shape_templates.grabs import piece_grabs, piece_handle
from tutorial_lib.templates import losses
from tutorial_lib.templates.network import START
from tutorial_lib.templates.warp import Pivot, identity

BEGIN = {"an adult who stands": START, "the published infant": identity()}
FOUND = "what the network found"
SHIFTS = torch.linspace(-1.5, 1.5, 25)


@torch.no_grad()
def laid_by_hand(
    trained: Trained, begin: str, piece: str, shifts_x: list[float], shift_y: float, turn: float, photo: int
) -> torch.Tensor:
    """Affines (shifts, 18, 2, 3) for several shifts to the right; the rest as of `compute_laid`."""
    first = trained.regressor(trained.tests.photos(0)[photo][None])[0] if begin == FOUND else BEGIN[begin]
    linear = linear_map(turn, 1.0, 1.0, 0.0)
    return torch.stack([moved_piece(first, piece, linear, torch.tensor([x, shift_y])) for x in shifts_x])


def compute_laid(
    trained: Trained, begin: str, piece: str, shift_x: float, shift_y: float, turn: float, photo: int
) -> dict[str, Any]:
    """The template laid onto a photo, and what the training's loss says to that.

    Args:
        trained: networks and photos; the translator is the trained one and stays as it is.
        begin: where all parts are before anything is moved: of `BEGIN`, or `FOUND`.
        piece: what is moved, see `demo_by_hand.moved_piece`.
        shift_x: to the right, in half widths.
        shift_y: downwards.
        turn: clockwise, in degrees.
        photo: index of the test photo.

    Returns:
        "photo", "painted" (3, H, H); "affines" (18, 2, 3); "losses" by name, weighted; "shifts" (25,) and "along"
        (25,), the reconstruction loss if only the shift to the right were another.
    """
    target, other = trained.tests.photos(0)[photo], trained.tests.photos(1)[photo]
    place = trained.tests.places()[photo]
    affines = laid_by_hand(trained, begin, piece, [shift_x, *SHIFTS.tolist()], shift_y, turn, photo)
    with torch.no_grad():
        painted = painted_by(trained, other, place, affines)
        seen = trained.eye(target[None])
        gaps = (trained.eye(painted) - seen).abs().mean((1, 2, 3)) + (painted - target).abs().mean((1, 2, 3))
    return {
        "photo": target, "painted": painted[0], "affines": affines[0], "shifts": SHIFTS, "along": gaps[1:],
        "losses": {
            "reconstruction": gaps[0].item(),
            "anchor": losses.ANCHOR_WEIGHT * losses.anchor_loss(affines[0]).item(),
            "boundary": losses.BOUNDARY_WEIGHT * losses.boundary_loss(affines[0]).item(),
        },
    }  # fmt: skip


def view_laid(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The photo under the parts, what the translator paints from them, and the loss along the shift."""
    cost = arrays["losses"]
    top = 1.1 * float(arrays["along"].max())
    return stage.panes(
        stage.image(
            picture=enlarge(arrays["photo"]), dots=rings(arrays["affines"]), cross=None, margin=0.25,
            title="the photo and 18 parts",
            handles=[piece_handle(params["piece"], FIRSTS[params["piece"]], arrays["affines"])],
        ),
        plain("painted from these parts", enlarge(arrays["painted"])),
        stage.curve(
            [stage.series("reconstruction", arrays["shifts"], arrays["along"], colour="vermillion")],
            x=stage.axis("shift x (half widths)", -1.5, 1.5), y=stage.axis("reconstruction loss", 0, top),
            now=params["shift_x"], grab="shift", title="the loss along the shift",
        ),
        note=f"{' + '.join(f'{name} {value:.3f}' for name, value in cost.items())} = {sum(cost.values()):.3f}",
        height=270,
    )  # fmt: skip


def laid_demo(trained: Trained, photo: int = 0) -> Demo:
    """Lay the template onto a photo by hand: the loss that trains the regressor is live.

    Args:
        trained: networks and photos.
        photo: shown at first.
    """
    rest = {"begin": FOUND, "piece": TOGETHER, "shift_x": 0.0, "shift_y": 0.0, "turn": 0, "photo": photo}
    standing = rest | {"begin": "an adult who stands"}
    controls = {
        "piece": piece_choice(TOGETHER),
        "shift_x": slider(0.0, -1.5, 1.5, 0.05, "shift x (half widths)"),
        "shift_y": slider(0.0, -1.5, 1.5, 0.05, "shift y (half widths)"),
        "begin": choice([*BEGIN, FOUND], "an adult who stands", "upon"),
        "turn": slider(0, -180, 180, 5, "turn (°)"),
        "photo": slider(photo, 0, len(trained.tests) - 1, 1, "test photo"),
    }

    def where(params: dict[str, Any]) -> tuple[torch.Tensor, Pivot]:
        rest = {name: value for name, value in params.items() if name != "shift_x"}
        return laid_by_hand(trained, shifts_x=[params["shift_x"]], **rest)[0], "part"

    return live(
        partial(compute_laid, trained),
        view_laid,
        controls,
        presets={
            "where training begins": standing,
            "a step aside": standing | {"shift_x": 0.3},
            "beyond the hill": standing | {"shift_x": 0.9},
            "the infant in its T-pose": standing | {"begin": "the published infant"},
            "what the network found": rest,
            "found, a forearm moved": rest | {"piece": "left forearm and hand", "shift_x": -0.3, "shift_y": -0.3},
        },
        title="Lay the template onto the photo",
        folded=("begin", "turn", "photo"),
        grabs=piece_grabs(FIRSTS, where) | {"shift": lambda at, params: {"shift_x": at[0]}},
    )
