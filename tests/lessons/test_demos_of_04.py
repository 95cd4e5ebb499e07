"""The lifting and few-labels demos of lesson 04 on tiny networks: every control changes what it must, nothing else."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from scipy import stats

from tutorial_lib import checkpoints
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.detector import draw_defects
from tutorial_lib.datasets.videos import capture_videos, clips_under_test
from tutorial_lib.display import preview, stage
from tutorial_lib.keypoint_files import Track
from tutorial_lib.keypoint_files.coco import to_joints
from tutorial_lib.lessons.temporal_lifting import demo_explain, demo_few_labels, demo_lifting, demo_own_video
from tutorial_lib.lessons.temporal_lifting import figures as twins
from tutorial_lib.lessons.temporal_lifting.demo_lifting import BLIND, COLOURS, ERROR_RANGE, NETWORKS, SHOWN
from tutorial_lib.lessons.temporal_lifting.recipes import RECIPES, SHARES, LifterRecipe, few_name
from tutorial_lib.lessons.temporal_lifting.results import Results
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, lift_resampled
from tutorial_lib.metrics import mpjpe, n_mpjpe, p_mpjpe, velocity_error
from tutorial_lib.metrics.by_action import METRICS
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import JOINTS, LEFT, RIGHT, bone_lengths


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every network of the lesson, tiny and untrained."""
    where = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    for name, recipe in RECIPES.items():
        if isinstance(recipe, LifterRecipe):
            one = recipe.frames == 1
            model = SingleFrameLifter(4) if one else TemporalLifter(recipe.frames, 4, causal=recipe.causal)
        else:
            model = TemporalLifter(9, 4)
        with torch.no_grad():  # small poses: about as wrong as a mean pose, within the range of the curves
            model.shrink.weight *= 0.1
        checkpoints.save(model, f"temporal/{name}", {}, where)
    return where


@pytest.fixture(scope="module")
def videos():
    """Three short videos without noise."""
    return capture_videos(builtin(7, 1, ["walk", "wave", "eat"], 60), generator=seeded(), noise=0.0)


@pytest.fixture(scope="module")
def tracks():
    """Two tracks: 40 frames at 25 Hz, and 30 frames of unknown rate."""
    keypoints = [0.3 * torch.randn(n, 17, 2, generator=seeded(n)) for n in (40, 30)]
    return [Track(f"video {i}", k, None, fps, (100, 100)) for i, (k, fps) in enumerate(zip(keypoints, (25.0, None)))]


MAKE = {
    "lifting": lambda request: demo_lifting.lifting_demo("builtin", 0, request.getfixturevalue("folder")),
    "own": lambda request: demo_own_video.own_video_demo(
        request.getfixturevalue("tracks"), folder=request.getfixturevalue("folder")
    ),
    "explain": lambda request: demo_explain.explain_demo(request.getfixturevalue("videos")[0], 20),
    "share": lambda request: demo_few_labels.share_demo(
        request.getfixturevalue("videos"), request.getfixturevalue("folder")
    ),
}
OTHER = {
    "lifting": {"clip": 1, "azimuth": 200, "noise": 2.5, "network": "81 frames", "flip": True},
    "own": {"track": 1, "network": "243 frames", "focal": 2.0},
    "explain": {"size": 1.3, "distance": 0.8, "turn": -30, "lens": "d2 pincushion"},
    "share": {"share": SHARES[-1], "clip": 2},
}
"""Another value of every control."""


@pytest.fixture(scope="module")
def shared(request):
    return {}


@pytest.fixture
def demos(shared, request):
    """Demo by name, as the reader first meets it."""

    def give(name):
        if name not in shared:
            shared[name] = MAKE[name](request)
        return shared[name].reset().check()

    return give


@pytest.fixture
def lifting(demos):
    return demos("lifting")


@pytest.fixture
def own(demos):
    return demos("own")


@pytest.fixture
def explain(demos):
    return demos("explain")


@pytest.fixture
def share(demos):
    return demos("share")


def picture(demo):
    return {key: value for key, value in demo.stage.state.items() if key != "timing"}


def pane(demo, kind):
    (part,) = (part for part in demo.stage.state["panes"] if part["kind"] == kind)
    return part


