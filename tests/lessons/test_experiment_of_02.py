"""Lesson 02's experiment: it runs, it can be stopped, what it ships agrees with what it recorded; poses and back."""

import json
import math
import statistics
from dataclasses import asdict, replace

import pytest
import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import project
from tutorial_lib.datasets.lab_photos import AROUND, cameras
from tutorial_lib.datasets.photos import LAB_PEOPLE, PhotoSet, photo_set
from tutorial_lib.integral import hard_argmax
from tutorial_lib.integral.losses import heatmap_bce
from tutorial_lib.integral.poses import axis_errors, half_width, judge, to_pose, to_volume
from tutorial_lib.lessons.integral_pose import costs, experiment, learning, recipes, trainings
from tutorial_lib.lessons.integral_pose.recipes import BUDGETS, METHODS, SHIPPED, Budget
from tutorial_lib.lessons.integral_pose.trainings import Experiment
from tutorial_lib.metrics import mpjpe
from tutorial_lib.skeleton import JOINTS

SMOKE = BUDGETS["smoke"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, work folder, photos, results) of the smoke budget."""
    folder = tmp_path_factory.mktemp("experiment")
    where = {"folder": folder / "out", "work": folder / "work", "photos": folder / "photos"}
    torch.set_num_threads(1)
    return where, experiment.results(experiment.run_all("smoke", device="cpu", **where))


@pytest.fixture(scope="module")
def photos(made):
    return photo_set("test", SMOKE.test, SMOKE.size, setting="lab", folder=made[0]["photos"])


def people(count=5, seed=0):
    """Poses before a camera, and the boxes of their pictures."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(count, 17, 3, generator=generator, dtype=torch.float64) * 0.4 + torch.tensor([0.3, 0.0, 4.0])
    box = torch.tensor([[0.1, -0.05, 0.3]], dtype=torch.float64) + 0.02 * torch.arange(count)[:, None]
    return pose, box, (project(pose, onto="plane") - box[:, None, :2]) / box[:, None, 2:]


# ------------------------------------------------------------------ poses
def test_a_pose_comes_back_from_the_volume():
    pose, box, keypoints = people()
    volume = to_volume(keypoints, pose, box)
    torch.testing.assert_close(volume[..., :2], keypoints)
    assert volume[:, 0, 2].abs().max() == 0, "the root is in the middle of the volume"
    torch.testing.assert_close(to_pose(volume, box, pose[:, 0, 2]), pose)
    assert judge(volume, box, pose).mpjpe < 1e-9 and judge(volume, box, pose).pckh == 100


def test_one_unit_is_the_same_length_on_every_axis():
    """Moving a joint at the root's depth by one unit along any axis moves it by half the width of the picture."""
    pose, box, keypoints = people()
    root = pose[:, 0, 2]
    start = torch.zeros(len(pose), 1, 3, dtype=torch.float64)
    for axis in range(2):
        step = start.clone()
        step[..., axis] = 1
        moved = to_pose(step, box, root) - to_pose(start, box, root)
        torch.testing.assert_close(moved.norm(dim=-1)[:, 0], half_width(box, root))
    start[..., 2] = 1
    torch.testing.assert_close(to_pose(start, box, root)[:, 0, 2] - root, half_width(box, root))


def test_an_error_in_depth_alone_costs_what_it_should():
    pose, box, keypoints = people()
    volume = to_volume(keypoints, pose, box)
    volume[:, 1:, 2] += 0.1
    found = to_pose(volume, box, pose[:, 0, 2])
    # a point that is moved in depth moves along its ray
    along = 0.1 * half_width(box, pose[:, 0, 2])[:, None] * (1 + project(pose, onto="plane").square().sum(-1)).sqrt()
    along[:, 0] = 0
    assert mpjpe(found, pose).item() == pytest.approx(along.mean().item())


def test_every_photo_knows_which_part_of_the_image_plane_it_shows(photos):
    plane = project(photos.pose, onto="plane")
    torch.testing.assert_close((plane - photos.box[:, None, :2]) / photos.box[:, None, 2:], photos.keypoints)


