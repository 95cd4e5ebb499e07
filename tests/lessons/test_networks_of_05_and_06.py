"""The shipped networks are whole and say what they saw; the programs that make them run, resume and repeat."""

import contextlib
import copy
import json
import math
import sys
from dataclasses import asdict

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tutorial_lib import checkpoints, motion
from tutorial_lib.adaptation import rate_search
from tutorial_lib.adaptation.lens_test import SCENARIOS, UNDISTORTED, LensTest, evaluate, evaluate_adapted
from tutorial_lib.datasets import splits
from tutorial_lib.datasets.splits import AdaptationSplit, Split, builtin_split
from tutorial_lib.distortion import FOLD_RADIUS, PRESETS, folds
from tutorial_lib.lessons.camera_distortion import calibrate
from tutorial_lib.lessons.meta_learning import experiment
from tutorial_lib.lessons.meta_learning.recipes import BUDGETS, RECIPES, minutes
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter

AdaptationSplit.__test__ = False  # a place where a camera stands, not a test

each_recipe = pytest.mark.parametrize("name", RECIPES)


def lifter(frames=9, channels=8, seed=0, **options):
    torch.manual_seed(seed)
    return TemporalLifter(frames, channels, **options).eval()


def same_weights(one, other):
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def rewrite(folder, name, **changes):
    """Change a checkpoint's JSON; None removes the entry."""
    path = folder / f"{name}.json"
    about = {key: value for key, value in {**json.loads(path.read_text()), **changes}.items() if value is not None}
    path.write_text(json.dumps(about))


# ------------------------------------------------------------------ what ships
def test_every_recipe_ships_and_nothing_else():
    assert checkpoints.names() == sorted(RECIPES)
    assert sorted(path.stem for path in checkpoints.FOLDER.glob("*.json")) == sorted(RECIPES)


def test_all_together_are_small_and_nothing_is_pickled():
    files = [path for path in checkpoints.FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) <= 40e6
    assert {path.suffix for path in files} == {".py", ".json", ".safetensors"}


@each_recipe
def test_a_shipped_network_loads_ready_to_use(name):
    model = checkpoints.load(name)
    assert not model.training and not any(module.training for module in model.modules())
    assert model.frames == RECIPES[name].frames
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    with torch.no_grad():
        pose = model.lift(torch.zeros(2, 30, 17, 2))
    assert pose.shape == (2, 30, 17, 3) and torch.isfinite(pose).all()


@each_recipe
def test_a_shipped_network_is_stored_in_half_precision(name):
    with safe_open(checkpoints.FOLDER / f"{name}.safetensors", "pt") as file:
        kinds = {file.get_tensor(key).dtype for key in file.keys() if "num_batches" not in key}  # noqa: SIM118
    assert kinds == {torch.float16}


@each_recipe
def test_the_record_says_how_the_network_was_made(name):
    about = checkpoints.record(name)
    assert about["name"] == name
    assert about["recipe"] == asdict(RECIPES[name])
    assert about["budget"]["name"] == "shipped"
    assert {key: about["budget"][key] for key in vars(BUDGETS["shipped"])} == vars(BUDGETS["shipped"])
    assert about["inner_rate"] == experiment.inner_rate(RECIPES[name])
    assert isinstance(about["seed"], int) and about["interrupted"] is False
    assert 0.02 < about["validation_mpjpe_m"] < 0.12


@each_recipe
def test_the_record_says_what_the_network_saw_and_gives_credit(name):
    data = checkpoints.record(name)["data"]
    assert data["builtin"].startswith(f"{BUDGETS['shipped'].people} people") and data["pieces"] > 1000
    if data["mocap"] is not None:
        assert data["credit"] == checkpoints.CREDIT
        assert "mocap.cs.cmu.edu" in data["credit"] and "EIA-0196217" in data["credit"]


@each_recipe
def test_the_record_holds_no_path_of_the_machine_that_trained_it(name):
    assert "/" not in json.dumps(checkpoints.record(name)).replace("EIA-0196217", "")


@each_recipe
def test_the_test_rates_are_the_best_of_those_tried(name):
    about = checkpoints.record(name)
    assert about["test_steps"] == rate_search.STEPS
    assert set(about["test_rates"]) == set(about["tuning_mpjpe_mm"]) == set(SCENARIOS)
    for scenario, rate in about["test_rates"].items():
        errors = {float(tried): error for tried, error in about["tuning_mpjpe_mm"][scenario].items()}
        assert set(errors) >= set(rate_search.RATES[scenario])
        assert errors[rate] == min(errors.values())


