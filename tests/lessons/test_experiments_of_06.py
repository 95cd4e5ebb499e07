"""The experiments behind lesson 06's second half: crooked rigs, a hidden cue, what it is worth to know the lens."""

import copy
import json
import math
import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import adapt, rate_search
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets import splits
from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lessons.meta_learning import experiment, experiment_crooked, experiment_cue, experiment_oracle
from tutorial_lib.lessons.meta_learning.experiment_crooked import (
    BUDGETS,
    METHODS,
    choose_rate,
    freeze_for,
    second_stage,
    trajectory,
    validation_rigs,
)
from tutorial_lib.lifting import TemporalLifter

SMOKE = BUDGETS["smoke"]
TRAINED = ["lenses", "random-joints", "maml"]
"""Between them: no second stage, an ordinary one, episodes; and both kinds of being told."""


@pytest.fixture(scope="module")
def people():
    """The experiments' own people, invented once: that is most of a smoke run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COURSE_MOCAP", raising=False)
        once = {name: cache(getattr(splits, name)) for name in ("training_split", "adaptation_split")}
        for module in (experiment, experiment_crooked, experiment_cue, experiment_oracle, rate_search):
            for name in set(once) & set(vars(module)):
                patch.setattr(module, name, once[name])
        for module in (experiment_crooked, experiment_cue):
            patch.setattr(module, "validation_test", cache(rate_search.validation_test))
        yield once["training_split"](None, SMOKE.people)


def program(module, folder, *words):
    """Run an experiment as its command does, from an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        (folder / "elsewhere").mkdir(exist_ok=True)
        patch.chdir(folder / "elsewhere")
        patch.setenv("COURSE_BUILD", str(folder / "out"))
        patch.setattr("sys.argv", ["program", *words, "--budget", "smoke"])
        module.main()


