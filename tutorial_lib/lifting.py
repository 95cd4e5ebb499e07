"""Temporal lifting: 2D keypoints over time to the 3D pose of the middle frame (VideoPose3D, Pavllo et al. 2019).

One set of weights, two ways to compute. The *sequence* mode slides the network over a clip with dilated
convolutions: every intermediate feature is used by many output frames. The *window* mode takes clips of exactly
the receptive field and gives one pose each. There the kernel of every convolution equals its stride, so three
neighbouring frames are laid side by side and multiplied once: a reshape and a linear layer.

Parameter names and shapes are those of VideoPose3D's `TemporalModel`, so its checkpoints load as they are.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.skeleton import JOINTS


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
    """VideoPose3D's network with filter width 3: 3, 9, 27, ... frames in, the middle (or last) frame's pose out.

    Args:
        frames: receptive field, a power of three.
        channels: width C of every hidden layer.
        joints: number of joints J, in and out.
        causal: if true, the output belongs to the last frame: no frame of the future is used.
        dropout: probability; 0.25 in the reference.

    Raises:
        ValueError: frames not a power of three, channels or joints below 1, dropout outside [0, 1).
    """

    def __init__(
        self,
        frames: int = 27,
        channels: int = 1024,
        joints: int = len(JOINTS),
        causal: bool = False,
        dropout: float = 0.25,
    ):
        super().__init__()
        levels = receptive_levels(frames)
        if channels < 1 or joints < 1:
            raise ValueError(f"channels={channels}, joints={joints}: expected at least 1 of each")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}, expected a probability in [0, 1)")
        self.frames, self.channels, self.joints, self.causal, self.dropout = frames, channels, joints, causal, dropout
        self.blocks = levels - 1
        self.expand_conv = nn.Conv1d(2 * joints, channels, 3, bias=False)
        self.expand_bn = nn.BatchNorm1d(channels, momentum=0.1)
        convolutions, norms = [], []
        for level in range(1, levels):
            convolutions.append(nn.Conv1d(channels, channels, 3, dilation=3**level, bias=False))
            convolutions.append(nn.Conv1d(channels, channels, 1, bias=False))
            norms += [nn.BatchNorm1d(channels, momentum=0.1), nn.BatchNorm1d(channels, momentum=0.1)]
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(norms)
        self.shrink = nn.Conv1d(channels, 3 * joints, 1)

    def forward(self, keypoints: torch.Tensor, mode: str = "sequence") -> torch.Tensor:
        """Lift 2D keypoints.

        Args:
            keypoints: (..., T, J, 2) normalised screen coordinates, T >= frames ("windows": T == frames).
            mode: "sequence" or "windows".

        Returns:
            "sequence": (..., T - frames + 1, J, 3); "windows": (..., J, 3). Metres, root-relative, camera axes.

        Raises:
            ValueError: wrong mode, joints, or too few frames.
        """
        if mode not in ("sequence", "windows"):
            raise ValueError(f"mode is {mode!r}, expected 'sequence' or 'windows'")
        if keypoints.ndim < 3 or keypoints.shape[-2:] != (self.joints, 2):
            raise ValueError(f"keypoints has shape {tuple(keypoints.shape)}, expected (..., T, {self.joints}, 2)")
        leading, length = keypoints.shape[:-3], keypoints.shape[-3]
        clips = math.prod(leading)
        if mode == "windows":
            if length != self.frames:
                raise ValueError(f"keypoints has {length} frames, windows have exactly {self.frames}")
            flat = keypoints.reshape(clips, length, 2 * self.joints)
            return self._windows(flat).reshape(*leading, self.joints, 3)
        if length < self.frames:
            raise ValueError(
                f"keypoints has {length} frames, the receptive field is {self.frames}: pad with lifting.pad_edges"
            )
        flat = keypoints.reshape(clips, length, 2 * self.joints).transpose(1, 2)
        return self._sequence(flat).transpose(1, 2).reshape(*leading, length - self.frames + 1, self.joints, 3)

    def _activate(self, x: torch.Tensor, norm: nn.BatchNorm1d) -> torch.Tensor:
        return F.dropout(F.relu(norm(x)), self.dropout, self.training)

    def _sequence(self, x: torch.Tensor) -> torch.Tensor:
        x = self._activate(self.expand_conv(x), self.expand_bn)
        for block in range(self.blocks):
            step = 3 ** (block + 1)
            start = 2 * step if self.causal else step
            kept = x[:, :, start : start + x.shape[2] - 2 * step]
            x = self._activate(self.layers_conv[2 * block](x), self.layers_bn[2 * block])
            x = kept + self._activate(self.layers_conv[2 * block + 1](x), self.layers_bn[2 * block + 1])
        return self.shrink(x)

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        x = self._activate(_by_three(x, self.expand_conv), self.expand_bn)
        for block in range(self.blocks):
            triples = x.reshape(-1, self.frames // 3 ** (block + 2), 3, self.channels)
            kept = triples[:, :, 2 if self.causal else 1].reshape(-1, self.channels)
            x = self._activate(_by_three(triples, self.layers_conv[2 * block]), self.layers_bn[2 * block])
            mixed = F.linear(x, self.layers_conv[2 * block + 1].weight[:, :, 0])
            x = kept + self._activate(mixed, self.layers_bn[2 * block + 1])
        return F.linear(x, self.shrink.weight[:, :, 0], self.shrink.bias)

    def lift(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Lift whole clips (..., T, J, 2) to as many poses (..., T, J, 3): the ends are padded with copies."""
        return self(pad_edges(keypoints, self.frames, self.causal))

    def load_videopose3d(self, state_dict: dict[str, torch.Tensor]) -> "TemporalLifter":
        """Take over the weights of a VideoPose3D model with filter widths 3,3,...

        Args:
            state_dict: names and shapes of the reference's `TemporalModel` or `TemporalModelOptimized1f`; the
                checkpoint's wrapper {"model_pos": ...} is opened.

        Returns:
            self.

        Raises:
            ValueError: missing or unknown names, shapes that do not fit this architecture.
        """
        state_dict = state_dict.get("model_pos", state_dict)
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
                "Check frames (3 per filter width), channels and joints"
            )
        self.load_state_dict({**own, **state_dict})
        return self


def _by_three(x: torch.Tensor, convolution: nn.Conv1d) -> torch.Tensor:
    """A width-3 convolution of stride 3 on channels-last frames: (..., 3n frames, Cin) to (rows, Cout)."""
    weight = convolution.weight
    matrix = weight.transpose(1, 2).reshape(weight.shape[0], -1)
    return F.linear(x.reshape(-1, matrix.shape[1]), matrix)


def pad_edges(keypoints: torch.Tensor, frames: int, causal: bool = False) -> torch.Tensor:
    """Repeat the first and last frame so that a clip (..., T, J, 2) gives T outputs (source: VideoPose3D)."""
    before, after = (frames - 1, 0) if causal else (frames // 2, frames // 2)
    first, last = keypoints[..., :1, :, :], keypoints[..., -1:, :, :]
    grow = [-1] * (keypoints.ndim - 3)
    return torch.cat([first.expand(*grow, before, -1, -1), keypoints, last.expand(*grow, after, -1, -1)], dim=-3)


def count_parameters(model: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters())


def flops_per_frame(model: TemporalLifter) -> int:
    """Multiply-adds times two for one more output frame of a running sequence (the papers' convention).

    Every layer runs once a frame because dilated features are reused; norms and biases are not counted.
    """
    return 2 * sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv1d))
