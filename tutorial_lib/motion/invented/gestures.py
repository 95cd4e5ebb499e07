"""Actions of arms and hands: the feet stay where they are, or the person sits."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from tutorial_lib.motion.invented import arms
from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import TAU, chosen, drift, ease, pulses
from tutorial_lib.motion.invented.gait import Gait, Path, ellipse, locomotion
from tutorial_lib.motion.invented.kinematics import Plan
from tutorial_lib.motion.invented.stance import shuffle, sit, stand


def _spot(person: Person, place: ArrayLike) -> np.ndarray:
    """A place given for somebody of 1.70 m, scaled to this person: seen from the thorax, y outward."""
    return np.asarray(place, dtype=float) * person.stature / 1.70


def wave(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Greeting: one arm goes up and the forearm swings to and fro."""
    plan, hand = shuffle(person, rng, t, stand(person, rng, t)), person.preferred
    level, _ = pulses(rng, t, (0.5, 0.8), (1.6, 3.0), (0.3, 1.0))
    rate, reach = rng.uniform(1.2, 1.9) * person.tempo, rng.uniform(0.25, 0.5) * person.vigour
    lift = rng.uniform(0.9, 1.7)
    beat = reach * np.sin(TAU * rate * t + rng.uniform(0, TAU))
    up = arms.angles(rng.uniform(0.2, 0.6), lift + 0.15 * beat, -1.35 + 0.2 * beat, 0.85 * (np.pi - lift) + beat)
    plan.arms[hand] = arms.blend(plan.arms[hand], up, level)
    plan.spine[:, 2] += (0.06 if hand else -0.06) * -level
    return plan