def test_errors_by_axis_are_the_cameras_axes():
    pose, box, keypoints = people()
    volume = to_volume(keypoints, pose, box)
    assert axis_errors(volume, box, pose).max() < 1e-9
    volume[:, 1:, 2] += 0.1  # deeper, and outwards along the ray
    x, y, depth = axis_errors(volume, box, pose).tolist()
    expected = 1000 * 0.1 * half_width(box, pose[:, 0, 2]).mean().item() * 16 / 17
    assert depth == pytest.approx(expected) and 0 < x < depth and 0 < y < depth


# ------------------------------------------------------------------ photos of the laboratory
def test_people_are_photographed_from_the_front(photos):
    across = (photos.pose[:, JOINTS.index("left_hip")] - photos.pose[:, JOINTS.index("right_hip")])[:, [0, 2]]
    assert (across[:, 0] > 0).all(), "the left hip is on the right of the picture"
    body = torch.zeros(200, 17, 3)
    body[:, JOINTS.index("left_hip"), 1], body[:, JOINTS.index("right_hip"), 1] = 0.1, -0.1  # looks along x
    camera = cameras(body, torch.Generator().manual_seed(0))
    place = camera.position
    angle = torch.atan2(place[:, 1], place[:, 0])
    assert angle.abs().max() < AROUND + 1e-3 and angle.min() < -0.8 * AROUND and angle.max() > 0.8 * AROUND


def test_lab_photos_are_the_same_again_and_refuse_no_photo(photos, made, tmp_path):
    again = photo_set("test", SMOKE.test, SMOKE.size, setting="lab", folder=tmp_path)
    assert all(torch.equal(getattr(again, name), value) for name, value in vars(photos).items())
    assert (photos.keypoints.abs() < 1.2).all() and set(LAB_PEOPLE) == {"train", "validation", "test"}
    with pytest.raises(ValueError, match="count is 0"):
        photo_set("test", 0, setting="lab")
    with pytest.raises(ValueError, match="split is 'exam'"):
        photo_set("exam", 1, setting="lab", folder=tmp_path)


# ------------------------------------------------------------------ the experiment
def check_results(results, budget):
    assert set(results["runs"]) == set(METHODS)
    for method, runs in results["runs"].items():
        assert [run["seed"] for run in runs] == results["seeds"]
        for run in runs:
            for part in ("train", "validation", "test"):
                assert set(run[part]) - {"axes_mm"} == {"mpjpe_mm", "p_mpjpe_mm", "pckh"}
                assert all(math.isfinite(run[part][name]) and run[part][name] >= 0 for name in ("mpjpe_mm", "pckh"))
                assert run[part]["p_mpjpe_mm"] <= run[part]["mpjpe_mm"] + 1e-6 and run[part]["pckh"] <= 1
            assert ("test, argmax" in run) == (METHODS[method].mix is not None)
            steps = budget.late_steps if METHODS[method].start in METHODS else budget.steps
            assert run["curve"][-1][0] == steps and all(len(check) in (2, 3) for check in run["curve"])
            mix = METHODS[method].mix
            assert (
                run["mix"] == (None if mix is None else asdict(mix))
                and run["rate"] in results["search"]["rates"].values()
            )
            assert ("test, tempered" in run) == method.startswith("heat-map")
    for family, rate in results["search"]["rates"].items():
        assert f"{rate:g}" in results["search"]["tried"][family]
    blind = results["baselines"]["mean pose"]["test"]["mpjpe_mm"]
    assert 0 < blind < results["baselines"]["chance"]["test"]["mpjpe_mm"], "of constant answers the mean is a good one"
    letter, product = (statistics.median(results["targets"][way]) for way in ("to the letter", "as a product"))
    assert 0 < product < letter
    for cost in results["costs"].values():
        assert len(cost["seconds"]) >= 5 and min(cost["seconds"]) > 0 and cost["bytes"] > 0
    kept = {name: cost["bytes"] for name, cost in results["costs"].items()}
    assert kept["regression"] < kept["integral"] < kept["integral + Gaussian, factors"]
    assert kept["integral + Gaussian, factors"] < kept["integral + Gaussian, volume"]


