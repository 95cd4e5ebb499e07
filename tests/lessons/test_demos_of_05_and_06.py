"""The demos of lessons 05 and 06, in process: move the controls, look at what stands on the stage."""

import copy
import dataclasses
import itertools
import random
import re
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib import checkpoints, motion
from tutorial_lib.adaptation import Adapter, captured, race
from tutorial_lib.adaptation.conventions import Convention, mounting
from tutorial_lib.adaptation.lens_test import ALONE, LABELLED, SCENARIOS, LensTest, Observation
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.display import stage
from tutorial_lib.distortion import COEFFICIENTS, PRESETS, RADIAL_LIMIT, TANGENTIAL_LIMIT
from tutorial_lib.lessons.camera_distortion import demo_lens
from tutorial_lib.lessons.meta_learning import demo_adapt, demo_toy
from tutorial_lib.metrics import mpjpe
from tutorial_lib.training import fit

FOLDER = checkpoints.FOLDER
LIMITS = dict(zip(COEFFICIENTS, (RADIAL_LIMIT,) * 3 + (TANGENTIAL_LIMIT,) * 2))
HEAVY = demo_lens.lens_presets()["d2 pincushion, heavy"]
START = {"scenario": LABELLED, "windows": 5, "count": 2, "rate": race.OWN, **HEAVY}
"""Where the adaptation demo stands in these tests: few windows and steps, so that a move is quick."""


def needs(*names):
    missing = [name for name in names if not (FOLDER / f"{name}.safetensors").is_file()]
    return pytest.mark.skipif(bool(missing), reason=f"no checkpoint {', '.join(missing)}: run `make checkpoints`")


needs_plain = needs("plain-9f")
needs_all = needs(*demo_adapt.LENS_NETWORKS.values())
needs_crooked = needs(*race.CROOKED_NETWORKS.values())
TITLES = list(demo_adapt.LENS_NETWORKS)


@pytest.fixture(scope="module")
def shared_lens():
    return demo_lens.lens_demo()


@pytest.fixture(scope="module")
def shared_lifter():
    return demo_lens.lifter_demo()


@pytest.fixture(scope="module")
def shared_adaptation():
    return demo_adapt.lens_demo(folder=FOLDER)


@pytest.fixture(scope="module")
def shared_toy():
    return demo_toy.toy_demo()


@pytest.fixture
def lens(shared_lens):
    return shared_lens.set(**dict.fromkeys(COEFFICIENTS, 0.0)).check()


@pytest.fixture
def lifter(shared_lifter):
    return shared_lifter.set(**HEAVY).check()


@pytest.fixture
def adapting(shared_adaptation):
    return shared_adaptation.set(**START).check()


@pytest.fixture
def toy(shared_toy):
    return shared_toy.reset().check()


@pytest.fixture(
    params=[
        "lens",
        pytest.param("lifter", marks=needs_plain),
        pytest.param("adapting", marks=needs_all),
    ]
)
def bending(request):
    """Every demo with a lens."""
    return request.getfixturevalue(request.param)


@pytest.fixture(
    params=["toy", "lens", pytest.param("lifter", marks=needs_plain), pytest.param("adapting", marks=needs_all)]
)
def demo(request):
    """Every demo."""
    return request.getfixturevalue(request.param)


def fresh(name):
    """A demo as the reader first meets it."""
    made = {
        "toy": demo_toy.toy_demo,
        "lens": demo_lens.lens_demo,
        "lifter": demo_lens.lifter_demo,
        "adapting": lambda: demo_adapt.lens_demo(folder=FOLDER),
    }
    return made[name]()


each_name = pytest.mark.parametrize(
    "name", ["toy", "lens", pytest.param("lifter", marks=needs_plain), pytest.param("adapting", marks=needs_all)]
)


def picture(demo):
    """Everything that is drawn, without the time it took."""
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


def pane(demo, kind):
    return next(part for part in demo.stage.state["panes"] if part["kind"] == kind)


def drawn(demo, kind, group, name):
    """The array of one named part of a pane."""
    (part,) = (part for part in pane(demo, kind)[group] if part["name"] == name)
    return stage.unpack(part["points"])


def arrays_in(state):
    """Every array of a picture."""
    if isinstance(state, dict) and {"shape", "data"} <= set(state):
        return [stage.unpack(state)]
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list) else []
    return [array for part in parts for array in arrays_in(part)]


def assert_finite(demo):
    arrays = arrays_in(demo.stage.state)
    assert len(arrays) >= 3 and all(np.isfinite(array).all() for array in arrays)
    cells = [cell for part in demo.stage.state["panes"] if part["kind"] == "table" for cell in sum(part["rows"], [])]
    assert not {"nan", "inf"} & set(cells)


def corners(count, seed):
    """Random corners of the five coefficients' sliders."""
    chance = random.Random(seed)
    return [{name: chance.choice((-1, 1)) * limit for name, limit in LIMITS.items()} for _ in range(count)]


def brown_conrady(points, k1, k2, k3, p1, p2):
    """The lens by hand: (..., 2) plane coordinates."""
    x, y = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    return np.stack(
        [x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2), y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y], -1
    )


