"""Lesson 11's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.experiments import settings
from tutorial_lib.lessons.stress_testing import (
    checks,
    demo_after,
    demo_agents,
    demo_forget,
    demo_hunt,
    demo_own,
    demo_region,
    experiment,
    figures,
    results,
)
from tutorial_lib.lessons.stress_testing.recipes import (
    ARMS,
    BUDGETS,
    COMMON,
    COURSE,
    OWN,
    RARE,
    ROWS,
    SHOWN,
    THRESHOLD,
    VICTIMS,
    row,
)
from tutorial_lib.stress_testing import AXES, METHODS, simulator


@pytest.fixture(scope="module")
def demos(made):
    return {
        "hunt": demo_hunt.hunt_demo(),
        "agents": demo_agents.agents_demo(),
        "region": demo_region.region_demo(),
        "after": demo_after.after_demo(demo_after.lifters(made[0])),
    }


@pytest.fixture(params=("hunt", "agents", "region", "after"))
def demo(request, demos):
    return demos[request.param].reset()


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_the_hunters_latent_is_what_the_controls_say(demos):
    demo = demos["hunt"].reset()
    latent = demo_hunt.latent_of(**(demo.params | {"direction": -90, "elevation": 65, "pose_3": 0.5, "legs": -1.0}))
    named = dict(zip(AXES, latent.tolist()))
    assert (named["direction"], named["elevation"], named["pose 3"], named["legs"]) == (-0.5, 1.0, 0.5, -0.5)
    demo.set(direction=30).check()
    assert demo.arrays["curve"][21].item() == pytest.approx(demo.arrays["error"], abs=1e-2)
    assert demo.grabs["walk round"]((90.0, 0.0), demo.params) == {"direction": 90.0}


def test_the_clock_starts_with_the_first_move_and_ends_the_hunt():
    now = [0.0]
    demo = demo_hunt.hunt_demo()
    board = demo_hunt.Scoreboard(demo, 10, lambda: now[0])
    assert board in demo.children and board.tried == 0
    now[0] = 50.0
    demo.set(direction=90).check()
    first = demo.arrays["error"]
    now[0] = 55.0
    demo.set(direction=-90, elevation=65).check()
    assert board.tried >= 2 and board.worst >= max(first, demo.arrays["error"]) and "5 s left" in board.line.value
    now[0], tried = 61.0, board.tried
    demo.set(direction=0).check()
    assert board.tried == tried and "Time is up" in board.line.value
    board.again()
    assert board.tried == 0 and board.worst == 0


def test_the_map_goes_through_the_marked_agent(demos):
    demo = demos["agents"].reset()
    demo.set(method="CEM", step=demo_agents.MOVES, agent=2).check()
    errors = demo.arrays["map"]
    at = demo.arrays["paths"][-1, 1]
    column, line = ((at + 1) / 2 * demo_agents.CELLS).long().clamp(0, demo_agents.CELLS - 1).tolist()
    assert abs(errors[line, column] - demo.arrays["error"]) < 40  # the same place, but for half a cell
    assert all((one.diff() >= 0).all() for one in demo.arrays["worst"].values())


def test_all_methods_were_released_at_the_same_places_with_as_many_questions():
    searches = demo_agents.release(lambda latent: 100 * latent[..., 0], moves=3)
    assert len({one.queries for one in searches.values()}) == 1
    assert all(torch.equal(one.path[0], searches["CEM"].path[0]) for one in searches.values())


def test_a_box_grows_and_a_mean_lets_safe_poses_in(demos):
    demo = demos["region"].reset()
    shares = {}
    for rule in demo_region.RULES:
        demo.set(rule=rule, rounds=demo_region.ROUNDS, threshold=150).check()
        shares[rule] = demo_region.safe(demo.arrays, 150)
        assert (np.diff(demo.arrays["sizes"][rule]) >= -1e-6).all()
    assert shares["minimum"] <= shares["mean"]
    assert demo.set(rounds=0).check().arrays["size"] < 0.3


def test_every_lifter_is_measured_on_the_same_map(demos, made):
    demo = demos["after"].reset()
    networks = demo_after.lifters(made[0])
    errors = simulator().errors_of(networks["replay"])
    demo.set(lifter="replay").check()
    assert demo.arrays["map"].mean().item() == pytest.approx(demo.arrays["rows"]["replay"]["mean"], abs=0.1)
    assert set(demo.arrays["rows"]) == set(demo_after.TITLES.values()) and errors(torch.zeros(13)) > 0


def test_without_replay_what_was_known_is_forgotten():
    made = demo_forget.forget(demo_hunt.lesson_04(), steps=25)
    assert made["without replay"]["known motions"] > made["before"]["known motions"]
    table = demo_forget.forget_table(made)
    assert "without replay" in table and "random poses alone" in table


def test_a_right_answer_hunts_from_then_on(monkeypatch):
    monkeypatch.setattr(demo_own, "_CHECKED", [])
    asked = []

    def hill(latent):
        asked.append(latent.shape[:-1].numel())
        return 100 - latent.square().sum(-1)

    def mine(errors, start, steps, samples):
        return demo_own.course_search(errors, start, steps, samples)

    state = torch.get_rng_state()
    assert list(demo_own.own_hunt(0, hill, 2)) == ["the course's answer", "CEM", "random"]
    assert torch.equal(torch.get_rng_state(), state)
    assert sum(asked) <= demo_own.SEEDS * demo_agents.AGENTS * (3 * 2 * demo_agents.SAMPLES + 5)  # as many for each
    checks.own_search(mine)
    made = demo_own.own_hunt(0, hill, 2)
    assert list(made)[0] == "your agents" and all(len(values) == demo_own.SEEDS for values in made.values())
    assert "ahead of random" in demo_own.own_table(made)


# ------------------------------------------------------------------ the experiment
@pytest.mark.parametrize("arm", ["random", "mined", "asked", "found"])
def test_every_arm_adds_as_many_poses(arm, made):
    world = experiment.Parts("smoke", made[0], made[1]).world
    lifter = experiment.Parts("smoke", made[0], made[1]).lifter(RARE, 0)
    latents = experiment.new_poses(arm, lifter, world, 3)
    assert latents.shape == (world.budget.agents * world.budget.hard, len(AXES)) and latents.abs().max() <= 1
    errors = world.simulator.errors_of(lifter)
    if arm in ("mined", "asked"):  # the worst of many
        assert errors(latents).mean() > errors(experiment.new_poses("random", lifter, world, 3)).mean()


def test_parts_that_are_there_stay(made):
    before = {path: path.read_bytes() for path in made[1].iterdir()}
    experiment.run_all("smoke", 0, folder=made[0], work=made[1])
    assert {path: path.read_bytes() for path in made[1].iterdir()} == before


def test_results_are_paired_by_seed(found):
    assert found.seeds(*ROWS) == ["0", "1"]
    one, other = row(RARE, "found"), row(RARE, "random")
    assert np.allclose(found.difference(one, other, "size"), found.values(one, "size") - found.values(other, "size"))
    assert np.allclose(results.gap(found, RARE, "", "known"), found.values(one, "known") - found.values(RARE, "known"))
    assert found.loops(one, other, "size").shape == (2, 2)
    assert np.allclose(found.loops(one, other, "size")[-1], found.difference(one, other, "size"))
    assert found.unusual(COMMON).shape == (2,) and found.hunt(RARE, "CEM", "so far").shape == (2, 3)
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")


def test_tables_and_figures_hold_every_row(found):
    hunts = results.hunts_table(found)
    assert all(f"{title}: {method}" in hunts for title in VICTIMS.values() for method in METHODS)
    for victim in OWN:
        table = results.arms_table(found, victim)
        assert all(title in table for title in ("before", *ARMS.values())) and VICTIMS[victim] in table
        assert "from above" in results.arms_table(found, victim, people=True)
    ends = results.ends_table(found)
    assert all(title in ends for arm, title in ARMS.items() if arm != "replay") and ARMS["replay"] not in ends
    assert all(VICTIMS[victim].capitalize() in results.first_in_words(found) for victim in OWN)
    assert all(title in results.answer_in_words(found) for title in ARMS.values())
    assert "the boxes are" in results.why_in_words(found) and "the corners" in results.why_in_words(found)
    assert "round 2" in results.loops_table(found) and "rate" in results.searched_table(found)
    assert len(figures.training_figure(found).data) >= len(OWN)
    assert figures.hunts_figure(found).layout.sliders[0].steps[-1].label == VICTIMS["course"]
    assert set(results.rarity(found)) == set(OWN)


def test_the_papers_changes_are_those_of_its_table():
    assert results.paper_changes("size") == {"SPIN": -1.453, "HMR-EFT": -1.246, "PARE": -0.995}
    assert results.paper_source("success (%)").endswith("success (%): SPIN -18.4, HMR-EFT -20.5, PARE -26.9")
    assert "| PARE, fine-tuned | 48.4 | 2.953 | 77.46 | 87.44 | 109.82 |" in results.paper_table()


def test_what_ships_is_whole_and_was_chosen_inside_its_grids():
    """Five trainings of every row; a rate at the end of its grid would say that it is too narrow."""
    shipped = results.measured()
    assert shipped.content["budget"] == settings("shipped", BUDGETS["shipped"])
    assert {name: len(shipped.seeds(name)) for name in ROWS} == dict.fromkeys(ROWS, 5)
    assert set(shipped.content["searched"]) == set(ROWS) - {COURSE}
    for name, one in shipped.content["searched"].items():
        assert one["tried"][f"{one['rate']:g}"] == min(one["tried"].values()), name
        assert min(map(float, one["tried"])) < one["rate"] < max(map(float, one["tried"])), name
    rarity = results.rarity(shipped)
    assert rarity[RARE] < 1 and rarity[COMMON] > 10, "or their names are wrong"
    for arm in SHOWN:
        about = checkpoints.weights(f"stress/{row(RARE, arm)}")[0]
        assert about["seed"] == 0 and about["exam"] == shipped.content["rows"][row(RARE, arm)]["0"]["exam"]


def test_collecting_wants_one_budget(tmp_path):
    with pytest.raises(ValueError, match="expected those of one"):
        results.collect(tmp_path)


def test_failures_are_marked_on_every_picture(demos):
    demo = demos["hunt"].reset()
    assert any(
        line["y"] == THRESHOLD for pane in demo.stage.state["panes"] for line in pane.get("lines", ()) if "y" in line
    )
    assert stage.unpack(demo.stage.state["panes"][2]["series"][0]["y"]).shape == (37,)
