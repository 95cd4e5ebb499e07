"""The demos of lesson 01, in process: move the controls, look at what stands on the stage and in the figures."""

from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from tutorial_lib import heatmaps
from tutorial_lib.datasets.disturbances import Disturbance, disturb
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import preview, stage, still
from tutorial_lib.grid import from_cells
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression import figures
from tutorial_lib.lessons.heatmap_vs_regression.demo_ambiguity import (
    ANSWERS,
    HIT,
    LINE,
    TwoPlaces,
    ambiguity_demo,
    gaussian,
    laplace,
)
from tutorial_lib.lessons.heatmap_vs_regression.demo_look import (
    WRIST,
    belief,
    doubtful,
    look_demo,
    one_person,
    two_peaks,
)
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import STOPS, Kind, assess, disturbance, robustness_demo
from tutorial_lib.lessons.heatmap_vs_regression.demo_targets import (
    DECODERS,
    compute_target,
    quantisation,
    quarter_errors,
    target_demo,
)
from tutorial_lib.lessons.heatmap_vs_regression.measures import mean_error, predict
from tutorial_lib.lessons.heatmap_vs_regression.results import ROWS
from tutorial_lib.lessons.heatmap_vs_regression.watch import Watch
from tutorial_lib.skeleton import JOINTS

SIZE = 64


@pytest.fixture(scope="module")
def target():
    photo = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return target_demo(photo, torch.tensor([35.7, 27.6]) * 2 / SIZE - 1)


@pytest.fixture(scope="module")
def ambiguous():
    return ambiguity_demo()


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {name: KeypointNet(head, size=32, channels=(4, 8, 8, 8), width=8) for name, (head, _) in ROWS.items()}


@pytest.fixture(scope="module")
def photos():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (4, 3, 32, 32), generator=generator, dtype=torch.uint8)
    keypoints = 1.2 * torch.rand(4, 17, 2, generator=generator) - 0.6
    keypoints[2, [WRIST, JOINTS.index("left_hip")]] = torch.tensor([[0.5, 0.0], [-0.3, 0.1]])
    visible = torch.rand(4, 17, generator=generator) > 0.3
    visible[:, WRIST] = torch.tensor([False, False, True, True])
    return PhotoSet(pixels, keypoints, torch.zeros(4, 17, 3), visible, torch.ones(4, 3))


@pytest.fixture(scope="module")
def robust(models, photos):
    return robustness_demo(models, photos, 2)


@pytest.fixture(scope="module")
def look(models, photos):
    return look_demo(models, photos)


def panes(demo, kind):
    return [part for part in demo.stage.state["panes"] if part["kind"] == kind]