RECORDS = sorted(checkpoints.FOLDER.rglob("*.json"))
CHOSEN = [path for path in RECORDS if {"test_rates", "tried_mm"} & set(json.loads(path.read_text()))]


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_chosen_test_rate_is_an_end_of_what_was_tried(path):
    """Or nobody knows what the next rate would have given."""
    about = json.loads(path.read_text())
    chosen, tried = about.get("test_rates", {"own": about.get("rate")}), about.get("tuning_mpjpe_mm")
    for scenario, rate in chosen.items():
        rates = sorted(map(float, (tried or {"own": about["tried_mm"]})[scenario]))
        assert rates[0] < rate < rates[-1], f"{scenario}: rate {rate}, tried {rates}"
    assert ("test_rates" in about) == (about.get("test_rates_at_an_end") == []), "the grid was free to grow"


@each_recipe
def test_who_trained_on_real_people_was_examined_on_real_people(name):
    about = checkpoints.record(name)
    if about["data"]["mocap"] is None:
        pytest.skip("this checkpoint was trained without real people")
    measured = about["real_actors"]
    assert set(measured) == {"undistorted", "unadapted", *SCENARIOS}
    assert {len(values) for values in measured.values()} == {5}
    assert all(20 < value < 500 for values in measured.values() for value in values)
    assert sum(measured["undistorted"]) < sum(measured["unadapted"])


@pytest.fixture(scope="module")
def exam_site():
    return LensTest(builtin_split(), 0, clips=4, calibration_clips=1)


@each_recipe
def test_a_shipped_network_has_learned_people(name, exam_site):
    """A lifter that says the same mean pose in every frame is about 150 mm wrong on these clips."""
    observation = exam_site.through(UNDISTORTED)
    guess = observation.truth.mean((0, 1))
    mean_pose = 1000 * (observation.truth - guess).norm(dim=-1).mean().item()
    assert evaluate(checkpoints.load(name), observation).mpjpe < 0.7 * mean_pose


@pytest.mark.parametrize("name", [name for name in RECIPES if not name.startswith("plain") and "27f" not in name])
def test_whoever_met_lenses_in_training_stands_them_better_than_the_plain_network(name, exam_site):
    observations = [exam_site.through(PRESETS[lens]) for lens in ("d1", "d2")]
    plain, other = (
        sum(evaluate(checkpoints.load(who), observation).mpjpe for observation in observations)
        for who in ("plain-9f", name)
    )
    assert other < plain


def test_every_load_gives_a_network_of_its_own():
    one, other = checkpoints.load("plain-9f"), checkpoints.load("plain-9f")
    with torch.no_grad():
        one.shrink.bias += 1
    assert not same_weights(one, other) and same_weights(other, checkpoints.load("plain-9f"))


# ------------------------------------------------------------------ saving and loading
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [3, 9, 27])
def test_what_was_saved_is_loaded(tmp_path, frames, causal):
    model = lifter(frames, causal=causal)
    path = checkpoints.save(model, "mine", {"seed": 3, "note": "ünï"}, tmp_path / "new")
    assert path == tmp_path / "new" / "mine.safetensors" and checkpoints.names(tmp_path / "new") == ["mine"]
    back = checkpoints.load("mine", folder=tmp_path / "new")
    for key, value in model.state_dict().items():
        torch.testing.assert_close(back.state_dict()[key], value, rtol=1e-3, atol=1e-6)
    assert (back.frames, back.channels, back.causal, back.training) == (frames, 8, causal, False)
    about = checkpoints.record("mine", tmp_path / "new")
    assert (about["name"], about["seed"], about["note"]) == ("mine", 3, "ünï")


