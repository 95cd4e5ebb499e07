"""What lesson 06 says it measured: `results.json`, its tables and figures, and the networks on crooked rigs."""

import json
from functools import cache
from operator import itemgetter

import numpy as np
import pytest
import torch
from scipy import stats

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import race
from tutorial_lib.adaptation.lens_test import ALONE, LABELLED, LensTest
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.splits import adaptation_split
from tutorial_lib.display import stage
from tutorial_lib.distortion import PRESETS, sample_stratified
from tutorial_lib.lessons.meta_learning import (
    experiment_crooked,
    experiment_cue,
    experiment_ladder,
    experiment_oracle,
    figures,
    results,
)
from tutorial_lib.lessons.meta_learning.costs import measure_costs
from tutorial_lib.lessons.meta_learning.experiment_crooked import METHODS, WINDOWS, trajectory
from tutorial_lib.lifting import TemporalLifter

FILE = json.loads(results.FILE.read_text())
PLACES = ("builtin", "real")
TEST_SEEDS = 3


def crooked_part(seed, name, chance):
    """Made-up errors, as `experiment_crooked` writes them."""

    def rows():
        steps = [(150 + 20 * chance.standard_normal(21)).round(2).tolist() for _ in range(TEST_SEEDS)]
        keys = [str(count) for count in WINDOWS]
        keys += [f"told the rotation, {n}" for n in WINDOWS] * (name == "lenses")
        keys += ["told everything, 64"] * (name == "random-joints")
        return {"steps": steps} | {key: (100 + chance.random(TEST_SEEDS)).round(2).tolist() for key in keys}

    return {
        "method": name, "budget": {"name": "smoke", "steps": 2}, "seed": seed, "rate": 0.01 * (1 + seed),
        "tried_mm": {"0.01": 1.0}, "validation": [[1, 2.0]], "errors": {place: rows() for place in PLACES},
        "seconds_of_this_run": 3, "threads": 1,
    }  # fmt: skip


def oracle_part(seed, name, chance):
    about = {"network": name, "budget": {"name": "full"}, "seed": seed, "validation": [], "device": "cpu"}
    if name == "reader":
        return about | {"r_squared": 0.5 + seed / 10}
    errors = {place: {lens: (50 + chance.random(TEST_SEEDS)).tolist() for lens in PRESETS} for place in PLACES}
    return about | {"errors": errors}


def ladder_part(seed, name, chance):
    counts = {LABELLED: 11, ALONE: 6}
    errors = {
        scenario: {
            **{lens: (60 + chance.random(count)).round(3).tolist() for lens in PRESETS},
            "undistorted": [50 + seed / 10],
        }
        for scenario, count in counts.items()
    }
    return {
        "network": name, "seed": seed, "budget": {"name": "smoke"}, "rates": {LABELLED: 0.01}, "errors": errors,
    }  # fmt: skip


def cue_part(seed, name, chance):
    """Made-up errors, as `experiment_cue` writes them."""
    alphas = list(experiment_cue.ALPHAS)

    def rows(columns):
        return (90 + 20 * chance.random((TEST_SEEDS, columns))).round(2).tolist()

    own = experiment_cue.NETWORKS[name].alpha
    judged = [[200 * i, *(80 + 10 * chance.random(2)).tolist()] for i in range(4)] if own else [[0, *range(4)]]
    return {
        "network": name, "seed": seed, "budget": {"name": "smoke"}, "alphas": alphas, "validation": judged,
        "reached": [80.0] * 4, "rate": 0.01, "tried_mm": {"0.01": 1.0},
        "errors": {place: {"steps": rows(6), "one step": rows(3)} for place in PLACES},
    }  # fmt: skip


