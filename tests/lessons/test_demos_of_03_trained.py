"""Lesson 03's demos of the trained part, in process, and the figures of its results."""

import numpy as np
import pytest
import torch

from tutorial_lib.display import preview, stage, still
from tutorial_lib.lessons.shape_templates import demo_trained, experiment, results
from tutorial_lib.motion import builtin
from tutorial_lib.templates.network import START
from tutorial_lib.templates.pairs import front_pairs


@pytest.fixture(scope="module")
def trained():
    """The shipped networks: untrained ones would answer the same for every photo."""
    regressor, translator, eye, album = experiment.load()
    tests = front_pairs(builtin(5, 2, 4, 60), 10, size=regressor.size, generator=torch.Generator().manual_seed(0))
    return demo_trained.Trained(regressor, translator, eye, album, tests)


MAKERS = {
    "found": demo_trained.found_demo,
    "swap": demo_trained.swap_demo,
    "album": demo_trained.album_demo,
    "code": lambda trained: demo_trained.code_demo(trained, 6),
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


def test_album_begins_at_the_start(made, trained):
    demo = made["album"].set(moment=0).check()
    other = demo.arrays["affines"]
    demo.set(photo=3).check()
    assert torch.equal(demo.arrays["affines"], other)  # before training every photo gets the same answer
    assert demo.arrays["step"] == 0


def test_code_is_the_best_linear_one_and_untouched_at_zero(made):
    demo = made["code"].set(turn=0.0).check()
    assert torch.equal(demo.arrays["decoded"], demo.arrays["changed"])
    demo.set(turn=3.0).check()
    assert not torch.allclose(demo.arrays["decoded"], demo.arrays["changed"])


def test_training_on_leaves_the_shipped_networks_alone(trained):
    kept = {key: value.clone() for key, value in trained.regressor.state_dict().items()}
    losses, before, after = demo_trained.continue_training(trained, trained.tests, 2)
    assert len(losses) == 2 and np.isfinite(losses).all() and not torch.equal(before, after)
    assert all(torch.equal(value, kept[key]) for key, value in trained.regressor.state_dict().items())
    figure = demo_trained.slid_figure(trained, before, after, 2)
    assert preview.png(figure).startswith(b"\x89PNG")


def test_training_anew_begins_with_the_start_and_not_with_the_shipped_networks(trained):
    _, before, _ = demo_trained.continue_training(trained, trained.tests, 1, anew=True)
    assert (before - START).abs().max() < 1e-5


def test_figures_of_the_results_show_every_row():
    found = experiment.results()
    calm, thrown = results.ablation_figure(found).data
    for trace, rows in ((calm, experiment.CALM), (thrown, experiment.THROWN)):
        means = [np.mean([result["all"] for result in found["runs"][row].values()]) for row in rows]
        np.testing.assert_allclose(np.asarray(trace.y, dtype=float), means, rtol=1e-3)
    assert len(results.comparison_figure(found).data) == 5
