"""Going somewhere: a foot-step planner. Feet on the floor stay where they are; the body passes over them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tutorial_lib.motion.invented import arms
from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import TAU, bump, drift, ease
from tutorial_lib.motion.invented.kinematics import STRETCH, Plan

Route = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Seconds (n,), before the clip too, to the places (n, 2) in metres and the headings (n,) in radians at that time."""


@dataclass(frozen=True)
class Gait:
    """How the steps are taken.

    Attributes:
        speed: m/s along the path.
        cadence: strides (two steps) a second.
        pinned: share of a stride for which the ankle does not move.
        lift: metres the ankle rises in the swing.
        bob: metres of the hips' rise and fall; positive is highest over the standing foot (walking),
            negative lowest (running).
        lean: radians forward.
        swing: radians of the arms' swing.
        elbow: radians of elbow bend on top of the person's own.
        width: half the feet's distance, as a share of the hips' half-width.
        ahead: metres by which the middle of a stance lies before the place the hips pass then.
        land: share of the swing after which the foot only goes down.
    """

    speed: float
    cadence: float
    pinned: float = 0.40
    lift: float = 0.17
    bob: float = 0.022
    lean: float = 0.02
    swing: float = 0.42
    elbow: float = 0.0
    width: float = 0.85
    ahead: float = 0.02
    land: float = 0.89


class Path:
    """A closed curve walked at constant speed, and which way the body looks on it: a `Route`.

    Args:
        points: (n, 2) metres, dense, the last one equal to the first.
        speed: m/s.
        start: metres along the curve.
    """

    def __init__(self, points: np.ndarray, speed: float, start: float) -> None:
        steps = np.diff(points, axis=0)
        self.length = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
        self.points, self.speed, self.start = points, speed, start
        tangent = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        self.tangent = np.concatenate([tangent, tangent[:1] + np.round((tangent[-1] - tangent[0]) / TAU) * TAU])
        self.turn = self.tangent[-1] - self.tangent[0]

    def __call__(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        travelled = self.start + self.speed * t
        lap = np.floor(travelled / self.length[-1])
        along = travelled - lap * self.length[-1]
        place = np.stack([np.interp(along, self.length, axis) for axis in self.points.T], -1)
        return place, np.interp(along, self.length, self.tangent) + lap * self.turn


def ellipse(a: float, b: float, turns_left: bool) -> np.ndarray:
    """Closed oval with half-axes a, b in metres around the origin: (721, 2)."""
    angle = np.linspace(0, TAU if turns_left else -TAU, 721)
    return np.stack([a * np.cos(angle), b * np.sin(angle)], -1)


def figure_eight(a: float, b: float) -> np.ndarray:
    """Closed eight, 2a long and 2b wide in metres, around the origin: (1441, 2)."""
    angle = np.linspace(0, TAU, 1441)
    return np.stack([a * np.sin(angle), b * np.sin(2 * angle)], -1)


def footsteps(
    person: Person, t: np.ndarray, route: Route, phase: np.ndarray, gait: Gait
) -> tuple[np.ndarray, np.ndarray]:
    """Ankles (frames, 2, 3) and foot yaw (frames, 2) on a route.

    A foot stands beside the place that the body passes in the middle of its stance. Swinging, it follows the
    same path ahead of the body, so that in a curve it does not cut across the other leg.

    Args:
        person: who walks.
        t: (frames,) seconds.
        route: where the body goes.
        phase: (frames,) of the left foot, in strides.
        gait: how the steps are taken.
    """
    ankles, yaws = np.empty((len(t), 2, 3)), np.empty((len(t), 2))
    for foot, side in enumerate((1, -1)):
        own = phase + 0.5 * foot
        step = np.floor(own)
        swing = np.clip((own - step - gait.pinned) / (1 - gait.pinned), 0, 1)
        go = ease((swing - 0.04) / (gait.land - 0.04))
        middle = t[0] + (step + go + 0.5 * gait.pinned - own[0]) / gait.cadence
        place, heading = route(middle)
        out = side * max(gait.width * person.hip * person.stance, 0.04 * person.stature)
        left = np.stack([-np.sin(heading), np.cos(heading)], -1)
        front = np.stack([np.cos(heading), np.sin(heading)], -1)
        ankles[:, foot, :2] = place + out * left + gait.ahead * front
        ankles[:, foot, 2] = person.ankle + gait.lift * bump(swing)
        yaws[:, foot] = heading + side * person.toe_out
    return ankles, yaws


def locomotion(person: Person, rng: Generator, t: np.ndarray, route: Route, gait: Gait) -> Plan:
    """A plan of walking or running along a route, arms swinging."""
    phase = rng.uniform(0, 1) + gait.cadence * t
    place, heading = route(t)
    ankles, feet = footsteps(person, t, route, phase, gait)
    stride = gait.speed / gait.cadence
    tempo = TAU * (phase - 0.5 * gait.pinned)  # zero in the middle of the left foot's stance
    left = np.stack([-np.sin(heading), np.cos(heading)], -1)
    sway = 0.018 * person.sway * np.cos(tempo) * (1 if gait.bob > 0 else 0.5)
    bob = gait.bob * np.cos(2 * tempo)
    landing = person.ankle + np.sqrt((STRETCH * person.leg) ** 2 - (0.5 * gait.pinned * stride + gait.ahead) ** 2)
    base = min(person.standing - abs(gait.bob), landing + 0.8 * gait.bob)
    root = np.concatenate([place + sway[:, None] * left, (base + bob)[:, None]], -1)
    twist = 0.10 * person.vigour * np.sin(tempo)  # the leg in front brings its hip along
    lean = gait.lean + drift(rng, t, 0.015)
    # A runner leans into the curve: the tangent of the lean is v * turning rate / g.
    bank = -np.arctan(gait.speed * (route(t + 0.1)[1] - route(t - 0.1)[1]) / 0.2 / 9.81)
    pelvis = np.stack([heading + twist, lean, 0.7 * bank + 0.04 * np.cos(tempo)], -1)
    spine = np.stack([-2.0 * twist, 0.5 * gait.lean + drift(rng, t, 0.02), -0.03 * np.cos(tempo)], -1)
    look = drift(rng, t, 0.12, 0.05, 0.35)
    neck = np.stack([0.9 * twist + look, -0.6 * lean + drift(rng, t, 0.04), -0.5 * bank], -1)
    tracks = []
    for side, habit in ((1, person.swing_left), (-1, person.swing_right)):
        wave = side * np.sin(tempo - 0.25)
        forward = habit * gait.swing * wave + 0.04 + 0.1 * gait.elbow
        bend = gait.elbow + 0.45 * gait.swing * (1 + wave) * habit
        tracks.append(arms.hang(person, len(t), forward + drift(rng, t, 0.02), bend))
    return Plan(root, pelvis, ankles, feet, spine, neck, tracks)