def files(folder):
    """What lies there, and when each file was written."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in found}


def part(folder, name):
    (path,) = folder.rglob(f"smoke-{name}-s0.json")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def written(people, tmp_path_factory):
    """What an experiment writes about some networks: the folder."""

    def write(experiment, *names):
        folder = tmp_path_factory.mktemp(experiment.__name__.rpartition(".")[2])
        program(experiment, folder, *names)
        return folder

    return write


@pytest.fixture(scope="module")
def crooked(written):
    return written(experiment_crooked, *TRAINED)


@pytest.fixture(scope="module")
def oracle(written):
    return written(experiment_oracle)


CROPS = ["random", "maml-0.3", "whole-0.3"]


@pytest.fixture(scope="module")
def cue(written):
    return written(experiment_cue, *CROPS)


@pytest.fixture(scope="module")
def scene(people):
    """Footage to train on and to validate with, and a small test."""
    footage, validation = (
        capture_clips(clips, torch.Generator().manual_seed(0), limit=4) for clips in (people.train, people.validation)
    )
    half = splits.AdaptationSplit(people.validation[::2], people.validation[1::2])
    return footage, validation, LensTest(half, 0, clips=1, calibration_clips=2)


def lifter():
    torch.manual_seed(1)
    return TemporalLifter(9, 8, dropout=0.0).eval()


# ------------------------------------------------------------------ what they write
def test_crooked_rigs_leave_a_network_and_a_part_a_method(crooked):
    place = "out/experiments/crooked-smoke"
    base = [f"{place}/parts/base-s0/{name}" for name in ("random-9f.json", "random-9f.safetensors")]
    stage = f"{place}/parts/base-s0/stages/smoke-s0-random-detector-9f.safetensors"
    networks = [f"{place}/{name}-9f-s0.{kind}" for name in TRAINED for kind in ("json", "safetensors")]
    parts = [f"{place}/parts/smoke-{name}-s0.json" for name in TRAINED]
    assert sorted(files(crooked)) == sorted([*base, stage, *networks, *parts])


@pytest.mark.parametrize("name", TRAINED)
def test_a_part_holds_every_error_and_how_the_rate_was_chosen(crooked, name):
    done = part(crooked, name)
    about = checkpoints.record(f"{name}-9f-s0", crooked / "out/experiments/crooked-smoke")
    assert {key: done[key] for key in done if key != "errors"} == {key: about[key] for key in done if key != "errors"}
    assert (done["method"], done["seed"], done["budget"]["name"]) == (name, 0, "smoke")
    assert f"{done['rate']:.3g}" in done["tried_mm"]
    assert (done["validation"] == []) == (METHODS[name].episodes == "none")
    assert list(done["errors"]) == ["builtin"]
    rows = done["errors"]["builtin"]
    told = {"lenses": [f"told the rotation, {n}" for n in (1, 4, 16, 64)], "random-joints": ["told everything, 64"]}
    assert list(rows) == ["steps", "1", "4", "16", "64", *told.get(name, [])]
    assert all(len(row) == SMOKE.test_seeds and np.isfinite(row).all() for row in rows.values())
    assert len(rows["steps"][0]) == SMOKE.steps_at_test + 1
    assert rows["64"][0] == rows["steps"][0][SMOKE.chosen_at], "the same 64 windows, the same steps"


def test_the_oracles_parts_hold_errors_or_what_was_read(oracle):
    place = "out/experiments/oracle-smoke"
    assert sorted(files(oracle)) == sorted(f"{place}/smoke-{name}-s0.json" for name in experiment_oracle.NETWORKS)
    for name in ("told", "untold"):
        done = part(oracle, name)
        assert (done["network"], done["seed"], done["budget"]["name"]) == (name, 0, "smoke")
        assert list(done["errors"]["builtin"]) == list(PRESETS)
        assert all(len(row) == 1 and 50 < row[0] < 2000 for row in done["errors"]["builtin"].values())
    assert part(oracle, "told")["errors"] != part(oracle, "untold")["errors"]
    assert part(oracle, "reader")["r_squared"] < 1 and "errors" not in part(oracle, "reader")


def test_the_hidden_cues_parts_hold_the_start_and_the_step(cue):
    place = "out/experiments/cue-smoke"
    pretrained = [f"{place}/smoke-{seen}-s0.safetensors" for seen in ("crops", "whole")]
    assert sorted(files(cue)) == sorted([*pretrained, *(f"{place}/smoke-{name}-s0.json" for name in CROPS)])
    for name in CROPS:
        done = part(cue, name)
        assert (done["network"], done["seed"], done["budget"]["name"]) == (name, 0, "smoke")
        assert f"{done['rate']:.3g}" in done["tried_mm"] and done["alphas"] == list(experiment_cue.ALPHAS)
        assert [row[0] for row in done["validation"]] == ([0] if name == "random" else [0, 1, 2])
        assert len(done["reached"]) == 1 + len(done["alphas"])
        rows = done["errors"]["builtin"]
        assert list(done["errors"]) == ["builtin"] and len(rows["steps"]) == len(rows["one step"]) == SMOKE.test_seeds
        assert len(rows["steps"][0]) == SMOKE.chosen_at + 1 and len(rows["one step"][0]) == len(done["alphas"])
        assert np.isfinite([*rows["steps"][0], *rows["one step"][0]]).all()
    crops, whole = part(cue, "maml-0.3"), part(cue, "whole-0.3")
    assert crops["validation"][0][1] == part(cue, "random")["validation"][0][1], "the same start"
    assert crops["validation"][0] != whole["validation"][0]
    assert crops["reached"][0] == min(crops["validation"][1:], key=lambda row: row[2])[1], "its best weights"


def test_a_crop_hides_where_somebody_is_and_how_large():
    screen = torch.randn(4, 9, 17, 2, generator=torch.Generator().manual_seed(0))
    crops = experiment_cue.cropped(screen)
    assert (crops[..., 0, :] == 0).all()
    torch.testing.assert_close(crops.norm(dim=-1).mean(-1), torch.ones(4, 9))
    moved = screen * torch.rand(4, 9, 1, 1).add(0.5) + torch.randn(4, 9, 1, 2)
    torch.testing.assert_close(experiment_cue.cropped(moved), crops, rtol=1e-4, atol=1e-5)
    assert torch.isfinite(experiment_cue.cropped(torch.zeros(1, 17, 2))).all()


def test_a_crop_lifter_is_a_lifter_of_crops():
    """Sequences and windows alike; with the weights of an ordinary one."""
    torch.manual_seed(1)
    model, plain = experiment_cue.CropLifter(9, 8).eval(), lifter()
    model.load_state_dict(plain.state_dict())
    clip = torch.randn(2, 20, 17, 2, generator=torch.Generator().manual_seed(0))
    crops = experiment_cue.cropped(clip)
    torch.testing.assert_close(model.lift(3 * clip + 1), plain.lift(crops), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(model.windows(clip[:, :9]), plain.windows(crops[:, :9]), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(model.lift(clip)[:, 4], model.windows(clip[:, :9]), rtol=1e-3, atol=1e-5)


def test_a_second_run_reads_what_is_there(people, crooked, oracle, cue, monkeypatch, capsys):
    before = files(crooked) | files(oracle) | files(cue)
    for module in (experiment, experiment_crooked, experiment_cue, experiment_oracle):
        monkeypatch.setattr(module, "fit", lambda *arguments, **options: pytest.fail("trained again"))
    program(experiment_crooked, crooked, *TRAINED)
    program(experiment_oracle, oracle)
    program(experiment_cue, cue, *CROPS)
    assert files(crooked) | files(oracle) | files(cue) == before
    said = capsys.readouterr().out
    steps = part(crooked, "maml")["errors"]["builtin"]["steps"][0]
    assert f"maml, seed 0, builtin: rate 0.9, {steps[0]:.0f} → {steps[1]:.0f}" in said
    assert f"reader, seed 0: {part(oracle, 'reader')['r_squared']}" in said


def test_a_damaged_part_is_made_again_alone_and_the_same(people, crooked):
    before, done = files(crooked), part(crooked, "lenses")
    (path,) = crooked.rglob("smoke-lenses-s0.json")
    path.write_text('{"method": "len')
    with pytest.warns(UserWarning, match="smoke-lenses-s0.json .*made again"):
        program(experiment_crooked, crooked, "lenses")
    again = part(crooked, "lenses")
    assert all(again[key] == done[key] for key in ("rate", "tried_mm", "errors"))
    changed = {name for name, time in files(crooked).items() if before.get(name) != time}
    assert {name.rsplit("/", 1)[1].partition("-s0")[0] for name in changed} == {"smoke-lenses", "lenses-9f"}


@pytest.mark.parametrize("stopped, module", [("base", experiment), ("second stage", experiment_crooked)])
def test_what_was_stopped_is_no_part(crooked, stopped, module, tmp_path, monkeypatch):
    """`fit` keeps what it reached when a person stops it: nothing may take that for a whole training."""
    base, labels, fit = tmp_path / "out/experiments/crooked-smoke/parts/base-s0", [], experiment.fit
    shutil.copytree(next(crooked.rglob("base-s0")), base)
    if stopped == "base":  # its first stage is there
        (base / "random-9f.safetensors").unlink()

    def interrupted(*arguments, **options):
        return replace(fit(*arguments, **options), interrupted=True)

    def listed(*arguments, label, **options):
        labels.append(label)
        return fit(*arguments, label=label, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "fit", interrupted)
        program(experiment_crooked, tmp_path, "maml")
    assert not list(tmp_path.rglob("smoke-maml-s0.json")) and not list(tmp_path.rglob("maml-9f-s0.*"))
    for each in (experiment, experiment_crooked):
        monkeypatch.setattr(each, "fit", listed)
    program(experiment_crooked, tmp_path, "maml")
    assert labels == {"base": ["random-9f", "maml"], "second stage": ["maml"]}[stopped]
    assert part(tmp_path, "maml")["errors"] == part(crooked, "maml")["errors"], "as if nobody had stopped it"


def test_a_network_of_another_budget_is_no_start(crooked, tmp_path, monkeypatch):
    """Parts of several budgets may lie in one work folder."""
    folder = next(crooked.rglob("base-s0"))
    tiny = {**experiment.BUDGETS, "tiny": replace(experiment.BUDGETS["smoke"], channels=8)}
    monkeypatch.setattr(experiment, "BUDGETS", tiny)
    for name in ("random-9f.json", "random-9f.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert experiment_crooked.pretrained("smoke", 0, tmp_path, "cpu").channels == 16
    assert experiment_crooked.pretrained("tiny", 0, tmp_path, "cpu").channels == 8


@pytest.mark.parametrize("module", [experiment_crooked, experiment_cue, experiment_oracle])
def test_unknown_names_are_refused_before_anything_is_made(module, tmp_path, capsys):
    with pytest.raises(SystemExit):
        program(module, tmp_path, "mamml")
    assert "names ['mamml'] are unknown, choose from" in capsys.readouterr().err
    folders = [tmp_path] * {experiment_crooked: 2, experiment_cue: 1, experiment_oracle: 0}[module]
    with pytest.raises(ValueError, match="name is 'mamml', expected one of"):
        module.train("mamml", "smoke", 0, *folders, "cpu")
    assert not files(tmp_path)


# ------------------------------------------------------------------ methods
def test_every_budget_has_a_first_stage():
    assert set(BUDGETS) == set(experiment.BUDGETS)


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_ordinary_steps_see_as_many_windows_as_meta_steps(budget):
    windows = budget.steps * budget.tasks * (budget.support + budget.query)
    assert windows - budget.batch < budget.ordinary_steps * budget.batch <= windows


@pytest.mark.parametrize("name", [name for name in METHODS if name != "lenses"])
def test_every_method_trains_for_the_windows_of_its_budget(scene, name, monkeypatch):
    footage, validation, _ = scene
    model = lifter()
    before = copy.deepcopy(model.state_dict())
    steps = []
    fit = experiment_crooked.fit
    monkeypatch.setattr(experiment_crooked, "fit", lambda m, loss, n, **o: steps.append(n) or fit(m, loss, n, **o))
    history = second_stage(model, name, SMOKE, footage, validation, torch.Generator().manual_seed(0))
    assert steps == [SMOKE.ordinary_steps if METHODS[name].episodes == "ordinary" else SMOKE.steps]
    assert len(history.loss) == steps[0] and np.isfinite(history.loss).all()
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert moved >= {key for key, _ in model.named_parameters()}, "all weights are trained, whatever a step moves"
    still = not any("running" in key for key in moved)
    assert still == (METHODS[name].episodes != "ordinary"), "episodes keep the statistics of batch norm"


def test_anils_network_moves_in_its_last_layer_only(scene):
    seen = scene[2].through(PRESETS["d2"])
    for name in METHODS:
        model = freeze_for(name, lifter())
        taken = adapt(model, seen.support(9, 4), 2, rate=0.1).model
        moved = {key for key, value in taken.named_parameters() if not torch.equal(value, model.get_parameter(key))}
        head = {"shrink.weight", "shrink.bias"}
        assert moved == head if name == "anil" else moved > head


# ------------------------------------------------------------------ rates
def test_a_trajectory_is_a_loop_of_gradient_steps(scene):
    seen, model = scene[2].through(PRESETS["d1"]), lifter()
    support, runner = seen.support(9, 4), copy.deepcopy(lifter())
    expected = []
    for _ in range(3):
        with torch.no_grad():
            pose = runner.lift(seen.video)
            pose = pose - pose[..., :1, :]
            expected.append(1000 * (pose - seen.truth).norm(dim=-1).mean().item())
        off = runner.windows(support.keypoints) - support.pose
        loss = (off - off[..., :1, :]).norm(dim=-1).mean()
        gradients = torch.autograd.grad(loss, list(runner.parameters()))
        with torch.no_grad():
            for weight, gradient in zip(runner.parameters(), gradients):
                weight -= 0.05 * gradient
    assert trajectory(model, seen, 0.05, 2, windows=4) == pytest.approx(expected, rel=1e-4)


def test_a_rate_that_diverges_counts_as_infinity_and_a_mistake_does_not(scene):
    seen, model = scene[2].through(PRESETS["d1"]), lifter()
    first, *others = trajectory(model, seen, 1e30, 3, windows=4)
    assert math.isfinite(first) and others == [math.inf] * 3
    blind = replace(seen, video=torch.full_like(seen.video, math.inf))
    assert trajectory(model, blind, 0.01, 1, windows=4) == [math.inf] * 2
    with pytest.raises(ValueError, match="windows is 0, expected 1 to 128"):
        trajectory(model, seen, 0.01, 1, windows=0)


@pytest.mark.parametrize("best", [1e-4, 0.003, 0.02, 0.05, 0.3, 2.0])
@pytest.mark.parametrize("limit", [math.inf, 3.0])
def test_the_rate_lies_inside_what_was_tried_and_is_the_best_of_it(scene, best, limit, monkeypatch):
    """Errors that fall and rise in the logarithm; from 3 times the best rate on they may diverge."""

    def error(rate):
        return 100 + 10 * math.log(rate / best) ** 2 if rate < limit * best else math.inf

    asked = []
    monkeypatch.setattr(
        experiment_crooked,
        "trajectory",
        lambda m, seen, rate, steps: asked.append((rate, steps)) or [50.0, error(rate)],
    )
    rate, tried = choose_rate(lifter(), validation_rigs(False, scene[2]), SMOKE.chosen_at)
    rates = sorted({rate for rate, _ in asked})
    assert rates[0] < rate < rates[-1] and error(rate) == min(map(error, rates))
    assert abs(math.log(rate / best)) <= math.log(3) / 4 + 1e-9, "half a step of the finer grid"
    assert {steps for _, steps in asked} == {SMOKE.chosen_at}
    assert len(asked) == 6 * len(rates), "six environments, none asked twice"
    expected = {f"{r:.3g}": round(error(r), 2) if math.isfinite(error(r)) else None for r in rates}
    assert tried == expected and json.loads(json.dumps(tried, allow_nan=False)) == tried


@pytest.mark.parametrize("error, low, high", [(lambda r: r, 1e-6, 1e-5), (lambda r: -r, 10, 100)])
def test_the_grid_grows_no_further_than_its_bounds(scene, error, low, high, monkeypatch):
    monkeypatch.setattr(experiment_crooked, "trajectory", lambda m, seen, rate, steps: [error(rate)])
    assert low < choose_rate(lifter(), validation_rigs(True, scene[2]), SMOKE.chosen_at)[0] < high


def test_all_methods_are_judged_by_the_same_environments(scene, monkeypatch):
    seen = []
    monkeypatch.setattr(experiment_crooked, "trajectory", lambda m, o, rate, steps: seen.append(o) or [rate])
    for _ in range(2):
        choose_rate(lifter(), validation_rigs(False, scene[2]), SMOKE.chosen_at)
    half = len(seen) // 2
    for one, other in zip(seen[:6], seen[half:]):
        assert torch.equal(one.video, other.video) and torch.equal(one.truth, other.truth)
    assert len({o.video.sum().item() for o in seen[:6]}) == 6
