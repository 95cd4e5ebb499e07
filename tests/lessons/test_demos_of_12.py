"""Lesson 12's demos and experiment, on tiny budgets: every control changes what it must, every part is kept."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.lessons.low_light import (
    demo_camera,
    demo_gram,
    demo_nets,
    demo_norms,
    examination,
    experiment,
    figures,
    pictures,
    results,
)
from tutorial_lib.lessons.low_light.recipes import BUDGETS, LAMP, ROWS, SHIPPED, TESTS, TRAINED
from tutorial_lib.low_light import LEVELS

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "12_low_light.py"


@pytest.fixture(scope="module")
def nets(made):
    return pictures.networks(made[0])


MAKE = {
    "camera": lambda nets, found: demo_camera.camera_demo(nets.well),
    "nets": demo_nets.nets_demo,
    "norms": lambda nets, found: demo_norms.norms_demo(nets),
    "gram": lambda nets, found: demo_gram.gram_demo(nets.well),
}


@pytest.fixture(params=MAKE)
def demo(request, nets, found):
    return MAKE[request.param](nets, found)


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo, **({"network": "ours"} if "right" in demo.controls else {}))


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_handles_move_their_controls(demo):
    for grab in demo.grabs.values():
        ((name, value),) = grab((2.0, 1.0), demo.params).items()
        assert name in demo.controls and value == 2.0


# ------------------------------------------------------------------ what demos show
def test_noise_grows_as_light_goes_and_each_source_can_be_switched_off():
    day, dark = (demo_camera.noises(light, 150.0, 0.003, 8) for light in (1.0, LEVELS["E"]))
    assert all(dark[name] > day[name] for name in day)
    assert dark["read-out"] == pytest.approx(day["read-out"] / LEVELS["E"])
    assert dark["photons"] == pytest.approx(day["photons"] / LEVELS["E"] ** 0.5)
    assert demo_camera.noises(0.01, float("inf"), 0.0, 8)["photons"] == 0
    assert (
        demo_camera.noises(0.01, 150.0, 0.0, 12)["rounding"] < 0.1 * demo_camera.noises(0.01, 150.0, 0.0, 8)["rounding"]
    )


def test_the_darkness_is_calibrated_to_the_collapse_of_a_network_trained_by_day():
    said = results.measured()
    by_day, at_night = said.values("well", "WL")[0], said.values("well", "E")[0]
    assert at_night < by_day / 2 and at_night < said.blind()
    levels = [said.values("well", level)[0] for level in LEVELS]
    assert levels == sorted(levels, reverse=True)


def test_a_wrong_switch_changes_the_network_with_two_sides_alone(nets, found):
    demo = demo_nets.nets_demo(nets, found)
    for halvings in (0, 7):
        right, wrong = (dict(demo.set(halvings=halvings, right=says).check().arrays["pck"]) for says in (True, False))
        assert all(right[row] == wrong[row] for row in ("well", "dark", "all"))


def test_the_lamp_is_off_at_every_level_of_darkness():
    assert all(examination.light_of(light) == "dark" for light in LEVELS.values()) and LAMP < 1
    assert examination.light_of(1.0) == "bright"
    pixels = pictures.test_photos().pixels[:2]
    assert torch.equal(examination.as_seen(pixels, 1.0), pixels.float() / 255)
    assert (examination.as_seen(pixels, 0.01).mean((2, 3)) - 0.4).abs().max() < 1e-5


def test_a_norm_makes_a_batch_of_its_own_light_normal(nets):
    for network in (nets.well, nets.ours):
        before, behind = demo_norms.around_norm(network, 0, "bright")
        assert before.shape == behind.shape == (16, before.shape[1])
        assert behind.mean().abs() < 1.5


def test_noise_makes_the_dark_wider_where_nothing_divides_it_away(nets):
    before, behind = demo_norms.wider(nets.well)
    assert before > 1.3 and behind == pytest.approx(before, rel=1e-3), "one norm for both scales both alike"


def test_standardised_pictures_have_imagenets_mean_at_zero():
    grey = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None].expand(1, 3, 4, 4)
    assert examination.standardised((255 * grey).round().to(torch.uint8)).abs().max() < 0.02


def test_moving_a_map_changes_cells_and_no_gram_matrix(nets):
    cells, grams = demo_gram.two_cells(nets.well)
    assert cells > 10 and grams < 1e-4


# ------------------------------------------------------------------ the experiment
def test_every_row_is_kept_with_its_budget_and_networks_load(made, found):
    folder, work = made
    for row in TRAINED:
        part = json.loads((work / f"smoke-{row}-s0.json").read_text())
        assert part["row"] == row and part["budget"]["name"] == "smoke" and set(part["errors"]) == set(TESTS)
        assert [step for step, _ in part["validation"]][-1] >= 2
    assert sorted(checkpoints.names(folder / "dark")) == sorted(SHIPPED)
    for row in SHIPPED:
        net = examination.load_net(row, folder)
        assert net.two_sided == (row == "ours") and not net.training


def test_rows_differ_in_what_they_learn_from():
    chosen = {"lupi": 0.02, "dann": 0.3}
    recipes = {row: experiment.recipe_of(row, chosen) for row in TRAINED}
    assert recipes["bright"].sees == "bright" and recipes["dark"] == recipes["scratch"]
    assert recipes["all"] == recipes["enhanced"] and not recipes["all"].two_sided
    assert (recipes["ours"].lupi, recipes["strong"].lupi, recipes["lsbn"].lupi) == (0.02, 0.2, 0.0)
    assert [row for row, recipe in recipes.items() if recipe.dann] == ["dann"]
    assert {row for row, recipe in recipes.items() if recipe.two_sided} == {"lsbn", "ours", "strong"}


def test_differences_are_paired_by_seed(found):
    for test in ("N", "WL", "night"):
        gap = found.difference("ours", "all", test)
        np.testing.assert_allclose(gap, found.values("ours", test) - found.values("all", test))
    night = np.mean([found.values("dark", level) for level in LEVELS], 0)
    np.testing.assert_allclose(found.values("dark"), night)


def test_a_perfect_answer_has_all_joints_and_the_mean_pose_few():
    photos = pictures.test_photos()
    assert examination.judged(photos.keypoints, photos) == {"pck": 100.0, "px": 0.0}
    assert examination.blind(photos, photos)["pck"] < 60
    off = photos.keypoints + torch.tensor([0.16, 0.0])
    assert examination.judged(off, photos)["pck"] == 0
    assert examination.judged(off, photos)["px"] == pytest.approx(0.16 * 32, rel=1e-4)


def test_tables_say_every_row(found):
    table = results.main_table(found)
    assert all(title in table for title in ROWS.values()) and "mean pose, blind" in table
    assert "68.5" in results.paper_table() and "after half the training" in results.halves_table(found)
    assert "rate of all rows" in results.searched_table(results.measured())
    assert len(figures.rows_figure(found).data) == 2


def test_settings_were_chosen_inside_of_their_ladders():
    searched = results.measured().content["searched"]["all"]
    for name, tried in searched["tried"].items():
        values = sorted(map(float, tried))
        assert values[0] < searched[name] < values[-1], name
        assert tried[f"{searched[name]:g}"] == max(tried.values())


def test_what_ships_was_trained_with_the_budget_of_the_recipes():
    said = results.measured()
    assert said.content["budget"] == {"name": "shipped"} | vars(BUDGETS["shipped"])
    for row in TRAINED:
        assert len(said.seeds(row)) == (3 if row == "scratch" else 5), row


def test_the_lessons_levels_are_those_of_the_library():
    text = SOURCE.read_text()
    told = re.search(r"levels leave 1/(\d+), 1/(\d+) and 1/(\d+) of the\s*\n?#? ?light", text)
    assert told and [int(part) for part in told.groups()] == [round(1 / light) for light in LEVELS.values()]
