"""A live demo of lesson 03: a puppet posed by angles, and the affine maps that lay the template over it."""

from functools import partial
from typing import Any, Literal, get_args

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.demo_by_hand import body_pane, longest, measure
from tutorial_lib.templates import parts, puppet, skeletons, warp

Shifts = Literal["turns and moves along", "only turns"]
SHIFTS: tuple[Shifts, ...] = get_args(Shifts)
"""In the puppet: [A | t], or [A | 0]. Nothing but t carries a forearm along when its arm is lifted."""


LIMITS = {"lean": (-45, 45), "turn": (0, 90)} | dict.fromkeys(("left_arm", "right_arm"), (-150, 100))
LIMITS |= dict.fromkeys(("left_elbow", "right_elbow"), (-150, 150))
LIMITS |= dict.fromkeys(("left_leg", "right_leg"), (-120, 90))
LIMITS |= dict.fromkeys(("left_knee", "right_knee"), (-130, 130))
"""Of the angles, in degrees."""
ENDS = {
    f"{side} {end}": f"{side}_{limb}" for side in ("left", "right") for end, limb in (("hand", "arm"), ("foot", "leg"))
}
"""What can be taken hold of -> the limb that follows."""


def compute_puppet(shifts: Shifts, **angles: float) -> dict[str, Any]:
    """The template laid over a posed skeleton.

    Args:
        shifts: whether every part moves along, or only turns.
        angles: degrees by the names of `puppet.ANGLES`.

    Returns:
        As of `measure`, and "ends": where each hand and foot ought to be, (2,).
    """
    affines = skeletons.affines_to(puppet.pose(angles))
    if shifts == SHIFTS[1]:
        affines = torch.cat([affines[..., :2], torch.zeros_like(affines[..., 2:])], -1)
    return measure(affines) | {"ends": {name: puppet.pose(angles)[puppet.end_of(limb)] for name, limb in ENDS.items()}}


ARM = ("right arm", "right hand")
"""Parts whose maps the puppet's table shows: the arm that waves."""


def view_puppet(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The template, the puppet with its skeleton where the parts lie over it, and the maps of one arm."""
    rows = []
    for name in ARM:
        (a, b, x), (c, d, y) = arrays["affines"][parts.NAMES.index(name)].tolist()
        rows.append([name, *(f"{value:.2f}" for value in (a, b, c, d, x, y))])
    still = measure(warp.identity())
    return stage.panes(
        body_pane(still, "the template: every map is [1 0 0; 0 1 0]", margin=0.05),
        body_pane(
            arrays,
            "18 affine maps, one for each part",
            skeleton=params["shifts"] == SHIFTS[0],
            margin=0.05,
            handles=[stage.handle(name, place) for name, place in arrays["ends"].items()],
        ),
        stage.table(["maps of one arm", "θ₁₁", "θ₁₂", "θ₂₁", "θ₂₂", "tₓ", "tᵧ"], rows),
        note=f"{longest(arrays)}; anchor loss {arrays['losses']['anchor']:.4f}",
        height=235,
    )


def pulled(limb: str, at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
    """The angles of a limb whose hand or foot was dragged to a place (2,)."""
    return puppet.reach({name: params[name] for name in puppet.ANGLES}, limb, at, LIMITS)


def puppet_demo() -> Demo:
    """Whole limbs posed by angles; the affines that lay the template over the skeleton, or their turns alone."""
    first = ("right_arm", "right_elbow")
    folded = [name for name in puppet.ANGLES if name not in first]
    controls = {"shifts": choice(list(SHIFTS), SHIFTS[0], "every part")}
    controls |= {
        name: slider(puppet.POSES["wave"].get(name, 0), *LIMITS[name], 1, f"{name.replace('_', ' ')} (°)")
        for name in (*first, *folded)
    }
    rest = dict.fromkeys(puppet.ANGLES, 0) | {"shifts": SHIFTS[0]}
    poses = {name: rest | angles for name, angles in puppet.POSES.items()}
    return live(
        compute_puppet,
        view_puppet,
        controls,
        presets=poses | {"wave without shifts": poses["wave"] | {"shifts": SHIFTS[1]}},
        title="A puppet of Gaussians",
        folded=folded,
        grabs={name: partial(pulled, limb) for name, limb in ENDS.items()},
        plays="right_arm",
    )
