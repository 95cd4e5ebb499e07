"""Lesson 03's demos of the trained part, in process, and the figures of its results."""

import numpy as np
import pytest
import torch

from tutorial_lib.display import preview, stage, still
from tutorial_lib.lessons.shape_templates import (
    demo_code,
    demo_lay,
    demo_leak,
    demo_slide,
    demo_trained,
    experiment,
    recipes,
    results,
    sheets,
)
from tutorial_lib.motion import builtin
from tutorial_lib.templates import identity, keypoints, learning
from tutorial_lib.templates.network import START
from tutorial_lib.templates.pairs import front_pairs


@pytest.fixture(scope="module")
def trained():
    """The shipped networks: untrained ones would answer the same for every photo."""
    regressor, translator, eye, kept = experiment.load()
    tests = front_pairs(builtin(5, 2, 4, 60), 10, size=regressor.size, generator=torch.Generator().manual_seed(0))
    return demo_trained.Trained(regressor, translator, eye, kept, tests)


MAKERS = {
    "found": demo_trained.found_demo,
    "swap": demo_trained.swap_demo,
    "laid": demo_lay.laid_demo,
    "slides": lambda trained: demo_slide.slides_demo(trained, demo_slide.recordings(trained), 0),
    "leak": lambda trained: demo_leak.leak_demo(trained, experiment.results()["runs"]),
    "code": lambda trained: demo_code.code_demo(trained, 6),
    "break": lambda trained: demo_trained.break_demo(
        trained, {"as trained": trained.tests.select(slice(0, 5)), "others": trained.tests.select(slice(5, 10))}
    ),
}


@pytest.fixture(scope="module")
def made(trained):
    return {name: make(trained) for name, make in MAKERS.items()}


@pytest.fixture(params=MAKERS)
def demo(request, made):
    return made[request.param].reset().check()


def pictures(demo):
    return [stage.unpack(p["picture"]["cells"]) for p in demo.stage.state["panes"] if p["kind"] == "image"]


def test_every_demo_draws_finite_pictures_and_reacts_to_the_photo(demo):
    name = "clothes" if "clothes" in demo.controls else "photo"
    before = pictures(demo)
    demo.set(**{name: 4}).check()
    after = pictures(demo)
    assert all(np.isfinite(p).all() for p in after)
    assert any(not np.array_equal(a, b) for a, b in zip(before, after))


def test_every_demo_has_a_still_picture(demo):
    assert still.png(demo.stage.state).startswith(b"\x89PNG")


def test_found_joints_depend_on_the_photo(made):
    demo = made["found"].reset().check()
    one = demo.arrays["found"]
    demo.set(photo=6).check()
    assert (demo.arrays["found"] - one).abs().max() > 0.02
    assert demo.arrays["error"]["all"] >= demo.arrays["error"]["flip-tolerant"] - 1e-4


def test_swapping_with_oneself_changes_no_pose(made):
    demo = made["swap"].reset().check()
    demo.set(pose=3, clothes=3).check()
    assert torch.equal(demo.arrays["pose"], demo.arrays["clothes"])
    assert 0 < demo.arrays["cycle"] < 20


def test_every_preset_sets_what_is_in_sight(demo):
    for name, preset in demo.presets.items():
        demo.set(**preset).check()
        assert not demo.error, name


def test_recordings_begin_where_they_say(made, trained):
    demo = made["slides"]
    starts = {"an adult who stands": START, "the published infant": identity()}
    for begin in demo_slide.recordings(trained):
        arrays = demo.set(begin=begin, photo=1).check().arrays
        if begin in starts:
            assert (arrays["affines"][0] - starts[begin]).abs().max() < 2e-3  # kept in half precision
        assert len(arrays["steps"]) == len(arrays["affines"]) == len(arrays["errors"])
        state = demo.stage.state
        rings = stage.unpack(state["panes"][0]["dots"][0]["points"])
        assert len(rings) == len(arrays["steps"]) and state["plays"] == "steps"


def test_the_loss_is_live_and_lowest_among_the_people(made):
    demo = made["laid"].reset().check()
    here = demo.arrays["losses"]
    aside = demo.set(shift_x=0.6).check().arrays["losses"]
    assert aside["reconstruction"] > here["reconstruction"] and aside["anchor"] == pytest.approx(here["anchor"])
    out = demo.set(shift_x=1.3).check().arrays
    assert out["losses"]["boundary"] > 0.1 and demo.stage.state["note"].endswith(f"{sum(out['losses'].values()):.3f}")
    infant = demo.set(**demo.presets["the infant in its T-pose"]).check().arrays["affines"]
    torch.testing.assert_close(infant, identity())
    found = demo.set(**demo.presets["what the network found"]).check().arrays
    torch.testing.assert_close(found["affines"], made["found"].set(photo=0).check().arrays["affines"])
    at = (found["shifts"].abs() < 1e-6).nonzero().item()
    assert found["along"][at].item() == pytest.approx(found["losses"]["reconstruction"], rel=1e-3)


def test_the_template_is_laid_by_dragging_it_and_the_line_moves_it_along(made):
    demo = made["laid"].reset().check()

    def grab(name, *at):
        demo.stage.grabbed = {"name": name, "at": list(at), "count": demo.runs}
        held = [h for p in demo.check().stage.state["panes"] for h in p.get("handles", ()) if h["name"] == name]
        return held[0]["at"]

    demo.set(**demo.presets["found, a forearm moved"]).check()
    assert grab("left forearm and hand", -0.2, 0.1) == pytest.approx([-0.2, 0.1], abs=0.026)
    assert grab("shift", 0.52, 0.1)[0] == pytest.approx(0.5) and demo.params["shift_x"] == 0.5


