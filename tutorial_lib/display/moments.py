"""A control whose value is a choice of moments: the clips of a recording stand along a strip, a click takes a moment.

It is a control of `live` like a slider, and a picture at once: `live` puts it right above the stage, and the still of a
demo shows it too.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.axes import Axes

from tutorial_lib.display import stage
from tutorial_lib.display.figures import COLOURS, STROKES, Values
from tutorial_lib.skeleton import JOINTS

ASPECT = 0.6
"""Width / height of the box of one clip, in which its poses are drawn as large as they all fit."""


class Moments(anywidget.AnyWidget):
    """The widget; see `moments`.

    Attributes:
        value: the chosen moments, rising: frame numbers of the whole recording, one clip after the other.
        count: of all moments.
    """

    _esm = stage.script("moments.js")
    _css = stage.Stage._css
    value = traitlets.Tuple().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    recording = traitlets.Dict().tag(sync=True)

    def __init__(self, recording: dict[str, Any], value: Iterable[int], **kwargs: Any):
        self.count, self.most = recording["poses"]["shape"][0], recording["most"]
        super().__init__(recording=recording, value=tuple(value), **kwargs)

    @traitlets.validate("value")
    def _checked(self, proposal: Any) -> tuple[int, ...]:
        if wrong := self.refusal(proposal["value"]):
            raise ValueError(f"value is {proposal['value']!r}, expected {wrong}")
        return tuple(sorted(int(moment) for moment in proposal["value"]))

    def refusal(self, value: Any) -> str:
        """What is expected, if `value` is no choice of moments; else nothing."""
        fine = (
            isinstance(value, (tuple, list))
            and all(isinstance(moment, (int, np.integer)) and 0 <= moment < self.count for moment in value)
            and len(set(value)) == len(value) <= self.most
        )
        return "" if fine else f"at most {self.most} different whole numbers from 0 to {self.count - 1}"

    def readout(self, value: Sequence[int] | None = None) -> str:
        """What a caption says of a value, by default of the present one."""
        value = self.value if value is None else value
        return str(len(value)) if value else "none"

    def paint(self, ax: Axes) -> None:
        """The strip where nothing runs, on axes that are as wide as the page."""
        poses, clips = stage.unpack(self.recording["poses"]), len(self.recording["names"])
        length = self.count // clips
        for clip in range(clips):
            chosen = [moment for moment in self.value if moment // length == clip]
            pose = poses[chosen[0] if chosen else clip * length + length // 2] / (2, 2) + (0, 0.5)
            for stroke in STROKES.values():
                path = np.where(np.array(stroke)[:, None] < 0, np.nan, pose[list(stroke)])
                x, y = path.T
                ax.plot(clip + 0.5 + x / ASPECT, y, color=COLOURS["ink" if chosen else "grey"], linewidth=0.8)
        ax.vlines(np.arange(clips + 1), 0, 1.3, color="#DDDDDD", linewidth=0.7)
        places = (np.array(self.value, dtype=float) + 0.5) / length
        ax.plot(places, np.full(len(places), 1.18), "^", color=COLOURS["blue"], markersize=4, clip_on=False)
        ax.set(xlim=(0, clips), ylim=(1.3, -0.05))
        ax.set_axis_off()


def moments(
    poses: Values,
    value: Iterable[int] = (),
    label: str = "",
    *,
    names: Sequence[str] | None = None,
    fps: float = 50.0,
    most: int | None = None,
) -> Moments:
    """A control that chooses moments of a recording: click or tap one, or go there with the arrow keys and press space.

    Args:
        poses: (clips, frames, 17, 2) 2D skeletons, y down, in any unit; every clip is drawn at a scale of its own.
        value: chosen at first: frame numbers of the whole recording, frame f of clip c is c * frames + f.
        label: what is chosen.
        names: of the clips; by default their numbers.
        fps: frames per second.
        most: moments that can be chosen at a time; by default all.

    Raises:
        ValueError: poses of another shape, not one name a clip, a value that names no moments.
    """
    array = stage.finite("poses", poses)
    if array.ndim != 4 or array.shape[2:] != (len(JOINTS), 2) or 0 in array.shape:
        raise ValueError(f"poses has shape {array.shape}, expected (clips, frames, {len(JOINTS)}, 2)")
    clips, frames = array.shape[:2]
    names = [f"clip {clip + 1}" for clip in range(clips)] if names is None else list(names)
    if len(names) != clips:
        raise ValueError(f"names has {len(names)} entries, expected {clips}: one a clip")
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is {fps}, expected a finite number above 0")
    recording = {
        "poses": stage.pack(_fitted(array).reshape(-1, *array.shape[2:])), "names": names, "fps": float(fps),
        "most": clips * frames if most is None else int(most), "aspect": ASPECT, "bones": stage.BONE_SIDES,
    }  # fmt: skip
    return Moments(recording, value, description=label)


def _fitted(poses: np.ndarray) -> np.ndarray:
    """Every clip in a box of `ASPECT`, y from -1 to 1: the root in the middle of the width, the floor where it was."""
    poses = poses - np.concatenate([poses[:, :, :1, :1], np.zeros_like(poses[:, :, :1, :1])], -1)
    heights = poses[..., 1]
    low, high = heights.min((1, 2), keepdims=True), heights.max((1, 2), keepdims=True)
    poses = poses - np.stack([np.zeros_like(low), (low + high) / 2], -1)
    wide = np.abs(poses[..., 0]).max((1, 2), keepdims=True) / ASPECT
    return poses / np.maximum(np.maximum((high - low) / 2, wide), 1e-9)[..., None]