@pytest.mark.parametrize("outputs", [None, 1])
@pytest.mark.parametrize("make", [lambda **o: TemporalLifter(9, 8, **o), lambda **o: SingleFrameLifter(8, **o)])
def test_both_families_and_their_trajectory_models_come_back_as_the_same_function(tmp_path, make, outputs):
    torch.manual_seed(0)
    model = make(outputs=outputs).eval()
    checkpoints.save(model, "lesson/mine", {"seed": 3}, tmp_path)
    back = checkpoints.load("lesson/mine", folder=tmp_path)
    assert type(back) is type(model) and (back.frames, back.outputs) == (model.frames, outputs or 17)
    assert not back.training and back.dropout == 0
    keypoints = 0.3 * torch.randn(12, 17, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(back.lift(keypoints), model.lift(keypoints), atol=5e-3, rtol=1e-2)


def test_a_name_may_begin_with_a_lessons_folder(tmp_path):
    path = checkpoints.save(lifter(), "temporal/mine", {}, tmp_path)
    assert path == tmp_path / "temporal" / "mine.safetensors"
    assert checkpoints.names(tmp_path) == [] and checkpoints.names(tmp_path / "temporal") == ["mine"]
    assert checkpoints.record("temporal/mine", tmp_path)["name"] == "temporal/mine"
    with pytest.raises(ValueError, match="name is 'temporal/yours'.*there are: temporal/mine"):
        checkpoints.load("temporal/yours", folder=tmp_path)


def test_tensors_of_any_network_are_stored_and_read_back(tmp_path):
    tensors = {
        "weight": torch.randn(3, 4).T,  # not contiguous
        "double": torch.tensor([1.5], dtype=torch.float64),
        "count": torch.tensor(70000),
        "mask": torch.tensor([True, False]),
    }
    kept = {key: value.clone() for key, value in tensors.items()}
    checkpoints.store(tensors, "lesson/any", {"layers": 3}, {"seed": 7}, tmp_path)
    about, back = checkpoints.weights("lesson/any", tmp_path)
    assert len(about.pop("fingerprint")) == 64
    assert about == {"name": "lesson/any", "architecture": {"layers": 3}, "seed": 7}
    assert back.keys() == tensors.keys() and all(torch.equal(tensors[key], kept[key]) for key in kept)
    assert back["count"].item() == 70000 and torch.equal(back["mask"], tensors["mask"])
    for key in ("weight", "double"):
        assert back[key].dtype == torch.float32
        torch.testing.assert_close(back[key], tensors[key].float(), rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="any.json says network None, expected a class of tutorial_lib"):
        checkpoints.load("lesson/any", folder=tmp_path)


def test_saving_does_not_touch_the_model(tmp_path):
    model = lifter().train()
    kept = copy.deepcopy(model)
    checkpoints.save(model, "mine", {}, tmp_path)
    assert same_weights(model, kept) and model.training


def test_a_second_round_trip_changes_nothing(tmp_path):
    checkpoints.save(lifter(), "first", {}, tmp_path)
    first = checkpoints.load("first", folder=tmp_path)
    checkpoints.save(first, "second", {}, tmp_path)
    assert same_weights(first, checkpoints.load("second", folder=tmp_path))


def test_half_precision_costs_less_than_a_tenth_of_a_millimetre(tmp_path, exam_site):
    model, generator = checkpoints.load("plain-9f"), torch.Generator().manual_seed(0)
    with torch.no_grad():  # away from the numbers that half precision can hold
        for weight in model.parameters():
            weight *= 1 + 4e-4 * torch.rand(weight.shape, generator=generator)
    checkpoints.save(model, "rounded", {}, tmp_path)
    rounded = checkpoints.load("rounded", folder=tmp_path)
    assert not same_weights(model, rounded)
    for lens in (UNDISTORTED, PRESETS["d2"]):
        observation = exam_site.through(lens)
        assert evaluate(rounded, observation).mpjpe == pytest.approx(evaluate(model, observation).mpjpe, abs=0.1)


@pytest.fixture
def folder(tmp_path):
    """A folder with one whole checkpoint."""
    checkpoints.save(lifter(), "mine", {"seed": 0}, tmp_path)
    return tmp_path


def test_an_unknown_name_is_refused_with_those_there_are(folder):
    for ask in (checkpoints.load, checkpoints.record):
        with pytest.raises(ValueError, match="name is 'yours', but there is no yours.json; there are: mine"):
            ask("yours", folder=folder)


def test_missing_weights_are_named(folder):
    (folder / "mine.safetensors").unlink()
    assert checkpoints.names(folder) == []
    with pytest.raises(ValueError, match="mine.safetensors is missing beside its JSON"):
        checkpoints.load("mine", folder=folder)


@pytest.mark.parametrize("keep", [0, 5, 100, 2000, -1])
def test_weights_that_are_cut_off_are_refused(folder, keep):
    path = folder / "mine.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="mine.safetensors"):
        checkpoints.load("mine", folder=folder)


def test_weights_that_are_no_safetensors_are_refused(folder):
    (folder / "mine.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n" * 40)
    with pytest.raises(ValueError, match="mine.safetensors"):
        checkpoints.load("mine", folder=folder)


@pytest.mark.parametrize("text", ["", '{"name": "mine", "archi', "[]", "nonsense"])
def test_a_record_that_is_no_json_object_is_refused(folder, text):
    (folder / "mine.json").write_text(text)
    with pytest.raises(ValueError, match="mine.json"):
        checkpoints.load("mine", folder=folder)


@pytest.mark.parametrize(
    "architecture",
    [
        {"frames": 27, "channels": 8, "causal": False},
        {"frames": 3, "channels": 8, "causal": False},
        {"frames": 9, "channels": 16, "causal": False},
        {"frames": 10, "channels": 8, "causal": False},
        {"frames": 9, "channels": 0, "causal": False},
        {"frames": "nine", "channels": 8, "causal": False},
        {"frames": 9, "channels": 8, "causal": False, "layers": 4},
        {"channels": 8},
        "nine frames",
        None,
    ],
)
def test_an_architecture_that_does_not_fit_the_weights_is_refused(folder, architecture):
    rewrite(folder, "mine", architecture=architecture)
    with pytest.raises(ValueError):
        checkpoints.load("mine", folder=folder)


@pytest.mark.parametrize(
    "architecture",
    [
        {"frames": 1},
        {"frames": 1, "channels": 16},
        {"frames": 1, "channels": "eight"},
        {"frames": 1, "channels": 8, "outputs": 1},
        {"frames": 1, "channels": 8, "layers": 4},
        {"frames": 9, "channels": 8, "causal": False},
    ],
)
def test_a_single_frame_networks_architecture_must_fit_its_weights(tmp_path, architecture):
    checkpoints.save(SingleFrameLifter(8), "mine", {}, tmp_path)
    rewrite(tmp_path, "mine", architecture=architecture)
    with pytest.raises(ValueError, match="mine|state_dict does not fit"):
        checkpoints.load("mine", folder=tmp_path)


# ------------------------------------------------------------------ recipes
def test_both_second_stages_see_equally_many_windows():
    for name in ("shipped", "gpu", "full"):
        budget = BUDGETS[name]
        episodes = budget.meta_steps * budget.tasks * (budget.support + budget.query)
        assert abs(budget.second_steps * budget.batch - episodes) < budget.batch


def test_the_gpu_budget_is_estimated_at_less_than_ten_minutes_and_the_help_says_what_is_estimated():
    some = ["plain-9f", "random-9f", "maml-9f", "stratified-9f", "ours-9f"]
    assert minutes(BUDGETS["gpu"], RECIPES) < 10 < minutes(BUDGETS["full"], RECIPES)
    said = [round(minutes(BUDGETS["gpu"], RECIPES)), round(minutes(BUDGETS["gpu"], some))]
    assert f'"gpu" {said[0]} minutes, and {said[1]} for' in experiment.__doc__
    assert f'"full" {round(minutes(BUDGETS["full"], RECIPES))} minutes' in experiment.__doc__
    # By hand: 8,000 steps of 2.6 ms, 1,500 of 17 + 4/17 * 4 ms; the second network shares the first stage.
    assert minutes(BUDGETS["gpu"], ["maml-9f", "stratified-9f"]) == pytest.approx(
        (20.8 + 2 * 1.5 * (17 + 16 / 17)) / 60
    )


def test_recipes_are_what_their_names_promise():
    for name, recipe in RECIPES.items():
        assert name.endswith(f"-{recipe.frames}f")
        if name.startswith("ours"):
            assert (recipe.first, recipe.second, recipe.stratified) == ("random", "maml", True)
        assert (recipe.source == "truth") == ("truth" in name)
        assert (recipe.inner == "self-supervised") == ("selfsup" in name)
    assert RECIPES["maml-9f"].first == RECIPES["stratified-9f"].first == "plain"


def test_the_ablation_changes_one_thing_at_a_time():
    ladder = [asdict(RECIPES[name]) for name in ("plain-9f", "maml-9f", "stratified-9f", "ours-9f")]
    changed = [{key for key in a if a[key] != b[key]} for a, b in zip(ladder, ladder[1:])]
    assert changed == [{"second"}, {"stratified"}, {"first"}]


# ------------------------------------------------------------------ training at smoke size
@pytest.fixture(scope="module")
def people():
    return Split(motion.builtin(1, 1, ["walk", "wave"], 200), motion.builtin(2, 1, ["walk", "eat"], 100))


@pytest.fixture
def workshop(people, monkeypatch, tmp_path):
    """`train` on two clips: called with a name, and a folder for the stages."""
    monkeypatch.setattr(experiment, "training_split", lambda mocap, count: people)
    monkeypatch.setattr(experiment, "_lens_pool", lambda generator: experiment.sample_uniform(64, generator=generator))

    def make(name, stages="stages", seed=0):
        folder = tmp_path / f"{stages}-{name}-{seed}"
        experiment.train(name, "smoke", seed, folder, tmp_path / stages, "cpu")
        return checkpoints.load(name, folder=folder), checkpoints.record(name, folder)

    make.folder = tmp_path
    return make


@pytest.mark.parametrize(
    "name", ["plain-9f", "ours-9f", "ours-selfsup-9f", "ours-truth-9f", "stratified-9f", "ours-3f"]
)
def test_a_smoke_training_runs_and_writes_a_record(workshop, name):
    model, about = workshop(name)
    assert model.frames == RECIPES[name].frames and model.channels == BUDGETS["smoke"].channels
    assert about["recipe"] == asdict(RECIPES[name]) and about["budget"]["name"] == "smoke"
    assert about["data"]["mocap"] is None and about["data"]["credit"] is None, "smoke trains on builtin people alone"
    assert 0 < about["validation_mpjpe_m"] < 10 and about["interrupted"] is False
    assert about["device"] == "cpu" and about["seed"] == 0


@pytest.mark.parametrize("name", ["plain-9f", "random-9f", "ours-9f"])
def test_training_repeats_itself_for_a_seed(workshop, name):
    one, again = workshop(name, "a")[0], workshop(name, "b")[0]
    assert same_weights(one, again)
    assert not same_weights(one, workshop(name, "a", seed=1)[0])


@pytest.mark.parametrize("name", ["plain-9f", "ours-9f"])
def test_training_goes_on_from_the_stage_on_disk_as_if_never_stopped(workshop, name, monkeypatch):
    fresh, _ = workshop(name, "a")
    (stage,) = (workshop.folder / "a").glob("*.safetensors")
    labels = []
    ordinary = experiment.ordinary_stage
    monkeypatch.setattr(
        experiment,
        "ordinary_stage",
        lambda *args, **options: labels.append(options["label"]) or ordinary(*args, **options),
    )
    resumed, _ = workshop(name, "a")
    assert stage.stem not in labels, "the first stage was read, not trained again"
    assert same_weights(fresh, resumed)


def test_recipes_with_the_same_first_stage_share_it(workshop):
    workshop("ours-9f")
    workshop("ours-selfsup-9f")
    assert len(list((workshop.folder / "stages").glob("*"))) == 1
    workshop("ours-truth-9f")
    workshop("maml-9f")
    assert len(list((workshop.folder / "stages").glob("*"))) == 3


def test_the_second_stage_moves_the_weights_of_the_first(workshop):
    model, _ = workshop("ours-9f")
    (stage,) = (workshop.folder / "stages").glob("*.safetensors")
    first = load_file(stage)
    moved = [key for key, value in model.state_dict().items() if not torch.allclose(value, first[key], atol=1e-3)]
    assert any("conv" in key for key in moved)
    assert not [key for key in moved if "running" in key], "episodes keep the statistics of the pretraining"


def stopping(function, after):
    """The function, interrupted from the keyboard at one of its calls."""
    calls = []

    def stopped(*args, **options):
        calls.append(None)
        if len(calls) == after:
            raise KeyboardInterrupt
        return function(*args, **options)

    return stopped


def test_interrupted_episodes_keep_the_weights_and_say_so(workshop, monkeypatch):
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(experiment, "meta_loss", stopping(experiment.meta_loss, 4))  # in the second step
        model, about = workshop("ours-9f", "a")
        assert about["interrupted"] is True
    (stage,) = (workshop.folder / "a").glob("*.safetensors")
    first = load_file(stage)
    assert any(not torch.allclose(value, first[key], atol=1e-4) for key, value in model.state_dict().items())
    assert same_weights(workshop("ours-9f", "a")[0], workshop("ours-9f", "b")[0]), "run again, it is whole"


def test_an_interrupted_first_stage_is_not_taken_for_a_finished_one(workshop, monkeypatch):
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(
            experiment, "draw_windows", stopping(experiment.draw_windows, 2)
        )  # the validation set is the first
        workshop("ours-9f", "a")
    assert same_weights(workshop("ours-9f", "a")[0], workshop("ours-9f", "b")[0])


@pytest.fixture
def two_recipes(workshop, monkeypatch, tmp_path):
    """`train_all` with two recipes, into a folder of its own; tuning leaves a mark only."""
    monkeypatch.setattr(experiment, "RECIPES", {name: RECIPES[name] for name in ("plain-9f", "ours-3f")})
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path / "build"))

    def tune_all(names, folder, device):
        for name in names:
            rewrite(folder, name, test_rates={"marked": 1})

    monkeypatch.setattr(experiment, "tune_all", tune_all)
    return monkeypatch


