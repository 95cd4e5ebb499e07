"""VGG19 as far as relu3_2: read from a file of torchvision's names, computed as its layers say."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from tutorial_lib.templates import vgg
from tutorial_lib.templates.learning import reconstruction_loss

SHAPES = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256)}
"""torchvision's number of each convolution -> channels out and in."""


@pytest.fixture
def stored(tmp_path):
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for number, (outputs, inputs) in SHAPES.items():
        spread = (2 / (9 * inputs)) ** 0.5
        weights[f"features.{number}.weight"] = spread * torch.randn(outputs, inputs, 3, 3, generator=generator)
        weights[f"features.{number}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
    weights["classifier.0.weight"] = torch.zeros(2, 2)  # the rest of the file is not read
    path = tmp_path / "vgg19.pth"
    torch.save(weights, path)
    return path, weights


def test_features_equal_layers_written_out_with_scipy(stored):
    path, weights = stored
    photo = torch.rand(1, 3, 8, 8)
    x = ((photo[0] - torch.tensor(vgg.MEAN)[:, None, None]) / torch.tensor(vgg.SPREAD)[:, None, None]).double().numpy()
    for number in SHAPES:
        kernel, bias = (weights[f"features.{number}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        x = np.stack([correlate(padded, k, mode="valid")[0] + b for k, b in zip(kernel, bias)]).clip(0)
        if number in (2, 7):
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max((2, 4))
    np.testing.assert_allclose(vgg.load(path)(photo)[0].numpy(), x, rtol=1e-3, atol=1e-4)


def test_it_is_frozen_and_still_passes_slopes_to_the_picture(stored):
    network = vgg.load(stored[0])
    assert sum(p.numel() for p in network.parameters()) == sum(o * (9 * i + 1) for o, i in SHAPES.values())
    painted = torch.rand(1, 3, 16, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(reconstruction_loss(network, painted, torch.rand(1, 3, 16, 16)), painted)
    assert slope.abs().sum() > 0 and not any(p.requires_grad for p in network.parameters())


def test_another_file_is_refused_by_name(stored):
    path, weights = stored
    torch.save(weights | {"features.5.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"features\.5\.weight is missing or has another shape"):
        vgg.load(path)
