"""What the network sees: by gradient, against counting paths through the diagram by hand and perturbing frames."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter
from tutorial_lib.lifting.receptive_field import connections, paths, support

widths = st.lists(st.sampled_from([1, 3, 5, 7]), min_size=1, max_size=3).map(tuple)


def network(widths, causal=False, dilated=True, channels=3):
    return TemporalLifter(widths=widths, channels=channels, causal=causal, dilated=dilated)


def ways_down(layers):
    """Frame -> number of ways from the output to it, walking the drawn edges from the top."""
    ways = Counter({0: 1})
    for layer in reversed(layers):
        below = Counter()
        for low, high in layer.taps + layer.residuals:
            below[low] += ways[high]
        ways = below
    return ways


@settings(max_examples=40)
@given(widths, st.booleans(), st.booleans(), st.integers(0, 5))
def test_the_gradient_counts_the_ways_through_the_diagram(widths, causal, dilated, margin):
    model = network(widths, causal, dilated)
    frame, count = paths(model, margin)
    ways = ways_down(connections(model.widths, model.dilations, causal))
    assert count.tolist() == [ways[t] for t in frame.tolist()]


@settings(max_examples=40)
@given(widths, st.booleans(), st.booleans())
def test_the_support_is_the_receptive_field(widths, causal, dilated):
    frame, seen = support(network(widths, causal, dilated), margin=4)
    field = math.prod(widths) if dilated else 1 + sum(w - 1 for w in widths)
    first = 1 - field if causal else -(field // 2)
    assert frame[seen].tolist() == list(range(first, first + field))
    assert len(frame) == field + 8 and frame.diff().eq(1).all()


@pytest.mark.parametrize("causal", [False, True])
def test_the_support_is_where_a_change_of_the_input_changes_the_output(causal):
    model = network((3, 5), causal, channels=64).eval()
    frame, seen = support(model, margin=3)
    clip = torch.randn(len(frame), 17, 2)
    still = model(clip)[3]
    for t in range(len(frame)):
        moved = clip.clone()
        moved[t] += 1
        assert torch.equal(model(moved)[3], still) != bool(seen[t])


def test_three_and_five_layers_see_what_the_paper_says():
    assert support(network((3,) * 3))[1].sum() == 27 and support(network((3,) * 5))[1].sum() == 243


def test_ordinary_layers_pile_their_paths_up_in_the_middle():
    """Every residual block multiplies by 1 + 2z + z², so the paths are binomial numbers mixed by the first filter."""
    _, count = paths(network((3, 3, 3), dilated=False))
    binomial = [math.comb(4, k) for k in range(5)]
    expected = [sum(binomial[max(0, t - 2) : t + 1]) for t in range(7)]
    assert count.tolist() == expected


def test_a_single_frame_sees_itself():
    frame, seen = support(SingleFrameLifter(4), margin=3)
    assert frame[seen].tolist() == [0]
    assert paths(SingleFrameLifter(4))[1].tolist() == [4]  # two blocks: through or past each


def test_measuring_leaves_the_network_as_it_was():
    model = network((3, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        paths(model)
    assert model.training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_lines_may_be_thinned_but_nodes_never():
    full, thin = (connections((3,) * 5, (1, 3, 9, 27, 81), most=most) for most in (None, 20))
    for a, b in zip(full, thin):
        assert a.nodes == b.nodes and set(b.taps) <= set(a.taps) and set(b.residuals) <= set(a.residuals)
        assert len(b.taps) <= 60 and len(a.taps) == 3 * len(a.nodes)
    assert [len(layer.nodes) for layer in full] == [81, 27, 9, 3, 1]
    assert not full[0].residuals and len(full[1].residuals) == 27
