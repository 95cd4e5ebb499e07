"""Lesson 03's experiment: measures, resuming, and the shipped files."""

import json

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.lessons.shape_templates import experiment, recipes, results, trainings
from tutorial_lib.metrics import distances
from tutorial_lib.skeleton import MIRROR
from tutorial_lib.templates import COVERED, errors, identity, keypoints, learning
from tutorial_lib.templates.network import START, Eye
from tutorial_lib.templates.pairs import Pairs


def joints(seed=0, count=4):
    return torch.rand(count, 17, 2, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# ------------------------------------------------------------------ measures
def test_errors_are_per_cent_of_the_width():
    truth = joints()
    moved = truth + torch.tensor([0.06, 0.08])  # 0.1 half widths
    np.testing.assert_allclose(errors.PER_CENT * distances(moved, truth), 5.0, rtol=1e-4)
    result = errors.measured(moved, truth)
    assert set(result) == {"all", "flip-tolerant", *errors.BODY_PARTS}
    np.testing.assert_allclose(list(result.values()), 5.0, rtol=1e-4)


FOLDER = checkpoints.FOLDER / "templates"


def test_body_parts_are_pairs_of_mirrored_joints():
    for left, right in errors.BODY_PARTS.values():
        assert MIRROR[left] == right and {left, right} <= set(COVERED)


# ------------------------------------------------------------------ the command
@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates")
    return experiment.results(experiment.run_all("smoke", folder / "out", folder / "work")), folder


def test_every_planned_run_is_measured_and_finite(made):
    results, _ = made
    runs = results["runs"]
    budget = recipes.BUDGETS["smoke"]
    assert {(name, int(seed)) for name, seeds in runs.items() for seed in seeds} == set(recipes.plan(budget))
    for seeds in runs.values():
        for result in seeds.values():
            assert np.isfinite([value for value in result.values() if not isinstance(value, dict)]).all()
            assert result["curve"]["steps"] == sorted(set(result["curve"]["steps"]))
            assert result["curve"]["all"][-1] == pytest.approx(result["all"], abs=1e-3)
    assert all(set(result["lifted"]) == set(runs["main"]["0"]["lifted"]) for result in runs["main"].values())
    assert all({"painted", "strange"} <= set(runs[name]["0"]) for name in recipes.LEAKS)
    assert results["parameters"]["regressor"] > 0 and set(results["baselines"]) == {"T-pose", "start", "mean pose"}
    assert results["chosen"] in recipes.CHANGES


def test_a_second_run_repeats_nothing_and_trains_what_is_missing(made, monkeypatch):
    results, folder = made
    calls = []
    true_run = experiment.run_one
    monkeypatch.setattr(experiment, "run_one", lambda *those: calls.append(those[:2]) or true_run(*those))
    assert experiment.results(experiment.run_all("smoke", folder / "out", folder / "work")) == results and not calls
    (folder / "work" / "no anchor-1.json").unlink()
    again = experiment.results(experiment.run_all("smoke", folder / "out", folder / "work"))
    assert calls == [("no anchor", 1)]
    one, other = (found["runs"]["no anchor"]["1"] for found in (again, results))
    numbers = [name for name, value in one.items() if isinstance(value, float)]
    assert [one[name] for name in numbers] == pytest.approx([other[name] for name in numbers], rel=1e-4)


def test_settings_are_chosen_on_validation_photos_and_only_when_all_are_there(made):
    results, folder = made
    assert experiment.chosen(results["runs"]) == results["chosen"]
    runs = {name: {"0": {"all": 5.0}, "1": {"all": 4.0}} for name in recipes.CHANGES}
    runs["more arm motion"] = {"0": {"all": 4.6}, "1": {"all": 4.3}}
    assert experiment.chosen(runs) == "more arm motion"
    del runs["as it was"]["1"]
    with pytest.raises(ValueError, match="runs lacks as it was-1, by which the settings are chosen: train them first"):
        experiment.chosen(runs)
    assert (folder / "work" / "pairs-validation-16.safetensors").is_file()


def test_changes_change_the_budget_and_nothing_else():
    budget = recipes.BUDGETS["smoke"]
    assert budget.changed("as it was") == budget == budget.changed("main")
    both = budget.changed("both of these")
    assert both.augment and both.waving and both.steps == budget.steps
    assert budget.changed("twice the pixels").size == 2 * budget.size
    assert budget.changed("four times as long").tried_steps == 4 * budget.tried_steps


def test_some_runs_may_be_trained_alone_and_write_no_results(made):
    _, folder = made
    (folder / "work" / "main-1.json").unlink()
    experiment.run_all("smoke", folder / "other", folder / "work", only=["main-1"])
    assert (folder / "work" / "main-1.json").is_file() and not (folder / "other").exists()


@pytest.mark.parametrize("part", ["eye", "supervised-0"])
def test_a_stopped_training_is_made_again(made, monkeypatch, part):
    """Stopped in its first step, in a work folder that has all the rest."""
    _, folder = made
    (path,) = (folder / "work").glob(f"{part}.*")
    path.rename(path.with_suffix(".kept"))

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="was stopped"):
        patch.setattr(*((Pairs, "draw") if part == "eye" else (trainings, "keypoints")), stop)
        experiment.run_all("smoke", folder / "out", folder / "work")
    assert not path.exists()
    path.with_suffix(".kept").rename(path)


