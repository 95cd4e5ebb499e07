"""Actions that go somewhere: walking, running, turning, stepping sideways and back, carrying."""

import numpy as np
from numpy.random import Generator

from tutorial_lib.motion.invented import arms
from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import TAU, drift
from tutorial_lib.motion.invented.gait import Gait, Path, ellipse, figure_eight, locomotion
from tutorial_lib.motion.invented.kinematics import Plan


def _stroll(person: Person, rng: Generator, low: float, high: float) -> tuple[float, float]:
    """Speed (m/s) and strides a second of a walk; `low` and `high` m/s are for somebody of average size."""
    speed = rng.uniform(low, high) * np.sqrt(person.leg / 0.8)
    cadence = person.tempo * (0.52 + 0.32 * speed) * np.sqrt(0.8 / person.leg)
    return speed, max(cadence, speed / (1.62 * person.leg))


def _start(rng: Generator, points: np.ndarray) -> float:
    """Any place along a closed curve, in metres from its first point."""
    return rng.uniform(0, np.hypot(*np.diff(points, axis=0).T).sum())


def walk(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Walking round an oval of about four metres by three."""
    speed, cadence = _stroll(person, rng, 0.85, 1.40)
    points = ellipse(rng.uniform(1.7, 2.1), rng.uniform(1.2, 1.5), rng.random() < 0.5)
    gait = Gait(speed, cadence, swing=0.36 * person.vigour, lift=rng.uniform(0.14, 0.20))
    return locomotion(person, rng, t, Path(points, speed, _start(rng, points)), gait)


def turn(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Strolling along a figure of eight, turning left and right."""
    speed, cadence = _stroll(person, rng, 0.6, 0.85)
    points = figure_eight(rng.uniform(1.4, 1.8), rng.uniform(0.8, 1.1))
    gait = Gait(speed, cadence, swing=0.24 * person.vigour, lift=rng.uniform(0.12, 0.17), bob=0.014, lean=0.01)
    return locomotion(person, rng, t, Path(points, speed, _start(rng, points)), gait)


def run(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Running in a circle of about four metres, leaning into the curve."""
    speed = rng.uniform(2.2, 3.0) * np.sqrt(person.leg / 0.8)
    cadence = max(1.36 * person.tempo * np.sqrt(0.8 / person.leg), speed / (2.3 * person.leg))
    points = ellipse(rng.uniform(1.9, 2.2), rng.uniform(1.8, 2.0), rng.random() < 0.5)
    gait = Gait(
        speed, cadence, pinned=0.11, lift=rng.uniform(0.26, 0.38), bob=-0.032, lean=0.07,
        swing=0.55 * person.vigour, elbow=1.1, width=0.55, ahead=0.03, land=0.96,
    )  # fmt: skip
    return locomotion(person, rng, t, Path(points, speed, _start(rng, points)), gait)


def sidestep(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Stepping to the left and to the right, always facing the same way."""
    reach, period = rng.uniform(0.5, 0.8), rng.uniform(5.0, 7.0)
    start = rng.uniform(0, TAU)

    def route(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        aside = reach * np.sin(TAU * times / period + start)
        back = 0.15 * np.sin(TAU * times / (2.3 * period) + start)
        return np.stack([back, aside], -1), 0.15 * np.sin(TAU * times / (1.7 * period))

    cadence = rng.uniform(0.8, 1.0) * person.tempo
    gait = Gait(0.35, cadence, lift=0.08, bob=0.012, lean=0.06, swing=0.08, elbow=0.5, width=1.7)
    return locomotion(person, rng, t, route, gait)


def pace(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Pacing back and forth: some steps forward, some steps back, without turning round."""
    reach, period = rng.uniform(0.7, 1.0), rng.uniform(6.5, 8.5)
    start = rng.uniform(0, TAU)

    def route(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ahead = reach * np.sin(TAU * times / period + start)
        heading = 0.35 * np.sin(TAU * times / (1.4 * period) + start)
        return np.stack([ahead, 0.2 * np.sin(TAU * times / (1.9 * period))], -1), heading

    cadence = rng.uniform(0.75, 0.95) * person.tempo
    gait = Gait(0.55, cadence, lift=0.09, bob=0.015, lean=0.02, swing=0.15 * person.vigour)
    return locomotion(person, rng, t, route, gait)


def carry(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Walking with a box in both hands."""
    speed, cadence = _stroll(person, rng, 0.7, 1.05)
    points = ellipse(rng.uniform(1.6, 2.0), rng.uniform(1.1, 1.4), rng.random() < 0.5)
    gait = Gait(speed, cadence, swing=0.0, lift=0.10, bob=0.015, lean=-0.01)
    plan = locomotion(person, rng, t, Path(points, speed, _start(rng, points)), gait)
    plan.spine[:, 0] *= 0.3
    height, width = -rng.uniform(0.16, 0.30), rng.uniform(0.13, 0.20)
    hold = np.stack([0.34 + drift(rng, t, 0.01), np.full(len(t), width), height + drift(rng, t, 0.015)], -1)
    hold *= person.stature / 1.7
    plan.arms = [arms.aim(person, hold, [-0.5, 0.5, -0.8]) for _ in range(2)]
    return plan