def skeleton(demo, kind, name):
    (part,) = (part for part in pane(demo, kind)["skeletons"] if part["name"] == name)
    return stage.unpack(part["points"])


def flat(value):
    """Numbers and arrays of a (nested) result, in one list."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in flat(part)]
    return [np.asarray(value, dtype=float)]


def changed(demo, **params):
    """Which entries of the demo's arrays another value of some controls changes."""
    before = demo.arrays
    after = demo.set(**params).check().arrays
    return {key for key in before if not all(np.array_equal(a, b) for a, b in zip(flat(before[key]), flat(after[key])))}


# ------------------------------------------------------------------ all of them
@pytest.mark.parametrize("name", MAKE)
def test_the_same_values_give_the_same_picture(name, demos):
    demo = demos(name)
    first, start = picture(demo), dict(demo.params)
    assert set(OTHER[name]) == set(demo.controls)
    demo.set(**OTHER[name]).check()
    assert picture(demo) != first
    assert picture(demo.set(**start).check()) == first


@pytest.mark.parametrize("name, control", [(name, control) for name in MAKE for control in OTHER[name]])
def test_every_control_changes_the_picture(name, control, demos):
    demo = demos(name)
    first = picture(demo)["panes"]
    assert picture(demo.set(**{control: OTHER[name][control]}).check())["panes"] != first


@pytest.mark.parametrize("name", MAKE)
def test_presets_and_reset_do_what_they_say(name, demos):
    demo = demos(name)
    start = dict(demo.params)
    buttons = {one.description: one for one in demo.children[-2].children if hasattr(one, "click")}
    assert set(buttons) == {*demo.presets, "reset"}
    for title, params in demo.presets.items():
        buttons[title].click()
        assert not demo.error and {key: demo.params[key] for key in params} == params
    buttons["reset"].click()
    assert demo.params == start


@pytest.mark.parametrize("name", MAKE)
def test_readers_without_a_kernel_see_a_picture(name, demos):
    bundle, _ = demos(name)._repr_mimebundle_()
    assert len(bundle["image/png"]) > 5000 and demos(name).title in bundle["text/plain"]


@pytest.mark.parametrize("name", ["lifting", "share"])
def test_two_demos_with_the_same_values_show_the_same(name, demos, request):
    assert picture(MAKE[name](request)) == picture(demos(name))


@pytest.mark.parametrize("name", MAKE)
def test_presets_set_every_control_and_three_are_in_sight(name, demos):
    demo = demos(name)
    assert all(set(params) == set(demo.controls) for params in demo.presets.values())
    assert len(set(demo.controls) - set(demo.folded)) <= 3


# ------------------------------------------------------------------ what is taken hold of
def grab(demo, name, *at):
    """What the page sends when a handle is dragged; returns the handle as it then is."""
    demo.stage.grabbed = {"name": name, "at": list(at), "count": demo.runs}
    (held,) = (h for p in demo.check().stage.state["panes"] for h in p.get("handles", ()) if h["name"] == name)
    return held


def test_a_body_dragged_along_its_rays_keeps_its_picture(explain):
    explain.set(**explain.presets["the truth"])
    before = skeleton(explain, "image", "guess, projected")
    (head,) = (h for h in pane(explain, "scene")["handles"] if h["name"] == demo_explain.WHOLE)
    assert head["at"] == head["along"], "its line comes from the camera"
    further = grab(explain, demo_explain.WHOLE, *(1.3 * np.array(head["at"])))
    assert further["at"] == pytest.approx([1.3 * v for v in head["at"]], rel=1e-3)
    assert explain.params["size"] == explain.params["distance"] == 1.3
    np.testing.assert_allclose(skeleton(explain, "image", "guess, projected"), before, atol=1e-5)
    grab(explain, demo_explain.WHOLE, *(9 * np.array(head["at"])))
    assert explain.params["size"] == explain.params["distance"] == 1.6, "at the end both stop together"


def test_a_hip_dragged_along_its_ray_changes_the_distance_alone(explain):
    explain.set(**explain.presets["the truth"])
    hip = pane(explain, "scene")["handles"][0]
    assert grab(explain, hip["name"], *(0.8 * np.array(hip["at"])))["at"] == pytest.approx(0.8 * np.array(hip["at"]))
    assert explain.params["distance"] == 0.8 and explain.params["size"] == 1.0