# ------------------------------------------------------------------ what all demos share
def test_the_same_values_give_the_same_picture_bit_by_bit(demo):
    first, start = picture(demo), dict(demo.params)
    name, control = next((n, c) for n, c in demo.controls.items() if n in ("k1", "alpha"))
    demo.set(**{name: 0.1 if control.value != 0.1 else 0.2}).check()
    assert picture(demo) != first
    demo.set(**start).check()
    assert picture(demo) == first


@each_name
def test_two_demos_with_the_same_values_show_the_same(name, request):
    demo = request.getfixturevalue(name)
    assert picture(fresh(name).set(**demo.params).check()) == picture(demo)


def test_presets_set_what_they_say(demo):
    buttons = {button.description: button for button in demo.children[-2].children}
    for name, params in demo.presets.items():
        buttons[name].click()
        assert not demo.error
        assert {key: demo.params[key] for key in params} == params
        assert_finite(demo)


def test_every_test_lens_has_a_button():
    presets = demo_lens.lens_presets()
    assert len(presets) == 1 + len(PRESETS)
    for name, preset in PRESETS.items():
        (values,) = (values for title, values in presets.items() if title.startswith(name))
        torch.testing.assert_close(demo_lens.lens_of(**values), preset, atol=1e-4, rtol=0)
    assert not demo_lens.lens_of(**presets["no lens"]).any()


@each_name
def test_reset_goes_back_to_what_the_reader_first_saw(name):
    demo = fresh(name).check()
    params, first = dict(demo.params), picture(demo)
    demo.set(**{"alpha": 0.1} if name == "toy" else {"k1": 0.1})
    buttons = {button.description: button for button in demo.children[-2].children}
    buttons["reset"].click()
    assert demo.params == params and picture(demo) == first


def test_readers_without_a_kernel_see_a_picture(demo):
    bundle, _ = demo._repr_mimebundle_()
    assert len(bundle["image/png"]) > 5000 and demo.title in bundle["text/plain"]


def test_an_interrupted_move_says_so_and_the_next_one_works(demo, monkeypatch):
    before, start = demo.stage.state["panes"], dict(demo.params)
    name = "alpha" if "alpha" in demo.controls else "k1"
    compute = demo.compute

    def interrupted(**params):
        compute(**params)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "compute", interrupted)
        demo.controls[name].value = 0.1
        assert demo.error.startswith("interrupted (at ") and demo.stage.state["error"] == "interrupted"
        assert demo.stage.state["panes"] == before and demo.params == start
    demo.controls[name].value = 0.12
    assert demo.error == demo.stage.state["error"] == "" and demo.stage.state["panes"] != before


# ------------------------------------------------------------------ demos with a lens
@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_every_coefficient_moves_the_picture(bending, coefficient):
    grid = "through the lens" if "ring" in bending.arrays else "grid"
    bending.set(**dict.fromkeys(COEFFICIENTS, 0.0)).check()
    straight = drawn(bending, "image", "lines", grid).copy()
    bending.controls[coefficient].value = 0.7 if coefficient.startswith("k") else 0.074
    assert not bending.error
    bent = drawn(bending, "image", "lines", grid)
    amounts = bending.params
    expected = FOCAL * brown_conrady(straight / FOCAL, *(amounts[name] for name in COEFFICIENTS))
    np.testing.assert_allclose(bent, expected, atol=2e-5)
    assert np.abs(bent - straight).max() > 0.02


@pytest.mark.parametrize("seed", range(4))
def test_extreme_lenses_never_fail_and_never_leave_holes(bending, seed):
    for values in corners(16 if "count" not in bending.controls else 2, seed):
        bending.set(**values)
        assert bending.error == "", f"at {values}"
        assert_finite(bending)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_coefficients_that_are_not_finite_are_named_and_the_demo_goes_on(lens, monkeypatch, coefficient, value):
    refused(lens, monkeypatch, coefficient, value)


@needs_all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_also_adaptation_names_coefficients_that_are_not_finite(adapting, monkeypatch, scenario):
    refused(adapting.set(scenario=scenario), monkeypatch, "k3", float("nan"))


@needs_plain
def test_also_the_lifter_names_coefficients_that_are_not_finite(lifter, monkeypatch):
    refused(lifter, monkeypatch, "p1", float("inf"))


def refused(demo, monkeypatch, coefficient, value):
    """Let one number on its way into `compute` go bad."""
    before, compute = demo.stage.state["panes"], demo.compute
    with monkeypatch.context() as patch:
        patch.setattr(demo, "compute", lambda **params: compute(**{**params, coefficient: value}))
        demo.controls["k2"].value = 0.3
        assert "coefficients hold [" in demo.error and f"{value}" in demo.error and "NaN or infinity" in demo.error
        assert "k2 0.30" in demo.error, "the controls' values are in the message"
        assert demo.stage.state["panes"] == before
        assert demo.stage.state["error"] in demo.error and "k2" not in demo.stage.state["error"], "for an audience"
        with pytest.raises(ValueError, match="NaN or infinity"):
            demo.check()
    demo.controls["k2"].value = 0.32
    assert demo.error == "" and demo.stage.state["error"] == "" and demo.stage.state["panes"] != before
    assert demo.params["k2"] == 0.32


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, "wide", None])
def test_controls_take_no_lens_outside_their_range(bending, value):
    runs = bending.runs
    with pytest.raises(ValueError, match="k1 is .*, expected a number from -1.4 to 1.4"):
        bending.set(k1=value)
    assert bending.runs == runs and bending.error == ""


