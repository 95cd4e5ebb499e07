"""The exam is fair: the same people, frames and noise for everybody, under every lens."""

import copy
from collections import Counter

import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.adaptation import adapt
from tutorial_lib.adaptation.lens_test import (
    ALONE,
    LABELLED,
    SCENARIOS,
    UNDISTORTED,
    LensTest,
    evaluate,
    evaluate_adapted,
)
from tutorial_lib.camera import to_plane, to_screen
from tutorial_lib.datasets.detector import detect
from tutorial_lib.datasets.footage import CLIP_FRAMES
from tutorial_lib.datasets.splits import AdaptationSplit
from tutorial_lib.distortion import PRESETS, distort
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import pose_score

AdaptationSplit.__test__ = False  # a place where a camera stands, not a test

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
PARTS = ("lens", "recorded", "recorded_pose", "picks", "video", "truth")


@pytest.fixture(scope="module")
def place():
    return AdaptationSplit(motion.builtin(1, 2, ["walk", "wave"], 100), motion.builtin(2, 2, ["kick", "eat"], 100))


@pytest.fixture(scope="module")
def lens_test(place):
    return LensTest(place, 0, clips=3, calibration_clips=4, windows=20)


@pytest.fixture(scope="module")
def perfect(place):
    """The same studio with a detector that makes no errors."""
    return LensTest(place, 0, clips=3, calibration_clips=4, windows=20, noise=0.0)


def lifter(frames=9, seed=0):
    torch.manual_seed(seed)
    return TemporalLifter(frames, 8, dropout=0.2).eval()


def differing(one, other):
    return {part for part in PARTS if not torch.equal(getattr(one, part), getattr(other, part))}


# ------------------------------------------------------------------ the studio
def test_an_exam_is_the_same_every_time(place, lens_test):
    first = lens_test.through(PRESETS["d1"])
    assert not differing(first, lens_test.through(PRESETS["d1"]))
    assert not differing(first, LensTest(place, 0, clips=3, calibration_clips=4, windows=20).through(PRESETS["d1"]))


def test_what_was_asked_before_changes_nothing(place):
    fresh, used = (LensTest(place, 0, clips=3, calibration_clips=4) for _ in range(2))
    for preset in PRESETS.values():
        used.through(preset)
    torch.rand(7)
    assert not differing(fresh.through(PRESETS["d2"]), used.through(PRESETS["d2"]))


def test_another_seed_is_filmed_and_labelled_otherwise(place, lens_test):
    other = LensTest(place, 1, clips=3, calibration_clips=4, windows=20).through(PRESETS["d1"])
    assert differing(lens_test.through(PRESETS["d1"]), other) == set(PARTS) - {"lens"}


@pytest.mark.parametrize("device", DEVICES)
def test_everything_lies_on_the_device_and_shows_the_same(place, lens_test, device):
    there = LensTest(place, 0, clips=3, calibration_clips=4, windows=20, device=device)
    for clips in (slice(None), slice(1, 2)):
        seen, expected = (test.through(PRESETS["d2"], clips=clips) for test in (there, lens_test))
        for part in set(PARTS) - {"lens"}:
            assert getattr(seen, part).device.type == device
            torch.testing.assert_close(getattr(seen, part).cpu(), getattr(expected, part), atol=1e-6, rtol=0)
        assert seen.support(9, 20).keypoints.device.type == device


def test_an_exam_leaves_global_randomness_alone(lens_test):
    state = torch.get_rng_state()
    lens_test.through(PRESETS["d1"])
    assert torch.equal(torch.get_rng_state(), state)


def test_another_lens_changes_only_what_the_camera_sees(lens_test):
    observations = [lens_test.through(lens) for lens in (UNDISTORTED, *PRESETS.values())]
    for observation in observations[1:]:
        assert differing(observations[0], observation) == {"lens", "recorded", "video"}


def test_without_a_lens_the_video_is_the_ordinary_detection(lens_test):
    observation = lens_test.through(UNDISTORTED)
    errors = torch.Generator().manual_seed(1)
    for seen, footage in ((observation.recorded, lens_test.calibration_clips), (observation.video, lens_test.tests)):
        torch.testing.assert_close(seen, detect(to_screen(to_plane(footage.pose)), generator=errors))