@pytest.fixture(params=[1, 3], ids=["one training", "three trainings"])
def made_up(request, tmp_path, monkeypatch):
    """Results of parts that were never trained, in the order that a folder lists them; seed 10 comes after 2."""
    chance, seeds = np.random.default_rng(0), [2, 10, 11][: request.param]
    parts = {
        "crooked": [crooked_part(seed, name, chance) for name in METHODS for seed in seeds],
        "oracle": [oracle_part(seed, name, chance) for name in experiment_oracle.NETWORKS for seed in seeds],
        "ladder": [ladder_part(seed, name, chance) for name in experiment_ladder.NETWORKS for seed in seeds],
        "cue": [cue_part(seed, name, chance) for name in experiment_cue.NETWORKS for seed in seeds],
    }
    for folder, made in parts.items():
        where = tmp_path / results.PARTS[folder]
        (where / "base-s2").mkdir(parents=True)
        (where / "base-s2" / "random-9f.json").write_text("{}")  # a network is no part
        for part in made:
            name = part.get("method") or part["network"]
            (where / f"smoke-{name}-s{part['seed']}.json").write_text(json.dumps(part))
    collected = results.collect(tmp_path)
    assert "costs" not in collected, "they are measured beside"
    collected["costs"] = {"training": {"random": 1.0, "maml": 2.34}}
    monkeypatch.setattr(results, "measured", lambda: collected)
    return parts, [str(seed) for seed in seeds], tmp_path


def by(parts, kind, name):
    return [part for part in parts[kind] if name in (part.get("method"), part.get("network"))]


# ------------------------------------------------------------------ collecting
def test_parts_are_collected_by_experiment_network_and_seed(made_up):
    parts, seeds, _ = made_up
    collected = results.measured()
    assert set(collected) == {*parts, "budgets", "costs"}
    assert set(collected["crooked"]) == set(METHODS) and set(collected["oracle"]) == set(experiment_oracle.NETWORKS)
    budgets = {"crooked": {"name": "smoke", "steps": 2}, "oracle": {"name": "full"}}
    assert collected["budgets"] == budgets | dict.fromkeys(("ladder", "cue"), {"name": "smoke"})
    for kind, made in parts.items():
        for part in made:
            kept = collected[kind][part.get("method") or part["network"]][str(part["seed"])]
            assert kept == {key: part[key] for key in results.KEPT if key in part}
    assert results.trainings("crooked", ["maml", "random"]) == seeds, "in the order of numbers"
    del collected["crooked"]["maml"][seeds[0]]
    assert results.trainings("crooked", ["maml", "random"]) == seeds[1:]