# ------------------------------------------------------------------ the lens
@pytest.mark.parametrize("k1", [-1.4, -1.0, -0.3, 0.6, 1.4])
def test_the_radius_curve_is_the_formula(lens, k1):
    lens.set(k1=k1).check()
    (line,) = (part for part in pane(lens, "curve")["series"] if part["name"] == "through the lens")
    r = stage.unpack(line["x"])
    np.testing.assert_allclose(stage.unpack(line["y"]), r * (1 + k1 * r**2), atol=1e-5)
    np.testing.assert_allclose(stage.unpack(line["band"]["lo"]), stage.unpack(line["band"]["hi"]), atol=1e-5)


def test_a_tangential_lens_has_a_band(lens):
    lens.set(p1=0.1).check()
    (line,) = (part for part in pane(lens, "curve")["series"] if part["name"] == "through the lens")
    r = stage.unpack(line["x"])
    # along the direction of the pull a point moves 3 p r^2 outwards, against it as far inwards
    np.testing.assert_allclose(stage.unpack(line["band"]["hi"]), r + 0.3 * r**2, atol=1e-3)
    np.testing.assert_allclose(stage.unpack(line["band"]["lo"]), r - 0.3 * r**2, atol=1e-3)


@pytest.mark.parametrize("k1", [-0.3, -0.6, -1.0, -1.4])
def test_the_note_names_the_radius_of_the_fold(lens, k1):
    lens.set(k1=k1).check()
    radius = (-1 / (3 * k1)) ** 0.5
    note = lens.stage.state["note"]
    assert "FOLDS" in note
    assert float(note.split("radius ")[1].split()[0]) == pytest.approx(radius, abs=0.011)
    assert ("inside the picture" in note) == (radius < 0.8)


@pytest.mark.parametrize("k1", [-0.24, 0.0, 1.0])
def test_a_lens_that_does_not_fold_is_called_one_to_one(lens, k1):
    assert "one-to-one" in lens.set(k1=k1).check().stage.state["note"]


def test_the_circle_is_bent_like_the_grid(lens):
    lens.set(**HEAVY).check()
    angle = np.linspace(0, 2 * np.pi, 97)
    ring = 0.5 * np.stack([np.cos(angle), np.sin(angle)], -1)
    expected = FOCAL * brown_conrady(ring, *HEAVY.values())
    np.testing.assert_allclose(drawn(lens, "image", "lines", "a circle, r = 0.5")[0], expected, atol=2e-5)


# ------------------------------------------------------------------ the lifter
def cell(demo, row, column):
    return float(pane(demo, "table")["rows"][row][column])


@needs_plain
def test_the_skeleton_shown_is_what_the_network_makes_of_the_joints_shown(lifter):
    seen = torch.from_numpy(drawn(lifter, "image", "skeletons", "detected").copy())
    with torch.no_grad():
        expected = checkpoints.load("plain-9f", folder=FOLDER).lift(seen)
    lifted = drawn(lifter, "scene", "skeletons", "lifted, un-adapted")
    np.testing.assert_allclose(lifted, (expected - expected[..., :1, :]).numpy(), atol=1e-5)  # as it is scored


@needs_plain
def test_the_error_shown_is_the_distance_of_the_skeletons_shown(lifter):
    truth, lifted = (drawn(lifter, "scene", "skeletons", name) for name in ("truth", "lifted, un-adapted"))
    off = (lifted - lifted[:, :1]) - (truth - truth[:, :1])
    error = 1000 * np.linalg.norm(off, axis=-1).mean()
    clean, shown = map(float, re.search(r"MPJPE (\d+) → (\d+) mm", lifter.stage.state["note"]).groups())
    assert shown == pytest.approx(error, abs=0.51)
    growth = float(lifter.stage.state["note"].split("error × ")[1].split(";")[0])
    assert growth == pytest.approx(error / clean, rel=0.02)
    (line,) = (part for part in pane(lifter, "curve")["series"] if part["name"] == "this lens")
    assert stage.unpack(line["y"]).mean() == pytest.approx(error, abs=0.01)


@needs_plain
def test_without_a_lens_no_error_grows_and_nothing_is_bent(lifter):
    lifter.set(**dict.fromkeys(COEFFICIENTS, 0.0)).check()
    pairs = re.findall(r"PCKh (\d+) → (\d+)|MPJPE (\d+) → (\d+)", lifter.stage.state["note"])
    assert len(pairs) == 3 and all(pair[:2] == pair[1::-1] and pair[2:] == pair[:1:-1] for pair in pairs)
    detected, ideal = (drawn(lifter, "image", "skeletons", name) for name in ("detected", "without lens"))
    np.testing.assert_array_equal(detected, ideal)


