"""The demos of lesson 02, in process: move the controls, look at what stands on the stage."""

import itertools

import numpy as np
import pytest
import torch

from tutorial_lib.datasets.photos import photo_set
from tutorial_lib.display import preview, stage, still
from tutorial_lib.integral import hard_argmax, soft_argmax_3d, to_cells
from tutorial_lib.integral.losses import Mix
from tutorial_lib.integral.networks import small_volume_net
from tutorial_lib.lessons.integral_pose import (
    demo_build_up,
    demo_loss_mixer,
    demo_photos,
    demo_training,
    figures,
    learning,
)
from tutorial_lib.skeleton import BONES


def people(count=5):
    """Poses that spread over the picture, on pictures of noise."""
    generator = torch.Generator().manual_seed(0)
    pose = 0.6 * (2 * torch.rand(count, 17, 3, generator=generator) - 1)
    return torch.rand(count, 3, 64, 64, generator=generator), pose


MAKERS = {
    "build-up": demo_build_up.build_up_demo,
    "mixer": demo_loss_mixer.loss_mixer_demo,
    "augmentation": lambda: demo_photos.augmentation_demo(*people()),
    "depth": lambda: demo_photos.depth_demo({"net": small_volume_net(width=8)}, *people()),
}


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    return {name: make() for name, make in MAKERS.items()}


@pytest.fixture
def build_up(made):
    return made["build-up"].reset().check()


@pytest.fixture
def mixer(made):
    return made["mixer"].reset().check()


@pytest.fixture
def augmentation(made):
    return made["augmentation"].reset().check()


@pytest.fixture
def depth(made):
    return made["depth"].reset().check()


