"""The quick way to adapt: equal to `adapt`, whatever was asked before, and fit to be captured as a CUDA graph."""

import copy
import threading

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import Adapter, adapt
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.metrics import mpjpe
from tutorial_lib.training import fit

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
each_device = pytest.mark.parametrize("device", DEVICES)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def lifter(frames=9, channels=16, seed=0, **options):
    torch.manual_seed(seed)
    return TemporalLifter(frames, channels, **options).eval()


def windows(count, frames=9, seed=0):
    generator = seeded(seed)
    pose = 0.3 * torch.randn(count, 17, 3, generator=generator)
    return Windows(0.5 * torch.randn(count, frames, 17, 2, generator=generator), pose - pose[:, :1])


def clip(seed=0, clips=1, frames=20):
    return 0.5 * torch.randn(clips, frames, 17, 2, generator=seeded(seed))


def there(part, device):
    return Windows(part.keypoints.to(device), part.pose.to(device)) if isinstance(part, Windows) else part.to(device)


ROUNDED = 5e-6
"""Metres: what single precision leaves of places some metres away, after a few steps."""


def agrees(found, model, support, video, truth=None, *, steps, rate, within=ROUNDED):
    """Whether `adapt` does the same: poses in metres, losses, errors and bones after every step."""

    def watch(adapted):
        pose = adapted.lift(video)
        return pose, 0.0 if truth is None else mpjpe(pose, truth.expand_as(pose)).item()

    expected = adapt(model, support, steps, rate=rate, watch=watch)
    poses = torch.stack([pose for pose, _ in expected.trajectory])
    assert found.poses.shape == poses.shape
    torch.testing.assert_close(found.poses, poses, atol=within, rtol=0)
    assert found.losses == pytest.approx(expected.losses, abs=within, rel=1e-5)
    assert found.bone == pytest.approx(expected.bone, rel=1e-4)
    if truth is not None:
        assert found.errors == pytest.approx([error for _, error in expected.trajectory], abs=within)


SUPPORTS = {
    "labels": lambda: (windows(20), clip(1)),
    "the video itself": lambda: (clip(1, clips=2), None),
    "another video": lambda: (clip(1, clips=2), clip(2, frames=30)),
    "without clips": lambda: (clip(1)[0], None),
}
FAMILIES = {
    "9 frames": lambda: lifter(),
    "3 frames, causal": lambda: lifter(3, causal=True),
    "absolute": lambda: lifter(root_relative=False),
    "training mode, dropout": lambda: lifter(dropout=0.5).train(),
}


# ------------------------------------------------------------------ equal to adapt
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", SUPPORTS)
@pytest.mark.parametrize("family", FAMILIES)
@each_device
def test_it_is_adapt(device, family, kind, padded):
    model = FAMILIES[family]().to(device)
    support, video = SUPPORTS[kind]()
    if isinstance(support, Windows):
        support = windows(20, frames=model.frames)
    support = there(support, device)
    video = support if video is None else video.to(device)
    truth = 0.3 * torch.randn(*video.shape[:-1], 3, generator=seeded(5)).to(device)
    rate, within = (0.05, 1e-6) if isinstance(support, Windows) else (0.005, 1e-6)
    found = Adapter(model, windows=32, padded=padded)(support, video, truth, steps=4, rate=rate)
    agrees(found, model, support, video, truth, steps=4, rate=rate, within=1e-4 if device == "cuda" else within)


@each_device
def test_one_adapter_takes_any_windows_steps_rate_and_order(device):
    """Nothing of an earlier call is left in a later one."""
    model = lifter().to(device)
    adapter = Adapter(model, windows=24, steps=6, padded=True)
    for seed, (count, steps, rate) in enumerate([(24, 6, 0.1), (1, 1, 0.01), (8, 0, 0.1), (23, 6, 0.02), (1, 5, 0.1)]):
        support, video = there(windows(count, seed=seed), device), clip(seed).to(device)
        found = adapter(support, video, steps=steps, rate=rate)
        agrees(found, model, support, video, steps=steps, rate=rate, within=1e-4 if device == "cuda" else ROUNDED)
        alone = adapter(video, video, steps=steps, rate=0.1 * rate)
        agrees(alone, model, video, video, steps=steps, rate=0.1 * rate, within=1e-4 if device == "cuda" else ROUNDED)