@needs_plain
def test_a_lens_bends_the_person_and_leaves_the_truth_alone(lifter):
    truth = drawn(lifter, "scene", "skeletons", "truth").copy()
    seen = drawn(lifter, "image", "skeletons", "detected").copy()
    lifter.set(k1=-1.0).check()
    np.testing.assert_array_equal(drawn(lifter, "scene", "skeletons", "truth"), truth)
    assert np.abs(drawn(lifter, "image", "skeletons", "detected") - seen).max() > 0.05


@needs_plain
def test_heavy_lenses_harm_more_than_moderate_ones(lifter):
    errors = {}
    for name, values in demo_lens.lens_presets().items():
        errors[name[:2]] = lifter.set(**values).check().arrays["score"].mpjpe
    assert errors["d1"] > errors["d3"] > 0.9 * errors["no"] and errors["d2"] > errors["d4"] > 0.9 * errors["no"]


@needs_plain
def test_the_person_of_a_motion_file_is_shown(tmp_path):
    motion.save(tmp_path / "two.npz", motion.builtin(5, 2, ["kick"], 100))
    demo = demo_lens.lifter_demo(str(tmp_path / "two.npz")).check()
    assert_finite(demo)
    assert drawn(demo, "scene", "skeletons", "truth").shape[0] == 81


# ------------------------------------------------------------------ adaptation
def steps_of(demo, title):
    """The error curve of one network."""
    (line,) = (line for line in pane(demo, "curve")["series"] if line["name"] == title)
    np.testing.assert_array_equal(stage.unpack(line["x"]), range(demo.params["count"] + 1))
    return stage.unpack(line["y"])


@needs_all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_network_adapts_in_both_scenarios(adapting, scenario):
    adapting.set(scenario=scenario, count=3).check()
    assert_finite(adapting)
    for title, outcome in adapting.arrays["networks"].items():
        assert outcome["poses"].shape == (4, 17, 3) and (outcome["poses"][0] - outcome["poses"][-1]).abs().max() > 1e-6
        np.testing.assert_allclose(steps_of(adapting, title), outcome["errors"], rtol=1e-6)
        assert len(outcome["losses"]) == 3
    assert list(adapting.arrays["networks"]) == TITLES
    state = adapting.stage.state
    assert state["plays"] == "steps" and len(stage.unpack(pane(adapting, "curve")["now"])) == 4


@needs_all
def test_skeletons_and_curve_are_those_of_a_hand_made_adaptation(adapting):
    model = checkpoints.load("ours-9f", folder=FOLDER)
    rate = checkpoints.record("ours-9f", FOLDER)["test_rates"][LABELLED]
    adapting.check()
    lens_test = LensTest(builtin_split(0), 0, clips=demo_adapt.CLIPS)
    seen = lens_test.through(demo_lens.lens_of(**HEAVY))
    support, clip = seen.support(9, 5), adapting.params["clip"]
    optimiser = torch.optim.SGD(model.parameters(), rate)
    shown, scored = drawn(adapting, "scene", "skeletons", "ours"), steps_of(adapting, "ours")
    np.testing.assert_allclose(drawn(adapting, "image", "skeletons", "detected")[0], seen.video[clip, 40], atol=1e-6)
    for step in range(3):
        with torch.no_grad():
            poses = model.lift(seen.video)
        np.testing.assert_allclose(shown[step], poses[clip, 40], atol=1e-5)
        assert scored[step] == pytest.approx(1000 * mpjpe(poses, seen.truth).item(), rel=1e-4)
        optimiser.zero_grad()
        mpjpe(model.windows(support.keypoints), support.pose).backward()
        optimiser.step()


@needs_all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_step_changes_nothing(adapting, scenario):
    adapting.set(scenario=scenario, count=0).check()
    assert all(
        len(outcome["errors"]) == 1 and not outcome["losses"] for outcome in adapting.arrays["networks"].values()
    )
    shown = [f"{error:.0f}" for error in (float(adapting.arrays["networks"]["ours"]["errors"][0]),)]
    assert f"ours {shown[0]} → {shown[0]} mm" in adapting.stage.state["note"]


@needs_all
def test_labelled_windows_matter_in_the_labelled_scenario_only(adapting):
    afters = {}
    for scenario, windows in itertools.product(SCENARIOS, (5, 16)):
        adapting.set(scenario=scenario, windows=windows).check()
        afters[scenario, windows] = steps_of(adapting, "plain").copy()
    assert not np.array_equal(afters[LABELLED, 5], afters[LABELLED, 16])
    np.testing.assert_array_equal(afters[ALONE, 5], afters[ALONE, 16])


@needs_all
def test_a_step_size_of_the_readers_own_is_everybodys(adapting):
    own = {title: steps_of(adapting, title).copy() for title in TITLES}
    adapting.set(rate=0.001).check()
    assert all(steps_of(adapting, title)[0] == own[title][0] for title in TITLES)
    assert abs(steps_of(adapting, "plain")[-1] - own["plain"][0]) < abs(own["plain"][-1] - own["plain"][0])


