"""Lesson 04's networks: the shipped ones are whole, and the program that makes them trains what its recipes say."""

import json
import math
import sys
from dataclasses import asdict, replace

import pytest
import torch
from safetensors import safe_open

from tutorial_lib import checkpoints, motion
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED, Split
from tutorial_lib.datasets.videos import Video, capture_videos
from tutorial_lib.lessons.temporal_lifting import experiment, material
from tutorial_lib.lessons.temporal_lifting.material import (
    LENGTHS,
    NOISE_LEVELS,
    MixedFootage,
    lifter_footage,
    pieces_of,
    split_labels,
)
from tutorial_lib.lessons.temporal_lifting.recipes import (
    BUDGETS,
    L2_SHARE,
    RECIPES,
    SHARES,
    FewRecipe,
    LifterRecipe,
    few_name,
)
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter
from tutorial_lib.motion.clip import Clip

each_recipe = pytest.mark.parametrize("name", RECIPES)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def same_weights(one, other):
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


# ------------------------------------------------------------------ what ships
def test_every_recipe_ships_and_nothing_else():
    folder = checkpoints.FOLDER / "temporal"
    assert checkpoints.names(folder) == sorted(RECIPES)
    assert sorted(path.stem for path in folder.glob("*.json")) == sorted(RECIPES)


@each_recipe
def test_a_shipped_network_loads_ready_to_use(name):
    model, recipe = checkpoints.load(f"temporal/{name}"), RECIPES[name]
    assert not any(module.training for module in model.modules())
    budget = BUDGETS["shipped"]
    if isinstance(recipe, LifterRecipe):
        wide = budget.single_channels if recipe.frames == 1 else budget.channels
        assert (model.frames, model.causal, model.channels) == (recipe.frames, recipe.causal, wide)
    else:
        assert (model.frames, model.causal, model.channels) == (budget.few_frames, False, budget.few_channels)
    assert isinstance(model, SingleFrameLifter if model.frames == 1 else TemporalLifter)
    with torch.no_grad():
        pose = model.lift(torch.zeros(2, 30, 17, 2))
    assert pose.shape == (2, 30, 17, 3) and torch.isfinite(pose).all()
    with safe_open(checkpoints.FOLDER / "temporal" / f"{name}.safetensors", "pt") as file:
        kinds = {file.get_tensor(key).dtype for key in file.keys() if "num_batches" not in key}  # noqa: SIM118
    assert kinds == {torch.float16}


@each_recipe
def test_the_record_says_how_the_network_was_made_and_what_it_saw(name):
    about = checkpoints.record(f"temporal/{name}")
    assert about["name"] == f"temporal/{name}" and about["recipe"] == asdict(RECIPES[name])
    assert about["budget"] == {"name": "shipped", **asdict(BUDGETS["shipped"])}
    assert isinstance(about["seed"], int) and 0.01 < about["validation_mpjpe_m"] < 0.2
    data = about["data"]
    assert data["builtin"].startswith(f"{BUDGETS['shipped'].people} people") and data["pieces"] > 0
    if data["mocap"] is not None:
        assert data["credit"] == checkpoints.CREDIT
    text = json.dumps({key: value for key, value in about.items() if key != "name"})
    assert "/" not in text.replace("EIA-0196217", ""), "no path of the machine that trained it"


@each_recipe
def test_who_trained_on_real_people_was_examined_on_real_people(name):
    about = checkpoints.record(f"temporal/{name}")
    if about["data"]["mocap"] is None:
        pytest.skip("this checkpoint was trained without real people")
    measured = about["real_actors"]
    assert measured["detector_noise"] == (1.0 if isinstance(RECIPES[name], LifterRecipe) else 0.0)
    for metric, high in (("mpjpe_mm", 400), ("p_mpjpe_mm", 300), ("mpjve_mm_per_frame", 50)):
        assert len(measured[metric]) == 5 and all(0 < value < high for value in measured[metric])


# ------------------------------------------------------------------ recipes and names
def test_recipes_are_what_their_names_promise():
    for name, recipe in RECIPES.items():
        if isinstance(recipe, LifterRecipe):
            assert name == f"{'causal' if recipe.causal else 'lifter'}-{recipe.frames}f"
        else:
            assert name == few_name(recipe.share, recipe.semi, recipe.norm)
    pairs = {(r.share, r.semi, r.norm) for r in RECIPES.values() if isinstance(r, FewRecipe)}
    assert pairs == {(s, semi, "l1") for s in SHARES for semi in (False, True)} | {(L2_SHARE, True, "l2")}


