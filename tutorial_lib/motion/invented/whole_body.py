"""Actions of the whole body on the spot: chairs, squats, jumps, kicks, throws, reaching, dancing."""

import numpy as np
from numpy.random import Generator

from tutorial_lib.motion.invented import arms
from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import TAU, bump, chosen, drift, ease, keyframes, pulses, through
from tutorial_lib.motion.invented.kinematics import Plan
from tutorial_lib.motion.invented.stance import on_thigh, seat, stand

GRAVITY = 9.81


def _chair(person: Person, rng: Generator, t: np.ndarray, seated: np.ndarray) -> Plan:
    """Between standing (seated = 0) and sitting (1): first the trunk bends, then the hips travel."""
    plan = stand(person, rng, t, width=1.3, stagger=0.02)
    x, z = seat(person, rng)
    plan.root[:, 0] += seated * (x - 0.02)
    plan.root[:, 2] += (z - person.standing) * (0.25 * seated + 0.75 * seated**2)
    arch = 4 * seated * (1 - seated)
    lean = rng.uniform(0.35, 0.55)
    plan.pelvis[:, 1] += lean * arch - rng.uniform(0.0, 0.15) * seated
    plan.spine[:, 1] += 0.7 * lean * arch + rng.uniform(0.0, 0.2) * seated
    plan.neck[:, 1] -= 0.6 * lean * arch
    plan.pelvis[:, 2] *= 1 - seated
    plan.spine[:, 2] *= 1 - 0.7 * seated
    for hand in range(2):
        thigh = on_thigh(person, rng, t)
        ahead = arms.hang(person, len(t), rng.uniform(0.3, 0.7), 0.5)
        plan.arms[hand] = arms.blend(arms.blend(plan.arms[hand], ahead, arch), thigh, seated**2)
    return plan


