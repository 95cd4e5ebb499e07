"""The demos of lesson 01, in process: move the controls, look at what stands on the stage and in the figures."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from tutorial_lib import heatmaps
from tutorial_lib.datasets.disturbances import Disturbance
from tutorial_lib.display import preview, stage, still
from tutorial_lib.heatmaps import HEADS, KeypointNet
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
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import assess, robustness_demo
from tutorial_lib.lessons.heatmap_vs_regression.demo_targets import DECODERS, compute_target, quantisation, target_demo


@pytest.fixture(scope="module")
def target():
    return target_demo()


@pytest.fixture(scope="module")
def ambiguous():
    return ambiguity_demo()


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {head: KeypointNet(head, size=32, channels=(4, 8, 8, 8), width=8) for head in HEADS}


@pytest.fixture(scope="module")
def photos():
    generator = torch.Generator().manual_seed(0)
    return SimpleNamespace(
        image=torch.rand(4, 3, 32, 32, generator=generator),
        keypoints=1.2 * torch.rand(4, 17, 2, generator=generator) - 0.6,
        visible=torch.rand(4, 17, generator=generator) > 0.3,
    )


@pytest.fixture(scope="module")
def robust(models, photos):
    return robustness_demo(models, photos)


def panes(demo, kind):
    return [part for part in demo.stage.state["panes"] if part["kind"] == kind]


def picture(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


# From a joint to a map and back


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_the_target_demo_shows_the_map_and_every_decoders_error(target, stride):
    target.reset()
    target.set(stride=stride).check()
    cells = 128 // stride
    truth = torch.tensor([71.4, 55.2]) / 64 - 1
    heat = stage.unpack(panes(target, "image")[0]["heat"]["cells"])
    np.testing.assert_allclose(heat, heatmaps.gaussian_target(truth, cells, 2.0), atol=1e-6)
    (table,) = panes(target, "table")
    assert table["columns"][1:] == list(DECODERS)
    pixels, in_cells = (np.array([float(v) for v in row[1:]]) for row in table["rows"])
    np.testing.assert_allclose(in_cells * stride, pixels, atol=0.006 + 0.0006 * stride)
    true_error = 64 * torch.linalg.vector_norm(heatmaps.argmax(torch.tensor(heat)) - truth).item()
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
    target.set(x=70.0, y=54.0, stride=4).check()  # the middle of cell (17, 13)
    whole, close = (stage.unpack(p["heat"]["cells"]) for p in panes(target, "image"))
    np.testing.assert_array_equal(close, whole[10:17, 14:21])
    for dot in panes(target, "image")[1]["dots"]:
        np.testing.assert_allclose(stage.unpack(dot["points"]), np.zeros((1, 1, 2)), atol=0.01)
    target.set(x=8.0, y=120.0, stride=16).check()
    assert stage.unpack(panes(target, "image")[1]["heat"]["cells"]).shape == (7, 7)


@pytest.mark.parametrize("x", range(4, 128, 4))
def test_on_the_border_of_two_cells_the_curve_and_the_bump_choose_the_same(x):
    arrays = compute_target(float(x), 55.2, 4, 1.5, 0.0, 0.03, "rounded", False)
    assert arrays["map"].amax(0).argmax() == arrays["middle"][0]


def test_the_curve_is_the_error_while_the_joint_crosses_its_cell(target):
    target.reset()
    target.set(y=54.0).check()
    (curve,) = panes(target, "curve")
    by_name = {s["name"]: stage.unpack(s["y"]) for s in curve["series"]}
    offset = stage.unpack(curve["series"][0]["x"])
    np.testing.assert_allclose(by_name["argmax"], 4 * np.abs(offset), atol=1e-4)
    shifted = 4 * np.abs(np.abs(offset) - 0.25)
    np.testing.assert_allclose(by_name["quarter shift"], np.where(np.abs(offset) < 1e-6, 0, shifted), atol=1e-4)
    assert stage.unpack(curve["now"])[0] == pytest.approx(71.4 / 4 - 0.5 - 17, abs=1e-4)


@pytest.mark.parametrize("stride", [2, 16])
def test_quantisation_is_measured_and_agrees_with_the_closed_form(stride):
    errors = quantisation(stride, torch.Generator().manual_seed(0))
    assert errors["argmax"] == pytest.approx(heatmaps.MEAN_RESIDUAL, abs=0.03)
    assert errors["quarter shift"] == pytest.approx(heatmaps.MEAN_RESIDUAL / 2, abs=0.015)
    assert errors["DARK"] < 1e-6 and errors["soft-argmax"] < 0.01
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


# Worse photos


def test_the_robustness_demo_draws_every_model_on_the_disturbed_photo(robust, models, photos):
    robust.reset()
    robust.set(photo=2, radius=0.3, shift_x=0.2, blur=1.0, resolution=16).check()
    how = Disturbance(0.3, (0.0, 0.0), (0.2, 0.0), 1.0, 16)
    expected = assess(models, photos, how)
    (image,) = panes(robust, "image")
    names = [s["name"] for s in image["skeletons"]]
    assert names == ["truth", *HEADS]
    truth = stage.unpack(image["skeletons"][0]["points"])[0]
    np.testing.assert_allclose(truth, photos.keypoints[2] - torch.tensor([0.2, 0.0]), atol=1e-6)
    np.testing.assert_allclose(stage.unpack(image["picture"]["cells"]), expected["image"][2].permute(1, 2, 0))
    bars, curves = panes(robust, "curve")
    for i, head in enumerate(HEADS):
        assert stage.unpack(bars["series"][i]["y"])[0] == pytest.approx(expected["errors"][head][2].nanmean().item())
        np.testing.assert_allclose(stage.unpack(curves["series"][i]["y"]), 100 * expected["pck"][head], atol=1e-4)


def test_errors_are_pixels_of_the_joints_that_count(models, photos):
    result = assess(models, photos, Disturbance(shift=(0.3, 0.0)), seen_only=True)
    inside = (photos.keypoints[..., 0] - 0.3 >= -1) & photos.visible
    for head, errors in result["errors"].items():
        assert torch.equal(~errors.isnan(), inside)
        distance = (result["predicted"][head] - result["truth"]).norm(dim=-1) * 16
        torch.testing.assert_close(errors[inside], distance[inside])
    assert (~assess(models, photos, Disturbance())["errors"]["rle"].isnan()).all(), "hidden joints count as well"


def test_one_model_can_be_shown_alone_and_the_ends_of_the_sliders_hold(robust):
    robust.reset()
    robust.set(shown="heatmap", joints="visible").check()
    assert [s["name"] for s in panes(robust, "image")[0]["skeletons"]] == ["truth", "heatmap"]
    for ends in ({"shift_x": 0.5, "shift_y": -0.5}, {"radius": 0.6, "blur": 4.0, "resolution": 8}, {"photo": 3}):
        robust.reset()
        robust.set(**ends).check()


def test_models_of_another_size_are_refused(photos):
    with pytest.raises(ValueError, match=r"models for \[64\] px and photos of 32 px"):
        robustness_demo({"a": KeypointNet(size=64)}, photos)
    with pytest.raises(ValueError, match="expected one size"):
        robustness_demo({}, photos)


# All of them


@pytest.mark.parametrize("name", ["target", "ambiguous", "robust"])
def test_presets_work_and_the_same_value_gives_the_same_picture(name, request):
    demo = request.getfixturevalue(name)
    demo.reset().check()
    first = picture(demo)
    for params in demo.presets.values():
        demo.set(**params).check()
    assert picture(demo.reset().check()) == first
    assert still.png(demo.stage.state).startswith(b"\x89PNG")


def test_the_static_figures_can_be_painted(models, photos):
    made = [
        figures.target_sweep((4, 16)),
        figures.quantisation_figure((4, 16), (0, 1)),
        figures.ambiguity_sweep(3),
        figures.robustness_figure(models, photos, "blur", [0.0, 2.0]),
    ]
    for figure in made:
        assert preview.png(figure).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="kind is 'fog'"):
        figures.robustness_curves(models, photos, "fog", [0.0])


def test_joint_and_blobs_are_dragged_in_the_picture():
    target = target_demo()
    target.stage.grabbed = {"name": "the joint", "at": [0.25, -0.5], "count": 1}
    assert (target.check().params["x"], target.params["y"]) == (80.0, 32.0)
    ambiguity = ambiguity_demo()
    for name, at in (("A", -0.3), ("B", 0.5)):
        ambiguity.stage.grabbed = {"name": name, "at": [at, 0.6], "count": ambiguity.runs}
        assert ambiguity.check().params["apart"] == pytest.approx(2 * abs(at))
        held = {h["name"]: h["at"] for h in ambiguity.stage.state["panes"][0]["handles"]}
        assert held["A"][0] == pytest.approx(-abs(at)) and held["B"][0] == pytest.approx(abs(at))