def test_nothing_is_collected_from_nowhere_or_from_several_budgets(made_up):
    """Or an empty folder would wipe the lesson's results, and a smoke run would stand in for a training."""
    _, _, folder = made_up
    with pytest.raises(ValueError, match=r"crooked is .*nowhere.*, with parts of budgets \[\]: expected parts of one"):
        results.collect(folder / "nowhere")
    path = next((folder / results.PARTS["crooked"]).glob("*-maml-*.json"))
    other = json.loads(path.read_text()) | {"budget": {"name": "shipped"}}
    path.with_name("shipped-maml-s2.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"crooked is .*budgets \['shipped', 'smoke'\]"):
        results.collect(folder)


def test_one_folder_is_all_that_the_command_is_told(made_up, monkeypatch):
    """As `make checkpoints` calls it."""
    _, _, folder = made_up
    written, shipped = {}, []
    monkeypatch.setattr(results, "measure_costs", lambda: {"training": {}})
    monkeypatch.setattr(results, "write_json", written.__setitem__)
    monkeypatch.setattr(results, "ship", shipped.append)
    monkeypatch.setattr("sys.argv", ["results", str(folder)])
    results.main()
    assert written == {results.FILE: results.collect(folder) | {"costs": {"training": {}}}}
    assert shipped == [folder / "crooked"]


def test_readers_get_what_the_parts_say(made_up):
    parts, seeds, _ = made_up
    for place in PLACES:
        for name in METHODS:
            errors = [part["errors"][place] for part in by(parts, "crooked", name)]
            for step in (0, 1, 5, 20):
                expected = [sum(row[step] for row in e["steps"]) / TEST_SEEDS for e in errors]
                np.testing.assert_allclose(results.crooked(name, place, seeds=seeds, step=step), expected)
            for count in WINDOWS:
                expected = [sum(e[str(count)]) / TEST_SEEDS for e in errors]
                np.testing.assert_allclose(results.crooked(name, place, seeds=seeds, windows=count), expected)
        for count in WINDOWS:
            key = f"told the rotation, {count}"
            expected = [sum(part["errors"][place][key]) / TEST_SEEDS for part in by(parts, "crooked", "lenses")]
            np.testing.assert_allclose(results.told("rotation", place, seeds=seeds, windows=count), expected)
        whole = [sum(p["errors"][place]["told everything, 64"]) / 3 for p in by(parts, "crooked", "random-joints")]
        np.testing.assert_allclose(results.told("everything", place, seeds=seeds), whole)
        for name in ("told", "untold"):
            rows = [part["errors"][place] for part in by(parts, "oracle", name)]
            expected = [(sum(row["d1"]) + sum(row["d4"])) / (2 * TEST_SEEDS) for row in rows]
            np.testing.assert_allclose(results.oracle(name, place, ["d1", "d4"], seeds=seeds), expected)
        for name in experiment_cue.NETWORKS:
            rows = [part["errors"][place] for part in by(parts, "cue", name)]
            for step in (0, 5):
                expected = [np.mean([row[step] for row in each["steps"]]) for each in rows]
                np.testing.assert_allclose(results.cue(name, place, seeds=seeds, step=step), expected)
            expected = [np.mean([row[2] for row in each["one step"]]) for each in rows]
            np.testing.assert_allclose(results.one_step(name, place, 0.3, seeds=seeds), expected)
    last = results.crooked("maml", "real", seeds=seeds[-1:], step=5)
    assert last == results.crooked("maml", "real", seeds=seeds, step=5)[-1], "the seeds that one asks for"


def test_a_comparison_over_trainings_has_a_training_where_others_have_a_test(made_up):
    parts, seeds, _ = made_up
    found = results.ladder()
    for name in experiment_ladder.NETWORKS:
        rows = [part["errors"] for part in by(parts, "ladder", name)]
        for step in (0, 1, -1):
            expected = [(row[LABELLED]["d1"][step] + row[LABELLED]["d2"][step]) / 2 for row in rows]
            np.testing.assert_allclose(found.errors(name, LABELLED, ["d1", "d2"], step=step), expected)
        clean = [row[ALONE]["undistorted"][0] for row in rows]
        np.testing.assert_allclose(found.errors(name, ALONE, ["undistorted"]), clean)
    assert np.isnan(found.errors("ours-9f", LABELLED, ["d1"], metric="pckh")).all(), "not kept, so not shown as if"


def test_what_learners_cost_is_told_beside_ordinary_training():
    """Ratios alone, of everybody in turn: no clock decides this test."""
    costs = measure_costs(channels=8, rounds=2, budget=experiment_crooked.BUDGETS["smoke"])
    assert costs["training"]["random"] == costs["five steps"]["maml"] == 1.0
    assert set(costs["training"]) == {"random", "reptile", "anil", "first-order", "maml"}
    assert all(ratio > 0 for kind in costs.values() for ratio in kind.values())


def test_shipping_takes_over_the_networks_with_the_same_poses(tmp_path):
    seen = torch.rand(1, 30, 17, 2) - 0.5
    trained = {}
    for name in race.CROOKED_NETWORKS.values():
        name = name.removeprefix("crooked/")
        for seed in (0, 4):
            trained[name, seed] = TemporalLifter(9, 8, dropout=0.0).eval()
            checkpoints.save(trained[name, seed], f"{name}-s{seed}", {"seed": seed, "rate": 0.1}, tmp_path / "work")
    results.ship(tmp_path / "work", 4, tmp_path / "to")
    assert checkpoints.names(tmp_path / "to") == []
    shipped = race.crooked_networks(tmp_path / "to")
    assert len(checkpoints.names(tmp_path / "to/crooked")) == len(shipped) == 4
    for title, name in race.CROOKED_NETWORKS.items():
        about = checkpoints.record(name, tmp_path / "to")
        assert (about["name"], about["seed"], about["rate"]) == (name, 4, 0.1) and len(about["fingerprint"]) == 64
        with torch.no_grad():
            pose = shipped[title].adapter.model.lift(seen)
            expected = trained[name.removeprefix("crooked/"), 4].lift(seen)
        torch.testing.assert_close(pose, expected, atol=2e-3, rtol=1e-2)
        back = checkpoints.load(f"{name.removeprefix('crooked/')}-s4", folder=tmp_path / "work").lift(seen)
        torch.testing.assert_close(pose, back, atol=0, rtol=0)


# ------------------------------------------------------------------ tables and figures
def grid(text):
    """Heads and rows of the Markdown table below a title."""
    title, table = text.split("\n\n")
    head, rule, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    assert {*rule} == {"---"} and all(len(row) == len(head) for row in rows)
    assert "nan" not in text.lower() and title
    return head, rows


def written(values):
    """Mean and half of Student's interval, to a tenth; one value has no interval."""
    values = np.asarray(values)
    if len(values) == 1:
        return f"{values[0]:.1f}"
    half = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))[1] - values.mean()
    return f"{values.mean():.1f} ± {half:.1f}"