def test_every_method_runs_and_is_written(made):
    where, results = made
    check_results(results, SMOKE)
    assert checkpoints.names(where["folder"] / "integral") == sorted(SHIPPED)


def test_a_stopped_experiment_goes_on_where_it_was(made, monkeypatch):
    where, results = made
    again = where["work"] / "gaussian-later-1.json"
    before = json.loads(again.read_text())
    again.unlink()
    trained = []
    fit = learning.fit
    monkeypatch.setattr(learning, "fit", lambda *args, **kw: trained.append(kw["label"]) or fit(*args, **kw))
    same = experiment.results(experiment.run_all("smoke", device="cpu", **where))
    assert trained == ["gaussian-later, seed 1"], "only what is missing is trained"
    now = same["runs"]["gaussian-later"][1]["test"]
    assert now["mpjpe_mm"] == pytest.approx(before["test"]["mpjpe_mm"]), "and comes out the same"
    assert same["search"] == results["search"]


def test_a_second_stage_begins_where_the_first_ended(made):
    """With a learning rate of nothing it stays there."""
    where, results = made
    lab = Experiment(SMOKE, where["work"], "cpu", where["photos"])
    start = where["work"] / "integral-0.safetensors"
    net, _ = lab._fit("gaussian-later", 0, 0.0, 1, start, where["work"] / "x.safetensors")
    first = recipes.build("integral", SMOKE)
    first.load_state_dict(trainings.load_file(start))
    moved = [not torch.equal(a, b) for a, b in zip(first.parameters(), net.parameters())]
    assert sum(moved) == 0


def test_parts_are_made_alone_and_collected_when_a_seed_is_whole(made, tmp_path):
    where, results = made
    work = tmp_path / "work"
    lab = Experiment(SMOKE, work, "cpu", where["photos"])
    lab.part("gaussian-later-1")  # and what it begins with
    names = {path.stem for path in work.glob("*.json")}
    assert {name for name in names if "search" not in name} == {"gaussian-later-1", "integral-1"}
    assert {name.rpartition("-")[0] for name in names if "search" in name} == {"search-integral"}
    assert lab.whole_seeds() == []
    alone, together = lab.run("gaussian-later", 1), results["runs"]["gaussian-later"][1]
    assert alone["test"]["mpjpe_mm"] == pytest.approx(together["test"]["mpjpe_mm"])
    with pytest.raises(ValueError, match="no whole seed 0"):
        experiment.collect(lab, "smoke", tmp_path / "out")
    for name in ("integral-9", "search-js-later", "everything"):
        with pytest.raises(ValueError, match=f"part is '{name}', expected baselines"):
            lab.part(name)
    (copied := tmp_path / "copied").mkdir()
    for path in where["work"].iterdir():
        if not path.name.startswith("js-later-1"):
            (copied / path.name).write_bytes(path.read_bytes())
    half = Experiment(SMOKE, copied, "cpu", where["photos"])
    found = experiment.results(experiment.collect(half, "smoke", tmp_path / "out"))
    assert found["seeds"] == [0] and {len(runs) for runs in found["runs"].values()} == {1}


def test_a_rate_that_diverges_is_not_chosen(made, tmp_path, monkeypatch):
    lab = Experiment(replace(SMOKE, rates=(1e-3, 1e-2)), tmp_path, "cpu", made[0]["photos"])
    errors = {1e-3: 90.0, 1e-2: None}

    def fit(family, seed, rate, *_):
        if errors.get(rate, 100.0) is None:
            raise ValueError(f"the loss is nan at step 3: lower rate={rate} or look at the data")
        return None, [[1, errors.get(rate, 100.0)]]

    monkeypatch.setattr(lab, "_fit", fit)
    tried = lab.search("regression")
    assert tried["0.01"] is None and lab.rate("regression") == 1e-3
    assert min(map(float, tried)) < 1e-3, "the grid grows beyond its best end"
    monkeypatch.setattr(lab, "_fit", lambda *_: (_ for _ in ()).throw(ValueError("something else")))
    with pytest.raises(ValueError, match="something else"):
        lab.search("integral")


