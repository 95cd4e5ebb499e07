"""Clips of any frame rate are lifted at that of the training, and answered at their own."""

import pytest
import torch

from tutorial_lib import checkpoints, motion
from tutorial_lib.datasets.videos import capture_videos
from tutorial_lib.lifting import TemporalLifter, lift_resampled, training_frames
from tutorial_lib.metrics import mpjpe, root_relative


class Echo:
    """Says what it sees, with a zero as depth, and remembers how many frames that were."""

    def lift(self, keypoints, chunk=None):
        self.frames = keypoints.shape[-3]
        return torch.nn.functional.pad(keypoints, (0, 1))


@pytest.mark.parametrize(
    "fps, seen", [(10, 41), (12.5, 33), (24, 17), (25, 17), (29.97, 14), (50, 9), (60, 7), (240, 2)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_straight_way_comes_back_as_it_was(fps, seen, dtype):
    way = torch.arange(9, dtype=dtype)[:, None, None] * torch.randn(2, 1, 17, 2, dtype=dtype)
    model = Echo()
    back = lift_resampled(model, way, fps)
    assert model.frames == seen == len(training_frames(9, fps))
    assert back.dtype == dtype and back.shape == (2, 9, 17, 3)
    # What lies beyond the last frame that was lifted, less than 20 ms, stands still.
    stands = torch.arange(9) > (seen - 1) * fps / 50 + 1e-6
    torch.testing.assert_close(back[:, ~stands, :, :2], way[:, ~stands], atol=1e-4, rtol=1e-5)
    assert torch.equal(back[:, stands], back[:, -1:].expand(-1, int(stands.sum()), -1, -1))


def test_at_the_rate_of_the_training_nothing_changes():
    torch.manual_seed(0)
    model = TemporalLifter(9, 8).eval()
    keypoints = torch.randn(20, 17, 2)
    with torch.no_grad():
        assert torch.equal(lift_resampled(model, keypoints, 50), model.lift(keypoints))
        assert lift_resampled(model, keypoints[:1], 10).shape == (1, 17, 3)  # a single picture
    for wrong in (keypoints[:0], keypoints[0], keypoints.long(), keypoints.numpy(), None):
        with pytest.raises(ValueError, match="keypoints (is|has)"):
            lift_resampled(model, wrong, 25)
        with pytest.raises(ValueError, match="keypoints (is|has)"):
            model.lift(wrong)
    for fps in (0, float("nan"), 1e9, 1e-6):
        with pytest.raises(ValueError, match="fps is"):
            lift_resampled(model, keypoints, fps)


def test_real_people_at_a_low_rate_are_lifted_as_well_as_at_the_rate_of_the_training(mocap_path):
    clips = [clip for clip in motion.load(mocap_path) if len(clip.positions) > 200][::50][:8]
    videos = capture_videos(clips, generator=torch.Generator().manual_seed(1), noise=0.0)
    model = checkpoints.load("temporal/lifter-27f").eval()

    def error(step, lift):
        with torch.no_grad():
            return (
                1000
                * torch.stack(
                    [mpjpe(root_relative(lift(v.keypoints[::step])), root_relative(v.pose[::step])) for v in videos]
                ).mean()
            )

    best = error(1, model.lift)
    for step, worse in ((5, 8.0), (2, 1.0)):
        assert error(step, model.lift) > best + worse
        assert error(step, lambda keypoints, step=step: lift_resampled(model, keypoints, 50 / step)) < best + 1.5
