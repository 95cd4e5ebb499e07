"""The first live demo of lesson 11: the student hunts, against the clock, for a pose that lesson 04's lifter gets
wrong."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets
import torch

from tutorial_lib import checkpoints
from tutorial_lib.body_model import body
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.lessons.stress_testing.recipes import THRESHOLD
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import AXES, simulator
from tutorial_lib.stress_testing.simulator import BUILD, ELEVATION

DIRECTIONS = torch.arange(-180, 181, 10)
"""Degrees of the curve."""

HALF = 0.6
"""Screen units from the middle of the pictures to their edge: people fill them."""

LARGEST = 500.0
"""Millimetres, the upper end of every axis of errors in this lesson."""


def lesson_04() -> SingleFrameLifter:
    """The course's own lifter of single frames."""
    return checkpoints.load("temporal/lifter-1f")


def latent_of(**params: float) -> torch.Tensor:
    """(13,) from the controls: degrees for the camera, -1 to 1 for the pose, standard deviations for the build."""
    low, high = ELEVATION
    values = [params["direction"] / 180, 2 * (params["elevation"] - low) / (high - low) - 1]
    values += [params[f"pose_{axis.split()[1]}"] for axis in AXES if axis.startswith("pose")]
    values += [params[name] / spread for name, spread in BUILD.items()]
    return torch.tensor(values, dtype=torch.float32).clamp(-1, 1)


def compute_hunt(lifter: SingleFrameLifter, **params: float) -> dict[str, Any]:
    """What `hunt_demo` shows for these values of its controls."""
    latent = latent_of(**params)
    around = latent.repeat(len(DIRECTIONS) + 1, 1)
    around[:-1, 0] = DIRECTIONS / 180
    sim = simulator()
    seen, truth = sim.see(around)
    with torch.no_grad():
        found = lifter.windows(seen[:, None])
    errors = 1000 * torch.linalg.vector_norm(found - truth, dim=-1).mean(-1)
    return {
        "skin": sim.surface(latent),
        "seen": seen[-1],
        "truth": truth[-1],
        "found": found[-1],
        "error": errors[-1].item(),
        "curve": errors[:-1],
    }


def view_hunt(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `hunt_demo`."""
    error = arrays["error"]
    verdict = "a failure" if error > THRESHOLD else f"no failure: that begins at {THRESHOLD:.0f}"
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("keypoints", arrays["seen"] / HALF, colour="green")],
            title="what the lifter sees", cross=None, weight=0.9,
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                stage.skeleton3d("lifter", arrays["found"], colour="vermillion"),
            ],
            meshes=[stage.mesh3d("the person", arrays["skin"], body().faces, colour="grey")],
            extent=BODY, up="-y", view=(-60.0, 14.0), title="truth and answer",
        ),
        stage.curve(
            [stage.series("this pose, from all sides", DIRECTIONS, arrays["curve"], colour="vermillion")],
            x=stage.axis("direction (°)", -180, 180), y=stage.axis("error (mm)", 0, LARGEST),
            lines=[stage.hline("failure", THRESHOLD)], now=params["direction"], grab="walk round",
            title="from where is it worst?", weight=1.2,
        ),
        height=205,
        note=f"{error:.0f} mm: {verdict}",
    )  # fmt: skip


def hunt_demo(lifter: SingleFrameLifter | None = None) -> Demo:
    """Thirteen sliders, and one number to drive up.

    Args:
        lifter: of single frames; by default lesson 04's.
    """
    controls = {
        "direction": slider(0, -180, 180, 10, "camera's direction (degrees)"),
        "elevation": slider(0, -15, 65, 5, "camera looks down (degrees)"),
        **{f"pose_{n}": slider(0.0, -1.0, 1.0, 0.1, f"pose {n}") for n in range(1, 9)},
        **{name: slider(0.0, -spread, spread, 0.2, f"{name} (standard deviations)") for name, spread in BUILD.items()},
    }
    plain = {name: control.value for name, control in controls.items()}
    presets = {
        "mean person": plain,
        "from above": plain | {"elevation": 65},
        "bent": plain | {"pose_1": 1.0, "pose_2": -1.0, "direction": 90},
    }
    return live(
        partial(compute_hunt, lesson_04() if lifter is None else lifter),
        view_hunt,
        controls,
        presets=presets,
        folded=[name for name in controls if name not in ("direction", "elevation", "pose_1")],
        title="Find a pose that this lifter gets wrong",
        grabs={"walk round": lambda at, params: {"direction": at[0]}},
        plays="direction",
        recorded=("direction", "elevation"),
    )


class Scoreboard(ipywidgets.HBox):
    """Counts what a hunter tries, and stops counting when the time is up.

    Attributes:
        tried: poses so far.
        worst: the largest error among them, in mm.
    """

    def __init__(self, demo: Demo, seconds: float = 120, clock: Callable[[], float] = time.monotonic):
        self.demo, self.seconds, self.clock = demo, seconds, clock
        self.line, button = ipywidgets.HTML(), ipywidgets.Button(description="start again", layout={"width": "auto"})
        button.on_click(lambda _: self.again())
        super().__init__([self.line, button], layout={"flex_flow": "row wrap"})
        self.again()
        demo.stage.observe(self._seen, names="state")
        demo.children = (demo.children[0], self, *demo.children[1:])

    def again(self) -> None:
        """Forget everything; the clock starts with the next move."""
        self.tried, self.worst, self.began = 0, 0.0, None
        self.line.value = f"<b>{self.seconds:.0f} seconds.</b> The clock starts when you move something."

    def _seen(self, _: object) -> None:
        if self.demo.error or self.demo.arrays is None:
            return
        now = self.clock()
        self.began = now if self.began is None else self.began
        left = self.seconds - (now - self.began)
        if left < 0:
            self.line.value = f"<b>Time is up.</b> {self.tried} poses tried, the worst {self.worst:.0f} mm."
            return
        self.tried, self.worst = self.tried + 1, max(self.worst, self.demo.arrays["error"])
        self.line.value = f"<b>{left:.0f} s left.</b> {self.tried} poses tried, the worst {self.worst:.0f} mm."