@pytest.mark.parametrize("name", PRESETS)
def test_a_perfect_detector_sees_the_bent_projection(perfect, name):
    observation, lens = perfect.through(PRESETS[name]), PRESETS[name]
    torch.testing.assert_close(observation.video, to_screen(distort(to_plane(perfect.tests.pose), lens)))
    torch.testing.assert_close(observation.recorded, to_screen(distort(to_plane(perfect.calibration_clips.pose), lens)))


def test_a_perfect_detector_is_asked_about_the_same_people(lens_test, perfect):
    assert differing(lens_test.through(PRESETS["d1"]), perfect.through(PRESETS["d1"])) == {"recorded", "video"}


@pytest.mark.parametrize("name", PRESETS)
def test_the_detector_errs_alike_under_every_lens(lens_test, perfect, name):
    straight, bent = (
        lens_test.through(lens).video - perfect.through(lens).video for lens in (UNDISTORTED, PRESETS[name])
    )
    alike = (straight - bent).abs().amax(-1) < 1e-5
    assert straight.abs().median() > 1e-3, "there are errors at all"
    assert alike.float().mean() > 0.97, "only exchanged limbs may differ: their error is a distance in the picture"


def test_truth_is_relative_to_the_root(lens_test):
    observation = lens_test.through(UNDISTORTED)
    assert observation.video.shape == (3, CLIP_FRAMES, 17, 2) and observation.truth.shape == (3, CLIP_FRAMES, 17, 3)
    assert (observation.truth[..., 0, :] == 0).all()
    torch.testing.assert_close(observation.truth, lens_test.tests.pose - lens_test.tests.pose[..., :1, :])


@pytest.mark.parametrize("clips", [slice(0, 1), slice(1, 3)])
def test_fewer_shots_are_a_part_of_the_whole_exam(lens_test, clips):
    whole, part = lens_test.through(PRESETS["d1"]), lens_test.through(PRESETS["d1"], clips=clips)
    assert torch.equal(part.video, whole.video[clips]) and torch.equal(part.truth, whole.truth[clips])
    assert differing(whole, part) == {"video", "truth"}


def test_moving_an_exam_to_a_device_keeps_it(lens_test):
    observation = lens_test.through(PRESETS["d1"])
    assert not differing(observation, observation.to(torch.device("cpu")))