def test_train_all_trains_what_is_missing_and_keeps_what_is_there(two_recipes, tmp_path):
    folder = experiment.train_all("smoke", 0, "cpu")
    assert folder.is_relative_to(tmp_path) and checkpoints.names(folder) == ["ours-3f", "plain-9f"]
    kept = (folder / "plain-9f.safetensors").stat().st_mtime_ns
    (folder / "ours-3f.safetensors").unlink()
    assert experiment.train_all("smoke", 0, "cpu") == folder
    assert (folder / "plain-9f.safetensors").stat().st_mtime_ns == kept
    assert checkpoints.names(folder) == ["ours-3f", "plain-9f"]
    assert experiment.train_all("smoke", 1, "cpu") != folder


def test_train_all_trains_again_what_was_stopped(two_recipes):
    folder = experiment.train_all("smoke", 0, "cpu")
    rewrite(folder, "ours-3f", interrupted=True)
    experiment.train_all("smoke", 0, "cpu")
    assert checkpoints.record("ours-3f", folder)["interrupted"] is False


def test_train_all_tunes_what_an_earlier_run_trained_but_did_not_tune(two_recipes):
    def stopped(names, folder, device):
        raise KeyboardInterrupt

    with two_recipes.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(experiment, "tune_all", stopped)
        experiment.train_all("smoke", 0, "cpu")
    folder = experiment.train_all("smoke", 0, "cpu")
    assert all("test_rates" in checkpoints.record(name, folder) for name in ("plain-9f", "ours-3f"))