def test_single_frames_are_adapted_as_well():
    torch.manual_seed(0)
    model = SingleFrameLifter(16).eval()
    support, video = windows(12, frames=1), clip(1)
    agrees(Adapter(model, padded=True)(support, video, steps=3, rate=0.01), model, support, video, steps=3, rate=0.01)


def test_frozen_layers_stay_frozen():
    model = lifter()
    model.expand_conv.requires_grad_(False)
    support, video = windows(12), clip(1)
    agrees(Adapter(model)(support, video, steps=3, rate=0.05), model, support, video, steps=3, rate=0.05)
    with pytest.raises(ValueError, match="model has no parameter that requires a gradient"):
        Adapter(model.requires_grad_(False))


@each_device
def test_shipped_networks_agree_through_twenty_steps(device):
    for name in ("ours-9f", "ours-27f"):
        model = checkpoints.load(name, device)
        rate = checkpoints.record(name)["test_rates"]["labelled"]
        support, video = there(windows(64, frames=model.frames), device), clip(3, frames=81).to(device)
        found = Adapter(model)(support, video, steps=20, rate=rate)
        agrees(found, model, support, video, steps=20, rate=rate, within=1e-4)


# ------------------------------------------------------------------ what it leaves alone
@each_device
def test_the_model_the_random_numbers_and_the_grad_mode_stay(device):
    model = lifter(dropout=0.5).to(device).train()
    before = copy.deepcopy(model.state_dict())
    states = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if device == "cuda" else [])
    adapter = Adapter(model)
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            found = adapter(there(windows(4), device), clip().to(device), steps=2)
            assert not torch.is_grad_enabled()
    adapter(there(windows(4), device), clip().to(device), steps=2)
    after = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if device == "cuda" else [])
    assert all(torch.equal(*pair) for pair in zip(states, after))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and all(p.grad is None for p in model.parameters())
    assert torch.is_grad_enabled() and not found.poses.requires_grad


def test_poses_are_the_callers_own():
    adapter, video = Adapter(lifter()), clip()
    first = adapter(windows(4), video, steps=2)
    kept = first.poses.clone()
    adapter(windows(4, seed=9), clip(9), steps=2)
    assert torch.equal(first.poses, kept)


@each_device
def test_a_model_that_was_trained_meanwhile_is_adapted_as_it_is_now(device):
    model, support, video = lifter().to(device), there(windows(8), device), clip(1).to(device)
    adapter = Adapter(model)
    adapter(support, video, steps=2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.01)
        model.expand_bn.running_mean.add_(0.1)
    model.shrink.weight.data = model.shrink.weight.data * 1.5  # its memory is another now
    agrees(adapter(support, video, steps=2), model, support, video, steps=2, rate=0.1, within=1e-4)


@each_device
def test_it_can_be_used_while_a_cell_trains_the_model(device):
    model = lifter().to(device)
    support, video = there(windows(8), device), clip(1).to(device)
    done, wrong = threading.Event(), []

    def train():
        while not done.is_set():
            fit(model, lambda _: model.windows(support.keypoints).square().mean(), 20, progress=False)

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        adapter = Adapter(model)
        for _ in range(8):
            with MODEL_LOCK.announced():
                MODEL_LOCK.arrived()
                found = adapter(support, video, steps=2)
                try:
                    agrees(found, model, support, video, steps=2, rate=0.1, within=1e-4)
                except AssertionError as error:
                    wrong.append(error)
    finally:
        done.set()
        trainer.join(timeout=60)
    assert not trainer.is_alive() and not wrong


# ------------------------------------------------------------------ fit to be captured
class Reading(TorchDispatchMode):
    """Notes operations that read a tensor which was neither made on the way nor is kept, or that wait for a number."""

    WAITING = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "unique", "equal")

    def __init__(self, *kept):
        super().__init__()
        self.known, self.made = {t.untyped_storage().data_ptr() for t in kept}, []
        self.strange, self.operations = [], 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        read = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.numel()]
        if any(t.untyped_storage().data_ptr() not in self.known for t in read) or any(
            f".{name}." in f".{function}." for name in self.WAITING
        ):
            self.strange.append(str(function))
        result = function(*args, **(kwargs or {}))
        new = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        self.made += new  # none is freed before the end, so no place in memory means two tensors
        self.known |= {t.untyped_storage().data_ptr() for t in new}
        self.operations += 1
        return result