def picture(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


def pane(demo, kind, index=0):
    return [part for part in demo.stage.state["panes"] if part["kind"] == kind][index]


def dots(demo, name, index=0):
    (found,) = (part for part in pane(demo, "image", index)["dots"] if part["name"] == name)
    return stage.unpack(found["points"])[0]


def series(demo, name, index=0):
    (found,) = (part for part in pane(demo, "curve", index)["series"] if part["name"] == name)
    return stage.unpack(found["x"]), stage.unpack(found["y"])


# ------------------------------------------------------------------ every demo
@pytest.mark.parametrize("name", MAKERS)
def test_ends_of_every_control_draw_and_come_back_to_the_same_picture(made, name):
    demo = made[name].reset().check()
    first = picture(demo)
    for key, control in demo.controls.items():
        ends = [control.min, control.max] if hasattr(control, "max") else control.options
        for value in (ends[0], ends[-1]):
            value = value[1] if isinstance(value, tuple) else value  # with its label
            demo.reset().set(**{key: value}).check()
    assert picture(demo.reset().check()) == first


@pytest.mark.parametrize("name", MAKERS)
def test_at_most_three_controls_are_in_sight(made, name):
    assert len(made[name].controls) - len(made[name].folded) <= 3


@pytest.mark.parametrize("name", MAKERS)
def test_presets_set_every_control_draw_and_have_a_still_picture(made, name):
    demo = made[name]
    for params in demo.presets.values():
        assert set(params) == set(demo.controls), "the same button, the same picture, whatever was set before"
        demo.reset().set(**params).check()
    assert still.png(demo.reset().stage.state).startswith(b"\x89PNG")


def grab(demo, name, *at):
    """What the page sends when a handle is dragged; returns where the handle then lies."""
    demo.stage.grabbed = {"name": name, "at": list(at), "count": demo.runs}
    demo.check()
    held = [one for part in demo.stage.state["panes"] for one in part.get("handles", ()) if one["name"] == name]
    return held[0]["at"]


def test_the_blob_is_dragged_and_its_peak_pulled_up(build_up):
    x, _ = grab(build_up, demo_build_up.BLOB, 0.27, 0.9)
    assert x == pytest.approx(0.27, abs=0.25 * 2 / 64 / 2) and build_up.params["x"] == pytest.approx(40.25, abs=0.3)
    _, height = grab(build_up, demo_build_up.PEAK, 40.0, 1.0)
    assert build_up.params["beta"] == 100 and height > 0.3
    grab(build_up, demo_build_up.PEAK, 40.0, demo_build_up.LOW)
    assert build_up.params["beta"] == 1
    build_up.set(beta=20)
    _, height = grab(build_up, demo_build_up.OTHER, 48.0, 0.05)
    assert 0.5 < build_up.params["second"] < 1 and 0.03 < height < 0.08


def test_the_joint_is_dragged_and_the_cloud_follows(mixer):
    run(mixer, "integral + Jensen–Shannon")
    front, above = demo_loss_mixer.HELD
    assert grab(mixer, front, -0.4, 0.3) == pytest.approx([-0.4, 0.3], abs=0.011)
    assert grab(mixer, above, -0.4, -0.6) == pytest.approx([-0.4, -0.6], abs=0.011)
    truth = torch.tensor([-0.4, 0.3, -0.6])
    assert demo_loss_mixer.miss(mixer.arrays["mean"], truth[None]) < 40
    grab(mixer, "updates", 11.6, 1.0)
    assert mixer.params["update"] == 12


def test_the_joint_is_dragged_to_another(depth):
    place = people()[1][0, 9, :2].tolist()
    grab(depth, demo_photos.GRAB, *place)
    assert depth.params["joint"] == 9


# ------------------------------------------------------------------ from scores to a coordinate
def test_a_trained_heat_map_drowns_in_its_background(build_up):
    for beta, place in ((1, 31.3), (10, 9.44), (100, 8.0)):
        build_up.set(axes=2, x=8.0, sigma=2.0, beta=beta).check()
        assert build_up.arrays["mean"][0].item() == pytest.approx(place, abs=0.02)
        assert series(build_up, "mean of the softmax")[0][0] == pytest.approx(place, abs=0.02)
        assert series(build_up, "peak of the scores")[0][0] == 8


def test_more_axes_have_more_background(build_up):
    errors = [abs(build_up.set(axes=axes, beta=5).check().arrays["error"]) for axes in (1, 2, 3)]
    assert errors[0] < errors[1] < errors[2]
    shapes = [tuple(build_up.set(axes=axes).check().arrays["scores"].shape) for axes in (1, 2, 3)]
    assert shapes == [(1, 64), (64, 64), (64, 64)]


def test_dots_stand_where_the_blob_is(build_up):
    build_up.set(x=20.25, beta=20).check()
    for name, place in (("truth", 20.25), ("mean of the softmax", 20.25), ("peak of the scores", 20.0)):
        x, y = to_cells(torch.tensor(dots(build_up, name)[0]), 64).tolist()
        assert x == pytest.approx(place, abs=0.1) and y == pytest.approx(demo_build_up.HEIGHT, abs=0.1)
    build_up.set(beta=100).check()
    assert build_up.arrays["mean"][0].item() == pytest.approx(20.0, abs=0.01), "too sharp: no better than the peak"
    build_up.set(axes=1).check()
    assert dots(build_up, "truth")[0][1] == pytest.approx(0, abs=1e-6)


def test_corners_shift_every_answer_by_half_a_cell(build_up):
    right = build_up.set(beta=20, x=40.0).check().arrays["mean"]
    wrong = build_up.set(half_pixel=False).check().arrays["mean"]
    torch.testing.assert_close(right - wrong, torch.full((2,), 0.5), atol=1e-4, rtol=0)


def test_the_volumes_slice_is_its_softmax(build_up):
    """The slice that is drawn is the softmax of the whole volume, up to its largest value."""
    build_up.set(axes=3, beta=20, second=0.5).check()
    volume = demo_build_up.blobs(3, 8.0, 2.0, 0.5)
    p = torch.softmax(20 * volume.flatten(), 0).view_as(volume)[24]
    torch.testing.assert_close(build_up.arrays["probability"], p / p.max())


# ------------------------------------------------------------------ the mixer
def run(demo, preset, **more):
    demo.reset().set(**{**demo.presets[preset], **more}).check()
    arrays = demo.arrays
    return {
        **arrays,
        "mean off": demo_loss_mixer.miss(arrays["mean"]),
        "peak off": demo_loss_mixer.miss(arrays["peak"]),
    }


def test_the_integral_loss_places_the_mean_and_leaves_the_cloud_alone(mixer):
    alone = run(mixer, "integral only")
    assert alone["mean off"] < 20 < 100 < alone["peak off"]
    for preset in ("integral + Gaussian (report)", "integral + Jensen–Shannon"):
        both = run(mixer, preset)
        assert both["mean off"] < 20 and both["spread"] < alone["spread"] / 2 and both["entropy"] < alone["entropy"]


def test_cross_entropy_alone_stops_at_the_middle_of_the_cell(mixer):
    mixer.set(integral=0.0, cross_entropy=1.0).check()
    off = np.linalg.norm((mixer.arrays["mean"] - mixer.arrays["peak"]).numpy())
    assert off < 1e-2 and mixer.arrays["entropy"] < 0.1
    assert 0 < demo_loss_mixer.miss(mixer.arrays["peak"]) < 1000 * 3**0.5 / 16


def test_with_two_truths_the_mean_falls_between_and_the_peak_does_not(mixer):
    torn = run(mixer, "two truths, Gaussian")
    far, near = (place[2] for place in demo_loss_mixer.TRUTH)
    assert near + 0.2 < torn["mean"][2] < far - 0.2
    assert demo_loss_mixer.miss(torn["peak"], demo_loss_mixer.TRUTH) < 1000 * 3**0.5 / 16


def test_the_other_truth_is_as_far_on_the_other_side_of_the_parent():
    (x, y, z), other = demo_loss_mixer.two_truths(torch.tensor([0.5, -0.25, -0.5]), torch.tensor([0.25, 0.0, -0.125]))
    assert (x, y, z) == (0.5, -0.25, -0.5) and other == (0.5, -0.25, 0.25)


def test_the_mixer_trains_for_the_place_it_is_given_and_lies_over_its_photo():
    places, photo = ((0.4, -0.2, -0.37), (0.4, -0.2, 0.19)), torch.rand(3, 32, 32)
    demo = demo_loss_mixer.loss_mixer_demo(places, photo).check()
    assert demo_loss_mixer.miss(demo.arrays["mean"], places[:1]) < 40
    cells = stage.unpack(pane(demo, "image")["picture"]["cells"])
    np.testing.assert_allclose(cells, photo.permute(1, 2, 0).numpy(), atol=0.5 / 255 + 1e-6)


def test_losses_fall_and_the_marker_follows_the_slider(mixer):
    run(mixer, "integral + Jensen–Shannon", update=17)
    assert stage.unpack(pane(mixer, "curve")["now"]).tolist() == [17]
    for name in ("integral (L1)", "Jensen–Shannon"):
        updates, values = series(mixer, name)
        assert updates[-1] == demo_loss_mixer.UPDATES and values[-1] < values[0] / 2
    run(mixer, "integral + Jensen–Shannon", update=0)
    assert mixer.arrays["entropy"] > 8


def test_no_loss_at_all_is_said_in_words(mixer):
    mixer.set(integral=0.0).check()
    assert "all losses are switched off" in mixer.stage.state["note"]
    untouched = mixer.arrays["entropy"]
    assert mixer.set(update=0).check().arrays["entropy"] == untouched, "nothing moves"
    assert "mean" in mixer.set(js=1.0, update=demo_loss_mixer.UPDATES).check().stage.state["note"]


def test_training_is_repeatable_and_not_shared_by_accident():
    demo_loss_mixer.train_volume.cache_clear()
    first = demo_loss_mixer.train_volume(Mix(js=1), 0.2)["logits"]
    demo_loss_mixer.train_volume.cache_clear()
    assert torch.equal(first, demo_loss_mixer.train_volume(Mix(js=1), 0.2)["logits"])


# ------------------------------------------------------------------ pictures
def test_untouched_pictures_stand_on_the_sheet_as_they_are(augmentation):
    augmentation.set(**augmentation.presets["untouched"]).check()
    images, pose = people()
    sheet = stage.unpack(pane(augmentation, "image")["picture"]["cells"])
    assert sheet.shape == (2 * 64, 4 * 64, 3)
    for index, one in enumerate(images):
        row, column = divmod(index, 4)
        tile = sheet[64 * row : 64 * (row + 1), 64 * column : 64 * (column + 1)]
        np.testing.assert_allclose(tile, one.permute(1, 2, 0).numpy(), atol=0.5 / 255 + 1e-4)
    assert (sheet[64:, 64:] == 1).all(), "unused tiles are white"
    points = dots(augmentation, "joints").reshape(5, 17, 2)
    columns = (points[..., 0] + 1) / 2 * 4  # in tiles
    rows = (points[..., 1] + 0.5) / 1 * 2
    tiles = np.arange(5)[:, None]
    np.testing.assert_allclose(2 * (columns - tiles % 4) - 1, pose[..., 0], atol=1e-5)
    np.testing.assert_allclose(2 * (rows - tiles // 4) - 1, pose[..., 1], atol=1e-5)


def test_joints_that_leave_their_picture_are_not_drawn_on_the_neighbour(augmentation):
    for seed, zoom in itertools.product((0, 7), (0.25, 0.5)):
        augmentation.set(seed=seed, zoom=zoom, shift=0.2).check()
        assert len(dots(augmentation, "joints")) == augmentation.arrays["inside"].sum()
    (lines,) = pane(augmentation, "image")["lines"]
    bones = stage.unpack(lines["points"]).reshape(5, len(BONES), 2, 2)
    seen = ~np.isnan(bones).any((-1, -2))
    inside = augmentation.arrays["inside"].numpy()
    np.testing.assert_array_equal(seen, np.stack([inside[:, a] & inside[:, b] for a, b in BONES], 1))
    columns = np.floor((bones[..., 0][seen] + 1) / 2 * 4 - 1e-6)
    assert (columns[:, 0] == columns[:, 1]).all()


def test_large_pictures_are_reduced():
    images = torch.rand(2, 3, 200, 200)
    demo = demo_photos.augmentation_demo(images, torch.zeros(2, 17, 2)).check()
    assert stage.unpack(pane(demo, "image")["picture"]["cells"]).shape == (96, 4 * 96, 3)


def test_the_depth_demo_shows_the_nets_own_answer(depth):
    images, pose = people()
    net = small_volume_net(width=8)
    demo = demo_photos.depth_demo({"net": net}, images, pose, half_width=1.5).check()
    demo.set(photo=2, joint=16).check()
    with torch.no_grad():
        logits = net.eval().logits(images[2:3])[0]
    place = soft_argmax_3d(logits)
    torch.testing.assert_close(demo.arrays["predicted"], place)
    np.testing.assert_allclose(dots(demo, "mean")[0], place[16, :2], atol=1e-6)
    np.testing.assert_allclose(dots(demo, "peak")[0], hard_argmax(logits)[16, :2], atol=1e-6)
    off = [
        1500 * torch.linalg.vector_norm(at[16] - at[0] - pose[2, 16] + pose[2, 0])
        for at in (place, hard_argmax(logits))
    ]
    assert f"off by {off[0]:.0f} mm at the mean, {off[1]:.0f} at the peak" in demo.stage.state["note"]
    p = torch.softmax(logits[16].flatten(), 0).view_as(logits[16])
    torch.testing.assert_close(demo.arrays["row"], p.sum((1, 2)))
    truth, found = (stage.unpack(s["points"])[0] for s in pane(demo, "scene")["skeletons"])
    metres = 1.5 * pose[2]
    np.testing.assert_allclose(truth, metres - metres[0], atol=1e-6)
    assert np.abs(found[0]).max() == 0


def test_a_slice_of_the_volume_is_taken_hold_of_beside_the_photo(depth):
    whole = depth.reset().check().arrays["plane"]
    torch.testing.assert_close(whole.max(), torch.tensor(1.0))
    cells = len(depth.arrays["row"])
    shares = []
    for number in range(cells):
        at = (2 * number + 1) / cells - 1
        depth.stage.grabbed = {"name": demo_photos.SLICE, "at": [at, 0.5], "count": number + 1}
        assert depth.check().controls["cut"].value == number
        shares.append(depth.arrays["plane"].sum().item())
        assert f"slice at {at:+.2f}" in pane(depth, "image")["title"]
        assert pane(depth, "curve")["handles"][0]["at"][0] == pytest.approx(at, abs=1e-6)
    row = depth.arrays["row"]
    np.testing.assert_allclose(np.array(shares) / sum(shares), row / row.sum(), rtol=1e-4)
    depth.stage.grabbed = {"name": demo_photos.SLICE, "at": [-1.2, 0.5], "count": cells + 1}
    torch.testing.assert_close(depth.check().arrays["plane"], whole)


def test_photo_demos_refuse_what_does_not_fit():
    images, pose = people()
    with pytest.raises(ValueError, match="images are 4, truth has 5 poses"):
        demo_photos.depth_demo({"net": small_volume_net(width=8)}, images[:4], pose)
    with pytest.raises(ValueError, match="half_width is 0"):
        demo_photos.depth_demo({"net": small_volume_net(width=8)}, images, pose, half_width=0)
    with pytest.raises(ValueError, match="keypoints has shape"):
        demo_photos.augmentation_demo(images, pose[:, :5])


# ------------------------------------------------------------------ the story's person, and the student's training
def test_the_storys_forearm_points_to_the_camera(tmp_path):
    lab = photo_set("test", 64, 16, setting="lab", folder=tmp_path)
    truth = learning.truth(lab)
    index = demo_photos.pointing(lab, truth)
    assert truth[index, 12, 2] - truth[index, 13, 2] > 0.25 and lab.visible[index, 13]
    with pytest.raises(ValueError, match="none of the 1 photos"):
        demo_photos.pointing(lab.select([0]), 0 * truth[:1])


def test_the_students_step_is_taken_and_its_error_falls(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo_training, "photo_set", lambda part, count, size, **kw: photo_set(
        part, count // 20 + 8, size, folder=tmp_path, **kw
    ))  # fmt: skip

    def step(net, optimiser, images, target):
        loss = (soft_argmax_3d(net.logits(images)) - target).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    curves = []
    picture = demo_training.picture
    monkeypatch.setattr(demo_training, "picture", lambda *a: curves.append([*a[3]]) or picture(*a))
    taken = []
    monkeypatch.setattr(demo_training, "_CHECKED", [])
    demo_training.checked(lambda *a: taken.append(1) or step(*a))
    told = demo_training.train_live(torch.rand(3, 64, 64), torch.tensor([0.3, -0.2, -0.4]), steps=3)
    assert [step for step, _ in told["curve"]] == [0, 3] and told["found"] in (0, 3, None)
    assert "does not look" in capsys.readouterr().out
    ((start, before),) = curves[0]
    assert start == 0 and before > 300 and len(taken) == 3


# ------------------------------------------------------------------ static figures
@pytest.mark.parametrize(
    ("make", "frames"),
    [
        (figures.error_by_axes, 0),
        (figures.half_pixel_figure, 0),
        (lambda: figures.metres_figure(torch.tensor([0.1, 0.0, 0.2]), people()[1][0] + torch.tensor([0, 0, 5.0])), 0),
    ],
)
def test_static_figures_paint(make, frames):
    figure = make()
    assert len(figure.frames) == frames
    assert preview.png(figure).startswith(b"\x89PNG")


def test_the_half_pixel_figure_is_half_a_cell_apart():
    right, wrong = figures.half_pixel_figure().data
    np.testing.assert_allclose(np.array(right.y) - np.array(wrong.y), 0.5, atol=2e-3)
    middle = len(right.y) // 2
    assert abs(right.y[middle]) < 1e-2


def test_the_mixture_table_has_a_row_for_each_mixture():
    rows = figures.mixture_table().splitlines()
    assert len(rows) == 2 + len(figures.MIXES) and all(row.count("|") == 6 for row in rows)