def test_what_passes_is_dragged_from_leak_to_leak(made):
    demo = made["leak"].reset().check()
    cells = [value for _, value in demo.controls["leak"].options]
    for at, name in ((1.2, cells[1]), (99.0, cells[-1])):
        demo.stage.grabbed = {"name": "what passes", "at": [at, 1.0], "count": demo.runs}
        assert demo.check().params["leak"] == name


@pytest.mark.parametrize("other", demo_leak.OTHERS)
def test_leaks_change_what_is_painted(made, trained, other):
    demo = made["leak"].set(other=other, leak=0).check()
    names = demo_leak.recorded(trained, demo_leak.OTHERS[other])
    first = demo.arrays["own"]
    demo.set(leak=64).check()
    assert len(names) == 6 and demo.arrays["name"] == names[-1] and not torch.equal(demo.arrays["own"], first)
    assert all(list(curve) == names for curve in demo.arrays["curves"].values())
    assert demo.arrays["top"] >= max(max(curve.values()) for curve in demo.arrays["curves"].values())


def test_code_is_the_best_linear_one_and_untouched_at_zero(made):
    demo = made["code"].set(turn=0.0).check()
    assert torch.equal(demo.arrays["decoded"], demo.arrays["changed"])
    demo.set(turn=3.0).check()
    assert not torch.allclose(demo.arrays["decoded"], demo.arrays["changed"])


def test_a_training_is_drawn_as_it_runs_and_leaves_the_shipped_networks_alone(trained):
    kept = {key: value.clone() for key, value in trained.regressor.state_dict().items()}
    training = demo_slide.Lesson(trained, trained.tests, learning.Row(aside=0.3))
    begin = START + torch.tensor([[0.0, 0.0, 0.3], [0.0, 0.0, 0.0]])
    assert (training.demo.arrays["affines"][0, 0] - begin[0]).abs().max() < 1e-5
    runs = training.demo.runs
    losses = training.run(4, every=2)
    assert len(losses) == 4 and np.isfinite(losses).all() and training.demo.runs == runs + 2
    assert training.demo.check().arrays["steps"].tolist() == [0, 2, 4]
    assert not torch.equal(training.take.affines[0], training.take.affines[-1])
    assert all(torch.equal(value, kept[key]) for key, value in trained.regressor.state_dict().items())


def test_the_sheet_of_hands_has_a_preview(trained):
    assert preview.png(sheets.hands_figure(trained)).startswith(b"\x89PNG")


def test_a_flat_skeleton_is_right_in_its_own_view_and_thin_from_aside(trained):
    figure = sheets.turn_sweep(trained.tests.pose[0][0])

    def widths(frame):
        return [np.ptp(np.nan_to_num(np.asarray(trace.x, dtype=float))) for trace in frame.data]

    first, last = widths(figure.frames[0]), widths(figure.frames[-1])
    assert first[:2] == first[2:4] and max(last[2:4]) < 1e-6 < min(last[:2])


def test_raised_hands_are_told_from_those_that_hang(trained):
    told = sheets.raised(trained)
    assert told["all"] == 2 * len(trained.tests) and 0 < told["raised"] < told["all"]
    found = keypoints(learning.affines_of(trained.regressor, trained.tests.photos(0)))
    truth = trained.tests.keypoints[0]
    off = [
        (truth[i, wrist, 1] < truth[i, shoulder, 1], 50 * (found[i, wrist] - truth[i, wrist]).norm().item())
        for i in range(len(truth))
        for wrist, shoulder in ((13, 11), (16, 14))
    ]
    for name, which in (("raised", True), ("lowered", False)):
        assert told[f"{name}: from the hand"] == pytest.approx(np.mean([d for up, d in off if up == which]), rel=1e-4)


def test_marks_are_squares_at_their_points():
    picture = results.marked(torch.zeros(20, 20, 3), torch.tensor([[0.0, 0.0], [-1.0, -1.0]]), torch.ones(3), 2)
    assert picture[8:12, 8:12].min() == 1 and picture[:2, :2].min() == 1 and picture.sum() == 3 * (16 + 4)


def test_figures_of_the_results_show_every_row_and_a_baseline():
    found = experiment.results()
    blind, calm, thrown = results.ablation_figure(found).data
    assert set(blind.y) == {np.float32(round(found["baselines"]["mean pose"]["all"], 3))}
    for trace, rows in ((calm, recipes.CALM), (thrown, recipes.THROWN)):
        means = [np.mean([result["all"] for result in found["runs"][row].values()]) for row in rows]
        np.testing.assert_allclose(np.asarray(trace.y, dtype=float), means, rtol=1e-3)
    assert len(results.comparison_figure(found).data) == 5
    assert len(results.curve_figure(found, "hands").data) >= 2


def test_tried_rows_stand_beside_the_mean_pose():
    found = experiment.results()
    found["runs"] |= {name: {"0": {"all": 5.0, "hands": 13.0}} for name in ("as it was", "more arm motion")}
    rows = results.tried(found)
    assert rows["more arm motion"] == {"all": [5.0], "hands": [13.0]} and len(results.tried_figure(found).data) == 4