@needs_all
def test_corners_of_all_controls_never_fail(adapting):
    chance = random.Random(0)
    for values in corners(8, 9):
        values |= {
            "scenario": chance.choice(SCENARIOS),
            "windows": chance.choice((1, 64)),
            "count": chance.choice((0, 1, 20)),
            "clip": chance.randrange(demo_adapt.CLIPS),
        }
        adapting.set(**values)
        assert adapting.error == "", f"at {values}"
        assert_finite(adapting)


@needs_crooked
def test_on_a_crooked_rig_the_meta_trained_network_stands_up():
    demo = demo_adapt.crooked_demo(folder=FOLDER).check()
    errors = {title: outcome["errors"] for title, outcome in demo.arrays["networks"].items()}
    assert errors["MAML"][-1] < 0.6 * errors["MAML"][0], "five steps take the lean away"
    assert errors["MAML"][-1] < 0.75 * errors["not meta-trained"][-1]
    truth = drawn(demo, "scene", "skeletons", "truth")[0]
    assert -truth[9, 1] > 0.9 * np.linalg.norm(truth[9]), "the room is level: somebody upright is shown"
    assert_finite(demo)
    picture_before = drawn(demo, "image", "skeletons", "detected").copy()
    demo.set(tilt=0, roll=0).check()
    np.testing.assert_array_equal(drawn(demo, "image", "skeletons", "detected"), picture_before)
    np.testing.assert_allclose(drawn(demo, "scene", "skeletons", "truth")[0], truth, atol=1e-6)
    start = demo.arrays["networks"]["MAML"]["errors"][0]
    assert start < 0.6 * errors["MAML"][0], "without a lean there is little to learn"


@needs_crooked
def test_the_networks_learn_from_exactly_the_moments_that_are_chosen():
    demo = demo_adapt.crooked_demo(folder=FOLDER)
    assert len(demo.params["moments"]) == 64
    bars = {button.description: button for button in demo.children[2].children}
    chosen = {}
    for name, count in (("one moment", 1), ("five moments", 5), ("sixty-four", 64)):
        bars[name].click()
        chosen[name] = demo.check().params["moments"]
        assert len(chosen[name]) == count == len(demo.controls["moments"].value)
    assert set(chosen["one moment"]) < set(chosen["five moments"]) < set(chosen["sixty-four"])

    moments = (40, 41, 1000)  # two overlap
    demo.controls["moments"].value = moments  # as a click does
    rig = Convention(mounting(torch.tensor(20.0), torch.tensor(20.0)))
    seen = LensTest(builtin_split(0), 0, clips=demo_adapt.CLIPS).through(demo_lens.lens_of(**HEAVY), convention=rig)
    expected = race.race(race.crooked_networks(FOLDER), seen, 0, 40, windows=moments, count=5)
    for title, outcome in demo.check().arrays["networks"].items():
        torch.testing.assert_close(outcome["errors"], expected[title]["errors"])
    assert "labelled moments 3" in demo.stage.state["caption"]
    demo.set(tilt=0, roll=0).check()
    assert demo.params["moments"] == moments, "another rig, the same moments"


@needs_crooked
def test_each_moment_alone_is_what_the_demo_shows_when_it_is_clicked():
    demo = demo_adapt.crooked_demo(folder=FOLDER).set(moments=(40, 1000), count=3, tilt=10).check()
    lean, alone = demo_adapt.each_moment_alone(demo)
    assert demo.params["moments"] == (40, 1000) and lean.shape == (2,) and (lean > 0).all() and (lean < 90).all()
    for moment, error in zip((40, 1000), alone):
        shown = demo.set(moments=(moment,)).check().arrays["networks"]["MAML"]["errors"]
        assert shown[-1] == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize(
    ("bent", "whom", "says"),
    [
        (20, "somebody who stands", "+20 mm (95 % interval over moments [+"),
        (-20, "somebody who bends", "click somebody who bends."),
        (0, "no clear difference", "undecided."),
    ],
)
def test_the_answer_on_standing_or_bending_follows_the_numbers(bent, whom, says):
    lean = np.repeat([5.0, 40.0], 10)
    errors = np.tile([148.0, 150.0, 152.0, 149.0, 151.0], 4) + bent * (lean > race.UPRIGHT)
    found, answer = demo_adapt.standing_or_bending(lean, errors)
    assert found == whom and says in answer and "150 mm" in answer and f"{150 + bent} mm" in answer
    assert "cannot say" in demo_adapt.standing_or_bending(lean * 0, errors)[1]


@needs_crooked
def test_without_a_labelled_moment_no_step_is_taken_and_said_so():
    demo = demo_adapt.crooked_demo(folder=FOLDER).set(moments=()).check()
    assert all(len(outcome["errors"]) == 1 for outcome in demo.arrays["networks"].values())
    assert "no moment is chosen" in demo.stage.state["note"] and "labelled moments none" in demo.stage.state["caption"]
    assert "no moment is chosen" not in demo.set(moments=[7]).check().stage.state["note"]
    assert pane(demo, "curve")["title"] == "mean over 8 clips, none labelled"
    for count, ticks in ((0, [[0, "0"], [1, "1"]]), (2, [[0, "0"], [1, "1"], [2, "2"]]), (20, None)):
        x = pane(demo.set(count=count).check(), "curve")["x"]
        assert x["range"] == [0, max(count, 1)] and x["ticks"] == ticks, "steps are whole numbers"
    with pytest.raises(ValueError, match="moments is .*, expected at most 64 different whole numbers from 0 to 2591"):
        demo.set(moments=range(65))