@pytest.mark.parametrize(
    "arguments, name",
    [((0.03, False), "few-3-supervised"), ((1.0, True), "few-100-semi"), ((0.03, True, "l2"), "few-3-semi-l2")],
)
def test_names_say_the_share_in_per_cent(arguments, name):
    assert few_name(*arguments) == name


# ------------------------------------------------------------------ footage
def clip(frames, subject="ann", action="walk"):
    """A rigid person who glides a little."""
    joints = torch.rand(17, 3, generator=seeded(1)) * torch.tensor([0.5, 0.5, 1.7])
    steps = torch.linspace(0, 0.3, frames)[:, None, None] * torch.tensor([1.0, 0, 0])
    return Clip(joints + steps, 50.0, subject, action, "test")


def test_clips_give_pieces_of_the_longest_length_that_fits():
    groups = pieces_of([clip(300), clip(130), clip(100), clip(80), clip(700)])
    assert [{len(shot.positions) for shot in group} for group in groups] == [{243}, {122}, {81}]
    assert [len(group) for group in groups] == [1 + 3, 1, 1]  # 700 frames: from 0, 162 and 324
    assert pieces_of([clip(80)]) == []


def part(shots, frames, mark):
    pose = torch.full((shots, frames, 17, 3), float(mark)) + torch.tensor([0.0, 0.0, 3.0])
    return Footage(pose, torch.full((shots, frames, 17, 2), 0.1 * mark), ("x",) * shots, ("y",) * shots)


@pytest.mark.parametrize("count", [1, 2, 5, 64, 1000])
def test_a_batch_has_windows_of_every_length_of_shot_as_its_frames_are_shared(count):
    parts = MixedFootage([part(6, 100, 1), part(1, 300, 2), part(1, 100, 3)])
    drawn = parts.draw(count, 9, seeded())
    assert len(parts) == 8 and drawn.keypoints.shape == (count, 9, 17, 2)
    assert drawn.pose.shape == (count, 17, 3) and drawn.root.shape == (count, 1, 3)
    origin = drawn.root[:, 0, 0].abs().round().int()  # mirrored ones have the other sign
    for mark, share in ((1, 0.6), (2, 0.3), (3, 0.1)):
        assert abs((origin == mark).sum().item() - count * share) <= 1
    torch.testing.assert_close(drawn.keypoints[:, 4, 0, 0].abs(), FOCAL * 0.1 * origin.float())  # one window, one shot


def test_a_batch_may_be_causal():
    moving = Footage(
        torch.arange(1.0, 101)[None, :, None, None].expand(1, 100, 17, 3),
        torch.arange(1.0, 101)[None, :, None, None].expand(1, 100, 17, 2) / 100,
        ("x",),
        ("y",),
    )
    for causal, place in ((True, -1), (False, 4)):
        drawn = MixedFootage([moving]).draw(50, 9, seeded(), causal)
        frame = drawn.root[:, 0, 2]
        torch.testing.assert_close(drawn.keypoints[:, place, 0, 1], FOCAL * frame / 100)


def test_every_shot_is_filmed_by_every_detector():
    parts = lifter_footage([clip(243), clip(81)], seeded())
    assert [part.pose.shape[:2] for part in parts.parts] == [(len(NOISE_LEVELS), 243), (len(NOISE_LEVELS), 81)]
    first = parts.parts[0]
    off = (first.detected - first.pose[..., :2] / first.pose[..., 2:]).abs().flatten(1).median(1).values * FOCAL
    assert off[0] < off[1] < off[2], "worse and worse"
    assert not torch.allclose(first.pose[0], first.pose[1]), "from another place each time"
    assert len(lifter_footage([clip(243)], seeded(), (0.0,))) == 1


def test_videos_are_cut_and_otherwise_stay_as_they_are():
    taken = capture_videos([clip(243), clip(100), clip(50)], generator=seeded(), noise=1.0)
    parts = lifter_footage(taken, seeded())
    assert [part.pose.shape[:2] for part in parts.parts] == [(1, 243), (1, 81)]  # 50 frames are too few
    torch.testing.assert_close(parts.parts[1].detected[0] * FOCAL, taken[1].keypoints[:81])
    assert torch.equal(parts.parts[1].pose[0], taken[1].pose[:81])


@pytest.mark.parametrize("clips", [[clip(80)], capture_videos([clip(80)], generator=seeded())])
def test_footage_without_a_single_shot_is_refused(clips):
    with pytest.raises(ValueError, match="no clip has the 81 frames"):
        lifter_footage(clips, seeded())


