"""What every lifter that ships with the course keeps, whichever lesson it belongs to."""

import pytest
import torch

from tutorial_lib import checkpoints

TEMPORAL = checkpoints.FOLDER / "temporal"
NAMES = checkpoints.names() + [f"temporal/{name}" for name in checkpoints.names(TEMPORAL)]


@pytest.mark.parametrize("name", NAMES)
def test_the_root_is_at_the_origin(name):
    model = checkpoints.load(name)
    clip = torch.rand(30, 17, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    assert (model.lift(clip)[:, 0] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_its_json_builds_it_again(name, tmp_path):
    model = checkpoints.load(name)
    checkpoints.save(model, "again", {}, tmp_path)
    again = checkpoints.load("again", folder=tmp_path)
    assert type(again) is type(model) and again.architecture == model.architecture
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in model.state_dict().items())
