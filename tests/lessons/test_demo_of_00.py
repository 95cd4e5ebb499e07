"""The first demo, in process: set the sliders, look at the stage and the errors."""

import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.datasets.splits import TEST_SEED
from tutorial_lib.display import figures, preview, stage
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lessons.start_here import demo_first_look


@pytest.fixture(scope="module")
def shared():
    return demo_first_look.first_demo()


@pytest.fixture
def demo(shared):
    return shared.reset().check()


def errors(demo):
    """Ordinary without and with the lens, adapting before its first and after its last step; millimetres."""
    return tuple(demo.arrays["errors"].values())


def pane(demo, kind):
    return next(part for part in demo.stage.state["panes"] if part["kind"] == kind)


def test_lens_runs_from_barrel_over_none_to_pincushion():
    assert torch.equal(demo_first_look.lens_at(-1.0), PRESETS["d1"])
    assert torch.equal(demo_first_look.lens_at(0.0), torch.zeros(5))
    assert torch.equal(demo_first_look.lens_at(0.5), 0.5 * PRESETS["d2"])


@pytest.mark.parametrize("strength", [float("nan"), 1.05, float("-inf")])
def test_impossible_lenses_are_refused(strength):
    with pytest.raises(ValueError, match="expected a number from -1"):
        demo_first_look.lens_at(strength)


def test_every_stop_of_the_lens_slider_gives_a_finite_picture(demo):
    for strength, text in demo_first_look.STRENGTHS.items():
        demo.set(strength=strength).check()
        assert text in demo.stage.state["caption"]
        assert np.isfinite(errors(demo)).all() and max(errors(demo)) < 1000
        for kind in ("image", "scene"):
            for skeleton in pane(demo, kind)["skeletons"]:
                assert np.isfinite(stage.unpack(skeleton["points"])).all()


@pytest.mark.parametrize("strength", [-1.0, 1.0])
@pytest.mark.parametrize("count", [0, 10])
def test_corners_of_both_sliders(demo, strength, count):
    demo.set(strength=strength, count=count).check()
    assert np.isfinite(errors(demo)).all()
    assert f"after {count} steps" in pane(demo, "table")["rows"][3][0]


def test_what_is_not_a_number_is_refused_and_the_demo_goes_on(demo):
    runs = demo.runs
    with pytest.raises(ValueError, match="strength is nan, expected"):
        demo.set(strength=float("nan"))
    with pytest.raises(ValueError, match="count is 11, expected a whole number from 0 to 10"):
        demo.set(count=11)
    assert demo.runs == runs
    assert not demo.set(strength=0.5).error and demo.runs == runs + 1


def test_stage_shows_what_was_computed(demo):
    demo.set(strength=1.0).check()
    truth, ordinary, adapted = (stage.unpack(s["points"]) for s in pane(demo, "scene")["skeletons"])
    for key, drawn in (("truth", truth), ("ordinary network", ordinary), ("adapting network", adapted)):
        np.testing.assert_array_equal(drawn, demo.arrays[key].numpy())
    for index, drawn in ((1, ordinary), (3, adapted)):
        distance = 1000 * np.linalg.norm(drawn - truth, axis=-1).mean()
        assert distance == pytest.approx(errors(demo)[index], rel=1e-4)
    rows = pane(demo, "table")["rows"]
    assert [int(row[1]) for row in rows] == [round(value) for value in errors(demo)]
    assert rows[0][2] == "× 1.00"


def test_lens_bends_the_grid_and_the_detections(demo):
    straight, seen = demo.arrays["grid"], demo.arrays["seen"]
    demo.set(strength=1.0).check()
    inside = ~torch.isnan(straight)
    assert torch.equal(inside, ~torch.isnan(demo.arrays["grid"])), "always the same part of the grid"
    assert (demo.arrays["grid"] - straight)[inside].abs().max() > 0.1
    assert (demo.arrays["seen"] - seen).abs().max() > 0.05


def test_without_a_lens_or_a_step_nothing_changes(demo):
    demo.set(strength=0.0, count=0).check()
    clean, before, start, after = errors(demo)
    assert clean == before and start == after


def test_both_ends_harm_the_ordinary_network_more(demo):
    for strength in (-1.0, 1.0):
        demo.set(strength=strength, count=demo_first_look.STEPS).check()
        clean, before, _, after = errors(demo)
        assert before > 1.2 * clean and after < before


def test_the_same_setting_gives_the_same_picture_and_the_checkpoints_stay(demo):
    demo.set(strength=0.65, count=7).check()
    first = demo.stage.state["panes"]
    demo.set(strength=-0.4, count=3).check()
    demo.set(strength=0.65, count=7).check()
    assert demo.stage.state["panes"] == first


def test_buttons_go_to_the_ends(demo):
    buttons = {button.description: button for button in demo.children[-2].children}
    buttons["pincushion"].click()
    assert demo.params["strength"] == 1.0 and demo.error == ""
    buttons["reset"].click()
    assert demo.params == {"strength": 0.0, "count": demo_first_look.STEPS}


def test_static_figures_can_be_swept_and_painted(demo):
    arrays = [demo.set(strength=strength).check().arrays for strength in (-1.0, 0.0, 1.0)]
    for picture in (demo_first_look.camera_picture, demo_first_look.pose_picture):
        swept = figures.sweep([picture(each) for each in arrays], ["barrel", "none", "pincushion"], "lens")
        assert len(swept.frames) == 3 and preview.png(swept).startswith(b"\x89PNG")
    assert "image/png" in demo._repr_mimebundle_()[0]


def test_people_of_a_motion_file(tmp_path):
    motion.save(tmp_path / "two.npz", motion.builtin(TEST_SEED, 2, ["reach", "kick"], 120))
    demo = demo_first_look.first_demo(str(tmp_path / "two.npz"), seed=1)
    for strength in (-1.0, 1.0):
        assert np.isfinite(errors(demo.set(strength=strength).check())).all()
