"""The single-frame baseline: 2D keypoints of one frame to its 3D pose (Martinez et al. 2017).

Linear layers only: nothing here knows of time. It is called like `lifting.TemporalLifter`, with a receptive field of
one frame, so that every comparison runs the same code.
"""

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.lifting.protocol import check_keypoints, layout_of
from tutorial_lib.lifting.temporal import in_chunks
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import JOINTS, Layout


class SingleFrameLifter(nn.Module):
    """2J numbers to C channels, two residual blocks of two layers, 3J numbers.

    Every hidden layer is Linear, batch norm, ReLU, dropout. The original also clips the norm of every weight matrix and
    standardises its inputs; both are left out here. Its batch norm adds 1e-3 to the variance, not 1e-5, which tells
    with such clipped weights: set `eps` of the norms before you load any.

    Args:
        channels: width C of every hidden layer; 1024 in the paper.
        joints: number of joints J that come in.
        dropout: probability; 0.5 in the paper.
        outputs: number of joints that go out, J by default.
        root_relative: as in `TemporalLifter`.
        layout: as in `TemporalLifter`.

    Raises:
        ValueError: channels, joints or outputs below 1, dropout outside [0, 1).
    """

    frames = 1
    causal = False

    def __init__(
        self, channels: int = 1024, joints: int = len(JOINTS), dropout: float = 0.5, *, outputs: int | None = None,
        root_relative: bool = True, layout: Layout = "human36m",
    ):  # fmt: skip
        super().__init__()
        self.layout = layout_of(layout, joints)
        self.channels, self.joints, self.dropout = channels, joints, dropout
        self.outputs = joints if outputs is None else outputs
        self.root_relative = root_relative and self.outputs > 1
        if channels < 1 or joints < 1 or self.outputs < 1:
            raise ValueError(f"channels={channels}, joints={joints}, outputs={outputs}: expected at least 1 of each")
        if not isinstance(root_relative, bool):
            raise ValueError(f"root_relative is {root_relative}, expected true or false")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}, expected a probability in [0, 1)")
        self.expand = nn.Linear(2 * joints, channels)
        self.expand_bn = nn.BatchNorm1d(channels)
        self.layers = nn.ModuleList([nn.Linear(channels, channels) for _ in range(4)])
        self.layers_bn = nn.ModuleList([nn.BatchNorm1d(channels) for _ in range(4)])
        self.shrink = nn.Linear(channels, 3 * self.outputs)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again, for use: without dropout."""
        return {
            "channels": self.channels, "joints": self.joints, "outputs": self.outputs,
            "root_relative": self.root_relative, "layout": self.layout, "dropout": 0.0,
        }  # fmt: skip

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Lift 2D keypoints, every frame for itself.

        Args:
            keypoints: (..., T, J, 2) normalised screen coordinates.

        Returns:
            (..., T, outputs, 3) metres, camera axes; joint 0 at the origin (see `root_relative`).

        Raises:
            ValueError: wrong joints, no frame, another dtype or device than the weights.
        """
        check_keypoints(keypoints, self.joints, self.shrink.weight)
        x = self._activate(self.expand(keypoints.reshape(-1, 2 * self.joints)), self.expand_bn)
        for block in (0, 2):
            kept = x
            for layer in (block, block + 1):
                x = self._activate(self.layers[layer](x), self.layers_bn[layer])
            x = kept + x
        pose = self.shrink(x).reshape(*keypoints.shape[:-2], self.outputs, 3)
        return root_relative(pose) if self.root_relative else pose

    def windows(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Windows of one frame (..., 1, J, 2) to poses (..., outputs, 3).

        Raises:
            ValueError: wrong joints, or windows of several frames.
        """
        if keypoints.ndim >= 3 and keypoints.shape[-3] != 1:
            raise ValueError(f"keypoints has {keypoints.shape[-3]} frames, windows have exactly 1")
        return self(keypoints)[..., 0, :, :]

    def _activate(self, x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
        return F.dropout(F.relu(norm(x)), self.dropout, self.training)

    def lift(self, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
        """Lift whole clips (..., T, J, 2) to as many poses (..., T, outputs, 3), at most `chunk` frames at once."""
        check_keypoints(keypoints, self.joints, self.shrink.weight)
        return in_chunks(self, keypoints, chunk)
