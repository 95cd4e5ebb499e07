"""Temporal lifting: 2D keypoints over time to the 3D pose of the middle frame (VideoPose3D, Pavllo et al. 2019).

One set of weights, two ways to compute. Called on a *sequence*, the network slides over it with dilated convolutions:
every intermediate feature is used by many output frames. Its `windows` takes clips of exactly the receptive field and
gives one pose each. There the kernel of every convolution equals its stride, so neighbouring frames are laid side by
side and multiplied once: a reshape and a linear layer.

Parameter names and shapes are those of VideoPose3D's `TemporalModel`, so its checkpoints load as they are.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.lifting.protocol import Lifter, check_keypoints, layout_of
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import JOINTS, Layout


def receptive_levels(frames: int) -> int:
    """n for a receptive field of 3^n frames.

    Raises:
        ValueError: `frames` is not 3, 9, 27, 81, 243, ...
    """
    levels, field = 0, 1
    while field < frames:
        levels, field = levels + 1, field * 3
    if field != frames or levels < 1:
        raise ValueError(f"frames is {frames}, expected a power of three: 3, 9, 27, 81 or 243")
    return levels


class TemporalLifter(nn.Module):
    """VideoPose3D's network: a convolution over time, residual blocks above it, the middle (or last) frame's pose out.

    Args:
        frames: receptive field F for filters of width 3, a power of three; 27 if neither this nor `widths` is given.
        channels: width C of every hidden layer.
        joints: number of joints J that come in.
        causal: if true, the output belongs to the last frame: no frame of the future is used.
        dropout: probability; 0.25 in the reference.
        widths: filter width of every layer, odd, instead of `frames`. F is their product.
        outputs: number of joints that go out, J by default. VideoPose3D's trajectory network has one, the root.
        dilated: false for ordinary convolutions: F then grows by w - 1 a layer, and no further. The reference's
            ablation `dense=True` is `widths=(3, 7, 19), dilated=False`.
        root_relative: joint 0 of every pose is exactly at the origin. Losses on root-relative poses say nothing about
            where a network puts the whole body, so it would be anywhere. False leaves it there, as VideoPose3D does.
            A network with one output has no root to subtract: it is one.
        layout: of the keypoints that come in: "coco" for a network that was trained on COCO's, such as VideoPose3D's
            for videos in the wild. It is kept in the checkpoint; poses are in Human3.6M's order whatever comes in.

    Attributes:
        frames, widths, dilations: F and, per layer, filter width and distance of the taps in frames.

    Raises:
        ValueError: frames not a power of three or not the widths' F, even widths, channels, joints or outputs below
            1, dropout outside [0, 1).
    """

    def __init__(
        self, frames: int | None = None, channels: int = 1024, joints: int = len(JOINTS), causal: bool = False,
        dropout: float = 0.25, *, widths: Sequence[int] | None = None, outputs: int | None = None, dilated: bool = True,
        root_relative: bool = True, layout: Layout = "human36m",
    ):  # fmt: skip
        super().__init__()
        self.layout = layout_of(layout, joints)
        if widths is None:
            widths = (3,) * receptive_levels(27 if frames is None else frames)
        self.widths, self.dilated = tuple(widths), dilated
        self.outputs = joints if outputs is None else outputs
        self.root_relative = root_relative and self.outputs > 1
        if not self.widths or any(width < 1 or width % 2 == 0 for width in self.widths):
            raise ValueError(f"widths is {widths}, expected one odd number a layer, such as (3, 3, 3)")
        if channels < 1 or joints < 1 or self.outputs < 1:
            raise ValueError(f"channels={channels}, joints={joints}, outputs={outputs}: expected at least 1 of each")
        if not all(isinstance(choice, bool) for choice in (causal, dilated, root_relative)):
            raise ValueError(
                f"causal={causal}, dilated={dilated}, root_relative={root_relative}: expected true or false"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}, expected a probability in [0, 1)")
        self.dilations = tuple(math.prod(self.widths[:i]) if dilated else 1 for i in range(len(self.widths)))
        self.frames = 1 + sum((width - 1) * step for width, step in zip(self.widths, self.dilations))
        if frames not in (None, self.frames):
            raise ValueError(f"frames is {frames}, but widths {self.widths} see {self.frames}: give one of the two")
        self.channels, self.joints, self.causal, self.dropout = channels, joints, causal, dropout
        self.expand_conv = nn.Conv1d(2 * joints, channels, self.widths[0], bias=False)
        self.expand_bn = nn.BatchNorm1d(channels, momentum=0.1)
        convolutions, norms = [], []
        for width, step in zip(self.widths[1:], self.dilations[1:]):
            convolutions.append(nn.Conv1d(channels, channels, width, dilation=step, bias=False))
            convolutions.append(nn.Conv1d(channels, channels, 1, bias=False))
            norms += [nn.BatchNorm1d(channels, momentum=0.1), nn.BatchNorm1d(channels, momentum=0.1)]
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(norms)
        self.shrink = nn.Conv1d(channels, 3 * self.outputs, 1)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again, for use: without dropout."""
        return {
            "widths": list(self.widths), "channels": self.channels, "joints": self.joints, "causal": self.causal,
            "outputs": self.outputs, "dilated": self.dilated, "root_relative": self.root_relative,
            "layout": self.layout, "dropout": 0.0,
        }  # fmt: skip

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Lift the frames of sequences that have all their neighbours.

        Args:
            keypoints: (..., T, J, 2) normalised screen coordinates, T >= frames.

        Returns:
            (..., T - frames + 1, outputs, 3) metres, camera axes; joint 0 at the origin (see `root_relative`).

        Raises:
            ValueError: wrong joints, too few frames, another dtype or device than the weights.
        """
        check_keypoints(keypoints, self.joints, self.shrink.weight)
        leading, length = keypoints.shape[:-3], keypoints.shape[-3]
        if length < self.frames:
            raise ValueError(
                f"keypoints has {length} frames, the receptive field is {self.frames}: pad with lifting.pad_edges"
            )
        flat = keypoints.reshape(math.prod(leading), length, 2 * self.joints).transpose(1, 2)
        return self._poses(self._sequence(flat).transpose(1, 2), (*leading, length - self.frames + 1))

    def windows(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Lift one frame of each window: the middle one, or the last one of a causal network.

        Args:
            keypoints: (..., frames, J, 2) normalised screen coordinates.

        Returns:
            (..., outputs, 3), as `forward` gives them.

        Raises:
            ValueError: wrong joints, windows of another length, another dtype or device than the weights.
        """
        check_keypoints(keypoints, self.joints, self.shrink.weight)
        leading, length = keypoints.shape[:-3], keypoints.shape[-3]
        if length != self.frames:
            raise ValueError(f"keypoints has {length} frames, windows have exactly {self.frames}")
        flat = keypoints.reshape(math.prod(leading), length, 2 * self.joints)
        # Without dilation the windows overlap inside the network: no stride would do.
        out = self._windows(flat) if self.dilated else self._sequence(flat.transpose(1, 2))
        return self._poses(out, leading)

    def _poses(self, numbers: torch.Tensor, leading: Sequence[int]) -> torch.Tensor:
        pose = numbers.reshape(*leading, self.outputs, 3)
        return root_relative(pose) if self.root_relative else pose

    def _activate(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(F.relu(x), self.dropout, self.training)

    def _sequence(self, x: torch.Tensor) -> torch.Tensor:
        x = self._activate(self.expand_bn(self.expand_conv(x)))
        for block, (width, step) in enumerate(zip(self.widths[1:], self.dilations[1:])):
            lost = (width - 1) * step
            start = lost if self.causal else lost // 2
            kept = x[:, :, start : start + x.shape[2] - lost]
            x = self._activate(self.layers_bn[2 * block](self.layers_conv[2 * block](x)))
            x = kept + self._activate(self.layers_bn[2 * block + 1](self.layers_conv[2 * block + 1](x)))
        return self.shrink(x)

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        x = self._activate(_normed(_side_by_side(x, self.expand_conv), self.expand_bn))
        for block, width in enumerate(self.widths[1:]):
            groups = x.reshape(-1, width, self.channels)
            kept = groups[:, width - 1 if self.causal else width // 2]
            x = _side_by_side(groups, self.layers_conv[2 * block])
            x = self._activate(_normed(x, self.layers_bn[2 * block]))
            mixed = _side_by_side(x, self.layers_conv[2 * block + 1])
            x = kept + self._activate(_normed(mixed, self.layers_bn[2 * block + 1]))
        return _side_by_side(x, self.shrink)

    def lift(self, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
        """Lift whole clips (..., T, J, 2) to as many poses (..., T, outputs, 3): the ends are padded with copies.

        Args:
            keypoints: normalised screen coordinates.
            chunk: at most so many poses at once, which bounds the memory of a long clip; each chunk computes F - 1
                frames of features again. In eval mode the poses are the same.
        """
        check_keypoints(keypoints, self.joints, self.shrink.weight)
        return in_chunks(self, pad_edges(keypoints, self.frames, self.causal), chunk)

    def load_videopose3d(self, state_dict: dict[str, Any]) -> "TemporalLifter":
        """Take over the weights of a VideoPose3D model with the same filter widths; the output is then that model's.

        VideoPose3D trains the root towards the origin and never moves it there, so `root_relative` becomes false.

        Args:
            state_dict: names and shapes of the reference's `TemporalModel` or `TemporalModelOptimized1f`, or its whole
                checkpoint: of {"model_pos": ..., "model_traj": ...} the network with one output takes the second. The
                file holds numpy's random state, so reading it wants `torch.load(path, weights_only=False)`, which
                runs whatever code its author put in. It does not say which joints it was trained on: `layout` does.

        Returns:
            self.

        Raises:
            ValueError: missing or unknown names, shapes that do not fit this architecture.
        """
        state_dict = state_dict.get("model_traj" if self.outputs == 1 else "model_pos", state_dict)
        own = self.state_dict()
        counters = {name for name in own if name.endswith("num_batches_tracked")}
        missing = sorted(set(own) - set(state_dict) - counters)
        unknown = sorted(set(state_dict) - set(own))
        wrong = [
            f"{name}: {tuple(state_dict[name].shape)} instead of {tuple(own[name].shape)}"
            for name in own
            if name in state_dict and state_dict[name].shape != own[name].shape
        ]
        if missing or unknown or wrong:
            raise ValueError(
                f"state_dict does not fit a {self.frames}-frame lifter of {self.channels} channels: "
                f"missing {missing[:4]}, unknown {unknown[:4]}, wrong shapes {wrong[:4]}. "
                "Check widths (or frames), channels, joints and outputs"
            )
        self.load_state_dict({**own, **state_dict})
        self.root_relative = False
        return self


class WindowForm(nn.Module):
    """A lifter whose call is `windows`: `torch.func.functional_call` and its like call modules, not methods."""

    def __init__(self, lifter: Lifter):
        super().__init__()
        self.lifter = lifter

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """As the lifter's `windows`."""
        return self.lifter.windows(keypoints)


def _side_by_side(x: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    """A convolution whose stride is its width, on channels-last frames: (..., n width frames, Cin) to (rows, Cout).

    Frames come tap by tap, weights channel by channel: the smaller of the two is laid out as the other.
    """
    convolution = cast(nn.Conv1d, layer)
    weight, (channels, width) = convolution.weight, convolution.weight.shape[1:]
    rows = x.reshape(-1, width, channels)
    if len(rows) < len(weight):
        rows = rows.transpose(1, 2)
    else:
        weight = weight.transpose(1, 2)
    return F.linear(rows.flatten(1), weight.flatten(1), convolution.bias)


def _normed(rows: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    """Batch norm of (rows, C). With fixed statistics it is a factor and a shift: MAML differentiates those faster."""
    norm = cast(nn.BatchNorm1d, layer)
    if norm.training:
        return norm(rows)
    factor = norm.weight * torch.rsqrt(cast(torch.Tensor, norm.running_var) + norm.eps)
    return torch.addcmul(norm.bias - cast(torch.Tensor, norm.running_mean) * factor, rows, factor)


def pad_edges(keypoints: torch.Tensor, frames: int, causal: bool = False) -> torch.Tensor:
    """Repeat the first and last frame so that a clip (..., T, J, 2) gives T outputs (source: VideoPose3D).

    Raises:
        ValueError: no frame to repeat.
    """
    if keypoints.ndim < 3 or keypoints.shape[-3] == 0:
        raise ValueError(f"keypoints has shape {tuple(keypoints.shape)}, expected (..., T, J, 2) of at least one frame")
    before, after = (frames - 1, 0) if causal else (frames // 2, frames // 2)
    first, last = keypoints[..., :1, :, :], keypoints[..., -1:, :, :]
    grow = [-1] * (keypoints.ndim - 3)
    return torch.cat([first.expand(*grow, before, -1, -1), keypoints, last.expand(*grow, after, -1, -1)], dim=-3)


def in_chunks(model: Lifter, keypoints: torch.Tensor, chunk: int | None) -> torch.Tensor:
    """`model(keypoints)` for (..., T, J, 2), at most `chunk` output frames at a time (None: all at once).

    Raises:
        ValueError: chunk below 1; what the model refuses.
    """
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk is {chunk}, expected at least 1 frame, or None for all at once")
    count = keypoints.shape[-3] - model.frames + 1
    if chunk is None or count <= chunk:
        return model(keypoints)
    ends = [(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    return torch.cat([model(keypoints[..., low : high + model.frames - 1, :, :]) for low, high in ends], dim=-3)


def count_parameters(model: Lifter) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters())


def flops_per_frame(model: Lifter) -> int:
    """Multiply-adds times two for one more output frame of a running sequence (the papers' convention).

    Every layer runs once a frame because dilated features are reused; norms and biases are not counted.
    """
    return 2 * sum(m.weight.numel() for m in model.modules() if isinstance(m, (nn.Conv1d, nn.Linear)))
