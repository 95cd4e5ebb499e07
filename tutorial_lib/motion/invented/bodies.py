"""Invented people: proportions and habits."""

from dataclasses import dataclass

import numpy as np

# Shares of stature, rounded means over adults; hip and shoulder entries are half-widths seen from the spine.
SHARES = {
    "hip": 0.060, "thigh": 0.240, "shank": 0.234, "loin": 0.136, "chest": 0.150,
    "neck": 0.076, "head": 0.088, "shoulder": 0.098, "upper_arm": 0.167, "forearm": 0.146,
}  # fmt: skip
_SPREAD = {
    "hip": 0.09, "thigh": 0.035, "shank": 0.04, "loin": 0.05, "chest": 0.05,
    "neck": 0.06, "head": 0.05, "shoulder": 0.07, "upper_arm": 0.04, "forearm": 0.045,
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One body, left and right alike, and the way it likes to move.

    Lengths are metres, angles radians. `side` is +1 for somebody who prefers the left, -1 for the right.
    """

    stature: float
    ankle: float  # height of the ankle joint above the floor when the foot is flat
    hip: float
    thigh: float
    shank: float
    loin: float
    chest: float
    neck: float
    head: float
    shoulder: float
    upper_arm: float
    forearm: float
    tempo: float
    vigour: float
    stoop: float
    gaze: float
    toe_out: float
    stance: float
    knee_rest: float
    elbow_rest: float
    arm_spread: float
    swing_left: float
    swing_right: float
    sway: float
    side: int

    @property
    def preferred(self) -> int:
        """Index of the hand and the foot that the person prefers: 0 left, 1 right."""
        return 0 if self.side > 0 else 1

    @property
    def leg(self) -> float:
        """Length of the straight leg, hip to ankle."""
        return self.thigh + self.shank

    @property
    def arm(self) -> float:
        """Length of the straight arm, shoulder to wrist."""
        return self.upper_arm + self.forearm

    @property
    def standing(self) -> float:
        """Height of the hips when standing at ease, knees a little bent."""
        return self.ankle + self.leg * np.cos(self.knee_rest / 2)


def make_person(seed: int, number: int) -> Person:
    """Person `number` of the population `seed`; the others do not matter."""
    rng = np.random.default_rng([seed, number, 1])

    def normal(mean: float, spread: float) -> float:
        return mean + spread * float(np.clip(rng.standard_normal(), -2.2, 2.2))

    stature = normal(1.70, 0.095)
    legs, arms = normal(1.0, 0.025), normal(1.0, 0.025)
    lengths = {part: stature * share * normal(1.0, _SPREAD[part]) for part, share in SHARES.items()}
    for part in ("thigh", "shank"):
        lengths[part] *= legs
    for part in ("upper_arm", "forearm"):
        lengths[part] *= arms
    return Person(
        stature=stature,
        ankle=0.046 * stature,
        **lengths,
        tempo=normal(1.0, 0.09),
        vigour=normal(1.0, 0.13),
        stoop=normal(0.06, 0.06),
        gaze=normal(0.0, 0.07),
        toe_out=max(0.0, normal(0.14, 0.07)),
        stance=normal(1.0, 0.15),
        knee_rest=normal(0.22, 0.04),
        elbow_rest=normal(0.40, 0.10),
        arm_spread=normal(0.16, 0.035),
        swing_left=normal(1.0, 0.15),
        swing_right=normal(1.0, 0.15),
        sway=normal(1.0, 0.25),
        side=1 if rng.random() < 0.15 else -1,
    )
