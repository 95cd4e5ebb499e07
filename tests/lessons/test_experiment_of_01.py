"""Lesson 01's experiment: what it measures, how it chooses, that it goes on where it stopped, and what it ships."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.disturbances import disturb, move
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.display.preview import png
from tutorial_lib.heatmaps import RLE, KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression import costs, experiment, learning, measures, recipes
from tutorial_lib.lessons.heatmap_vs_regression import results as twins
from tutorial_lib.lessons.heatmap_vs_regression.measures import DECODERS, WORSE
from tutorial_lib.lessons.heatmap_vs_regression.recipes import BUDGETS, HEADS, KINDS, RATES, SHIPPED, WIDTHS, Run
from tutorial_lib.metrics import pck
from tutorial_lib.skeleton import JOINTS, MIRROR
from tutorial_lib.training import History

FOLDER = checkpoints.FOLDER / "heads"
SMOKE = BUDGETS["smoke"]


def drawn(split="train", count=8, size=32, setting="world", **_):
    """Photos of nobody, at once."""
    generator = torch.Generator().manual_seed(len(split) + len(setting))
    pixels = torch.randint(256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    keypoints = 1.8 * torch.rand(count, 17, 2, generator=generator) - 0.9
    pose = torch.zeros(count, 17, 3)
    return PhotoSet(pixels, keypoints, pose, torch.rand(count, 17, generator=generator) > 0.3, torch.ones(count, 3))


def draw(setting, split):
    return drawn(split, SMOKE.photos, SMOKE.size, setting)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The whole experiment, a few steps long; its folder and its work folder."""
    folder, work = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "photo_set", drawn)
        experiment.run_all("smoke", folder, work=work)
    return folder, work


# ------------------------------------------------------------------ what is measured
def test_the_truth_measures_perfect():
    photos = drawn()
    found = measures.measure(photos.keypoints, photos)
    assert (
        found["error_px"] == found["median_px"] == found["hidden_px"] == found["forgiving_px"] == found["turned"] == 0
    )
    assert found["pck"] == [1.0] * len(measures.THRESHOLDS)


def test_errors_are_pixels_of_joints_in_the_picture():
    photos = drawn()
    photos.keypoints[0, 3] = 1.5  # outside: does not count, however wrong
    predicted = photos.keypoints + torch.tensor([3.0, 4.0]) * 2 / 32
    predicted[0, 3] = 100.0
    found = measures.measure(predicted, photos)
    for name in ("error_px", "median_px", "visible_px", "hidden_px"):
        assert found[name] == pytest.approx(5.0, abs=1e-4)
    assert measures.mean_error(predicted, photos) == pytest.approx(5.0, abs=1e-4)
    torso = 16 * pck.torso_length(photos.keypoints)
    shares = (5 / torso)[:, None].expand(-1, 17)[photos.inside]
    assert found["torso"] == pytest.approx(shares.mean().item(), abs=1e-4)
    assert found["pck"] == pytest.approx([(shares <= t).double().mean().item() for t in measures.THRESHOLDS])


def test_a_person_who_is_turned_round_is_forgiven_and_one_arm_is_not():
    photos = drawn()
    both = photos.keypoints.clone()
    both[:3] = photos.keypoints[:3, list(MIRROR)]
    found = measures.measure(both, photos)
    assert found["turned"] == 3 / 8 and found["forgiving_px"] == 0 < found["error_px"]
    arm = photos.keypoints.clone()
    left, right = JOINTS.index("left_wrist"), JOINTS.index("right_wrist")
    arm[:, [left, right]] = photos.keypoints[:, [right, left]]
    found = measures.measure(arm, photos)
    assert found["turned"] == 0 and found["forgiving_px"] == found["error_px"] > 0


def test_a_heat_map_is_read_in_three_ways_the_others_in_one():
    for head in HEADS:
        model = KeypointNet(head, 32, channels=(4, 4, 4, 4), width=4).eval()
        read = measures.predict(model, drawn())
        assert set(read) == (
            set(DECODERS) if head == "heatmap" else {"mean place" if head == "integral" else "numbers"}
        )
        with torch.no_grad():
            whole = model.predict(drawn().image)
        *_, last = read.values()
        assert torch.allclose(last, whole, atol=1e-4)  # by default a heat map is read by DARK


