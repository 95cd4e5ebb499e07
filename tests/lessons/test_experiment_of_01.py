"""Lesson 01's experiment: what it measures, how it chooses, that it goes on where it stopped, and what it ships."""

import json
from dataclasses import asdict

import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.display.preview import png
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression import experiment, measures
from tutorial_lib.lessons.heatmap_vs_regression import results as twins
from tutorial_lib.lessons.heatmap_vs_regression.experiment import BUDGETS, KINDS, RATES, SHIPPED, SIGMAS, Run
from tutorial_lib.lessons.heatmap_vs_regression.measures import DECODERS
from tutorial_lib.metrics import pck
from tutorial_lib.skeleton import JOINTS, LEFT, MIRROR, RIGHT

FOLDER = checkpoints.FOLDER / "heads"


def drawn(split="train", count=8, size=32, **_):
    """Photos of nobody, at once."""
    generator = torch.Generator().manual_seed(len(split))
    pixels = torch.randint(256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    keypoints = 1.8 * torch.rand(count, 17, 2, generator=generator) - 0.9
    pose = torch.zeros(count, 17, 3)
    return PhotoSet(pixels, keypoints, pose, torch.rand(count, 17, generator=generator) > 0.3, torch.ones(count, 3))


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
    assert found["error_px"] == found["median_px"] == found["hidden_px"] == found["exchanged"] == 0
    assert found["pck"] == [1.0] * len(measures.THRESHOLDS)


def test_errors_are_pixels_of_joints_in_the_picture():
    photos = drawn()
    photos.keypoints[0, 3] = 1.5  # outside: does not count, however wrong
    predicted = photos.keypoints + torch.tensor([3.0, 4.0]) * 2 / 32
    predicted[0, 3] = 100.0
    found = measures.measure(predicted, photos)
    for name in ("error_px", "median_px", "visible_px", "hidden_px"):
        assert found[name] == pytest.approx(5.0, abs=1e-4)
    torso = 16 * pck.torso_length(photos.keypoints)
    shares = (5 / torso)[:, None].expand(-1, 17)[photos.inside]
    assert found["torso"] == pytest.approx(shares.mean().item(), rel=1e-4)
    assert found["pck"] == pytest.approx([(shares <= t).float().mean().item() for t in measures.THRESHOLDS])


def test_left_and_right_exchanged_is_seen_and_only_that():
    photos = drawn()
    both = measures.measure(photos.keypoints[:, list(MIRROR)], photos)
    assert both["exchanged"] == 1
    arm = photos.keypoints.clone()
    left, right = JOINTS.index("left_wrist"), JOINTS.index("right_wrist")
    arm[:, [left, right]] = photos.keypoints[:, [right, left]]
    assert measures.measure(arm, photos)["exchanged"] == pytest.approx(2 / len(LEFT + RIGHT))


def test_a_heat_map_is_read_in_three_ways_the_others_in_one():
    for head in ("regression", "rle", "heatmap", "integral"):
        model = KeypointNet(head, 32, channels=(4, 4, 4, 4), width=4).eval()
        read = measures.predict(model, drawn(), chunk=3)
        assert set(read) == (
            set(DECODERS) if head == "heatmap" else {"mean place" if head == "integral" else "numbers"}
        )
        with torch.no_grad():
            whole = model.predict(drawn().image)
        *_, last = read.values()
        assert torch.allclose(last, whole, atol=1e-4)  # by default a heat map is read by DARK


# ------------------------------------------------------------------ how it chooses and trains
def test_every_head_gets_every_rate_and_every_stride_its_widths(smoke):
    rows = experiment.results(smoke[0])["search"]
    for head in experiment.HEADS:
        assert {row["rate"] for row in rows if row["kind"] == f"{head}-4"} == set(RATES)
    for stride, sigmas in SIGMAS.items():
        assert {row["sigma"] for row in rows if row["kind"] == f"heatmap-{stride}"} == set(sigmas)


def test_the_smallest_error_of_the_same_head_and_stride_is_chosen():
    rows = [
        {"kind": kind, "rate": rate, "sigma": 1.0, "error_px": error}
        for kind, rate, error in (
            ("heatmap-4", 1, 3.0),
            ("heatmap-4", 2, 2.0),
            ("heatmap-8", 3, 1.0),
            ("rle-4", 4, 0.5),
        )
    ]
    assert experiment.chosen(rows, Run("heatmap"))["rate"] == 2
    assert experiment.chosen(rows, Run("heatmap", few=True, seed=3))["rate"] == 2
    assert experiment.chosen(rows, Run("heatmap", 8))["rate"] == 3


def test_a_seed_gives_the_same_network_again_and_another_seed_another():
    budget, photos = BUDGETS["smoke"], drawn()
    one, same, other = (
        experiment.train(Run("integral", seed=seed), 2, 1e-2, 1.0, budget, photos).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["maps_out.weight"], other["maps_out.weight"])


def test_few_means_the_beginning_of_the_large_set():
    budget, photos = BUDGETS["smoke"], drawn(count=24)
    spoiled = drawn(count=24)
    spoiled.keypoints[budget.few :] = 0.0
    states = [
        experiment.train(Run("regression", few=True), 2, 1e-2, 1.0, budget, p).state_dict() for p in (photos, spoiled)
    ]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_an_interrupted_training_leaves_nothing_behind(monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(KeypointNet, "loss", stop)
    with pytest.raises(KeyboardInterrupt, match="heatmap-4, seed 0"):
        experiment.train(Run("heatmap"), 2, 1e-2, 1.0, BUDGETS["smoke"], drawn())


# ------------------------------------------------------------------ what it writes
def test_the_experiment_writes_every_run_of_every_seed_and_ships_seed_0(smoke):
    found = experiment.results(smoke[0])
    budget = BUDGETS["smoke"]
    assert sorted((run["kind"], run["seed"]) for run in found["runs"]) == sorted(
        (kind.kind, seed) for kind in KINDS for seed in range(budget.long_seeds if kind.long else budget.seeds)
    )
    assert checkpoints.names(smoke[0] / "heads") == sorted(SHIPPED)
    for run in found["runs"]:
        steps = {"few": budget.few_steps, "long": budget.long_steps}.get(run["kind"].split("-")[-1], budget.steps)
        photos = budget.few if run["kind"].endswith("-few") else budget.photos
        assert (run["photos"], run["steps"]) == (photos, steps)
        best = experiment.chosen(found["search"], next(kind for kind in KINDS if kind.kind == run["kind"]))
        assert (run["rate"], run["sigma"]) == (best["rate"], best["sigma"])


def test_it_goes_on_where_it_stopped(smoke, tmp_path, monkeypatch):
    folder, work = smoke
    trained = []
    before = (folder / "heads" / "results.json").read_text()
    honest = experiment.train
    monkeypatch.setattr(experiment, "photo_set", drawn)
    monkeypatch.setattr(experiment, "train", lambda run, *rest: trained.append(run) or honest(run, *rest))
    (work / "heatmap-4-few-1.json").unlink()
    (folder / "heads" / "heatmap-8.safetensors").unlink()  # a shipped network is worth a training
    experiment.run_all("smoke", folder, work=work)
    assert trained == [Run("heatmap", 8), Run("heatmap", few=True, seed=1)]
    assert (folder / "heads" / "results.json").read_text() == before


def test_values_come_in_the_order_of_the_seeds_and_unknown_kinds_are_refused(smoke):
    found = experiment.results(smoke[0])
    runs = {run["seed"]: run["test"]["DARK"]["error_px"] for run in found["runs"] if run["kind"] == "heatmap-4"}
    assert experiment.values(found, "heatmap-4", "DARK") == [runs[0], runs[1]]
    with pytest.raises(ValueError, match="heatmap-16 .DARK. was not measured; there are .*heatmap-2 .argmax"):
        experiment.values(found, "heatmap-16", "DARK")
    with pytest.raises(ValueError, match="rle-4 .DARK. was not measured"):
        experiment.values(found, "rle-4", "DARK")


# ------------------------------------------------------------------ what ships
def test_the_shipped_experiment_is_whole_and_small():
    found = experiment.results()
    budget = BUDGETS["shipped"]
    assert found["budget"] == json.loads(json.dumps({"name": "shipped", **asdict(budget)})) and budget.seeds >= 5
    assert len(found["runs"]) == len(experiment.ordered(budget))
    assert checkpoints.names(FOLDER) == sorted(SHIPPED)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6


@pytest.fixture(scope="module")
def sample():
    return photo_set("test", experiment.SAMPLE, BUDGETS["shipped"].size)


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_shipped_network_gives_what_was_recorded(kind, sample):
    model = experiment.load(kind)
    assert not model.training
    for name, points in measures.predict(model, sample).items():
        recorded = experiment.results()["sample_error_px"][kind][name]
        assert measures.measure(points, sample)["error_px"] == pytest.approx(recorded, abs=0.02)


def test_files_that_do_not_fit_are_refused(tmp_path):
    about, tensors = checkpoints.weights("heads/heatmap-4")
    architecture = about["architecture"] | {"width": 7}
    checkpoints.store(tensors, "heads/heatmap-4", architecture, {}, tmp_path)
    with pytest.raises(ValueError, match="heatmap-4: the weights do not fit"):
        experiment.load("heatmap-4", tmp_path)


# ------------------------------------------------------------------ the lesson's figures of it
def test_the_figures_and_tables_can_be_painted(smoke):
    found = experiment.results(smoke[0])
    for figure in (
        twins.pck_curves(found),
        twins.data_figure(found),
        twins.steps_figure(found),
        twins.stride_figure(found),
    ):
        assert png(figure).startswith(b"\x89PNG")
    assert twins.results_table(found).count("\n") == 7


def test_the_most_doubtful_map_is_found():
    class Painter(torch.nn.Module):
        """Two wrists, two photos; only the second photo's right wrist has two peaks."""

        def forward(self, images):
            maps = torch.zeros(2, 17, 16, 16)
            maps[:, :, 4, 4] = 1.0
            maps[1, JOINTS.index("right_wrist"), 4, 12] = 0.9
            maps[0, JOINTS.index("left_wrist"), 4, 6] = 1.0  # the same bump, only wide
            maps[1, JOINTS.index("head"), 12, 12] = 1.0
            return maps

    found = twins.doubt(Painter(), drawn(count=2))
    assert (found["photo"], found["joint"]) == (1, JOINTS.index("right_wrist"))
    assert found["ratio"] == pytest.approx(0.9)
