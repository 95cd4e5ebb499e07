"""Agents of lesson 11: eight that ask at once, against eight that ask one after another; boxes the same way.

The lifter under test is the course's own of single frames; a question is a person made, projected and lifted.
"""

import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.stress_testing import AXES, cem, grow, simulator
from tutorial_lib.stress_testing.search import starts

AGENTS, MOVES, SAMPLES, ROUNDS = 8, 10, 24, 10
SEARCH, BOXES = f"a search of {AGENTS} agents, {MOVES} moves", f"{AGENTS} boxes, {ROUNDS} rounds"


@pytest.fixture(scope="module")
def scene():
    errors = simulator().errors_of(checkpoints.load("temporal/lifter-1f"))
    return errors, starts(AGENTS, len(AXES), torch.Generator().manual_seed(0))


def run(benchmark, group, function):
    benchmark.group = group
    return benchmark.pedantic(function, warmup_rounds=1, rounds=5)


def dice():
    return torch.Generator().manual_seed(1)


def test_search(benchmark, scene):
    errors, start = scene
    run(benchmark, SEARCH, lambda: cem(errors, start, MOVES, SAMPLES, generator=dice()))


def test_search_agent_by_agent(benchmark, scene):
    errors, start = scene
    run(benchmark, SEARCH, lambda: [cem(errors, one[None], MOVES, SAMPLES, generator=dice()) for one in start])


def test_boxes(benchmark, scene):
    errors, start = scene
    run(benchmark, BOXES, lambda: grow(errors, start, 50.0, generator=dice(), rounds=ROUNDS))


def test_boxes_one_by_one(benchmark, scene):
    errors, start = scene
    run(benchmark, BOXES, lambda: [grow(errors, one[None], 50.0, generator=dice(), rounds=ROUNDS) for one in start])