@pytest.mark.parametrize("kind", SUPPORTS)
def test_a_step_reads_only_what_lives_as_long_as_its_graph(kind):
    """A captured graph reads the same places for ever: what lies there must be kept by who keeps the graph. A list of
    joint numbers that is sent to the GPU, say, is not. Nor can a graph wait for a number."""
    adapter = Adapter(lifter(), windows=8, padded=True)
    support, video = SUPPORTS[kind]()
    support = windows(8) if isinstance(support, Windows) else support
    adapter(support, support if video is None else video, steps=1)
    (prepared,) = adapter._prepared.values()
    kept = [value for value in vars(prepared).values() if isinstance(value, torch.Tensor)]
    kept += [*prepared.network.parameters(), *prepared.network.buffers()]
    for update in (True, False):
        prepared.moment.zero_()
        with Reading(*kept) as reading:
            prepared.advance(update)
        assert reading.operations > 30 and reading.strange == []


def test_the_check_above_finds_what_it_looks_for():
    values, other = torch.randn(3, 17), torch.randn(17)
    for spoil in (lambda: values[:, [1, 2]].sum(), lambda: float(values.sum()), lambda: values + other):
        with Reading(values) as reading:
            spoil()
        assert reading.strange
    with Reading(values) as reading:
        (values[:, 1:3] * 2).sum()
    assert not reading.strange


@pytest.mark.cuda
def test_another_lens_rate_count_or_step_captures_nothing_anew(monkeypatch):
    model = lifter().cuda()
    adapter = Adapter(model, windows=16)
    adapter(there(windows(8), "cuda"), clip().cuda(), steps=2)
    captured = dict(adapter._prepared)
    monkeypatch.setattr(torch.cuda, "graph", None)
    for seed in range(5):
        adapter(there(windows(3 * seed + 1, seed=seed), "cuda"), clip(seed).cuda(), steps=seed, rate=0.01 * (seed + 1))
    assert adapter._prepared == captured


@pytest.mark.cuda
def test_memory_that_was_freed_after_the_capture_is_not_read():
    model, support, video = lifter().cuda(), windows(8), clip(1)
    adapter = Adapter(model)
    adapter(there(support, "cuda"), video.cuda(), steps=2)
    torch.cuda.empty_cache()
    rubbish = [torch.full((1 << 20,), float("nan"), device="cuda") for _ in range(64)]
    found = adapter(there(support, "cuda"), video.cuda(), steps=2)
    del rubbish
    agrees(found, model, there(support, "cuda"), video.cuda(), steps=2, rate=0.1, within=1e-4)


# ------------------------------------------------------------------ refusals
def spoiled():
    part = windows(4)
    part.keypoints[1, 2, 3, 0] = float("nan")
    return part


BAD = {
    "too many steps": (lambda: Adapter(lifter(), steps=3)(windows(4), clip(), steps=4), "steps is 4, expected"),
    "too many windows": (lambda: Adapter(lifter(), windows=3)(windows(4), clip()), "support holds 4 windows"),
    "no windows": (lambda: Adapter(lifter())(windows(0), clip()), "support is empty"),
    "made for none": (lambda: Adapter(lifter(), windows=0), "windows=0"),
    "NaN": (lambda: Adapter(lifter())(spoiled(), clip()), "support holds keypoints that are NaN"),
    "rate": (lambda: Adapter(lifter())(windows(4), clip(), rate=0), "rate is 0"),
    "explosion": (lambda: Adapter(lifter())(windows(4), clip(), rate=1e30), "loss is .* at step .: lower rate"),
    "another device": (lambda: Adapter(lifter())(windows(4), clip().to("meta")), "video on meta, expected cpu"),
    "another length": (lambda: Adapter(lifter())(windows(4, frames=3), clip()), "keypoints has 3 frames"),
    "poses of another count": (
        lambda: Adapter(lifter())(Windows(windows(4).keypoints, windows(3).pose), clip()),
        "keypoints of 4 windows and poses of 3",
    ),
    "truth of another length": (lambda: Adapter(lifter())(windows(4), clip(), torch.zeros(1, 19, 17, 3)), "truth has"),
}  # fmt: skip


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_after_a_refusal_the_next_call_is_right():
    model = lifter()
    adapter = Adapter(model, padded=True)
    with pytest.raises(ValueError):
        adapter(windows(4), clip(), rate=1e30)
    agrees(adapter(windows(6), clip(2), steps=2), model, windows(6), clip(2), steps=2, rate=0.1)
