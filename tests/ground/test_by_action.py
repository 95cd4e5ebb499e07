"""The papers' numbers: averages over actions, velocities within clips."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from tutorial_lib.metrics import by_action
from tutorial_lib.metrics.by_action import average, evaluate, per_action


def poses(frames, seed=0):
    return torch.randn(frames, 17, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def off_by(truth, metres):
    """Joints 1 to 16 moved by `metres`, the root left: MPJPE is 16/17 of it."""
    return truth + torch.tensor([metres, 0.0, 0.0]) * (torch.arange(17) > 0)[:, None]


def test_an_action_is_the_mean_over_its_frames_and_avg_the_mean_over_actions():
    a, b, c = poses(2, 1), poses(6, 2), poses(4, 3)
    result = per_action([("Eating", off_by(a, 0.17), a), ("Sitting", c, c), ("Eating", off_by(b, 0.34), b)])
    # (2 * 160 + 6 * 320) / 8 frames of eating, 0 in sitting; over all 12 frames it would be 186.7
    assert result["mpjpe"] == pytest.approx({"Eating": 280.0, "Sitting": 0.0})
    assert average(result, "mpjpe") == pytest.approx(140.0)
    assert dict(result["frames"]) == {"Eating": 8, "Sitting": 4}


def test_velocity_is_taken_within_clips():
    truth = torch.zeros(3, 17, 3)
    right, left = off_by(truth, 0.1), off_by(truth, -0.1)  # each stands still, 20 cm apart
    result = per_action([("walk", right, truth), ("walk", left, truth)])
    assert result["mpjve"]["walk"] == 0
    assert result["mpjpe"]["walk"] == pytest.approx(1600 / 17)


def test_velocity_is_millimetres_per_frame_and_weighs_steps():
    still, moving = torch.zeros(2, 17, 3), torch.zeros(4, 17, 3)
    moving[:, 5, 1] = torch.arange(4) * 0.017  # one joint of 17, 17 mm a frame: 1 mm
    result = per_action([("walk", still, still), ("walk", moving, torch.zeros(4, 17, 3))])
    assert result["mpjve"]["walk"] == pytest.approx(3 / 4)


def test_a_single_frame_has_no_velocity():
    pose = poses(1)
    result = per_action([("sit", pose, pose), ("walk", poses(2), poses(2))])
    assert np.isnan(result["mpjve"]["sit"])
    assert result["mpjve"]["walk"] == 0


def test_protocols_two_and_three_remove_what_they_say():
    truth = poses(5)
    turned = torch.from_numpy(Rotation.random(rng=0).as_matrix()) @ (2 * truth + 1).mT
    result = per_action([("a", turned.mT, truth), ("b", 1.5 * truth + 3, truth)])
    assert result["p_mpjpe"] == pytest.approx({"a": 0, "b": 0}, abs=1e-6)
    assert result["n_mpjpe"]["b"] == pytest.approx(0, abs=1e-6)
    assert result["n_mpjpe"]["a"] > 100 and result["mpjpe"]["b"] > 100


def test_protocol_two_is_scipys_procrustes():
    truth = poses(3, 2)
    predicted = truth + 0.2 * poses(3, 1)  # near enough that SciPy has no reason to mirror the pose
    distances = []
    for x, y in zip(predicted.numpy(), truth.numpy()):
        theirs, mine, _ = procrustes(y, x)
        distances.append(np.linalg.norm(theirs - mine, axis=-1).mean() * np.linalg.norm(y - y.mean(0)) * 1000)
    result = per_action([("a", predicted, truth)])
    assert result["p_mpjpe"]["a"] == pytest.approx(np.mean(distances))


def test_actions_come_in_the_papers_order():
    names = ["Walking", "my dance", "Directions", "Eating"]
    result = per_action([(name, poses(2), poses(2)) for name in names])
    assert list(result["frames"]) == ["Directions", "Eating", "Walking", "my dance"]
    assert len(by_action.HUMAN36M) == 15


def test_evaluate_runs_the_model_on_every_recording_without_gradients():
    recordings = [SimpleNamespace(action="walk", keypoints=torch.randn(4, 17, 2), pose=poses(4))]
    seen = []

    def predict(keypoints):
        seen.append((tuple(keypoints.shape), torch.is_grad_enabled()))
        return off_by(recordings[0].pose, 0.017)

    assert average(evaluate(predict, recordings)) == pytest.approx(16)
    assert seen == [((4, 17, 2), False)]


def test_wrong_arguments_are_refused():
    good = poses(3)
    for clip, message in (
        (("walk", good[:2], good), "clip 0 .walk.*predict every frame"),
        (("walk", good[None], good[None]), r"expected \(T, 17, 3\)"),
        (("walk", good[:0], good[:0]), "T > 0"),
        (("walk", good[:, :16], good[:, :16]), "17"),
        (("walk", good * torch.nan, good), "clip 0 .walk.: predicted holds nan at frame 0, joint 0"),
        (("walk", good, good / 0), "truth holds (nan|-?inf) at frame 0"),
    ):
        with pytest.raises(ValueError, match=message):
            per_action([clip])
    with pytest.raises(ValueError, match="clips is empty"):
        per_action([])
    result = per_action([("walk", good, good)])
    with pytest.raises(ValueError, match="metric"):
        average(result, "mpjpe2")