def picture(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


# From a joint to a map and back


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_the_target_demo_shows_the_map_and_every_decoders_error(target, stride):
    target.reset()
    target.set(stride=stride).check()
    cells = SIZE // stride
    truth = torch.tensor([35.7, 27.6]) * 2 / SIZE - 1
    heat = stage.unpack(panes(target, "image")[0]["heat"]["cells"])
    np.testing.assert_allclose(heat, heatmaps.gaussian_target(truth, cells, 2.0), atol=1e-6)
    (table,) = panes(target, "table")
    assert table["columns"][1:] == list(DECODERS)
    pixels, in_cells = (np.array([float(v) for v in row[1:]]) for row in table["rows"])
    np.testing.assert_allclose(in_cells * stride, pixels, atol=0.006 + 0.0006 * stride)
    true_error = SIZE / 2 * torch.linalg.vector_norm(heatmaps.argmax(torch.tensor(heat)) - truth).item()
    assert pixels[0] == pytest.approx(true_error, abs=0.006)
    assert pixels[2] == pytest.approx(0, abs=0.01), "DARK is exact on an exact Gaussian"


def test_noise_rounding_temperature_and_blur_do_what_their_names_say(target):
    def errors():
        return dict(zip(DECODERS, (float(v) for v in panes(target, "table")[0]["rows"][1][1:])))

    target.reset().check()
    start = errors()
    target.set(centre="rounded").check()
    assert errors()["DARK"] == pytest.approx(start["argmax"], abs=2e-3), "the place within the cell is lost"
    target.reset().set(temperature=1.0).check()
    assert errors()["soft-argmax"] > 0.2 > start["soft-argmax"]
    target.reset().set(noise=0.1).check()
    noisy = errors()["DARK"]
    target.set(blur=True).check()
    assert errors()["DARK"] < noisy


def test_the_close_up_is_cut_from_the_map_and_its_dots_stand_on_it(target):
    target.reset()
    target.set(x=38.0, y=22.0, stride=4).check()  # the middle of cell (9, 5)
    whole, close = (stage.unpack(p["heat"]["cells"]) for p in panes(target, "image"))
    np.testing.assert_array_equal(close, whole[2:9, 6:13])
    for dot in panes(target, "image")[1]["dots"]:
        np.testing.assert_allclose(stage.unpack(dot["points"]), np.zeros((1, 1, 2)), atol=0.01)
    target.set(x=1.0, y=63.0, stride=8).check()
    assert stage.unpack(panes(target, "image")[1]["heat"]["cells"]).shape == (7, 7)


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
@pytest.mark.parametrize("temperature", [1.0, 0.01])
def test_a_marker_that_leaves_the_close_up_is_left_out_wherever_the_joint_is(target, stride, temperature):
    for x in (1.0, 35.7, 63.0):
        for y in (1.0, 27.6, 63.0):
            target.set(x=x, y=y, stride=stride, temperature=temperature, noise=0.0, centre="exact").check()
            names = {part["name"] for part in panes(target, "image")[1]["dots"]}
            assert {"argmax", "quarter shift"} <= names <= set(DECODERS)
    note = target.set(x=1.0, y=1.0, stride=1, temperature=1.0).check().stage.state["note"]
    assert note == "soft-argmax left the close-up"


@pytest.mark.parametrize("x", range(4, 64, 4))
def test_on_the_border_of_two_cells_the_curve_and_the_bump_choose_the_same(x):
    arrays = compute_target(SIZE, float(x), 27.6, 4, 1.5, 0.0, 0.03, "rounded", False)
    assert arrays["map"].amax(0).argmax() == arrays["middle"][0]


def test_the_curve_is_the_error_while_the_joint_crosses_its_cell(target):
    target.reset()
    target.set(y=26.0).check()
    (curve,) = panes(target, "curve")
    by_name = {s["name"]: stage.unpack(s["y"]) for s in curve["series"]}
    offset = stage.unpack(curve["series"][0]["x"])
    np.testing.assert_allclose(by_name["argmax"], 4 * np.abs(offset), atol=1e-4)
    shifted = 4 * np.abs(np.abs(offset) - 0.25)
    np.testing.assert_allclose(by_name["quarter shift"], np.where(np.abs(offset) < 1e-6, 0, shifted), atol=1e-4)
    assert stage.unpack(curve["now"])[0] == pytest.approx(35.7 / 4 - 0.5 - 8, abs=1e-4)


@pytest.mark.parametrize("stride", [2, 16])
def test_quantisation_is_measured_and_agrees_with_the_closed_form(stride):
    errors = quantisation(stride, torch.Generator().manual_seed(0))
    assert errors["argmax"] == pytest.approx(heatmaps.MEAN_RESIDUAL, abs=0.03)
    assert errors["quarter shift"] == pytest.approx(heatmaps.MEAN_RESIDUAL / 2, abs=0.015)
    assert errors["DARK"] < 1e-6 and errors["mean place"] < 0.01
    assert errors == quantisation(stride, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="stride is 3"):
        quantisation(3, torch.Generator())


# Two places for one joint


@pytest.mark.parametrize(("p", "apart", "noise"), [(0.6, 1.2, 0.1), (0.2, 0.5, 0.3), (1.0, 0.8, 0.08)])
def test_the_toys_closed_forms_are_those_of_numerical_integration(p, apart, noise):
    toy = TwoPlaces(p, apart, noise)
    kinks = [-apart / 2, apart / 2]

    def expect(function, *more):
        return quad(lambda x: function(x) * toy.density(x), -4, 4, points=[*kinks, *more], limit=400)[0]

    assert expect(lambda x: 1.0) == pytest.approx(1)
    for t in (-0.5, 0.0, 0.3):
        assert toy.l1(t) == pytest.approx(expect(lambda x, t=t: abs(x - t), t), abs=1e-6)
        assert toy.l2(t) == pytest.approx(expect(lambda x, t=t: (x - t) ** 2), abs=1e-6)
        assert toy.hits(t) == pytest.approx(quad(toy.density, t - HIT, t + HIT)[0], abs=1e-6)
    assert toy.mean() == pytest.approx(minimize_scalar(toy.l2, bounds=(-2, 2), method="bounded").x, abs=1e-4)
    assert toy.median() == pytest.approx(minimize_scalar(toy.l1, bounds=(-2, 2), method="bounded").x, abs=1e-3)
    assert toy.deviation() ** 2 == pytest.approx(expect(lambda x: (x - toy.mean()) ** 2), abs=1e-6)
    step = LINE[1] - LINE[0]
    assert gaussian(toy)[LINE.size // 2] == pytest.approx(
        np.exp(-(toy.mean() ** 2) / (2 * toy.deviation() ** 2)) / toy.deviation() / np.sqrt(2 * np.pi)
    )
    wide = toy.l1(toy.median())
    inside = 1 - sum(np.exp(-(1 - side * toy.median()) / wide) / 2 for side in (-1, 1))
    assert laplace(toy).sum() * step == pytest.approx(inside, abs=0.01)


def test_the_quarter_shift_is_right_a_quarter_off_in_both_directions():
    spots = {"right": (0.25, -0.25), "one axis": (0.25, 0.1), "tie": (0.0, 0.0), "border": (0.5 - 1e-6, 0.25)}
    found = quarter_errors(spots)
    assert found == pytest.approx({"right": 0, "one axis": 0.15 * 4, "tie": 0, "border": 0.25 * 4}, abs=1e-5)


def test_the_best_map_is_the_mean_of_many_bumps():
    toy = TwoPlaces(0.7, 1.0, 0.15)
    generator = torch.Generator().manual_seed(0)
    side = torch.where(torch.rand(4000, generator=generator) < 0.7, -0.5, 0.5)
    places = torch.stack([side, torch.zeros(4000)], -1) + 0.15 * torch.randn(4000, 2, generator=generator)
    bumps = heatmaps.gaussian_target(places, 16, 0.1 * 16 / 2).mean(0)
    torch.testing.assert_close(toy.best_map(0.1, 16), bumps, atol=0.03, rtol=0)


def test_l2_answers_between_the_places_the_map_keeps_both(ambiguous):
    ambiguous.reset()
    ambiguous.set(p=0.6, apart=1.2, noise=0.1).check()
    said = dict(zip(ANSWERS, ambiguous.arrays["said"].values()))
    assert said["L2: the mean"] == pytest.approx(-0.12) == pytest.approx(said["soft-argmax of the map"], abs=0.01)
    assert said["argmax of the map"] == pytest.approx(-0.6, abs=0.01) and said["L1: the median"] < -0.4
    heat = stage.unpack(panes(ambiguous, "image")[0]["heat"]["cells"])
    peaks = [x for x in range(1, 63) if heat[31, x] > max(heat[31, x - 1], heat[31, x + 1] - 1e-9)]
    assert len(peaks) == 2
    (table,) = panes(ambiguous, "table")
    hits = dict(zip(table["columns"][1:], map(float, table["rows"][2][1:])))
    assert hits["L2: the mean"] == 0 and hits["argmax of the map"] > 35
    loss, _ = panes(ambiguous, "curve")
    for series, marker in zip(loss["series"][:2], loss["series"][2:]):
        assert stage.unpack(marker["y"])[0] == pytest.approx(stage.unpack(series["y"]).min(), abs=1e-3)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("apart", [0.0, 1.6])
def test_the_ends_of_the_sliders_hold(ambiguous, p, apart):
    ambiguous.set(p=p, apart=apart, noise=0.08).check()
    assert ("a tie" in ambiguous.stage.state["note"]) == (p == 0.5)
    said = ambiguous.arrays["said"].values()
    if p != 0.5 or apart == 0:
        expected = (0.5 - p) * apart
        assert list(said) == pytest.approx([expected] * 4, abs=0.02), "no doubt: all agree"


# Trained networks on one photo


def test_the_person_of_the_lesson_shows_a_wrist_away_from_the_hip(photos):
    assert one_person(photos) == 2
    with pytest.raises(ValueError, match="none of 2 photos"):
        one_person(photos.select(slice(0, 2)))


def test_the_most_doubtful_wrist_is_found(photos):
    class Painter(torch.nn.Module):
        """Four photos; only the second's left wrist has two peaks."""

        def forward(self, images):
            maps = torch.zeros(4, 17, 16, 16)
            maps[:, :, 4, 4] = 1.0
            maps[1, WRIST, 4, 12] = 0.9
            maps[0, WRIST, 4, 5:14] = 0.99 - 0.01 * torch.arange(9)  # the same bump, only wide
            maps[3, JOINTS.index("right_wrist"), 12, 12] = 1.0
            return maps

    assert doubtful(Painter(), photos) == 1
    places, heights = two_peaks(Painter()(None)[:, WRIST])
    expected = from_cells(torch.tensor([[4, 4], [12, 4]]), 16)  # x before y
    torch.testing.assert_close(places[1], expected)
    assert heights[1].tolist() == pytest.approx([1.0, 0.9]) and heights[2].tolist() == [1.0, 0.0]


def test_the_person_of_the_lesson_is_nobodys_doubt(photos):
    class Painter(torch.nn.Module):
        def forward(self, images):
            maps = torch.zeros(4, 17, 16, 16)
            maps[:, WRIST, 4, 4], maps[2, WRIST, 4, 12], maps[3, WRIST, 4, 12] = 1.0, 0.9, 0.5
            return maps

    assert one_person(photos) == 2 and doubtful(Painter(), photos) == 3


def test_every_head_shows_what_it_believes(look, models, photos):
    for name, model in models.items():
        look.set(network=name, photo=1, joint=4).check()
        with torch.no_grad():
            output = model(photos.image[1:2])
        points = model.decode(output)[0]
        torch.testing.assert_close(look.arrays["points"][name], points)
        (row, every) = panes(look, "table")[0]["rows"]
        column = 1 + list(models).index(name)
        error = 16 * (points - photos.keypoints[1]).norm(dim=-1)
        assert float(row[column]) == pytest.approx(error[4].item(), abs=0.06)
        assert float(every[column]) == pytest.approx(error.mean().item(), abs=0.06)
        heat = belief(model, output[0], 4)
        assert (heat is None) == (name == "regression") == (look.stage.state["note"] != "")
        if heat is not None:
            assert heat.min() >= 0 and (heat.max() == pytest.approx(1) or (name == "heat map" and heat.max() == 0))
    place = heatmaps.argmax(belief(models["RLE"], models["RLE"](photos.image[1:2])[0].detach(), 4))
    assert (place - models["RLE"].predict(photos.image[1:2])[0, 4]).abs().max() < 1 / 16


def test_a_training_can_be_watched(models, photos, monkeypatch):
    drawn = []
    monkeypatch.setattr("tutorial_lib.lessons.heatmap_vs_regression.watch.display", lambda *a, **k: SimpleNamespace(
        update=drawn.append))  # fmt: skip
    watch = Watch(photos, 2, 3.0, 10)
    network = models["heat map"].train()
    for step in (0, 5, 10):
        watch.show(step, network)
        assert network.training
    assert [step for step, _ in watch.points] == [0, 5, 10] and len(drawn) == 2
    *_, last = predict(network, photos).values()
    assert watch.points[-1][1] == pytest.approx(mean_error(last, photos))


# Worse photos


def test_the_robustness_demo_draws_one_network_on_the_disturbed_photo(robust, models, photos):
    robust.set(kind="crop shifted right", strength=0.5, network="RLE", photo=2).check()
    expected = assess(models, photos, Disturbance(shift=(0.2, 0.0)))
    (image,), (table,) = panes(robust, "image"), panes(robust, "table")
    assert [s["name"] for s in image["skeletons"]] == ["truth", "RLE"]
    truth = stage.unpack(image["skeletons"][0]["points"])[0]
    np.testing.assert_allclose(truth, photos.keypoints[2] - torch.tensor([0.2, 0.0]), atol=1e-6)
    shown = stage.unpack(image["picture"]["cells"])
    np.testing.assert_allclose(shown, expected["image"][2].permute(1, 2, 0), atol=0.5 / 255 + 1e-6)
    for i, name in enumerate(models):
        assert float(table["rows"][0][1 + i]) == pytest.approx(expected["errors"][name][2].nanmean().item(), abs=0.06)
    (curve,) = panes(robust, "curve")
    middle = {s["name"]: stage.unpack(s["y"])[STOPS // 2] for s in curve["series"]}
    assert middle["RLE"] == pytest.approx(expected["errors"]["RLE"].nanmean().item(), abs=1e-4)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_strength_zero_changes_nothing_and_one_does(kind, photos):
    image = photos.image
    torch.testing.assert_close(disturb(image, disturbance(kind, 0.0, 32)), image)
    assert (disturb(image, disturbance(kind, 1.0, 32)) - image).abs().max() > 0.1


def test_errors_are_pixels_of_the_joints_in_the_picture(models, photos):
    result = assess(models, photos, Disturbance(shift=(0.3, 0.0)))
    inside = photos.keypoints[..., 0] - 0.3 >= -1
    for name, errors in result["errors"].items():
        assert torch.equal(~errors.isnan(), inside)
        distance = (result["predicted"][name] - result["truth"]).norm(dim=-1) * 16
        torch.testing.assert_close(errors[inside], distance[inside])
    assert (~assess(models, photos, Disturbance())["errors"]["RLE"].isnan()).all(), "hidden joints count as well"


def test_models_of_another_size_are_refused(photos):
    with pytest.raises(ValueError, match=r"models for \[64\] px and photos of 32 px"):
        robustness_demo({"a": KeypointNet(size=64)}, photos)
    with pytest.raises(ValueError, match="expected one size"):
        robustness_demo({}, photos)


# All of them


@pytest.mark.parametrize("name", ["target", "ambiguous", "look", "robust"])
def test_presets_work_and_the_same_value_gives_the_same_picture(name, request):
    demo = request.getfixturevalue(name)
    demo.reset().check()
    first = picture(demo)
    for params in demo.presets.values():
        assert params.keys() == demo.controls.keys(), "a preset tells the whole story"
        demo.set(**params).check()
    assert len(demo.controls) - len(demo.folded) <= 3
    assert picture(demo.reset().check()) == first
    assert still.png(demo.stage.state).startswith(b"\x89PNG")


def test_the_static_figure_can_be_painted():
    assert preview.png(figures.quantisation_figure((4, 16), (0, 1))).startswith(b"\x89PNG")


def test_joint_blobs_and_disc_are_dragged_in_the_picture(target, ambiguous, robust):
    target.reset().stage.grabbed = {"name": "the joint", "at": [0.25, -0.5], "count": target.runs}
    assert (target.check().params["x"], target.params["y"]) == (40.0, 16.0)
    for name, at in (("A", -0.3), ("B", 0.5)):
        ambiguous.stage.grabbed = {"name": name, "at": [at, 0.6], "count": ambiguous.runs}
        assert ambiguous.check().params["apart"] == pytest.approx(2 * abs(at))
        held = {h["name"]: h["at"] for h in panes(ambiguous, "image")[0]["handles"]}
        assert held["A"][0] == pytest.approx(-abs(at)) and held["B"][0] == pytest.approx(abs(at))
    robust.set(kind="blur", strength=1.0).check()
    assert not panes(robust, "image")[0]["handles"], "there is no disc"
    robust.set(kind="grey disc").check()
    before = robust.arrays["image"]
    robust.stage.grabbed = {"name": "the disc", "at": [-0.5, 0.3], "count": robust.runs}
    assert (robust.check().params["disc_x"], robust.params["disc_y"]) == (-0.5, 0.3)
    assert not torch.equal(robust.arrays["image"], before)
    assert panes(robust, "image")[0]["handles"][0]["at"] == pytest.approx([-0.5, 0.3])