def test_the_surest_half_is_chosen_joint_by_joint(monkeypatch):
    photos, model = drawn(), KeypointNet("rle", 32, channels=(4, 4, 4, 4)).eval()
    wrong = torch.arange(8.0)[:, None] * torch.arange(1.0, 18.0)  # a hard joint is hard in every photo
    output = torch.cat([photos.keypoints, torch.zeros(8, 17, 2)], -1)
    output[..., 0] += wrong / 16
    output[..., 2:] = (wrong / 200)[..., None]  # it knows
    monkeypatch.setattr(measures, "outputs", lambda *_: output)
    assert measures.surest_px(model, photos) == pytest.approx(wrong[:5].mean().item(), rel=1e-4)
    output[..., 2:] *= -1  # it is surest where it is wrong
    assert measures.surest_px(model, photos) > wrong.mean()
    assert measures.surest_px(KeypointNet("regression", 32), photos) is None


def test_worse_photos_are_measured_with_their_own_truth():
    photos = drawn()
    for kind, how in WORSE.items():
        truth, counts = move(photos.keypoints, torch.ones_like(photos.visible), how)
        spoiled = disturb(photos.image, how)

        def answer(image, truth=truth, spoiled=spoiled):
            return truth + 1 / 16 if torch.equal(image, spoiled) else truth

        assert measures.measure_worse(answer, photos)[kind] == pytest.approx(2**0.5, abs=1e-4)
        assert counts.any()


def test_who_looks_at_nothing_answers_from_the_training_photos():
    train, test = drawn("train"), drawn("test")
    found = measures.blind(train, test)
    assert set(found) == {"mean pose", "median pose", "another person"}
    mean = train.keypoints.mean(0).expand_as(test.keypoints)
    assert found["mean pose"]["error_px"] == measures.measure(mean, test)["error_px"]
    assert found["another person"]["error_px"] > found["median pose"]["error_px"]


# ------------------------------------------------------------------ how it chooses and trains
def test_the_ladder_is_climbed_until_both_neighbours_are_worse():
    asked = []

    def error(best):
        return lambda rung: asked.append(rung) or abs(math.log(rung / best))

    assert learning.climb(RATES, 3, error(3e-3)) == 3e-3 and sorted(asked) == [1e-3, 3e-3, 1e-2]
    asked.clear()
    assert learning.climb(RATES, 3, error(3e-4)) == 3e-4 and sorted(asked) == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
    assert learning.climb(RATES, 3, error(1e3)) == RATES[-1]  # an end: the test of what ships refuses it
    assert learning.climb(RATES, 3, lambda rung: math.inf if rung > 1e-3 else rung) == 1e-4


def test_a_rate_that_diverges_is_the_worst_and_ends_no_search(tmp_path, monkeypatch):
    honest = experiment.train

    def explode(run, steps, rate, *rest):
        if rate >= 3e-3:
            raise experiment.Diverged("the loss is nan")
        return KeypointNet(size=32), [(1, 10 * rate)]

    monkeypatch.setattr(experiment, "train", explode)
    found = experiment.search(Run("regression"), SMOKE, tmp_path, draw)
    assert found["rate"] == 1e-4
    assert {row["rate"]: row["error_px"] for row in found["tried"]}[1e-2] is None
    monkeypatch.setattr(learning.KeypointNet, "loss", lambda self, image, *_, **__: image.sum() * torch.nan)
    with pytest.raises(experiment.Diverged, match="world-rle-4, seed 0: the loss is nan at step 0 with rate 0.1"):
        honest(Run("rle"), 2, 0.1, 1.0, SMOKE, draw)
    points = torch.zeros(2, 17, 2)
    monkeypatch.setattr(
        learning.KeypointNet, "loss", lambda *_, **__: RLE()(points, points, points * torch.nan, torch.ones(2, 17))
    )
    with pytest.raises(experiment.Diverged, match="world-rle-4, seed 0: sigma .* at step 0 with rate 0.1"):
        honest(Run("rle"), 2, 0.1, 1.0, SMOKE, draw)


def test_a_seed_gives_the_same_network_again_and_another_seed_another():
    one, same, other = (
        learning.train(Run("integral", seed=seed), 2, 1e-2, 1.0, SMOKE, draw)[0].state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["maps_out.weight"], other["maps_out.weight"])


