"""The first demo, in process: set the sliders, look at the stage and the errors."""

import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.datasets.splits import TEST_SEED
from tutorial_lib.display import figures, preview, stage, still
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lessons.start_here import demo_first_look


@pytest.fixture(scope="module")
def shared():
    return demo_first_look.first_demo()


@pytest.fixture
def demo(shared):
    return shared.reset().check()


def errors(demo):
    """(2, steps + 1) millimetres: ordinary, adapting."""
    return torch.stack(list(demo.arrays["errors"].values()))


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
    for strength, text in list(demo_first_look.STRENGTHS.items())[::4]:
        demo.set(strength=strength).check()
        assert text in demo.stage.state["caption"]
        assert torch.isfinite(errors(demo)).all() and errors(demo).max() < 1000
        for kind in ("image", "scene"):
            for skeleton in pane(demo, kind)["skeletons"]:
                assert np.isfinite(stage.unpack(skeleton["points"])).all()


@pytest.mark.parametrize("strength", [-1.0, 1.0])
@pytest.mark.parametrize("lean", [-25, 25])
@pytest.mark.parametrize("count", [0, 10])
def test_corners_of_all_sliders(demo, strength, lean, count):
    demo.set(strength=strength, lean=lean, count=count).check()
    assert errors(demo).shape == (2, count + 1) and torch.isfinite(errors(demo)).all()


def test_what_is_not_a_number_is_refused_and_the_demo_goes_on(demo):
    runs = demo.runs
    with pytest.raises(ValueError, match="strength is nan, expected"):
        demo.set(strength=float("nan"))
    with pytest.raises(ValueError, match="count is 11, expected a whole number from 0 to 10"):
        demo.set(count=11)
    assert demo.runs == runs
    assert not demo.set(strength=0.5).error and demo.runs == runs + 1


def test_stage_shows_what_was_computed_step_by_step(demo):
    demo.set(strength=1.0, lean=-15).check()
    assert demo.stage.state["plays"] == "steps"
    truth, *people = (stage.unpack(s["points"]) for s in pane(demo, "scene")["skeletons"])
    np.testing.assert_array_equal(truth[0], demo.arrays["truth"].numpy())
    for name, drawn, line in zip(demo_first_look.NETWORKS, people, pane(demo, "curve")["series"]):
        assert line["name"] == name and len(drawn) == demo_first_look.STEPS + 1
        np.testing.assert_array_equal(drawn, demo.arrays["poses"][name].numpy())
        np.testing.assert_array_equal(stage.unpack(line["y"]), demo.arrays["errors"][name].numpy())


def test_lens_bends_the_grid_and_the_detections(demo):
    straight, seen = demo.arrays["grid"], demo.arrays["seen"]
    demo.set(strength=1.0).check()
    inside = ~torch.isnan(straight)
    assert torch.equal(inside, ~torch.isnan(demo.arrays["grid"])), "always the same part of the grid"
    assert (demo.arrays["grid"] - straight)[inside].abs().max() > 0.1
    assert (demo.arrays["seen"] - seen).abs().max() > 0.05


def test_the_lean_changes_neither_the_picture_nor_the_person_in_the_room(demo):
    demo.set(lean=0).check()
    seen, truth = demo.arrays["seen"], demo.arrays["truth"]
    demo.set(lean=25).check()
    assert torch.equal(demo.arrays["seen"], seen)
    assert torch.allclose(demo.arrays["truth"], truth, atol=1e-6)


def test_who_practised_gets_used_to_the_lean_within_five_steps(demo):
    demo.set(strength=0.0, lean=20, count=5).check()
    ordinary, adapting = errors(demo)
    assert adapting[-1] < 0.6 * adapting[0] and adapting[-1] < 0.75 * ordinary[-1]
    demo.set(lean=0).check()
    assert errors(demo)[1, 0] < 0.75 * adapting[0], "on a level drone there is little to get used to"


def test_the_same_setting_gives_the_same_picture_and_the_checkpoints_stay(demo):
    demo.set(strength=0.65, count=7).check()
    first = demo.stage.state["panes"]
    demo.set(strength=-0.4, count=3).check()
    demo.set(strength=0.65, count=7).check()
    assert demo.stage.state["panes"] == first


def test_buttons_tell_a_story(demo):
    buttons = {button.description: button for button in demo.children[-2].children}
    buttons["pincushion, level"].click()
    assert (demo.params["strength"], demo.params["lean"]) == (1.0, 0) and demo.error == ""
    buttons["reset"].click()
    assert demo.params == {"strength": 0.0, "lean": 20, "count": demo_first_look.STEPS}


def test_static_figures_can_be_swept_and_painted(demo):
    arrays = [demo.set(strength=strength).check().arrays for strength in (-1.0, 0.0, 1.0)]
    swept = figures.sweep(
        [demo_first_look.camera_picture(each) for each in arrays], ["barrel", "none", "pincushion"], "lens"
    )
    assert len(swept.frames) == 3 and preview.png(swept).startswith(b"\x89PNG")
    assert "image/png" in demo._repr_mimebundle_()[0]


def test_the_photo_its_joints_and_the_pose_are_of_one_person():
    picture = demo_first_look.photo_picture()
    assert still.png(picture).startswith(b"\x89PNG")
    joints = stage.unpack(picture["panes"][1]["skeletons"][0]["points"])
    assert np.abs(joints).max() < 1, "the whole person is in the picture"


def test_people_of_a_motion_file(tmp_path):
    motion.save(tmp_path / "two.npz", motion.builtin(TEST_SEED, 2, ["reach", "kick"], 120))
    demo = demo_first_look.first_demo(str(tmp_path / "two.npz"), seed=1)
    for strength in (-1.0, 1.0):
        assert torch.isfinite(errors(demo.set(strength=strength).check())).all()


def test_the_grid_is_dragged_to_the_lens_that_lies_nearest(demo):
    (held,) = demo.stage.state["panes"][0]["handles"]
    for strength in (-0.8, 0.0, 0.6):
        place = demo_first_look.held_at(strength)[0].item()
        demo.stage.grabbed = {"name": held["name"], "at": [place + 1e-4, 0.3], "count": demo.runs}
        assert demo.params["strength"] == strength
    demo.reset()