def test_the_command_trains_the_names_it_is_given(workshop, monkeypatch, tmp_path, capsys):
    tuned = []
    monkeypatch.setattr(experiment, "tune_all", lambda names, folder, device: tuned.append((names, folder)))
    options = ["--budget", "smoke", "--folder", str(tmp_path / "out"), "--work", str(tmp_path / "w")]
    monkeypatch.setattr(sys, "argv", ["train", "ours-3f", "--device", "cpu", *options])
    experiment.main()
    assert checkpoints.names(tmp_path / "out") == ["ours-3f"] and tuned == [(["ours-3f"], tmp_path / "out")]
    assert "ours-3f: validation " in capsys.readouterr().out


@pytest.mark.parametrize("words", [["nobody"], ["--budget", "tiny"]])
def test_the_command_refuses_what_it_does_not_know(monkeypatch, capsys, words):
    monkeypatch.setattr(sys, "argv", ["train", *words])
    with pytest.raises(SystemExit):
        experiment.main()
    assert "choose from" in capsys.readouterr().err


# ------------------------------------------------------------------ test rates and examination
@pytest.fixture(scope="module")
def small_studio():
    place = AdaptationSplit(motion.builtin(1, 1, ["walk"], 100), motion.builtin(2, 1, ["kick"], 100))
    return LensTest(place, 0, clips=1, calibration_clips=1, windows=64)