def test_the_share_is_dragged_to_the_nearest(share):
    assert grab(share, "share with labels", 90.0, 200.0)["at"][0] == pytest.approx(100)
    assert share.params["share"] == 1.0


# ------------------------------------------------------------------ lift a video
MEASURED = {"lifted", "errors", "mpjpe", "p_mpjpe", "velocity"}


@pytest.mark.parametrize(
    "control, moves",
    [
        ("clip", {"seen", "truth"} | MEASURED),
        ("azimuth", {"seen", "truth"} | MEASURED),
        ("noise", {"seen"} | MEASURED),
        ("flip", MEASURED),
        ("network", set()),
    ],
)
def test_a_control_changes_what_it_must_and_nothing_else(lifting, control, moves):
    assert changed(lifting, **{control: OTHER["lifting"][control]}) == moves


def test_the_camera_goes_round_the_person_and_the_person_stays(lifting):
    bones = bone_lengths(lifting.arrays["truth"])
    heights = lifting.arrays["truth"][0, JOINTS.index("head")]
    for azimuth in (0, 90, 355):
        arrays = lifting.set(azimuth=azimuth, noise=0.0).check().arrays
        torch.testing.assert_close(bone_lengths(arrays["truth"]), bones, atol=1e-4, rtol=0)
        assert arrays["seen"].abs().max() < 0.8
        assert arrays["truth"][0, JOINTS.index("head"), 1] < -0.3, "y is down"
    assert heights[1] < -0.3


@pytest.mark.parametrize("action", ["walk", "dance", "kneel"])
def test_everybody_is_in_the_picture_from_everywhere(action):
    (clip,) = builtin(3, 1, [action], 100)
    clean = draw_defects((100,), 0.0, generator=seeded())
    for azimuth in range(0, 360, 45):
        video = demo_lifting.captured(clip, azimuth, clean)
        assert video.keypoints.abs().max() < 0.8 and video.pose[..., 2].min() > 0.5
        torch.testing.assert_close(video.keypoints, FOCAL * video.pose[..., :2] / video.pose[..., 2:])


def test_noise_is_the_same_error_in_another_size(lifting):
    clean, one, two = (lifting.set(noise=n).check().arrays["seen"] for n in (0.0, 1.0, 2.0))
    ratio = (two - clean) / (one - clean)
    assert ratio.median().item() == pytest.approx(2, abs=0.02) and ((ratio - 2).abs() < 0.1).float().mean() > 0.85


def test_the_numbers_are_those_of_the_metrics(lifting, folder):
    lifting.set(noise=2.0, clip=3).check()
    arrays, rows = lifting.arrays, pane(lifting, "table")["rows"]
    for column, (title, name) in enumerate(NETWORKS.items(), 1):
        model = checkpoints.load(f"temporal/{name}", folder=folder)
        with torch.no_grad():
            lifted = model.lift(arrays["seen"])
        expected = [1000 * measure(lifted, arrays["truth"]).item() for measure in (mpjpe, velocity_error)]
        assert [row[column] for row in rows] == [f"{expected[0]:.1f}", f"{expected[1]:.2f}"]
        assert arrays["errors"][title].mean().item() == pytest.approx(expected[0], rel=1e-4)
    assert pane(lifting, "table")["columns"][1:] == [*NETWORKS, BLIND]