def test_shipped_networks_answer_as_recorded(made):
    results, folder = made
    regressor, translator, eye, kept = experiment.load(folder / "out")
    assert not any(net.training for net in (regressor, translator, eye))
    tests = experiment.pairs_of("test", recipes.BUDGETS["smoke"], folder / "work")
    found = keypoints(learning.affines_of(regressor, tests.photos(0)))
    assert errors.measured(found, tests.keypoints[0])["all"] == pytest.approx(
        results["runs"]["main"]["0"]["all"], abs=0.05
    )
    for name in ("main", *trainings.KEPT):
        steps, affines = kept[f"{name}.album.steps"], kept[f"{name}.album.affines"]
        assert len(steps) == len(affines) and affines.shape[2:] == (18, 2, 3) and (steps.diff() > 0).all()
    for name in recipes.LEAKS:
        assert kept[f"{name}.painted.both"].shape == (2, 4, 3, 16, 16)


def test_templates_train_without_labels():
    """The loss is the same when keypoints and poses are lost."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (2, 6, 3, 16, 16), generator=generator, dtype=torch.uint8)
    empty = torch.randint(0, 256, (1, 6, 3, 16, 16), generator=generator, dtype=torch.uint8)
    eye = Eye(4)
    losses = []
    for fill in (0.0, float("nan")):
        blind = Pairs(pixels, torch.full((2, 6, 17, 2), fill), torch.full((2, 6, 17, 3), fill), empty)
        losses.append(learning.Learner(blind, eye, size=16, width=4, batch=4, seed=0).loss(0, 10).item())
    assert losses[0] == losses[1] > 0


@pytest.mark.parametrize("row", recipes.ROWS.values(), ids=recipes.ROWS)
def test_rows_begin_where_they_say(row):
    """Whatever the parts turn about, an untrained regressor lays them on the start, or beside it."""
    learner = learning.Learner(None, None, size=16, width=4, batch=4, seed=0, row=row)
    found = keypoints(learning.affines_of(learner.networks[0], torch.rand(2, 3, 16, 16)), row.about)
    first = START if row.start == "standing" else identity()
    expected = keypoints(first) + torch.tensor([row.aside, 0.0])
    assert (found - expected).abs().max() < 1e-5


def test_thrown_out_parts_feel_the_boundary_and_nothing_else():
    """Outside, only the boundary loss has a slope that carries all parts back: the reason why the paper needs it."""
    thrown = recipes.ROWS["both, thrown out"]
    slopes = {}
    for name, loss in {"anchor": learning.anchor_loss, "boundary": learning.boundary_loss}.items():
        shift = torch.zeros(2, requires_grad=True)
        beside = START + torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]) * thrown.aside
        together = torch.cat([beside[..., :2], beside[..., 2:] + shift[:, None]], -1)
        slopes[name] = torch.autograd.grad(loss(together), shift)[0]
    assert slopes["boundary"][0] > 1 and slopes["anchor"].abs().max() < 1e-6


def test_a_loss_that_is_not_finite_stops_the_training():
    learner = learning.Learner(None, None, size=16, width=4, batch=4, seed=0)
    learner.loss = lambda step, steps: next(learner.networks.parameters()).sum() * float("nan")
    with pytest.raises(ValueError, match="the loss is nan at step 0"):
        learning.train(learner, 3, 1e-3, "test")


def test_training_warms_up_and_ends_slowly():
    learner = learning.Learner(None, None, size=16, width=4, batch=4, seed=0)
    first = next(learner.networks[1].parameters())
    places = []
    learner.loss = lambda step, steps: places.append(first.detach().clone()) or first.sum()
    losses = learning.train(learner, 200, 1e-2, "test")
    assert len(losses) == 200 and losses == sorted(losses, reverse=True)
    moves = torch.stack(places).diff(dim=0).abs().flatten(1).amax(1)
    assert moves[0] < 0.1 * moves[60] and moves[-1] < 0.2 * moves[60]


# ------------------------------------------------------------------ what ships
def test_shipped_files_are_small_and_complete():
    shipped = experiment.results()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    assert size < 4_000_000
    assert shipped["budget"]["name"] == "shipped"
    planned = recipes.plan(recipes.BUDGETS["shipped"])
    assert {(name, int(seed)) for name, runs in shipped["runs"].items() for seed in runs} == set(planned)
    record = json.loads((FOLDER / "main.json").read_text(encoding="utf-8"))
    main = shipped["runs"]["main"]["0"]
    assert record["test"]["all"] == main["all"] and main["lifted"] and main["curve"]


def test_differences_are_taken_seed_by_seed():
    runs = {"a": {"0": {"all": 3.0, "hands": 9.0}, "1": {"all": 4.0, "hands": 8.0}}, "b": {"1": {"all": 1.0}}}
    assert results.differences({"runs": runs}, "a", "b").tolist() == [3.0]
    assert results.differences({"runs": runs}, "a", "a", "hands", "all").tolist() == [6.0, 4.0]