@needs_crooked
def test_anil_moves_in_its_last_layer_only():
    network = race.crooked_networks(FOLDER)["ANIL"].adapter.model
    assert {name for name, weight in network.named_parameters() if weight.requires_grad} == {
        "shrink.weight",
        "shrink.bias",
    }


@needs_all
def test_an_empty_support_set_is_named_and_the_demo_goes_on(adapting, monkeypatch):
    before = adapting.stage.state["panes"]

    def empty(observation, frames, windows):
        return Windows(torch.zeros(0, frames, 17, 2), torch.zeros(0, 17, 3))

    with monkeypatch.context() as patch:
        patch.setattr(Observation, "support", empty)
        adapting.controls["count"].value = 3
        assert "ValueError: support is empty" in adapting.error and "adaptation steps 3" in adapting.error
        assert adapting.stage.state["panes"] == before
    adapting.controls["count"].value = 4
    assert adapting.error == "" and len(adapting.arrays["networks"]["ours"]["errors"]) == 5


@needs_all
def test_an_adaptation_that_explodes_says_what_to_do(adapting, monkeypatch):
    before = adapting.stage.state["panes"]
    real = Adapter.__call__

    def reckless(adapter, support, video, truth, *, steps, rate):
        return real(adapter, support, video, truth, steps=steps, rate=1e30)

    with monkeypatch.context() as patch:
        patch.setattr(Adapter, "__call__", reckless)
        adapting.controls["count"].value = 5
        assert "lower rate=1e+30" in adapting.error
        assert adapting.stage.state["panes"] == before
    adapting.controls["count"].value = 4
    assert adapting.error == ""


