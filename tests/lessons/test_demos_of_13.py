"""Lesson 13's demos and experiment, on tiny networks: every control changes what it must, every part is kept."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tutorial_lib.camera import camera_to_world
from tutorial_lib.datasets.splits import TEST_SEED, TRAINED_ACTIONS
from tutorial_lib.egocentric.depth import ESTIMATE, scene_points
from tutorial_lib.egocentric.headset import AHEAD, LENS
from tutorial_lib.egocentric.metrics import METRICS
from tutorial_lib.egocentric.samples import HIDDEN_NOISE, NOISE, draw_samples
from tutorial_lib.egocentric.scenes import SIZES
from tutorial_lib.egocentric.voxels import HALF
from tutorial_lib.lessons.egocentric import (
    demo_lens,
    demo_lies,
    demo_scale,
    demo_step,
    demo_voxels,
    experiment,
    figures,
    results,
)
from tutorial_lib.lessons.egocentric.pictures import circle_of
from tutorial_lib.lessons.egocentric.recipes import BUDGETS, RAISED, ROWS, TESTS
from tutorial_lib.motion import builtin

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "13_egocentric.py"


@pytest.fixture(scope="module")
def nets(made):
    return demo_voxels.networks(made[0])


MAKE = {
    "lens": lambda nets: demo_lens.lens_demo(),
    "scale": lambda nets: demo_scale.scale_demo(),
    "voxels": demo_voxels.voxels_demo,
    "step": demo_step.step_demo,
    "lies": demo_lies.lies_demo,
}


@pytest.fixture(params=MAKE)
def demo(request, nets):
    return MAKE[request.param](nets)


def test_every_control_changes_the_picture_and_the_same_values_give_the_same(demo, every_control_moves):
    every_control_moves(demo)


def test_presets_set_every_control_and_three_are_in_sight(demo, presets_are_whole):
    presets_are_whole(demo)


def test_a_pinhole_as_wide_shows_its_wearer_as_a_speck():
    wide = demo_lens.shoulder_pixels()
    assert wide["pinhole"] < 0.5 * min(wide[lens] for lens in ("equidistant", "equisolid", "polynomial"))


def test_growing_moves_the_feet_and_no_pixel():
    demo = demo_scale.scale_demo()
    for params in demo.presets.values():
        demo.set(**params).check()
        assert demo.arrays["moved"] < 1e-3 and demo.arrays["score"]["p_mpjpe"] < 0.01
    tenth = demo_scale.ten_percent()
    assert set(tenth) == set(METRICS) and 100 < tenth["feet"] < 200 and tenth["p_mpjpe"] < 0.01
    assert demo.grabs["grow"]((1.05, 3.0), demo.params) == {"factor": 1.05}


def test_a_step_lies_under_the_feet_and_the_truth_is_never_off(nets):
    demo = demo_step.step_demo(nets)
    for params in demo.presets.values():
        demo.set(**params).check()
        assert demo.arrays["off"]["true"] == 0
        middle = demo.arrays["true_height"][len(demo.arrays["along"]) // 2]
        assert float(middle) == pytest.approx(params["step"], abs=1e-6)
    assert set(demo.arrays["heights"]) == set(nets.poses)


def test_who_is_told_nothing_cannot_be_lied_to(nets):
    demo = demo_lies.lies_demo(nets)
    honest = dict(demo.arrays["now"])
    demo.set(raised=0.2).check()
    assert demo.arrays["now"]["none"] == honest["none"] and demo.arrays["now"]["true"] != honest["true"]


# ------------------------------------------------------------------ the experiment
def test_parts_that_are_there_stay(made):
    before = {path: path.read_bytes() for path in made[1].iterdir()}
    experiment.run_all("smoke", 0, folder=made[0], work=made[1], device="cpu")
    assert {path: path.read_bytes() for path in made[1].iterdir()} == before


def test_results_are_paired_by_seed(found):
    assert found.seeds(*ROWS) == ["0", "1"]
    assert np.allclose(found.difference("true", "none"), found.values("true") - found.values("none"))
    assert np.allclose(found.change("true", "none"), 100 * (found.values("true") / found.values("none") - 1))
    assert (found.values("none", "followed") == 0).all()
    assert found.blind("truth at mean size", "p_mpjpe") < 0.01 < found.blind("mean pose", "p_mpjpe")
    assert found.blind("truth 10 % too large", "feet", "step") > 100
    assert np.allclose(found.stood("true", "p_mpjpe"), found.values("none", "p_mpjpe"), atol=0.01)
    half, end = found.halves("true", "none", lambda said: said["mpjpe"])
    assert half.shape == end.shape == (2,) and not np.allclose(half, end)
    with pytest.raises(ValueError, match="nobody"):
        found.seeds("nobody")


def test_tables_and_figures_hold_every_row(found):
    for test in TESTS:
        table = results.main_table(found, test)
        assert all(title in table for title in ROWS.values()) and "mean pose" in table and "until it stands" in table
    paper = results.paper_table()
    assert all(value in paper for value in ("118.5", "92.75", "61.92", "62.82", "EgoPW"))
    assert results.halves_table(found).count("\n") > 3 and "learned" in results.filled_table(found)
    shown = {test: figures.rows_figure(found, "feet", test) for test in TESTS}
    assert all(
        np.allclose(shown[test].data[0].y, [found.values(kind, "feet", test).mean() for kind in ROWS]) for test in TESTS
    )
    assert len(figures.followed_figure(found).data) == 1


def test_the_lesson_says_the_settings_that_the_code_has():
    text = " ".join(re.sub(r"^# ", "", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE).split())
    assert f"{100 * AHEAD:.0f} cm before the forehead" in text and f"{2 * HALF:g} m here" in text
    assert f"up to {math.degrees(LENS.limit):.0f}°" in text and f"{demo_lens.SIDE} × {demo_lens.SIDE} pixels" in text
    assert f"{SIZES[0]} to {SIZES[1]} times as large" in text and "those that the body hides four times as much" in text
    assert HIDDEN_NOISE == 4 * NOISE and f"raise all points of the scene by {1000 * RAISED:.0f} mm" in text
    assert f"off by a factor, {100 * ESTIMATE:.0f} % typically" in " ".join(text.replace('" "', "").split())


def test_about_half_of_a_step_is_hidden():
    clips = builtin(TEST_SEED, 2, TRAINED_ACTIONS[::2], 60)
    samples = draw_samples(clips, 24, 0, steps=1.0, progress=False)
    places = camera_to_world(scene_points(samples.scene), samples.camera)
    low, high = samples.boxes[:, 0, 0], samples.boxes[:, 0, 1]
    on_top = ((places - high[:, None]).abs()[..., 2] < 1e-3) & (places > low[:, None] - 1e-3)[..., :2].all(-1)
    on_top &= (places < high[:, None] + 1e-3)[..., :2].all(-1) & circle_of(48)
    share = (on_top & samples.hole).sum(1) / on_top.sum(1)
    assert 0.4 < share.mean() < 0.6


def test_the_shipped_budget_looks_often_enough():
    assert BUDGETS["shipped"].steps % 4 == 0 and BUDGETS["shipped"].cells % 4 == 0


def test_collecting_wants_one_budget(tmp_path):
    with pytest.raises(ValueError, match="expected those of one"):
        results.collect(tmp_path)