# ------------------------------------------------------------------ labels
CROWD = [clip(300, subject, action) for subject in ("ann", "bob", "cy", "dee", "eve") for action in "klmn"]


def frames_of(labelled):
    return {(c.subject, c.action): len(c.pose if isinstance(c, Video) else c.positions) for c in labelled}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_smaller_share_is_contained_in_a_larger_one(seed):
    found = [frames_of(split_labels(CROWD, share, seed)) for share in SHARES]
    for few, more in zip(found, found[1:]):
        assert all(more[key] >= frames for key, frames in few.items())
    assert found[-1] == frames_of(CROWD)


@pytest.mark.parametrize("share", [0.02, 0.03, 0.1, 0.2, 0.3, 0.55, 1.0])
def test_the_share_is_one_of_frames_up_to_a_shot(share):
    total = sum(frames_of(CROWD).values())
    have = sum(frames_of(split_labels(CROWD, share, 0)).values())
    assert share * total <= have < share * total + LENGTHS[-1]


def test_labels_go_to_whole_people_one_after_another():
    for share in (0.2, 0.3, 0.55, 0.8):
        found = frames_of(split_labels(CROWD, share, 0))
        whole = [s for s in ("ann", "bob", "cy", "dee", "eve") if all(found.get((s, a)) == 300 for a in "klmn")]
        touched = {subject for subject, _ in found}
        assert len(whole) == int(share * 5 + 1e-9) and len(touched - set(whole)) <= 1


def test_the_seed_decides_who_is_first_and_the_labelled_part_is_a_beginning():
    first = {split_labels(CROWD, 0.01, seed)[0].subject for seed in range(12)}
    assert len(first) > 2
    (one,) = split_labels(CROWD, 0.01, 0)
    assert len(one.positions) == LENGTHS[-1] and torch.equal(one.positions, CROWD[0].positions[:81])
    assert len(pieces_of([one])) == 1, "even the smallest share can be trained on"


def test_videos_are_split_like_clips():
    taken = [Video(torch.zeros(300, 17, 2), c.positions, c.subject, c.action) for c in CROWD]
    for share in (0.03, 0.3):
        clips, filmed = (split_labels(those, share, 1) for those in (CROWD, taken))
        assert frames_of(clips) == frames_of(filmed)
        assert all(len(v.keypoints) == len(v.pose) for v in filmed)


@pytest.mark.parametrize("share", [0, -0.1, 1.1, math.nan])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="share is"):
        split_labels(CROWD, share, 0)


# ------------------------------------------------------------------ training at smoke size
@pytest.fixture(scope="module")
def people():
    """(train, validation): enough to train on at smoke size."""
    return motion.builtin(1, 2, ["walk", "wave"], 243), motion.builtin(2, 1, ["eat"], 243)


@pytest.fixture
def workshop(people, monkeypatch, tmp_path):
    """`train` on a few clips: called with a name; gives the network and its record."""
    monkeypatch.setattr(experiment, "mocap_path", lambda: None)
    monkeypatch.setattr(experiment, "material", lambda budget, mocap, taken=None: people)

    def make(name, folder="made", seed=0):
        experiment.train(name, "smoke", seed, tmp_path / folder, "cpu")
        where = tmp_path / folder
        return checkpoints.load(f"temporal/{name}", folder=where), checkpoints.record(f"temporal/{name}", where)

    return make


EVERY_KIND = ["lifter-1f", "lifter-9f", "causal-27f", "lifter-81f", "few-3-supervised", "few-3-semi", "few-3-semi-l2"]


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_smoke_training_writes_the_network_that_it_trained(name, workshop, monkeypatch):
    trained = []
    save = checkpoints.save
    monkeypatch.setattr(checkpoints, "save", lambda model, *rest: trained.append(model.eval()) or save(model, *rest))
    model, about = workshop(name)
    recipe, budget = RECIPES[name], BUDGETS["smoke"]
    assert about["recipe"] == asdict(recipe) and about["budget"] == {"name": "smoke", **asdict(budget)}
    assert about["name"] == f"temporal/{name}" and about["seed"] == 0
    assert about["data"]["mocap"] is None and about["data"]["credit"] is None
    assert 0 < about["validation_mpjpe_m"] < 10
    expected = recipe.frames if isinstance(recipe, LifterRecipe) else budget.few_frames
    assert (model.frames, model.channels, model.outputs) == (expected, 8, 17)
    assert model.causal == getattr(recipe, "causal", False)
    keypoints = 0.3 * torch.randn(20, 17, 2, generator=seeded())
    with torch.no_grad():
        torch.testing.assert_close(model.lift(keypoints), trained[0].lift(keypoints), atol=0.02, rtol=0.01)