@needs_all
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_interrupt_in_the_middle_of_the_adaptation_is_told(adapting, monkeypatch, call):
    calls, loss = [], captured.supervised_loss

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == call:
            raise KeyboardInterrupt
        return loss(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(captured, "supervised_loss", interrupted)
        adapting.controls["count"].value = 5
        assert "interrupted" in adapting.error + adapting.stage.state["note"]
    adapting.controls["count"].value = 4
    assert adapting.error == "" and len(adapting.arrays["networks"]["ours"]["errors"]) == 5
    assert "interrupted" not in adapting.stage.state["note"]


@needs_all
def test_collapsing_bones_raise_an_alarm(adapting, monkeypatch):
    real = Adapter.__call__

    def collapsing(*arguments, **options):
        taken = real(*arguments, **options)
        return dataclasses.replace(taken, bone=[*taken.bone[:-1], 0.31])

    with monkeypatch.context() as patch:
        patch.setattr(Adapter, "__call__", collapsing)
        adapting.set(count=3).check()
        assert "ALARM: its bones are now 0.31 times as long" in adapting.stage.state["note"]
    assert "ALARM" not in adapting.set(count=2).check().stage.state["note"]


@pytest.fixture
def loaded(monkeypatch):
    """The very networks that a demo built in the test holds, by name."""
    models, load = {}, checkpoints.load

    def remember(name, *arguments, **options):
        models[name] = load(name, *arguments, **options)
        return models[name]

    monkeypatch.setattr(checkpoints, "load", remember)
    return models


@needs_all
def test_adapting_never_changes_the_shipped_networks(loaded):
    demo = demo_adapt.lens_demo(folder=FOLDER).set(**START)
    kept = {name: copy.deepcopy(model.state_dict()) for name, model in loaded.items()}
    for scenario in SCENARIOS:
        demo.set(scenario=scenario, count=5).check()
    for name, model in loaded.items():
        assert not model.training and all(p.grad is None for p in model.parameters())
        assert all(torch.equal(value, kept[name][key]) for key, value in model.state_dict().items())


@needs_all
def test_a_motion_file_can_be_adapted_to(tmp_path):
    motion.save(tmp_path / "two.npz", motion.builtin(5, 2, ["kick", "walk"], 100))
    demo = demo_adapt.lens_demo(str(tmp_path / "two.npz"), folder=FOLDER)
    for scenario in SCENARIOS:
        assert_finite(demo.set(**{**START, "scenario": scenario}).check())


# ------------------------------------------------------------------ sliders while a cell trains
def moved_while_training(demo, model, moves, mode):
    """Train `model` in one thread, send moves to the demo from another; return what went wrong, and the history."""
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(16, model.frames, 17, 2, generator=generator) - 0.5
    pose = torch.rand(16, 17, 3, generator=generator) - 0.5
    started, done, problems, histories = threading.Event(), threading.Event(), [], []

    def loss(step):
        if done.is_set():
            raise KeyboardInterrupt  # as a student stops a cell
        started.set()
        model.train(mode == "train")
        return mpjpe(model.windows(keypoints), pose)

    def train():
        try:
            histories.append(fit(model, loss, 10**6, rate=1e-4, final_rate=1e-4, progress=False))
        except BaseException as problem:
            problems.append(problem)

    def move():
        try:
            assert started.wait(60)
            for params in moves:
                for name, value in params.items():
                    demo.controls[name].value = value
        except BaseException as problem:
            problems.append(problem)
        finally:
            done.set()

    threads = [threading.Thread(target=train), threading.Thread(target=move)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert not any(thread.is_alive() for thread in threads)
    return problems, histories


def storm(count, **last):
    """Moves of k1 to and fro; the last ones may set more."""
    stops = [round(-1.4 + 0.02 * (37 * i % 141), 2) for i in range(count - len(last))]
    return [{"k1": k1} for k1 in stops] + [{name: value} for name, value in last.items()]


@needs_plain
def test_training_the_very_network_of_the_lifter_demo_while_two_hundred_moves_arrive(loaded):
    demo = demo_lens.lifter_demo()
    runs, moves = demo.runs, storm(200, k1=0.5, p2=0.1)
    problems, (history,) = moved_while_training(demo, loaded["plain-9f"], moves, "train")
    assert not problems and demo.error == "" and demo.runs >= runs + 190
    assert history.interrupted and len(history.loss) >= 50, "the training got its turns"
    assert (demo.params["k1"], demo.params["p2"]) == (0.5, 0.1)
    assert_finite(demo)


@needs_all
def test_training_the_very_network_of_the_adaptation_demo_while_forty_moves_arrive(loaded):
    demo = demo_adapt.lens_demo(folder=FOLDER).set(**{**START, "count": 1})
    runs = demo.runs
    problems, (history,) = moved_while_training(demo, loaded["plain-9f"], storm(40, k1=0.5), "eval")
    assert not problems and demo.error == "" and demo.runs >= runs + 38
    assert history.interrupted and len(history.loss) >= 10
    assert demo.params["k1"] == demo.controls["k1"].value == 0.5
    assert_finite(demo)


@needs_all
def test_after_a_storm_during_a_training_the_picture_is_that_of_the_last_values(shared_adaptation, shared_lifter):
    moves = storm(15, k1=-0.5, k2=0.3)
    for demo in (shared_adaptation.set(**{**START, "count": 1}), shared_lifter.set(**HEAVY)):
        neighbour = checkpoints.load("plain-9f", folder=FOLDER)  # a training of the same kind of network
        problems, _ = moved_while_training(demo, neighbour, moves, "train")
        assert not problems and demo.error == ""
        stormy, params = picture(demo), dict(demo.params)
        assert (params["k1"], params["k2"]) == (-0.5, 0.3)
        demo.set(k1=0.0).set(**params).check()
        assert picture(demo) == stormy


# ------------------------------------------------------------------ the toy
BOWLS = demo_toy.three_bowls()
EXACT = demo_toy.Bowls(BOWLS.centres.double(), (BOWLS.curvature + BOWLS.curvature.mT).double() / 2)
ALPHAS = [0.0, 0.05, 0.15, 0.25, 0.4]
small = st.floats(-2, 2)


@settings(max_examples=30)
@given(x=small, y=small, alpha=st.floats(0, 0.5))
def test_the_meta_gradient_goes_through_the_inner_step(x, y, alpha):
    w = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(EXACT.meta_loss(w, alpha), w)
    terms = []
    for centre, a in zip(EXACT.centres, EXACT.curvature):
        shrink = torch.eye(2, dtype=torch.float64) - alpha * a
        terms.append(shrink @ a @ shrink @ (w.detach() - centre))
    torch.testing.assert_close(gradient, torch.stack(terms).mean(0), rtol=1e-6, atol=1e-6)


@settings(max_examples=30)
@given(x=small, y=small, alpha=st.floats(0, 0.5))
def test_the_inner_step_is_a_gradient_step_on_each_task(x, y, alpha):
    w = torch.tensor([x, y], dtype=torch.float64)
    for task, stepped in enumerate(EXACT.inner(w, alpha)):
        v = w.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(EXACT.loss(v)[task], v)
        torch.testing.assert_close(stepped, w - alpha * gradient)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_nothing_near_the_optimum_is_better(alpha):
    best = EXACT.optimum(alpha)
    floor = EXACT.meta_loss(best, alpha)
    angle = torch.linspace(0, 2 * torch.pi, 33, dtype=torch.float64)
    for radius in (0.01, 0.1, 1.0):
        ring = best + radius * torch.stack([angle.cos(), angle.sin()], -1)
        assert all(EXACT.meta_loss(w, alpha) > floor for w in ring)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("start", [(-0.9, 0.9), (0.6, 0.7), (0.9, -0.9)])
def test_the_outer_loop_ends_at_the_optimum_and_never_rises(alpha, start):
    path = demo_toy.descend(BOWLS, torch.tensor(start), alpha, 300)
    torch.testing.assert_close(path[-1], BOWLS.optimum(alpha), atol=1e-3, rtol=0)
    losses = torch.stack([BOWLS.meta_loss(w, alpha) for w in path])
    assert (losses.diff() <= 1e-6).all() and path.shape == (301, 2)


def test_tasks_are_bowls_with_their_centres_at_zero_loss():
    assert (torch.linalg.eigvalsh(BOWLS.curvature) > 0).all()
    torch.testing.assert_close(BOWLS.curvature, BOWLS.curvature.transpose(-1, -2))
    for task, centre in enumerate(BOWLS.centres):
        assert BOWLS.loss(centre)[task] == 0
    assert (demo_toy.descend(BOWLS, torch.tensor([0.1, 0.2]), 0.2, 0) == torch.tensor([[0.1, 0.2]])).all()


def test_without_an_inner_step_maml_is_joint_training(toy):
    toy.set(alpha=0.0, outer=60).check()
    curves = {part["name"]: stage.unpack(part["y"]) for part in pane(toy, "curve")["series"]}
    maml, joint = curves.values()
    np.testing.assert_array_equal(maml, joint)
    dots = {part["name"]: stage.unpack(part["points"]) for part in pane(toy, "image")["dots"]}
    np.testing.assert_allclose(dots["best θ for one step"], dots["best θ without a step"], atol=1e-6)
    w = torch.tensor([0.3, -0.2])
    assert BOWLS.meta_loss(w, 0.0) == BOWLS.loss(w).mean()


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.35])
def test_training_for_the_step_beats_training_for_the_mean(toy, alpha):
    toy.set(alpha=alpha, outer=60).check()
    assert toy.arrays["loss"][-1] < toy.arrays["joint"][-1]
    assert toy.arrays["loss"][-1] == pytest.approx(toy.arrays["floor"], rel=0.02)


