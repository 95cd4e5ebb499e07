"""The grid's handles: where one is put, there the lens brings the grid, and only its own coefficients change."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutorial_lib.display.lens_controls import GRID_GRABS, grid_handles, lens_of
from tutorial_lib.distortion import COEFFICIENTS

coefficient = st.floats(-0.5, 0.5)


@given(
    st.lists(coefficient, min_size=5, max_size=5),
    st.sampled_from(sorted(GRID_GRABS)),
    st.floats(-0.3, 0.3),
    coefficient,
)
def test_a_handle_goes_where_it_is_put(values, name, along, across):
    params = dict(zip(COEFFICIENTS, values)) | {"count": 5}
    (start,) = [held["at"] for held in grid_handles(lens_of(*values)) if held["name"] == name]
    target = (start[0] + along, start[1] + across)
    moved = GRID_GRABS[name](target, params)
    after = {key: params[key] for key in COEFFICIENTS} | moved
    (end,) = [held["at"] for held in grid_handles(lens_of(**after)) if held["name"] == name]
    assert end == pytest.approx(target, abs=1e-5)
    assert set(moved) == {"k1", "p1" if name.endswith("right") else "p2"}


def test_without_a_lens_the_handles_lie_on_the_axes():
    right, below = (torch.tensor(held["at"]) for held in grid_handles(torch.zeros(5)))
    assert right[1] == below[0] == 0 and right[0] == below[1] > 0