def errors(parts, name, place, get, kind="crooked"):
    return [np.mean(get(part["errors"][place])) for part in by(parts, kind, name)]


def at(step):
    return lambda rows: [row[step] for row in rows["steps"]]


def test_the_table_of_the_hidden_cue_prints_the_results(made_up):
    parts, seeds, _ = made_up
    head, rows = grid(figures.cue_table())
    assert [row[0] for row in rows] == [network.title for network in experiment_cue.NETWORKS.values()]
    for name, row in zip(experiment_cue.NETWORKS, rows):
        stepped = {"maml-0.03": 0, "maml-0.1": 1, "maml-0.3": 2, "whole-0.3": 2, "random": None}[name]
        for column, place in ((1, "builtin"), (4, "real")):
            assert row[column] == written(errors(parts, name, place, at(0), "cue"))
            assert row[column + 2] == written(errors(parts, name, place, at(5), "cue"))
            one = [
                np.array(part["errors"][place]["one step"])[:, stepped or 0].mean() for part in by(parts, "cue", name)
            ]
            assert row[column + 1] == ("" if stepped is None else written(one))


def test_the_curves_of_the_hidden_cue_are_the_validation_errors(made_up):
    parts, _, _ = made_up
    lines = {line.name: line for line in figures.cue_curves().data if line.name}
    assert len(lines) == 4
    for alpha in ("0.3", "0.03"):
        rows = np.array([part["validation"] for part in by(parts, "cue", f"maml-{alpha}")])
        for column, when in ((1, "before"), (2, "after")):
            line = lines[f"α = {alpha}, {when} the step"]
            np.testing.assert_allclose(line.x, rows[0, :, 0])
            np.testing.assert_allclose(line.y, rows[:, :, column].mean(0), rtol=1e-4)


def test_the_table_of_crooked_rigs_prints_the_results(made_up):
    parts, seeds, _ = made_up
    head, rows = grid(figures.crooked_table())
    assert head[:2] == ["network", "rate"] and head[-2:] == ["training costs", "trainings"] and len(head) == 10
    assert head[2] == "invented people: before" and head[7] == "real actors: 5 steps"
    assert [row[0] for row in rows] == [METHODS[name].title for name in figures.COLOURS]
    for name, row in zip(figures.COLOURS, rows):
        assert row[1] == ", ".join(f"{part['rate']:.2g}" for part in by(parts, "crooked", name))
        assert row[2:-2] == [written(errors(parts, name, p, at(step))) for p in PLACES for step in (0, 1, 5)]
        assert row[-2:] == [{"random": "× 1.0", "maml": "× 2.3"}.get(name, ""), str(len(seeds))]


