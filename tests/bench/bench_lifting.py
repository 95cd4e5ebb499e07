"""The lifter's two forms against the convolutions that VideoPose3D uses: same weights, same data, same run.

Training: windows as reshapes and linear layers and the optimiser of `training.fit`, against strided convolutions (its
`TemporalModelOptimized1f`) and the optimiser as its `run.py` calls it. "Products alone" are the bare matrix products of
our step, which no way of writing it can save: with 243 frames 416 ms of 501, where the reference takes 745. A product
runs at 85 of the 100 Gflop/s that a core reached there at best. Drawing the dropout takes half of the rest.
Inference: whole clips in sequence mode, against dilated convolutions and against a window for every frame. The peak
memory of long clips is measured in fresh processes and stands in the JSON's `extra_info`, in MiB.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from tutorial_lib.lifting import TemporalLifter, pad_edges
from tutorial_lib.metrics import mpjpe_loss

# Processor time: with one thread (see conftest.py) it says what the wall clock says on a machine that is not shared.
pytestmark = pytest.mark.benchmark(timer=time.process_time)

CHANNELS, DROPOUT = 1024, 0.25
BATCH = {9: 128, 27: 128, 243: 32}
CLIP = 500
BLOCKS = {9: 1, 27: 2, 243: 4}
STATUS = Path("/proc/self/status")  # Linux: getrusage would report the parent's peak as the child's own
PEAK = """
import sys, torch
from tutorial_lib.lifting import TemporalLifter
torch.set_num_threads(1)
frames, length, chunk = map(int, sys.argv[1:])
model, clip = TemporalLifter(frames).eval(), torch.zeros(length, 17, 2)
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
with torch.no_grad():
    model.lift(clip, chunk or None)