def test_a_network_trained_in_half_precision_says_single(made):
    net = recipes.build("integral", SMOKE)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    half, single = (learning.forward(net.eval(), images, name) for name in ("bfloat16", "float32"))
    assert half.dtype == single.dtype == torch.float32 and not torch.equal(half, single)
    torch.testing.assert_close(half, single, atol=0.05, rtol=0.05)
    assert BUDGETS["shipped"].precision == "bfloat16"


def test_no_results_are_asked_for_by_name(tmp_path):
    with pytest.raises(ValueError, match="results.json is missing: restore it or run the experiment"):
        experiment.results(tmp_path)
    with pytest.raises(ValueError, match="trunk is 'vgg'"):
        recipes.build("integral", replace(SMOKE, trunk="vgg"))


def test_the_full_budget_builds_the_papers_network_and_learns_a_step():
    """ResNet-50 on pictures of 64 pixels and a volume of 16 cells: the same code as with 256 and 64."""
    full = BUDGETS["full"]
    assert (full.trunk, full.size, full.cells, full.depth, 2 * full.width) == ("resnet50", 256, 64, 64, 256)
    tiny = replace(full, size=64, cells=16, depth=16, batch=2)
    generator = torch.Generator().manual_seed(0)
    pose, box, keypoints = people(4)
    pixels = torch.randint(256, (4, 3, 64, 64), generator=generator, dtype=torch.uint8)
    photos = PhotoSet(pixels, keypoints.float(), pose.float(), torch.ones(4, 17, dtype=torch.bool), box.float())
    net = recipes.build("gaussian-later", tiny)
    before = net.head.weight.clone()
    history = trainings.train(net, photos, trainings.loss_of(METHODS["gaussian-later"]), 1, 1e-3, 2, generator)
    assert math.isfinite(history.loss[0]) and not torch.equal(net.head.weight, before)
    assert trainings.predict(net, photos, hard_argmax).shape == (4, 17, 3)


def test_directions_are_sectors_of_the_circle():
    angles = 2 * math.pi * (torch.arange(16) + 0.5) / 16
    pose = torch.zeros(16, 17, 3)
    pose[:, JOINTS.index("left_hip"), 0], pose[:, JOINTS.index("left_hip"), 2] = angles.cos(), angles.sin()
    assert learning.direction(pose).tolist() == [i // 2 for i in range(16)]


def test_the_loss_over_the_whole_volume_is_the_loss_by_factors():
    logits = torch.randn(2, 3, 6, 7, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = 1.6 * torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.8
    torch.testing.assert_close(costs.dense_gaussian_bce(logits, target), heatmap_bce(logits, target))


# ------------------------------------------------------------------ what ships
def test_shipped_results_are_whole():
    results = experiment.results()
    budget = Budget(
        **{key: tuple(v) if isinstance(v, list) else v for key, v in results["budget"].items() if key != "name"}
    )
    assert budget == BUDGETS[results["budget"]["name"]] and len(results["seeds"]) >= 5
    check_results(results, budget)
    folder = checkpoints.FOLDER / "integral"
    assert checkpoints.names(folder) == sorted(SHIPPED)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12e6


def test_the_chosen_rates_lie_inside_their_grid():
    """One at its end would say that the grid is too narrow."""
    results = experiment.results()
    for family, rate in results["search"]["rates"].items():
        grid = sorted(map(float, results["search"]["tried"][family]))
        assert grid[0] < rate < grid[-1], results["search"]


def test_shipped_networks_do_what_was_recorded(tmp_path):
    """On a few other photos of the test people; the lesson does it on the exam's own photos, to the millimetre."""
    results = experiment.results()
    few = photo_set("test", 24, results["budget"]["size"], setting="lab", folder=tmp_path)
    nothing = judge(torch.zeros(len(few), 17, 3), few.box, few.pose).mpjpe
    for method in SHIPPED:
        net = recipes.load(method)
        assert not any(module.training for module in net.modules())
        found = judge(trainings.predict(net, few), few.box, few.pose).mpjpe
        recorded = results["runs"][method][0]["test"]["mpjpe_mm"]
        assert found == pytest.approx(recorded, rel=0.25) and found < nothing