def test_the_table_of_hidden_joints_prints_the_results(made_up):
    parts, seeds, _ = made_up
    head, rows = grid(figures.hidden_table())
    assert head[1:4] == [f"invented people: {when}" for when in ("before", "5 steps", "20 steps")] and len(rows) == 3
    for name, row in zip(("random-joints", "maml-joints"), rows):
        assert row[1:] == [written(errors(parts, name, p, at(step))) for p in PLACES for step in (0, 5, 20)]
    told = [written(errors(parts, "random-joints", p, itemgetter("told everything, 64"))) for p in PLACES]
    assert rows[2][1:] == ["", told[0], "", "", told[1], ""]


def test_the_oracles_table_prints_the_results(made_up):
    parts, seeds, _ = made_up
    head, rows = grid(figures.oracle_table(seeds))
    assert head[1] == "d1, invented people" and head[-1] == "d4, real actors"
    for name, row in zip(("untold", "told"), rows):
        expected = [errors(parts, name, p, itemgetter(lens), "oracle") for p in PLACES for lens in PRESETS]
        assert row[1:] == [written(values) for values in expected]


@pytest.mark.parametrize("place", PLACES)
def test_the_curves_of_crooked_rigs_are_the_results(made_up, place):
    parts, seeds, _ = made_up
    figure = figures.crooked_steps(place)
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert list(lines) == [METHODS[name].title for name in figures.COLOURS]
    bands = [trace for trace in figure.data if not trace.name]
    assert len(bands) == (len(lines) if len(seeds) > 1 else 0), "one training has no interval"
    for name in figures.COLOURS:
        steps = np.array([errors(parts, name, place, at(step)) for step in range(21)])
        line = lines[METHODS[name].title]
        np.testing.assert_array_equal(line.x, range(21))
        np.testing.assert_allclose(line.y, steps.mean(1), atol=6e-4)
    for name, band in zip(figures.COLOURS, bands):
        steps = np.array([errors(parts, name, place, at(step)) for step in range(21)])
        high = stats.t.interval(0.95, len(seeds) - 1, steps.mean(1), stats.sem(steps, axis=1))[1]
        np.testing.assert_allclose(band.y[:21], high, atol=6e-4)
        np.testing.assert_allclose(band.y[:20:-1], 2 * steps.mean(1) - high, atol=6e-4)


@pytest.mark.parametrize("place", PLACES)
def test_learning_against_knowing_draws_the_results(made_up, place):
    parts, _, _ = made_up
    figure = figures.told_figure(place)
    axis = figure.layout.xaxis
    assert dict(zip(axis.ticktext, axis.tickvals)) == {"1": 0, "4": 2, "16": 4, "64": 6}, "the axis says windows"
    random, maml, told = figure.data
    assert [random.name, maml.name] == ["random lenses and mountings", "MAML"] and told.name.startswith("told")
    for line, name, key in ((random, "random", "{}"), (maml, "maml", "{}"), (told, "lenses", "told the rotation, {}")):
        np.testing.assert_array_equal(line.x, [0, 2, 4, 6])
        means = [np.mean(errors(parts, name, place, itemgetter(key.format(count)))) for count in WINDOWS]
        np.testing.assert_allclose(line.y, means, atol=6e-4)


def test_the_lessons_own_tables_can_be_printed():
    for text in (figures.crooked_table(), figures.hidden_table(), figures.oracle_table(["0"])):
        grid(text)
    for place in PLACES:
        figures.crooked_steps(place), figures.told_figure(place)


