"""Lesson 04 over several trainings: the experiment trains, searches and tests; what it measured is read as it was."""

import json

import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.videos import Video, capture_videos
from tutorial_lib.distortion import PRESETS, distort
from tutorial_lib.lessons.temporal_lifting import experiment_seeds, figures, results
from tutorial_lib.lessons.temporal_lifting.recipes import BUDGETS, SEEDED, FewRecipe, LensRecipe
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.lifting.mean_pose import MeanPose, mean_pose
from tutorial_lib.metrics import mpjpe

NAMES = ["lifter-1f", "lifter-27f", "few-3-supervised", "few-3-d2-linear", "few-3-d2-lens"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Two seeds at smoke size, on a few clips."""
    folder = tmp_path_factory.mktemp("parts")
    people = motion.builtin(1, 2, ["walk", "wave"], 243), motion.builtin(2, 1, ["eat"], 243)
    videos = capture_videos(people[1], generator=torch.Generator().manual_seed(0), noise=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment_seeds, "material", lambda budget, mocap: people)
        places = {"known, noise 1": [videos, videos], "new, noise 0": [videos]}
        patch.setattr(experiment_seeds, "tests", lambda few, *sizes: places)
        patch.setattr(experiment_seeds, "RATES", (3e-3,))
        patch.setattr(experiment_seeds, "widened_search", lambda error, rates: {rate: error(rate) for rate in rates})
        for seed in (0, 1):
            assert experiment_seeds.run_all("smoke", seed, NAMES, folder, "cpu") == folder
        before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
        experiment_seeds.run_all("smoke", 1, NAMES, folder, "cpu")
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}, "finished parts stay"
    return folder


def test_a_part_says_how_it_was_made_and_what_it_measured(parts):
    part = json.loads((parts / "smoke-lifter-27f-s1.json").read_text())
    assert (part["network"], part["seed"], part["rate"], part["budget"]["name"]) == ("lifter-27f", 1, 3e-3, "smoke")
    assert [step for step, _ in part["validation_mm"]] == [1, 2, 3]
    assert {place: len(errors["mpjpe"]) for place, errors in part["errors"].items()} == {
        "known, noise 1": 2, "new, noise 0": 1,
    }  # fmt: skip
    rate = json.loads((parts / "rate-smoke-lifter-27f.json").read_text())
    assert rate["rate"] == 3e-3 and list(rate["tried_mm"]) == ["0.003"]


def test_collected_parts_are_read_paired_by_training(parts):
    found = results.Results(
        {**results.collect(parts), "networks": {"seeds": results.collect(parts)["networks"]["smoke"]}}
    )
    assert found.trainings("lifter-1f", "lifter-27f") == ["0", "1"]
    place = "known, noise 1"
    one, many = (found.errors(name, place, seeds=["0", "1"]) for name in ("lifter-1f", "lifter-27f"))
    assert one.shape == (2,) and one[0] != one[1]
    np.testing.assert_allclose(found.difference("lifter-27f", "lifter-1f", place), many - one)
    np.testing.assert_allclose(found.change("lifter-27f", "lifter-1f", place), 100 * (many / one - 1))
    assert found.mean("lifter-1f", place) == pytest.approx(one.mean())
    steps, curve = found.validation("lifter-27f")
    assert list(steps) == [1, 2, 3] and curve.shape == (3,)
    blind = json.loads((parts / "smoke-mean-pose.json").read_text())["errors"]["lifters"]
    assert found.blind(place) == pytest.approx(np.mean(blind[place]["mpjpe"]))
    assert found.steps("lifter-27f") == "3" and found.steps("few-3-d2-lens") == "4"
    with pytest.raises(ValueError, match="names has .'causal-243f'.*run experiment_seeds"):
        found.trainings("causal-243f")


def test_a_folder_without_parts_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no part of a training"):
        results.collect(tmp_path)


def made(half, whole):
    """Results with one pair of networks: errors in per cent of the reference, one a training."""

    def network(values):
        return {str(i): {"errors": {"p": {"mpjpe": [v]}}} for i, v in enumerate(values)}

    return results.Results({
        "networks": {
            name: {"a": network(values), "b": network([100.0] * len(values))}
            for name, values in (("half", half), ("seeds", whole)) if values
        }
    })  # fmt: skip


@pytest.mark.parametrize(
    "half, whole, words",
    [
        (
            [89.0, 90.0, 91.0],
            [79.0, 80.0, 81.0],
            ["-10.0 ± 2.5 (lower)", "-20.0 ± 2.5 (lower)", "The verdicts are the same"],
        ),
        ([89.0, 90.0, 91.0], [119.0, 120.0, 121.0], ["20.0 ± 2.5 (not lower)", "Some verdicts change"]),
        ([90.0, 110.0, 95.0], [79.0, 80.0, 81.0], ["(undecided)", "Some verdicts change"]),
        ([], [79.0, 80.0, 81.0], ["Half the training was not tried"]),
    ],
)
def test_half_the_training_is_compared_verdict_by_verdict(half, whole, words):
    text = figures.halved(made(half, whole), {"a against b": ("a", "b", "p", "mpjpe")})
    assert all(word in text for word in words)


def test_every_network_of_a_claim_has_a_rate_of_its_kind():
    assert {experiment_seeds.kind_of(recipe) for recipe in SEEDED.values()} == {
        "lifter-1f", "lifter-27f", "lifter-243f", "few-3-supervised", "few-3-semi",
    }  # fmt: skip
    lens = [recipe for recipe in SEEDED.values() if isinstance(recipe, LensRecipe)]
    assert {recipe.knows for recipe in lens} == {True, False} and {recipe.lens for recipe in lens} == {"d2"}
    assert all(recipe.semi and isinstance(recipe, FewRecipe) for recipe in lens)
    seeds, half = BUDGETS["seeds"], BUDGETS["half"]
    assert (half.steps, half.few_steps) == (seeds.steps / 2, seeds.few_steps / 2)


def test_a_video_through_a_lens_has_its_keypoints_bent():
    video = Video(0.3 * torch.randn(5, 17, 2), torch.randn(5, 17, 3), "ann", "walk")
    bent = experiment_seeds.through("d2", video)
    torch.testing.assert_close(bent.keypoints, FOCAL * distort(video.keypoints / FOCAL, PRESETS["d2"]))
    assert torch.equal(bent.pose, video.pose)


def test_the_mean_pose_is_a_lifter_that_does_not_look():
    model = MeanPose().eval()
    for keypoints in (torch.zeros(4, 17, 2), torch.randn(2, 4, 17, 2)):
        pose = model.lift(keypoints)
        assert pose.shape == (*keypoints.shape[:-1], 3) and torch.equal(pose, mean_pose().expand_as(pose))
    assert torch.equal(model.windows(torch.zeros(3, 1, 17, 2)), mean_pose().expand(3, 17, 3))
    looked = {name for name in dir(TemporalLifter(3, 1)) if name in ("frames", "causal", "joints", "layout", "outputs")}
    assert all(hasattr(model, name) for name in looked)
    with pytest.raises(ValueError, match="keypoints has shape"):
        model(torch.zeros(4, 16, 2))


def test_the_shipped_results_hold_every_network_of_a_claim():
    found = results.measured()
    for name, recipe in SEEDED.items():
        assert found.trainings(name)
        places = ["new, noise 0", "behind d2"] if isinstance(recipe, FewRecipe) else ["known, noise 1", "new, noise 3"]
        for place in places:
            few = isinstance(recipe, FewRecipe)
            assert 0 < found.mean(name, place) < 400 and 100 < found.blind(place, few=few) < 400
    truth = torch.zeros(17, 3)
    assert mpjpe(mean_pose(), truth) > 0.1
