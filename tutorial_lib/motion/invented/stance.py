"""Staying in one place: standing, and sitting on a chair."""

import numpy as np
from numpy.random import Generator

from tutorial_lib.motion.invented import arms
from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import TAU, Span, bump, drift, ease
from tutorial_lib.motion.invented.kinematics import Plan


def stand(person: Person, rng: Generator, t: np.ndarray, width: float = 1.15, stagger: float = 0.04) -> Plan:
    """Standing at ease, shifting weight, breathing, looking about; both feet stay.

    Args:
        person: who it is.
        rng: generator.
        t: (frames,) seconds.
        width: half the feet's distance as a share of the hips' half-width.
        stagger: metres by which one foot is in front.
    """
    count = len(t)
    half = width * person.hip * person.stance
    ahead = rng.uniform(-stagger, stagger)
    ankles, feet = np.empty((count, 2, 3)), np.empty((count, 2))
    for foot, side in enumerate((1, -1)):
        ankles[:, foot] = [side * ahead, side * half, person.ankle]
        feet[:, foot] = side * (person.toe_out + rng.uniform(0, 0.1))
    breath = np.sin(TAU * 0.25 * person.tempo * t + rng.uniform(0, TAU))
    shift = drift(rng, t, 0.018 * person.sway, 0.05, 0.3)
    root = np.stack(
        [
            0.02 + drift(rng, t, 0.006),
            shift,
            person.standing - 0.3 * np.abs(ahead) + drift(rng, t, 0.003) - 0.004,
        ],
        -1,
    )
    pelvis = np.stack([drift(rng, t, 0.04, 0.05, 0.3), 0.02 + drift(rng, t, 0.01), 0.8 * shift], -1)
    spine = np.stack([drift(rng, t, 0.05), drift(rng, t, 0.025) + 0.01 * breath, -0.8 * shift], -1)
    neck = np.stack([drift(rng, t, 0.15, 0.05, 0.4), drift(rng, t, 0.06), drift(rng, t, 0.04)], -1)
    return Plan(root, pelvis, ankles, feet, spine, neck, [easy_arm(person, rng, t) for _ in range(2)])


def shuffle(
    person: Person,
    rng: Generator,
    t: np.ndarray,
    plan: Plan,
    rest: Span = (1.2, 4.5),
    turn: float = 0.35,
    stray: float = 0.10,
) -> Plan:
    """Now and then move the standing place by two small steps, one with each foot, and turn a little.

    Args:
        person: who it is.
        rng: generator.
        t: (frames,) seconds.
        plan: whose root, pelvis, ankles and feet are changed in place.
        rest: seconds between moves.
        turn: standard deviation of where it looks, in radians.
        stray: standard deviation of where it stands, in metres.
    """
    rng = rng.spawn(1)[0]
    clock, home = rng.uniform(0.0, rest[1]), np.zeros(3)
    body, soles = np.zeros((len(t), 3)), np.zeros((2, len(t), 3))
    lift = rng.uniform(0.04, 0.08)
    while clock < t[-1] + 1.0:  # the weight shifts before the step
        place = np.clip(rng.standard_normal(3), -2, 2) * [stray, stray, turn]
        move, home = place - home, place
        foot = int(move[1] < 0) if rng.random() < 0.8 else rng.integers(2)
        step = rng.uniform(0.50, 0.65) / person.tempo
        for number, sole in enumerate((foot, 1 - foot)):
            share = (t - clock - 1.1 * step * number) / step
            soles[sole] += np.multiply.outer(ease((share - 0.08) / 0.8), move)
            plan.ankles[:, sole, 2] += lift * bump(share)
            # The weight is on the other foot while one is in the air.
            plan.root[:, 1] += (-0.02 if sole == 0 else 0.02) * bump((share + 0.3) / 1.6)
        body += np.multiply.outer(ease((t - clock) / (2.1 * step)), move)
        clock += 2.1 * step + rng.uniform(*rest)
    for points, base in ((plan.root, body), (plan.ankles[:, 0], soles[0]), (plan.ankles[:, 1], soles[1])):
        c, s = np.cos(base[:, 2]), np.sin(base[:, 2])
        x, y = points[:, 0].copy(), points[:, 1].copy()
        points[:, 0], points[:, 1] = c * x - s * y + base[:, 0], s * x + c * y + base[:, 1]
    plan.pelvis[:, 0] += body[:, 2]
    plan.feet += soles[:, :, 2].T
    return plan


def easy_arm(person: Person, rng: Generator, t: np.ndarray) -> arms.Arm:
    """An arm that hangs and drifts a little."""
    return arms.hang(person, len(t), 0.02 + drift(rng, t, 0.04), rng.uniform(-0.1, 0.15) + drift(rng, t, 0.05))


def seat(person: Person, rng: Generator) -> tuple[float, float]:
    """Where the hips rest on a chair, (x, z) in metres, the ankles being at x = 0."""
    height = person.ankle + person.shank * rng.uniform(0.96, 1.08)
    return -person.thigh * rng.uniform(0.86, 0.98), height


def sit(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Sitting on a chair, hands on the thighs unless the caller takes them."""
    plan = stand(person, rng, t, width=1.5)
    x, z = seat(person, rng)
    plan.root[:] = np.stack([x + drift(rng, t, 0.006), drift(rng, t, 0.005), np.full(len(t), z)], -1)
    plan.pelvis[:, 1] -= rng.uniform(0.02, 0.18)
    plan.pelvis[:, 2] *= 0.3
    plan.spine[:, 1] += rng.uniform(0.0, 0.25) + drift(rng, t, 0.04)
    plan.arms = [on_thigh(person, rng, t) for _ in range(2)]
    return plan


def on_thigh(person: Person, rng: Generator, t: np.ndarray) -> arms.Arm:
    """An arm whose hand lies on the thigh of somebody sitting."""
    forward, out = rng.uniform(0.55, 0.75) * person.thigh, 1.3 * person.hip
    wrist = np.array([forward, out, -0.86 * (person.loin + person.chest)])
    wander = np.stack([drift(rng, t, 0.012) for _ in range(3)], -1)
    return arms.aim(person, wrist + wander, [-0.9, 0.4, -0.3])
