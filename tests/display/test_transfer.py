"""What was computed on a device comes over at once, and as it was."""

import pytest
import torch

from tutorial_lib.display.transfer import fetch

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@pytest.mark.parametrize("device", DEVICES)
def test_everything_arrives_as_it_was(device):
    def some(*shape):
        return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(device)

    arrays = {
        "poses": some(2, 81, 17, 3).transpose(1, 2),
        "number": some(1)[0].requires_grad_(),
        "nothing": some(0, 3),
        "here": torch.arange(3),
        "pair": (some(4), [some(5).double(), some(2) > 0]),
        "text": "words",
        "scores": {"mm": 3.5, "none": None},
    }
    found = fetch(arrays)
    assert found["text"] == "words" and found["scores"] == arrays["scores"]
    flat = [found[k] for k in ("poses", "number", "nothing", "here")] + [found["pair"][0], *found["pair"][1]]
    given = [arrays[k] for k in ("poses", "number", "nothing", "here")] + [arrays["pair"][0], *arrays["pair"][1]]
    for one, other in zip(flat, given):
        assert one.device.type == "cpu" and one.dtype == other.dtype and not one.requires_grad
        assert one.shape == other.shape and torch.equal(one, other.cpu())
    assert type(found["pair"]) is tuple and type(found["pair"][1]) is list
    assert fetch({}) == {} and fetch(None) is None