def test_tune_writes_the_rate_with_the_smallest_error(folder, small_studio):
    chosen = rate_search.tune("mine", small_studio, PRESETS["d1"][None], folder)
    about = checkpoints.record("mine", folder)
    assert about["test_rates"] == chosen and about["test_steps"] == rate_search.STEPS and about["seed"] == 0
    model = checkpoints.load("mine", folder=folder)
    for scenario, rates in rate_search.RATES.items():
        errors = about["tuning_mpjpe_mm"][scenario]
        assert set(errors) >= {f"{rate:g}" for rate in rates}
        assert min(errors, key=lambda rate: errors[rate] or float("inf")) == f"{chosen[scenario]:g}"
        again = evaluate_adapted(
            model,
            small_studio.through(PRESETS["d1"]),
            scenario,
            steps=rate_search.STEPS[scenario],
            rate=chosen[scenario],
        )[1]
        assert errors[f"{chosen[scenario]:g}"] == pytest.approx(again[-1].mpjpe, abs=0.006)


@pytest.mark.parametrize("best", [1e-4, 0.0007, 0.012, 0.05, 0.2, 1.0])
def test_the_grid_grows_until_the_best_rate_lies_inside(best):
    """Errors fall towards `best` and rise behind it; far behind, everything diverges."""

    def error(rate):
        return abs(math.log(rate / best)) if rate < 20 * best else math.inf

    trials = rate_search.widened_search(error, rate_search.RATES[SCENARIOS[0]])
    chosen = min(trials, key=trials.get)
    assert min(trials) < chosen < max(trials) and 1 / 3 < chosen / best < 3
    assert list(trials) == sorted(trials) and len(trials) <= 11


