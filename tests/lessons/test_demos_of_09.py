"""Lesson 09's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tutorial_lib.characteristic.samples import PEOPLE
from tutorial_lib.lessons.characteristic_function import (
    bumps,
    demo_hill,
    demo_map,
    demo_sharp,
    demo_tags,
    experiment,
    figures,
    paper,
    results,
)
from tutorial_lib.lessons.characteristic_function.recipes import BASE, BUDGETS, ROWS

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "09_characteristic_function.py"


@pytest.fixture(scope="module")
def net(made):
    return demo_tags.network(made[0])


MAKE = {
    "map": lambda net: demo_map.map_demo(),
    "hill": lambda net: demo_hill.hill_demo(),
    "tags": demo_tags.tags_demo,
    "sharp": lambda net: demo_sharp.sharp_demo(),
}


@pytest.fixture(params=MAKE)
def demo(request, net):
    return MAKE[request.param](net)


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_what_is_grabbed_lands_where_it_was_dropped(demo):
    for name, grab in demo.grabs.items():
        place = (0.25, -0.25) if name in ("far", "bump", "mistake") else (1.3, 0.5)
        demo.set(**grab(place, demo.params)).check()


# ------------------------------------------------------------------ the closed form
def test_the_numbers_of_two_bumps_are_those_computed_by_hand():
    for cells, l2, cf in ((0.1, 0.005, 0.078), (0.5, 0.12, 0.39), (1, 0.44, 0.73), (2, 1.26, 1.15), (4, 1.96, 1.26)):
        found = bumps.displaced(cells)
        assert found["L2"] == pytest.approx(l2, abs=0.006) and found["CF"] == pytest.approx(cf, abs=0.006)
        assert found["L2"] == pytest.approx(2 * (1 - math.exp(-(cells**2) / 4)), abs=1e-3)
    for cells, cf in ((4, 1.28), (6, 1.38)):
        assert bumps.displaced(cells, math.pi / 4)["CF"] == pytest.approx(cf, abs=0.01)
    for people, l2, cf in ((2, 0.29, 0.22), (3, 0.43, 0.37), (5, 0.56, 0.50), (8, 0.66, 0.62)):
        found = bumps.half_or_lost(people)
        assert found["L2"] == pytest.approx(l2, abs=0.015) and found["CF"] == pytest.approx(cf, abs=0.015)
    assert bumps.noise_cost(0.02) == pytest.approx({"L2": 0.13, "CF": 0.56}, abs=0.015)


def test_every_state_of_the_map_keeps_both_theorems():
    demo = demo_map.map_demo()
    for params in demo.presets.values():
        arrays = demo.set(**params).check().arrays
        assert arrays["worst"] <= arrays["bound"] + 1e-9 and arrays["window"] <= 7 * arrays["bound"]
        assert arrays["squared"] == pytest.approx(1)
    assert demo.grabs["far"]((demo_map.from_cells(torch.tensor(23.0), 32).item(), 0.0), demo.params) == {"shift": 2.0}


def test_who_arrives_depends_on_the_rate_and_the_distance():
    slow, fast = (demo_hill.arrival(demo_hill.roll(1.0, 0.0, rate)) for rate in (0.02, 0.5))
    assert slow["CF"] < 100 and slow["L2"] is None and fast["L2"] < 10 < fast["CF"]
    assert demo_hill.arrival(demo_hill.roll(4.0, 0.0, 0.5))["CF"] is None
    assert demo_hill.arrival(demo_hill.roll(0.0, 0.0, 0.1))["L2"] == 0
    hills = demo_hill.hills(torch.tensor([0.0, 1.0], dtype=torch.float64), math.pi / 4)
    assert torch.allclose(hills[:, 0], torch.zeros(3).double(), atol=1e-9) and (hills[:, 1] > 0.3).all()


def test_all_mistakes_cost_l2_the_same_and_cf_between_its_ends():
    for shape in demo_sharp.SHAPES:
        for width in demo_sharp.WIDTHS.tolist():
            wrong = demo_sharp.mistake(shape, width, 12.0, 20.0)
            assert float((wrong**2).sum()) == pytest.approx(math.pi)
            cost = float(demo_sharp.cf_loss(wrong, torch.zeros_like(wrong)))
            assert demo_sharp.LARGEST / 32 - 1e-6 <= cost <= demo_sharp.LARGEST + 1e-6


def test_groups_merge_and_split_with_the_threshold(net):
    demo = demo_tags.tags_demo(net)
    counts = demo.arrays["counts"]
    assert counts[0] >= counts[-1] and len(counts) == len(demo_tags.THRESHOLDS)
    whole = {joint: 0 for joint in range(17)}
    assert demo_tags.bones_of(whole, demo.arrays["places"]).shape == (16, 2, 2)
    assert demo_tags.bones_of({3: 0}, demo.arrays["places"]) is None


# ------------------------------------------------------------------ the experiment
def test_parts_that_are_there_stay(made):
    before = {path: path.read_bytes() for path in made[1].iterdir()}
    experiment.run_all("smoke", 0, folder=made[0], work=made[1], device="cpu")
    assert {path: path.read_bytes() for path in made[1].iterdir()} == before


def test_all_rows_of_a_seed_start_from_one_network(made):
    world = experiment.World("smoke", made[1], made[0], torch.device("cpu"))
    (one, part), (two, _) = world.base(0), world.base(0)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))
    other = world.base(1)[0]
    assert not all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))
    assert experiment.balance_of(part) == part["norms"]["l2"] / part["norms"]["cf"]
    assert experiment.loss_of("mix", 2.0, 3.0).cf == 6.0 and experiment.loss_of("l2", 2.0).cf == 0
    assert experiment.loss_of("cf", 2.0).l2 == 0


def test_results_are_paired_by_seed(found):
    assert found.seeds(BASE, *ROWS) == ["0", "1"]
    assert np.allclose(found.difference("mix", "l2"), found.values("mix") - found.values("l2"))
    assert (found.grouping("l2", "lot") > 0).all()
    half, end = found.halves("mix", "l2", lambda said: said["all"]["lost"])
    assert half.shape == end.shape == (2,)
    for who in found.content["blind"]:
        assert found.blind(who, "pck20") > found.blind(who, "pck10") > 0


def test_tables_and_figures_hold_every_row(found):
    table = results.main_table(found)
    assert all(title in table for title in ROWS.values()) and "another picture" in table and "true box" in table
    assert results.maps_table(found).count("\n") == 4 and results.grouping_table(found).count("\n") == 5
    assert results.halves_table(found).count("\n") > 4 and results.flat_table(found).count("\n") == 5
    theirs = paper.paper_table()
    assert all(value in theirs for value in ("71.8 (↑1.9)", "73.7 (↑1.6)", "69.9", "72.1", "SWAHR"))
    assert "HigherHRNet" in paper.stray_table() and "67.1" in paper.stray_table()
    shown = figures.rows_figure(found)
    assert np.allclose(shown.data[0].y, [found.values("l2", "pck10", g).mean() for g in figures.ASKED], atol=0.01)
    assert len(figures.gains_figure(found).data) == 2


def test_what_was_searched_is_told():
    one = {"rate": 1e-3, "gain": 3.0, "tried": {"0.001": 5.0, "0.003": 6.0}, "gains": {"1": 5.0, "3": 4.0}}
    table = results.searched_table(results.Results({"searched": {"all": one}}))
    assert "**0.001** | 5.00" in table and "**3** | 4.00" in table and "| 0.003 | 6.00" in table


def test_the_lesson_says_the_settings_that_the_code_has():
    text = " ".join(re.sub(r"^# ", "", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE).split())
    size = BUDGETS["shipped"].size
    assert f"Pictures have {size} × {size} pixels with two or three people" in text and PEOPLE == (2, 3)
    assert f"with a small rate, 0.02, from one cell away: who is within {demo_hill.NEAR_ENOUGH:g} cells" in text.lower()


def test_the_shipped_budget_looks_often_enough():
    budget = BUDGETS["shipped"]
    assert budget.steps % 4 == 0 and budget.base_steps % 4 == 0


def test_collecting_wants_one_budget(tmp_path):
    with pytest.raises(ValueError, match="expected those of one"):
        results.collect(tmp_path)
