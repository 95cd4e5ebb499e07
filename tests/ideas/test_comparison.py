"""A comparison averages over lenses, pairs by seed, and names what is missing."""

import numpy as np
import pytest
import torch

from tutorial_lib.adaptation.comparison import HEAVY, MODERATE, Comparison, compare_networks
from tutorial_lib.adaptation.lens_test import SCENARIOS
from tutorial_lib.display.claims import certainly_below
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import Score

FIRST, SECOND = SCENARIOS


def book_with(network, errors):
    """A comparison from (seeds, lenses, steps) of MPJPE."""
    comparison = Comparison({FIRST: 1, SECOND: 1})
    for per_seed in errors:
        for lens, per_step in zip(HEAVY, per_seed):
            comparison.scores[network, FIRST, lens].append([Score(e, e / 2, 100 - e) for e in per_step])
    return comparison


def test_errors_are_means_over_lenses_one_per_seed():
    comparison = book_with("a", [[(80, 60), (100, 80)], [(90, 70), (110, 100)]])
    assert comparison.errors("a", FIRST, HEAVY).tolist() == [70, 85]
    assert comparison.errors("a", FIRST, HEAVY, step=0).tolist() == [90, 100]
    assert comparison.errors("a", FIRST, HEAVY, metric="pckh").tolist() == [30, 15]


def test_changes_are_paired_by_seed():
    comparison = book_with("a", [[(80, 60), (80, 60)], [(50, 20), (50, 20)]])
    assert np.allclose(comparison.own_change("a", FIRST, HEAVY), [-25, -60])
    assert np.allclose(comparison.change("a", "a", FIRST, HEAVY), 0)
    assert np.allclose(comparison.change("a", "a", FIRST, HEAVY, reference_step=0), [-25, -60])


def test_a_missing_exam_is_named():
    with pytest.raises(ValueError, match="'b' was not tested in scenario"):
        book_with("a", [[(1, 1), (1, 1)]]).errors("b", FIRST, HEAVY)


def test_below_asks_for_the_whole_interval():
    assert certainly_below([-3, -2.9, -3.1, -3, -3])
    assert not certainly_below([-3, 3, -3, 3, -4])


def test_every_network_sits_every_exam_and_is_left_as_it_was():
    torch.manual_seed(0)
    network = TemporalLifter(3, 8).eval()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    rates = {"tiny": {FIRST: 0.01, SECOND: 1e-4}}
    steps = {FIRST: 2, SECOND: 1}
    comparison = compare_networks({"tiny": network}, rates, steps, [0], clips=1, windows=4, watched=["tiny"])
    for scenario in SCENARIOS:
        for lens in (*HEAVY, *MODERATE):
            assert len(comparison.scores["tiny", scenario, lens][0]) == steps[scenario] + 1
        assert comparison.errors("tiny", scenario, HEAVY).shape == (1,)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