def test_a_grid_that_diverges_as_a_whole_grows_downwards():
    trials = rate_search.widened_search(lambda rate: 5 + rate if rate < 5e-4 else math.inf, (0.003, 0.01))
    assert list(map(math.isinf, trials.values()))[-3:] == [True] * 3 and min(trials.values()) < 5.0005


def test_a_network_that_every_step_harms_does_not_search_for_ever():
    asked = []
    rate_search.widened_search(lambda rate: asked.append(rate) or rate, (0.003, 0.01))
    assert len(asked) == 2 + rate_search.MOST_WIDER and min(asked) == pytest.approx(
        0.003 / 3**rate_search.MOST_WIDER, rel=0.01
    )


def test_a_rate_that_diverges_is_infinitely_wrong(small_studio, folder, monkeypatch):
    model, observation = checkpoints.load("mine", folder=folder), small_studio.through(PRESETS["d1"])
    assert rate_search.last_error(model, observation, SCENARIOS[0], 1e30) == math.inf
    with pytest.raises(ValueError, match="rate is -1"):  # a mistake is no divergence
        rate_search.last_error(model, observation, SCENARIOS[0], -1.0)
    monkeypatch.setattr(rate_search, "RATES", {scenario: (0.01, 1e30) for scenario in SCENARIOS})
    rate_search.tune("mine", small_studio, PRESETS["d1"][None], folder)
    about = checkpoints.record("mine", folder)
    assert all(errors["1e+30"] is None for errors in about["tuning_mpjpe_mm"].values())
    assert set(about["test_rates_at_an_end"]) <= set(SCENARIOS)


def test_tune_takes_the_mean_over_the_lenses(folder, small_studio, monkeypatch):
    monkeypatch.setattr(rate_search, "RATES", {scenario: (0.001,) for scenario in SCENARIOS})
    monkeypatch.setattr(rate_search, "STEPS", dict.fromkeys(SCENARIOS, 1))
    lenses = torch.stack([PRESETS["d1"], PRESETS["d2"]])
    errors = []
    for chosen in (lenses[:1], lenses[1:], lenses):
        rate_search.tune("mine", small_studio, chosen, folder)
        errors.append(checkpoints.record("mine", folder)["tuning_mpjpe_mm"][SCENARIOS[0]]["0.001"])
    assert errors[2] == pytest.approx((errors[0] + errors[1]) / 2, abs=0.011)


@pytest.fixture
def recording(tmp_path):
    """A motion file of two people."""
    path = tmp_path / "recording.npz"
    motion.save(
        path,
        motion.builtin(1, 1, ["walk"], 100)
        + [
            clip.__class__(clip.positions, clip.fps, "another", clip.action, clip.source)
            for clip in motion.builtin(2, 1, ["kick"], 100)
        ],
    )
    return path


