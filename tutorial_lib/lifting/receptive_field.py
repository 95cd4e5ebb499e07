"""What a lifter sees: its receptive field, measured by gradients, and the connections that lead to one output.

Nothing here multiplies filter widths. `paths` builds on the network itself: with every weight the same positive
number and nothing for a ReLU to cut, the gradient of an output counts the ways from an input frame to it.
"""

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from tutorial_lib.lifting.protocol import Lifter


def paths(model: Lifter, margin: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """How many ways lead from every input frame to one output frame; residual connections are ways of their own.

    Args:
        model: a `TemporalLifter` or `SingleFrameLifter`; it stays as it is.
        margin: frames before and after the receptive field that are tried as well.

    Returns:
        frame: (F + 2 margin,) place of each input frame relative to the output's own.
        count: (F + 2 margin,) number of ways, double precision; zero: not seen.
    """
    plain = copy.deepcopy(model).double().eval()
    plain.root_relative = False  # equal outputs would cancel
    for module in plain.modules():
        if isinstance(module, (nn.Conv1d, nn.Linear)):
            nn.init.constant_(module.weight, 1 / module.weight.shape[1])
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_parameters()
            assert module.running_var is not None  # it tracks statistics
            module.running_var -= module.eps  # the norm adds it again: an exact identity
    clip = torch.ones(1, model.frames + 2 * margin, model.joints, 2, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(plain(clip)[0, margin, 0, 0], clip)
    own = margin + (model.frames - 1 if model.causal else model.frames // 2)
    return torch.arange(model.frames + 2 * margin) - own, gradient[0].sum((-1, -2)).round()


def support(model: Lifter, margin: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Which input frames one output frame depends on.

    Returns:
        frame: (F + 2 margin,) place relative to the output's own frame.
        seen: (F + 2 margin,) bool.
    """
    frame, count = paths(model, margin)
    return frame, count != 0


@dataclass(frozen=True)
class Layer:
    """One layer of the diagram.

    Attributes:
        width, dilation: of its filter, in frames.
        nodes: frames of its *output* that the one output pose needs, relative to that pose's frame.
        taps: (below, above) pairs of frames that its convolution connects.
        residuals: (below, above) pairs that its residual connection copies; none in the first layer.
    """

    width: int
    dilation: int
    nodes: tuple[int, ...]
    taps: tuple[tuple[int, int], ...]
    residuals: tuple[tuple[int, int], ...]


def connections(
    widths: Sequence[int], dilations: Sequence[int], causal: bool = False, most: int | None = None
) -> list[Layer]:
    """The network as it is drawn: from the input upwards, only what leads to the output at frame 0.

    Args:
        widths: as `TemporalLifter` has them.
        dilations: as `TemporalLifter` has them.
        causal: as `TemporalLifter` has it.
        most: at most so many nodes of a layer get lines, evenly chosen; None: all. The nodes are all there.
    """
    layers, needed = [], (0,)
    for index, (width, step) in reversed(list(enumerate(zip(widths, dilations)))):
        first = (1 - width) * step // (1 if causal else 2)
        offsets = [first + tap * step for tap in range(width)]
        skip = 1 if most is None else -(-len(needed) // most)
        drawn = needed[len(needed) // 2 % skip :: skip]
        taps = tuple((node + offset, node) for node, offset in itertools.product(drawn, offsets))
        residuals = tuple((node, node) for node in drawn) if index else ()
        layers.append(Layer(width, step, needed, taps, residuals))
        needed = tuple(sorted({node + offset for node in needed for offset in offsets}))
    return layers[::-1]
