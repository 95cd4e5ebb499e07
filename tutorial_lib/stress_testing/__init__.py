"""Stress testing: agents hunt for a network's failures. Lesson 11's idea; stands on `lifting`, `datasets`, ground."""

from tutorial_lib.stress_testing.regions import Regions, distinct, failing_share, grow
from tutorial_lib.stress_testing.search import METHODS, Search, at_random, cem, reinforce
from tutorial_lib.stress_testing.simulator import AXES, Simulator, simulator

__all__ = [
    "AXES", "METHODS", "Regions", "Search", "Simulator", "at_random", "cem", "distinct", "failing_share", "grow",
    "reinforce", "simulator",
]  # fmt: skip