def test_examine_measures_and_chooses_nothing(folder, recording):
    rewrite(folder, "mine", test_rates={SCENARIOS[0]: 0.01, SCENARIOS[1]: 1e-4})
    before = checkpoints.record("mine", folder)
    measured = rate_search.examine("mine", recording, folder, seeds=2, clips=1)
    after = checkpoints.record("mine", folder)
    assert after.pop("real_actors") == measured and after == before
    assert set(measured) == {"undistorted", "unadapted", *SCENARIOS}
    assert {len(values) for values in measured.values()} == {2}
    model = checkpoints.load("mine", folder=folder)
    lens_test = LensTest(splits.adaptation_split(str(recording)), 1, clips=1)
    heavy = [lens_test.through(PRESETS[lens]) for lens in ("d1", "d2")]
    assert measured["undistorted"][1] == pytest.approx(evaluate(model, lens_test.through(UNDISTORTED)).mpjpe, abs=0.006)
    assert measured["unadapted"][1] == pytest.approx(sum(evaluate(model, e).mpjpe for e in heavy) / 2, abs=0.006)
    rate = before["test_rates"][SCENARIOS[0]]
    ends = [
        evaluate_adapted(model, e, SCENARIOS[0], steps=rate_search.STEPS[SCENARIOS[0]], rate=rate)[1][-1] for e in heavy
    ]
    assert measured[SCENARIOS[0]][1] == pytest.approx(sum(end.mpjpe for end in ends) / 2, abs=0.006)


@pytest.mark.parametrize("there", [True, False])
def test_tune_all_examines_where_there_are_real_people(folder, recording, monkeypatch, small_studio, there):
    monkeypatch.setenv("COURSE_MOCAP", str(recording) if there else str(folder / "absent.npz"))
    monkeypatch.setattr(rate_search, "validation_test", lambda device: small_studio)
    calls = []
    monkeypatch.setattr(
        rate_search, "tune", lambda name, lens_test, lenses, where: calls.append((name, len(lenses), where))
    )
    monkeypatch.setattr(rate_search, "examine", lambda name, mocap, where, device: calls.append((name, mocap, where)))
    rate_search.tune_all(["a", "b"], folder, lenses=3)
    expected = [(name, what, folder) for name in "ab" for what in ((3, recording) if there else (3,))]
    assert calls == expected


def test_settings_are_chosen_on_people_who_were_not_trained_on_and_are_not_tested(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_MOCAP", str(tmp_path / "absent.npz"))
    asked = []
    monkeypatch.setattr(splits, "builtin", lambda seed, *rest: asked.append(seed) or motion.builtin(seed, 1, 4, 100))
    lens_test = rate_search.validation_test(clips=2)
    assert len(lens_test.tests) == 2
    split = splits.training_split(None, 1)
    halves = [split.validation[::2], split.validation[1::2]]
    filmed = {"recordings": lens_test.calibration_clips, "tests": lens_test.tests}
    for clips, footage in zip(halves, filmed.values()):
        assert set(footage.actions) <= {clip.action for clip in clips}
    assert splits.SITE_SEED not in asked and splits.TEST_SEED not in asked and splits.VALIDATION_SEED in asked


# ------------------------------------------------------------------ calibration of the test lenses
@pytest.mark.parametrize("factor", [1.3, 1.95, 2.76])
@pytest.mark.parametrize("name", calibrate.CHARACTERS)
def test_the_strength_found_gives_the_wanted_growth(name, factor):
    direction = torch.tensor(calibrate.CHARACTERS[name][0])

    def growth(lens):
        return 1 + 1.2 * (lens.norm() / direction.norm()).item() ** 2

    lens = calibrate.strength(direction.tolist(), factor, growth)
    assert growth(lens) == pytest.approx(factor, rel=0.03)  # it is rounded to the slider's steps
    assert ((lens / calibrate.GRID) - (lens / calibrate.GRID).round()).abs().max() < 1e-4


@pytest.mark.parametrize("name", PRESETS)
def test_the_test_lenses_have_the_calibrated_characters_and_do_not_fold(name):
    direction, preset = torch.tensor(calibrate.CHARACTERS[name][0]), PRESETS[name]
    size = (preset / direction).median()
    assert ((preset - size * direction).abs() <= 1.01 * calibrate.GRID).all()
    assert not bool(folds(preset, FOLD_RADIUS))


def test_calibration_prints_lenses_that_can_be_pasted(monkeypatch, small_studio, capsys):
    monkeypatch.setattr(calibrate, "validation_test", lambda clips: small_studio)
    monkeypatch.setattr(calibrate.checkpoints, "load", lambda name: lifter())
    calibrate.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("undistorted ") and len(lines) == 5
    pasted = eval("{" + "".join(line.split("#")[0] for line in lines[1:]) + "}", {"torch": torch})
    assert list(pasted) == list(PRESETS) and all(lens.shape == (5,) for lens in pasted.values())