def sit_down(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Standing, then sitting down on a chair; long clips get up and sit again."""
    level, _ = pulses(rng, t, (1.2, 1.8), (2.0, 4.0), (1.0, 2.0), start=rng.uniform(0.1, 1.2))
    return _chair(person, rng, t, level)


def stand_up(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Sitting, then getting up from a chair; long clips sit down and get up again."""
    level, _ = pulses(rng, t, (1.1, 1.7), (1.0, 2.0), (2.0, 4.0), start=rng.uniform(0.2, 1.3))
    return _chair(person, rng, t, 1 - level)


def squat(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Knee bends, arms forward for balance."""
    plan = stand(person, rng, t, width=1.7, stagger=0.02)
    down, _ = pulses(rng, t, (0.7, 1.1), (0.05, 0.5), (0.1, 0.6))
    depth = rng.uniform(0.30, 0.60) * person.leg
    plan.root[:, 2] -= depth * down
    plan.root[:, 0] -= 0.45 * depth * down
    plan.pelvis[:, 1] += rng.uniform(0.3, 0.5) * down
    plan.spine[:, 1] += rng.uniform(0.1, 0.25) * down
    plan.neck[:, 1] -= 0.45 * down
    for hand in range(2):
        front = arms.angles(rng.uniform(1.2, 1.6), 0.12, 0.2, 0.25)
        plan.arms[hand] = arms.blend(plan.arms[hand], front, down)
    return plan


def kneel(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Going down on one knee, as to tie a shoe, and up again."""
    plan = stand(person, rng, t, width=1.2, stagger=0.0)
    level, _ = pulses(rng, t, (1.3, 1.8), (0.8, 2.0), (0.4, 1.0))
    foot = person.preferred
    back = ease(level / 0.7)  # the foot goes first, the hips follow
    hips = -rng.uniform(0.62, 0.80) * person.thigh
    plan.ankles[:, foot, 0] += back * (hips - 0.95 * person.shank)
    plan.ankles[:, foot, 2] += 0.03 * back + 0.06 * bump(level / 0.7)
    low = 0.06 + 0.985 * person.thigh
    plan.root[:, 0] += hips * level
    plan.root[:, 2] += (low - person.standing) * level
    plan.pelvis[:, 1] += 0.15 * level
    plan.spine[:, 1] += rng.uniform(0.2, 0.7) * level
    plan.neck[:, 1] += 0.15 * level
    for hand in range(2):
        shoe = arms.angles(rng.uniform(0.6, 1.0), 0.05, 0.3, rng.uniform(0.5, 1.0))
        plan.arms[hand] = arms.blend(plan.arms[hand], shoe, level)
    return plan


def jump(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Jumping up on the spot again and again: crouch, push off, fly, land softly."""
    plan = stand(person, rng, t, width=1.2, stagger=0.0)
    plan.pelvis[:, 2] = plan.spine[:, 2] = 0
    high = rng.uniform(0.16, 0.30) * person.vigour
    up = np.sqrt(2 * GRAVITY * high)
    flight = 2 * up / GRAVITY
    crouch = rng.uniform(0.20, 0.34) * person.leg
    top, rise = person.standing + 0.05, 0.07  # hips and ankles when the toes leave the floor
    steps = (0.0, 0.55, 0.32, flight / 2, flight / 2, 0.26, 0.6)
    clock = np.cumsum(steps)
    hips = [
        (person.standing, 0, 0), (person.standing - crouch, 0, 9.0), (top, up, -GRAVITY),
        (top + high, 0, -GRAVITY), (top, -up, -GRAVITY), (person.standing - 0.8 * crouch, 0, 9.0),
        (person.standing, 0, 0),
    ]  # fmt: skip
    tuck = rng.uniform(0.0, 0.10)
    lift = [
        (0, 0, 0), (0, 0, 0), (rise, 0.75 * up, -2.0), (rise + high * 0.85 + tuck, 0, -GRAVITY),
        (rise, -0.75 * up, 0.0), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip
    # Landing: the ankle comes to rest shortly after touch-down, long before the hips do.
    lift_clock = clock.copy()
    lift_clock[1] = clock[2] - 0.12
    lift_clock[5] = clock[4] + 2.0 * rise / (0.75 * up)
    period = clock[-1] + rng.uniform(0.2, 0.6)
    now = (t + rng.uniform(0, period)) % period
    plan.root[:, 2] = through(now, clock, hips) - 0.004
    plan.ankles[:, :, 2] += through(now, lift_clock, lift)[:, None]
    low = keyframes(now, clock[[0, 1, 2, 4, 5, 6]], [0, 1, 0, 0.05, 0.8, 0])
    plan.root[:, 0] -= 0.10 * low
    plan.pelvis[:, 1] += 0.35 * low
    plan.spine[:, 1] += 0.25 * low
    plan.neck[:, 1] -= 0.4 * low
    swing = keyframes(now, clock[[0, 1, 3, 5, 6]], [0.0, -0.8, 1.7 * min(person.vigour, 1.1), 0.4, 0.0])
    bend = keyframes(now, clock[[0, 1, 3, 5, 6]], [0.0, 0.3, 0.4, 0.5, 0.0])
    plan.arms = [arms.hang(person, len(t), swing + drift(rng, t, 0.03), bend) for _ in range(2)]
    return plan


def kick(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Kicking a ball: weight on one foot, the other swings back, then forward and up, and returns."""
    plan = stand(person, rng, t, width=0.9, stagger=0.0)
    foot, side = person.preferred, person.side
    power = rng.uniform(0.8, 1.15) * person.vigour
    size = person.leg / 0.8
    clock = np.cumsum([0.0, 0.55, 0.24, 0.20, 0.65]) * rng.uniform(0.95, 1.1)
    speed = 3.2 * power
    ahead = [(0, 0, 0), (-0.38 * size, 0, 10), (0.02, speed, 0), (0.42 * size * power, 0, -12), (0, 0, 0)]
    above = [(0, 0, 0), (0.26 * size, 0, -6), (0.035, 0, 12), (0.34 * size * power, 0, -8), (0, 0, 0)]
    period = clock[-1] + 0.9 + rng.uniform(0.3, 0.8)
    now = (t + rng.uniform(0, period)) % period - 0.45
    shift = keyframes(now, [-0.45, 0.1, clock[-1] - 0.15, clock[-1] + 0.4], [0, 1, 1, 0])
    plan.ankles[:, foot, 0] += through(now, clock, ahead)
    plan.ankles[:, foot, 2] += through(now, clock, above)
    stand_y = plan.ankles[0, 1 - foot, 1]
    plan.root[:, 1] += shift * (0.75 * stand_y - plan.root[:, 1])
    swing = keyframes(now, clock, [0, -1, 0.2, 1, 0])
    plan.root[:, 0] += 0.05 * swing - 0.02 * shift
    plan.root[:, 2] -= 0.012 * shift
    plan.pelvis[:, 0] -= side * 0.22 * swing
    plan.pelvis[:, 1] += -0.16 * swing
    plan.spine[:, 0] += side * 0.35 * swing
    plan.spine[:, 1] += 0.12 * shift + 0.10 * np.abs(swing)
    plan.neck[:, 1] += 0.08 * shift
    for hand in range(2):
        sign = 1 if hand == foot else -1
        balance = arms.angles(-0.5 * sign * swing, 0.35 + 0.30 * shift, 0.3, 0.6 + 0.2 * np.abs(swing))
        plan.arms[hand] = arms.blend(plan.arms[hand], balance, shift)
    return plan


def throw(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Throwing a ball overarm, feet staggered, the trunk turning with the arm."""
    plan = stand(person, rng, t, width=1.5, stagger=0.0)
    hand, side = person.preferred, person.side
    plan.ankles[:, hand, 0] -= 0.16
    plan.ankles[:, 1 - hand, 0] += 0.16
    plan.root[:, 2] -= 0.025
    pace = rng.uniform(0.95, 1.15) / person.tempo
    clock = np.cumsum([0.0, 0.6, 0.40, 0.36, 0.30, 0.7]) * pace
    period = clock[-1] + rng.uniform(0.3, 0.8)
    now = (t + rng.uniform(0, period)) % period
    ease_arm = arms.hang(person, 1)
    before = arms.angles(0.5, 0.25, 0.6, 1.7)
    cocked = arms.angles(-0.35, 1.35, -1.75, 1.65)
    release = arms.angles(1.6, 0.7, -1.4, 0.45)
    follow = arms.angles(0.9, -0.15, 0.5, 0.5)
    plan.arms[hand] = arms.arm_keys(now, clock, [ease_arm, before, cocked, release, follow, ease_arm])
    lead = arms.angles(1.2, 0.45, 0.0, 0.4)
    tucked = arms.angles(-0.2, 0.35, 0.6, 1.4)
    plan.arms[1 - hand] = arms.arm_keys(now, clock, [ease_arm, before, lead, tucked, tucked, ease_arm])
    turn = keyframes(now, clock, [0, 0.3, 1.0, -0.6, -0.8, 0]) * person.vigour
    plan.pelvis[:, 0] += side * 0.35 * turn
    plan.spine[:, 0] += side * 0.40 * turn
    plan.neck[:, 0] -= side * 0.65 * turn
    plan.spine[:, 1] += keyframes(now, clock, [0, 0, -0.12, 0.25, 0.4, 0])
    plan.neck[:, 1] -= keyframes(now, clock, [0, 0, -0.1, 0.2, 0.25, 0])
    plan.root[:, 0] += keyframes(now, clock, [0, -0.02, -0.08, 0.08, 0.09, 0])
    return plan


def reach(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Taking things: down from the floor in front, from a table, from a high shelf."""
    plan = stand(person, rng, t, width=1.4, stagger=0.06)
    hand, side = person.preferred, person.side
    act = pulses(rng, t, (0.8, 1.2), (0.2, 0.7), (0.3, 0.9))
    places = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    low, table, high = (chosen(rng, act[1], places) * act[0][:, None]).T
    plan.root[:, 2] -= low * 0.30 * person.leg + 0.02 * table
    plan.root[:, 0] -= low * 0.16 + 0.03 * table
    plan.pelvis[:, 1] += 0.60 * low + 0.12 * table - 0.03 * high
    plan.spine[:, 1] += 0.70 * low + 0.22 * table - 0.10 * high
    plan.spine[:, 2] += side * 0.10 * high
    plan.spine[:, 0] -= side * (0.25 * low + 0.2 * table + 0.1 * high)
    plan.neck[:, 1] += -0.35 * low + 0.15 * table - 0.35 * high
    down = arms.angles(1.25, 0.05, 0.1, 0.25)
    ahead = arms.angles(1.0, 0.1, 0.2, 0.45)
    above = arms.angles(2.55, 0.35, -0.2, 0.3)
    for pose, weight in ((down, low), (ahead, table), (above, high)):
        plan.arms[hand] = arms.blend(plan.arms[hand], pose, weight)
    plan.arms[1 - hand] = arms.blend(plan.arms[1 - hand], arms.angles(0.6, 0.3, 0.6, 1.0), low)
    return plan


def dance(person: Person, rng: Generator, t: np.ndarray) -> Plan:
    """Step-touch to a beat: side, close, side, close, arms swinging along."""
    plan = stand(person, rng, t, width=1.1, stagger=0.0)
    beat = rng.uniform(1.5, 1.9) * person.tempo  # steps a second
    clock = beat * t + rng.uniform(0, 4)
    stride, lift = rng.uniform(0.22, 0.34), rng.uniform(0.07, 0.12)
    step, share = np.floor(clock).astype(int), clock % 1.0
    go = ease((share - 0.14) / 0.68)
    # Four beats: left foot out, right foot follows, right foot out, left foot follows.
    for foot, (out, back) in enumerate(((0, 3), (1, 2))):
        kind = step % 4
        where = np.where(kind == out, go, np.where(kind == back, 1 - go, ((kind > out) & (kind < back)) * 1.0))
        moving = (kind == out) | (kind == back)
        plan.ankles[:, foot, 1] += stride * (where - 0.5)
        plan.ankles[:, foot, 2] += lift * moving * bump((share - 0.04) / 0.92)
    middle = plan.ankles[:, :, 1].mean(1)
    turn = TAU * clock / 4
    plan.root[:, 1] += middle
    plan.root[:, 2] -= 0.035 + 0.018 * np.cos(TAU * clock)
    plan.pelvis[:, 0] += 0.18 * np.sin(turn)
    plan.pelvis[:, 2] += 0.07 * np.sin(turn + 0.6)
    plan.spine[:, 0] -= 0.25 * np.sin(turn)
    plan.spine[:, 2] -= 0.10 * np.sin(turn + 0.6)
    plan.neck[:, 1] += 0.06 * np.cos(TAU * clock)
    for hand, side in enumerate((1, -1)):
        forward = 0.35 + 0.45 * side * np.sin(turn) * person.vigour
        outward = 0.35 + 0.15 * np.cos(turn / 2 + rng.uniform(0, TAU))
        plan.arms[hand] = arms.angles(forward, outward, 0.2, 1.3 + 0.35 * np.sin(TAU * clock / 2 + hand))
    return plan