@pytest.mark.parametrize("name", ["lifter-1f", "few-3-semi"])
def test_training_repeats_itself_for_a_seed(workshop, name):
    one, again, other = (workshop(name, *rest)[0] for rest in (("a",), ("b",), ("c", 1)))
    assert same_weights(one, again) and not same_weights(one, other)


def test_unlabelled_video_is_used_after_the_warm_up_and_only_by_semi(workshop, monkeypatch):
    calls = []
    real = experiment.joint_losses

    def spy(*args, **options):
        calls.append((args[3] is not None, options["norm"]))
        return real(*args, **options)

    monkeypatch.setattr(experiment, "joint_losses", spy)
    monkeypatch.setitem(BUDGETS, "smoke", replace(BUDGETS["smoke"], warm_up=0.5))
    workshop("few-3-supervised")
    assert calls == []
    workshop("few-3-semi-l2")
    assert calls == [(False, "l2"), (False, "l2"), (True, "l2"), (True, "l2")]


def test_an_interrupted_training_writes_nothing(workshop, monkeypatch, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="lifter-9f was stopped"):
        patch.setattr(experiment, "mpjpe", stop)
        workshop("lifter-9f")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_material_is_invented_people_long_enough_for_every_lifter(monkeypatch):
    asked = []
    monkeypatch.setattr(material, "builtin", lambda *args: asked.append(args) or [clip(300)])
    both = [replace(clip(90), source=source) for source in ("builtin", "real")]
    monkeypatch.setattr(material, "training_split", lambda mocap, count: Split(both, both))
    train, validation = material.material(BUDGETS["shipped"], None)
    assert [seed for seed, *_ in asked] == [TRAIN_SEED, VALIDATION_SEED]
    assert asked[0][1:] == (BUDGETS["shipped"].people, TRAINED_ACTIONS, 300)
    assert [c.source for c in train] == ["test", "real"] and [c.source for c in validation] == ["test", "real"]


def test_given_videos_take_the_place_of_the_courses_own_motion(monkeypatch, tmp_path):
    monkeypatch.setattr(experiment, "mocap_path", lambda: None)
    monkeypatch.setattr(material, "builtin", None)  # nobody is invented
    clips = [clip(100, f"S{number}") for number in (1, 5)] * 11
    taken = capture_videos(clips, generator=seeded(), noise=0.0)
    train, validation = material.material(BUDGETS["smoke"], None, taken)
    assert (len(train), len(validation)) == (20, 2) and not {id(v) for v in train} & {id(v) for v in validation}
    for name in ("lifter-9f", "few-10-semi"):
        experiment.train(name, "smoke", 0, tmp_path, "cpu", taken)
        data = checkpoints.record(f"temporal/{name}", tmp_path)["data"]
        assert data["videos"] == ["S1", "S5"] and data["pieces"] > 0 and "credit" not in data
        checkpoints.load(f"temporal/{name}", folder=tmp_path)


# ------------------------------------------------------------------ all of them
@pytest.fixture
def two_recipes(workshop, monkeypatch, tmp_path):
    """`train_all` with two recipes, into a folder of its own."""
    monkeypatch.setattr(experiment, "RECIPES", {name: RECIPES[name] for name in ("lifter-1f", "few-3-semi")})
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path / "build"))
    return monkeypatch


def test_train_all_trains_what_is_missing_and_keeps_what_is_there(two_recipes, tmp_path):
    folder = experiment.train_all("smoke", 0, "cpu")
    assert folder.is_relative_to(tmp_path / "build") and checkpoints.names(folder / "temporal") == [
        "few-3-semi",
        "lifter-1f",
    ]
    path = folder / "temporal" / "lifter-1f.safetensors"
    kept = path.stat().st_mtime_ns
    (folder / "temporal" / "few-3-semi.safetensors").unlink()
    assert experiment.train_all("smoke", 0, "cpu") == folder
    assert path.stat().st_mtime_ns == kept and checkpoints.names(folder / "temporal") == ["few-3-semi", "lifter-1f"]
    trained = []
    two_recipes.setattr(experiment, "train", lambda *args: trained.append(args))
    assert experiment.train_all("smoke", 0, "cpu") == folder and trained == []
    assert experiment.train_all("smoke", 1, "cpu") != folder