def test_the_toy_draws_what_it_computes(toy):
    toy.set(alpha=0.2, x=-0.4, y=0.5, outer=7).check()
    path = drawn(toy, "image", "lines", "path of θ")[0]
    np.testing.assert_allclose(path, demo_toy.descend(BOWLS, torch.tensor([-0.4, 0.5]), 0.2, 7))
    theta = torch.from_numpy(path[-1].copy())
    for task, stepped in enumerate(BOWLS.inner(theta, 0.2)):
        arrow = drawn(toy, "image", "lines", f"inner step {task + 1}")[0]
        np.testing.assert_allclose(arrow, torch.stack([theta, stepped]), atol=1e-6)
        assert cell(toy, 0, task + 1) == pytest.approx(BOWLS.loss(theta)[task].item(), abs=6e-4)
        assert cell(toy, 1, task + 1) == pytest.approx(BOWLS.loss(stepped)[task].item(), abs=6e-4)


def test_rings_are_lines_of_equal_loss(toy):
    for task in range(3):
        for ring, level in zip(drawn(toy, "image", "lines", f"task {task + 1}"), (0.02, 0.12)):
            losses = torch.stack([BOWLS.loss(w)[task] for w in torch.from_numpy(ring.copy())])
            torch.testing.assert_close(losses, torch.full_like(losses, level), atol=1e-4, rtol=0)


def test_corners_of_the_toy_never_fail(toy):
    for values in itertools.product((0.0, 0.4), (-0.9, 0.9), (-0.9, 0.9), (0, 60)):
        toy.set(**dict(zip(("alpha", "x", "y", "outer"), values)))
        assert toy.error == "", f"at {values}"
        assert_finite(toy)


@pytest.mark.parametrize("name", ["alpha", "x", "y"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_told_and_the_toy_goes_on(toy, monkeypatch, name, value):
    before, compute = toy.stage.state["panes"], toy.compute
    with monkeypatch.context() as patch:
        patch.setattr(toy, "compute", lambda **params: compute(**{**params, name: value}))
        toy.controls["outer"].value = 12
        assert toy.error and "outer steps 12" in toy.error and toy.stage.state["panes"] == before
    toy.controls["outer"].value = 13
    assert toy.error == "" and len(toy.arrays["loss"]) == 14


@needs_plain
@needs_all
@pytest.mark.parametrize("name", ["lens", "lifter", "adapting"])
def test_the_grid_in_the_picture_is_dragged_and_the_sliders_follow(name, request):
    demo = request.getfixturevalue(name)

    def right():
        (held,) = [held for held in demo.stage.state["panes"][0]["handles"] if held["name"] == "the grid, right"]
        return held["at"]

    before = dict(demo.params)
    target = [right()[0] - 0.03, right()[1] + 0.01]
    demo.stage.grabbed = {"name": "the grid, right", "at": target, "count": demo.runs}
    assert {key for key, value in demo.check().params.items() if value != before[key]} == {"k1", "p1"}
    assert right() == pytest.approx(target, abs=0.003)


def test_the_start_of_theta_is_dragged_in_the_plane(toy):
    toy.stage.grabbed = {"name": "start of θ", "at": [-0.305, 5.0], "count": toy.runs}
    assert (toy.params["x"], toy.params["y"]) == (-0.3, 0.9)
    assert toy.stage.state["panes"][0]["handles"][0]["at"] == pytest.approx([-0.3, 0.9])