def test_few_means_the_beginning_of_the_large_set():
    def spoiled(setting, split):
        photos = draw(setting, split)
        if split == "train":
            photos.keypoints[SMOKE.few :] = 0.0
        return photos

    states = [
        learning.train(Run("regression", few=True), 2, 1e-2, 1.0, SMOKE, source)[0].state_dict()
        for source in (draw, spoiled)
    ]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_shrunk_photos_have_half_the_side_and_the_same_joints():
    photos = drawn()
    small = learning.shrunk(photos)
    assert small.pixels.shape == (8, 3, 16, 16) and torch.equal(small.keypoints, photos.keypoints)
    assert abs(small.pixels[0, 0, 0, 0].item() - photos.pixels[0, 0, :2, :2].float().mean().item()) <= 0.5
    model, _ = learning.train(Run("heatmap", stride=2, shrunk=True), 1, 1e-2, 1.0, SMOKE, draw)
    assert model.size == 16


def test_the_released_form_trains_with_the_sum_of_the_papers_code(monkeypatch):
    asked = []
    honest = RLE.released_sum
    monkeypatch.setattr(RLE, "released_sum", lambda self, *rest: asked.append(1) or honest(self, *rest))
    learning.train(Run("rle"), 2, 1e-3, 1.0, SMOKE, draw)
    assert not asked
    model, _ = learning.train(Run("released"), 2, 1e-3, 1.0, SMOKE, draw)
    assert len(asked) == 2 and model.head == "rle"
    model, _ = learning.train(Run("even"), 2, 1e-3, 1.0, SMOKE, draw)
    assert len(asked) == 2 and model.rle.even


def test_an_interrupted_training_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(learning, "fit", lambda *_, **__: History(interrupted=True))
    with pytest.raises(KeyboardInterrupt, match="world-heatmap-4, seed 0"):
        learning.train(Run("heatmap"), 2, 1e-2, 1.0, SMOKE, draw)


# ------------------------------------------------------------------ what it writes
def test_the_experiment_writes_every_run_of_every_seed_and_ships_seed_0(smoke):
    found = experiment.results(smoke[0])
    assert sorted((run["kind"], run["seed"]) for run in found["runs"]) == sorted(
        (kind.kind, seed)
        for kind in KINDS
        for seed in range(SMOKE.long_seeds if kind.length == "long" else SMOKE.seeds)
    )
    assert checkpoints.names(smoke[0] / "heads") == sorted(SHIPPED)
    chosen = {row["kind"]: row for row in found["search"]}
    by_kind = {kind.kind: kind for kind in KINDS}
    for run in found["runs"]:
        kind = by_kind[run["kind"]]
        assert run["photos"] == (SMOKE.few if kind.few else SMOKE.photos)
        assert run["steps"] == SMOKE.steps_of(kind.length) == run["checks"][-1][0]
        best = chosen[kind.searched.kind]
        assert (run["rate"], run["sigma"]) == (best["rate"], best["sigma"])
    assert set(found["blind"]) == {"world", "lab"}


def test_it_goes_on_where_it_stopped(smoke, monkeypatch):
    folder, work = smoke
    trained = []
    before = (folder / "heads" / "results.json").read_text()
    honest = experiment.train
    monkeypatch.setattr(experiment, "photo_set", drawn)
    monkeypatch.setattr(experiment, "train", lambda run, *rest: trained.append(run) or honest(run, *rest))
    (work / "world-heatmap-4-few-short-1.json").unlink()
    (folder / "heads" / "lab-heatmap-4.safetensors").unlink()  # a shipped network is worth a training
    experiment.run_all("smoke", folder, work=work, only="lab-*-4-[01]")
    experiment.run_all("smoke", folder, work=work)
    assert trained == [Run("heatmap", "lab"), Run("heatmap", few=True, length="short", seed=1)]
    assert (folder / "heads" / "results.json").read_text() == before


def test_a_pattern_makes_some_runs_and_no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "photo_set", drawn)
    experiment.run_all("smoke", tmp_path, tmp_path, only="search-world-reg*")
    names = {path.name.split("-4-")[0] for path in tmp_path.iterdir()}
    assert names == {"search-world-regression"}


