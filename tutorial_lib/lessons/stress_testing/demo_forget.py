"""What lesson 11 breaks: training on failures alone, without replay."""

import copy

import torch

from tutorial_lib.datasets.splits import TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS
from tutorial_lib.display.tables import markdown
from tutorial_lib.lessons.stress_testing.recipes import LEVEL
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.motion import builtin
from tutorial_lib.stress_testing import AXES, cem, simulator
from tutorial_lib.stress_testing.learning import errors_on, film, simulated, train
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import draw


def forget(lifter: SingleFrameLifter, seed: int = 0, steps: int = 120) -> dict[str, dict[str, float]]:
    """Train copies of a lifter on what agents find, with and without replay, and on random poses alone.

    Args:
        lifter: in eval mode; it stays as it is.
        seed: of agents and batches.
        steps: of each training.

    Returns:
        "before", "with replay", "without replay" and, as a control, "random poses alone" -> MPJPE in mm of "known
        motions" and of "where the agents ended".
    """
    generator = torch.Generator().manual_seed(seed)
    errors = simulator().errors_of(lifter)
    search = cem(errors, starts(8, len(AXES), generator), 25, 24, generator=generator)
    near = search.centres + 0.15 * draw((40, 8), generator)
    hard = simulated(simulator(), near.clamp(-1, 1).flatten(0, 1))
    replay = film(builtin(TRAIN_SEED, 2, TRAINED_ACTIONS, 60), 1000, LEVEL, generator)
    known = film(builtin(TEST_SEED, 1, TRAINED_ACTIONS, 60), 400, LEVEL, generator)
    dice = simulated(simulator(), draw(len(hard), generator))
    mixtures = {
        "before": [],
        "with replay": [(replay, 0.5), (hard, 0.5)],
        "without replay": [(hard, 1.0)],
        "random poses alone": [(dice, 1.0)],
    }
    made = {}
    for title, mixture in mixtures.items():
        tuned = copy.deepcopy(lifter)
        if mixture:
            train(tuned, mixture, steps, generator=torch.Generator().manual_seed(seed), label=title)
        made[title] = {
            "known motions": errors_on(tuned, known).mean().item(),
            "where the agents ended": errors_on(tuned, simulated(simulator(), search.centres)).mean().item(),
        }
    return made


def forget_table(made: dict[str, dict[str, float]]) -> str:
    """Markdown: what `forget` returned."""
    places = list(made["before"])
    rows = [[title, *(f"{errors[place]:.0f}" for place in places)] for title, errors in made.items()]
    return markdown(["", *(f"{place} (mm)" for place in places)], rows, numbers=True)