def test_three_tasks_show_the_same_person_through_three_lenses():
    level, *tasks = figures.task_picture()["panes"]
    assert level["title"] == "detected, no lens" and len(tasks) == 3

    def drawn(pane, group):
        (part,) = pane[group]
        return stage.unpack(part["points"]).squeeze()

    person, straight = (drawn(level, group) / FOCAL for group in ("skeletons", "lines"))
    lenses = sample_stratified(3, generator=torch.Generator().manual_seed(0)).double().numpy()
    assert [pane["title"] for pane in tasks] == [f"task {i}: k1 = {lens[0]:+.2f}" for i, lens in enumerate(lenses, 1)]
    for pane, (k1, k2, k3, p1, p2) in zip(tasks, lenses):
        for before, after in ((person, drawn(pane, "skeletons")), (straight, drawn(pane, "lines"))):
            x, y = np.moveaxis(before, -1, 0)
            r2 = x**2 + y**2
            radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
            bent = [
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2),
                y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y,
            ]
            # the person's joints are the detector's, which errs in the picture, behind the lens
            np.testing.assert_allclose(after / FOCAL, np.stack(bent, -1), atol=1e-4 if before is straight else 0.03)


# ------------------------------------------------------------------ the file, and the networks beside it
def test_the_file_agrees_with_itself():
    budget = FILE["budgets"]["crooked"]
    assert {about["name"] for about in FILE["budgets"].values()} == {"shipped"}
    for name, seeds in FILE["cue"].items():
        for part in seeds.values():
            tried = {float(rate): error for rate, error in part["tried_mm"].items() if error is not None}
            assert min(tried.values()) == tried[min(tried, key=lambda rate: abs(rate - part["rate"]))], name
            assert min(map(float, part["tried_mm"])) < part["rate"] < max(map(float, part["tried_mm"])), name
            assert set(part["errors"]) == set(PLACES)
            assert {len(rows) for each in part["errors"].values() for rows in each.values()} == {budget["test_seeds"]}
    for name, seeds in FILE["crooked"].items():
        for part in seeds.values():
            tried = {float(rate): error for rate, error in part["tried_mm"].items()}
            chosen = min(tried, key=tried.__getitem__)
            assert chosen == pytest.approx(part["rate"], rel=5e-3) and min(tried) < chosen < max(tried), name
            for rows in part["errors"].values():
                assert [row[budget["chosen_at"]] for row in rows["steps"]] == rows["64"]
                assert {len(row) for row in rows["steps"]} == {budget["steps_at_test"] + 1}
                assert {len(row) for row in rows.values()} == {budget["test_seeds"]}


@cache
def rig(seed):
    """A test of the file: people and a rig of one test seed, behind d1 and d2."""
    lens_test = LensTest(adaptation_split("builtin", seed), seed, clips=8)
    place = experiment_crooked.draw_conventions(1, False, torch.Generator().manual_seed(1000 + seed)).at(0)
    return [lens_test.through(PRESETS[lens], convention=place) for lens in ("d1", "d2")]


def again(title, seen):
    """The errors of a shipped network before and after each of five steps."""
    network = race.crooked_networks()[title]
    return np.mean([trajectory(network.adapter.model, one, network.rates[LABELLED], 5) for one in seen], axis=0)


@pytest.mark.parametrize("title", race.CROOKED_NETWORKS)
def test_the_shipped_networks_reproduce_their_recorded_errors(title):
    about = checkpoints.record(race.CROOKED_NETWORKS[title])
    part = FILE["crooked"][about["method"]][str(about["seed"])]
    assert about["seed"] == 0 and about["rate"] == part["rate"] and about["tried_mm"] == part["tried_mm"]
    np.testing.assert_allclose(again(title, rig(0)), part["errors"]["builtin"]["steps"][0][:6], atol=0.5)


def test_five_steps_of_maml_take_the_lean_away():
    """Of every training, over all test people."""
    seeds = results.trainings("crooked", ["maml", "random"])
    for place in PLACES:
        start, end = (results.crooked("maml", place, seeds=seeds, step=step) for step in (0, 5))
        assert (end < 0.6 * start).all()
        assert (end < 0.8 * results.crooked("random", place, seeds=seeds, step=5)).all()


def test_the_shipped_network_takes_a_lean_away_now():
    seen = rig(3)
    maml, other = (again(title, seen) for title in ("MAML", "not meta-trained"))
    assert maml[5] < 0.6 * maml[0] and maml[5] < 0.75 * other[5]
