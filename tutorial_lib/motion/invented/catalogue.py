"""Invented people doing everyday things: motion without a download."""

import operator
import zlib
from collections.abc import Iterable

import numpy as np
import torch

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.invented import gestures, moving, whole_body
from tutorial_lib.motion.invented.bodies import make_person
from tutorial_lib.motion.invented.kinematics import solve

FPS = 50.0
_ACTIONS = {
    action.__name__: action
    for action in (
        moving.walk, whole_body.sit_down, gestures.wave, gestures.phone, gestures.eat, whole_body.reach,
        moving.run, whole_body.stand_up, whole_body.squat, whole_body.jump, whole_body.kick, whole_body.throw,
        moving.turn, gestures.direct, gestures.wash_window, whole_body.dance, moving.sidestep, moving.pace,
        moving.carry, gestures.stretch, gestures.punch,
        whole_body.kneel, gestures.discuss,
    )
}  # fmt: skip
ACTIONS = tuple(_ACTIONS)
"""Names of the built-in actions; a prefix of it is what `actions=n` takes."""


def builtin(
    seed: int = 0,
    subjects: int | Iterable[int] = 4,
    actions: int | Iterable[str] | None = None,
    frames: int = 200,
) -> list[Clip]:
    """Procedural human motion: one clip for each person and action.

    Joints as `skeleton.JOINTS`, metres, world frame with z up, floor at z = 0, 50 frames a second. Bone
    lengths are constant within a person and alike on both sides; a foot that carries the body stays where it
    is. The same arguments always give the same clips, and a person's clips depend neither on the other
    persons nor on the other actions.

    Args:
        seed: which population, an integer >= 0.
        subjects: number of people (the first ones, numbered from 0), or the numbers of the people.
        actions: None for all of `ACTIONS`, a number for the first ones, or names.
        frames: length of each clip.

    Returns:
        Clips ordered by person, then action; `subject` is "builtin-<number>", `source` is "builtin".

    Raises:
        ValueError: if an argument is out of range or an action is unknown; says which and what is possible.
    """
    seed = _whole("seed", seed, 0)
    frames = _whole("frames", frames, 1)
    people = _people(subjects)
    names = _names(actions)
    return [_clip(seed, number, name, frames) for number in people for name in names]


def _clip(seed: int, number: int, name: str, frames: int) -> Clip:
    person = make_person(seed, number)
    rng = np.random.default_rng([seed, number, 2, zlib.crc32(name.encode())])
    heading, place = rng.uniform(-np.pi, np.pi), rng.uniform(-1.0, 1.0, 2)
    positions = solve(person, _ACTIONS[name](person, rng, np.arange(frames) / FPS))
    if name in ("walk", "run", "turn", "carry", "phone"):
        place = 0.3 * place  # these cover the floor themselves
    c, s = np.cos(heading), np.sin(heading)
    positions = positions @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    positions[..., :2] += place
    tensor = torch.from_numpy(positions.astype(np.float32))
    return Clip(positions=tensor, fps=FPS, subject=f"builtin-{number}", action=name, source="builtin")


def _whole(argument: str, value: object, low: int) -> int:
    try:
        number = operator.index(value)  # ty: ignore[invalid-argument-type]  caught where it is none
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < low:
        raise ValueError(f"{argument} is {value!r}, expected a whole number >= {low}; try {argument}=4")
    return number


def _people(subjects: int | Iterable[int]) -> list[int]:
    if isinstance(subjects, str) or not isinstance(subjects, Iterable):
        return list(range(_whole("subjects", subjects, 1)))
    people = [_whole("subjects", number, 0) for number in subjects]
    if not people or len(set(people)) < len(people):
        raise ValueError(
            f"subjects is {people}, expected at least one person number and none twice; "
            "pass for example subjects=4 or subjects=[0, 7]"
        )
    return people


def _names(actions: int | Iterable[str] | None) -> list[str]:
    if actions is None:
        return list(ACTIONS)
    if isinstance(actions, str):
        raise ValueError(f"actions is the text {actions!r}, expected a list of names; pass [{actions!r}]")
    if not isinstance(actions, Iterable):
        count = _whole("actions", actions, 1)
        if count > len(ACTIONS):
            raise ValueError(f"actions is {count}, but there are only {len(ACTIONS)}; None takes all")
        return list(ACTIONS[:count])
    names = list(actions)
    unknown = [name for name in names if name not in _ACTIONS]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(
            f"actions is {names}, expected at least one name, none twice, out of {', '.join(ACTIONS)}"
            + (f"; unknown: {unknown}" if unknown else "")
        )
    return names