def test_values_come_in_the_order_of_the_seeds_and_unknown_kinds_are_refused(smoke):
    found = experiment.results(smoke[0])
    runs = {run["seed"]: run["test"]["DARK"]["error_px"] for run in found["runs"] if run["kind"] == "world-heatmap-4"}
    assert experiment.values(found, "world-heatmap-4", "DARK") == [runs[0], runs[1]]
    assert twins.measured(found, "heat map").tolist() == [runs[0], runs[1]]
    blur = {run["seed"]: run["worse"]["blur"] for run in found["runs"] if run["kind"] == "lab-rle-4"}
    assert twins.measured(found, "RLE", "blur", setting="lab").tolist() == [blur[0], blur[1]]
    with pytest.raises(ValueError, match="heatmap-16 .DARK. was not measured; there are .*heatmap-2 .argmax"):
        experiment.values(found, "heatmap-16", "DARK")
    with pytest.raises(ValueError, match="world-rle-4 .DARK. was not measured"):
        experiment.values(found, "world-rle-4", "DARK")


# ------------------------------------------------------------------ what ships
def test_the_shipped_experiment_is_whole_and_small():
    found = experiment.results()
    budget = BUDGETS[found["budget"]["name"]]
    assert found["budget"] == json.loads(json.dumps({"name": found["budget"]["name"], **asdict(budget)}))
    assert len(found["runs"]) == len(recipes.ordered(budget))
    assert checkpoints.names(FOLDER) == sorted(SHIPPED)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6.5e6


def test_what_ships_was_chosen_inside_its_ladder():
    found = experiment.results()
    assert found["budget"]["name"] == "shipped"
    for row in found["search"]:
        tried = {(one["rate"], one["sigma"]): one["error_px"] or math.inf for one in row["tried"]}
        for ladder, place in ((RATES, 0), (WIDTHS, 1))[: 1 + ("heatmap" in row["kind"])]:
            at = ladder.index((row["rate"], row["sigma"])[place])
            assert 0 < at < len(ladder) - 1, row["kind"]
        assert tried[row["rate"], row["sigma"]] == min(tried.values())


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_shipped_network_gives_what_was_recorded(kind):
    sample = photo_set("test", experiment.SAMPLE, BUDGETS["shipped"].size, setting=kind.split("-")[0])
    model = experiment.load(kind)
    assert not model.training
    for name, points in measures.predict(model, sample).items():
        recorded = experiment.results()["sample_error_px"][kind][name]
        assert measures.mean_error(points, sample) == pytest.approx(recorded, abs=0.02)


def test_files_that_do_not_fit_are_refused(tmp_path):
    about, tensors = checkpoints.weights("heads/world-heatmap-4")
    architecture = about["architecture"] | {"width": 7}
    checkpoints.store(tensors, "heads/world-heatmap-4", architecture, {}, tmp_path)
    with pytest.raises(ValueError, match="world-heatmap-4: the weights do not fit"):
        experiment.load("world-heatmap-4", tmp_path)


# ------------------------------------------------------------------ the lesson's figures of it
def test_the_figures_and_tables_can_be_painted(smoke):
    found = experiment.results(smoke[0])
    for figure in (
        twins.pck_sweep(found),
        twins.data_figure(found),
        twins.steps_figure(found),
        twins.stride_figure(found),
    ):
        assert png(figure).startswith(b"\x89PNG")
    assert twins.results_table(found).count("\n") == 12 and twins.results_table(found, "lab").count("\n") == 10
    assert twins.worse_table(found).count("\n") == twins.trust_table(found).count("\n") + 1 == 6
    assert twins.search_table(found).count(" ★") == len(found["search"])
    models = {name: experiment.load(f"world-{head}-4", smoke[0]) for name, (head, _) in twins.ROWS.items()}
    choices = twins.choice_table(found, models)
    assert "| few numbers out | **regression** |" in choices
    assert costs.cost_table(models).count("\n") == 5


def test_a_winner_stands_alone_where_it_is_certainly_better():
    seeds = np.arange(5.0)
    samples = {"a": seeds + 1, "b": seeds + 1.5 + 0.01 * seeds, "c": seeds + 1 + np.array([9, -8, 9, -8, 3])}
    assert twins.winners({name: samples[name] for name in "ab"}) == ["a"]
    assert twins.winners(samples) == ["a", "c"]
    assert twins.winners({"a": np.array([1.0]), "b": np.array([2.0])}) == ["a", "b"], "one seed tells nothing"
