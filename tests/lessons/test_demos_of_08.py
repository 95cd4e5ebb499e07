"""Lesson 08's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import numpy as np
import pytest
import torch

from tutorial_lib.display import stage
from tutorial_lib.lessons.geometric_self_supervision import (
    demo_round,
    demo_strangers,
    demo_training,
    demo_turn,
    experiment,
    figures,
    results,
)
from tutorial_lib.lessons.geometric_self_supervision.recipes import BUDGETS, CRITIC, CYCLE, FULL, PRIORS, ROWS, recipe
from tutorial_lib.self_supervision.others import ALONG
from tutorial_lib.self_supervision.turning import look
from tutorial_lib.skeleton import JOINTS

MAKE = {
    "turn": lambda folder: demo_turn.turn_demo(),
    "round": lambda folder: demo_round.round_demo(demo_round.lifters(folder)),
    "strangers": demo_strangers.strangers_demo,
}


@pytest.fixture(params=MAKE)
def demo(request, made):
    return MAKE[request.param](made[0])


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_the_truth_looks_like_the_truth_from_everywhere(made):
    demo = demo_turn.turn_demo()
    demo.set(**demo.presets["the truth"]).check()
    assert torch.allclose(demo.arrays["unlike"]["truth"], demo.arrays["unlike"]["guess"], atol=0.1)
    assert np.abs(demo_turn.hidden(demo.arrays)).max() < 0.1
    assert torch.allclose(look(demo.arrays["guess"]), demo.arrays["seen"], atol=1e-5)


def test_any_depth_fits_the_first_picture(made):
    demo = demo_turn.turn_demo()
    for depth in (-1.0, 0.0, 0.5):
        demo.set(depth=depth).check()
        assert torch.allclose(look(demo.arrays["guess"]), demo.arrays["seen"], atol=1e-5)


def test_only_a_wrong_belief_lets_the_mirrored_person_stand(made):
    demo = demo_turn.turn_demo()
    for person in range(len(demo_turn.SHOWN)):
        strange = {}
        for name in ("flat", "mirrored", "mirrored, believed from below"):
            demo.set(**(demo.presets[name] | {"pose": person})).check()
            strange[name] = demo_turn.hidden(demo.arrays).mean()
        assert strange["flat"] > 25 and strange["mirrored"] > 60, demo_turn.SHOWN[person]
        assert abs(strange["mirrored, believed from below"]) < 15, demo_turn.SHOWN[person]


def test_the_curve_holds_its_data_and_the_truth_stands_upright(made):
    demo = demo_turn.turn_demo()
    for pose, believed, elevation in ((0, -20, 20), (2, 20, 20), (4, 20, 0)):
        demo.set(depth=-1.0, pose=pose, believed=believed, elevation=elevation).check()
        (curve,) = (pane for pane in demo.stage.state["panes"] if pane["kind"] == "curve")
        assert demo.arrays["unlike"]["guess"].max() < curve["y"]["range"][1]
        level = demo_turn.level_poses()[pose]
        assert torch.allclose(demo.arrays["upright"]["truth"][:, 1], level[:, 1], atol=1e-5)


def test_the_line_is_dragged_to_a_direction(made):
    demo = demo_turn.turn_demo()
    assert demo.grabs["walk round"]((90.0, 0.0), demo.params) == {"azimuth": 90.0}
    assert "walk round" in {h["name"] for pane in demo.stage.state["panes"] for h in pane.get("handles", ())}


def test_a_round_that_ends_in_the_other_world_says_so(made):
    demo = demo_round.round_demo(demo_round.lifters(made[0]))
    for title, one in demo.arrays["rounds"].items():
        said = demo_round.in_words(demo.arrays, title)
        assert ("mirrored it would be better" in said) == (one["mirrored"] < one["error"])
        assert said.startswith(title)


def test_no_correction_leaves_strangers_alone(made):
    demo = demo_strangers.strangers_demo(made[0])
    assert torch.equal(demo.arrays["adapted"], demo.arrays["strange"])
    demo.set(share=1.0).check()
    assert demo.arrays["errors"][0] == pytest.approx(demo_strangers.apart(demo.arrays["strange"], demo.arrays["own"]))


# ------------------------------------------------------------------ the training that is watched
def test_a_wrong_belief_leads_into_the_other_world():
    run = demo_training.train_live("from above", 0, 250, believed="from below", show=False)
    assert run["mirrored"][-1] < run["kept"][-1] and demo_training.behaviour(run) == 2
    again = demo_training.train_live("from above", 0, 100, believed="from below", show=False)
    assert again["kept"] == run["kept"][: len(again["kept"])]


def test_behaviours_are_told_apart():
    runs = {0: (90, 60, 50), 1: (90, 92, 91), 2: (90, 150, 160), 3: (90, 150, 60)}
    for kind, kept in runs.items():
        assert demo_training.behaviour({"kept": list(kept), "mirrored": [95, 95, 98]}) == kind
    with pytest.raises(ValueError, match="cameras is 'below'"):
        demo_training.train_live("below")
    with pytest.raises(ValueError, match="believed is 'above'"):
        demo_training.train_live("from above", believed="above")


def test_the_picture_of_a_training_counts_every_pose():
    errors = torch.tensor([[50.0] * 30 + [150.0] * 10, [150.0] * 30 + [50.0] * 10])
    drawn = demo_training.picture([(0, errors), (50, errors)], 100.0, 100)
    bars = [stage.unpack(one["y"]).sum() for one in drawn["panes"][0]["series"]]
    assert bars == [10, 30] and "25 % of the poses" in drawn["note"]


# ------------------------------------------------------------------ the experiment
def test_parts_that_are_there_stay(made, capsys):
    before = {path: path.read_bytes() for path in made[1].iterdir()}
    experiment.run_all("smoke", 0, folder=made[0], work=made[1], device="cpu")
    assert {path: path.read_bytes() for path in made[1].iterdir()} == before


def test_results_are_paired_by_seed(found):
    assert found.seeds(*ROWS) == ["0", "1"]
    difference = found.difference(FULL, CRITIC)
    assert np.allclose(difference, found.values(FULL) - found.values(CRITIC))
    assert found.blind("mirrored truth", metric="tipped") == 100 and found.blind("flat", metric="tipped") == 0
    assert found.blind("mean") > 0 and set(found.strangers()) == {"before", "after"}
    steps, values = found.curve(CYCLE)
    assert steps[0] == 0 and steps[-1] == BUDGETS["smoke"].steps and values.shape == (2, len(steps))
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")


def test_tables_and_figures_hold_every_row(found):
    main = results.main_table(found)
    assert all(ROWS[name].title in main for name in results.MAIN) and "flat person" in main and "mean pose" in main
    signs = results.sign_table(found)
    assert all(ROWS[name].title in signs for name in (*PRIORS, "level-far"))
    assert all(table.count("\n") > 3 for table in (results.noise_table(found), results.strangers_table(found)))
    assert len(figures.training_figure(found).data) >= 4
    assert figures.sign_figure(found).layout.sliders[0].steps[-1].label == ROWS["level-far"].title


def test_sentences_say_what_was_measured(found):
    steps, values = found.curve(CYCLE)
    said = results.cycle_in_words(found)
    assert f"{values.mean(0)[-1]:.0f}" in said and f"{steps[1 + values.mean(0)[1:].argmin()]:,d} steps" in said
    tipped = {name: found.values(name, "tipped") for name in (*PRIORS, "level-far")}
    same = sum(int(value <= 10 or value >= 90) for row in tipped.values() for value in row)
    assert f"{same} of the {2 * len(tipped)} trainings" in results.together_in_words(found)


def test_a_row_weighs_only_its_losses():
    for name, row in ROWS.items():
        weights = recipe(row, BUDGETS["shipped"], 1e-3, 2.0).weights
        assert (weights.in_picture, weights.in_space) == ((2.0, 2.0) if row.cycle else (0.0, 0.0)), name
        assert bool(weights.critic) == row.critic and bool(weights.temporal) == row.temporal
        assert bool(weights.label) == row.label
    assert recipe(ROWS["prior-20"], BUDGETS["shipped"], 1e-3, 1.0).elevation == (-20.0, 20.0)


def test_collecting_wants_one_budget(tmp_path):
    with pytest.raises(ValueError, match="expected those of one"):
        results.collect(tmp_path)


def test_an_adapter_is_judged_by_the_joints_that_were_right_as_well():
    elsewhere, alike = demo_strangers.by_kind_of_joint()
    assert elsewhere[0] > 30 and alike[0] < 1e-3, "before it moves anything, they are where others and we put them"
    assert min(*elsewhere, alike[1]) > 0
    demo = demo_strangers.strangers_demo()
    distances = []
    for person in range(6):
        for azimuth in range(-180, 180, 15):
            demo.set(pose=person, azimuth=azimuth, share=1.0)
            distances.append(demo.arrays["errors"][10])
    kinds = [name in ALONG for name in JOINTS[1:]].count(True)
    together = (kinds * elsewhere[1] + (16 - kinds) * alike[1]) / 17  # the root is where it is for everybody
    assert torch.stack(distances).mean().item() == pytest.approx(together, rel=1e-3)