print((peak() - before) / 1024)
"""


class Reference(nn.Module):
    """VideoPose3D's network in convolutions: strided (windows in, one pose each) or dilated (sequences)."""

    def __init__(self, frames, strided):
        super().__init__()
        self.strided = strided

        def wide(inputs, level):
            how = {"stride": 3} if strided else {"dilation": 3**level}
            return nn.Conv1d(inputs, CHANNELS, 3, bias=False, **how)

        self.expand_conv, self.expand_bn = wide(34, 0), nn.BatchNorm1d(CHANNELS)
        pairs = [(wide(CHANNELS, b + 1), nn.Conv1d(CHANNELS, CHANNELS, 1, bias=False)) for b in range(BLOCKS[frames])]
        self.layers_conv = nn.ModuleList([layer for pair in pairs for layer in pair])
        self.layers_bn = nn.ModuleList([nn.BatchNorm1d(CHANNELS) for _ in self.layers_conv])
        self.shrink = nn.Conv1d(CHANNELS, 51, 1)
        self.after = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(DROPOUT))

    def forward(self, keypoints):
        x = keypoints.flatten(-2).transpose(1, 2)
        x = self.after(self.expand_bn(self.expand_conv(x)))
        for i in range(0, len(self.layers_conv), 2):
            pad = 3 ** (i // 2 + 1)
            kept = x[:, :, 1::3] if self.strided else x[:, :, pad:-pad]
            x = self.after(self.layers_bn[i](self.layers_conv[i](x)))
            x = kept + self.after(self.layers_bn[i + 1](self.layers_conv[i + 1](x)))
        return self.shrink(x).transpose(1, 2).unflatten(-1, (17, 3))


def lifter(frames):
    torch.manual_seed(0)
    return TemporalLifter(frames, CHANNELS, dropout=DROPOUT, root_relative=False)  # as the reference


def reference(frames, strided):
    network = Reference(frames, strided)
    network.load_state_dict(lifter(frames).state_dict())
    return network


# ------------------------------------------------------------------ training
def training_group(frames):
    return f"lifter training step, {frames} frames, C = {CHANNELS}, batch {BATCH[frames]}"


def one_step(benchmark, model, forward, frames, **optimiser):
    benchmark.group = training_group(frames)
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.randn(BATCH[frames], frames, 17, 2, generator=generator)
    target = torch.randn(BATCH[frames], 17, 3, generator=generator)
    adam = torch.optim.Adam(model.train().parameters(), lr=1e-3, amsgrad=True, **optimiser)

    def step():
        adam.zero_grad(set_to_none=True)
        mpjpe_loss(forward(keypoints), target).backward()
        adam.step()

    benchmark.pedantic(step, warmup_rounds=1, rounds=5)


@pytest.mark.parametrize("frames", BATCH)
def test_windows(benchmark, frames):
    model = lifter(frames)
    one_step(benchmark, model, lambda x: model.windows(x), frames, fused=True)


@pytest.mark.parametrize("frames", BATCH)
def test_strided_convolution_reference(benchmark, frames):
    network = reference(frames, strided=True)
    one_step(benchmark, network, lambda x: network(x)[:, 0], frames)


@pytest.mark.parametrize("frames", BATCH)
def test_products_alone(benchmark, frames):
    benchmark.group = training_group(frames)
    rows, products = BATCH[frames] * frames, []
    for layer in (m for m in lifter(frames).modules() if isinstance(m, nn.Conv1d)):
        outs, ins, width = layer.weight.shape
        rows //= width
        products.append((torch.randn(rows, ins * width), torch.randn(outs, ins * width), torch.randn(rows, outs)))

    def multiply():
        for i, (x, weight, slope) in enumerate(products):
            x @ weight.T, slope.T @ x, slope @ weight if i else None  # the keypoints themselves have no gradient

    benchmark.pedantic(multiply, warmup_rounds=1, rounds=5)


# ------------------------------------------------------------------ inference
def whole_clip(benchmark, frames, lift, rounds=5):
    """Run `lift` on a clip and compare with the poses of the dilated reference."""
    benchmark.group = f"lift {CLIP} frames, {frames} seen, C = {CHANNELS}"
    clip = torch.randn(CLIP, 17, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        poses = benchmark.pedantic(lambda: lift(clip), warmup_rounds=1, rounds=rounds)
        expected = reference(frames, strided=False).eval()(pad_edges(clip, frames)[None])[0]
    torch.testing.assert_close(poses, expected, atol=1e-4, rtol=0)
    if benchmark.stats is not None:  # None: benchmarks are switched off
        benchmark.extra_info["frames_per_second"] = round(CLIP / benchmark.stats.stats.median)


@pytest.mark.parametrize("frames", [27, 243])
def test_sequence(benchmark, frames):
    model = lifter(frames).eval()
    whole_clip(benchmark, frames, model.lift)


@pytest.mark.parametrize("frames", [27, 243])
def test_dilated_convolution_reference(benchmark, frames):
    network = reference(frames, strided=False).eval()
    whole_clip(benchmark, frames, lambda clip: network(pad_edges(clip, frames)[None])[0])


@pytest.mark.parametrize("frames", [27, 243])
def test_one_window_a_frame(benchmark, frames):
    model = lifter(frames).eval()

    def lift(clip):
        windows = pad_edges(clip, frames).unfold(0, frames, 1).permute(0, 3, 1, 2)
        return torch.cat([model.windows(part) for part in windows.split(100)])

    whole_clip(benchmark, frames, lift, rounds=2)


# ------------------------------------------------------------------ memory
@pytest.mark.parametrize("chunk", [None, 1000], ids=["at_once", "in_chunks"])
def test_memory_of_long_clips(benchmark, chunk):
    """Ten minutes at 50 Hz are 30,000 frames; as 27-frame windows the first layer alone would hold 1.1 GB."""
    benchmark.group = f"lift 3000 frames, 27 seen, C = {CHANNELS}: at once or in chunks"
    benchmark.extra_info["reference"] = chunk is None
    model, clip = lifter(27).eval(), torch.zeros(3000, 17, 2)
    with torch.no_grad():
        benchmark.pedantic(lambda: model.lift(clip, chunk), warmup_rounds=1, rounds=3)
    lengths = (3_000,) if benchmark.disabled else (3_000, 30_000)
    for length in lengths if STATUS.exists() else ():
        command = [sys.executable, "-c", PEAK, "27", str(length), str(chunk or 0)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        benchmark.extra_info[f"peak_mib_{length}"] = round(float(told.stdout))