def phone(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Telephoning, standing or strolling: hand at the ear, the other hand talks along."""
    if rng.random() < 0.5:
        points = ellipse(rng.uniform(1.0, 1.5), rng.uniform(0.9, 1.1), rng.random() < 0.5)
        gait = Gait(0.6, 0.72 * person.tempo, lift=0.09, bob=0.012, swing=0.15)
        plan = locomotion(person, rng, t, Path(points, 0.6, rng.uniform(0, 6)), gait)
    else:
        plan = shuffle(person, rng, t, stand(person, rng, t))
    hand = person.preferred
    start = rng.uniform(-1.0, 0.8)
    level = ease((t - start) / rng.uniform(0.8, 1.2))
    wander = np.stack([drift(rng, t, 0.008) for _ in range(3)], -1)
    ear = arms.aim(person, _spot(person, [0.11, 0.115, 0.14]) + wander, [0.1, 0.7, -1.0])
    plan.arms[hand] = arms.blend(plan.arms[hand], ear, level)
    plan.neck[:, 2] += -person.side * rng.uniform(0.05, 0.2) * level
    talk, _ = pulses(rng, t, (0.4, 0.7), (0.5, 1.5), (0.6, 2.5))
    gesture = arms.angles(
        0.25 + drift(rng, t, 0.1), 0.3, 0.2 + drift(rng, t, 0.3, 0.4, 1.0), 1.3 + drift(rng, t, 0.2, 0.4, 1.2)
    )
    plan.arms[1 - hand] = arms.blend(plan.arms[1 - hand], gesture, talk)
    return plan


def eat(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Sitting at a table: the hand goes from the plate to the mouth and back."""
    plan, hand = sit(person, rng, t), person.preferred
    bite, _ = pulses(rng, t, (0.6, 0.95), (0.3, 0.7), (0.5, 1.4))
    plate = np.stack([0.36 + drift(rng, t, 0.02, 0.3, 0.9), 0.06 + drift(rng, t, 0.025, 0.3, 0.9)], -1)
    plate = np.concatenate([plate, np.full((len(t), 1), -0.27)], -1)
    down = arms.aim(person, _spot(person, plate), [-0.5, 0.9, -0.5])
    mouth = arms.aim(person, _spot(person, [0.24, 0.06, 0.05]), [-0.1, 0.9, -0.9])
    plan.arms[hand] = arms.blend(down, mouth, bite)
    rest = _spot(person, [0.33, 0.10, -0.28]) + np.stack([drift(rng, t, 0.008) for _ in range(3)], -1)
    plan.arms[1 - hand] = arms.aim(person, rest, [-0.5, 0.9, -0.5])
    plan.spine[:, 1] += 0.10 + 0.10 * bite
    plan.neck[:, 1] += 0.22 - 0.14 * bite
    return plan


def discuss(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Talking with somebody, standing or sitting: both hands explain, the head turns and nods."""
    if rng.random() < 0.5:
        plan = sit(person, rng, t)
        plan.ankles[:, :, 0] += rng.uniform(-0.10, 0.22, 2)
        plan.ankles[:, :, 1] += rng.uniform(-0.04, 0.04, 2)
    else:
        plan = shuffle(person, rng, t, stand(person, rng, t))
    for hand in range(2):
        talk, _ = pulses(rng, t, (0.35, 0.7), (0.4, 2.5), (0.2, 2.0))
        beat = [drift(rng, t, amplitude, 0.3, 1.3) for amplitude in (0.12, 0.10, 0.25, 0.25)]
        explain = arms.angles(0.45 + beat[0], 0.30 + beat[1], 0.25 + beat[2], 1.35 + beat[3])
        plan.arms[hand] = arms.blend(plan.arms[hand], explain, talk)
    plan.neck[:, 0] += rng.uniform(-0.4, 0.4) + drift(rng, t, 0.12, 0.2, 0.6)
    plan.neck[:, 1] += drift(rng, t, 0.05, 0.5, 1.5)
    plan.spine[:, 1] += drift(rng, t, 0.04, 0.1, 0.5)
    return plan


def direct(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Directing traffic: an arm points ahead, aside or up, stays, and changes."""
    plan = shuffle(person, rng, t, stand(person, rng, t), rest=(0.6, 2.5), turn=0.5)
    signs = np.array([[1.45, 0.1, 0.0, 0.15], [0.1, 1.45, 0.0, 0.15], [0.5, 1.3, -1.2, 1.5], [1.2, 0.6, 0.0, 0.3]])
    turned = 0
    for hand, side in enumerate((1, -1)):
        beat = pulses(rng, t, (0.45, 0.8), (0.6, 1.6), (0.2, 1.6))
        forward, out, twist, elbow = chosen(rng, beat[1], signs + rng.normal(0, 0.08, signs.shape)).T
        sign = arms.angles(forward + drift(rng, t, 0.03), out, twist, elbow + drift(rng, t, 0.05, 0.5, 1.5))
        plan.arms[hand] = arms.blend(plan.arms[hand], sign, beat[0])
        turned = turned + side * beat[0]
    plan.neck[:, 0] += 0.3 * turned
    plan.spine[:, 0] += 0.12 * turned
    return plan


def wash_window(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Wiping a pane in front with one hand, in circles and strokes that wander over the glass."""
    plan = shuffle(person, rng, t, stand(person, rng, t, stagger=0.08), turn=0.1, stray=0.15)
    hand = person.preferred
    rate = rng.uniform(0.55, 0.9) * person.tempo
    turn = TAU * rate * t + rng.uniform(0, TAU)
    wide, high = rng.uniform(0.10, 0.20), rng.uniform(0.08, 0.20)
    across = 0.12 + wide * np.cos(turn) + drift(rng, t, 0.06, 0.05, 0.2)
    up = 0.10 + high * np.sin(turn) + drift(rng, t, 0.10, 0.05, 0.2)
    pane = np.stack([0.46 - 0.25 * (up - 0.1) ** 2, across, up], -1)
    plan.arms[hand] = arms.aim(person, _spot(person, pane), [-0.2, 0.8, -0.8])
    other = arms.aim(person, _spot(person, [0.10, 0.26, -0.45]), [-0.6, 0.8, 0.0])
    if rng.random() < 0.5:  # the other hand on the hip
        plan.arms[1 - hand] = arms.blend(plan.arms[1 - hand], other, np.ones(len(t)))
    plan.spine[:, 0] += (0.3 if hand else -0.3) * across - (0.06 if hand else -0.06)
    plan.neck[:, 1] -= 0.35 * (up - 0.05)
    plan.root[:, 1] += (-0.10 if hand else 0.10) * (across - 0.12)
    return plan


def stretch(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Both arms up over the head, bending from side to side, and down again."""
    plan = stand(person, rng, t)
    level, _ = pulses(rng, t, (0.9, 1.3), (1.0, 2.0), (0.3, 0.8))
    tilt = level * (0.22 * person.vigour) * np.sin(TAU * rng.uniform(0.25, 0.4) * t + rng.uniform(0, TAU))
    for hand in range(2):
        out = 2.5 + drift(rng, t, 0.04)
        up = arms.angles(-0.25, out, -1.2, 0.5 + drift(rng, t, 0.1))
        half = arms.angles(0.5, 1.3, -1.0, 0.9)
        raised = arms.blend(half, up, level)
        plan.arms[hand] = arms.blend(plan.arms[hand], raised, level)
    plan.spine[:, 2] += tilt
    plan.spine[:, 1] -= 0.10 * level
    plan.neck[:, 1] -= 0.25 * level
    plan.root[:, 1] += 0.12 * tilt
    return plan


def punch(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Shadow boxing: guard up, left and right hands shoot out in turn."""
    plan = shuffle(person, rng, t, stand(person, rng, t, width=1.6, stagger=0.12), rest=(0.3, 1.5))
    guard = arms.aim(person, _spot(person, [0.20, 0.10, 0.02]), [-0.2, 0.6, -1.0])
    out = arms.aim(person, _spot(person, [0.52, 0.02, 0.04]), [0.0, 0.8, -0.7])
    thrust = 0
    for hand, side in enumerate((1, -1)):
        level, _ = pulses(rng, t, (0.20, 0.30), (0.02, 0.10), (0.5, 1.4))
        plan.arms[hand] = arms.blend(guard, out, level)
        thrust = thrust - side * level
    plan.spine[:, 0] += 0.35 * thrust
    plan.neck[:, 0] -= 0.35 * thrust
    plan.pelvis[:, 0] += 0.12 * thrust
    plan.neck[:, 0] -= 0.12 * thrust
    plan.root[:, 2] -= 0.05 + 0.01 * np.sin(TAU * 1.1 * person.tempo * t)
    return plan