# ------------------------------------------------------------------ the support set
@pytest.mark.parametrize("frames", [3, 9, 27])
def test_support_windows_are_frames_of_the_recording(lens_test, frames):
    observation = lens_test.through(PRESETS["d2"])
    support = observation.support(frames, 20)
    assert support.keypoints.shape == (20, frames, 17, 2) and support.pose.shape == (20, 17, 3)
    for window, pose, (clip, centre) in zip(support.keypoints, support.pose, observation.picks.tolist()):
        for place, frame in enumerate(window):
            there = min(max(centre + place - frames // 2, 0), CLIP_FRAMES - 1)  # repeated at the clip's ends
            assert torch.equal(frame, observation.recorded[clip, there])
        whole = observation.recorded_pose[clip, centre]
        assert torch.equal(pose, whole - whole[0])


def test_every_network_is_shown_the_same_labelled_poses(lens_test):
    observation = lens_test.through(PRESETS["d2"])
    short, long = observation.support(3, 20), observation.support(27, 20)
    assert torch.equal(short.pose, long.pose)
    assert torch.equal(short.keypoints, long.keypoints[:, 12:15])


def test_more_windows_begin_with_the_same_ones(lens_test):
    observation = lens_test.through(PRESETS["d2"])
    few, many = observation.support(9, 5), observation.support(9, 20)
    assert torch.equal(few.keypoints, many.keypoints[:5]) and torch.equal(few.pose, many.pose[:5])


def test_labelled_windows_come_from_many_shots(place):
    picks = LensTest(place, 0, clips=1, calibration_clips=4, windows=128).picks
    counts = Counter(picks[:, 0].tolist())
    assert set(counts) == {0, 1, 2, 3} and max(counts.values()) < 64
    assert picks[:, 1].min() >= 0 and picks[:, 1].max() < CLIP_FRAMES and len(set(picks[:, 1].tolist())) > 40


@pytest.mark.parametrize("windows", [0, -1, 21, 10**9])
def test_windows_that_were_not_recorded_are_refused(lens_test, windows):
    with pytest.raises(ValueError, match=rf"windows is {windows}, expected 1 to 20 labelled windows"):
        lens_test.through(PRESETS["d1"]).support(9, windows)


def test_chosen_moments_are_windows_around_them_in_the_order_given(lens_test):
    observation = lens_test.through(PRESETS["d2"])
    chosen = [2 * CLIP_FRAMES + 40, 7, 2 * CLIP_FRAMES + 41, CLIP_FRAMES - 1]  # two overlap, one is a clip's last frame
    support = observation.support(9, chosen)
    for window, pose, (clip, centre) in zip(support.keypoints, support.pose, ((2, 40), (0, 7), (2, 41), (0, 80))):
        there = [min(max(centre + place, 0), CLIP_FRAMES - 1) for place in range(-4, 5)]
        assert torch.equal(window, observation.recorded[clip, there]), "never a frame of the next clip"
        whole = observation.recorded_pose[clip, centre]
        assert torch.equal(pose, whole - whole[0])


def test_drawn_moments_are_those_of_the_drawn_windows_each_once(place, lens_test):
    observation = lens_test.through(PRESETS["d2"])
    few = lens_test.drawn(5)
    assert torch.equal(observation.support(9, few).keypoints, observation.support(9, 5).keypoints)
    test = LensTest(place, 0, clips=1, calibration_clips=1)  # 128 windows of 81 frames: some are drawn twice
    many = test.drawn(10**9)
    assert 40 < len(set(many)) == len(many) <= CLIP_FRAMES and many[:5] == test.drawn(5)


@pytest.mark.parametrize(
    ("moments", "says"),
    [((), "windows is empty"), ((3, -1), "windows holds -1"), ((4 * CLIP_FRAMES,), f"holds {4 * CLIP_FRAMES}")],
)
def test_moments_that_were_not_recorded_are_refused(lens_test, moments, says):
    with pytest.raises(ValueError, match=rf"{says}, expected one moment or more, from 0 to {4 * CLIP_FRAMES - 1}"):
        lens_test.through(PRESETS["d1"]).support(9, moments)


def test_a_lens_that_is_not_finite_is_refused(lens_test):
    with pytest.raises(ValueError, match="NaN or infinity"):
        lens_test.through(torch.tensor([0.0, float("nan"), 0.0, 0.0, 0.0]))


# ------------------------------------------------------------------ scores
def standing():
    """A pose (17, 3) whose head segment, thorax to head top, is 0.2 m long."""
    pose = torch.randn(17, 3, generator=torch.Generator().manual_seed(0))
    pose[0] = 0
    pose[10] = pose[8] + torch.tensor([0.0, -0.2, 0.0])
    return pose


def test_scores_are_in_millimetres_and_per_cent():
    truth = standing()
    predicted = truth.clone()
    predicted[[3, 6, 13, 16], 0] += 0.15  # four joints are 15 cm off, half a head segment is 10 cm
    result = pose_score(predicted, truth)
    assert result.mpjpe == pytest.approx(4 * 150 / 17, rel=1e-5)
    assert result.pckh == pytest.approx(100 * 13 / 17, rel=1e-5)
    assert 0 < result.p_mpjpe <= 17**0.5 * result.mpjpe


def test_the_right_pose_scores_zero_errors_and_all_joints():
    result = pose_score(standing(), standing())
    assert (result.mpjpe, result.pckh) == (0.0, 100.0) and result.p_mpjpe < 1e-2


def test_size_and_direction_cost_only_the_unaligned_error():
    truth = standing()
    turned = 1.3 * truth @ torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    result = pose_score(turned, truth)
    assert result.p_mpjpe < 0.01 < 100 < result.mpjpe


def test_a_place_in_the_room_costs_nothing():
    assert pose_score(standing() + torch.tensor([1.0, 2.0, 3.0]), standing()).mpjpe < 1e-3


def test_take_scores_every_frame_of_the_video(lens_test):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    with torch.no_grad():
        poses = torch.stack([model.lift(clip) for clip in observation.video])
    off = (poses - poses[..., :1, :] - observation.truth).norm(dim=-1)
    assert evaluate(model, observation).mpjpe == pytest.approx(1000 * off.mean().item(), rel=1e-5)


# ------------------------------------------------------------------ adapting in the exam
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_a_step_the_adapted_score_is_the_score(lens_test, scenario):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    result, scores = evaluate_adapted(model, observation, scenario, steps=0, rate=0.01, windows=8)
    assert scores == [evaluate(model, observation)] and not result.losses


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("steps", [1, 3])
def test_there_is_a_score_before_and_after_every_step(lens_test, scenario, steps):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    result, scores = evaluate_adapted(model, observation, scenario, steps=steps, rate=0.01, windows=8)
    assert len(scores) == steps + 1 and len(result.losses) == steps
    assert scores[0] == evaluate(model, observation)
    assert scores[-1] == evaluate(result.model, observation)
    assert len(set(scores)) == steps + 1


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scores_on_the_way_are_those_of_fewer_steps(lens_test, scenario):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    long, short = (
        evaluate_adapted(model, observation, scenario, steps=steps, rate=0.01, windows=8)[1] for steps in (4, 2)
    )
    assert long[:3] == short


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scoring_only_both_ends_gives_the_same_ends(lens_test, scenario):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    settings = {"steps": 3, "rate": 0.01, "windows": 8}
    all_scores = evaluate_adapted(model, observation, scenario, **settings)[1]
    assert evaluate_adapted(model, observation, scenario, **settings, every_step=False)[1] == [
        all_scores[0],
        all_scores[-1],
    ]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_model_is_not_changed(lens_test, scenario):
    model = lifter().train()
    kept = copy.deepcopy(model.state_dict())
    evaluate_adapted(model, lens_test.through(PRESETS["d1"]), scenario, steps=3, rate=0.05, windows=8)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())


def test_the_labelled_scenario_sees_the_recording_and_the_other_only_the_video(lens_test):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    by_hand = {LABELLED: observation.support(9, 8), ALONE: observation.video}
    for scenario, support in by_hand.items():
        expected = adapt(model, support, 3, rate=0.01).losses
        assert evaluate_adapted(model, observation, scenario, steps=3, rate=0.01, windows=8)[0].losses == expected


def test_the_label_free_scenario_never_looks_at_labels(lens_test):
    observation, model = lens_test.through(PRESETS["d1"]), lifter()
    blind = copy.copy(observation)
    for secret in ("truth", "recorded_pose", "recorded"):
        object.__setattr__(blind, secret, torch.zeros_like(getattr(observation, secret)))
    ways = [evaluate_adapted(model, way, ALONE, steps=3, rate=0.01)[0] for way in (observation, blind)]
    assert ways[0].losses == ways[1].losses


def test_labels_in_the_recording_lower_the_loss(lens_test):
    result, _ = evaluate_adapted(lifter(), lens_test.through(PRESETS["d1"]), LABELLED, steps=8, rate=0.02, windows=20)
    assert result.losses[-1] < result.losses[0]


def test_networks_of_every_receptive_field_take_the_same_exam(lens_test):
    observation = lens_test.through(PRESETS["d2"])
    for frames in (3, 9, 27):
        for scenario in SCENARIOS:
            assert len(evaluate_adapted(lifter(frames), observation, scenario, steps=1, rate=0.01, windows=4)[1]) == 2


@pytest.mark.parametrize("scenario", ["", "recorded", "test video", None, 1])
def test_unknown_scenarios_are_refused(lens_test, scenario):
    with pytest.raises(ValueError, match="scenario is .*, expected one of .*labelled.*alone"):
        evaluate_adapted(lifter(), lens_test.through(PRESETS["d1"]), scenario, steps=1, rate=0.01)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"windows": 21}, "windows is 21, expected 1 to 20"),
        ({"windows": 0}, "windows is 0"),
        ({"steps": -1}, "steps is -1"),
        ({"rate": 0.0}, "rate is 0.0"),
        ({"rate": float("nan")}, "rate is nan"),
    ],
)
def test_impossible_settings_are_refused(lens_test, changes, says):
    with pytest.raises(ValueError, match=says):
        evaluate_adapted(
            lifter(),
            lens_test.through(PRESETS["d1"]),
            LABELLED,
            **{"steps": 1, "rate": 0.01, "windows": 4, **changes},
        )


def test_a_step_size_that_explodes_is_named(lens_test):
    with pytest.raises(ValueError, match="loss is .* at step .*: lower rate=1e\\+30"):
        evaluate_adapted(lifter(), lens_test.through(PRESETS["d1"]), LABELLED, steps=4, rate=1e30, windows=4)
