"""Several networks adapt to one observation: who is shown, and what each of them sees."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tutorial_lib.adaptation import race
from tutorial_lib.adaptation.conventions import Convention, mounting
from tutorial_lib.adaptation.lens_test import ALONE, LABELLED, LensTest
from tutorial_lib.adaptation.lifters import self_supervised_loss
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe
from tutorial_lib.skeleton import JOINTS, bone_lengths

RATES = {LABELLED: 0.02, ALONE: 0.001}


def lifter(seed):
    torch.manual_seed(seed)
    return TemporalLifter(9, 8, dropout=0.0).eval()


@pytest.fixture(scope="module")
def lens_test():
    return LensTest(builtin_split(0), 0, clips=5, calibration_clips=4)


@pytest.fixture(scope="module")
def seen(lens_test):
    return lens_test.through(PRESETS["d1"], convention=Convention(mounting(torch.tensor(20.0), torch.tensor(-10.0))))


@pytest.fixture(scope="module")
def networks():
    return {
        "one": race.contestant(lifter(1), RATES),
        "other": race.contestant(lifter(2), {LABELLED: 0.05, ALONE: 0.002}),
    }


def by_hand(model, loss, rate, count):
    """The networks before and after every step of plain gradient descent, and the losses on the way."""
    model, models, losses = copy.deepcopy(model), [], []
    optimiser = torch.optim.SGD(model.parameters(), rate)
    for step in range(count + 1):
        models.append(copy.deepcopy(model))
        if step < count:
            optimiser.zero_grad()
            losses.append(loss(model))
            losses[-1].backward()
            optimiser.step()
    return models, [loss.item() for loss in losses]


@pytest.mark.parametrize("rate", [race.OWN, 0.01])
def test_with_labels_all_are_shown_the_same_windows_and_scored_on_all_clips(networks, seen, rate):
    outcome = race.race(networks, seen, 3, 17, windows=(9, 100, 323), count=2, rate=rate)
    support = seen.support(9, (9, 100, 323))
    assert list(outcome) == list(networks)
    for title, network in networks.items():
        models, losses = by_hand(
            network.adapter.model,
            lambda model: mpjpe(model.windows(support.keypoints), support.pose),
            rate or network.rates[LABELLED],
            2,
        )
        result = outcome[title]
        with torch.no_grad():
            poses = torch.stack([model.lift(seen.video) for model in models])
            size = [bone_lengths(model.windows(support.keypoints)).mean() for model in models]
        torch.testing.assert_close(result["poses"], poses[:, 3, 17], atol=1e-5, rtol=0)
        np.testing.assert_allclose(result["errors"], [1000 * mpjpe(pose, seen.truth) for pose in poses], rtol=1e-4)
        np.testing.assert_allclose(result["losses"], losses, rtol=1e-4)
        assert result["bone"] == pytest.approx((size[-1] / size[0]).item(), rel=1e-4)


def test_alone_a_network_sees_the_shown_clip_and_nothing_else(networks, seen):
    outcome = race.race(networks, seen, 3, 17, scenario=ALONE, windows=6, count=2)
    blank = torch.full_like(seen.video, torch.nan)
    blank[3] = seen.video[3]
    others = replace(
        seen, video=blank, recorded=seen.recorded * torch.nan, recorded_pose=seen.recorded_pose * torch.nan
    )
    without = race.race(networks, others, 3, 17, scenario=ALONE, windows=64, count=2)
    for title, network in networks.items():
        models, losses = by_hand(
            network.adapter.model,
            lambda model: self_supervised_loss(model.lift(seen.video[3:4])),
            network.rates[ALONE],
            2,
        )
        with torch.no_grad():
            poses = torch.stack([model.lift(seen.video[3]) for model in models])
        for result in (outcome[title], without[title]):
            torch.testing.assert_close(result["poses"], poses[:, 17], atol=1e-5, rtol=0)
            np.testing.assert_allclose(result["losses"], losses, rtol=1e-3)
            np.testing.assert_allclose(
                result["errors"], [1000 * mpjpe(pose, seen.truth[3]) for pose in poses], rtol=1e-4
            )


def test_a_race_leaves_the_networks_as_they_were(networks, seen):
    before = {title: copy.deepcopy(network.adapter.model.state_dict()) for title, network in networks.items()}
    first, again = (race.race(networks, seen, 0, 0, windows=3, count=3) for _ in range(2))
    for title, network in networks.items():
        assert all(torch.equal(value, before[title][key]) for key, value in network.adapter.model.state_dict().items())
        assert torch.equal(first[title]["poses"], again[title]["poses"])


# ------------------------------------------------------------------ who is shown first
class Off(torch.nn.Module):
    """A lifter that is wrong by as much as one says, clip by clip."""

    def __init__(self, truth, off):
        super().__init__()
        self.pose = truth.clone()
        self.pose[..., 1:, 0] += torch.as_tensor(off)[:, None, None]

    def lift(self, video):
        return self.pose


def leans(lens_test):
    """Degrees between trunk and vertical at the middle frame, clip by clip."""
    pose = lens_test.through(PRESETS["d2"]).truth[:, 40].double().numpy()
    trunk = pose[:, JOINTS.index("neck")] - pose[:, 0]
    return np.degrees(np.arccos(-trunk[:, 1] / np.linalg.norm(trunk, axis=-1)))


@pytest.fixture(scope="module")
def crowd():
    return LensTest(builtin_split(0), 0, clips=8, calibration_clips=1)


@pytest.mark.parametrize("seed", range(4))
def test_the_first_shown_stands_upright_and_is_of_median_error(crowd, seed):
    upright = [i for i, lean in enumerate(leans(crowd)) if lean < race.UPRIGHT]
    assert 2 < len(upright) < 8, "some bend"
    off = np.random.default_rng(seed).permutation(8) * 0.01 + 0.01
    clip = race.middling(crowd, Off(crowd.through(PRESETS["d2"]).truth, off))
    better, worse = ([i for i in upright if sign * (off[i] - off[clip]) < 0] for sign in (1, -1))
    assert clip in upright and len(better) - len(worse) in (0, 1)


def test_where_nobody_stands_upright_the_median_of_all_is_shown(crowd, monkeypatch):
    monkeypatch.setattr(race, "UPRIGHT", 0.0)
    off = 0.01 * torch.tensor([3, 1, 8, 5, 2, 7, 4, 6])
    assert race.middling(crowd, Off(crowd.through(PRESETS["d2"]).truth, off)) == 3