def test_train_all_takes_human36m_for_training_by_the_papers_protocol(two_recipes):
    asked, trained = [], []
    two_recipes.setattr(experiment, "human36m_videos", lambda *args, **options: asked.append((args, options)) or ["v"])
    two_recipes.setattr(experiment, "train", lambda *args: trained.append(args))
    folder = experiment.train_all("smoke", 0, "cpu", "somewhere/data_3d_h36m.npz", trust=True)
    assert asked == [(("somewhere/data_3d_h36m.npz", ("S1", "S5", "S6", "S7", "S8")), {"trust": True})]
    assert [args[-1] for args in trained] == [["v"], ["v"]]
    assert folder != experiment.train_all("smoke", 0, "cpu") and [args[-1] for args in trained[2:]] == [None, None]


def test_the_command_trains_and_examines_the_names_it_is_given(workshop, monkeypatch, tmp_path, capsys):
    examined = []
    monkeypatch.setattr(experiment, "examine", lambda *args: examined.append(args))
    words = ["lifter-1f", "--budget", "smoke", "--folder", str(tmp_path / "out"), "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["temporal", *words])
    experiment.main()
    assert checkpoints.names(tmp_path / "out" / "temporal") == ["lifter-1f"]
    assert examined == [(["lifter-1f"], tmp_path / "out")]
    assert "lifter-1f: validation " in capsys.readouterr().out


@pytest.mark.parametrize("words", [["nobody"], ["--budget", "tiny"]])
def test_the_command_refuses_what_it_does_not_know(monkeypatch, capsys, words):
    monkeypatch.setattr(sys, "argv", ["temporal", *words])
    with pytest.raises(SystemExit):
        experiment.main()
    assert "choose from" in capsys.readouterr().err


# ------------------------------------------------------------------ examination
@pytest.fixture
def two_networks(tmp_path):
    torch.manual_seed(0)
    checkpoints.save(TemporalLifter(9, 4), "temporal/lifter-9f", {"seed": 3, "data": {"mocap": "x"}}, tmp_path)
    checkpoints.save(TemporalLifter(9, 4), "temporal/few-3-semi", {"seed": 4}, tmp_path)
    return tmp_path


def test_examine_writes_what_real_actors_gave_and_changes_nothing_else(two_networks, monkeypatch):
    recording = two_networks / "recording.npz"
    motion.save(
        recording,
        [
            Clip(c.positions, c.fps, subject, c.action, "mine")
            for subject, seed in (("ann", 1), ("bob", 2))
            for c in motion.builtin(seed, 1, ["walk", "wave"], 90)
        ],
    )
    monkeypatch.setattr(experiment, "mocap_path", lambda: recording)
    names = ["lifter-9f", "few-3-semi"]
    before = {n: checkpoints.record(f"temporal/{n}", two_networks) for n in names}
    weights = {n: checkpoints.load(f"temporal/{n}", folder=two_networks) for n in names}
    experiment.examine(names, two_networks, seeds=2)
    for name, noise in zip(names, (1.0, 0.0)):
        after = checkpoints.record(f"temporal/{name}", two_networks)
        measured = after.pop("real_actors")
        assert after == before[name]
        assert same_weights(weights[name], checkpoints.load(f"temporal/{name}", folder=two_networks))
        assert measured["detector_noise"] == noise
        # Seed 1 by hand: the mean over actions of the mean joint distance, in mm.
        taken = experiment.videos_under_test(str(recording), 1, noise)
        with torch.no_grad():
            lifted = [(v.action, weights[name].lift(v.keypoints), v.pose) for v in taken]
        off = [((p - p[:, :1]) - (t - t[:, :1])).norm(dim=-1).mean().item() for _, p, t in lifted]
        assert len({action for action, *_ in lifted}) == len(off) == 2
        assert measured["mpjpe_mm"][1] == pytest.approx(1000 * sum(off) / 2, abs=0.01)
        assert {len(measured[k]) for k in ("mpjpe_mm", "p_mpjpe_mm", "mpjve_mm_per_frame")} == {2}
        assert all(p <= m for p, m in zip(measured["p_mpjpe_mm"], measured["mpjpe_mm"]))


def test_without_a_recording_examine_says_so_and_does_nothing(two_networks, monkeypatch, capsys):
    monkeypatch.setattr(experiment, "mocap_path", lambda: None)
    before = {path: path.stat().st_mtime_ns for path in two_networks.rglob("*.*")}
    experiment.examine(["lifter-9f", "few-3-semi"], two_networks)
    assert before == {path: path.stat().st_mtime_ns for path in two_networks.rglob("*.*")}
    assert "no motion capture at hand" in capsys.readouterr().out
