"""Smooth curves over time: what every joint, foot and hand of the built-in people follows."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from scipy.interpolate import BPoly

TAU = 2 * np.pi
Span = tuple[float, float]
"""(low, high) seconds, between which a duration is drawn."""


def ease(u: np.ndarray) -> np.ndarray:
    """Minimum-jerk step: 0 for u <= 0, 1 for u >= 1, with zero velocity and acceleration at both ends."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)


def bump(u: np.ndarray) -> np.ndarray:
    """0 outside (0, 1), 1 in the middle, smooth up to the acceleration at both ends."""
    u = np.clip(u, 0.0, 1.0)
    return 64 * (u * (1 - u)) ** 3


def keyframes(t: np.ndarray, times: Sequence[float] | np.ndarray, values: Sequence | np.ndarray) -> np.ndarray:
    """Pass through values at times, resting at each, and stay at the first and last outside.

    Args:
        t: (frames,) seconds.
        times: (keys,) seconds, increasing.
        values: (keys,) or (keys, dims).

    Returns:
        (frames,) or (frames, dims), twice continuously differentiable.
    """
    values = np.asarray(values, dtype=float)
    nodes = np.stack([values, np.zeros_like(values), np.zeros_like(values)], axis=1)
    return BPoly.from_derivatives(times, nodes)(np.clip(t, times[0], times[-1]))


def through(t: np.ndarray, times: np.ndarray, states: Sequence) -> np.ndarray:
    """Pass through states (keys, 3) of value, velocity, acceleration at times (keys,); the ends are held."""
    return BPoly.from_derivatives(times, np.asarray(states, dtype=float))(np.clip(t, times[0], times[-1]))


def drift(
    rng: Generator, t: np.ndarray, amplitude: float, low: float = 0.1, high: float = 0.6, terms: int = 4
) -> np.ndarray:
    """Wander around zero: a sum of sines between `low` and `high` Hz, with that root mean square.

    Being a function of time alone, a longer clip begins with the shorter one.
    """
    frequencies = rng.uniform(low, high, terms)
    phases = rng.uniform(0, TAU, terms)
    waves = np.sin(TAU * np.multiply.outer(t, frequencies) + phases)
    return amplitude * np.sqrt(2 / terms) * waves.sum(-1)


def pulses(
    rng: Generator, t: np.ndarray, rise: Span, hold: Span, rest: Span, start: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Go up and down between 0 and 1 again and again, as an arm does that is lifted and lowered.

    Args:
        rng: generator; the pulses draw from a child of it, so that their number disturbs nothing else.
        t: (frames,) seconds.
        rise: how long going up takes, and going down.
        hold: how long it stays up.
        rest: how long it stays down.
        start: seconds at which the first pulse begins; drawn when None, possibly before the clip.

    Returns:
        (frames,) values in [0, 1], and (frames,) the number of the current pulse.
    """
    rng = rng.spawn(1)[0]
    level, number = np.zeros_like(t), np.zeros(len(t), dtype=int)
    clock = rng.uniform(-rise[1], rest[1]) if start is None else start
    while clock < t[-1]:
        up, stay, down, pause = (rng.uniform(*span) for span in (rise, hold, rise, rest))
        level += ease((t - clock) / up) - ease((t - clock - up - stay) / down)
        clock += up + stay + down + pause
        number += t >= clock - pause / 2
    return level, number


def chosen(rng: Generator, numbers: np.ndarray, options: np.ndarray) -> np.ndarray:
    """For each pulse one of the options, held while it lasts.

    Args:
        rng: generator; as for `pulses`, a child of it draws.
        numbers: (frames,) the number of the current pulse, from `pulses`.
        options: (count, dims).

    Returns:
        (frames, dims)
    """
    picks = rng.spawn(1)[0].integers(len(options), size=10_000)
    return np.asarray(options, dtype=float)[picks[numbers]]
