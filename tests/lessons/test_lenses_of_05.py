"""Lesson 05: real lenses and the reader's own, joints beyond the sensor, the baseline that looks at nothing."""

import json

import ipywidgets
import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.detector import lose_outside, outside
from tutorial_lib.display import stage
from tutorial_lib.distortion import COEFFICIENTS, PRESETS, distort, folds
from tutorial_lib.lessons.camera_distortion import demo_lens, lenses, results
from tutorial_lib.lifting.mean_pose import mean_pose
from tutorial_lib.metrics import Score
from tutorial_lib.skeleton import bone_lengths

HEAVY = demo_lens.lens_presets()["d2 pincushion, heavy"]


@pytest.fixture(scope="module")
def shared_lifter():
    if not (checkpoints.FOLDER / "plain-9f.safetensors").is_file():
        pytest.skip("no checkpoint plain-9f: run `make checkpoints`")
    return demo_lens.lifter_demo()


@pytest.fixture
def lifter(shared_lifter):
    return shared_lifter.set(**HEAVY, beyond="told").check()


@pytest.fixture
def calibration(tmp_path):
    content = {"camera_matrix": [[500, 0, 320], [0, 500, 240], [0, 0, 1]], "image_width": 640, "image_height": 480}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content | {"dist_coeffs": [0.21, -0.9, 0.0011, -0.0013, 2.05]}), encoding="utf-8")
    return path


def test_real_lenses_are_weak_and_do_not_fold():
    edge = torch.tensor([[lenses.EDGE, 0.0]])
    moved = {name: (distort(edge, lens) - edge).norm().item() for name, lens in {**lenses.REAL, **PRESETS}.items()}
    assert moved["a phone"] < 0.02 < 0.05 < moved["an action camera"]
    assert all(lens[3:].abs().max() < 0.001 and not folds(lens, 1.13) for lens in lenses.REAL.values())
    assert min(PRESETS[name][3:].abs().max() for name in PRESETS) > 0.03
    assert pytest.approx(1 / FOCAL) == lenses.EDGE


@pytest.mark.parametrize("name", lenses.REAL)
def test_the_note_says_that_real_lenses_are_ours(name):
    demo = demo_lens.lens_demo()
    demo.set(**demo.presets[name]).check()
    assert demo.stage.state["note"].startswith(
        f"{name} (ours, of the order that calibrations report); the edge, r = 0.80"
    )
    demo.set(k1=0.5).check()
    assert "ours" not in demo.stage.state["note"]


@pytest.mark.parametrize("make", [demo_lens.lens_demo, demo_lens.lifter_demo])
def test_a_reader_s_own_camera_becomes_a_button(make, calibration, shared_lifter):
    demo = make(calibration=calibration)
    buttons = {button.description: button for button in demo.children[-2].children}
    buttons["your camera"].click()
    demo.check()
    torch.testing.assert_close(demo.arrays["lens"], torch.tensor([0.21, -0.9, 2.05, 0.0011, -0.0013]))
    assert "mine.json: it sees r ≤ 0.80" in demo.stage.state["note"]
    assert demo.controls["k3"].high >= 2.05 and demo.controls["k1"].high == pytest.approx(1.4)


def test_three_controls_are_in_sight_and_the_others_are_under_a_lid(lifter):
    for demo, count in ((demo_lens.lens_demo(), 2), (lifter, 3)):
        *shown, lid = demo.children[1].children
        assert isinstance(lid, ipywidgets.Accordion) and lid.selected_index is None and len(shown) == 3
        hidden = lid.children[0].children
        assert len(hidden) == count and {*shown, *hidden} == {*demo.controls.values()}


def test_joints_beyond_the_edge_are_counted_and_can_be_lost(lifter):
    seen, told = lifter.arrays["seen"], lifter.arrays["score"].mpjpe
    gone = outside(seen)
    share, some = (100 * which.float().mean() for which in (gone, gone.any(-1)))
    words = f"{share:.0f} % of joints, in {some:.0f} % of frames, lie outside"
    assert gone.any() and f"{words} the image: the simulation goes on there" in lifter.stage.state["note"]
    lifter.set(beyond="lost").check()
    torch.testing.assert_close(lifter.arrays["seen"], lose_outside(seen))
    assert f"{words} the image: each stays where it was last seen" in lifter.stage.state["note"]
    assert lifter.arrays["score"].mpjpe != told
    lifter.set(**dict.fromkeys(COEFFICIENTS, 0.0)).check()
    assert "no joint leaves the image" in lifter.stage.state["note"]


def test_the_baseline_is_a_body_that_knows_nothing_of_the_video(lifter):
    pose = mean_pose()
    assert pose.shape == (17, 3) and not pose[0].any() and (bone_lengths(pose) > 0).all()
    (panel,) = (part for part in lifter.stage.state["panes"] if part["kind"] == "curve")
    off = (pose - lifter.arrays["truth"]).norm(dim=-1).mean().item()
    assert panel["lines"][0]["y"] == pytest.approx(1000 * off, rel=1e-5) and off > 0.15
    np.testing.assert_array_equal(stage.unpack(panel["now"]), np.arange(1, 82))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_demos_compute_there_and_show_the_same(lifter):
    there = demo_lens.lifter_demo(device="cuda").check()
    assert there.arrays["lifted"].is_cuda and there.arrays["seen"].is_cuda and there.arrays["grid"].is_cuda
    assert there.arrays["score"].mpjpe == pytest.approx(lifter.arrays["score"].mpjpe, rel=1e-3)
    assert demo_lens.lens_demo(device="cuda").set(**HEAVY).check().arrays["grid"].is_cuda


def test_tables_say_what_was_measured():
    one = Score(50.0, 40.0, 90.0)
    clean = results.Measured(one, 48.0, one, 0.0, 0.0)
    bent = results.Measured(Score(80.0, 45.0, 70.0), 70.0, Score(60.0, 44.0, 75.0), 5.0, 40.0)
    measured = {"no lens": [clean, clean], "barrel": [bent, bent]}
    assert results.growth_table(measured).splitlines()[-1] == "| barrel | +30.0 ± 0.0 | +22.0 ± 0.0 | +5.0 ± 0.0 |"
    assert "5.0 ± 0.0 | 40 ± 0 | 80.0 ± 0.0 | 60.0 ± 0.0 | −20.0 ± 0.0" in results.edge_table(measured)
    assert "| mean pose, blind | 50.0 ± 0.0 |" in results.score_table(measured, [one, one])
    worse, told = results.harder(measured, "barrel", "no lens")
    assert worse == "barrel" and told.endswith("30.0 ± 0.0 mm, so **barrel hurts more**")
    worse, told = results.harder(measured, "no lens", "barrel")
    assert worse == "barrel" and told.endswith("**barrel hurts more**")
    assert round(results.forgiven(measured, "barrel")) == 83
    assert "| no lens | 0.0 ± 0.0 | 0 ± 0 | 50.0 ± 0.0 | 50.0 ± 0.0 | 0.0 ± 0.0 |" in results.edge_table(measured)
    unsure = {"a": [clean, bent], "b": [bent, clean]}
    worse, told = results.harder(unsure, "a", "b")
    assert worse == "" and told.endswith("**the seeds do not tell**")