def test_mirroring_averages_a_video_and_its_mirror_image(lifting, folder):
    arrays = lifting.set(flip=True).check().arrays
    order = list(range(17))
    for left, right in zip(LEFT, RIGHT):
        order[left], order[right] = right, left

    def mirror(x):
        return x[..., order, :] * torch.tensor([-1.0] + [1.0] * (x.shape[-1] - 1))

    for title, name in NETWORKS.items():
        model = checkpoints.load(f"temporal/{name}", folder=folder)
        with torch.no_grad():
            both = (model.lift(arrays["seen"]) + mirror(model.lift(mirror(arrays["seen"])))) / 2
        torch.testing.assert_close(arrays["lifted"][title], both - both[:, :1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_chosen_network_plays_beside_the_single_frame_one(lifting, network):
    lifting.set(network=network).check()
    shown = [part["name"] for part in pane(lifting, "scene")["skeletons"]]
    assert shown == ["truth", "1 frame"] + [network] * (network != "1 frame")
    for name in shown:
        points = skeleton(lifting, "scene", name)
        expected = lifting.arrays["truth"] if name == "truth" else lifting.arrays["lifted"][name]
        assert points.shape == (SHOWN, 17, 3) and np.array_equal(points, expected.numpy())
    assert np.array_equal(skeleton(lifting, "image", "detected"), lifting.arrays["seen"].numpy())
    curve = pane(lifting, "curve")
    assert [part["name"] for part in curve["series"]] == shown[1:]
    for part in curve["series"]:
        drawn = stage.unpack(part["y"])
        assert np.allclose(drawn, np.minimum(lifting.arrays["errors"][part["name"]].numpy(), ERROR_RANGE))
    assert np.allclose(stage.unpack(curve["now"]), np.arange(SHOWN) / 50), "the mark follows the playback"


def test_clips_that_are_shorter_than_the_show_play_to_their_end(folder, monkeypatch):
    short = builtin(7, 1, ["walk", "wave"], 45) + builtin(7, 1, ["eat"], 20)
    monkeypatch.setattr(demo_lifting, "clips_under_test", lambda motion, seed: short)
    demo = demo_lifting.lifting_demo("somewhere.npz", 0, folder).check()
    assert demo.arrays["truth"].shape == (45, 17, 3)
    with pytest.raises(ValueError, match="clip is 2"):
        demo.set(clip=2)  # 20 frames are no video


def test_human36m_is_shown_upright_and_needs_trust(folder, monkeypatch):
    asked = []
    taken = capture_videos(builtin(7, 1, ["walk", "wave"], 40), generator=seeded(), noise=0.0)

    def found(motion, subjects, *, trust):
        asked.append((motion, subjects, trust))
        return [v for v in taken for _ in range(4)]

    monkeypatch.setattr(demo_lifting, "human36m_videos", found)
    demo = demo_lifting.lifting_demo("data_3d_h36m.npz", 0, folder, trust=True).check()
    assert asked == [("data_3d_h36m.npz", ("S9",), True)]
    assert len(demo.controls["clip"].options) == 2, "one of the four cameras"
    for azimuth in (0, 120):
        truth = demo.set(azimuth=azimuth).check().arrays["truth"]
        torch.testing.assert_close(bone_lengths(truth), bone_lengths(taken[0].pose), atol=1e-4, rtol=0)
        assert truth[:, JOINTS.index("head"), 1].max() < -0.3
    world = demo_lifting.in_the_world(taken[0]).positions
    assert world[..., 2].min() == 0 and world[0, JOINTS.index("head"), 2] > 1
    # Handedness: the triple product of three fixed directions of the body keeps its sign.
    body = [JOINTS.index(j) for j in ("left_hip", "head", "left_wrist")]
    volumes = [torch.linalg.det((p - p[:, :1])[0, body]) for p in (truth, taken[0].pose)]
    torch.testing.assert_close(volumes[0], volumes[1], atol=1e-5, rtol=1e-3)


def test_the_caption_compares_with_one_frame(lifting):
    lifting.set(network="81 frames").check()
    error = lifting.arrays["mpjpe"]
    note = lifting.stage.state["note"]
    assert note.startswith(f"1 frame {error['1 frame']:.0f} mm, 81 frames {error['81 frames']:.0f} mm; jitter ")


def test_who_does_not_look_never_moves(lifting):
    arrays = lifting.set(noise=3.0).check().arrays
    still = arrays["lifted"][BLIND]
    assert torch.equal(still, still[:1].expand_as(still))
    speed = 1000 * arrays["truth"].diff(dim=0).norm(dim=-1).mean().item()
    assert arrays["velocity"][BLIND] == pytest.approx(speed, rel=1e-4)  # the motion itself


def test_the_networks_have_their_names_and_who_does_not_look_is_last(folder):
    assert list(demo_lifting.load_networks(folder)) == [*NETWORKS, BLIND]


# ------------------------------------------------------------------ one's own video
@pytest.mark.parametrize(
    "control, moves", [("track", {"seen", "pose", "fps"}), ("network", {"pose"}), ("focal", {"pose"})]
)
def test_a_control_of_the_own_video_changes_what_it_must(own, control, moves):
    assert changed(own, **{control: OTHER["own"][control]}) == moves


def test_another_focal_length_is_the_same_rays_on_another_scale(own, tracks, folder):
    own.set(focal=2.5, network="9 frames").check()
    model = checkpoints.load("temporal/lifter-9f", folder=folder)
    rays = tracks[0].keypoints / 2.5
    with torch.no_grad():
        expected = lift_resampled(model, FOCAL * rays, 25)
    torch.testing.assert_close(own.arrays["pose"], expected - expected[:, :1], atol=1e-5, rtol=0)
    assert torch.equal(own.arrays["seen"], tracks[0].keypoints)


def test_a_track_plays_at_its_own_rate_or_else_at_that_of_the_training(own):
    assert own.stage.state["fps"] == 25.0 and len(skeleton(own, "scene", "lifted")) == 40
    assert own.stage.state["note"].startswith("40 frames at 25 Hz, lifted from 79 frames at 50 Hz")
    own.set(track=1).check()
    assert own.stage.state["note"] == "30 frames at 50 Hz"
    assert own.stage.state["fps"] == 50.0 and len(skeleton(own, "scene", "lifted")) == 30


@pytest.mark.parametrize("fps, frames", [(10.0, 41), (25.0, 17), (50.0, 9), (100.0, 5)])
def test_a_track_of_any_rate_is_lifted_at_that_of_the_training(folder, monkeypatch, fps, frames):
    came = []
    lift = TemporalLifter.lift
    monkeypatch.setattr(TemporalLifter, "lift", lambda *a: came.append(a[1].shape[-3]) or lift(*a))
    track = Track("walk", 0.3 * torch.randn(9, 17, 2), None, fps, (100, 100))
    demo = demo_own_video.own_video_demo([track], folder=folder).check()
    assert set(came) == {frames} and demo.arrays["pose"].shape == (9, 17, 3) and demo.stage.state["fps"] == fps


def test_own_tracks_that_cannot_be_lifted_are_refused_and_unknown_rates_said(folder):
    raw = Track("a", torch.zeros(9, 17, 2), None, 50.0, (100, 100), "coco")
    for tracks, message in (
        ([], r"tracks is \[\]"),
        (raw, "tracks is Track.*list of tracks"),
        ([raw], "layout 'coco'"),
    ):
        with pytest.raises(ValueError, match=message):
            demo_own_video.own_video_demo(tracks, folder=folder)
    with pytest.warns(UserWarning, match="track b does not say its frame rate.*fps="):
        demo_own_video.own_video_demo([Track("b", torch.zeros(9, 17, 2), None, None, (100, 100))], folder=folder)


def test_a_lifter_of_cocos_keypoints_gets_them_raw_and_the_reader_sees_a_body(folder):
    torch.manual_seed(1)
    model = TemporalLifter(9, 4, layout="coco").eval()
    raw = Track("wild", 0.3 * torch.randn(9, 17, 2, generator=seeded()), None, 50.0, (100, 100), "coco")
    demo = demo_own_video.own_video_demo([raw], networks={"in the wild": model}).check()
    with torch.no_grad():
        torch.testing.assert_close(demo.arrays["pose"], model.lift(raw.keypoints))
    torch.testing.assert_close(demo.arrays["seen"], to_joints(raw.keypoints))
    with pytest.raises(ValueError, match="has the layout 'human36m', but the lifter was trained on 'coco'"):
        demo_own_video.own_video_demo([replace(raw, layout="human36m")], networks={"in the wild": model})


def test_it_starts_with_the_network_asked_for(tracks, folder):
    assert demo_own_video.own_video_demo(tracks, "9 frames", folder).params["network"] == "9 frames"


def test_the_example_is_what_a_detector_would_have_written():
    tracks = demo_own_video.example_tracks(0)
    assert len(tracks) == 2 and {track.fps for track in tracks} == {50.0}
    for number, track in enumerate(tracks):
        clip = clips_under_test("builtin", 0)[number]
        errors = draw_defects((150,), 1.0, generator=seeded(number))
        seen = demo_lifting.captured(clip, 60.0, errors, 150).keypoints
        limbs = list(LEFT + RIGHT)
        torch.testing.assert_close(track.keypoints[:, limbs], seen[:, limbs], atol=1e-4, rtol=0)
        assert (track.keypoints - seen).norm(dim=-1).max() < 0.25, "the trunk and the head are guessed from the limbs"


def test_coco_keeps_the_limbs_and_puts_the_face_on_the_head():
    points = torch.randn(4, 17, 2, generator=seeded())
    back = to_joints(demo_own_video.as_coco(points))
    limbs = list(LEFT + RIGHT)
    torch.testing.assert_close(back[:, limbs], points[:, limbs])
    face = demo_own_video.as_coco(points)[:, 0]
    thorax, neck = points[:, JOINTS.index("thorax")], points[:, JOINTS.index("neck")]
    torch.testing.assert_close((face - thorax).norm(dim=-1), 1.5 * (neck - thorax).norm(dim=-1))


# ------------------------------------------------------------------ which loss objects
LOSSES = ["reprojection, linear", "reprojection, with the lens", "bones, L1", "bones, L2"]


def silent(demo):
    return {name for name, value in demo.arrays["losses"].items() if value < 1e-6}


@pytest.mark.parametrize(
    "params, quiet",
    [
        ({}, {*LOSSES, "trajectory (needs a label)", "pose (needs a label)"}),
        ({"size": 1.4, "distance": 1.4}, set(LOSSES[:2])),
        ({"size": 0.7, "distance": 0.7}, set(LOSSES[:2])),
        ({"size": 0.7, "distance": 0.7, "lens": "d3 barrel"}, {LOSSES[1]}),
        ({"size": 1.3}, {"trajectory (needs a label)"}),
        ({"distance": 1.3}, {"bones, L1", "bones, L2", "pose (needs a label)"}),
        ({"turn": 40}, {"bones, L1", "bones, L2", "trajectory (needs a label)"}),
        ({"lens": "d2 pincushion"}, {*LOSSES[1:], "trajectory (needs a label)", "pose (needs a label)"}),
    ],
)
def test_who_objects_to_what(explain, params, quiet):
    truth = {"size": 1.0, "distance": 1.0, "turn": 0, "lens": "none"}
    assert silent(explain.set(**truth | params).check()) == quiet


@pytest.mark.parametrize(
    "control, moves",
    [
        ("size", {"pose", "linear", "projected", "losses"}),
        ("distance", {"place", "linear", "projected", "losses"}),
        ("turn", {"pose", "linear", "projected", "losses"}),
        ("lens", {"seen", "projected", "losses"}),
    ],
)
def test_a_control_of_the_losses_changes_what_it_must(explain, control, moves):
    assert changed(explain, **{control: OTHER["explain"][control]}) == moves


def test_the_guess_is_the_truth_scaled_turned_and_moved(explain, videos):
    truth, root = videos[0].pose[20] - videos[0].pose[20, :1], videos[0].pose[20, :1]
    arrays = explain.set(size=1.3, distance=0.8, turn=90).check().arrays
    torch.testing.assert_close(arrays["place"], 0.8 * root)
    quarter = 1.3 * torch.stack([truth[:, 2], truth[:, 1], -truth[:, 0]], -1)  # about the vertical
    torch.testing.assert_close(arrays["pose"], quarter, atol=1e-5, rtol=0)
    drawn = skeleton(explain, "scene", "guess")[0]
    assert np.allclose(drawn, quarter + 0.8 * root, atol=1e-5)
    assert np.array_equal(skeleton(explain, "scene", "truth")[0], (truth + root).numpy())


def test_the_picture_shows_the_keypoints_and_the_projected_guess(explain):
    explain.set(size=1.2, lens="d3 barrel").check()
    for name, key in (("keypoints", "seen"), ("guess, projected", "projected")):
        assert np.array_equal(skeleton(explain, "image", name)[0], explain.arrays[key].numpy())
    off = (explain.arrays["projected"] - explain.arrays["seen"]).norm(dim=-1).mean().item()
    assert explain.arrays["losses"][LOSSES[1]] == pytest.approx(off, rel=1e-5)
    values = np.array(list(explain.arrays["losses"].values()))
    bars = stage.unpack(pane(explain, "curve")["series"][0]["y"])
    explain.set(size=1.6, distance=1.6, turn=90, lens="d2 pincushion").check()
    ends = stage.unpack(pane(explain, "curve")["series"][0]["y"])
    far = np.array(list(explain.arrays["losses"].values()))
    assert bars.max() < 100 and ends.max() <= 100 + 1e-3, "losses of several units share an axis of per cent"
    seen = (values > 1e-3) & (ends < 100)
    assert np.allclose(bars[seen] / values[seen], ends[seen] / far[seen], rtol=1e-3)


def test_the_table_of_losses_has_values_and_units(explain):
    written = [cell.split() for cell in pane(explain, "table")["rows"][0][1:]]
    assert np.allclose([float(number) for number, *_ in written], list(explain.arrays["losses"].values()), atol=6e-5)
    assert [" ".join(unit) for _, *unit in written] == list(demo_explain.UNITS)


# ------------------------------------------------------------------ how many labels
@pytest.mark.parametrize(
    "control, moves",
    [("share", {"lifted", "others"}), ("clip", {"seen", "truth", "lifted", "errors", "others", "blind"})],
)
def test_a_control_of_the_shares_changes_what_it_must(share, control, moves):
    assert changed(share, **{control: OTHER["share"][control]}) == moves


@pytest.mark.parametrize("part", SHARES)
def test_every_share_shows_its_own_two_networks(share, part, videos, folder):
    share.set(share=part, clip=1).check()
    truth = videos[1].pose
    for row, (kind, semi) in zip(pane(share, "table")["rows"], demo_few_labels.KINDS.items()):
        model = checkpoints.load(f"temporal/{few_name(part, semi)}", folder=folder)
        with torch.no_grad():
            lifted = model.lift(videos[1].keypoints)
        expected = [1000 * measure(lifted, truth).item() for measure in (mpjpe, p_mpjpe)]
        expected.append(1000 * n_mpjpe(lifted - lifted[:, :1], truth - truth[:, :1]).item())
        assert share.arrays["errors"][part, kind] == pytest.approx(expected[0], rel=1e-4)
        assert row[0] == kind and np.allclose([float(cell) for cell in row[1:]], expected, atol=0.51)
        assert np.allclose(skeleton(share, "scene", kind), lifted - lifted[:, :1], atol=1e-5)
    curve = pane(share, "curve")
    assert stage.unpack(curve["now"]).item() == pytest.approx(100 * part)
    for line in curve["series"]:
        assert np.allclose(stage.unpack(line["x"]), [100 * s for s in SHARES])
        assert np.allclose(stage.unpack(line["y"]), [share.arrays["errors"][s, line["name"]] for s in SHARES])


def test_one_video_is_enough(videos, folder):
    demo = demo_few_labels.share_demo(videos[:1], folder).check()
    assert demo.arrays["truth"].shape == videos[0].pose.shape


# ------------------------------------------------------------------ static figures
def errors(value):
    return {metric: {"walk": value, "eat": value + 2} for metric in METRICS} | {"frames": {"walk": 1, "eat": 1}}


FIGURES = {
    "noise": lambda videos: twins.noise_figure(
        {(noise, n): [errors(10 + noise), errors(12 + noise)] for noise in (0.0, 3.0) for n in COLOURS}, (0.0, 3.0)
    ),
    "share": lambda videos: twins.share_figure(
        {few_name(s, semi): [errors(50 / s), errors(52 / s)] for s in SHARES for semi in (False, True)}
        | {BLIND: [errors(160), errors(164)]}
    ),
    "norm": lambda videos: twins.norm_figure(),
    "dead gradient": lambda videos: twins.dead_gradient_figure(videos[0], 10),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_can_be_painted(make, videos):
    figure = make(videos)
    assert isinstance(figure, go.Figure) and preview.png(figure).startswith(b"\x89PNG")


def test_the_noise_figure_has_a_step_a_metric_and_a_line_a_network(videos):
    figure = FIGURES["noise"](videos)
    assert len(figure.frames) == 3
    assert [trace.name for trace in figure.data] == [*NETWORKS, BLIND]
    for frame in figure.frames:
        assert len(frame.data) == len(NETWORKS) + 1
        assert all(np.allclose(trace.y, [12.0, 15.0]) for trace in frame.data)  # means over actions, then seeds


def test_the_mean_over_seeds_is_of_those_that_have_the_action():
    one, two = (
        {metric: {"walk": value} | ({"eat": 5.0} if value > 2 else {}) for metric in (*METRICS, "frames")}
        for value in (2.0, 4.0)
    )
    pooled = twins.mean_errors([one, two])
    assert pooled["mpjpe"] == {"walk": 3.0, "eat": 5.0} and pooled["frames"] == {"walk": 6.0, "eat": 5.0}


def test_the_share_figure_draws_means_and_their_intervals(videos):
    figure = FIGURES["share"](videos)
    lines = {trace.name: trace for trace in figure.data if trace.name in demo_few_labels.KINDS}
    for kind in demo_few_labels.KINDS:
        assert np.allclose(lines[kind].x, [100 * s for s in SHARES])
        assert np.allclose(lines[kind].y, [51 / s + 1 for s in SHARES])
    (blind,) = (trace for trace in figure.data if trace.name == BLIND)
    assert np.allclose(blind.y, 163)  # over two actions, then two seeds


def test_the_norm_figure_draws_the_slopes_of_both_losses():
    figure = twins.norm_figure()
    off = torch.tensor(np.asarray(figure.data[0].x) / 1000, requires_grad=True)
    for trace, loss in zip(figure.data, (off.abs().sum(), (off**2).sum())):
        (slope,) = torch.autograd.grad(loss, off)
        assert np.allclose(trace.y, slope.numpy())


def test_back_projection_pulls_nobody_who_is_behind_the_camera(videos):
    trace = twins.dead_gradient_figure(videos[0], 10).data[0]
    depth, pull = np.asarray(trace.x), np.asarray(trace.y)
    pose = (videos[0].pose[10] - videos[0].pose[10, :1]).numpy()
    wholly_behind = depth + pose[:, 2].max() < 0
    assert wholly_behind.sum() > 10 and (pull[wholly_behind] == 0).all()
    root = videos[0].pose[10, 0].numpy()
    seen = FOCAL * (pose + root)[:, :2] / (pose + root)[:, 2:]

    def loss(place):
        plane = ((pose + place)[:, :2] / (pose + place)[:, 2:]).clip(-1, 1)
        return np.linalg.norm(FOCAL * plane - seen, axis=-1).mean()

    for wanted in (root[2] + 1, root[2] + 2):
        index = np.abs(depth - wanted).argmin()
        place = np.array([root[0], root[1], depth[index]])
        steps = 1e-4 * np.eye(3)
        slope = np.array([(loss(place + step) - loss(place - step)) / 2e-4 for step in steps])
        assert pull[index] == pytest.approx(np.linalg.norm(slope), rel=1e-2)


def test_the_table_of_real_actors_says_mean_and_interval_or_that_none_were_there(folder, tmp_path):
    found = Results({"blind": {"lifters": {"real actors": {"mpjpe": [150.0, 160.0], "mpjve": [4.0, 5.0]}}}})
    rows = twins.real_actor_table(found, folder).splitlines()
    assert len(rows) == 2 + len(NETWORKS) + 2 * len(SHARES) + 1
    assert all("no recording at hand" in row for row in rows[2:-1])
    assert rows[-1] == "| mean pose | 155.00 | 4.50 |"
    values = [60.0, 64.0, 62.0, 61.0, 66.0]
    for name in RECIPES:
        measured = {"detector_noise": 1.0, "mpjpe_mm": values, "mpjve_mm_per_frame": [v / 20 for v in values]}
        checkpoints.save(TemporalLifter(3, 1), f"temporal/{name}", {"real_actors": measured}, tmp_path)
    rows = twins.real_actor_table(Results({"blind": {"lifters": {}}}), tmp_path).splitlines()
    half = stats.t.ppf(0.975, 4) * np.std(values, ddof=1) / 5**0.5
    assert rows[2] == f"| 1 frame | 62.6 ± {half:.1f} | 3.13 ± {half / 20:.2f} |"
    assert all("±" in row for row in rows[2:])
