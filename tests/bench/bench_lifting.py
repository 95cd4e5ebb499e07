"""One training step of the lifter: windows as reshapes and linear layers, against strided convolutions.

The reference is the form in which VideoPose3D trains (its `TemporalModelOptimized1f`): the same weights, the same
optimiser, the same batch.
"""

import pytest
import torch
from torch import nn

from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe

BATCH, CHANNELS, DROPOUT = 128, 1024, 0.25


class Strided(nn.Module):
    def __init__(self, frames):
        super().__init__()
        blocks = {9: 1, 27: 2}[frames]
        wide = {"kernel_size": 3, "stride": 3, "bias": False}
        mix = {"kernel_size": 1, "bias": False}
        self.expand_conv, self.expand_bn = nn.Conv1d(34, CHANNELS, **wide), nn.BatchNorm1d(CHANNELS)
        self.layers_conv = nn.ModuleList([nn.Conv1d(CHANNELS, CHANNELS, **kind) for kind in [wide, mix] * blocks])
        self.layers_bn = nn.ModuleList([nn.BatchNorm1d(CHANNELS) for _ in range(2 * blocks)])
        self.shrink = nn.Conv1d(CHANNELS, 51, 1)
        self.after = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(DROPOUT))

    def forward(self, keypoints):
        x = keypoints.flatten(-2).transpose(1, 2)
        x = self.after(self.expand_bn(self.expand_conv(x)))
        for i in range(0, len(self.layers_conv), 2):
            kept = x[:, :, 1::3]
            x = self.after(self.layers_bn[i](self.layers_conv[i](x)))
            x = kept + self.after(self.layers_bn[i + 1](self.layers_conv[i + 1](x)))
        return self.shrink(x).reshape(-1, 17, 3)


def one_step(benchmark, model, forward, frames):
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.randn(BATCH, frames, 17, 2, generator=generator)
    target = torch.randn(BATCH, 17, 3, generator=generator)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)

    def step():
        optimiser.zero_grad(set_to_none=True)
        mpjpe(forward(keypoints), target).backward()
        optimiser.step()

    benchmark.pedantic(step, warmup_rounds=1, rounds=5)


@pytest.mark.parametrize("frames", [9, 27])
def test_windows(benchmark, frames):
    benchmark.group = f"lifter training step, {frames} frames, C = {CHANNELS}"
    torch.manual_seed(0)
    model = TemporalLifter(frames, CHANNELS, dropout=DROPOUT).train()
    one_step(benchmark, model, lambda x: model(x, mode="windows"), frames)


@pytest.mark.parametrize("frames", [9, 27])
def test_strided_convolution_reference(benchmark, frames):
    benchmark.group = f"lifter training step, {frames} frames, C = {CHANNELS}"
    torch.manual_seed(0)
    network = Strided(frames)
    network.load_state_dict(TemporalLifter(frames, CHANNELS).state_dict())
    one_step(benchmark, network.train(), network, frames)
